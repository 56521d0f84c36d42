/*
 * What waits: for whoever reads it first, then for others. What was decided is one step away. Whoever manages also hears
 * of what waits on other pages.
 */
import { t } from "../portal/i18n.js";
import { button, make, way } from "./build.js";
import { FormDialog } from "./dialog.js";
import { CodeField, Field, lineOf, textArea } from "./fields.js";
import { enterNumber } from "./number_dialog.js";
import { factList, pageHead, part, UnreadRows } from "./page_parts.js";
import { People } from "./people.js";
import { hashOf } from "./places.js";
import { Progress } from "./progress.js";
import { DISPOSE, isForMe, requestCard, requestTitle } from "./request_card.js";
import { Rules } from "./rules.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./request_card.js").Act} Act */
/** @typedef {import("./request_card.js").Request} Request */

const WORDS_MAX = 512;
/* Requests that were decided, of which the newest are looked at. */
const DECIDED = /** @type {const} */ ([2, 3, 4]);

export class InboxPage {
	#desk;
	/** @type {People | null} */
	#people = null;
	#mine = make("ul", { class: "cards" });
	#others = make("ul", { class: "cards" });
	#past = make("ul", { class: "cards" });
	#elsewhere = make("ul", { class: "plain-list inbox-elsewhere" });
	#noMine = make("p", { class: "none", t: "inbox.none" });
	#noOthers = make("p", { class: "none", t: "inbox.no-others" });
	#noPast = make("p", { class: "none", t: "inbox.no-past", with: { role: "status", hidden: true } });
	#count = make("span", { class: "count" });
	#showPast = button("inbox.show-past", () => void this.#loadPast());
	#more = button("records.more", () => void this.#load().catch((error) => this.#desk.failed(error)), { class: "more" });
	#unread = new UnreadRows();
	#unreadPast = new UnreadRows();
	#next = 0;
	element = make("section", {}, pageHead("inbox.title"), make("p", { class: "menu-greeting", t: "inbox.intro" }));

	/** @param {Desk} desk */
	constructor(desk) {
		this.#desk = desk;
	}

	async start() {
		this.#people = await People.of(this.#desk);
		await this.#load();
		this.element.append(this.#unread.element, make("section", { class: "part" }, make("h2", { class: "part-title" }, make("span", { t: "inbox.mine" }), this.#count), this.#noMine, this.#mine),
			part("inbox.others", this.#noOthers, this.#others), this.#more, part("inbox.past", this.#showPast, this.#unreadPast.element, this.#noPast, this.#past));
		if (this.#desk.manages)
			await this.#lookElsewhere();
	}

	/** Those that are open, the newest first. */
	async #load() {
		this.#more.disabled = true;
		try {
			const { rows, next, damaged } = await this.#desk.vault.page("request list", { after: this.#next });
			const requests = /** @type {Request[]} */ (/** @type {unknown} */ (rows));
			this.#fill(this.#mine, requests.filter(isForMe), this.#noMine);
			this.#fill(this.#others, requests.filter((request) => !isForMe(request)), this.#noOthers);
			this.#unread.count += damaged;
			const mine = this.#mine.children.length;
			this.#next = next;
			this.#more.hidden = next === 0;
			this.#count.textContent = `${mine}${next ? "+" : ""}`;
			this.#count.hidden = mine === 0;
		} finally {
			this.#more.disabled = false;
		}
	}

	async #lookElsewhere() {
		const { vault } = this.#desk;
		const [infected, imports, copies] = await Promise.all([vault.list("quarantine list", {}), vault.rows("import list"), vault.rows("grant copy list")]);
		/** @type {[import("./build.js").Key, import("./places.js").Name, number][]} */
		const waiting = [["inbox.quarantine", "quarantine", Number(infected.total)], ["inbox.imports", "import", imports.filter(({ may_apply }) => may_apply).length],
			["inbox.copies", "rights", copies.filter(({ mine }) => !mine).length]];
		this.#elsewhere.replaceChildren(...waiting.filter(([, , n]) => n > 0).map(([key, name, n]) =>
			make("li", {}, way(hashOf(name), () => t(key, { n })))));
		if (this.#elsewhere.children.length === 0)
			return;
		this.#noMine.hidden = true;
		this.#mine.after(this.#elsewhere);
	}

