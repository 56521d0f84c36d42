/*
 * The second step of the login: six digits, sent as soon as they are all there.
 */
import { ApiError } from "../core/api.js";
import { byId } from "./dom.js";
import { t } from "./i18n.js";
import { MessageBox } from "./message_box.js";
import { readCodeUntil, writeCodeUntil } from "./preferences.js";

/** @typedef {import("../core/api.js").Api} Api */
/** @typedef {import("../core/api.js").Me} Me */

const DIGITS = 6;

/* The cookie of the first step is good for so long (docs/protocol.md §1). Scripts cannot see it, so that the
 * page notes when it came: a reload then stays at this step. */
const STEP_MS = 5 * 60 * 1000;

/**
 * The digits of a code as typed or pasted; input methods give full-width ones.
 * @param {string} text
 */
export function digitsOf(text) {
	return text.normalize("NFKC").replace(/[^0-9]/g, "").slice(0, DIGITS);
}

export class CodeView {
	#api;
	#done;
	#expired;
	#form = /** @type {HTMLFormElement} */ (byId("code-form"));
	#code = /** @type {HTMLInputElement} */ (byId("code"));
	#button = /** @type {HTMLButtonElement} */ (byId("verify"));
	#message = new MessageBox(byId("code-error"));
	#busy = false;

	/**
	 * @param {Api} api
	 * @param {(me: Me) => void} done
	 * @param {(error?: unknown) => void} expired back to the password
	 */
	constructor(api, done, expired) {
		this.#api = api;
		this.#done = done;
		this.#expired = expired;
		this.#code.addEventListener("input", (event) => this.#typed(/** @type {InputEvent} */ (event)));
		this.#code.addEventListener("compositionend", () => this.#clean());
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#submit();
		});
		byId("code-back").addEventListener("click", () => expired());
	}

	/** Whether the password was right a moment ago and the code is what is missing. */
	get expected() {
		return readCodeUntil() > Date.now();
	}

	/** The password was right. */
	expect() {
		if (!this.expected)
			writeCodeUntil(Date.now() + STEP_MS);
	}

	forget() {
		writeCodeUntil(0);
	}

	show() {
		this.#code.value = "";
		this.#message.clear();
		this.#code.focus();
	}

	/** @param {InputEvent} event */
	#typed(event) {
		/* While an input method composes, changing the value would disturb it. */
		if (!event.isComposing)
			this.#clean();
	}

	#clean() {
		const digits = digitsOf(this.#code.value);
		if (this.#code.value !== digits)
			this.#code.value = digits;
		if (digits.length === DIGITS)
			void this.#submit();
	}

	async #submit() {
		if (this.#busy)
			return;
		const code = digitsOf(this.#code.value);
		if (code.length !== DIGITS) {
			this.#message.say("code.need");
			this.#code.focus();
			return;
		}
		this.#setBusy(true);
		try {
			this.#done(await this.#api.totp(code));
			this.#message.clear();
		} catch (error) {
			this.#failed(error);
		} finally {
			this.#code.value = "";
			this.#setBusy(false);
		}
	}

	/** @param {unknown} error */
	#failed(error) {
		if (error instanceof ApiError && (error.code === "auth" || error.code === "locked")) {
			this.#expired(error);
			return;
		}
		this.#message.fail(error);
		this.#code.focus();
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#button.disabled = busy;
		this.#form.setAttribute("aria-busy", String(busy));
		this.#button.textContent = t(busy ? "login.busy" : "code.submit");
	}
}
