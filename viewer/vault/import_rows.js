/*
 * The rows of an import as they would be entered, page by page, for who decides about it. Of numbers it is said that there
 * are some, and no more.
 */
import { given } from "../core/vault.js";
import { t } from "../portal/i18n.js";
import { button, make } from "./build.js";
import { Progress } from "./progress.js";
import { fieldLabel } from "./rules.js";
import { Table } from "./table.js";
import { kindText } from "./words.js";

/** @typedef {import("../core/vault.js").Vault} Vault */
/** @typedef {import("./rules.js").Rules} Rules */
/**
 * @typedef {object} ImportRow
 * @property {number} row
 * @property {number} kind
 * @property {string} client_name
 * @property {string} name
 * @property {string} kana
 * @property {string} parent_name
 * @property {boolean} has_number
 * @property {number} class
 * @property {number[]} purposes
 * @property {Record<string, string>} fields
 */

export class ImportRows {
	#vault;
	#rules;
	#import;
	#failed;
	#next = 0;
	#progress = new Progress();
	#table = new Table("import.rows-title", ["import.row", "records.name", "records.kind", "records.client", "records.number", "import.rules"]);
	#more = button("records.more", () => void this.load(), { class: "more" });
	element = make("div", {}, this.#table.element, this.#progress.element, this.#more);

	/**
	 * @param {Vault} vault
	 * @param {Rules} rules
	 * @param {number} number of the import
	 * @param {(error: unknown) => void} failed
	 */
	constructor(vault, rules, number, failed) {
		this.#vault = vault;
		this.#rules = rules;
		this.#import = number;
		this.#failed = failed;
		this.#table.clear();
		this.#more.hidden = true;
	}

	/** The next page. */
	async load() {
		this.#more.hidden = true;
		try {
			const { rows, next } = await this.#progress.during(this.#vault, "import rows", async () =>
				await this.#vault.list("import rows", given({ import: this.#import, after: this.#next })));
			for (const row of rows)
				this.#add(row);
			this.#next = next;
			this.#more.hidden = !next;
		} catch (error) {
			this.#failed(error);
		}
	}

	/** @param {ImportRow} row */
	#add(row) {
		const fields = this.#rules.fields(row.kind);
		const label = (/** @type {string} */ key) => fieldLabel(fields.find((field) => field.key === key) ?? { key, ja: "", en: "", required: false });
		this.#table.add([String(row.row), [make("span", {}, row.name), row.kana && make("span", { class: "small" }, row.kana)],
			make("span", { says: () => kindText(row.kind) }),
			[make("span", {}, row.client_name), row.parent_name && make("span", { class: "small", says: () => t("import.parent-of", { name: row.parent_name }) })],
			make("span", { t: row.has_number ? "records.has-number" : "records.no-number" }),
			[make("span", { says: () => row.purposes.map((id) => this.#rules.purposeText(id)).join(t("audit.comma")) }),
				make("span", { class: "small", says: () => this.#rules.classText(row.class) }),
				...Object.entries(row.fields).map(([key, value]) => make("span", { class: "small", says: () => t("import.field", { label: label(key), value }) }))]]);
	}
}
