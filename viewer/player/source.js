/*
 * The way to the vault that opens a recording (docs/protocol.md, "Playback"): asks for chunks and gives their plaintext,
 * in the order in which they were asked for.
 */
import { decoderOf, encodeAs, ProtocolError } from "../core/codec.js";
import { FROM_PLAYER, PLAY_ERROR, TO_PLAYER, VERDICT } from "../core/messages.js";
import { CHUNK_MAX, CHUNKS_MAX, parseObject, parseRows } from "./chunk.js";

/** @typedef {import("../core/messages.js").FromPlayer} FromPlayer */
/** @typedef {import("../core/messages.js").ToPlayer} ToPlayer */
/** @typedef {import("./chunk.js").Row} Row */

/**
 * @typedef {object} Info
 * @property {string} session 32 hex digits
 * @property {number} chunks
 * @property {string} verdict code of enum verdict
 * @property {{fault: string, first: number, last: number, proven: number, chunks: number}} proof what the verdict is about
 * @property {Record<string, unknown>} meta what the recording says of itself
 */
/**
 * @typedef {object} SourceEvents
 * @property {(info: Info, rows: Row[]) => void} opened once
 * @property {(reason: string) => void} closed "sealed", "ended", "foreign", "login", "lost" or "broken"; once, nothing comes
 *   after it
 */

/** Of the messages. */
export const PLAY_VERSION = 1;
const PROTOCOL = "sekisho.1";
/* Close codes of the edge. */
const CLOSE_ENDED = 4000;
const CLOSE_LOGIN = 4001;
const BROKEN = 4002;

/** The vault cannot open this chunk. */
export class DamagedChunk extends Error {
	/** @param {string} detail */
	constructor(detail) {
		super(detail);
		this.name = "DamagedChunk";
	}
}

/** Nothing more comes: SourceEvents.closed has said why. */
export class SourceClosed extends Error {
	constructor() {
		super("closed");
		this.name = "SourceClosed";
	}
}

const decode = decoderOf(/** @type {Record<keyof ToPlayer, import("../core/codec.js").MessageType>} */ (TO_PLAYER));

/**
 * A chunk that was asked for.
 * @typedef {{sequence: number, bytes: Uint8Array | null, have: number, resolve: (bytes: Uint8Array) => void,
 *   reject: (error: Error) => void}} Asked
 */

export class Source {
	#events;
	#socket;
	/** @type {Info | null} */
	#info = null;
	/** @type {Row[]} */
	#rows = [];
	#opened = false;
	#closed = false;
	/** @type {Asked[]} */
	#asked = [];
	/** @type {{resolve: (rows: Row[]) => void, reject: (error: Error) => void} | null} */
	#grows = null;

	/**
	 * @param {string} url
	 * @param {SourceEvents} events
	 */
	constructor(url, events) {
		this.#events = events;
		this.#socket = new WebSocket(url, PROTOCOL);
		this.#socket.binaryType = "arraybuffer";
		this.#socket.onopen = () => this.#send("play_start", { version: PLAY_VERSION });
		this.#socket.onmessage = (event) => this.#received(event.data);
		this.#socket.onclose = (event) => this.#close(reasonOf(event.code));
	}

	/**
	 * @param {number} sequence
	 * @returns {Promise<Uint8Array>} the plaintext; DamagedChunk
	 */
	chunk(sequence) {
		return new Promise((resolve, reject) => {
			if (this.#closed) {
				reject(new SourceClosed());
				return;
			}
			this.#asked.push({ sequence, bytes: null, have: 0, resolve, reject });
			this.#send("play_chunk", { sequence });
		});
	}

	/**
	 * What was recorded since, of a recording that is still being written; once at a time.
	 * @returns {Promise<Row[]>} none: nothing yet
	 */
	more() {
		return new Promise((resolve, reject) => {
			if (this.#closed) {
				reject(new SourceClosed());
				return;
			}
			this.#grows = { resolve, reject };
			this.#send("play_more", { unused: 0 });
		});
	}

	/** For good, without the closed event. */
	close() {
		this.#finish();
		this.#socket.close(1000);
	}

