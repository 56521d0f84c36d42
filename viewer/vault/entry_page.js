/*
 * A new person of a client, or a new client: who it is, the number, what it may be used for and how long it is kept. It
 * is in use once a manager other than who entered it has approved it.
 */
import { given } from "../core/vault.js";
import { t } from "../portal/i18n.js";
import { button, make, wayButton } from "./build.js";
import { ContentFields } from "./content_fields.js";
import { sayAtField } from "./errors.js";
import { Choices, Field, lineOf, textArea } from "./fields.js";
import { Notice } from "./notice.js";
import { NumberEntry } from "./number_entry.js";
import { hint, noRules, pageHead, part, trail } from "./page_parts.js";
import { hashOf } from "./places.js";
import { showRecord } from "./record.js";
import { Rules } from "./rules.js";
import { CLIENT, DEPENDANT, EMPLOYEE, kindText, nameText, PAYEE } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** @type {readonly {kind: number, hint: import("./build.js").Key}[]} */
const KINDS = [{ kind: EMPLOYEE, hint: "entry.employee-hint" }, { kind: DEPENDANT, hint: "entry.dependant-hint" }, { kind: PAYEE, hint: "entry.payee-hint" }];
const WHY_MAX = 512;
/* A request of this kind. */
const COLLECT = 1;

