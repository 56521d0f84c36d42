/*
 * One record: who it is, the number behind its mask, what it may be used for, how long it is kept, and what belongs to it.
 */
import { knows } from "../core/vault.js";
import { formatDay, t } from "../portal/i18n.js";
import { button, make, wayButton } from "./build.js";
import { Documents } from "./documents.js";
import { History } from "./history.js";
import { factList, hint, part, trail } from "./page_parts.js";
import { hashOf } from "./places.js";
import { showRecord } from "./record.js";
import { RecordList } from "./record_list.js";
import { stateTag } from "./record_rows.js";
import { RevealBox, shownFor } from "./reveal_box.js";
import { RecordActions } from "./record_actions.js";
import { askReveal } from "./reveal_dialog.js";
import { fieldLabel, Rules } from "./rules.js";
import { showVersions } from "./versions_dialog.js";
import { ACTIVE, CLIENT, dateText, DEPENDANT, DISPOSED, EMPLOYEE, ENDED, kindText, nameText, REQUESTED, stateMeaning } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./record.js").RecordInfo} RecordInfo */

export class RecordPage {
	#desk;
	#id;
	/* The document that a link points to; 0: none. */
	#pointed;
	/** @type {RecordInfo | null} */
	#record = null;
	/** @type {Rules | null} */
	#kept = null;
	/** @type {RecordActions | null} */
	#actions = null;
	/** @type {Documents | null} */
	#documents = null;
	/** @type {History | null} */
	#history = null;
	#reveal = new RevealBox(() => this.#masked(true));
	#mask = make("div", { class: "number-line" });
	element = make("section", { class: "record-page" }, make("div", { class: "hosts-loading", with: { "aria-hidden": "true" } }, make("div")));

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#id = place.id;
		this.#pointed = Number(/^d(\d+)$/.exec(place.more)?.[1] ?? 0);
	}

	async start() {
		const record = await showRecord(this.#desk.vault, this.#id);
		const rules = await Rules.of(this.#desk.vault);
		this.#record = record;
		this.#kept = rules;
		const actions = this.#actions = new RecordActions(this.#desk, record, rules);
		this.element.replaceChildren(trail(this.#above(record)), this.#head(record, actions.buttons),
			...(record.state === DISPOSED ? [this.#gone(record)] : [this.#number(record), this.#content(record, rules)]), this.#rules(record, rules));
		this.#masked();
		if (record.kind === EMPLOYEE)
			this.element.append(this.#dependants(record));
		if (knows("document list") && record.state !== DISPOSED) {
			this.#documents = new Documents(this.#desk, record.id, this.#pointed);
			this.element.append(this.#documents.element);
			void this.#documents.start();
		}
		if (knows("record history")) {
			this.#history = new History(this.#desk, record.id, rules);
			this.element.append(this.#history.element);
		}
	}

	leave() {
		this.#documents?.leave();
		this.#reveal.hide();
		this.#record = this.#actions = this.#history = this.#documents = null;
		this.element.replaceChildren();
	}

	/** @param {import("./shortcuts.js").Command} command */
	command(command) {
		if (command === "hide" && this.#reveal.shown)
			this.#reveal.hide();
		else if (command === "reveal" && this.#record && this.#mayReveal(this.#record) && !this.#reveal.shown)
			this.#ask();
		else if (command === "edit" && this.#actions?.mayEdit)
			this.#actions.change();
		else if (command === "history" && this.#history)
			void this.#history.show();
		else
			return false;
		return true;
	}

	/** @param {RecordInfo} record */
	#above({ kind, client, client_name, parent, parent_name }) {
		const ways = kind === CLIENT ? [] : [{ href: hashOf("client", client), text: () => nameText({ id: client, name: client_name }) }];
		if (kind === DEPENDANT && parent)
			ways.push({ href: hashOf("record", parent), text: () => nameText({ id: parent, name: parent_name }) });
		return ways;
	}

	/**
	 * @param {RecordInfo} record
	 * @param {HTMLElement[]} buttons
	 */
	#head(record, buttons) {
		const words = make("div", {}, make("h1", { says: () => nameText(record), with: { tabindex: -1 } }),
			make("p", { class: "record-under" }, record.kana && make("span", {}, record.kana), make("span", { says: () => kindText(record.kind) }), stateTag(record)));
		return make("div", { class: "devices-head" }, words, make("div", { class: "record-actions" }, ...buttons));
	}

	/** @param {RecordInfo} record */
	#mayReveal({ has_number, state, removed, rights, glass }) {
		return (!this.#desk.manages || glass) && has_number && !removed && rights.number && (state === ACTIVE || state === ENDED);
	}

	/**
	 * Why the number cannot be shown.
	 * @param {RecordInfo} record
	 * @returns {import("./build.js").Key | null}
	 */
	#whyNot({ has_number, state, removed, rights, glass }) {
		if (!has_number)
			return "reveal.none";
		if (this.#desk.manages && !glass)
			return "reveal.not-managers";
		if (removed || (state !== ACTIVE && state !== ENDED))
			return "reveal.not-active";
		return rights.number ? null : "reveal.no-right";
	}

	/** In the place of what was destroyed. @param {RecordInfo} record */
	#gone({ id, state, disposed }) {
		return make("section", { class: "card record-gone" }, make("h2", { class: "card-title", says: () => t("records.disposed-on", { date: formatDay(disposed) }) }),
			make("p", { says: () => stateMeaning(state) }), make("div", { class: "part-actions" }, wayButton(hashOf("certificate", id), "certificate.show", { icon: "print" })));
	}

	/** @param {RecordInfo} record */
	#number(record) {
		return make("section", { class: "card number-card", label: "records.number" },
			make("h2", { class: "card-title", t: record.kind === CLIENT ? "records.number-client" : "records.number-person" }), this.#mask, this.#reveal.element);
	}

	/** The number's place while it is not shown. @param {boolean} [again] after it was */
	#masked(again = false) {
		const record = this.#record;
		if (!record)
			return;
		const why = this.#whyNot(record);
		const show = button("reveal.open", () => this.#ask(), { kind: "primary", icon: "eye" });
		this.#mask.hidden = false;
		this.#mask.replaceChildren(make("span", { class: "number-hidden mono", with: { "aria-hidden": "true" } }, record.has_number ? "●●●● ●●●● ●●●●" : "–"),
			why ? hint("lock", () => t(why)) : show);
		if (!why && again)
			show.focus();
	}

	#ask() {
		const record = this.#record;
		if (record && this.#kept)
			askReveal(this.#desk, record, this.#kept, (number, until) => {
				this.#mask.hidden = true;
				this.#reveal.show(number, shownFor(until, Date.now() / 1000));
			});
	}

	/**
	 * @param {RecordInfo} record
	 * @param {Rules} rules
	 */
	#content(record, rules) {
		const { state, fields, version } = record;
		const template = rules.fields(record.kind);
		const known = template.map(({ key }) => key);
		/* What was written under a field that the office does not have any more is still there. */
		const old = Object.keys(fields).filter((key) => !known.includes(key));
		const facts = [...template.map((field) => ({ label: () => fieldLabel(field), value: fields[field.key] ?? "" })),
			...old.map((key) => ({ label: () => key, value: fields[key] }))];
		return part("records.content", facts.some(({ value }) => value) ? factList(facts) :
			make("p", { class: "none", t: state === REQUESTED ? "records.content-waiting" : "records.content-none" }),
		version > 1 && make("div", { class: "part-actions" }, button("versions.open", () =>
			void showVersions(this.#desk, record, rules).catch((error) => this.#desk.failed(error)), { kind: "small" })));
	}

	/**
	 * What it may be used for, and how long it is kept.
	 * @param {RecordInfo} record
	 * @param {Rules} rules
	 */
	#rules({ purposes, class: kept, state, started, due, hold }, rules) {
		const day = (/** @type {string} */ date) => make("span", { says: () => dateText(date) });
		return part("records.rules", factList([
			{ label: "records.state", value: state === DISPOSED ? null : make("span", { says: () => stateMeaning(state) }), wide: true },
			{ label: "records.purposes", value: make("ul", { class: "plain-list" }, ...purposes.map((id) => make("li", { says: () => rules.purposeText(id) }))), wide: true },
			{ label: "records.class", value: make("span", { says: () => rules.classText(kept) }), wide: true },
			{ label: "records.started", value: started ? day(started) : null },
			{ label: "records.due", value: due ? day(due) : null },
			{ label: "records.hold", value: hold ? make("span", { t: "records.held" }) : null, wide: true },
		]));
	}

	/** @param {RecordInfo} record */
	#dependants(record) {
		const list = new RecordList(this.#desk, "record list", { withClient: false, empty: "records.no-dependants" });
		void list.show({ parent: record.id });
		return part("records.dependants", list.element);
	}
}
