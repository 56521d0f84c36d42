/*
 * Over a desktop: who looks on, for as long as it lasts; the question of one who wants to take over; and the way to take
 * back. Nothing here takes the focus: what the person is typing must not become an answer.
 */
import { byId, isolated, isolatedPerson, setText } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** @typedef {import("../core/session.js").Watcher} Watcher */
/**
 * @typedef {object} WatchedActions
 * @property {(watch: number, yes: boolean) => void} answer
 * @property {() => void} takeBack
 * @property {() => void} back the desktop gets the keyboard again
 */

/* Whoever was about to click there did not mean the question that has just come up. */
const UNREAD_MS = 1000;

export class WatchedBar {
	#actions;
	#bar = byId("watched");
	#question = byId("control-ask");
	/** @type {readonly Watcher[]} */
	#watchers = [];
	/** @type {Watcher | undefined} */
	#asking;
	#askedAt = 0;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#tick;

	/** @param {WatchedActions} actions */
	constructor(actions) {
		this.#actions = actions;
		byId("control-yes").addEventListener("click", () => this.#answer(true));
		byId("control-no").addEventListener("click", () => this.#answer(false));
		this.#question.addEventListener("keydown", (event) => {
			if (event.key === "Escape")
				actions.back();
		});
		byId("watched-back").addEventListener("click", () => {
			actions.takeBack();
			actions.back();
		});
		onLanguage(() => this.#show());
	}

	/** @param {readonly Watcher[]} watchers */
	set(watchers) {
		const asking = watchers.find(({ until }) => until > 0);
		if (asking && asking.watch !== this.#asking?.watch)
			this.#askedAt = performance.now();
		this.#watchers = watchers;
		this.#asking = asking;
		clearInterval(this.#tick);
		if (asking)
			this.#tick = setInterval(() => this.#show(), 1000);
		this.#show();
	}

	clear() {
		this.set([]);
	}

	/** Whether a question waits; then its buttons get the focus. */
	focus() {
		if (this.#asking)
			byId("control-no").focus();
		return this.#asking !== undefined;
	}

	/** @param {boolean} yes */
	#answer(yes) {
		if (!this.#asking || performance.now() - this.#askedAt < UNREAD_MS)
			return;
		this.#actions.answer(this.#asking.watch, yes);
		this.#asking = undefined;
		this.#show();
		this.#actions.back();
	}

	#show() {
		const controls = this.#watchers.find(({ state }) => state === "controlling");
		const names = this.#watchers.map(({ account, name }) => isolatedPerson(account, name));
		this.#bar.hidden = names.length === 0;
		this.#bar.dataset.controlled = String(controls !== undefined);
		byId("watched-back").hidden = controls === undefined;
		byId("watched-hint").hidden = controls === undefined;
		if (controls)
			setText(byId("watched-text"), t("watched.controls", { name: isolatedPerson(controls.account, controls.name) }));
		else if (names.length > 0)
			setText(byId("watched-text"), t("watched.looks", { names: names.join(t("watched.and")) }));
		this.#question.hidden = this.#asking === undefined;
		if (this.#asking)
			this.#ask(this.#asking);
	}

	/** @param {Watcher} watcher */
	#ask({ account, name, purpose, until }) {
		setText(byId("control-ask-text"), t("control.ask", { name: isolatedPerson(account, name) }));
		setText(byId("control-ask-purpose"), t("control.purpose", { purpose: isolated(purpose) }));
		setText(byId("control-ask-time"),
			t("control.time", { seconds: Math.max(0, Math.ceil((until - Date.now()) / 1000)) }));
	}
}
