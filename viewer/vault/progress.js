/*
 * How far it has come what takes the vault long: it is asked every second while somebody waits, and others are answered.
 */
import { t } from "../portal/i18n.js";
import { make, says } from "./build.js";

/** @typedef {import("../core/vault.js").Vault} Vault */

const EVERY_MS = 1000;

export class Progress {
	#bar = make("progress", { class: "host-progress", label: "work.progress" });
	#words = make("p", { class: "field-hint" });
	element = make("div", { class: "work-progress", with: { hidden: true } }, this.#bar, this.#words);

	/**
	 * @template Answer
	 * @param {Vault} vault
	 * @param {string} words of the operation that is waited for
	 * @param {() => Promise<Answer>} ask
	 * @returns {Promise<Answer>}
	 */
	async during(vault, words, ask) {
		const timer = setInterval(() => void this.#look(vault, words), EVERY_MS);
		try {
			return await ask();
		} finally {
			clearInterval(timer);
			this.element.hidden = true;
			this.#bar.removeAttribute("value");
		}
	}

	/**
	 * @param {Vault} vault
	 * @param {string} words
	 */
	async #look(vault, words) {
		try {
			const one = (await vault.rows("work list")).find(({ op }) => op === words);
			this.element.hidden = !one;
			if (!one)
				return;
			const { waiting, done, total } = one;
			const percent = total > 0 ? Math.floor(100 * Math.min(1, done / total)) : 0;
			says(this.#words, () => t(waiting ? "work.waiting" : total > 0 ? "work.percent" : "work.going-on", { percent }));
			if (!(total > 0))
				return;
			this.#bar.max = total;
			this.#bar.value = done;
		} catch {
			/* What is waited for says what is wrong. */
		}
	}
}
