/*
 * The name, its reading and the office's own fields of a kind of record, in a form.
 */
import { t } from "../portal/i18n.js";
import { make } from "./build.js";
import { Field, lineOf, textInput } from "./fields.js";
import { fieldLabel } from "./rules.js";

/** @typedef {import("./rules.js").TemplateField} TemplateField */
/** @typedef {{name: string, kana: string, fields: Record<string, string>}} Content */

const NAME_MAX = 128;
const VALUE_MAX = 1024;

export class ContentFields {
	#name = new Field(() => t("entry.required", { label: t("records.name") }), textInput({ max: NAME_MAX, required: true }), { hint: "entry.name-hint" });
	#kana = new Field("entry.kana", textInput({ max: NAME_MAX }), { hint: "entry.kana-hint" });
	#more;
	element;

	/**
	 * @param {TemplateField[]} template
	 * @param {Content} [content] what is there already
	 */
	constructor(template, content) {
		this.#more = template.map((field) => ({ ...field, entry: new Field(() => (field.required ? t("entry.required", { label: fieldLabel(field) }) :
			fieldLabel(field)), textInput({ max: VALUE_MAX, required: field.required })) }));
		this.element = make("div", { class: "form-grid" }, this.#name.element, this.#kana.element, ...this.#more.map(({ entry }) => entry.element));
		if (content) {
			this.#name.input.value = content.name;
			this.#kana.input.value = content.kana;
			for (const { key, entry } of this.#more)
				entry.input.value = content.fields[key] ?? "";
		}
	}

	get first() {
		return this.#name.input;
	}

	/** Where the vault's answer about one of them is said. */
	get fields() {
		return { name: this.#name, kana: this.#kana };
	}

	/** @returns {Content | null} null: something is missing, and said so */
	value() {
		const missing = [{ required: true, entry: this.#name }, ...this.#more].filter(({ required, entry }) => required && lineOf(entry.input) === "");
		for (const { entry } of missing)
			entry.wrong(() => t("entry.missing"));
		if (missing.length) {
			missing[0].entry.input.focus();
			return null;
		}
		return this.draft;
	}

	/** What has been typed so far. @returns {Content} */
	get draft() {
		const values = this.#more.map(({ key, entry }) => [key, lineOf(entry.input)]).filter(([, value]) => value !== "");
		return { name: lineOf(this.#name.input), kana: lineOf(this.#kana.input).normalize("NFKC"), fields: Object.fromEntries(values) };
	}
}
