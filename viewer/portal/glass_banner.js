/*
 * Break-glass is loud: while somebody looks at records without rights to them, or has asked for it, everybody whom it
 * concerns sees it above every page. What whoever reads it may do about it the gateway says.
 */
import { RECORD_OPS } from "../core/messages.js";
import { byId, isolatedPerson, setText } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { formatDayTime, onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/api.js").Me} Me */
/**
 * @typedef {object} Glass
 * @property {number} glass
 * @property {boolean} open or it waits for somebody to agree
 * @property {string} person who looks
 * @property {string} person_name
 * @property {string} by who has asked
 * @property {string} by_name
 * @property {string} with who has agreed, "": nobody yet
 * @property {string} with_name
 * @property {string} reason
 * @property {number} asked
 * @property {number} until
 * @property {boolean} mine I am who looks
 * @property {boolean} confirm I may agree
 * @property {boolean} end I may end or refuse it
 */

/* How soon it is seen. */
const LOOK_MS = 5000;

/** Whom it can concern. @param {Me} me */
function concerns({ role, records }) {
	return role !== "staff" || records === "use" || records === "manage";
}

/** @param {Glass} row */
export function glassText(row) {
	return t(row.open ? row.mine ? "glass.banner-mine" : "glass.banner-open" : "glass.banner-waits", {
		person: isolatedPerson(row.person, row.person_name), by: isolatedPerson(row.by, row.by_name),
		with: isolatedPerson(row.with, row.with_name), reason: row.reason, until: formatDayTime(row.until) });
}

export class GlassBanner {
	#api;
	#ended;
	#place = byId("glass-banner");
	/** @type {Glass[]} */
	#rows = [];
	#shown = "";
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {() => void} ended the person's own is over, whoever ended it
	 */
	constructor(api, ended) {
		this.#api = api;
		this.#ended = ended;
		onLanguage(() => this.#show());
	}

	/** @param {Me} me */
	start(me) {
		this.clear();
		if (!concerns(me) || !RECORD_OPS.includes("glass list"))
			return;
		this.#timer = setInterval(() => void this.#look(), LOOK_MS);
		void this.#look();
	}

	/** Forgets the person. */
	clear() {
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#rows = [];
		this.#show();
	}

	async #look() {
		const timer = this.#timer;
		try {
			const { rows } = await this.#api.vault("glass list", {});
			if (timer !== this.#timer || !Array.isArray(rows))
				return;
			const looked = this.#looks();
			this.#rows = /** @type {Glass[]} */ (rows);
			this.#show();
			if (looked && !this.#looks())
				this.#ended();
		} catch (error) {
			/* A gateway that does not answer for a moment ends nothing. */
			if (isLoggedOut(error) && timer === this.#timer)
				this.clear();
		}
	}

	/** Whether the person sees by it what he has no right to. */
	#looks() {
		return this.#rows.some(({ mine, open }) => mine && open);
	}

	/** Only what differs is written: what has the focus keeps it, and nothing is said twice. */
	#show() {
		const texts = this.#rows.map(glassText);
		const shown = JSON.stringify([texts, this.#rows.map(({ glass, confirm, end }) => [glass, confirm, end])]);
		if (shown === this.#shown)
			return;
		this.#shown = shown;
		this.#place.replaceChildren(...this.#rows.map((row, at) => this.#line(row, texts[at])));
	}

	/**
	 * @param {Glass} row
	 * @param {string} text
	 */
	#line(row, text) {
		const line = document.createElement("div");
		line.className = `message audit-alarm glass-line ${row.open ? "message-bad" : "message-warn"}`;
		line.dataset.glass = String(row.glass);
		const words = document.createElement("p");
		setText(words, text);
		line.append(words);
		if (row.confirm) {
			const way = document.createElement("a");
			way.className = "button";
			way.href = "#vault/glass";
			setText(way, t("glass.decide"));
			line.append(way);
		} else if (row.end && row.open) {
			const end = document.createElement("button");
			end.type = "button";
			end.className = "button";
			setText(end, t("glass.end"));
			end.addEventListener("click", () => void this.#end(row, end));
			line.append(end);
		}
		return line;
	}

	/**
	 * @param {Glass} row
	 * @param {HTMLButtonElement} button
	 */
	async #end({ glass }, button) {
		button.disabled = true;
		try {
			await this.#api.vault("glass end", { glass });
		} catch {
			/* It is over already, or the list says that it is not. */
			button.disabled = false;
		}
		await this.#look();
	}
}
