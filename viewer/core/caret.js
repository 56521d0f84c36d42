/*
 * Where the PC's text caret probably is. No PC tells, so it is guessed from what one sees: where the person clicked,
 * what changed on the screen right after a key, and narrow bars that blink.
 */

/** @typedef {import("./decoder.js").Rect} Rect */
/** @typedef {{x: number, y: number, height: number}} Place x, y: top of the caret, in the desktop's pixels */

/* An answer of the PC to a key arrives in this time, or belongs to something else. */
const TYPED_MS = 700;
/* Lines of text; anything lower is a dot, anything higher a window. */
const MIN_LINE = 7;
const MAX_LINE = 96;
/* A caret is a bar so wide. */
const MAX_BAR = 4;
/* It goes and comes within this time. */
const BLINK_MS = 1500;
/* Parts of one word that lie in different tiles. */
const GAP = 24;
/* What a line is taken for until one was seen. */
const USUAL_LINE = 20;

/* keysyms */
const BACK = new Set([0xff08, 0xff51, 0xff50]);
const DOWN = new Set([0xff0d, 0xff8d, 0xff54, 0xff56]);
const UP = new Set([0xff52, 0xff55]);

/**
 * Boxes of one line that touch or nearly do become one.
 * @param {Rect[]} boxes
 * @returns {Rect[]}
 */
export function mergeLine(boxes) {
	/** @type {Rect[]} */
	const merged = [];
	for (const box of [...boxes].sort((a, b) => a.x - b.x)) {
		const other = merged.find((one) => box.x <= one.x + one.width + GAP &&
			box.y < one.y + one.height && one.y < box.y + box.height);
		if (!other) {
			merged.push({ ...box });
			continue;
		}
		const right = Math.max(other.x + other.width, box.x + box.width);
		const bottom = Math.max(other.y + other.height, box.y + box.height);
		other.y = Math.min(other.y, box.y);
		other.width = right - other.x;
		other.height = bottom - other.y;
	}
	return merged;
}

export class Caret {
	/** @type {Place | null} */
	#place = null;
	#typed = -Infinity;
	/** @type {"forward" | "back" | "up" | "down"} */
	#way = "forward";
	/** @type {{box: Rect, at: number} | null} */
	#bar = null;

	/** @returns {Place | null} null while nothing is known */
	get place() {
		return this.#place;
	}

	/**
	 * The person clicked here, in the desktop's pixels.
	 * @param {number} x
	 * @param {number} y
	 */
	clicked(x, y) {
		const height = this.#place?.height ?? USUAL_LINE;
		this.#place = { x, y: Math.max(0, Math.round(y - height / 2)), height };
		this.#typed = -Infinity;
	}

	/**
	 * A key or text goes to the PC.
	 * @param {number} keysym 0 for text
	 * @param {number} now milliseconds, of any clock
	 */
	typed(keysym, now) {
		this.#typed = now;
		this.#way = BACK.has(keysym) ? "back" : UP.has(keysym) ? "up" : DOWN.has(keysym) ? "down" : "forward";
	}

	/**
	 * The PC has changed these boxes of the desktop in one frame.
	 * @param {Rect[]} boxes
	 * @param {number} now
	 * @returns {boolean} the place is another one
	 */
	changed(boxes, now) {
		const before = this.#place;
		const lines = mergeLine(boxes);
		if (now - this.#typed <= TYPED_MS)
			this.#follow(lines);
		else if (lines.length === 1)
			this.#blink(lines[0], now);
		return this.#place !== before;
	}

	/** @param {Rect[]} lines */
	#follow(lines) {
		const vertical = this.#way === "up" || this.#way === "down";
		const likely = lines.filter(({ height }) => height >= MIN_LINE && height <= MAX_LINE * (vertical ? 2 : 1));
		if (likely.length === 0)
			return;
		const known = this.#place;
		/* The clock and a line counter change too: what is nearest to where the caret was is it. */
		const distance = (/** @type {Rect} */ box) => (known ? Math.abs(box.y + box.height / 2 - known.y - known.height / 2) * 2 +
			Math.max(0, box.x - known.x, known.x - box.x - box.width) : -box.height);
		const box = likely.reduce((best, one) => (distance(one) < distance(best) ? one : best));
		this.#place = vertical ? this.#otherLine(box) : {
			x: this.#way === "back" ? box.x : box.x + box.width, y: box.y, height: box.height };
	}

	/**
	 * Up, down and Enter take the caret from one line to another: the box has both.
	 * @param {Rect} box
	 */
	#otherLine(box) {
		const height = Math.min(box.height, this.#place?.height ?? USUAL_LINE);
		return { x: box.x, y: this.#way === "up" ? box.y : box.y + box.height - height, height };
	}

	/**
	 * @param {Rect} box
	 * @param {number} now
	 */
	#blink(box, now) {
		if (box.width > MAX_BAR || box.height < MIN_LINE || box.height > MAX_LINE)
			return;
		const last = this.#bar;
		this.#bar = { box, at: now };
		if (last && now - last.at <= BLINK_MS && last.box.x === box.x && last.box.y === box.y &&
			last.box.height === box.height && (this.#place?.x !== box.x || this.#place.y !== box.y))
			this.#place = { x: box.x, y: box.y, height: box.height };
	}
}
