/*
 * The inventory of devices: searched, sorted, saved as CSV.
 */
import { byId, find, setText } from "./dom.js";
import { DeviceRow } from "./device_row.js";
import { formatDay, language, t, textOf } from "./i18n.js";
import { fits, sorted } from "./inventory_order.js";
import { KeyedList } from "./keyed_list.js";
import { saveFile } from "./save_file.js";

/** @typedef {import("../core/admin.js").Device} Device */
/** @typedef {import("./inventory_order.js").Column} Column */

export class Inventory {
	#people;
	#search = /** @type {HTMLInputElement} */ (byId("inventory-search"));
	#withRetired = /** @type {HTMLInputElement} */ (byId("inventory-retired"));
	#rows;
	/** @type {Device[]} */
	#devices = [];
	/** @type {import("./inventory_order.js").Order} */
	#order = { column: "name", down: false };

	/**
	 * @param {import("./people.js").People} people
	 * @param {(device: Device) => void} manage
	 */
	constructor(people, manage) {
		this.#people = people;
		this.#rows = new KeyedList(byId("inventory-rows"), () => new DeviceRow(people, manage));
		this.#search.addEventListener("input", () => this.show());
		this.#withRetired.addEventListener("change", () => this.show());
		for (const head of this.#heads())
			find(head, "button").addEventListener("click", () => this.#sortBy(head));
	}

	#heads() {
		return /** @type {HTMLElement[]} */ ([...byId("inventory").querySelectorAll("th[data-sort]")]);
	}

	/** @param {HTMLElement} head */
	#sortBy(head) {
		const column = /** @type {Column} */ (head.dataset.sort);
		this.#order = { column, down: this.#order.column === column && !this.#order.down };
		this.show();
	}

	/** @param {Device[]} devices */
	set(devices) {
		this.#devices = devices;
		this.show();
	}

	/** Forgets all, and what was searched for. */
	clear() {
		this.#search.value = "";
		this.#withRetired.checked = false;
		this.set([]);
	}

	/** Shows it as it is now, in the language of now. */
	show() {
		const kept = this.#devices.filter((device) => this.#withRetired.checked || device.state !== "retired");
		const shown = kept.filter((device) => fits(this.#textsOf(device), this.#search.value));
		this.#rows.update(sorted(shown, this.#order, language()));
		for (const head of this.#heads()) {
			if (head.dataset.sort === this.#order.column)
				head.setAttribute("aria-sort", this.#order.down ? "descending" : "ascending");
			else
				head.removeAttribute("aria-sort");
		}
		setText(byId("inventory-count"), t("inventory.count", { shown: shown.length, all: this.#devices.length }));
		byId("inventory").hidden = shown.length === 0;
		byId("inventory-none").hidden = shown.length > 0;
	}

	/** @param {Device} device */
	#textsOf(device) {
		return [device.name, device.key, device.address, device.serial, device.remark, formatDay(device.until),
			...device.owners.split(", ").map((name) => this.#people.text(name)),
			textOf("device-state.", device.state, "device-state.unknown"),
			textOf("key-place.", device.place, "key-place.unknown")];
	}

	/** @param {string} csv */
	static save(csv) {
		const now = new Date();
		const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
			.map((part) => String(part).padStart(2, "0")).join("-");
		saveFile(`devices-${day}.csv`, new Blob([csv], { type: "text/csv;charset=utf-8" }));
	}
}
