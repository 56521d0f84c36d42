/*
 * One opened recording seen from the page: owns the worker thread and keeps what it told. No user interface here.
 */

/** @typedef {import("./happenings.js").Happening} Happening */
/** @typedef {import("./worker.js").FromPlayerWorker} FromPlayerWorker */
/** @typedef {import("./worker.js").ToPlayerWorker} ToPlayerWorker */

/**
 * What the whole recording is: when chunks began and how much happened in them.
 * @typedef {Pick<Extract<FromPlayerWorker, {type: "opened"}>, "info" | "starts" | "times" | "flags" | "activity">} Whole
 */

export class PlayerSession {
	#worker;
	#told;
	#closed = false;
	/** @type {Whole | null} */
	whole = null;
	/** Microseconds, as all times here. */
	duration = 0;
	position = 0;
	/* Where a jump that is under way leads. */
	/** @type {number | null} */
	#aim = null;
	/* How many jumps were asked for: one that ends says how many it has heard of. */
	#jumps = 0;
	playing = false;
	speed = 1;
	skipIdle = false;
	pointer = true;
	viewer = 0;
	/** Monitors that somebody was connected with. @type {Set<number>} */
	viewers = new Set([0]);
	/** In the order of time, with the notes. @type {Happening[]} */
	happenings = [];
	/** @type {Happening[]} */
	#recorded = [];
	/** @type {Happening[]} */
	#notes = [];
	/** Chunks that cannot be read. @type {number[]} */
	damaged = [];

	/**
	 * @param {string} url
	 * @param {HTMLCanvasElement} canvas a fresh one: its control goes to the worker
	 * @param {(message: FromPlayerWorker) => void} told after what is kept here was changed
	 */
	constructor(url, canvas, told) {
		this.#told = told;
		this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
		this.#worker.onmessage = ({ data }) => this.#fromWorker(data);
		this.#worker.onerror = () => this.#fromWorker({ type: "failed" });
		const offscreen = canvas.transferControlToOffscreen();
		this.#post({ type: "start", canvas: offscreen, url }, [offscreen]);
	}

	close() {
		this.#closed = true;
		this.#worker.terminate();
	}

	/** @param {boolean} on */
	play(on) {
		this.#post({ type: "play", on });
	}

	/** Where it is, or soon will be. */
	get target() {
		return this.#aim ?? this.position;
	}

	/** @param {number} us */
	seek(us) {
		this.#aim = Math.min(Math.max(0, us), this.duration);
		this.#post({ type: "seek", us: this.#aim, jump: ++this.#jumps });
	}

	/** @param {1 | -1} by */
	step(by) {
		this.#post({ type: "step", by });
	}

	/** @param {number} speed */
	setSpeed(speed) {
		this.speed = speed;
		this.#post({ type: "speed", speed });
	}

	/** @param {boolean} on */
	setSkipIdle(on) {
		this.skipIdle = on;
		this.#post({ type: "skip-idle", on });
	}

	/** @param {boolean} on */
	setPointer(on) {
		this.pointer = on;
		this.#post({ type: "pointer", on });
	}

	/** @param {number} viewer */
	setViewer(viewer) {
		this.viewer = viewer;
		this.#post({ type: "viewer", viewer });
	}

	/** More of what happened. @param {Happening[]} happenings */
	found(happenings) {
		this.#recorded.push(...happenings);
		this.#merge();
	}

	/** All notes there are. @param {Happening[]} notes */
	setNotes(notes) {
		this.#notes = notes;
		this.#merge();
	}

	/** @param {Extract<FromPlayerWorker, {type: "grown"}>} more */
	#grow({ starts, times, flags, activity, duration }) {
		const whole = this.whole;
		if (!whole)
			return;
		this.whole = { info: whole.info, starts: Float64Array.of(...whole.starts, ...starts), times: Float64Array.of(...whole.times, ...times),
			flags: Uint32Array.of(...whole.flags, ...flags), activity: Uint32Array.of(...whole.activity, ...activity) };
		this.duration = duration;
	}

	#merge() {
		this.happenings = [...this.#recorded, ...this.#notes].sort((a, b) => a.timeUs - b.timeUs);
	}

	/**
	 * The wall clock at a time of the recording, milliseconds since 1970: as the gateway's clock went, back and forth.
	 * @param {number} us
	 */
	wallAt(us) {
		if (!this.whole)
			return 0;
		const { starts, times } = this.whole;
		const chunk = this.chunkAt(us);
		return times[chunk] + (us - starts[chunk]) / 1000;
	}

	/**
	 * The last chunk that begins at or before a time.
	 * @param {number} us
	 */
	chunkAt(us) {
		const { starts } = /** @type {Whole} */ (this.whole);
		let [low, high] = [0, starts.length];
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (starts[middle] <= us)
				low = middle;
			else
				high = middle;
		}
		return low;
	}

	/**
	 * @param {ToPlayerWorker} message
	 * @param {Transferable[]} [transfer]
	 */
	#post(message, transfer = []) {
		this.#worker.postMessage(message, transfer);
	}

	/** @param {FromPlayerWorker} message */
	#fromWorker(message) {
		if (this.#closed)
			return;
		switch (message.type) {
		case "opened":
			this.whole = message;
			this.duration = message.duration;
			break;
		case "grown":
			this.#grow(message);
			break;
		case "duration":
			this.duration = message.us;
			break;
		case "position":
			this.position = message.us;
			break;
		case "arrived":
			/* Of several jumps the last one counts; another may be on its way to the worker. */
			if (message.jump === this.#jumps)
				this.#aim = null;
			break;
		case "playing":
			this.playing = message.on;
			break;
		case "viewer":
			this.viewers.add(message.viewer);
			break;
		case "damaged":
			this.damaged.push(message.chunk);
			break;
		case "happenings":
			for (const { name, viewer } of message.happenings)
				if (name === "viewer-joined")
					this.viewers.add(viewer);
			this.found(message.happenings);
			break;
		}
		this.#told(message);
	}
}
