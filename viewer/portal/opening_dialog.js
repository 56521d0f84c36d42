/*
 * Asks an auditor why a recording is to be seen, and for a new code: both go into the audit log before anything is shown.
 */
import { ApiError } from "../core/api.js";
import { digitsOf } from "./code_view.js";
import { byId, setText } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { formatDayTime, onLanguage, t } from "./i18n.js";
import { MessageBox } from "./message_box.js";

/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */

const PURPOSE_MIN = 4;
const DIGITS = 6;
/* What the vault says of itself. */
const VAULT = Object.freeze(/** @type {const} */ ({ locked: "opening.vault-sealed", state: "opening.vault-empty",
	unavailable: "opening.vault-down" }));

export class OpeningDialog {
	#api;
	#actions;
	#dialog = /** @type {HTMLDialogElement} */ (byId("opening"));
	#purpose = /** @type {HTMLTextAreaElement} */ (byId("opening-purpose"));
	#code = /** @type {HTMLInputElement} */ (byId("opening-code"));
	#submit = /** @type {HTMLButtonElement} */ (byId("opening-submit"));
	#message = new MessageBox(byId("opening-error"));
	/** @type {RecordingInfo | null} */
	#recording = null;
	#busy = false;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {{opened: (recording: RecordingInfo) => void, loggedOut: (error: unknown) => void}} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		byId("opening-form").addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#open();
		});
		byId("opening-cancel").addEventListener("click", () => this.close());
		this.#dialog.addEventListener("cancel", (event) => {
			/* The answer to one that is under way opens the player. */
			if (this.#busy)
				event.preventDefault();
		});
		onLanguage(() => this.#show());
	}

	/** @param {RecordingInfo} recording */
	open(recording) {
		/* The same one again, because it ended: for the same reason. */
		if (this.#recording?.id !== recording.id)
			this.#purpose.value = "";
		this.#recording = recording;
		this.#code.value = "";
		this.#message.clear();
		this.#show();
		this.#dialog.showModal();
		(this.#purpose.value ? this.#code : this.#purpose).focus();
	}

	close() {
		this.#code.value = "";
		if (this.#dialog.open && !this.#busy)
			this.#dialog.close();
	}

	#show() {
		const recording = this.#recording;
		if (recording)
			setText(byId("opening-what"), t("opening.what", { person: recording.full_name || recording.person,
				pc: recording.pc, time: formatDayTime(recording.started / 1000) }));
	}

	async #open() {
		const recording = this.#recording;
		if (this.#busy || !recording)
			return;
		const purpose = this.#purpose.value.trim();
		const digits = digitsOf(this.#code.value);
		const code = digits.length === DIGITS ? digits : "";
		if ([...purpose].length < PURPOSE_MIN || !code) {
			this.#message.say(code ? "opening.need-purpose" : purpose ? "opening.need-code" : "opening.need-purpose");
			(code || !purpose ? this.#purpose : this.#code).focus();
			return;
		}
		this.#setBusy(true);
		try {
			await this.#api.openRecording(recording.id, purpose, code);
			this.#dialog.close();
			this.#actions.opened(recording);
		} catch (error) {
			this.#failed(error);
		} finally {
			this.#code.value = "";
			this.#setBusy(false);
		}
	}

	/** @param {unknown} error */
	#failed(error) {
		if (isLoggedOut(error)) {
			this.#dialog.close();
			this.#actions.loggedOut(error);
			return;
		}
		const { code, field } = error instanceof ApiError ? error : { code: "", field: "" };
		if (field === "vault" && code in VAULT)
			this.#message.say(VAULT[/** @type {keyof typeof VAULT} */ (code)]);
		else if (code === "login")
			this.#message.say("opening.wrong-code");
		else if (code === "expired")
			this.#message.say("opening.disposed");
		else if (code === "not-found")
			this.#message.say(field === "file" ? "opening.no-file" : field === "empty" ? "opening.empty" : "opening.gone");
		else
			this.#message.fail(error);
		this.#code.focus();
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#submit.disabled = busy;
		/** @type {HTMLButtonElement} */ (byId("opening-cancel")).disabled = busy;
	}
}
