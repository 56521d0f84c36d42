/*
 * Tells people in the menu that the certificate of their device ends soon, and lets them renew it.
 */
import { byId, showMessage } from "./dom.js";
import { formatDate, formatDuration, onLanguage, t } from "./i18n.js";
import { nearness } from "./inventory_order.js";
import { RenewDialog } from "./renew_dialog.js";

/** @typedef {import("../core/api.js").Me} Me */

export class RenewNotice {
	#dialog;
	/** @type {Me | null} */
	#me = null;
	#renewed = false;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {(error: unknown) => void} loggedOut
	 */
	constructor(api, loggedOut) {
		this.#dialog = new RenewDialog(api, {
			renewed: () => {
				this.#renewed = true;
				this.#show();
			},
			loggedOut,
		});
		byId("renew-open").addEventListener("click", () => {
			if (this.#me)
				this.#dialog.open(this.#me.device);
		});
		onLanguage(() => this.#show());
	}

	/** @param {Me} me */
	show(me) {
		this.#me = me;
		this.#show();
	}

	/** Forgets the person, and the password of a file. */
	clear() {
		this.#me = null;
		this.#renewed = false;
		this.#dialog.close();
		this.#show();
	}

	#show() {
		const me = this.#me;
		const now = Date.now() / 1000;
		const near = me ? nearness(me.device_until, now) || (me.device_renew ? "soon" : "") : "";
		const early = me !== null && me.device_renew_from > now;
		const bad = !this.#renewed && (near === "urgent" || near === "over");
		byId("renew-warning").hidden = near === "";
		byId("renew-warning").classList.toggle("message-bad", bad);
		byId("renew-warning").classList.toggle("message-warn", !bad && !this.#renewed);
		byId("renew-open").hidden = early || this.#renewed;
		byId("renew-open").classList.toggle("button-primary", bad);
		showMessage(byId("renew-warning-text"), me && near ? this.#text(me, now, bad, early) : "");
	}

	/**
	 * @param {Me} me
	 * @param {number} now
	 * @param {boolean} urgent
	 * @param {boolean} early it cannot be renewed yet
	 */
	#text(me, now, urgent, early) {
		if (this.#renewed)
			return t("renew.done");
		const date = formatDate(me.device_until);
		if (early)
			return t("renew.later", { date, from: formatDate(me.device_renew_from) });
		const time = formatDuration(Math.max(0, Math.round(me.device_until - now)));
		return t(urgent ? "renew.urgent" : "renew.soon", { date, time });
	}
}
