/*
 * Kinds and states of records in plain words.
 */
import { language, t } from "../portal/i18n.js";

/** @typedef {import("../portal/i18n.js").Key} Key */
/** @typedef {import("../core/vault.js").Row} Row */

/** @type {readonly Key[]} by number */
export const KINDS = Object.freeze(/** @type {Key[]} */ (["record-kind.unknown", "record-kind.client", "record-kind.employee",
	"record-kind.dependant", "record-kind.payee"]));
/** @type {readonly Key[]} */
export const STATES = Object.freeze(/** @type {Key[]} */ (["record-state.unknown", "record-state.requested", "record-state.waiting",
	"record-state.active", "record-state.ended", "record-state.disposed", "record-state.refused"]));
/* What the state means for whoever works with the record. */
/** @type {readonly Key[]} */
const MEANINGS = Object.freeze(/** @type {Key[]} */ (["record-state.unknown", "record-means.requested", "record-means.waiting",
	"record-means.active", "record-means.ended", "record-means.disposed", "record-means.refused"]));

const DAY_MS = 86400000;

export const CLIENT = 1;
export const EMPLOYEE = 2;
export const DEPENDANT = 3;
export const PAYEE = 4;

export const REQUESTED = 1;
export const WAITING = 2;
export const ACTIVE = 3;
export const ENDED = 4;
export const DISPOSED = 5;
export const REFUSED = 6;

/** @param {number} kind */
export function kindText(kind) {
	return t(KINDS[kind] ?? KINDS[0]);
}

/** @param {number} state */
export function stateText(state) {
	return t(STATES[state] ?? STATES[0]);
}

/** @param {number} state */
export function stateMeaning(state) {
	return t(MEANINGS[state] ?? MEANINGS[0]);
}

/**
 * Of one that has a name, was disposed of, or has none yet. What is in use has one, though perhaps nobody can read it.
 * @param {{id: number, name?: string, state?: number}} row
 */
export function nameText({ id, name, state }) {
	return name || t(state === DISPOSED ? "records.disposed-name" : state === ACTIVE || state === ENDED ? "records.unreadable-name" : "records.nameless", { id });
}

/** A date as people write it. @param {string} date "2026-11-22" */
export function dateText(date) {
	const at = Date.parse(`${date}T00:00Z`);
	return Number.isNaN(at) ? "" : new Intl.DateTimeFormat(language(), { dateStyle: "long", timeZone: "UTC" }).format(at);
}

/** The last day of a period that is over on this one. @param {string} date "2026-11-22" */
export function dayBefore(date) {
	const at = Date.parse(`${date}T00:00Z`);
	return Number.isNaN(at) ? "" : new Date(at - DAY_MS).toISOString().slice(0, 10);
}
