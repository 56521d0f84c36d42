/*
 * Leaving out what later frames cover changes nothing of the last picture: random frames are shown with and without it.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { frameOf, load, newZstd, picturesOf } from "./helpers.js";
import { Random } from "./random.js";

const { ProtocolError } = await load("core/codec.js");
const { FrameDecoder } = await load("core/decoder.js");
const { JPEG, H264, AVC420, readPictures } = await load("core/pictures.js");
const { Cover } = await load("player/cover.js");
const { CODECS, Films, prune } = await load("player/prune.js");
const zstd = await newZstd();

const [WIDTH, HEIGHT] = [70, 40];
const ROUNDS = 300;
const size = { width: WIDTH, height: HEIGHT };

const whole = (frame) => ({ frame, pictures: readPictures(frame, CODECS) });
const plain = (colour) => () => [colour & 0xff, (colour * 7) & 0xff, (colour * 13) & 0xff];
const keyOf = (colour) => frameOf({ ...size, keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: plain(colour) });

/** What of a film is decoded: nothing that does not follow from its key picture is right. */
class Decoders {
	#last = new Map();

	/** The colour that the picture gets; -1: it would be rubbish. */
	decode({ stream, key, data }) {
		const number = data.at(-1);
		const right = key || this.#last.get(stream) === number - 1;
		this.#last.set(stream, right ? number : -1000);
		return right ? 0x1000 + stream * 256 + number : -1;
	}

	clear() {
		this.#last.clear();
	}
}

/** Shows frames as the screen does, on an array instead of a canvas. */
function show(kept) {
	const decoder = new FrameDecoder(zstd);
	const canvas = new Int32Array(WIDTH * HEIGHT);
	const films = new Decoders();
	const put = ({ x, y, width, height }, value) => {
		for (let row = y; row < y + height; row++)
			for (let column = x; column < x + width; column++)
				canvas[row * WIDTH + column] = value(row * WIDTH + column);
	};
	for (const { frame, pictures } of kept) {
		if (frame.keyframe === 1)
			films.clear();
		/* What follows the access unit says which picture of the film it is. */
		const plan = decoder.check({ ...frame, pictures: new Uint8Array(0), picture_data: new Uint8Array(0) }, CODECS);
		plan.pictures = pictures;
		const decoded = plan.pictures.map((picture) => (picture.codec === JPEG ?
			new Int32Array(picture.width * picture.height).fill(0x100 + picture.data.at(-1)) : { film: films.decode(picture) }));
		const { changed } = decoder.apply(plan, decoded.map((one) => (one.film === undefined ? one : { close: () => {} })));
		const pixels = new Int32Array(decoder.pixels.buffer);
		changed.forEach((rect) => put(rect, (at) => pixels[at]));
		decoded.forEach(({ film }, index) => {
			if (film !== undefined)
				plan.pictures[index].parts.forEach((part) => put(part, () => film));
		});
	}
	return canvas;
}

/* decoder.apply knows films by being no Int32Array. */
const data = (number) => new Uint8Array([1, 2, number]);

function someFrame(random, colour, numbers) {
	const rect = (most) => {
		const [x, y] = [random.below(WIDTH - 1), random.below(HEIGHT - 1)];
		return [x, y, 1 + random.below(Math.min(most, WIDTH - x)), 1 + random.below(Math.min(most, HEIGHT - y))];
	};
	const apart = (rects) => {
		const found = [];
		for (const one of rects)
			if (found.every(([x, y, w, h]) => one[0] >= x + w || x >= one[0] + one[2] || one[1] >= y + h || y >= one[1] + one[3]))
				found.push(one);
		return found;
	};
	/* Copies never read what a film drew and nothing exact has covered since. */
	if (numbers.size > 0 && random.below(6) === 0) {
		numbers.clear();
		return frameOf({ ...size, rects: [[0, 0, WIDTH, HEIGHT]], pixel: plain(colour) });
	}
	/* Often all of it scrolls, which is what the player meets. */
	const copies = numbers.size > 0 || random.below(3) ? [] : random.below(2) ? [[0, 3, 0, 0, WIDTH, HEIGHT - 3]] :
		Array.from({ length: 1 + random.below(2) }, () => {
			const [x, y, w, h] = rect(30);
			return [random.below(WIDTH - w + 1), random.below(HEIGHT - h + 1), x, y, w, h];
		});
	const places = apart([...copies.length ? [[0, HEIGHT - 3, WIDTH, 3]] : [], ...Array.from({ length: random.below(5) }, () => rect(70))]);
	const pictures = [];
	const rects = [];
	const streams = new Set();
	for (const place of places) {
		const stream = random.below(3);
		if (random.below(2)) {
			rects.push(place);
		} else if (random.below(2) || streams.has(stream)) {
			pictures.push({ codec: JPEG, rect: place, data: data(colour & 0x7f) });
		} else {
			streams.add(stream);
			const isKey = random.below(4) === 0 || !numbers.has(stream);
			numbers.set(stream, isKey ? 1 : numbers.get(stream) + 1);
			pictures.push({ codec: random.below(2) ? H264 : AVC420, stream, key: isKey ? 1 : 0, rect: place, data: data(numbers.get(stream)) });
		}
	}
	return frameOf({ ...size, copies, rects, pixel: plain(colour), ...(pictures.length ? picturesOf(...pictures) : {}) });
}

