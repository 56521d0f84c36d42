/*
 * Bytes that nobody meant, from a seed: the codec, the assembler and the frame decoder take them or refuse them with
 * their own error, touch nothing that the frame does not name, and keep within their memory.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { apply, frameMessage, frameOf, load, messagesJs, newZstd, u16s, zstdRaw, zstdRun } from "./helpers.js";

const { Assembler } = await load("core/assembler.js");
const { decode, ProtocolError, INCOMING_MAX } = await load("core/codec.js");
const { FrameDecoder, MAX_HEIGHT, MAX_RECTS, MAX_WIDTH } = await load("core/decoder.js");
const { TO_VIEWER } = await load("core/messages.js");
const zstd = await newZstd();

const ROUNDS = 20000;
const WIDTH = 48;
const HEIGHT = 32;
/* All desktops here are small or flat; a length that is believed before it is checked shows as gigabytes. */
const RSS_MAX = 256 * 1024 * 1024;

/* xorshift32: the same bytes on every machine, so that a failure can be seen again. */
class Random {
	#state;

	constructor(seed) {
		this.#state = seed;
	}

	/** 0 to limit - 1 */
	below(limit) {
		this.#state ^= this.#state << 13;
		this.#state ^= this.#state >>> 17;
		this.#state ^= this.#state << 5;
		return (this.#state >>> 0) % limit;
	}

	bytes(length) {
		return Uint8Array.from({ length }, () => this.below(256));
	}

	of(list) {
		return list[this.below(list.length)];
	}
}

const EDGES = [0, 1, 2, 3, 8, 12, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A few changes to a copy: bits, bytes, numbers at the edges, cuts, repetitions. */
function mutated(bytes, random) {
	let copy = bytes.slice();
	for (let changes = 1 + random.below(3); changes > 0 && copy.length > 0; changes--) {
		const at = random.below(copy.length);
		const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
		switch (random.below(6)) {
		case 0:
			copy[at] ^= 1 << random.below(8);
			break;
		case 1:
			copy[at] = random.below(256);
			break;
		case 2:
			if (at + 2 <= copy.length)
				view.setUint16(at, random.of(EDGES) & 0xffff, true);
			break;
		case 3:
			if (at + 4 <= copy.length)
				view.setUint32(at, random.of(EDGES), true);
			break;
		case 4:
			copy = copy.slice(0, at);
			break;
		case 5:
			copy = new Uint8Array([...copy.subarray(0, at), ...copy.subarray(at, at + 16), ...copy.subarray(at)]);
			break;
		}
	}
	return copy;
}

/** What does it; true when it is refused, and a failure when anything else goes wrong. */
function refused(action, what) {
	try {
		action();
		return false;
	} catch (error) {
		assert.ok(error instanceof ProtocolError, `${what}: ${error.stack}`);
		return true;
	}
}

/* A valid message of every type, from the gateway's own codec. */
const samples = execFileSync(messagesJs, ["--sample"], { encoding: "utf8" }).trim().split("\n").map((line) => JSON.parse(line))
	.filter(({ name }) => name in TO_VIEWER).map(({ hex }) => new Uint8Array(Buffer.from(hex, "hex")));

const pixel = (x, y) => [(x * 7) & 0xff, (y * 11) & 0xff, (x * y) & 0xff];
const size = { width: WIDTH, height: HEIGHT, pixel };
const key = frameOf({ ...size, keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]] });
const frames = [
	key,
	frameOf({ ...size, rects: [[3, 4, 10, 7], [20, 20, 5, 5]] }),
	frameOf({ ...size, copies: [[0, 0, 5, 5, 20, 10]], rects: [[40, 0, 8, 8]] }),
	frameOf({ ...size, data: new Uint8Array(0) }),
	frameOf({ width: 30, height: 20, pixel, keyframe: 1, rects: [[0, 0, 30, 10], [0, 10, 30, 10]] }),
];
const messages = frames.map(frameMessage);

test("the frames that are mutated are themselves valid", () => {
	for (const [index, message] of messages.entries()) {
		const decoder = new FrameDecoder(zstd);
		apply(decoder, key);
		const read = decode(message);
		assert.equal(read.name, "frame");
		assert.equal(read.fields.keyframe, frames[index].keyframe);
		apply(decoder, read.fields);
	}
});

