/*
 * The audit console of an auditor: connections, who logged in and was refused, what administrators did, who looked at what,
 * alarms, and the monthly report. A list is looked at by pages; what leaves as a file is in the audit log first.
 */
import { allPages, Audit } from "../core/audit.js";
import { AuditForm, chosenIn, filterOf, queryOf, setOptions } from "./audit_form.js";
import { csvHead, ENTRY_HEADS, entryRow, entryValues, hoursText, piece, SESSION_HEADS, sessionRow, sessionValues } from "./audit_tables.js";
import { CsvFile } from "./csv.js";
import { announce, byId, setText, showMessage } from "./dom.js";
import { errorText, isLoggedOut } from "./errors.js";
import { language, onLanguage, t } from "./i18n.js";
import { saveFile } from "./save_file.js";
import { lastMonths, officeZone, stampIn } from "./zone.js";

/** @typedef {import("../core/audit.js").Audited} Audited */
/** @typedef {import("../core/audit.js").Choices} Choices */
/** @typedef {import("../core/audit.js").Entry} Entry */
/** @typedef {import("../core/audit.js").EntryList} EntryList */
/** @typedef {import("../core/audit.js").Place} Place */
/** @typedef {"sessions" | EntryList | "report"} Tab */
/** @typedef {{month: string, by: "person" | "pc", one: string, language: import("./i18n.js").Language}} ReportWish */
/**
 * @typedef {object} AuditActions
 * @property {(session: Audited) => void} play
 * @property {((session: Audited) => void) | null} watch
 * @property {(wish: ReportWish, choices: Choices, zone: string) => void} report
 * @property {(error?: unknown) => void} loggedOut
 */

const TABS = /** @type {const} */ (["sessions", "logins", "acts", "watching", "alarms", "report"]);
const ROWS = 50;
/* Pages that have nothing to show are passed over, but not without an end. */
const EMPTY_MAX = 200;
const LIVE_MS = 10000;
const MONTHS = 60;

/**
 * "監査 花子 (kansa)"
 * @param {Choices | null} choices
 * @param {string} account
 */
function personText(choices, account) {
	const full = choices?.people.find(({ name }) => name === account)?.full_name;
	return full ? t("report.person", { name: full, account }) : account;
}

