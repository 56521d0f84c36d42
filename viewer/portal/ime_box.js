/*
 * The place where the local input method writes: a text area at the PC's caret, which the browser's candidate window
 * follows. It cannot be seen until something is composed, and then lies below the line that is written in.
 */

/** @typedef {import("../core/caret.js").Place} Place */

/* CSS pixels. */
const SMALLEST = 16;
const LARGEST = 28;
const GAP = 4;

export class ImeBox {
	#stage;
	#canvas;
	#input;
	#ruler;
	#desktopWidth = 1;
	/** @type {Place | null} */
	#place = null;
	#composing = false;

	/**
	 * @param {HTMLElement} stage what can be scrolled; holds the others
	 * @param {HTMLElement} canvas
	 */
	constructor(stage, canvas) {
		const input = document.createElement("textarea");
		input.id = "ime-input";
		input.rows = 1;
		input.tabIndex = -1;
		input.autocapitalize = "off";
		input.spellcheck = false;
		input.setAttribute("autocomplete", "off");
		input.addEventListener("compositionstart", () => this.#compose(true));
		input.addEventListener("compositionend", () => this.#compose(false));
		for (const type of ["compositionupdate", "input"])
			input.addEventListener(type, () => this.#layout());
		this.#stage = stage;
		this.#canvas = canvas;
		this.#input = input;
		this.#ruler = document.createElement("canvas").getContext("2d");
	}

	get input() {
		return this.#input;
	}

	get composing() {
		return this.#composing;
	}

	/** @param {number} width of the desktop in its own pixels */
	setDesktop(width) {
		this.#desktopWidth = width;
		this.#layout();
	}

	/** @param {Place | null} place of the caret; it stays where it is while something is composed */
	move(place) {
		if (this.#composing)
			return;
		this.#place = place;
		this.#layout();
	}

	/** The canvas lies elsewhere. */
	refresh() {
		this.#layout();
	}

	/** @param {boolean} on */
	#compose(on) {
		this.#composing = on;
		this.#input.classList.toggle("composing", on);
		this.#layout();
	}

	#layout() {
		const { style } = this.#input;
		const canvas = this.#canvas;
		const scale = canvas.offsetWidth / this.#desktopWidth;
		/* Nothing is known yet: the middle of the picture. */
		const place = this.#place ?? { x: this.#desktopWidth / 2, y: canvas.offsetHeight / 2 / (scale || 1), height: 20 };
		const line = Math.max(1, place.height * scale);
		const x = canvas.offsetLeft + place.x * scale;
		const y = canvas.offsetTop + place.y * scale;
		const size = Math.min(LARGEST, Math.max(SMALLEST, line * 0.8));
		style.fontSize = `${size}px`;
		if (!this.#composing) {
			style.left = `${x}px`;
			style.top = `${y}px`;
			style.width = "1px";
			style.height = `${line}px`;
			return;
		}
		style.width = `${Math.min(this.#textWidth() + 2 * size, this.#stage.clientWidth - 2 * GAP)}px`;
		style.height = "";
		this.#putBelow(x, y, line);
	}

	/**
	 * Below the line, above it where there is no room, and always inside the window.
	 * @param {number} x of the caret
	 * @param {number} y
	 * @param {number} line its height
	 */
	#putBelow(x, y, line) {
		const stage = this.#stage;
		const { style, offsetWidth, offsetHeight } = this.#input;
		const right = stage.scrollLeft + stage.clientWidth - offsetWidth - GAP;
		const bottom = stage.scrollTop + stage.clientHeight - offsetHeight - GAP;
		const below = y + line + GAP;
		style.left = `${Math.max(stage.scrollLeft + GAP, Math.min(x, right))}px`;
		style.top = `${below <= bottom ? below : Math.max(stage.scrollTop + GAP, y - offsetHeight - GAP)}px`;
	}

	#textWidth() {
		if (!this.#ruler)
			return 0;
		const { fontSize, fontFamily } = getComputedStyle(this.#input);
		this.#ruler.font = `${fontSize} ${fontFamily}`;
		return this.#ruler.measureText(this.#input.value).width;
	}
}
