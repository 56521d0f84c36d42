/*
 * The time line: how much happened when, marks, an axis with the wall clock, and the place that is shown. It can be
 * pressed and dragged; for the keyboard and screen readers it is a slider.
 */
import { byId, setText } from "../portal/dom.js";
import { t } from "../portal/i18n.js";
import { detailOf, titleOf, weightOf } from "./happening_texts.js";
import { clockText, elapsedText, tickText, ticks } from "./times.js";

/** @typedef {import("./happenings.js").Happening} Happening */
/** @typedef {import("./session.js").PlayerSession} PlayerSession */

/* CSS pixels. */
const BAR = 3;
const TICK_ROOM = 90;
/* Marks nearer than this become one. */
const MARK_ROOM = 20;
const SECOND_US = 1000000;

/**
 * How much happened in each of so many equal parts, 0 to 1: as the logarithm, because a film has a thousand times the
 * bytes of somebody who types.
 * @param {PlayerSession} session
 * @param {number} count
 */
export function activityOf(session, count) {
	const sums = new Float64Array(count);
	if (!session.whole || session.duration <= 0)
		return sums;
	const { starts, activity } = session.whole;
	for (let chunk = 0; chunk < starts.length; chunk++)
		sums[Math.min(count - 1, Math.floor(starts[chunk] / session.duration * count))] += activity[chunk];
	const most = Math.log1p(Math.max(1, ...sums));
	return sums.map((sum) => (sum > 0 ? 0.12 + 0.88 * Math.log1p(sum) / most : 0));
}

/**
 * Marks that lie close to one another become one.
 * @param {Happening[]} happenings in the order of time
 * @param {number} usPerMark
 * @returns {Happening[][]}
 */
export function clusters(happenings, usPerMark) {
	/** @type {Happening[][]} */
	const found = [];
	for (const happening of happenings) {
		const last = found.at(-1);
		if (last && happening.timeUs - last[0].timeUs < usPerMark)
			last.push(happening);
		else
			found.push([happening]);
	}
	return found;
}

const WEIGHTS = ["plain", "good", "note", "warn", "bad"];

export class TimeLine {
	#line = byId("player-line");
	#strip = /** @type {HTMLCanvasElement} */ (byId("player-strip"));
	#axis = byId("player-axis");
	#marks = byId("player-marks");
	#hint = byId("player-hint");
	#part = byId("player-part");
	#seek;
	/** @type {PlayerSession | null} */
	#session = null;
	#dragging = false;
	#width = 0;

