/*
 * The notes of auditors at times of a recording: asks the gateway for them, and lets one be written and taken back. What
 * is shown beside events is made of them by happenings.
 */
import { ApiError } from "../core/api.js";
import { announce, byId, setText, showMessage } from "../portal/dom.js";
import { errorText, isLoggedOut } from "../portal/errors.js";
import { t, textOf } from "../portal/i18n.js";

/** @typedef {import("../core/api.js").Note} Note */
/** @typedef {import("./happenings.js").Happening} Happening */
/**
 * @typedef {object} NotesEvents
 * @property {(happenings: Happening[]) => void} changed all of them
 * @property {() => {us: number, clock: string}} begin somebody begins to write: where is it, and stand still
 * @property {() => void} end the form is closed
 * @property {(error: unknown) => void} loggedOut
 */

/* What only a note's error means. */
const OWN_ERRORS = new Set(["state", "full", "too-big", "not-found"]);

/** @param {unknown} error */
function noteError(error) {
	return error instanceof ApiError && OWN_ERRORS.has(error.code) ? textOf("note-error.", error.code, "note-error.state") :
		errorText(error);
}

/**
 * @param {Note} note
 * @returns {Happening}
 */
export function happeningOf({ id, at, text, author, mine, withdrawn }) {
	const name = withdrawn === null ? "note" : "note-withdrawn";
	return { timeUs: at, viewer: 0, name, details: { account: author, detail: text }, ...(mine && withdrawn === null ? { note: id } : {}) };
}

export class Notes {
	#api;
	#events;
	#form = /** @type {HTMLFormElement} */ (byId("player-note-form"));
	#add = byId("player-note-add");
	#text = /** @type {HTMLTextAreaElement} */ (byId("player-note-new"));
	#error = byId("player-note-error");
	/** @type {string | null} */
	#id = null;
	/** @type {Note[]} */
	#notes = [];
	#at = 0;
	#busy = false;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {NotesEvents} events
	 */
	constructor(api, events) {
		this.#api = api;
		this.#events = events;
		this.#add.addEventListener("click", () => this.write());
		byId("player-note-cancel").addEventListener("click", () => this.#close());
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#submit();
		});
		this.#text.addEventListener("keydown", (event) => {
			if (event.isComposing || event.keyCode === 229)
				return;
			if (event.key === "Enter") {
				event.preventDefault();
				void this.#submit();
			} else if (event.key === "Escape") {
				event.preventDefault();
				this.#close();
			}
		});
	}

	/** Fetches what there is. @param {string} id of the opened recording's session */
	async open(id) {
		this.clear();
		this.#id = id;
		try {
			const notes = await this.#api.notes(id);
			if (id !== this.#id)
				return;
			this.#notes = [...notes, ...this.#notes];
			this.#changed();
		} catch (error) {
			this.#failed(error);
		}
	}

	clear() {
		this.#id = null;
		this.#notes = [];
		this.#text.value = "";
		showMessage(this.#error, "");
		this.#form.hidden = true;
		this.#add.hidden = false;
	}

	/** Opens the form for a note at the time that is shown. */
	write() {
		if (!this.#form.hidden || this.#id === null) {
			this.#text.focus();
			return;
		}
		const { us, clock } = this.#events.begin();
		this.#at = Math.round(us);
		setText(byId("player-note-label"), t("note.at", { clock }));
		showMessage(this.#error, "");
		this.#form.hidden = false;
		this.#add.hidden = true;
		this.#text.focus();
	}

	/** @param {number} note its number */
	async withdraw(note) {
		const id = this.#id;
		if (id === null)
			return;
		try {
			await this.#api.withdrawNote(id, note);
			this.#notes = this.#notes.map((one) => (one.id === note ? { ...one, text: "", withdrawn: Date.now() } : one));
			this.#changed();
			announce(t("note.withdrawn"));
		} catch (error) {
			this.#failed(error);
		}
	}

	#close() {
		this.#form.hidden = true;
		this.#add.hidden = false;
		this.#text.value = "";
		showMessage(this.#error, "");
		this.#events.end();
	}

	async #submit() {
		const id = this.#id;
		const text = this.#text.value.replace(/\s+/gu, " ").trim();
		if (id === null || this.#busy)
			return;
		if (text === "") {
			showMessage(this.#error, t("note-error.empty"));
			return;
		}
		this.#busy = true;
		try {
			const note = await this.#api.addNote(id, this.#at, text);
			if (id !== this.#id)
				return;
			this.#notes.push(note);
			this.#close();
			this.#changed();
			announce(t("note.added"));
		} catch (error) {
			this.#failed(error);
		} finally {
			this.#busy = false;
		}
	}

	#changed() {
		this.#events.changed(this.#notes.map(happeningOf));
	}

	/** @param {unknown} error */
	#failed(error) {
		if (isLoggedOut(error))
			this.#events.loggedOut(error);
		else
			showMessage(this.#error, noteError(error));
	}
}
