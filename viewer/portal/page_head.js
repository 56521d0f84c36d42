/*
 * The frame around the menu and the administrator's page: who and where I am, the way between the two, log-out.
 */
import { byId, setText } from "./dom.js";
import { formatDate, formatMoment, onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/api.js").Me} Me */
/** @typedef {"menu" | "devices"} Page with a way to it; an auditor has one page only */

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
		this.#link("nav-pcs", () => actions.go("menu"));
		this.#link("nav-devices", () => actions.go("devices"));
		this.#link("skip", () => {
			for (const id of ["menu-main", "devices-main", "recordings-main"])
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
	 * @param {Page | "recordings"} page
	 */
	show(me, page) {
		this.#me = me;
		byId("nav").hidden = me.role !== "admin";
		for (const [id, own] of /** @type {[string, Page][]} */ ([["nav-pcs", "menu"], ["nav-devices", "devices"]])) {
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
	}

	#write() {
		const me = this.#me;
		if (!me)
			return;
		setText(byId("menu-office"), me.office);
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
