/*
 * What the vault answers when it does not do something, as sentences; and what concerns all of its pages.
 */
import { ApiError } from "../core/api.js";
import { errorText } from "../portal/errors.js";
import { t } from "../portal/i18n.js";

/** @typedef {import("./build.js").Key} Key */
/** "": only what was asked for did not work. @typedef {"" | "sealed" | "empty" | "rolled-back" | "damaged" | "down" | "network" | "locked" | "auth"} Trouble */

/** @type {Readonly<Record<string, Key>>} by code, or code and field */
const SENTENCES = Object.freeze({
	"login": "records.error-code",
	"denied": "records.error-denied",
	"not-found": "records.error-gone",
	"state": "records.error-state",
	"exists": "records.error-exists",
	"invalid damaged": "records.error-damaged",
	"invalid recipient": "records.error-recipient",
	"key recipient": "records.error-recipient",
	"expired recipient": "records.error-recipient-ended",
	"denied self": "records.error-self",
	"denied level": "rights.error-level",
	"denied beyond": "rights.error-beyond",
	"denied document": "rights.error-document",
	"denied people": "rights.error-people",
	"state digest": "copy.error-digest",
});

/**
 * @param {unknown} error
 * @returns {Trouble}
 */
export function troubleOf(error) {
	if (!(error instanceof ApiError))
		return "";
	const { code, field } = error;
	if (code === "auth" || code === "network")
		return code;
	if (code === "locked")
		return field === "vault" ? "sealed" : "locked";
	if (code === "state" && field === "vault")
		return "empty";
	if (code === "unavailable")
		return field === "rolled-back" || field === "damaged" ? field : "down";
	return "";
}

/** @param {unknown} error */
export function sentenceOf(error) {
	if (error instanceof ApiError && !error.words.en) {
		const key = SENTENCES[`${error.code} ${error.field}`] ?? SENTENCES[error.code];
		if (key)
			return t(key);
	}
	return errorText(error);
}
