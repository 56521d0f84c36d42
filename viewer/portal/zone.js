/*
 * Days, months and hours in the office's time zone, wherever the browser is.
 */

/** @typedef {{year: number, month: number, day: number, hour: number, minute: number, weekday: number}} Moment weekday: 0 is Sunday */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/* Until somebody is logged in, and on the pages of the enrolment: the browser's. */
let office = "";

/** @param {string} zone of the gateway's settings; one that this browser does not know counts as none */
export function setOfficeZone(zone) {
	office = isZone(zone) ? zone : "";
}

/** The zone in which all times are shown. */
export function officeZone() {
	return office || Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @param {string} zone @returns {boolean} whether this browser knows it */
export function isZone(zone) {
	try {
		new Intl.DateTimeFormat("en-US", { timeZone: zone });
		return zone !== "";
	} catch {
		return false;
	}
}

/**
 * @param {number} ms since 1970
 * @param {string} zone
 * @returns {Moment & {second: number}}
 */
export function momentIn(ms, zone) {
	let format = formats.get(zone);
	if (!format) {
		format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric",
			day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
		formats.set(zone, format);
	}
	const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
	const { year, month, day, hour, minute, second } = parts;
	return { year, month, day, hour, minute, second, weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay() };
}

/**
 * How far the zone's clocks are ahead of UTC.
 * @param {number} ms since 1970, whole seconds
 * @param {string} zone
 */
export function ahead(ms, zone) {
	const { year, month, day, hour, minute, second } = momentIn(ms, zone);
	return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
}

/**
 * When a day begins there.
 * @param {number} year
 * @param {number} month 1 to 12; 13 is January of the next year
 * @param {number} day
 * @param {string} zone
 * @returns {number} milliseconds since 1970
 */
export function startOfDay(year, month, day, zone) {
	const there = Date.UTC(year, month - 1, day);
	/* Twice, as clocks may be changed in between. */
	const near = there - ahead(there, zone);
	return there - ahead(near, zone);
}

/**
 * @param {string} month "2026-11"
 * @param {string} zone
 * @returns {{from: number, to: number}}
 */
export function monthIn(month, zone) {
	const [year, number] = month.split("-").map(Number);
	return { from: startOfDay(year, number, 1, zone), to: startOfDay(year, number + 1, 1, zone) };
}

/**
 * The months up to that of now, the newest first.
 * @param {number} now
 * @param {number} count
 * @param {string} zone
 */
export function lastMonths(now, count, zone) {
	const { year, month } = momentIn(now, zone);
	return Array.from({ length: count }, (_, back) => {
		const at = new Date(Date.UTC(year, month - 1 - back, 1));
		return `${at.getUTCFullYear()}-${String(at.getUTCMonth() + 1).padStart(2, "0")}`;
	});
}

/**
 * A day of a form's date field as milliseconds, 0 for none.
 * @param {string} date "2026-11-22", or ""
 * @param {string} zone
 * @param {number} [later] days
 */
export function dayIn(date, zone, later = 0) {
	const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date) ?? [];
	return year === undefined ? 0 : Math.max(0, startOfDay(Number(year), Number(month), Number(day) + later, zone));
}

/**
 * Whether two times are on one day there.
 * @param {number} one milliseconds since 1970
 * @param {number} other
 * @param {string} zone
 */
export function isSameDay(one, other, zone) {
	const [a, b] = [momentIn(one, zone), momentIn(other, zone)];
	return a.day === b.day && a.month === b.month && a.year === b.year;
}

/**
 * "2026-11-22 13:05", which sorts and which spreadsheets take for a time.
 * @param {number} ms
 * @param {string} zone
 */
export function stampIn(ms, zone) {
	const { year, month, day, hour, minute } = momentIn(ms, zone);
	const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
	return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`;
}
