/*
 * What people with records to keep ask of the vault (docs/protocol.md, "The vault's records"). Names and numbers stand in
 * the body of a request, never in its address.
 */
import { ApiError } from "./api.js";
import { RECORD_OPS } from "./messages.js";

/** 1 client, 2 employee, 3 dependant, 4 payee. @typedef {1 | 2 | 3 | 4} Kind */
/** 1 requested, 2 waiting, 3 active, 4 ended, 5 disposed, 6 refused. @typedef {1 | 2 | 3 | 4 | 5 | 6} State */
/**
 * @typedef {object} Row
 * @property {number} id
 * @property {number} client
 * @property {string} client_name
 * @property {Kind} kind
 * @property {State} state
 * @property {string} name
 * @property {string} kana
 * @property {boolean} has_number
 * @property {boolean} removed
 * @property {number} [parent] the employee of a dependant
 */
/** @typedef {{rows: Row[], total: number, next: number, damaged: number}} RowPage next: to go on with, 0 at the end; damaged: how many more cannot be read */
/** @typedef {{client?: number, parent?: number, kind?: number, state?: number, removed?: boolean, text?: string, number?: string, before?: string, after?: number}} Wish */

/* What may take minutes, as wire/record_ops.def has it (OP_LONG). */
export const LONG = Object.freeze(["due list", "dispose approve", "import preview", "import rows", "import apply", "export count", "export make"]);

/**
 * Whether this gateway has such an operation.
 * @param {string} words
 */
export function knows(words) {
	return RECORD_OPS.includes(words);
}

/** @param {Record<string, unknown>} values */
export function given(values) {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== 0 && value !== undefined));
}

export class Vault {
	#api;

	/** @param {import("./api.js").Api} api */
	constructor(api) {
		this.#api = api;
	}

	/**
	 * @param {string} words of an operation, as "record list"
	 * @param {object} [body]
	 */
	async ask(words, body = {}) {
		return await this.#api.vault(words, body, LONG.includes(words));
	}

	/**
	 * Where a document goes over.
	 * @param {string} path as the vault has named it
	 */
	streamUrl(path) {
		return this.#api.documentUrl(path);
	}

	/**
	 * An answer with rows.
	 * @param {string} words
	 * @param {object} [body]
	 * @returns {Promise<any[]>}
	 */
	async rows(words, body = {}) {
		const { rows } = await this.ask(words, body);
		if (!Array.isArray(rows))
			throw new ApiError("protocol", 200);
		return rows;
	}

	/**
	 * @param {"client list" | "record list" | "request list" | "due list"} words
	 * @param {Wish} wish
	 * @returns {Promise<RowPage>}
	 */
	async page(words, wish) {
		const { rows, total, next, damaged } = await this.list(words, wish);
		if (typeof total !== "number")
			throw new ApiError("protocol", 200);
		return { rows, total, next, damaged };
	}

	/**
	 * Rows of which there may be more.
	 * @param {string} words
	 * @param {Record<string, unknown>} wish
	 * @returns {Promise<{rows: any[], total: unknown, next: number, damaged: number}>}
	 */
	async list(words, wish) {
		/* Whose a number is, is asked for apart, and in the audit log. */
		const { rows, total, next, damaged } = await this.ask(words === "record list" && wish.number ? "record find" : words, given(wish));
		if (!Array.isArray(rows))
			throw new ApiError("protocol", 200);
		return { rows, total, next: typeof next === "number" && next !== wish.after ? next : 0, damaged: typeof damaged === "number" ? damaged : 0 };
	}
}
