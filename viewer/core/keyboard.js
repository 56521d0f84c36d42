/*
 * The keyboard of a desktop. Keys go to the PC as keysym and scancode (noVNC's Keyboard knows the quirks of
 * the systems); with the local input method on, what is composed here goes as text instead.
 */
import NoVncKeyboard from "./novnc/input/keyboard.js";
import { scancodeOf, WITHOUT_RELEASE } from "./keymap.js";

/** @typedef {import("./keymap.js").Layout} Layout */
/** @typedef {import("./keymap.js").Key} Key */
/**
 * @typedef {object} KeyboardEvents
 * @property {(keysym: number, scancode: number, down: boolean) => void} key
 * @property {(text: string) => void} text
 * @property {() => void} release every key that is down is let go
 * @property {() => void} leave the person wants to get out of the desktop, to the tool bar
 */

/** Most bytes of UTF-8 in one text message. */
const TEXT_MAX = 1024;

/** Keys that switch the local input method: they stay here while it is on. */
const IME_CODES = new Set(["Convert", "NonConvert", "KanaMode", "Lang1", "Lang2", "Lang3", "Lang4", "Lang5"]);
const IME_KEYS = new Set(["Zenkaku", "Hankaku", "ZenkakuHankaku", "KanjiMode", "Eisu", "Alphanumeric",
	"Hiragana", "Katakana", "HiraganaKatakana", "Romaji", "KanaMode", "Convert", "NonConvert", "Process"]);

/** Keys that neither make nor end a character. */
const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock"]);

/**
 * Cuts text into parts of at most max bytes of UTF-8, between code points.
 * @param {string} text
 * @param {number} max
 */
export function splitText(text, max = TEXT_MAX) {
	const parts = [];
	let part = "";
	let bytes = 0;
	for (const character of text.replaceAll("\0", "")) {
		const size = new TextEncoder().encode(character).length;
		if (bytes + size > max) {
			parts.push(part);
			part = "";
			bytes = 0;
		}
		part += character;
		bytes += size;
	}
	if (part)
		parts.push(part);
	return parts;
}

/**
 * Whether a key event belongs to the local input method.
 * @param {KeyboardEvent} event
 */
export function belongsToIme(event) {
	/* keyCode 229: the input method takes this key (UI Events §7.3.1); Safari reports it after composing too. */
	return event.isComposing || event.keyCode === 229 || IME_CODES.has(event.code) || IME_KEYS.has(event.key);
}

export class Keyboard {
	#stage;
	#input;
	#events;
	/** @type {Layout} */
	#layout;
	#keys;
	#ime = false;
	#composing = false;
	/* The key before was a dead one: an accent that waits for its letter. */
	#dead = false;
	#grabbed = false;
	#abort = new AbortController();

	/**
	 * @param {HTMLElement} stage focusable; holds the canvas and the input
	 * @param {HTMLTextAreaElement} input inside stage, for the local input method
	 * @param {Layout} layout
	 * @param {KeyboardEvents} events
	 */
	constructor(stage, input, layout, events) {
		this.#stage = stage;
		this.#input = input;
		this.#layout = layout;
		this.#events = events;
		this.#keys = new NoVncKeyboard(stage);
		/** @type {{onkeyevent: (keysym: number | null, code: string, down: boolean) => void}} */
		const source = this.#keys;
		source.onkeyevent = (keysym, code, down) => this.#key(keysym ?? 0, code, down);
		this.#listen();
	}

	/** Whether the local input method is on. */
	get ime() {
		return this.#ime;
	}

	set ime(on) {
		this.#ime = on;
		this.#dead = false;
		this.#input.value = "";
		this.focus();
	}

	/** @param {Layout} layout */
	setLayout(layout) {
		this.#layout = layout;
	}

	focus() {
		(this.#ime ? this.#input : this.#stage).focus({ preventScroll: true });
	}

	/** From now on keys go to the PC. */
	grab() {
		if (!this.#grabbed)
			this.#keys.grab();
		this.#grabbed = true;
	}

	/** Keys stay in the page; what is down is let go. */
	ungrab() {
		if (this.#grabbed)
			this.#keys.ungrab();
		this.#grabbed = false;
		this.#events.release();
	}

	close() {
		this.ungrab();
		this.#abort.abort();
	}

	/**
	 * Presses keys in order and lets them go in reverse.
	 * @param {readonly Key[]} keys
	 */
	press(keys) {
		for (const { keysym, scancode } of keys)
			this.#events.key(keysym, scancode, true);
		for (const { keysym, scancode } of [...keys].reverse())
			this.#events.key(keysym, scancode, false);
	}

	#listen() {
		const { signal } = this.#abort;
		const stage = this.#stage;
		const input = this.#input;
		/* Before noVNC's own listeners: what is not for the PC never gets to them. */
		for (const type of /** @type {const} */ (["keydown", "keyup"]))
			stage.addEventListener(type, (event) => this.#filter(event), { signal, capture: true });
		stage.addEventListener("focusout", () => this.#release(), { signal });
		addEventListener("blur", () => this.#release(), { signal });
		document.addEventListener("visibilitychange", () => this.#release(), { signal });
		input.addEventListener("compositionstart", () => {
			this.#composing = true;
		}, { signal });
		input.addEventListener("compositionend", (event) => {
			this.#composing = false;
			this.#commit(event.data);
		}, { signal });
		/* The clipboard stays here, and so does what is dragged. */
		for (const type of ["paste", "drop"])
			input.addEventListener(type, (event) => event.preventDefault(), { signal });
		input.addEventListener("input", () => {
			if (!this.#composing)
				this.#commit(input.value);
		}, { signal });
	}

	/** @param {KeyboardEvent} event */
	#filter(event) {
		const home = event.code === "Home" && event.ctrlKey && event.altKey && !event.shiftKey;
		if (home) {
			event.preventDefault();
			event.stopImmediatePropagation();
			if (event.type === "keydown")
				this.#events.leave();
		} else if (this.#ime && event.type === "keydown" && this.#staysHere(event)) {
			event.stopImmediatePropagation();
		}
	}

	/**
	 * With the local input method on: what it takes, and a dead key with its letter, which are one character.
	 * @param {KeyboardEvent} event
	 */
	#staysHere(event) {
		if (belongsToIme(event))
			return true;
		if (MODIFIERS.has(event.key))
			return false;
		const accented = this.#dead && event.key.length === 1;
		this.#dead = event.key === "Dead";
		return this.#dead || accented;
	}

	/** @param {string} text */
	#commit(text) {
		this.#input.value = "";
		for (const part of splitText(text))
			this.#events.text(part);
	}

	/**
	 * @param {number} keysym
	 * @param {string} code
	 * @param {boolean} down
	 */
	#key(keysym, code, down) {
		const scancode = scancodeOf(code, this.#layout);
		if (!keysym && !scancode)
			return;
		if (WITHOUT_RELEASE.has(keysym)) {
			if (down)
				this.press([{ keysym, scancode }]);
			return;
		}
		this.#events.key(keysym, scancode, down);
	}

	#release() {
		if (!this.#grabbed)
			return;
		/* noVNC lets go what it knows to be down; the PC's side lets go what is left. */
		this.#keys.ungrab();
		this.#keys.grab();
		this.#events.release();
	}
}
