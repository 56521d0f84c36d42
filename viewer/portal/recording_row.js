/*
 * One recording in the auditor's list.
 */
import { byId, find, setText, showMessage } from "./dom.js";
import { formatDayTime, t, textOf } from "./i18n.js";
import { lengthText } from "../player/times.js";

/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */

export class RecordingRow {
	#element;
	#recording;
	#open;

	/**
	 * @param {RecordingInfo} recording
	 * @param {(recording: RecordingInfo) => void} open
	 */
	constructor(recording, open) {
		const template = /** @type {HTMLTemplateElement} */ (byId("recording-row"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.#recording = recording;
		this.#element = find(copy, "tr");
		this.#open = /** @type {HTMLButtonElement} */ (find(copy, ".recording-open"));
		this.#element.dataset.recording = recording.id;
		this.#element.dataset.state = recording.state;
		this.#open.addEventListener("click", () => open(recording));
	}

	get element() {
		return this.#element;
	}

	get recording() {
		return this.#recording;
	}

	/** Shows it in the language of now. */
	show() {
		const { person, full_name, pc, device, address, started, seconds, state, hold } = this.#recording;
		this.#cell("started", "recordings.started", formatDayTime(started / 1000));
		this.#cell("person", "recordings.person");
		setText(find(this.#element, ".person-name"), full_name || person);
		setText(find(this.#element, ".person-account"), full_name ? person : "");
		this.#cell("pc", "recordings.pc", pc);
		this.#cell("from", "recordings.from-device");
		setText(find(this.#element, ".from-device"), device);
		setText(find(this.#element, ".from-address"), address);
		this.#cell("length", "recordings.length", lengthText(seconds));
		this.#cell("state", "recordings.state");
		setText(find(this.#element, ".state-text"), textOf("recording-state.", state, "recording-state.unknown"));
		showMessage(find(this.#element, ".hold-tag"), hold ? t("recordings.hold") : "");
		this.#open.hidden = state === "disposed";
		setText(this.#open, t("recordings.open"));
		this.#open.setAttribute("aria-label", t("recordings.open-one", { person: full_name || person, pc,
			time: formatDayTime(started / 1000) }));
	}

	/**
	 * @param {string} name
	 * @param {import("./i18n.js").Key} label stands before it where the table's head is not there
	 * @param {string} [text]
	 */
	#cell(name, label, text) {
		const cell = find(this.#element, `.cell-${name}`);
		cell.dataset.label = t(label);
		if (text !== undefined)
			setText(cell, text);
	}
}
