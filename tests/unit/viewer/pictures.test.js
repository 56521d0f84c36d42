/*
 * Pictures of a frame before anything is decoded: the table, a JPEG's head, H.264's parameter sets.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { accessUnit, jpegHead, nal, pps, slice, sps } from "./bitstream.js";
import { apply, frameOf, load, newZstd, picturesOf, u16s } from "./helpers.js";

const { FrameDecoder } = await load("core/decoder.js");
const { ProtocolError } = await load("core/codec.js");
const { CODEC } = await load("core/messages.js");
const { checkAccessUnit, VideoError } = await load("core/h264.js");
const { checkJpeg, JpegDecoder } = await load("core/jpeg.js");
const { AVC420, H264, JPEG, MAX_PARTS } = await load("core/pictures.js");

const WIDTH = 64;
const HEIGHT = 48;
const size = { width: WIDTH, height: HEIGHT };
const zstd = await newZstd();
const decoder = new FrameDecoder(zstd);
const pixel = (x, y) => [x, y, 9];
const keyframe = frameOf({ ...size, keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel });
apply(decoder, keyframe);

const jpeg = (more = {}) => ({ codec: JPEG, rect: [8, 4, 20, 10], data: jpegHead({ width: 20, height: 10 }), ...more });
const film = (more = {}) => ({ codec: H264, stream: 2, key: 1, rect: [30, 20, 17, 15],
	data: accessUnit({ width: 18, height: 16 }), ...more });
const check = (pictures, frame = {}, codecs = JPEG | H264) =>
	decoder.check(frameOf({ ...size, ...frame, ...picturesOf(...pictures) }), codecs);
const dot = (x, y) => ({ codec: JPEG, rect: [x, y, 1, 1], data: jpegHead({ width: 1, height: 1 }) });

test("the codecs are the gateway's", () => {
	assert.deepEqual([CODEC[JPEG], CODEC[H264], CODEC[AVC420]], ["jpeg", "h264", "avc420"]);
});

test("the PC's own H.264 may be hidden, and as large as its blocks", () => {
	const own = (more = {}) => film({ codec: AVC420, rect: [30, 20, 17, 15],
		data: accessUnit({ width: 32, height: 16, crop: [0, 0, 0, 0] }), ...more });
	const all = JPEG | H264 | AVC420;
	const [shown] = check([own()], {}, all).pictures;
	assert.deepEqual([shown.hidden, shown.parts], [false, [{ x: 30, y: 20, width: 17, height: 15 }]]);
	/* What is not drawn overlaps nothing. */
	const { pictures } = check([own({ zero: 1 }), jpeg({ rect: [30, 20, 20, 10] })], { rects: [[30, 30, 20, 10]], pixel }, all);
	assert.deepEqual([pictures[0].hidden, pictures[0].parts], [true, []]);
	assert.throws(() => check([own()]), ProtocolError, "not announced");
	assert.throws(() => check([own({ zero: 2 })], {}, all), ProtocolError);
	assert.throws(() => check([own({ zero: 1, clips: [[30, 20, 1, 1]] })], {}, all), ProtocolError);
	assert.throws(() => check([film({ zero: 1 })], {}, all), ProtocolError, "only the PC's own");
	assert.throws(() => check([own({ stream: 4 })], {}, all), ProtocolError);
	assert.throws(() => check([own(), film({ rect: [0, 0, 17, 15] })], {}, all), ProtocolError, "one stream");
	const small = own({ rect: [30, 20, 16, 15] });
	assert.throws(() => check([small], {}, all), (error) => error instanceof VideoError && error.codec === AVC420);
	assert.throws(() => check([film({ data: small.data })], {}, all),
		(error) => error instanceof VideoError && error.codec === H264);
});

