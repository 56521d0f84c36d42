/*
 * Times as the player writes them.
 */
import { language } from "../portal/i18n.js";
import { ahead, officeZone } from "../portal/zone.js";

const SECOND_US = 1000000;

/** @param {number} value */
function two(value) {
	return String(value).padStart(2, "0");
}

/**
 * "4:05", "1:04:05"
 * @param {number} seconds
 */
export function lengthText(seconds) {
	const whole = Math.max(0, Math.floor(seconds));
	const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
	return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/**
 * As lengthText, with as many hours as the whole has.
 * @param {number} us
 * @param {number} ofUs
 */
export function elapsedText(us, ofUs) {
	const text = lengthText(us / SECOND_US);
	const missing = lengthText(ofUs / SECOND_US).length - text.length;
	return missing > 0 && ofUs >= 3600 * SECOND_US && us < 3600 * SECOND_US ? `0:${text.padStart(5, "0")}` : text;
}

/**
 * The time of the day on the office's wall clock, with seconds.
 * @param {number} ms since 1970
 */
export function clockText(ms) {
	return new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
		timeZone: officeZone() }).format(ms);
}

/**
 * The same without seconds where they are not wanted.
 * @param {number} ms since 1970
 * @param {boolean} seconds
 */
export function tickText(ms, seconds) {
	return new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: officeZone(),
		...(seconds ? { second: "2-digit" } : {}) }).format(Math.round(ms / 1000) * 1000);
}

/* Distances of the ticks on the axis, seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/**
 * Where ticks of an axis go: at round wall-clock times of the office.
 * @param {number} startMs wall clock of the beginning
 * @param {number} durationUs
 * @param {number} most ticks that have room
 * @returns {{us: number, seconds: boolean}[]} seconds: minutes do not tell them apart
 */
export function ticks(startMs, durationUs, most) {
	const duration = durationUs / SECOND_US;
	const step = STEPS.find((one) => duration / one <= most) ?? STEPS[STEPS.length - 1];
	const start = (startMs + ahead(Math.floor(startMs / 1000) * 1000, officeZone())) / 1000;
	const found = [];
	for (let at = Math.ceil(start / step) * step; at <= start + duration && found.length <= most; at += step)
		found.push({ us: (at - start) * SECOND_US, seconds: step < 60 });
	return found;
}
