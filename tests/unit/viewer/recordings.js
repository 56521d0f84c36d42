/*
 * Recordings made by hand: chunks, records and rows as docs/recording.md has them.
 */

function u64(view, at, value) {
	view.setBigUint64(at, BigInt(value), true);
}

/** One record; kind as in player/chunk.js. */
export function recordOf(kind, { viewer = 0, flags = 0, delta = 0, payload = new Uint8Array(0) } = {}) {
	const bytes = new Uint8Array(12 + payload.length);
	const view = new DataView(bytes.buffer);
	bytes.set([kind, viewer]);
	view.setUint16(2, flags, true);
	view.setUint32(4, delta, true);
	view.setUint32(8, payload.length, true);
	bytes.set(payload, 12);
	return bytes;
}

/** A chunk's plaintext. */
export function chunkOf({ session = "00".repeat(16), sequence = 0, timeMs = 1700000000000, startUs = 0, flags = 0 }, records) {
	const length = records.reduce((sum, record) => sum + record.length, 84);
	const bytes = new Uint8Array(length);
	const view = new DataView(bytes.buffer);
	bytes.set(new TextEncoder().encode("SKREC001"));
	bytes.set(Buffer.from(session, "hex"), 8);
	u64(view, 24, sequence);
	u64(view, 32, timeMs);
	u64(view, 40, startUs);
	view.setUint32(80, flags, true);
	let at = 84;
	for (const record of records) {
		bytes.set(record, at);
		at += record.length;
	}
	return bytes;
}

/** A row of the table. */
export function rowOf({ offset = 0, startUs, timeMs, flags = 0, activity = 0, events = 0 }) {
	const bytes = new Uint8Array(34);
	const view = new DataView(bytes.buffer);
	u64(view, 0, offset);
	u64(view, 8, startUs);
	u64(view, 16, timeMs);
	view.setUint32(24, flags, true);
	view.setUint32(28, activity, true);
	view.setUint16(32, events, true);
	return bytes;
}
