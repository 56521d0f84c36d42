/*
 * The chunks of a recording, read as hostile input: by hand what must be taken and refused, then bytes that nobody
 * meant.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";
import { Random } from "./random.js";
import { chunkOf, recordOf, rowOf } from "./recordings.js";

const { CHUNK_MAX, EVENT, INPUT, Joiner, KEY, META, parseChunk, parseObject, parseRows, SENT } = await load("player/chunk.js");
const { INCOMING_MAX, ProtocolError } = await load("core/codec.js");

const ROUNDS = 20000;
const text = (value) => new TextEncoder().encode(value);
const refuses = (bytes, what) => assert.throws(() => parseChunk(bytes), ProtocolError, what);

test("a chunk is read", () => {
	const payload = text("{}");
	const chunk = parseChunk(chunkOf({ session: "0123456789abcdef0123456789abcdef", sequence: 7, timeMs: 1700000000123,
		startUs: 5000000, flags: 3 }, [
		recordOf(META, { payload }), recordOf(SENT, { viewer: 3, delta: 1000, payload: new Uint8Array(0) }),
		recordOf(KEY, { delta: 1000, flags: 1, payload }),
	]));
	assert.deepEqual({ ...chunk, records: 0 }, { session: "0123456789abcdef0123456789abcdef", sequence: 7,
		timeMs: 1700000000123, startUs: 5000000, key: true, last: true, records: 0, size: 84 + 3 * 12 + 4 });
	assert.deepEqual(chunk.records.map(({ kind, viewer, more, timeUs, payload: { length } }) =>
		[kind, viewer, more, timeUs, length]),
	[[META, 0, false, 5000000, 2], [SENT, 3, false, 5001000, 0], [KEY, 0, true, 5001000, 2]]);
});

test("a record that is late does not turn the time back", () => {
	const { records } = parseChunk(chunkOf({ startUs: 100 }, [recordOf(SENT, { delta: 50 }), recordOf(INPUT, { delta: 20 })]));
	assert.deepEqual(records.map(({ timeUs }) => timeUs), [150, 150]);
});

test("what is not a chunk is refused", () => {
	const good = chunkOf({}, [recordOf(SENT, { payload: text("abc") })]);
	const changed = (at, ...values) => {
		const copy = good.slice();
		copy.set(values, at);
		return copy;
	};
	parseChunk(good);
	for (let length = 0; length < good.length; length++)
		if (length !== 84)
			refuses(good.subarray(0, length), `cut to ${length}`);
	refuses(changed(7, 0x32), "another version");
	refuses(changed(31, 1), "sequence");
	refuses(changed(26, 0x0f, 0x42, 0x40), "sequence of a million");
	refuses(changed(39, 0xff), "wall clock");
	refuses(changed(47, 0xff), "time");
	refuses(changed(80, 4), "flags");
	for (const kind of [0, 7, 255])
		refuses(changed(84, kind), `kind ${kind}`);
	refuses(changed(85, 4), "viewer");
	refuses(changed(86, 2), "flags of a record");
	refuses(changed(92, 4), "a payload that is cut off");
	refuses(changed(92, 0, 0, 0x10, 0x80), "a payload over the limit");
	refuses(new Uint8Array(CHUNK_MAX + 1), "too large");
	const large = chunkOf({}, [recordOf(SENT, { payload: new Uint8Array(1024 * 1024 + 1) })]);
	refuses(large, "a payload over the limit that is there");
});

test("payloads go over several records, each kind and viewer for itself", () => {
	const joiner = new Joiner();
	const add = (kind, viewer, more, value) => {
		const whole = joiner.add({ kind, viewer, more, timeUs: 0, payload: text(value) });
		return whole && new TextDecoder().decode(whole);
	};
	assert.equal(add(KEY, 0, true, "a"), null);
	assert.equal(add(SENT, 0, false, "x"), "x");
	assert.equal(add(KEY, 1, true, "1"), null);
	assert.equal(add(KEY, 0, true, "b"), null);
	assert.equal(add(KEY, 1, false, "2"), "12");
	assert.equal(add(KEY, 0, false, "c"), "abc");
	assert.equal(add(KEY, 0, true, "lost"), null);
	joiner.clear();
	assert.equal(add(KEY, 0, false, "d"), "d");
});

test("no payload grows over what a message may have", () => {
	const joiner = new Joiner();
	const payload = new Uint8Array(1024 * 1024);
	let bytes = 0;
	assert.throws(() => {
		for (;;) {
			joiner.add({ kind: SENT, viewer: 0, more: true, timeUs: 0, payload });
			bytes += payload.length;
		}
	}, ProtocolError);
	assert.ok(bytes <= INCOMING_MAX && bytes > INCOMING_MAX - payload.length);
	/* And it is forgotten. */
	assert.deepEqual(joiner.add({ kind: SENT, viewer: 0, more: false, timeUs: 0, payload: text("x") }), text("x"));
});

test("events and meta are JSON objects", () => {
	assert.deepEqual(parseObject(text('{"event":"locked"}')), { event: "locked" });
	for (const bad of ["", "[]", "null", "1", "{", '"x"', "{}}"])
		assert.throws(() => parseObject(text(bad)), ProtocolError, bad);
	assert.throws(() => parseObject(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), ProtocolError, "not UTF-8");
	assert.throws(() => parseObject(text(`{"event":"${"x".repeat(70000)}"}`)), ProtocolError, "too long");
});

test("the table is read", () => {
	const row = { startUs: 5000000, timeMs: 1700000000123, flags: 1, activity: 4000000000, events: 65535 };
	assert.deepEqual(parseRows(new Uint8Array([...rowOf({ offset: 9, ...row }), ...rowOf(row)])), [row, row]);
	assert.deepEqual(parseRows(new Uint8Array(0)), []);
	assert.throws(() => parseRows(rowOf(row).subarray(1)), ProtocolError);
	for (const at of [7, 15, 23]) {
		const bad = rowOf(row);
		bad[at] = 0xff;
		assert.throws(() => parseRows(bad), ProtocolError, `at ${at}`);
	}
});

test("whatever the bytes are: records inside of them, or refused", () => {
	const random = new Random(0xc4a11);
	const samples = [
		chunkOf({ flags: 1 }, [recordOf(META, { payload: text('{"version":1}') }), recordOf(KEY, { flags: 1, payload: random.bytes(60) }),
			recordOf(KEY, { delta: 7, payload: random.bytes(40) })]),
		chunkOf({ sequence: 9, startUs: 77 }, [recordOf(SENT, { viewer: 1, payload: random.bytes(200) }),
			recordOf(EVENT, { delta: 900000, payload: text('{"event":"resize"}') })]),
		chunkOf({}, []),
	];
	let read = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const bytes = random.below(8) ? random.mutated(random.of(samples)) :
			new Uint8Array([...samples[0].subarray(0, 84), ...random.bytes(random.below(80))]);
		try {
			const { records, size, startUs } = parseChunk(bytes);
			let before = startUs;
			let payloads = 0;
			for (const { timeUs, payload } of records) {
				assert.ok(timeUs >= before && timeUs <= startUs + 0xffffffff);
				before = timeUs;
				payloads += 12 + payload.length;
				assert.equal(payload.buffer, bytes.buffer, "a view, no copy");
			}
			assert.equal(84 + payloads, size);
			read++;
		} catch (error) {
			assert.ok(error instanceof ProtocolError, `round ${round}: ${error.stack}`);
		}
	}
	/* Else the changes never get past the first check. */
	assert.ok(read > ROUNDS / 10 && read < ROUNDS, `${read} were read`);
});
