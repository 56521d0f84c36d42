/*
 * Records that were asked for, page after page, with how many there are.
 */
import { formatCount, t } from "../portal/i18n.js";
import { button, make, says } from "./build.js";
import { families, RecordTable } from "./record_rows.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../core/vault.js").Row} Row */
/** @typedef {import("../core/vault.js").Wish} Wish */

export class RecordList {
	#desk;
	#words;
	#empty;
	#table;
	#count = make("p", { class: "inventory-count", with: { role: "status" } });
	#loading = make("div", { class: "hosts-loading", with: { "aria-hidden": "true" } }, make("div"), make("div"));
	#none = make("p", { class: "none" });
	#more = button("records.more", () => void this.#load(), { class: "more" });
	/** @type {Wish} */
	#wish = {};
	/** @type {Row[]} */
	#rows = [];
	#next = 0;
	/* Counts up, so that an answer that comes late for something else is dropped. */
	#turn = 0;
	element;

	/**
	 * @param {Desk} desk
	 * @param {"client list" | "record list"} words
	 * @param {{withClient: boolean, empty: import("./build.js").Key}} looks empty: what is said when there is nothing
	 */
	constructor(desk, words, { withClient, empty }) {
		this.#desk = desk;
		this.#words = words;
		this.#empty = empty;
		this.#table = new RecordTable(withClient);
		this.element = make("div", { class: "record-list" }, this.#count, this.#loading, this.#table.element, this.#none, this.#more);
		this.clear();
	}

	clear() {
		this.#turn++;
		this.#rows = [];
		this.#wish = {};
		this.#table.clear();
		for (const part of [this.#count, this.#loading, this.#none, this.#more])
			part.hidden = true;
	}

	/** @param {Wish} wish */
	async show(wish) {
		this.clear();
		this.#wish = wish;
		this.#next = 0;
		this.#loading.hidden = false;
		await this.#load();
	}

	async #load() {
		const turn = this.#turn;
		this.#more.disabled = true;
		try {
			const { rows, total, next } = await this.#desk.vault.page(this.#words, { ...this.#wish, after: this.#next });
			if (turn !== this.#turn)
				return;
			this.#rows.push(...rows);
			this.#next = next;
			this.#show(total);
		} catch (error) {
			if (turn === this.#turn)
				this.#desk.failed(error);
		} finally {
			if (turn === this.#turn) {
				this.#more.disabled = false;
				this.#loading.hidden = true;
			}
		}
	}

	/** @param {number} total */
	#show(total) {
		const shown = this.#rows.length;
		this.#table.clear();
		for (const { row, below } of families(this.#rows))
			this.#table.add(row, below);
		says(this.#count, () => t(shown < total ? "records.count-part" : "records.count", { n: formatCount(total), shown: formatCount(shown) }));
		says(this.#none, () => t(this.#empty));
		this.#count.hidden = shown === 0;
		this.#none.hidden = shown > 0;
		this.#more.hidden = this.#next === 0;
	}
}
