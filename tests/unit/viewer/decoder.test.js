import assert from "node:assert/strict";
import test from "node:test";
import { apply, frameOf, load, newZstd, zstdRaw, zstdRun } from "./helpers.js";

const { FrameDecoder, MAX_RECTS } = await load("core/decoder.js");
const { ProtocolError } = await load("core/codec.js");
const zstd = await newZstd();

/* A picture in which every pixel differs from its neighbours. */
const pixel = (x, y) => [(x * 7 + y * 3) & 0xff, (x * 5 + y * 11 + 90) & 0xff, (x * 13 + y + 200) & 0xff];
const other = (x, y) => [255 - x, y, (x * y) & 0xff];

function keyframe(width, height, more = {}) {
	return frameOf({ width, height, keyframe: 1, rects: [[0, 0, width, height]], pixel, ...more });
}

function decoderWith(width, height) {
	const decoder = new FrameDecoder(zstd);
	apply(decoder, keyframe(width, height));
	return decoder;
}

/** The whole picture as a list of [r, g, b]. */
function picture(decoder) {
	const all = [];
	for (let at = 0; at < decoder.pixels.length; at += 4) {
		assert.equal(decoder.pixels[at + 3], 255, "opaque");
		all.push([...decoder.pixels.subarray(at, at + 3)]);
	}
	return all;
}

function expected(width, height, at) {
	return Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width)));
}

test("a keyframe shows every pixel exactly", () => {
	const decoder = new FrameDecoder(zstd);
	const { resized, changed } = apply(decoder, keyframe(67, 33));
	assert.equal(resized, true);
	assert.deepEqual(changed, [{ x: 0, y: 0, width: 67, height: 33 }]);
	assert.deepEqual([decoder.width, decoder.height], [67, 33]);
	assert.deepEqual(picture(decoder), expected(67, 33, pixel));
});

test("a keyframe may come in several rectangles", () => {
	const decoder = new FrameDecoder(zstd);
	apply(decoder, keyframe(20, 10, { rects: [[0, 0, 20, 3], [0, 3, 8, 7], [8, 3, 12, 7]] }));
	assert.deepEqual(picture(decoder), expected(20, 10, pixel));
});

test("rectangles change what they cover and nothing else", () => {
	const decoder = decoderWith(16, 16);
	const rects = [[1, 2, 3, 4], [10, 0, 6, 1], [15, 15, 1, 1]];
	const { resized } = apply(decoder, frameOf({ width: 16, height: 16, rects, pixel: other }));
	const inside = (x, y) => rects.some(([left, top, width, height]) =>
		x >= left && x < left + width && y >= top && y < top + height);
	assert.equal(resized, false);
	assert.deepEqual(picture(decoder), expected(16, 16, (x, y) => (inside(x, y) ? other(x, y) : pixel(x, y))));
});

for (const [dx, dy] of [[0, -3], [0, 3], [-2, 0], [2, 0], [-2, -3], [2, 3], [2, -3], [-2, 3]]) {
	test(`an overlapping copy by ${dx}, ${dy} is as through a temporary buffer`, () => {
		const decoder = decoderWith(20, 20);
		apply(decoder, frameOf({ width: 20, height: 20, copies: [[4, 4, 4 + dx, 4 + dy, 12, 11]] }));
		const moved = (x, y) => {
			const inside = x >= 4 + dx && x < 16 + dx && y >= 4 + dy && y < 15 + dy;
			return inside ? pixel(x - dx, y - dy) : pixel(x, y);
		};
		assert.deepEqual(picture(decoder), expected(20, 20, moved));
	});
}

test("copies are done in order, and before the rectangles", () => {
	const decoder = decoderWith(8, 8);
	apply(decoder, frameOf({ width: 8, height: 8, copies: [[0, 0, 2, 0, 2, 2], [2, 0, 4, 0, 2, 2]],
		rects: [[2, 0, 2, 2]], pixel: other }));
	assert.deepEqual(picture(decoder), expected(8, 8, (x, y) => {
		if (y < 2 && x >= 4 && x < 6)
			return pixel(x - 4, y);
		return y < 2 && x >= 2 && x < 4 ? other(x, y) : pixel(x, y);
	}));
});

test("an empty frame is allowed, with and without an empty Zstandard frame", () => {
	const decoder = decoderWith(4, 4);
	apply(decoder, frameOf({ width: 4, height: 4, data: new Uint8Array(0) }));
	apply(decoder, frameOf({ width: 4, height: 4, data: new Uint8Array(zstdRaw(Buffer.alloc(0))) }));
	assert.deepEqual(picture(decoder), expected(4, 4, pixel));
});

test("another size comes with a keyframe", () => {
	const decoder = decoderWith(4, 4);
	apply(decoder, keyframe(6, 2));
	assert.deepEqual(picture(decoder), expected(6, 2, pixel));
});

/* ---- hostile frames: each is refused and changes nothing ---- */

