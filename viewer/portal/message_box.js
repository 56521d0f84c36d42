/*
 * The place of a form where errors are shown: it keeps the error, so that another language and a countdown
 * of a throttled try reach it.
 */
import { ApiError } from "../core/api.js";
import { showMessage } from "./dom.js";
import { errorText } from "./errors.js";
import { onLanguage, t } from "./i18n.js";

export class MessageBox {
	#element;
	/** @type {() => string} */
	#text = () => "";
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;

	/** @param {HTMLElement} element */
	constructor(element) {
		this.#element = element;
		onLanguage(() => this.#show());
	}

	/** @param {import("./i18n.js").Key} key */
	say(key) {
		this.#set(() => t(key));
	}

	/** @param {unknown} error */
	fail(error) {
		if (!(error instanceof ApiError && error.code === "throttled")) {
			this.#set(() => errorText(error));
			return;
		}
		const until = Date.now() + error.retryS * 1000;
		const left = () => Math.ceil((until - Date.now()) / 1000);
		this.#set(() => errorText(error, left()));
		this.#timer = setInterval(() => {
			this.#show();
			if (left() <= 0)
				clearInterval(this.#timer);
		}, 1000);
	}

	clear() {
		this.#set(() => "");
	}

	/** @param {() => string} text */
	#set(text) {
		clearInterval(this.#timer);
		this.#text = text;
		this.#show();
	}

	#show() {
		showMessage(this.#element, this.#text());
	}
}
