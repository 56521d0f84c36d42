/*
 * One desktop session seen from the page: owns the worker thread, connects again when the connection is
 * lost (docs/protocol.md §4) and says what is going on. No user interface here.
 */
import { ApiError } from "./api.js";
import { Sound } from "./audio.js";
import { CLIPBOARD_WAY, END_REASON, NOTICE_KIND, SESSION_STATE, WATCH_STATE, WATCH_VIEW } from "./messages.js";
import { BROKEN, VERSION } from "./transport.js";

/** @typedef {import("./messages.js").FromViewer} FromViewer */
/** @typedef {import("./stream.js").FromWorker} FromWorker */
/** @typedef {import("./worker.js").ToWorker} ToWorker */

/**
 * connecting: before the first picture; online: a picture is there; reconnecting: lost, tried again by
 * itself; ended, locked, replaced, login: over for the reason the name says; broken: the two sides do not
 * understand each other; failed: this browser cannot show it.
 * @typedef {"connecting" | "online" | "reconnecting" | "ended" | "locked" | "replaced" | "login" | "broken"
 *   | "failed"} Connection
 */
/**
 * @typedef {object} Status
 * @property {Connection} connection
 * @property {string} state code of session_state
 * @property {string} reason code of end_reason
 * @property {number} retryAt Date.now() of the next try while reconnecting, 0 while trying
 * @property {boolean} [parted] reconnecting because the gateway has no first window for this second one
 */
/**
 * @typedef {object} SessionEvents
 * @property {(status: Status) => void} status
 * @property {(hello: {label: string, canResize: boolean, viewOnly: boolean, monitors: number}) => void} hello
 * @property {(state: import("./audio.js").SoundState) => void} sound
 * @property {(width: number, height: number) => void} size
 * @property {(cursor: Extract<FromWorker, {type: "cursor"}>) => void} cursor
 * @property {(kind: string, seconds: number) => void} notice kind: code of notice_kind
 * @property {(milliseconds: number, pcMilliseconds: number) => void} latency as the transport's
 * @property {(figures: import("./meter.js").Figures) => void} figures once a second while they are watched
 * @property {(boxes: import("./decoder.js").Rect[]) => void} changed small changes of the picture, while they are watched
 * @property {(watchers: Watcher[]) => void} watchers who looks on at this session, whenever that changes
 * @property {(watching: Watching) => void} watching of one who looks on: how it stands
 * @property {() => void} bell
 */
/**
 * Somebody who looks on. watch: its number; state: code of watch_state; until: Date.now() by which one who asks to take
 * over is to be answered, 0: nothing is asked, or it was answered.
 * @typedef {{place: number, watch: number, state: string, account: string, name: string, purpose: string, until: number}} Watcher
 */
/** state: code of watch_state; view: code of watch_view. @typedef {{state: string, view: string, mayAsk: boolean}} Watching */
/**
 * Where a session comes from: the gateway's own interface, or what stands for it.
 * @typedef {object} Source
 * @property {(id: string, monitor: number) => string} streamUrl
 * @property {(id: string) => Promise<{state: string, reason: string}>} session
 */

const CLOSE_ENDED = 4000;
const CLOSE_LOGIN = 4001;
const CLOSE_REPLACED = 4003;

/** Milliseconds until the next try to connect; the last one again and again. */
export const RETRY_MS = Object.freeze([500, 1000, 2000, 4000, 5000]);

/** @type {ReadonlySet<Connection>} */
const OVER = new Set(["ended", "locked", "replaced", "login", "broken", "failed"]);

export class Session {
	#api;
	#id;
	#events;
	#monitor;
	#codecs;
	#sound;
	#worker;
	#size;
	#watched = { figures: false, changes: false };
	/** @type {Status} */
	#status = { connection: "connecting", state: "starting", reason: "none", retryAt: 0 };
	#attempt = 0;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	/* Counts up with each try, so that a late answer about an older one is not taken for news. */
	#try = 0;
	#closed = false;
	/* Those who look on, by place; a new connection is told of all of them. */
	/** @type {Map<number, Watcher>} */
	#watchers = new Map();
	#online = () => this.retryNow();

