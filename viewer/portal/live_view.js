/*
 * Who works where now: for administrators and auditors. Whoever may look on does so from here; sessions can be ended.
 */
import { byId, find, isolatedPerson, setText, showMessage } from "./dom.js";
import { errorText, isLoggedOut } from "./errors.js";
import { formatDayTime, onLanguage, t, textOf } from "./i18n.js";

/** @typedef {import("../core/api.js").LiveInfo} LiveInfo */
/** @typedef {import("../core/api.js").LiveList} LiveList */
/**
 * @typedef {object} LiveActions
 * @property {(session: LiveInfo) => void} watch
 * @property {(session: LiveInfo) => void} end
 * @property {(error?: unknown) => void} loggedOut
 */

const POLL_MS = 5000;

export class LiveView {
	#api;
	#actions;
	/** @type {Map<string, HTMLElement>} */
	#rows = new Map();
	/** @type {LiveList | null} */
	#list = null;
	/** @type {import("../core/api.js").Me | null} */
	#me = null;
	#visible = false;
	/** @type {unknown} */
	#error = undefined;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	#turn = 0;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {LiveActions} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		onLanguage(() => this.#show());
	}

	/** @param {import("../core/api.js").Me} me */
	show(me) {
		this.#me = me;
		this.#visible = true;
		this.#error = undefined;
		this.#show();
		byId("live-main").focus({ preventScroll: true });
		void this.refresh();
	}

	hide() {
		this.#visible = false;
		this.#turn++;
		clearTimeout(this.#timer);
	}

	/** Forgets everything. */
	clear() {
		this.hide();
		this.#list = null;
		this.#rows.clear();
		byId("live-rows").replaceChildren();
	}

	/**
	 * The session of that id, when it goes on.
	 * @param {string} id
	 * @returns {Promise<LiveInfo | undefined>}
	 */
	async find(id) {
		return (await this.#api.live()).sessions.find((session) => session.id === id);
	}

	async refresh() {
		const turn = ++this.#turn;
		clearTimeout(this.#timer);
		try {
			const list = await this.#api.live();
			if (turn !== this.#turn)
				return;
			this.#list = list;
			this.#error = undefined;
		} catch (error) {
			if (turn !== this.#turn)
				return;
			if (isLoggedOut(error)) {
				this.#actions.loggedOut(error);
				return;
			}
			this.#error = error;
		}
		this.#show();
		this.#timer = setTimeout(() => void this.refresh(), POLL_MS);
	}

	#show() {
		if (!this.#visible)
			return;
		const sessions = this.#list?.sessions ?? [];
		const known = new Map();
		for (const session of sessions) {
			const row = this.#rows.get(session.id) ?? this.#newRow(session.id);
			this.#write(row, session);
			known.set(session.id, row);
		}
		this.#rows = known;
		/* What stays is not moved: that would take away the focus inside. */
		const rows = [...known.values()];
		const place = byId("live-rows");
		for (const old of [...place.children])
			if (!rows.includes(/** @type {HTMLElement} */ (old)))
				old.remove();
		rows.forEach((row, at) => {
			if (place.children[at] !== row)
				place.insertBefore(row, place.children[at] ?? null);
		});
		byId("live-loading").hidden = this.#list !== null || this.#error !== undefined;
		byId("live-frame").hidden = sessions.length === 0;
		byId("live-empty").hidden = this.#list === null || sessions.length > 0;
		byId("live-more").hidden = !this.#list?.more;
		byId("live-no-right").hidden = this.#list === null || this.#list.watch > 0;
		showMessage(byId("live-error"), this.#error === undefined ? "" : errorText(this.#error));
	}

	/** @param {string} id */
	#newRow(id) {
		const template = /** @type {HTMLTemplateElement} */ (byId("live-row"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		const row = find(copy, "tr");
		const session = () => this.#list?.sessions.find((one) => one.id === id);
		row.dataset.session = id;
		find(row, ".live-watch").addEventListener("click", () => {
			const one = session();
			if (one)
				this.#actions.watch(one);
		});
		find(row, ".live-end").addEventListener("click", () => {
			const one = session();
			if (one)
				this.#actions.end(one);
		});
		return row;
	}

	/**
	 * @param {HTMLElement} row
	 * @param {LiveInfo} session
	 */
	#write(row, session) {
		const { person, full_name, pc, device, address, started, state, watchers } = session;
		const name = full_name || person;
		const may = this.#list?.watch ?? 0;
		row.dataset.state = state;
		this.#cell(row, "person", "recordings.person");
		setText(find(row, ".person-name"), name);
		setText(find(row, ".person-account"), full_name ? person : "");
		this.#cell(row, "pc", "recordings.pc", pc);
		this.#cell(row, "from", "recordings.from-device");
		setText(find(row, ".from-device"), device);
		setText(find(row, ".from-address"), address);
		this.#cell(row, "started", "recordings.started", formatDayTime(started));
		this.#cell(row, "state", "recordings.state");
		setText(find(row, ".state-text"), textOf("live-state.", state, "live-state.unknown"));
		showMessage(find(row, ".live-watchers"), watchers.length > 0 ? t("live.watchers", {
			names: watchers.map((one) => isolatedPerson(one.account, one.full_name)).join(t("watched.and")) }) : "");
		const watch = /** @type {HTMLButtonElement} */ (find(row, ".live-watch"));
		watch.hidden = may === 0 || person === this.#me?.account;
		setText(watch, t("live.watch"));
		watch.setAttribute("aria-label", t("live.watch-one", { person: name, pc }));
		const end = find(row, ".live-end");
		end.hidden = may === 0 && this.#me?.role !== "admin";
		setText(end, t("live.end"));
		end.setAttribute("aria-label", t("live.end-one", { person: name, pc }));
	}

	/**
	 * @param {HTMLElement} row
	 * @param {string} name
	 * @param {import("./i18n.js").Key} label stands before it where the table's head is not there
	 * @param {string} [text]
	 */
	#cell(row, name, label, text) {
		const cell = find(row, `.cell-${name}`);
		cell.dataset.label = t(label);
		if (text !== undefined)
			setText(cell, text);
	}
}
