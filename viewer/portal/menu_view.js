/*
 * The menu of my PCs, fresh while the page is visible.
 */
import { ApiError } from "../core/api.js";
import { announce, byId, setText, showMessage } from "./dom.js";
import { errorText, isLoggedOut } from "./errors.js";
import { HostRow } from "./host_row.js";
import { formatTime, onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/api.js").Api} Api */
/** @typedef {import("../core/api.js").Host} Host */
/** @typedef {import("../core/api.js").Me} Me */
/**
 * @typedef {object} MenuActions
 * @property {(host: Host) => void} open
 * @property {(host: Host) => void} otherLogin
 * @property {(host: Host) => Promise<boolean>} confirmEnd
 * @property {(error?: unknown) => void} loggedOut
 */

const REFRESH_MS = 5000;
const REFRESH_SOON_MS = 2000;
/* What a try to open a PC has shown reaches the list with the gateway's next look at the PC. */
const SOON_MS = 12000;

export class MenuView {
	#api;
	#actions;
	/** @type {Map<number, HostRow>} */
	#rows = new Map();
	/** @type {Me | null} */
	#me = null;
	#visible = false;
	#loaded = false;
	#refreshed = 0;
	/* Date.now() when the menu came up. */
	#shown = 0;
	/** @type {unknown} */
	#error = undefined;
	/** @type {() => string} */
	#message = () => "";
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {Api} api
	 * @param {MenuActions} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		document.addEventListener("visibilitychange", () => {
			if (this.#visible && !document.hidden)
				void this.#refresh();
		});
		onLanguage(() => this.#show());
	}

	/**
	 * @param {Me} me
	 * @param {() => string} [message] what has just happened
	 */
	show(me, message = () => "") {
		this.#me = me;
		this.#visible = true;
		this.#shown = Date.now();
		this.#error = undefined;
		this.#message = message;
		this.#show();
		byId("menu-main").focus({ preventScroll: true });
		void this.#refresh();
	}

	hide() {
		this.#visible = false;
		clearTimeout(this.#timer);
	}

	/** Forgets everything about the person. */
	clear() {
		this.hide();
		this.#me = null;
		this.#loaded = false;
		this.#rows.clear();
		byId("hosts").replaceChildren();
	}

	/** @param {unknown} error */
	fail(error) {
		if (isLoggedOut(error)) {
			this.#actions.loggedOut(error);
			return;
		}
		this.#error = error;
		this.#show();
	}

	/** @param {unknown} error of something that was to be done with a PC */
	#refused(error) {
		if (!(error instanceof ApiError) || error.code !== "locked") {
			this.fail(error);
			return;
		}
		this.#say(() => t("menu.locked"));
		this.#show();
	}

	async #refresh() {
		clearTimeout(this.#timer);
		try {
			const hosts = await this.#api.hosts();
			if (!this.#visible)
				return;
			this.#update(hosts);
			this.#error = undefined;
			this.#refreshed = Date.now() / 1000;
			this.#loaded = true;
			this.#show();
		} catch (error) {
			if (!this.#visible)
				return;
			this.fail(error);
		}
		if (this.#visible && !document.hidden)
			this.#timer = setTimeout(() => void this.#refresh(), this.#interval());
	}

	#interval() {
		const waking = [...this.#rows.values()].some((row) => row.host.state === "waking");
		return waking || Date.now() - this.#shown < SOON_MS ? REFRESH_SOON_MS : REFRESH_MS;
	}

	/** @param {Host[]} hosts */
	#update(hosts) {
		const list = byId("hosts");
		const seen = new Set(hosts.map((host) => host.id));
		for (const [id, row] of this.#rows) {
			if (!seen.has(id)) {
				row.element.remove();
				this.#rows.delete(id);
			}
		}
		hosts.forEach((host, index) => {
			let row = this.#rows.get(host.id);
			if (row) {
				this.#noteWaking(row.host, host);
				row.update(host);
			} else {
				row = new HostRow(host, {
					open: (clicked) => this.#actions.open(clicked),
					wake: (clicked) => void this.#wake(clicked),
					end: (clicked) => void this.#confirmAndEnd(clicked),
					otherLogin: (clicked) => this.#actions.otherLogin(clicked),
				});
				this.#rows.set(host.id, row);
			}
			/* Moving an element loses the focus inside, so only those out of place are moved. */
			if (list.children[index] !== row.element)
				list.insertBefore(row.element, list.children[index] ?? null);
		});
	}

	/**
	 * @param {Host} before
	 * @param {Host} now
	 */
	#noteWaking(before, now) {
		if (before.state !== "waking" || now.state === "waking")
			return;
		const ready = now.state === "reachable";
		this.#say(() => t(ready ? "menu.ready" : "menu.wake-failed", { name: now.name }));
	}

	/** @param {() => string} message */
	#say(message) {
		this.#message = message;
		announce(message());
	}

	/** @param {Host} host */
	async #wake(host) {
		this.#message = () => "";
		try {
			await this.#api.wake(host.id);
			this.#rows.get(host.id)?.update({ ...host, state: "waking" });
			announce(t("host.waking"));
			await this.#refresh();
		} catch (error) {
			this.#refused(error);
		}
	}

	/** @param {Host} host */
	async #confirmAndEnd(host) {
		if (!(await this.#actions.confirmEnd(host)) || !(await this.end(host)))
			return;
		this.#say(() => t("menu.ended", { name: host.name }));
		await this.#refresh();
	}

	/**
	 * Ends my connection to a PC.
	 * @param {Host} host
	 * @returns {Promise<boolean>} false: it could not be ended, which the menu shows
	 */
	async end(host) {
		try {
			if (host.session)
				await this.#api.end(host.session);
			return true;
		} catch (error) {
			/* It ended by itself in the meantime. */
			if (error instanceof ApiError && error.code === "not-found")
				return true;
			this.#refused(error);
			return false;
		}
	}

	#show() {
		const me = this.#me;
		if (!me || !this.#visible)
			return;
		setText(byId("menu-greeting"), t("menu.greeting", { name: me.full_name || me.account }));
		byId("menu-loading").hidden = this.#loaded || this.#error !== undefined;
		byId("menu-empty").hidden = !this.#loaded || this.#rows.size > 0;
		byId("hosts").hidden = this.#rows.size === 0;
		byId("menu-greeting").hidden = this.#rows.size === 0;
		showMessage(byId("menu-message"), this.#message());
		showMessage(byId("menu-error"), this.#errorText());
		for (const row of this.#rows.values())
			row.show();
	}

	#errorText() {
		if (this.#error === undefined)
			return "";
		if (!this.#loaded)
			return errorText(this.#error);
		return t("menu.stale", { error: errorText(this.#error), time: formatTime(this.#refreshed) });
	}
}
