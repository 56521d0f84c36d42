/*
 * The player's connection to the vault: the messages in both directions, and whatever the other end may send instead.
 */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeSocket } from "./fake_browser.js";
import { load } from "./helpers.js";
import { Random } from "./random.js";
import { rowOf } from "./recordings.js";

const { DamagedChunk, Source, SourceClosed } = await load("player/source.js");

const [INFO, TABLE, DATA, ERROR] = [0x0b01, 0x0b02, 0x0b03, 0x0b04];
const SESSION = "0123456789abcdef0123456789abcdef";

/** A message: its id, then [bytes, number], text or bytes. */
function message(id, ...fields) {
	const u32 = (value) => {
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32LE(value);
		return bytes;
	};
	return new Uint8Array(Buffer.concat([[2, id], ...fields].flatMap((field) => {
		if (typeof field === "string")
			return [u32(Buffer.byteLength(field)), Buffer.from(field), Buffer.alloc(1)];
		if (field instanceof Uint8Array)
			return [field];
		const bytes = Buffer.alloc(field[0]);
		bytes.writeUIntLE(field[1], 0, field[0]);
		return [bytes];
	})));
}

const blob = (bytes) => [[4, bytes.length], new Uint8Array(bytes)];
const info = ({ version = 1, chunks = 3, verdict = 1, detail = "{}", meta = "{}" } = {}) => message(INFO, [2, version],
	new Uint8Array(Buffer.from(SESSION, "hex")), [4, chunks], [1, verdict], detail, ...blob(Buffer.from(meta)));
const row = (startUs) => rowOf({ startUs, timeMs: 1700000000000, flags: 1, activity: 5, events: 1 });
const table = (first, ...starts) => message(TABLE, [4, first], ...blob(Buffer.concat(starts.map(row))));
const data = (sequence, offset, total, bytes) => message(DATA, [4, sequence], [4, offset], [4, total], ...blob(bytes));
const error = (code, detail = "") => message(ERROR, [1, code], detail);

/** A source that is connected. */
function sourceOf() {
	const told = { opened: [], closed: [] };
	const source = new Source("wss://gateway/x", { opened: (...values) => told.opened.push(values), closed: (why) => told.closed.push(why) });
	const [socket] = FakeSocket.all;
	socket.open();
	const hear = (...messages) => messages.forEach((one) => socket.onmessage({ data: one.slice().buffer }));
	return { source, socket, told, hear };
}

/** Whether it was given up as broken. */
const isBroken = ({ told, socket }) => told.closed[0] === "broken" && socket.code === 4002;

beforeEach(() => {
	FakeSocket.all.length = 0;
});

test("it says hello, and gives what the recording is when the table is whole", () => {
	const { socket, told, hear } = sourceOf();
	assert.deepEqual(socket.sent.map((bytes) => bytes.toString("hex")), ["010c0100"]);
	hear(info({ verdict: 2, detail: '{"fault":"no-end","first":1,"last":2,"proven":1,"chunks":3}', meta: '{"account":"sato"}' }),
		table(0, 0, 1000000));
	assert.equal(told.opened.length, 0);
	hear(table(2, 2000000));
	const [[got, rows]] = told.opened;
	assert.deepEqual(got, { session: SESSION, chunks: 3, verdict: "amber", proof: { fault: "no-end", first: 1, last: 2, proven: 1,
		chunks: 3 }, meta: { account: "sato" } });
	assert.deepEqual(rows.map(({ startUs }) => startUs), [0, 1000000, 2000000]);
	assert.deepEqual(told.closed, []);
});

test("a verdict that is not known is red, and what cannot be read is empty", () => {
	const { told, hear } = sourceOf();
	hear(info({ chunks: 1, verdict: 9, detail: "rubbish", meta: "[1]" }), table(0, 0));
	const [[got]] = told.opened;
	assert.deepEqual([got.verdict, got.proof.fault, got.meta], ["red", "", {}]);
});

test("chunks come in pieces, in the order of asking", async () => {
	const { source, socket, hear } = sourceOf();
	hear(info(), table(0, 0, 1, 2));
	const [first, second] = [source.chunk(2), source.chunk(0)];
	assert.deepEqual(socket.take(0x0c02).map((bytes) => bytes.readUInt32LE(2)), [2, 0]);
	hear(data(2, 0, 5, [1, 2, 3]), data(2, 3, 5, [4, 5]), data(0, 0, 1, [9]));
	assert.deepEqual([[...await first], [...await second]], [[1, 2, 3, 4, 5], [9]]);
});

test("what is recorded meanwhile comes when it is asked for", async () => {
	const { source, socket, told, hear } = sourceOf();
	hear(info(), table(0, 0, 1, 2));
	const nothing = source.more();
	assert.equal(socket.take(0x0c03).length, 1);
	hear(table(3));
	assert.deepEqual(await nothing, []);
	const more = source.more();
	hear(table(3, 5, 6));
	assert.deepEqual((await more).map(({ startUs }) => startUs), [5, 6]);
	assert.equal(told.opened[0][1].length, 3, "who has the first ones adds them");
	const back = source.more();
	hear(table(5, 4));
	await assert.rejects(back, SourceClosed);
	assert.deepEqual(told.closed, ["broken"]);
});

