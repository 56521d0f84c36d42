/*
 * What happens to messages in the worker thread: frames go to the screen and are acknowledged when they are shown; the
 * rest goes to the page.
 */
import { changesSince, keepBefore } from "./changes.js";
import { ProtocolError } from "./codec.js";
import { LEAST, supportOf } from "./codecs.js";
import { readCursor } from "./cursor_image.js";
import { VideoError } from "./h264.js";
import { Meter } from "./meter.js";
import { AVC420, H264 } from "./pictures.js";
import { Screen } from "./screen.js";
import { Transport, VERSION } from "./transport.js";

/** @typedef {import("./codec.js").Message} Message */
/** @typedef {import("./messages.js").FromViewer} FromViewer */
/** @typedef {import("./messages.js").ToViewer} ToViewer */
/** @typedef {import("./queue.js").Arrival} Arrival */
/** @typedef {import("./zstd.js").Zstd} Zstd */

/**
 * What the worker tells the page.
 * @typedef {{type: "ready"}
 *   | {type: "failed"}
 *   | {type: "open"}
 *   | {type: "closed", code: number}
 *   | {type: "hello", version: number, label: string, state: number, canResize: boolean, viewOnly: boolean,
 *      monitors: number, audio: boolean}
 *   | {type: "status", state: number, reason: number}
 *   | {type: "size", width: number, height: number}
 *   | {type: "picture"}
 *   | {type: "cursor", hotX: number, hotY: number, width: number, height: number,
 *      pixels: Uint8ClampedArray<ArrayBuffer>}
 *   | {type: "notice", kind: number, seconds: number}
 *   | {type: "watcher"} & ToViewer["watcher"]
 *   | {type: "watching"} & ToViewer["watching"]
 *   | {type: "latency", milliseconds: number, pcMilliseconds: number}
 *   | {type: "figures"} & import("./meter.js").Figures
 *   | {type: "changed", boxes: import("./decoder.js").Rect[]}
 *   | {type: "sound", sequence: number, packet: Uint8Array<ArrayBuffer>}
 *   | {type: "bell"}} FromWorker
 */

/* Frames that do not decode are answered with a request for a keyframe, but not for ever. */
const MAX_FAILURES = 3;
const FAILURES_MS = 10000;

/* In a hidden page no animation frame comes: acknowledge all the same, slowly. */
const HIDDEN_MS = 250;

/* A browser that does not say by then what it decodes gets no film this time. */
const CODECS_MS = 200;

/**
 * What open was called with; codecs: bits of enum codec that the page decodes itself, e.g. Opus.
 * @typedef {{url: string, width: number, height: number, codecs: number}} Wish
 */

export class Stream {
	#zstd;
	#screen;
	#post;
	#meter;
	/* The page wants to know where somebody writes. */
	#tellChanges = false;
	/* Of a frame that is being shown: what was where it changes something. */
	/** @type {ReturnType<typeof keepBefore>} */
	#kept = [];
	/** @type {Transport | null} */
	#transport = null;
	/** @type {Wish | null} */
	#wish = null;
	/* Counts up with each opening and closing: an older one gives up. */
	#turn = 0;
	/* Bits of enum codec: what has failed here once and is not announced again. */
	#given_up = 0;
	/** @type {number[]} */
	#failures = [];
	#shown = false;
	/** @type {Arrival[]} */
	#unacknowledged = [];
	#scheduled = false;

