/*
 * What is asked before somebody looks on at a session, or ends it: a reason, and for looking on a new code. Both go into the
 * audit log first; of an end the person reads the reason, too.
 */
import { ApiError } from "../core/api.js";
import { digitsOf } from "./code_view.js";
import { byId, isolated, setText } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { onLanguage, t } from "./i18n.js";
import { MessageBox } from "./message_box.js";

/** @typedef {import("../core/api.js").LiveInfo} LiveInfo */
/** @typedef {{done: (session: LiveInfo) => void, loggedOut: (error: unknown) => void}} DialogActions */

const WORDS_MIN = 4;
const DIGITS = 6;

/** What both dialogues have in common; their elements begin with the same name. */
class LiveDialog {
	#name;
	#actions;
	#dialog;
	#words;
	#submit;
	/** @type {LiveInfo | null} */
	#session = null;
	#busy = false;

	/**
	 * @param {"watch" | "ending"} name
	 * @param {DialogActions} actions
	 */
	constructor(name, actions) {
		this.#name = name;
		this.#actions = actions;
		this.#dialog = /** @type {HTMLDialogElement} */ (byId(name));
		this.#words = /** @type {HTMLTextAreaElement} */ (byId(`${name}-words`));
		this.#submit = /** @type {HTMLButtonElement} */ (byId(`${name}-submit`));
		this.message = new MessageBox(byId(`${name}-error`));
		byId(`${name}-form`).addEventListener("submit", (event) => {
			event.preventDefault();
			void this.#run();
		});
		byId(`${name}-cancel`).addEventListener("click", () => this.close());
		this.#dialog.addEventListener("cancel", (event) => {
			/* The answer to what is under way leads elsewhere. */
			if (this.#busy)
				event.preventDefault();
		});
		onLanguage(() => this.#show());
	}

	/** @param {LiveInfo} session */
	open(session) {
		/* The same one again: for the same reason. */
		if (this.#session?.id !== session.id)
			this.#words.value = "";
		this.#session = session;
		this.message.clear();
		this.cleared();
		this.#show();
		this.#dialog.showModal();
		this.focus(this.#words);
	}

	close() {
		this.cleared();
		if (this.#dialog.open && !this.#busy)
			this.#dialog.close();
	}

	#show() {
		const session = this.#session;
		if (session)
			setText(byId(`${this.#name}-what`), t(`live.${this.#name}-what`,
				{ person: isolated(session.full_name || session.person), pc: isolated(session.pc) }));
	}

	async #run() {
		const session = this.#session;
		const words = this.#words.value.trim();
		if (this.#busy || !session)
			return;
		if ([...words].length < WORDS_MIN) {
			this.message.say(`live.need-${this.#name}`);
			this.#words.focus();
			return;
		}
		if (!this.ready())
			return;
		this.#setBusy(true);
		try {
			await this.ask(session.id, words);
			this.#dialog.close();
			this.#actions.done(session);
		} catch (error) {
			this.#failed(error);
		} finally {
			this.cleared();
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
		if (code === "not-found")
			this.message.say("live.gone");
		else if (code === "login")
			this.message.say("opening.wrong-code");
		else if (code === "state" && field === "watchers")
			this.message.say("live.full");
		else if (code === "denied")
			this.message.say(field === "self" ? "live.self" : "live.denied");
		else
			this.message.fail(error);
	}

	/** @param {boolean} busy */
	#setBusy(busy) {
		this.#busy = busy;
		this.#submit.disabled = busy;
		/** @type {HTMLButtonElement} */ (byId(`${this.#name}-cancel`)).disabled = busy;
	}

	/* ---- what differs -------------------------------------------------------------------------------------------- */

	/** Whether the rest is filled in; else it has said so. */
	ready() {
		return true;
	}

	/** What must not stay. */
	cleared() {}

	/** @param {HTMLTextAreaElement} words */
	focus(words) {
		words.focus();
	}

	/**
	 * @param {string} id
	 * @param {string} words
	 * @returns {Promise<void>}
	 */
	ask(id, words) {
		return Promise.reject(new Error(`${id} ${words}`));
	}
}

export class WatchDialog extends LiveDialog {
	#api;
	#code = /** @type {HTMLInputElement} */ (byId("watch-code"));

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {DialogActions} actions
	 */
	constructor(api, actions) {
		super("watch", actions);
		this.#api = api;
	}

	get #digits() {
		return digitsOf(this.#code.value);
	}

	/** @override */
	ready() {
		if (this.#digits.length === DIGITS)
			return true;
		this.message.say("opening.need-code");
		this.#code.focus();
		return false;
	}

	/** @override */
	cleared() {
		this.#code.value = "";
	}

	/**
	 * @param {HTMLTextAreaElement} words
	 * @override
	 */
	focus(words) {
		(words.value ? this.#code : words).focus();
	}

	/**
	 * @param {string} id
	 * @param {string} words
	 * @override
	 */
	async ask(id, words) {
		await this.#api.watch(id, words, this.#digits);
	}
}

export class EndingDialog extends LiveDialog {
	#api;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {DialogActions} actions
	 */
	constructor(api, actions) {
		super("ending", actions);
		this.#api = api;
	}

	/**
	 * @param {string} id
	 * @param {string} words
	 * @override
	 */
	async ask(id, words) {
		await this.#api.endLive(id, words);
	}
}
