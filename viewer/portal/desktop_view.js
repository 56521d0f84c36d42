/*
 * The desktop of a PC: opens the session, shows it, and says what is going on when it cannot be shown. In a window for
 * the PC's second monitor it shows that and nothing else.
 */
import { ApiError } from "../core/api.js";
import { soundCodecs } from "../core/audio.js";
import { Companion } from "./companion.js";
import { cardOf } from "./desktop_cards.js";
import { byId } from "./dom.js";
import { errorText } from "./errors.js";
import { FiguresPanel } from "./figures_panel.js";
import { onLanguage, t } from "./i18n.js";
import { keyboardLayout } from "./layout.js";
import { Notices } from "./notices.js";
import { Overlay } from "./overlay.js";
import { canShow, PcScreen } from "./pc_screen.js";
import { readPcPreference, writePcPreference } from "./preferences.js";
import { openSecondWindow } from "./second_window.js";
import { Toolbar } from "./toolbar.js";
import { UnlockForm } from "./unlock_form.js";
import { WatchedBar } from "./watched_bar.js";

/** @typedef {import("../core/api.js").Api} Api */
/** @typedef {import("./desktop_cards.js").Shown} Shown */
/** @typedef {import("./credentials_dialog.js").Answer} Answer */
/** @typedef {{id: number, name: string, withUser: boolean, client: string}} Pc client: for whom and what for it is opened */
/**
 * @typedef {object} DesktopActions
 * @property {(message?: () => string) => void} menu
 * @property {(error: unknown) => void} loggedOut
 * @property {() => void} deviceGone the gateway says that this device may not be used any more; the reason stays on show
 * @property {(pc: Pc) => Promise<Answer | null>} credentials
 * @property {(name: string) => Promise<import("./leave_dialog.js").Choice>} leave
 * @property {(id: string, name: string, monitor: number) => void} opened the page's address gets the session
 */

/* The session is over for this page, so there is nothing for another window either. */
const OVER = new Set(["ended", "replaced", "login", "broken", "failed"]);

export class DesktopView {
	#api;
	#actions;
	#frame = byId("frame");
	#stage = byId("stage");
	#overlay = new Overlay();
	#notices;
	#watched;
	#toolbar;
	#figures;
	/** @type {Pc} */
	#pc = { id: 0, name: "", withUser: true, client: "" };
	#id = "";
	#monitor = 0;
	/** @type {import("../core/keymap.js").Layout} */
	#layout = "ja";
	/* What the page decodes for the session. */
	#codecs = 0;
	/** @type {PcScreen | null} */
	#screen = null;
	/** @type {Companion | null} */
	#companion = null;
	/** @type {Shown | null} */
	#last = null;
	/* Why the session could not even be opened. */
	/** @type {unknown} */
	#error = undefined;
	/* Who ended the session and why, in that one's words. */
	/** @type {{by: string, words: string} | null} */
	#words = null;
	/* The PC's login to open it with, once the password was given again. */
	/** @type {Answer | null} */
	#answer = null;
	#since = 0;
	#visible = false;
	/* Counts up with each PC shown, so that answers for an older one are dropped. */
	#turn = 0;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#tick;

