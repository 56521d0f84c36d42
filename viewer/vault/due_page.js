/*
 * What is to be disposed of: whose time is over, or which has been in the bin for a month. Somebody asks, another approves.
 */
import { formatCount, t } from "../portal/i18n.js";
import { button, make, says, way } from "./build.js";
import { FormDialog } from "./dialog.js";
import { Field, lineOf, textArea } from "./fields.js";
import { pageHead, UnreadRows } from "./page_parts.js";
import { hashOf } from "./places.js";
import { inLanguage, Rules } from "./rules.js";
import { Table } from "./table.js";
import { dateText, kindText, nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/**
 * @typedef {object} Due
 * @property {number} id
 * @property {number} kind
 * @property {string} name
 * @property {number} client
 * @property {string} client_name
 * @property {number} class
 * @property {string} started
 * @property {string} due "": it is in the bin
 * @property {number} removed
 * @property {boolean} hold
 * @property {number} request of the open request to dispose of it, 0: none
 * @property {boolean} may_ask
 */

const AT_ONCE = 100;
const WHY_MAX = 512;
const DISPOSE = 3;

export class DuePage {
	#desk;
	#table = new Table("due.title", ["due.pick", "records.name", "records.client", "records.class", "records.due", "due.state"], "due-table");
	#none = make("p", { class: "none", t: "due.none" });
	#count = make("p", { class: "inventory-count", with: { role: "status" } });
	#ask = button("due.ask", () => this.#askFor(), { kind: "primary" });
	#all = button("due.all", () => this.#pickAll());
	#more = button("records.more", () => void this.#load(), { class: "more" });
	#until = make("input", { with: { type: "date" } });
	/** @type {Map<number, HTMLInputElement>} */
	#picks = new Map();
	#unread = new UnreadRows();
	#next = 0;
	#shown = 0;
	/** @type {Rules | null} */
	#rules = null;
	element;

	/** @param {Desk} desk */
	constructor(desk) {
		this.#desk = desk;
		const until = new Field("due.until", this.#until);
		until.element.classList.add("due-until");
		this.#until.addEventListener("change", () => void this.#begin());
		this.element = make("section", {}, pageHead("due.title"), make("p", { class: "menu-greeting", t: "due.intro" }), this.#unread.element,
			make("div", { class: "inventory-tools" }, until.element, make("div", { class: "due-buttons" }, this.#all, this.#ask)), this.#count, this.#table.element, this.#none, this.#more);
		this.#table.clear();
		for (const part of [this.#none, this.#more, this.#all, this.#ask])
			part.hidden = true;
	}

	async start() {
		this.#rules = await Rules.of(this.#desk.vault);
		await this.#load();
	}

	async #begin() {
		this.#picks.clear();
		this.#next = 0;
		this.#shown = 0;
		this.#unread.count = 0;
		this.#table.clear();
		await this.#load();
	}

	async #load() {
		try {
			const { rows, total, next, damaged } = await this.#desk.vault.page("due list", { before: this.#until.value, after: this.#next });
			this.#next = next;
			this.#shown += rows.length;
			this.#unread.count += damaged;
			for (const row of /** @type {Due[]} */ (/** @type {unknown} */ (rows)))
				this.#add(row);
			this.#count.hidden = this.#shown === 0;
			const shown = this.#shown;
			says(this.#count, () => t(shown < total ? "records.count-part" : "records.count", { n: formatCount(total), shown: formatCount(shown) }));
			this.#none.hidden = this.#shown > 0;
			this.#more.hidden = next === 0;
			this.#all.hidden = this.#ask.hidden = this.#picks.size === 0;
			this.#picked();
		} catch (error) {
			this.#desk.failed(error);
		}
	}

	/** @param {Due} row */
	#add(row) {
		const kept = this.#rules?.classes.find(({ id }) => id === row.class);
		const pick = make("input", { named: () => t("due.pick-one", { name: nameText(row) }), on: { change: () => this.#picked() }, with: { type: "checkbox" } });
		if (row.may_ask)
			this.#picks.set(row.id, pick);
		this.#table.add([row.may_ask && make("label", { class: "check" }, pick),
			[way(hashOf("record", row.id), () => nameText(row), "record-link"), make("span", { class: "small", says: () => kindText(row.kind) })],
			row.client_name, [kept && make("span", { says: () => inLanguage(kept.name, kept.name_en) })],
			make("span", { says: () => (row.due ? dateText(row.due) : t("due.bin")) }),
			make("span", { says: () => t(row.hold ? "due.hold" : row.request ? "due.asked" : row.may_ask ? "due.open" : "due.not-you") })], { record: row.id });
	}

	get #chosen() {
		return [...this.#picks].filter(([, { checked }]) => checked).map(([id]) => id);
	}

	#picked() {
		const many = this.#chosen.length;
		this.#ask.disabled = many === 0 || many > AT_ONCE;
	}

	#pickAll() {
		[...this.#picks.values()].forEach((pick, at) => {
			pick.checked = at < AT_ONCE;
		});
		this.#picked();
	}

	#askFor() {
		const records = this.#chosen;
		const why = new Field("due.why", textArea(WHY_MAX, 2), { hint: "due.why-hint" });
		new FormDialog({ title: "due.ask-title", about: () => t("due.ask-about", { n: records.length }), submit: "due.ask-submit", bad: true,
			fields: { why }, general: (error) => this.#desk.general(error), run: async () => {
				await this.#desk.vault.ask("request add", { kind: DISPOSE, records, ...(lineOf(why.input) ? { why: lineOf(why.input) } : {}) });
				this.#desk.tell(() => t("due.asked-done", { n: records.length }));
				this.#desk.again();
				return true;
			} }, make("p", { class: "message message-warn", t: "due.ask-text" }), why.element).open(why.input);
	}
}
