/*
 * The stream of one desktop (docs/protocol.md §4): WebSocket, packets, pings. Runs in the worker, where
 * timers are not slowed down when the page is in the background.
 */
import { Assembler } from "./assembler.js";
import { decode, encode, ProtocolError } from "./codec.js";

/** @typedef {import("./codec.js").Message} Message */
/** @typedef {import("./messages.js").FromViewer} FromViewer */

/**
 * @typedef {object} TransportEvents
 * @property {() => void} open
 * @property {(message: Message, arrived: number) => void} message arrived: performance.now() of its last byte
 * @property {(milliseconds: number, pcMilliseconds: number) => void} latency round trips: to the gateway, and from there
 *   to the PC, 0 while that is not known
 * @property {(code: number) => void} closed close code of the WebSocket; BROKEN when the worker broke the
 *   protocol. Called once; nothing is called after it.
 */

/** Of the messages, in viewer_hello and hello. */
export const VERSION = 3;
/* How they are packed into the WebSocket, which the edge knows too. */
const PROTOCOL = "sekisho.1";
export const BROKEN = 4002;
const LOST = 1006;

const PING_MS = 2000;
/* Nothing at all arrived for so long although we asked: the connection is dead, whatever TCP thinks. */
const SILENCE_MS = 15000;
/* The gateway must accept the stream in this time. */
const OPEN_MS = 15000;
/* Input is dropped rather than queued without end on a connection that takes nothing. */
const QUEUE_MAX = 256 * 1024;

export class Transport {
	#events;
	#meter;
	#socket;
	#assembler = new Assembler();
	#ping = { number: 0, sent: 0, answered: true };
	#heard = performance.now();
	#timer;
	#closed = false;

	/**
	 * @param {string} url
	 * @param {TransportEvents} events
	 * @param {import("./meter.js").Meter} meter
	 */
	constructor(url, events, meter) {
		this.#events = events;
		this.#meter = meter;
		this.#socket = new WebSocket(url, PROTOCOL);
		this.#socket.binaryType = "arraybuffer";
		this.#socket.onopen = () => this.#opened();
		this.#socket.onmessage = (event) => this.#received(event.data);
		this.#socket.onclose = (event) => this.#close(event.code);
		this.#timer = setInterval(() => this.#tick(), PING_MS);
	}

	/**
	 * @template {keyof FromViewer} K
	 * @param {K} name
	 * @param {FromViewer[K]} fields
	 */
	send(name, fields) {
		if (this.#socket.readyState !== WebSocket.OPEN || this.#socket.bufferedAmount >= QUEUE_MAX)
			return;
		const bytes = encode(name, fields);
		this.#socket.send(bytes);
		this.#meter.sent(bytes.length);
	}

	/** Ends it without the closed event. */
	close() {
		this.#finish();
		this.#socket.close(1000);
	}

	#opened() {
		this.#heard = performance.now();
		this.#events.open();
		this.#tick();
	}

	/** @param {unknown} data */
	#received(data) {
		if (this.#closed)
			return;
		const arrived = performance.now();
		this.#heard = arrived;
		try {
			if (!(data instanceof ArrayBuffer))
				throw new ProtocolError("a message that is not binary");
			this.#meter.received(data.byteLength);
			const bytes = this.#assembler.add(new Uint8Array(data));
			if (!bytes)
				return;
			const message = decode(bytes);
			if (message.name === "pong")
				this.#pong(message.fields, arrived);
			else
				this.#events.message(message, arrived);
		} catch (error) {
			if (!(error instanceof ProtocolError))
				throw error;
			this.fail();
		}
	}

	/** The worker broke the protocol: nothing more is read. */
	fail() {
		this.#socket.close(BROKEN);
		this.#close(BROKEN);
	}

	/**
	 * @param {import("./messages.js").ToViewer["pong"]} pong
	 * @param {number} arrived
	 */
	#pong({ number, pc_us }, arrived) {
		if (number !== this.#ping.number || this.#ping.answered)
			return;
		this.#ping.answered = true;
		this.#events.latency(arrived - this.#ping.sent, pc_us / 1000);
	}

	#tick() {
		const now = performance.now();
		const opening = this.#socket.readyState === WebSocket.CONNECTING;
		if (now - this.#heard > (opening ? OPEN_MS : SILENCE_MS)) {
			this.#socket.close();
			this.#close(LOST);
		} else if (this.#socket.readyState === WebSocket.OPEN && this.#ping.answered) {
			this.#ping = { number: (this.#ping.number + 1) >>> 0, sent: now, answered: false };
			this.send("ping", { number: this.#ping.number });
		}
	}

	#finish() {
		this.#closed = true;
		clearInterval(this.#timer);
	}

	/** @param {number} code */
	#close(code) {
		if (this.#closed)
			return;
		this.#finish();
		this.#events.closed(code);
	}
}
