/*
 * Counts what goes over the stream while somebody looks at the figures, and tells the page once a second. Nothing
 * is counted otherwise.
 */
import { CODEC } from "./messages.js";

/** @typedef {import("./messages.js").ToViewer["frame"]} Frame */
/**
 * What happened since the figures before.
 * @typedef {object} Figures
 * @property {number} seconds
 * @property {number} bytesIn of messages, without what TLS and TCP add
 * @property {number} bytesOut
 * @property {number} frames shown on the screen; those of one screen refresh are one
 * @property {number} frameMs a frame's mean time from its last byte to the screen; 0 without frames
 * @property {string[]} codecs how pixels came: "lossless" or codes of enum codec
 */

const PERIOD_MS = 1000;
/* Acknowledgements of one screen refresh leave within this time. */
const TOGETHER_MS = 2;

/* One entry of pictures without its clip rectangles; the offset of their number (docs/protocol.md §4). */
const PICTURE_BYTES = 20;
const CLIPS_AT = 12;
const CLIP_BYTES = 8;

/**
 * The codecs of a frame's pictures; what is cut off ends the list.
 * @param {Uint8Array} pictures
 * @returns {string[]}
 */
export function codecsOf(pictures) {
	const view = new DataView(pictures.buffer, pictures.byteOffset, pictures.byteLength);
	const codecs = [];
	for (let at = 0; at + PICTURE_BYTES <= view.byteLength;) {
		codecs.push(CODEC[view.getUint8(at)] ?? "unknown");
		at += PICTURE_BYTES + view.getUint16(at + CLIPS_AT, true) * CLIP_BYTES;
	}
	return codecs;
}

export class Meter {
	#tell;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;
	#on = false;
	#since = 0;
	#bytesIn = 0;
	#bytesOut = 0;
	#frames = 0;
	#acknowledged = 0;
	#decodeUs = 0;
	#lastShown = 0;
	/** @type {Set<string>} */
	#codecs = new Set();

	/** @param {(figures: Figures) => void} tell */
	constructor(tell) {
		this.#tell = tell;
	}

	/** @param {boolean} on */
	watch(on) {
		if (on === this.#on)
			return;
		this.#on = on;
		clearInterval(this.#timer);
		this.#take();
		if (on)
			this.#timer = setInterval(() => this.#tell(this.#take()), PERIOD_MS);
	}

	/** @param {number} bytes of a message from the gateway */
	received(bytes) {
		if (this.#on)
			this.#bytesIn += bytes;
	}

	/** @param {number} bytes of a message to the gateway */
	sent(bytes) {
		if (this.#on)
			this.#bytesOut += bytes;
	}

	/** @param {Frame} frame */
	frame(frame) {
		if (!this.#on)
			return;
		if (frame.rects.length > 0)
			this.#codecs.add("lossless");
		for (const codec of codecsOf(frame.pictures))
			this.#codecs.add(codec);
	}

	/** @param {number} microseconds from a frame's last byte to the screen */
	shown(microseconds) {
		if (!this.#on)
			return;
		const now = performance.now();
		if (now - this.#lastShown > TOGETHER_MS)
			this.#frames++;
		this.#lastShown = now;
		this.#acknowledged++;
		this.#decodeUs += microseconds;
	}

	/** @returns {Figures} */
	#take() {
		const now = performance.now();
		const figures = {
			seconds: Math.max(0.001, (now - this.#since) / 1000),
			bytesIn: this.#bytesIn,
			bytesOut: this.#bytesOut,
			frames: this.#frames,
			frameMs: this.#acknowledged > 0 ? this.#decodeUs / this.#acknowledged / 1000 : 0,
			codecs: [...this.#codecs],
		};
		this.#since = now;
		this.#bytesIn = this.#bytesOut = this.#frames = this.#acknowledged = this.#decodeUs = 0;
		this.#codecs.clear();
		return figures;
	}
}
