/*
 * Where on a desktop later frames draw without having read what was there: one bit for each pixel, since whatever is
 * scrolled has edges anywhere.
 */

/** @typedef {import("../core/rects.js").Rect} Rect */

const ALL = -1;

/** The bits from one place in a word to another one. @param {number} from @param {number} to at most 32 */
function mask(from, to) {
	return (to === 32 ? ALL : (1 << to) - 1) & (ALL << from);
}

export class Cover {
	/* Words in a row. */
	#stride;
	#words;

	/** @param {{width: number, height: number}} desktop */
	constructor({ width, height }) {
		this.#stride = Math.ceil(width / 32);
		this.#words = new Int32Array(this.#stride * height);
	}

	/**
	 * What of a rectangle can be seen: boxes that together are no less.
	 * @param {Rect} rect inside the desktop
	 */
	seen({ x, y, width, height }) {
		/** @type {Rect[]} */
		const boxes = [];
		/** @type {Rect | null} */
		let box = null;
		for (let row = y; row < y + height; row++) {
			const left = this.#first(row, x, x + width);
			if (left < 0) {
				box = null;
				continue;
			}
			const right = this.#last(row, left, x + width);
			if (box && box.x === left && box.width === right - left) {
				box.height++;
			} else {
				box = { x: left, y: row, width: right - left, height: 1 };
				boxes.push(box);
			}
		}
		return boxes;
	}

	/** @param {Rect} rect inside the desktop */
	hides({ x, y, width, height }) {
		for (let row = y; row < y + height; row++)
			if (this.#first(row, x, x + width) >= 0)
				return false;
		return true;
	}

	/** @param {Rect} rect inside the desktop */
	add(rect) {
		this.#fill(rect, ALL);
	}

	/** What is there is looked at after all. @param {Rect} rect inside the desktop */
	open(rect) {
		this.#fill(rect, 0);
	}

	/**
	 * @param {Rect} rect
	 * @param {number} value
	 */
	#fill({ x, y, width, height }, value) {
		const right = x + width;
		const [from, to] = [x >> 5, (right - 1) >> 5];
		for (let row = y; row < y + height; row++) {
			const at = row * this.#stride;
			if (from === to) {
				this.#set(at + from, mask(x & 31, ((right - 1) & 31) + 1), value);
				continue;
			}
			this.#set(at + from, mask(x & 31, 32), value);
			this.#words.fill(value, at + from + 1, at + to);
			this.#set(at + to, mask(0, ((right - 1) & 31) + 1), value);
		}
	}

	/**
	 * @param {number} at
	 * @param {number} bits
	 * @param {number} value
	 */
	#set(at, bits, value) {
		this.#words[at] = (this.#words[at] & ~bits) | (value & bits);
	}

	/**
	 * The first pixel that is not covered; -1: there is none.
	 * @param {number} row
	 * @param {number} left
	 * @param {number} right
	 */
	#first(row, left, right) {
		const words = this.#words;
		const begin = row * this.#stride;
		const last = (right - 1) >> 5;
		const end = ((right - 1) & 31) + 1;
		let word = left >> 5;
		let open = ~words[begin + word] & mask(left & 31, word === last ? end : 32);
		/* Nearly all of them are covered wholly, or not at all. */
		while (open === 0 && ++word < last)
			open = ~words[begin + word];
		if (open === 0 && word === last)
			open = ~words[begin + word] & mask(0, end);
		return open === 0 ? -1 : (word << 5) + 31 - Math.clz32(open & -open);
	}

	/**
	 * Behind the last pixel that is not covered, which there is.
	 * @param {number} row
	 * @param {number} left
	 * @param {number} right
	 */
	#last(row, left, right) {
		const words = this.#words;
		const begin = row * this.#stride;
		const first = left >> 5;
		let word = (right - 1) >> 5;
		let open = ~words[begin + word] & mask(word === first ? left & 31 : 0, ((right - 1) & 31) + 1);
		while (open === 0 && --word > first)
			open = ~words[begin + word];
		if (open === 0)
			open = ~words[begin + word] & mask(left & 31, 32);
		return (word << 5) + 32 - Math.clz32(open);
	}
}
