/*
 * Renews the certificate of the device in use: a file with a password that is shown once.
 */
import { byId, setText } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { formatDate, onLanguage, t } from "./i18n.js";
import { MessageBox } from "./message_box.js";
import { saveFile } from "./save_file.js";

/** @typedef {import("../core/api.js").Renewed} Renewed */

/**
 * The name of a file on every system, from the name of a device.
 * @param {string} device
 */
export function fileName(device) {
	const safe = device.replace(/[\u0000-\u001f\u007f"*/:<>?\\|]/g, "_").replace(/^[. ]+|[. ]+$/g, "");
	return `${safe || "sekisho"}.p12`;
}

export class RenewDialog {
	#api;
	#actions;
	#dialog = /** @type {HTMLDialogElement} */ (byId("renew"));
	#compatible = /** @type {HTMLInputElement} */ (byId("renew-compatible"));
	#submit = /** @type {HTMLButtonElement} */ (byId("renew-submit"));
	#message = new MessageBox(byId("renew-error"));
	#busy = false;
	#file = "";
	#until = 0;
	/** @type {Blob | null} */
	#content = null;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {{renewed: () => void, loggedOut: (error: unknown) => void}} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		byId("renew-form").addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#renew();
		});
		byId("renew-cancel").addEventListener("click", () => this.close());
		byId("renew-close").addEventListener("click", () => this.close());
		byId("renew-again").addEventListener("click", () => this.#save());
		this.#dialog.addEventListener("cancel", (event) => {
			event.preventDefault();
			/* A key pressed too much must not take the password away. */
			if (!this.#busy && !this.#content)
				this.close();
		});
		addEventListener("pagehide", () => this.#forget());
		onLanguage(() => this.#show());
	}

	/** @param {string} device its name */
	open(device) {
		this.#forget();
		this.#file = fileName(device);
		this.#compatible.checked = false;
		this.#message.clear();
		this.#show();
		this.#dialog.showModal();
		byId("renew-cancel").focus();
	}

	close() {
		this.#forget();
		if (this.#dialog.open)
			this.#dialog.close();
	}

	#forget() {
		this.#content = null;
		byId("renew-password").textContent = "";
		byId("renew-result").hidden = true;
		byId("renew-form").hidden = false;
		this.#dialog.setAttribute("aria-labelledby", "renew-title");
	}

	#show() {
		setText(byId("renew-busy"), this.#busy ? t("renew.busy") : "");
		setText(byId("renew-file"), this.#file);
		setText(byId("renew-until"), this.#until ? t("renew.until", { date: formatDate(this.#until) }) : "");
	}

	async #renew() {
		if (this.#busy)
			return;
		this.#setBusy(true);
		try {
			const renewed = await this.#api.renewDevice(this.#compatible.checked);
			/* Logged out meanwhile. */
			if (!this.#dialog.open)
				return;
			this.#renewed(renewed);
		} catch (error) {
			if (isLoggedOut(error)) {
				this.close();
				this.#actions.loggedOut(error);
			} else {
				this.#message.fail(error);
			}
		} finally {
			this.#setBusy(false);
		}
	}

	/** @param {Renewed} renewed */
	#renewed(renewed) {
		const bytes = Uint8Array.from(atob(renewed.file), (character) => character.charCodeAt(0));
		this.#content = new Blob([bytes], { type: "application/x-pkcs12" });
		this.#until = renewed.until;
		byId("renew-password").textContent = renewed.password;
		byId("renew-form").hidden = true;
		byId("renew-result").hidden = false;
		byId("renew-ready").focus();
		this.#dialog.setAttribute("aria-labelledby", "renew-ready");
		this.#save();
		this.#actions.renewed();
	}

	#save() {
		if (this.#content)
			saveFile(this.#file, this.#content);
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#submit.disabled = busy;
		/** @type {HTMLButtonElement} */ (byId("renew-cancel")).disabled = busy;
		this.#show();
	}
}
