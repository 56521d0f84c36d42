/*
 * One invitation in the list: whether its code was used, how long it is still good, or what became of it.
 */
import { byId, find, setText, showMessage } from "./dom.js";
import { formatDayTime, formatDuration, t, textOf } from "./i18n.js";

/** @typedef {import("../core/admin.js").Invite} Invite */
/** @typedef {import("./people.js").People} People */

export class InviteLine {
	#element;
	#people;
	#withdraw;
	/** @type {Invite | null} */
	#invite = null;

	/**
	 * @param {People} people
	 * @param {(invite: Invite) => void} withdraw
	 */
	constructor(people, withdraw) {
		const template = /** @type {HTMLTemplateElement} */ (byId("invite-line"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.#people = people;
		this.#element = find(copy, ".line");
		this.#withdraw = /** @type {HTMLButtonElement} */ (find(copy, ".line-withdraw"));
		this.#withdraw.addEventListener("click", () => {
			if (this.#invite)
				withdraw(this.#invite);
		});
	}

	get element() {
		return this.#element;
	}

	/** @param {Invite} invite */
	update(invite) {
		const open = InviteLine.isOpen(invite);
		this.#invite = invite;
		this.#element.dataset.invite = String(invite.id);
		this.#element.dataset.state = invite.state;
		setText(find(this.#element, ".line-name"), invite.name);
		setText(find(this.#element, ".line-person"), this.#people.text(invite.user));
		setText(find(this.#element, ".line-state-text"), textOf("invitation.", invite.state, "invitation.unknown"));
		showMessage(find(this.#element, ".line-tag"),
			open && invite.pre_approved ? t("invitations.pre-approved") : "");
		setText(find(this.#element, ".line-more"), open ? this.#left(invite) : this.#outcome(invite));
		this.#withdraw.hidden = !open;
		setText(this.#withdraw, t("invitations.withdraw"));
		this.#withdraw.setAttribute("aria-label", `${this.#withdraw.textContent} ${invite.name}`);
	}

	/**
	 * Whether its code is still worth something and nobody needs to decide.
	 * @param {Invite} invite
	 */
	static isOpen(invite) {
		return invite.state === "open" || invite.state === "approved";
	}

	/** @param {Invite} invite */
	#left(invite) {
		const seconds = Math.max(0, Math.round(invite.expires - Date.now() / 1000));
		return t("invitations.left", { time: formatDuration(seconds) });
	}

	/** @param {Invite} invite */
	#outcome(invite) {
		const parts = [formatDayTime(invite.decided || invite.expires)];
		if (invite.decided_by)
			parts.push(t("invitations.by", { by: this.#people.text(invite.decided_by) }));
		if (invite.reason)
			parts.push(t("invitations.reason", { reason: invite.reason }));
		return parts.join(" · ");
	}
}
