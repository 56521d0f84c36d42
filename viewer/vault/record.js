/*
 * What the vault gives of one record.
 */
import { ApiError } from "../core/api.js";

/** @typedef {import("../core/vault.js").Vault} Vault */
/**
 * @typedef {object} RecordInfo
 * @property {number} id
 * @property {number} client
 * @property {string} client_name
 * @property {import("../core/vault.js").Kind} kind
 * @property {import("../core/vault.js").State} state
 * @property {number} parent 0: none
 * @property {string} parent_name
 * @property {string} name
 * @property {string} kana
 * @property {Record<string, string>} fields
 * @property {boolean} has_number
 * @property {boolean} removed
 * @property {boolean} hold it must not be disposed of
 * @property {number} version of what it says, 0: nothing yet
 * @property {number[]} purposes
 * @property {number} class
 * @property {string} started "2026-11-22", "": not yet
 * @property {string} due
 * @property {number} disposed when it was, 0: it is not
 * @property {{level: number, number: boolean, document: number}} rights
 * @property {boolean} glass seen by break-glass
 */

/**
 * @param {Vault} vault
 * @param {number} id
 * @returns {Promise<RecordInfo>}
 */
export async function showRecord(vault, id) {
	const answer = await vault.ask("record show", { record: id });
	if (typeof answer.id !== "number" || typeof answer.kind !== "number")
		throw new ApiError("protocol", 200);
	return /** @type {RecordInfo} */ (/** @type {unknown} */ (answer));
}
