/*
 * A viewer's thread from the socket to the canvas, with decoders that answer when the test says: what is shown in which
 * order, what is acknowledged, and what becomes of everything that goes wrong.
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { accessUnit, jpegHead, pps, slice, sps } from "./bitstream.js";
import { FakeCanvas, FakeImage, FakeSocket, FakeVideoDecoder, images } from "./fake_browser.js";
import { frameOf, load, newZstd, picturesOf } from "./helpers.js";

const { Stream } = await load("core/stream.js");
const { QUEUE_MAX } = await load("core/queue.js");
const { supportOf } = await load("core/codecs.js");
const zstd = await newZstd();

const [HELLO, ACK, REFRESH] = [0x0901, 0x0902, 0x0908];
const [JPEG, H264, OPUS, AVC420] = [1, 2, 4, 8];
const WIDTH = 64;
const HEIGHT = 48;
const size = { width: WIDTH, height: HEIGHT };
const colour = (r, g, b) => 0xff000000 | (b << 16) | (g << 8) | r;
const RED = colour(255, 0, 0);
const BLUE = colour(0, 0, 255);
const GREY = colour(90, 90, 90);
const [grey, red] = [() => [90, 90, 90], () => [255, 0, 0]];

/** Lets everything happen that needs nothing from outside. */
const settle = async () => {
	for (let i = 0; i < 3; i++)
		await new Promise((done) => setTimeout(done));
};

/** A viewer that is connected and shows a grey desktop. */
async function viewer({ codecs } = {}) {
	const canvas = new FakeCanvas();
	const told = [];
	const stream = new Stream(canvas, zstd, (message) => told.push(message));
	streams.push(stream);
	stream.open("wss://pc/", WIDTH, HEIGHT, codecs);
	await settle();
	const self = { stream, canvas, told, sequence: 0, at: (x, y) => canvas.context.at(x, y) };
	/** Sends a frame over the newest connection; its sequence number. */
	self.send = (frame) => {
		const sequence = ++self.sequence;
		FakeSocket.all[0].frame({ ...frameOf({ ...size, ...frame }), sequence });
		return sequence;
	};
	self.keyframe = (pixel = grey) => self.send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel });
	/** The frames that were acknowledged since the last call. */
	self.acks = async () => {
		await settle();
		return FakeSocket.all[0].take(ACK).map((bytes) => bytes.readUInt32LE(2));
	};
	self.refreshes = () => FakeSocket.all[0].take(REFRESH).length;
	FakeSocket.all[0].open();
	self.keyframe();
	assert.deepEqual(await self.acks(), [1]);
	return self;
}

const streams = [];
afterEach(() => {
	for (const stream of streams.splice(0))
		stream.close();
});

beforeEach(() => {
	FakeSocket.all.length = 0;
	FakeVideoDecoder.all.length = 0;
	images.length = 0;
});

const jpeg = (more = {}) => ({ codec: JPEG, rect: [8, 4, 20, 10], data: jpegHead({ width: 20, height: 10 }), ...more });
const film = (number = 0, more = {}) => ({ codec: H264, stream: 0, key: number === 0 ? 1 : 0, rect: [30, 20, 18, 16],
	data: accessUnit({ number, width: 18, height: 16 }), ...more });
const good = (word = RED) => new FakeImage(20, 10, word);

test("the hello says what the browser decodes, and what the page adds", async () => {
	await viewer();
	assert.deepEqual(FakeSocket.all[0].take(HELLO).map((bytes) => bytes.readUInt16LE(8)), [JPEG | H264 | AVC420]);
	await viewer({ codecs: OPUS });
	assert.deepEqual(FakeSocket.all[0].take(HELLO).map((bytes) => bytes.readUInt16LE(8)), [JPEG | H264 | OPUS | AVC420]);
});

