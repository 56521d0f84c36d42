/*
 * Fits the canvas into its frame: one desktop pixel is one device pixel whenever there is room, so that text
 * stays exact. A larger desktop is made smaller as a whole, or scrolled.
 */

/** @typedef {"fit" | "scroll"} Scaling */
/** @typedef {{width: number, height: number}} Size */
/**
 * How the desktop is shown. scale: device pixels of one of its pixels, 1 is exact; larger: than the frame, so that the
 * scaling matters.
 * @typedef {{desktop: Size, scale: number, larger: boolean}} Layout
 */
/**
 * @typedef {object} ViewportEvents
 * @property {(size: Size) => void} resized the frame has room for a desktop of this size, in device pixels
 * @property {(layout: Layout) => void} laidOut
 */

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
 * Size of the canvas in device pixels, whole ones.
 * @param {Size} desktop
 * @param {Size} frame device pixels
 * @param {Scaling} scaling
 * @returns {Size}
 */
export function canvasSize(desktop, frame, scaling) {
	const factor = scaling === "fit" ?
		Math.min(1, frame.width / desktop.width, frame.height / desktop.height) : 1;
	const whole = (/** @type {number} */ pixels) => Math.max(1, Math.round(pixels * factor));
	return { width: whole(desktop.width), height: whole(desktop.height) };
}

/**
 * The device pixels that a box covers: a browser paints its edges on the nearest ones.
 * @param {{left: number, top: number, right: number, bottom: number}} box CSS pixels of the page
 * @param {number} ratio device pixels of a CSS pixel
 */
export function deviceBox(box, ratio) {
	const left = Math.round(box.left * ratio);
	const top = Math.round(box.top * ratio);
	return { left, top, width: Math.round(box.right * ratio) - left, height: Math.round(box.bottom * ratio) - top };
}

/**
 * Where an edge of the canvas goes: in the middle, but on a whole device pixel, since half a one would blur all text.
 * @param {number} begin of the frame, CSS pixels of the page
 * @param {number} room device pixels
 * @param {number} used device pixels
 * @param {number} ratio
 * @returns {number} CSS pixels from the frame's edge
 */
export function margin(begin, room, used, ratio) {
	const edge = Math.round(begin * ratio) + Math.max(0, Math.floor((room - used) / 2));
	return edge / ratio - begin;
}

export class Viewport {
	#frame;
	#canvas;
	#events;
	#observer;
	#abort = new AbortController();
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
	 * @param {ViewportEvents} events
	 */
	constructor(frame, canvas, events) {
		this.#frame = frame;
		this.#canvas = canvas;
		this.#events = events;
		this.#observer = new ResizeObserver((entries) =>
			this.#measure(entries[entries.length - 1].devicePixelContentBoxSize?.[0]));
		try {
			this.#observer.observe(frame, { box: "device-pixel-content-box" });
		} catch {
			this.#observer.observe(frame);
		}
		this.#watchRatio();
	}

	/** What to wish for right now, before the first observation. */
	static wish(/** @type {HTMLElement} */ frame) {
		return wishedSize(deviceBox(frame.getBoundingClientRect(), devicePixelRatio));
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
		this.#abort.abort();
	}

	/* The page is zoomed, or the window goes to a screen of another density: the frame may keep its CSS pixels. */
	#watchRatio() {
		const { signal } = this.#abort;
		matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
			this.#measure();
			this.#watchRatio();
		}, { once: true, signal });
	}

	/** @param {ResizeObserverSize} [box] device pixels, as the browser counts them */
	#measure(box) {
		const { width, height } = deviceBox(this.#frame.getBoundingClientRect(), devicePixelRatio);
		/* The browser's own count is right by definition, but a browser that emulates another screen counts those
		   of the real one. */
		const exact = box && Math.abs(box.inlineSize - width) < 2 && Math.abs(box.blockSize - height) < 2;
		this.#room = exact ? { width: box.inlineSize, height: box.blockSize } : { width, height };
		this.#layout();
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#events.resized(wishedSize(this.#room)), RESIZE_MS);
	}

	#layout() {
		const desktop = this.#desktop;
		const room = this.#room;
		if (!desktop || !room.width || !room.height)
			return;
		const ratio = devicePixelRatio;
		const { width, height } = canvasSize(desktop, room, this.#scaling);
		const frame = this.#frame.getBoundingClientRect();
		const style = this.#canvas.style;
		style.width = `${width / ratio}px`;
		style.height = `${height / ratio}px`;
		style.marginLeft = `${margin(frame.left, room.width, width, ratio)}px`;
		style.marginTop = `${margin(frame.top, room.height, height, ratio)}px`;
		const scale = width / desktop.width;
		this.#canvas.dataset.scaled = String(scale !== 1);
		this.#events.laidOut({ desktop, scale, larger: desktop.width > room.width || desktop.height > room.height });
	}
}
