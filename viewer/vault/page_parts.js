/*
 * Pieces that the vault's pages have in common: the way up, a heading, cards with facts.
 */
import { t } from "../portal/i18n.js";
import { icon, make, says, way, wayButton } from "./build.js";
import { hashOf } from "./places.js";

/** @typedef {import("./build.js").Key} Key */
/** @typedef {import("./build.js").Child} Child */

/**
 * Where this is, from the list of clients down.
 * @param {{href: string, text: () => string}[]} ways above this page, below the list of clients
 */
export function trail(ways) {
	return trailOf([{ href: hashOf("clients"), text: () => t("records.clients") }, ...ways]);
}

/**
 * Where this is, from somewhere else down.
 * @param {{href: string, text: () => string}[]} all above this page
 */
export function trailOf(all) {
	return make("nav", { class: "vault-trail", label: "records.trail" },
		make("ol", {}, ...all.map(({ href, text }) => make("li", {}, way(href, text)))));
}

/**
 * @param {Key | (() => string)} title
 * @param {...Child} more beside it
 */
export function pageHead(title, ...more) {
	return make("div", { class: "devices-head" },
		make("h1", { says: typeof title === "string" ? () => t(title) : title, with: { tabindex: -1 } }), ...more);
}

/**
 * @param {Key} title
 * @param {...Child} children
 */
export function part(title, ...children) {
	return make("section", { class: "part" }, make("h2", { class: "part-title", t: title }), ...children);
}

/**
 * @param {{label: Key | (() => string), value: Child, wide?: boolean}[]} facts those without a value are left out
 */
export function factList(facts) {
	return make("dl", { class: "facts vault-facts" }, ...facts.filter(({ value }) => value).map(({ label, value, wide }) =>
		make("div", { class: wide ? "fact-wide" : "" }, make("dt", { says: typeof label === "string" ? () => t(label) : label }), make("dd", {}, value))));
}

/** In the place of a form that needs purposes and classes: there are none to choose yet. @param {import("./desk.js").Desk} desk */
export function noRules({ manages }) {
	return make("div", { class: "no-rules" }, make("p", { class: "message message-warn", t: manages ? "entry.no-rules-manage" : "entry.no-rules" }),
		manages && wayButton(hashOf("settings"), "settings.open", { kind: "primary" }));
}

/** Something that is, with why it is so. @param {string} symbol @param {() => string} text */
export function hint(symbol, text) {
	return make("p", { class: "vault-hint" }, icon(symbol), make("span", { says: text }));
}

/** Says how many rows of a list cannot be read, while the others are there. */
export class UnreadRows {
	#count = 0;
	#text = make("span");
	element = make("p", { class: "message message-warn", with: { role: "status", hidden: true } }, this.#text);

	get count() {
		return this.#count;
	}

	set count(n) {
		this.#count = n;
		this.element.hidden = n === 0;
		says(this.#text, () => t("records.unread", { n }));
	}
}