	/**
	 * @param {HTMLElement} place
	 * @param {Request[]} requests that it gets, too
	 * @param {HTMLElement} none
	 */
	#fill(place, requests, none) {
		const people = this.#people;
		if (people)
			place.append(...requests.map((request) => requestCard(request, people, this.#desk.manages, (act) => this.#act(request, act),
				(where) => this.#details(request, where))));
		none.hidden = place.children.length > 0;
	}

	async #loadPast() {
		this.#showPast.disabled = true;
		try {
			const pages = await Promise.all(DECIDED.map((state) => this.#desk.vault.page("request list", { state })));
			const all = /** @type {Request[]} */ (/** @type {unknown} */ (pages.flatMap(({ rows }) => rows)));
			const damaged = pages.reduce((sum, page) => sum + page.damaged, 0);
			this.#fill(this.#past, all.sort((a, b) => b.decided - a.decided).slice(0, 50), this.#noPast);
			this.#unreadPast.count = damaged;
			this.#noPast.hidden ||= damaged > 0;
			this.#showPast.hidden = true;
		} catch (error) {
			this.#desk.failed(error);
		} finally {
			this.#showPast.disabled = false;
		}
	}

	/**
	 * @param {Request} request
	 * @param {HTMLElement} place
	 */
	async #details({ id }, place) {
		try {
			const [whole, rules] = await Promise.all([this.#desk.vault.ask("request show", { request: id }), Rules.of(this.#desk.vault)]);
			const { why, answer, purposes, class: kept } = /** @type {import("./request_card.js").WholeRequest} */ (/** @type {unknown} */ (whole));
			place.replaceChildren(factList([
				{ label: "request.why", value: why || make("span", { t: "request.no-why" }), wide: true },
				{ label: "records.purposes", value: make("ul", { class: "plain-list" }, ...purposes.map((one) => make("li", { says: () => rules.purposeText(one) }))), wide: true },
				{ label: "records.class", value: make("span", { says: () => rules.classText(kept) }), wide: true },
				{ label: "request.answer", value: answer, wide: true },
			]));
		} catch (error) {
			this.#desk.failed(error);
		}
	}

	/**
	 * @param {Request} request
	 * @param {Act} act
	 */
	#act(request, act) {
		if (act === "number")
			enterNumber(this.#desk, { id: request.record, name: request.name, kind: request.record_kind }, "request.numbered");
		else if (act === "submit" || act === "withdraw")
			this.#confirm(request, act);
		else
			this.#decide(request, act);
	}

	/**
	 * @param {Request} request
	 * @param {"submit" | "withdraw"} act
	 */
	#confirm(request, act) {
		new FormDialog({ title: act === "submit" ? "request.submit-title" : "request.withdraw-title", about: () => requestTitle(request),
			submit: act === "submit" ? "request.submit" : "request.withdraw", general: (error) => this.#desk.general(error), run: async () => {
				await (act === "submit" ? this.#desk.vault.ask("request submit", { request: request.id }) :
					this.#desk.vault.ask("request withdraw", { requests: [request.id] }));
				this.#done(act === "submit" ? "request.submitted" : "request.withdrawn-done");
				return true;
			} }, make("p", { class: "message", t: act === "submit" ? "request.submit-text" : "request.withdraw-text" })).open();
	}

	/**
	 * @param {Request} request
	 * @param {"approve" | "refuse"} act
	 */
	#decide(request, act) {
		const refuse = act === "refuse";
		const disposes = request.kind === DISPOSE && !refuse;
		const words = new Field(refuse ? "request.reason" : "request.answer", textArea(WORDS_MAX, 2), { hint: refuse ? "request.reason-hint" : "request.answer-hint" });
		const code = new CodeField();
		const progress = new Progress();
		new FormDialog({ title: refuse ? "request.refuse-title" : disposes ? "request.dispose-title" : "request.approve-title",
			about: () => requestTitle(request), submit: refuse ? "request.refuse" : disposes ? "request.dispose-submit" : "request.approve", bad: refuse || disposes,
			fields: { code, answer: words }, general: (error) => this.#desk.general(error), run: async () => {
				const answer = lineOf(words.input);
				if (refuse && !answer) {
					words.wrong(() => t("request.need-reason"));
					words.input.focus();
					return false;
				}
				const digits = disposes ? code.take() : "-";
				if (!digits)
					return false;
				const { id } = request;
				await (disposes ? progress.during(this.#desk.vault, "dispose approve", async () =>
					await this.#desk.vault.ask("dispose approve", { requests: [id], code: digits })) :
					this.#desk.vault.ask(refuse ? "request refuse" : "request approve", { requests: [id], ...(answer ? { answer } : {}) }));
				this.#done(refuse ? "request.refused-done" : disposes ? "request.disposed-done" : "request.approved-done");
				return true;
			} }, make("p", { class: refuse || disposes ? "message message-warn" : "message",
			t: refuse ? "request.refuse-text" : disposes ? "request.dispose-text" : "request.approve-text" }),
		...(disposes ? [code.element, progress.element] : [words.element])).open(disposes ? code.input : words.input);
	}

	/** @param {import("./build.js").Key} key */
	#done(key) {
		this.#desk.tell(() => t(key));
		this.#desk.again();
	}
}
