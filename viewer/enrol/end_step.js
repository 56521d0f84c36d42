/*
 * Where a code ends that was refused, or is over: why, and what the person can do now. It stays until they leave it.
 */
import { EnrolError } from "./api.js";
import { byId, setText } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";
import { troubleText } from "./trouble.js";

/** @typedef {"refused" | "denied" | "devices" | "expired" | "used" | "code"} Ending */

/**
 * @param {EnrolError} error one that ends
 * @returns {Ending}
 */
export function endingOf({ code, reason, field }) {
	if (code === "denied")
		return reason ? "refused" : field === "devices" ? "devices" : "denied";
	return code === "expired" || code === "used" ? code : "code";
}

export class EndStep {
	/** @type {EnrolError | undefined} */
	#error;

	/** @param {() => void} another the person has another code */
	constructor(another) {
		byId("end-other").addEventListener("click", () => another());
		onLanguage(() => this.#show());
	}

	/** @param {EnrolError} error */
	start(error) {
		this.#error = error;
		this.#show();
	}

	clear() {
		this.#error = undefined;
		this.#show();
	}

	#show() {
		const error = this.#error;
		setText(byId("end-title"), error ? t(`enrol.end.${endingOf(error)}.title`) : "");
		setText(byId("end-text"), error ? troubleText(error) : "");
		setText(byId("end-next"), error ? t(`enrol.end.${endingOf(error)}.next`) : "");
	}
}
