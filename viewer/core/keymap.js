/*
 * Scancodes for physical keys: noVNC's table with what RDP and Japanese keyboards need, and the key
 * combinations a person cannot type because the browser or the system keeps them.
 */
import KeyTable from "./novnc/input/keysym.js";
import XtScancode from "./novnc/input/xtscancodes.js";

/** @typedef {"ja" | "us"} Layout */
/** @typedef {{keysym: number, scancode: number}} Key */

/** @type {Record<string, number>} */
const scancodes = {
	...XtScancode,
	/* noVNC gives the code of SysRq (Alt+PrintScreen); the key alone is E0 37. */
	PrintScreen: 0xe037,
};

/* Apple's Japanese keyboards have かな and 英数 where PCs have カタカナひらがな and 英数. */
/** @type {Record<string, number>} */
const japanese = {
	Lang1: 0x70,
	Lang2: 0x3a,
};

/**
 * XT set 1 scancode of a KeyboardEvent.code, extended ones with 0xe000; 0 when there is none.
 * @param {string} code
 * @param {Layout} layout
 */
export function scancodeOf(code, layout) {
	if (layout === "ja" && Object.hasOwn(japanese, code))
		return japanese[code];
	return Object.hasOwn(scancodes, code) ? scancodes[code] : 0;
}

/**
 * Keys whose release some browsers never report: it is sent at once (docs/protocol.md, "Input").
 * @type {ReadonlySet<number>}
 */
export const WITHOUT_RELEASE = new Set([
	KeyTable.XK_Zenkaku_Hankaku, KeyTable.XK_Zenkaku, KeyTable.XK_Hankaku, KeyTable.XK_Eisu_toggle,
	KeyTable.XK_Katakana, KeyTable.XK_Hiragana, KeyTable.XK_Hiragana_Katakana, KeyTable.XK_Romaji,
	KeyTable.XK_Kana_Shift, KeyTable.XK_Kana_Lock,
]);

/**
 * @param {number} keysym
 * @param {number} scancode
 * @returns {Key}
 */
function key(keysym, scancode) {
	return { keysym, scancode };
}

const CONTROL = key(KeyTable.XK_Control_L, 0x1d);
const ALT = key(KeyTable.XK_Alt_L, 0x38);
const SHIFT = key(KeyTable.XK_Shift_L, 0x2a);
const SUPER = key(KeyTable.XK_Super_L, 0xe05b);
const ESCAPE = key(KeyTable.XK_Escape, 0x01);
const TAB = key(KeyTable.XK_Tab, 0x0f);

/**
 * Pressed in order, let go in reverse.
 * @type {Readonly<Record<string, readonly Key[]>>}
 */
export const COMBINATIONS = Object.freeze({
	"ctrl-alt-del": [CONTROL, ALT, key(KeyTable.XK_Delete, 0xe053)],
	"ctrl-shift-esc": [CONTROL, SHIFT, ESCAPE],
	"alt-tab": [ALT, TAB],
	"alt-f4": [ALT, key(KeyTable.XK_F4, 0x3e)],
	"win": [SUPER],
	"esc": [ESCAPE],
	"print-screen": [key(KeyTable.XK_Print, 0xe037)],
	"f11": [key(KeyTable.XK_F11, 0x57)],
	"ctrl-w": [CONTROL, key(KeyTable.XK_w, 0x11)],
	"ctrl-n": [CONTROL, key(KeyTable.XK_n, 0x31)],
	"ctrl-t": [CONTROL, key(KeyTable.XK_t, 0x14)],
});

/**
 * Keys of Japanese keyboards for people whose keyboard has none.
 * @type {Readonly<Record<string, readonly Key[]>>}
 */
export const JAPANESE_KEYS = Object.freeze({
	"zenkaku": [key(KeyTable.XK_Zenkaku_Hankaku, 0x29)],
	"henkan": [key(KeyTable.XK_Henkan, 0x79)],
	"muhenkan": [key(KeyTable.XK_Muhenkan, 0x7b)],
	"hiragana": [key(KeyTable.XK_Hiragana_Katakana, 0x70)],
});
