/*
 * The vault's pages: which of them is shown, the ways between them, and what concerns all: the vault is sealed or does not
 * answer, the login is locked. Whatever was shown is taken away when it is left.
 */
import { ApiError } from "../core/api.js";
import { knows, Vault } from "../core/vault.js";
import { byId } from "../portal/dom.js";
import { t } from "../portal/i18n.js";
import { make, wayButton } from "./build.js";
import { CertificatePage } from "./certificate_page.js";
import { ClientsPage } from "./clients_page.js";
import { CopyPage } from "./copy_page.js";
import { closeDialogs } from "./dialog.js";
import { DuePage } from "./due_page.js";
import { EntryPage } from "./entry_page.js";
import { ExportPage } from "./export_page.js";
import { troubleOf } from "./errors.js";
import { GlassPage } from "./glass_page.js";
import { GrantsPage } from "./grants_page.js";
import { GroupsPage } from "./groups_page.js";
import { showHelp } from "./help.js";
import { ImportPage } from "./import_page.js";
import { InboxPage } from "./inbox_page.js";
import { Notice } from "./notice.js";
import { PeoplePage } from "./people_page.js";
import { hashOf, placeOf } from "./places.js";
import { QuarantinePage } from "./quarantine_page.js";
import { RecordPage } from "./record_page.js";
import { isForMe } from "./request_card.js";
import { SettingsPage } from "./settings_page.js";
import { commandOf } from "./shortcuts.js";
import { troubleCard, unlockCard } from "./trouble_card.js";

/** @typedef {import("../core/api.js").Me} Me */
/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Page} Page */
/** @typedef {import("./desk.js").PageClass} PageClass */
/** @typedef {import("./places.js").Name} Name */

/* How soon a lock or a log-out elsewhere is noticed. */
const WATCH_MS = 5000;

/** @type {Readonly<Partial<Record<Name, PageClass>>>} */
const PAGES = Object.freeze({ clients: ClientsPage, client: PeoplePage, record: RecordPage, new: EntryPage, inbox: InboxPage, due: DuePage,
	certificate: CertificatePage, rights: GrantsPage, group: GroupsPage, copy: CopyPage, settings: SettingsPage, import: ImportPage, export: ExportPage,
	quarantine: QuarantinePage, glass: GlassPage });
/* What a page cannot do without. */
/** @type {Readonly<Partial<Record<Name, string>>>} */
const NEEDS = Object.freeze({ clients: "client list", client: "record list", record: "record show", new: "request add", inbox: "request list", due: "due list",
	certificate: "certificate show", rights: "grant list", group: "group list", copy: "grant copy preview", settings: "purpose add", import: "import begin", export: "export make",
	quarantine: "quarantine list", glass: "glass ask" });
/** @type {readonly {name: Name, key: import("./build.js").Key, manages?: boolean}[]} the pages that have a tab */
const TABS = [{ name: "clients", key: "records.clients" }, { name: "inbox", key: "inbox.title" }, { name: "due", key: "due.title" },
	{ name: "import", key: "import.tab" }, { name: "rights", key: "rights.title", manages: true }, { name: "settings", key: "settings.title", manages: true },
	{ name: "glass", key: "glass.tab", manages: true }];

/** @param {Name} name */
function has(name) {
	return knows(NEEDS[name] ?? "");
}

export class VaultView {
	#api;
	#actions;
	#main = byId("vault-main");
	#tabs = make("nav", { class: "tabs vault-tabs", label: "records.tabs" });
	#place = make("div", { class: "vault-place" });
	#notice = new Notice();
	/** @type {Desk | null} */
	#desk = null;
	/** @type {Page | null} */
	#page = null;
	/** @type {(() => string) | null} what has just been done */
	#told = null;
	/** @type {(() => string) | null} the same, for the page that comes next */
	#message = null;
	#hash = "";
	/* On the inbox's tab: how many requests wait for the person. */
	#waiting = make("span", { class: "count", with: { hidden: true } });
	/* Counts up with each page, so that what comes late for an older one is dropped. */
	#turn = 0;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;

