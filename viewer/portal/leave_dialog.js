/*
 * Asks how to leave a PC: keep it running, or log out.
 */
import { byId } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {"disconnect" | "logout" | "stay"} Choice */

export class LeaveDialog {
	#dialog = /** @type {HTMLDialogElement} */ (byId("leave"));
	#name = "";
	/** @type {((choice: Choice) => void) | null} */
	#answer = null;

	constructor() {
		byId("confirm-disconnect").addEventListener("click", () => this.#finish("disconnect"));
		byId("confirm-logout").addEventListener("click", () => this.#finish("logout"));
		byId("leave-stay").addEventListener("click", () => this.#finish("stay"));
		this.#dialog.addEventListener("cancel", (event) => {
			event.preventDefault();
			this.#finish("stay");
		});
		onLanguage(() => this.#showTitle());
	}

	/**
	 * @param {string} name of the PC
	 * @param {boolean} connected whether there is a connection to leave without ending the session
	 * @returns {Promise<Choice>}
	 */
	ask(name, connected) {
		this.#finish("stay");
		this.#name = name;
		this.#showTitle();
		byId("confirm-disconnect").hidden = !connected;
		byId("leave-stay").textContent = t(connected ? "end.stay" : "app.cancel");
		this.#dialog.showModal();
		byId("leave-stay").focus();
		return new Promise((resolve) => {
			this.#answer = resolve;
		});
	}

	#showTitle() {
		byId("leave-title").textContent = t("end.title", { name: this.#name });
	}

	/** @param {Choice} choice */
	#finish(choice) {
		const resolve = this.#answer;
		this.#answer = null;
		if (this.#dialog.open)
			this.#dialog.close();
		resolve?.(choice);
	}
}