test("a table is read as it was meant", () => {
	const clips = [[30, 20, 5, 5], [46, 34, 1, 1]];
	const { pictures } = check([jpeg(), film({ clips })], { rects: [[0, 0, 8, 48], [35, 20, 5, 5]], pixel });
	assert.deepEqual(pictures.map(({ data, ...rest }) => ({ ...rest, data: Buffer.from(data) })), [
		{ x: 8, y: 4, width: 20, height: 10, codec: JPEG, stream: 0, key: false, hidden: false, config: "",
			parts: [{ x: 8, y: 4, width: 20, height: 10 }], data: Buffer.from(jpeg().data) },
		{ x: 30, y: 20, width: 17, height: 15, codec: H264, stream: 2, key: true, hidden: false, config: "avc1.42c028",
			parts: clips.map(([x, y, width, height]) => ({ x, y, width, height })), data: Buffer.from(film().data) },
	]);
});

test("a picture may fill the desktop, and one may be wholly clipped away but for a pixel", () => {
	check([jpeg({ rect: [0, 0, WIDTH, HEIGHT], data: jpegHead(size) })]);
	check([jpeg({ clips: [[27, 13, 1, 1]] })]);
});

const hostile = {
	"no such codec": [jpeg({ codec: 4 })],
	"codec 0": [jpeg({ codec: 0 })],
	"two codecs at once": [film({ codec: JPEG | H264, stream: 0, key: 0,
		data: accessUnit({ number: 1, width: 18, height: 16 }) })],
	"a JPEG with a stream": [jpeg({ stream: 1 })],
	"a JPEG that is a key picture": [jpeg({ key: 1 })],
	"stream 4": [film({ stream: 4 })],
	"key 2": [film({ key: 2 })],
	"a byte that means nothing": [jpeg({ zero: 1 })],
	"two bytes that mean nothing": [jpeg({ zeros: 256 })],
	"without data": [jpeg({ data: new Uint8Array(0) })],
	"more data than there is": [jpeg(), jpeg({ rect: [0, 20, 20, 10], length: jpeg().data.length + 1 })],
	"data left over": [jpeg({ length: jpeg().data.length - 1 })],
	"all the data in the world": [jpeg({ length: 0xffffffff })],
	"over the right edge": [jpeg({ rect: [45, 4, 20, 10] })],
	"over the bottom": [jpeg({ rect: [8, 39, 20, 10] })],
	"without width": [jpeg({ rect: [8, 4, 0, 10] })],
	"without height": [jpeg({ rect: [8, 4, 20, 0] })],
	"a clip outside on the left": [jpeg({ clips: [[7, 4, 2, 2]] })],
	"a clip outside above": [jpeg({ clips: [[8, 3, 2, 2]] })],
	"a clip outside on the right": [jpeg({ clips: [[27, 4, 2, 2]] })],
	"a clip outside below": [jpeg({ clips: [[8, 13, 2, 2]] })],
	"an empty clip": [jpeg({ clips: [[8, 4, 2, 2], [10, 4, 0, 2]] })],
	"clips with more pixels than the picture": [jpeg({ clips: [[8, 4, 20, 10], [8, 4, 1, 1]] })],
	"two that overlap": [jpeg(), film({ rect: [27, 13, 17, 15] })],
	"clips of two that overlap": [jpeg({ clips: [[20, 8, 8, 6]] }), film({ rect: [20, 8, 17, 15], clips: [[27, 13, 1, 1]] })],
	"two of one stream": [film({ rect: [0, 0, 17, 15] }), film()],
	"the wrong size of a JPEG": [jpeg({ rect: [8, 4, 21, 10] })],
	"a JPEG announced as H.264": [film({ data: jpegHead({ width: 17, height: 15 }) })],
	"H.264 announced as a JPEG": [jpeg({ data: film().data })],
	"together more than the desktop": [jpeg({ rect: [0, 0, WIDTH, HEIGHT], data: jpegHead(size), clips: [[0, 0, 1, 1]] }),
		dot(5, 5)],
};
for (const [what, pictures] of Object.entries(hostile)) {
	test(`refused: ${what}`, () => {
		assert.throws(() => check(pictures), ProtocolError);
	});
}

