/*
 * The wire codec of docs/protocol.md §4, driven by the tables of messages.js: little-endian, every length
 * checked before it is used, nothing left over.
 */
import { FROM_VIEWER, TO_VIEWER } from "./messages.js";

/** @typedef {import("./messages.js").MessageType} MessageType */
/** @typedef {import("./messages.js").ToViewer} ToViewer */
/** @typedef {import("./messages.js").FromViewer} FromViewer */

/**
 * A decoded message: name tells the type of fields.
 * @typedef {{[K in keyof ToViewer]: {name: K, fields: ToViewer[K]}}[keyof ToViewer]} Message
 */

/** The other side broke the protocol. */
export class ProtocolError extends Error {
	/** @param {string} what */
	constructor(what) {
		super(what);
		this.name = "ProtocolError";
	}
}

/** Most bytes a message from the viewer may have (docs/protocol.md §4). */
export const OUTGOING_MAX = 4096;

const INTEGERS = {
	u8: { size: 1, min: 0, max: 0xff },
	u16: { size: 2, min: 0, max: 0xffff },
	i16: { size: 2, min: -0x8000, max: 0x7fff },
	u32: { size: 4, min: 0, max: 0xffffffff },
};

/**
 * Most bytes a message of this type can have.
 * @param {MessageType} type
 */
function largest(type) {
	let bytes = 2;
	for (const field of type.fields) {
		switch (field.type) {
		case "u64":
			bytes += 8;
			break;
		case "str":
			bytes += 4 + field.max + 1;
			break;
		case "blob":
			bytes += 4 + field.max;
			break;
		case "fixed":
			bytes += field.max;
			break;
		default:
			bytes += INTEGERS[field.type].size;
		}
	}
	return bytes;
}

/** Most bytes any message to the viewer can have: the ceiling for putting packets together. */
export const INCOMING_MAX = Math.max(...Object.values(TO_VIEWER).map(largest));

/** Reads fields off a message. */
class Reader {
	#bytes;
	#view;
	#at = 0;

	/** @param {Uint8Array} bytes */
	constructor(bytes) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** @param {number} count */
	#take(count) {
		if (count > this.#bytes.length - this.#at)
			throw new ProtocolError("message is cut off");
		const at = this.#at;
		this.#at += count;
		return at;
	}

	/** @param {number} max */
	#length(max) {
		const length = this.#view.getUint32(this.#take(4), true);
		if (length > max)
			throw new ProtocolError(`field of ${length} bytes, allowed are ${max}`);
		return length;
	}

	/** @param {number} max */
	#string(max) {
		const length = this.#length(max);
		const at = this.#take(length + 1);
		const bytes = this.#bytes.subarray(at, at + length);
		if (this.#bytes[at + length] !== 0 || bytes.includes(0))
			throw new ProtocolError("string without its NUL, or with one inside");
		try {
			return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		} catch {
			throw new ProtocolError("string is not UTF-8");
		}
	}

	/**
	 * @param {import("./messages.js").Field} field
	 * @returns {number | bigint | string | Uint8Array}
	 */
	field(field) {
		switch (field.type) {
		case "u8":
			return this.#view.getUint8(this.#take(1));
		case "u16":
			return this.#view.getUint16(this.#take(2), true);
		case "i16":
			return this.#view.getInt16(this.#take(2), true);
		case "u32":
			return this.#view.getUint32(this.#take(4), true);
		case "u64":
			return this.#view.getBigUint64(this.#take(8), true);
		case "str":
			return this.#string(field.max);
		case "blob":
			return this.bytes(this.#length(field.max));
		case "fixed":
			return this.bytes(field.max);
		}
	}

	/** @param {number} count */
	bytes(count) {
		const at = this.#take(count);
		return this.#bytes.subarray(at, at + count);
	}

	get left() {
		return this.#bytes.length - this.#at;
	}
}

/**
 * What decodes the messages of one direction. Blobs are views into the bytes.
 * @template {object} T fields of each message
 * @param {Record<keyof T, MessageType>} types
 * @returns {(bytes: Uint8Array) => {[K in keyof T]: {name: K, fields: T[K]}}[keyof T]} takes one whole message
 */
export function decoderOf(types) {
	/** @type {Map<number, {name: string, type: MessageType}>} */
	const known = new Map();
	for (const [name, type] of Object.entries(/** @type {Record<string, MessageType>} */ (types)))
		known.set(type.id, { name, type });
	return (bytes) => {
		if (bytes.length < 2)
			throw new ProtocolError("message without an id");
		const id = bytes[0] | (bytes[1] << 8);
		const entry = known.get(id);
		if (!entry)
			throw new ProtocolError(`unknown message 0x${id.toString(16)}`);
		const reader = new Reader(bytes.subarray(2));
		/** @type {Record<string, unknown>} */
		const fields = {};
		for (const field of entry.type.fields)
			fields[field.name] = reader.field(field);
		if (reader.left !== 0)
			throw new ProtocolError(`${entry.name}: ${reader.left} bytes left over`);
		return /** @type {any} */ ({ name: entry.name, fields });
	};
}

/** Decodes one whole message from the worker. @type {(bytes: Uint8Array) => Message} */
export const decode = decoderOf(/** @type {Record<keyof ToViewer, MessageType>} */ (TO_VIEWER));

/**
 * The bytes of one field, for fields that are bytes.
 * @param {import("./messages.js").Field} field
 * @param {unknown} value
 */
function fieldBytes(field, value) {
	if (field.type === "str") {
		const text = String(value);
		if (text.includes("\0"))
			throw new RangeError(`${field.name}: NUL in a string`);
		return new TextEncoder().encode(text);
	}
	if (!(value instanceof Uint8Array))
		throw new TypeError(`${field.name}: bytes expected`);
	return value;
}

/**
 * Encodes a message to the worker.
 * @template {keyof FromViewer} K
 * @param {K} name
 * @param {FromViewer[K]} fields
 */
export function encode(name, fields) {
	return encodeAs(name, FROM_VIEWER[name], fields);
}

/**
 * Encodes a message of any type.
 * @param {string} name
 * @param {MessageType} type
 * @param {object} fields
 * @param {number} [max] most bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeAs(name, type, fields, max = OUTGOING_MAX) {
	const values = /** @type {Record<string, unknown>} */ (fields);
	const out = new Uint8Array(Math.min(largest(type), max));
	const view = new DataView(out.buffer);
	let at = 2;

	view.setUint16(0, type.id, true);
	for (const field of type.fields) {
		const value = values[field.name];
		if (field.type === "str" || field.type === "blob" || field.type === "fixed") {
			const bytes = fieldBytes(field, value);
			if (field.type === "fixed" ? bytes.length !== field.max : bytes.length > field.max)
				throw new RangeError(`${name}.${field.name}: ${bytes.length} bytes, allowed are ${field.max}`);
			if (field.type !== "fixed") {
				view.setUint32(at, bytes.length, true);
				at += 4;
			}
			out.set(bytes, at);
			at += bytes.length + (field.type === "str" ? 1 : 0);
		} else if (field.type === "u64") {
			view.setBigUint64(at, BigInt(/** @type {bigint} */ (value)), true);
			at += 8;
		} else {
			const { size, min, max } = INTEGERS[field.type];
			const number = Number(value);
			if (!Number.isInteger(number) || number < min || number > max)
				throw new RangeError(`${name}.${field.name}: ${number} is not in ${min} to ${max}`);
			for (let i = 0; i < size; i++)
				out[at + i] = (number >> (8 * i)) & 0xff;
			at += size;
		}
	}
	return out.subarray(0, at);
}
