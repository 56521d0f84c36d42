/*
 * Who may do what: with one record and why, one person, and all of the office, for those who manage.
 */
import { formatDay, t } from "../portal/i18n.js";
import { button, make, way, wayButton } from "./build.js";
import { allRows, groupsOf, others, whatChoices, whomChoices } from "./grant_choices.js";
import { askGrant, askTake } from "./grant_dialog.js";
import { rightsCells, whatText, whomText } from "./grant_words.js";
import { askGroup } from "./groups_page.js";
import { hint, pageHead, part, trail, trailOf } from "./page_parts.js";
import { People } from "./people.js";
import { hashOf } from "./places.js";
import { showRecord } from "./record.js";
import { Table } from "./table.js";
import { CLIENT, EMPLOYEE, nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./grant_words.js").Grant} Grant */
/** @typedef {import("./grant_words.js").Rights} Rights */
/** @typedef {{account: number, row: number} & Rights} Told */
/** @typedef {import("./copy_page.js").Copy} Copy */

export class GrantsPage {
	#desk;
	#place;
	/** @type {People} */
	#people = new People([], "");
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
		if (!this.#desk.manages && (id === 0 || more === "person")) {
			this.#desk.go(hashOf("clients"));
			return;
		}
		this.#people = await People.of(this.#desk);
		this.element.replaceChildren(...await (id === 0 ? this.#office() : more === "person" ? this.#person(id) : this.#record(id)));
	}

	/**
	 * A small button in a row, which says of what for those who do not see the row.
	 * @param {import("./build.js").Key} key
	 * @param {() => string} title
	 * @param {() => void} press
	 */
	#act(key, title, press) {
		return button(key, press, { kind: "small", named: () => t("request.act-one", { act: t(key), title: title() }) });
	}

	/** @param {Grant} grant */
	#own(grant) {
		return grant.account !== undefined && this.#people.isMe(grant.account);
	}

	/** Changing a row and taking it away, but of one's own and of what is for others to decide. @param {Grant} grant */
	#acts(grant) {
		if (this.#own(grant) || (!this.#desk.manages && (grant.people || grant.clients || grant.everything)))
			return null;
		const about = () => t("rights.of-about", { whom: whomText(grant, this.#people), what: whatText(grant) });
		const choice = { value: "", says: about, side: grant };
		return make("div", { class: "document-do" }, this.#act("rights.change", about, () => askGrant(this.#desk, { whom: [choice], what: [choice], before: grant, about })),
			this.#act("rights.take", about, () => askTake(this.#desk, grant, this.#people)));
	}

	/** @param {Grant} grant */
	#given({ given, given_by: by }) {
		return make("span", { class: "small", says: () => t("rights.given-by", { name: this.#people.name(by), date: formatDay(given) }) });
	}

	/** @param {number} id */
	async #record(id) {
		const record = await showRecord(this.#desk.vault, id);
		const answer = await this.#desk.vault.ask("grant list", { record: id });
		const { rows, people } = /** @type {{rows: Grant[], people: Told[]}} */ (/** @type {unknown} */ (answer));
		const client = { id: record.client, name: record.client_name };
		const ways = record.kind === CLIENT ? [] : [{ href: hashOf("client", record.client), text: () => nameText(client) }];
		const own = { value: "record", says: () => (record.kind === CLIENT ? t("rights.client-own", { name: nameText(record) }) :
			record.kind === EMPLOYEE ? t("rights.record-own", { name: nameText(record) }) : nameText(record)), side: { record: id } };
		const whole = { value: "client", says: () => t("rights.client-all", { name: nameText(client) }), side: { client: record.client } };
		const give = async () => {
			try {
				askGrant(this.#desk, { whom: await whomChoices(this.#desk, this.#people), what: record.kind === CLIENT ? [whole, own] : [own, whole],
					about: () => t("rights.give-about", { name: nameText(record) }) });
			} catch (error) {
				this.#desk.failed(error);
			}
		};
		return [trail([...ways, { href: hashOf("record", id), text: () => nameText(record) }]),
			make("div", { class: "devices-head" }, make("div", {}, make("h1", { says: () => t("rights.record-title", { name: nameText(record) }), with: { tabindex: -1 } }),
				make("p", { class: "menu-greeting", t: "rights.record-intro" })),
			make("div", { class: "record-actions" }, this.#desk.manages && wayButton(hashOf("copy", id, record.kind === CLIENT ? "client" : "record"), "copy.open"),
				button("rights.give", () => void give(), { kind: "primary", icon: "plus" }))),
			part("rights.now", this.#told(rows, people), hint("lock", () => t("rights.managers-see"))),
			part("rights.rows", this.#rows(rows, "what"))];
	}

	/**
	 * What each may in the end, and which row says so.
	 * @param {Grant[]} rows
	 * @param {Told[]} people
	 */
	#told(rows, people) {
		if (people.length === 0)
			return make("p", { class: "none", t: "rights.nobody" });
		const table = new Table("rights.now", ["rights.person", "rights.may", "rights.number", "rights.documents", "rights.why"]);
		for (const told of people) {
			const by = rows[told.row];
			const why = () => (by ? t(by.account ? "rights.why-own" : "rights.why-group", { what: whatText(by), group: by.people_name ?? "" }) : t("rights.why-none"));
			table.add([make("strong", { says: () => this.#people.text(told.account) }), ...rightsCells(told), make("span", { class: "small", says: why })], { account: told.account });
		}
		return table.element;
	}

	/**
	 * @param {Grant[]} rows
	 * @param {"what" | "whom"} whose what: of a record; whom: of a person
	 */
	#rows(rows, whose) {
		if (rows.length === 0)
			return make("p", { class: "none", t: whose === "what" ? "rights.no-rows" : "rights.no-rows-person" });
		const table = new Table("rights.rows", ["rights.whom", "rights.what", "rights.may", "rights.number", "rights.documents", "rights.given-head", "settings.do"]);
		for (const row of rows)
			table.add([make("span", { says: () => whomText(row, this.#people) }), make("span", { says: () => whatText(row) }), ...rightsCells(row), this.#given(row),
				this.#acts(row)], {});
		return table.element;
	}

	/** @param {number} account */
	async #person(account) {
		const [{ groups }, rows] = await Promise.all([this.#desk.vault.ask("grant person", { account }), allRows(this.#desk, "grant person", { account })]);
		const member = /** @type {{id: number, name: string}[]} */ (groups);
		const name = () => this.#people.text(account);
		const mine = this.#people.isMe(account);
		const give = async () => {
			try {
				askGrant(this.#desk, { whom: [{ value: "", says: name, side: { account } }], what: await whatChoices(this.#desk),
					about: () => t("rights.give-about", { name: name() }) });
			} catch (error) {
				this.#desk.failed(error);
			}
		};
		return [trailOf([{ href: hashOf("rights"), text: () => t("rights.title") }]),
			make("div", { class: "devices-head" }, make("div", {}, make("h1", { says: () => t("rights.person-title", { name: name() }), with: { tabindex: -1 } }),
				make("p", { class: "menu-greeting", t: mine ? "rights.person-mine" : "rights.person-intro" })),
			make("div", { class: "record-actions" }, wayButton(hashOf("copy", account, "person"), "copy.open"),
				!mine && button("rights.give", () => void give(), { kind: "primary", icon: "plus" }))),
			part("rights.groups-in", member.length === 0 ? make("p", { class: "none", t: "rights.in-no-group" }) :
				make("ul", { class: "plain-list" }, ...member.map((group) => make("li", {}, way(hashOf("group", group.id), () => group.name, "record-link"))))),
			part("rights.rows", this.#rows(rows, "whom"))];
	}

	async #office() {
		const [people, clients, copies] = await Promise.all([groupsOf(this.#desk, "people"), groupsOf(this.#desk, "clients"), this.#desk.vault.rows("grant copy list")]);
		return [pageHead("rights.title"), make("p", { class: "menu-greeting", t: "rights.intro" }), copies.length > 0 && this.#copies(/** @type {Copy[]} */ (copies)),
			part("rights.people", this.#persons()), this.#groups("people", people), this.#groups("clients", clients)].filter((one) => one !== false);
	}

	/** @param {Copy[]} copies */
	#copies(copies) {
		const table = new Table("copy.waiting", ["copy.from", "copy.to", "copy.asked-by", "settings.do"]);
		for (const { copy, kind, from, from_name: name, to, asked_by: by, mine } of copies)
			table.add([make("span", { says: () => (kind === "person" ? this.#people.text(from) : nameText({ id: from, name })) }),
				make("span", { says: () => t(kind === "person" ? "copy.people" : kind === "client" ? "copy.clients" : "copy.records", { n: to.length }) }),
				make("span", { says: () => this.#people.text(by) }),
				wayButton(hashOf("copy", copy, "waiting"), mine ? "copy.look" : "copy.decide", { kind: mine ? "small" : "primary" })], { copy });
		return part("copy.waiting", table.element);
	}

	#persons() {
		const table = new Table("rights.people", ["rights.person", "rights.duty"]);
		const all = [...others(this.#people), ...this.#people.all.filter(({ account }) => this.#people.isMe(account))];
		for (const { account, records } of all)
			table.add([way(hashOf("rights", account, "person"), () => this.#people.text(account), "record-link"),
				make("span", { t: records === "manage" ? "rights.duty-manage" : "rights.duty-use" })], { account });
		return all.length ? table.element : make("p", { class: "none", t: "rights.no-people" });
	}

	/**
	 * @param {"people" | "clients"} kind
	 * @param {import("./grant_choices.js").Group[]} groups
	 */
	#groups(kind, groups) {
		const key = kind === "people" ? "rights.people-groups" : "rights.client-groups";
		const table = new Table(key, ["groups.name", "groups.members"]);
		for (const { id, name, members } of groups)
			table.add([way(hashOf("group", id), () => name, "record-link"), make("span", { says: () => t(kind === "people" ? "groups.count" : "records.count", { n: members }) })], { group: id });
		return part(key, make("p", { class: "field-hint", t: kind === "people" ? "groups.people-text" : "groups.clients-text" }), groups.length > 0 && table.element,
			make("div", { class: "part-actions" }, button("groups.add", () => askGroup(this.#desk, kind), { icon: "plus" })));
	}
}
