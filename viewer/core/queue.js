/*
 * Frames whose pictures are being decoded, and those behind them: they are shown in the order in which they came.
 * Decoding begins when a frame arrives, so that pictures of two frames are decoded side by side.
 */
import { ProtocolError } from "./codec.js";
import { blame, VideoError } from "./h264.js";
import { JPEG } from "./pictures.js";

/** @typedef {import("./decoder.js").Decoded} Decoded */
/** @typedef {import("./decoder.js").Plan} Plan */
/** @typedef {import("./pictures.js").Picture} Picture */

/**
 * A frame that is not acknowledged yet; arrived: performance.now() of its last byte.
 * @typedef {{sequence: number, arrived: number}} Arrival
 */

/** The worker keeps fewer on their way (docs/protocol.md §4): what comes beyond is not stored. */
export const QUEUE_MAX = 8;
/* A decoder that gives nothing for so many seconds gives nothing more. Counted, not looked up on a clock: a laptop
 * that slept meanwhile gets its time all the same. */
const DEADLINE_TICKS = 5;
const TICK_MS = 1000;

class Entry {
	dropped = false;
	/** @type {Decoded[]} */
	decoded;
	left;

	/**
	 * @param {Plan} plan
	 * @param {Arrival} arrival
	 */
	constructor(plan, arrival) {
		this.plan = plan;
		this.arrival = arrival;
		this.left = plan.pictures.length;
		this.decoded = Array(this.left);
	}

	/** What was decoded is not needed any more. */
	release() {
		this.dropped = true;
		for (const one of this.decoded)
			close(one);
	}
}

/** @param {Decoded | undefined} decoded */
function close(decoded) {
	if (decoded && "close" in decoded)
		decoded.close();
}

export class FrameQueue {
	#decode;
	#show;
	#failed;
	/** @type {Entry[]} */
	#entries = [];
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {(picture: Picture) => Promise<Decoded>} decode
	 * @param {(plan: Plan, decoded: Decoded[], arrival: Arrival) => void} show called in order; may throw
	 * @param {(error: unknown) => void} failed a frame cannot be shown; the queue is to be cleared
	 */
	constructor(decode, show, failed) {
		this.#decode = decode;
		this.#show = show;
		this.#failed = failed;
	}

	get empty() {
		return this.#entries.length === 0;
	}

	get length() {
		return this.#entries.length;
	}

	/**
	 * @param {Plan} plan
	 * @param {Arrival} arrival
	 */
	add(plan, arrival) {
		if (this.#entries.length >= QUEUE_MAX)
			throw new ProtocolError("more frames than were acknowledged");
		const entry = new Entry(plan, arrival);
		this.#entries.push(entry);
		if (this.#entries.length === 1)
			this.#watch();
		for (const [index, picture] of plan.pictures.entries())
			this.#decode(picture).then((one) => this.#done(entry, index, one), (error) => this.#fault(entry, error));
	}

	/**
	 * Nothing of what waits is shown any more.
	 * @returns {Arrival[]} of what waited
	 */
	clear() {
		clearTimeout(this.#timer);
		const entries = this.#entries.splice(0);
		for (const entry of entries)
			entry.release();
		return entries.map(({ arrival }) => arrival);
	}

	/**
	 * @param {Entry} entry
	 * @param {number} index
	 * @param {Decoded} decoded
	 */
	#done(entry, index, decoded) {
		if (entry.dropped) {
			close(decoded);
			return;
		}
		entry.decoded[index] = decoded;
		entry.left--;
		while (this.#entries[0]?.left === 0)
			this.#next(this.#entries[0]);
	}

	/** @param {Entry} entry the first */
	#next(entry) {
		try {
			this.#show(entry.plan, entry.decoded, entry.arrival);
		} catch (error) {
			this.#fault(entry, error);
		}
		/* A fault has cleared the queue, or is a mistake of ours: then the next one has its turn. */
		if (this.#entries[0] !== entry)
			return;
		this.#entries.shift();
		entry.release();
		this.#watch();
	}

	/**
	 * @param {Entry} entry
	 * @param {unknown} error
	 */
	#fault(entry, error) {
		if (!entry.dropped)
			this.#failed(error);
	}

	#watch() {
		clearTimeout(this.#timer);
		const [first] = this.#entries;
		if (!first)
			return;
		let left = DEADLINE_TICKS;
		const tick = () => {
			if (--left > 0)
				this.#timer = setTimeout(tick, TICK_MS);
			else
				this.#fault(first, lateness(first));
		};
		this.#timer = setTimeout(tick, TICK_MS);
	}
}

/** @param {Entry} entry */
function lateness({ plan, decoded }) {
	const late = plan.pictures.find((_, index) => !decoded[index]);
	const what = "a picture was not decoded in time";
	return late && late.codec !== JPEG ? blame(new VideoError(what), late.codec) : new ProtocolError(what);
}
