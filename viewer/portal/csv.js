/*
 * Comma-separated values as spreadsheets read them (RFC 4180): UTF-8 with a byte order mark, CRLF.
 */

/* What a spreadsheet takes for a formula. Texts come from people and PCs. */
const FORMULA = /^[\s]*[=+\-@\t\r|]/;

/**
 * @param {string | number} value
 * @returns {string}
 */
export function csvField(value) {
	if (typeof value === "number")
		return String(value);
	/* NUL ends a text in some programs. An apostrophe in front makes a text of what would be calculated. */
	const text = value.replaceAll("\0", "");
	const safe = FORMULA.test(text.normalize("NFKC")) ? `'${text}` : text;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {(string | number)[]} values */
export function csvLine(values) {
	return `${values.map(csvField).join(",")}\r\n`;
}

/**
 * A file made of the lines as they come; nothing holds all of it as one text.
 */
export class CsvFile {
	/** @type {BlobPart[]} */
	#parts = ["\ufeff"];
	#rows = 0;

	/** @param {string[]} head */
	constructor(head) {
		this.#parts.push(csvLine(head));
	}

	get rows() {
		return this.#rows;
	}

	/** @param {(string | number)[][]} rows */
	add(rows) {
		this.#rows += rows.length;
		/* A blob may lie on the disk, a text does not. */
		this.#parts.push(new Blob([rows.map(csvLine).join("")]));
	}

	blob() {
		return new Blob(this.#parts, { type: "text/csv;charset=utf-8" });
	}
}
