/*
 * Which of the views is shown, and what leads from one to the next.
 */
import { Admin } from "../core/admin.js";
import { Api } from "../core/api.js";
import { AuditCheck } from "./audit_check.js";
import { AuditView } from "./audit_view.js";
import { ClientField } from "./client_field.js";
import { CodeView } from "./code_view.js";
import { CredentialsDialog } from "./credentials_dialog.js";
import { DesktopView } from "./desktop_view.js";
import { DevicesView } from "./devices_view.js";
import { byId } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { GlassBanner } from "./glass_banner.js";
import { onLanguage, t } from "./i18n.js";
import { LeaveDialog } from "./leave_dialog.js";
import { EndingDialog, WatchDialog } from "./live_dialogs.js";
import { LiveView } from "./live_view.js";
import { LoginView } from "./login_view.js";
import { MenuView } from "./menu_view.js";
import { OpeningDialog } from "./opening_dialog.js";
import { keepsRecords, PageHead } from "./page_head.js";
import { RecordingsView } from "./recordings_view.js";
import { RenewNotice } from "./renew_notice.js";
import { ReportView } from "./report_view.js";
import { SheetView } from "./sheet_view.js";
import { WatchView } from "./watch_view.js";
import { setOfficeZone } from "./zone.js";
import { ExportDialog } from "../player/export_dialog.js";
import { PlayerView } from "../player/player_view.js";
import { VaultView } from "../vault/vault_view.js";

/** @typedef {import("../core/api.js").Host} Host */
/** @typedef {import("../core/api.js").Me} Me */
/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */
/** @typedef {"loading" | "login" | "code" | "menu" | "devices" | "sheet" | "desktop" | "recordings" | "player" | "live"
 *   | "watch" | "audit" | "report" | "vault"} View */

/* The session in the page's address, so that loading the page again shows it again. */
const ADDRESS = /^#session=([0-9a-f]{32})$/;
/* A window for the second monitor of that session. */
const SECOND = /^#screen=([0-9a-f]{32})$/;
const DEVICES = "#devices";
/* The sheet cannot be shown again: its address leads to the devices. */
const SHEET = "#sheet";
const LIVE = "#live";
/* Somebody's session to be looked on at: the reason is asked for each time. */
const WATCH = /^#live\/([0-9a-f]{32})$/;
const AUDIT = "#audit";
/* Records: which page of theirs is in the address (vault/places.js). */
const VAULT = /^#vault(\/|$)/;
/* A report is in the log for each time it is made: its address leads to the console. */
const REPORT = "#report";
/* A recording is opened for one look: its address leads to the list. */
const PLAYER = "#player";

