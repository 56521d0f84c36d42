/*
 * One device that waits for approval, with all that an administrator can compare with what the person says.
 */
import { byId, find, setText } from "./dom.js";
import { fingerprintText, showFacts } from "./facts.js";
import { formatDayTime, t, textOf } from "./i18n.js";

/** @typedef {import("../core/admin.js").Invite} Invite */
/** @typedef {import("./people.js").People} People */
/**
 * @typedef {object} WaitingActions
 * @property {(invite: Invite) => Promise<void>} approve
 * @property {(invite: Invite) => void} refuse
 */

export class WaitingCard {
	#element;
	#people;
	#approve;
	#refuse;
	/** @type {Invite | null} */
	#invite = null;

	/**
	 * @param {People} people
	 * @param {WaitingActions} actions
	 */
	constructor(people, actions) {
		const template = /** @type {HTMLTemplateElement} */ (byId("waiting-card"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.#people = people;
		this.#element = find(copy, ".card");
		this.#approve = /** @type {HTMLButtonElement} */ (find(copy, ".card-approve"));
		this.#refuse = /** @type {HTMLButtonElement} */ (find(copy, ".card-refuse"));
		this.#approve.addEventListener("click", () => void this.#approved(actions));
		this.#refuse.addEventListener("click", () => {
			if (this.#invite)
				actions.refuse(this.#invite);
		});
	}

	get element() {
		return this.#element;
	}

	/** @param {WaitingActions} actions */
	async #approved(actions) {
		if (!this.#invite)
			return;
		this.#approve.disabled = true;
		try {
			await actions.approve(this.#invite);
		} finally {
			this.#approve.disabled = false;
		}
	}

	/** @param {Invite} invite */
	update(invite) {
		this.#invite = invite;
		this.#element.dataset.invite = String(invite.id);
		setText(find(this.#element, ".card-name"), invite.name);
		const place = textOf("key-place.", invite.place, "key-place.unknown");
		const file = invite.kind === "file";
		showFacts(find(this.#element, ".facts"), [
			{ label: t("waiting.person"), value: this.#people.text(invite.user) },
			{ label: t("waiting.asked"), value: formatDayTime(invite.asked) },
			{ label: t("waiting.kind"), value: t(file ? "waiting.kind-file" : "waiting.kind-request") },
			{ label: t("waiting.address"), value: invite.address, mono: true },
			{ label: t("waiting.key"), value: file ? t("waiting.no-key") : `${invite.key} · ${place}` },
			{ label: t("waiting.by"), value: this.#people.text(invite.by) },
			{ label: t("waiting.fingerprint"), value: fingerprintText(invite.fingerprint), mono: true },
			{ label: t("waiting.until"), value: formatDayTime(invite.expires) },
		]);
		setText(this.#approve, t("waiting.approve"));
		setText(this.#refuse, t("waiting.refuse"));
		for (const button of [this.#approve, this.#refuse])
			button.setAttribute("aria-label", `${button.textContent} ${invite.name}`);
	}
}
