/*
 * Where somebody is in the vault's pages, as the page's address has it: words and numbers, never a name.
 */

/** @typedef {"clients" | "client" | "record" | "new" | "inbox" | "due" | "certificate" | "rights" | "group" | "copy" | "settings" | "import" | "export" | "quarantine" | "glass"} Name */
/** @typedef {{name: Name, id: number, more: string}} Place id: of a record mostly, 0: none; more: a word, perhaps with a number */

const ROOT = "#vault";
/** @type {readonly Name[]} */
const NAMES = ["client", "record", "new", "inbox", "due", "certificate", "rights", "group", "copy", "settings", "import", "export", "quarantine", "glass"];

/**
 * @param {string} hash of the page's address
 * @returns {Place | null} null: not in the vault
 */
export function placeOf(hash) {
	if (hash === ROOT)
		return { name: "clients", id: 0, more: "" };
	const [, word, id, more] = /^#vault\/([a-z]+)(?:\/(\d{1,15})(?:\/([a-z]+\d{0,15}))?)?$/.exec(hash) ?? [];
	const name = NAMES.find((known) => known === word);
	return name ? { name, id: Number(id ?? 0), more: more ?? "" } : null;
}

/**
 * @param {Name} name
 * @param {number} [id]
 * @param {string} [more]
 */
export function hashOf(name, id = 0, more = "") {
	return name === "clients" ? ROOT : `${ROOT}/${name}${id || more ? `/${id}` : ""}${more ? `/${more}` : ""}`;
}