export class AuditView {
	#audit;
	#actions;
	#form = new AuditForm(() => void this.#load(true));
	#dialog = /** @type {HTMLDialogElement} */ (byId("audit-dialog"));
	/** @type {Choices | null} */
	#choices = null;
	/** @type {Tab} */
	#tab = "sessions";
	/** @type {(Audited | Entry)[]} */
	#rows = [];
	/** @type {Audited[]} */
	#live = [];
	/** @type {Place | null} */
	#next = null;
	#loaded = false;
	#visible = false;
	/* Counts up with each question, so that answers to an older one are dropped. */
	#turn = 0;
	#saving = false;
	/** @type {unknown} */
	#error = undefined;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {AuditActions} actions
	 */
	constructor(api, actions) {
		this.#audit = new Audit(api);
		this.#actions = actions;
		TABS.forEach((tab, at) => {
			const button = byId(`audit-tab-${tab}`);
			button.addEventListener("click", () => this.#choose(tab));
			button.addEventListener("keydown", (event) => this.#tabKey(event, at));
		});
		byId("audit-more").addEventListener("click", () => void this.#load(false));
		byId("audit-csv").addEventListener("click", () => void this.#saveCsv());
		byId("audit-saved").addEventListener("change", () => this.#useSaved());
		byId("audit-save").addEventListener("click", () => void this.#saveFilter());
		byId("audit-forget").addEventListener("click", () => void this.#forgetFilter());
		byId("audit-dialog-close").addEventListener("click", () => this.#dialog.close());
		byId("audit-name").addEventListener("keydown", (event) => {
			if (event.key === "Enter" && !event.isComposing) {
				event.preventDefault();
				void this.#saveFilter();
			}
		});
		byId("report-by").addEventListener("change", () => this.#showReportForm());
		byId("report-form").addEventListener("submit", (event) => {
			event.preventDefault();
			this.#report();
		});
		document.addEventListener("visibilitychange", () => void this.#refreshLive());
		onLanguage(() => this.#show());
	}

	show() {
		this.#visible = true;
		this.#error = undefined;
		this.#show();
		byId("audit-main").focus({ preventScroll: true });
		void this.#start();
	}

	hide() {
		this.#visible = false;
		this.#turn++;
		clearTimeout(this.#timer);
	}

	/** Forgets everything. */
	clear() {
		this.hide();
		this.#choices = null;
		this.#rows = [];
		this.#live = [];
		this.#loaded = false;
		this.#tab = "sessions";
		this.#form.clear();
		this.#dialog.close();
		for (const id of ["audit-rows", "audit-live-rows", "audit-dialog-rows"])
			byId(id).replaceChildren();
	}

	/** @param {unknown} error */
	fail(error) {
		if (isLoggedOut(error)) {
			this.#actions.loggedOut(error);
			return;
		}
		this.#error = error;
		this.#show();
	}

	async #start() {
		try {
			await this.#learn();
			await this.#load(true);
		} catch (error) {
			this.fail(error);
		}
	}

	async #learn() {
		const choices = await this.#audit.choices();
		this.#choices = choices;
		this.#show();
	}

	/** @param {Tab} tab */
	#choose(tab) {
		this.#tab = tab;
		this.#rows = [];
		this.#next = null;
		this.#loaded = false;
		this.#error = undefined;
		this.#turn++;
		/* What happens is of another kind in each list. */
		this.#form.chosen = { ...this.#form.chosen, event: "" };
		this.#show();
		void this.#load(true);
	}

	/**
	 * Arrow keys go from tab to tab, as tabs do everywhere.
	 * @param {KeyboardEvent} event
	 * @param {number} at
	 */
	#tabKey(event, at) {
		const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
		if (to === undefined)
			return;
		event.preventDefault();
		const tab = TABS[(to + TABS.length) % TABS.length];
		byId(`audit-tab-${tab}`).focus();
		this.#choose(tab);
	}

	/* ---- lists ---- */

	get #filter() {
		return filterOf(this.#form.chosen, officeZone());
	}

	/**
	 * @param {Place | null} place
	 * @returns {Promise<import("../core/audit.js").Page<Audited | Entry>>}
	 */
	#ask(place) {
		return this.#tab === "sessions" ? this.#audit.sessions(this.#filter, place) :
			this.#audit.entries(/** @type {EntryList} */ (this.#tab), this.#filter, place);
	}

	/** @param {boolean} anew */
	async #load(anew) {
		if (!this.#choices || this.#tab === "report")
			return;
		const turn = ++this.#turn;
		byId("audit-main").setAttribute("aria-busy", "true");
		try {
			const live = anew && this.#tab === "sessions" ? (await this.#audit.live(this.#filter)).rows : this.#live;
			/** @type {(Audited | Entry)[]} */
			const rows = [];
			let place = anew ? null : this.#next;
			for (let empty = 0; empty < EMPTY_MAX && rows.length < ROWS; empty++) {
				const page = await this.#ask(place);
				if (turn !== this.#turn)
					return;
				rows.push(...page.rows);
				place = page.next;
				if (place === null)
					break;
			}
			this.#rows = anew ? rows : [...this.#rows, ...rows];
			this.#live = live;
			this.#next = place;
			this.#loaded = true;
			this.#error = undefined;
			this.#show();
			if (anew)
				announce(byId("audit-count").textContent ?? "");
			this.#refreshSoon();
		} catch (error) {
			if (turn === this.#turn)
				this.fail(error);
		} finally {
			if (turn === this.#turn)
				byId("audit-main").setAttribute("aria-busy", "false");
		}
	}

	#refreshSoon() {
		clearTimeout(this.#timer);
		if (this.#visible && this.#tab === "sessions")
			this.#timer = setTimeout(() => void this.#refreshLive(), LIVE_MS);
	}

	/** Who is there now; somebody who has gone is in the list below then. */
	async #refreshLive() {
		if (!this.#visible || document.hidden || this.#tab !== "sessions" || !this.#loaded)
			return;
		const turn = this.#turn;
		try {
			const { rows } = await this.#audit.live(this.#filter);
			if (turn !== this.#turn)
				return;
			const gone = this.#live.some(({ id }) => !rows.some((row) => row.id === id));
			this.#live = rows;
			if (gone)
				await this.#load(true);
			else
				this.#showLive();
			this.#refreshSoon();
		} catch (error) {
			if (turn === this.#turn)
				this.fail(error);
		}
	}

	/** @param {Audited} session */
	async #detail(session) {
		try {
			const entries = await this.#audit.session(session.id);
			setText(byId("audit-dialog-title"), t("audit.details-one", { person: session.full_name || session.person,
				pc: session.pc, time: stampIn(session.started, officeZone()) }));
			setText(byId("audit-dialog-session"), session.id);
			byId("audit-dialog-rows").replaceChildren(...entries.map((entry) => entryRow(entry, officeZone())));
			byId("audit-dialog-none").hidden = entries.length > 0;
			this.#dialog.showModal();
		} catch (error) {
			this.fail(error);
		}
	}

	/* ---- files ---- */

	async #saveCsv() {
		if (this.#saving || this.#tab === "report")
			return;
		const tab = this.#tab;
		const filter = this.#filter;
		const kind = tab === "sessions" ? "sessions" : "entries";
		this.#saving = true;
		this.#show();
		try {
			await this.#audit.report(tab, "csv", filter);
			const file = new CsvFile(csvHead(kind));
			if (tab === "sessions")
				file.add((await this.#audit.live(filter)).rows.map((row) => sessionValues(row, officeZone())));
			const pages = /** @type {AsyncGenerator<(Audited | Entry)[]>} */ (tab === "sessions" ?
				allPages((place) => this.#audit.sessions(filter, place)) :
				allPages((place) => this.#audit.entries(tab, filter, place)));
			for await (const rows of pages) {
				/* Left, or logged out. */
				if (!this.#visible)
					return;
				file.add(rows.map((row) => tab === "sessions" ? sessionValues(/** @type {Audited} */ (row), officeZone()) :
					entryValues(/** @type {Entry} */ (row), officeZone())));
				setText(byId("audit-csv-text"), t("audit.csv-busy", { rows: file.rows }));
			}
			saveFile(`sekisho-${tab}-${stampIn(Date.now(), officeZone()).slice(0, 10)}.csv`, file.blob());
			announce(t("audit.csv-done", { rows: file.rows }));
		} catch (error) {
			this.fail(error);
		} finally {
			this.#saving = false;
			this.#show();
		}
	}

	/* ---- saved filters ---- */

	get #saved() {
		const select = /** @type {HTMLSelectElement} */ (byId("audit-saved"));
		return this.#choices?.filters.find(({ id }) => String(id) === select.value) ?? null;
	}

	#useSaved() {
		const saved = this.#saved;
		if (!saved)
			return;
		const { list, chosen } = chosenIn(saved.query);
		this.#choose(list);
		this.#form.chosen = chosen;
		/** @type {HTMLInputElement} */ (byId("audit-name")).value = saved.name;
		void this.#load(true);
	}

	async #saveFilter() {
		const input = /** @type {HTMLInputElement} */ (byId("audit-name"));
		const name = input.value.trim();
		if (!name || this.#tab === "report") {
			input.focus();
			return;
		}
		try {
			await this.#audit.saveFilter(name, queryOf(this.#tab, this.#form.chosen));
			await this.#learn();
			const saved = this.#choices?.filters.find((filter) => filter.name === name);
			/** @type {HTMLSelectElement} */ (byId("audit-saved")).value = String(saved?.id ?? "");
			announce(t("audit.saved-done", { name }));
		} catch (error) {
			this.fail(error);
		}
	}

	async #forgetFilter() {
		const saved = this.#saved;
		if (!saved)
			return;
		try {
			await this.#audit.removeFilter(saved.id);
			/** @type {HTMLInputElement} */ (byId("audit-name")).value = "";
			await this.#learn();
		} catch (error) {
			this.fail(error);
		}
	}

	/* ---- the report ---- */

	#report() {
		const value = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (byId(id)).value;
		if (this.#choices)
			this.#actions.report({ month: value("report-month"), by: value("report-by") === "pc" ? "pc" : "person",
				one: value("report-one"), language: value("report-language") === "en" ? "en" : "ja" }, this.#choices, officeZone());
	}

	#showReportForm() {
		const choices = this.#choices;
		if (!choices)
			return;
		const by = /** @type {HTMLSelectElement} */ (byId("report-by"));
		const format = new Intl.DateTimeFormat(language(), { year: "numeric", month: "long", timeZone: "UTC" });
		setOptions(/** @type {HTMLSelectElement} */ (byId("report-month")), lastMonths(Date.now(), MONTHS, officeZone()).map((month) =>
			[month, format.format(Date.parse(`${month}-01T00:00Z`))]));
		setOptions(by, [["person", t("report.by-person")], ["pc", t("report.by-pc")]]);
		setText(byId("report-one-label"), t(by.value === "pc" ? "audit.pc" : "audit.person"));
		setOptions(/** @type {HTMLSelectElement} */ (byId("report-one")), [["", t("report.all")], ...(by.value === "pc" ?
			choices.pcs.map(({ name }) => /** @type {[string, string]} */ ([name, name])) :
			choices.people.map(({ name, full_name }) => /** @type {[string, string]} */ (
				[name, full_name ? `${full_name} (${name})` : name])))]);
		const which = /** @type {HTMLSelectElement} */ (byId("report-language"));
		if (which.options.length === 0) {
			which.add(new Option(t("report.japanese"), "ja"));
			which.add(new Option(t("report.english"), "en"));
			which.value = language();
		}
	}

	/* ---- what is seen ---- */

	#show() {
		if (!this.#visible)
			return;
		const report = this.#tab === "report";
		for (const tab of TABS) {
			const button = byId(`audit-tab-${tab}`);
			button.setAttribute("aria-selected", String(tab === this.#tab));
			button.tabIndex = tab === this.#tab ? 0 : -1;
		}
		byId("audit-panel").setAttribute("aria-labelledby", `audit-tab-${this.#tab}`);
		byId("audit-form").hidden = report || !this.#choices;
		byId("audit-list").hidden = report || !this.#loaded;
		byId("report-form").hidden = !report || !this.#choices;
		byId("audit-loading").hidden = (report ? this.#choices !== null : this.#loaded) || this.#error !== undefined;
		showMessage(byId("audit-error"), this.#error === undefined ? "" : errorText(this.#error));
		if (this.#choices && this.#tab !== "report")
			this.#form.show(this.#choices, this.#tab);
		this.#showSaved();
		this.#showReportForm();
		if (report)
			byId("audit-live").hidden = true;
		else
			this.#showList();
	}

	#showSaved() {
		setOptions(/** @type {HTMLSelectElement} */ (byId("audit-saved")), [["", t("audit.saved-none")],
			...(this.#choices?.filters ?? []).map(({ id, name }) => /** @type {[string, string]} */ ([String(id), name]))]);
		/** @type {HTMLButtonElement} */ (byId("audit-forget")).disabled = this.#saved === null;
		/** @type {HTMLButtonElement} */ (byId("audit-csv")).disabled = this.#saving;
		if (!this.#saving)
			setText(byId("audit-csv-text"), t("audit.csv"));
	}

	#showLive() {
		byId("audit-live").hidden = this.#tab !== "sessions" || !this.#loaded || this.#live.length === 0;
		setText(byId("audit-live-title"), t("audit.live", { count: this.#live.length }));
		byId("audit-live-rows").replaceChildren(...this.#live.map((row) => this.#sessionRow(row)));
		this.#showHeads("audit-live-head", SESSION_HEADS, true);
	}

	/** @param {Audited} session */
	#sessionRow(session) {
		return sessionRow(session, officeZone(), { play: this.#actions.play, watch: this.#actions.watch,
			detail: (one) => void this.#detail(one), name: (account) => personText(this.#choices, account) });
	}

	/**
	 * @param {string} id
	 * @param {readonly import("./i18n.js").Key[]} keys
	 * @param {boolean} actions a last column has buttons
	 */
	#showHeads(id, keys, actions) {
		const heads = keys.map((key) => {
			const head = document.createElement("th");
			head.scope = "col";
			head.textContent = t(key);
			return head;
		});
		if (actions) {
			const head = document.createElement("th");
			head.scope = "col";
			head.append(piece("visually-hidden", t("audit.actions")));
			heads.push(head);
		}
		byId(id).replaceChildren(...heads);
	}

	#showList() {
		const sessions = this.#tab === "sessions";
		this.#showLive();
		this.#showHeads("audit-head", sessions ? SESSION_HEADS : ENTRY_HEADS, sessions);
		this.#showHeads("audit-dialog-head", ENTRY_HEADS, false);
		byId("audit-rows").dataset.list = this.#tab;
		byId("audit-rows").replaceChildren(...this.#rows.map((row) => sessions ? this.#sessionRow(/** @type {Audited} */ (row)) :
			entryRow(/** @type {Entry} */ (row), officeZone())));
		byId("audit-table").hidden = this.#rows.length === 0;
		byId("audit-none").hidden = !this.#loaded || this.#rows.length > 0;
		byId("audit-more").hidden = this.#next === null;
		const seconds = sessions ? this.#rows.reduce((sum, row) => sum + /** @type {Audited} */ (row).seconds, 0) : 0;
		setText(byId("audit-count"), t(this.#next ? "audit.count-more" : "audit.count", { count: this.#rows.length }) +
			(seconds > 0 ? t("audit.count-time", { time: hoursText(seconds) }) : ""));
	}
}
