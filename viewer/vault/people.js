/*
 * Who people are whose accounts the vault names by number.
 */
import { t } from "../portal/i18n.js";

/** @typedef {{account: number, name: string, full_name: string, records: string}} Person */

export class People {
	/** @type {Map<number, Person>} */
	#known;
	#me;

	/**
	 * @param {Person[]} people
	 * @param {string} me account's name
	 */
	constructor(people, me) {
		this.#known = new Map(people.map((person) => [person.account, person]));
		this.#me = me;
	}

	/** @param {import("./desk.js").Desk} desk */
	static async of({ vault, me }) {
		return new People(await vault.rows("people list"), me.account);
	}

	get all() {
		return [...this.#known.values()];
	}

	/** @param {number} account */
	isMe(account) {
		return this.#known.get(account)?.name === this.#me;
	}

	/** For paper, whoever prints it. @param {number} account */
	name(account) {
		const person = this.#known.get(account);
		return person ? person.full_name || person.name : t("records.person-number", { id: account });
	}

	/** @param {number} account */
	text(account) {
		return this.isMe(account) ? t("records.person-me", { name: this.name(account) }) : this.name(account);
	}
}