test("what is left out is not seen in the end", () => {
	const random = new Random(0x9121e);
	let kept = 0;
	let all = 0;
	for (let round = 0; round < ROUNDS; round++) {
		const numbers = new Map();
		const frames = [keyOf(round)];
		for (let count = random.below(25); count > 0; count--) {
			if (random.below(30) === 0) {
				frames.push(keyOf(frames.length));
				numbers.clear();
			} else {
				frames.push(someFrame(random, frames.length + 1, numbers));
			}
		}
		const pruned = prune(frames, new Films());
		assert.deepEqual(show(pruned), show(frames.map(whole)), `round ${round}`);
		kept += pruned.length;
		all += frames.length;
	}
	assert.ok(kept < all * 0.85, `${kept} of ${all} were kept`);
});

test("of a page that scrolls by, a screenful is kept", () => {
	const frames = [keyOf(1)];
	for (let i = 0; i < 100; i++)
		frames.push(frameOf({ ...size, copies: [[3, 7, 3, 0, 61, 33]], rects: [[3, 33, 61, 7]], pixel: plain(i) }));
	const kept = prune(frames, new Films());
	assert.ok(kept.length <= 8, `${kept.length} frames`);
	assert.deepEqual(show(kept), show(frames.map(whole)));
});

test("of a film, what follows its last key picture is kept", () => {
	const picture = (number, key) => frameOf({ ...size, ...picturesOf({ codec: H264, key, rect: [4, 4, 16, 16], data: data(number) }) });
	const frames = [keyOf(1), picture(1, 1), picture(2, 0), picture(1, 1), picture(2, 0), picture(3, 0)];
	const kept = prune(frames, new Films());
	const decoded = kept.flatMap(({ pictures }) => pictures);
	assert.deepEqual(decoded.map((one) => one.data.at(-1)), [1, 2, 3]);
	assert.deepEqual(decoded.map(({ parts }) => parts.length), [0, 0, 1], "and only the last of it is drawn");
});

test("what no longer is seen need not be decoded at all", () => {
	const jpeg = (colour) => frameOf({ ...size, ...picturesOf({ codec: JPEG, rect: [0, 0, WIDTH, HEIGHT], data: data(colour) }) });
	const kept = prune([keyOf(1), ...Array.from({ length: 50 }, (_, i) => jpeg(i))], new Films());
	assert.equal(kept.length, 2);
	assert.deepEqual(kept.map(({ pictures }) => pictures.length), [0, 1]);
});

test("films whose beginning was not seen, or that the browser does not decode, are left out", () => {
	const films = new Films();
	const film = (codec, stream, key) => frameOf({ ...size, ...picturesOf({ codec, stream, key, rect: [0, 0, 16, 16], data: data(1) }) });
	const shown = (frame) => {
		const [{ pictures }] = prune([frame], films);
		return pictures.length === 1;
	};
	assert.equal(shown(film(H264, 0, 0)), false, "after a jump");
	assert.equal(shown(film(H264, 0, 1)), true);
	assert.equal(shown(film(H264, 0, 0)), true);
	assert.equal(shown(film(H264, 1, 0)), false, "another one");
	prune([keyOf(1)], films);
	assert.equal(shown(film(H264, 0, 0)), false, "after a keyframe");
	films.codecs = JPEG | H264;
	assert.equal(shown(film(AVC420, 0, 1)), false);
	films.codecs = 0;
	assert.equal(shown(film(H264, 0, 1)), false);
	assert.equal(shown(frameOf({ ...size, ...picturesOf({ codec: JPEG, rect: [0, 0, 8, 8], data: data(1) }) })), true);
});

test("frames that are wrong are refused, and desktops that are none", () => {
	const wrong = [
		{ ...keyOf(1), width: 65535 },
		{ ...keyOf(1), height: 65535 },
		frameOf({ ...size, rects: [[60, 0, 20, 10]] }),
		frameOf({ ...size, copies: [[0, 0, 60, 0, 20, 10]] }),
		frameOf({ ...size, ...picturesOf({ codec: 4, rect: [0, 0, 8, 8], data: data(1) }) }),
	];
	for (const frame of wrong)
		assert.throws(() => prune([keyOf(1), frame], new Films()), ProtocolError);
	assert.deepEqual(prune([], new Films()), []);
});

test("a cover knows every pixel", () => {
	const random = new Random(0xc07e4);
	const cover = new Cover({ width: 133, height: 21 });
	const pixels = new Set();
	const rect = () => {
		const [x, y] = [random.below(133), random.below(21)];
		return { x, y, width: 1 + random.below(133 - x), height: 1 + random.below(21 - y) };
	};
	const each = ({ x, y, width, height }, what) => {
		for (let row = y; row < y + height; row++)
			for (let column = x; column < x + width; column++)
				what(row * 1000 + column);
	};
	for (let round = 0; round < 2000; round++) {
		const one = rect();
		if (random.below(2)) {
			cover.add(one);
			each(one, (pixel) => pixels.add(pixel));
		} else if (random.below(2)) {
			cover.open(one);
			each(one, (pixel) => pixels.delete(pixel));
		}
		const other = rect();
		const open = new Set();
		each(other, (pixel) => !pixels.has(pixel) && open.add(pixel));
		assert.equal(cover.hides(other), open.size === 0);
		const seen = new Set();
		cover.seen(other).forEach((box) => each(box, (pixel) => seen.add(pixel)));
		for (const pixel of open)
			assert.ok(seen.has(pixel));
		assert.equal(seen.size === 0, open.size === 0);
	}
});