test("pictures may touch, and lie in each other where only clips are drawn", () => {
	check([jpeg(), film({ rect: [28, 4, 17, 15] }), film({ stream: 0, rect: [8, 14, 17, 15] })]);
	check([jpeg({ clips: [[8, 4, 12, 10]] }), film({ rect: [20, 4, 17, 15] })]);
});

test("rectangles keep away from what pictures draw, and no more", () => {
	const around = [[7, 4, 1, 10], [28, 4, 1, 10], [8, 3, 20, 1], [8, 14, 20, 1]];
	check([jpeg()], { rects: around, pixel });
	for (const rect of [[7, 4, 2, 10], [27, 4, 1, 10], [8, 3, 20, 2], [8, 13, 1, 1], [0, 0, 60, 40]])
		assert.throws(() => check([jpeg()], { rects: [rect], pixel }), ProtocolError, String(rect));
	check([jpeg({ clips: [[8, 4, 5, 10]] })], { rects: [[13, 4, 15, 10]], pixel });
});

test("a codec must have been announced, and the frame be no keyframe", () => {
	assert.throws(() => check([jpeg()], {}, H264), ProtocolError);
	assert.throws(() => check([film()], {}, JPEG), ProtocolError);
	assert.throws(() => check([jpeg()], {}, 0), ProtocolError);
	assert.throws(() => check([jpeg()], { keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]] }), ProtocolError);
	assert.throws(() => check([jpeg({ clips: [[8, 4, 1, 1]] })], { keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]] }), /keyframe/);
});

test("tables and clips that are cut off, and data without a table, are refused", () => {
	const whole = picturesOf(jpeg({ clips: [[8, 4, 2, 2], [12, 4, 2, 2]] }));
	for (let length = 1; length < whole.pictures.length; length++)
		assert.throws(() => decoder.check(frameOf({ ...size, ...whole, pictures: whole.pictures.subarray(0, length) }), JPEG),
			ProtocolError, `${length} bytes`);
	assert.throws(() => decoder.check(frameOf({ ...size, picture_data: whole.picture_data }), JPEG), ProtocolError);
});

test("too many pictures and clips are refused", () => {
	const desktop = { width: 256, height: 256 };
	const other = new FrameDecoder(zstd);
	apply(other, frameOf({ ...desktop, keyframe: 1, rects: [[0, 0, 256, 256]] }));
	const dots = Array.from({ length: MAX_PARTS + 1 }, (_, i) => dot(i % 256, i >> 8));
	other.check(frameOf({ ...desktop, ...picturesOf(...dots.slice(1)) }), JPEG);
	assert.throws(() => other.check(frameOf({ ...desktop, ...picturesOf(...dots) }), JPEG), ProtocolError);
	const clips = Array.from({ length: MAX_PARTS }, (_, i) => [i % 256, i >> 8, 1, 1]);
	const one = { codec: JPEG, rect: [0, 0, 256, 256], data: jpegHead(desktop) };
	other.check(frameOf({ ...desktop, ...picturesOf({ ...one, clips: clips.slice(1) }) }), JPEG);
	assert.throws(() => other.check(frameOf({ ...desktop, ...picturesOf({ ...one, clips }) }), JPEG), ProtocolError);
});

