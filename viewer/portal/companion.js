/*
 * The two windows of one session know of each other: each holds a lock as long as it lives, so that even one that
 * crashed is noticed, and says over a channel of the browser what the other has to know.
 */

/** @typedef {"ask" | "here" | "online" | "bye"} Word */
/**
 * @typedef {object} CompanionEvents
 * @property {() => void} arrived the other window is there
 * @property {() => void} left it was closed or is loaded again
 * @property {() => void} gone it was closed
 * @property {() => void} online it shows the desktop again, so what it waited for is over
 * @property {() => void} bye it has left the desktop for good
 */
/**
 * What the browser gives.
 * @typedef {object} Means
 * @property {(name: string) => {postMessage: (word: object) => void, close: () => void,
 *   onmessage: ((event: MessageEvent) => void) | null}} channel
 * @property {Pick<LockManager, "request">} locks
 */

/* A window that is loaded again is back after this time. */
const RELOAD_MS = 4000;

/** @type {Means} */
const browser = {
	channel: (name) => new BroadcastChannel(name),
	locks: navigator.locks,
};

export class Companion {
	#name;
	#monitor;
	#events;
	#means;
	#channel;
	#abort = new AbortController();
	/** Lets our own lock go. */
	#release = () => {};
	#there = false;
	#alive = false;
	#watching = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/**
	 * @param {string} id of the session
	 * @param {number} monitor of this window, 0 or 1
	 * @param {CompanionEvents} events
	 * @param {Means} [means]
	 */
	constructor(id, monitor, events, means = browser) {
		this.#name = `sekisho.${id}`;
		this.#monitor = monitor;
		this.#events = events;
		this.#means = means;
		this.#channel = means.channel(this.#name);
		this.#channel.onmessage = ({ data }) => this.#heard(data);
		void this.#hold();
	}

	/** Whether the other window is there. */
	get there() {
		return this.#there;
	}

	/** Whether it lives at this moment: unlike there, not while it is loaded again. */
	get alive() {
		return this.#alive;
	}

	/** @param {Word} word */
	tell(word) {
		this.#channel.postMessage({ from: this.#monitor, word });
	}

	close() {
		clearTimeout(this.#timer);
		this.#abort.abort();
		this.#release();
		this.#channel.close();
	}

	async #hold() {
		const held = this.#lock(this.#monitor, () => new Promise((release) => {
			this.#release = () => release(undefined);
			/* Only now is this window seen as one that lives. */
			this.tell("here");
			this.tell("ask");
		}));
		await held;
	}

	/**
	 * @param {number} monitor
	 * @param {() => Promise<unknown>} run while the lock is held
	 */
	async #lock(monitor, run) {
		try {
			await this.#means.locks.request(`${this.#name}.${monitor}`, { signal: this.#abort.signal }, run);
		} catch (error) {
			if (!this.#abort.signal.aborted)
				throw error;
		}
	}

	/** @param {unknown} data */
	#heard(data) {
		const { from, word } = /** @type {{from: number, word: Word}} */ (data);
		if (from === this.#monitor)
			return;
		if (word === "ask") {
			this.tell("here");
		} else if (word === "bye") {
			this.#events.bye();
		} else {
			this.#seen();
			if (word === "online")
				this.#events.online();
		}
	}

	#seen() {
		clearTimeout(this.#timer);
		this.#alive = true;
		if (!this.#there) {
			this.#there = true;
			this.#events.arrived();
		}
		void this.#watch();
	}

	/* The other's lock is ours when it is gone, or is being loaded again: then it says so soon. */
	async #watch() {
		if (this.#watching)
			return;
		this.#watching = true;
		await this.#lock(1 - this.#monitor, async () => {});
		this.#watching = false;
		if (this.#abort.signal.aborted)
			return;
		this.#alive = false;
		this.#events.left();
		this.tell("ask");
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			this.#there = false;
			this.#events.gone();
		}, RELOAD_MS);
	}
}
