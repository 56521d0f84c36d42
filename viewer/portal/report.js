/*
 * What a month's report says beside its lists: totals, and what the office should look at, by rules that are simple enough
 * to be printed on it.
 */
import { momentIn } from "./zone.js";

/** @typedef {import("../core/audit.js").Audited} Audited */
/** @typedef {import("../core/audit.js").Entry} Entry */
/** @typedef {{from_hour: number, to_hour: number, weekends: boolean}} Hours */
/** @typedef {{rule: "hours" | "row" | "device" | "address" | "blocked", time: number, person: string, count: number, what: string}} Finding */

/** So many failures one after the other, without a login in between, are worth a line. */
export const ROW = 3;
/* What the gateway has kept from leaving or coming in. */
const BLOCKED = ["channel-refused", "clipboard-blocked"];
export const REFUSALS = ["login-failed", "login-locked", "session-refused", "session-watch-refused", "enrol-refused", "recording-refused", "audit-refused",
	"record-refused"];

/**
 * Whether a time is outside the hours in which the office works.
 * @param {number} ms
 * @param {Hours} hours
 * @param {string} zone
 */
export function isOutside(ms, hours, zone) {
	const { hour, weekday } = momentIn(ms, zone);
	return hour < hours.from_hour || hour >= hours.to_hour || (!hours.weekends && (weekday === 0 || weekday === 6));
}

/**
 * A connection that was there at such a time: it began or ended then, or went on over night.
 * @param {Audited} session
 * @param {Hours} hours
 * @param {string} zone
 * @param {number} now
 */
export function wasOutside({ started, ended }, hours, zone, now) {
	const last = ended ?? now;
	const [from, to] = [momentIn(started, zone), momentIn(last, zone)];
	return isOutside(started, hours, zone) || isOutside(Math.max(started, last - 1), hours, zone) ||
		from.day !== to.day || from.month !== to.month;
}

/** @param {Audited} session */
export function blockedIn({ events }) {
	return BLOCKED.reduce((sum, event) => sum + (events[event] ?? 0), 0);
}

/**
 * Failures one after the other.
 * @param {Entry[]} logins in any order
 * @returns {Finding[]}
 */
function rows(logins) {
	/** @type {Finding[]} */
	const found = [];
	/** @type {Map<string, Finding>} */
	const running = new Map();
	const finish = (/** @type {string} */ person) => {
		const one = running.get(person);
		if (one && one.count >= ROW)
			found.push(one);
		running.delete(person);
	};
	for (const { event, person, time, address } of [...logins].sort((a, b) => a.time - b.time || a.seq - b.seq)) {
		if (event === "login" || event === "unlock") {
			finish(person);
		} else if (event === "login-failed") {
			const one = running.get(person);
			if (one)
				one.count++;
			else
				running.set(person, { rule: "row", time, person, count: 1, what: address });
		}
	}
	for (const person of [...running.keys()])
		finish(person);
	return found;
}

/**
 * @param {Audited[]} sessions
 * @param {Entry[]} logins
 * @param {Hours} hours
 * @param {string} zone
 * @param {number} now
 * @returns {Finding[]} by time
 */
export function findings(sessions, logins, hours, zone, now) {
	/** @type {Finding[]} */
	const found = rows(logins);
	for (const session of sessions) {
		const { person, started, pc } = session;
		const blocked = blockedIn(session);
		if (wasOutside(session, hours, zone, now))
			found.push({ rule: "hours", time: started, person, count: 1, what: pc });
		if (blocked > 0)
			found.push({ rule: "blocked", time: started, person, count: blocked, what: pc });
	}
	for (const { first_device, first_address, time, person, device, address } of logins) {
		if (first_device)
			found.push({ rule: "device", time, person, count: 1, what: device });
		if (first_address)
			found.push({ rule: "address", time, person, count: 1, what: address });
	}
	return found.sort((a, b) => a.time - b.time);
}

/**
 * @param {Audited[]} sessions
 * @param {"person" | "pc"} by
 * @returns {[string, Audited[]][]} each with its sessions, the oldest first
 */
export function grouped(sessions, by) {
	/** @type {Map<string, Audited[]>} */
	const groups = new Map();
	for (const session of [...sessions].sort((a, b) => a.started - b.started)) {
		const group = groups.get(session[by]);
		if (group)
			group.push(session);
		else
			groups.set(session[by], [session]);
	}
	return [...groups].sort(([a], [b]) => a < b ? -1 : 1);
}

/** @param {Audited[]} sessions */
export function totalSeconds(sessions) {
	return sessions.reduce((sum, { seconds }) => sum + seconds, 0);
}

/**
 * Size and root of a checkpoint (docs/audit.md).
 * @param {string} note
 * @returns {{size: number, root: string} | null} null: there is none
 */
export function checkpointOf(note) {
	const [origin, size, root] = note.split("\n");
	return origin && /^\d+$/.test(size ?? "") && root ? { size: Number(size), root } : null;
}
