/*
 * Bytes that nobody meant, from a seed: the codec, the assembler and the frame decoder take them or refuse them with
 * their own error, touch nothing that the frame does not name, and keep within their memory.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { accessUnit, jpegHead, pps, slice, sps } from "./bitstream.js";
import { apply, frameMessage, frameOf, load, messagesJs, newZstd, picturesOf, u16s, zstdRaw, zstdRun } from "./helpers.js";
import { Random } from "./random.js";

const { Assembler } = await load("core/assembler.js");
const { decode, ProtocolError, INCOMING_MAX } = await load("core/codec.js");
const { FrameDecoder, MAX_HEIGHT, MAX_RECTS, MAX_WIDTH } = await load("core/decoder.js");
const { checkAccessUnit } = await load("core/h264.js");
const { checkJpeg } = await load("core/jpeg.js");
const { TO_VIEWER } = await load("core/messages.js");
const { H264, JPEG, MAX_PARTS } = await load("core/pictures.js");
const zstd = await newZstd();

const ROUNDS = 20000;
const WIDTH = 48;
const HEIGHT = 32;
/* All desktops here are small or flat; a length that is believed before it is checked shows as gigabytes. */
const RSS_MAX = 256 * 1024 * 1024;

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
	frameOf({ ...size, rects: [[0, 0, 5, 5]], ...picturesOf(
		{ codec: JPEG, rect: [10, 4, 20, 10], clips: [[10, 4, 3, 3], [15, 5, 15, 9]], data: jpegHead({ width: 20, height: 10 }) },
		{ codec: H264, stream: 3, key: 1, rect: [31, 15, 15, 16], data: accessUnit({ width: 16, height: 16 }) }) }),
	frameOf({ ...size, copies: [[0, 0, 5, 5, 20, 10]], ...picturesOf(
		{ codec: H264, rect: [0, 0, 16, 16], data: accessUnit({ number: 1, width: 16, height: 16 }) }) }),
];
const messages = frames.map(frameMessage);

test("the frames that are mutated are themselves valid", () => {
	for (const [index, message] of messages.entries()) {
		const decoder = new FrameDecoder(zstd);
		apply(decoder, key);
		const read = decode(message);
		assert.equal(read.name, "frame");
		assert.equal(read.fields.keyframe, frames[index].keyframe);
		apply(decoder, read.fields, CODECS, decodedOf(read.fields));
	}
});

