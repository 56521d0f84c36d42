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
	"state hold": "records.error-hold",
	"state below": "records.error-below",
	"state others": "records.error-others",
	"exists": "records.error-exists",
	"exists name": "records.error-exists-name",
	"invalid name": "records.error-characters",
	"invalid kana": "records.error-characters",
	"invalid fields": "records.error-fields",
	"invalid why": "records.error-characters",
	"invalid reason": "records.error-characters",
	"invalid answer": "records.error-characters",
	"invalid text": "records.error-characters",
	"invalid number": "records.error-number",
	"invalid again": "number.different",
	"invalid started": "records.error-started",
	"invalid purpose": "records.error-purpose",
	"invalid code": "records.error-code",
	"invalid damaged": "records.error-damaged",
	"invalid recipient": "records.error-recipient",
	"key recipient": "records.error-recipient",
	"expired recipient": "records.error-recipient-ended",
	"denied self": "records.error-self",
	"denied level": "rights.error-level",
	"denied beyond": "rights.error-beyond",
	"denied document": "rights.error-document",
	"denied people": "rights.error-people",
	"state account": "glass.error-there",
	"full": "records.error-full",
	"full own": "records.error-full-own",
	"full all": "records.error-full-all",
	"full many": "glass.error-many",
	"not-found glass": "glass.error-over",
	"state glass": "glass.error-over",
	"state digest": "copy.error-digest",
	"state busy": "import.error-busy",
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

/** By the member of what was sent: says what is wrong with it, where it was entered, and goes there. */
/** @typedef {Readonly<Record<string, {wrong: (text: (() => string) | null) => void, input: HTMLElement | undefined}>>} Fields */

/**
 * @param {unknown} error
 * @param {Fields} [fields]
 * @returns {boolean} whether it is about one of them
 */
export function sayAtField(error, fields) {
	const field = error instanceof ApiError && fields && Object.hasOwn(fields, error.field) ? fields[error.field] : null;
	if (!field)
		return false;
	field.wrong(() => sentenceOf(error));
	field.input?.focus();
	return true;
}
