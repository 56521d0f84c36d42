/*
 * One device in the inventory.
 */
import { byId, find, setText, showMessage } from "./dom.js";
import { formatDay, formatDayTime, formatDuration, t, textOf } from "./i18n.js";
import { nearness } from "./inventory_order.js";
import { People } from "./people.js";

/** @typedef {import("../core/admin.js").Device} Device */

export class DeviceRow {
	#element;
	#people;
	#manage;
	/** @type {Device | null} */
	#device = null;

	/**
	 * @param {People} people
	 * @param {(device: Device) => void} manage
	 */
	constructor(people, manage) {
		const template = /** @type {HTMLTemplateElement} */ (byId("device-row"));
		const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
		this.#people = people;
		this.#element = find(copy, "tr");
		this.#manage = /** @type {HTMLButtonElement} */ (find(copy, ".device-manage"));
		this.#manage.addEventListener("click", () => {
			if (this.#device)
				manage(this.#device);
		});
	}

	get element() {
		return this.#element;
	}

	/** @param {Device} device */
	update(device) {
		this.#device = device;
		this.#element.dataset.device = String(device.id);
		this.#element.dataset.state = device.state;
		this.#cell("name", "inventory.device", device.name);
		this.#cell("owners", "inventory.owners", People.split(device.owners)
			.map((name) => this.#people.text(name)).join("\n"));
		this.#cell("state", "inventory.state");
		setText(find(this.#element, ".state-text"), textOf("device-state.", device.state, "device-state.unknown"));
		this.#cell("key", "inventory.key");
		setText(find(this.#element, ".key-type"), device.key);
		setText(find(this.#element, ".key-place"), textOf("key-place.", device.place, "key-place.unknown"));
		this.#cell("issued", "inventory.issued", device.issued ? formatDay(device.issued) : "");
		this.#cell("until", "inventory.until");
		this.#showUntil(device);
		this.#cell("seen", "inventory.seen");
		setText(find(this.#element, ".seen-time"),
			device.seen ? formatDayTime(device.seen) : t("inventory.never"));
		setText(find(this.#element, ".seen-address"), device.address);
		setText(this.#manage, t("inventory.manage"));
		this.#manage.setAttribute("aria-label", `${t("inventory.manage")} ${device.name}`);
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

	/** @param {Device} device */
	#showUntil(device) {
		const now = Date.now() / 1000;
		const inUse = device.state !== "revoked" && device.state !== "retired";
		const near = inUse ? nearness(device.until, now) : "";
		const tag = find(this.#element, ".until-tag");
		setText(find(this.#element, ".until-date"), formatDay(device.until));
		tag.classList.toggle("tag-bad", near === "urgent" || near === "over");
		showMessage(tag, near === "" ? "" : near === "over" ? t("inventory.over") :
			t("inventory.soon", { time: formatDuration(Math.round(device.until - now)) }));
	}
}
