/*
 * Elements of the vault's pages. They are made when they are needed and taken away whole, so that nothing of a record
 * stays behind; what they say follows the language.
 */
import { setText } from "../portal/dom.js";
import { onLanguage, t } from "../portal/i18n.js";

/** @typedef {import("../portal/i18n.js").Key} Key */
/** @typedef {Node | string | null | undefined | false} Child */
/**
 * @typedef {object} Props
 * @property {string} [class]
 * @property {Key} [t] its text
 * @property {() => string} [says] its text, put together
 * @property {Key} [label] what it is called for people who do not see it
 * @property {() => string} [named] the same, put together
 * @property {Key} [placeholder]
 * @property {Key} [head] stands before it where a table's heads are not there
 * @property {Record<string, (event: any) => void>} [on] listeners
 * @property {Record<string, string | number | boolean | undefined>} [with] attributes; false and undefined: not set
 */

/* What an element says, or is called, in the language of now. */
/** @type {WeakMap<Element, (() => void)[]>} */
const sayings = new WeakMap();

onLanguage(() => {
	for (const element of document.querySelectorAll("[data-says]"))
		for (const say of sayings.get(element) ?? [])
			say();
});

/**
 * @param {Element} element
 * @param {() => void} say
 */
function follow(element, say) {
	element.setAttribute("data-says", "");
	sayings.set(element, [...sayings.get(element) ?? [], say]);
	say();
}

/**
 * From now on the element says this instead of what it said.
 * @template {Element} Any
 * @param {Any} element
 * @param {() => string} text
 */
export function says(element, text) {
	sayings.delete(element);
	follow(element, () => setText(element, text()));
	return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, props = {}, ...children) {
	const element = document.createElement(name);
	const { class: className, t: key, says: text, label, named, placeholder, head, on = {}, with: attributes = {} } = props;
	if (className)
		element.className = className;
	for (const [attribute, value] of Object.entries(attributes))
		if (value !== undefined && value !== false)
			element.setAttribute(attribute, value === true ? "" : String(value));
	for (const [event, listener] of Object.entries(on))
		element.addEventListener(event, listener);
	if (key)
		follow(element, () => setText(element, t(key)));
	if (text)
		follow(element, () => setText(element, text()));
	const called = named ?? (label && (() => t(label)));
	if (called)
		follow(element, () => element.setAttribute("aria-label", called()));
	if (placeholder)
		follow(element, () => element.setAttribute("placeholder", t(placeholder)));
	if (head)
		follow(element, () => element.setAttribute("data-label", t(head)));
	for (const child of children)
		if (child)
			element.append(child);
	return element;
}

/**
 * @param {string} name of a symbol of index.html
 * @param {string} [more] class
 */
export function icon(name, more = "") {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
	svg.setAttribute("class", `icon ${more}`);
	svg.setAttribute("aria-hidden", "true");
	use.setAttribute("href", `#i-${name}`);
	svg.append(use);
	return svg;
}

/**
 * @typedef {object} ButtonProps
 * @property {"primary" | "bad" | "quiet" | "small" | "small button-bad"} [kind]
 * @property {string} [icon]
 * @property {() => string} [named] for people who do not see what stands beside it
 * @property {"submit"} [type]
 * @property {string} [class]
 */

/**
 * @param {Key} key
 * @param {(event: MouseEvent) => void} press
 * @param {ButtonProps} [props]
 */
export function button(key, press, { kind, icon: symbol, named, type, class: more = "" } = {}) {
	return make("button", { class: `button ${kind ? `button-${kind}` : ""} ${more}`.trim(), named, on: { click: press },
		with: { type: type ?? "button" } }, symbol && icon(symbol), make("span", { t: key }));
}

/**
 * A way to another page.
 * @param {string} href
 * @param {() => string} text
 * @param {string} [className]
 */
export function way(href, text, className = "") {
	return make("a", { class: className, says: text, with: { href } });
}

/**
 * A way that looks like a button.
 * @param {string} href
 * @param {Key} key
 * @param {{kind?: "primary" | "small", icon?: string}} [props]
 */
export function wayButton(href, key, { kind, icon: symbol } = {}) {
	return make("a", { class: `button ${kind ? `button-${kind}` : ""}`.trim(), with: { href } }, symbol && icon(symbol), make("span", { t: key }));
}

let count = 0;

/** An id that the page has not had. */
export function freshId() {
	return `vault-${++count}`;
}
