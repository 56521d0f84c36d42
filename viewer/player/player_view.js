/*
 * The player's page: the picture, the time line and the buttons around an opened recording.
 */
import { Viewport } from "../core/viewport.js";
import { announce, byId, isolated, isolatedPerson, setText, showMessage } from "../portal/dom.js";
import { FullScreen } from "../portal/full_screen.js";
import { formatDayTime, onLanguage, t, textOf } from "../portal/i18n.js";
import { ExportPart } from "./export_part.js";
import { HappeningList } from "./happening_list.js";
import { Notes } from "./notes.js";
import { SPEEDS } from "./playback.js";
import { PlayerSession } from "./session.js";
import { commandOf, HELP } from "./shortcuts.js";
import { SoundSwitch } from "./sound_switch.js";
import { StrokesLine } from "./strokes_line.js";
import { TimeLine } from "./time_line.js";
import { clockText, elapsedText } from "./times.js";
import { VerdictBadge } from "./verdict_badge.js";

/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */
/** @typedef {import("./shortcuts.js").Command} Command */
/** @typedef {import("./worker.js").FromPlayerWorker} FromPlayerWorker */
/**
 * @typedef {object} PlayerActions
 * @property {() => void} back to the list
 * @property {(recording: RecordingInfo) => void} again it is to be opened again
 * @property {(subject: import("./export_dialog.js").Subject) => void} export a video of it is wanted
 * @property {() => void} loggedOut
 */

const SECOND_US = 1000000;
const CHUNK_KEY = 1;
/* Jumps of the keys. @type {Readonly<Record<string, number>>} */
const JUMPS = Object.freeze(/** @type {Record<string, number>} */ ({ back: -5, forward: 5, "back-more": -10, "forward-more": 10,
	"back-most": -60, "forward-most": 60 }));
/* Waiting for so long is told. */
const PATIENCE_MS = 400;
/* Nothing that is opened again helps. */
const FINAL = new Set(["foreign", "failed"]);