test("pixels of a JPEG go where it is, or its clips are, and can be moved", () => {
	const own = new FrameDecoder(zstd);
	apply(own, keyframe);
	const pixels = Int32Array.from({ length: 200 }, (_, i) => 0xff000000 | i);
	apply(own, frameOf({ ...size, ...picturesOf(jpeg()) }), JPEG, [pixels]);
	const words = new Int32Array(own.pixels.buffer);
	assert.deepEqual([...words.subarray(4 * WIDTH + 8, 4 * WIDTH + 28)], [...pixels.subarray(0, 20)]);
	assert.deepEqual([...words.subarray(13 * WIDTH + 8, 13 * WIDTH + 28)], [...pixels.subarray(180, 200)]);
	const { changed } = apply(own, frameOf({ ...size, copies: [[8, 4, 40, 30, 20, 10]],
		...picturesOf(jpeg({ clips: [[20, 9, 3, 2]] })) }), JPEG, [new Int32Array(200).fill(-1)]);
	assert.deepEqual([...words.subarray(30 * WIDTH + 40, 30 * WIDTH + 60)], [...pixels.subarray(0, 20)]);
	assert.deepEqual([...words.subarray(9 * WIDTH + 19, 9 * WIDTH + 24)], [0xff000000 | 111, -1, -1, -1, 0xff000000 | 115]
		.map((word) => word | 0));
	assert.deepEqual(changed.map(({ x, y, width, height }) => [x, y, width, height]), [[40, 30, 20, 10], [20, 9, 3, 2]]);
});

/* ---- the head of a JPEG ---- */

const APP1 = [0xff, 0xe1, 0, 4, 1, 2];
test("a baseline JPEG of the right size is let pass, with whatever it says of itself", () => {
	checkJpeg(jpegHead({ width: 300, height: 200 }), 300, 200);
	checkJpeg(jpegHead({ width: 300, height: 200, components: 1 }), 300, 200);
	checkJpeg(jpegHead({ width: 300, height: 200, before: [...APP1, 0xff, 0xfe, 0, 2, 0xff, 0xdb, 0, 3, 0] }), 300, 200);
});

const head = { width: 300, height: 200 };
const second = [...jpegHead(head).subarray(2, 2 + 19)];
const badJpegs = {
	"another width": jpegHead({ ...head, width: 301 }),
	"another height": jpegHead({ ...head, height: 199 }),
	"height 0, to be told later": jpegHead({ ...head, height: 0 }),
	"progressive": jpegHead({ ...head, marker: 0xc2 }),
	"lossless": jpegHead({ ...head, marker: 0xc3 }),
	"arithmetic coding": jpegHead({ ...head, marker: 0xc9 }),
	"12 bits": jpegHead({ ...head, precision: 12 }),
	"four components": jpegHead({ ...head, components: 4 }),
	"two frames": jpegHead({ ...head, before: second }),
	"a segment beyond the end": jpegHead({ ...head, before: [0xff, 0xe1, 0xff, 0xff] }),
	"a segment shorter than its length": jpegHead({ ...head, before: [0xff, 0xe1, 0, 1] }),
	"something between segments": jpegHead({ ...head, before: [0, 0] }),
	"no picture": Uint8Array.from([0xff, 0xd8, ...APP1, 0xff, 0xd9]),
	"a scan before the frame": Uint8Array.from([0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9]),
	"no end": jpegHead(head).subarray(0, -2),
	"something else at the end": Uint8Array.from([...jpegHead(head).subarray(0, -2), 0xff, 0xd8]),
	"no beginning": jpegHead(head).subarray(2),
	"a PNG": Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa, 0, 0, 0xff, 0xd9]),
	"nothing": new Uint8Array(0),
};
for (const [what, bytes] of Object.entries(badJpegs)) {
	test(`not a JPEG of this size: ${what}`, () => {
		assert.throws(() => checkJpeg(bytes, 300, 200), ProtocolError);
	});
}

test("a JPEG cut off in its head is refused wherever it is cut", () => {
	const bytes = jpegHead({ ...head, before: APP1 });
	for (let length = 0; length < bytes.length - 3; length++)
		assert.throws(() => checkJpeg(Uint8Array.from([...bytes.subarray(0, length), 0xff, 0xd9]), 300, 200), ProtocolError);
});

/* ---- decoding a JPEG ---- */

