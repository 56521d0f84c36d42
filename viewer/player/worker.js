/*
 * The worker thread of the player: everything from the WebSocket to the canvas, as in the one of a desktop.
 */
import { supportOf } from "../core/codecs.js";
import { Zstd } from "../core/zstd.js";
import { gather } from "./happenings.js";
import { CHUNK_LAST, CHUNK_US } from "./chunk.js";
import { Playback } from "./playback.js";
import { Recording } from "./recording.js";
import { Source, SourceClosed } from "./source.js";

/** @typedef {import("./happenings.js").Happening} Happening */
/** @typedef {import("./batch.js").Stroke} Stroke */
/** @typedef {import("./source.js").Info} Info */
/** @typedef {import("./sounds.js").SoundPacket} SoundPacket */

/**
 * What the page tells the worker. The canvas comes once, first.
 * @typedef {{type: "start", canvas: OffscreenCanvas, url: string}
 *   | {type: "play", on: boolean}
 *   | {type: "seek", us: number, jump: number}
 *   | {type: "speed", speed: number}
 *   | {type: "skip-idle", on: boolean}
 *   | {type: "pointer", on: boolean}
 *   | {type: "step", by: 1 | -1}
 *   | {type: "viewer", viewer: number}
 *   | {type: "close"}} ToPlayerWorker
 */
/**
 * What the worker tells the page. Times in microseconds since the recording began; starts, times (wall clock in
 * milliseconds), flags, activity: of each chunk.
 * @typedef {{type: "failed"}
 *   | {type: "closed", reason: string}
 *   | {type: "opened", info: Info, starts: Float64Array, times: Float64Array, flags: Uint32Array,
 *      activity: Uint32Array, duration: number}
 *   | {type: "grown", starts: Float64Array, times: Float64Array, flags: Uint32Array, activity: Uint32Array, duration: number}
 *   | {type: "duration", us: number}
 *   | {type: "position", us: number}
 *   | {type: "playing", on: boolean}
 *   | {type: "waiting", on: boolean}
 *   | {type: "size", width: number, height: number}
 *   | {type: "viewer", viewer: number}
 *   | {type: "picture", state: "none" | "right" | "broken" | "film"}
 *   | {type: "strokes", strokes: Stroke[], anew: boolean}
 *   | {type: "sound", packets: SoundPacket[], anew: boolean}
 *   | {type: "audible"}
 *   | {type: "arrived", milliseconds: number, jump: number}
 *   | {type: "damaged", chunk: number}
 *   | {type: "happenings", happenings: Happening[]}} FromPlayerWorker
 */

/**
 * @typedef {object} WorkerScope
 * @property {(message: FromPlayerWorker, transfer: Transferable[]) => void} postMessage
 * @property {((event: MessageEvent<ToPlayerWorker>) => void) | null} onmessage
 */
const scope = /** @type {WorkerScope} */ (/** @type {unknown} */ (self));

/* In a hidden page no animation frame comes: the time goes on all the same, in larger steps. */
const HIDDEN_MS = 250;
/* Between two questions for what is recorded meanwhile. */
const GROW_MS = 2000;

/** @type {Playback | null} */
let playback = null;
/** @type {Source | null} */
let source = null;
let waiting = false;
/* The newest jump that the page has asked for. */
let jump = 0;

/**
 * @param {FromPlayerWorker} message
 * @param {Transferable[]} [transfer]
 */
function post(message, transfer = []) {
	scope.postMessage(message, transfer);
}

/** The next time that the screen shows something new. @returns {Promise<void>} */
function frame() {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, HIDDEN_MS);
		const done = () => {
			clearTimeout(timer);
			resolve();
		};
		if (typeof requestAnimationFrame === "function")
			requestAnimationFrame(done);
		else
			setTimeout(done, 16);
	});
}

/**
 * @param {OffscreenCanvas} canvas
 * @param {string} url
 */
async function start(canvas, url) {
	try {
		const [answer, support] = await Promise.all([fetch(new URL("../core/zstd.wasm", import.meta.url)), supportOf(0, 0)]);
		if (!answer.ok)
			throw new Error(`zstd.wasm: ${answer.status}`);
		const zstd = await Zstd.create(await answer.arrayBuffer());
		source = new Source(url, {
			opened: (info, rows) => open(canvas, zstd, support, info, rows),
			closed: (reason) => post({ type: "closed", reason }),
		});
	} catch {
		post({ type: "failed" });
	}
}