test("H.264 is announced only when the browser says so of Baseline and High, which is asked once for a size", async () => {
	FakeVideoDecoder.asked = [];
	assert.deepEqual(await supportOf(2560, 1440), { codecs: JPEG | H264 | AVC420, acceleration: "prefer-software" });
	await supportOf(2560, 1440);
	assert.deepEqual(FakeVideoDecoder.asked.map(({ codec, codedWidth, codedHeight }) => [codec, codedWidth, codedHeight]),
		[["avc1.42c033", 2560, 1440], ["avc1.640033", 2560, 1440]]);
	FakeVideoDecoder.supported = ({ hardwareAcceleration }) => hardwareAcceleration === "no-preference";
	assert.deepEqual(await supportOf(2559, 1440), { codecs: JPEG | H264 | AVC420, acceleration: "no-preference" });
	FakeVideoDecoder.supported = ({ codec }) => codec.startsWith("avc1.42");
	assert.equal((await supportOf(2561, 1440)).codecs, JPEG);
	FakeVideoDecoder.supported = () => { throw new Error("no"); };
	assert.equal((await supportOf(2562, 1440)).codecs, JPEG);
	FakeVideoDecoder.supported = () => true;
	const { VideoDecoder } = globalThis;
	delete globalThis.VideoDecoder;
	assert.equal((await supportOf(2563, 1440)).codecs, JPEG);
	globalThis.VideoDecoder = VideoDecoder;
});

test("a browser that does not answer delays the connection by no more than a moment", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	FakeVideoDecoder.supported = () => new Promise(() => {});
	const stream = new Stream(new FakeCanvas(), zstd, () => {});
	streams.push(stream);
	stream.open("wss://pc/", 3000, 2000);
	context.mock.timers.tick(200);
	for (let i = 0; i < 20; i++)
		await Promise.resolve();
	FakeVideoDecoder.supported = () => true;
	assert.equal(FakeSocket.all.length, 1);
	FakeSocket.all[0].open();
	assert.deepEqual(FakeSocket.all[0].take(HELLO).map((bytes) => bytes.readUInt16LE(8)), [JPEG]);
	/* And nothing is left of one that was closed before it began. */
	stream.open("wss://pc/", WIDTH, HEIGHT);
	stream.close();
	for (let i = 0; i < 20; i++)
		await Promise.resolve();
	assert.equal(FakeSocket.all.length, 1);
});

test("a frame without pictures is on the canvas before anything else happens", async () => {
	const { send, at } = await viewer();
	send({ rects: [[3, 3, 2, 2]], pixel: red });
	assert.deepEqual([at(3, 3), at(5, 5)], [RED, GREY]);
});

test("a JPEG is acknowledged when it is shown, with all that came behind it", async () => {
	const { send, at, acks } = await viewer();
	const first = send(picturesOf(jpeg()));
	const second = send({ rects: [[10, 6, 2, 2]], pixel: () => [0, 0, 255] });
	assert.deepEqual(await acks(), []);
	assert.equal(at(10, 6), GREY);
	const image = good();
	images[0].resolve(image);
	assert.deepEqual(await acks(), [first, second]);
	assert.deepEqual([at(8, 4), at(10, 6), at(27, 13), at(28, 14)], [RED, BLUE, RED, GREY]);
	assert.equal(image.closed, true);
});

test("frames are shown in their order, whichever is decoded first", async () => {
	const { send, at, acks } = await viewer();
	const sequences = [send(picturesOf(jpeg())), send(picturesOf(jpeg())), send({ copies: [[8, 4, 8, 30, 20, 10]] })];
	images[1].resolve(good(BLUE));
	assert.deepEqual(await acks(), []);
	assert.equal(at(8, 4), GREY);
	images[0].resolve(good(RED));
	assert.deepEqual(await acks(), sequences);
	assert.deepEqual([at(8, 4), at(8, 30)], [BLUE, BLUE]);
});

