/*
 * Whether the recording is as it was made: green, amber or red, and in plain words what that means.
 */
import { byId, setText, showMessage } from "../portal/dom.js";
import { t, textOf } from "../portal/i18n.js";
import { Popup } from "../portal/popup.js";
import { clockText } from "./times.js";

/** @typedef {import("./session.js").PlayerSession} PlayerSession */

const ICONS = Object.freeze(/** @type {Record<string, string>} */ ({ green: "#i-check", amber: "#i-alert", red: "#i-alert" }));

export class VerdictBadge {
	#button = byId("player-verdict");
	#popup;

	/** @param {() => void} back the keyboard is the player's again */
	constructor(back) {
		this.#popup = new Popup(this.#button, byId("player-verdict-panel"), back);
	}

	hide() {
		this.#popup.close();
		this.#button.hidden = true;
	}

	/** @param {PlayerSession} session that is opened */
	show(session) {
		if (!session.whole)
			return;
		const { verdict, proof } = session.whole.info;
		this.#button.hidden = false;
		this.#button.dataset.verdict = verdict;
		this.#button.querySelector("use")?.setAttribute("href", ICONS[verdict] ?? "#i-alert");
		setText(byId("player-verdict-text"), textOf("verdict.", verdict, "verdict.red"));
		setText(byId("player-verdict-title"), textOf("verdict.", verdict, "verdict.red"));
		setText(byId("player-verdict-means"), textOf("verdict-means.", verdict, "verdict-means.red"));
		showMessage(byId("player-verdict-fault"), verdict === "green" ? "" :
			textOf("fault.", proof.fault, "fault.unknown", { code: proof.fault }));
		showMessage(byId("player-verdict-where"), this.#where(session));
		showMessage(byId("player-verdict-next"), verdict === "red" ? t("verdict.red-next") : "");
	}

	/** The time that is concerned, where it is a part. @param {PlayerSession} session */
	#where(session) {
		const { info, starts } = /** @type {import("./session.js").Whole} */ (session.whole);
		const { first, last, fault } = info.proof;
		if (info.verdict === "green" || fault === "no-marks" || first >= starts.length)
			return "";
		const end = starts[Math.min(last + 1, starts.length)] ?? session.duration;
		return t("verdict.where", { from: clockText(session.wallAt(starts[first])), to: clockText(session.wallAt(end)) });
	}
}
