/*
 * The card over the desktop: what is going on when there is no picture to work with, and what to do.
 */
import { byId, setText } from "./dom.js";

/** @typedef {"wait" | "lock" | "alert" | "check"} Icon */
/** @typedef {{id: string, text: string, primary?: boolean, run: () => void}} Action */
/**
 * @typedef {object} Card
 * @property {string} name of the situation; the focus moves when it changes
 * @property {Icon} icon
 * @property {string} title
 * @property {string} text
 * @property {string} [detail] may change every second, so it is not read aloud
 * @property {boolean} [unlock] asks for the password
 * @property {Action[]} actions
 */

export class Overlay {
	#element = byId("overlay");
	#actions = byId("overlay-actions");
	#unlock = /** @type {HTMLFormElement} */ (byId("unlock-form"));
	#shown = "";
	#buttons = "";

	/** @param {Card} card */
	show(card) {
		this.#element.hidden = false;
		this.#element.dataset.card = card.name;
		this.#element.dataset.icon = card.icon;
		byId("overlay-icon").querySelector("use")?.setAttribute("href", `#i-${card.icon}`);
		setText(byId("overlay-title"), card.title);
		setText(byId("overlay-text"), card.text);
		setText(byId("overlay-detail"), card.detail ?? "");
		this.#unlock.hidden = !card.unlock;
		this.#showActions(card.actions);
		if (this.#shown !== card.name) {
			this.#shown = card.name;
			const first = card.unlock ? byId("unlock-password") :
				this.#actions.querySelector("button");
			/** @type {HTMLElement | null} */ (first)?.focus();
		}
	}

	hide() {
		this.#element.hidden = true;
		this.#shown = "";
	}

	/** @param {Action[]} actions */
	#showActions(actions) {
		const now = actions.map(({ id, text }) => `${id}:${text}`).join("\n");
		/* Buttons that stay the same keep the focus; what they do is looked up when they are pressed. */
		this.#run = new Map(actions.map(({ id, run }) => [id, run]));
		if (this.#buttons === now)
			return;
		this.#buttons = now;
		const focused = document.activeElement?.id;
		this.#actions.replaceChildren(...actions.map(({ id, text, primary }) => {
			const button = document.createElement("button");
			button.type = "button";
			button.id = id;
			button.className = primary ? "button button-primary" : "button";
			button.textContent = text;
			button.addEventListener("click", () => this.#run.get(id)?.());
			return button;
		}));
		if (focused && this.#run.has(focused))
			byId(focused).focus();
	}

	/** @type {Map<string, () => void>} */
	#run = new Map();
}
