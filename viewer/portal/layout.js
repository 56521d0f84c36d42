/*
 * The layout of the keyboard in front of the person.
 */
import { language } from "./i18n.js";
import { readPreference } from "./preferences.js";

/** @typedef {import("../core/keymap.js").Layout} Layout */

/**
 * What the person chose, or what the browser tells of the keyboard, or what the language suggests.
 * @returns {Promise<Layout>}
 */
export async function keyboardLayout() {
	const chosen = readPreference("layout");
	if (chosen === "ja" || chosen === "us")
		return chosen;
	const { keyboard } = /** @type {{keyboard?: {getLayoutMap?: () => Promise<Map<string, string>>}}} */ (
		/** @type {unknown} */ (navigator));
	try {
		const map = await keyboard?.getLayoutMap?.();
		/* On JIS the key right of P is @, on US [. */
		if (map?.get("BracketLeft") === "@")
			return "ja";
		if (map?.get("BracketLeft") === "[" && language() === "en")
			return "us";
	} catch {
		/* The browser does not tell. */
	}
	return language() === "ja" ? "ja" : "us";
}
