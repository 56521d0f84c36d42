/*
 * Who has looked at a record or changed it, when and what for, as the audit log says.
 */
import { eventText } from "../portal/audit_words.js";
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make } from "./build.js";
import { part } from "./page_parts.js";
import { People } from "./people.js";
import { Table } from "./table.js";

/** @typedef {import("./desk.js").Desk} Desk */
/**
 * @typedef {object} Happened
 * @property {number} time
 * @property {number} account
 * @property {string} event of the audit log
 * @property {number} purpose 0: none was given
 * @property {string} why
 * @property {boolean} glass by break-glass
 */

export class History {
	#desk;
	#record;
	#rules;
	#table = new Table("history.title", ["history.time", "history.who", "history.what", "history.for"]);
	#none = make("p", { class: "none", t: "history.none", with: { hidden: true } });
	#show = button("history.show", () => void this.show());
	#more = button("records.more", () => void this.#load(), { class: "more" });
	/** @type {People | null} */
	#people = null;
	#next = 0;
	element = part("history.title", make("p", { class: "field-hint", t: "history.intro" }), this.#show, this.#table.element, this.#none, this.#more);

	/**
	 * @param {Desk} desk
	 * @param {number} record
	 * @param {import("./rules.js").Rules} rules
	 */
	constructor(desk, record, rules) {
		this.#desk = desk;
		this.#record = record;
		this.#rules = rules;
		this.#table.clear();
		this.#more.hidden = true;
	}

	/** The newest first. */
	async show() {
		this.#show.disabled = true;
		if (this.#next === 0)
			await this.#load();
		this.element.scrollIntoView({ block: "nearest" });
	}

	async #load() {
		this.#more.disabled = true;
		try {
			this.#people ??= await People.of(this.#desk);
			const { rows, next } = await this.#desk.vault.list("record history", { record: this.#record, after: this.#next });
			for (const row of /** @type {Happened[]} */ (rows))
				this.#add(row, this.#people);
			this.#next = next;
			this.#show.hidden = true;
			this.#none.hidden = this.#table.rows > 0;
			this.#more.hidden = next === 0;
		} catch (error) {
			this.#show.disabled = false;
			this.#desk.failed(error);
		} finally {
			this.#more.disabled = false;
		}
	}

	/**
	 * @param {Happened} row
	 * @param {People} people
	 */
	#add({ time, account, event, purpose, why, glass }, people) {
		this.#table.add([make("span", { says: () => formatDayTime(time) }), make("span", { says: () => (account ? people.text(account) : t("history.gateway")) }),
			[make("span", { says: () => eventText(event) }), glass && make("span", { class: "small", t: "history.glass" })],
			[purpose > 0 && make("span", { says: () => this.#rules.purposeText(purpose) }), why && make("span", { class: "small" }, why)]], { event });
	}
}
