import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { load, messagesJs } from "./helpers.js";

const { decode, encode, ProtocolError, INCOMING_MAX, OUTGOING_MAX } = await load("core/codec.js");
const { TO_VIEWER, FROM_VIEWER, TO_PLAYER, FROM_PLAYER, TO_SAVER } = await load("core/messages.js");

/* One message of every type, encoded by the gateway's own codec. */
const samples = execFileSync(messagesJs, ["--sample"], { encoding: "utf8" }).trim().split("\n").map((line) => {
	const { name, fields, hex } = JSON.parse(line);
	const table = TO_VIEWER[name] ?? FROM_VIEWER[name] ?? TO_PLAYER[name] ?? FROM_PLAYER[name] ?? TO_SAVER[name];
	const typed = {};
	for (const field of table.fields) {
		const value = fields[field.name];
		if (field.type === "u64")
			typed[field.name] = BigInt(value);
		else if (field.type === "blob" || field.type === "fixed")
			typed[field.name] = new Uint8Array(Buffer.from(value, "hex"));
		else
			typed[field.name] = value;
	}
	return { name, fields: typed, bytes: new Uint8Array(Buffer.from(hex, "hex")) };
});
const incoming = samples.filter(({ name }) => name in TO_VIEWER);
const outgoing = samples.filter(({ name }) => name in FROM_VIEWER);
const sample = (name) => samples.find((one) => one.name === name);

/* Blobs are views into the message; compare what is in them. */
function plain(fields) {
	return Object.fromEntries(Object.entries(fields).map(([name, value]) =>
		[name, value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value]));
}

test("there is a sample of every message", () => {
	assert.deepEqual(incoming.map(({ name }) => name), Object.keys(TO_VIEWER));
	assert.deepEqual(outgoing.map(({ name }) => name), Object.keys(FROM_VIEWER));
});

for (const { name, fields, bytes } of incoming) {
	test(`${name} from the gateway's codec is read`, () => {
		const message = decode(bytes);
		assert.equal(message.name, name);
		assert.deepEqual(plain(message.fields), plain(fields));
	});

	test(`${name} is refused when a byte is missing or too many`, () => {
		for (let length = 0; length < bytes.length; length++)
			assert.throws(() => decode(bytes.subarray(0, length)), ProtocolError, `${length} bytes`);
		assert.throws(() => decode(new Uint8Array([...bytes, 0])), ProtocolError);
	});
}

for (const { name, fields, bytes } of outgoing) {
	test(`${name} is written as the gateway's codec does`, () => {
		assert.deepEqual(Buffer.from(encode(name, fields)), Buffer.from(bytes));
	});
}

test("unknown ids and the viewer's own messages are refused", () => {
	assert.throws(() => decode(new Uint8Array([0xff, 0x08])), ProtocolError);
	assert.throws(() => decode(sample("ping").bytes), ProtocolError);
});

test("a blob over its limit is refused before it is looked for", () => {
	const bytes = sample("cursor").bytes.slice();
	new DataView(bytes.buffer).setUint32(2 + 8, 1024 * 1024 + 1, true);
	assert.throws(() => decode(bytes), /allowed are 1048576/);
});

test("strings must be UTF-8 with one NUL after them", () => {
	const { bytes } = sample("hello");
	const text = 2 + 2 + 16 + 4;
	const length = new DataView(bytes.buffer).getUint32(text - 4, true);
	for (const [at, value] of [[text, 0xff], [text, 0], [text + length, 1]]) {
		const broken = bytes.slice();
		broken[at] = value;
		assert.throws(() => decode(broken), ProtocolError);
	}
});

test("a message may lie anywhere in a larger buffer", () => {
	const { bytes, fields } = sample("pong");
	const larger = new Uint8Array(bytes.length + 7);
	larger.set(bytes, 3);
	assert.deepEqual(decode(larger.subarray(3, 3 + bytes.length)).fields, fields);
});

test("values that do not fit are not written", () => {
	assert.throws(() => encode("resize", { width: 65536, height: 1 }), RangeError);
	assert.throws(() => encode("resize", { width: -1, height: 1 }), RangeError);
	assert.throws(() => encode("resize", { width: 1.5, height: 1 }), RangeError);
	assert.throws(() => encode("pointer", { x: 0, y: 0, buttons: 0, wheel_x: 32768, wheel_y: 0 }), RangeError);
	assert.throws(() => encode("text", { text: "あ".repeat(341) + "ab" }), /1025 bytes, allowed are 1024/);
	assert.throws(() => encode("text", { text: "a\0b" }), RangeError);
	assert.ok(encode("text", { text: "あ".repeat(341) }).length <= OUTGOING_MAX);
});

test("the ceiling for a whole message follows from the limits of its fields", () => {
	assert.ok(INCOMING_MAX > 72 * 1024 * 1024 && INCOMING_MAX < 73 * 1024 * 1024);
});
