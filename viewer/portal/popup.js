/*
 * A button that opens a small panel below it. Escape and a click elsewhere close it; in a menu the arrow keys
 * move.
 */

export class Popup {
	#button;
	#panel;
	#closed;

	/**
	 * @param {HTMLElement} button
	 * @param {HTMLElement} panel
	 * @param {() => void} closed the panel was closed without the focus going elsewhere
	 */
	constructor(button, panel, closed) {
		this.#button = button;
		this.#panel = panel;
		this.#closed = closed;
		button.addEventListener("click", () => (panel.hidden ? this.open() : this.close()));
		button.addEventListener("keydown", (event) => {
			if (event.key === "ArrowDown") {
				event.preventDefault();
				this.open();
			}
		});
		panel.addEventListener("keydown", (event) => this.#key(event));
		document.addEventListener("pointerdown", (event) => this.#outside(event), { capture: true });
		panel.addEventListener("focusout", (event) => {
			const next = event.relatedTarget;
			if (next instanceof Node && !panel.contains(next) && next !== button)
				this.#hide();
		});
	}

	#items() {
		return /** @type {HTMLElement[]} */ ([...this.#panel.querySelectorAll("button, input:checked, select")]);
	}

	open() {
		this.#panel.hidden = false;
		this.#button.setAttribute("aria-expanded", "true");
		this.#items()[0]?.focus();
	}

	close() {
		if (this.#panel.hidden)
			return;
		this.#hide();
		this.#closed();
	}

	#hide() {
		this.#panel.hidden = true;
		this.#button.setAttribute("aria-expanded", "false");
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		if (event.key === "Escape") {
			event.stopPropagation();
			this.#hide();
			this.#button.focus();
			return;
		}
		if (this.#panel.getAttribute("role") !== "menu")
			return;
		const items = this.#items();
		const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (step) {
			event.preventDefault();
			items[(at + step + items.length) % items.length].focus();
		} else if (event.key === "Home" || event.key === "End") {
			event.preventDefault();
			items[event.key === "Home" ? 0 : items.length - 1].focus();
		}
	}

	/** @param {PointerEvent} event */
	#outside(event) {
		const target = /** @type {Node} */ (event.target);
		if (!this.#panel.hidden && !this.#panel.contains(target) && !this.#button.contains(target))
			this.#hide();
	}
}
