/*
 * A video of a recording: for whom, which part and what for; how far it is; and what to do with the file.
 */
import { ApiError } from "../core/api.js";
import { digitsOf } from "../portal/code_view.js";
import { announce, byId, copyText, setText } from "../portal/dom.js";
import { isLoggedOut } from "../portal/errors.js";
import { formatDate, formatDayTime, language, onLanguage, t, textOf } from "../portal/i18n.js";
import { MessageBox } from "../portal/message_box.js";
import { officeZone, stampIn } from "../portal/zone.js";
import { readCertificate } from "./certificate_file.js";
import { chooseFile, fileName } from "./export_file.js";
import { endText, parseElapsed } from "./export_part.js";
import { ExportRun } from "./export_run.js";
import { elapsedText } from "./times.js";

/** @typedef {import("../core/api.js").AuditorInfo} AuditorInfo */
/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */
/** @typedef {import("./export_part.js").ExportPart} ExportPart */
/** @typedef {{recording: RecordingInfo, durationUs: number, part: ExportPart}} Subject */
/** @typedef {{reason: string, bytes: number, sha256: string}} Ended */
/** Who can open it: text for the gateway, and files as the person has them. @typedef {{text: string, certificate: string}} Recipient */

const PURPOSE_MIN = 4;
const DIGITS = 6;
const VAULT = Object.freeze(/** @type {const} */ ({ locked: "opening.vault-sealed", state: "opening.vault-empty",
	unavailable: "opening.vault-down" }));
/* What is wrong with a recipient, by code. */
const RECIPIENT = Object.freeze(/** @type {const} */ ({ invalid: "export.bad-certificate", key: "export.weak-certificate",
	expired: "export.expired-certificate", "not-found": "export.no-auditor" }));

