/*
 * Break-glass: who manages records asks that somebody may look at all of them for a while, and another one agrees.
 */
import { isolatedPerson } from "../portal/dom.js";
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make } from "./build.js";
import { FormDialog } from "./dialog.js";
import { CodeField, Field, textArea } from "./fields.js";
import { factList, pageHead, part } from "./page_parts.js";
import { People } from "./people.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("../portal/glass_banner.js").Glass} Glass */

/* As docs/protocol.md has it. */
const REASON_LEAST = 4;
const REASON_MOST = 256;

export class GlassPage {
	#desk;
	/** @type {People | null} */
	#people = null;
	#waiting = make("ul", { class: "cards" });
	#open = make("ul", { class: "cards" });
	#noWaiting = make("p", { class: "none", t: "glass.no-waiting" });
	#noOpen = make("p", { class: "none", t: "glass.no-open" });
	element = make("section", {}, pageHead("glass.title", button("glass.ask", () => this.#ask(), { kind: "primary" })),
		make("p", { class: "menu-greeting", t: "glass.intro" }), make("p", { class: "message", t: "glass.loud" }));

	/** @param {Desk} desk */
	constructor(desk) {
		this.#desk = desk;
	}

	async start() {
		const [rows, people] = await Promise.all([this.#desk.vault.rows("glass list"), People.of(this.#desk)]);
		const all = /** @type {Glass[]} */ (rows);
		this.#people = people;
		this.#fill(this.#waiting, all.filter(({ open }) => !open), this.#noWaiting);
		this.#fill(this.#open, all.filter(({ open }) => open), this.#noOpen);
		this.element.append(part("glass.waiting", this.#noWaiting, this.#waiting), part("glass.open", this.#noOpen, this.#open));
	}

	/**
	 * @param {HTMLElement} place
	 * @param {Glass[]} rows
	 * @param {HTMLElement} none
	 */
	#fill(place, rows, none) {
		place.replaceChildren(...rows.map((row) => this.#card(row)));
		none.hidden = rows.length > 0;
	}

	/** @param {Glass} row */
	#card(row) {
		const { glass, open, person, person_name, by, by_name, with: agreed, with_name, reason, until, confirm, end } = row;
		const about = () => t("glass.card", { person: isolatedPerson(person, person_name) });
		const asked = by === this.#desk.me.account;
		const stop = open ? "glass.end" : asked ? "glass.take-back" : "glass.refuse";
		return make("li", { class: "card", with: { "data-glass": glass } }, make("h3", { class: "card-title", says: about }), factList([
			{ label: "glass.by", value: make("span", {}, isolatedPerson(by, by_name)) },
			{ label: "glass.with", value: agreed && make("span", {}, isolatedPerson(agreed, with_name)) },
			{ label: open ? "glass.until" : "glass.wait-until", value: make("span", { says: () => formatDayTime(until) }) },
			{ label: "glass.reason", value: reason, wide: true },
		]), !open && !confirm && make("p", { class: "field-hint", t: "glass.another" }), make("div", { class: "part-actions" },
			confirm && button("glass.confirm", () => this.#confirm(row), { kind: "primary", named: () => t("request.act-one", { act: t("glass.confirm"), title: about() }) }),
			end && button(stop, () => void this.#end(row), { named: () => t("request.act-one", { act: t(stop), title: about() }) })));
	}

	#ask() {
		const people = (this.#people?.all ?? []).filter(({ records }) => records !== "none");
		const whom = new Field("glass.person", make("select", {}, ...people.map(({ account }) =>
			make("option", { says: () => this.#people?.text(account) ?? "", with: { value: account, selected: this.#people?.isMe(account) } }))));
		const reason = new Field("glass.reason", textArea(REASON_MOST, 3), { hint: "glass.reason-hint" });
		const code = new CodeField();
		new FormDialog({ title: "glass.ask-title", submit: "glass.ask-submit", fields: { code, reason }, general: (error) => this.#desk.general(error), run: async () => {
			const words = reason.input.value.replace(/\s+/g, " ").trim();
			if (words.length < REASON_LEAST) {
				reason.wrong(() => t("glass.need-reason"));
				reason.input.focus();
				return false;
			}
			const digits = code.take();
			if (!digits)
				return false;
			await this.#desk.vault.ask("glass ask", { account: Number(whom.input.value), reason: words, code: digits });
			this.#done("glass.asked-done");
			return true;
		} }, make("p", { class: "message", t: "glass.ask-text" }), whom.element, reason.element, code.element).open(whom.input);
	}

	/** @param {Glass} row */
	#confirm({ glass, person, person_name, reason }) {
		const code = new CodeField();
		new FormDialog({ title: "glass.confirm-title", about: () => t("glass.card", { person: isolatedPerson(person, person_name) }), submit: "glass.confirm", bad: true,
			fields: { code }, general: (error) => this.#desk.general(error), run: async () => {
				const digits = code.take();
				if (!digits)
					return false;
				await this.#desk.vault.ask("glass confirm", { glass, code: digits });
				this.#done("glass.confirmed-done");
				return true;
			} }, make("p", { class: "message message-warn", t: "glass.confirm-text" }), factList([{ label: "glass.reason", value: reason, wide: true }]), code.element).open(code.input);
	}

	/** Nothing is lost by it, so that nothing is asked. @param {Glass} row */
	async #end({ glass, open }) {
		try {
			await this.#desk.vault.ask("glass end", { glass });
			this.#done(open ? "glass.ended-done" : "glass.refused-done");
		} catch (error) {
			this.#desk.failed(error);
		}
	}

	/** @param {import("./build.js").Key} key */
	#done(key) {
		this.#desk.tell(() => t(key));
		this.#desk.again();
	}
}
