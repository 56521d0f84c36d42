/*
 * Where the single frames of a recording are, for going from one to the next.
 */
import { TO_VIEWER } from "../core/messages.js";
import { SENT } from "./chunk.js";

/** @typedef {import("./chunk.js").Piece} Piece */
/** @typedef {import("./recording.js").Recording} Recording */

const KNOWN = new Set(Object.values(TO_VIEWER).map(({ id }) => id));

/**
 * The last record of a frame; large ones have several.
 * @param {Piece} record
 * @param {number} of number of the viewer
 */
function isFrame({ kind, viewer, more, payload }, of) {
	if (kind !== SENT || viewer !== of || more || payload.length < 2)
		return false;
	const id = payload[0] | (payload[1] << 8);
	return id === TO_VIEWER.frame.id || !KNOWN.has(id);
}

/**
 * @param {Recording} recording
 * @param {number} viewer
 * @param {number} us
 * @returns {Promise<number | null>} the time of the next frame
 */
export async function frameAfter(recording, viewer, us) {
	for (let index = recording.at(us); index < recording.count; index++) {
		const records = (await recording.chunk(index))?.records ?? [];
		const found = records.find((record) => record.timeUs > us && isFrame(record, viewer));
		if (found)
			return found.timeUs;
	}
	return null;
}

/**
 * @param {Recording} recording
 * @param {number} viewer
 * @param {number} us
 * @returns {Promise<number | null>} the time of the last frame before
 */
export async function frameBefore(recording, viewer, us) {
	for (let index = recording.at(us); index >= 0; index--) {
		const records = (await recording.chunk(index))?.records ?? [];
		for (let at = records.length - 1; at >= 0; at--)
			if (records[at].timeUs < us && isFrame(records[at], viewer))
				return records[at].timeUs;
	}
	return null;
}
