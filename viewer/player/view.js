/*
 * What the auditor sees: the picture of the screen, which is drawn elsewhere and copied when it is whole, and the
 * person's pointer on top of it.
 */

/** @typedef {{x: number, y: number, buttons: number}} PointerPlace */
/** @typedef {{hotX: number, hotY: number, image: OffscreenCanvas | null}} Shape image null: the PC hides it */

/* Of the ring around a pressed pointer. */
const RING = 16;
/* Around the place of the pointer, to be drawn anew when it moves. */
const REACH = 400;

/** The usual arrow, where the recording has not said how the PC's looks. */
const ARROW = [[0, 0], [0, 17], [4, 13.5], [7, 20], [10, 18.7], [7, 12.3], [12, 12]];

/** @param {OffscreenCanvas} canvas */
function contextOf(canvas) {
	const context = canvas.getContext("2d", { alpha: false });
	if (!context)
		throw new Error("the browser gives no 2d context");
	return context;
}

export class View {
	#canvas;
	#context;
	#picture;
	/** @type {PointerPlace | null} */
	#drawn = null;

	/**
	 * @param {OffscreenCanvas} canvas that is seen
	 * @param {OffscreenCanvas} picture on which the screen paints
	 */
	constructor(canvas, picture) {
		this.#canvas = canvas;
		this.#context = contextOf(canvas);
		this.#picture = picture;
	}

	/**
	 * Shows the picture as it is now.
	 * @param {PointerPlace | null} pointer null: none
	 * @param {Shape | null} shape null: not known
	 * @param {boolean} changed the picture is another one than the last time
	 */
	show(pointer, shape, changed) {
		const { width, height } = this.#picture;
		if (this.#canvas.width !== width || this.#canvas.height !== height) {
			this.#canvas.width = width;
			this.#canvas.height = height;
			changed = true;
		}
		if (changed)
			this.#context.drawImage(this.#picture, 0, 0);
		else if (this.#drawn)
			this.#copy(this.#drawn);
		this.#drawn = pointer ? { ...pointer } : null;
		if (pointer)
			this.#draw(pointer, shape);
	}

	/** What lies under the pointer. @param {PointerPlace} place */
	#copy({ x, y }) {
		const left = Math.max(0, x - REACH);
		const top = Math.max(0, y - REACH);
		const width = Math.min(this.#canvas.width, x + REACH) - left;
		const height = Math.min(this.#canvas.height, y + REACH) - top;
		if (width > 0 && height > 0)
			this.#context.drawImage(this.#picture, left, top, width, height, left, top, width, height);
	}

	/**
	 * @param {PointerPlace} pointer
	 * @param {Shape | null} shape
	 */
	#draw({ x, y, buttons }, shape) {
		const context = this.#context;
		context.save();
		if (buttons) {
			context.beginPath();
			context.arc(x, y, RING, 0, 2 * Math.PI);
			context.fillStyle = "rgb(242 193 78 / 45%)";
			context.fill();
			context.lineWidth = 2;
			context.strokeStyle = "#8a5a00";
			context.stroke();
		}
		if (!shape)
			drawArrow(context, x, y);
		else if (shape.image)
			context.drawImage(shape.image, x - shape.hotX, y - shape.hotY);
		context.restore();
	}
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 */
function drawArrow(context, x, y) {
	context.beginPath();
	for (const [dx, dy] of ARROW)
		context.lineTo(x + dx, y + dy);
	context.closePath();
	context.fillStyle = "#fff";
	context.strokeStyle = "#000";
	context.lineWidth = 1.5;
	context.lineJoin = "round";
	context.fill();
	context.stroke();
}

/**
 * @param {{hotX: number, hotY: number, width: number, height: number, pixels: Uint8ClampedArray<ArrayBuffer>}} cursor
 * @returns {Shape}
 */
export function shapeOf({ hotX, hotY, width, height, pixels }) {
	if (width === 0 || height === 0)
		return { hotX, hotY, image: null };
	const image = new OffscreenCanvas(width, height);
	image.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
	return { hotX, hotY, image };
}
