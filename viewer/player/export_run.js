/*
 * One export that is under way: what comes from the gateway (docs/protocol.md §6) goes into a file as it comes.
 */
import { decoderOf, ProtocolError } from "../core/codec.js";
import { EXPORT_ERROR, TO_SAVER } from "../core/messages.js";

/** @typedef {import("../core/messages.js").ToSaver} ToSaver */
/** @typedef {import("./export_file.js").ExportFile} ExportFile */
/**
 * @typedef {object} RunEvents
 * @property {(permille: number, bytes: number) => void} progress
 * @property {(ended: {reason: string, bytes: number, sha256: string}) => void} ended reason: code of enum export_error ("none":
 *   the file is whole and closed), "cancelled", "disk", "lost", "refused" or "broken". Once, nothing comes after it.
 */

const PROTOCOL = "sekisho.1";
/* Close codes of the edge. */
const CLOSE_ENDED = 4000;
const CLOSE_LOGIN = 4001;
const BROKEN = 4002;

/* A larger file is looked at for its length only: a browser takes a sum of all bytes at once, in memory. */
const SUM_MAX = 512 * 1024 * 1024;

const decode = decoderOf(/** @type {Record<keyof ToSaver, import("../core/codec.js").MessageType>} */ (TO_SAVER));

export class ExportRun {
	#events;
	#file;
	#socket;
	#bytes = 0;
	#permille = 0;
	#over = false;

	/**
	 * @param {string} url
	 * @param {ExportFile} file
	 * @param {RunEvents} events
	 */
	constructor(url, file, events) {
		this.#events = events;
		this.#file = file;
		this.#socket = new WebSocket(url, PROTOCOL);
		this.#socket.binaryType = "arraybuffer";
		this.#socket.onmessage = (event) => this.#received(event.data);
		this.#socket.onclose = (event) => void this.#fail(reasonOf(event.code));
	}

	get permille() {
		return this.#permille;
	}

	cancel() {
		void this.#fail("cancelled");
	}

	/** @param {unknown} data */
	#received(data) {
		if (this.#over)
			return;
		try {
			if (!(data instanceof ArrayBuffer))
				throw new ProtocolError("a message that is not binary");
			this.#message(decode(new Uint8Array(data)));
		} catch (error) {
			if (!(error instanceof ProtocolError))
				throw error;
			void this.#fail("broken");
		}
	}

	/** @param {ReturnType<typeof decode>} message */
	#message(message) {
		switch (message.name) {
		case "export_data":
			this.#data(message.fields);
			break;
		case "export_state":
			this.#permille = Math.min(1000, message.fields.permille);
			this.#events.progress(this.#permille, this.#bytes);
			break;
		case "export_end":
			if (message.fields.error === 0 && message.fields.bytes !== BigInt(this.#bytes))
				throw new ProtocolError("an end that is not here");
			void this.#end(message.fields);
			break;
		}
	}

	/** @param {ToSaver["export_data"]} fields */
	#data({ offset, data }) {
		if (offset !== BigInt(this.#bytes))
			throw new ProtocolError("bytes that do not follow");
		this.#bytes += data.length;
		this.#file.write(data).catch(() => this.#fail("disk"));
	}

	/** @param {ToSaver["export_end"]} fields */
	async #end({ error, sha256 }) {
		if (error !== 0) {
			await this.#fail(EXPORT_ERROR[error] ?? "failed");
			return;
		}
		this.#over = true;
		try {
			await this.#file.finish((file) => this.#isRight(file, sha256));
		} catch {
			this.#over = false;
			await this.#fail("disk");
			return;
		}
		this.#socket.close(1000);
		this.#events.ended({ reason: "none", bytes: this.#bytes,
			sha256: Array.from(sha256, (byte) => byte.toString(16).padStart(2, "0")).join("") });
	}

	/**
	 * Whether a file, read again, has the bytes that the gateway has made.
	 * @param {Blob} file
	 * @param {Uint8Array} sha256
	 */
	async #isRight(file, sha256) {
		if (file.size !== this.#bytes)
			return false;
		if (file.size > SUM_MAX)
			return true;
		const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
		return sum.length === sha256.length && sum.every((byte, at) => byte === sha256[at]);
	}

	/** What is there is not whole, and nothing of it stays. @param {string} reason */
	async #fail(reason) {
		if (this.#over)
			return;
		this.#over = true;
		this.#socket.close(reason === "broken" ? BROKEN : 1000);
		await this.#file.drop();
		this.#events.ended({ reason, bytes: this.#bytes, sha256: "" });
	}
}

/** Without a last word. @param {number} code of the WebSocket's close */
function reasonOf(code) {
	return code === CLOSE_LOGIN ? "login" : code === CLOSE_ENDED ? "refused" : code === BROKEN ? "broken" : "lost";
}
