/*
 * What the audit log says in codes, in words.
 */
import { AUDIT_EVENTS, DETAILS, SESSION_EVENTS } from "./audit_names.js";
import { isKey, language, tIn } from "./i18n.js";

/** @typedef {import("../core/audit.js").Audited} Audited */
/** @typedef {import("../core/audit.js").Entry} Entry */
/** @typedef {import("./i18n.js").Key} Key */
/** @typedef {import("./i18n.js").Language} Language */

/* Of a detail that is a code: what its words' key begins with. */
const WORDS = Object.freeze(/** @type {Record<string, string>} */ ({ reason: "reason.", error: "audit-error.", state: "recording-state.",
	kind: "audit.kind.", verdict: "verdict.", list: "audit.tab-", form: "audit-form.", step: "audit-step." }));

/* Of the vault's records the log has numbers, where it has people's own words for a session. */
const NUMBERS = Object.freeze(/** @type {Record<string, Key>} */ ({ purpose: "audit-detail.purpose-number", client: "audit-detail.client-number" }));

/* Kinds that the log has as numbers: of a request, of records. */
const KINDS = Object.freeze(/** @type {Record<string, readonly Key[]>} */ ({
	"request-add": ["request.kind-collect", "request.kind-change", "request.kind-dispose"],
	"template-set": ["record-kind.client", "record-kind.employee", "record-kind.dependant", "record-kind.payee"] }));

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
	const key = `${WORDS[name]}${value}`;
	/* Somebody's words may look like one of the codes, but not like a key. */
	return typeof value === "string" && /^[a-z-]+$/.test(value) && isKey(key) ? tIn(which, key) : String(value);
}

/**
 * The detail of an entry as one line.
 * @param {Entry} entry
 * @param {Language} [which]
 */
export function detailText({ event, detail }, which = language()) {
	const inner = typeof detail.detail === "object" && detail.detail !== null ?
		/** @type {Record<string, unknown>} */ (detail.detail) : {};
	/** @type {Record<string, unknown>} */
	const all = { ...inner, ...detail };
	/* Its number says nothing more to people. */
	if (all.purpose_name)
		delete all.purpose;
	const kind = typeof all.kind === "number" && KINDS[event]?.[all.kind - 1];
	if (kind)
		all.kind = tIn(which, kind);
	const parts = DETAILS.filter((name) => ["string", "number", "boolean"].includes(typeof all[name]) && all[name] !== "")
		.map((name) => `${tIn(which, typeof all[name] === "number" && NUMBERS[name] || /** @type {Key} */ (`audit-detail.${name}`))}: ${valueText(name, all[name], which)}`);
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