/**
 * @param {OffscreenCanvas} canvas
 * @param {Zstd} zstd
 * @param {import("../core/codecs.js").Support} support
 * @param {Info} info
 * @param {import("./chunk.js").Row[]} rows
 */
function open(canvas, zstd, support, info, rows) {
	const fetcher = { session: info.session, chunk: (/** @type {number} */ sequence) =>
		/** @type {Source} */ (source).chunk(sequence) };
	const recording = new Recording(rows, fetcher, (chunk) => post({ type: "damaged", chunk }));
	const player = new Playback(recording, canvas, zstd, support, {
		position: (us) => post({ type: "position", us }),
		playing: (on) => post({ type: "playing", on }),
		waiting: (on) => {
			waiting = on;
			post({ type: "waiting", on });
		},
		size: (width, height) => post({ type: "size", width, height }),
		viewer: (viewer) => post({ type: "viewer", viewer }),
		picture: (state) => post({ type: "picture", state }),
		strokes: (strokes, anew) => post({ type: "strokes", strokes, anew }),
		sound: (packets, anew) => post({ type: "sound", packets, anew }, packets.map(({ packet }) => packet.buffer)),
		arrived: (milliseconds) => post({ type: "arrived", milliseconds, jump }),
	}, { now: () => performance.now(), frame });
	playback = player;
	post({ type: "opened", info, ...columnsOf(rows), duration: player.duration });
	void player.begin();
	void player.run();
	void finish(recording, player).then(() => (info.proof.fault === "live" ? grow(recording, player) : undefined));
}

/** @param {import("./chunk.js").Row[]} rows */
function columnsOf(rows) {
	return { starts: Float64Array.from(rows, ({ startUs }) => startUs), times: Float64Array.from(rows, ({ timeMs }) => timeMs),
		flags: Uint32Array.from(rows, (row) => row.flags), activity: Uint32Array.from(rows, (row) => row.activity) };
}

/**
 * Asks again and again for what is recorded meanwhile, until the end of it is there.
 * @param {Recording} recording
 * @param {Playback} player
 */
async function grow(recording, player) {
	try {
		while (source && !((recording.rows.at(-1)?.flags ?? 0) & CHUNK_LAST)) {
			await new Promise((resolve) => setTimeout(resolve, GROW_MS));
			const from = recording.count;
			const rows = await source.more();
			if (rows.length === 0)
				continue;
			recording.grow(rows);
			player.duration = Math.max(player.duration, rows[rows.length - 1].startUs + CHUNK_US);
			post({ type: "grown", ...columnsOf(rows), duration: player.duration });
			await look(recording, from);
		}
		await findEnd(recording, player);
	} catch (error) {
		/* The page has been told. */
		if (!(error instanceof SourceClosed))
			throw error;
	}
}

/**
 * What is looked up once the first picture is there: where the end is, and what happened.
 * @param {Recording} recording
 * @param {Playback} player
 */
async function finish(recording, player) {
	try {
		await findEnd(recording, player);
	} catch {
		/* The connection is closed, which the page has been told. */
		return;
	}
	await look(recording, 0);
}

/**
 * @param {Recording} recording
 * @param {Playback} player
 */
async function findEnd(recording, player) {
	const records = (await recording.chunk(recording.count - 1))?.records ?? [];
	const end = records.at(-1)?.timeUs;
	if (end === undefined)
		return;
	player.duration = end;
	post({ type: "duration", us: end });
}

/**
 * @param {Recording} recording
 * @param {number} from chunk
 */
function look(recording, from) {
	return gather(recording, from, () => waiting, (happenings, audible) => {
		if (audible)
			post({ type: "audible" });
		post({ type: "happenings", happenings });
	});
}

scope.onmessage = (/** @type {MessageEvent<ToPlayerWorker>} */ { data }) => {
	switch (data.type) {
	case "start":
		void start(data.canvas, data.url);
		break;
	case "play":
		playback?.play(data.on);
		break;
	case "seek":
		jump = data.jump;
		playback?.seek(data.us);
		break;
	case "speed":
		playback?.setSpeed(data.speed);
		break;
	case "skip-idle":
		playback?.setSkipIdle(data.on);
		break;
	case "pointer":
		playback?.setPointer(data.on);
		break;
	case "step":
		void playback?.step(data.by);
		break;
	case "viewer":
		playback?.setViewer(data.viewer);
		break;
	case "close":
		playback?.close();
		source?.close();
		break;
	}
};
