/*
 * The player's engine on recordings made by hand, with a clock that the test moves: what is seen at which time, whatever
 * was done before, and what becomes of everything that is wrong in a recording.
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { accessUnit, jpegHead } from "./bitstream.js";
import { FakeCanvas, FakeImage, FakeVideoDecoder, images } from "./fake_browser.js";
import { frameMessage, frameOf, load, newZstd, picturesOf } from "./helpers.js";
import { chunkOf, recordOf } from "./recordings.js";

const { decode } = await load("core/codec.js");
const { encode } = await load("core/codec.js");
const { TO_VIEWER } = await load("core/messages.js");
const { EVENT, INPUT, KEY, META, SENT } = await load("player/chunk.js");
const { gather, readHappening } = await load("player/happenings.js");
const { Playback } = await load("player/playback.js");
const { ASKED_MAX, CACHE_MAX, Recording } = await load("player/recording.js");
const { DamagedChunk, SourceClosed } = await load("player/source.js");
const zstd = await newZstd();

const [JPEG, H264, AVC420] = [1, 2, 8];
const [WIDTH, HEIGHT] = [48, 32];
const SESSION = "0123456789abcdef0123456789abcdef";
const SECOND = 1000000;
const size = { width: WIDTH, height: HEIGHT };
const grey = (shade) => 0xff000000 | shade * 0x010101;
const plain = (shade) => () => [shade, shade, shade];
const keyframe = (shade, more = {}) => frameMessage(frameOf({ ...size, keyframe: 1, rects: [[0, 0, more.width ?? WIDTH,
	more.height ?? HEIGHT]], pixel: plain(shade), ...more }));
const small = (shade, rect = [0, 0, 8, 8]) => frameMessage(frameOf({ ...size, rects: [rect], pixel: plain(shade) }));
const pictured = (...pictures) => frameMessage(frameOf({ ...size, ...picturesOf(...pictures) }));
const jpeg = () => ({ codec: JPEG, rect: [8, 4, 20, 10], data: jpegHead({ width: 20, height: 10 }) });
const film = (number) => ({ codec: H264, stream: 0, key: number === 0 ? 1 : 0, rect: [20, 10, 18, 16],
	data: accessUnit({ number, width: 18, height: 16 }) });
const json = (value) => new TextEncoder().encode(JSON.stringify(value));
/* docs/protocol.md §4: id, sequence, time, one packet. */
const encodeAudio = (sequence) => {
	const bytes = new Uint8Array(2 + 4 + 8 + 4 + 2);
	new DataView(bytes.buffer).setUint16(0, TO_VIEWER.audio.id, true);
	new DataView(bytes.buffer).setUint32(2, sequence, true);
	new DataView(bytes.buffer).setUint32(14, 2, true);
	bytes.set([7, sequence], 18);
	return bytes;
};
const sent = (payload, delta = 0, more = {}) => recordOf(SENT, { payload, delta, ...more });

/** Until everything has happened that needs nothing from outside. */
const settle = async () => {
	for (let i = 0; i < 12; i++)
		await new Promise((done) => setImmediate(done));
};

/** A recording: chunks are {at: seconds, key, records}. */
function recorded(chunks, more = {}) {
	const bytes = chunks.map(({ at, key, records }, sequence) => chunkOf({ session: SESSION, sequence, startUs: at * SECOND,
		timeMs: 1700000000000 + at * 1000, flags: key ? 1 : 0 }, records));
	const rows = chunks.map(({ at, key, events = 0, activity = 1 }) => ({ startUs: at * SECOND, timeMs: 0, flags: key ? 1 : 0, activity, events }));
	const asked = [];
	const damaged = [];
	const fetcher = { session: SESSION, chunk: async (sequence) => {
		asked.push(sequence);
		await more.before?.(sequence);
		return bytes[sequence].slice();
	} };
	return { recording: new Recording(rows, fetcher, (one) => damaged.push(one)), asked, damaged };
}