test("the codec refuses what it cannot read, whatever it is", () => {
	const random = new Random(0x5e41540);
	let read = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const bytes = random.below(4) ? random.mutated(random.of(samples)) : random.bytes(random.below(200));
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

const CODECS = JPEG | H264;
const WHITE = -1;

/** What decoding its pictures gives, as far as the table can be read: JPEGs are white. */
function decodedOf({ pictures }) {
	const decoded = [];
	const view = new DataView(pictures.buffer, pictures.byteOffset, pictures.byteLength);
	for (let at = 0; at + 20 <= view.byteLength; at += 20 + 8 * view.getUint16(at + 12, true)) {
		const [width, height] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
		decoded.push(view.getUint8(at) === JPEG ? new Int32Array(Math.min(width * height, WIDTH * HEIGHT)).fill(WHITE) : null);
	}
	return decoded;
}

/** Whether a pixel is in one of the rectangles that a frame has changed. */
function isIn(changed, x, y) {
	return changed.some((rect) => x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height);
}

/** One frame: refused it changes nothing, taken it changes what it names, and everything is inside. */
function applyOne(decoder, frame, what) {
	const before = { width: decoder.width, height: decoder.height, pixels: Buffer.from(decoder.pixels) };
	let result = null;
	if (refused(() => { result = apply(decoder, frame, CODECS, decodedOf(frame)); }, what)) {
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
		const bytes = random.below(8) ? random.mutated(random.of(messages)) :
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
	const pictured = inventedPictures(random);
	const some = pictured.pictures.length > 0;
	const rects = random.below(2) || some ? Array.from({ length: random.below(some ? 2 : 6) }, place) :
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
	return { sequence: 1, time_us: 0n, keyframe: random.below(some ? 12 : 2) === 1 ? 1 : 0, width, height, copies: u16s(...copies.flat()),
		rects: u16s(...rects.flat()), raw_size: claimed,
		data: new Uint8Array(unpacked ? zstdRun(0, unpacked) : zstdRaw(Buffer.alloc(0))), ...pictured };
}

/* Pictures that are right in themselves: what they look like in bytes, by codec, key and size. */
const contents = new Map();

function contentOf(codec, isKey, width, height) {
	const name = [codec, isKey, width, height].join();
	if (!contents.has(name))
		contents.set(name, codec === JPEG ? jpegHead({ width, height }) :
			accessUnit({ number: isKey ? 0 : 1, width: width + width % 2, height: height + height % 2 }));
	return contents.get(name);
}

/* A frame has pictures in a third of the rounds, and then mostly sensible ones. */
function inventedPictures(random) {
	const count = random.below(3) ? 0 : 1 + random.below(3);
	const odd = (usual, ...others) => (random.below(80) ? usual : random.of(others));
	const pictures = Array.from({ length: count }, (_, index) => {
		const codec = 1 + random.below(2);
		const isKey = codec === H264 ? random.below(2) : 0;
		const width = 1 + random.below(14);
		const height = 1 + random.below(14);
		const rect = [16 * index + random.below(4), random.below(20), odd(width, 0, width + 1, 60), odd(height, 0, height + 2)];
		const clips = random.below(2) ? [] : Array.from({ length: 1 + random.below(3) }, () =>
			[rect[0] + random.below(width), rect[1] + random.below(height), odd(1, 0, 5), odd(1, 0, 5)]);
		const data = odd(contentOf(codec, isKey, width, height), contentOf(3 - codec, 0, width, height),
			contentOf(codec, 1 - isKey, width, height), contentOf(codec, isKey, width + 2, height), new Uint8Array(0));
		return { codec: odd(codec, 0, 3, 4, 255), stream: odd(codec === H264 ? index : 0, 1, 3, 4, 255), key: odd(isKey, 1, 2),
			zero: odd(0, 1), zeros: odd(0, 1), rect, clips, data, length: odd(data.length, 0, data.length + 1, 0xffffffff) };
	});
	const made = picturesOf(...pictures);
	return { pictures: made.pictures.subarray(0, odd(made.pictures.length, random.below(made.pictures.length + 1))),
		picture_data: made.picture_data.subarray(0, odd(made.picture_data.length, 0, 5)) };
}

/** The same rules for pictures, in other words: every pixel has one owner. */
function arePicturesLegal({ width, height, keyframe, rects, pictures, picture_data }) {
	if (pictures.length === 0)
		return picture_data.length === 0;
	const view = new DataView(pictures.buffer, pictures.byteOffset, pictures.byteLength);
	const owners = new Map();
	const paint = (owner, [x, y, w, h]) => {
		let fine = true;
		for (let at = 0; at < w * h; at++) {
			const place = (y + Math.floor(at / w)) * 65536 + x + at % w;
			/* Rectangles may lie on each other, and so may clips of one picture. */
			fine &&= (owners.get(place) ?? owner) === owner;
			owners.set(place, owner);
		}
		return fine;
	};
	const inside = ([x, y, w, h], [left, top, right, bottom]) =>
		w > 0 && h > 0 && x >= left && y >= top && x + w <= right && y + h <= bottom;
	let fine = keyframe !== 1;
	let [at, data, area, parts] = [0, 0, 0, 0];
	const streams = new Set();
	while (fine && at < view.byteLength) {
		if (view.byteLength < at + 20)
			return false;
		const numbers = (from) => [0, 2, 4, 6].map((offset) => view.getUint16(from + offset, true));
		const [codec, stream, isKey, zero] = pictures.subarray(at, at + 4);
		const rect = numbers(at + 4);
		const [x, y, w, h] = rect;
		const [clips, zeros] = [view.getUint16(at + 12, true), view.getUint16(at + 14, true)];
		const length = view.getUint32(at + 16, true);
		const bytes = picture_data.slice(data, data + length);
		if (view.byteLength < at + 20 + clips * 8)
			return false;
		fine = (codec === JPEG && stream === 0 && isKey === 0) || (codec === H264 && stream < 4 && isKey < 2);
		fine &&= zero === 0 && zeros === 0 && length > 0 && bytes.length === length && inside(rect, [0, 0, width, height]);
		fine &&= Buffer.from(bytes).equals(contentOf(codec, isKey, w, h)) ||
			(codec === H264 && [[1, 0], [0, 1], [1, 1]].some(([more, higher]) => (w % 2 === 0) === (more === 0) &&
				(h % 2 === 0) === (higher === 0) && Buffer.from(bytes).equals(contentOf(codec, isKey, w + more, h + higher)))) ||
			/* One that follows does not say its size. */
			(codec === H264 && isKey === 0 && [...contents].some(([name, one]) => name.startsWith("2,0,") &&
				Buffer.from(bytes).equals(one)));
		fine &&= codec === JPEG || !streams.has(stream);
		streams.add(codec === H264 ? stream : -1);
		const list = Array.from({ length: clips }, (_, index) => numbers(at + 20 + 8 * index));
		let clipped = 0;
		for (const clip of list) {
			fine &&= inside(clip, [x, y, x + w, y + h]);
			clipped += clip[2] * clip[3];
		}
		fine &&= clipped <= w * h;
		for (const part of clips ? list : [rect])
			fine &&= paint(at, part);
		at += 20 + clips * 8;
		data += length;
		area += w * h;
		parts += 1 + clips;
	}
	for (let from = 0; from + 8 <= rects.length; from += 8) {
		const [x, y, w, h] = new Uint16Array(rects.slice(from, from + 8).buffer);
		if (fine && [...owners.keys()].some((place) => place % 65536 >= x && place % 65536 < x + w &&
			Math.floor(place / 65536) >= y && Math.floor(place / 65536) < y + h))
			return false;
	}
	return fine && data === picture_data.length && area <= width * height && parts <= MAX_PARTS;
}

/** docs/protocol.md, "Frames", once more and in other words: whether a decoder of this size must take the frame. */
function isLegal(frame, decoder) {
	const { width, height, keyframe, copies, rects, raw_size, data } = frame;
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
		rects.length <= MAX_RECTS * 8 && arePicturesLegal(frame);
}

test("what the protocol allows is drawn, what it does not allow is refused", () => {
	const random = new Random(0x9e3779b9);
	const outcomes = { drawn: 0, refused: 0, pictured: 0, badlyPictured: 0 };
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
		if (frame.pictures.length > 0 && isLegal({ ...frame, pictures: frame.rects.subarray(0, 0),
			picture_data: frame.rects.subarray(0, 0) }, decoder))
			outcomes[legal ? "pictured" : "badlyPictured"]++;
	}
	for (const [outcome, count] of Object.entries(outcomes))
		assert.ok(count > ROUNDS / 200, `${outcome}: ${JSON.stringify(outcomes)}`);
});

/* ---- what pictures are made of ---- */

test("JPEGs and access units are let pass or refused, whatever they are", () => {
	const random = new Random(0x1dea);
	const jpegs = [jpegHead({ width: 20, height: 10 }), jpegHead({ width: 20, height: 10, components: 1,
		before: [0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xdb, 0, 5, 0, 1, 2] })];
	const even = { width: 20, height: 10 };
	const units = [accessUnit(even), accessUnit({ ...even, number: 1 }),
		new Uint8Array(Buffer.concat([sps({ ...even, profile: 100, aspect: [0, 1], level: 0 }), pps(), slice(even)]))];
	let passed = 0;
	for (let round = 0; round < ROUNDS / 4; round++) {
		const bytes = random.mutated(random.of(jpegs));
		passed += refused(() => checkJpeg(bytes, 20, 10), `JPEG ${round}`) ? 0 : 1;
		/* The samples say nothing; the head is what is read. */
		const unit = random.mutated(random.of(units).subarray(0, 24 + random.below(40)));
		passed += refused(() => checkAccessUnit(unit, random.below(3) > 0, 20, 10), `H.264 ${round}`) ? 0 : 1;
	}
	assert.ok(passed > ROUNDS / 40 && passed < ROUNDS / 2, `${passed} passed`);
});

/* ---- frames that were kept: the name says what must become of them ---- */

const corpus = fileURLToPath(new URL("../../fuzz/corpus/frame/", import.meta.url));
for (const name of readdirSync(corpus)) {
	test(`corpus: ${name}`, () => {
		const decoder = new FrameDecoder(zstd);
		apply(decoder, key);
		const { fields } = decode(new Uint8Array(readFileSync(corpus + name)));
		assert.equal(applyOne(decoder, fields, name), name.startsWith("fine-"));
	});
}

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
