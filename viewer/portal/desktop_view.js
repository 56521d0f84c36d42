/*
 * The desktop of a PC: opens the session, shows it, and says what is going on when it cannot be shown.
 */
import { ApiError } from "../core/api.js";
import { Cursor } from "../core/cursor.js";
import { Keyboard } from "../core/keyboard.js";
import { Pointer } from "../core/pointer.js";
import { Session } from "../core/session.js";
import { Viewport } from "../core/viewport.js";
import { byId } from "./dom.js";
import { errorText } from "./errors.js";
import { onLanguage, t, textOf } from "./i18n.js";
import { keyboardLayout } from "./layout.js";
import { MessageBox } from "./message_box.js";
import { Notices } from "./notices.js";
import { Overlay } from "./overlay.js";
import { Toolbar } from "./toolbar.js";

/** @typedef {import("../core/api.js").Api} Api */
/** @typedef {import("../core/session.js").Status} Status */
/** @typedef {import("./credentials_dialog.js").Answer} Answer */
/** @typedef {import("./overlay.js").Action} Action */
/** @typedef {{id: number, name: string, withUser: boolean}} Pc */
/**
 * @typedef {object} DesktopActions
 * @property {(message?: () => string) => void} menu
 * @property {(error: unknown) => void} loggedOut
 * @property {(pc: Pc) => Promise<Answer | null>} credentials
 * @property {(name: string) => Promise<import("./leave_dialog.js").Choice>} leave
 * @property {(id: string, name: string) => void} opened the page's address gets the session
 */

/* After so long without a picture the page says that it takes longer than usual. */
const SLOW_MS = 8000;