export class ExportDialog {
	#api;
	#loggedOut;
	#dialog = /** @type {HTMLDialogElement} */ (byId("export"));
	#form = /** @type {HTMLFormElement} */ (byId("export-form"));
	#auditor = /** @type {HTMLSelectElement} */ (byId("export-auditor"));
	#file = /** @type {HTMLInputElement} */ (byId("export-file"));
	#from = /** @type {HTMLInputElement} */ (byId("export-from"));
	#to = /** @type {HTMLInputElement} */ (byId("export-to"));
	#purpose = /** @type {HTMLTextAreaElement} */ (byId("export-purpose"));
	#code = /** @type {HTMLInputElement} */ (byId("export-code"));
	#submit = /** @type {HTMLButtonElement} */ (byId("export-submit"));
	#bar = /** @type {HTMLProgressElement} */ (byId("export-progress"));
	#message = new MessageBox(byId("export-error"));
	/** @type {Subject | null} */
	#subject = null;
	/** @type {AuditorInfo[]} */
	#auditors = [];
	#busy = false;
	/** @type {ExportRun | null} */
	#run = null;
	#bytes = 0;
	#began = 0;
	/** @type {{ended: Ended, name: string, certificate: string} | null} */
	#result = null;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {(error?: unknown) => void} loggedOut
	 */
	constructor(api, loggedOut) {
		this.#api = api;
		this.#loggedOut = loggedOut;
		this.#form.addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#order();
		});
		this.#form.addEventListener("change", () => this.#showChoices());
		for (const [field, name, value] of /** @type {const} */ ([[this.#auditor, "export-for", "auditor"], [this.#file, "export-for", "file"],
			[this.#from, "export-part", "part"], [this.#to, "export-part", "part"]]))
			field.addEventListener("input", () => this.#choose(name, value));
		for (const id of ["export-cancel", "export-close", "export-hide"])
			byId(id).addEventListener("click", () => this.#close());
		byId("export-stop").addEventListener("click", () => this.#run?.cancel());
		byId("export-copy").addEventListener("click", () => this.#copy());
		byId("export-chip").addEventListener("click", () => this.#dialog.showModal());
		this.#dialog.addEventListener("cancel", (event) => {
			if (this.#busy)
				event.preventDefault();
		});
		addEventListener("beforeunload", (event) => {
			if (this.#run)
				event.preventDefault();
		});
		onLanguage(() => this.#show());
	}

	/** @param {Subject} subject */
	async open(subject) {
		if (this.#run || this.#dialog.open) {
			if (!this.#dialog.open)
				this.#dialog.showModal();
			return;
		}
		if (this.#subject?.recording.id !== subject.recording.id)
			this.#purpose.value = "";
		this.#subject = subject;
		this.#result = null;
		this.#code.value = "";
		this.#message.clear();
		const { part, durationUs } = subject;
		this.#from.value = endText(part.from ?? 0, durationUs, Math.floor);
		this.#to.value = endText(Math.min(part.to ?? durationUs, durationUs), durationUs, Math.ceil);
		this.#choose("export-part", part.marked ? "part" : "whole");
		this.#choose("export-for", "auditor");
		this.#show();
		this.#dialog.showModal();
		await this.#loadAuditors();
	}

	/** The login is over: what was not sent goes. What is under way the gateway ends, and then says why. */
	leave() {
		this.#code.value = "";
		if (this.#dialog.open && !this.#run && !this.#result)
			this.#dialog.close();
	}

	#close() {
		if (this.#busy)
			return;
		this.#dialog.close();
		const over = this.#result;
		if (over && ["login", "right"].includes(over.ended.reason))
			this.#loggedOut();
	}

	async #loadAuditors() {
		try {
			this.#auditors = await this.#api.auditors();
		} catch (error) {
			this.#failed(error);
			return;
		}
		const chosen = this.#auditor.value;
		this.#auditor.replaceChildren(...this.#auditors.map(({ id, name }) => new Option(name, String(id))));
		if (this.#auditors.some(({ id }) => String(id) === chosen))
			this.#auditor.value = chosen;
		/* What was chosen while they came stays. */
		this.#choose("export-for", this.#auditors.length > 0 ? this.#chosen("export-for") : "file");
	}

	/* ---- the form ---- */

	/** @param {string} name @param {string} value */
	#choose(name, value) {
		const radio = /** @type {RadioNodeList} */ (this.#form.elements.namedItem(name));
		radio.value = value;
		this.#showChoices();
	}

	/** @param {string} name */
	#chosen(name) {
		return /** @type {RadioNodeList} */ (this.#form.elements.namedItem(name)).value;
	}

	#showChoices() {
		const none = this.#auditors.length === 0;
		this.#auditor.disabled = none;
		/** @type {HTMLInputElement} */ (byId("export-for-auditor")).disabled = none;
		const auditor = this.#auditors.find(({ id }) => String(id) === this.#auditor.value);
		byId("export-fingerprint").hidden = !auditor || this.#chosen("export-for") !== "auditor";
		setText(byId("export-fingerprint"), auditor ? t("export.auditor-is", { until: formatDate(auditor.until),
			fingerprint: auditor.fingerprint.slice(0, 16).replace(/.{4}(?!$)/g, "$& ") }) : "");
		byId("export-times").toggleAttribute("data-off", this.#chosen("export-part") === "whole");
	}

	/** @returns {Promise<Recipient | null>} null: said what is missing */
	async #recipient() {
		if (this.#chosen("export-for") === "auditor") {
			const auditor = this.#auditors.find(({ id }) => String(id) === this.#auditor.value);
			if (auditor)
				return { text: String(auditor.id), certificate: `${fileName(auditor.name)}.pem` };
			return this.#refuse("export.need-recipient", this.#auditor);
		}
		const file = this.#file.files?.[0];
		if (!file)
			return this.#refuse("export.need-file", this.#file);
		const text = await readCertificate(file);
		return text ? { text, certificate: file.name } : this.#refuse("export.bad-certificate", this.#file);
	}

	/** @returns {{from: number, to: number} | null} */
	#part() {
		if (this.#chosen("export-part") === "whole")
			return { from: 0, to: 0 };
		const [from, to] = [parseElapsed(this.#from.value), parseElapsed(this.#to.value)];
		if (from === null)
			return this.#refuse("export.bad-time", this.#from);
		if (to === null)
			return this.#refuse("export.bad-time", this.#to);
		const duration = this.#subject?.durationUs ?? 0;
		if (from >= to || from >= duration)
			return this.#refuse("export.bad-part", this.#to);
		return { from, to: to >= duration ? 0 : to };
	}

	/**
	 * @param {import("../portal/i18n.js").Key} key
	 * @param {HTMLElement} field
	 * @returns {null}
	 */
	#refuse(key, field) {
		this.#message.say(key);
		field.focus();
		/* The message stands in front of the form's end. */
		field.scrollIntoView({ block: "center" });
		return null;
	}

	async #order() {
		const subject = this.#subject;
		if (this.#busy || !subject)
			return;
		this.#message.clear();
		const recipient = await this.#recipient();
		const part = recipient && this.#part();
		if (!recipient || !part)
			return;
		const purpose = this.#purpose.value.trim();
		const digits = digitsOf(this.#code.value);
		if ([...purpose].length < PURPOSE_MIN) {
			this.#refuse("export.need-purpose", this.#purpose);
			return;
		}
		if (digits.length !== DIGITS) {
			this.#refuse("opening.need-code", this.#code);
			return;
		}
		this.#setBusy(true);
		try {
			await this.#send(subject.recording, recipient, { purpose, code: digits, recipient: recipient.text,
				language: language(), ...part });
		} catch (error) {
			this.#failed(error);
		} finally {
			this.#setBusy(false);
		}
	}

	/**
	 * @param {RecordingInfo} recording
	 * @param {Recipient} recipient
	 * @param {import("../core/api.js").ExportOrder} order
	 */
	async #send(recording, recipient, order) {
		const when = stampIn(recording.started, officeZone()).replaceAll(/[-:]/g, "").replace(" ", "-");
		const name = `${fileName(`sekisho-${when}-${recording.pc}`)}.mp4.cms`;
		/* First, because a click allows it for a moment only. */
		const opens = await chooseFile(name, t("export.file-kind"));
		if (!opens)
			return;
		await this.#api.exportRecording(recording.id, order);
		this.#code.value = "";
		let file;
		try {
			file = await opens();
		} catch {
			this.#message.say("export-end.disk");
			return;
		}
		const { name: chosen } = file;
		this.#bytes = 0;
		this.#began = performance.now();
		this.#run = new ExportRun(this.#api.exportUrl(recording.id), file, {
			progress: (_, bytes) => {
				this.#bytes = bytes;
				this.#showProgress();
			},
			ended: (ended) => this.#ended(ended, chosen, recipient.certificate),
		});
		this.#show();
		byId("export-stop").focus();
	}

	/** @param {unknown} error */
	#failed(error) {
		if (isLoggedOut(error)) {
			this.#dialog.close();
			this.#loggedOut(error);
			return;
		}
		const { code, field } = error instanceof ApiError ? error : { code: "", field: "" };
		if (field === "recipient" && code in RECIPIENT)
			this.#message.say(RECIPIENT[/** @type {keyof typeof RECIPIENT} */ (code)]);
		else if (field === "vault" && code in VAULT)
			this.#message.say(VAULT[/** @type {keyof typeof VAULT} */ (code)]);
		else if (field === "export")
			this.#message.say(code === "state" ? "export.already" : "export.others");
		else if (field === "from" || field === "to")
			this.#message.say("export.bad-part");
		else if (code === "login")
			this.#message.say("opening.wrong-code");
		else if (code === "expired")
			this.#message.say("opening.disposed");
		else if (code === "not-found")
			this.#message.say(field === "file" ? "opening.no-file" : field === "empty" ? "opening.empty" : "opening.gone");
		else
			this.#message.fail(error);
		this.#code.value = "";
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#submit.disabled = busy;
		/** @type {HTMLButtonElement} */ (byId("export-cancel")).disabled = busy;
	}

	/* ---- under way, and over ---- */

	/**
	 * @param {Ended} ended
	 * @param {string} name of the file
	 * @param {string} certificate
	 */
	#ended(ended, name, certificate) {
		this.#run = null;
		this.#result = { ended, name, certificate };
		this.#subject?.part.clear();
		this.#show();
		if (!this.#dialog.open)
			this.#dialog.showModal();
		announce(byId("export-title").textContent ?? "");
		byId("export-close").focus();
	}

	#show() {
		const step = this.#run ? "running" : this.#result ? "over" : "form";
		this.#dialog.dataset.step = step;
		this.#form.hidden = step !== "form";
		byId("export-running").hidden = step !== "running";
		byId("export-over").hidden = step !== "over";
		byId("export-chip").hidden = step !== "running";
		const whole = this.#result?.ended.reason === "none";
		setText(byId("export-title"), t(step === "form" ? "export.title" : step === "running" ? "export.running" :
			whole ? "export.done" : this.#result?.ended.reason === "cancelled" ? "export.cancelled" : "export.failed"));
		const recording = this.#subject?.recording;
		if (recording)
			setText(byId("export-what"), t("opening.what", { person: recording.full_name || recording.person,
				pc: recording.pc, time: formatDayTime(recording.started / 1000) }));
		this.#showChoices();
		if (step === "running")
			this.#showProgress();
		if (this.#result)
			this.#showResult(this.#result);
	}

	#showProgress() {
		const permille = this.#run?.permille ?? 0;
		const percent = Math.floor(permille / 10);
		const seconds = (performance.now() - this.#began) / 1000;
		const left = permille > 10 && seconds > 3 ? Math.ceil(seconds * (1000 - permille) / permille) : 0;
		this.#bar.value = permille;
		setText(byId("export-progress-text"), t("export.progress", { percent, size: sizeText(this.#bytes) }));
		setText(byId("export-left"), left > 0 ? t("export.left", { time: elapsedText(left * 1000000, 0) }) : "");
		setText(byId("export-chip-text"), t("export.chip", { percent }));
	}

	/** @param {{ended: Ended, name: string, certificate: string}} result */
	#showResult({ ended, name, certificate }) {
		const whole = ended.reason === "none";
		setText(byId("export-over-text"), whole ? t("export.done-text") : textOf("export-end.", ended.reason, "export-end.failed"));
		byId("export-over-text").className = whole ? "message" : ended.reason === "cancelled" ? "message" : "message message-bad";
		byId("export-whole").hidden = !whole;
		setText(byId("export-name"), name);
		setText(byId("export-size"), t("export.size-is", { size: sizeText(ended.bytes), bytes: ended.bytes.toLocaleString(language()) }));
		setText(byId("export-sha256"), ended.sha256);
		setText(byId("export-commands"), commands(name, certificate));
	}

	#copy() {
		if (!copyText(byId("export-commands")))
			return;
		announce(t("export.copied"));
		setText(byId("export-copy"), t("export.copied"));
		setTimeout(() => setText(byId("export-copy"), t("export.copy")), 2000);
	}
}

/** As a shell takes it. @param {string} name */
function quoted(name) {
	return /^[\p{L}\p{M}\p{N}._][\p{L}\p{M}\p{N}._-]*$/u.test(name) ? name : `'./${name.replaceAll("'", "'\\''")}'`;
}

/**
 * What the recipient types.
 * @param {string} name of the encrypted file
 * @param {string} certificate file
 */
export function commands(name, certificate) {
	const key = `${certificate.replace(/\.[^.]*$/, "")}.key`;
	const video = `${name.replace(/\.cms$/, "").replace(/\.mp4$/, "")}.mp4`;
	return `sha256sum ${quoted(name)}\n` +
		`openssl cms -decrypt -inform DER -binary -in ${quoted(name)} -recip ${quoted(certificate)} -inkey ${quoted(key)} -out ${quoted(video)}`;
}

/** @param {number} bytes */
export function sizeText(bytes) {
	const [value, unit] = bytes < 1000000 ? [bytes / 1000, "kilobyte"] : bytes < 1e9 ? [bytes / 1e6, "megabyte"] : [bytes / 1e9, "gigabyte"];
	return new Intl.NumberFormat(language(), { style: "unit", unit, maximumFractionDigits: unit === "kilobyte" ? 0 : 1 }).format(value);
}
