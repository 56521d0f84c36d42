/*
 * What happened in a recording, in words.
 */
import { t, textOf } from "../portal/i18n.js";
import { EVENTS } from "./happening_names.js";

/** @typedef {import("./happenings.js").Happening} Happening */
/** @typedef {import("./happening_names.js").Weight} Weight */

/** @param {Happening} happening @returns {Weight} */
export function weightOf({ name }) {
	return Object.hasOwn(EVENTS, name) ? EVENTS[name] : "plain";
}

/** @param {Happening} happening */
export function titleOf({ name }) {
	return textOf("event.", name || "unknown", "event.unknown", { code: name || "?" });
}

/* Who or what it was about; the same in both languages. */
const DETAILS = ["account", "device", "address", "channel", "sha256", "detail"];

/** @param {Happening} happening */
export function detailOf({ name, viewer, details }) {
	if (name === "ended" && details.reason)
		return textOf("reason.", details.reason, "reason.unknown");
	if (details.width && details.height)
		return `${details.width} × ${details.height}`;
	const parts = DETAILS.map((key) => details[key]);
	if (name === "clipboard-blocked" && details.way)
		parts.push(textOf("clipboard.", details.way, "event.unknown", { code: details.way }));
	if (Number(details.times) > 1)
		parts.push(`${details.times}×`);
	if (viewer > 0)
		parts.push(t("player.monitor", { n: viewer + 1 }));
	return parts.filter(Boolean).join(" · ");
}
