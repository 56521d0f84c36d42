/*
 * The list of what happened, beside the picture: a press leads to the time.
 */
import { byId, setText } from "../portal/dom.js";
import { t } from "../portal/i18n.js";
import { detailOf, titleOf, weightOf } from "./happening_texts.js";
import { clockText } from "./times.js";

/** @typedef {import("./happenings.js").Happening} Happening */
/** @typedef {import("./session.js").PlayerSession} PlayerSession */

/* A little before, so that it is seen how it came to it. */
const BEFORE_US = 1000000;

export class HappeningList {
	#list = byId("player-events-list");
	#seek;
	#withdraw;
	/** @type {Happening[]} */
	#shown = [];
	#now = -1;

	/**
	 * @param {(us: number) => void} seek
	 * @param {(note: number) => void} withdraw a note of one's own
	 */
	constructor(seek, withdraw) {
		this.#seek = seek;
		this.#withdraw = withdraw;
	}

	/** @param {PlayerSession} session */
	update(session) {
		this.#shown = session.happenings;
		this.#now = -1;
		setText(byId("player-events-count"), t("player.events-count", { n: this.#shown.length }));
		byId("player-events-none").hidden = this.#shown.length > 0;
		this.#list.replaceChildren(...this.#shown.map((happening) => this.#row(happening, session)));
		this.follow(session.position);
	}

	clear() {
		this.#shown = [];
		this.#list.replaceChildren();
	}

	/** Marks the last one before a time. @param {number} us */
	follow(us) {
		let now = -1;
		while (now + 1 < this.#shown.length && this.#shown[now + 1].timeUs <= us + BEFORE_US)
			now++;
		if (now === this.#now)
			return;
		this.#list.children[this.#now]?.removeAttribute("aria-current");
		this.#now = now;
		const row = this.#list.children[now];
		row?.setAttribute("aria-current", "true");
		row?.scrollIntoView({ block: "nearest" });
	}

	/** It was hidden: what is current may be elsewhere in it. */
	reveal() {
		this.#list.children[this.#now]?.scrollIntoView({ block: "nearest" });
	}

	/**
	 * The one before or after a time.
	 * @param {number} us
	 * @param {1 | -1} by
	 * @returns {number | null} the time to go to
	 */
	neighbour(us, by) {
		const times = this.#shown.map(({ timeUs }) => Math.max(0, timeUs - BEFORE_US));
		const found = by > 0 ? times.find((time) => time > us + 1000) : times.filter((time) => time < us - BEFORE_US).at(-1);
		return found ?? null;
	}

	/**
	 * @param {Happening} happening
	 * @param {PlayerSession} session
	 */
	#row(happening, session) {
		const row = document.createElement("li");
		const button = document.createElement("button");
		const words = document.createElement("span");
		button.type = "button";
		button.className = "event";
		button.dataset.weight = weightOf(happening);
		for (const [name, text] of [["event-time", clockText(session.wallAt(happening.timeUs))],
			["event-title", titleOf(happening)], ["event-detail", detailOf(happening)]]) {
			const part = document.createElement("span");
			part.className = name;
			part.textContent = text;
			(name === "event-time" ? button : words).append(part);
		}
		button.append(words);
		button.addEventListener("click", () => this.#seek(Math.max(0, happening.timeUs - BEFORE_US)));
		row.append(button);
		if (happening.note !== undefined)
			row.append(this.#withdrawButton(happening.note));
		return row;
	}

	/* Pressed twice: there is no way back. @param {number} note */
	#withdrawButton(/** @type {number} */ note) {
		const button = document.createElement("button");
		button.type = "button";
		button.className = "event-withdraw";
		button.textContent = t("note.withdraw");
		button.addEventListener("blur", () => {
			delete button.dataset.sure;
			button.textContent = t("note.withdraw");
		});
		button.addEventListener("click", () => {
			if (button.dataset.sure) {
				this.#withdraw(note);
				return;
			}
			button.dataset.sure = "true";
			button.textContent = t("note.withdraw-sure");
		});
		return button;
	}
}
