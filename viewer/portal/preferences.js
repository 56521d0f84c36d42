/*
 * What the page remembers in this browser: choices of taste, nothing about work.
 */

/** @typedef {"language" | "layout" | "scaling" | "toolbar"} Name */

/**
 * @param {Name} name
 * @returns {string | null}
 */
export function readPreference(name) {
	try {
		return localStorage.getItem(`sekisho.${name}`);
	} catch {
		return null; /* storage is switched off: the page works without */
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
		/* as above */
	}
}
