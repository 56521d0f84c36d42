/*
 * Asks how to leave a PC: keep the connection at the gateway, or end it; and whether to end one that is kept.
 */
import { byId } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {"disconnect" | "end" | "stay"} Choice */

export class LeaveDialog {
	#leave = /** @type {HTMLDialogElement} */ (byId("leave"));
	#end = /** @type {HTMLDialogElement} */ (byId("end"));
	#name = "";
	/** @type {((choice: Choice) => void) | null} */
	#answer = null;

	constructor() {
		byId("confirm-disconnect").addEventListener("click", () => this.#finish("disconnect"));
		for (const id of ["confirm-logout", "end-confirm"])
			byId(id).addEventListener("click", () => this.#finish("end"));
		for (const id of ["leave-stay", "end-cancel"])
			byId(id).addEventListener("click", () => this.#finish("stay"));
		for (const dialog of [this.#leave, this.#end]) {
			dialog.addEventListener("cancel", (event) => {
				event.preventDefault();
				this.#finish("stay");
			});
		}
		onLanguage(() => this.#showTitles());
	}

	/**
	 * For a PC that is on the screen.
	 * @param {string} name of the PC
	 * @returns {Promise<Choice>}
	 */
	ask(name) {
		return this.#show(name, this.#leave, "leave-stay");
	}

	/**
	 * For a connection that the gateway keeps.
	 * @param {string} name of the PC
	 * @returns {Promise<boolean>} whether to end it
	 */
	async confirmEnd(name) {
		return await this.#show(name, this.#end, "end-cancel") === "end";
	}

	/**
	 * @param {string} name
	 * @param {HTMLDialogElement} dialog
	 * @param {string} focus the choice that changes nothing
	 * @returns {Promise<Choice>}
	 */
	#show(name, dialog, focus) {
		this.#finish("stay");
		this.#name = name;
		this.#showTitles();
		dialog.showModal();
		byId(focus).focus();
		return new Promise((resolve) => {
			this.#answer = resolve;
		});
	}

	#showTitles() {
		byId("leave-title").textContent = t("end.title", { name: this.#name });
		byId("end-title").textContent = t("end.confirm", { name: this.#name });
	}

	/** @param {Choice} choice */
	#finish(choice) {
		const resolve = this.#answer;
		this.#answer = null;
		for (const dialog of [this.#leave, this.#end]) {
			if (dialog.open)
				dialog.close();
		}
		resolve?.(choice);
	}
}
