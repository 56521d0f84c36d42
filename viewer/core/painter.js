/*
 * Draws the decoder's pixels onto the canvas: the changed rectangles one by one while they are few, their
 * bounding box when they are many.
 */

/** @typedef {import("./decoder.js").Rect} Rect */

const MANY_RECTS = 64;

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

	/** @param {OffscreenCanvas} canvas */
	constructor(canvas) {
		const context = canvas.getContext("2d", { alpha: false });
		if (!context)
			throw new Error("the browser gives no 2d context");
		this.#canvas = canvas;
		this.#context = context;
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
	}

	/** Black, and the pixels forgotten. */
	clear() {
		this.#image = null;
		this.#context.fillStyle = "#000";
		this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
	}

	/** @param {Rect[]} changed */
	draw(changed) {
		if (!this.#image || changed.length === 0)
			return;
		const rects = changed.length > MANY_RECTS ? [boundingBox(changed)] : changed;
		for (const { x, y, width, height } of rects)
			this.#context.putImageData(this.#image, 0, 0, x, y, width, height);
	}
}
