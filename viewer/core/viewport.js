/*
 * Fits the canvas into its frame: one desktop pixel is one device pixel whenever there is room, so that text
 * stays exact. A larger desktop is made smaller as a whole, or scrolled.
 */

/** @typedef {"fit" | "scroll"} Scaling */
/** @typedef {{width: number, height: number}} Size */

/* What the gateway takes (docs/protocol.md) and what is still a desktop. */
const MIN = { width: 320, height: 240 };
const MAX = { width: 7680, height: 4320 };
const RESIZE_MS = 250;

/**
 * The desktop size to wish for, in a frame of so many device pixels. Even, because RDP wants that.
 * @param {Size} frame
 * @returns {Size}
 */
export function wishedSize(frame) {
	const even = (/** @type {number} */ value) => Math.floor(value / 2) * 2;
	return {
		width: Math.max(MIN.width, Math.min(MAX.width, even(frame.width))),
		height: Math.max(MIN.height, Math.min(MAX.height, even(frame.height))),
	};
}

/**
 * Size of the canvas in device pixels.
 * @param {Size} desktop
 * @param {Size} frame device pixels
 * @param {Scaling} scaling
 * @returns {Size}
 */
export function canvasSize(desktop, frame, scaling) {
	const factor = scaling === "fit" ?
		Math.min(1, frame.width / desktop.width, frame.height / desktop.height) : 1;
	return { width: desktop.width * factor, height: desktop.height * factor };
}

/**
 * @param {number} room device pixels
 * @param {number} used device pixels
 * @returns {number} CSS pixels
 */
function margin(room, used) {
	return Math.max(0, Math.floor((room - used) / 2)) / devicePixelRatio;
}

export class Viewport {
	#canvas;
	#resized;
	#observer;
	/** @type {Size} */
	#room = { width: 0, height: 0 };
	/** @type {Size | null} */
	#desktop = null;
	/** @type {Scaling} */
	#scaling = "fit";
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {HTMLElement} frame the room there is; has no scroll bars of its own
	 * @param {HTMLElement} canvas
	 * @param {(size: Size) => void} resized the frame has room for a desktop of this size, in device pixels
	 */
	constructor(frame, canvas, resized) {
		this.#canvas = canvas;
		this.#resized = resized;
		this.#observer = new ResizeObserver((entries) => this.#observed(entries[entries.length - 1]));
		try {
			this.#observer.observe(frame, { box: "device-pixel-content-box" });
		} catch {
			this.#observer.observe(frame);
		}
	}

	/** What to wish for right now, before the first observation. */
	static wish(/** @type {HTMLElement} */ frame) {
		return wishedSize({ width: Math.round(frame.clientWidth * devicePixelRatio),
			height: Math.round(frame.clientHeight * devicePixelRatio) });
	}

	/** @param {Scaling} scaling */
	setScaling(scaling) {
		this.#scaling = scaling;
		this.#layout();
	}

	/**
	 * @param {number} width
	 * @param {number} height
	 */
	setDesktop(width, height) {
		this.#desktop = { width, height };
		this.#layout();
	}

	close() {
		clearTimeout(this.#timer);
		this.#observer.disconnect();
	}

	/** @param {ResizeObserverEntry} entry */
	#observed(entry) {
		const width = entry.contentRect.width * devicePixelRatio;
		const height = entry.contentRect.height * devicePixelRatio;
		const box = entry.devicePixelContentBoxSize?.[0];
		/* The browser's own count is exact where the page is zoomed, but a browser that emulates another
		   screen counts those of the real one. */
		const exact = box && Math.abs(box.inlineSize - width) < 2 && Math.abs(box.blockSize - height) < 2;
		this.#room = exact ? { width: box.inlineSize, height: box.blockSize } :
			{ width: Math.round(width), height: Math.round(height) };
		this.#layout();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#resized(wishedSize(this.#room)), RESIZE_MS);
	}

	#layout() {
		if (!this.#desktop || !this.#room.width || !this.#room.height)
			return;
		const { width, height } = canvasSize(this.#desktop, this.#room, this.#scaling);
		const style = this.#canvas.style;
		style.width = `${width / devicePixelRatio}px`;
		style.height = `${height / devicePixelRatio}px`;
		/* Centred on whole device pixels: half a pixel would blur all text. */
		style.marginLeft = `${margin(this.#room.width, width)}px`;
		style.marginTop = `${margin(this.#room.height, height)}px`;
		this.#canvas.dataset.scaled = String(width !== this.#desktop.width);
	}
}
