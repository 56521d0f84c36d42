/*
 * A document on its way into the vault or out of it (docs/protocol.md, "Transfer of a document").
 */
import { BROKEN } from "./transport.js";
import { decoderOf, encodeAs } from "./codec.js";
import { DOCUMENT_END, FROM_PAGE, TO_PAGE } from "./messages.js";

/** @typedef {import("./messages.js").ToPage} ToPage */
/** @typedef {import("./messages.js").FromPage} FromPage */
/** @typedef {{[K in keyof ToPage]: {name: K, fields: ToPage[K]}}[keyof ToPage]} Said */
/** @typedef {{moved: (bytes: number) => void, signal: AbortSignal, page?: (at: {page: number, pages: number}) => void}} Watch moved: how many bytes are over; signal: give up; page: which one of a preview comes */

const PROTOCOL = "sekisho.1";
/* Of a document in a message; of all that may be under way. */
const PIECE = 60000;
const WINDOW = 1024 * 1024;
/* How often is said what was taken. */
const TAKEN_EVERY = 256 * 1024;
/* Beside the bytes of a message. */
const AROUND = 64;
/** The most bytes that a document may have. */
export const DOCUMENT_MAX = 100 * 1024 * 1024;

/** It did not go over whole: code is of enum document_end, or "lost", "broken", "cancelled". */
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

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function sumOf(bytes) {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/**
 * One stream, until document_end.
 * @param {string} url
 * @param {Watch} watch
 * @param {(send: <K extends keyof FromPage>(name: K, fields: FromPage[K]) => void) => {open: () => void, said: (message: Said) => void}} side
 * @returns {Promise<ToPage["document_end"]>}
 */
function transfer(url, { signal }, side) {
	return new Promise((resolve, reject) => {
		const socket = new WebSocket(url, PROTOCOL);
		socket.binaryType = "arraybuffer";
		const end = (/** @type {() => void} */ settle) => {
			signal.removeEventListener("abort", cancel);
			socket.onclose = socket.onmessage = null;
			socket.close();
			settle();
		};
		const fail = (/** @type {string} */ code) => end(() => reject(new DocumentError(code)));
		const cancel = () => fail("cancelled");
		const { open, said } = side((name, fields) => socket.send(encodeAs(name, FROM_PAGE[name], fields, PIECE + AROUND)));
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
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Watch} watch
 */
export async function putDocument(url, bytes, watch) {
	const sha256 = await sumOf(bytes);
	await transfer(url, watch, (send) => {
		let sent = 0, taken = 0;
		let whole = false;
		const go = () => {
			while (sent < bytes.length && sent + Math.min(PIECE, bytes.length - sent) <= taken + WINDOW) {
				const data = bytes.subarray(sent, sent + PIECE);
				send("document_put", { offset: BigInt(sent), data });
				sent += data.length;
			}
			if (sent === bytes.length && !whole) {
				whole = true;
				send("document_whole", { bytes: BigInt(sent), sha256 });
			}
		};
		return { open: go, said: (message) => {
			if (message.name !== "document_taken" || Number(message.fields.bytes) > sent)
				throw new DocumentError("broken");
			taken = Number(message.fields.bytes);
			watch.moved(taken);
			go();
		} };
	});
}

/**
 * Fetches a document.
 * @param {string} url
 * @param {Watch} watch
 * @returns {Promise<Uint8Array<ArrayBuffer>>} all of it, as it was when it came in
 */
export async function getDocument(url, watch) {
	/** @type {Uint8Array[]} */
	const pieces = [];
	let have = 0, told = 0;
	const { bytes, sha256 } = await transfer(url, watch, (send) => ({
		open: () => send("document_got", { bytes: 0n }),
		said: (message) => {
			if (message.name === "document_page") {
				watch.page?.(message.fields);
				return;
			}
			if (message.name !== "document_data" || Number(message.fields.offset) !== have || have + message.fields.data.length > DOCUMENT_MAX)
				throw new DocumentError("broken");
			pieces.push(message.fields.data);
			have += message.fields.data.length;
			watch.moved(have);
			if (have - told >= TAKEN_EVERY) {
				told = have;
				send("document_got", { bytes: BigInt(have) });
			}
		},
	}));
	const whole = new Uint8Array(have);
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	if (Number(bytes) !== have || !same(await sumOf(whole), sha256))
		throw new DocumentError("sum");
	return whole;
}