const players = [];

/** A player of it; told: what the page would hear. */
function playerOf(chunks, more = {}) {
	const made = recorded(chunks, more);
	const told = [];
	const canvas = new FakeCanvas();
	const clock = { at: 0, ticks: [] };
	const events = Object.fromEntries(["position", "playing", "waiting", "size", "viewer", "picture", "strokes", "sound", "arrived"]
		.map((name) => [name, (...values) => told.push([name, ...values])]));
	const playback = new Playback(made.recording, canvas, zstd, { codecs: JPEG | H264 | AVC420, acceleration: "no-preference" },
		events, { now: () => clock.at, frame: () => new Promise((resolve) => clock.ticks.push(resolve)) });
	const running = playback.run();
	players.push({ playback, running });
	const self = { ...made, playback, told, canvas };
	self.at = (x, y) => canvas.context.at(x, y);
	self.heard = (name) => told.filter(([one]) => one === name).map(([, ...values]) => values);
	self.seek = async (seconds) => {
		playback.seek(seconds * SECOND);
		await settle();
	};
	/* Lets so many milliseconds go by, in animation frames. */
	self.pass = async (milliseconds, step = 16) => {
		for (let left = milliseconds; left > 0; left -= step) {
			clock.at += Math.min(step, left);
			clock.ticks.splice(0).forEach((resolve) => resolve());
			await settle();
		}
	};
	return self;
}

beforeEach(() => {
	FakeVideoDecoder.all.length = 0;
	images.length = 0;
});

afterEach(async () => {
	for (const { playback } of players.splice(0))
		playback.close();
	await settle();
});

/* A shade for each second, and a keyframe for the recording alone after five. */
const plainChunks = () => [
	{ at: 0, key: true, records: [recordOf(META, { payload: json({ version: 1 }) }), sent(keyframe(10), 100000)] },
	...[1, 2, 3, 4].map((at) => ({ at, records: [sent(small(10 + at))] })),
	{ at: 5, key: true, records: [recordOf(KEY, { payload: keyframe(50) }), sent(small(15), 500000)] },
	{ at: 6, records: [sent(small(16)), sent(small(26), 500000)] },
	{ at: 20, records: [sent(small(40))] },
];

test("a jump shows the picture of its time, wherever it comes from", async () => {
	const one = playerOf(plainChunks());
	for (const [seconds, corner, rest] of [[3, 13, 10], [0.1, 10, 10], [6.2, 16, 50], [6.7, 26, 50], [5, 50, 50], [4.9, 14, 10],
		/* From there it goes on without a keyframe of the recording's own. */
		[20, 40, 10], [5.6, 15, 50], [2.5, 12, 10]]) {
		await one.seek(seconds);
		assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(corner), grey(rest)], `${seconds} s`);
		assert.equal(one.playback.position, seconds * SECOND);
	}
	assert.equal(one.heard("arrived").length, 9);
});

test("a jump fetches from the keyframe on and nothing before", async () => {
	const one = playerOf(plainChunks());
	await one.seek(6.2);
	assert.ok(Math.min(...one.asked) === 5, `${one.asked}`);
	await one.seek(6.7);
	assert.equal(one.heard("size").length, 1, "going on needs no keyframe");
});

test("before the first picture nobody was connected", async () => {
	const one = playerOf(plainChunks());
	await one.seek(2);
	await one.seek(0.05);
	assert.equal(one.at(0, 0), 0);
	assert.deepEqual(one.heard("picture").at(-1), ["none"]);
	await one.seek(1);
	assert.deepEqual(one.heard("picture").at(-1), ["right"]);
});

test("a time just before the keyframe of its chunk is played from the one before", async () => {
	const chunks = plainChunks();
	chunks[5].records = [sent(small(14)), recordOf(KEY, { payload: keyframe(50), delta: 800000 })];
	const one = playerOf(chunks);
	await one.seek(5.4);
	assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(14), grey(10)]);
});