	/**
	 * @param {Source} api
	 * @param {string} id
	 * @param {HTMLCanvasElement} canvas a fresh one: its control goes to the worker
	 * @param {{width: number, height: number}} size wished for, device pixels
	 * @param {SessionEvents} events
	 * @param {number} [monitor] which of the PC's monitors
	 * @param {number} [codecs] what the page decodes: that of soundCodecs
	 */
	constructor(api, id, canvas, size, events, monitor = 0, codecs = 0) {
		this.#api = api;
		this.#id = id;
		this.#events = events;
		this.#monitor = monitor;
		this.#codecs = codecs;
		this.#sound = new Sound(codecs !== 0, (state) => events.sound(state));
		this.#size = size;
		this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
		this.#worker.onmessage = ({ data }) => this.#fromWorker(/** @type {FromWorker} */ (data));
		this.#worker.onerror = () => this.#set({ connection: "failed" });
		const offscreen = canvas.transferControlToOffscreen();
		this.#post({ type: "start", canvas: offscreen }, [offscreen]);
		addEventListener("online", this.#online);
	}

	get status() {
		return this.#status;
	}

	/** The PC's, which the person turns on and off. */
	get sound() {
		return this.#sound;
	}

	/** Gives up the connection and the thread; the session goes on at the gateway. */
	close() {
		this.#closed = true;
		clearTimeout(this.#timer);
		removeEventListener("online", this.#online);
		this.#worker.terminate();
		this.#sound.close();
	}

	/** Does not wait for the next try; also opens again what was locked or replaced. */
	retryNow() {
		if (this.#closed || this.#status.connection !== "reconnecting")
			return;
		clearTimeout(this.#timer);
		void this.#reconnect();
	}

	/** Connects again after the session was unlocked, or to take it back from another viewer. */
	resume() {
		if (this.#closed)
			return;
		this.#attempt = 0;
		this.#set({ connection: "connecting", reason: "none", retryAt: 0, parted: false });
		this.#open();
	}

	/**
	 * @param {number} keysym
	 * @param {number} scancode
	 * @param {boolean} down
	 */
	key(keysym, scancode, down) {
		this.#send("key", { keysym, scancode, down: down ? 1 : 0 });
	}

	/** @param {string} text at most 1024 bytes of UTF-8 */
	text(text) {
		this.#send("text", { text });
	}

	releaseKeys() {
		this.#send("release_keys", { unused: 0 });
	}

	/** @param {FromViewer["pointer"]} pointer */
	pointer(pointer) {
		this.#send("pointer", pointer);
	}

	/** @param {boolean} on the figures are looked at */
	watchFigures(on) {
		this.#watch({ ...this.#watched, figures: on });
	}

	/** @param {boolean} on small changes of the picture are wanted */
	watchChanges(on) {
		this.#watch({ ...this.#watched, changes: on });
	}

	/** @param {{figures: boolean, changes: boolean}} wishes */
	#watch(wishes) {
		this.#watched = wishes;
		this.#post({ type: "watch", ...wishes });
	}

	/** Something was to be pasted or dropped. @param {import("./clipboard.js").Way} way */
	clipboard(way) {
		this.#send("clipboard", { way: Number(Object.keys(CLIPBOARD_WAY).find((number) => CLIPBOARD_WAY[Number(number)] === way)) });
	}

	/** One who looks on asks the person for keyboard and pointer. */
	askControl() {
		this.#send("control_ask", { unused: 0 });
	}

	/**
	 * The person answers that.
	 * @param {number} watch whom
	 * @param {boolean} yes
	 */
	answerControl(watch, yes) {
		this.#send("control_answer", { watch, yes: yes ? 1 : 0 });
	}

	/** The person takes them back, or the other gives them back. */
	endControl() {
		this.#send("control_end", { unused: 0 });
	}

	stillHere() {
		this.#send("still_here", { unused: 0 });
	}

	/**
	 * @param {number} width device pixels
	 * @param {number} height
	 */
	resize(width, height) {
		if (width === this.#size.width && height === this.#size.height)
			return;
		this.#size = { width, height };
		this.#send("resize", { width, height });
	}

	/**
	 * @param {ToWorker} message
	 * @param {Transferable[]} [transfer]
	 */
	#post(message, transfer = []) {
		this.#worker.postMessage(message, transfer);
	}

	/**
	 * @template {keyof FromViewer} K
	 * @param {K} name
	 * @param {FromViewer[K]} fields
	 */
	#send(name, fields) {
		if (!OVER.has(this.#status.connection))
			this.#post(/** @type {ToWorker} */ ({ type: "send", name, fields }));
	}

	/** @param {Partial<Status>} change */
	#set(change) {
		if (this.#closed)
			return;
		this.#status = { ...this.#status, ...change };
		this.#events.status(this.#status);
	}

	/** @param {FromWorker} message */
	#fromWorker(message) {
		if (this.#closed)
			return;
		switch (message.type) {
		case "ready":
			this.#post({ type: "watch", ...this.#watched });
			this.#open();
			break;
		case "failed":
			this.#set({ connection: "failed" });
			break;
		case "open":
			this.#watchers.clear();
			this.#events.watchers([]);
			break;
		case "closed":
			this.#lost(message.code);
			break;
		case "hello":
			if (message.version !== VERSION) {
				this.#finish("broken", {});
				break;
			}
			this.#set({ state: SESSION_STATE[message.state] ?? "unknown" });
			this.#events.hello(message);
			this.#sound.allow(message.audio);
			break;
		case "status":
			this.#changed(SESSION_STATE[message.state] ?? "unknown", END_REASON[message.reason] ?? "unknown");
			break;
		case "picture":
			this.#attempt = 0;
			this.#set({ connection: "online", state: "active", reason: "none", retryAt: 0, parted: false });
			break;
		case "size":
			this.#events.size(message.width, message.height);
			break;
		case "cursor":
			this.#events.cursor(message);
			break;
		case "notice":
			this.#events.notice(NOTICE_KIND[message.kind] ?? "unknown", message.seconds);
			break;
		case "watcher":
			this.#watcher(message);
			break;
		case "watching":
			this.#events.watching({ state: WATCH_STATE[message.state] ?? "unknown",
				view: WATCH_VIEW[message.view] ?? "unknown", mayAsk: message.may_ask === 1 });
			break;
		case "latency":
			this.#events.latency(message.milliseconds, message.pcMilliseconds);
			break;
		case "figures":
			this.#events.figures(message);
			break;
		case "changed":
			this.#events.changed(message.boxes);
			break;
		case "sound":
			this.#sound.take(message.sequence, message.packet);
			break;
		case "bell":
			this.#events.bell();
			break;
		}
	}

	/** @param {Extract<FromWorker, {type: "watcher"}>} message */
	#watcher({ place, watch, state, account, name, purpose, seconds }) {
		const code = WATCH_STATE[state] ?? "unknown";
		if (code === "none")
			this.#watchers.delete(place);
		else
			this.#watchers.set(place, { place, watch, state: code, account, name, purpose,
				until: seconds > 0 ? Date.now() + seconds * 1000 : 0 });
		this.#events.watchers([...this.#watchers.values()]);
	}

	#open() {
		this.#try++;
		this.#post({ type: "open", url: this.#api.streamUrl(this.#id, this.#monitor), ...this.#size,
			codecs: this.#codecs });
	}