/** A browser with an ImageDecoder that gives this image. */
function withImageDecoder(image) {
	const state = { closed: 0, bitmaps: 0 };
	globalThis.VideoFrame = class {};
	globalThis.ImageDecoder = class {
		async decode() {
			if (image instanceof Error)
				throw image;
			return { image: { allocationSize: () => 8, copyTo: async (words) => words.set([5, 6]), close: () => state.closed++, ...image } };
		}

		close() {
			state.closed++;
		}
	};
	globalThis.createImageBitmap = async () => {
		state.bitmaps++;
		throw new Error("no");
	};
	return state;
}

test("a JPEG's pixels are copied out where the browser can", async () => {
	const state = withImageDecoder({ displayWidth: 2, displayHeight: 1 });
	assert.deepEqual(await new JpegDecoder().decode(new Uint8Array(0), 2, 1), Int32Array.of(5, 6));
	assert.deepEqual(state, { closed: 2, bitmaps: 0 });
});

test("a JPEG that became another size, or nothing, is refused", async () => {
	const state = withImageDecoder({ displayWidth: 1, displayHeight: 2 });
	await assert.rejects(new JpegDecoder().decode(new Uint8Array(0), 2, 1), ProtocolError);
	assert.deepEqual(state, { closed: 2, bitmaps: 0 });
	withImageDecoder(new Error("no JPEG"));
	await assert.rejects(new JpegDecoder().decode(new Uint8Array(0), 2, 1), ProtocolError);
});

test("a browser that does not copy RGBA draws it, from then on", async () => {
	const unsupported = () => { throw Object.assign(new Error("no"), { name: "NotSupportedError" }); };
	for (const image of [{ allocationSize: () => 3 }, { copyTo: unsupported }, { allocationSize: unsupported }]) {
		const state = withImageDecoder({ displayWidth: 2, displayHeight: 1, ...image });
		const own = new JpegDecoder();
		await assert.rejects(own.decode(new Uint8Array(0), 2, 1), ProtocolError);
		await assert.rejects(own.decode(new Uint8Array(0), 2, 1), ProtocolError);
		assert.deepEqual(state, { closed: 2, bitmaps: 2 });
	}
});

/* ---- access units ---- */

const video = { width: 69, height: 49 };
const even = { width: 70, height: 50 };
const unit = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));
const key = (options = {}, ...extra) => unit(sps({ ...even, ...options }), pps(), ...extra, slice(even));

test("key pictures and those that follow are let pass", () => {
	assert.equal(checkAccessUnit(accessUnit(even), true, 69, 49), "avc1.42c028");
	assert.equal(checkAccessUnit(accessUnit(even), true, 70, 50), "avc1.42c028");
	assert.equal(checkAccessUnit(accessUnit({ ...even, number: 1 }), false, 69, 49), "");
	const sei = nal(0x06, [5, 1, 0, 0x80]);
	assert.equal(checkAccessUnit(unit(nal(9, [0x10]), key({}, sei)), true, 69, 49), "avc1.42c028");
	/* Two slices of one picture. */
	assert.equal(checkAccessUnit(unit(key(), nal(0x65, [0x40, 0x80])), true, 69, 49), "avc1.42c028");
});

test("High profile is read through to its size", () => {
	assert.equal(checkAccessUnit(key({ profile: 100, constraints: 0, level: 41 }), true, 70, 50), "avc1.640029");
	assert.throws(() => checkAccessUnit(key({ profile: 100, constraints: 0 }), true, 80, 50), VideoError);
});