test("playing goes on as the clock does, at any speed, and ends at the end", async () => {
	const one = playerOf(plainChunks());
	await one.seek(1);
	one.playback.play(true);
	await settle();
	await one.pass(1500);
	assert.ok(Math.abs(one.playback.position - 2.5 * SECOND) < 20000, `${one.playback.position}`);
	assert.equal(one.at(0, 0), grey(12));
	/* Through a keyframe for the recording alone: it shows what the viewer had. */
	await one.pass(2900);
	assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(14), grey(10)]);
	one.playback.setSpeed(0.25);
	const before = one.playback.position;
	await one.pass(800);
	assert.ok(Math.abs(one.playback.position - before - 0.2 * SECOND) < 20000);
	one.playback.setSpeed(16);
	await one.pass(1600);
	assert.deepEqual(one.heard("playing"), [[true], [false]]);
	assert.equal(one.playback.position, one.playback.duration);
	assert.equal(one.at(0, 0), grey(40));
	/* From the end it begins anew. */
	one.playback.play(true);
	await settle();
	await one.pass(200);
	assert.ok(one.playback.position < 4 * SECOND, "sixteen times as fast");
});

test("before the end is known, the last chunk goes on as long as a chunk may", async () => {
	const chunks = plainChunks();
	chunks.at(-1).records.push(sent(small(41), 1.9 * SECOND));
	const one = playerOf(chunks);
	await one.seek(21.95);
	assert.deepEqual([one.playback.position, one.at(0, 0)], [21.95 * SECOND, grey(41)]);
	await one.seek(30);
	assert.equal(one.playback.position, 22 * SECOND);
});

test("pausing and another speed lose nothing of the picture", async () => {
	const one = playerOf(plainChunks());
	await one.seek(1);
	one.playback.play(true);
	await settle();
	for (const speed of [2, 4, 1]) {
		one.playback.setSpeed(speed);
		await one.pass(160);
		one.playback.play(false);
		await settle();
		one.playback.play(true);
		await settle();
	}
	await one.pass(600);
	assert.ok(one.playback.position > 2.5 * SECOND && one.playback.position < 3.5 * SECOND, `${one.playback.position}`);
	assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(one.playback.position < 3 * SECOND ? 12 : 13), grey(10)]);
});

test("what is idle is skipped when it is wanted", async () => {
	const one = playerOf(plainChunks());
	await one.seek(6.6);
	one.playback.play(true);
	await settle();
	await one.pass(300);
	assert.ok(one.playback.position < 7 * SECOND, "not when it is not wanted");
	one.playback.setSkipIdle(true);
	await one.pass(600);
	assert.equal(one.at(0, 0), grey(40));
	assert.ok(one.playback.position >= 20 * SECOND && one.playback.position < 20.5 * SECOND, `${one.playback.position}`);
});

test("frames are stepped through, both ways", async () => {
	const one = playerOf(plainChunks());
	await one.playback.begin();
	await settle();
	assert.equal(one.playback.position, 0.1 * SECOND);
	const places = [];
	for (const by of [1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1]) {
		await one.playback.step(by);
		await settle();
		places.push([one.playback.position / SECOND, one.at(0, 0) & 0xff]);
	}
	assert.deepEqual(places, [[1, 11], [2, 12], [3, 13], [4, 14], [5.5, 15], [6, 16], [6.5, 26], [20, 40], [20, 40],
		[6.5, 26], [6, 16], [5.5, 15]]);
});

test("of jumps that follow one another quickly the last one counts", async () => {
	const gates = [];
	const one = playerOf(plainChunks(), { before: () => new Promise((resolve) => gates.push(resolve)) });
	one.playback.seek(3 * SECOND);
	await settle();
	one.playback.seek(6.2 * SECOND);
	one.playback.seek(6.7 * SECOND);
	for (let i = 0; i < 12; i++) {
		gates.splice(0).forEach((resolve) => resolve());
		await settle();
	}
	assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(26), grey(50)]);
	assert.equal(one.heard("arrived").length, 1);
	assert.deepEqual(one.heard("waiting").at(-1), [false]);
});