test("a frame waits for all its pictures, and what H.264 does not cover stays", async () => {
	const { send, at, acks } = await viewer();
	const sequence = send({ rects: [[0, 0, 4, 4]], pixel: red,
		...picturesOf(jpeg(), film(0, { clips: [[30, 20, 2, 2], [46, 34, 2, 2]] })) });
	images[0].resolve(good());
	assert.deepEqual(await acks(), []);
	assert.equal(at(0, 0), GREY);
	const [decoder] = FakeVideoDecoder.all;
	assert.deepEqual(decoder.config, { codec: "avc1.42c028", codedWidth: 18, codedHeight: 16, optimizeForLatency: true,
		hardwareAcceleration: "prefer-software" });
	assert.equal(decoder.chunks[0].type, "key");
	const frame = decoder.put(18, 16, BLUE);
	assert.deepEqual(await acks(), [sequence]);
	assert.deepEqual([at(0, 0), at(8, 4), at(30, 20), at(32, 22), at(46, 34), at(48, 36)], [RED, RED, BLUE, GREY, BLUE, GREY]);
	assert.equal(frame.closed, true);
});

test("decode time runs until the picture is shown", async () => {
	const { send } = await viewer();
	send(picturesOf(jpeg()));
	await new Promise((done) => setTimeout(done, 30));
	images[0].resolve(good());
	await settle();
	assert.ok(FakeSocket.all[0].take(ACK)[0].readUInt32LE(6) >= 30000);
});

test("one decoder for each stream takes its pictures in order", async () => {
	const { send, at, acks } = await viewer();
	send(picturesOf(film(0), film(0, { stream: 3, rect: [0, 0, 18, 16] })));
	send(picturesOf(film(1, { rect: [40, 30, 18, 16] })));
	const [first, second] = FakeVideoDecoder.all;
	assert.deepEqual(first.chunks.map(({ type }) => type), ["key", "delta"]);
	first.put(18, 16, RED);
	first.put(18, 16, BLUE);
	second.put(18, 16, RED);
	assert.deepEqual(await acks(), [2, 3]);
	assert.deepEqual([at(30, 20), at(57, 45), at(17, 15)], [RED, BLUE, RED]);
	/* A key picture of the same size goes on with the decoder, one of another size does not. */
	send(picturesOf(film(0)));
	assert.equal(FakeVideoDecoder.all.length, 2);
	first.put(18, 16, RED);
	send(picturesOf(film(0, { rect: [0, 0, 20, 16], data: accessUnit({ width: 20, height: 16 }) })));
	assert.equal(FakeVideoDecoder.all.length, 3);
	await settle();
	assert.equal(first.state, "closed");
	FakeVideoDecoder.all[2].put(20, 16, BLUE);
	assert.deepEqual(await acks(), [4, 5]);
	assert.equal(at(19, 15), BLUE);
});

test("a decoder that another replaces gives what is inside first", async () => {
	const { send, keyframe, at, acks, refreshes } = await viewer();
	send(picturesOf(film(0)));
	send(picturesOf(film(0, { rect: [0, 0, 20, 16], data: accessUnit({ width: 20, height: 16 }) })));
	const [first, second] = FakeVideoDecoder.all;
	second.put(20, 16, BLUE);
	await settle();
	assert.equal(first.state, "configured");
	first.put(18, 16, RED);
	assert.deepEqual(await acks(), [2, 3]);
	assert.deepEqual([at(47, 35), at(19, 15)], [RED, BLUE]);
	assert.equal(first.state, "closed");
	assert.equal(refreshes(), 0);
	/* And is not waited for when all streams end. */
	send(picturesOf(film(0)));
	send(picturesOf(film(0, { rect: [0, 0, 20, 16], data: accessUnit({ width: 20, height: 16 }) })));
	keyframe();
	assert.deepEqual(FakeVideoDecoder.all.map(({ state }) => state), Array(FakeVideoDecoder.all.length).fill("closed"));
});

