/*
 * Whom a right can be given to, and what of: for dialogs to choose from.
 */
import { t } from "../portal/i18n.js";
import { nameText } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./grant_dialog.js").Choice} Choice */
/** @typedef {{id: number, name: string, members: number}} Group */

/* Pages of a list that are read at most. */
const PAGES = 50;

/**
 * All rows of a list.
 * @param {Desk} desk
 * @param {string} words
 * @param {Record<string, unknown>} [wish]
 * @returns {Promise<any[]>}
 */
export async function allRows(desk, words, wish = {}) {
	const all = [];
	for (let after = 0, at = 0; at < PAGES; at++) {
		const { rows, next } = await desk.vault.list(words, { ...wish, after });
		all.push(...rows);
		if (!next)
			break;
		after = next;
	}
	return all;
}

/** @param {Desk} desk @param {"people" | "clients"} kind @returns {Promise<Group[]>} */
export async function groupsOf(desk, kind) {
	return desk.manages ? /** @type {Group[]} */ (await desk.vault.rows("group list", { kind })) : [];
}

/**
 * People whose rights one can decide about: not one's own, and not those of people who have nothing to do with records.
 * @param {import("./people.js").People} people
 */
export function others(people) {
	return people.all.filter(({ account, records }) => !people.isMe(account) && (records === "use" || records === "manage"));
}

/**
 * @param {Desk} desk
 * @param {import("./people.js").People} people
 * @returns {Promise<Choice[]>}
 */
export async function whomChoices(desk, people) {
	const groups = await groupsOf(desk, "people");
	return [...others(people).map(({ account }) => ({ value: `a${account}`, says: () => people.text(account), side: { account } })),
		...groups.map(({ id, name }) => ({ value: `g${id}`, says: () => t("rights.group-named", { name }), side: { people: id } }))];
}

/** For those who manage. @param {Desk} desk @returns {Promise<Choice[]>} */
export async function whatChoices(desk) {
	const [groups, clients] = await Promise.all([groupsOf(desk, "clients"), allRows(desk, "client list")]);
	return [...clients.map(({ id, name }) => ({ value: `c${id}`, says: () => t("rights.client-all", { name: nameText({ id, name }) }), side: { client: id } })),
		...groups.map(({ id, name }) => ({ value: `g${id}`, says: () => t("rights.clients-of", { name }), side: { clients: id } })),
		{ value: "everything", says: () => t("rights.everything"), side: { everything: true } }];
}
