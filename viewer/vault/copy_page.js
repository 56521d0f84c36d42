/*
 * Copying rights: what would change is shown first, one who manages asks for exactly that, and another approves it.
 */
import { ApiError } from "../core/api.js";
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make } from "./build.js";
import { FormDialog } from "./dialog.js";
import { Choices, CodeField } from "./fields.js";
import { allRows, others } from "./grant_choices.js";
import { change } from "./grant_dialog.js";
import { rightsText, whatText, whomText } from "./grant_words.js";
import { factList, part, trailOf } from "./page_parts.js";
import { People } from "./people.js";
import { hashOf } from "./places.js";
import { showRecord } from "./record.js";
import { Table } from "./table.js";
import { CLIENT, nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./grant_words.js").Rights} Rights */
/** @typedef {import("./grant_words.js").Side & {had: boolean, has: boolean, before?: Rights, after?: Rights, group?: number, group_name?: string}} Change */
/** @typedef {"person" | "record" | "client"} Kind */
/** @typedef {{kind: Kind, from: number, to: number[], replace: boolean, groups: boolean}} Wish */
/** @typedef {Wish & {copy: number, asked: number, asked_by: number, mine: boolean, from_name?: string, to_names?: string[]}} Copy */
/** @typedef {{digest: string, added: number, changed: number, removed: number, unchanged: number, rows: Change[], next: number}} Preview */

const TARGETS = 100;

export class CopyPage {
	#desk;
	#place;
	/** @type {People} */
	#people = new People([], "");
	#preview = make("div");
	#look = button("copy.preview", () => void this.#show(), { kind: "primary" });
	/** @type {Choices | null} */
	#to = null;
	#replace = make("input", { with: { type: "checkbox" } });
	#groups = make("input", { with: { type: "checkbox", checked: true } });
	element = make("section", { class: "rights-page" }, make("div", { class: "hosts-loading", with: { "aria-hidden": "true" } }, make("div")));

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#place = place;
	}

	async start() {
		const { id, more } = this.#place;
		this.#people = await People.of(this.#desk);
		if (more === "waiting")
			await this.#waiting(id);
		else
			await this.#begin(id);
	}

	/** @returns {Kind} */
	get #kind() {
		return this.#place.more === "client" || this.#place.more === "record" ? this.#place.more : "person";
	}

	/* ---- a new one ---- */

	/** @param {number} from */
	async #begin(from) {
		const { name, all } = this.#kind === "person" ?
			{ name: () => this.#people.text(from), all: others(this.#people).map(({ account }) => ({ id: account, text: () => this.#people.text(account) })) } :
			await this.#records(from);
		const kind = this.#kind;
		const to = this.#to = new Choices(kind === "person" ? "copy.to-people" : kind === "client" ? "copy.to-clients" : "copy.to-records", "checkbox",
			all.filter(({ id }) => id !== from).map(({ id, text }) => ({ value: id, says: text })));
		to.element.classList.add("pick-list");
		const form = all.every(({ id }) => id === from) ? make("p", { class: "none", t: kind === "person" ? "copy.no-people" : "copy.no-records" }) :
			make("div", { class: "card copy-form" }, to.element,
			kind === "person" && this.#check(this.#groups, "copy.groups", "copy.groups-hint"), this.#check(this.#replace, "copy.replace", "copy.replace-hint"),
			make("div", { class: "part-actions" }, this.#look));
		form.addEventListener("change", () => this.#preview.replaceChildren());
		this.element.replaceChildren(trailOf([{ href: hashOf("rights"), text: () => t("rights.title") }]),
			make("h1", { says: () => t("copy.title", { name: name() }), with: { tabindex: -1 } }),
			make("p", { class: "menu-greeting", t: kind === "person" ? "copy.intro-person" : "copy.intro-record" }), form, this.#preview);
	}

	/** @param {number} from */
	async #records(from) {
		const record = await showRecord(this.#desk.vault, from);
		const rows = await (record.kind === CLIENT ? allRows(this.#desk, "client list") : allRows(this.#desk, "record list", { client: record.client }));
		return { name: () => nameText(record), all: rows.map((row) => ({ id: /** @type {number} */ (row.id), text: () => nameText(row) })) };
	}

	/**
	 * @param {HTMLInputElement} input
	 * @param {import("./build.js").Key} key
	 * @param {import("./build.js").Key} more
	 */
	#check(input, key, more) {
		return make("label", { class: "check rights-check" }, input, make("span", {}, make("span", { t: key }), make("span", { class: "small", t: more })));
	}

	/** @returns {Wish} */
	get #wish() {
		return { kind: this.#kind, from: this.#place.id, to: (this.#to?.values ?? []).map(Number), replace: this.#replace.checked,
			groups: this.#kind === "person" && this.#groups.checked };
	}

	async #show() {
		const wish = this.#wish;
		if (wish.to.length === 0 || wish.to.length > TARGETS) {
			this.#to?.wrong(() => t(wish.to.length ? "copy.too-many" : "copy.choose", { n: TARGETS }));
			return;
		}
		this.#look.disabled = true;
		try {
			const preview = await this.#changes("grant copy preview", wish);
			const some = preview.rows.length > 0;
			this.#preview.replaceChildren(this.#table(preview), some ? make("div", { class: "form-actions" },
				button("copy.ask", () => this.#ask(wish, preview), { kind: "primary" })) : "");
			this.#preview.scrollIntoView({ block: "nearest" });
		} catch (error) {
			this.#desk.failed(error);
		} finally {
			this.#look.disabled = false;
		}
	}

	/**
	 * All of them: what is approved has to be seen.
	 * @param {string} words
	 * @param {object} body
	 * @returns {Promise<Preview>}
	 */
	async #changes(words, body) {
		const first = /** @type {Preview} */ (/** @type {unknown} */ (await this.#desk.vault.ask(words, body)));
		const rows = [...first.rows];
		for (let next = first.next; next;) {
			const more = /** @type {Preview} */ (/** @type {unknown} */ (await this.#desk.vault.ask(words, { ...body, after: next })));
			if (more.digest !== first.digest)
				throw new ApiError("state", 409, { field: "digest" });
			rows.push(...more.rows);
			next = more.next;
		}
		return { ...first, rows };
	}

	/**
	 * @param {Wish} wish
	 * @param {Preview} preview
	 */
	#ask(wish, { digest, rows }) {
		new FormDialog({ title: "copy.ask-title", about: () => t("copy.ask-about", { n: rows.length }), submit: "copy.ask-submit", general: (error) => this.#desk.general(error),
			run: async () => {
				await this.#desk.vault.ask("grant copy ask", { ...wish, digest });
				this.#desk.tell(() => t("copy.asked"));
				this.#desk.go(hashOf("rights"));
				return true;
			} }, make("p", { class: "message", t: "copy.ask-text" })).open();
	}

	/* ---- what changes ---- */

	/** @param {Preview} preview */
	#table({ added, changed, removed, unchanged, rows }) {
		if (rows.length === 0)
			return make("p", { class: "none", t: "copy.nothing" });
		const table = new Table("copy.changes", ["rights.whom", "rights.what", "copy.before", "copy.after"], "copy-table");
		const side = (/** @type {boolean} */ there, /** @type {Rights | undefined} */ rights) => make("span", { class: there ? "" : "number-none",
			says: () => (rights ? rightsText(rights) : t(there ? "copy.member" : "copy.none")) });
		for (const row of rows)
			table.add([make("strong", { says: () => whomText(row, this.#people) }),
				make("span", { says: () => (row.group ? t("rights.group-named", { name: row.group_name ?? String(row.group) }) : whatText(row)) }),
				side(row.had, row.before), side(row.has, row.after)], { change: row.had ? row.has ? "changed" : "removed" : "added" });
		return part("copy.changes", make("p", { class: "inventory-count", says: () => t("copy.counts", { added, changed, removed, unchanged }) }), table.element);
	}

	/* ---- one that waits ---- */

	/** @param {number} id */
	async #waiting(id) {
		const preview = await this.#changes("grant copy show", { copy: id });
		const copy = /** @type {Copy & Preview & {same: boolean}} */ (/** @type {unknown} */ (preview));
		const { kind, from, to, from_name: name, to_names: names, mine, same } = copy;
		const one = (/** @type {number} */ target, /** @type {string | undefined} */ called) => (kind === "person" ? this.#people.text(target) : nameText({ id: target, name: called }));
		const acts = [button(mine ? "copy.withdraw" : "copy.refuse", () => this.#drop(id, mine), {}),
			!mine && same && button("copy.approve", () => this.#approve(id, preview), { kind: "primary" })];
		this.element.replaceChildren(trailOf([{ href: hashOf("rights"), text: () => t("rights.title") }]),
			make("h1", { says: () => t("copy.title", { name: one(from, name) }), with: { tabindex: -1 } }), factList([
				{ label: "copy.from", value: make("span", { says: () => one(from, name) }) },
				{ label: "copy.to", value: make("span", { says: () => to.map((target, at) => one(target, names?.[at])).join(t("rights.and")) }) },
				{ label: "copy.asked-by", value: make("span", { says: () => t("copy.asked-when", { name: this.#people.text(copy.asked_by), time: formatDayTime(copy.asked) }) }) },
				{ label: "copy.how", value: make("span", { says: () => t(copy.replace ? "copy.how-replace" : "copy.how-add") }) },
			]), !same ? make("p", { class: "message message-warn", t: "copy.not-same" }) : mine ? make("p", { class: "message", t: "copy.mine" }) : "",
			this.#table(preview), make("div", { class: "form-actions" }, ...acts));
	}

	/**
	 * @param {number} id
	 * @param {Preview} preview
	 */
	#approve(id, { rows }) {
		const code = new CodeField();
		/** @type {FormDialog} */
		const dialog = new FormDialog({ title: "copy.approve-title", about: () => t("copy.ask-about", { n: rows.length }), submit: "copy.approve",
			fields: { code }, general: (error) => this.#desk.general(error), run: async () => {
				const digits = code.take();
				if (!digits || !await change(this.#desk, "grant copy apply", { copy: id, code: digits }, dialog))
					return false;
				this.#done("copy.applied");
				return true;
			} }, make("p", { class: "message", t: "copy.approve-text" }), code.element);
		dialog.open(code.input);
	}

	/**
	 * @param {number} id
	 * @param {boolean} mine
	 */
	#drop(id, mine) {
		new FormDialog({ title: mine ? "copy.withdraw-title" : "copy.refuse-title", submit: mine ? "copy.withdraw" : "copy.refuse", bad: !mine,
			general: (error) => this.#desk.general(error), run: async () => {
				await this.#desk.vault.ask("grant copy drop", { copy: id });
				this.#done(mine ? "copy.withdrawn" : "copy.refused");
				return true;
			} }, make("p", { class: "message", t: "copy.drop-text" })).open();
	}

	/** @param {import("./build.js").Key} key */
	#done(key) {
		this.#desk.tell(() => t(key));
		this.#desk.go(hashOf("rights"));
	}
}
