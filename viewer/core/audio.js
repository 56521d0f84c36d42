/*
 * The PC's sound: Opus packets decoded by the browser and played one after the other, a little later than they come.
 * Nothing is decoded while it is off, which it is until the person wants it: browsers demand that too.
 */

/** Of enum codec. */
const OPUS = 4;
/** docs/protocol.md §4: 48 kHz, two channels, 20 ms. */
export const RATE = 48000;
export const PACKET_FRAMES = 960;
const CHANNELS = 2;
const CONFIG = Object.freeze({ codec: "opus", sampleRate: RATE, numberOfChannels: CHANNELS });

/* How far ahead of the loudspeaker a packet is put: what the network may be late without a gap. Each gap makes it more. */
const LEAD_FRAMES = 0.08 * RATE;
const LEAD_MORE_FRAMES = 0.04 * RATE;
const LEAD_MOST_FRAMES = 0.24 * RATE;
/* More than that is old by the time it would be heard; PCs send up to 0.2 s at once. */
const AHEAD_MOST_FRAMES = 0.5 * RATE;
/* Over so many packets: what was never needed of the lead is given up, so that what piled up is caught up with. */
const WATCHED_PACKETS = 100;
const SPARE_FRAMES = 0.04 * RATE;
/* A gap in the numbers up to this is silence of that length; a longer one is a pause. */
const GAP_PACKETS = 25;
/* A decoder that does not keep up, or that cannot. */
const WAITING_MOST = 50;
const FAILURES_MOST = 3;

/**
 * off: there is sound, and it is not played; unsupported: there is, and this browser cannot play it.
 * @typedef {"none" | "unsupported" | "off" | "on"} SoundState
 */

/** @type {Promise<number> | undefined} */
let known;

/**
 * CODEC_OPUS or 0, for viewer_hello. The browser is asked once.
 * @returns {Promise<number>}
 */
export function soundCodecs() {
	known ??= (async () => {
		if (typeof AudioDecoder !== "function" || typeof EncodedAudioChunk !== "function" ||
			typeof AudioContext !== "function")
			return 0;
		try {
			return (await AudioDecoder.isConfigSupported({ ...CONFIG })).supported === true ? OPUS : 0;
		} catch {
			return 0;
		}
	})();
	return known;
}

/** Packets into a context's destination. */
export class SoundPlayer {
	#context;
	#failed;
	/** @type {AudioDecoder | null} */
	#decoder = null;
	#failures = 0;
	/* Numbers of the packets that are being decoded: a decoder need not keep their times. */
	/** @type {number[]} */
	#waiting = [];
	/* The number of the last packet that was placed, and the context's frame at which the next one begins. */
	/** @type {number | null} */
	#last = null;
	#next = 0;
	#lead = LEAD_FRAMES;
	/* Of the last packets: how many, and how far ahead the least of them was. */
	#watched = 0;
	#least = Infinity;
	#skip = 0;
	#closed = false;

	/**
	 * @param {BaseAudioContext} context of 48 kHz
	 * @param {() => void} failed this browser cannot decode it after all
	 */
	constructor(context, failed) {
		this.#context = context;
		this.#failed = failed;
	}