test("the codec refuses what it cannot read, whatever it is", () => {
	const random = new Random(0x5e41540);
	let read = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const bytes = random.below(4) ? mutated(random.of(samples), random) : random.bytes(random.below(200));
		read += refused(() => decode(bytes), `round ${round}`) ? 0 : 1;
	}
	/* Else the mutations never get past the first check. */
	assert.ok(read > ROUNDS / 50 && read < ROUNDS, `${read} were read`);
});

test("the assembler gives back whole messages within its ceiling", () => {
	const random = new Random(0x77aa1);
	let assembler = new Assembler();
	let bytes = 0;
	let whole = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const packet = random.bytes(random.below(40));
		/* Mostly with a flag that is one: else hardly two packets come together. */
		if (packet.length > 0 && random.below(8))
			packet[0] = random.below(5) ? 1 : 0;
		if (round % 500 === 0) {
			assembler = new Assembler();
			bytes = 0;
		}
		let message = null;
		if (refused(() => { message = assembler.add(packet); }, `round ${round}`))
			continue;
		bytes += packet.length - 1;
		assert.ok(bytes <= INCOMING_MAX);
		assert.equal(message !== null, packet[0] === 0);
		if (message) {
			assert.equal(message.length, bytes, `round ${round}`);
			bytes = 0;
			whole++;
		}
	}
	assert.ok(whole > 500, `${whole} messages`);
});

/** Whether a pixel is in one of the rectangles that a frame has changed. */
function isIn(changed, x, y) {
	return changed.some((rect) => x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height);
}

/** One frame: refused it changes nothing, taken it changes what it names, and everything is inside. */
function applyOne(decoder, frame, what) {
	const before = { width: decoder.width, height: decoder.height, pixels: Buffer.from(decoder.pixels) };
	let result = null;
	if (refused(() => { result = apply(decoder, frame); }, what)) {
		assert.deepEqual([decoder.width, decoder.height], [before.width, before.height], what);
		assert.ok(before.pixels.equals(Buffer.from(decoder.pixels.buffer)), `${what}: a refused frame was drawn`);
		return false;
	}
	const { width, height, pixels } = decoder;
	assert.ok(width >= 1 && height >= 1 && width <= MAX_WIDTH && height <= MAX_HEIGHT, what);
	assert.equal(pixels.length, width * height * 4, what);
	for (const rect of result.changed)
		assert.ok(rect.x + rect.width <= width && rect.y + rect.height <= height, `${what}: outside`);
	if (result.resized)
		return true;
	const after = new Int32Array(pixels.buffer);
	const words = new Int32Array(before.pixels.buffer, before.pixels.byteOffset, after.length);
	for (let at = 0; at < after.length; at++) {
		if (after[at] !== words[at])
			assert.ok(isIn(result.changed, at % width, Math.floor(at / width)), `${what}: pixel ${at} has changed`);
	}
	return true;
}

test("the decoder draws within the desktop or refuses without a trace", () => {
	const random = new Random(0xf4a3e5);
	let decoder = new FrameDecoder(zstd);
	apply(decoder, key);
	let drawn = 0;
	for (let round = 0; round < ROUNDS / 2; round++) {
		const bytes = random.below(8) ? mutated(random.of(messages), random) :
			new Uint8Array([...messages[0].subarray(0, 15), ...random.bytes(random.below(120))]);
		let message = null;
		if (refused(() => { message = decode(bytes); }, `round ${round}`) || message.name !== "frame")
			continue;
		drawn += applyOne(decoder, message.fields, `round ${round}`) ? 1 : 0;
		if (decoder.width !== WIDTH || decoder.height !== HEIGHT) {
			decoder = new FrameDecoder(zstd);
			apply(decoder, key);
		}
	}
	assert.ok(drawn > ROUNDS / 100, `${drawn} were drawn`);
	/* And it still works. */
	apply(decoder, key);
	const expected = pixel(5, 6);
	assert.deepEqual([...decoder.pixels.subarray((6 * WIDTH + 5) * 4, (6 * WIDTH + 5) * 4 + 3)], expected);
});

const SIDES = [0, 1, 2, 8, WIDTH, HEIGHT, 4320, 4321, 7680, 7681, 65535];

