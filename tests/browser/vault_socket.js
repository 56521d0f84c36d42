/*
 * For test_player.js, in the player's worker: a WebSocket behind which the test's server is the vault. Loaded before the
 * viewer's own worker.js, which cannot tell the difference.
 */
const PIECE = 60000;
const [INFO, TABLE, DATA, ERROR] = [0x0b01, 0x0b02, 0x0b03, 0x0b04];
const START = 0x0c01;

/** A message: its id, then numbers as [bytes, value], and bytes as they are. */
function message(id, ...fields) {
	const parts = [[2, id], ...fields].map((field) => {
		if (field instanceof Uint8Array)
			return field;
		const bytes = new Uint8Array(field[0]);
		for (let at = 0; at < field[0]; at++)
			bytes[at] = Math.floor(field[1] / 256 ** at);
		return bytes;
	});
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole.buffer;
}

const blob = (bytes) => [[4, bytes.length], bytes];
const text = (value) => {
	const bytes = new TextEncoder().encode(value);
	return [[4, bytes.length], bytes, new Uint8Array(1)];
};

/** What was recorded, all of it at once: the test measures the player and not the test's server. */
async function load() {
	const get = async (what) => new Uint8Array(await (await fetch(`/recording/${what}`)).arrayBuffer());
	const info = await (await fetch("/recording/info")).json();
	return { ...info, rows: await get("table"), minutes: await get("minutes") };
}

/** A chunk of one of the minutes, as if it had been recorded at this place. */
function chunkOf({ minutes, places }, sequence) {
	const { at, length, startUs, timeMs } = places[sequence];
	const bytes = minutes.slice(at, at + length);
	const view = new DataView(bytes.buffer);
	[[24, sequence], [32, timeMs], [40, startUs]].forEach(([field, value]) => view.setBigUint64(field, BigInt(value), true));
	return bytes;
}

class VaultSocket {
	static CONNECTING = 0;
	static OPEN = 1;
	readyState = VaultSocket.CONNECTING;
	#line = Promise.resolve();
	#recording = load();

	constructor(url, protocol) {
		if (protocol !== "sekisho.1")
			throw new Error(`subprotocol ${protocol}`);
		this.url = url;
		setTimeout(() => {
			this.readyState = VaultSocket.OPEN;
			this.onopen();
		});
	}

	send(bytes) {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const asked = view.getUint16(0, true) === START ? this.#info() : this.#chunk(view.getUint32(2, true));
		/* In the order of asking. */
		this.#line = this.#line.then(() => asked).then((messages) => {
			for (const one of messages)
				if (this.readyState === VaultSocket.OPEN)
					this.onmessage({ data: one });
		});
	}

	close() {
		this.readyState = 3;
	}

	async #info() {
		const { session, chunks, verdict, detail, meta, error, rows } = await this.#recording;
		if (error)
			return [message(ERROR, [1, error], ...text(""))];
		const answers = [message(INFO, [2, 1], Uint8Array.from(session), [4, chunks], [1, verdict], ...text(detail),
			...blob(new TextEncoder().encode(JSON.stringify(meta))))];
		const most = Math.floor(PIECE / 34);
		for (let first = 0; first < chunks; first += most)
			answers.push(message(TABLE, [4, first], ...blob(rows.subarray(first * 34, (first + most) * 34))));
		return answers;
	}

	async #chunk(sequence) {
		const recording = await this.#recording;
		const error = recording.errors[sequence];
		if (error)
			return [message(ERROR, [1, error], ...text(String(sequence)))];
		const bytes = chunkOf(recording, sequence);
		const pieces = [];
		for (let at = 0; at < bytes.length; at += PIECE) {
			const piece = bytes.subarray(at, at + PIECE);
			pieces.push(message(DATA, [4, sequence], [4, at], [4, bytes.length], ...blob(piece)));
		}
		return pieces;
	}
}
globalThis.WebSocket = VaultSocket;