export class EntryPage {
	#desk;
	#client;
	#isClient;
	#notice = new Notice();
	#kind = new Choices("entry.kind", "radio", KINDS.map(({ kind, hint: key }) => ({ value: kind, says: () => kindText(kind), hint: () => t(key),
		checked: kind === EMPLOYEE })));
	#employee = new Field("entry.employee", make("select"));
	#later = make("input", { with: { type: "checkbox" } });
	#numberPlace = make("div");
	#contentPlace = make("div");
	#why = new Field("entry.why", textArea(WHY_MAX, 2), { hint: "entry.why-hint" });
	#submit;
	/** @type {NumberEntry} */
	#number = new NumberEntry("personal");
	/** @type {ContentFields | null} */
	#content = null;
	/** @type {Rules | null} */
	#rules = null;
	/** @type {Choices | null} */
	#purposes = null;
	/** @type {Choices | null} */
	#class = null;
	/** @type {{id: number, name: string} | null} */
	#clientRow = null;
	#busy = false;
	element = make("section", { class: "entry-page" });

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#client = place.id;
		this.#isClient = place.more === "client";
		this.#submit = button(this.#isClient ? "settings.add" : "entry.submit", () => {}, { kind: "primary", type: "submit" });
		this.#kind.element.addEventListener("change", () => void this.#kindChosen());
		this.#later.addEventListener("change", () => this.#numberOrLater());
	}

	async start() {
		const { vault } = this.#desk;
		const rules = this.#rules = await Rules.of(vault);
		if (!this.#isClient)
			this.#clientRow = await showRecord(vault, this.#client);
		const client = this.#clientRow;
		const chosen = rules.purposes.filter(({ retired }) => !retired);
		const classes = rules.classes.filter(({ retired }) => !retired);
		this.#purposes = new Choices("entry.purposes", "checkbox", chosen.map(({ id }) => ({ value: id, says: () => rules.purposeText(id),
			checked: chosen.length === 1 })), { hint: "entry.purposes-hint" });
		this.#class = new Choices("entry.class", "radio", classes.map(({ id }) => ({ value: id, says: () => rules.classText(id),
			checked: classes.length === 1 })), { hint: "entry.class-hint" });
		const form = make("form", { class: "vault-form", with: { novalidate: true, autocomplete: "off" } }, this.#notice.element,
			this.#isClient ? null : make("section", { class: "form-part" }, this.#kind.element, this.#employee.element),
			part("entry.who", this.#contentPlace), part("entry.number", this.#numberPlace,
				make("label", { class: "check" }, this.#later, make("span", { t: "entry.later" }))),
			part("entry.rules", this.#purposes.element, this.#class.element),
			this.#isClient ? hint("check", () => t("entry.next-client")) : part("entry.asking", this.#why.element, hint("check", () => t("entry.next"))),
			make("div", { class: "form-actions" }, wayButton(this.#back(), "app.cancel"), this.#submit));
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#send();
		});
		this.element.replaceChildren(trail(client ? [{ href: hashOf("client", client.id), text: () => nameText(client) }] : []),
			pageHead(this.#isClient ? "entry.title-client" : "entry.title"),
			...(chosen.length && classes.length ? [form] : [noRules(this.#desk)]));
		await this.#kindChosen();
	}

	leave() {
		this.#number.clear();
		this.element.querySelector("form")?.reset();
	}

	#back() {
		return this.#isClient ? hashOf("clients") : hashOf("client", this.#client);
	}

	get #chosenKind() {
		return this.#isClient ? CLIENT : Number(this.#kind.values[0] ?? 0);
	}

	/** What has to be entered depends on the kind. */
	async #kindChosen() {
		const kind = this.#chosenKind;
		this.#content = new ContentFields(this.#rules?.fields(kind) ?? [], this.#content?.draft);
		this.#contentPlace.replaceChildren(this.#content.element);
		this.#number.clear();
		this.#number = new NumberEntry(kind === CLIENT ? "corporate" : kind === PAYEE ? "either" : "personal");
		this.#numberOrLater();
		this.#employee.element.hidden = kind !== DEPENDANT;
		if (kind === DEPENDANT && this.#employee.input.options.length === 0)
			await this.#loadEmployees();
	}

	#numberOrLater() {
		if (this.#later.checked)
			this.#number.clear();
		this.#numberPlace.replaceChildren(...(this.#later.checked ? [] : [this.#number.element]));
	}

	async #loadEmployees() {
		this.#employee.input.replaceChildren(make("option", { t: "entry.choose", with: { value: "" } }));
		for (let after = 0, more = true; more; more = after > 0) {
			const { rows, next } = await this.#desk.vault.page("record list", { client: this.#client, kind: EMPLOYEE, after });
			this.#employee.input.append(...rows.map((row) => make("option", { with: { value: row.id } }, nameText(row))));
			after = next;
		}
	}

	async #send() {
		const body = this.#busy ? null : this.#body();
		if (!body)
			return;
		this.#busy = this.#submit.disabled = true;
		this.#notice.clear();
		try {
			const { record } = await this.#desk.vault.ask(this.#isClient ? "client add" : "request add", body);
			const name = String(body.name);
			this.#desk.tell(() => t(this.#isClient ? "entry.done-client" : "entry.done", { name }));
			this.#desk.go(this.#isClient ? hashOf("client", Number(record)) : hashOf("record", Number(record)));
		} catch (error) {
			if (!this.#desk.general(error) && !sayAtField(error, { ...this.#content?.fields, ...(this.#later.checked ? {} : this.#number.fields), why: this.#why })) {
				this.#notice.fail(error);
				this.#notice.element.scrollIntoView({ block: "center" });
			}
		} finally {
			this.#busy = this.#submit.disabled = false;
		}
	}

	/** What is asked for, or null: something is missing, and said so where it is. */
	#body() {
		const content = this.#content?.value();
		if (!content)
			return null;
		const kind = this.#chosenKind;
		if (kind === DEPENDANT && !this.#employee.input.value) {
			this.#employee.wrong(() => t("entry.need-employee"));
			this.#employee.input.focus();
			return null;
		}
		const number = this.#later.checked ? {} : this.#number.value();
		if (!number)
			return null;
		const purposes = this.#purposes?.values.map(Number) ?? [];
		const [kept] = this.#class?.values.map(Number) ?? [];
		for (const [missing, choices, key] of /** @type {const} */ ([[purposes.length === 0, this.#purposes, "entry.need-purpose"], [!kept, this.#class, "entry.need-class"]])) {
			if (missing) {
				choices?.wrong(() => t(key));
				choices?.first?.focus();
				return null;
			}
		}
		const what = { ...content, ...number, class: kept, purposes };
		return this.#isClient ? what : given({ ...what, kind: COLLECT, record_kind: kind, client: this.#client,
			parent: kind === DEPENDANT ? Number(this.#employee.input.value) : 0, why: lineOf(this.#why.input) });
	}
}
