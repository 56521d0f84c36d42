/*
 * The password that opens a locked session, or a locked login, again.
 */
import { ApiError } from "../core/api.js";
import { byId } from "./dom.js";
import { MessageBox } from "./message_box.js";

/**
 * @typedef {object} UnlockActions
 * @property {(password: string) => Promise<() => Promise<void>>} unlock gives what to do once it is open
 * @property {(error: unknown) => void} loggedOut
 */

export class UnlockForm {
	#actions;
	#message = new MessageBox(byId("unlock-error"));

	/** @param {UnlockActions} actions */
	constructor(actions) {
		this.#actions = actions;
		byId("unlock-form").addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#submit();
		});
	}

	async #submit() {
		const input = /** @type {HTMLInputElement} */ (byId("unlock-password"));
		const button = /** @type {HTMLButtonElement} */ (byId("unlock"));
		const password = input.value;
		input.value = "";
		if (!password) {
			this.#message.say("login.need-password");
			return;
		}
		button.disabled = true;
		try {
			const go = await this.#actions.unlock(password);
			this.#message.clear();
			await go();
		} catch (error) {
			if (error instanceof ApiError && error.code === "auth")
				this.#actions.loggedOut(error);
			else if (error instanceof ApiError && error.code === "login")
				this.#message.say("locked.wrong");
			else
				this.#message.fail(error);
			input.focus();
		} finally {
			button.disabled = false;
		}
	}
}