test("a film stays seen under many rectangles, and not where they cover it", async () => {
	const { send, at, acks, canvas } = await viewer();
	send(picturesOf(film()));
	FakeVideoDecoder.all[0].put(18, 16, BLUE);
	assert.deepEqual(await acks(), [2]);
	const rects = [];
	for (let x = 0; x < WIDTH; x++)
		rects.push([x, 0, 1, 1], [x, 47, 1, 1]);
	send({ rects: [...rects, [30, 20, 3, 3]], pixel: red });
	assert.deepEqual([at(0, 0), at(63, 47), at(30, 20), at(32, 22), at(33, 22), at(47, 35)], [RED, RED, RED, RED, BLUE, BLUE]);
	send({ rects: [[29, 19, 20, 18]], pixel: red });
	canvas.context.drawn.length = 0;
	send({ rects, pixel: red });
	assert.deepEqual(canvas.context.drawn, [[0, 0, WIDTH, HEIGHT]], "nothing of the film is left: one box again");
});

test("a keyframe drops what is being decoded and ends the streams", async () => {
	const { send, keyframe, at, acks, refreshes } = await viewer();
	const sequences = [send(picturesOf(jpeg(), film())), send({ rects: [[0, 0, 1, 1]], pixel: red }), keyframe()];
	assert.deepEqual(await acks(), sequences);
	assert.equal(FakeVideoDecoder.all[0].state, "closed");
	const [late, image] = [new FakeImage(18, 16, BLUE), good()];
	FakeVideoDecoder.all[0].output(Object.assign(late, { timestamp: 0 }));
	images[0].resolve(image);
	assert.deepEqual(await acks(), []);
	assert.deepEqual([late.closed, image.closed], [true, true]);
	assert.deepEqual([at(0, 0), at(8, 4), at(30, 20)], [GREY, GREY, GREY]);
	/* The stream is another one now: it must begin again. */
	send(picturesOf(film(1)));
	await settle();
	assert.equal(refreshes(), 1);
	assert.equal(FakeSocket.all.length, 1);
});

test("a picture that a keyframe overtakes on its way out of the decoder is closed", async () => {
	const { send, keyframe, at } = await viewer();
	send(picturesOf(film()));
	const frame = FakeVideoDecoder.all[0].put(18, 16, BLUE);
	keyframe();
	await settle();
	assert.equal(frame.closed, true);
	assert.equal(at(30, 20), GREY);
});

test("another size drops what is being decoded too", async () => {
	const { send, acks, told, canvas } = await viewer();
	const sequences = [send(picturesOf(jpeg())),
		send({ width: 16, height: 16, keyframe: 1, rects: [[0, 0, 16, 16]], pixel: red })];
	assert.deepEqual(await acks(), sequences);
	images[0].resolve(good(BLUE));
	await settle();
	assert.deepEqual([canvas.width, canvas.height, canvas.context.at(8, 4)], [16, 16, RED]);
	assert.equal(told.filter(({ type }) => type === "size").length, 2);
});

for (const how of ["lost", "closed", "opened again"]) {
	test(`nothing is drawn after the connection was ${how}`, async () => {
		const { stream, send, canvas, acks } = await viewer();
		send(picturesOf(jpeg(), film()));
		const [socket] = FakeSocket.all;
		if (how === "lost")
			socket.onclose({ code: 1006 });
		else if (how === "closed")
			stream.close();
		else
			stream.open("wss://pc/", WIDTH, HEIGHT);
		images[0].resolve(good());
		assert.equal(FakeVideoDecoder.all[0].state, "closed");
		await settle();
		assert.notEqual(canvas.context.at(8, 4), RED);
		if (how === "opened again") {
			/* What was shown of the old stream is nothing to the new one. */
			FakeSocket.all[0].open();
			assert.deepEqual(await acks(), []);
		}
	});
}

/* ---- faults ---- */

