/*
 * Asks for the PC's own user name and password.
 */
import { byId } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/api.js").Credentials} Credentials */
/** @typedef {{credentials: Credentials, keep: boolean}} Answer */

export class CredentialsDialog {
	#dialog = /** @type {HTMLDialogElement} */ (byId("credentials"));
	#user = /** @type {HTMLInputElement} */ (byId("pc-user"));
	#password = /** @type {HTMLInputElement} */ (byId("pc-password"));
	#domain = /** @type {HTMLInputElement} */ (byId("pc-domain"));
	#keep = /** @type {HTMLInputElement} */ (byId("pc-keep"));
	#name = "";
	/** @type {((answer: Answer | null) => void) | null} */
	#answer = null;

	constructor() {
		byId("credentials-form").addEventListener("submit", (event) => {
			event.preventDefault();
			this.#finish({
				credentials: { user: this.#user.value.trim(), password: this.#password.value,
					domain: this.#domain.value.trim() },
				keep: this.#keep.checked,
			});
		});
		byId("credentials-cancel").addEventListener("click", () => this.#finish(null));
		this.#dialog.addEventListener("cancel", (event) => {
			event.preventDefault();
			this.#finish(null);
		});
		onLanguage(() => this.#showTitle());
	}

	/**
	 * @param {string} name of the PC
	 * @param {object} form
	 * @param {boolean} form.withUser VNC knows passwords only
	 * @param {boolean} [form.live] there is a connection that is ended first
	 * @param {boolean} [form.keep] another login is kept, which this one is to replace
	 * @returns {Promise<Answer | null>} null: the person does not want to
	 */
	ask(name, { withUser, live = false, keep = false }) {
		this.#finish(null);
		this.#name = name;
		this.#showTitle();
		byId("credentials-user-field").hidden = !withUser;
		byId("credentials-domain-field").hidden = !withUser;
		byId("credentials-live").hidden = !live;
		this.#keep.checked = keep;
		this.#dialog.showModal();
		(withUser ? this.#user : this.#password).focus();
		return new Promise((resolve) => {
			this.#answer = resolve;
		});
	}

	#showTitle() {
		byId("credentials-title").textContent = t("credentials.title", { name: this.#name });
	}

	/** @param {Answer | null} answer */
	#finish(answer) {
		const resolve = this.#answer;
		this.#answer = null;
		/* Nothing of it stays in the page. */
		for (const input of [this.#user, this.#password, this.#domain])
			input.value = "";
		this.#password.type = "password";
		this.#keep.checked = false;
		if (this.#dialog.open)
			this.#dialog.close();
		resolve?.(answer);
	}
}
