/*
 * One chunk of a recording, as it is inside its sealed message (docs/recording.md): read as hostile input, since what
 * is in it came from a PC and a browser.
 */
import { INCOMING_MAX, ProtocolError } from "../core/codec.js";

/**
 * timeUs: microseconds since the recording began; more: the payload goes on in the next record of this kind and viewer.
 * @typedef {{kind: number, viewer: number, more: boolean, timeUs: number, payload: Uint8Array}} Piece
 */
/**
 * @typedef {object} Chunk
 * @property {string} session 32 hex digits
 * @property {number} sequence
 * @property {number} timeMs wall clock when it began
 * @property {number} startUs microseconds since the recording began
 * @property {boolean} key a keyframe of every attached viewer begins in it, or right behind it
 * @property {boolean} last
 * @property {Piece[]} records
 * @property {number} size bytes that it keeps in memory
 */

export const CHUNK_MAX = 2 * 1024 * 1024;
export const CHUNKS_MAX = 1000000;
/** Microseconds that a chunk goes on at most: CHUNK_CLOSE_US of the gateway. */
export const CHUNK_US = 2000000;
/** Monitors. */
export const VIEWERS = 4;

/** Kinds of records. */
export const META = 1;
export const SENT = 2;
export const KEY = 3;
export const INPUT = 4;
export const EVENT = 5;
export const INDEX = 6;

/* Flags of a chunk and of a record. */
export const CHUNK_KEY = 1;
export const CHUNK_LAST = 2;
const RECORD_MORE = 1;

const MAGIC = "SKREC001";
const HEAD_BYTES = 8 + 16 + 8 + 8 + 8 + 32 + 4;
const RECORD_BYTES = 1 + 1 + 2 + 4 + 4;
const PAYLOAD_MAX = 1024 * 1024;
/* Of an event or of what the recording says of itself. */
const JSON_MAX = 64 * 1024;

/**
 * A number that JavaScript counts exactly.
 * @param {DataView} view
 * @param {number} at
 * @param {string} what
 */
function readU64(view, at, what) {
	const value = view.getBigUint64(at, true);
	if (value > BigInt(Number.MAX_SAFE_INTEGER))
		throw new ProtocolError(`${what} ${value}`);
	return Number(value);
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Uint8Array} bytes the plaintext; records are views into it
 * @returns {Chunk}
 */
export function parseChunk(bytes) {
	if (bytes.length < HEAD_BYTES || bytes.length > CHUNK_MAX)
		throw new ProtocolError(`chunk of ${bytes.length} bytes`);
	for (let i = 0; i < MAGIC.length; i++)
		if (bytes[i] !== MAGIC.charCodeAt(i))
			throw new ProtocolError("not a chunk of a recording");
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const sequence = readU64(view, 24, "sequence");
	const flags = view.getUint32(80, true);
	if (sequence >= CHUNKS_MAX)
		throw new ProtocolError(`chunk ${sequence}`);
	if ((flags & ~(CHUNK_KEY | CHUNK_LAST)) !== 0)
		throw new ProtocolError("chunk with flags that mean nothing");
	const startUs = readU64(view, 40, "time");
	return {
		session: hex(bytes.subarray(8, 24)),
		sequence,
		timeMs: readU64(view, 32, "wall clock"),
		startUs,
		key: (flags & CHUNK_KEY) !== 0,
		last: (flags & CHUNK_LAST) !== 0,
		records: readRecords(bytes, view, startUs),
		size: bytes.length,
	};
}

/**
 * @param {Uint8Array} bytes
 * @param {DataView} view
 * @param {number} startUs
 */
function readRecords(bytes, view, startUs) {
	/** @type {Piece[]} */
	const records = [];
	let timeUs = startUs;
	for (let at = HEAD_BYTES; at < bytes.length;) {
		if (bytes.length - at < RECORD_BYTES)
			throw new ProtocolError("record is cut off");
		const [kind, viewer] = [view.getUint8(at), view.getUint8(at + 1)];
		const flags = view.getUint16(at + 2, true);
		const length = view.getUint32(at + 8, true);
		if (kind < META || kind > INDEX || viewer >= VIEWERS || (flags & ~RECORD_MORE) !== 0)
			throw new ProtocolError(`record of kind ${kind}, viewer ${viewer}, flags ${flags}`);
		if (length > PAYLOAD_MAX || length > bytes.length - at - RECORD_BYTES)
			throw new ProtocolError(`record of ${length} bytes`);
		/* Several threads make records: one that is a little late must not turn the time back. */
		timeUs = Math.max(timeUs, startUs + view.getUint32(at + 4, true));
		at += RECORD_BYTES;
		records.push({ kind, viewer, more: flags === RECORD_MORE, timeUs, payload: bytes.subarray(at, at + length) });
		at += length;
	}
	return records;
}

/** Puts payloads together that go over several records. */
export class Joiner {
	/** @type {Map<number, {parts: Uint8Array[], length: number}>} */
	#open = new Map();

	/**
	 * @param {Piece} record in the recording's order
	 * @returns {Uint8Array | null} the whole payload with the last record of it
	 */
	add({ kind, viewer, more, payload }) {
		const name = kind * VIEWERS + viewer;
		const open = this.#open.get(name);
		if (!open && !more)
			return payload;
		const { parts, length } = open ?? { parts: [], length: 0 };
		if (length + payload.length > INCOMING_MAX) {
			this.#open.delete(name);
			throw new ProtocolError(`message of more than ${INCOMING_MAX} bytes`);
		}
		parts.push(payload);
		if (more) {
			this.#open.set(name, { parts, length: length + payload.length });
			return null;
		}
		this.#open.delete(name);
		return joined(parts, length + payload.length);
	}

	/** Forgets what is not whole: the next record comes from elsewhere. */
	clear() {
		this.#open.clear();
	}
}

/**
 * @param {Uint8Array[]} parts
 * @param {number} length
 */
function joined(parts, length) {
	const whole = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}

/**
 * The object that a META or EVENT record is.
 * @param {Uint8Array} payload
 * @returns {Record<string, unknown>}
 */
export function parseObject(payload) {
	if (payload.length > JSON_MAX)
		throw new ProtocolError("more text than an event has");
	/** @type {unknown} */
	let value;
	try {
		value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
	} catch {
		throw new ProtocolError("not JSON");
	}
	if (typeof value !== "object" || value === null || Array.isArray(value))
		throw new ProtocolError("not a JSON object");
	return /** @type {Record<string, unknown>} */ (value);
}

/** Bytes of a row of the table, in the INDEX record and in play_table. */
export const ROW_BYTES = 8 + 8 + 8 + 4 + 4 + 2;

/**
 * @typedef {{startUs: number, timeMs: number, flags: number, activity: number, events: number}} Row
 */

/**
 * @param {Uint8Array} bytes whole rows
 * @returns {Row[]}
 */
export function parseRows(bytes) {
	if (bytes.length % ROW_BYTES !== 0)
		throw new ProtocolError("table is cut off");
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	/** @type {Row[]} */
	const rows = [];
	for (let at = 0; at < bytes.length; at += ROW_BYTES) {
		readU64(view, at, "offset");
		rows.push({
			startUs: readU64(view, at + 8, "time"),
			timeMs: readU64(view, at + 16, "wall clock"),
			flags: view.getUint32(at + 24, true),
			activity: view.getUint32(at + 28, true),
			events: view.getUint16(at + 32, true),
		});
	}
	return rows;
}
