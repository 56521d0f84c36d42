/*
 * The auditor's page: what was recorded, the newest first, narrowed down by person, PC and day.
 */
import { byId, setText, showMessage } from "./dom.js";
import { errorText, isLoggedOut } from "./errors.js";
import { onLanguage, t } from "./i18n.js";
import { fits } from "./inventory_order.js";
import { RecordingRow } from "./recording_row.js";
import { dayIn, officeZone } from "./zone.js";

/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */
/** @typedef {{open: (recording: RecordingInfo) => void, loggedOut: (error?: unknown) => void}} RecordingsActions */

export class RecordingsView {
	#api;
	#actions;
	#search = /** @type {HTMLInputElement} */ (byId("recordings-search"));
	#from = /** @type {HTMLInputElement} */ (byId("recordings-from"));
	#to = /** @type {HTMLInputElement} */ (byId("recordings-to"));
	#more = /** @type {HTMLButtonElement} */ (byId("recordings-more"));
	/** @type {Map<string, RecordingRow>} in the order of the list */
	#rows = new Map();
	#visible = false;
	#loaded = false;
	#busy = false;
	/** @type {number | null} */
	#next = null;
	/** @type {unknown} */
	#error = undefined;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {RecordingsActions} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		for (const input of [this.#search, this.#from, this.#to])
			input.addEventListener("input", () => this.#show());
		this.#more.addEventListener("click", () => void this.#load(this.#next));
		byId("recordings-refresh").addEventListener("click", () => void this.#load(null));
		onLanguage(() => this.#show());
	}

	show() {
		this.#visible = true;
		this.#error = undefined;
		this.#show();
		byId("recordings-main").focus({ preventScroll: true });
		void this.#load(null);
	}

	hide() {
		this.#visible = false;
	}

	/** Forgets everything. */
	clear() {
		this.hide();
		this.#rows.clear();
		this.#loaded = false;
		this.#next = null;
		for (const input of [this.#search, this.#from, this.#to])
			input.value = "";
		byId("recordings-rows").replaceChildren();
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

	/** @param {number | null} before null: the newest, and nothing of what was there */
	async #load(before) {
		if (this.#busy)
			return;
		this.#setBusy(true);
		try {
			const { recordings, next } = await this.#api.recordings(before);
			if (!this.#visible)
				return;
			if (before === null)
				this.#rows.clear();
			for (const recording of recordings)
				this.#rows.set(recording.id, new RecordingRow(recording, this.#actions.open));
			this.#next = next;
			this.#loaded = true;
			this.#error = undefined;
			this.#show();
		} catch (error) {
			if (this.#visible)
				this.fail(error);
		} finally {
			this.#setBusy(false);
		}
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#more.disabled = busy;
		byId("recordings-main").setAttribute("aria-busy", String(busy));
	}

	/** @param {RecordingRow} row */
	#fits({ recording }) {
		const { person, full_name, pc, device, address, started } = recording;
		const from = dayIn(this.#from.value, officeZone());
		const to = dayIn(this.#to.value, officeZone(), 1) || Infinity;
		return fits([person, full_name, pc, device, address], this.#search.value) && started >= from && started < to;
	}

	#show() {
		if (!this.#visible)
			return;
		const rows = [...this.#rows.values()];
		const fitting = rows.filter((row) => this.#fits(row));
		for (const row of fitting)
			row.show();
		byId("recordings-rows").replaceChildren(...fitting.map(({ element }) => element));
		byId("recordings-loading").hidden = this.#loaded || this.#error !== undefined;
		byId("recordings-parts").hidden = !this.#loaded || rows.length === 0;
		byId("recordings-empty").hidden = !this.#loaded || rows.length > 0;
		byId("recordings").hidden = fitting.length === 0;
		byId("recordings-none").hidden = fitting.length > 0;
		this.#more.hidden = this.#next === null;
		setText(byId("recordings-none"), t(this.#next === null ? "recordings.none" : "recordings.none-yet"));
		setText(byId("recordings-count"), t(this.#next === null ? "recordings.count" : "recordings.count-more",
			{ shown: fitting.length, all: rows.length }));
		showMessage(byId("recordings-error"), this.#error === undefined ? "" : errorText(this.#error));
	}
}
