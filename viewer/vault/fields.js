/*
 * Fields of the vault's forms: each has a label, perhaps a hint, and a place where is said what is wrong with it.
 */
import { digitsOf } from "../portal/code_view.js";
import { t } from "../portal/i18n.js";
import { freshId, make, says } from "./build.js";

/** @typedef {import("./build.js").Key} Key */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Input */

const CODE_DIGITS = 6;

/** @template {Input} [Any=Input] */
export class Field {
	#wrong = make("p", { class: "field-hint field-wrong", with: { role: "alert", id: freshId(), hidden: true } });
	input;
	element;

	/**
	 * @param {Key | (() => string)} label
	 * @param {Any} input
	 * @param {{hint?: Key, class?: string}} [more]
	 */
	constructor(label, input, { hint, class: className = "" } = {}) {
		const id = freshId();
		const help = hint && make("p", { class: "field-hint", t: hint, with: { id: `${id}-hint` } });
		this.input = input;
		input.id = id;
		input.setAttribute("aria-describedby", help ? `${help.id} ${this.#wrong.id}` : this.#wrong.id);
		this.element = make("div", { class: `field ${className}`.trim() },
			make("label", { says: typeof label === "string" ? () => t(label) : label, with: { for: id } }), input, help ?? null, this.#wrong);
		input.addEventListener("input", () => this.wrong(null));
	}

	/** @param {(() => string) | null} text null: nothing is */
	wrong(text) {
		says(this.#wrong, text ?? (() => ""));
		this.#wrong.hidden = text === null;
		if (text)
			this.input.setAttribute("aria-invalid", "true");
		else
			this.input.removeAttribute("aria-invalid");
	}
}

/**
 * @param {{max: number, required?: boolean, lang?: string}} props
 */
export function textInput({ max, required, lang }) {
	return make("input", { with: { type: "text", autocomplete: "off", spellcheck: "false", maxlength: max, required, lang } });
}

/* What turns the direction of text around, and the like: it comes along with what is pasted, and nobody sees it. */
const UNSEEN = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]+/g;

/**
 * What was typed, in one line: the vault takes no tabs, line ends and unseen characters from anybody.
 * @param {{value: string}} input
 */
export function lineOf({ value }) {
	return value.replaceAll(UNSEEN, "").replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

/** @param {number} max @param {number} [rows] */
export function textArea(max, rows = 3) {
	return make("textarea", { with: { rows, maxlength: max, autocomplete: "off" } });
}

/** The six digits of the person's app. */
export class CodeField extends Field {
	constructor() {
		super("code.label", make("input", { class: "code-input", with: { inputmode: "numeric", autocomplete: "one-time-code",
			autocapitalize: "none", spellcheck: "false" } }), { hint: "opening.code-hint" });
	}

	/** The code, taken out of the field; "" and said so: it is not whole. */
	take() {
		const digits = digitsOf(this.input.value);
		if (digits.length !== CODE_DIGITS) {
			this.wrong(() => t("opening.need-code"));
			this.input.focus();
			return "";
		}
		this.input.value = "";
		return digits;
	}
}

let names = 0;

/**
 * One or several of a list, each with what it is called and perhaps what it means.
 */
export class Choices {
	#name = `vault-choice-${++names}`;
	#wrong = make("p", { class: "field-hint field-wrong", with: { role: "alert", hidden: true } });
	#list;
	element;

	/**
	 * @param {Key} legend
	 * @param {"radio" | "checkbox"} type
	 * @param {{value: number | string, says: () => string, hint?: () => string, checked?: boolean}[]} choices
	 * @param {{hint?: Key}} [more]
	 */
	constructor(legend, type, choices, { hint } = {}) {
		this.#list = choices.map(({ value, says: text, hint: more, checked }) => make("label", { class: "check" },
			make("input", { with: { type, name: this.#name, value, checked } }),
			make("span", {}, make("span", { says: text }), more ? make("span", { class: "small", says: more }) : null)));
		this.element = make("fieldset", { class: "field vault-choices" }, make("legend", { t: legend }),
			hint ? make("p", { class: "field-hint", t: hint }) : null, ...this.#list, this.#wrong);
		this.element.addEventListener("change", () => this.wrong(null));
	}

	/** @returns {string[]} the values that are chosen */
	get values() {
		return this.#inputs().filter(({ checked }) => checked).map(({ value }) => value);
	}

	#inputs() {
		return /** @type {HTMLInputElement[]} */ ([...this.element.querySelectorAll("input")]);
	}

	get input() {
		return this.first;
	}

	/** The one that has the focus when it comes here. */
	get first() {
		const inputs = this.#inputs();
		return inputs.find(({ checked }) => checked) ?? inputs[0];
	}

	/** @param {(() => string) | null} text */
	wrong(text) {
		says(this.#wrong, text ?? (() => ""));
		this.#wrong.hidden = text === null;
	}
}
