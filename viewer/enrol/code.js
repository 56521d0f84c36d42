/*
 * Codes of invitations: 28 characters of Crockford's base32, shown in groups of four. They are read in any form
 * in which people and programs hand them over.
 */

export const CODE_LENGTH = 28;
const GROUP = 4;

/**
 * The code's characters in a text: typed, pasted, or the whole link of an invitation.
 * @param {string} text
 * @returns {string} may be shorter or longer than a code
 */
export function readCode(text) {
	const link = /#(?:.*&)?code=([^&\s]*)/.exec(text);
	/* NFKC: input methods write full-width letters. */
	return (link ? link[1] : text).normalize("NFKC").toUpperCase()
		.replace(/O/g, "0").replace(/[IL]/g, "1")
		.replace(/[^0-9A-HJKMNP-TV-Z]/g, "");
}

/** @param {string} code as readCode gives it */
export function groupCode(code) {
	return (code.match(new RegExp(`.{1,${GROUP}}`, "g")) ?? []).join("-");
}

/**
 * Where the caret belongs in the grouped text, after so many characters of the code.
 * @param {number} characters
 */
export function caretAfter(characters) {
	return characters + Math.max(0, Math.ceil(characters / GROUP) - 1);
}

/**
 * The code in the fragment of an invitation's link, and whether there was one at all.
 * @param {string} hash
 * @returns {string | null}
 */
export function codeFromFragment(hash) {
	return /^#(?:.*&)?code=/.test(hash) ? readCode(hash) : null;
}
