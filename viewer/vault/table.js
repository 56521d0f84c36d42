/*
 * A table that becomes cards where it is narrow.
 */
import { make } from "./build.js";

/** @typedef {import("./build.js").Key} Key */
/** @typedef {import("./build.js").Child} Child */

export class Table {
	#heads;
	#body = make("tbody", { with: { role: "rowgroup" } });
	element;

	/**
	 * @param {Key} label
	 * @param {readonly Key[]} heads
	 * @param {string} [className]
	 */
	constructor(label, heads, className = "") {
		this.#heads = heads;
		this.element = make("div", { class: `table-frame ${className}` }, make("table", { class: "table vault-table", label, with: { role: "table" } },
			make("thead", { with: { role: "rowgroup" } }, make("tr", { with: { role: "row" } },
				...heads.map((key) => make("th", { t: key, with: { role: "columnheader", scope: "col" } })))), this.#body));
	}

	/** Forgets the rows. */
	clear() {
		this.#body.replaceChildren();
		this.element.hidden = true;
	}

	/**
	 * @param {(Child | Child[])[]} cells of one row, in the order of the heads
	 * @param {Record<string, string | number>} [data] of the row
	 * @returns {HTMLElement}
	 */
	add(cells, data = {}) {
		const row = make("tr", { with: { role: "row", ...Object.fromEntries(Object.entries(data).map(([name, value]) => [`data-${name}`, value])) } },
			...cells.map((cell, at) => make("td", { head: this.#heads[at], with: { role: "cell" } }, ...(Array.isArray(cell) ? cell : [cell]))));
		this.#body.append(row);
		this.element.hidden = false;
		return row;
	}

	get rows() {
		return this.#body.children.length;
	}
}
