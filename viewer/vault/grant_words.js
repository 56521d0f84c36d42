/*
 * Rights in plain words: whom they are for, what of, and what they let somebody do.
 */
import { t } from "../portal/i18n.js";
import { make } from "./build.js";
import { nameText } from "./words.js";

/** @typedef {import("./build.js").Key} Key */
/** level 0 to 4; document: a role, 0 to 7. @typedef {{level: number, number: boolean, document: number}} Rights */
/**
 * Whom and of what: one of the first two, one of the others.
 * @typedef {object} Side
 * @property {number} [account]
 * @property {number} [people] a group
 * @property {string} [people_name]
 * @property {number} [record]
 * @property {number} [client]
 * @property {number} [clients] a group
 * @property {string} [clients_name]
 * @property {boolean} [everything]
 * @property {string} [name] of the record or client
 */
/** @typedef {Side & Rights & {given: number, given_by: number}} Grant */

/** @type {readonly Key[]} */
const LEVELS = Object.freeze(/** @type {Key[]} */ (["rights.level-none", "rights.level-view", "rights.level-edit", "rights.level-export", "rights.level-permissions"]));
/** @type {readonly Key[]} */
export const ROLES = Object.freeze(/** @type {Key[]} */ (["rights.role-none", "rights.role-co-owner", "rights.role-editor", "rights.role-viewer-uploader",
	"rights.role-previewer-uploader", "rights.role-viewer", "rights.role-previewer", "rights.role-uploader"]));
/** Lv1 to Lv5. @type {readonly {level: number, document: number, key: Key}[]} */
export const PRESETS = Object.freeze(/** @type {{level: number, document: number, key: Key}[]} */ ([{ level: 1, document: 0, key: "rights.preset-1" },
	{ level: 2, document: 0, key: "rights.preset-2" }, { level: 2, document: 4, key: "rights.preset-3" },
	{ level: 3, document: 2, key: "rights.preset-4" }, { level: 4, document: 1, key: "rights.preset-5" }]));

/** 1 to 5, 0: none of them. @param {Rights} rights */
export function presetOf({ level, document }) {
	return PRESETS.findIndex((preset) => preset.level === level && preset.document === document) + 1;
}

/** @param {Rights} rights */
export function levelText({ level }) {
	return t(LEVELS[level] ?? LEVELS[0]);
}

/** @param {Rights} rights */
export function roleText({ document }) {
	return t(ROLES[document] ?? ROLES[0]);
}

/** In one line. @param {Rights} rights */
export function rightsText(rights) {
	if (rights.level === 0)
		return levelText(rights);
	const preset = presetOf(rights);
	return [preset ? `Lv${preset} ${levelText(rights)}` : levelText(rights), t(rights.number ? "rights.with-number" : "rights.without-number"), t("rights.with-documents", { role: roleText(rights) })].join(t("rights.and"));
}

/** Three cells of a table: level, number, documents. @param {Rights} rights */
export function rightsCells(rights) {
	const preset = presetOf(rights);
	if (rights.level === 0)
		return [make("span", { class: "tag tag-bad", says: () => levelText(rights) }), null, null];
	return [make("span", { class: "rights-level" }, preset > 0 && make("span", { class: "tag" }, `Lv${preset}`), make("span", { says: () => levelText(rights) })),
		make("span", { class: rights.number ? "rights-number" : "number-none", t: rights.number ? "rights.number-yes" : "rights.number-no" }),
		make("span", { class: rights.document ? "rights-role" : "number-none", says: () => roleText(rights) })];
}

/** @param {Side} side @param {import("./people.js").People} people */
export function whomText({ account, people: group, people_name: name }, people) {
	return account ? people.text(account) : t("rights.group-named", { name: name ?? String(group) });
}

/** @param {Side} side */
export function whatText({ record, client, clients, clients_name: group, everything, name }) {
	if (everything)
		return t("rights.everything");
	if (clients)
		return t("rights.clients-of", { name: group ?? String(clients) });
	return client ? t("rights.client-all", { name: nameText({ id: client, name }) }) : nameText({ id: record ?? 0, name });
}

/** What a body says of whom and what. @param {Side} side */
export function sideBody({ account, people, record, client, clients, everything }) {
	return Object.fromEntries(Object.entries({ account, people, record, client, clients, everything }).filter(([, value]) => value));
}