	/**
	 * What the worker says about the session.
	 * @param {string} state
	 * @param {string} reason
	 */
	#changed(state, reason) {
		if (state === "ended")
			this.#finish("ended", { state, reason });
		else if (state === "locked")
			this.#finish("locked", { state, reason });
		else if (state === "detached" && reason === "replaced")
			this.#finish("replaced", { state, reason });
		else
			this.#set({ state, reason });
	}

	/**
	 * @param {Connection} connection one of OVER
	 * @param {Partial<Status>} change
	 */
	#finish(connection, change) {
		clearTimeout(this.#timer);
		this.#try++;
		this.#post({ type: "close" });
		this.#sound.allow(false);
		this.#set({ ...change, connection, retryAt: 0 });
	}

	/** @param {number} code of the WebSocket's close */
	#lost(code) {
		if (OVER.has(this.#status.connection))
			return;
		switch (code) {
		case CLOSE_ENDED:
			void this.#ask(this.#monitor > 0);
			break;
		case CLOSE_LOGIN:
			this.#finish("login", {});
			break;
		case BROKEN:
			this.#finish("broken", {});
			break;
		case CLOSE_REPLACED:
			this.#finish("replaced", { state: "detached", reason: "replaced" });
			break;
		default:
			this.#wait();
		}
	}

	/** @param {Partial<Status>} [change] */
	#wait(change) {
		const delay = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)];
		this.#attempt++;
		/* The state stays what it was: a session whose picture was seen is shown as lost, not as new. */
		this.#set({ ...change, connection: "reconnecting", retryAt: Date.now() + delay });
		this.#timer = setTimeout(() => void this.#reconnect(), delay);
	}

	async #reconnect() {
		this.#set({ retryAt: 0 });
		await this.#ask();
	}

	/**
	 * Asks what became of the session, and connects again if it lives.
	 * @param {boolean} [parted] it is this window alone that has no place in it, until the first one is back
	 */
	async #ask(parted = false) {
		const attempt = ++this.#try;
		try {
			const { state, reason } = await this.#api.session(this.#id);
			if (attempt !== this.#try || this.#closed)
				return;
			if (state === "ended" || state === "locked")
				this.#finish(state, { state, reason });
			else if (parted)
				this.#wait({ parted });
			else
				this.#open();
		} catch (error) {
			if (attempt !== this.#try || this.#closed)
				return;
			const code = error instanceof ApiError ? error.code : "internal";
			if (code === "auth" || code === "login")
				this.#finish("login", {});
			else if (code === "not-found" || code === "denied")
				this.#finish("ended", { state: "ended", reason: "none" });
			else
				this.#wait();
		}
	}
}