export class PlayerView {
	#api;
	#actions;
	#place = byId("view-player");
	#stage = byId("player-stage");
	#line = new TimeLine((us) => this.#session?.seek(us));
	#list = new HappeningList((us) => this.#session?.seek(us), (note) => void this.#notes.withdraw(note));
	#notes;
	#badge = new VerdictBadge(() => this.#stage.focus());
	#strokes = new StrokesLine(byId("player-strokes"));
	#sound = new SoundSwitch(() => this.#stage.focus());
	#speed = /** @type {HTMLSelectElement} */ (byId("player-speed"));
	#help = /** @type {HTMLDialogElement} */ (byId("player-help"));
	#full = new FullScreen((on) => byId("player-full").setAttribute("aria-pressed", String(on)));
	/** @type {PlayerSession | null} */
	#session = null;
	/** @type {RecordingInfo | null} */
	#recording = null;
	/** @type {Viewport | null} */
	#viewport = null;
	#part = new ExportPart();
	/** Why nothing more comes; "" while it does. */
	#ended = "";
	/** @type {"none" | "right" | "broken"} */
	#picture = "right";
	#filmMissing = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#patience;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {PlayerActions} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		this.#notes = new Notes(api, {
			changed: (notes) => {
				this.#session?.setNotes(notes);
				this.#showHappenings();
			},
			begin: () => this.#beginNote(),
			end: () => this.#stage.focus(),
			loggedOut: () => actions.loggedOut(),
		});
		this.#speed.replaceChildren(...SPEEDS.map((speed) => new Option(`${speed}×`, String(speed), speed === 1, speed === 1)));
		this.#speed.addEventListener("change", () => this.#setSpeed(Number(this.#speed.value)));
		/** @type {[string, Command][]} */
		const buttons = [["player-play", "toggle"], ["player-frame-back", "frame-back"], ["player-frame-forward", "frame-forward"],
			["player-back", "back-more"], ["player-forward", "forward-more"], ["player-skip", "skip-idle"],
			["player-pointer", "pointer"], ["player-events-toggle", "events"], ["player-full", "full"], ["player-help-open", "help"],
			["player-export", "export"]];
		for (const [id, command] of buttons)
			byId(id).addEventListener("click", () => this.#run(command));
		byId("player-leave").addEventListener("click", () => actions.back());
		byId("player-card-back").addEventListener("click", () => actions.back());
		byId("player-card-again").addEventListener("click", () => this.#again());
		byId("player-note-go").addEventListener("click", () => this.#passDamage());
		byId("player-help-close").addEventListener("click", () => this.#help.close());
		document.addEventListener("keydown", (event) => this.#key(event));
		onLanguage(() => this.#showAll());
	}

	/** @param {RecordingInfo} recording that was opened a moment ago */
	open(recording) {
		this.close();
		this.#recording = recording;
		this.#ended = "";
		this.#picture = "right";
		this.#filmMissing = false;
		const canvas = document.createElement("canvas");
		canvas.id = "player-picture";
		canvas.setAttribute("role", "img");
		this.#stage.replaceChildren(canvas);
		this.#viewport = new Viewport(this.#stage, canvas, { resized: () => {}, laidOut: () => {} });
		this.#session = new PlayerSession(this.#api.playUrl(recording.id), canvas, (message) => this.#told(message));
		void this.#sound.open();
		this.#setState("opening");
		/* In a narrow window the list lies over the picture. */
		this.#place.dataset.events = String(matchMedia("(min-width: 60rem)").matches);
		this.#showAll();
		this.#stage.focus();
	}

	/** Nothing of it stays in the page. */
	close() {
		clearTimeout(this.#patience);
		this.#session?.close();
		this.#session = null;
		this.#recording = null;
		this.#viewport?.close();
		this.#viewport = null;
		this.#stage.replaceChildren();
		this.#strokes.clear();
		this.#strokes.show(0);
		this.#list.clear();
		this.#notes.clear();
		this.#sound.close();
		this.#line.set(null);
		this.#part.clear();
		this.#line.showPart(this.#part);
		this.#badge.hide();
		if (this.#help.open)
			this.#help.close();
	}

	/** @param {FromPlayerWorker} message */
	#told(message) {
		switch (message.type) {
		case "opened":
			this.#opened();
			break;
		case "failed":
			this.#end("failed");
			break;
		case "closed":
			this.#end(message.reason);
			break;
		case "size":
			this.#viewport?.setDesktop(message.width, message.height);
			break;
		case "position":
			this.#showPosition();
			break;
		case "playing":
			this.#showPlaying();
			break;
		case "waiting":
			this.#setWaiting(message.on);
			break;
		case "strokes":
			this.#strokes.add(message.strokes, message.anew);
			break;
		case "sound":
			this.#sound.audible();
			this.#sound.take(message.packets, message.anew);
			break;
		case "audible":
			this.#sound.audible();
			break;
		case "picture":
			this.#setPicture(message.state);
			break;
		case "arrived":
			this.#place.dataset.took = message.milliseconds.toFixed(0);
			break;
		case "grown":
		case "duration":
			this.#line.draw();
			this.#line.showPart(this.#part);
			this.#showPosition();
			break;
		case "happenings":
			this.#showMonitors();
			this.#showHappenings();
			break;
		case "damaged":
			this.#line.drawMarks();
			break;
		case "viewer":
			this.#showMonitors();
			break;
		}
	}

	#opened() {
		const session = this.#session;
		if (!session?.whole)
			return;
		/* What the recording itself says, and not the list, is what was recorded. */
		const { meta } = session.whole.info;
		session.found([{ timeUs: 0, viewer: 0, name: "began", details: { account: String(meta.full_name || meta.account || "").slice(0, 200),
			device: String(meta.device_name || "").slice(0, 200), address: String(meta.address || "").slice(0, 200) } }]);
		this.#setState("open");
		this.#line.set(session);
		this.#list.update(session);
		this.#showAll();
		void this.#notes.open(session.whole.info.session);
	}

	/** @param {string} reason */
	#end(reason) {
		if (reason === "login") {
			this.#actions.loggedOut();
			return;
		}
		this.#ended = reason;
		this.#setWaiting(false);
		this.#setState("ended");
		this.#showCard();
		byId(FINAL.has(reason) ? "player-card-back" : "player-card-again").focus();
	}

	/**
	 * Only what is open can be played.
	 * @param {"opening" | "open" | "ended"} state
	 */
	#setState(state) {
		this.#place.dataset.state = state;
		for (const id of ["player-foot", "player-events"])
			byId(id).toggleAttribute("inert", state !== "open");
	}

	#again() {
		const recording = this.#recording;
		if (recording)
			this.#actions.again(recording);
	}

	/** @param {boolean} waiting */
	#setWaiting(waiting) {
		clearTimeout(this.#patience);
		if (waiting)
			this.#patience = setTimeout(() => (this.#place.dataset.waiting = "true"), PATIENCE_MS);
		else
			this.#place.dataset.waiting = "false";
	}

	/** @param {"none" | "right" | "broken" | "film"} state */
	#setPicture(state) {
		if (state === "film")
			this.#filmMissing = true;
		else
			this.#picture = state;
		this.#showNote();
	}

	/** To the first place behind the damage from which the picture is right again. */
	#passDamage() {
		const session = this.#session;
		if (!session?.whole)
			return;
		const { starts, flags } = session.whole;
		const damaged = new Set(session.damaged);
		for (let chunk = session.chunkAt(session.position) + 1; chunk < starts.length; chunk++) {
			if (flags[chunk] & CHUNK_KEY && !damaged.has(chunk)) {
				session.seek(Math.min(starts[chunk] + SECOND_US, starts[chunk + 1] ?? session.duration));
				return;
			}
		}
		session.seek(session.duration);
	}

	/* ---- commands ---- */

	/** @param {KeyboardEvent} event */
	#key(event) {
		if (!this.#session?.whole || this.#ended || document.querySelector("dialog[open]"))
			return;
		const command = commandOf(event);
		if (!command)
			return;
		event.preventDefault();
		this.#run(command);
	}

	/** @param {Command} command */
	#run(command) {
		const session = this.#session;
		if (!session?.whole)
			return;
		if (command in JUMPS)
			session.seek(session.target + JUMPS[command] * SECOND_US);
		else if (command.startsWith("part-"))
			session.seek(session.duration * Number(command.slice(5)) / 10);
		else
			this.#runOther(command, session);
	}

	/**
	 * @param {Command} command
	 * @param {PlayerSession} session
	 */
	#runOther(command, session) {
		switch (command) {
		case "toggle":
			session.play(!session.playing);
			break;
		case "frame-back":
			session.step(-1);
			break;
		case "frame-forward":
			session.step(1);
			break;
		case "begin":
			session.seek(0);
			break;
		case "end":
			session.seek(session.duration);
			break;
		case "faster":
			this.#setSpeed(SPEEDS[Math.min(SPEEDS.indexOf(session.speed) + 1, SPEEDS.length - 1)]);
			break;
		case "slower":
			this.#setSpeed(SPEEDS[Math.max(SPEEDS.indexOf(session.speed) - 1, 0)]);
			break;
		case "event-forward":
		case "event-back": {
			const us = this.#list.neighbour(session.target, command === "event-forward" ? 1 : -1);
			if (us !== null)
				session.seek(us);
			break;
		}
		case "skip-idle":
			session.setSkipIdle(!session.skipIdle);
			this.#showToggles();
			break;
		case "pointer":
			session.setPointer(!session.pointer);
			this.#showToggles();
			break;
		case "monitor":
			this.#nextMonitor(session);
			break;
		case "events":
			this.#showEvents(this.#place.dataset.events === "false");
			break;
		case "sound":
			this.#sound.toggle();
			break;
		case "note":
			this.#notes.write();
			break;
		case "full":
			void this.#full.toggle();
			break;
		case "begin-part":
			this.#part.setFrom(session.target);
			this.#tellPart(session);
			break;
		case "end-part":
			this.#part.setTo(session.target);
			this.#tellPart(session);
			break;
		case "export":
			this.#export(session);
			break;
		case "help":
			this.#showHelp();
			this.#help.showModal();
			break;
		}
	}

	/** @param {boolean} on the list beside the picture */
	#showEvents(on) {
		this.#place.dataset.events = String(on);
		this.#list.reveal();
		this.#showToggles();
	}

	/* What is written is about what is seen: it stands still meanwhile. */
	#beginNote() {
		const us = this.#session?.target ?? 0;
		this.#session?.play(false);
		this.#showEvents(true);
		return { us, clock: clockText(this.#session?.wallAt(us) ?? 0) };
	}

	/** @param {PlayerSession} session */
	#tellPart(session) {
		const { from, to } = this.#part;
		this.#line.showPart(this.#part);
		announce(t("player.part-is", { from: elapsedText(from ?? 0, session.duration),
			to: elapsedText(to ?? session.duration, session.duration) }));
	}

	/** @param {PlayerSession} session */
	#export(session) {
		session.play(false);
		if (this.#recording)
			this.#actions.export({ recording: this.#recording, durationUs: session.duration, part: this.#part });
	}

	/** @param {number} speed */
	#setSpeed(speed) {
		this.#session?.setSpeed(speed);
		this.#speed.value = String(speed);
		announce(t("player.speed-is", { speed: `${speed}×` }));
	}

	/** @param {PlayerSession} session */
	#nextMonitor(session) {
		const viewers = [...session.viewers].sort();
		session.setViewer(viewers[(viewers.indexOf(session.viewer) + 1) % viewers.length]);
		this.#showMonitors();
	}

	/* ---- what is shown ---- */

	#showAll() {
		const session = this.#session;
		const recording = this.#recording;
		if (!session || !recording)
			return;
		setText(byId("player-person"), isolatedPerson(recording.person, recording.full_name));
		setText(byId("player-pc"), recording.pc);
		setText(byId("player-when"), formatDayTime(recording.started / 1000));
		this.#showClient(session);
		this.#badge.show(session);
		this.#speed.value = String(session.speed);
		this.#showCard();
		this.#showNote();
		this.#showPlaying();
		this.#showToggles();
		this.#sound.show();
		this.#showMonitors();
		this.#showPosition();
		if (session.whole) {
			this.#line.draw();
			this.#list.update(session);
		}
	}

	/**
	 * For whom and what for, as the person said when the PC was opened.
	 * @param {PlayerSession} session
	 */
	#showClient(session) {
		const client = String(session.whole?.info.meta.client || "").slice(0, 1000);
		showMessage(byId("player-client"), client && t("player.client", { client: isolated(client) }));
	}

	#showHappenings() {
		this.#line.drawMarks();
		if (this.#session?.whole)
			this.#list.update(this.#session);
	}

	#showPosition() {
		const session = this.#session;
		if (!session?.whole)
			return;
		setText(byId("player-elapsed"), elapsedText(session.position, session.duration));
		setText(byId("player-duration"), elapsedText(session.duration, session.duration));
		setText(byId("player-clock"), clockText(session.wallAt(session.position)));
		this.#line.follow();
		this.#list.follow(session.position);
		this.#strokes.show(session.position);
	}

	#showPlaying() {
		const on = this.#session?.playing ?? false;
		const button = byId("player-play");
		this.#place.dataset.playing = String(on);
		button.querySelector("use")?.setAttribute("href", on ? "#i-pause" : "#i-play");
		button.setAttribute("aria-label", t(on ? "player.pause" : "player.play"));
		button.title = t(on ? "player.pause" : "player.play");
	}

	#showToggles() {
		const session = this.#session;
		byId("player-skip").setAttribute("aria-pressed", String(session?.skipIdle ?? false));
		byId("player-pointer").setAttribute("aria-pressed", String(session?.pointer ?? true));
		byId("player-events-toggle").setAttribute("aria-pressed", String(this.#place.dataset.events !== "false"));
	}

	#showMonitors() {
		const session = this.#session;
		const place = byId("player-monitors");
		const viewers = [...session?.viewers ?? []].sort();
		place.hidden = viewers.length < 2;
		place.replaceChildren(...viewers.map((viewer) => {
			const button = document.createElement("button");
			button.type = "button";
			button.className = "segment";
			button.textContent = t("player.monitor", { n: viewer + 1 });
			button.setAttribute("aria-pressed", String(viewer === session?.viewer));
			button.addEventListener("click", () => {
				session?.setViewer(viewer);
				this.#showMonitors();
			});
			return button;
		}));
	}

	/* Over the picture: why there is none. */
	#showCard() {
		const card = byId("player-card");
		const opening = this.#session !== null && !this.#session.whole && !this.#ended;
		card.hidden = !opening && !this.#ended;
		byId("player-card-actions").hidden = opening;
		byId("player-card-again").hidden = FINAL.has(this.#ended);
		card.dataset.icon = opening ? "wait" : "alert";
		byId("player-card-icon").querySelector("use")?.setAttribute("href", opening ? "#i-wait" :
			this.#ended === "sealed" ? "#i-lock" : "#i-alert");
		setText(byId("player-card-title"), opening ? t("player.opening") :
			textOf("player-end.", this.#ended || "lost", "player-end.lost"));
		setText(byId("player-card-text"), opening ? t("player.opening-text") :
			textOf("player-end-help.", this.#ended || "lost", "player-end-help.lost"));
	}

	/* Beside the picture: why it is not as it was. */
	#showNote() {
		const text = this.#picture === "broken" ? t("player.broken") : this.#picture === "none" ? t("player.nobody") :
			this.#filmMissing ? t("player.film") : "";
		showMessage(byId("player-note-text"), text);
		byId("player-note").hidden = text === "";
		byId("player-note").dataset.state = this.#picture;
		byId("player-note-go").hidden = this.#picture !== "broken";
	}

	#showHelp() {
		byId("player-help-list").replaceChildren(...HELP.map(([keys, key]) => {
			const line = document.createElement("div");
			const term = document.createElement("dt");
			const text = document.createElement("dd");
			term.append(...keys.split("  ").map((one) => {
				const kbd = document.createElement("kbd");
				kbd.textContent = one;
				return kbd;
			}));
			text.textContent = t(key);
			line.append(term, text);
			return line;
		}));
	}
}
