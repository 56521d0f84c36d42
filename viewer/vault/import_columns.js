/*
 * What the first row of a CSV file for an import may have, and an example of one.
 */
import { CsvFile } from "../portal/csv.js";
import { t } from "../portal/i18n.js";
import { fieldLabel } from "./rules.js";
import { CLIENT, DEPENDANT } from "./words.js";

/** @typedef {import("./rules.js").Rules} Rules */

/**
 * The columns for a kind of record, as they are called in the language of now.
 * @param {Rules} rules
 * @param {number} kind
 * @param {boolean} withClient whether each row says of which client it is
 */
export function columnsFor(rules, kind, withClient) {
	const own = rules.fields(kind).map(fieldLabel);
	return [...(withClient && kind !== CLIENT ? [t("import.column-client")] : []), t("import.column-name"), t("import.column-kana"), t("import.column-number"),
		...(kind === DEPENDANT ? [t("import.column-parent")] : []), ...own];
}

/**
 * An empty file to fill in.
 * @param {string[]} columns
 */
export function exampleFile(columns) {
	return new CsvFile(columns).blob();
}
