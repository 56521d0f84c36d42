/*
 * Texts in the person's language. Elements say in data-t which text they show (data-t-label: aria-label,
 * data-t-title: tooltip, data-t-placeholder), so that a change of language reaches everything on the page.
 * What is printed for somebody else says it in data-t-in, and is in the language of its lang attribute.
 */
import en from "../locale/en.js";
import ja from "../locale/ja.js";
import { readPreference, writePreference } from "./preferences.js";
import { isSameDay, officeZone } from "./zone.js";

/** @typedef {import("../locale/ja.js").Key} Key */
/** @typedef {"ja" | "en"} Language */
/** @typedef {Record<string, string | number>} Values */

const texts = { ja, en };

/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {Language} */
function preferred() {
	const kept = readPreference("language");
	if (kept === "ja" || kept === "en")
		return kept;
	for (const language of navigator.languages) {
		if (/^ja\b/i.test(language))
			return "ja";
		if (/^en\b/i.test(language))
			return "en";
	}
	return "en";
}

/** @type {Language} */
let current = preferred();

/** @returns {Language} */
export function language() {
	return current;
}

/**
 * @param {Key} key
 * @param {Values} [values] for the {names} in the text
 */
export function t(key, values = {}) {
	return tIn(current, key, values);
}

/**
 * @param {Language} which
 * @param {Key} key
 * @param {Values} [values]
 */
export function tIn(which, key, values = {}) {
	return texts[which][key].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** How many there are, as people write many of them. @param {number} n */
export function formatCount(n) {
	return n.toLocaleString(current);
}

/**
 * A text whose key ends in a code from the gateway; one this page does not know reads as fallback.
 * @param {string} prefix
 * @param {string} code
 * @param {Key} fallback
 * @param {Values} [values]
 */
export function textOf(prefix, code, fallback, values = {}) {
	return textIn(current, prefix, code, fallback, values);
}

/**
 * @param {Language} which
 * @param {string} prefix
 * @param {string} code
 * @param {Key} fallback
 * @param {Values} [values]
 */
export function textIn(which, prefix, code, fallback, values = {}) {
	const key = prefix + code;
	return tIn(which, isKey(key) ? key : fallback, values);
}

/** @param {string} key @returns {key is Key} */
export function isKey(key) {
	return Object.hasOwn(ja, key);
}

/** @param {() => void} listener called when the language has changed */
export function onLanguage(listener) {
	listeners.add(listener);
}

/** @param {ParentNode} root */
function translate(root) {
	for (const element of root.querySelectorAll("[data-t]"))
		element.textContent = t(/** @type {Key} */ (element.getAttribute("data-t")));
	for (const element of root.querySelectorAll("[data-t-label]"))
		element.setAttribute("aria-label", t(/** @type {Key} */ (element.getAttribute("data-t-label"))));
	for (const element of root.querySelectorAll("[data-t-title]"))
		element.setAttribute("title", t(/** @type {Key} */ (element.getAttribute("data-t-title"))));
	for (const element of root.querySelectorAll("[data-t-placeholder]"))
		element.setAttribute("placeholder", t(/** @type {Key} */ (element.getAttribute("data-t-placeholder"))));
	for (const element of root.querySelectorAll("[data-t-in]"))
		element.textContent = tIn(element.getAttribute("lang") === "ja" ? "ja" : "en",
			/** @type {Key} */ (element.getAttribute("data-t-in")));
	for (const select of root.querySelectorAll("select[data-language]"))
		/** @type {HTMLSelectElement} */ (select).value = current;
}

function apply() {
	document.documentElement.lang = current;
	translate(document);
	for (const listener of listeners)
		listener();
}

/** Fills the page and follows its language switches. */
export function startLanguage() {
	for (const element of document.querySelectorAll("select[data-language]")) {
		const select = /** @type {HTMLSelectElement} */ (element);
		select.addEventListener("change", () => {
			current = select.value === "ja" ? "ja" : "en";
			writePreference("language", current);
			apply();
		});
	}
	apply();
}

/**
 * @param {number} unix seconds since 1970
 * @param {Intl.DateTimeFormatOptions} style
 * @param {Language} [which]
 */
function format(unix, style, which = current) {
	return new Intl.DateTimeFormat(which, { ...style, timeZone: officeZone() }).format(unix * 1000);
}

/** @param {number} unix seconds since 1970 */
export function formatDate(unix) {
	return format(unix, { dateStyle: "long" });
}

/** @param {number} unix seconds since 1970 */
export function formatTime(unix) {
	return format(unix, { timeStyle: "short" });
}

/**
 * A time of today, else with its date.
 * @param {number} unix seconds since 1970
 */
export function formatMoment(unix) {
	return isSameDay(unix * 1000, Date.now(), officeZone()) ? formatTime(unix) :
		format(unix, { month: "long", day: "numeric", hour: "numeric", minute: "2-digit" });
}

/**
 * Short, for tables.
 * @param {number} unix seconds since 1970
 */
export function formatDay(unix) {
	return format(unix, { dateStyle: "medium" });
}

/**
 * @param {number} unix seconds since 1970
 * @param {Language} [which]
 */
export function formatDayTime(unix, which = current) {
	return format(unix, { dateStyle: "medium", timeStyle: "short" }, which);
}

/** @param {number} seconds */
export function formatDuration(seconds) {
	if (seconds >= 2 * 86400)
		return t("time.days", { n: Math.floor(seconds / 86400) });
	if (seconds >= 2 * 3600)
		return t("time.hours", { n: Math.floor(seconds / 3600) });
	return seconds >= 120 ? t("time.minutes", { n: Math.round(seconds / 60) }) :
		t("time.seconds", { n: Math.max(0, seconds) });
}
