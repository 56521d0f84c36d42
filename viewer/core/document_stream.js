/*
 * A document on its way into the vault or out of it (docs/protocol.md, "Transfer of a document").
 */
import { BROKEN } from "./transport.js";
import { decoderOf, encodeAs } from "./codec.js";
import { DOCUMENT_END, FROM_PAGE, TO_PAGE } from "./messages.js";

/** @typedef {import("./messages.js").ToPage} ToPage */
/** @typedef {import("./messages.js").FromPage} FromPage */
/** @typedef {{[K in keyof ToPage]: {name: K, fields: ToPage[K]}}[keyof ToPage]} Said */
/** @typedef {{moved: (bytes: number) => void, signal: AbortSignal}} Watch moved: how many bytes are over; signal: give up */

/** @typedef {{over: boolean, fail: (code: string) => void, send: <K extends keyof FromPage>(name: K, fields: FromPage[K]) => void}} Line one end of a stream; over: nothing more is to be sent */

const PROTOCOL = "sekisho.1";
/* Of a document in a message; of all that may be under way. */
const PIECE = 60000;
const WINDOW = 1024 * 1024;
/* Of a document in memory; its sum is made of theirs. */
const PART = 256 * 1024;
/** How often is said what was taken. */
export const TAKEN_EVERY = 256 * 1024;
/* Beside the bytes of a message. */
const AROUND = 64;
/** The most bytes that a document may have. */
export const DOCUMENT_MAX = 100 * 1024 * 1024;

/** It did not go over whole: code is of enum document_end, or "lost", "broken", "cancelled", "unread". */
export class DocumentError extends Error {
	/** @param {string} code */
	constructor(code) {
		super(code);
		this.name = "DocumentError";
		this.code = code;
	}
}

const decode = decoderOf(/** @type {Record<keyof ToPage, import("./codec.js").MessageType>} */ (TO_PAGE));

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function same(a, b) {
	return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** The sum of a document, of which nobody has to hold more than a part. */
class Sum {
	/** @type {Promise<ArrayBuffer>[]} */
	#parts = [];

	/** @param {Uint8Array<ArrayBuffer>} part PART bytes, or the rest of them */
	add(part) {
		this.#parts.push(crypto.subtle.digest("SHA-256", part));
	}

	async end() {
		const parts = await new Blob(await Promise.all(this.#parts)).arrayBuffer();
		return new Uint8Array(await crypto.subtle.digest("SHA-256", parts));
	}
}

/** What comes, kept part by part by the browser, which puts on its disk what is large. */
class Parts {
	/** @type {Blob[]} */
	#whole = [];
	#part = new Uint8Array(PART);
	#filled = 0;
	#sum = new Sum();
	length = 0;

	/** @param {Uint8Array} data */
	add(data) {
		for (let at = 0; at < data.length;) {
			const some = data.subarray(at, at + PART - this.#filled);
			this.#part.set(some, this.#filled);
			this.#filled += some.length;
			at += some.length;
			if (this.#filled === PART)
				this.#next();
		}
		this.length += data.length;
	}

	#next() {
		const part = this.#part.subarray(0, this.#filled);
		this.#sum.add(part);
		this.#whole.push(new Blob([part]));
		this.#part = new Uint8Array(PART);
		this.#filled = 0;
	}

	/** @param {Uint8Array} sum that they must have */
	async end(sum) {
		if (this.#filled > 0)
			this.#next();
		if (!same(await this.#sum.end(), sum))
			throw new DocumentError("sum");
		return new Blob(this.#whole);
	}
}

/**
 * One stream, until document_end.
 * @param {string} url
 * @param {Watch} watch
 * @param {(line: Line) => {open: () => void, said: (message: Said) => void}} side
 * @returns {Promise<ToPage["document_end"]>}
 */
export function transfer(url, { signal }, side) {
	return new Promise((resolve, reject) => {
		const socket = new WebSocket(url, PROTOCOL);
		socket.binaryType = "arraybuffer";
		const end = (/** @type {() => void} */ settle) => {
			line.over = true;
			signal.removeEventListener("abort", cancel);
			socket.onclose = socket.onmessage = null;
			socket.close();
			settle();
		};
		const fail = (/** @type {string} */ code) => end(() => reject(new DocumentError(code)));
		const cancel = () => fail("cancelled");
		/** @type {Line} */
		const line = { over: false, fail, send: (name, fields) => socket.send(encodeAs(name, FROM_PAGE[name], fields, PIECE + AROUND)) };
		const { open, said } = side(line);
		signal.addEventListener("abort", cancel);
		socket.onopen = open;
		socket.onclose = ({ code }) => fail(code === BROKEN ? "broken" : "lost");
		socket.onmessage = ({ data }) => {
			try {
				const message = decode(new Uint8Array(data));
				if (message.name === "document_end")
					end(() => (message.fields.error === 0 ? resolve(message.fields) : reject(new DocumentError(DOCUMENT_END[message.fields.error] ?? "failed"))));
				else
					said(message);
			} catch {
				fail("broken");
			}
		};
		if (signal.aborted)
			cancel();
	});
}

/**
 * Brings a document; it is kept when this is over.
 * @param {string} url
 * @param {Blob} file
 * @param {Watch} watch
 */
export async function putDocument(url, file, watch) {
	await transfer(url, watch, (line) => {
		let sent = 0, taken = 0;
		/** @type {(() => void) | null} */
		let more = null;
		const sum = new Sum();
		const put = async (/** @type {Uint8Array<ArrayBuffer>} */ data) => {
			while (sent + data.length > taken + WINDOW)
				await new Promise((resolve) => {
					more = () => resolve(undefined);
				});
			if (!line.over)
				line.send("document_put", { offset: BigInt(sent), data });
			sent += data.length;
		};
		const putAll = async () => {
			for (let at = 0; at < file.size && !line.over; at += PART) {
				const part = new Uint8Array(await file.slice(at, at + PART).arrayBuffer());
				sum.add(part);
				for (let from = 0; from < part.length && !line.over; from += PIECE)
					await put(part.subarray(from, from + PIECE));
			}
			const all = await sum.end();
			if (!line.over)
				line.send("document_whole", { bytes: BigInt(sent), sum: all });
		};
		/* A file that was changed or taken away cannot be read on. */
		return { open: () => void putAll().catch(() => line.over || line.fail("unread")), said: (message) => {
			if (message.name !== "document_taken" || Number(message.fields.bytes) > sent)
				throw new DocumentError("broken");
			taken = Number(message.fields.bytes);
			watch.moved(taken);
			more?.();
		} };
	});
}

/**
 * Fetches a document.
 * @param {string} url
 * @param {Watch} watch
 * @returns {Promise<Blob>} all of it, as it was when it came in
 */
export async function getDocument(url, watch) {
	const parts = new Parts();
	let told = 0;
	const { bytes, sum } = await transfer(url, watch, ({ send }) => ({
		open: () => send("document_got", { bytes: 0n }),
		said: (message) => {
			if (message.name !== "document_data" || Number(message.fields.offset) !== parts.length || parts.length + message.fields.data.length > DOCUMENT_MAX)
				throw new DocumentError("broken");
			parts.add(message.fields.data);
			watch.moved(parts.length);
			if (parts.length - told >= TAKEN_EVERY) {
				told = parts.length;
				send("document_got", { bytes: BigInt(told) });
			}
		},
	}));
	if (Number(bytes) !== parts.length)
		throw new DocumentError("sum");
	return parts.end(sum);
}