const BASE = { width: 16, height: 8 };
const one = { ...BASE, rects: [[2, 2, 4, 4]], pixel: other };
const hostile = {
	"raw_size too large": frameOf({ ...one, raw_size: 3 * 16 + 3 }),
	"raw_size too small": frameOf({ ...one, raw_size: 3 * 16 - 3 }),
	"raw_size of another world": frameOf({ ...one, raw_size: 0xffffffff }),
	"data shorter than raw_size": frameOf({ ...one, data: new Uint8Array(zstdRaw(Buffer.alloc(47))) }),
	"data longer than raw_size": frameOf({ ...one, data: new Uint8Array(zstdRaw(Buffer.alloc(49))) }),
	"data that is not Zstandard": frameOf({ ...one, data: new Uint8Array(64).fill(7) }),
	"no data": frameOf({ ...one, data: new Uint8Array(0) }),
	"Zstandard frame cut off": frameOf({ ...one, data: new Uint8Array(zstdRaw(Buffer.alloc(48)).subarray(0, 40)) }),
	"Zstandard frame that lies about its size":
		frameOf({ ...one, data: new Uint8Array(zstdRaw(Buffer.alloc(48), 1 << 30)) }),
	"data without rectangles": frameOf({ ...BASE, data: new Uint8Array(zstdRaw(Buffer.alloc(3))) }),
	"rectangle over the right edge": frameOf({ ...BASE, rects: [[13, 0, 4, 1]] }),
	"rectangle over the bottom": frameOf({ ...BASE, rects: [[0, 7, 1, 2]] }),
	"rectangle far outside": frameOf({ ...BASE, rects: [[65535, 65535, 1, 1]] }),
	"rectangle without width": frameOf({ ...BASE, rects: [[0, 0, 0, 4]] }),
	"rectangle without height": frameOf({ ...BASE, rects: [[0, 0, 4, 0]] }),
	"one good rectangle, one bad": frameOf({ ...one, rects: [[0, 0, 4, 4], [0, 6, 4, 4]] }),
	"rectangles cut off": frameOf({ ...one, rects: [[2, 2, 4, 4], [1, 1, 1]], raw_size: 48 }),
	"copy from outside": frameOf({ ...BASE, copies: [[12, 0, 0, 0, 8, 2]] }),
	"copy to outside": frameOf({ ...BASE, copies: [[0, 0, 12, 0, 8, 2]] }),
	"copy of nothing": frameOf({ ...BASE, copies: [[0, 0, 1, 1, 0, 2]] }),
	"copies cut off": frameOf({ ...BASE, copies: [[0, 0, 1, 1, 2]] }),
	"copies that move the desktop many times": frameOf({ ...BASE, copies: Array(5).fill([0, 0, 0, 0, 16, 8]) }),
	"more pixels than the desktop has": frameOf({ ...BASE, rects: [[0, 0, 16, 8], [0, 0, 1, 1]] }),
	"another size without a keyframe": frameOf({ width: 8, height: 8, rects: [[0, 0, 8, 8]] }),
	"another size with copies": keyframe(8, 8, { copies: [[0, 0, 1, 1, 2, 2]] }),
	"a keyframe that covers a part only": keyframe(16, 8, { rects: [[0, 0, 16, 7]] }),
	"a desktop without width": frameOf({ width: 0, height: 8, keyframe: 1 }),
	"a desktop too wide": frameOf({ width: 7681, height: 8, keyframe: 1 }),
	"a desktop too high": frameOf({ width: 8, height: 4321, keyframe: 1 }),
};

for (const [what, frame] of Object.entries(hostile)) {
	test(`refused without a trace: ${what}`, () => {
		const decoder = decoderWith(BASE.width, BASE.height);
		assert.throws(() => apply(decoder, frame), ProtocolError);
		assert.deepEqual([decoder.width, decoder.height], [BASE.width, BASE.height]);
		assert.deepEqual(picture(decoder), expected(BASE.width, BASE.height, pixel));
	});
}

test("too many rectangles are refused", () => {
	const rects = new Uint8Array((MAX_RECTS + 1) * 8);
	for (let at = 0; at < rects.length; at += 8)
		rects.set([0, 0, 0, 0, 1, 0, 1, 0], at);
	const size = 3 * (MAX_RECTS + 1);
	const decoder = decoderWith(256, 256);
	const frame = { ...frameOf({ width: 256, height: 256 }), rects, raw_size: size, data: new Uint8Array(zstdRun(0, size)) };
	assert.throws(() => apply(decoder, frame), /more than 32768 rectangles/);
});

test("a small frame that unpacks to gigabytes takes no memory", () => {
	const decoder = decoderWith(16, 8);
	const before = process.memoryUsage().rss;
	const bomb = new Uint8Array(zstdRun(0, 2 ** 31));
	assert.ok(bomb.length < 100 * 1024);
	assert.throws(() => apply(decoder, frameOf({ ...one, data: bomb })), ProtocolError);
	assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
	/* And the module still works. */
	apply(decoder, keyframe(16, 8));
});

test("a run that unpacks to just the right size is shown", () => {
	const decoder = new FrameDecoder(zstd);
	apply(decoder, { ...keyframe(64, 64), data: new Uint8Array(zstdRun(0, 3 * 64 * 64)) });
	assert.deepEqual(picture(decoder), expected(64, 64, () => [0, 0, 0]));
});
