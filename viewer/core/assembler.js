/*
 * Puts the packets of docs/protocol.md §4 together to messages: a byte that is 1 when more packets of the
 * same message follow, then bytes of it.
 */
import { INCOMING_MAX, ProtocolError } from "./codec.js";

const PACKET_MAX = 65536;

export class Assembler {
	/** @type {Uint8Array[]} */
	#parts = [];
	#length = 0;

	/**
	 * Takes one packet; gives back the whole message when it was the last one of it.
	 * @param {Uint8Array} packet
	 * @returns {Uint8Array | null}
	 */
	add(packet) {
		if (packet.length < 2 || packet.length > PACKET_MAX || packet[0] > 1)
			throw new ProtocolError("not a packet");
		const part = packet.subarray(1);
		if (this.#length + part.length > INCOMING_MAX)
			throw new ProtocolError(`message of more than ${INCOMING_MAX} bytes`);
		this.#parts.push(part);
		this.#length += part.length;
		return packet[0] === 1 ? null : this.#join();
	}

	#join() {
		const parts = this.#parts;
		let message = parts[0];
		if (parts.length > 1) {
			message = new Uint8Array(this.#length);
			let at = 0;
			for (const part of parts) {
				message.set(part, at);
				at += part.length;
			}
		}
		this.#parts = [];
		this.#length = 0;
		return message;
	}
}