export class DesktopView {
	#api;
	#actions;
	#frame = byId("frame");
	#stage = byId("stage");
	#overlay = new Overlay();
	#notices;
	#toolbar;
	#unlockMessage = new MessageBox(byId("unlock-error"));
	/** @type {Pc} */
	#pc = { id: 0, name: "", withUser: true };
	#id = "";
	/** @type {import("../core/keymap.js").Layout} */
	#layout = "ja";
	/** @type {Session | null} */
	#session = null;
	/** @type {Keyboard | null} */
	#keyboard = null;
	/** @type {Pointer | null} */
	#pointer = null;
	/** @type {Cursor | null} */
	#cursor = null;
	/** @type {Viewport | null} */
	#viewport = null;
	/** @type {Status | null} */
	#last = null;
	/* Why the session could not even be opened. */
	/** @type {unknown} */
	#error = undefined;
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
			this.#session?.stillHere();
			this.#keyboard?.focus();
		});
		this.#toolbar = new Toolbar({
			press: (keys) => {
				this.#keyboard?.press(keys);
				this.#keyboard?.focus();
			},
			ime: (local) => this.#setIme(local),
			scaling: (scaling) => this.#setScaling(scaling),
			layout: (layout) => this.#setLayout(layout),
			disconnect: () => this.#disconnect(),
			logout: () => void this.#leave(),
			help: () => /** @type {HTMLDialogElement} */ (byId("help")).showModal(),
			back: () => this.#keyboard?.focus(),
		});
		byId("help-close").addEventListener("click", () => {
			/** @type {HTMLDialogElement} */ (byId("help")).close();
			this.#keyboard?.focus();
		});
		byId("unlock-form").addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#unlock();
		});
		onLanguage(() => this.#show());
	}

	/**
	 * Opens a PC, or the session that is still there.
	 * @param {Pc} pc
	 * @param {Answer | null} answer the PC's login, when it was asked for
	 */
	async open(pc, answer) {
		const turn = this.#start(pc);
		this.#answer = answer;
		try {
			this.#layout = await keyboardLayout();
			this.#toolbar.setLayout(this.#layout);
			const session = await this.#api.open({ host: pc.id, ...Viewport.wish(this.#frame),
				layout: this.#layout, ...answer });
			if (turn === this.#turn)
				this.#attach(session.id);
		} catch (error) {
			if (turn === this.#turn)
				await this.#openFailed(error);
		}
	}

	/**
	 * Shows a session that was opened before, after the page was loaded again.
	 * @param {string} id
	 */
	async resume(id) {
		const turn = this.#start({ id: 0, name: "", withUser: true });
		try {
			const session = await this.#api.session(id);
			if (turn !== this.#turn)
				return;
			this.#layout = await keyboardLayout();
			this.#toolbar.setLayout(this.#layout);
			this.#pc = { id: session.host, name: session.host_name, withUser: true };
			this.#toolbar.open(session.host_name);
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

	/** Takes everything down; the session itself goes on at the gateway. */
	close() {
		this.#turn++;
		this.#answer = null;
		this.#visible = false;
		clearInterval(this.#tick);
		this.#detach();
		this.#toolbar.close();
		this.#overlay.hide();
		delete document.body.dataset.sessionState;
		delete document.body.dataset.connection;
	}

	/**
	 * @param {Pc} pc
	 * @returns {number} the turn
	 */
	#start(pc) {
		this.close();
		this.#visible = true;
		this.#pc = pc;
		this.#id = "";
		this.#error = undefined;
		this.#last = null;
		this.#since = Date.now();
		this.#toolbar.open(pc.name);
		this.#tick = setInterval(() => this.#show(), 500);
		this.#show();
		return this.#turn;
	}

	#detach() {
		this.#notices.clear();
		this.#keyboard?.close();
		this.#pointer?.close();
		this.#viewport?.close();
		this.#session?.close();
		this.#keyboard = null;
		this.#pointer = null;
		this.#viewport = null;
		this.#cursor = null;
		this.#session = null;
		this.#stage.replaceChildren();
	}

	/** @param {string} id */
	#attach(id) {
		this.#detach();
		this.#answer = null;
		this.#id = id;
		this.#since = Date.now();
		this.#actions.opened(id, this.#pc.name);
		const canvas = document.createElement("canvas");
		canvas.id = "desktop";
		const input = document.createElement("textarea");
		input.id = "ime-input";
		input.rows = 1;
		input.tabIndex = -1;
		input.autocapitalize = "off";
		input.spellcheck = false;
		input.setAttribute("autocomplete", "off");
		this.#stage.replaceChildren(canvas, input);
		this.#stage.dataset.scaling = this.#toolbar.scaling;
		const size = Viewport.wish(this.#frame);
		this.#cursor = new Cursor(canvas);
		if (!("transferControlToOffscreen" in canvas)) {
			this.#status({ connection: "failed", state: "starting", reason: "none", retryAt: 0 });
			return;
		}
		const session = new Session(this.#api, id, canvas, size, {
			status: (status) => this.#status(status),
			hello: ({ viewOnly }) => this.#toolbar.setViewOnly(viewOnly),
			size: (width, height) => {
				this.#viewport?.setDesktop(width, height);
				this.#pointer?.setDesktop(width, height);
			},
			cursor: (image) => this.#cursor?.set(image),
			notice: (kind, seconds) => this.#notices.show(kind, seconds),
			latency: (milliseconds) => this.#toolbar.setLatency(milliseconds),
			figures: () => {},
			changed: () => {},
			bell: () => this.#bell(),
		});
		this.#session = session;
		this.#keyboard = new Keyboard(this.#stage, input, this.#layout, {
			key: (keysym, scancode, down) => session.key(keysym, scancode, down),
			text: (text) => session.text(text),
			release: () => session.releaseKeys(),
			leave: () => this.#toolbar.focus(),
		});
		this.#pointer = new Pointer(canvas, {
			pointer: (message) => session.pointer(message),
			/* The input method opens its window where the person works. */
			pressed: (left, top) => {
				input.style.left = `${canvas.offsetLeft + left}px`;
				input.style.top = `${canvas.offsetTop + top}px`;
				this.#keyboard?.focus();
			},
		});
		this.#viewport = new Viewport(this.#frame, canvas, ({ width, height }) => session.resize(width, height));
		this.#viewport.setScaling(this.#toolbar.scaling);
		this.#show();
	}

	/** @param {Status} status */
	#status(status) {
		if (status.connection === "online") {
			this.#keyboard?.grab();
			if (!byId("overlay").hidden)
				this.#keyboard?.focus();
		} else {
			this.#keyboard?.ungrab();
			this.#pointer?.release();
			this.#cursor?.reset();
			this.#notices.clear();
		}
		this.#last = status;
		this.#show();
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

	async #unlock() {
		const input = /** @type {HTMLInputElement} */ (byId("unlock-password"));
		const button = /** @type {HTMLButtonElement} */ (byId("unlock"));
		const turn = this.#turn;
		const password = input.value;
		input.value = "";
		if (!password) {
			this.#unlockMessage.say("login.need-password");
			return;
		}
		button.disabled = true;
		try {
			await this.#sendPassword(password);
			this.#unlockMessage.clear();
			if (turn === this.#turn)
				await this.#unlocked();
		} catch (error) {
			if (error instanceof ApiError && error.code === "auth")
				this.#actions.loggedOut(error);
			else if (error instanceof ApiError && error.code === "login")
				this.#unlockMessage.say("locked.wrong");
			else
				this.#unlockMessage.fail(error);
			input.focus();
		} finally {
			button.disabled = false;
		}
	}

	/** @param {string} password */
	async #sendPassword(password) {
		try {
			if (this.#id)
				await this.#api.unlock(this.#id, password);
			else
				await this.#api.unlockLogin(password);
		} catch (error) {
			/* Unlocked already, in another tab. */
			if (!(error instanceof ApiError) || error.code !== "state")
				throw error;
		}
	}

	async #unlocked() {
		if (this.#session)
			this.#session.resume();
		else
			await this.open(this.#pc, this.#answer);
	}

	#disconnect() {
		const { name } = this.#pc;
		const lives = this.#session !== null && this.#session.status.connection !== "ended";
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
			this.#keyboard?.focus();
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
		if (this.#keyboard)
			this.#keyboard.ime = local;
		this.#toolbar.setIme(local);
	}

	/** @param {import("../core/viewport.js").Scaling} scaling */
	#setScaling(scaling) {
		this.#stage.dataset.scaling = scaling;
		this.#viewport?.setScaling(scaling);
	}

	/** @param {import("../core/keymap.js").Layout} layout */
	#setLayout(layout) {
		this.#layout = layout;
		this.#keyboard?.setLayout(layout);
	}

	/* Sound is not transferred; a bell is a short flash. */
	#bell() {
		this.#stage.classList.remove("bell");
		requestAnimationFrame(() => this.#stage.classList.add("bell"));
	}

	#show() {
		if (!this.#visible)
			return;
		const { name } = this.#pc;
		const status = this.#last;
		const connection = this.#error !== undefined ? "ended" : status?.connection ?? "connecting";
		document.body.dataset.connection = connection;
		document.body.dataset.sessionState = this.#error !== undefined ? "ended" : status?.state ?? "starting";
		this.#stage.setAttribute("aria-label", t("desktop.label", { name }));
		this.#stage.querySelector("textarea")?.setAttribute("aria-label", t("desktop.input", { name }));
		this.#toolbar.setState(connection, t(connection === "online" ? "state.online" :
			connection === "connecting" ? "state.connecting" :
			connection === "reconnecting" ? "state.reconnecting" : "state.over"));
		if (connection === "online")
			this.#overlay.hide();
		else
			this.#overlay.show(this.#card(connection, status));
	}

	/**
	 * @param {Status["connection"]} connection
	 * @param {Status | null} status
	 * @returns {import("./overlay.js").Card}
	 */
	#card(connection, status) {
		const { name } = this.#pc;
		const back = { id: "overlay-back", text: t("over.back"), run: () => this.#disconnect() };
		switch (connection) {
		case "connecting":
		case "online":
			return { name: "connecting", icon: "wait", title: t("connecting.title", { name }),
				text: textOf("connecting.", status?.state ?? "starting", "connecting.active"),
				detail: Date.now() - this.#since > SLOW_MS ? t("connecting.slow") : "",
				actions: [{ ...back, text: t("app.cancel") }] };
		case "reconnecting":
			return { name: "reconnecting", icon: "wait", title: t("reconnecting.title"),
				text: t("reconnecting.text", { name }), detail: this.#countdown(status),
				actions: [{ id: "overlay-retry", text: t("reconnecting.retry"), primary: true,
					run: () => this.#session?.retryNow() }, back] };
		case "locked":
			return { name: "locked", icon: "lock", title: t("locked.title"),
				text: this.#session ? t("locked.text", { name }) : t("locked.login"),
				unlock: true, actions: [back] };
		case "replaced":
			return { name: "replaced", icon: "alert", title: t("reason.replaced"), text: t("reason.replaced.help"),
				actions: [{ id: "overlay-take-back", text: t("over.take-back"), primary: true,
					run: () => this.#session?.resume() }, back] };
		case "login":
			return { name: "login", icon: "lock", title: t("login-lost.title"), text: t("login-lost.text"),
				actions: [{ id: "overlay-login", text: t("over.login"), primary: true,
					run: () => this.#actions.loggedOut(undefined) }] };
		case "broken":
		case "failed":
			return { name: connection, icon: "alert", title: t(`${connection}.title`),
				text: t(`${connection}.text`), actions: [{ id: "overlay-reload", text: t("over.reload"),
					primary: true, run: () => location.reload() }, back] };
		case "ended":
			return this.#endedCard(status?.reason ?? "none", back);
		}
	}

	/** @param {Status | null} status */
	#countdown(status) {
		const seconds = Math.ceil(((status?.retryAt ?? 0) - Date.now()) / 1000);
		return seconds > 0 ? t("reconnecting.wait", { seconds }) : t("reconnecting.now");
	}

	/**
	 * @param {string} reason code of end_reason
	 * @param {Action} back
	 * @returns {import("./overlay.js").Card}
	 */
	#endedCard(reason, back) {
		/** @type {Action[]} */
		const actions = [];
		const pc = this.#pc;
		if (reason === "pc-login" && this.#error === undefined)
			actions.push({ id: "overlay-other-login", text: t("over.other-login"), primary: true,
				run: () => void this.#askAndOpen() });
		else if (reason === "version")
			actions.push({ id: "overlay-reload", text: t("over.reload"), primary: true,
				run: () => location.reload() });
		else if (pc.id && reason !== "revoked" && reason !== "pc-certificate")
			actions.push({ id: "overlay-again", text: t("over.again"), primary: true,
				run: () => void this.open(pc, null) });
		actions.push({ ...back, run: () => this.#actions.menu() });
		if (this.#error !== undefined)
			return { name: "error", icon: "alert", title: t("connecting.failed", { name: pc.name }),
				text: errorText(this.#error), actions };
		return { name: `ended-${reason}`, icon: reason === "logout" ? "check" : "alert",
			title: textOf("reason.", reason, "reason.unknown"),
			text: textOf("reason.", `${reason}.help`, "reason.unknown.help"), actions };
	}
}