/** A frame whose parts mostly agree, so that the checks behind the first one are reached as well. */
function inventedFrame(random) {
	const same = random.below(3) > 0;
	const width = same ? WIDTH : random.of(SIDES);
	const height = same ? HEIGHT : random.below(3) ? 1 : random.of([0, 2, 4320, 4321]);
	const place = () => [random.below(WIDTH + 2), random.below(HEIGHT + 2), random.below(20), random.below(20)];
	const whole = [0, 0, width, height];
	const rects = random.below(2) ? Array.from({ length: random.below(6) }, place) :
		random.below(5) ? [whole] : [whole, [0, 0, 1, 1]];
	const copy = () => (random.below(4) ? [random.below(8), random.below(8), ...place()] : [0, 0, ...whole]);
	const copies = random.below(3) ? [] : Array.from({ length: 1 + random.below(3) }, copy);
	/* Up to twice what may be moved, in copies that are all right by themselves. */
	if (random.below(20) === 0)
		copies.splice(0, copies.length, ...Array.from({ length: 1 + random.below(8) }, () => [0, 0, ...whole]));
	let raw_size = 0;
	for (const [, , w, h] of rects)
		raw_size += 3 * w * h;
	if (raw_size > 1 << 20)
		raw_size = 3;
	const claimed = random.below(10) ? raw_size : random.of([0, raw_size + 3, 3, 0xffffffff]);
	const unpacked = random.below(10) ? raw_size : raw_size + 1;
	return { sequence: 1, time_us: 0n, keyframe: random.below(2), width, height, copies: u16s(...copies.flat()),
		rects: u16s(...rects.flat()), raw_size: claimed,
		data: new Uint8Array(unpacked ? zstdRun(0, unpacked) : zstdRaw(Buffer.alloc(0))),
		pictures: new Uint8Array(0), picture_data: new Uint8Array(0) };
}

/** docs/protocol.md, "Frames", once more and in other words: whether a decoder of this size must take the frame. */
function isLegal({ width, height, keyframe, copies, rects, raw_size, data }, decoder) {
	const inside = (x, y, w, h) => w > 0 && h > 0 && x + w <= width && y + h <= height;
	const numbers = (bytes) => [...new Uint16Array(bytes.slice().buffer)];
	const desktop = width * height;
	const resized = width !== decoder.width || height !== decoder.height;
	let area = 0;
	let moved = 0;
	let fine = width > 0 && height > 0 && width <= 7680 && height <= 4320;
	for (let list = numbers(rects); list.length > 0; list = list.slice(4)) {
		fine &&= inside(...list);
		area += list[2] * list[3];
	}
	for (let list = numbers(copies); list.length > 0; list = list.slice(6)) {
		fine &&= inside(list[2], list[3], list[4], list[5]) && inside(list[0], list[1], list[4], list[5]);
		moved += list[4] * list[5];
	}
	const unpacked = Number(new DataView(data.buffer, data.byteOffset).getBigUint64(5, true));
	return fine && raw_size === 3 * area && unpacked === raw_size && area <= desktop && moved <= 4 * desktop &&
		(keyframe !== 1 || area === desktop) && (!resized || (keyframe === 1 && copies.length === 0)) &&
		rects.length <= MAX_RECTS * 8;
}

test("what the protocol allows is drawn, what it does not allow is refused", () => {
	const random = new Random(0x9e3779b9);
	const outcomes = { drawn: 0, refused: 0 };
	let decoder = null;
	for (let round = 0; round < ROUNDS / 2; round++) {
		if (decoder?.width !== WIDTH || decoder?.height !== HEIGHT) {
			decoder = new FrameDecoder(zstd);
			apply(decoder, key);
		}
		const frame = inventedFrame(random);
		const legal = isLegal(frame, decoder);
		assert.equal(applyOne(decoder, frame, `round ${round}`), legal, `round ${round}: ${JSON.stringify(frame, plain)}`);
		outcomes[legal ? "drawn" : "refused"]++;
	}
	assert.ok(outcomes.drawn > ROUNDS / 50 && outcomes.refused > ROUNDS / 50, JSON.stringify(outcomes));
});

/* For JSON: bytes as hexadecimal digits. */
function plain(name, value) {
	if (value instanceof Uint8Array)
		return Buffer.from(value).toString("hex").slice(0, 400);
	return typeof value === "bigint" ? Number(value) : value;
}

test("none of it took much memory", () => {
	const used = process.resourceUsage().maxRSS * 1024;
	assert.ok(used < RSS_MAX, `${Math.round(used / 1024 / 1024)} MiB`);
});
