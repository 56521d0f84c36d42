/*
 * The first step: the code.
 */
import { CODE_LENGTH, caretAfter, groupCode, readCode } from "./code.js";
import { byId } from "./portal/dom.js";
import { t } from "./portal/i18n.js";
import { Trouble } from "./trouble.js";

export class CodeStep {
	trouble = new Trouble(byId("code-error"));
	#form = /** @type {HTMLFormElement} */ (byId("code-form"));
	#input = /** @type {HTMLInputElement} */ (byId("code"));
	#button = /** @type {HTMLButtonElement} */ (byId("code-submit"));
	#done;

	/** @param {(code: string) => Promise<void>} done */
	constructor(done) {
		this.#done = done;
		this.#input.addEventListener("input", (event) => {
			/* Text that an input method still composes must be left alone. */
			if (!(/** @type {InputEvent} */ (event).isComposing))
				this.#group();
		});
		this.#input.addEventListener("compositionend", () => this.#group());
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.submit();
		});
	}

	/** @param {string} code */
	fill(code) {
		this.#input.value = groupCode(code);
	}

	clear() {
		this.#input.value = "";
	}

	focus() {
		this.#input.focus();
	}

	async submit() {
		if (this.#button.disabled)
			return;
		const code = readCode(this.#input.value);
		this.#group();
		if (code.length !== CODE_LENGTH) {
			this.#refuse(code.length);
			return;
		}
		this.#input.removeAttribute("aria-invalid");
		this.#button.disabled = true;
		this.#form.setAttribute("aria-busy", "true");
		try {
			await this.#done(code);
		} finally {
			this.#button.disabled = false;
			this.#form.removeAttribute("aria-busy");
		}
	}

	/** @param {number} length */
	#refuse(length) {
		this.#input.setAttribute("aria-invalid", "true");
		this.trouble.say(() => length ? t("enrol.code-length", { length: CODE_LENGTH, n: length }) :
			t("enrol.code-empty"));
		this.focus();
	}

	#group() {
		const input = this.#input;
		const before = readCode(input.value.slice(0, input.selectionStart ?? input.value.length)).length;
		const grouped = groupCode(readCode(input.value));
		if (grouped === input.value)
			return;
		input.value = grouped;
		const caret = Math.min(caretAfter(before), grouped.length);
		input.setSelectionRange(caret, caret);
	}
}
