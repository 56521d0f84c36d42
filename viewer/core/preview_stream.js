/*
 * Pages of a document as pictures, one after another over a stream that stays open (docs/protocol.md, "Transfer of a
 * document").
 */
import { DocumentError, TAKEN_EVERY, transfer } from "./document_stream.js";

/** @typedef {{picture: Uint8Array<ArrayBuffer>, pages: number}} Page picture: a PNG */
/** @typedef {{number: number, resolve: (page: Page) => void, reject: (error: unknown) => void, pages: number, picture: Uint8Array<ArrayBuffer> | null, have: number, told: number}} Asked */

const PICTURE_MAX = 16 * 1024 * 1024;

export class PreviewStream {
	#opened;
	/** @type {import("./document_stream.js").Line["send"]} */
	#send = () => {};
	/** @type {Asked | null} the page that is under way */
	#asked = null;
	/** @type {unknown} what ended it */
	#error = null;

	/**
	 * @param {string} url
	 * @param {AbortSignal} signal ends it
	 * @param {(error: unknown) => void} ended it has, with no page under way
	 */
	constructor(url, signal, ended) {
		this.#opened = /** @type {Promise<void>} */ (new Promise((open) => {
			transfer(url, { signal, moved: () => {} }, ({ send }) => {
				this.#send = send;
				return { open, said: (message) => this.#said(message) };
			}).then(() => new DocumentError("broken"), (error) => error).then((error) => {
				this.#error = error;
				open();
				if (this.#asked)
					this.#asked.reject(error);
				else
					ended(error);
			});
		}));
	}

	/**
	 * One at a time.
	 * @param {number} number from 1
	 * @returns {Promise<Page>} else DocumentError
	 */
	page(number) {
		return new Promise((resolve, reject) => {
			this.#asked = { number, resolve, reject, pages: 0, picture: null, have: 0, told: 0 };
			this.#opened.then(() => (this.#error ? reject(this.#error) : this.#send("document_show", { page: number })));
		});
	}

	/** @param {import("./document_stream.js").Said} message */
	#said({ name, fields }) {
		const asked = this.#asked;
		if (name === "document_page" && asked && !asked.picture && fields.page === asked.number && fields.bytes > 0 && fields.bytes <= PICTURE_MAX) {
			asked.pages = fields.pages;
			asked.picture = new Uint8Array(fields.bytes);
		} else if (name === "document_data" && asked?.picture && Number(fields.offset) === asked.have && asked.have + fields.data.length <= asked.picture.length) {
			asked.picture.set(fields.data, asked.have);
			asked.have += fields.data.length;
			this.#took(asked, asked.picture);
		} else
			throw new DocumentError("broken");
	}

	/**
	 * @param {Asked} asked
	 * @param {Uint8Array<ArrayBuffer>} picture
	 */
	#took(asked, picture) {
		if (asked.have === picture.length) {
			this.#asked = null;
			asked.resolve({ picture, pages: asked.pages });
		} else if (asked.have - asked.told >= TAKEN_EVERY) {
			asked.told = asked.have;
			this.#send("document_got", { bytes: BigInt(asked.have) });
		}
	}
}
