/*
 * The last step: the file with its password, or the certificate; how to import it, and whether it works.
 */
import { UNIX_ACCEPT, WINDOWS_ACCEPT, isFirefox, ownSystem } from "./commands.js";
import { fileName, offer, withdraw } from "./download.js";
import { GatewayCheck } from "./gateway_check.js";
import { byId, setText } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";

/** @typedef {import("./api.js").Enrolment} Enrolment */

/** @param {string} base64 */
function fromBase64(base64) {
	return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export class ResultStep {
	#check = new GatewayCheck();
	#link = /** @type {HTMLAnchorElement} */ (byId("file-save"));
	#certificate = /** @type {HTMLAnchorElement} */ (byId("certificate-save"));
	#chain = /** @type {HTMLAnchorElement} */ (byId("chain-save"));
	/** @type {"file" | "windows" | "unix" | undefined} */
	#got;
	#saved = false;

	constructor() {
		this.#link.addEventListener("click", () => {
			this.#saved = true;
			this.#show();
		});
		window.addEventListener("beforeunload", (event) => {
			if (this.#got === "file" && !this.#saved)
				event.preventDefault();
		});
		byId("windows-accept").textContent = WINDOWS_ACCEPT;
		byId("unix-accept").textContent = UNIX_ACCEPT;
		document.querySelector(`details[data-system="${isFirefox() ? "firefox" : ownSystem()}"]`)
			?.setAttribute("open", "");
		onLanguage(() => this.#show());
	}

	/**
	 * @param {Enrolment} enrolment with file and password, or with certificate and chain
	 * @param {import("./api.js").Order} order
	 */
	start(enrolment, order) {
		if (enrolment.file && enrolment.password) {
			this.#got = "file";
			this.#link.download = `${fileName(enrolment.device)}.p12`;
			offer(this.#link, fromBase64(enrolment.file), "application/x-pkcs12");
			byId("file-password").textContent = enrolment.password;
		} else {
			this.#got = order.kind === "request" && order.key_place !== "file" ? "windows" : "unix";
			offer(this.#certificate, enrolment.certificate ?? "", "application/x-pem-file");
			offer(this.#chain, enrolment.chain ?? "", "application/x-pem-file");
		}
		this.#show();
		this.#check.start(enrolment.gateway);
	}

	/** Takes file and password off the page. */
	wipe() {
		this.#check.stop();
		withdraw(this.#link);
		byId("file-password").textContent = "";
		this.#got = undefined;
	}

	#show() {
		const got = this.#got;
		byId("got-file").hidden = got !== "file";
		byId("got-certificate").hidden = got === "file";
		byId("accept-windows").hidden = got !== "windows";
		byId("accept-unix").hidden = got !== "unix";
		byId("systems").hidden = got === "windows";
		byId("import-delete").hidden = got === "windows";
		setText(byId("import-delete"), t(got === "unix" ? "enrol.delete-made" : "enrol.delete-file"));
		setText(byId("file-saved"), got === "file" && this.#saved ?
			t("enrol.file-saved", { name: this.#link.download }) : "");
	}
}