test("large frames go over several records and chunks", async () => {
	const payload = keyframe(77);
	const parts = [payload.subarray(0, 100), payload.subarray(100, 2000), payload.subarray(2000)];
	const one = playerOf([
		{ at: 0, key: true, records: [sent(keyframe(10))] },
		{ at: 1, key: true, records: [recordOf(KEY, { payload: parts[0], flags: 1 }), recordOf(KEY, { payload: parts[1], flags: 1 })] },
		{ at: 1, records: [recordOf(KEY, { payload: parts[2], delta: 1000 }), sent(small(78), 500000)] },
	]);
	await one.seek(1.7);
	assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(78), grey(77)]);
	/* A jump forgets the beginning of one that it leaves. */
	const third = playerOf([
		{ at: 0, key: true, records: [sent(keyframe(10)), sent(small(11), 100000)] },
		{ at: 1, records: [sent(payload.subarray(0, 100), 0, { flags: 1 })] },
		{ at: 1, records: [sent(payload.subarray(100), 500000)] },
	]);
	await third.seek(1.2);
	await third.seek(0.5);
	assert.deepEqual([third.at(0, 0), third.at(20, 20)], [grey(11), grey(10)]);
	await third.seek(1.7);
	assert.equal(third.at(20, 20), grey(77));
	/* Where reading begins may lie the end of a frame that is not there. */
	const other = playerOf([
		{ at: 0, key: true, records: [sent(keyframe(10)), sent(parts[0], 1000, { flags: 1 })] },
		{ at: 1, key: true, records: [sent(parts[1]), recordOf(KEY, { payload: keyframe(20) }), sent(small(21), 1000)] },
	]);
	await other.seek(1.5);
	assert.deepEqual([other.at(0, 0), other.at(20, 20)], [grey(21), grey(20)]);
	assert.deepEqual(other.heard("picture"), [["right"]]);
});

test("each monitor has its own picture", async () => {
	const one = playerOf([
		{ at: 0, key: true, records: [sent(keyframe(10)), sent(keyframe(100, { width: 20, height: 10 }), 1000, { viewer: 1 })] },
		{ at: 1, records: [sent(small(11)), sent(frameMessage(frameOf({ width: 20, height: 10, rects: [[0, 0, 4, 4]],
			pixel: plain(101) })), 0, { viewer: 1 })] },
	]);
	await one.seek(1.5);
	assert.deepEqual([one.at(0, 0), one.at(10, 5)], [grey(11), grey(10)]);
	assert.deepEqual(one.heard("viewer"), [[0], [1]]);
	one.playback.setViewer(1);
	await settle();
	assert.deepEqual([one.at(0, 0), one.at(10, 5)], [grey(101), grey(100)]);
	assert.deepEqual(one.heard("size").at(-1), [20, 10]);
	assert.deepEqual([one.canvas.width, one.canvas.height], [20, 10]);
	one.playback.setViewer(0);
	await settle();
	assert.equal(one.at(30, 20), grey(10));
});

test("the second monitor's keyframe may begin in the chunk behind the first one's", async () => {
	const second = { viewer: 1 };
	const one = playerOf([
		{ at: 0, key: true, records: [sent(keyframe(10)), sent(keyframe(100), 0, second)] },
		{ at: 5, key: true, records: [recordOf(KEY, { payload: keyframe(20) })] },
		{ at: 5.001, records: [recordOf(KEY, { payload: keyframe(120), viewer: 1 }), sent(small(121), SECOND, second)] },
	]);
	one.playback.setViewer(1);
	for (const [seconds, corner, rest] of [[5.5, 120, 120], [6.1, 121, 120], [5.0005, 100, 100]]) {
		await one.seek(seconds);
		assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(corner), grey(rest)], `${seconds} s`);
	}
});

