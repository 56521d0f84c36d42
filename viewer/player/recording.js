/*
 * A recording as the player sees it: where its chunks begin, those that were fetched of late, and those that will be
 * wanted next.
 */
import { ProtocolError } from "../core/codec.js";
import { CHUNK_KEY, parseChunk } from "./chunk.js";
import { DamagedChunk } from "./source.js";

/** @typedef {import("./chunk.js").Chunk} Chunk */
/** @typedef {import("./chunk.js").Row} Row */
/** @typedef {{session: string, chunk: (sequence: number) => Promise<Uint8Array>}} Fetcher */

/** Bytes of chunks that are kept for playing on and stepping back. */
export const CACHE_MAX = 64 * 1024 * 1024;
/** So many are asked for at once at most: what a jump asks for must not wait behind more. */
export const ASKED_MAX = 12;

export class Recording {
	#rows;
	#fetcher;
	#damagedEvent;
	/** Last used last. @type {Map<number, Chunk>} */
	#cache = new Map();
	#cached = 0;
	/** @type {Map<number, Promise<Chunk | null>>} */
	#asked = new Map();
	/** @type {Set<number>} */
	#damaged = new Set();

	/**
	 * @param {Row[]} rows of all chunks, at least one
	 * @param {Fetcher} fetcher
	 * @param {(sequence: number) => void} damaged a chunk cannot be read
	 */
	constructor(rows, fetcher, damaged) {
		this.#rows = rows;
		this.#fetcher = fetcher;
		this.#damagedEvent = damaged;
	}

	get rows() {
		return this.#rows;
	}

	get count() {
		return this.#rows.length;
	}

	/** It has more by now. @param {Row[]} rows of the chunks behind the last */
	grow(rows) {
		this.#rows.push(...rows);
	}

	/**
	 * The last chunk that begins at or before a time; 0 when none does.
	 * @param {number} us
	 */
	at(us) {
		let [low, high] = [0, this.#rows.length];
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (this.#rows[middle].startUs <= us)
				low = middle;
			else
				high = middle;
		}
		return low;
	}

	/**
	 * The last chunk up to this one in which playing can start.
	 * @param {number} index
	 * @returns {number} -1: there is none
	 */
	keyBefore(index) {
		while (index >= 0 && !(this.#rows[index].flags & CHUNK_KEY))
			index--;
		return index;
	}

	/** Whether asking for it costs nothing. @param {number} index */
	has(index) {
		return this.#cache.has(index) || this.#damaged.has(index);
	}

	/** @param {number} index */
	isDamaged(index) {
		return this.#damaged.has(index);
	}

	/**
	 * One that is there already.
	 * @param {number} index
	 * @returns {Chunk | null}
	 */
	cached(index) {
		const chunk = this.#cache.get(index);
		if (!chunk)
			return null;
		this.#cache.delete(index);
		this.#cache.set(index, chunk);
		return chunk;
	}

	/**
	 * @param {number} index
	 * @returns {Promise<Chunk | null>} null: it is damaged; an Error when the connection is closed
	 */
	async chunk(index) {
		if (this.#damaged.has(index))
			return null;
		return this.cached(index) ?? await this.#ask(index);
	}

	/**
	 * Asks for chunks that will be wanted, without waiting for them.
	 * @param {number} from
	 * @param {number} to the last one
	 */
	readAhead(from, to) {
		for (let index = from; index <= Math.min(to, this.#rows.length - 1) && this.#asked.size < ASKED_MAX; index++)
			if (!this.has(index))
				this.#ask(index).catch(() => {});
	}

	/** @param {number} index */
	#ask(index) {
		let asked = this.#asked.get(index);
		if (!asked) {
			asked = this.#fetch(index).finally(() => this.#asked.delete(index));
			this.#asked.set(index, asked);
		}
		return asked;
	}

	/** @param {number} index */
	async #fetch(index) {
		try {
			const chunk = parseChunk(await this.#fetcher.chunk(index));
			/* What the seal holds must be what the table and the gateway say. */
			if (chunk.sequence !== index || chunk.session !== this.#fetcher.session ||
				chunk.startUs !== this.#rows[index].startUs)
				throw new ProtocolError("a chunk from elsewhere");
			this.#keep(index, chunk);
			return chunk;
		} catch (error) {
			if (!(error instanceof DamagedChunk || error instanceof ProtocolError))
				throw error;
			this.#damaged.add(index);
			this.#damagedEvent(index);
			return null;
		}
	}

	/**
	 * @param {number} index
	 * @param {Chunk} chunk
	 */
	#keep(index, chunk) {
		this.#cache.set(index, chunk);
		this.#cached += chunk.size;
		for (const [old, { size }] of this.#cache) {
			if (this.#cached <= CACHE_MAX || old === index)
				break;
			this.#cache.delete(old);
			this.#cached -= size;
		}
	}
}
