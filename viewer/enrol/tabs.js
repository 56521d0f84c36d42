/*
 * Tabs by the pattern of the ARIA Authoring Practices: arrow keys move, one tab is in the tab order.
 */
import { byId } from "./portal/dom.js";

export class Tabs {
	#tabs;
	#changed;

	/**
	 * @param {string[]} ids of the tabs, which name their panels in aria-controls
	 * @param {(id: string) => void} changed
	 */
	constructor(ids, changed) {
		this.#tabs = ids.map((id) => byId(id));
		this.#changed = changed;
		for (const tab of this.#tabs) {
			tab.addEventListener("click", () => this.choose(tab.id));
			tab.addEventListener("keydown", (event) => this.#key(event));
		}
	}

	/** @param {string} id */
	choose(id) {
		for (const tab of this.#tabs) {
			const chosen = tab.id === id;
			tab.setAttribute("aria-selected", String(chosen));
			tab.tabIndex = chosen ? 0 : -1;
			byId(/** @type {string} */ (tab.getAttribute("aria-controls"))).hidden = !chosen;
		}
		this.#changed(id);
	}

	/** @param {KeyboardEvent} event */
	#key(event) {
		const at = this.#tabs.indexOf(/** @type {HTMLElement} */ (event.currentTarget));
		const last = this.#tabs.length - 1;
		const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0,
			End: last }[event.key];
		if (to === undefined)
			return;
		event.preventDefault();
		this.choose(this.#tabs[to].id);
		this.#tabs[to].focus();
	}
}