test("pictures are decoded as in the live viewer, and only those that are seen", async () => {
	const one = playerOf([{ at: 0, key: true, records: [sent(keyframe(10)), ...[1, 2, 3].map((delta) => sent(pictured(jpeg()), delta))] }]);
	one.playback.seek(SECOND);
	await settle();
	assert.equal(images.length, 1);
	images[0].resolve(new FakeImage(20, 10, grey(200)));
	await settle();
	assert.deepEqual([one.at(8, 4), one.at(0, 0)], [grey(200), grey(10)]);
});

test("a film goes on from its key picture, also from one before the keyframe, but not from far away", async () => {
	const chunks = [
		{ at: 0, key: true, records: [sent(keyframe(10)), sent(pictured(film(0)), 1000), sent(pictured(film(1)), 2000)] },
		{ at: 1, key: true, records: [recordOf(KEY, { payload: keyframe(20) }), sent(pictured(film(2)), 1000)] },
	];
	const one = playerOf(chunks);
	one.playback.seek(0.5 * SECOND);
	await settle();
	const [decoder] = FakeVideoDecoder.all;
	assert.equal(decoder.chunks.length, 2);
	decoder.put(18, 16, grey(201));
	decoder.put(18, 16, grey(202));
	await settle();
	assert.equal(one.at(25, 15), grey(202));
	await one.seek(1.5);
	/* From there it goes on without a keyframe of the recording's own. */
	const place = playerOf(chunks);
	place.playback.seek(1.5 * SECOND);
	await settle();
	const later = FakeVideoDecoder.all.at(-1);
	assert.equal(later.chunks.length, 3);
	for (const shade of [201, 202, 203])
		later.put(18, 16, grey(shade));
	await settle();
	assert.deepEqual([place.at(25, 15), place.at(0, 0)], [grey(203), grey(10)]);
	/* It stands as the keyframe has it when that would take too long. */
	const far = playerOf(chunks.map((chunk) => ({ ...chunk, activity: 7e6 })));
	await far.seek(1.5);
	assert.deepEqual([far.at(25, 15), far.at(0, 0)], [grey(20), grey(20)]);
	assert.deepEqual(far.heard("picture"), [["right"]]);
	/* Or when its beginning is nowhere near. */
	const [first, second] = chunks;
	const none = playerOf([{ ...first, records: [sent(keyframe(10))] }, { ...second, at: 1 }, { ...second, at: 2 }, { ...second, at: 3 }]);
	await none.seek(3.5);
	assert.equal(none.at(25, 15), grey(20));
	assert.equal(none.heard("arrived").length, 1);
});

test("what the browser does not decode is left out, and said", async () => {
	const one = playerOf([{ at: 0, key: true, records: [sent(keyframe(10)), sent(pictured(film(0)), 1000), sent(small(11), 2000)] }]);
	one.playback.seek(SECOND);
	await settle();
	FakeVideoDecoder.all[0].fail();
	await settle();
	assert.deepEqual(one.heard("picture").map(([state]) => state).filter((state) => state !== "right"), ["film"]);
	assert.deepEqual([one.at(0, 0), one.at(25, 15)], [grey(11), grey(10)]);
	assert.equal(FakeVideoDecoder.all.length, 1);
});

test("a damaged chunk makes the picture wait for the next keyframe", async () => {
	const one = playerOf(plainChunks(), { before: (sequence) => {
		if (sequence === 2)
			throw new DamagedChunk("2");
	} });
	await one.seek(1);
	one.playback.play(true);
	await settle();
	await one.pass(3200, 100);
	assert.equal(one.at(0, 0), grey(11), "the last one that was right");
	assert.deepEqual(one.damaged, [2]);
	assert.deepEqual(one.heard("picture").at(-1), ["broken"]);
	await one.pass(1500, 100);
	assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(15), grey(50)]);
	assert.deepEqual(one.heard("picture").at(-1), ["right"]);
});

