/*
 * Which devices of the inventory are shown, in which order, and how near their end is.
 */

/** @typedef {import("../core/admin.js").Device} Device */
/** @typedef {"name" | "owners" | "state" | "key" | "issued" | "until" | "seen"} Column */
/** @typedef {{column: Column, down: boolean}} Order */
/** @typedef {"" | "soon" | "urgent" | "over"} Nearness */

const DAY_S = 86400;
/* People are told two weeks before, and urgently for the last three days. */
export const SOON_S = 14 * DAY_S;
export const URGENT_S = 3 * DAY_S;

/* What needs somebody's attention comes first. */
const STATES = ["locked", "expired", "active", "revoked", "retired"];

/**
 * How near the end of a certificate is.
 * @param {number} until
 * @param {number} now seconds since 1970, as until
 * @returns {Nearness}
 */
export function nearness(until, now) {
	const left = until - now;
	if (left <= 0)
		return "over";
	if (left <= URGENT_S)
		return "urgent";
	return left <= SOON_S ? "soon" : "";
}

/**
 * Upper and lower case, full and half width are the same for a search.
 * @param {string} text
 */
function folded(text) {
	return text.normalize("NFKC").toLowerCase();
}

/**
 * Whether all words of the search are somewhere in the texts.
 * @param {string[]} texts
 * @param {string} search
 */
export function fits(texts, search) {
	const all = folded(texts.join("\n"));
	return folded(search).split(/\s+/).every((word) => all.includes(word));
}

/**
 * @param {Device} device
 * @param {Column} column
 * @returns {number | string}
 */
function valueOf(device, column) {
	if (column === "state")
		return STATES.indexOf(device.state);
	return column === "key" ? `${device.key} ${device.place}` : device[column];
}

/**
 * In the order of a column; equals by name and number, so that the order never jumps.
 * @param {Device[]} devices
 * @param {Order} order
 * @param {string} language
 * @returns {Device[]} a new list
 */
export function sorted(devices, { column, down }, language) {
	const { compare } = new Intl.Collator(language, { numeric: true });
	const sign = down ? -1 : 1;
	return [...devices].sort((one, other) => {
		const left = valueOf(one, column);
		const right = valueOf(other, column);
		const order = typeof left === "number" && typeof right === "number" ? left - right :
			compare(String(left), String(right));
		return sign * order || compare(one.name, other.name) || one.id - other.id;
	});
}