/* Each leaves the picture as it was, asks for a keyframe over the same connection, and goes on with it. */
const refreshing = {
	"a JPEG that does not decode": ({ send }) => {
		send(picturesOf(jpeg()));
		images[0].reject(new Error("no image"));
	},
	"a JPEG that becomes another size": ({ send }) => {
		send(picturesOf(jpeg()));
		images[0].resolve(new FakeImage(10, 20, RED));
	},
	"a table that says nothing sensible": ({ send }) => send(picturesOf(jpeg({ stream: 1 }))),
	"a JPEG of another kind": ({ send }) =>
		send(picturesOf(jpeg({ data: jpegHead({ width: 20, height: 10, marker: 0xc2 }) }))),
	"a film that does not begin with a key picture": ({ send }) => send(picturesOf(film(1))),
	"a film that changes its size in passing": ({ send }) => {
		send(picturesOf(film()));
		send(picturesOf(film(1, { rect: [0, 0, 17, 16] })));
	},
	"a decoder that the browser takes away": ({ send }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].fail("QuotaExceededError");
	},
	"data that does not unpack, behind a picture": ({ send }) => {
		send(picturesOf(jpeg()));
		send({ rects: [[0, 0, 2, 2]], data: new Uint8Array([1, 2, 3]) });
		images[0].resolve(good(GREY));
	},
	"a frame that is wrong, behind a picture": ({ send }) => {
		send(picturesOf(jpeg()));
		send({ rects: [[63, 0, 2, 2]] });
	},
	"more frames than the worker may have on their way": ({ send }) => {
		for (let i = 0; i <= QUEUE_MAX; i++)
			send(picturesOf(jpeg()));
	},
};
for (const [what, happen] of Object.entries(refreshing)) {
	test(`a keyframe is asked for: ${what}`, async () => {
		const one = await viewer();
		await happen(one);
		assert.deepEqual(await one.acks(), Array.from({ length: one.sequence - 1 }, (_, i) => i + 2));
		assert.equal(one.refreshes(), 1);
		assert.equal(FakeSocket.all.length, 1);
		for (const { resolve } of images)
			resolve(good());
		await settle();
		assert.deepEqual([one.at(0, 0), one.at(8, 4), one.at(30, 20)], [GREY, GREY, GREY]);
		/* What comes before the keyframe is let pass, what comes after it is shown. */
		one.send({ rects: [[0, 0, 1, 1]], pixel: red });
		assert.equal(one.at(0, 0), GREY);
		one.keyframe(red);
		one.send(picturesOf(film()));
		FakeVideoDecoder.all.at(-1).put(18, 16, BLUE);
		assert.equal((await one.acks()).length, 3);
		assert.deepEqual([one.at(0, 0), one.at(30, 20)], [RED, BLUE]);
	});
}

test("a picture that is never decoded is waited for five seconds", async (context) => {
	const one = await viewer();
	context.mock.timers.enable({ apis: ["setTimeout"] });
	one.send(picturesOf(jpeg()));
	for (let i = 0; i < 4; i++)
		context.mock.timers.tick(1000);
	assert.equal(one.refreshes(), 0);
	context.mock.timers.tick(1000);
	assert.equal(one.refreshes(), 1);
	assert.equal(FakeSocket.all.length, 1);
});

test("each frame has its own five seconds", async (context) => {
	const one = await viewer();
	context.mock.timers.enable({ apis: ["setTimeout"] });
	for (let i = 0; i < 3; i++)
		one.send(picturesOf(jpeg()));
	for (let i = 0; i < 3; i++) {
		for (let second = 0; second < 4; second++)
			context.mock.timers.tick(1000);
		images[i].resolve(good());
		for (let turn = 0; turn < 10; turn++)
			await Promise.resolve();
	}
	for (let second = 0; second < 9; second++)
		context.mock.timers.tick(1000);
	assert.equal(one.refreshes(), 0);
	one.send(picturesOf(jpeg()));
	one.send(picturesOf(jpeg()));
	images[3].resolve(good());
	for (let turn = 0; turn < 10; turn++)
		await Promise.resolve();
	for (let second = 0; second < 5; second++)
		context.mock.timers.tick(1000);
	assert.equal(one.refreshes(), 1, "also the one behind it");
});