test("a damaged chunk is one that was asked for, and the others go on", async () => {
	const { source, told, hear } = sourceOf();
	hear(info(), table(0, 0, 1, 2));
	const [first, second] = [source.chunk(1), source.chunk(2)];
	hear(error(2, "1"), data(2, 0, 1, [7]));
	await assert.rejects(first, DamagedChunk);
	assert.deepEqual([...await second], [7]);
	assert.deepEqual(told.closed, []);
});

for (const [code, reason] of [[1, "sealed"], [3, "ended"], [4, "foreign"], [77, "ended"]]) {
	test(`the vault ends it: ${reason} (${code})`, async () => {
		const { source, told, hear, socket } = sourceOf();
		const asked = source.chunk(0);
		hear(error(code));
		await assert.rejects(asked, SourceClosed);
		await assert.rejects(source.chunk(1), SourceClosed);
		socket.onclose({ code: 4000 });
		assert.deepEqual(told.closed, [reason]);
	});
}

for (const [code, reason] of [[4000, "ended"], [4001, "login"], [4002, "broken"], [1006, "lost"], [1013, "lost"]]) {
	test(`the connection ends: ${reason} (${code})`, async () => {
		const { source, told, socket } = sourceOf();
		const asked = source.chunk(0);
		socket.onclose({ code });
		await assert.rejects(asked, SourceClosed);
		assert.deepEqual(told.closed, [reason]);
	});
}

test("closing tells nobody", async () => {
	const { source, told, socket } = sourceOf();
	const asked = source.chunk(0);
	source.close();
	await assert.rejects(asked, SourceClosed);
	socket.onclose({ code: 1000 });
	assert.deepEqual([told.closed, socket.code], [[], 1000]);
});

const wrong = {
	"another version": [info({ version: 2 })],
	"no chunks": [info({ chunks: 0 })],
	"too many chunks": [info({ chunks: 1000001 })],
	"two beginnings": [info(), info()],
	"a table before the beginning": [table(0, 0)],
	"a gap in the table": [info(), table(1, 0)],
	"a table with too much": [info({ chunks: 1 }), table(0, 0, 1)],
	"a table after it was whole": [info({ chunks: 1 }), table(0, 0), table(1, 2)],
	"a table that goes back in time": [info(), table(0, 5, 4)],
	"a row that is cut off": [info(), message(TABLE, [4, 0], ...blob(row(0).subarray(1)))],
	"data that nobody asked for": [info(), data(0, 0, 1, [1])],
	"damage that nobody asked for": [info(), error(2)],
	"a message of another stream": [new Uint8Array([7, 8, 0])],
	"nothing": [new Uint8Array(0)],
};
for (const [what, messages] of Object.entries(wrong)) {
	test(`what breaks the protocol ends it: ${what}`, () => {
		const one = sourceOf();
		one.hear(...messages);
		assert.ok(isBroken(one), JSON.stringify(one.told));
	});
}

const pieces = {
	"of another chunk": data(1, 0, 5, [1]),
	"not the next": data(0, 1, 5, [1]),
	"empty": data(0, 0, 5, []),
	"of nothing": data(0, 0, 0, []),
	"longer than the whole": data(0, 0, 2, [1, 2, 3]),
	"of a whole that is too long": data(0, 0, 2 * 1024 * 1024 + 1, [1]),
};
for (const [what, piece] of Object.entries(pieces)) {
	test(`a wrong piece ends it: ${what}`, async () => {
		const one = sourceOf();
		const asked = one.source.chunk(0);
		one.hear(piece);
		assert.ok(isBroken(one));
		await assert.rejects(asked, SourceClosed);
	});
}

test("a whole that changes its size ends it", async () => {
	const one = sourceOf();
	const asked = one.source.chunk(0);
	one.hear(data(0, 0, 5, [1]), data(0, 1, 6, [2]));
	assert.ok(isBroken(one));
	await assert.rejects(asked, SourceClosed);
});

test("text instead of bytes ends it", () => {
	const one = sourceOf();
	one.socket.onmessage({ data: "hello" });
	assert.ok(isBroken(one));
});

test("whatever comes: it is taken or ends the connection, and throws nothing", async () => {
	const random = new Random(0x50a4ce);
	const samples = [info(), info({ chunks: 1 }), table(0, 0, 1, 2), table(1, 4), data(0, 0, 5, [1, 2, 3]), data(0, 3, 5, [4, 5]), error(2, "0")];
	let ended = 0;
	for (let round = 0; round < 3000; round++) {
		FakeSocket.all.length = 0;
		const one = sourceOf();
		const asked = one.source.chunk(0).catch(() => {});
		for (let count = 1 + random.below(5); count > 0; count--) {
			const sample = random.of(samples);
			one.hear(random.below(3) ? random.mutated(sample) : sample);
		}
		ended += one.told.closed.length;
		assert.ok(one.told.closed.length <= 1 && one.told.opened.length <= 1);
		one.source.close();
		await asked;
	}
	assert.ok(ended > 100 && ended < 3000, `${ended} were ended`);
});
