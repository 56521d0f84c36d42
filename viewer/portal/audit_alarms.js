/*
 * For administrators: who did not believe the audit log in the last 30 days, on the page of devices.
 */
import { byId, setText } from "./dom.js";
import { formatDayTime, onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/admin.js").Alarm} Alarm */

const DAYS = 30;
const DAY_S = 86400;
const SHOWN = 5;
const KINDS = /** @type {const} */ (["rolled-back", "fork", "signature", "key", "contradiction", "accepted", "withheld"]);

/** @param {Alarm} alarm */
function kindOf(alarm) {
	try {
		const { kind } = JSON.parse(alarm.detail);
		return KINDS.find((known) => known === kind) ?? "unknown";
	} catch {
		return "unknown";
	}
}

export class AuditAlarms {
	/** @type {Alarm[]} */
	#alarms = [];

	constructor() {
		onLanguage(() => this.#show());
	}

	/** @param {Alarm[]} alarms the newest first */
	set(alarms) {
		const since = Date.now() / 1000 - DAYS * DAY_S;
		this.#alarms = alarms.filter(({ time }) => time >= since);
		this.#show();
	}

	#show() {
		byId("audit-alarms").hidden = this.#alarms.length === 0;
		setText(byId("audit-alarms-text"), t("audit.alarms", { n: this.#alarms.length }));
		byId("audit-alarms-list").replaceChildren(...this.#alarms.slice(0, SHOWN).map((alarm) => {
			const line = document.createElement("li");
			line.textContent = t("audit.alarms-line", {
				time: formatDayTime(alarm.time),
				who: alarm.account || t("audit.gateway"),
				what: t(`audit.kind.${kindOf(alarm)}`),
			});
			return line;
		}));
	}
}