test("faults without end end the connection", async () => {
	const one = await viewer();
	for (let i = 0; i < 3; i++) {
		one.send(picturesOf(jpeg({ stream: 1 })));
		one.keyframe();
	}
	assert.equal(one.refreshes(), 3);
	one.send(picturesOf(jpeg({ stream: 1 })));
	assert.equal(FakeSocket.all[0].code, 4002);
	assert.deepEqual(one.told.at(-1), { type: "closed", code: 4002 });
});

/* Each makes the viewer connect again without H.264, for good. */
const size16 = { width: 18, height: 16 };
const abandoning = {
	"a film that does not decode": ({ send }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].fail();
	},
	"a decoder that broke between two pictures": async ({ send, acks }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].put(18, 16, GREY);
		await acks();
		FakeVideoDecoder.all[0].fail();
		send(picturesOf(film(0)));
	},
	"a decoder that is closed": ({ send }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].state = "closed";
		send(picturesOf(film(1)));
	},
	"a codec that the browser does not know after all": ({ send }) => {
		const data = Buffer.concat([sps({ ...size16, constraints: 0, level: 0 }), pps(), slice(size16)]);
		send(picturesOf(film(0, { data })));
	},
	"a picture of another size": ({ send }) => {
		send(picturesOf(film()));
		assert.equal(FakeVideoDecoder.all[0].put(20, 16, RED).closed, true);
	},
	"a picture that would be stretched": ({ send }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].put(18, 16, RED, { visibleRect: { width: 9, height: 16 } });
	},
	"a picture too many": ({ send }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].put(18, 16, GREY);
		assert.equal(FakeVideoDecoder.all[0].put(18, 16, RED).closed, true);
		send(picturesOf(film(1)));
	},
	"a picture of another time": ({ send }) => {
		send(picturesOf(film()));
		FakeVideoDecoder.all[0].put(18, 16, RED, { timestamp: 7 });
	},
	"an access unit that is none": ({ send }) => send(picturesOf(film(0, { data: new Uint8Array([0, 0, 1, 0x65, 0x88]) }))),
};
for (const [what, happen] of Object.entries(abandoning)) {
	test(`the viewer connects again without H.264: ${what}`, async () => {
		const one = await viewer({ codecs: OPUS });
		const [socket] = FakeSocket.all;
		await happen(one);
		await settle();
		assert.equal(socket.readyState, FakeSocket.CLOSED);
		assert.equal(FakeSocket.all.length, 2);
		assert.equal(FakeSocket.all[0].url, "wss://pc/");
		FakeSocket.all[0].open();
		assert.deepEqual(FakeSocket.all[0].take(HELLO).map((bytes) => bytes.readUInt16LE(8)), [JPEG | OPUS]);
		assert.deepEqual(one.told.filter(({ type }) => type === "closed"), [], "the page need not know");
		/* The old picture stays until the new one comes, and nothing of the old connection is acknowledged. */
		assert.deepEqual(await one.acks(), []);
		assert.deepEqual([one.at(8, 4), one.at(30, 20)], [GREY, GREY]);
		one.sequence = 0;
		one.keyframe(red);
		one.send(picturesOf(jpeg()));
		images[0].resolve(good(BLUE));
		assert.deepEqual(await one.acks(), [1, 2]);
		assert.deepEqual([one.at(0, 0), one.at(8, 4)], [RED, BLUE]);
		/* Who sends it all the same breaks the protocol. */
		one.send(picturesOf(film()));
		assert.equal(one.refreshes(), 1);
		/* And it is for good. */
		one.stream.open("wss://pc/", WIDTH, HEIGHT);
		await settle();
		FakeSocket.all[0].open();
		assert.deepEqual(FakeSocket.all[0].take(HELLO).map((bytes) => bytes.readUInt16LE(8)), [JPEG]);
	});
}

