/*
 * Which of the views is shown, and what leads from one to the next.
 */
import { Admin } from "../core/admin.js";
import { Api } from "../core/api.js";
import { AuditCheck } from "./audit_check.js";
import { CodeView } from "./code_view.js";
import { CredentialsDialog } from "./credentials_dialog.js";
import { DesktopView } from "./desktop_view.js";
import { DevicesView } from "./devices_view.js";
import { byId } from "./dom.js";
import { isLoggedOut } from "./errors.js";
import { onLanguage, t } from "./i18n.js";
import { LeaveDialog } from "./leave_dialog.js";
import { LoginView } from "./login_view.js";
import { MenuView } from "./menu_view.js";
import { OpeningDialog } from "./opening_dialog.js";
import { PageHead } from "./page_head.js";
import { RecordingsView } from "./recordings_view.js";
import { RenewNotice } from "./renew_notice.js";
import { SheetView } from "./sheet_view.js";
import { PlayerView } from "../player/player_view.js";

/** @typedef {import("../core/api.js").Host} Host */
/** @typedef {import("../core/api.js").Me} Me */
/** @typedef {import("../core/api.js").RecordingInfo} RecordingInfo */
/** @typedef {"loading" | "login" | "code" | "menu" | "devices" | "sheet" | "desktop" | "recordings" | "player"} View */

/* The session in the page's address, so that loading the page again shows it again. */
const ADDRESS = /^#session=([0-9a-f]{32})$/;
/* A window for the second monitor of that session. */
const SECOND = /^#screen=([0-9a-f]{32})$/;
const DEVICES = "#devices";
/* The sheet cannot be shown again: its address leads to the devices. */
const SHEET = "#sheet";
/* A recording is opened for one look: its address leads to the list. */
const PLAYER = "#player";

export class App {
	#api = new Api();
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
			this.#menu).fail(error),
	});
	#renew = new RenewNotice(this.#api, (error) => this.#showLogin(error));
	#audit = new AuditCheck(this.#api);
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
	#player = new PlayerView(this.#api, {
		back: () => history.back(),
		again: (recording) => {
			this.#showRecordings();
			this.#opening.open(recording);
		},
		loggedOut: () => this.#showLogin(),
	});
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
		if (view !== "player")
			this.#player.close();
		this.#view = view;
		document.body.dataset.view = view;
		byId("view-entry").hidden = view !== "login" && view !== "code";
		byId("view-login").hidden = view !== "login";
		byId("view-code").hidden = view !== "code";
		byId("view-menu").hidden = !["menu", "devices", "recordings"].includes(view);
		byId("menu-main").hidden = view !== "menu";
		byId("devices-main").hidden = view !== "devices";
		byId("view-sheet").hidden = view !== "sheet";
		byId("recordings-main").hidden = view !== "recordings";
		byId("view-player").hidden = view !== "player";
		byId("view-desktop").hidden = view !== "desktop";
		this.#showTitle();
	}

	#showTitle() {
		const app = t("app.name");
		/** @type {Record<View, string>} */
		const titles = { loading: "", login: t("login.title"), code: t("code.title"), menu: t("menu.title"),
			devices: t("devices.title"), sheet: t("invite.title"), desktop: this.#pcName,
			recordings: t("recordings.title"), player: t("player.title", { name: this.#pcName }) };
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
		this.#devices.clear();
		this.#recordings.clear();
		this.#opening.close();
		this.#renew.clear();
		this.#audit.clear();
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
		if (!this.#me)
			void this.#audit.run();
		this.#me = me;
		this.#code.forget();
		this.#login.setOffice(me.office);
		if (me.role === "auditor") {
			this.#showRecordings();
			return;
		}
		const second = SECOND.exec(location.hash);
		const match = second ?? ADDRESS.exec(location.hash);
		if (match) {
			this.#show("desktop");
			void this.#desktop.resume(match[1], second ? 1 : 0);
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
		if (page === this.#view)
			return;
		history.pushState(null, "", page === "devices" ? DEVICES : location.pathname);
		if (page === "devices")
			this.#showDevices();
		else
			this.#showMenu();
	}

	/** @param {Host} host */
	async #open(host) {
		let answer = null;
		if (host.needs_login && host.in_use !== "me") {
			answer = await this.#credentials.ask(host.name, { withUser: host.protocol === "rdp" });
			if (!answer)
				return;
		}
		await this.#openDesktop(host, answer);
	}

	/**
	 * Opens a PC with a login that is asked for even when one is kept. A PC's own log-on screen looks like
	 * any other picture, so the gateway cannot tell that the kept one is wrong.
	 * @param {Host} host
	 */
	async #openWithOther(host) {
		const live = host.in_use === "me" && host.session !== undefined;
		const answer = await this.#credentials.ask(host.name, { withUser: host.protocol === "rdp", live,
			keep: !host.needs_login });
		if (!answer || (live && !await this.#menu.end(host)))
			return;
		await this.#openDesktop(host, answer);
	}

	/**
	 * @param {Host} host
	 * @param {import("./credentials_dialog.js").Answer | null} answer
	 */
	async #openDesktop(host, answer) {
		this.#pcName = host.name;
		this.#show("desktop");
		await this.#desktop.open({ id: host.id, name: host.name, withUser: host.protocol === "rdp" }, answer);
	}

	/**
	 * @param {string} id
	 * @param {string} name of the PC
	 * @param {number} monitor
	 */
	#opened(id, name, monitor) {
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
		else if (this.#me && ["menu", "devices", "sheet", "recordings", "player"].includes(this.#view))
			this.#loggedIn(this.#me);
	}
}
