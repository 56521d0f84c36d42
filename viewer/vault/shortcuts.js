/*
 * The keys of the vault's pages.
 */

/** @typedef {"search" | "clients" | "inbox" | "due" | "reveal" | "hide" | "new" | "edit" | "history" | "help"} Command */

/** @type {Readonly<Record<string, Command>>} */
const KEYS = Object.freeze({ "/": "search", c: "clients", i: "inbox", d: "due", r: "reveal", Escape: "hide", n: "new", e: "edit", h: "history", "?": "help" });

/** What the help lists, in its order. */
export const HELP = Object.freeze(/** @type {const} */ ([["/", "vault-key.search"], ["C", "vault-key.clients"], ["I", "vault-key.inbox"],
	["D", "vault-key.due"], ["N", "vault-key.new"], ["E", "vault-key.edit"], ["R", "vault-key.reveal"], ["Esc", "vault-key.hide"],
	["H", "vault-key.history"], ["?", "vault-key.help"]]));

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "isComposing" | "target">} event
 * @returns {Command | null} null: the key is the browser's or the element's
 */
export function commandOf({ key, ctrlKey, altKey, metaKey, isComposing, target }) {
	if (ctrlKey || altKey || metaKey || isComposing)
		return null;
	const element = /** @type {Element | null} */ (target);
	if (element?.closest?.("dialog") || (key !== "Escape" && element?.matches?.("input, textarea, select")))
		return null;
	/* Full-width letters of an input method count as what is on the key. */
	const plain = key.length === 1 ? key.normalize("NFKC").toLowerCase() : key;
	return Object.hasOwn(KEYS, plain) ? KEYS[plain] : null;
}