	/**
	 * @param {import("../core/api.js").Api} api
	 * @param {{loggedOut: (error?: unknown) => void}} actions
	 */
	constructor(api, actions) {
		this.#api = api;
		this.#actions = actions;
		document.addEventListener("keydown", (event) => this.#key(event));
		/* A page that is put aside by the browser keeps nothing. */
		addEventListener("pagehide", () => this.#wipe());
		addEventListener("pageshow", (event) => {
			if (event.persisted && this.#desk)
				void this.#open(this.#hash);
		});
	}

	/**
	 * @param {Me} me
	 * @param {string} hash
	 */
	show(me, hash) {
		if (!this.#desk)
			this.#timer = setInterval(() => void this.#look(), WATCH_MS);
		this.#desk = this.#deskOf(me);
		this.#main.replaceChildren(this.#tabs, this.#notice.element, this.#place);
		void this.#open(hash);
	}

	hide() {
		if (!this.#desk)
			return;
		clearInterval(this.#timer);
		this.#wipe();
		this.#main.replaceChildren();
		this.#desk = null;
		this.#message = null;
		this.#waiting.hidden = true;
	}

	/** Break-glass is over: what it let the person see goes at once. */
	glassEnded() {
		const desk = this.#desk;
		if (!desk)
			return;
		this.#wipe();
		desk.tell(() => t("glass.over"));
		if (this.#hash === hashOf("clients"))
			desk.again();
		else
			desk.go(hashOf("clients"));
	}

	/** @param {unknown} error */
	fail(error) {
		this.#desk?.failed(error);
	}

	/** @param {Me} me @returns {Desk} */
	#deskOf(me) {
		return {
			vault: new Vault(this.#api), me, manages: me.records === "manage",
			go: (hash) => {
				this.#message = this.#told;
				location.hash = hash;
			},
			again: () => {
				this.#message = this.#told;
				void this.#open(this.#hash);
			},
			general: (error) => this.#general(error),
			failed: (error) => {
				if (!this.#general(error))
					this.#notice.fail(error);
			},
			warn: (text) => this.#notice.warn(text),
			tell: (text) => {
				this.#told = text;
				/* What the page that is here goes on to show is all that it belongs to. */
				queueMicrotask(() => {
					this.#told = null;
				});
				this.#notice.tell(text);
			},
		};
	}

	/** Takes away all that is shown. */
	#wipe() {
		this.#turn++;
		closeDialogs();
		this.#page?.leave?.();
		this.#page?.element.replaceChildren();
		this.#page = null;
		this.#place.replaceChildren();
	}

	/** @param {string} hash */
	async #open(hash) {
		const place = placeOf(hash);
		const desk = this.#desk;
		if (!desk)
			return;
		this.#wipe();
		const turn = this.#turn;
		const Wanted = place && PAGES[place.name];
		if (!Wanted || (place.name !== "clients" && !has(place.name))) {
			location.replace(hashOf("clients"));
			return;
		}
		this.#hash = hash;
		this.#showTabs(place.name);
		this.#notice.clear();
		if (this.#message)
			this.#notice.tell(this.#message);
		this.#message = null;
		const page = this.#page = new Wanted(desk, place);
		this.#place.replaceChildren(page.element);
		scrollTo(0, 0);
		try {
			await page.start();
			if (turn === this.#turn && has("inbox"))
				void this.#count(desk);
		} catch (error) {
			if (turn === this.#turn)
				this.#notStarted(desk, error);
		}
		if (turn === this.#turn && !document.querySelector("dialog[open]"))
			(this.#place.querySelector("h1") ?? this.#main).focus({ preventScroll: true });
	}

	/**
	 * What is not there, or may not be seen: nothing goes on loading, and there is a way on.
	 * @param {Desk} desk
	 * @param {unknown} error
	 */
	#notStarted(desk, error) {
		desk.failed(error);
		for (const loading of this.#place.querySelectorAll(":scope > section > .hosts-loading"))
			loading.replaceWith(wayButton(hashOf("clients"), "records.to-clients"));
	}

	/** @param {Name} at */
	#showTabs(at) {
		const current = at === "client" || at === "record" || at === "new" || at === "export" ? "clients" : at === "certificate" ? "due" : at === "group" || at === "copy" ? "rights" : at === "quarantine" ? "inbox" : at;
		this.#tabs.replaceChildren(...TABS.filter(({ name, manages }) => has(name) && (!manages || this.#desk?.manages)).map(({ name, key }) =>
			make("a", { class: "tab", on: { click: () => this.#anew(hashOf(name)) }, with: { href: hashOf(name), "aria-current": name === current ? "page" : undefined } },
				make("span", { t: key }), name === "inbox" && this.#waiting)));
		this.#tabs.querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
	}

	/** Who presses the tab of the page that is shown wants it as it is now. @param {string} hash */
	#anew(hash) {
		if (hash === this.#hash)
			void this.#open(hash);
	}

	/** What waits for the person, as he comes to a page. What goes wrong the page itself says. @param {Desk} desk */
	async #count({ vault }) {
		try {
			const { rows, next } = await vault.list("request list", {});
			const mine = rows.filter(isForMe).length;
			this.#waiting.textContent = `${mine}${next ? "+" : ""}`;
			this.#waiting.hidden = mine === 0;
		} catch {
			this.#waiting.hidden = true;
		}
	}

	/**
	 * @param {unknown} error
	 * @returns {boolean} whether it concerns all pages, and is shown
	 */
	#general(error) {
		const trouble = troubleOf(error);
		if (trouble === "")
			return false;
		if (trouble === "auth") {
			this.#actions.loggedOut(error);
		} else {
			this.#wipe();
			this.#notice.clear();
			this.#place.replaceChildren(trouble === "locked" ? unlockCard(this.#api, { done: () => void this.#open(this.#hash),
				loggedOut: (why) => this.#actions.loggedOut(why) }) : troubleCard(trouble, () => void this.#open(this.#hash)));
			this.#place.querySelector(/** @type {"input"} */ ("input, button"))?.focus();
		}
		return true;
	}

	/** A lock, and a log-out elsewhere, take away what is shown without anything being asked of the vault. */
	async #look() {
		const turn = this.#turn;
		try {
			const { locked } = await this.#api.me();
			if (locked && this.#page && turn === this.#turn)
				this.#general(new ApiError("locked", 423));
		} catch (error) {
			if (troubleOf(error) === "auth")
				this.#general(error);
		}
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const command = this.#desk && !this.#main.hidden ? commandOf(event) : null;
		if (!command)
			return;
		if (command === "help")
			showHelp();
		else if (command === "clients" || command === "inbox" || command === "due")
			this.#desk?.go(hashOf(command));
		else if (!this.#page?.command?.(command))
			return;
		event.preventDefault();
	}
}
