/*
 * Mouse, pen and touch on the canvas, in the desktop's pixels. Touch: a tap clicks, a long one clicks right,
 * moving drags, two fingers turn the wheel.
 */
import { Wheel } from "./wheel.js";

/** @typedef {import("./messages.js").FromViewer["pointer"]} PointerMessage */
/**
 * @typedef {object} PointerEvents
 * @property {(message: PointerMessage) => void} pointer
 * @property {(x: number, y: number) => void} pressed the person clicked here
 */

const LEFT = 1;
const RIGHT = 4;
const LONG_PRESS_MS = 600;
const MOVE_PIXELS = 10;

/**
 * From the bits of PointerEvent.buttons (left, right, middle, back, forward) to the protocol's (left, middle,
 * right, back, forward).
 * @param {number} buttons
 */
export function buttonBits(buttons) {
	return (buttons & 0b11001) | ((buttons & 0b100) >> 1) | ((buttons & 0b010) << 1);
}

export class Pointer {
	#canvas;
	#events;
	#desktop = { width: 1, height: 1 };
	#last = { x: 0, y: 0, buttons: 0 };
	#wheel = new Wheel();
	#abort = new AbortController();
	/** @type {Map<number, {x: number, y: number}>} */
	#fingers = new Map();
	/** @type {"none" | "waiting" | "dragging" | "done" | "scrolling"} */
	#touch = "none";
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#longPress;

	/**
	 * @param {HTMLElement} canvas
	 * @param {PointerEvents} events
	 */
	constructor(canvas, events) {
		this.#canvas = canvas;
		this.#events = events;
		this.#listen();
	}

	/**
	 * @param {number} width
	 * @param {number} height
	 */
	setDesktop(width, height) {
		this.#desktop = { width, height };
	}

	/** Lets go every button. */
	release() {
		clearTimeout(this.#longPress);
		this.#touch = "none";
		this.#fingers.clear();
		if (this.#last.buttons !== 0)
			this.#send(this.#last.x, this.#last.y, 0);
	}

	close() {
		this.release();
		this.#abort.abort();
	}

	#listen() {
		const canvas = this.#canvas;
		const options = { signal: this.#abort.signal };
		canvas.addEventListener("pointerdown", (event) => this.#down(event), options);
		canvas.addEventListener("pointermove", (event) => this.#move(event), options);
		canvas.addEventListener("pointerup", (event) => this.#up(event), options);
		canvas.addEventListener("pointercancel", () => this.release(), options);
		canvas.addEventListener("wheel", (event) => this.#turn(event), { ...options, passive: false });
		canvas.addEventListener("contextmenu", (event) => event.preventDefault(), options);
		/* The side buttons would go back and forward in the browser's history. */
		canvas.addEventListener("mousedown", (event) => event.preventDefault(), options);
		canvas.addEventListener("mouseup", (event) => event.preventDefault(), options);
		addEventListener("blur", () => this.release(), options);
	}

	/**
	 * @param {number} clientX
	 * @param {number} clientY
	 */
	#place(clientX, clientY) {
		const box = this.#canvas.getBoundingClientRect();
		const { width, height } = this.#desktop;
		const x = Math.floor(((clientX - box.left) * width) / Math.max(box.width, 1));
		const y = Math.floor(((clientY - box.top) * height) / Math.max(box.height, 1));
		return { x: Math.max(0, Math.min(width - 1, x)), y: Math.max(0, Math.min(height - 1, y)) };
	}

	/**
	 * @param {number} x
	 * @param {number} y
	 * @param {number} buttons
	 * @param {number} wheelX
	 * @param {number} wheelY
	 */
	#send(x, y, buttons, wheelX = 0, wheelY = 0) {
		const last = this.#last;
		if (x === last.x && y === last.y && buttons === last.buttons && !wheelX && !wheelY)
			return;
		this.#last = { x, y, buttons };
		this.#events.pointer({ x, y, buttons, wheel_x: wheelX, wheel_y: wheelY });
	}

	/** @param {PointerEvent} event */
	#down(event) {
		event.preventDefault();
		this.#canvas.setPointerCapture(event.pointerId);
		const { x, y } = this.#place(event.clientX, event.clientY);
		this.#events.pressed(x, y);
		if (event.pointerType === "touch")
			this.#touchDown(event);
		else
			this.#mouse(event);
	}

	/** @param {PointerEvent} event */
	#move(event) {
		if (event.pointerType === "touch")
			this.#touchMove(event);
		else
			this.#mouse(event);
	}

	/** @param {PointerEvent} event */
	#up(event) {
		if (event.pointerType === "touch")
			this.#touchUp(event);
		else
			this.#mouse(event);
	}

	/** @param {PointerEvent} event */
	#mouse(event) {
		const { x, y } = this.#place(event.clientX, event.clientY);
		this.#send(x, y, buttonBits(event.buttons));
	}

	/** @param {WheelEvent} event */
	#turn(event) {
		event.preventDefault();
		const { x, y } = this.#place(event.clientX, event.clientY);
		const turned = this.#wheel.add(event);
		if (turned.x || turned.y)
			this.#send(x, y, this.#last.buttons, turned.x, turned.y);
	}

	/** @param {PointerEvent} event */
	#touchDown(event) {
		this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
		if (this.#fingers.size > 1) {
			clearTimeout(this.#longPress);
			if (this.#touch === "dragging")
				this.#send(this.#last.x, this.#last.y, 0);
			this.#touch = "scrolling";
			return;
		}
		const { x, y } = this.#place(event.clientX, event.clientY);
		this.#touch = "waiting";
		this.#send(x, y, 0);
		this.#longPress = setTimeout(() => {
			this.#touch = "done";
			this.#send(x, y, RIGHT);
			this.#send(x, y, 0);
		}, LONG_PRESS_MS);
	}

	/** @param {PointerEvent} event */
	#touchMove(event) {
		const start = this.#fingers.get(event.pointerId);
		if (!start)
			return;
		const moved = { x: event.clientX - start.x, y: event.clientY - start.y };
		const { x, y } = this.#place(event.clientX, event.clientY);
		if (this.#touch === "scrolling") {
			this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
			/* Each of two fingers moves the page by half; the content follows the fingers. */
			const turned = this.#wheel.add({ deltaX: -moved.x / 2, deltaY: -moved.y / 2, deltaMode: 0 });
			if (turned.x || turned.y)
				this.#send(this.#last.x, this.#last.y, 0, turned.x, turned.y);
		} else if (this.#touch === "dragging") {
			this.#send(x, y, LEFT);
		} else if (this.#touch === "waiting" && Math.hypot(moved.x, moved.y) > MOVE_PIXELS) {
			clearTimeout(this.#longPress);
			this.#touch = "dragging";
			this.#send(this.#last.x, this.#last.y, LEFT);
			this.#send(x, y, LEFT);
		}
	}

	/** @param {PointerEvent} event */
	#touchUp(event) {
		clearTimeout(this.#longPress);
		this.#fingers.delete(event.pointerId);
		const { x, y } = this.#place(event.clientX, event.clientY);
		if (this.#touch === "waiting") {
			this.#send(x, y, LEFT);
			this.#send(x, y, 0);
		} else if (this.#touch === "dragging") {
			this.#send(x, y, 0);
		}
		if (this.#fingers.size === 0)
			this.#touch = "none";
	}
}
