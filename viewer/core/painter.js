/*
 * Draws the decoder's pixels onto the canvas: the changed rectangles one by one while they are few, their
 * bounding box when they are many. H.264 goes onto the canvas only, where the decoder's pixels must not
 * cover it until they are newer.
 */
import { overlap, without } from "./rects.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./rects.js").Rect} Rect */

const MANY_RECTS = 64;
/* Rectangles that remember where H.264 is seen; more become their bounding box. */
const MANY_FILMS = 64;
/* Rectangles that wait while nobody looks. */
const MANY_HELD = 512;

/**
 * @param {Rect[]} rects at least one
 * @returns {Rect}
 */
export function boundingBox(rects) {
	let left = Infinity;
	let top = Infinity;
	let right = 0;
	let bottom = 0;
	for (const { x, y, width, height } of rects) {
		left = Math.min(left, x);
		top = Math.min(top, y);
		right = Math.max(right, x + width);
		bottom = Math.max(bottom, y + height);
	}
	return { x: left, y: top, width: right - left, height: bottom - top };
}

export class Painter {
	#canvas;
	#context;
	/** @type {ImageData | null} */
	#image = null;
	/* Where H.264 is seen; may name too much, never too little. */
	/** @type {Rect[]} */
	#films = [];
	/* What is still to be drawn; null: everything is drawn at once. */
	/** @type {Rect[] | null} */
	#held = null;

	/**
	 * @param {OffscreenCanvas} canvas
	 * @param {() => void} restored the canvas was lost and is there again, black but for the decoder's pixels
	 */
	constructor(canvas, restored = () => {}) {
		const context = canvas.getContext("2d", { alpha: false });
		if (!context)
			throw new Error("the browser gives no 2d context");
		this.#canvas = canvas;
		this.#context = context;
		canvas.oncontextrestored = () => {
			this.#films = [];
			if (this.#image)
				context.putImageData(this.#image, 0, 0);
			restored();
		};
	}

	/**
	 * The desktop has other pixels from now on.
	 * @param {Uint8ClampedArray<ArrayBuffer>} pixels RGBA
	 * @param {number} width
	 * @param {number} height
	 */
	resize(pixels, width, height) {
		this.#canvas.width = width;
		this.#canvas.height = height;
		this.#image = new ImageData(pixels, width, height);
		this.#films = [];
		if (this.#held)
			this.#held = [];
	}

	/** Nobody looks at the canvas until release, so what is drawn twice need not be. */
	hold() {
		this.#held ??= [];
	}

	/** Draws what was held back. */
	release() {
		const held = this.#held ?? [];
		this.#held = null;
		this.draw(held);
	}

	/** Black, and the pixels forgotten. */
	clear() {
		this.#image = null;
		this.#films = [];
		if (this.#held)
			this.#held = [];
		this.#context.fillStyle = "#000";
		this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
	}

	/** @param {Rect[]} changed */
	draw(changed) {
		if (!this.#image || changed.length === 0)
			return;
		if (this.#held) {
			this.#held.push(...changed);
			if (this.#held.length > MANY_HELD)
				this.#flush();
			return;
		}
		for (const { x, y, width, height } of this.#merged(changed))
			this.#context.putImageData(this.#image, 0, 0, x, y, width, height);
		if (this.#films.length > 0)
			this.#cover(changed);
	}

	/**
	 * Draws a picture of H.264 where it belongs. The caller closes it.
	 * @param {Picture} picture
	 * @param {VideoFrame} frame
	 */
	film({ x, y, width, height, parts }, frame) {
		if (parts.length === 0)
			return;
		/* What came before it must not cover it. */
		if (this.#held)
			this.#flush();
		const context = this.#context;
		context.save();
		context.beginPath();
		for (const part of parts)
			context.rect(part.x, part.y, part.width, part.height);
		context.clip();
		context.drawImage(frame, 0, 0, width, height, x, y, width, height);
		context.restore();
		this.#cover(parts);
		this.#films.push(...parts);
		if (this.#films.length > MANY_FILMS)
			this.#films = [boundingBox(this.#films)];
	}

	#flush() {
		this.release();
		this.hold();
	}

	/** @param {Rect[]} changed */
	#merged(changed) {
		if (changed.length <= MANY_RECTS)
			return changed;
		const box = boundingBox(changed);
		return this.#films.some((film) => overlap(film, box)) ? changed : [box];
	}

	/** @param {Rect[]} rects that are seen instead of H.264 now */
	#cover(rects) {
		for (const rect of rects) {
			this.#films = this.#films.flatMap((film) => without(film, rect));
			/* At once: each rectangle inside of one makes four. */
			if (this.#films.length > MANY_FILMS)
				this.#films = [boundingBox(this.#films)];
		}
	}
}
