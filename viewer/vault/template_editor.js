/*
 * The office's own fields of a kind of record, in their order: what each is called, and whether it must be filled in. The
 * keys by which records have them are not seen: one that is there keeps its own, and a new one gets one that never was, as
 * what records have in a field that went must not come up under another name.
 */
import { t } from "../portal/i18n.js";
import { button, make } from "./build.js";
import { lineOf, textInput } from "./fields.js";

/** @typedef {import("./rules.js").TemplateField} TemplateField */
/** @typedef {{key: string, ja: HTMLInputElement, en: HTMLInputElement, required: HTMLInputElement, element: HTMLElement}} Line */

export const FIELDS_MAX = 32;
const LABEL_MAX = 128;

function freshKey() {
	return `f${crypto.randomUUID().slice(0, 8)}`;
}

export class TemplateEditor {
	/** @type {Line[]} */
	#lines = [];
	#list = make("ul", { class: "plain-list field-lines" });
	#wrong = make("p", { class: "field-hint field-wrong", t: "settings.field-missing", with: { role: "alert", hidden: true } });
	#add = button("settings.field-add", () => this.#new(), { icon: "plus" });
	element;

	/** @param {TemplateField[]} fields */
	constructor(fields) {
		this.element = make("div", { class: "field" }, this.#list, this.#wrong, this.#add);
		for (const field of fields)
			this.#put(field);
		this.#full();
	}

	get first() {
		return this.#lines[0]?.ja ?? this.#add;
	}

	/** @returns {TemplateField[] | null} null: a name is missing, and said so */
	value() {
		const missing = this.#lines.find(({ ja }) => lineOf(ja) === "");
		this.#wrong.hidden = !missing;
		missing?.ja.focus();
		return missing ? null : this.#lines.map(({ key, ja, en, required }) => ({ key, ja: lineOf(ja), en: lineOf(en), required: required.checked }));
	}

	#new() {
		this.#put({ key: freshKey(), ja: "", en: "", required: false }).ja.focus();
		this.#full();
	}

	/** @param {TemplateField} field @returns {Line} */
	#put({ key, ja: label, en: labelEn, required: must }) {
		const ja = Object.assign(textInput({ max: LABEL_MAX, lang: "ja" }), { value: label });
		const en = Object.assign(textInput({ max: LABEL_MAX, lang: "en" }), { value: labelEn });
		const required = make("input", { with: { type: "checkbox", checked: must } });
		const which = () => ja.value.trim() || t("settings.field-new");
		const away = button("settings.field-remove", () => this.#remove(line), { kind: "small", named: () => t("request.act-one", { act: t("settings.field-remove"), title: which() }) });
		const up = make("button", { class: "button button-small", named: () => t("settings.field-up", { name: which() }), on: { click: () => this.#up(line) },
			with: { type: "button" } }, "↑");
		const line = { key, ja, en, required, element: make("li", { class: "field-line" },
			make("label", {}, make("span", { t: "settings.field-name" }), ja), make("label", {}, make("span", { t: "settings.english" }), en),
			make("label", { class: "check" }, required, make("span", { t: "settings.field-required" })), make("div", { class: "field-line-do" }, up, away)) };
		this.#lines.push(line);
		this.#list.append(line.element);
		return line;
	}

	/** @param {Line} line */
	#up(line) {
		const at = this.#lines.indexOf(line);
		if (at > 0) {
			this.#lines.splice(at, 1);
			this.#lines.splice(at - 1, 0, line);
			this.#list.replaceChildren(...this.#lines.map(({ element }) => element));
		}
		line.element.querySelector("button")?.focus();
	}

	/** @param {Line} line */
	#remove(line) {
		const at = this.#lines.indexOf(line);
		this.#lines.splice(at, 1);
		line.element.remove();
		this.#full();
		(this.#lines[at]?.ja ?? this.#add).focus();
	}

	#full() {
		this.#add.disabled = this.#lines.length >= FIELDS_MAX;
	}
}
