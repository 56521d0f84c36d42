/*
 * A month's report for paper: what an office shows its clients as proof of its supervision. All that is on it comes from
 * the gateway; the report is in the audit log before it is shown.
 */
import { allPages, Audit } from "../core/audit.js";
import { nameOf } from "./audit_names.js";
import { detailText, eventText, happenedTexts } from "./audit_words.js";
import { aboutText, hoursText, recordingText } from "./audit_tables.js";
import { byId, setText, showMessage } from "./dom.js";
import { errorText } from "./errors.js";
import { t, tIn } from "./i18n.js";
import { blockedIn, checkpointOf, findings, grouped, REFUSALS, ROW, totalSeconds } from "./report.js";
import { momentIn, monthIn, stampIn } from "./zone.js";

/** @typedef {import("../core/audit.js").Audited} Audited */
/** @typedef {import("../core/audit.js").Choices} Choices */
/** @typedef {import("../core/audit.js").Entry} Entry */
/** @typedef {import("./audit_view.js").ReportWish} ReportWish */
/** @typedef {import("./i18n.js").Key} Key */
/** @typedef {{sessions: Audited[], logins: Entry[], watching: Entry[]}} Found */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} className
 * @param {...(string | Node)} parts
 * @returns {HTMLElementTagNameMap[Name]}
 */
function make(name, className, ...parts) {
	const element = document.createElement(name);
	if (className)
		element.className = className;
	element.append(...parts);
	return element;
}

/**
 * @template Row
 * @param {AsyncGenerator<Row[]>} pages
 */
async function all(pages) {
	/** @type {Row[]} */
	const rows = [];
	for await (const page of pages)
		rows.push(...page);
	return rows;
}

export class ReportView {
	#audit;
	#sheet = byId("report");
	/* Counts up with each report, so that what comes late for an older one is dropped. */
	#turn = 0;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {() => void} done
	 */
	constructor(api, done) {
		this.#audit = new Audit(api);
		byId("report-print").addEventListener("click", () => print());
		byId("report-done").addEventListener("click", () => done());
		addEventListener("pagehide", () => this.clear());
	}

