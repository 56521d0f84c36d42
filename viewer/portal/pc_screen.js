/*
 * One screen of a PC in the page: the canvas with its session, keyboard, pointer and input method.
 */
import { Caret } from "../core/caret.js";
import { ClipboardWatch } from "../core/clipboard.js";
import { Cursor } from "../core/cursor.js";
import { Keyboard } from "../core/keyboard.js";
import { Pointer } from "../core/pointer.js";
import { Session } from "../core/session.js";
import { Viewport } from "../core/viewport.js";
import { ImeBox } from "./ime_box.js";

/** @typedef {import("../core/session.js").Status} Status */
/** @typedef {import("../core/keymap.js").Layout} KeyLayout */
/** @typedef {import("../core/viewport.js").Scaling} Scaling */
/**
 * What the person chose.
 * silent: nothing of what is done here goes to the PC.
 * @typedef {{layout: KeyLayout, scaling: Scaling, localIme: boolean, silent?: boolean}} Choices
 */
/**
 * @typedef {object} ScreenEvents
 * @property {(status: Status) => void} status
 * @property {(hello: {viewOnly: boolean, monitors: number}) => void} hello
 * @property {(layout: import("../core/viewport.js").Layout) => void} laidOut
 * @property {(kind: string, seconds: number) => void} notice
 * @property {(milliseconds: number, pcMilliseconds: number) => void} latency
 * @property {(figures: import("../core/meter.js").Figures) => void} figures
 * @property {(state: import("../core/audio.js").SoundState) => void} sound
 * @property {(watchers: import("../core/session.js").Watcher[]) => void} watchers
 * @property {(watching: import("../core/session.js").Watching) => void} watching
 * @property {() => void} pasted something of this device was to get to the PC, which it does not
 * @property {() => void} leave the person wants to get to the tool bar
 */

/** Whether this browser can show a desktop at all. */
export function canShow() {
	return "transferControlToOffscreen" in HTMLCanvasElement.prototype;
}

export class PcScreen {
	#stage;
	#canvas = document.createElement("canvas");
	#box;
	#session;
	#clipboard;
	#keyboard;
	#pointer;
	#cursor;
	#viewport;
	#caret = new Caret();
	#silent = false;

	/**
	 * @param {import("../core/session.js").Source} api
	 * @param {{id: string, monitor: number, codecs: number}} which codecs: as the session's
	 * @param {{frame: HTMLElement, stage: HTMLElement}} place
	 * @param {Choices} choices
	 * @param {ScreenEvents} events
	 */
	constructor(api, { id, monitor, codecs }, { frame, stage }, choices, events) {
		const canvas = this.#canvas;
		canvas.id = "desktop";
		this.#stage = stage;
		this.#silent = choices.silent === true;
		this.#box = new ImeBox(stage, canvas);
		stage.replaceChildren(canvas, this.#box.input);
		stage.dataset.scaling = choices.scaling;
		this.#cursor = new Cursor(canvas);
		const session = new Session(api, id, canvas, Viewport.wish(frame), {
			...events,
			size: (width, height) => this.#resized(width, height),
			cursor: (image) => this.#cursor.set(image),
			changed: (boxes) => this.#changed(boxes),
			bell: () => this.#bell(),
		}, monitor, codecs);
		this.#session = session;
		/* Before the keyboard, which takes its keys. */
		this.#clipboard = new ClipboardWatch(stage, (way) => {
			if (this.#silent)
				return;
			session.clipboard(way);
			events.pasted();
		});
		this.#keyboard = new Keyboard(stage, this.#box.input, choices.layout, {
			key: (keysym, scancode, down) => {
				if (this.#silent)
					return;
				session.key(keysym, scancode, down);
				if (down)
					this.#caret.typed(keysym, performance.now());
			},
			text: (text) => {
				if (this.#silent)
					return;
				session.text(text);
				this.#caret.typed(0, performance.now());
			},
			release: () => session.releaseKeys(),
			leave: () => events.leave(),
		});
		this.#pointer = new Pointer(canvas, {
			pointer: (message) => {
				if (!this.#silent)
					session.pointer(message);
			},
			pressed: (x, y) => this.#pressed(x, y),
		});
		this.#viewport = new Viewport(frame, canvas, {
			resized: ({ width, height }) => {
				/* Of one who looks on, also one who controls, the size is not asked for. */
				if (choices.silent !== true)
					session.resize(width, height);
			},
			laidOut: (layout) => {
				this.#cursor.refresh();
				this.#box.refresh();
				events.laidOut(layout);
			},
		});
		this.#viewport.setScaling(choices.scaling);
		if (choices.localIme)
			this.localIme = true;
	}

	/** The desktop to wish for in this frame, in device pixels. */
	static wish(/** @type {HTMLElement} */ frame) {
		return Viewport.wish(frame);
	}

	get session() {
		return this.#session;
	}

	set silent(/** @type {boolean} */ on) {
		this.#silent = on;
	}

	/** Whether the input method of this device writes. */
	set localIme(/** @type {boolean} */ on) {
		this.#keyboard.ime = on;
		this.#session.watchChanges(on);
	}

	/** @param {Scaling} scaling */
	setScaling(scaling) {
		this.#stage.dataset.scaling = scaling;
		this.#viewport.setScaling(scaling);
	}

	/** @param {KeyLayout} layout */
	setLayout(layout) {
		this.#keyboard.setLayout(layout);
	}

	/** @param {readonly import("../core/keymap.js").Key[]} keys */
	press(keys) {
		this.#keyboard.press(keys);
		this.#keyboard.focus();
	}

	focus() {
		this.#keyboard.focus();
	}

	/** @param {boolean} on keys go to the PC */
	grab(on) {
		if (on) {
			this.#keyboard.grab();
			return;
		}
		this.#keyboard.ungrab();
		this.#pointer.release();
		this.#cursor.reset();
	}

	/** @param {string} label what it is called to people who do not see it */
	setLabels(label, /** @type {string} */ input) {
		this.#stage.setAttribute("aria-label", label);
		this.#box.input.setAttribute("aria-label", input);
	}

	/** The session goes on at the gateway. */
	close() {
		this.#clipboard.close();
		this.#keyboard.close();
		this.#pointer.close();
		this.#viewport.close();
		this.#session.close();
		this.#stage.replaceChildren();
	}

	/**
	 * @param {number} width
	 * @param {number} height
	 */
	#resized(width, height) {
		this.#viewport.setDesktop(width, height);
		this.#pointer.setDesktop(width, height);
		this.#box.setDesktop(width);
	}

	/**
	 * @param {number} x in the desktop's pixels
	 * @param {number} y
	 */
	#pressed(x, y) {
		/* What is being composed belongs to where the person wrote, not to where the click goes. */
		if (this.#box.composing)
			this.#box.input.blur();
		this.#caret.clicked(x, y);
		this.#box.move(this.#caret.place);
		this.#keyboard.focus();
	}

	/** @param {import("../core/decoder.js").Rect[]} boxes */
	#changed(boxes) {
		if (!this.#box.composing && this.#caret.changed(boxes, performance.now()))
			this.#box.move(this.#caret.place);
	}

	/* Sound may be off or missing: a bell is a short flash. */
	#bell() {
		this.#stage.classList.remove("bell");
		requestAnimationFrame(() => this.#stage.classList.add("bell"));
	}
}