/* The coded size is 80 × 64; what the tests crop away is counted from there. */
const badUnits = {
	"no key picture at all": [accessUnit({ ...even, number: 1 }), true],
	"a key picture that does not say so": [accessUnit(even), false],
	"no start code": [Uint8Array.from([0x65, 0x88, 0x80]), true],
	"something before the start code": [unit([7], key()), true],
	"nothing": [new Uint8Array([0]), true],
	"only parameter sets": [unit(sps(even), pps()), true],
	"no sequence parameters": [unit(pps(), slice(even)), true],
	"no picture parameters": [unit(sps(even), slice(even)), true],
	"sequence parameters in passing": [unit(sps(even), accessUnit({ ...even, number: 1 })), false],
	"two pictures": [unit(key(), slice(even)), true],
	"two pictures that follow": [unit(accessUnit({ ...even, number: 1 }), accessUnit({ ...even, number: 2 })), false],
	"a picture that is not a key picture beside one": [unit(key(), slice({ ...even, number: 1 })), true],
	"data partitions": [unit(key(), nal(0x42, [0x80])), true],
	"another view": [unit(key(), nal(0x74, [0x80, 0, 0, 0x80])), true],
	"an empty unit": [unit(key(), [0, 0, 1, 0x65]), true],
	"the forbidden bit": [unit(key(), nal(0x86, [0x80])), true],
	"two pixels too wide": [key({ crop: [0, 4, 0, 7] }), true],
	"narrower than the rectangle": [key({ crop: [0, 6, 0, 7] }), true],
	"two pixels too high": [key({ crop: [0, 5, 0, 6] }), true],
	"lower than the rectangle": [key({ crop: [0, 5, 0, 8] }), true],
	"much larger, cropped to size": [key({ width: 16 * 1024, height: 64, crop: [0, 8192 - 35, 0, 7] }), true],
	"somewhat larger, cropped to size": [key({ width: 112, height: 64, crop: [20, 1, 0, 7] }), true],
	"16K": [key({ width: 16384, height: 16384, crop: [0, 0, 0, 0] }), true],
	"a second size behind the first": [unit(sps(even), sps({ width: 4096, height: 2304 }), pps(), slice(even)), true],
	"interlaced": [key({ progressive: 0 }), true, /interlaced/],
	"Extended profile": [key({ profile: 88 }), true],
	"a picture that follows, with parameters": [unit(sps(even), pps(), slice({ ...even, number: 1 })), true],
	"a key picture in passing": [slice(even), false],
	"High 10": [key({ profile: 110, depth: 10 }), true],
	"10 bits called High": [key({ profile: 100, depth: 10 }), true],
	"4:2:2": [key({ profile: 100, chroma: 2 }), true],
	"4:4:4": [key({ profile: 244, chroma: 3 }), true],
	"17 references": [key({ references: 17 }), true],
	"parameters cut off": [unit(sps(even).subarray(0, 9), pps(), slice(even)), true],
	"numbers without end": [unit([0, 0, 1, 0x67, 66, 0xc0, 40], new Uint8Array(64), pps(), slice(even)), true],
};
for (const [what, [bytes, isKey, message]] of Object.entries(badUnits)) {
	test(`not an access unit for this rectangle: ${what}`, () => {
		const check69 = () => checkAccessUnit(bytes, isKey, video.width, video.height);
		assert.throws(check69, VideoError);
		assert.throws(check69, message ?? VideoError);
	});
}

test("references may not take more memory than the highest level", () => {
	const large = { width: 7680, height: 4320 };
	const head16 = (references) => unit(sps({ ...large, references }), pps(), nal(0x65, [0x88]));
	checkAccessUnit(head16(5), true, 7680, 4320);
	assert.throws(() => checkAccessUnit(head16(6), true, 7680, 4320), /too many/);
});

test("emulation prevention is taken out before the size is read", () => {
	/* A long number before the size puts zeros into the set. */
	const set = sps({ ...even, offset: 2 ** 26 });
	assert.ok(Buffer.from(set.subarray(4, 16)).includes(Buffer.from([0, 0, 3])), "the test has nothing to take out");
	assert.equal(checkAccessUnit(unit(set, pps(), slice(even)), true, 70, 50), "avc1.42c028");
});

test("a whole message of noise is no picture", () => {
	const noise = { ...frameOf(size), pictures: u16s(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), picture_data: new Uint8Array(7) };
	assert.throws(() => decoder.check(noise, JPEG | H264), ProtocolError);
});
