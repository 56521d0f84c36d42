/*
 * The events of recordings that have a text of their own.
 */

/** How a mark looks. @typedef {"good" | "plain" | "warn" | "bad"} Weight */

/** @type {Readonly<Record<string, Weight>>} */
export const EVENTS = Object.freeze({
	began: "good",
	"viewer-joined": "plain",
	"viewer-left": "plain",
	"viewer-protocol": "warn",
	"watcher-joined": "warn",
	"watcher-left": "plain",
	resize: "plain",
	locked: "warn",
	unlocked: "good",
	"idle-warning": "warn",
	"clipboard-blocked": "bad",
	"channel-refused": "bad",
	"pin-changed": "bad",
	reveal: "warn",
	ended: "plain",
	unknown: "plain",
});
