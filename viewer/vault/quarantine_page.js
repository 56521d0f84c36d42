/*
 * Documents in which the scanner found something: nobody can open them, and whoever manages records destroys them.
 */
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make, way } from "./build.js";
import { FormDialog } from "./dialog.js";
import { sizeText } from "./documents.js";
import { pageHead, UnreadRows } from "./page_parts.js";
import { People } from "./people.js";
import { hashOf } from "./places.js";
import { Table } from "./table.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {{document: number, version: number, record: number, client: number, name: string, size: number, made: number, made_by: number, found: string}} Infected */

export class QuarantinePage {
	#desk;
	#table = new Table("quarantine.title", ["documents.name", "quarantine.found", "documents.size", "documents.made", "documents.do"]);
	#none = make("p", { class: "none", t: "quarantine.none", with: { hidden: true } });
	#more = button("records.more", () => void this.#load(), { class: "more" });
	#unread = new UnreadRows();
	#next = 0;
	/** @type {People | null} */
	#people = null;
	element = make("section", {}, pageHead("quarantine.title"), make("p", { class: "menu-greeting", t: "quarantine.intro" }), this.#unread.element, this.#table.element, this.#none, this.#more);

	/** @param {Desk} desk */
	constructor(desk) {
		this.#desk = desk;
		this.#table.clear();
		this.#more.hidden = true;
	}

	async start() {
		this.#people = await People.of(this.#desk);
		await this.#load();
	}

	async #load() {
		this.#more.disabled = true;
		try {
			const { rows, next, damaged } = await this.#desk.vault.list("quarantine list", { after: this.#next });
			for (const row of /** @type {Infected[]} */ (rows))
				this.#put(row, /** @type {People} */ (this.#people));
			this.#unread.count = damaged; /* of all pages */
			this.#next = next;
			this.#more.hidden = next === 0;
			this.#none.hidden = this.#table.rows > 0;
		} catch (error) {
			this.#desk.failed(error);
		} finally {
			this.#more.disabled = false;
		}
	}

	/**
	 * @param {Infected} row
	 * @param {People} people
	 */
	#put(row, people) {
		const { document, name, record, found, size, made, made_by } = row;
		this.#table.add([[make("span", { class: "document-name" }, name), way(hashOf("record", record), () => t("request.record"), "small")], found, sizeText(size),
			[make("span", { says: () => formatDayTime(made) }), make("span", { class: "small", says: () => people.text(made_by) })],
			[button("quarantine.discard", () => this.#discard(row), { kind: "small button-bad", named: () => t("request.act-one", { act: t("quarantine.discard"), title: name }) })]],
		{ document });
	}

	/** @param {Infected} infected */
	#discard({ document, version, name, found }) {
		new FormDialog({ title: "quarantine.discard-title", about: () => t("quarantine.discard-about", { name, found }), submit: "quarantine.discard", bad: true,
			general: (error) => this.#desk.general(error), run: async () => {
				await this.#desk.vault.ask("quarantine discard", { document, version });
				this.#desk.tell(() => t("quarantine.discarded"));
				this.#desk.again();
				return true;
			} }, make("p", { class: "message message-warn", t: "quarantine.discard-text" })).open();
	}
}
