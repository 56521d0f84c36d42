/*
 * The part of a recording that is to be exported, as it is marked on the time line and written in the dialog.
 */
import { elapsedText } from "./times.js";

const SECOND_US = 1000000;

export class ExportPart {
	/** Microseconds since the recording began; null: not marked. @type {number | null} */
	from = null;
	/** @type {number | null} */
	to = null;

	/** @param {number} us */
	setFrom(us) {
		this.from = Math.floor(us);
		if (this.to !== null && this.to <= this.from)
			this.to = null;
	}

	/** @param {number} us */
	setTo(us) {
		this.to = Math.ceil(us);
		if (this.from !== null && this.from >= this.to)
			this.from = null;
	}

	clear() {
		this.from = this.to = null;
	}

	get marked() {
		return this.from !== null || this.to !== null;
	}
}

/**
 * An end of a part as it is written: to the second where it stands on one, else to the tenth that has all of the part in it.
 * @param {number} us
 * @param {number} ofUs
 * @param {(tenths: number) => number} round Math.floor for where it begins, Math.ceil for where it ends
 */
export function endText(us, ofUs, round) {
	const tenths = round(us * 10 / SECOND_US);
	const text = elapsedText(tenths * SECOND_US / 10, ofUs);
	return tenths % 10 > 0 ? `${text}.${tenths % 10}` : text;
}

/**
 * "1:02:03", "2:03", "2:03.5"
 * @param {string} text
 * @returns {number | null} microseconds; null: no time
 */
export function parseElapsed(text) {
	const match = /^(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,3})?)$/.exec(text.normalize("NFKC").trim());
	if (!match || Number(match[3]) >= 60 || (match[1] !== undefined && Number(match[2]) >= 60))
		return null;
	return Math.round(((Number(match[1] ?? 0) * 60 + Number(match[2])) * 60 + Number(match[3])) * SECOND_US);
}
