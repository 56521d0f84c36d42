/*
 * What administrators do with devices (docs/protocol.md §3).
 */
import { ApiError } from "./api.js";

/**
 * @typedef {object} Account
 * @property {string} name
 * @property {string} full-name
 * @property {"staff" | "admin" | "auditor"} role
 * @property {"active" | "locked" | "disabled"} state
 */
/**
 * @typedef {object} Device
 * @property {number} id
 * @property {string} user account of the one it was made out to
 * @property {string} owners accounts that may use it, divided by ", "
 * @property {string} name
 * @property {"active" | "locked" | "revoked" | "expired" | "retired"} state
 * @property {string} key type of its key
 * @property {string} place code of key_place
 * @property {number} issued seconds since 1970, as all times
 * @property {number} until
 * @property {number} seen 0: never
 * @property {string} address
 * @property {string} serial hexadecimal
 * @property {number} retired 0: in use
 * @property {string} disposal
 * @property {string} remark
 */
/**
 * @typedef {object} Invite
 * @property {number} id
 * @property {string} user
 * @property {string} name of the device
 * @property {string} state code of enrol_state
 * @property {string} by
 * @property {number} created
 * @property {number} expires
 * @property {"none" | "request" | "file"} kind
 * @property {string} key
 * @property {string} place
 * @property {string} fingerprint hexadecimal SHA-256 of the key, "" when there is none yet
 * @property {number} asked
 * @property {string} address
 * @property {number} decided
 * @property {string} decided_by
 * @property {string} reason
 * @property {boolean} pre_approved
 */
/**
 * @typedef {object} VaultPart
 * @property {"house-key" | "passphrase" | "sheets" | "machine" | "token"} part
 * @property {"empty" | "sealed" | "unsealed" | "ready" | "none"} state the first three of house-key alone
 * @property {number} made seconds since 1970, 0: there is none
 */
/**
 * @typedef {object} Alarm
 * @property {number} seq
 * @property {number} time seconds since 1970
 * @property {"audit-alarm" | "audit-alarm-accepted"} event
 * @property {string} account "": the gateway itself
 * @property {number} device
 * @property {string} detail JSON: {"kind"} and sizes
 */
/**
 * @typedef {object} Sheet what the invited person gets on paper; the code is given this once
 * @property {number} id
 * @property {string} code
 * @property {string} url
 * @property {string} enrol
 * @property {string} gateway
 * @property {number} expires
 * @property {string} account
 * @property {string} person
 * @property {string} device
 * @property {string} office
 * @property {string} fingerprint hexadecimal SHA-256 of the office's root
 * @property {string[]} qr rows of 0 and 1
 */
/** @typedef {"wiped" | "destroyed" | "returned" | "lost"} Disposal */

/** @type {readonly Disposal[]} */
export const DISPOSALS = Object.freeze(["wiped", "destroyed", "returned", "lost"]);

/**
 * After which number an answer that is one of several pages goes on, 0 for the last.
 * @param {Record<string, unknown>} page
 * @param {number} before after which number it began
 */
function nextOf({ next }, before) {
	if (next === undefined)
		return 0;
	/* A gateway that stands still would be asked for ever. */
	if (typeof next !== "number" || !Number.isSafeInteger(next) || next <= 0 || next === before)
		throw new ApiError("protocol", 200);
	return next;
}

export class Admin {
	#api;

	/** @param {import("./api.js").Api} api */
	constructor(api) {
		this.#api = api;
	}

	/**
	 * All rows of a listing, page after page, each as an object with the names of its columns.
	 * @param {string} command
	 * @param {(count: number) => void} [progress] called after each page with how many there are so far
	 * @returns {Promise<Record<string, unknown>[]>}
	 */
	async #rows(command, progress) {
		const all = [];
		for (let after = 0; ;) {
			const page = await this.#api.admin("look", after ? `${command}/${after}` : command);
			const { columns, rows } = page;
			if (!Array.isArray(columns) || !Array.isArray(rows) || !rows.every(Array.isArray))
				throw new ApiError("protocol", 200);
			for (const row of rows)
				all.push(Object.fromEntries(columns.map((name, at) => [name, row[at]])));
			progress?.(all.length);
			const next = nextOf(page, after);
			if (!next)
				return all;
			after = next;
		}
	}

	async accounts() {
		return /** @type {Account[]} */ (/** @type {unknown} */ (await this.#rows("user list")));
	}

	/** How the vault is, and what opens it. */
	async vault() {
		return /** @type {VaultPart[]} */ (/** @type {unknown} */ (await this.#rows("vault status")));
	}

	/** Closes the vault at once; what is being played ends. */
	async sealVault() {
		await this.#api.admin("order", "vault seal", {});
	}

	/** @param {(count: number) => void} [progress] called with how many there are so far */
	async devices(progress) {
		return /** @type {Device[]} */ (/** @type {unknown} */ (await this.#rows("device list", progress)));
	}

	/** What browsers and the gateway itself said against the audit log, the newest first. */
	async alarms() {
		return /** @type {Alarm[]} */ (/** @type {unknown} */ (await this.#rows("audit alarms")));
	}

	async invites() {
		return /** @type {Invite[]} */ (/** @type {unknown} */ (await this.#rows("device invites")));
	}

	/**
	 * @param {string} user
	 * @param {string} name
	 * @param {boolean} preApproved
	 * @returns {Promise<Sheet>}
	 */
	async invite(user, name, preApproved) {
		const sheet = await this.#api.admin("order", "device invite", { user, name, "pre-approved": preApproved });
		if (typeof sheet.code !== "string" || !Array.isArray(sheet.qr))
			throw new ApiError("protocol", 200);
		return /** @type {Sheet} */ (/** @type {unknown} */ (sheet));
	}

	/** @param {number} id of the invitation */
	async withdraw(id) {
		await this.#api.admin("order", "device withdraw", { id });
	}

	/** @param {number} id of the invitation */
	async approve(id) {
		await this.#api.admin("order", "device approve", { id });
	}

	/**
	 * @param {number} id of the invitation
	 * @param {string} reason shown to the person
	 */
	async refuse(id, reason) {
		await this.#api.admin("order", "device refuse", { id, reason });
	}

	/**
	 * @param {number} id
	 * @param {string} reason
	 * @param {boolean} lost its key may be in the wrong hands
	 */
	async revoke(id, reason, lost) {
		await this.#api.admin("order", "device revoke", { id, reason, lost });
	}

	/**
	 * @param {number} id
	 * @param {Disposal} disposal
	 * @param {string} remark
	 */
	async retire(id, disposal, remark) {
		await this.#api.admin("order", "device retire", { id, disposal, remark });
	}

	/** @param {number} id */
	async unlock(id) {
		await this.#api.admin("order", "device unlock", { id });
	}

	/**
	 * @param {number} id
	 * @param {string} user
	 */
	async share(id, user) {
		await this.#api.admin("order", "device share", { id, user });
	}

	/**
	 * @param {number} id
	 * @param {string} user
	 */
	async unshare(id, user) {
		await this.#api.admin("order", "device unshare", { id, user });
	}

	/**
	 * The inventory as CSV, as the parts of one file.
	 * @param {"ja" | "en"} language
	 */
	async exportCsv(language) {
		const parts = [];
		for (let after = 0; ;) {
			const page = await this.#api.admin("order", "device export", after ? { language, after } : { language });
			if (typeof page.csv !== "string")
				throw new ApiError("protocol", 200);
			parts.push(page.csv);
			const next = nextOf(page, after);
			if (!next)
				return parts;
			after = next;
		}
	}
}
