import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { Assembler } = await load("core/assembler.js");
const { ProtocolError, INCOMING_MAX } = await load("core/codec.js");

const packet = (more, ...bytes) => new Uint8Array([more, ...bytes]);

test("one packet is one message", () => {
	assert.deepEqual(new Assembler().add(packet(0, 1, 2, 3)), new Uint8Array([1, 2, 3]));
});

test("packets are put together byte by byte, and the next message starts afresh", () => {
	const assembler = new Assembler();
	for (let round = 0; round < 2; round++) {
		for (let i = 0; i < 99; i++)
			assert.equal(assembler.add(packet(1, i)), null);
		const message = assembler.add(packet(0, 99));
		assert.deepEqual([...message], [...Array(100).keys()]);
	}
});

test("a packet without content, with another flag, or too long is refused", () => {
	for (const bad of [packet(), packet(0), packet(2, 1), new Uint8Array(65537)])
		assert.throws(() => new Assembler().add(bad), ProtocolError);
	assert.equal(new Assembler().add(new Uint8Array(65536)).length, 65535);
});

test("a message that never ends is refused at the ceiling", () => {
	const assembler = new Assembler();
	const large = new Uint8Array(65536);
	large[0] = 1;
	assert.throws(() => {
		for (let bytes = 0; bytes <= INCOMING_MAX; bytes += 65535)
			assembler.add(large);
	}, ProtocolError);
});
