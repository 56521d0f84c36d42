/*
 * The accounts' names as an administrator reads them.
 */
import { t } from "./i18n.js";

/** @typedef {import("../core/admin.js").Account} Account */

export class People {
	/** @type {Map<string, Account>} */
	#accounts = new Map();

	/** @param {Account[]} accounts */
	set(accounts) {
		this.#accounts = new Map(accounts.map((account) => [account.name, account]));
	}

	/** Those who may use a device, by name. */
	get active() {
		return [...this.#accounts.values()].filter((account) => account.state !== "disabled");
	}

	/**
	 * "佐藤 花子 (sato)"
	 * @param {string} name of the account, or "uid 0" of the command line
	 */
	text(name) {
		if (/^uid \d+$/.test(name))
			return t("people.command-line", { by: name === "uid 0" ? "root" : name });
		const full = this.#accounts.get(name)?.["full-name"];
		return full ? `${full} (${name})` : name;
	}

	/**
	 * @param {string} names divided by ", ", as the gateway gives them
	 * @returns {string[]}
	 */
	static split(names) {
		return names.split(", ").filter((name) => name !== "");
	}
}
