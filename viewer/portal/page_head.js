/*
 * The frame around the menu and the administrator's page: who and where I am, the way between the two, log-out.
 */
import { byId, setText } from "./dom.js";
import { formatDate, formatMoment, onLanguage, t, textOf } from "./i18n.js";

/** @typedef {import("../core/api.js").Me} Me */
/** @typedef {"menu" | "live" | "devices" | "recordings" | "audit" | "vault"} Page with a way to it */
/** Staff have one page only, unless they keep records. @typedef {Me["role"] | "records"} Part */

/** @type {readonly [string, Page, Part[]][]} the ways and whose they are */
const WAYS = [["nav-pcs", "menu", ["admin", "records"]], ["nav-vault", "vault", ["records"]], ["nav-live", "live", ["admin", "auditor"]],
	["nav-devices", "devices", ["admin"]], ["nav-recordings", "recordings", ["auditor"]], ["nav-audit", "audit", ["auditor"]]];

/** @param {Me} me */
export function keepsRecords({ records }) {
	return records === "use" || records === "manage";
}

export class PageHead {
	#api;
	#actions;
	/** @type {Me | null} */
	#me = null;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {{go: (page: Page) => void, loggedOut: () => void, failed: (error: unknown) => void}} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		byId("menu-logout").addEventListener("click", () => void this.#logout());
		for (const [id, page] of WAYS)
			this.#link(id, () => actions.go(page));
		this.#link("skip", () => {
			for (const id of ["menu-main", "live-main", "devices-main", "recordings-main", "audit-main", "vault-main"])
				byId(id).focus();
		});
		onLanguage(() => this.#write());
	}

	/**
	 * Other buttons and keys than a plain click do what they do with links, such as opening a tab.
	 * @param {string} id
	 * @param {() => void} run
	 */
	#link(id, run) {
		byId(id).addEventListener("click", (event) => {
			if (event.ctrlKey || event.metaKey || event.shiftKey)
				return;
			event.preventDefault();
			run();
		});
	}

	/**
	 * @param {Me} me
	 * @param {Page} page
	 */
	show(me, page) {
		this.#me = me;
		const part = keepsRecords(me) ? "records" : me.role;
		byId("nav").hidden = part === "staff";
		for (const [id, own, parts] of WAYS) {
			byId(id).hidden = !parts.includes(part);
			if (own === page)
				byId(id).setAttribute("aria-current", "page");
			else
				byId(id).removeAttribute("aria-current");
		}
		this.#write();
	}

	/** Forgets the person. */
	clear() {
		this.#me = null;
		byId("nav").hidden = true;
		byId("auditors-end").hidden = true;
		byId("vault-trouble").hidden = true;
	}

	#write() {
		const me = this.#me;
		if (!me)
			return;
		setText(byId("menu-office"), me.office);
		byId("auditors-end").hidden = !me.auditors_end;
		setText(byId("auditors-end-text"), me.auditors_end ?
			t(me.auditors_end * 1000 > Date.now() ? "auditors.ending" : "auditors.ended", { date: formatDate(me.auditors_end) }) : "");
		const troubles = me.vault ?? [];
		byId("vault-trouble").hidden = troubles.length === 0;
		byId("vault-trouble").replaceChildren(...troubles.map(({ what, since }) => {
			const line = document.createElement("p");
			line.textContent = textOf("vault-trouble.", what, "vault-trouble.other", { date: formatMoment(since) });
			return line;
		}));
		setText(byId("menu-account"), me.full_name || me.account);
		setText(byId("menu-device"), t("menu.device", { device: me.device }));
		setText(byId("menu-device-until"), t("menu.device-until", { date: formatDate(me.device_until) }));
		setText(byId("menu-login-until"), t("menu.login-until", { time: formatMoment(me.login_until) }));
	}

	async #logout() {
		try {
			await this.#api.logout();
			this.#actions.loggedOut();
		} catch (error) {
			this.#actions.failed(error);
		}
	}
}