	/**
	 * @param {Api} api
	 * @param {DesktopActions} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		this.#notices = new Notices(() => {
			this.#screen?.session.stillHere();
			this.#screen?.focus();
		}, () => this.#setIme(false));
		this.#watched = new WatchedBar({
			answer: (watch, yes) => this.#screen?.session.answerControl(watch, yes),
			takeBack: () => this.#screen?.session.endControl(),
			back: () => this.#screen?.focus(),
		});
		this.#figures = new FiguresPanel((on) => this.#screen?.session.watchFigures(on), () => this.#screen?.focus());
		this.#toolbar = new Toolbar({
			press: (keys) => this.#screen?.press(keys),
			ime: (local) => this.#setIme(local),
			scaling: (scaling) => this.#screen?.setScaling(scaling),
			layout: (layout) => this.#setLayout(layout),
			sound: (on) => void this.#screen?.session.sound.set(on),
			second: () => void this.#openSecond(),
			disconnect: () => this.#disconnect(),
			logout: () => void this.#leave(),
			help: () => /** @type {HTMLDialogElement} */ (byId("help")).showModal(),
			back: () => this.#screen?.focus(),
		});
		byId("help-close").addEventListener("click", () => {
			/** @type {HTMLDialogElement} */ (byId("help")).close();
			this.#screen?.focus();
		});
		new UnlockForm({ unlock: (password) => this.#unlock(password), loggedOut: (error) => actions.loggedOut(error) });
		onLanguage(() => this.#show());
	}

	/**
	 * Opens a PC, or the session that is still there.
	 * @param {Pc} pc
	 * @param {Answer | null} answer the PC's login, when it was asked for
	 */
	async open(pc, answer) {
		const turn = this.#start(pc, 0);
		this.#answer = answer;
		try {
			await this.#learn();
			const session = await this.#api.open({ host: pc.id, ...PcScreen.wish(this.#frame), layout: this.#layout,
				...(pc.client ? { client: pc.client } : {}), ...answer });
			if (turn === this.#turn)
				this.#attach(session.id);
		} catch (error) {
			if (turn === this.#turn)
				await this.#openFailed(error);
		}
	}

	/**
	 * Shows a session that was opened before: after the page was loaded again, or in a second window.
	 * @param {string} id
	 * @param {number} monitor
	 */
	async resume(id, monitor) {
		const turn = this.#start({ id: 0, name: "", withUser: true, client: "" }, monitor);
		try {
			const session = await this.#api.session(id);
			if (turn !== this.#turn)
				return;
			await this.#learn();
			this.#pc = { id: session.host, name: session.host_name, withUser: true, client: "" };
			this.#toolbar.open(session.host_name, monitor);
			this.#attach(session.id);
		} catch (error) {
			if (turn !== this.#turn)
				return;
			if (error instanceof ApiError && error.code === "not-found")
				this.#actions.menu();
			else
				await this.#openFailed(error);
		}
	}

	/** Somebody has ended the session and said why. */
	async #learnWords() {
		const turn = this.#turn;
		try {
			const { ended_by, ended_words } = await this.#api.session(this.#id);
			if (turn === this.#turn)
				this.#words = { by: ended_by, words: ended_words };
		} catch {
			/* Then the page says only that somebody has. */
		}
		this.#show();
	}

	/** What this device is like. */
	async #learn() {
		[this.#layout, this.#codecs] = await Promise.all([keyboardLayout(), soundCodecs()]);
		this.#toolbar.setLayout(this.#layout);
	}

	/** Takes everything down; the session itself goes on at the gateway. */
	close() {
		this.#turn++;
		this.#answer = null;
		this.#visible = false;
		clearInterval(this.#tick);
		this.#part();
		this.#detach();
		this.#toolbar.close();
		this.#figures.close();
		this.#overlay.hide();
		delete document.body.dataset.sessionState;
		delete document.body.dataset.connection;
	}

	/**
	 * @param {Pc} pc
	 * @param {number} monitor
	 * @returns {number} the turn
	 */
	#start(pc, monitor) {
		this.close();
		this.#visible = true;
		this.#pc = pc;
		this.#id = "";
		this.#monitor = monitor;
		this.#error = undefined;
		this.#words = null;
		this.#last = null;
		this.#since = Date.now();
		this.#toolbar.open(pc.name, monitor);
		this.#figures.clear();
		this.#tick = setInterval(() => this.#show(), 500);
		this.#show();
		return this.#turn;
	}

	#detach() {
		this.#notices.clear();
		this.#watched.clear();
		this.#screen?.close();
		this.#screen = null;
		this.#toolbar.setSound("none");
	}

	/** Tells the second window that its desktop is gone. */
	#part() {
		if (this.#monitor === 0)
			this.#companion?.tell("bye");
		this.#companion?.close();
		this.#companion = null;
		this.#toolbar.setSecond({ open: false });
	}

	/** @param {string} id */
	#attach(id) {
		this.#detach();
		this.#answer = null;
		this.#id = id;
		this.#since = Date.now();
		this.#actions.opened(id, this.#pc.name, this.#monitor);
		if (!canShow()) {
			this.#status({ connection: "failed", state: "starting", reason: "none", retryAt: 0 });
			return;
		}
		const localIme = readPcPreference("ime", this.#pc.id) === "local";
		this.#toolbar.setIme(localIme);
		this.#screen = new PcScreen(this.#api, { id, monitor: this.#monitor, codecs: this.#codecs }, { frame: this.#frame, stage: this.#stage },
			{ layout: this.#layout, scaling: this.#toolbar.scaling, localIme }, {
				status: (status) => this.#status(status),
				hello: ({ viewOnly, monitors }) => {
					this.#toolbar.setViewOnly(viewOnly);
					this.#toolbar.setSecond({ offered: monitors > 1 });
				},
				laidOut: (layout) => {
					this.#toolbar.setPicture(layout);
					this.#figures.setLayout(layout);
				},
				notice: (kind, seconds) => this.#notice(kind, seconds),
				latency: (gateway, pc) => this.#figures.setLatency(gateway, pc),
				figures: (figures) => this.#figures.setFigures(figures),
				sound: (state) => this.#toolbar.setSound(state),
				pasted: () => this.#notices.tell("notice.paste"),
				watchers: (watchers) => this.#watched.set(watchers),
				watching: () => {},
				leave: () => {
					if (!this.#watched.focus())
						this.#toolbar.focus();
				},
			});
		this.#screen.session.watchFigures(this.#figures.on);
		this.#meet(id);
		this.#show();
	}

	/**
	 * From now on the windows of this session know of each other.
	 * @param {string} id
	 */
	#meet(id) {
		this.#companion = new Companion(id, this.#monitor, {
			arrived: () => this.#toolbar.setSecond({ open: true }),
			left: () => this.#show(),
			gone: () => (this.#monitor > 0 ? this.#alone() : this.#toolbar.setSecond({ open: false })),
			online: () => {
				if (["locked", "replaced"].includes(this.#last?.connection ?? ""))
					this.#screen?.session.resume();
				else
					this.#screen?.session.retryNow();
			},
			bye: () => {
				if (this.#monitor > 0)
					this.#actions.menu();
			},
		});
		if (this.#monitor > 0)
			this.#notices.tell("second.hint");
	}

	/** The first window was closed, and this is only the second. */
	#alone() {
		this.#detach();
		this.#status({ connection: "alone", state: "detached", reason: "none", retryAt: 0 });
	}

	/** @param {Shown} status */
	#status(status) {
		const online = status.connection === "online";
		this.#screen?.grab(online);
		if (online) {
			if (!byId("overlay").hidden)
				this.#screen?.focus();
			if (this.#last?.connection !== "online")
				this.#companion?.tell("online");
		} else if (this.#last?.connection === "online") {
			this.#notices.clear();
			this.#watched.clear();
			this.#figures.setOffline();
		}
		if (this.#monitor === 0 && OVER.has(status.connection))
			this.#part();
		if (status.reason === "revoked-device")
			this.#actions.deviceGone();
		if (status.reason === "administrator" && this.#last?.reason !== "administrator")
			void this.#learnWords();
		this.#last = status;
		this.#show();
	}

	/**
	 * @param {string} kind code of notice_kind
	 * @param {number} seconds
	 */
	#notice(kind, seconds) {
		this.#notices.show(kind, seconds);
		/* What was chosen for this PC does not work there: not the next time. */
		if (kind === "no-text")
			writePcPreference("ime", this.#pc.id, "pc");
	}

	/** @param {unknown} error */
	async #openFailed(error) {
		const code = error instanceof ApiError ? error.code : "";
		if (code === "auth")
			this.#actions.loggedOut(error);
		else if (code === "credentials")
			await this.#askAndOpen();
		else if (code === "locked")
			this.#status({ connection: "locked", state: "locked", reason: "none", retryAt: 0 });
		else if (error instanceof ApiError && error.field === "client")
			this.#actions.menu(() => t("menu.client-needed"));
		else {
			this.#error = error;
			this.#show();
		}
	}

	/** Asks for the PC's login and opens it with that. */
	async #askAndOpen() {
		const pc = this.#pc;
		const answer = await this.#actions.credentials(pc);
		if (answer)
			await this.open(pc, answer);
		else
			this.#actions.menu();
	}

	/**
	 * @param {string} password
	 * @returns {Promise<() => Promise<void>>}
	 */
	async #unlock(password) {
		const turn = this.#turn;
		try {
			if (this.#id)
				await this.#api.unlock(this.#id, password);
			else
				await this.#api.unlockLogin(password);
		} catch (error) {
			/* Unlocked already, in another window. */
			if (!(error instanceof ApiError) || error.code !== "state")
				throw error;
		}
		return async () => {
			if (turn !== this.#turn)
				return;
			if (this.#screen)
				this.#screen.session.resume();
			else
				await this.open(this.#pc, this.#answer);
		};
	}

	async #openSecond() {
		const turn = this.#turn;
		const opened = await openSecondWindow(this.#id);
		if (turn !== this.#turn)
			return;
		if (opened !== "placed")
			this.#notices.tell(opened === "blocked" ? "second.blocked" : "second.opened");
	}

	#disconnect() {
		const { name } = this.#pc;
		const lives = this.#screen !== null && this.#screen.session.status.connection !== "ended";
		this.#actions.menu(lives ? () => t("menu.disconnected", { name }) : undefined);
	}

	async #leave() {
		const turn = this.#turn;
		const { name } = this.#pc;
		const choice = await this.#actions.leave(name);
		if (turn !== this.#turn)
			return;
		if (choice === "disconnect")
			this.#disconnect();
		else if (choice === "end")
			await this.#end();
		else
			this.#screen?.focus();
	}

	async #end() {
		const { name } = this.#pc;
		try {
			if (this.#id)
				await this.#api.end(this.#id);
			this.#actions.menu(() => t("menu.ended", { name }));
		} catch (error) {
			const code = error instanceof ApiError ? error.code : "";
			if (code === "auth")
				this.#actions.loggedOut(error);
			else if (code === "not-found")
				this.#actions.menu(() => t("menu.ended", { name }));
			else if (code === "locked")
				this.#actions.menu(() => t("menu.locked"));
			else
				this.#actions.menu(() => errorText(error));
		}
	}

	/** @param {boolean} local */
	#setIme(local) {
		writePcPreference("ime", this.#pc.id, local ? "local" : "pc");
		if (this.#screen)
			this.#screen.localIme = local;
		this.#toolbar.setIme(local);
	}

	/** @param {import("../core/keymap.js").Layout} layout */
	#setLayout(layout) {
		this.#layout = layout;
		this.#screen?.setLayout(layout);
	}

	/** As the session says; but a second window whose first is not even open need not wait to be told so. */
	#connection() {
		const status = this.#last;
		const alone = status?.connection === "reconnecting" && status.parted && !this.#companion?.alive;
		return alone ? "alone" : status?.connection ?? "connecting";
	}

	#show() {
		if (!this.#visible)
			return;
		const { name } = this.#pc;
		const status = this.#last;
		const connection = this.#error !== undefined ? "ended" : this.#connection();
		document.body.dataset.connection = connection;
		document.body.dataset.sessionState = this.#error !== undefined ? "ended" : status?.state ?? "starting";
		this.#screen?.setLabels(t("desktop.label", { name }), t("desktop.input", { name }));
		this.#toolbar.setState(connection, t(connection === "online" ? "state.online" :
			connection === "connecting" ? "state.connecting" :
			connection === "reconnecting" ? "state.reconnecting" : "state.over"));
		if (connection === "online")
			this.#overlay.hide();
		else
			this.#overlay.show(this.#card(connection));
	}

	/** @param {import("./desktop_cards.js").Connection} connection */
	#card(connection) {
		const { name, id } = this.#pc;
		return cardOf({ name, connection, status: this.#last, error: this.#error, words: this.#words, since: this.#since,
			opened: this.#screen !== null, again: id !== 0, monitor: this.#monitor }, {
			back: () => this.#disconnect(),
			menu: () => this.#actions.menu(),
			retry: () => this.#screen?.session.retryNow(),
			resume: () => this.#takeBack(),
			login: () => this.#actions.loggedOut(undefined),
			otherLogin: () => void this.#askAndOpen(),
			again: () => void this.open(this.#pc, null),
			first: () => {
				/* By its old name this window would open itself as the second. */
				window.name = "";
				void this.resume(this.#id, 0);
			},
		});
	}

	/** Continues here what was opened elsewhere. */
	#takeBack() {
		if (!this.#companion)
			this.#meet(this.#id);
		this.#screen?.session.resume();
	}
}