test("so does what is no message, and a frame that cannot be", async () => {
	const broken = keyframe(99).slice(0, 40);
	for (const bad of [new Uint8Array([1, 2, 3]), new Uint8Array(0), broken, small(99, [45, 30, 8, 8])]) {
		const chunks = plainChunks();
		chunks[3].records = [sent(bad)];
		const one = playerOf(chunks);
		await one.seek(4.5);
		assert.deepEqual(one.heard("picture").at(-1), ["broken"]);
		await one.seek(6.2);
		assert.deepEqual([one.at(0, 0), one.at(20, 20)], [grey(16), grey(50)]);
		assert.deepEqual(one.heard("picture").at(-1), ["right"]);
	}
});

test("a chunk of another recording, or from another place in it, is damaged", async () => {
	const good = chunkOf({ session: SESSION, sequence: 0 }, [sent(keyframe(10))]);
	const rows = [{ startUs: 0, timeMs: 0, flags: 1, activity: 1, events: 0 }];
	const damagedBy = async (bytes, more = {}) => {
		const damaged = [];
		const recording = new Recording([{ ...rows[0], ...more }], { session: SESSION, chunk: async () => bytes },
			(one) => damaged.push(one));
		assert.equal((await recording.chunk(0)) === null, damaged.length === 1);
		assert.equal((await recording.chunk(0)) === null, damaged.length === 1, "and stays so");
		return damaged.length === 1;
	};
	assert.equal(await damagedBy(good), false);
	assert.equal(await damagedBy(chunkOf({ session: SESSION, sequence: 1 }, [])), true);
	assert.equal(await damagedBy(chunkOf({ sequence: 0 }, [])), true);
	assert.equal(await damagedBy(good, { startUs: 5 }), true);
	assert.equal(await damagedBy(good.subarray(0, 50)), true);
});

test("the cache has a bound, and not too much is asked for at once", async () => {
	const payload = new Uint8Array(1000000);
	const count = Math.ceil(CACHE_MAX / payload.length) + 10;
	const chunks = Array.from({ length: count }, (_, at) => ({ at, key: at === 0, records: [recordOf(SENT, { payload })] }));
	const { recording, asked } = recorded(chunks);
	recording.readAhead(0, count);
	assert.equal(asked.length, ASKED_MAX);
	for (let index = 0; index < count; index++)
		await recording.chunk(index);
	assert.equal(recording.cached(0), null);
	assert.ok(recording.cached(count - 1));
	asked.length = 0;
	await recording.chunk(0);
	assert.deepEqual(asked, [0]);
});

test("strokes are told as they come, and after a jump those of the last seconds", async () => {
	const key = (keysym, down = 1) => encode("key", { keysym, scancode: 0, down });
	const one = playerOf([{ at: 0, key: true, records: [sent(keyframe(10)), recordOf(INPUT, { payload: key(0x61), delta: 1000 }),
		recordOf(INPUT, { payload: encode("text", { text: "確定" }), delta: 900000 }),
		recordOf(INPUT, { payload: encode("pointer", { x: 3, y: 4, buttons: 0, wheel_x: 0, wheel_y: 0 }), delta: 900000 })] },
	{ at: 10, records: [recordOf(INPUT, { payload: key(0, 1) }), recordOf(INPUT, { payload: new Uint8Array([9]) })] }]);
	await one.seek(3);
	assert.deepEqual(one.heard("strokes").at(-1), [[{ timeUs: 1000, keysym: 0x61, down: true, text: "" },
		{ timeUs: 900000, keysym: 0, down: true, text: "確定" }], true]);
	await one.seek(9);
	assert.deepEqual(one.heard("strokes").at(-1), [[], true]);
	one.playback.play(true);
	await settle();
	await one.pass(1100, 100);
	assert.deepEqual(one.heard("strokes").at(-1), [[{ timeUs: 10 * SECOND, keysym: 0, down: true, text: "" }], false]);
});

