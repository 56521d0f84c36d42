/*
 * The elements of a list that is fetched again and again. What stays is not made anew or moved: that would take
 * away the focus inside.
 */

/**
 * @template Item
 * @typedef {{element: HTMLElement, update: (item: Item) => void}} KeyedRow
 */

/** @template {{id: number}} Item */
export class KeyedList {
	#place;
	#make;
	/** @type {Map<number, KeyedRow<Item>>} */
	#rows = new Map();

	/**
	 * @param {HTMLElement} place
	 * @param {() => KeyedRow<Item>} make
	 */
	constructor(place, make) {
		this.#place = place;
		this.#make = make;
	}

	/** @param {Item[]} items in the order to show them */
	update(items) {
		const wanted = new Set(items.map(({ id }) => id));
		for (const [id, row] of this.#rows) {
			if (!wanted.has(id)) {
				row.element.remove();
				this.#rows.delete(id);
			}
		}
		items.forEach((item, at) => {
			let row = this.#rows.get(item.id);
			if (!row) {
				row = this.#make();
				this.#rows.set(item.id, row);
			}
			row.update(item);
			if (this.#place.children[at] !== row.element)
				this.#place.insertBefore(row.element, this.#place.children[at] ?? null);
		});
	}
}
