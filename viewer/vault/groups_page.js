/*
 * A group of people or of clients, and who is in it; for those who manage.
 */
import { t } from "../portal/i18n.js";
import { button, make, way } from "./build.js";
import { FormDialog } from "./dialog.js";
import { Choices, Field, lineOf, textInput } from "./fields.js";
import { allRows, others } from "./grant_choices.js";
import { change } from "./grant_dialog.js";
import { trailOf } from "./page_parts.js";
import { People } from "./people.js";
import { hashOf } from "./places.js";
import { Table } from "./table.js";
import { nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {{id: number, name?: string}} Member */
/** @typedef {{id: number, kind: "people" | "clients", name: string}} Group */

const NAME_MAX = 128;
const AT_ONCE = 100;

/**
 * A name for a new group, or another one for one that there is.
 * @param {Desk} desk
 * @param {"people" | "clients"} kind
 * @param {Group} [group]
 */
export function askGroup(desk, kind, group) {
	const name = new Field("groups.name", textInput({ max: NAME_MAX, required: true }), { hint: kind === "people" ? "groups.people-hint" : "groups.clients-hint" });
	name.input.value = group?.name ?? "";
	new FormDialog({ title: group ? "groups.rename-title" : kind === "people" ? "groups.add-people" : "groups.add-clients", submit: group ? "groups.rename" : "groups.add-submit",
		fields: { name }, general: (error) => desk.general(error), run: async () => {
			const text = lineOf(name.input);
			if (!text) {
				name.wrong(() => t("entry.missing"));
				name.input.focus();
				return false;
			}
			const answer = await (group ? desk.vault.ask("group rename", { group: group.id, name: text }) : desk.vault.ask("group add", { kind, name: text }));
			desk.tell(() => t(group ? "groups.renamed" : "groups.added"));
			if (group)
				desk.again();
			else
				desk.go(hashOf("group", Number(answer.id)));
			return true;
		} }, name.element).open(name.input);
}

export class GroupsPage {
	#desk;
	#id;
	/** @type {People} */
	#people = new People([], "");
	element = make("section", { class: "rights-page" }, make("div", { class: "hosts-loading", with: { "aria-hidden": "true" } }, make("div")));

	/**
	 * @param {Desk} desk
	 * @param {import("./places.js").Place} place
	 */
	constructor(desk, place) {
		this.#desk = desk;
		this.#id = place.id;
	}

	async start() {
		const [people, answer, rows] = await Promise.all([People.of(this.#desk), this.#desk.vault.ask("group members", { group: this.#id }),
			allRows(this.#desk, "group members", { group: this.#id })]);
		const group = /** @type {Group} */ (/** @type {unknown} */ (answer));
		const members = /** @type {Member[]} */ (rows);
		const ofPeople = group.kind === "people";
		this.#people = people;
		this.element.replaceChildren(trailOf([{ href: hashOf("rights"), text: () => t("rights.title") }]),
			make("div", { class: "devices-head" }, make("div", {}, make("h1", { with: { tabindex: -1 } }, group.name),
				make("p", { class: "menu-greeting", t: ofPeople ? "groups.people-text" : "groups.clients-text" })),
			make("div", { class: "record-actions" }, button("groups.rename", () => askGroup(this.#desk, group.kind, group)),
				button("groups.drop", () => this.#drop(group)), button(ofPeople ? "groups.add-person" : "groups.add-client",
					() => void this.#add(group, members), { kind: "primary", icon: "plus" }))), this.#list(group, members));
	}

	/** @param {Group} group @param {Member} member */
	#name({ kind }, { id, name }) {
		return kind === "people" ? this.#people.text(id) : nameText({ id, name });
	}

	/**
	 * @param {Group} group
	 * @param {Member[]} members
	 */
	#list(group, members) {
		const ofPeople = group.kind === "people";
		if (members.length === 0)
			return make("p", { class: "none", t: ofPeople ? "groups.no-people" : "groups.no-clients" });
		const table = new Table("groups.members", [ofPeople ? "rights.person" : "records.client", "settings.do"]);
		for (const member of members) {
			const name = () => this.#name(group, member);
			table.add([way(ofPeople ? hashOf("rights", member.id, "person") : hashOf("rights", member.id), name, "record-link"),
				button("groups.take", () => this.#take(group, member), { kind: "small", named: () => t("request.act-one", { act: t("groups.take"), title: name() }) })],
			{ member: member.id });
		}
		return make("div", {}, make("p", { class: "inventory-count", says: () => t(ofPeople ? "groups.count" : "records.count", { n: members.length }) }), table.element);
	}

	/**
	 * @param {Group} group
	 * @param {Member[]} members
	 */
	async #add(group, members) {
		const inside = new Set(members.map(({ id }) => id));
		try {
			/** @type {Member[]} */
			const all = group.kind === "people" ? others(this.#people).map(({ account, name }) => ({ id: account, name })) : await allRows(this.#desk, "client list");
			const free = all.filter(({ id }) => !inside.has(id));
			const choices = new Choices(group.kind === "people" ? "groups.choose-people" : "groups.choose-clients", "checkbox",
				free.map((member) => ({ value: member.id, says: () => this.#name(group, member) })));
			choices.element.classList.add("pick-list");
			/** @type {FormDialog} */
			const dialog = new FormDialog({ title: group.kind === "people" ? "groups.add-person" : "groups.add-client", about: () => group.name, submit: "groups.add-members",
				general: (error) => this.#desk.general(error), run: async () => {
					const add = choices.values.map(Number);
					if (add.length === 0 || add.length > AT_ONCE) {
						choices.wrong(() => t(add.length ? "groups.too-many" : "groups.choose", { n: AT_ONCE }));
						return false;
					}
					return await this.#change(group, { add }, dialog, "groups.changed");
				} }, free.length ? choices.element : make("p", { class: "none", t: group.kind === "people" ? "groups.all-people" : "groups.all-clients" }));
			dialog.open(choices.first);
		} catch (error) {
			this.#desk.failed(error);
		}
	}

	/**
	 * @param {Group} group
	 * @param {{add?: number[], take?: number[]}} body
	 * @param {FormDialog} dialog
	 * @param {import("./build.js").Key} done
	 */
	async #change(group, body, dialog, done) {
		if (!await change(this.#desk, "group change", { group: group.id, ...body }, dialog))
			return false;
		this.#desk.tell(() => t(done));
		this.#desk.again();
		return true;
	}

	/**
	 * @param {Group} group
	 * @param {Member} member
	 */
	#take(group, member) {
		/** @type {FormDialog} */
		const dialog = new FormDialog({ title: "groups.take-title", about: () => t("groups.take-about", { name: this.#name(group, member), group: group.name }),
			submit: "groups.take", bad: true, general: (error) => this.#desk.general(error),
			run: () => this.#change(group, { take: [member.id] }, dialog, "groups.changed") },
		make("p", { class: "message message-warn", t: group.kind === "people" ? "groups.take-person" : "groups.take-client" }));
		dialog.open();
	}

	/** @param {Group} group */
	#drop(group) {
		/** @type {FormDialog} */
		const dialog = new FormDialog({ title: "groups.drop-title", about: () => group.name, submit: "groups.drop", bad: true,
			general: (error) => this.#desk.general(error), run: async () => {
				if (!await change(this.#desk, "group drop", { group: group.id }, dialog))
					return false;
				this.#desk.tell(() => t("groups.dropped"));
				this.#desk.go(hashOf("rights"));
				return true;
			} }, make("p", { class: "message message-warn", t: "groups.drop-text" }));
		dialog.open();
	}
}
