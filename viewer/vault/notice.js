/*
 * A place in a page where is said what went wrong, or what was done.
 */
import { showMessage } from "../portal/dom.js";
import { make, says } from "./build.js";
import { sentenceOf } from "./errors.js";

export class Notice {
	#text = make("p");
	element = make("div", { with: { role: "status", hidden: true } }, this.#text);

	/** @param {() => string} text */
	tell(text) {
		this.#show("message", "status", text);
	}

	/** @param {() => string} text */
	warn(text) {
		this.#show("message message-bad", "alert", text);
	}

	/** @param {unknown} error */
	fail(error) {
		this.warn(() => sentenceOf(error));
	}

	clear() {
		this.element.hidden = true;
		showMessage(this.#text, "");
		says(this.#text, () => "");
	}

	/**
	 * @param {string} className
	 * @param {string} role
	 * @param {() => string} text
	 */
	#show(className, role, text) {
		this.element.className = className;
		this.element.setAttribute("role", role);
		says(this.#text, text);
		this.#text.hidden = false;
		this.element.hidden = false;
	}
}
