/*
 * The PC's cursor as the browser's own, so that it moves without waiting for the PC.
 */

/** @typedef {{hotX: number, hotY: number, width: number, height: number,
 *   pixels: Uint8ClampedArray<ArrayBuffer>}} CursorImage */

/* Browsers ignore larger cursor images; in CSS pixels. */
const MAX_CSS_PIXELS = 128;

export class Cursor {
	#element;
	/** @type {CursorImage | null} */
	#image = null;
	#ratio = 0;

	/** @param {HTMLElement} element */
	constructor(element) {
		this.#element = element;
	}

	/** @param {CursorImage} image an empty one hides the cursor */
	set(image) {
		this.#image = image;
		this.#ratio = devicePixelRatio;
		if (image.width === 0 || image.height === 0) {
			this.#element.style.cursor = "none";
			return;
		}
		/* One cursor pixel is one device pixel, as everything on the desktop. */
		const density = Math.max(devicePixelRatio, Math.max(image.width, image.height) / MAX_CSS_PIXELS);
		const spot = `${Math.floor(image.hotX / density)} ${Math.floor(image.hotY / density)}`;
		const sharp = `image-set(url("${draw(image, 1)}") ${density}x) ${spot}, default`;
		if (CSS.supports("cursor", sharp))
			this.#element.style.cursor = sharp;
		else
			this.#element.style.cursor = `url("${draw(image, density)}") ${spot}, default`;
	}

	/** The page may be on a screen of another density. */
	refresh() {
		if (this.#image && this.#ratio !== devicePixelRatio)
			this.set(this.#image);
	}

	/** The browser's own arrow again. */
	reset() {
		this.#image = null;
		this.#element.style.cursor = "";
	}
}

/**
 * @param {CursorImage} image
 * @param {number} density how many image pixels become one
 * @returns {string} address of a PNG
 */
function draw({ width, height, pixels }, density) {
	const canvas = document.createElement("canvas");
	canvas.width = width;
	canvas.height = height;
	context(canvas).putImageData(new ImageData(pixels, width, height), 0, 0);
	if (density === 1)
		return canvas.toDataURL();
	const small = document.createElement("canvas");
	small.width = Math.max(1, Math.round(width / density));
	small.height = Math.max(1, Math.round(height / density));
	context(small).drawImage(canvas, 0, 0, small.width, small.height);
	return small.toDataURL();
}

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
	const context2d = canvas.getContext("2d");
	if (!context2d)
		throw new Error("the browser gives no 2d context");
	return context2d;
}