	/**
	 * @param {number} sequence
	 * @param {Uint8Array<ArrayBuffer>} packet
	 */
	take(sequence, packet) {
		if (this.#closed || packet.length === 0 || this.#waiting.length >= WAITING_MOST)
			return;
		try {
			this.#decoder ??= this.#make();
			this.#waiting.push(sequence);
			this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: 0, data: packet }));
		} catch {
			this.#broken();
		}
	}

	/** What is taken next does not follow what was taken before. */
	restart() {
		this.#last = null;
	}

	/** What was taken is decoded and placed. */
	async flush() {
		await this.#decoder?.flush();
	}

	close() {
		this.#closed = true;
		this.#drop();
	}

	#make() {
		const decoder = new AudioDecoder({
			output: (data) => {
				if (decoder === this.#decoder)
					this.#decoded(data);
				data.close();
			},
			error: () => {
				if (decoder === this.#decoder)
					this.#broken();
			},
		});
		decoder.configure({ ...CONFIG });
		return decoder;
	}

	#drop() {
		if (this.#decoder && this.#decoder.state !== "closed")
			this.#decoder.close();
		this.#decoder = null;
		this.#waiting = [];
	}

	/* The next packet gets a new decoder; the stream is as hostile as everything from there, so not for ever. */
	#broken() {
		this.#drop();
		if (++this.#failures >= FAILURES_MOST && !this.#closed) {
			this.close();
			this.#failed();
		}
	}

	/** @param {AudioData} data */
	#decoded(data) {
		const sequence = this.#waiting.shift();
		if (sequence === undefined || data.numberOfFrames > RATE || data.sampleRate !== RATE ||
			data.numberOfChannels !== CHANNELS) {
			this.#broken();
			return;
		}
		this.#failures = 0;
		if (this.#place(sequence))
			this.#schedule(data);
	}

	/**
	 * Decides when the packet begins.
	 * @param {number} sequence
	 * @returns {boolean} whether it is played at all
	 */
	#place(sequence) {
		const now = Math.ceil(this.#context.currentTime * RATE);
		/* Numbers wrap; what comes late or twice counts as after a pause. */
		const gap = this.#last === null ? 0 : (sequence - this.#last) >>> 0;
		this.#last = sequence;
		if (gap >= 1 && gap <= GAP_PACKETS)
			this.#next += (gap - 1) * PACKET_FRAMES;
		else
			this.#next = Math.max(this.#next, now + this.#lead);
		const ahead = this.#next - now;
		if (ahead <= 0) {
			/* It came too late: silence was heard meanwhile. */
			if (gap === 1)
				this.#lead = Math.min(this.#lead + LEAD_MORE_FRAMES, LEAD_MOST_FRAMES);
			this.#next = now + this.#lead;
			this.#watch(Infinity);
			return true;
		}
		if (ahead > AHEAD_MOST_FRAMES)
			return false;
		this.#watch(ahead);
		if (this.#skip === 0)
			return true;
		this.#skip--;
		return false;
	}

	/** @param {number} ahead frames; Infinity: begin anew */
	#watch(ahead) {
		if (ahead === Infinity) {
			this.#watched = 0;
			this.#least = Infinity;
			this.#skip = 0;
			return;
		}
		this.#least = Math.min(this.#least, ahead);
		if (++this.#watched < WATCHED_PACKETS)
			return;
		const spare = this.#least - this.#lead;
		this.#watch(Infinity);
		if (spare > SPARE_FRAMES)
			this.#skip = Math.floor(spare / PACKET_FRAMES);
	}

	/** @param {AudioData} data */
	#schedule(data) {
		const frames = data.numberOfFrames;
		const buffer = this.#context.createBuffer(CHANNELS, frames, RATE);
		for (let channel = 0; channel < CHANNELS; channel++)
			data.copyTo(buffer.getChannelData(channel), { planeIndex: channel, format: "f32-planar" });
		const source = this.#context.createBufferSource();
		source.buffer = buffer;
		source.connect(this.#context.destination);
		source.start(this.#next / RATE);
		this.#next += frames;
	}
}

/** Whether the sound of a session is there and played. */
export class Sound {
	#can;
	#changed;
	#allowed = false;
	#broken = false;
	/** @type {AudioContext | null} */
	#context = null;
	/** @type {SoundPlayer | null} */
	#player = null;
	/** @type {SoundState} */
	#state = "none";

	/**
	 * @param {boolean} can this browser decodes it
	 * @param {(state: SoundState) => void} changed
	 */
	constructor(can, changed) {
		this.#can = can;
		this.#changed = changed;
	}

	get state() {
		return this.#state;
	}

	/** @param {boolean} allowed as hello says */
	allow(allowed) {
		this.#allowed = allowed;
		if (!allowed)
			this.#stop();
		this.#tell();
	}

	/**
	 * Only in answer to a click or a key: browsers refuse it otherwise.
	 * @param {boolean} on
	 */
	async set(on) {
		this.#stop();
		if (on && this.#allowed && this.#can && !this.#broken)
			await this.#start();
		this.#tell();
	}

	/**
	 * @param {number} sequence
	 * @param {Uint8Array<ArrayBuffer>} packet
	 */
	take(sequence, packet) {
		this.#player?.take(sequence, packet);
	}

	/** What is taken next comes from elsewhere. */
	restart() {
		this.#player?.restart();
	}

	/** For good. */
	close() {
		this.#allowed = false;
		this.#stop();
	}

	async #start() {
		const context = new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
		this.#context = context;
		this.#player = new SoundPlayer(context, () => {
			this.#broken = true;
			this.#stop();
			this.#tell();
		});
		/* Another program may take the loudspeaker, or the browser. */
		context.onstatechange = () => {
			if (context === this.#context)
				this.#tell();
		};
		try {
			await context.resume();
		} catch {
			if (context === this.#context)
				this.#stop();
		}
	}

	#stop() {
		this.#player?.close();
		this.#player = null;
		const context = this.#context;
		this.#context = null;
		if (context && context.state !== "closed")
			void context.close();
	}

	#tell() {
		/** @type {SoundState} */
		const state = !this.#allowed ? "none" : !this.#can || this.#broken ? "unsupported" :
			this.#context?.state === "running" ? "on" : "off";
		if (state === this.#state)
			return;
		this.#state = state;
		this.#changed(state);
	}
}
