/*
 * Asks before something is done with a device or an invitation: says what happens, takes what the record needs,
 * and stays open with the gateway's words when it was refused.
 */
import { DISPOSALS } from "../core/admin.js";
import { byId, setText, showMessage } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { onLanguage, t } from "./i18n.js";
import { MessageBox } from "./message_box.js";

/** @typedef {"refuse" | "withdraw" | "revoke" | "retire" | "unlock" | "share" | "unshare" | "seal"} Kind */
/** @typedef {{reason: string, lost: boolean, disposal: import("../core/admin.js").Disposal, person: string}} Values */
/** @typedef {{name: string, text: string}} Choice */
/**
 * @typedef {object} Question
 * @property {Kind} kind
 * @property {string} device
 * @property {boolean} [own] it is the device in use
 * @property {Choice[]} [people]
 * @property {(values: Values) => Promise<void>} run
 */

/** @type {Record<Kind, ("reason" | "lost" | "disposal" | "person")[]>} */
const FIELDS = { refuse: ["reason"], withdraw: [], revoke: ["reason", "lost"], retire: ["disposal", "reason"],
	unlock: [], share: ["person"], unshare: ["person"], seal: [] };

/** @type {ReadonlySet<Kind>} */
const BAD = new Set(["refuse", "withdraw", "revoke", "retire", "unshare", "seal"]);

export class OrderDialog {
	#dialog = /** @type {HTMLDialogElement} */ (byId("order"));
	#reason = /** @type {HTMLInputElement} */ (byId("order-reason"));
	#lost = /** @type {HTMLInputElement} */ (byId("order-lost"));
	#disposal = /** @type {HTMLSelectElement} */ (byId("order-disposal"));
	#person = /** @type {HTMLSelectElement} */ (byId("order-person"));
	#confirm = /** @type {HTMLButtonElement} */ (byId("order-confirm"));
	#message = new MessageBox(byId("order-error"));
	#loggedOut;
	/** @type {Question | null} */
	#question = null;
	#busy = false;

	/** @param {(error: unknown) => void} loggedOut */
	constructor(loggedOut) {
		this.#loggedOut = loggedOut;
		byId("order-form").addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#submit();
		});
		byId("order-cancel").addEventListener("click", () => this.close());
		this.#dialog.addEventListener("cancel", (event) => {
			event.preventDefault();
			if (!this.#busy)
				this.close();
		});
		onLanguage(() => this.#show());
	}

	/** @param {Question} question */
	ask(question) {
		this.#question = question;
		this.#reason.value = "";
		this.#lost.checked = false;
		this.#message.clear();
		for (const field of /** @type {const} */ (["reason", "lost", "disposal", "person"]))
			byId(`order-${field}-field`).hidden = !FIELDS[question.kind].includes(field);
		this.#disposal.value = "";
		this.#show();
		this.#disposal.value = "";
		this.#person.value = "";
		this.#dialog.showModal();
		/* Where nothing is to be filled in, Enter must not be enough. */
		/** @type {HTMLElement} */ (this.#dialog.querySelector(".field:not([hidden]) :is(input, select)") ??
			byId("order-cancel")).focus();
	}

	close() {
		this.#question = null;
		this.#reason.value = "";
		if (this.#dialog.open)
			this.#dialog.close();
	}

	#show() {
		const question = this.#question;
		if (!question)
			return;
		const { kind, device } = question;
		setText(byId("order-title"), t(`order.${kind}.title`, { device }));
		setText(byId("order-text"), t(`order.${kind}.text`));
		showMessage(byId("order-warning"), question.own && (kind === "revoke" || kind === "retire") ?
			t("order.revoke-own.text") : "");
		setText(this.#confirm, t(`order.${kind}.confirm`));
		this.#confirm.classList.toggle("button-bad", BAD.has(kind));
		setText(byId("order-reason-label"), t(kind === "refuse" ? "order.reason-person" :
			kind === "retire" ? "order.remark" : "order.reason-log"));
		this.#fill(this.#disposal, DISPOSALS.map((name) => ({ name, text: t(`disposal.${name}`) })));
		this.#fill(this.#person, question.people ?? []);
	}

	/**
	 * @param {HTMLSelectElement} select
	 * @param {Choice[]} choices
	 */
	#fill(select, choices) {
		const { value } = select;
		select.replaceChildren(new Option(t("order.choose"), ""),
			...choices.map(({ name, text }) => new Option(text, name)));
		select.value = value;
	}

	/** @returns {boolean} whether all is there */
	#complete() {
		const { kind } = /** @type {Question} */ (this.#question);
		const fields = FIELDS[kind];
		/** @param {import("./i18n.js").Key} key @param {HTMLElement} field */
		const need = (key, field) => {
			this.#message.say(key);
			field.focus();
			return false;
		};
		if (fields.includes("disposal") && !this.#disposal.value)
			return need("order.need-disposal", this.#disposal);
		if (fields.includes("person") && !this.#person.value)
			return need("order.need-person", this.#person);
		/* That it was lost says enough when there is no time. */
		if ((kind === "refuse" || (kind === "revoke" && !this.#lost.checked)) && !this.#reason.value.trim())
			return need("order.need-reason", this.#reason);
		return true;
	}

	async #submit() {
		const question = this.#question;
		if (this.#busy || !question || !this.#complete())
			return;
		this.#setBusy(true);
		try {
			await question.run({ reason: this.#reason.value.trim(), lost: this.#lost.checked,
				disposal: /** @type {Values["disposal"]} */ (this.#disposal.value), person: this.#person.value });
			this.close();
		} catch (error) {
			if (isLoggedOut(error)) {
				this.close();
				this.#loggedOut(error);
			} else {
				this.#message.fail(error);
			}
		} finally {
			this.#setBusy(false);
		}
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#confirm.disabled = busy;
	}
}