	/**
	 * @param {OffscreenCanvas} canvas
	 * @param {Zstd} zstd
	 * @param {(message: FromWorker, transfer?: Transferable[]) => void} post
	 */
	constructor(canvas, zstd, post) {
		this.#zstd = zstd;
		this.#screen = new Screen(canvas, zstd, {
			before: (frame, picture) => (this.#kept = this.#tellChanges ? keepBefore(frame, picture) : []),
			shown: (frame, picture, resized, arrival) => this.#frameShown(frame, picture, resized, arrival),
			dropped: (arrival) => this.#acknowledgeSoon(arrival),
			failed: (error) => this.#failed(error),
			restored: () => this.#refresh(),
		});
		this.#post = post;
		this.#meter = new Meter((figures) => post({ type: "figures", ...figures }));
	}

	/**
	 * What the page wants to know beyond the picture.
	 * @param {{figures: boolean, changes: boolean}} wishes
	 */
	watch({ figures, changes }) {
		this.#meter.watch(figures);
		this.#tellChanges = changes;
	}

	/**
	 * Opens the stream; an older one is dropped.
	 * @param {string} url
	 * @param {number} width wished for, device pixels
	 * @param {number} height
	 * @param {number} [codecs] bits of enum codec that the page decodes itself
	 */
	open(url, width, height, codecs = 0) {
		this.#failures = [];
		this.#open({ url, width, height, codecs });
	}

	/** @param {Wish} wish */
	#open(wish) {
		this.#drop();
		this.#wish = wish;
		this.#shown = false;
		const turn = this.#turn;
		/* Asked before the connection is made: nothing may be sent on it before the hello. */
		/** @type {Promise<import("./codecs.js").Support>} */
		const late = new Promise((resolve) => setTimeout(resolve, CODECS_MS, LEAST));
		void Promise.race([supportOf(wish.width, wish.height), late]).then(({ codecs, acceleration }) => {
			if (turn !== this.#turn)
				return;
			const kept = codecs & ~this.#given_up;
			this.#screen.support({ codecs: kept, acceleration });
			this.#connect(wish, kept);
		});
	}

	/**
	 * @param {Wish} wish
	 * @param {number} codecs of pictures
	 */
	#connect({ url, width, height, codecs: others }, codecs) {
		const transport = new Transport(url, {
			open: () => {
				transport.send("viewer_hello", { version: VERSION, width, height, codecs: codecs | others });
				this.#post({ type: "open" });
			},
			message: (message, arrived) => this.#message(message, arrived),
			latency: (milliseconds, pcMilliseconds) => this.#post({ type: "latency", milliseconds, pcMilliseconds }),
			closed: (code) => {
				this.#transport = null;
				this.#drop();
				this.#post({ type: "closed", code });
			},
		}, this.#meter);
		this.#transport = transport;
	}

	/**
	 * @template {keyof FromViewer} K
	 * @param {K} name
	 * @param {FromViewer[K]} fields
	 */
	send(name, fields) {
		this.#transport?.send(name, fields);
	}

	/** Ends the stream for good: nothing of the picture stays. */
	close() {
		this.#drop();
		this.#screen.clear();
	}

	#drop() {
		this.#turn++;
		this.#transport?.close();
		this.#transport = null;
		this.#screen.lose();
		this.#unacknowledged = [];
	}

	/**
	 * @param {Message} message
	 * @param {number} arrived
	 */
	#message(message, arrived) {
		switch (message.name) {
		case "frame":
			this.#frame(message.fields, arrived);
			break;
		case "cursor":
			this.#cursor(readCursor(message.fields, this.#zstd));
			break;
		case "hello": {
			const { version, label, state, can_resize, view_only, monitors, audio } = message.fields;
			this.#post({ type: "hello", version, label, state, canResize: can_resize === 1,
				viewOnly: view_only === 1, monitors, audio: audio === 1 });
			break;
		}
		case "status":
			this.#post({ type: "status", ...message.fields });
			break;
		case "notice":
			this.#post({ type: "notice", ...message.fields });
			break;
		case "watcher":
			this.#post({ type: "watcher", ...message.fields });
			break;
		case "watching":
			this.#post({ type: "watching", ...message.fields });
			break;
		case "audio": {
			/* A copy: the rest of the message stays here. */
			const packet = new Uint8Array(message.fields.packet);
			this.#post({ type: "sound", sequence: message.fields.sequence, packet }, [packet.buffer]);
			break;
		}
		case "bell":
			this.#post({ type: "bell" });
			break;
		}
	}

	/**
	 * @param {ToViewer["frame"]} frame
	 * @param {number} arrived
	 */
	#frame(frame, arrived) {
		const arrival = { sequence: frame.sequence, arrived };
		try {
			this.#screen.take(frame, arrival);
		} catch (error) {
			const turn = this.#turn;
			this.#failed(error);
			/* Another connection knows nothing of this frame. */
			if (turn === this.#turn)
				this.#acknowledgeSoon(arrival);
		}
	}

	/**
	 * @param {ToViewer["frame"]} frame
	 * @param {import("./decoder.js").FrameDecoder} picture
	 * @param {boolean} resized
	 * @param {Arrival} arrival
	 */
	#frameShown(frame, picture, resized, arrival) {
		if (this.#kept.length > 0)
			this.#post({ type: "changed", boxes: changesSince(this.#kept, picture) });
		this.#kept = [];
		this.#meter.frame(frame);
		if (resized)
			this.#post({ type: "size", width: picture.width, height: picture.height });
		if (!this.#shown) {
			this.#shown = true;
			this.#post({ type: "picture" });
		}
		this.#acknowledgeSoon(arrival);
	}

	/** @param {unknown} error */
	#failed(error) {
		if (!(error instanceof ProtocolError || error instanceof RangeError)) {
			/* A mistake of ours: the page hears of it as of any in this thread. */
			queueMicrotask(() => { throw error; });
			return;
		}
		this.#screen.lose();
		if (error instanceof VideoError && this.#wish) {
			/* The PC's own may have a fault that ours has not. */
			this.#given_up |= error.codec === AVC420 ? AVC420 : H264 | AVC420;
			this.#open(this.#wish);
			return;
		}
		const now = performance.now();
		this.#failures = this.#failures.filter((time) => now - time < FAILURES_MS);
		this.#failures.push(now);
		if (this.#failures.length > MAX_FAILURES)
			this.#transport?.fail();
		else
			this.#refresh();
	}

	#refresh() {
		this.send("refresh", { unused: 0 });
	}

	/** @param {Arrival} arrival of a frame that is done with, in their order */
	#acknowledgeSoon(arrival) {
		this.#unacknowledged.push(arrival);
		this.#schedule();
	}

	/*
	 * A frame is on the screen with the next animation frame, so that is when it is acknowledged: the
	 * worker never sends faster than the display shows.
	 */
	#schedule() {
		if (this.#scheduled)
			return;
		this.#scheduled = true;
		let done = false;
		const acknowledge = () => {
			if (done)
				return;
			done = true;
			clearTimeout(timer);
			this.#scheduled = false;
			this.#acknowledge();
		};
		const timer = setTimeout(acknowledge, HIDDEN_MS);
		if (typeof requestAnimationFrame === "function")
			requestAnimationFrame(acknowledge);
		else
			setTimeout(acknowledge, 0);
	}

	#acknowledge() {
		const now = performance.now();
		for (const { sequence, arrived } of this.#unacknowledged) {
			const decode_us = Math.max(0, Math.round((now - arrived) * 1000));
			this.send("ack", { sequence, decode_us });
			this.#meter.shown(decode_us);
		}
		this.#unacknowledged = [];
	}

	/** @param {import("./cursor.js").CursorImage} cursor */
	#cursor(cursor) {
		this.#post({ type: "cursor", ...cursor }, [cursor.pixels.buffer]);
	}
}
