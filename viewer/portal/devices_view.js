/*
 * The administrator's page: devices that wait for approval, invitations, the inventory. Fresh while it is visible.
 */
import { ApiError } from "../core/api.js";
import { AuditAlarms } from "./audit_alarms.js";
import { announce, byId, setText, showMessage } from "./dom.js";
import { DeviceDialog } from "./device_dialog.js";
import { errorText, isLoggedOut } from "./errors.js";
import { formatTime, language, onLanguage, t } from "./i18n.js";
import { Inventory } from "./inventory.js";
import { InviteDialog } from "./invite_dialog.js";
import { InviteLine } from "./invite_line.js";
import { KeyedList } from "./keyed_list.js";
import { OrderDialog } from "./order_dialog.js";
import { People } from "./people.js";
import { VaultSection } from "./vault_section.js";
import { WaitingCard } from "./waiting_card.js";

/** @typedef {import("../core/admin.js").Admin} Admin */
/** @typedef {import("../core/admin.js").Device} Device */
/** @typedef {import("../core/admin.js").Invite} Invite */
/** @typedef {import("./device_dialog.js").Deed} Deed */
/** @typedef {import("./order_dialog.js").Values} Values */
/**
 * @typedef {object} DevicesActions
 * @property {(error?: unknown) => void} loggedOut
 * @property {(sheet: import("../core/admin.js").Sheet) => void} invited
 */

const REFRESH_MS = 10000;
/* A long inventory is many requests: by itself it is fetched again only now and then. */
const LONG_MS = 60000;

