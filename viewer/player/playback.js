/*
 * Plays a recording, in the worker thread: brings the picture to a time and lets the time go on. One thing is done after
 * another; what the person wants meanwhile ends what is being done.
 */
import { decode, decoderOf, ProtocolError } from "../core/codec.js";
import { readCursor } from "../core/cursor_image.js";
import { VideoError } from "../core/h264.js";
import { FROM_VIEWER } from "../core/messages.js";
import { AVC420, H264 } from "../core/pictures.js";
import { Screen } from "../core/screen.js";
import { Batch } from "./batch.js";
import { CHUNK_US, INPUT, Joiner, KEY, SENT } from "./chunk.js";
import { frameAfter, frameBefore } from "./frames.js";
import { CODECS, Films, lacksFilm, prune } from "./prune.js";
import { readSound } from "./sounds.js";
import { SourceClosed } from "./source.js";
import { shapeOf, View } from "./view.js";

/** @typedef {import("../core/messages.js").FromViewer} FromViewer */
/** @typedef {import("../core/messages.js").ToViewer} ToViewer */
/** @typedef {import("../core/zstd.js").Zstd} Zstd */
/** @typedef {import("./batch.js").Stroke} Stroke */
/** @typedef {import("./chunk.js").Piece} Piece */
/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("./view.js").PointerPlace} PointerPlace */

/**
 * What changed; times in microseconds since the recording began.
 * @typedef {object} PlaybackEvents
 * @property {(us: number) => void} position
 * @property {(playing: boolean) => void} playing
 * @property {(waiting: boolean) => void} waiting for chunks that are on their way
 * @property {(width: number, height: number) => void} size
 * @property {(viewer: number) => void} viewer one was found that was not known
 * @property {(state: "none" | "right" | "broken" | "film") => void} picture none: nobody was connected; broken: not right
 *   before the next keyframe; film: this browser does not decode a part of it
 * @property {(strokes: Stroke[], anew: boolean) => void} strokes anew: those before count no more
 * @property {(packets: import("./sounds.js").SoundPacket[], anew: boolean) => void} sound anew: it does not follow what came
 *   before
 * @property {(milliseconds: number) => void} arrived a jump is over
 */
/** What the browser gives. @typedef {{now: () => number, frame: () => Promise<void>}} Clock */

/** With less than this between two records, somebody works. */
const IDLE_US = 2000000;
/* A skip ends so long before something happens. */
const LEAD_US = 300000;
/* Decoders work on so many frames side by side. */
const DECODING_MAX = 6;
/* When a step of playing took longer, the time waits for it. */
const LATE_MS = 250;
/* Strokes so long before a time to which is jumped are still shown. */
const STROKES_US = 4000000;
/* Seconds of playing that are fetched ahead, and chunks at most. */
const AHEAD_S = 3;
const AHEAD_MAX = 48;
/* How many keyframes before the nearest one may be tried: a viewer may have come after it, or a film began before it. */
const KEY_TRIES = 2;
/* Bytes from there on that a film is worth. */
const FILM_MAX = 6 * 1024 * 1024;
const SECOND_US = 1000000;

export const SPEEDS = Object.freeze([0.25, 0.5, 1, 2, 4, 8, 16]);

const readInput = decoderOf(
	/** @type {Record<keyof FromViewer, import("../core/codec.js").MessageType>} */ (FROM_VIEWER));

export class Playback {
	#recording;
	#zstd;
	#events;
	#clock;
	#screen;
	#films = new Films();
	#view;
	#joiner = new Joiner();
	/* The next record: of which chunk, and its place in it. */
	#next = { chunk: 0, record: 0 };
	/* The time that is shown; what was shown when somebody asks for the frame before. */
	#position = 0;
	#frameUs = -1;
	#duration;
	#playing = false;
	#speed = 1;
	#skipIdle = false;
	/* What is heard next follows what was heard last. */
	#heard = false;
	#viewer = 0;
	/** @type {PointerPlace | null} */
	#pointer = null;
	#pointerWanted = true;
	/** @type {Set<number>} */
	#viewers = new Set();
	/** @type {Map<number, import("./view.js").Shape>} */
	#shapes = new Map();
	#changed = false;
	#anchor = { us: 0, at: 0 };
	/* Counts up with each jump that is wished for: what was begun for an older one is given up. */
	#turn = 0;
	/** @type {{us: number, anew: boolean, since: number} | null} */
	#wish = null;
	#wake = () => {};
	#progress = () => {};
	#closed = false;

