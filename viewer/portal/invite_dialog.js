/*
 * Asks whom to invite with which device.
 */
import { byId } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { onLanguage, t } from "./i18n.js";
import { MessageBox } from "./message_box.js";

/** @typedef {import("../core/admin.js").Sheet} Sheet */

export class InviteDialog {
	#admin;
	#people;
	#actions;
	#dialog = /** @type {HTMLDialogElement} */ (byId("invite"));
	#person = /** @type {HTMLSelectElement} */ (byId("invite-person"));
	#name = /** @type {HTMLInputElement} */ (byId("invite-name"));
	#preApproved = /** @type {HTMLInputElement} */ (byId("invite-pre-approved"));
	#submit = /** @type {HTMLButtonElement} */ (byId("invite-submit"));
	#message = new MessageBox(byId("invite-error"));
	#busy = false;

	/**
	 * @param {import("../core/admin.js").Admin} admin
	 * @param {import("./people.js").People} people
	 * @param {{invited: (sheet: Sheet) => void, loggedOut: (error: unknown) => void}} actions
	 */
	constructor(admin, people, actions) {
		this.#admin = admin;
		this.#people = people;
		this.#actions = actions;
		byId("invite-form").addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#invite();
		});
		byId("invite-cancel").addEventListener("click", () => this.close());
		this.#dialog.addEventListener("cancel", (event) => {
			/* The answer to one that is under way holds a code that is shown only then. */
			if (this.#busy)
				event.preventDefault();
		});
		onLanguage(() => this.#showPeople());
	}

	open() {
		this.#name.value = "";
		this.#preApproved.checked = false;
		this.#message.clear();
		this.#person.replaceChildren();
		this.#showPeople();
		this.#dialog.showModal();
		this.#person.focus();
	}

	close() {
		if (this.#dialog.open && !this.#busy)
			this.#dialog.close();
	}

	#showPeople() {
		const { value } = this.#person;
		this.#person.replaceChildren(new Option(t("order.choose"), ""),
			...this.#people.active.map(({ name }) => new Option(this.#people.text(name), name)));
		this.#person.value = value;
	}

	/** @returns {boolean} whether all is there */
	#complete() {
		if (!this.#person.value) {
			this.#message.say("order.need-person");
			this.#person.focus();
			return false;
		}
		if (!this.#name.value.trim()) {
			this.#message.say("invite.need-name");
			this.#name.focus();
			return false;
		}
		return true;
	}

	async #invite() {
		if (this.#busy || !this.#complete())
			return;
		this.#setBusy(true);
		try {
			const sheet = await this.#admin.invite(this.#person.value, this.#name.value.trim(),
				this.#preApproved.checked);
			this.#dialog.close();
			this.#actions.invited(sheet);
		} catch (error) {
			if (isLoggedOut(error)) {
				this.#dialog.close();
				this.#actions.loggedOut(error);
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
		this.#submit.disabled = busy;
		/** @type {HTMLButtonElement} */ (byId("invite-cancel")).disabled = busy;
	}
}
