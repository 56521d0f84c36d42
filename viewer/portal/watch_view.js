/*
 * Somebody else's desktop, looked on at: what that person sees, and nothing while the person is not there. Keyboard and
 * pointer stay here until the person has agreed to hand over.
 */
import { byId, isolated, isolatedPerson, setText } from "./dom.js";
import { onLanguage, t, textOf } from "./i18n.js";
import { keyboardLayout } from "./layout.js";
import { canShow, PcScreen } from "./pc_screen.js";

/** @typedef {import("../core/api.js").LiveInfo} LiveInfo */
/** @typedef {import("../core/session.js").Watching} Watching */
/**
 * @typedef {object} WatchActions
 * @property {() => void} back to the list
 * @property {(session: LiveInfo) => void} again
 * @property {(session: LiveInfo) => void} end
 * @property {() => void} loggedOut
 */

const NEWS_MS = 8000;

export class WatchView {
	#api;
	#actions;
	#frame = byId("watch-frame");
	#stage = byId("watch-stage");
	#card = byId("watch-card");
	/** @type {LiveInfo | null} */
	#session = null;
	/** @type {PcScreen | null} */
	#screen = null;
	/** @type {Watching | null} */
	#watching = null;
	#connection = "connecting";
	/* Why it is over, code of end_reason. */
	#reason = "none";
	/** @type {(() => string) | null} */
	#news = null;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#fade;
	/* Counts up with each session shown. */
	#turn = 0;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {WatchActions} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		byId("watch-leave").addEventListener("click", () => actions.back());
		byId("watch-card-back").addEventListener("click", () => actions.back());
		byId("watch-card-again").addEventListener("click", () => this.#session && actions.again(this.#session));
		byId("watch-end").addEventListener("click", () => this.#session && actions.end(this.#session));
		byId("watch-ask").addEventListener("click", () => this.#screen?.session.askControl());
		byId("watch-give-back").addEventListener("click", () => this.#screen?.session.endControl());
		onLanguage(() => this.#show());
	}

	/**
	 * One that was asked for just now.
	 * @param {LiveInfo} session
	 */
	async open(session) {
		this.close();
		const turn = this.#turn;
		this.#session = session;
		this.#connection = "connecting";
		this.#reason = "none";
		this.#watching = null;
		this.#show();
		const layout = await keyboardLayout();
		if (turn !== this.#turn)
			return;
		if (!canShow()) {
			this.#connection = "failed";
			this.#show();
			return;
		}
		/* Its stream is opened once: whoever has lost it says again what for. */
		const source = {
			streamUrl: (/** @type {string} */ id) => this.#api.watchUrl(id),
			session: () => Promise.resolve({ state: "ended", reason: this.#reason }),
		};
		this.#screen = new PcScreen(source, { id: session.id, monitor: 0, codecs: 0 },
			{ frame: this.#frame, stage: this.#stage }, { layout, scaling: "fit", localIme: false, silent: true }, {
				status: (status) => this.#status(status),
				hello: () => {},
				laidOut: () => {},
				notice: (kind, seconds) => this.#notice(kind, seconds),
				latency: () => {},
				figures: () => {},
				sound: () => {},
				pasted: () => {},
				watchers: () => {},
				watching: (watching) => this.#changed(watching),
				leave: () => byId("watch-give-back").focus(),
			});
		this.#show();
	}

	/** The session goes on; looking on is over. */
	close() {
		this.#turn++;
		clearTimeout(this.#fade);
		this.#news = null;
		this.#screen?.close();
		this.#screen = null;
		delete document.body.dataset.watch;
	}

	/** @param {import("../core/session.js").Status} status */
	#status({ connection, state, reason }) {
		/* The first word is about what happened, later ones only about its end here. */
		if (this.#reason === "none" && reason !== "none")
			this.#reason = state === "ended" ? "ended" : reason;
		this.#connection = connection;
		if (connection === "login")
			this.#actions.loggedOut();
		else
			this.#show();
	}

	/** @param {Watching} watching */
	#changed(watching) {
		const controlled = this.#watching?.state === "controlling";
		const controls = watching.state === "controlling";
		this.#watching = watching;
		if (this.#screen && controlled !== controls) {
			this.#screen.silent = !controls;
			this.#screen.grab(controls);
			if (controls) {
				this.#tell(() => t("watch.given"));
				this.#screen.focus();
			} else {
				byId("watch-ask").focus();
			}
		}
		this.#show();
	}

	/**
	 * @param {string} kind code of notice_kind
	 * @param {number} seconds
	 */
	#notice(kind, seconds) {
		if (kind === "control-refused")
			this.#tell(() => t("watch.refused"));
		else if (kind === "control-ended")
			this.#tell(() => t("watch.ended"));
		else if (kind === "control-busy")
			this.#tell(() => (seconds > 0 ? t("watch.wait", { seconds }) : t("watch.busy")));
	}

	/** @param {() => string} text */
	#tell(text) {
		clearTimeout(this.#fade);
		this.#news = text;
		this.#fade = setTimeout(() => {
			this.#news = null;
			this.#show();
		}, NEWS_MS);
		this.#show();
	}

	/** What keeps the desktop from being seen; "" when it is. */
	#hidden() {
		if (["ended", "locked", "replaced", "broken", "failed"].includes(this.#connection))
			return this.#connection === "failed" || this.#connection === "broken" ? this.#connection : "over";
		if (this.#watching && this.#watching.view !== "shown")
			return this.#watching.view === "locked" ? "locked" : "away";
		return this.#connection === "online" ? "" : "connecting";
	}

	#show() {
		const session = this.#session;
		if (!session)
			return;
		const name = session.full_name || session.person;
		const hidden = this.#hidden();
		const state = hidden ? hidden : this.#watching?.state ?? "looking";
		document.body.dataset.watch = state;
		setText(byId("watch-person"), isolatedPerson(session.person, session.full_name));
		setText(byId("watch-pc"), session.pc);
		byId("watch-state").dataset.state = hidden ? "connecting" : "online";
		setText(byId("watch-state-text"), textOf("watch-state.", state, "watch-state.looking"));
		byId("watch-ask").hidden = !this.#watching?.mayAsk || state === "controlling" || hidden === "over";
		/** @type {HTMLButtonElement} */ (byId("watch-ask")).disabled = state !== "looking";
		byId("watch-give-back").hidden = state !== "controlling";
		byId("watch-end").hidden = hidden === "over";
		byId("watch-news").hidden = this.#news === null;
		if (this.#news)
			setText(byId("watch-news-text"), this.#news());
		this.#screen?.setLabels(t("watch.label", { name, pc: session.pc }), t("watch.label", { name, pc: session.pc }));
		this.#showCard(hidden, name);
	}

	/**
	 * @param {string} hidden
	 * @param {string} name
	 */
	#showCard(hidden, name) {
		const over = ["over", "broken", "failed"].includes(hidden);
		this.#card.hidden = hidden === "";
		this.#card.dataset.icon = over ? "alert" : hidden === "connecting" ? "wait" : "lock";
		byId("watch-card-icon").querySelector("use")?.setAttribute("href",
			`#i-${over ? "alert" : hidden === "connecting" ? "wait" : hidden === "locked" ? "lock" : "eye"}`);
		if (hidden === "broken" || hidden === "failed") {
			setText(byId("watch-card-title"), t(`${hidden}.title`));
			setText(byId("watch-card-text"), t(`${hidden}.text`));
		} else if (hidden) {
			setText(byId("watch-card-title"), t(`watch.${/** @type {"over"} */ (hidden)}`, { name: isolated(name) }));
			setText(byId("watch-card-text"), hidden === "over" ? this.#overText() : t(`watch.${/** @type {"away"} */ (hidden)}-text`));
		}
		byId("watch-card-again").hidden = hidden !== "over" || !["none", "gateway"].includes(this.#reason);
		byId("watch-card-actions").hidden = !over;
	}

	#overText() {
		return textOf("watch-over.", this.#reason, "watch-over.ended");
	}
}
