/*
 * The inventory of devices: searched, sorted, saved as CSV.
 */
import { byId, find, setText } from "./dom.js";
import { DeviceRow } from "./device_row.js";
import { formatDay, language, t, textOf } from "./i18n.js";
import { fits, sorted } from "./inventory_order.js";
import { KeyedList } from "./keyed_list.js";
import { saveFile } from "./save_file.js";
import { officeZone, stampIn } from "./zone.js";

/** @typedef {import("../core/admin.js").Device} Device */
/** @typedef {import("./inventory_order.js").Column} Column */

/* A browser takes seconds for a table of thousands of rows: the rest is a press away, or a search. */
const ROWS = 200;

/** @param {HTMLElement} head */
function columnOf(head) {
	return /** @type {Column} */ (head.dataset.sort);
}

export class Inventory {
	#people;
	#search = /** @type {HTMLInputElement} */ (byId("inventory-search"));
	#withRetired = /** @type {HTMLInputElement} */ (byId("inventory-retired"));
	#sort = /** @type {HTMLSelectElement} */ (byId("inventory-sort"));
	#rows;
	/** @type {Device[]} */
	#devices = [];
	/* While the first list is on its way: how much of it is there. */
	/** @type {number | undefined} */
	#loading = 0;
	#limit = ROWS;
	/** @type {import("./inventory_order.js").Order} */
	#order = { column: "name", down: false };

	/**
	 * @param {import("./people.js").People} people
	 * @param {(device: Device) => void} manage
	 */
	constructor(people, manage) {
		this.#people = people;
		this.#rows = new KeyedList(byId("inventory-rows"), () => new DeviceRow(people, manage));
		this.#search.addEventListener("input", () => this.#showAnew());
		this.#withRetired.addEventListener("change", () => this.#showAnew());
		for (const head of this.#heads())
			find(head, "button").addEventListener("click", () => this.#sortBy(columnOf(head)));
		this.#sort.addEventListener("change", () => this.#sortBy(/** @type {Column} */ (this.#sort.value)));
		byId("inventory-direction").addEventListener("click", () => this.#sortBy(this.#order.column));
		byId("inventory-more").addEventListener("click", () => {
			this.#limit += ROWS;
			this.show();
		});
	}

	#heads() {
		return /** @type {HTMLElement[]} */ ([...byId("inventory").querySelectorAll("th[data-sort]")]);
	}

	/** @param {Column} column */
	#sortBy(column) {
		this.#order = { column, down: this.#order.column === column && !this.#order.down };
		this.#showAnew();
	}

	/** From the top: other rows may be the first now. */
	#showAnew() {
		this.#limit = ROWS;
		this.show();
	}

	/** @param {Device[]} devices all of them */
	set(devices) {
		this.#devices = devices;
		this.#loading = undefined;
		this.show();
	}

	/**
	 * The first list comes in pages; nothing is shown before the last, because the first of a part are not the first.
	 * @param {number} count that are there
	 */
	progress(count) {
		if (this.#loading === undefined)
			return;
		this.#loading = count;
		this.#showCount(0, 0);
	}

	/** Forgets all, and what was searched for. */
	clear() {
		this.#search.value = "";
		this.#withRetired.checked = false;
		this.#limit = ROWS;
		this.set([]);
		this.#loading = 0;
	}

	/** Shows it as it is now, in the language of now. */
	show() {
		const kept = this.#devices.filter((device) => this.#withRetired.checked || device.state !== "retired");
		const shown = kept.filter((device) => fits(this.#textsOf(device), this.#search.value));
		this.#rows.update(sorted(shown, this.#order, language()).slice(0, this.#limit));
		this.#showOrder();
		this.#showCount(shown.length, Math.min(shown.length, this.#limit));
		byId("inventory").hidden = shown.length === 0;
		byId("inventory-sorting").hidden = shown.length === 0;
		byId("inventory-none").hidden = shown.length > 0 || this.#loading !== undefined;
		byId("inventory-more").hidden = shown.length <= this.#limit;
	}

	#showOrder() {
		const { column, down } = this.#order;
		for (const head of this.#heads()) {
			if (columnOf(head) === column)
				head.setAttribute("aria-sort", down ? "descending" : "ascending");
			else
				head.removeAttribute("aria-sort");
		}
		this.#sort.value = column;
		byId("inventory-direction").classList.toggle("up", !down);
		byId("inventory-direction").setAttribute("aria-label", t(down ? "inventory.descending" : "inventory.ascending"));
	}

	/**
	 * @param {number} fitting
	 * @param {number} rows how many of them are in the table
	 */
	#showCount(fitting, rows) {
		const all = this.#devices.length;
		setText(byId("inventory-count"), this.#loading !== undefined ? t("inventory.loading", { n: this.#loading }) :
			rows < fitting ? t("inventory.count-first", { rows, shown: fitting, all }) :
				t("inventory.count", { shown: fitting, all }));
	}

	/** @param {Device} device */
	#textsOf(device) {
		return [device.name, device.key, device.address, device.serial, device.remark, formatDay(device.until),
			...device.owners.split(", ").map((name) => this.#people.text(name)),
			textOf("device-state.", device.state, "device-state.unknown"),
			textOf("key-place.", device.place, "key-place.unknown")];
	}

	/** @param {string[]} parts of the file */
	static save(parts) {
		const day = stampIn(Date.now(), officeZone()).slice(0, 10);
		saveFile(`devices-${day}.csv`, new Blob(parts, { type: "text/csv;charset=utf-8" }));
	}
}