	/**
	 * @param {Recording} recording
	 * @param {OffscreenCanvas} canvas that is seen
	 * @param {Zstd} zstd
	 * @param {import("../core/codecs.js").Support} support
	 * @param {PlaybackEvents} events
	 * @param {Clock} clock
	 */
	constructor(recording, canvas, zstd, support, events, clock) {
		this.#recording = recording;
		this.#zstd = zstd;
		this.#events = events;
		this.#clock = clock;
		this.#duration = (recording.rows.at(-1)?.startUs ?? 0) + CHUNK_US;
		const picture = new OffscreenCanvas(1, 1);
		this.#view = new View(canvas, picture);
		this.#screen = new Screen(picture, zstd, {
			shown: (_, { width, height }, resized) => {
				this.#changed = true;
				if (resized)
					events.size(width, height);
				this.#progress();
			},
			dropped: () => this.#progress(),
			failed: (error) => this.#failed(error),
			restored: () => this.seek(this.#position, true),
		});
		this.#films.codecs = support.codecs;
		this.#screen.support({ ...support, codecs: CODECS });
	}

	get position() {
		return this.#position;
	}

	get duration() {
		return this.#duration;
	}

	/** The end is known better. @param {number} us */
	set duration(us) {
		this.#duration = us;
	}

	/** Does what is wished for until it is closed. */
	async run() {
		try {
			while (!this.#closed)
				await this.#turnOnce(this.#turn);
		} catch (error) {
			/* Nothing more can be had. */
			if (!(error instanceof SourceClosed))
				throw error;
		}
	}

	/** @param {number} turn */
	async #turnOnce(turn) {
		if (this.#wish)
			await this.#jump(this.#wish, turn);
		else if (this.#playing)
			await this.#tick(turn);
		else
			await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
	}

	/** Shows the first picture there is. */
	async begin() {
		const turn = this.#turn;
		try {
			const first = await this.#frameAfter();
			if (turn === this.#turn)
				this.seek(first ?? 0);
		} catch (error) {
			if (!(error instanceof SourceClosed))
				throw error;
		}
	}

	/**
	 * @param {number} us
	 * @param {boolean} [anew] from a keyframe, whatever is on the screen
	 */
	seek(us, anew = false) {
		this.#wish = { us: Math.min(Math.max(0, us), this.#duration), anew: anew || this.#wish?.anew === true,
			since: this.#clock.now() };
		this.#turn++;
		this.#progress();
		this.#begin();
	}

	/** @param {boolean} playing */
	play(playing) {
		if (playing && this.#target() >= this.#duration)
			this.seek(0);
		this.#setPlaying(playing);
		this.#begin();
	}

	/** @param {number} speed one of SPEEDS */
	setSpeed(speed) {
		this.#speed = speed;
		this.#begin();
	}

	/** @param {boolean} on */
	setSkipIdle(on) {
		this.#skipIdle = on;
	}

	/** @param {boolean} on */
	setPointer(on) {
		this.#pointerWanted = on;
		this.#show();
	}

	/** Another monitor. @param {number} viewer */
	setViewer(viewer) {
		if (viewer === this.#viewer)
			return;
		this.#viewer = viewer;
		this.seek(this.#target(), true);
	}

	/**
	 * To the next frame or the one before.
	 * @param {1 | -1} by
	 */
	async step(by) {
		this.#setPlaying(false);
		const turn = this.#turn;
		try {
			const us = await (by > 0 ? this.#frameAfter() : this.#frameBefore());
			if (turn === this.#turn && us !== null)
				this.seek(us);
		} catch (error) {
			if (!(error instanceof SourceClosed))
				throw error;
		}
	}

	close() {
		this.#closed = true;
		this.#turn++;
		this.#progress();
		this.#begin();
		this.#screen.clear();
	}

	#frameAfter() {
		return frameAfter(this.#recording, this.#viewer, this.#target());
	}

	/* Before the one that is shown, where that is known. */
	#frameBefore() {
		const shown = this.#frameUs >= 0 && !this.#wish ? this.#frameUs : this.#target();
		return frameBefore(this.#recording, this.#viewer, shown);
	}

	/** Where it is, or soon will be. */
	#target() {
		return this.#wish?.us ?? this.#position;
	}

	/* The time goes on from here. */
	#begin() {
		this.#anchor = { us: this.#position, at: this.#clock.now() };
		this.#wake();
	}

	/** @param {boolean} playing */
	#setPlaying(playing) {
		if (playing === this.#playing)
			return;
		this.#playing = playing;
		this.#events.playing(playing);
	}

	/* ---- jumping ---- */

	/**
	 * @param {{us: number, anew: boolean, since: number}} wish
	 * @param {number} turn
	 */
	async #jump({ us, anew, since }, turn) {
		const recording = this.#recording;
		let key = Math.max(0, recording.keyBefore(recording.at(us)));
		const on = !anew && !this.#screen.lost && us >= this.#position && this.#next.chunk >= key;
		const nearest = key;
		for (let tries = on ? 0 : KEY_TRIES; ; tries--) {
			if (!on)
				this.#from(key);
			const batch = await this.#collect(us, turn);
			if (!batch)
				return;
			const before = on || key === 0 ? 0 : Math.max(0, recording.keyBefore(key - 1));
			if (!on && batch.frames.length === 0 && tries > 0 && key > 0) {
				key = before;
				continue;
			}
			if (!on && key > 0 && tries >= 0 && this.#stands(batch)) {
				/* Its key picture is too far away: what the nearest keyframe has of it is the best. */
				const far = tries === 0 || this.#bytes(before, recording.at(us)) > FILM_MAX;
				if (!far || key !== nearest) {
					tries = far ? 0 : tries;
					key = far ? nearest : before;
					continue;
				}
			}
			if (!on && batch.frames.length === 0 && !batch.isBroken)
				this.#blank();
			if (!await this.#apply(batch, turn))
				return;
			this.#events.strokes(batch.strokes.filter(({ timeUs }) => timeUs >= us - STROKES_US), true);
			break;
		}
		this.#wish = null;
		this.#heard = false;
		this.#arrive(us);
		this.#events.arrived(this.#clock.now() - since);
		this.#anchor = { us, at: this.#clock.now() };
		this.#readAhead();
	}

	/** A film in it would stand still. @param {Batch} batch */
	#stands({ frames }) {
		try {
			return lacksFilm(frames, this.#films.codecs);
		} catch (error) {
			if (!(error instanceof ProtocolError || error instanceof RangeError))
				throw error;
			return false;
		}
	}

	/**
	 * @param {number} from chunk
	 * @param {number} to
	 */
	#bytes(from, to) {
		return this.#recording.rows.slice(from, to + 1).reduce((sum, { activity }) => sum + activity, 0);
	}

	/** The next record is the first of this chunk, and nothing is known. @param {number} chunk */
	#from(chunk) {
		this.#next = { chunk, record: 0 };
		this.#screen.lose();
		this.#films.clear();
		this.#joiner.clear();
		this.#pointer = null;
		this.#frameUs = -1;
	}

	/* Nobody was connected then. */
	#blank() {
		this.#screen.clear();
		this.#changed = true;
		this.#events.picture("none");
	}

	/* ---- playing ---- */

	/** @param {number} turn */
	async #tick(turn) {
		await this.#clock.frame();
		if (turn !== this.#turn)
			return;
		const now = this.#clock.now();
		let us = this.#anchor.us + (now - this.#anchor.at) * 1000 * this.#speed;
		const next = this.#nextUs();
		if (this.#skipIdle && next - this.#position > IDLE_US && next - LEAD_US > us) {
			us = next - LEAD_US;
			this.#anchor = { us, at: now };
		}
		us = Math.min(Math.max(us, this.#position), this.#duration);
		const batch = await this.#collect(us, turn);
		if (!batch || !await this.#apply(batch, turn))
			return;
		if (batch.strokes.length > 0)
			this.#events.strokes(batch.strokes, false);
		this.#sound(batch.sounds);
		this.#arrive(us);
		const after = this.#clock.now();
		if (after - now > LATE_MS)
			this.#anchor = { us, at: after };
		if (us >= this.#duration)
			this.#setPlaying(false);
		this.#readAhead();
	}

	/* Faster or slower it would be no sound. @param {import("./sounds.js").SoundPacket[]} packets */
	#sound(/** @type {import("./sounds.js").SoundPacket[]} */ packets) {
		if (this.#speed !== 1) {
			this.#heard = false;
		} else if (packets.length > 0) {
			this.#events.sound(packets, !this.#heard);
			this.#heard = true;
		}
	}

	/** The time of the next record; as late as the end when there is none. */
	#nextUs() {
		const { chunk, record } = this.#next;
		if (chunk >= this.#recording.count)
			return this.#duration;
		return this.#recording.cached(chunk)?.records[record]?.timeUs ??
			this.#recording.rows[record === 0 ? chunk : Math.min(chunk + 1, this.#recording.count - 1)].startUs;
	}

	#readAhead() {
		const { chunk } = this.#next;
		const end = this.#recording.at(this.#position + AHEAD_S * SECOND_US * Math.max(1, this.#speed));
		/* Behind a pause the next chunk is the one that will be wanted. */
		this.#recording.readAhead(chunk, Math.min(Math.max(end, chunk + 1), chunk + AHEAD_MAX));
	}

	/** @param {number} us */
	#arrive(us) {
		this.#position = us;
		this.#show();
		this.#events.position(us);
	}

	#show() {
		const shape = this.#shapes.get(this.#viewer) ?? null;
		this.#view.show(this.#pointerWanted ? this.#pointer : null, shape, this.#changed);
		this.#changed = false;
	}

	/* ---- records ---- */

	/**
	 * All records up to a time.
	 * @param {number} us
	 * @param {number} turn
	 * @returns {Promise<Batch | null>} null: something else is wished for
	 */
	async #collect(us, turn) {
		const batch = new Batch(this.#screen.lost);
		const { rows, count } = this.#recording;
		/* Given up in the middle, what was taken is gone: the next wish begins at a keyframe. */
		while (this.#next.chunk < count && rows[this.#next.chunk].startUs <= us) {
			this.#recording.readAhead(this.#next.chunk, this.#recording.at(us));
			const chunk = await this.#chunk(this.#next.chunk);
			if (turn !== this.#turn) {
				this.#abandon(batch);
				return null;
			}
			if (!chunk) {
				this.#joiner.clear();
				batch.damage();
			} else {
				while (this.#next.record < chunk.records.length && chunk.records[this.#next.record].timeUs <= us)
					this.#take(chunk.records[this.#next.record++], batch);
				if (this.#next.record < chunk.records.length)
					break;
			}
			this.#next = { chunk: this.#next.chunk + 1, record: 0 };
		}
		return batch;
	}

	/** @param {Batch} batch that will not be shown */
	#abandon(batch) {
		if (batch.frames.length > 0 || batch.damaged)
			this.#screen.lose();
	}

	/** @param {number} index */
	async #chunk(index) {
		const cached = this.#recording.cached(index);
		if (cached || this.#recording.isDamaged(index))
			return cached;
		this.#events.waiting(true);
		try {
			return await this.#recording.chunk(index);
		} finally {
			this.#events.waiting(false);
		}
	}

	/**
	 * @param {Piece} record
	 * @param {Batch} batch
	 */
	#take(record, batch) {
		if (record.kind === SENT && !this.#viewers.has(record.viewer)) {
			this.#viewers.add(record.viewer);
			this.#events.viewer(record.viewer);
		}
		const sound = this.#playing && this.#speed === 1 && !this.#wish ? readSound(record) : null;
		if (sound)
			batch.sounds.push(sound);
		if (record.viewer !== this.#viewer || (record.kind !== SENT && record.kind !== KEY && record.kind !== INPUT))
			return;
		try {
			const payload = this.#joiner.add(record);
			if (!payload)
				return;
			if (record.kind === INPUT)
				this.#input(payload, record.timeUs, batch);
			else
				this.#message(payload, record, batch);
		} catch (error) {
			if (!(error instanceof ProtocolError || error instanceof RangeError))
				throw error;
			/* Where reading begins, the first record may be the end of one that is not there. */
			batch.damage();
		}
	}

	/**
	 * @param {Uint8Array} payload
	 * @param {Piece} record
	 * @param {Batch} batch
	 */
	#message(payload, { kind, timeUs }, batch) {
		const message = decode(payload);
		if (message.name === "cursor") {
			this.#shapes.set(this.#viewer, shapeOf(readCursor(message.fields, this.#zstd)));
		} else if (message.name === "frame" && (kind === SENT || batch.needsKey)) {
			/* A picture for the recording alone says nothing new to a screen that is right. */
			if (message.fields.keyframe === 1)
				batch.needsKey = false;
			if (!batch.needsKey)
				batch.frames.push(message.fields);
			if (kind === SENT)
				this.#frameUs = timeUs;
		}
	}

	/**
	 * @param {Uint8Array} payload
	 * @param {number} timeUs
	 * @param {Batch} batch
	 */
	#input(payload, timeUs, batch) {
		const { name, fields } = readInput(payload);
		if (name === "pointer")
			this.#pointer = { x: fields.x, y: fields.y, buttons: fields.buttons };
		else if (name === "key")
			batch.strokes.push({ timeUs, keysym: fields.keysym, down: fields.down === 1, text: "" });
		else if (name === "text")
			batch.strokes.push({ timeUs, keysym: 0, down: true, text: fields.text });
	}

	/* ---- the picture ---- */

	/**
	 * @param {Batch} batch
	 * @param {number} turn
	 * @returns {Promise<boolean>} false: something else is wished for
	 */
	async #apply(batch, turn) {
		const wasLost = this.#screen.lost;
		if (batch.frames.length > 0 && !await this.#draw(batch.frames, turn))
			return false;
		if (batch.isBroken) {
			this.#screen.lose();
			this.#films.clear();
			this.#events.picture("broken");
		} else if ((wasLost || batch.damaged) && !this.#screen.lost) {
			this.#events.picture("right");
		}
		return true;
	}

	/**
	 * @param {ToViewer["frame"][]} frames
	 * @param {number} turn
	 * @returns {Promise<boolean>} as apply
	 */
	async #draw(frames, turn) {
		this.#screen.hold();
		try {
			for (const { frame, pictures } of prune(frames, this.#films)) {
				while (this.#screen.waiting >= DECODING_MAX)
					await this.#moved();
				if (turn !== this.#turn)
					return this.#giveUp();
				this.#screen.take(frame, { sequence: frame.sequence, arrived: 0 }, pictures);
			}
		} catch (error) {
			this.#failed(error);
		}
		while (this.#screen.waiting > 0)
			await this.#moved();
		this.#screen.release();
		if (turn !== this.#turn)
			return this.#giveUp();
		return true;
	}

	#giveUp() {
		this.#screen.release();
		this.#screen.lose();
		return false;
	}

	/** The screen has shown or dropped a frame, or something else is wished for. */
	#moved() {
		return new Promise((resolve) => (this.#progress = () => resolve(undefined)));
	}

	/** @param {unknown} error of a frame */
	#failed(error) {
		if (!(error instanceof ProtocolError || error instanceof RangeError)) {
			/* A mistake of ours: the page hears of it as of any in this thread. */
			queueMicrotask(() => { throw error; });
			return;
		}
		this.#screen.lose();
		if (error instanceof VideoError) {
			/* Once more, and without what this browser does not decode. */
			this.#films.codecs &= ~(error.codec === AVC420 ? AVC420 : H264 | AVC420);
			this.#events.picture("film");
			this.seek(this.#target(), true);
		} else {
			this.#events.picture("broken");
		}
		this.#progress();
	}
}
