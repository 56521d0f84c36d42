/*
 * Records in a list: who, what kind, in which state. Nothing of a number but that there is one.
 */
import { icon, make, way } from "./build.js";
import { hashOf } from "./places.js";
import { Table } from "./table.js";
import { CLIENT, kindText, nameText, stateText } from "./words.js";

/** @typedef {import("../core/vault.js").Row} Row */

/** @param {Row} row */
export function stateTag({ state, removed }) {
	return make("span", { class: "record-tags" },
		make("span", { class: "tag record-state", says: () => stateText(state), with: { "data-state": state } }),
		removed && make("span", { class: "tag tag-bad", t: "records.removed" }));
}

/** @param {Row} row */
export function numberMark({ has_number }) {
	return make("span", { class: `number-mark ${has_number ? "" : "number-none"}` }, has_number && icon("check", "icon-small"),
		make("span", { t: has_number ? "records.has-number" : "records.no-number" }));
}

/** @param {Row} row */
export function nameCell(row) {
	const place = row.kind === CLIENT ? hashOf("client", row.id) : hashOf("record", row.id);
	return [way(place, () => nameText(row), "record-link"), row.kana && make("span", { class: "small" }, row.kana)];
}

export class RecordTable {
	#withClient;
	#table;

	/** @param {boolean} withClient whether the rows are of several clients */
	constructor(withClient) {
		this.#withClient = withClient;
		this.#table = new Table("records.title", withClient ?
			["records.name", "records.client", "records.kind", "records.state", "records.number"] :
			["records.name", "records.kind", "records.state", "records.number"]);
	}

	get element() {
		return this.#table.element;
	}

	clear() {
		this.#table.clear();
	}

	/**
	 * @param {Row} row
	 * @param {boolean} [below] it belongs to the one before
	 */
	add(row, below = false) {
		const rest = [make("span", { says: () => kindText(row.kind) }), stateTag(row), numberMark(row)];
		const client = row.kind === CLIENT ? "" : row.client_name;
		const line = this.#table.add([nameCell(row), ...(this.#withClient ? [client] : []), ...rest], { record: row.id, state: row.state });
		line.classList.toggle("record-below", below);
	}
}

/**
 * Employees, each with those who depend on him below; the rest as it came.
 * @param {Row[]} rows
 * @returns {{row: Row, below: boolean}[]}
 */
export function families(rows) {
	const known = new Set(rows.map(({ id }) => id));
	/** @type {Map<number, Row[]>} */
	const below = new Map();
	for (const row of rows)
		below.set(row.parent ?? 0, [...below.get(row.parent ?? 0) ?? [], row]);
	return rows.filter(({ parent }) => !parent || !known.has(parent)).flatMap((row) =>
		[{ row, below: false }, ...(below.get(row.id) ?? []).map((one) => ({ row: one, below: true }))]);
}
