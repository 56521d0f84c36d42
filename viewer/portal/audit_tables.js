/*
 * The rows of the audit console's lists, as elements and as values for a file. Every text in them is somebody else's.
 */
import { language, t, textIn, textOf, tIn } from "./i18n.js";
import { nameOf } from "./audit_names.js";
import { detailText, eventText, happenedTexts } from "./audit_words.js";
import { stampIn } from "./zone.js";

/** @typedef {import("../core/audit.js").Audited} Audited */
/** @typedef {import("../core/audit.js").Entry} Entry */
/** @typedef {import("./i18n.js").Key} Key */
/** @typedef {import("./i18n.js").Language} Language */
/** @typedef {{play: (session: Audited) => void, detail: (session: Audited) => void, watch: ((session: Audited) => void) | null,
 *   name: (account: string) => string}} RowActions name: who that is */

export const SESSION_HEADS = /** @type {const} */ (["audit.started", "audit.person", "audit.pc", "audit.client", "audit.from-device",
	"audit.length", "audit.happened"]);
export const ENTRY_HEADS = /** @type {const} */ (["audit.time", "audit.event", "audit.person", "audit.from-device", "audit.about",
	"audit.detail"]);
const SESSION_COLUMNS = /** @type {const} */ (["audit.started", "audit.ended", "audit.minutes", "audit.person", "audit.full-name",
	"audit.pc", "audit.client", "audit.device", "audit.address", "audit.happened", "audit.watched", "audit.reason",
	"audit.recording", "audit.session"]);
const ENTRY_COLUMNS = /** @type {const} */ (["audit.number", "audit.time", "audit.event", "audit.person", "audit.full-name",
	"audit.device", "audit.address", "audit.pc", "audit.about", "audit.detail", "audit.session"]);

/**
 * "1:05", hours and minutes.
 * @param {number} seconds
 */
export function hoursText(seconds) {
	const minutes = Math.floor(seconds / 60);
	return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

/**
 * @param {string} className
 * @param {string} text
 * @returns {HTMLElement}
 */
export function piece(className, text) {
	const element = document.createElement("span");
	element.className = className;
	element.textContent = text;
	return element;
}

/**
 * @param {Key} label stands before it where the table's head is not there
 * @param {(string | HTMLElement)[]} parts
 */
function cell(label, ...parts) {
	const element = document.createElement("td");
	element.dataset.label = t(label);
	element.append(...parts);
	return element;
}

/**
 * @param {string} className
 * @param {string} text
 * @param {string} name for people who do not see the row
 * @param {() => void} run
 */
function button(className, text, name, run) {
	const element = document.createElement("button");
	element.type = "button";
	element.className = `button ${className}`;
	element.textContent = text;
	element.setAttribute("aria-label", name);
	element.addEventListener("click", run);
	return element;
}

/** @param {string} state of a recording @param {Language} [which] */
export function recordingText(state, which = language()) {
	if (state === "none")
		return tIn(which, "audit.no-recording");
	return textIn(which, "recording-state.", state, "recording-state.unknown");
}

/**
 * @param {Audited} session
 * @param {string} zone
 * @param {RowActions} actions
 */
export function sessionRow(session, zone, { play, detail, watch, name }) {
	const { person, full_name, pc, client, device, address, started, seconds, state, reason, recording, watched } = session;
	const live = state !== "ended";
	const row = document.createElement("tr");
	const time = stampIn(started, zone);
	const who = full_name || person;
	const tags = happenedTexts(session).map((text) => piece("tag", text));
	if (recording !== "ended" && recording !== "open")
		tags.push(piece("tag tag-warn", recordingText(recording)));
	row.dataset.session = session.id;
	row.dataset.live = String(live);
	const actionsCell = cell("audit.actions", button("audit-detail", t("audit.details"), t("audit.details-one", { person: who, pc, time }),
		() => detail(session)));
	actionsCell.className = "cell-actions";
	if (live && watch)
		actionsCell.append(button("audit-watch", t("audit.watch"), t("audit.watch-one", { person: who, pc }), () => watch(session)));
	if (!live && recording !== "none" && recording !== "disposed")
		actionsCell.append(button("audit-play", t("audit.play"), t("audit.play-one", { person: who, pc, time }), () => play(session)));
	row.append(cell("audit.started", piece("stamp", time)),
		cell("audit.person", piece("person-name", who), piece("small", full_name ? person : "")), cell("audit.pc", pc),
		cell("audit.client", client || "–"), cell("audit.from-device", device, piece("small", address)),
		cell("audit.length", piece("stamp", hoursText(seconds)),
			piece("small", live ? t("audit.goes-on") : textOf("reason.", reason, "reason.unknown", { code: reason }))),
		cell("audit.happened", ...tags, piece("small", watched.length ? t("audit.watched-by", {
			names: watched.map(name).join(t("audit.comma")) }) : "")),
		actionsCell);
	return row;
}

/** @param {Entry} entry @param {string} zone @param {Language} [which] */
export function aboutText({ of, pc }, zone, which = language()) {
	return of ? tIn(which, "audit.about-session", { person: of.person, pc: of.pc, time: stampIn(of.started, zone) }) : pc;
}

/** @param {Entry} entry @returns {Key[]} what is new of the person */
function firstTimes({ first_device, first_address }) {
	/** @type {Key[]} */
	const keys = [];
	if (first_device)
		keys.push("audit.first-device");
	if (first_address)
		keys.push("audit.first-address");
	return keys;
}

/**
 * @param {Entry} entry
 * @param {string} zone
 */
export function entryRow(entry, zone) {
	const { time, person, full_name, device, address, disposed, seq } = entry;
	const row = document.createElement("tr");
	row.dataset.seq = String(seq);
	row.dataset.event = entry.event;
	row.append(cell("audit.time", piece("stamp", stampIn(time, zone))), cell("audit.event", eventText(nameOf(entry))),
		...(disposed ? [cell("audit.person", piece("small", t("audit.disposed"))), cell("audit.from-device"), cell("audit.about"),
			cell("audit.detail")] : [
			cell("audit.person", piece("person-name", full_name || person), piece("small", full_name ? person : "")),
			cell("audit.from-device", device, piece("small", address), ...firstTimes(entry).map((key) => piece("tag tag-warn", t(key)))),
			cell("audit.about", aboutText(entry, zone)), cell("audit.detail", detailText(entry))]));
	return row;
}

/** @param {"sessions" | "entries"} kind */
export function csvHead(kind) {
	return (kind === "sessions" ? SESSION_COLUMNS : ENTRY_COLUMNS).map((key) => t(key));
}

/** @param {Audited} session @param {string} zone @returns {(string | number)[]} */
export function sessionValues(session, zone) {
	const { started, ended, seconds, person, full_name, pc, client, device, address, watched, reason, recording, id, state } = session;
	return [stampIn(started, zone), ended === null ? "" : stampIn(ended, zone), Math.round(seconds / 60), person, full_name, pc, client,
		device, address, happenedTexts(session).join(t("audit.comma")), watched.join(t("audit.comma")),
		state === "ended" ? textOf("reason.", reason, "reason.unknown", { code: reason }) : t("audit.goes-on"), recordingText(recording), id];
}

/** @param {Entry} entry @param {string} zone @returns {(string | number)[]} */
export function entryValues(entry, zone) {
	const { seq, time, person, full_name, device, address, pc, session, disposed } = entry;
	return [seq, stampIn(time, zone), eventText(nameOf(entry)), disposed ? t("audit.disposed") : person, full_name, device, address, pc,
		entry.of ? aboutText(entry, zone) : "", detailText(entry), session];
}
