/*
 * The keys of the player.
 */

/**
 * @typedef {"toggle" | "pause" | "back" | "forward" | "back-more" | "forward-more" | "back-most" | "forward-most"
 *   | "frame-back" | "frame-forward" | "begin" | "end" | "faster" | "slower" | "event-back" | "event-forward" | "skip-idle"
 *   | "pointer" | "monitor" | "events" | "note" | "sound" | "full" | "help" | "begin-part" | "end-part" | "export"
 *   | `part-${number}`} Command
 */

/** @type {Readonly<Record<string, Command>>} */
const KEYS = Object.freeze({
	" ": "toggle",
	k: "toggle",
	j: "back-more",
	l: "forward-more",
	ArrowLeft: "back",
	ArrowRight: "forward",
	ArrowUp: "faster",
	ArrowDown: "slower",
	PageUp: "back-most",
	PageDown: "forward-most",
	",": "frame-back",
	".": "frame-forward",
	"<": "slower",
	">": "faster",
	Home: "begin",
	End: "end",
	n: "event-forward",
	b: "event-back",
	s: "skip-idle",
	p: "pointer",
	m: "monitor",
	e: "events",
	a: "note",
	v: "sound",
	f: "full",
	"[": "begin-part",
	"]": "end-part",
	x: "export",
	"?": "help",
});

/** What the help lists, in its order: keys, and the rest of the text's key. */
export const HELP = Object.freeze(/** @type {const} */ ([
	["Space  K", "player-key.toggle"], ["←  →", "player-key.arrows"], ["J  L", "player-key.more"],
	["Page ↑  Page ↓", "player-key.most"], [",  .", "player-key.frames"], ["↑  ↓", "player-key.speed"],
	["Home  End", "player-key.ends"], ["1 … 9", "player-key.parts"], ["B  N", "player-key.events"], ["S", "player-key.skip"],
	["P", "player-key.pointer"], ["V", "player-key.sound"], ["M", "player-key.monitor"], ["E", "player-key.list"], ["A", "player-key.note"], ["F", "player-key.full"],
	["[  ]", "player-key.part"], ["X", "player-key.export"], ["?", "player-key.help"],
]));

/** Elements to which some keys belong. @param {EventTarget | null} target */
function ownKeys(target) {
	if (!(target instanceof HTMLElement))
		return "";
	if (target.closest("dialog, [role=menu]") || target.matches("input, textarea, select"))
		return "all";
	return target.matches("button, a, summary") ? "press" : "";
}

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "isComposing" | "target">} event
 * @returns {Command | null} null: the key is the browser's or the element's
 */
export function commandOf({ key, ctrlKey, altKey, metaKey, isComposing, target }) {
	if (ctrlKey || altKey || metaKey || isComposing)
		return null;
	const own = ownKeys(target);
	if (own === "all" || (own === "press" && key === " "))
		return null;
	/* Full-width letters of an input method count as what is on the key. */
	const plain = key.length === 1 ? key.normalize("NFKC").toLowerCase() : key;
	if (/^[1-9]$/.test(plain))
		return `part-${Number(plain)}`;
	return Object.hasOwn(KEYS, plain) ? KEYS[plain] : null;
}
