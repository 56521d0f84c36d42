/*
 * The tool bar of a desktop.
 */
import { COMBINATIONS, JAPANESE_KEYS } from "../core/keymap.js";
import { byId, setText } from "./dom.js";
import { FullScreen } from "./full_screen.js";
import { onLanguage, t } from "./i18n.js";
import { Popup } from "./popup.js";
import { readPreference, writePreference } from "./preferences.js";

/** @typedef {import("../core/keymap.js").Key} Key */
/** @typedef {import("../core/keymap.js").Layout} Layout */
/** @typedef {import("../core/viewport.js").Scaling} Scaling */
/**
 * @typedef {object} ToolActions
 * @property {(keys: readonly Key[]) => void} press
 * @property {(local: boolean) => void} ime
 * @property {(scaling: Scaling) => void} scaling
 * @property {(layout: Layout) => void} layout
 * @property {() => void} disconnect
 * @property {() => void} logout
 * @property {() => void} help
 * @property {() => void} back the desktop gets the keyboard again
 */

const LATENCIES = 3;
const GOOD_MS = 80;
const BAD_MS = 200;

export class Toolbar {
	#actions;
	#bar = byId("tools");
	#tab = byId("tool-show");
	#ime = false;
	#connection = "connecting";
	#viewOnly = false;
	/** @type {number[]} */
	#latencies = [];
	#fullScreen;
	/* Hidden for as long as full screen lasts, whatever the person prefers otherwise. */
	#autoHidden = false;
	/** @type {Popup[]} */
	#popups = [];

	/** @param {ToolActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#fullScreen = new FullScreen((on) => this.#fullScreenChanged(on));
		this.#popups = [
			new Popup(byId("tool-keys"), byId("keys-menu"), () => actions.back()),
			new Popup(byId("tool-view"), byId("view-pop"), () => actions.back()),
		];
		this.#listen();
		this.#choose("scaling", readPreference("scaling") ?? "fit");
		onLanguage(() => this.#show());
		this.#collapse(readPreference("toolbar") === "hidden");
	}

	/**
	 * @param {string} name of the PC
	 */
	open(name) {
		setText(byId("tool-name"), name);
		this.#bar.setAttribute("aria-label", t("tool.bar"));
		this.setIme(false);
		this.setLatency(null);
		this.setViewOnly(false);
	}

