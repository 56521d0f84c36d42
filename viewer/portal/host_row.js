/*
 * One PC in the menu.
 */
import { byId, find, setText } from "./dom.js";
import { t, textOf } from "./i18n.js";

/** @typedef {import("../core/api.js").Host} Host */
/**
 * @typedef {object} HostActions
 * @property {(host: Host) => void} open
 * @property {(host: Host) => void} wake
 * @property {(host: Host) => void} end
 * @property {(host: Host) => void} otherLogin
 */

export class HostRow {
	#element;
	#host;
	#open;
	#wake;
	#end;
	#otherLogin;
	#progress;
	/* When the PC was told to wake up, Date.now(); 0 when it was not. */
	#wakingSince = 0;

	/**
	 * @param {Host} host
	 * @param {HostActions} actions
	 */
	constructor(host, actions) {
		const template = /** @type {HTMLTemplateElement} */ (byId("host-row"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.#element = find(copy, ".host");
		this.#open = /** @type {HTMLButtonElement} */ (find(copy, ".host-open"));
		this.#wake = /** @type {HTMLButtonElement} */ (find(copy, ".host-wake"));
		this.#end = /** @type {HTMLButtonElement} */ (find(copy, ".host-end"));
		this.#otherLogin = /** @type {HTMLButtonElement} */ (find(copy, ".host-other-login"));
		this.#progress = /** @type {HTMLProgressElement} */ (find(copy, ".host-progress"));
		this.#host = host;
		this.#element.dataset.host = String(host.id);
		this.#open.addEventListener("click", () => actions.open(this.#host));
		this.#wake.addEventListener("click", () => actions.wake(this.#host));
		this.#end.addEventListener("click", () => actions.end(this.#host));
		this.#otherLogin.addEventListener("click", () => actions.otherLogin(this.#host));
		/* The whole row opens the PC; the button is there for the keyboard. */
		this.#element.addEventListener("click", (event) => {
			const inButton = event.target instanceof Element && event.target.closest("button");
			if (!inButton && !this.#open.hidden)
				actions.open(this.#host);
		});
		this.update(host);
	}

	get element() {
		return this.#element;
	}

	get host() {
		return this.#host;
	}

	/** @param {Host} host */
	update(host) {
		if (host.state !== "waking")
			this.#wakingSince = 0;
		else if (this.#wakingSince === 0)
			this.#wakingSince = Date.now();
		this.#host = host;
		this.show();
	}

	/** Shows it as it is now, in the language of now. */
	show() {
		const host = this.#host;
		const mine = host.in_use === "me";
		const down = host.state === "asleep" || host.state === "waking";
		this.#element.dataset.state = mine ? "me" : host.state;
		this.#element.classList.toggle("host-clickable", mine || !down);
		setText(find(this.#element, ".host-name"), host.name);
		setText(find(this.#element, ".host-state-text"), this.#stateText());
		this.#showTags();
		this.#open.hidden = down && !mine;
		setText(this.#open, t(mine ? "menu.resume" : "menu.open"));
		/* Only what is likely to work invites to be pressed. */
		this.#open.classList.toggle("button-primary", mine || (host.state === "reachable" && host.in_use === "no"));
		this.#wake.hidden = !host.can_wake || mine || !(host.state === "asleep" || host.state === "unreachable");
		setText(this.#wake, t("menu.wake"));
		this.#wake.classList.toggle("button-primary", host.state === "asleep");
		this.#end.hidden = !mine || !host.session;
		setText(this.#end, t("menu.end"));
		/* Opening a PC without a kept login asks for one anyway. */
		this.#otherLogin.hidden = this.#open.hidden || host.in_use === "other" || (host.needs_login && !mine);
		setText(this.#otherLogin, t("over.other-login"));
		for (const button of [this.#open, this.#wake, this.#end, this.#otherLogin])
			button.setAttribute("aria-label", `${button.textContent}: ${host.name}`);
		this.#progress.hidden = host.state !== "waking";
		this.#progress.value = this.#wakingSeconds();
		this.#progress.setAttribute("aria-label", t("host.waking"));
	}

	#wakingSeconds() {
		return this.#wakingSince ? Math.round((Date.now() - this.#wakingSince) / 1000) : 0;
	}

	#stateText() {
		const host = this.#host;
		if (host.in_use === "me")
			return t("menu.running");
		if (host.state === "waking")
			return t("menu.waking", { seconds: this.#wakingSeconds() });
		return textOf("host.", host.state, "host.unknown");
	}

	#showTags() {
		const tags = [];
		if (this.#host.in_use === "other")
			tags.push(t("host.other"));
		if (this.#host.view_only)
			tags.push(t("menu.view-only"));
		const place = find(this.#element, ".host-tags");
		place.hidden = tags.length === 0;
		if (place.dataset.tags === tags.join("\n"))
			return;
		place.dataset.tags = tags.join("\n");
		place.replaceChildren(...tags.map((text) => {
			const tag = document.createElement("span");
			tag.className = "tag";
			tag.textContent = text;
			return tag;
		}));
	}
}