	/**
	 * @param {ReportWish} wish
	 * @param {Choices} choices
	 * @param {string} zone
	 * @param {string} auditor who makes it
	 */
	async show(wish, choices, zone, auditor) {
		const turn = ++this.#turn;
		const { from, to } = monthIn(wish.month, zone);
		const who = { person: wish.by === "person" ? wish.one : "", pc: wish.by === "pc" ? wish.one : "" };
		this.#sheet.replaceChildren();
		this.#busy(true);
		scrollTo(0, 0);
		this.#sheet.focus({ preventScroll: true });
		try {
			const word = await this.#audit.report("report", "print", { ...who, from, to });
			const found = await this.#gather(who, from, to);
			if (turn !== this.#turn)
				return;
			const paper = new Paper(wish, choices, zone, auditor, word);
			this.#sheet.lang = wish.language;
			this.#sheet.replaceChildren(...paper.parts(found));
			this.#busy(false);
		} catch (error) {
			if (turn === this.#turn)
				showMessage(byId("report-error"), errorText(error));
		}
	}

	/**
	 * @param {{person: string, pc: string}} who
	 * @param {number} from
	 * @param {number} to
	 * @returns {Promise<Found>}
	 */
	async #gather({ person, pc }, from, to) {
		const filter = { person, pc, device: 0, client: "", event: "", from, to, shortest: 0, longest: 0 };
		const everybody = { ...filter, person: "" };
		const live = (await this.#audit.live(filter)).rows;
		const sessions = [...live, ...await all(allPages((place) => this.#audit.sessions(filter, place)))];
		const logins = await all(allPages((place) => this.#audit.entries("logins", filter, place)));
		/* The log knows a watched session's owner, not whether he is meant: sorted out here. */
		const watching = await all(allPages((place) => this.#audit.entries("watching", everybody, place)));
		const meant = (/** @type {Entry} */ { of }) => (person === "" && pc === "") ||
			(of !== undefined && (of.person === person || of.pc === pc));
		return { sessions, logins: pc ? logins.filter((entry) => entry.pc === pc || entry.of?.pc === pc) : logins,
			watching: watching.filter(meant).reverse() };
	}

	/** @param {boolean} busy */
	#busy(busy) {
		byId("report-busy").hidden = !busy;
		/** @type {HTMLButtonElement} */ (byId("report-print")).disabled = busy;
		this.#sheet.setAttribute("aria-busy", String(busy));
		setText(byId("report-busy"), t("report.busy"));
		showMessage(byId("report-error"), "");
	}

	clear() {
		this.#turn++;
		this.#sheet.replaceChildren();
	}
}

/** The paper's parts, in its own language. */
class Paper {
	#wish;
	#choices;
	#zone;
	#auditor;
	#word;

	/**
	 * @param {ReportWish} wish
	 * @param {Choices} choices
	 * @param {string} zone
	 * @param {string} auditor
	 * @param {import("../core/audit.js").Word} word
	 */
	constructor(wish, choices, zone, auditor, word) {
		this.#wish = wish;
		this.#choices = choices;
		this.#zone = zone;
		this.#auditor = auditor;
		this.#word = word;
	}

	/**
	 * @param {Key} key
	 * @param {Record<string, string | number>} [values]
	 */
	#t(key, values) {
		return tIn(this.#wish.language, key, values);
	}

	/** @param {string} account */
	#person(account) {
		const full = this.#choices.people.find(({ name }) => name === account)?.full_name;
		return full ? this.#t("report.person", { name: full, account }) : account;
	}

	/** @param {number} ms */
	#time(ms) {
		return stampIn(ms, this.#zone);
	}

	/** Within the month: "22 (日) 13:05" @param {number} ms */
	#dayTime(ms) {
		const { weekday } = momentIn(ms, this.#zone);
		const name = new Intl.DateTimeFormat(this.#wish.language, { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2023, 0, 1 + weekday));
		const stamp = this.#time(ms);
		return `${stamp.slice(5, 10).replace("-", "/")} (${name}) ${stamp.slice(11)}`;
	}

	/**
	 * @param {Found} found
	 * @returns {HTMLElement[]}
	 */
	parts({ sessions, logins, watching }) {
		const now = this.#word.time;
		const odd = findings(sessions, logins, this.#choices, this.#zone, now);
		const refusals = logins.filter(({ event }) => REFUSALS.includes(event)).reverse();
		return [this.#head(), this.#summary(sessions, refusals, watching, odd.length), this.#findings(odd),
			...this.#sessions(sessions), this.#entries("report.refusals", "report.refusals-none", refusals),
			this.#entries("report.watching", "report.watching-none", watching), this.#proof()];
	}

	#head() {
		const { month, by, one, language } = this.#wish;
		const { from, to } = monthIn(month, this.#zone);
		const name = new Intl.DateTimeFormat(language, { year: "numeric", month: "long", timeZone: "UTC" })
			.format(Date.parse(`${month}-01T00:00Z`));
		const seals = make("table", "report-seals", make("tbody", "", make("tr", "", make("th", "", this.#t("report.seal-head")),
			make("th", "", this.#t("report.seal-auditor"))), make("tr", "", make("td", ""), make("td", ""))));
		const scope = one === "" ? this.#t(by === "pc" ? "report.scope-pcs" : "report.scope-people") :
			this.#t(by === "pc" ? "report.scope-pc" : "report.scope-person", { name: by === "pc" ? one : this.#person(one) });
		return make("header", "report-head", make("div", "",
			make("h1", "", this.#t("report.title")), make("p", "report-month", name, " ", make("span", "", scope)),
			this.#facts([["report.office", this.#choices.office],
				["report.period", this.#t("report.period-text", { from: this.#time(from), to: this.#time(to - 1), zone: this.#zone })],
				["report.made", this.#t("report.made-text", { time: this.#time(this.#word.time), name: this.#auditor })]])), seals);
	}

	/** @param {[Key, string][]} facts */
	#facts(facts) {
		return make("dl", "report-facts", ...facts.map(([key, value]) =>
			make("div", "", make("dt", "", this.#t(key)), make("dd", "", value))));
	}

	/**
	 * @param {Audited[]} sessions
	 * @param {Entry[]} refusals
	 * @param {Entry[]} watching
	 * @param {number} odd
	 */
	#summary(sessions, refusals, watching, odd) {
		const figures = /** @type {[Key, string][]} */ ([["report.count", String(sessions.length)],
			["report.time", hoursText(totalSeconds(sessions))],
			["report.people", String(new Set(sessions.map(({ person }) => person)).size)],
			["report.pcs", String(new Set(sessions.map(({ pc }) => pc)).size)],
			["report.refused", String(refusals.length)],
			["report.watched", String(watching.filter(({ event }) => event === "recording-open" || event === "session-watch").length)],
			["report.exported", String(watching.filter(({ event }) => event === "recording-export").length)],
			["report.odd", String(odd)]]);
		return make("section", "", make("h2", "", this.#t("report.summary")), make("table", "report-figures", make("tbody", "",
			make("tr", "", ...figures.map(([key]) => make("th", "", this.#t(key)))),
			make("tr", "", ...figures.map(([, value]) => make("td", "", value))))));
	}

	/** @param {import("./report.js").Finding[]} odd */
	#findings(odd) {
		const { from_hour, to_hour, weekends } = this.#choices;
		const rules = make("ul", "report-rules", make("li", "", this.#t(weekends ? "report.rule-hours-all" : "report.rule-hours",
			{ from: from_hour, to: to_hour })), make("li", "", this.#t("report.rule-row", { count: ROW })),
		make("li", "", this.#t("report.rule-first")), make("li", "", this.#t("report.rule-blocked")));
		const rows = odd.map(({ rule, time, person, count, what }) => [this.#dayTime(time), this.#t(`report.finding-${rule}`, { count }),
			this.#person(person), what]);
		return make("section", "", make("h2", "", this.#t("report.findings")), ...(rows.length ? [this.#table(["audit.time",
			"report.finding", "audit.person", "report.where"], rows)] : [make("p", "", this.#t("report.findings-none"))]), rules);
	}

	/** @param {Audited[]} sessions */
	#sessions(sessions) {
		const { by } = this.#wish;
		const groups = grouped(sessions, by);
		const heads = /** @type {Key[]} */ (["report.began", "report.ended", "audit.length", by === "pc" ? "audit.person" : "audit.pc",
			"audit.client", "audit.from-device", "audit.happened", "report.seen-by"]);
		const title = make("h2", "", this.#t("report.sessions"));
		if (groups.length === 0)
			return [make("section", "", title, make("p", "", this.#t("report.sessions-none")))];
		return groups.map(([name, own], at) => make("section", "report-group", ...(at === 0 ? [title] : []),
			make("h3", "", this.#t("report.group", { name: by === "pc" ? name : this.#person(name), count: own.length,
				time: hoursText(totalSeconds(own)) })),
			this.#table(heads, own.map((session) => this.#sessionValues(session)), "report-sessions")));
	}

	/** @param {Audited} session */
	#sessionValues(session) {
		const { started, ended, seconds, person, pc, client, device, address, watched, recording } = session;
		const happened = happenedTexts(session, this.#wish.language);
		if (!["ended", "open"].includes(recording))
			happened.push(recordingText(recording, this.#wish.language));
		return [this.#dayTime(started), ended === null ? this.#t("report.goes-on") : this.#dayTime(ended), hoursText(seconds),
			this.#wish.by === "pc" ? this.#person(person) : pc, client, address ? `${device}\n${address}` : device,
			happened.join("\n"), watched.map((name) => this.#person(name)).join("\n"), blockedIn(session) > 0];
	}

	/**
	 * @param {Key} title
	 * @param {Key} none
	 * @param {Entry[]} entries
	 */
	#entries(title, none, entries) {
		const rows = entries.map((entry) => entry.disposed ? [this.#dayTime(entry.time),
			eventText(nameOf(entry), this.#wish.language), this.#t("audit.disposed"), "", "", ""] : [this.#dayTime(entry.time),
			eventText(nameOf(entry), this.#wish.language), this.#person(entry.person),
			[entry.device, entry.address].filter(Boolean).join("\n"), aboutText(entry, this.#zone, this.#wish.language),
			detailText(entry, this.#wish.language)]);
		return make("section", "", make("h2", "", this.#t(title)), rows.length ? this.#table(["audit.time", "audit.event",
			"audit.person", "audit.from-device", "audit.about", "audit.detail"], rows) : make("p", "", this.#t(none)));
	}

	/**
	 * @param {Key[]} heads
	 * @param {(string | boolean)[][]} rows a true at the end marks the row
	 * @param {string} [className]
	 */
	#table(heads, rows, className = "") {
		return make("table", `report-table ${className}`, make("thead", "", make("tr", "", ...heads.map((key) => {
			const head = make("th", "", this.#t(key));
			head.scope = "col";
			return head;
		}))), make("tbody", "", ...rows.map((values) => make("tr", values.at(-1) === true ? "marked" : "",
			...values.filter((value) => typeof value === "string").map((value) => make("td", "", value))))));
	}

	#proof() {
		const { checkpoint, gateway } = this.#word;
		const read = checkpointOf(checkpoint);
		return make("section", "report-proof", make("h2", "", this.#t("report.proof")), ...(read ? [
			this.#facts([["report.gateway", gateway], ["report.size", String(read.size)], ["report.root", read.root]]),
			make("p", "", this.#t("report.proof-text")), make("pre", "", checkpoint.trimEnd())] :
			[make("p", "", this.#t("report.proof-none"))]));
	}
}
