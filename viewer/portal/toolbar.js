/*
 * The tool bar of a desktop.
 */
import { COMBINATIONS, JAPANESE_KEYS } from "../core/keymap.js";
import { byId, setText } from "./dom.js";
import { scaleText } from "./figures_panel.js";
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
 * @property {(on: boolean) => void} sound
 * @property {() => void} second opens the window for a second screen
 * @property {() => void} disconnect
 * @property {() => void} logout
 * @property {() => void} help
 * @property {() => void} back the desktop gets the keyboard again
 */

export class Toolbar {
	#actions;
	#bar = byId("tools");
	#tab = byId("tool-show");
	#name = "";
	#monitor = 0;
	#ime = false;
	#connection = "connecting";
	#viewOnly = false;
	/** @type {import("../core/viewport.js").Layout | null} */
	#layout = null;
	#second = { offered: false, open: false };
	/** @type {import("../core/audio.js").SoundState} */
	#sound = "none";
	#fullScreen;
	/* Hidden for as long as full screen lasts, whatever the person prefers otherwise. */
	#autoHidden = false;
	/** @type {Popup[]} */
	#popups = [];

	/** @param {ToolActions} actions */
	constructor(actions) {
		this.#actions = actions;
		this.#fullScreen = new FullScreen((on) => this.#fullScreenChanged(on));
		this.#popups = ["keys-menu", "ime-menu", "view-pop"].map((panel) =>
			new Popup(byId(`tool-${panel.split("-")[0]}`), byId(panel), () => actions.back()));
		this.#listen();
		this.#choose("scaling", this.scaling);
		onLanguage(() => this.#show());
		this.#collapse(readPreference("toolbar") === "hidden");
	}

	/**
	 * @param {string} name of the PC
	 * @param {number} monitor
	 */
	open(name, monitor) {
		this.#name = name;
		this.#monitor = monitor;
		this.#layout = null;
		this.#second = { offered: false, open: false };
		this.#sound = "none";
		byId("view-desktop").dataset.monitor = String(monitor);
		this.setIme(false);
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
		const tools = this.#tools();
		(tools.find(({ id }) => id === "tool-keys") ?? tools[0]).focus();
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
		this.#connection = connection;
		this.#enable();
	}

	/** @param {boolean} on */
	setViewOnly(on) {
		byId("tool-view-only").hidden = !on;
		this.#viewOnly = on;
		this.#enable();
	}

	/**
	 * How the picture is shown.
	 * @param {import("../core/viewport.js").Layout} layout
	 */
	setPicture(layout) {
		this.#layout = layout;
		this.#showScale();
	}

	/** @param {{offered?: boolean, open?: boolean}} change */
	setSecond(change) {
		this.#second = { ...this.#second, ...change };
		this.#show();
	}

	/** @param {import("../core/audio.js").SoundState} state */
	setSound(state) {
		this.#sound = state;
		this.#show();
	}

	/** @param {boolean} local */
	setIme(local) {
		this.#ime = local;
		this.#show();
	}

	#enable() {
		const typing = this.#connection === "online" && !this.#viewOnly;
		const lives = this.#connection !== "ended";
		for (const [id, enabled] of /** @type {[string, boolean][]} */ ([["tool-keys", typing], ["tool-ime", typing],
			["tool-second", this.#connection === "online"], ["tool-figures", this.#connection === "online"],
			["tool-disconnect", lives], ["tool-logout", lives]]))
			/** @type {HTMLButtonElement} */ (byId(id)).disabled = !enabled;
	}

	#listen() {
		const actions = this.#actions;
		for (const item of byId("ime-menu").querySelectorAll("button"))
			item.addEventListener("click", () => {
				actions.ime(item.id === "ime-local");
				this.#popups[1].close();
			});
		byId("tool-fullscreen").addEventListener("click", () => {
			void this.#fullScreen.toggle();
			actions.back();
		});
		byId("tool-scale").addEventListener("click", () => {
			this.#setScaling(this.scaling === "fit" ? "scroll" : "fit");
			actions.back();
		});
		byId("tool-sound").addEventListener("click", () => actions.sound(this.#sound !== "on"));
		byId("tool-second").addEventListener("click", () => actions.second());
		byId("tool-help").addEventListener("click", () => actions.help());
		byId("tool-disconnect").addEventListener("click", () => actions.disconnect());
		byId("tool-close").addEventListener("click", () => actions.disconnect());
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
			if (input.name === "scaling")
				this.#setScaling(input.value === "scroll" ? "scroll" : "fit");
			if (input.name === "layout") {
				writePreference("layout", input.value);
				actions.layout(input.value === "us" ? "us" : "ja");
			}
		});
		this.#bar.addEventListener("keydown", (event) => this.#key(event));
	}

	/** @param {Scaling} scaling */
	#setScaling(scaling) {
		writePreference("scaling", scaling);
		this.#choose("scaling", scaling);
		this.#actions.scaling(scaling);
	}

	/** The buttons that can be seen and pressed. */
	#tools() {
		return /** @type {HTMLButtonElement[]} */ ([...this.#bar.querySelectorAll("button.tool:enabled")])
			.filter((tool) => tool.offsetParent !== null);
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
		const tools = this.#tools();
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
		setText(byId("tool-name"), this.#monitor > 0 ? t("second.name", { name: this.#name }) : this.#name);
		this.#bar.setAttribute("aria-label", t("tool.bar"));
		this.#showIme();
		this.#showScale();
		const full = byId("tool-fullscreen");
		full.setAttribute("aria-pressed", String(this.#fullScreen.on));
		full.title = t(this.#fullScreen.on ? "tool.windowed" : "tool.fullscreen");
		setText(byId("tool-fullscreen-text"), full.title);
		byId("tool-second").hidden = !this.#second.offered || this.#monitor > 0;
		byId("tool-second").setAttribute("aria-pressed", String(this.#second.open));
		this.#showSound();
		byId("keys-menu").replaceChildren(
			...this.#group(t("keys.windows"), "keys.", COMBINATIONS),
			...this.#group(t("keys.japanese"), "keys.", JAPANESE_KEYS));
	}

	#showSound() {
		const button = byId("tool-sound");
		button.hidden = this.#sound !== "off" && this.#sound !== "on";
		button.setAttribute("aria-pressed", String(this.#sound === "on"));
		button.title = t(this.#sound === "on" ? "tool.sound-off" : "tool.sound-on");
		byId("tool-no-sound").hidden = this.#sound !== "unsupported";
	}

	#showIme() {
		const button = byId("tool-ime");
		const name = t(this.#ime ? "tool.ime-local" : "tool.ime-pc");
		button.dataset.local = String(this.#ime);
		button.title = t(this.#ime ? "tool.ime-local-help" : "tool.ime-pc-help");
		setText(byId("tool-ime-text"), name);
		for (const [id, checked] of /** @type {[string, boolean][]} */ ([["ime-local", this.#ime], ["ime-pc", !this.#ime]]))
			byId(id).setAttribute("aria-checked", String(checked));
	}

	/* Only where the picture is larger than the window is there anything to choose. */
	#showScale() {
		const button = byId("tool-scale");
		const layout = this.#layout;
		button.hidden = !layout?.larger;
		if (!layout)
			return;
		button.setAttribute("aria-pressed", String(layout.scale === 1));
		setText(byId("tool-scale-text"), scaleText(layout.scale));
		button.title = t(layout.scale === 1 ? "tool.scale-fit" : "tool.scale-exact");
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
