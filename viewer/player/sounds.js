/*
 * The PC's sound in a recording: which records are of it.
 */
import { decode, ProtocolError } from "../core/codec.js";
import { TO_VIEWER } from "../core/messages.js";
import { SENT } from "./chunk.js";

/** @typedef {import("./chunk.js").Piece} Piece */
/** One Opus packet; sequence as of the message. @typedef {{sequence: number, packet: Uint8Array<ArrayBuffer>}} SoundPacket */

/* It goes to the session's first window alone, whichever monitor is looked at. */
const LISTENER = 0;

/**
 * @param {Piece} record
 * @param {number} id of a message
 */
function isWhole({ kind, viewer, more, payload }, id) {
	return kind === SENT && viewer === LISTENER && !more && payload.length > 2 && (payload[0] | (payload[1] << 8)) === id;
}

/** The person could hear the PC. @param {Piece} record */
export function isAudible(record) {
	if (isWhole(record, TO_VIEWER.audio.id))
		return true;
	try {
		const message = isWhole(record, TO_VIEWER.hello.id) ? decode(record.payload) : null;
		return message?.name === "hello" && message.fields.audio === 1;
	} catch (error) {
		if (!(error instanceof ProtocolError))
			throw error;
		return false;
	}
}

/**
 * @param {Piece} record
 * @returns {SoundPacket | null} null: it is something else, or the end of something
 */
export function readSound(record) {
	if (!isWhole(record, TO_VIEWER.audio.id))
		return null;
	try {
		const message = decode(record.payload);
		return message.name === "audio" ? { sequence: message.fields.sequence, packet: message.fields.packet.slice() } : null;
	} catch (error) {
		if (!(error instanceof ProtocolError))
			throw error;
		return null;
	}
}
