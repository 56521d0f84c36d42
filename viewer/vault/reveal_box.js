/*
 * A number in the clear, for a minute at most: it goes when its time is over, when it is hidden, when the page is left or
 * not looked at any more, and when the login locks. It stands in this element and nowhere else.
 */
import { announce } from "../portal/dom.js";
import { t } from "../portal/i18n.js";
import { button, make, says } from "./build.js";
import { groupedNumber } from "./numbers.js";

export const SHOWN_S = 60;
/* What is between this and the minute is taken from the gateway's time; else this device's clock is wrong. */
const LEAST_S = 5;

/**
 * For how long a number may be shown.
 * @param {number} until seconds since 1970, by the gateway's clock
 * @param {number} now the same, by this device's
 */
export function shownFor(until, now) {
	const left = Math.floor(until - now);
	return left >= LEAST_S && left <= SHOWN_S ? left : SHOWN_S;
}

export class RevealBox {
	#digits = make("output", { class: "reveal-digits mono", label: "reveal.number", with: { tabindex: 0 } });
	#left = make("span", { class: "reveal-left" });
	#bar = make("progress", { class: "host-progress reveal-bar", with: { "aria-hidden": "true" } });
	#hide = button("reveal.hide", () => this.hide(), { kind: "primary", icon: "lock" });
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;
	/** @type {AbortController | undefined} */
	#watch;
	#hidden;
	element = make("div", { class: "reveal", with: { hidden: true } }, this.#digits,
		make("div", { class: "reveal-time" }, this.#bar, this.#left), this.#hide);

	/** @param {() => void} hidden is told when a number is not shown any more */
	constructor(hidden) {
		this.#hidden = hidden;
	}

	get shown() {
		return !this.element.hidden;
	}

	/**
	 * @param {string} number
	 * @param {number} seconds
	 */
	show(number, seconds) {
		this.hide();
		const end = performance.now() + seconds * 1000;
		const left = () => Math.max(0, Math.ceil((end - performance.now()) / 1000));
		this.#digits.textContent = groupedNumber(number);
		this.#bar.max = seconds;
		this.element.hidden = false;
		this.#watch = new AbortController();
		const { signal } = this.#watch;
		document.addEventListener("visibilitychange", () => this.#lookedAway(), { signal });
		addEventListener("pagehide", () => this.hide(), { signal });
		addEventListener("beforeprint", () => this.hide(), { signal });
		const tick = () => {
			if (left() === 0) {
				this.hide();
				return;
			}
			this.#bar.value = left();
			says(this.#left, () => t("reveal.left", { seconds: left() }));
		};
		this.#timer = setInterval(tick, 250);
		tick();
		this.#hide.focus();
		announce(t("reveal.shown", { seconds }));
	}

	hide() {
		clearInterval(this.#timer);
		this.#watch?.abort();
		this.#watch = undefined;
		this.#digits.textContent = "";
		if (!this.shown)
			return;
		this.element.hidden = true;
		announce(t("reveal.hidden"));
		this.#hidden();
	}

	#lookedAway() {
		if (document.visibilityState === "hidden")
			this.hide();
	}
}
