/*
 * For whom and what for somebody connects: kept with the session, for the office's supervision. Whether it is asked for
 * at all is the office's choice (session.ask_client).
 */
import { byId, setText, showMessage } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/api.js").Me} Me */

/* Bytes of UTF-8 that the gateway takes. */
const BYTES_MAX = 256;

export class ClientField {
	#field = byId("client-field");
	#input = /** @type {HTMLInputElement} */ (byId("client"));
	/** @type {Me["ask_client"]} */
	#ask = "no";
	/** @type {"" | "menu.client-needed" | "menu.client-long"} */
	#wrong = "";

	constructor() {
		this.#input.addEventListener("input", () => this.#say(""));
		onLanguage(() => this.#show());
	}

	/** @param {Me} me */
	show(me) {
		this.#ask = me.ask_client;
		this.#say("");
	}

	clear() {
		this.#input.value = "";
		this.#say("");
	}

	/**
	 * What was entered, in one way of writing letters and digits, so that it is found again.
	 * @returns {string | null} null: it cannot be left so, and the person is told
	 */
	value() {
		const text = this.#ask === "no" ? "" : this.#input.value.normalize("NFKC").trim();
		if (this.#ask === "required" && text === "")
			this.#say("menu.client-needed");
		else if (new TextEncoder().encode(text).length > BYTES_MAX)
			this.#say("menu.client-long");
		else
			return text;
		this.#input.focus();
		return null;
	}

	/** @param {"" | "menu.client-needed" | "menu.client-long"} wrong */
	#say(wrong) {
		this.#wrong = wrong;
		this.#show();
	}

	#show() {
		this.#field.hidden = this.#ask === "no";
		setText(byId("client-label"), t(this.#ask === "required" ? "menu.client-required" : "menu.client"));
		this.#input.required = this.#ask === "required";
		this.#input.setAttribute("aria-invalid", String(this.#wrong !== ""));
		showMessage(byId("client-error"), this.#wrong ? t(this.#wrong) : "");
	}
}