	close() {
		for (const popup of this.#popups)
			popup.close();
		void this.#fullScreen.leave();
	}

	/** Shows the bar and puts the focus into it. */
	focus() {
		this.#collapse(false);
		byId("tool-keys").focus();
	}

	/** @returns {Scaling} */
	get scaling() {
		return readPreference("scaling") === "scroll" ? "scroll" : "fit";
	}

	/** @param {Layout} layout */
	setLayout(layout) {
		this.#choose("layout", layout);
	}

	/**
	 * @param {string} connection for the colour
	 * @param {string} text
	 */
	setState(connection, text) {
		byId("tool-state").dataset.state = connection;
		setText(byId("tool-state-text"), text);
		if (connection !== "online")
			this.setLatency(null);
		this.#connection = connection;
		this.#enable();
	}

	/** @param {number | null} measured milliseconds */
	setLatency(measured) {
		const element = byId("tool-latency");
		element.hidden = measured === null;
		this.#latencies = measured === null ? [] : [...this.#latencies, measured].slice(-LATENCIES);
		if (measured === null)
			return;
		/* The smallest of the last few: one that waited behind a large picture says nothing about the way. */
		const milliseconds = Math.min(...this.#latencies);
		setText(element, t("state.latency", { ms: Math.round(milliseconds) }));
		element.dataset.quality = milliseconds <= GOOD_MS ? "good" : milliseconds <= BAD_MS ? "fair" : "bad";
	}

	/** @param {boolean} on */
	setViewOnly(on) {
		byId("tool-view-only").hidden = !on;
		this.#viewOnly = on;
		this.#enable();
	}

	#enable() {
		const typing = this.#connection === "online" && !this.#viewOnly;
		const lives = this.#connection !== "ended";
		for (const [id, enabled] of /** @type {[string, boolean][]} */ ([["tool-keys", typing],
			["tool-ime", typing], ["tool-disconnect", lives], ["tool-logout", lives]]))
			/** @type {HTMLButtonElement} */ (byId(id)).disabled = !enabled;
	}

	/** @param {boolean} local */
	setIme(local) {
		this.#ime = local;
		this.#show();
	}

	#listen() {
		const actions = this.#actions;
		byId("tool-ime").addEventListener("click", () => actions.ime(!this.#ime));
		byId("tool-fullscreen").addEventListener("click", () => {
			void this.#fullScreen.toggle();
			actions.back();
		});
		byId("tool-help").addEventListener("click", () => actions.help());
		byId("tool-disconnect").addEventListener("click", () => actions.disconnect());
		byId("tool-logout").addEventListener("click", () => actions.logout());
		byId("tool-hide").addEventListener("click", () => {
			writePreference("toolbar", "hidden");
			this.#collapse(true);
			actions.back();
		});
		this.#tab.addEventListener("click", () => {
			writePreference("toolbar", "shown");
			this.focus();
		});
		byId("view-pop").addEventListener("change", (event) => {
			const input = /** @type {HTMLInputElement} */ (event.target);
			if (input.name === "scaling" || input.name === "layout")
				writePreference(input.name, input.value);
			if (input.name === "scaling")
				actions.scaling(this.scaling);
			if (input.name === "layout")
				actions.layout(input.value === "us" ? "us" : "ja");
		});
		this.#bar.addEventListener("keydown", (event) => this.#key(event));
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const target = /** @type {HTMLElement} */ (event.target);
		if (event.key === "Escape") {
			this.#actions.back();
			return;
		}
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		if (!step || !target.classList.contains("tool"))
			return;
		const tools = /** @type {HTMLButtonElement[]} */ ([...this.#bar.querySelectorAll("button.tool:enabled")]);
		tools[(tools.indexOf(/** @type {HTMLButtonElement} */ (target)) + step + tools.length) % tools.length].focus();
		event.preventDefault();
	}

	/** @param {boolean} hidden */
	#collapse(hidden) {
		this.#autoHidden = false;
		this.#bar.hidden = hidden;
		this.#tab.hidden = !hidden;
	}

	/** @param {boolean} on */
	#fullScreenChanged(on) {
		if (on && !this.#bar.hidden) {
			this.#collapse(true);
			this.#autoHidden = true;
		} else if (!on && this.#autoHidden) {
			this.#collapse(false);
		}
		this.#show();
	}

	#show() {
		const ime = byId("tool-ime");
		ime.setAttribute("aria-pressed", String(this.#ime));
		ime.title = t(this.#ime ? "tool.ime-local-help" : "tool.ime-remote-help");
		setText(byId("tool-ime-text"), t(this.#ime ? "tool.ime-local" : "tool.ime-remote"));
		const full = byId("tool-fullscreen");
		full.setAttribute("aria-pressed", String(this.#fullScreen.on));
		full.title = t(this.#fullScreen.on ? "tool.windowed" : "tool.fullscreen");
		setText(byId("tool-fullscreen-text"), full.title);
		this.#bar.setAttribute("aria-label", t("tool.bar"));
		byId("keys-menu").replaceChildren(
			...this.#group(t("keys.windows"), "keys.", COMBINATIONS),
			...this.#group(t("keys.japanese"), "keys.", JAPANESE_KEYS));
	}

	/**
	 * @param {string} title
	 * @param {string} prefix of the keys in the locale
	 * @param {Readonly<Record<string, readonly Key[]>>} keys
	 */
	#group(title, prefix, keys) {
		const heading = document.createElement("p");
		heading.className = "pop-title";
		heading.textContent = title;
		const items = Object.entries(keys).map(([name, combination]) => {
			const item = document.createElement("button");
			item.type = "button";
			item.className = "pop-item";
			item.id = `key-${name}`;
			item.setAttribute("role", "menuitem");
			item.textContent = t(/** @type {import("./i18n.js").Key} */ (prefix + name));
			item.addEventListener("click", () => {
				this.#popups[0].close();
				this.#actions.press(combination);
			});
			return item;
		});
		return [heading, ...items];
	}

	/**
	 * @param {string} name of the radio buttons
	 * @param {string} value
	 */
	#choose(name, value) {
		for (const input of byId("view-pop").querySelectorAll(`input[name="${name}"]`)) {
			const radio = /** @type {HTMLInputElement} */ (input);
			radio.checked = radio.value === value;
		}
	}
}
