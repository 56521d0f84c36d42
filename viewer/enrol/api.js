/*
 * The enrolment port's HTTP interface (docs/protocol.md §2).
 */

/**
 * @typedef {object} Enrolment
 * @property {"open" | "pending" | "approved" | "refused" | "issued" | "withdrawn" | "expired"} state
 * @property {string} person
 * @property {string} account
 * @property {string} device
 * @property {string} office
 * @property {number} expires seconds since 1970
 * @property {"none" | "request" | "file"} kind
 * @property {string} [reason]
 * @property {number} [retry_s]
 * @property {string} gateway
 * @property {string} [certificate] PEM
 * @property {string} [chain] PEM
 * @property {string} [file] base64
 * @property {string} [password]
 * @property {number} [until] seconds since 1970
 */
/** @typedef {{kind: "file", compatible: boolean}} FileOrder */
/** @typedef {{kind: "request", csr: string, key_place: "tpm" | "store" | "file"}} RequestOrder */
/** @typedef {FileOrder | RequestOrder} Order what the person has chosen */

/* The signer may be slow; the gateway itself gives up earlier. */
const TIMEOUT_MS = 60000;

/** An answer that is not the wished-for one; code is from docs/protocol.md or "network". */
export class EnrolError extends Error {
	/**
	 * @param {string} code
	 * @param {{retry_s?: unknown, field?: unknown, reason?: unknown}} [details]
	 */
	constructor(code, details = {}) {
		super(code);
		this.name = "EnrolError";
		this.code = code;
		this.retryS = typeof details.retry_s === "number" ? Math.max(0, Math.ceil(details.retry_s)) : 0;
		this.field = typeof details.field === "string" ? details.field : "";
		this.reason = typeof details.reason === "string" ? details.reason : "";
	}

	/** Whether asking again with the same code may succeed. */
	get passes() {
		return !["code", "expired", "used", "denied", "key", "invalid", "too-big"].includes(this.code);
	}

	/** Whether nothing can be done with this code any more. */
	get ends() {
		return ["code", "expired", "used", "denied"].includes(this.code);
	}
}

/* An invitation that is over may also be shown as one. */
const OVER = /** @type {Record<string, string>} */ ({ refused: "denied", withdrawn: "denied", issued: "used",
	expired: "expired" });

export class EnrolApi {
	#fetch;

	/** @param {typeof fetch} [fetcher] */
	constructor(fetcher = (input, init) => fetch(input, init)) {
		this.#fetch = fetcher;
	}

	/**
	 * @param {string} name
	 * @param {object} [body] POST, else GET
	 * @returns {Promise<Record<string, unknown>>}
	 */
	async #call(name, body) {
		/** @type {RequestInit} */
		const init = { cache: "no-store", credentials: "same-origin", redirect: "error",
			signal: AbortSignal.timeout(TIMEOUT_MS) };
		if (body) {
			init.method = "POST";
			init.headers = { "Content-Type": "application/json" };
			init.body = JSON.stringify(body);
		}
		let answer;
		try {
			answer = await this.#fetch(`/enrol/api/${name}`, init);
		} catch {
			throw new EnrolError("network");
		}
		/** @type {unknown} */
		const json = await answer.json().catch(() => null);
		if (typeof json !== "object" || json === null || Array.isArray(json))
			throw new EnrolError(answer.ok ? "protocol" : "internal");
		const object = /** @type {Record<string, unknown>} */ (json);
		if (!answer.ok)
			throw new EnrolError(typeof object.error === "string" ? object.error : "internal", object);
		return object;
	}

	/** @returns {Promise<{office: string, gateway: string}>} */
	async office() {
		return /** @type {{office: string, gateway: string}} */ (await this.#call("office"));
	}

	/**
	 * @param {string} code
	 * @returns {Promise<Enrolment>} one that is not over
	 */
	async look(code) {
		return this.#enrolment(await this.#call("look", { code }));
	}

	/**
	 * Asks for the certificate, first and again.
	 * @param {string} code
	 * @param {Order} order
	 * @returns {Promise<Enrolment>} with certificate or file, or one that waits
	 */
	async ask(code, order) {
		const { kind, ...rest } = order;
		return this.#enrolment(await this.#call(kind, { code, ...rest }));
	}

	/** @param {Record<string, unknown>} answer */
	#enrolment(answer) {
		const enrolment = /** @type {Enrolment} */ (/** @type {unknown} */ (answer));
		if (typeof enrolment.state !== "string" || typeof enrolment.expires !== "number")
			throw new EnrolError("protocol");
		if (!enrolment.certificate && !enrolment.file && Object.hasOwn(OVER, enrolment.state))
			throw new EnrolError(OVER[enrolment.state], answer);
		return enrolment;
	}
}
