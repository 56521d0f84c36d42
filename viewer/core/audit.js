/*
 * What the audit console asks of the gateway (docs/protocol.md §8).
 */
import { ApiError } from "./api.js";

/** @typedef {"logins" | "acts" | "watching" | "alarms"} EntryList */
/** @typedef {{time: number, number: number}} Place where a page of a list ended */
/**
 * What is left of a list; "" and 0 stand for anything. Times in milliseconds since 1970.
 * @typedef {object} Filter
 * @property {string} person
 * @property {string} pc
 * @property {number} device
 * @property {string} client
 * @property {string} event
 * @property {number} from
 * @property {number} to the first that is too late
 * @property {number} shortest seconds
 * @property {number} longest seconds
 */
/**
 * A session. Times in milliseconds since 1970.
 * @typedef {object} Audited
 * @property {string} id
 * @property {string} person
 * @property {string} full_name
 * @property {string} pc
 * @property {string} device
 * @property {string} address
 * @property {string} client
 * @property {string} state code of session_state
 * @property {string} reason code of end_reason
 * @property {number} started
 * @property {number | null} ended
 * @property {number} seconds
 * @property {"open" | "ended" | "cut" | "lost" | "disposed" | "none"} recording
 * @property {number} size
 * @property {boolean} hold
 * @property {Record<string, number>} events how often what happened
 * @property {string[]} watched by whom
 */
/**
 * An entry of the audit log.
 * @typedef {object} Entry
 * @property {number} seq
 * @property {number} time
 * @property {string} event
 * @property {string} person
 * @property {string} full_name
 * @property {string} device
 * @property {string} address
 * @property {string} pc
 * @property {string} session
 * @property {Record<string, unknown>} detail
 * @property {boolean} disposed
 * @property {boolean} first_device the log knew nothing of this person with that device
 * @property {boolean} first_address
 * @property {{person: string, pc: string, started: number}} [of] the session
 */
/** @typedef {{id: number, name: string, query: string}} SavedFilter */
/**
 * @typedef {object} Choices
 * @property {string} office
 * @property {boolean} more there are more people, PCs or devices than these
 * @property {number} from_hour
 * @property {number} to_hour
 * @property {boolean} weekends
 * @property {{name: string, full_name: string}[]} people
 * @property {{name: string}[]} pcs
 * @property {{number: number, name: string, owner: string}[]} devices
 * @property {SavedFilter[]} filters
 */
/** @typedef {{time: number, gateway: string, checkpoint: string}} Word that something leaves the gateway */
/**
 * @template Row
 * @typedef {{rows: Row[], next: Place | null}} Page
 */

/* A whole list is many pages; other people want to be answered too. */
const TRIES_MAX = 20;

/** @param {Record<string, unknown>} values */
function given(values) {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== 0));
}

export class Audit {
	#api;

	/** @param {import("./api.js").Api} api */
	constructor(api) {
		this.#api = api;
	}

	/** @returns {Promise<Choices>} */
	async choices() {
		return /** @type {Choices} */ (/** @type {unknown} */ (await this.#api.audit("GET", "choices")));
	}

	/**
	 * @param {string} path
	 * @param {Record<string, unknown>} values
	 * @param {Place | null} place
	 * @returns {Promise<Page<any>>}
	 */
	async #page(path, values, place) {
		const { rows, next } = await this.#api.audit("POST", path, { ...given(values), ...place });
		if (!Array.isArray(rows) || (next !== null && typeof next !== "object"))
			throw new ApiError("protocol", 200);
		return { rows, next: /** @type {Place | null} */ (next) };
	}

	/**
	 * Sessions that have ended, the newest first. A page may be empty although more follow.
	 * @param {Filter} filter
	 * @param {Place | null} place
	 * @returns {Promise<Page<Audited>>}
	 */
	sessions(filter, place) {
		return this.#page("sessions", { ...filter }, place);
	}

	/**
	 * @param {Filter} filter
	 * @returns {Promise<Page<Audited>>}
	 */
	live(filter) {
		return this.#page("live", { ...filter }, null);
	}

	/**
	 * @param {EntryList} list
	 * @param {Filter} filter
	 * @param {Place | null} place
	 * @returns {Promise<Page<Entry>>}
	 */
	entries(list, { person, event, from, to }, place) {
		return this.#page("entries", { list, person, event, from, to }, place);
	}

	/**
	 * All that the log has of one session.
	 * @param {string} id
	 * @returns {Promise<Entry[]>}
	 */
	async session(id) {
		const { rows } = await this.#api.audit("GET", `sessions/${id}`);
		if (!Array.isArray(rows))
			throw new ApiError("protocol", 200);
		return rows;
	}

	/**
	 * @param {string} name
	 * @param {string} query
	 */
	async saveFilter(name, query) {
		await this.#api.audit("POST", "filters", { name, query });
	}

	/** @param {number} id */
	async removeFilter(id) {
		await this.#api.audit("DELETE", `filters/${id}`);
	}

	/**
	 * Has it written down that something is printed or saved, before it is.
	 * @param {EntryList | "sessions" | "report"} list
	 * @param {"print" | "csv"} form
	 * @param {{person?: string, pc?: string, from?: number, to?: number}} what
	 * @returns {Promise<Word>}
	 */
	async report(list, form, { person = "", pc = "", from = 0, to = 0 }) {
		return /** @type {Word} */ (/** @type {unknown} */ (
			await this.#api.audit("POST", "report", given({ list, form, person, pc, from, to }))));
	}
}

/**
 * All rows of a list, page by page. A gateway that has been asked too often is asked again when it says.
 * @template Row
 * @param {(place: Place | null) => Promise<Page<Row>>} ask
 * @param {(milliseconds: number) => Promise<void>} [wait]
 * @returns {AsyncGenerator<Row[], void, void>}
 */
export async function* allPages(ask, wait = (ms) => new Promise((done) => setTimeout(done, ms))) {
	/** @type {Place | null} */
	let place = null;
	let tries = 0;
	for (;;) {
		/** @type {Page<Row>} */
		let page;
		try {
			page = await ask(place);
		} catch (error) {
			if (!(error instanceof ApiError) || error.code !== "throttled" || ++tries > TRIES_MAX)
				throw error;
			await wait(Math.max(1, error.retryS) * 1000);
			continue;
		}
		tries = 0;
		yield page.rows;
		if (page.next === null)
			return;
		place = page.next;
	}
}
