/*
 * How fast the way to the PC is: a small indicator in the tool bar, and a panel with all figures that it opens. Only
 * the indicator is kept up to date while the panel is closed.
 */
import { byId, setText } from "./dom.js";
import { language, onLanguage, t } from "./i18n.js";
import { Sparkline } from "./sparkline.js";

/** @typedef {import("../core/meter.js").Figures} Figures */
/** @typedef {import("../core/viewport.js").Layout} Layout */
/** @typedef {"good" | "fair" | "bad"} Quality */

const LATENCIES = 3;
const GOOD_MS = 80;
const BAD_MS = 200;
const VERDICTS = Object.freeze(/** @type {const} */ ({ good: "figures.good", fair: "figures.fair", bad: "figures.bad" }));
const CAUSES = Object.freeze(/** @type {const} */ ({ gateway: "figures.slow-gateway", pc: "figures.slow-pc" }));
/* What is said of a picture that came in several ways: the first of these. */
const WAYS = Object.freeze(/** @type {const} */ ([["avc420", "figures.avc420"], ["h264", "figures.h264"],
	["jpeg", "figures.jpeg"]]));
/* A leg that takes this part of the time is the one to look at. */
const MAIN_PART = 0.6;
/* How much of a new value a shown one takes over. */
const SMOOTH = 0.35;

/**
 * @param {number} milliseconds both ways together
 * @returns {Quality}
 */
export function qualityOf(milliseconds) {
	return milliseconds <= GOOD_MS ? "good" : milliseconds <= BAD_MS ? "fair" : "bad";
}

/**
 * The leg that a delay comes from, when it is one of them.
 * @param {number} gateway milliseconds
 * @param {number} pc milliseconds, 0 when not known
 * @returns {"gateway" | "pc" | ""}
 */
export function slowLeg(gateway, pc) {
	if (pc === 0 || qualityOf(gateway + pc) === "good")
		return "";
	const part = gateway / (gateway + pc);
	return part >= MAIN_PART ? "gateway" : part <= 1 - MAIN_PART ? "pc" : "";
}

/** @param {number} bytes in a second */
export function rateText(bytes) {
	const kilobits = (bytes * 8) / 1000;
	const format = (/** @type {number} */ value, /** @type {number} */ digits) =>
		new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
	return kilobits < 1000 ? `${format(kilobits, 0)} kbps` : `${format(kilobits / 1000, kilobits < 10000 ? 1 : 0)} Mbps`;
}

export class FiguresPanel {
	#button = byId("tool-figures");
	#panel = byId("figures");
	#watch;
	#back;
	#history = new Sparkline(byId("figures-in-line"));
	/** @type {{gateway: number, pc: number}[]} */
	#latencies = [];
	/** @type {{in: number, out: number, rate: number, frame: number} | null} */
	#smooth = null;
	/** @type {string[]} */
	#codecs = [];
	/** @type {Layout | null} */
	#layout = null;