	/** @param {(us: number) => void} seek */
	constructor(seek) {
		this.#seek = seek;
		const line = this.#line;
		line.addEventListener("pointerdown", (event) => this.#pressed(event));
		line.addEventListener("pointermove", (event) => this.#moved(event));
		for (const end of ["pointerup", "pointercancel"])
			line.addEventListener(end, () => (this.#dragging = false));
		line.addEventListener("pointerleave", () => (this.#hint.hidden = true));
		new ResizeObserver(() => this.draw()).observe(line);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
	}

	/** @param {PlayerSession | null} session */
	set(session) {
		this.#session = session;
		this.#hint.hidden = true;
		this.draw();
	}

	/**
	 * The part that is marked for an export.
	 * @param {import("./export_part.js").ExportPart} part
	 */
	showPart(part) {
		const duration = this.#session?.duration ?? 0;
		this.#part.hidden = !part.marked || duration <= 0;
		this.#part.style.setProperty("--place", String((part.from ?? 0) / duration));
		this.#part.style.setProperty("--length", String(((part.to ?? duration) - (part.from ?? 0)) / duration));
	}

	/** All but the place. */
	draw() {
		this.#width = this.#line.clientWidth;
		this.#drawStrip();
		this.#drawAxis();
		this.drawMarks();
		this.follow();
	}

	/** The place that is shown. */
	follow() {
		const session = this.#session;
		const part = session && session.duration > 0 ? session.position / session.duration : 0;
		this.#line.style.setProperty("--at", String(Math.min(1, part)));
		if (!session?.whole)
			return;
		this.#line.setAttribute("aria-valuemax", String(Math.round(session.duration / SECOND_US)));
		this.#line.setAttribute("aria-valuenow", String(Math.round(session.position / SECOND_US)));
		this.#line.setAttribute("aria-valuetext", t("player.at", { clock: clockText(session.wallAt(session.position)),
			elapsed: elapsedText(session.position, session.duration), all: elapsedText(session.duration, session.duration) }));
	}

	drawMarks() {
		const session = this.#session;
		if (!session?.whole || this.#width === 0) {
			this.#marks.replaceChildren();
			return;
		}
		const room = session.duration * MARK_ROOM / this.#width;
		/* What somebody noted must not vanish among what happened. */
		const notes = session.happenings.filter((one) => weightOf(one) === "note");
		const others = session.happenings.filter((one) => weightOf(one) !== "note");
		this.#marks.replaceChildren(...clusters(others, room).map((cluster) => this.#mark(cluster, session)),
			...clusters(notes, room).map((cluster) => this.#mark(cluster, session)),
			...session.damaged.map((chunk) => this.#damage(chunk, session)));
	}

	/**
	 * @param {Happening[]} cluster
	 * @param {PlayerSession} session
	 */
	#mark(cluster, session) {
		const [first] = cluster;
		const mark = document.createElement("button");
		mark.type = "button";
		mark.className = "mark";
		/* The list has them all for the keyboard. */
		mark.tabIndex = -1;
		mark.dataset.weight = cluster.map(weightOf).sort((a, b) => WEIGHTS.indexOf(b) - WEIGHTS.indexOf(a))[0];
		mark.style.setProperty("--place", String(first.timeUs / session.duration));
		const title = cluster.slice(0, 6).map((one) => [clockText(session.wallAt(one.timeUs)), titleOf(one), detailOf(one)]
			.filter(Boolean).join("  ")).join("\n");
		mark.title = cluster.length > 6 ? `${title}\n…` : title;
		mark.setAttribute("aria-label", title);
		if (cluster.length > 1)
			mark.textContent = cluster.length > 99 ? "99+" : String(cluster.length);
		mark.addEventListener("pointerdown", (event) => event.stopPropagation());
		mark.addEventListener("click", () => this.#seek(Math.max(0, first.timeUs - SECOND_US)));
		return mark;
	}

	/**
	 * @param {number} chunk
	 * @param {PlayerSession} session
	 */
	#damage(chunk, session) {
		const { starts } = /** @type {import("./session.js").Whole} */ (session.whole);
		const end = starts[chunk + 1] ?? session.duration;
		const place = document.createElement("span");
		place.className = "damage";
		place.style.setProperty("--place", String(starts[chunk] / session.duration));
		place.style.setProperty("--length", String((end - starts[chunk]) / session.duration));
		return place;
	}

	#drawStrip() {
		const canvas = this.#strip;
		const ratio = devicePixelRatio;
		canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
		canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
		const context = canvas.getContext("2d");
		const session = this.#session;
		if (!context || !session?.whole)
			return;
		const bar = BAR * ratio;
		const bars = activityOf(session, Math.max(1, Math.floor(canvas.width / bar)));
		context.fillStyle = getComputedStyle(canvas).color;
		for (const [index, height] of bars.entries())
			if (height > 0)
				context.fillRect(index * bar, canvas.height * (1 - height), bar - ratio, canvas.height * height);
	}

	#drawAxis() {
		const session = this.#session;
		if (!session?.whole) {
			this.#axis.replaceChildren();
			return;
		}
		const most = Math.max(2, Math.floor(this.#width / TICK_ROOM));
		this.#axis.replaceChildren(...ticks(session.wallAt(0), session.duration, most).map(({ us, seconds }) => {
			const tick = document.createElement("span");
			tick.className = "tick";
			tick.style.setProperty("--place", String(us / session.duration));
			tick.textContent = tickText(session.wallAt(us), seconds);
			return tick;
		}));
	}

	/** @param {PointerEvent} event */
	#timeAt(event) {
		const { left, width } = this.#line.getBoundingClientRect();
		return Math.min(1, Math.max(0, (event.clientX - left) / width)) * (this.#session?.duration ?? 0);
	}

	/** @param {PointerEvent} event */
	#pressed(event) {
		if (event.button !== 0 || !this.#session?.whole)
			return;
		this.#dragging = true;
		this.#line.setPointerCapture(event.pointerId);
		this.#seek(this.#timeAt(event));
	}

	/** @param {PointerEvent} event */
	#moved(event) {
		const session = this.#session;
		if (!session?.whole)
			return;
		const us = this.#timeAt(event);
		this.#hint.hidden = false;
		this.#hint.style.setProperty("--place", String(us / session.duration));
		setText(this.#hint, `${clockText(session.wallAt(us))}  ·  ${elapsedText(us, session.duration)}`);
		if (this.#dragging)
			this.#seek(us);
	}
}
