/*
 * Once per login: has the audit log grown from what this browser saw last? If not, the person is told, calmly and
 * until somebody has looked into it. Nothing else stops.
 */
import { CheckpointKeeper } from "../core/checkpoint.js";
import { byId, showMessage } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/checkpoint.js").Finding} Finding */

export class AuditCheck {
	#keeper;
	/** @type {Finding | null} */
	#finding = null;
	#accepted = false;
	/* Counts the logins, so that the answer to an older one is dropped. */
	#turn = 0;

	/** @param {import("../core/api.js").Api} api */
	constructor(api) {
		this.#keeper = new CheckpointKeeper(api, {
			getItem: (name) => localStorage.getItem(name),
			setItem: (name, value) => localStorage.setItem(name, value),
		});
		byId("audit-accept").addEventListener("click", () => void this.#accept());
		onLanguage(() => this.#show());
	}

	async run() {
		const turn = ++this.#turn;
		const finding = await this.#keeper.check();
		if (turn !== this.#turn)
			return;
		this.#finding = finding;
		this.#show();
	}

	/** Logged out: the alarm comes again with the next login, if it still stands. */
	clear() {
		this.#turn++;
		this.#finding = null;
		this.#accepted = false;
		this.#show();
	}

	async #accept() {
		try {
			await this.#keeper.accept();
			this.#accepted = true;
		} catch {
			/* Nobody has written it down: the alarm stays. */
		}
		this.#show();
	}

	#show() {
		const finding = this.#finding;
		const alarm = !this.#accepted && finding?.state === "alarm" ? finding : null;
		byId("audit-alarm").hidden = alarm === null;
		showMessage(byId("audit-alarm-text"), alarm ? t(`audit.alarm.${alarm.kind}`, { kept: alarm.kept, shown: alarm.shown }) : "");
		byId("audit-unsigned").hidden = !finding || !("isSigned" in finding) || finding.isSigned !== null;
	}
}
