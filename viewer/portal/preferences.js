/*
 * What the page remembers in this browser: choices of taste for good, where somebody is in the login for as long
 * as the tab is open. Nothing about work. Without storage the page works too.
 */

/** @typedef {"language" | "layout" | "scaling" | "toolbar" | `ime.${number}`} Name */

/**
 * @param {Name} name
 * @returns {string | null}
 */
export function readPreference(name) {
	try {
		return localStorage.getItem(`sekisho.${name}`);
	} catch {
		return null;
	}
}

/**
 * @param {Name} name
 * @param {string} value
 */
export function writePreference(name, value) {
	try {
		localStorage.setItem(`sekisho.${name}`, value);
	} catch {
		/* storage is switched off or full */
	}
}

/**
 * What the person chose for one PC.
 * @param {"ime"} name
 * @param {number} pc its number
 */
export function readPcPreference(name, pc) {
	return readPreference(`${name}.${pc}`);
}

/**
 * @param {"ime"} name
 * @param {number} pc its number
 * @param {string} value
 */
export function writePcPreference(name, pc, value) {
	writePreference(`${name}.${pc}`, value);
}

/** Until when a code is expected, Date.now(); 0 when none is. */
export function readCodeUntil() {
	try {
		return Number(sessionStorage.getItem("sekisho.code-until"));
	} catch {
		return 0;
	}
}

/** @param {number} until 0: none */
export function writeCodeUntil(until) {
	try {
		sessionStorage.setItem("sekisho.code-until", String(until));
	} catch {
		/* as above */
	}
}
