/*
 * Notices over a desktop that goes on: the idle warning with its countdown, the end of the allowed time, and
 * small news.
 */
import { byId, setText } from "./dom.js";
import { formatDuration, onLanguage, t } from "./i18n.js";

const NEWS_MS = 6000;
/* For news that say what to do now. */
const ADVICE_MS = 20000;

export class Notices {
	#idle = byId("idle");
	#notice = byId("notice");
	/** @type {{key: import("./i18n.js").Key, until: number} | null} */
	#warning = null;
	/** @type {{key: import("./i18n.js").Key, until: number} | null} */
	#news = null;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#tick;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#fade;

	/**
	 * @param {() => void} here the person answered the idle warning
	 * @param {() => void} pcIme the person takes the advice to use the PC's input method
	 */
	constructor(here, pcIme) {
		byId("idle-here").addEventListener("click", () => {
			this.#warning = null;
			this.#show();
			here();
		});
		byId("notice-close").addEventListener("click", () => {
			this.#news = null;
			this.#show();
		});
		byId("notice-pc-ime").addEventListener("click", () => {
			this.#news = null;
			this.#show();
			pcIme();
		});
		onLanguage(() => this.#show());
	}

	/**
	 * @param {string} kind code of notice_kind
	 * @param {number} seconds
	 */
	show(kind, seconds) {
		const until = Date.now() + seconds * 1000;
		switch (kind) {
		case "idle-lock":
			this.#warning = { key: "idle.lock", until };
			break;
		case "idle-logoff":
			this.#warning = { key: "idle.logoff", until };
			break;
		case "clear":
			this.#warning = null;
			break;
		case "length":
			clearTimeout(this.#fade);
			this.#news = { key: "notice.length", until };
			break;
		case "resumed":
			this.#tell("notice.resumed");
			break;
		case "no-resize":
			this.#tell("notice.no-resize", ADVICE_MS);
			break;
		case "no-text":
			this.#tell("notice.no-text", ADVICE_MS);
			break;
		case "clipboard":
			this.#tell("notice.clipboard", ADVICE_MS);
			break;
		}
		this.#show();
	}

	/**
	 * Small news of the page itself.
	 * @param {"second.hint" | "second.blocked" | "second.opened" | "notice.paste"} key
	 */
	tell(key) {
		this.#tell(key, ADVICE_MS);
		this.#show();
	}

	clear() {
		clearTimeout(this.#fade);
		this.#warning = null;
		this.#news = null;
		this.#show();
	}

	/**
	 * @param {import("./i18n.js").Key} key
	 * @param {number} [milliseconds] how long it stays
	 */
	#tell(key, milliseconds = NEWS_MS) {
		/* The end of the allowed time is more important than any news. */
		if (this.#news?.key === "notice.length")
			return;
		this.#news = { key, until: 0 };
		clearTimeout(this.#fade);
		this.#fade = setTimeout(() => {
			this.#news = null;
			this.#show();
		}, milliseconds);
	}

	#show() {
		const counting = this.#warning !== null || (this.#news !== null && this.#news.until > 0);
		clearInterval(this.#tick);
		if (counting)
			this.#tick = setInterval(() => this.#write(), 1000);
		this.#write();
	}

	#write() {
		this.#idle.hidden = this.#warning === null;
		if (this.#warning)
			setText(byId("idle-text"), textUntil(this.#warning));
		this.#notice.hidden = this.#news === null;
		byId("notice-pc-ime").hidden = this.#news?.key !== "notice.no-text";
		if (this.#news)
			setText(byId("notice-text"), textUntil(this.#news));
	}
}

/** @param {{key: import("./i18n.js").Key, until: number}} notice */
function textUntil({ key, until }) {
	const left = Math.max(0, Math.round((until - Date.now()) / 1000));
	return t(key, { time: formatDuration(left) });
}
