/*
 * The last minute of a figure as a line without axes.
 */

const POINTS = 60;
const HEIGHT = 24;
/* Of the stroke, so that it is not cut off at the edges. */
const PADDING = 2;
/* Whatever is far below this is shown as still, not blown up to the full height. */
const LEAST = 16 * 1024;

export class Sparkline {
	#line;
	/** @type {number[]} */
	#values = [];

	/** @param {Element} svg gets the line and a viewBox */
	constructor(svg) {
		svg.setAttribute("viewBox", `0 0 ${POINTS - 1} ${HEIGHT}`);
		svg.setAttribute("preserveAspectRatio", "none");
		this.#line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
		svg.replaceChildren(this.#line);
	}

	/** The largest value shown. */
	get most() {
		return Math.max(0, ...this.#values);
	}

	/** @param {number} value the newest, at the right end */
	add(value) {
		this.#values = [...this.#values, value].slice(-POINTS);
		this.#line.setAttribute("points", pointsOf(this.#values));
	}

	clear() {
		this.#values = [];
		this.#line.setAttribute("points", "");
	}
}

/**
 * @param {number[]} values
 * @returns {string} points of a polyline that ends at the right
 */
export function pointsOf(values) {
	const most = Math.max(LEAST, ...values);
	const room = HEIGHT - 2 * PADDING;
	return values.map((value, at) => {
		const y = HEIGHT - PADDING - (value / most) * room;
		return `${POINTS - values.length + at},${Math.round(y * 10) / 10}`;
	}).join(" ");
}