export class DevicesView {
	#admin;
	#actions;
	#people = new People();
	#alarms = new AuditAlarms();
	#vault = new VaultSection(() => this.#askSeal());
	#waiting;
	#invitations;
	#over;
	#inventory;
	#order;
	#invite;
	#device;
	/** @type {Invite[]} */
	#invites = [];
	/** @type {import("../core/api.js").Me | null} */
	#me = null;
	#visible = false;
	#loaded = false;
	#known = 0;
	#refreshed = 0;
	/* Monotonic: until when the inventory that is there will do. */
	#inventoryUntil = 0;
	/* Why the page is not fresh, and why what was to be done was not. */
	/** @type {unknown} */
	#error = undefined;
	/** @type {unknown} */
	#refused = undefined;
	/** @type {() => string} */
	#message = () => "";
	/* Counts up with each refresh, so that an older answer does not overwrite a newer one. */
	#turn = 0;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {Admin} admin
	 * @param {DevicesActions} actions
	 */
	constructor(admin, actions) {
		this.#admin = admin;
		this.#actions = actions;
		this.#order = new OrderDialog(actions.loggedOut);
		this.#invite = new InviteDialog(admin, this.#people, actions);
		this.#device = new DeviceDialog(this.#people, (deed, device) => this.#ask(deed, device));
		this.#inventory = new Inventory(this.#people, (device) => this.#device.open(device));
		const withdraw = (/** @type {Invite} */ invite) => this.#askWithdraw(invite);
		this.#waiting = new KeyedList(byId("waiting"), () => new WaitingCard(this.#people, {
			approve: (invite) => this.#approve(invite),
			refuse: (invite) => this.#askRefuse(invite),
		}));
		this.#invitations = new KeyedList(byId("invitations"), () => new InviteLine(this.#people, withdraw));
		this.#over = new KeyedList(byId("invitations-over"), () => new InviteLine(this.#people, withdraw));
		byId("invite-open").addEventListener("click", () => this.#invite.open());
		byId("inventory-export").addEventListener("click", () => void this.#export());
		document.addEventListener("visibilitychange", () => {
			if (this.#visible && !document.hidden)
				void this.#refresh(true);
		});
		onLanguage(() => this.#show());
	}

	/** @param {import("../core/api.js").Me} me */
	show(me) {
		this.#me = me;
		this.#visible = true;
		this.#error = undefined;
		this.#say(() => "");
		byId("devices-main").focus({ preventScroll: true });
		void this.#refresh(true);
	}

	hide() {
		this.#visible = false;
		this.#turn++;
		clearTimeout(this.#timer);
		this.#order.close();
		this.#invite.close();
		this.#device.close();
	}

	/** Forgets everything about the office. */
	clear() {
		this.hide();
		this.#me = null;
		this.#loaded = false;
		this.#people.set([]);
		this.#alarms.set([]);
		this.#vault.set(null);
		this.#invites = [];
		this.#inventory.clear();
		this.#showInvites();
	}

	/** @param {unknown} error of something that was to be done */
	fail(error) {
		if (isLoggedOut(error)) {
			this.#actions.loggedOut(error);
			return;
		}
		this.#message = () => "";
		this.#refused = error;
		this.#show();
	}

	/** @param {() => string} message */
	#say(message) {
		this.#message = message;
		this.#refused = undefined;
		this.#show();
	}

	/** @param {boolean} whole the inventory too, however long it is */
	async #refresh(whole) {
		const turn = ++this.#turn;
		clearTimeout(this.#timer);
		try {
			const accounts = await this.#admin.accounts();
			const invites = await this.#admin.invites();
			const alarms = await this.#admin.alarms();
			const vault = await this.#vaultParts();
			if (turn !== this.#turn)
				return;
			this.#people.set(accounts);
			this.#alarms.set(alarms);
			this.#vault.set(vault);
			this.#noteNew(invites);
			this.#invites = invites;
			this.#loaded = true;
			this.#show();
			if ((whole || performance.now() >= this.#inventoryUntil) && !await this.#refreshInventory(turn))
				return;
			this.#error = undefined;
			this.#refreshed = Date.now() / 1000;
			this.#show();
		} catch (error) {
			if (turn !== this.#turn)
				return;
			if (isLoggedOut(error)) {
				this.#actions.loggedOut(error);
				return;
			}
			this.#error = error;
			this.#show();
		}
		if (this.#visible && !document.hidden)
			this.#timer = setTimeout(() => void this.#refresh(false), REFRESH_MS);
	}

	/**
	 * @param {number} turn
	 * @returns {Promise<boolean>} false: a newer refresh is under way
	 */
	async #refreshInventory(turn) {
		let pages = 0;
		const devices = await this.#admin.devices((count) => {
			pages++;
			if (turn === this.#turn)
				this.#inventory.progress(count);
		});
		if (turn !== this.#turn)
			return false;
		this.#inventoryUntil = pages > 1 ? performance.now() + LONG_MS : 0;
		this.#inventory.set(devices);
		return true;
	}

	/** A vault that is not running does not keep the rest of the page away. */
	async #vaultParts() {
		try {
			return await this.#admin.vault();
		} catch (error) {
			if (error instanceof ApiError && error.code === "unavailable")
				return null;
			throw error;
		}
	}

	#askSeal() {
		this.#order.ask({ kind: "seal", device: "", run: async () => {
			await this.#admin.sealVault();
			void this.#done(() => t("vault.closed"));
		} });
	}

	/** @param {Invite[]} invites */
	#noteNew(invites) {
		const waiting = invites.filter(({ state }) => state === "pending").length;
		if (this.#loaded && waiting > this.#known)
			announce(t("waiting.new", { n: waiting }));
		this.#known = waiting;
	}

	/**
	 * After something was done: what, and how things are now.
	 * @param {() => string} message
	 */
	async #done(message) {
		this.#say(message);
		await this.#refresh(true);
		/* What was pressed may be gone. */
		if (this.#visible && document.activeElement === document.body)
			byId("devices-main").focus({ preventScroll: true });
	}

	/** @param {Invite} invite */
	async #approve(invite) {
		try {
			await this.#admin.approve(invite.id);
			await this.#done(() => t("devices.approved", { device: invite.name }));
		} catch (error) {
			this.fail(error);
		}
	}

	/** @param {Invite} invite */
	#askRefuse(invite) {
		this.#order.ask({ kind: "refuse", device: invite.name, run: async ({ reason }) => {
			await this.#admin.refuse(invite.id, reason);
			void this.#done(() => t("devices.refused", { device: invite.name }));
		} });
	}

	/** @param {Invite} invite */
	#askWithdraw(invite) {
		this.#order.ask({ kind: "withdraw", device: invite.name, run: async () => {
			await this.#admin.withdraw(invite.id);
			void this.#done(() => t("devices.withdrawn", { device: invite.name }));
		} });
	}

	/**
	 * @param {Deed} deed
	 * @param {Device} device
	 */
	#ask(deed, device) {
		const owners = People.split(device.owners);
		const names = deed === "unshare" ? owners :
			this.#people.active.map(({ name }) => name).filter((name) => !owners.includes(name));
		this.#order.ask({
			kind: deed,
			device: device.name,
			own: device.name === this.#me?.device && owners.includes(this.#me.account),
			people: names.map((name) => ({ name, text: this.#people.text(name) })),
			run: async (values) => {
				await this.#do(deed, device, values);
				const person = this.#people.text(values.person);
				void this.#done(() => t(DONE[deed], { device: device.name, person }));
			},
		});
	}

	/**
	 * @param {Deed} deed
	 * @param {Device} device
	 * @param {Values} values
	 */
	async #do(deed, { id }, { reason, lost, disposal, person }) {
		switch (deed) {
		case "revoke":
			await this.#admin.revoke(id, reason, lost);
			break;
		case "retire":
			await this.#admin.retire(id, disposal, reason);
			break;
		case "unlock":
			await this.#admin.unlock(id);
			break;
		case "share":
			await this.#admin.share(id, person);
			break;
		case "unshare":
			await this.#admin.unshare(id, person);
			break;
		}
	}

	async #export() {
		const button = /** @type {HTMLButtonElement} */ (byId("inventory-export"));
		if (button.disabled)
			return;
		button.disabled = true;
		this.#say(() => t("inventory.exporting"));
		try {
			Inventory.save(await this.#admin.exportCsv(language()));
			this.#say(() => "");
		} catch (error) {
			this.fail(error);
		} finally {
			button.disabled = false;
		}
	}

	#show() {
		if (!this.#visible)
			return;
		byId("devices-loading").hidden = this.#loaded || this.#error !== undefined;
		byId("devices-parts").hidden = !this.#loaded;
		showMessage(byId("devices-message"), this.#message());
		showMessage(byId("devices-error"), this.#errorText());
		this.#showInvites();
		this.#inventory.show();
	}

	#errorText() {
		if (this.#refused !== undefined)
			return errorText(this.#refused);
		if (this.#error === undefined)
			return "";
		if (this.#error instanceof ApiError && this.#error.code === "locked")
			return t("menu.locked");
		if (!this.#loaded)
			return errorText(this.#error);
		return t("devices.stale", { error: errorText(this.#error), time: formatTime(this.#refreshed) });
	}

	#showInvites() {
		const waiting = this.#invites.filter(({ state }) => state === "pending");
		const open = this.#invites.filter((invite) => InviteLine.isOpen(invite));
		const over = this.#invites.filter((invite) => invite.state !== "pending" && !InviteLine.isOpen(invite));
		this.#waiting.update(waiting);
		this.#invitations.update(open);
		this.#over.update(over);
		for (const [id, list] of /** @type {[string, Invite[]][]} */ ([["waiting", waiting], ["invitations", open]])) {
			byId(id).hidden = list.length === 0;
			byId(`${id}-none`).hidden = list.length > 0;
			byId(`${id}-count`).hidden = list.length === 0;
			setText(byId(`${id}-count`), String(list.length));
		}
		byId("invitations-past").hidden = over.length === 0;
	}
}

/** @type {Record<Deed, import("./i18n.js").Key>} */
const DONE = { revoke: "devices.revoked", retire: "devices.retired", unlock: "devices.unlocked",
	share: "devices.shared", unshare: "devices.unshared" };