test("the PC's own H.264 is given up alone", async () => {
	const one = await viewer();
	one.send(picturesOf(film(0, { codec: AVC420, data: new Uint8Array([0, 0, 1, 0x65, 0x88]) })));
	await settle();
	FakeSocket.all[0].open();
	assert.deepEqual(FakeSocket.all[0].take(HELLO).map((bytes) => bytes.readUInt16LE(8)), [JPEG | H264]);
});

test("what is hidden is decoded and not drawn, and the two kinds of H.264 share no decoder", async () => {
	const one = await viewer();
	const own = { codec: AVC420, stream: 2 };
	one.send(picturesOf(film(0, { ...own, zero: 1 })));
	const [decoder] = FakeVideoDecoder.all;
	decoder.put(18, 16, RED);
	assert.deepEqual((await one.acks()).length, 1);
	assert.deepEqual(one.at(30, 20), GREY);
	one.send(picturesOf(film(1, own)));
	decoder.put(18, 16, BLUE);
	await one.acks();
	assert.deepEqual(one.at(30, 20), BLUE);
	one.send(picturesOf(film(0, { stream: 2 })));
	await settle();
	assert.equal(decoder.state, "closed");
	assert.equal(one.refreshes(), 0);
});

test("what a connection showed is not acknowledged over the next one", async () => {
	const one = await viewer();
	const drawn = [];
	globalThis.requestAnimationFrame = (callback) => drawn.push(callback);
	one.send({ rects: [[0, 0, 1, 1]], pixel: red });
	one.send(picturesOf(film(0, { data: new Uint8Array([0, 0, 1, 0x65, 0x88]) })));
	await settle();
	assert.equal(FakeSocket.all.length, 2);
	FakeSocket.all[0].open();
	for (const callback of drawn)
		callback();
	delete globalThis.requestAnimationFrame;
	assert.deepEqual(await one.acks(), []);
});

test("an output that never comes makes the viewer connect again without H.264", async (context) => {
	const one = await viewer();
	context.mock.timers.enable({ apis: ["setTimeout"] });
	one.send(picturesOf(film(), jpeg()));
	images[0].resolve(good());
	for (let turn = 0; turn < 10; turn++)
		await Promise.resolve();
	for (let i = 0; i < 5; i++)
		context.mock.timers.tick(1000);
	for (let turn = 0; turn < 10; turn++)
		await Promise.resolve();
	assert.equal(FakeSocket.all.length, 2);
	assert.equal(FakeVideoDecoder.all[0].state, "closed");
});

test("a decoder that was taken away begins anew with a key picture", async () => {
	const one = await viewer();
	one.send(picturesOf(film()));
	FakeVideoDecoder.all[0].put(18, 16, RED);
	await one.acks();
	FakeVideoDecoder.all[0].fail("QuotaExceededError");
	one.send(picturesOf(film(0)));
	FakeVideoDecoder.all[1].put(18, 16, BLUE);
	assert.deepEqual(await one.acks(), [3]);
	assert.equal(one.at(30, 20), BLUE);
	assert.equal(FakeSocket.all.length, 1);
});

test("a canvas that was lost shows the desktop again and asks for what it cannot have kept", async () => {
	const one = await viewer();
	one.canvas.context.pixels.clear();
	one.canvas.oncontextrestored();
	assert.equal(one.at(5, 5), GREY);
	assert.equal(one.refreshes(), 1);
});

test("closing forgets the pictures", async () => {
	const one = await viewer();
	one.send(picturesOf(jpeg()));
	images[0].resolve(good());
	await one.acks();
	assert.equal(one.at(8, 4), RED);
	one.stream.close();
	assert.equal(one.at(8, 4), 0);
	assert.equal(FakeSocket.all[0].code, 1000);
});
