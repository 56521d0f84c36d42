/*
 * A place where an error is shown: it keeps what it says, so that another language and a countdown reach it.
 */
import { EnrolError } from "./api.js";
import { CODE_LENGTH } from "./code.js";
import { showMessage } from "./portal/dom.js";
import { onLanguage, t, textOf } from "./portal/i18n.js";

/**
 * @param {unknown} error
 * @param {number} [left] seconds until a throttled try may be made again
 */
export function troubleText(error, left) {
	if (!(error instanceof EnrolError))
		return t("error.unknown", { code: "page" });
	if (error.code === "denied" && error.reason)
		return t("enrol.error.refused", { reason: error.reason });
	if (error.code === "denied" && error.field === "devices")
		return t("enrol.error.devices");
	if (error.code === "throttled")
		return (left ?? error.retryS) > 0 ? t("error.throttled", { seconds: left ?? error.retryS }) :
			t("error.throttled-now");
	if (error.code === "invalid" && error.field !== "code")
		return t(error.field === "challenge" ? "enrol.error.challenge" : "enrol.error.csr");
	const code = error.code === "invalid" ? "code" : error.code;
	const own = textOf("enrol.error.", code, "error.unknown", { code, length: CODE_LENGTH });
	return own === t("error.unknown", { code }) ? textOf("error.", code, "error.unknown", { code }) : own;
}

export class Trouble {
	#element;
	#text = () => "";
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;

	/** @param {HTMLElement} element */
	constructor(element) {
		this.#element = element;
		onLanguage(() => this.#show());
	}

	/** @param {() => string} text */
	say(text) {
		clearInterval(this.#timer);
		this.#text = text;
		this.#show();
	}

	/** @param {unknown} error */
	fail(error) {
		const until = Date.now() + (error instanceof EnrolError ? error.retryS : 0) * 1000;
		const left = () => Math.ceil((until - Date.now()) / 1000);
		this.say(() => troubleText(error, left()));
		if (left() <= 0)
			return;
		this.#timer = setInterval(() => {
			this.#show();
			if (left() <= 0)
				clearInterval(this.#timer);
		}, 1000);
	}

	clear() {
		this.say(() => "");
	}

	#show() {
		showMessage(this.#element, this.#text());
	}
}
