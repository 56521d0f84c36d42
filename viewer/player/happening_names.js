/*
 * The events of recordings that have a text of their own.
 */

/** How a mark looks. @typedef {"good" | "plain" | "note" | "warn" | "bad"} Weight */

/** @type {Readonly<Record<string, Weight>>} */
export const EVENTS = Object.freeze({
	began: "good",
	"viewer-joined": "plain",
	"viewer-left": "plain",
	"viewer-protocol": "warn",
	"watcher-joined": "warn",
	"watcher-left": "plain",
	"control-asked": "plain",
	"control-given": "warn",
	"control-refused": "plain",
	"control-ended": "plain",
	resize: "plain",
	locked: "warn",
	unlocked: "good",
	"idle-warning": "warn",
	"clipboard-blocked": "bad",
	"channel-refused": "bad",
	"certificate-trusted": "warn",
	"vault-reveal": "warn",
	ended: "plain",
	note: "note",
	"note-withdrawn": "plain",
	unknown: "plain",
});
