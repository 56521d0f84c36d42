/*
 * Something that somebody has asked for: who, what changes, and what whoever reads it may do with it now, or why not.
 */
import { formatDayTime, t } from "../portal/i18n.js";
import { button, make, way } from "./build.js";
import { factList, hint } from "./page_parts.js";
import { hashOf } from "./places.js";
import { kindText, nameText } from "./words.js";

/** @typedef {import("./build.js").Key} Key */
/**
 * @typedef {object} Request
 * @property {number} id
 * @property {1 | 2 | 3} kind collect, change of a number, dispose
 * @property {1 | 2 | 3 | 4} state open, approved, refused, withdrawn
 * @property {number} record
 * @property {number} record_kind
 * @property {number} record_state
 * @property {string} name
 * @property {number} client
 * @property {string} client_name
 * @property {number} asked
 * @property {number} asked_by
 * @property {number} decided
 * @property {number} decided_by
 * @property {boolean} ready
 * @property {{submit: boolean, approve: boolean, refuse: boolean, withdraw: boolean}} may
 */
/** @typedef {Request & {why: string, answer: string, purposes: number[], class: number, parent: number}} WholeRequest */
/** @typedef {"approve" | "refuse" | "withdraw" | "submit" | "number"} Act */

export const COLLECT = 1;
export const CHANGE = 2;
export const DISPOSE = 3;
export const OPEN = 1;

/** @type {Readonly<Record<number, Key>>} */
const TITLES = Object.freeze({ 1: "request.collect", 2: "request.change", 3: "request.dispose" });
/** @type {Readonly<Record<number, Key>>} */
const OUTCOMES = Object.freeze({ 1: "request.open", 2: "request.approved", 3: "request.refused", 4: "request.withdrawn" });

/** Whether it waits for whoever reads it. @param {Request} request */
export function isForMe({ may }) {
	return may.approve || may.submit;
}

/** @param {Request} request */
export function requestTitle({ kind, name, record, record_state: state }) {
	return t(TITLES[kind] ?? "request.other", { name: nameText({ id: record, name, state }) });
}

/**
 * Why an open request cannot be approved by who reads it.
 * @param {Request} request
 * @param {{manages: boolean, mine: boolean}} who
 * @returns {Key | null}
 */
export function whyNot({ state, ready, may }, { manages, mine }) {
	if (state !== OPEN || may.approve)
		return null;
	if (!ready)
		return "request.not-ready";
	if (!manages)
		return "request.needs-manager";
	return mine ? "request.not-own" : "request.not-entered";
}

/**
 * @param {Request} request
 * @param {import("./people.js").People} people
 * @param {boolean} manages
 * @param {(act: Act) => void} act
 * @param {(place: HTMLElement) => Promise<void>} more shows what there is to know
 */
export function requestCard(request, people, manages, act, more) {
	const { asked, asked_by, client, client_name, decided, decided_by, record, record_kind, state, may, ready } = request;
	const why = whyNot(request, { manages, mine: people.isMe(asked_by) });
	const place = make("div", { class: "request-more" });
	const open = button("request.more", async () => {
		open.disabled = true;
		await more(place);
		open.hidden = true;
	}, { named: () => t("request.more-one", { title: requestTitle(request) }) });
	const can = (/** @type {boolean} */ may, /** @type {Key} */ key, /** @type {Act} */ what, /** @type {"primary" | "quiet" | undefined} */ kind) =>
		may && button(key, () => act(what), { kind, named: () => t("request.act-one", { act: t(key), title: requestTitle(request) }) });
	return make("li", { class: "card request-card", with: { "data-request": request.id, "data-state": state } },
		make("p", { class: "card-name", says: () => requestTitle(request) }),
		factList([
			{ label: "request.who", value: make("span", { says: () => t("request.who-text", { name: people.text(asked_by), time: formatDayTime(asked) }) }) },
			{ label: "records.client", value: client ? way(hashOf("client", client), () => nameText({ id: client, name: client_name })) : null },
			{ label: "records.kind", value: make("span", { says: () => kindText(record_kind) }) },
			{ label: "request.state", value: make("span", { says: () => (state === OPEN ? t(ready ? "request.open" : "request.open-entry") :
				t("request.decided-text", { state: t(OUTCOMES[state] ?? "request.open"), name: people.text(decided_by), time: formatDayTime(decided) })) }) },
		]), place, why && hint("lock", () => t(why)),
		make("div", { class: "card-actions" }, way(hashOf("record", record), () => t("request.record"), "button"), open,
			can(may.withdraw, "request.withdraw", "withdraw", undefined), may.submit && button("request.number", () => act("number")),
			can(may.submit, "request.submit", "submit", undefined), can(may.refuse && manages, "request.refuse", "refuse", undefined),
			can(may.approve, "request.approve", "approve", "primary")));
}