export class App {
	#api = new Api();
	#client = new ClientField();
	#credentials = new CredentialsDialog();
	#leave = new LeaveDialog();
	#login = new LoginView(this.#api, () => this.#showCode());
	#code = new CodeView(this.#api, (me) => this.#loggedIn(me), (error) => this.#showLogin(error));
	#menu = new MenuView(this.#api, {
		open: (host) => void this.#open(host),
		otherLogin: (host) => void this.#openWithOther(host),
		confirmEnd: (host) => this.#leave.confirmEnd(host.name),
		loggedOut: (error) => this.#showLogin(error),
	});
	#head = new PageHead(this.#api, {
		go: (page) => this.#go(page),
		loggedOut: () => this.#showLogin(undefined, "registered"),
		failed: (error) => (this.#view === "devices" ? this.#devices : this.#view === "recordings" ? this.#recordings :
			this.#view === "audit" ? this.#console : this.#view === "vault" ? this.#vault : this.#menu).fail(error),
	});
	#renew = new RenewNotice(this.#api, (error) => this.#showLogin(error));
	#audit = new AuditCheck(this.#api);
	#glass = new GlassBanner(this.#api, () => this.#vault.glassEnded());
	#devices = new DevicesView(new Admin(this.#api), {
		loggedOut: (error) => this.#showLogin(error),
		invited: (sheet) => this.#showSheet(sheet),
	});
	#sheet = new SheetView(() => history.back());
	#opening = new OpeningDialog(this.#api, {
		opened: (recording) => this.#showPlayer(recording),
		loggedOut: (error) => this.#showLogin(error),
	});
	#recordings = new RecordingsView(this.#api, {
		open: (recording) => this.#opening.open(recording),
		loggedOut: (error) => this.#showLogin(error),
	});
	#console = new AuditView(this.#api, {
		play: (session) => this.#opening.open({ ...session, state: session.recording === "none" ? "lost" : session.recording }),
		watch: (session) => {
			history.pushState(null, "", `${LIVE}/${session.id}`);
			this.#showLive();
		},
		report: (wish, choices, zone) => this.#showReport(wish, choices, zone),
		loggedOut: (error) => this.#showLogin(error),
	});
	#report = new ReportView(this.#api, () => history.back());
	#player = new PlayerView(this.#api, {
		back: () => history.back(),
		again: (recording) => {
			this.#showRecordings();
			this.#opening.open(recording);
		},
		export: (subject) => void this.#export.open(subject),
		loggedOut: () => this.#showLogin(),
	});
	#live = new LiveView(this.#api, {
		watch: (session) => this.#watching.open(session),
		end: (session) => this.#ending.open(session),
		loggedOut: (error) => this.#showLogin(error),
	});
	#watching = new WatchDialog(this.#api, {
		done: (session) => this.#showWatch(session),
		loggedOut: (error) => this.#showLogin(error),
	});
	#ending = new EndingDialog(this.#api, {
		done: () => void this.#live.refresh(),
		loggedOut: (error) => this.#showLogin(error),
	});
	#watch = new WatchView(this.#api, {
		back: () => this.#showLive(),
		again: (session) => {
			this.#showLive();
			this.#watching.open(session);
		},
		end: (session) => this.#ending.open(session),
		loggedOut: () => this.#showLogin(),
	});
	#vault = new VaultView(this.#api, { loggedOut: (error) => this.#showLogin(error) });
	#export = new ExportDialog(this.#api, (error) => this.#showLogin(error));
	#desktop = new DesktopView(this.#api, {
		menu: (message) => this.#showMenu(message),
		loggedOut: (error) => this.#showLogin(error),
		deviceGone: () => (this.#deviceGone = true),
		credentials: (pc) => this.#credentials.ask(pc.name, { withUser: pc.withUser }),
		leave: (name) => this.#leave.ask(name),
		opened: (id, name, monitor) => this.#opened(id, name, monitor),
	});
	/** @type {Me | null} */
	#me = null;
	/** @type {View} */
	#view = "loading";
	#pcName = "";
	/* The gateway has said so, so that there is nothing but the login any more. */
	#deviceGone = false;

	constructor() {
		addEventListener("popstate", () => this.#moved());
		onLanguage(() => this.#showTitle());
	}

	async start() {
		void this.#loadOffice();
		try {
			this.#loggedIn(await this.#api.me());
		} catch (error) {
			if (isLoggedOut(error) && this.#code.expected)
				this.#showCode();
			else
				this.#showLogin(isLoggedOut(error) ? undefined : error);
		}
	}

	async #loadOffice() {
		try {
			this.#login.setOffice((await this.#api.office()).office);
		} catch {
			/* The page works without the office's name. */
		}
	}

	/** @param {View} view */
	#show(view) {
		if (view !== "desktop")
			this.#desktop.close();
		if (view !== "menu")
			this.#menu.hide();
		if (view !== "devices")
			this.#devices.hide();
		if (view !== "sheet")
			this.#sheet.clear();
		if (view !== "recordings")
			this.#recordings.hide();
		if (view !== "audit")
			this.#console.hide();
		if (view !== "report")
			this.#report.clear();
		if (view !== "player")
			this.#player.close();
		if (view !== "live")
			this.#live.hide();
		if (view !== "watch")
			this.#watch.close();
		if (view !== "vault")
			this.#vault.hide();
		this.#view = view;
		document.body.dataset.view = view;
		byId("view-entry").hidden = view !== "login" && view !== "code";
		byId("view-login").hidden = view !== "login";
		byId("view-code").hidden = view !== "code";
		byId("view-menu").hidden = !["menu", "devices", "recordings", "live", "audit", "vault"].includes(view);
		byId("menu-main").hidden = view !== "menu";
		byId("devices-main").hidden = view !== "devices";
		byId("view-sheet").hidden = view !== "sheet";
		byId("recordings-main").hidden = view !== "recordings";
		byId("audit-main").hidden = view !== "audit";
		byId("vault-main").hidden = view !== "vault";
		byId("view-report").hidden = view !== "report";
		byId("view-player").hidden = view !== "player";
		byId("live-main").hidden = view !== "live";
		byId("view-watch").hidden = view !== "watch";
		byId("view-desktop").hidden = view !== "desktop";
		this.#showTitle();
	}

	#showTitle() {
		const app = t("app.name");
		/** @type {Record<View, string>} */
		const titles = { loading: "", login: t("login.title"), code: t("code.title"), menu: t("menu.title"),
			devices: t("devices.title"), sheet: t("invite.title"), desktop: this.#pcName,
			recordings: t("recordings.title"), player: t("player.title", { name: this.#pcName }),
			live: t("live.title"), watch: t("watch.title", { name: this.#pcName }), audit: t("audit.title"), vault: t("nav.vault"),
			report: t("audit.tab-report") };
		const title = titles[this.#view];
		document.title = title ? `${title} – ${app}` : app;
	}

	/**
	 * @param {unknown} [error]
	 * @param {import("./login_view.js").DeviceState} [device]
	 */
	#showLogin(error, device) {
		this.#me = null;
		this.#code.forget();
		this.#menu.clear();
		this.#client.clear();
		this.#devices.clear();
		this.#recordings.clear();
		this.#console.clear();
		this.#opening.close();
		this.#live.clear();
		this.#watching.close();
		this.#ending.close();
		this.#export.leave();
		this.#renew.clear();
		this.#audit.clear();
		this.#glass.clear();
		this.#head.clear();
		this.#show("login");
		this.#login.show(error, this.#deviceGone ? "gone" : device);
	}

	#showCode() {
		this.#deviceGone = false;
		this.#code.expect();
		this.#show("code");
		this.#code.show();
	}

	/** @param {Me} me */
	#loggedIn(me) {
		if (!this.#me) {
			void this.#audit.run();
			this.#glass.start(me);
		}
		this.#me = me;
		setOfficeZone(me.zone);
		this.#code.forget();
		this.#login.setOffice(me.office);
		if (me.role !== "staff" && (location.hash === LIVE || WATCH.test(location.hash))) {
			this.#showLive();
			return;
		}
		if (me.role === "auditor") {
			if ([AUDIT, REPORT].includes(location.hash))
				this.#showConsole();
			else
				this.#showRecordings();
			return;
		}
		const second = SECOND.exec(location.hash);
		const match = second ?? ADDRESS.exec(location.hash);
		if (match) {
			this.#show("desktop");
			void this.#desktop.resume(match[1], second ? 1 : 0);
		} else if (keepsRecords(me) && VAULT.test(location.hash)) {
			this.#showVault();
		} else if (me.role === "admin" && [DEVICES, SHEET].includes(location.hash)) {
			this.#showDevices();
		} else {
			this.#showMenu();
		}
	}

	/** @param {() => string} [message] */
	#showMenu(message) {
		/* A second window has no menu: it goes. One that the browser does not let us close becomes a usual one. */
		if (SECOND.test(location.hash))
			window.close();
		if (!this.#me || this.#deviceGone) {
			this.#showLogin();
			return;
		}
		if (location.hash)
			history.replaceState(null, "", location.pathname);
		this.#show("menu");
		this.#head.show(this.#me, "menu");
		this.#renew.show(this.#me);
		this.#client.show(this.#me);
		this.#menu.show(this.#me, message);
	}

	#showDevices() {
		if (!this.#me) {
			this.#showLogin();
			return;
		}
		if (location.hash !== DEVICES)
			history.replaceState(null, "", DEVICES);
		this.#show("devices");
		this.#head.show(this.#me, "devices");
		this.#devices.show(this.#me);
	}

	#showRecordings() {
		if (!this.#me) {
			this.#showLogin();
			return;
		}
		if (location.hash)
			history.replaceState(null, "", location.pathname);
		this.#show("recordings");
		this.#head.show(this.#me, "recordings");
		this.#recordings.show();
	}

	#showConsole() {
		if (!this.#me) {
			this.#showLogin();
			return;
		}
		if (location.hash !== AUDIT)
			history.replaceState(null, "", AUDIT);
		this.#show("audit");
		this.#head.show(this.#me, "audit");
		this.#console.show();
	}

	#showVault() {
		if (!this.#me) {
			this.#showLogin();
			return;
		}
		this.#show("vault");
		this.#head.show(this.#me, "vault");
		this.#vault.show(this.#me, location.hash);
	}

	/**
	 * @param {import("./audit_view.js").ReportWish} wish
	 * @param {import("../core/audit.js").Choices} choices
	 * @param {string} zone
	 */
	#showReport(wish, choices, zone) {
		if (!this.#me)
			return;
		history.pushState(null, "", REPORT);
		this.#show("report");
		void this.#report.show(wish, choices, zone, this.#me.full_name || this.#me.account);
	}

	#showLive() {
		const wanted = WATCH.exec(location.hash)?.[1];
		if (!this.#me) {
			this.#showLogin();
			return;
		}
		if (location.hash !== LIVE)
			history.replaceState(null, "", LIVE);
		const from = this.#view;
		this.#show("live");
		this.#head.show(this.#me, "live");
		this.#live.show(this.#me);
		if (wanted && from !== "watch")
			void this.#openWanted(wanted);
	}

	/** @param {string} id of a session that the address names */
	async #openWanted(id) {
		try {
			const session = await this.#live.find(id);
			if (session && this.#view === "live")
				this.#watching.open(session);
		} catch {
			/* The list says what is wrong. */
		}
	}

	/** @param {import("../core/api.js").LiveInfo} session that may be looked on at */
	#showWatch(session) {
		/* Logged out meanwhile. */
		if (!this.#me)
			return;
		this.#pcName = session.pc;
		history.pushState(null, "", `${LIVE}/${session.id}`);
		this.#show("watch");
		void this.#watch.open(session);
	}

	/** @param {RecordingInfo} recording that was opened */
	#showPlayer(recording) {
		/* Logged out meanwhile. */
		if (!this.#me)
			return;
		this.#pcName = recording.pc;
		history.pushState(null, "", PLAYER);
		this.#show("player");
		this.#player.open(recording);
	}

	/** @param {import("../core/admin.js").Sheet} sheet */
	#showSheet(sheet) {
		/* Logged out meanwhile. */
		if (this.#view !== "devices")
			return;
		history.pushState(null, "", SHEET);
		this.#show("sheet");
		this.#sheet.show(sheet);
	}

	/** @param {import("./page_head.js").Page} page */
	#go(page) {
		if (page === this.#view && page !== "vault")
			return;
		history.pushState(null, "", page === "devices" ? DEVICES : page === "live" ? LIVE : page === "audit" ? AUDIT :
			page === "vault" ? "#vault" : location.pathname);
		if (page === "devices")
			this.#showDevices();
		else if (page === "live")
			this.#showLive();
		else if (page === "audit")
			this.#showConsole();
		else if (page === "recordings")
			this.#showRecordings();
		else if (page === "vault")
			this.#showVault();
		else
			this.#showMenu();
	}

	/** @param {Host} host */
	async #open(host) {
		const client = host.in_use === "me" ? "" : this.#client.value();
		if (client === null)
			return;
		let answer = null;
		if (host.needs_login && host.in_use !== "me") {
			answer = await this.#credentials.ask(host.name, { withUser: host.protocol === "rdp" });
			if (!answer)
				return;
		}
		await this.#openDesktop(host, answer, client);
	}

	/**
	 * Opens a PC with a login that is asked for even when one is kept. A PC's own log-on screen looks like
	 * any other picture, so the gateway cannot tell that the kept one is wrong.
	 * @param {Host} host
	 */
	async #openWithOther(host) {
		const client = this.#client.value();
		if (client === null)
			return;
		const live = host.in_use === "me" && host.session !== undefined;
		const answer = await this.#credentials.ask(host.name, { withUser: host.protocol === "rdp", live,
			keep: !host.needs_login });
		if (!answer || (live && !await this.#menu.end(host)))
			return;
		await this.#openDesktop(host, answer, client);
	}

	/**
	 * @param {Host} host
	 * @param {import("./credentials_dialog.js").Answer | null} answer
	 * @param {string} client
	 */
	async #openDesktop(host, answer, client) {
		this.#pcName = host.name;
		this.#show("desktop");
		await this.#desktop.open({ id: host.id, name: host.name, withUser: host.protocol === "rdp", client }, answer);
	}

	/**
	 * @param {string} id
	 * @param {string} name of the PC
	 * @param {number} monitor
	 */
	#opened(id, name, monitor) {
		/* The next one may be for somebody else. */
		this.#client.clear();
		this.#pcName = monitor > 0 ? t("second.name", { name }) : name;
		this.#showTitle();
		const address = monitor > 0 ? `#screen=${id}` : `#session=${id}`;
		if (location.hash !== address)
			history.pushState(null, "", address);
	}

	/** Back and forward in the browser's history. */
	#moved() {
		if (this.#me && this.#view === "desktop" && !ADDRESS.test(location.hash))
			this.#showMenu();
		else if (this.#me && ["menu", "devices", "sheet", "recordings", "player", "live", "watch", "audit", "report", "vault"]
			.includes(this.#view))
			this.#loggedIn(this.#me);
	}
}
