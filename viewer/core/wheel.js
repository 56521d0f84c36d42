/*
 * Collects wheel movements of mice and touchpads into whole notches of 120.
 */

const NOTCH = 120;
/* What browsers report for one notch of a mouse wheel. */
const PIXELS = 100;
const LINES = 3;

/** @typedef {{deltaX: number, deltaY: number, deltaMode: number, wheelDeltaX?: number, wheelDeltaY?: number}}
 *   WheelInput */

/**
 * @param {number} delta
 * @param {number} mode WheelEvent.deltaMode
 * @param {number | undefined} wheelDelta exact notches of 120 where the browser has them, up positive
 */
function units(delta, mode, wheelDelta) {
	if (wheelDelta && wheelDelta % NOTCH === 0)
		return -wheelDelta;
	if (mode === 0)
		return (delta / PIXELS) * NOTCH;
	return mode === 1 ? (delta / LINES) * NOTCH : delta * NOTCH;
}

export class Wheel {
	#x = 0;
	#y = 0;

	/**
	 * @param {WheelInput} event
	 * @returns {{x: number, y: number}} whole notches of 120, right and down positive
	 */
	add(event) {
		this.#x = this.#collect(this.#x, units(event.deltaX, event.deltaMode, event.wheelDeltaX));
		this.#y = this.#collect(this.#y, units(event.deltaY, event.deltaMode, event.wheelDeltaY));
		const x = this.#x - (this.#x % NOTCH);
		const y = this.#y - (this.#y % NOTCH);
		this.#x -= x;
		this.#y -= y;
		return { x, y };
	}

	/**
	 * @param {number} sum
	 * @param {number} delta
	 */
	#collect(sum, delta) {
		/* A change of direction forgets what was left over. Many notches at once are cut at ten. */
		const kept = sum * delta < 0 ? 0 : sum;
		return Math.max(-10 * NOTCH, Math.min(10 * NOTCH, kept + delta));
	}
}
