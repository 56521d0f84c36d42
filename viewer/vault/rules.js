/*
 * The office's own lists: what records may be used for, how long they are kept, which fields they have.
 */
import { language, t } from "../portal/i18n.js";

/** @typedef {{id: number, name: string, name_en: string, retired: boolean, records?: number}} Purpose */
/** @typedef {{id: number, name: string, name_en: string, start: string, start_en: string, years: number, retired: boolean}} Keeping */
/** @typedef {{key: string, ja: string, en: string, required: boolean}} TemplateField */

/**
 * In the language of now, as far as the office has it in that.
 * @param {string} ja
 * @param {string} [en]
 */
export function inLanguage(ja, en) {
	return language() === "en" && en ? en : ja;
}

export class Rules {
	/** @type {Purpose[]} */
	purposes;
	/** @type {Keeping[]} */
	classes;
	/** @type {{kind: number, fields: TemplateField[]}[]} */
	#templates;

	/**
	 * @param {Purpose[]} purposes
	 * @param {Keeping[]} classes
	 * @param {{kind: number, fields: TemplateField[]}[]} templates
	 */
	constructor(purposes, classes, templates) {
		this.purposes = purposes;
		this.classes = classes;
		this.#templates = templates;
	}

	/** @param {import("../core/vault.js").Vault} vault */
	static async of(vault) {
		return new Rules(.../** @type {[Purpose[], Keeping[], any[]]} */ (await Promise.all([vault.rows("purpose list"),
			vault.rows("class list"), vault.rows("template list")])));
	}

	/** @param {number} id */
	purposeText(id) {
		const found = this.purposes.find((one) => one.id === id);
		return found ? inLanguage(found.name, found.name_en) : t("records.purpose-number", { id });
	}

	/** "Withholding papers: 7 years from 10 January of the next year" @param {number} id */
	classText(id) {
		const found = this.classes.find((one) => one.id === id);
		return found ? t("records.class-text", { name: inLanguage(found.name, found.name_en), start: inLanguage(found.start, found.start_en),
			years: found.years }) : t("records.class-number", { id });
	}

	/** @param {number} kind */
	fields(kind) {
		return this.#templates.find((one) => one.kind === kind)?.fields ?? [];
	}
}

/** @param {TemplateField} field */
export function fieldLabel({ key, ja, en }) {
	return inLanguage(ja, en) || key;
}
