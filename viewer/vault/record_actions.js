/*
 * What can be done with a record, as far as whoever reads it may, and it is in the state for it.
 */
import { knows } from "../core/vault.js";
import { t } from "../portal/i18n.js";
import { button, make, wayButton } from "./build.js";
import { ContentFields } from "./content_fields.js";
import { FormDialog } from "./dialog.js";
import { Field } from "./fields.js";
import { enterNumber } from "./number_dialog.js";
import { hint } from "./page_parts.js";
import { hashOf } from "./places.js";
import { ACTIVE, DISPOSED, ENDED, nameText, REFUSED, REQUESTED } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./record.js").RecordInfo} RecordInfo */

const EDIT = 2;
const PERMISSIONS = 4;
const CO_OWNER = 1;

export class RecordActions {
	#desk;
	#record;
	#rules;

	/**
	 * @param {Desk} desk
	 * @param {RecordInfo} record
	 * @param {import("./rules.js").Rules} rules
	 */
	constructor(desk, record, rules) {
		this.#desk = desk;
		this.#record = record;
		this.#rules = rules;
	}

	get mayEdit() {
		const { state, removed, rights } = this.#record;
		return rights.level >= EDIT && knows("record change") && !removed && (state === ACTIVE || state === REQUESTED);
	}

	/* About others' rights to it. */
	get #mayDecide() {
		const { level, document } = this.#record.rights;
		return this.#desk.manages || level >= PERMISSIONS || document === CO_OWNER;
	}

	/** @returns {HTMLElement[]} */
	get buttons() {
		const { id, state, removed, hold, rights, has_number } = this.#record;
		if (state === DISPOSED)
			return [];
		const edits = rights.level >= EDIT;
		const all = [this.mayEdit && button("record.change", () => this.change()),
			this.mayEdit && knows("record number set") && button(has_number ? "record.number-change" : "record.number-enter",
				() => enterNumber(this.#desk, this.#record, state === ACTIVE ? "record.number-asked" : "request.numbered")),
			!removed && (state === ACTIVE ? edits : state === ENDED && this.#desk.manages) && knows("record end") && button(state === ACTIVE ? "record.end" : "record.end-again", () => this.#end()),
			edits && !removed && state === ACTIVE && button("record.remove", () => this.#move("record remove")),
			edits && removed && button("record.restore", () => this.#move("record restore")),
			this.#desk.manages && knows("record hold") && state !== REFUSED && button(hold ? "record.release" : "record.hold", () => this.#hold()),
			this.#mayDecide && knows("grant list") && wayButton(hashOf("rights", id), "rights.open", { icon: "lock" })];
		return all.filter((one) => one !== false);
	}

	change() {
		const { id, kind, name, kana, fields } = this.#record;
		const content = new ContentFields(this.#rules.fields(kind), { name, kana, fields });
		this.#dialog({ title: "record.change-title", submit: "record.change-submit", wide: true, done: "record.changed", fields: content.fields }, async () => {
			const typed = content.value();
			/* What stands in fields that the office does not have any more stays. */
			const known = this.#rules.fields(kind).map(({ key }) => key);
			const old = Object.fromEntries(Object.entries(fields).filter(([key]) => !known.includes(key)));
			return typed && await this.#desk.vault.ask("record change", { record: id, ...typed, fields: { ...old, ...typed.fields } });
		}, content.element).open(content.first);
	}

	#end() {
		const { id, started, state } = this.#record;
		const date = new Field("record.end-date", make("input", { with: { type: "date" } }), { hint: "record.end-hint" });
		date.input.value = started;
		const again = state === ENDED;
		this.#dialog({ title: again ? "record.end-again" : "record.end-title", submit: again ? "record.change-submit" : "record.end-submit", done: again ? "record.end-changed" : "record.ended",
			fields: { started: date } }, async () => {
			if (!date.input.value && !again) {
				date.wrong(() => t("record.end-need"));
				date.input.focus();
				return null;
			}
			return await this.#desk.vault.ask("record end", { records: [id], started: date.input.value });
		}, make("p", { class: "message", says: () => t("record.end-class", { text: this.#rules.classText(this.#record.class) }) }), date.element,
		...(again ? [hint("alert", () => t("record.end-empty"))] : [])).open(date.input);
	}

	/* A court, an audit: it stays longer than its time. */
	#hold() {
		const { id, hold } = this.#record;
		this.#dialog({ title: hold ? "record.release-title" : "record.hold-title", submit: hold ? "record.release" : "record.hold",
			done: hold ? "record.released" : "record.held" }, () => this.#desk.vault.ask("record hold", { record: id, hold: !hold }),
		make("p", { class: "message", t: hold ? "record.release-text" : "record.hold-text" })).open();
	}

	/** @param {"record remove" | "record restore"} words */
	#move(words) {
		const removes = words === "record remove";
		this.#dialog({ title: removes ? "record.remove-title" : "record.restore-title", submit: removes ? "record.remove" : "record.restore",
			done: removes ? "record.removed" : "record.restored" }, () => this.#desk.vault.ask(words, { record: this.#record.id }),
		make("p", { class: "message", t: removes ? "record.remove-text" : "record.restore-text" })).open();
	}

	/**
	 * @param {{title: import("./build.js").Key, submit: import("./build.js").Key, wide?: boolean, done: import("./build.js").Key, fields?: import("./errors.js").Fields}} looks
	 * @param {() => Promise<unknown>} run what is done; nothing: something is missing
	 * @param {...HTMLElement} parts
	 */
	#dialog({ title, submit, wide, done, fields }, run, ...parts) {
		return new FormDialog({ title, submit, wide, fields, about: () => nameText(this.#record), general: (error) => this.#desk.general(error), run: async () => {
			if (!await run())
				return false;
			this.#desk.tell(() => t(done));
			this.#desk.again();
			return true;
		} }, ...parts);
	}
}