test("sound is heard as fast as it was, and never while jumping", async () => {
	const audio = (sequence) => sent(encodeAudio(sequence), sequence % 50 * 20000);
	const one = playerOf([{ at: 0, key: true, records: [sent(keyframe(10)), ...Array.from({ length: 49 }, (_, i) => audio(i + 1))] },
		{ at: 1, records: Array.from({ length: 50 }, (_, i) => audio(50 + i)) },
		{ at: 2, records: [sent(small(20)), sent(encodeAudio(100), 10000, { flags: 1 })] },
		{ at: 3, records: [sent(new Uint8Array([8, 8, 1])), sent(small(30), 900000)] }]);
	const numbers = () => one.heard("sound").map(([packets, anew]) => [packets.map(({ sequence }) => sequence), anew]);
	await one.seek(0.5);
	assert.deepEqual(numbers(), []);
	one.playback.play(true);
	await settle();
	await one.pass(100, 50);
	assert.deepEqual(numbers(), [[[26, 27], true], [[28, 29, 30], false]]);
	assert.deepEqual(Array.from(one.heard("sound")[0][0][0].packet), [7, 26]);
	one.playback.setSpeed(2);
	await one.pass(100, 50);
	assert.equal(numbers().length, 2);
	one.playback.setSpeed(1);
	await one.pass(50, 50);
	assert.equal(numbers().at(-1)[1], true, "what was left out is no pause of the PC");
	one.playback.seek(1.5 * SECOND);
	await settle();
	await one.pass(100, 50);
	assert.deepEqual(numbers().at(-1), [[76, 77], true]);
	one.playback.setViewer(1);
	await one.pass(100, 50);
	assert.ok(numbers().at(-1)[0].at(-1) > 77, "whichever monitor is looked at");
	await one.pass(3000, 50);
	assert.equal(numbers().at(-1)[0].at(-1), 99, "nothing of what is not whole");
	assert.ok(!one.heard("picture").some(([state]) => state === "broken"));
});

test("what happened is gathered from the chunks that the table names", async () => {
	const { recording, asked } = recorded([
		{ at: 0, key: true, events: 2, records: [recordOf(EVENT, { payload: json({ event: "viewer-joined", x: 0 }), delta: 5, viewer: 1 }),
			recordOf(EVENT, { payload: json({ event: "clipboard-blocked", direction: "out", nested: { a: 1 } }) })] },
		{ at: 1, records: [] },
		{ at: 2, events: 1, records: [recordOf(EVENT, { payload: new TextEncoder().encode("{") })] },
	]);
	const found = [];
	await gather(recording, 0, () => false, (happenings) => found.push(...happenings));
	assert.deepEqual(asked, [0, 2]);
	assert.deepEqual(found, [{ timeUs: 5, viewer: 1, name: "viewer-joined", details: { x: "0" } },
		{ timeUs: 5, viewer: 0, name: "clipboard-blocked", details: { direction: "out" } },
		{ timeUs: 2000000, viewer: 0, name: "", details: {} }]);
	assert.deepEqual(readHappening({ payload: json({ event: "<b>" }), timeUs: 1, viewer: 0 }).name, "");
	const many = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, "y".repeat(500)]));
	const long = readHappening({ payload: json({ event: "x", ...many }), timeUs: 1, viewer: 0 });
	assert.equal(Object.keys(long.details).length, 16);
	assert.equal(long.details.k0.length, 300);
});

test("a connection that ends, ends the player quietly", async () => {
	const one = playerOf(plainChunks(), { before: () => { throw new SourceClosed(); } });
	one.playback.seek(SECOND);
	await settle();
	await players.at(-1).running;
	await one.playback.step(1);
	await one.playback.begin();
	assert.equal(one.at(0, 0), 0);
});

test("the messages of these tests are messages", () => {
	for (const bytes of [keyframe(1), small(2), pictured(film(0)), pictured(jpeg())])
		assert.equal(decode(bytes).name, "frame");
});
