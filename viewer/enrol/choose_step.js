/*
 * The second step: a file from the gateway, or a key that the device makes itself.
 */
import { UNIX_NEW, WINDOWS_NEW, ownSystem, unixCa, unixEst, windowsInf } from "./commands.js";
import { offer } from "./download.js";
import { byId, setText, showMessage } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";
import { Tabs } from "./tabs.js";
import { Trouble } from "./trouble.js";

/** @typedef {import("./api.js").Order} Order */

/* The gateway takes at most 12 KiB. */
const CSR_MAX = 12288;

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
	let text = "";
	for (const byte of bytes)
		text += String.fromCharCode(byte);
	return btoa(text);
}

/**
 * A request's file as text: PEM and base64 as they are (certreq may write UTF-16), DER as base64.
 * @param {Uint8Array} bytes
 */
export function requestText(bytes) {
	if (bytes[0] === 0xff && bytes[1] === 0xfe)
		return new TextDecoder("utf-16le").decode(bytes);
	return bytes[0] === 0x30 && bytes[1] & 0x80 ? toBase64(bytes) : new TextDecoder().decode(bytes);
}

export class ChooseStep {
	trouble = new Trouble(byId("choose-error"));
	#form = /** @type {HTMLFormElement} */ (byId("choose-form"));
	#button = /** @type {HTMLButtonElement} */ (byId("choose-submit"));
	#compatible = /** @type {HTMLInputElement} */ (byId("compatible"));
	#csr = /** @type {HTMLTextAreaElement} */ (byId("csr"));
	#file = /** @type {HTMLInputElement} */ (byId("csr-file"));
	#tabs;
	#done;
	#windows = true;
	#again = false;
	#failed = false;

	/** @param {(order: Order) => Promise<boolean>} done false: it failed, and may be tried again */
	constructor(done) {
		this.#done = done;
		this.#tabs = new Tabs(["tab-windows", "tab-unix"], (id) => {
			this.#windows = id === "tab-windows";
		});
		this.#tabs.choose(ownSystem() === "windows" ? "tab-windows" : "tab-unix");
		this.#form.addEventListener("change", () => this.#show());
		this.#file.addEventListener("change", () => void this.#readFile());
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#submit();
		});
		byId("windows-new").textContent = WINDOWS_NEW;
		byId("unix-new").textContent = UNIX_NEW;
		byId("unix-ca").textContent = unixCa(location.origin);
		onLanguage(() => this.#show());
	}

	/**
	 * @param {string} code
	 * @param {"none" | "file" | "request"} kind what was asked for before with this code
	 */
	start(code, kind) {
		byId("unix-est").textContent = unixEst(location.origin, code);
		this.#again = kind !== "none";
		if (kind !== "none")
			this.#choose(kind);
		byId("ways").hidden = this.#again;
		this.#failed = false;
		this.trouble.clear();
		this.#show();
	}

	wipe() {
		byId("unix-est").textContent = "";
		this.#csr.value = "";
		this.#file.value = "";
	}

	/** @returns {"file" | "request"} */
	get #way() {
		return new FormData(this.#form).get("way") === "request" ? "request" : "file";
	}

	/** @param {"file" | "request"} way */
	#choose(way) {
		for (const input of this.#form.querySelectorAll('input[name="way"]')) {
			const radio = /** @type {HTMLInputElement} */ (input);
			radio.checked = radio.value === way;
		}
	}

	/** @returns {"tpm" | "store"} */
	get #place() {
		return new FormData(this.#form).get("place") === "store" ? "store" : "tpm";
	}

	#show() {
		const request = this.#way === "request";
		byId("request-part").hidden = !request;
		byId("file-part").hidden = request;
		byId("compatible-warning").hidden = !this.#compatible.checked;
		byId("inf").textContent = windowsInf(this.#place);
		offer(/** @type {HTMLAnchorElement} */ (byId("inf-save")), windowsInf(this.#place), "text/plain");
		showMessage(byId("choose-note"), !this.#again ? "" :
			t(request ? "enrol.again-request" : "enrol.again-file"));
		setText(this.#button, this.#failed ? t("enrol.again") :
			t(request ? "enrol.send-request" : "enrol.get-file"));
	}

	async #readFile() {
		const file = this.#file.files?.[0];
		if (!file)
			return;
		if (file.size > CSR_MAX) {
			this.trouble.say(() => t("enrol.error.csr"));
			return;
		}
		this.#csr.value = requestText(new Uint8Array(await file.arrayBuffer()));
		this.trouble.clear();
	}

	/** @returns {Order} */
	#order() {
		if (this.#way === "file")
			return { kind: "file", compatible: this.#compatible.checked };
		return { kind: "request", csr: this.#csr.value.trim(), key_place: this.#windows ? this.#place : "file" };
	}

	async #submit() {
		const order = this.#order();
		if (this.#button.disabled)
			return;
		if (order.kind === "request" && (!order.csr || order.csr.length > CSR_MAX)) {
			this.trouble.say(() => t(order.csr ? "enrol.error.csr" : "enrol.csr-empty"));
			this.#csr.focus();
			return;
		}
		this.trouble.clear();
		this.#button.disabled = true;
		setText(this.#button, t("enrol.busy"));
		this.#failed = !await this.#done(order);
		this.#button.disabled = false;
		this.#show();
	}
}
