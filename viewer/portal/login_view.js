/*
 * The login page: account and password.
 */
import { ApiError } from "../core/api.js";
import { byId } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { onLanguage, t } from "./i18n.js";
import { MessageBox } from "./message_box.js";

/** @typedef {import("../core/api.js").Api} Api */
/**
 * What the gateway has just said about the device: that the page came up says nothing, because the browser may have kept
 * its connection.
 * @typedef {"unknown" | "registered" | "gone"} DeviceState
 */

export class LoginView {
	#api;
	#done;
	#form = /** @type {HTMLFormElement} */ (byId("login-form"));
	#account = /** @type {HTMLInputElement} */ (byId("account"));
	#password = /** @type {HTMLInputElement} */ (byId("password"));
	#button = /** @type {HTMLButtonElement} */ (byId("login"));
	#message = new MessageBox(byId("login-error"));
	#office = "";

	/**
	 * @param {Api} api
	 * @param {() => void} done the password was right: the code comes next
	 */
	constructor(api, done) {
		this.#api = api;
		this.#done = done;
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#submit();
		});
		onLanguage(() => this.#showOffice());
	}

	/**
	 * @param {unknown} [error] why the person has to log in again
	 * @param {DeviceState} [device]
	 */
	show(error, device = "unknown") {
		this.#password.value = "";
		this.#say(error, device);
		(this.#account.value ? this.#password : this.#account).focus();
	}

	/** @param {string} office */
	setOffice(office) {
		this.#office = office;
		this.#showOffice();
	}

	#showOffice() {
		byId("login-office").textContent = this.#office ? t("login.to", { office: this.#office }) : "";
	}

	async #submit() {
		if (!this.#account.value.trim()) {
			this.#refuse(this.#account, "login.need-account");
			return;
		}
		if (!this.#password.value) {
			this.#refuse(this.#password, "login.need-password");
			return;
		}
		this.#busy(true);
		try {
			await this.#api.login(this.#account.value.trim(), this.#password.value);
			this.#password.value = "";
			this.#message.clear();
			this.#done();
		} catch (error) {
			this.#failed(error);
			this.#password.select();
			this.#password.focus();
		} finally {
			this.#busy(false);
		}
	}

	/**
	 * Before a login, "auth" says that the device's certificate is not good any more; "login" comes only after it was
	 * found to be good.
	 * @param {unknown} error
	 */
	#failed(error) {
		const right = error instanceof ApiError && error.code === "login";
		this.#say(error, isLoggedOut(error) ? "gone" : right ? "registered" : "unknown");
	}

	/**
	 * @param {unknown} error undefined for none
	 * @param {DeviceState} device
	 */
	#say(error, device) {
		byId("login-device").hidden = device !== "registered";
		if (device === "gone")
			this.#message.say("login.device-gone");
		else if (error === undefined)
			this.#message.clear();
		else
			this.#message.fail(error);
	}

	/**
	 * @param {HTMLInputElement} input
	 * @param {import("./i18n.js").Key} key
	 */
	#refuse(input, key) {
		this.#message.say(key);
		input.focus();
	}

	/** @param {boolean} busy */
	#busy(busy) {
		this.#button.disabled = busy;
		this.#form.setAttribute("aria-busy", String(busy));
		this.#button.textContent = t(busy ? "login.busy" : "login.submit");
	}
}