	/**
	 * @param {(on: boolean) => void} watch the figures are looked at
	 * @param {() => void} back the desktop gets the keyboard again
	 */
	constructor(watch, back) {
		this.#watch = watch;
		this.#back = back;
		this.#button.addEventListener("click", () => (this.on ? this.close() : this.open()));
		byId("figures-close").addEventListener("click", () => {
			this.close();
			this.#back();
		});
		this.#panel.addEventListener("keydown", (event) => {
			if (event.key !== "Escape")
				return;
			this.close();
			this.#button.focus();
		});
		onLanguage(() => this.#show());
	}

	get on() {
		return !this.#panel.hidden;
	}

	open() {
		this.#set(true);
		this.#show();
	}

	close() {
		if (this.on)
			this.#set(false);
	}

	/** Forgets what was measured: another connection. */
	clear() {
		this.#latencies = [];
		this.#forget();
		this.#layout = null;
		this.#show();
	}

	/**
	 * @param {number} gateway milliseconds
	 * @param {number} pc milliseconds, 0 when not known
	 */
	setLatency(gateway, pc) {
		this.#latencies = [...this.#latencies, { gateway, pc }].slice(-LATENCIES);
		this.#show();
	}

	/** The connection is lost: nothing is measured any more. */
	setOffline() {
		this.#latencies = [];
		this.#forget();
		this.#show();
	}

	/** @param {Figures} figures */
	setFigures({ seconds, bytesIn, bytesOut, frames, frameMs, codecs }) {
		if (!this.on)
			return;
		const now = { in: bytesIn / seconds, out: bytesOut / seconds, rate: frames / seconds, frame: frameMs };
		const old = this.#smooth;
		const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * SMOOTH;
		this.#smooth = old === null ? now : { in: mix(old.in, now.in), out: mix(old.out, now.out),
			rate: now.rate === 0 ? 0 : mix(old.rate, now.rate),
			/* Without a frame there is nothing new to say about how long one takes. */
			frame: now.frame === 0 ? old.frame : old.frame === 0 ? now.frame : mix(old.frame, now.frame) };
		this.#history.add(now.in);
		if (codecs.length > 0)
			this.#codecs = codecs;
		this.#show();
	}

	/** @param {Layout} layout */
	setLayout(layout) {
		this.#layout = layout;
		this.#show();
	}

	#forget() {
		this.#smooth = null;
		this.#codecs = [];
		this.#history.clear();
	}

	/** @param {boolean} on */
	#set(on) {
		this.#panel.hidden = !on;
		this.#button.setAttribute("aria-expanded", String(on));
		this.#forget();
		this.#watch(on);
	}

	/* The smallest of the last few: one that waited behind a large picture says nothing about the way. */
	#legs() {
		const known = this.#latencies.filter(({ pc }) => pc > 0).map(({ pc }) => pc);
		/* Whole milliseconds, so that the sum is what a person adds up. */
		const least = (/** @type {number[]} */ values) => Math.max(1, Math.round(Math.min(...values)));
		return this.#latencies.length === 0 ? null : {
			gateway: least(this.#latencies.map(({ gateway }) => gateway)),
			pc: known.length > 0 ? least(known) : 0,
		};
	}

	#show() {
		const legs = this.#legs();
		const sum = legs ? legs.gateway + legs.pc : 0;
		const quality = legs ? qualityOf(sum) : "none";
		const text = legs ? t("state.latency", { ms: milliseconds(sum) }) : "";
		byId("tool-latency").dataset.quality = quality;
		setText(byId("tool-latency-text"), text);
		this.#button.title = legs ? t(VERDICTS[qualityOf(sum)]) : t("figures.measuring");
		if (this.on)
			this.#showPanel(legs, sum);
	}

	/**
	 * @param {{gateway: number, pc: number} | null} legs
	 * @param {number} sum
	 */
	#showPanel(legs, sum) {
		const quality = legs ? qualityOf(sum) : "none";
		const unknown = t("figures.unknown");
		const ms = (/** @type {number | undefined} */ value) => (value ? t("state.latency", { ms: milliseconds(value) }) : unknown);
		const slow = legs ? slowLeg(legs.gateway, legs.pc) : "";
		const verdict = byId("figures-verdict");
		verdict.dataset.quality = quality;
		verdict.querySelector("use")?.setAttribute("href", quality === "good" ? "#i-check" : quality === "none" ? "#i-wait" : "#i-alert");
		setText(byId("figures-verdict-text"), legs ? t(VERDICTS[qualityOf(sum)]) + (slow ? t(CAUSES[slow]) : "") :
			t("figures.measuring"));
		setText(byId("figures-gateway"), ms(legs?.gateway));
		setText(byId("figures-pc"), ms(legs?.pc));
		setText(byId("figures-sum"), legs?.pc ? ms(sum) : unknown);
		this.#showTraffic();
		this.#showPicture();
	}

	#showTraffic() {
		const now = this.#smooth;
		const unknown = t("figures.unknown");
		setText(byId("figures-in"), now ? rateText(now.in) : unknown);
		setText(byId("figures-out"), now ? rateText(now.out) : unknown);
		setText(byId("figures-most"), now ? t("figures.most", { rate: rateText(this.#history.most) }) : "");
		setText(byId("figures-rate"), !now ? unknown : now.rate === 0 ? t("figures.still") :
			t("figures.per-second", { n: Math.max(1, Math.round(now.rate)) }));
		setText(byId("figures-frame"), now && now.frame > 0 ? t("state.latency", { ms: milliseconds(now.frame) }) : unknown);
		setText(byId("figures-codec"), this.#codecs.length > 0 ? this.#codecText() : unknown);
	}

	#codecText() {
		const [, text] = WAYS.find(([codec]) => this.#codecs.includes(codec)) ?? [];
		return t(text ?? "figures.lossless");
	}

	#showPicture() {
		const layout = this.#layout;
		const unknown = t("figures.unknown");
		setText(byId("figures-size"), layout ? `${layout.desktop.width} × ${layout.desktop.height}` : unknown);
		setText(byId("figures-scale"), layout ? scaleText(layout.scale) : unknown);
	}
}

/** @param {number} scale */
export function scaleText(scale) {
	return scale === 1 ? t("figures.exact") : t("figures.smaller", { percent: Math.min(99, Math.round(scale * 100)) });
}

/** @param {number} value */
function milliseconds(value) {
	return value < 1 ? "<1" : String(Math.round(value));
}
