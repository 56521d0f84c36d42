/*
 * What was typed in the last seconds, over the lower edge of the picture.
 */
import { KeyNames } from "./key_names.js";

/** @typedef {import("./key_names.js").Label} Label */
/** @typedef {import("./batch.js").Stroke} Stroke */

const SHOWN_US = 4000000;
/* Characters typed with no more between them belong together. */
const TOGETHER_US = 1500000;
const LABELS = 12;
const CHARACTERS = 40;

export class StrokesLine {
	#place;
	#names = new KeyNames();
	/** @type {Label[]} */
	#labels = [];
	#shown = "";

	/** @param {HTMLElement} place */
	constructor(place) {
		this.#place = place;
	}

	/**
	 * @param {Stroke[]} strokes
	 * @param {boolean} anew those before count no more
	 */
	add(strokes, anew) {
		if (anew)
			this.clear();
		for (const stroke of strokes) {
			const label = this.#names.label(stroke);
			if (label)
				this.#put(label);
		}
		this.#labels = this.#labels.slice(-LABELS);
	}

	clear() {
		this.#names.clear();
		this.#labels = [];
	}

	/** @param {Label} label */
	#put(label) {
		const last = this.#labels.at(-1);
		if (last && last.plain && label.plain && label.timeUs - last.timeUs < TOGETHER_US) {
			last.text = [...last.text, ...label.text].slice(-CHARACTERS).join("");
			last.timeUs = label.timeUs;
		} else {
			this.#labels.push(label);
		}
	}

	/** @param {number} us the time that is shown */
	show(us) {
		const labels = this.#labels.filter(({ timeUs }) => timeUs <= us && us - timeUs < SHOWN_US);
		const now = labels.map(({ text }) => text).join("\n");
		if (now === this.#shown)
			return;
		this.#shown = now;
		this.#place.hidden = labels.length === 0;
		this.#place.replaceChildren(...labels.map(({ text }) => {
			const key = document.createElement("kbd");
			key.textContent = text;
			return key;
		}));
	}
}