	/**
	 * @template {keyof FromPlayer} K
	 * @param {K} name
	 * @param {FromPlayer[K]} fields
	 */
	#send(name, fields) {
		this.#socket.send(encodeAs(name, FROM_PLAYER[name], fields));
	}

	/** @param {unknown} data */
	#received(data) {
		if (this.#closed)
			return;
		try {
			if (!(data instanceof ArrayBuffer))
				throw new ProtocolError("a message that is not binary");
			this.#message(decode(new Uint8Array(data)));
		} catch (error) {
			if (!(error instanceof ProtocolError))
				throw error;
			this.#socket.close(BROKEN);
			this.#close("broken");
		}
	}

	/** @param {ReturnType<typeof decode>} message */
	#message(message) {
		switch (message.name) {
		case "play_info":
			this.#begin(message.fields);
			break;
		case "play_table":
			this.#table(message.fields);
			break;
		case "play_data":
			this.#data(message.fields);
			break;
		case "play_error":
			this.#error(message.fields);
			break;
		}
	}

	/** @param {ToPlayer["play_info"]} fields */
	#begin({ version, session, chunks, verdict, verdict_detail, meta }) {
		if (this.#info || version !== PLAY_VERSION || chunks < 1 || chunks > CHUNKS_MAX)
			throw new ProtocolError(`recording of version ${version} with ${chunks} chunks`);
		this.#info = {
			session: Array.from(session, (byte) => byte.toString(16).padStart(2, "0")).join(""),
			chunks,
			/* What is not known is not trusted. */
			verdict: VERDICT[verdict] ?? "red",
			proof: proofOf(verdict_detail),
			meta: metaOf(meta),
		};
	}

	/** @param {ToPlayer["play_table"]} fields */
	#table({ first, rows }) {
		const info = this.#info;
		const grows = this.#grows;
		if (!info || (this.#opened && !grows) || first !== this.#rows.length)
			throw new ProtocolError("a table that does not follow");
		for (const row of parseRows(rows)) {
			/* The clock of a recording goes forward only. */
			if (row.startUs < (this.#rows.at(-1)?.startUs ?? 0))
				throw new ProtocolError("a table that goes back in time");
			this.#rows.push(row);
		}
		if (this.#rows.length > (grows ? CHUNKS_MAX : info.chunks))
			throw new ProtocolError("a table with more rows than chunks");
		if (grows) {
			this.#grows = null;
			grows.resolve(this.#rows.slice(first));
		} else if (this.#rows.length === info.chunks) {
			this.#opened = true;
			this.#events.opened(info, this.#rows.slice());
		}
	}

	/** @param {ToPlayer["play_data"]} fields */
	#data({ sequence, offset, total, data }) {
		const [asked] = this.#asked;
		if (!asked || asked.sequence !== sequence || offset !== asked.have || total > CHUNK_MAX || total < 1 ||
			data.length < 1 || data.length > total - offset || (asked.bytes && asked.bytes.length !== total))
			throw new ProtocolError("a piece of a chunk that was not asked for");
		asked.bytes ??= new Uint8Array(total);
		asked.bytes.set(data, offset);
		asked.have += data.length;
		if (asked.have < total)
			return;
		this.#asked.shift();
		asked.resolve(asked.bytes);
	}

	/** @param {ToPlayer["play_error"]} fields */
	#error({ error, detail }) {
		const code = PLAY_ERROR[error];
		if (code === "damaged") {
			const asked = this.#asked.shift();
			if (!asked)
				throw new ProtocolError("an error about nothing");
			asked.reject(new DamagedChunk(detail));
			return;
		}
		this.#socket.close(1000);
		this.#close(code ?? "ended");
	}

	#finish() {
		this.#closed = true;
		for (const { reject } of this.#asked.splice(0))
			reject(new SourceClosed());
		this.#grows?.reject(new SourceClosed());
		this.#grows = null;
	}

	/** @param {string} reason */
	#close(reason) {
		if (this.#closed)
			return;
		this.#finish();
		this.#events.closed(reason);
	}
}

/** @param {number} code of the WebSocket's close */
function reasonOf(code) {
	if (code === CLOSE_LOGIN)
		return "login";
	return code === CLOSE_ENDED ? "ended" : code === BROKEN ? "broken" : "lost";
}

/** @param {string} text */
function proofOf(text) {
	const values = metaOf(new TextEncoder().encode(text));
	const number = (/** @type {string} */ name) => (Number.isSafeInteger(values[name]) ? Number(values[name]) : 0);
	return { fault: typeof values.fault === "string" ? values.fault : "", first: number("first"), last: number("last"),
		proven: number("proven"), chunks: number("chunks") };
}

/** A recording whose first chunk is damaged says nothing of itself. @param {Uint8Array} bytes */
function metaOf(bytes) {
	try {
		return bytes.length === 0 ? {} : parseObject(bytes);
	} catch {
		return {};
	}
}
