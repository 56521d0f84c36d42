/*
 * How far it has come what takes the vault long: it is asked every second while somebody waits, and others are answered.
 */
import { make } from "./build.js";

/** @typedef {import("../core/vault.js").Vault} Vault */

const EVERY_MS = 1000;

export class Progress {
	element = make("progress", { class: "host-progress", label: "work.progress", with: { hidden: true } });

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
			this.element.removeAttribute("value");
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
			if (!one || !(one.total > 0))
				return;
			this.element.max = one.total;
			this.element.value = one.done;
		} catch {
			/* What is waited for says what is wrong. */
		}
	}
}
