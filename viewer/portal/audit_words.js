/*
 * What the audit log says in codes, in words.
 */
import { AUDIT_EVENTS, DETAILS, LIST_EVENTS, SESSION_EVENTS } from "./audit_names.js";
import { language, textOf, tIn } from "./i18n.js";

/** @typedef {import("../core/audit.js").Audited} Audited */
/** @typedef {import("../core/audit.js").Entry} Entry */
/** @typedef {import("./i18n.js").Key} Key */
/** @typedef {import("./i18n.js").Language} Language */

/**
 * @param {string} code
 * @param {Language} [which]
 */
export function eventText(code, which = language()) {
	return AUDIT_EVENTS.includes(code) ? tIn(which, /** @type {Key} */ (`audit-event.${code}`)) : code;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Language} which
 */
function valueText(name, value, which) {
	if (name === "reason" && typeof value === "string" && /^[a-z-]+$/.test(value))
		return which === language() ? textOf("reason.", value, "reason.unknown", { code: value }) : value;
	if (name === "list" && typeof value === "string" && (value === "sessions" || value === "report" || value in LIST_EVENTS))
		return tIn(which, /** @type {Key} */ (`audit.tab-${value}`));
	return String(value);
}

/**
 * The detail of an entry as one line.
 * @param {Entry} entry
 * @param {Language} [which]
 */
export function detailText({ detail }, which = language()) {
	const inner = typeof detail.detail === "object" && detail.detail !== null ?
		/** @type {Record<string, unknown>} */ (detail.detail) : {};
	const all = { ...inner, ...detail };
	const parts = DETAILS.filter((name) => ["string", "number", "boolean"].includes(typeof all[name]) && all[name] !== "")
		.map((name) => `${tIn(which, /** @type {Key} */ (`audit-detail.${name}`))}: ${valueText(name, all[name], which)}`);
	return parts.join(which === "ja" ? "、" : ", ");
}

/**
 * What happened in a session, as few words.
 * @param {Audited} session
 * @param {Language} [which]
 * @returns {string[]}
 */
export function happenedTexts({ events }, which = language()) {
	return SESSION_EVENTS.filter((code) => events[code] !== undefined)
		.map((code) => events[code] > 1 ? `${eventText(code, which)} ×${events[code]}` : eventText(code, which));
}
