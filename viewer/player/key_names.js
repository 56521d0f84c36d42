/*
 * Recorded keys as people read them.
 */

/* X11 keysyms (keysymdef.h) that have a name on the key and no character. */
const NAMES = new Map([
	[0xff08, "⌫"], [0xff09, "Tab"], [0xff0d, "Enter"], [0xff1b, "Esc"], [0xff63, "Insert"], [0xffff, "Delete"],
	[0xff50, "Home"], [0xff57, "End"], [0xff55, "PageUp"], [0xff56, "PageDown"], [0xff51, "←"], [0xff52, "↑"],
	[0xff53, "→"], [0xff54, "↓"], [0xff13, "Pause"], [0xff14, "ScrollLock"], [0xff61, "PrintScreen"], [0xff67, "Menu"],
	[0xff7f, "NumLock"], [0xffe5, "CapsLock"], [0xff8d, "Enter"], [0xff21, "Kanji"], [0xff22, "Muhenkan"],
	[0xff23, "Henkan"], [0xff26, "Katakana"], [0xff27, "Kana"], [0xff2a, "Zenkaku/Hankaku"], [0xff30, "Eisu"],
]);
const MODIFIERS = new Map([
	[0xffe1, "Shift"], [0xffe2, "Shift"], [0xffe3, "Ctrl"], [0xffe4, "Ctrl"], [0xffe7, "Meta"], [0xffe8, "Meta"],
	[0xffe9, "Alt"], [0xffea, "Alt"], [0xffeb, "Win"], [0xffec, "Win"], [0xfe03, "AltGr"],
]);
const [F1, F24] = [0xffbe, 0xffd5];
const [PAD_STAR, PAD_NINE, PAD_EQUAL] = [0xffaa, 0xffb9, 0xffbd];
const UNICODE = 0x01000000;
/** In place of a key while a password may be typed. */
const MASKED = "•";

/** @typedef {import("./batch.js").Stroke} Stroke */
/** One thing to show; plain: characters, which go together. @typedef {{text: string, plain: boolean, timeUs: number}} Label */

/** @param {number} keysym */
function characterOf(keysym) {
	if ((keysym > 0x20 && keysym < 0x7f) || (keysym >= 0xa0 && keysym <= 0xff))
		return String.fromCharCode(keysym);
	if (keysym >= PAD_STAR && keysym <= PAD_NINE || keysym === PAD_EQUAL)
		return String.fromCharCode(keysym & 0x7f);
	const unicode = keysym - UNICODE;
	return unicode > 0x20 && unicode <= 0x10ffff && (unicode < 0xd800 || unicode > 0xdfff) ? String.fromCodePoint(unicode) : "";
}

/** Follows the modifiers, and says what to show of each stroke. */
export class KeyNames {
	/** @type {Set<string>} */
	#held = new Set();

	clear() {
		this.#held.clear();
	}

	/**
	 * @param {Stroke} stroke
	 * @returns {Label | null} null: nothing to show
	 */
	label({ timeUs, keysym, down, text }) {
		if (text)
			return { text, plain: true, timeUs };
		const modifier = MODIFIERS.get(keysym);
		if (modifier) {
			if (down)
				this.#held.add(modifier);
			else
				this.#held.delete(modifier);
			return null;
		}
		if (!down)
			return null;
		if (keysym === 0)
			return { text: MASKED, plain: true, timeUs };
		const name = NAMES.get(keysym) ?? (keysym >= F1 && keysym <= F24 ? `F${keysym - F1 + 1}` : "");
		const character = keysym === 0x20 ? "␣" : characterOf(keysym);
		if (!name && !character)
			return null;
		const held = [...this.#held].filter((one) => name || one !== "Shift");
		if (character && held.length === 0)
			return { text: character, plain: true, timeUs };
		return { text: [...held, name || character.toUpperCase()].join("+"), plain: false, timeUs };
	}
}
