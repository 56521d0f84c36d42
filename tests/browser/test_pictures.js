/*
 * JPEG and H.264 in Chromium: real bytes through the viewer's own worker thread onto a canvas, from a scripted
 * connection. Chromium's encoders make the pictures of a camera's kind; H.264 of known pixels is written by hand.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { accessUnit, pps, slice, sps, toYcc } from "../unit/viewer/bitstream.js";
import { frameMessage, frameOf, picturesOf } from "../unit/viewer/helpers.js";
import { canvas, CHROMIUM, PAGE_MS, playwright, skip } from "./office.js";

const WIDTH = 320;
const HEIGHT = 200;
const JPEG = 1;
const H264 = 2;
const AVC420 = 8;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const PACKET = 60000;

const viewer = join(process.env.SEKISHO_BUILD, "share", "viewer");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const extra = {
	"/": "<!doctype html><title>pictures</title><link rel=icon href='data:,'>",
	"/test.js": 'import "./socket.js";\nimport "./core/worker.js";\n',
	"/socket.js": readFileSync(join(here, "socket.js")),
};

/** What the viewer loads, from the build; a page on this machine may use WebCodecs. */
function serve() {
	const server = createServer((request, response) => {
		const type = TYPES[extname(request.url.split("?")[0])] ?? "text/html";
		try {
			const [path] = request.url.split("?");
			const body = extra[path] ?? readFileSync(join(viewer, path));
			response.writeHead(200, { "Content-Type": type }).end(body);
		} catch {
			response.writeHead(404).end();
		}
	});
	return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

let server;
let browser;
let page;
let socket;
let sequence;

before(async () => {
	if (skip)
		return;
	server = await serve();
	browser = await playwright().chromium.launch({ executablePath: CHROMIUM,
		args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"] });
	page = await browser.newPage();
	page.on("pageerror", (error) => assert.fail(String(error)));
	await page.goto(`http://127.0.0.1:${server.address().port}/`);
});

after(async () => {
	await browser?.close();
	server?.close();
});

/** In the page: a new worker, what it tells, and what it sends, which message() waits for. */
function begin(script) {
	window.worker?.terminate();
	window.channel?.close();
	window.told = [];
	const sent = [];
	let look = () => {};
	window.message = (from, id) => new Promise((done) => {
		look = () => {
			const at = sent.findIndex((one) => one.from === from && (one.bytes[0] | (one.bytes[1] << 8)) === id);
			if (at < 0)
				return;
			look = () => {};
			done([...sent.splice(at, 1)[0].bytes]);
		};
		look();
	});
	window.channel = new BroadcastChannel("socket");
	window.channel.onmessage = ({ data }) => {
		if (data.bytes)
			sent.push(data);
		look();
	};
	window.worker = new Worker(script, { type: "module" });
	window.worker.onmessage = ({ data }) => {
		window.told.push(data.type);
		if (data.type === "ready")
			window.worker.postMessage({ type: "open", url: "wss://pc/", width: 320, height: 200 });
	};
	window.worker.onerror = (event) => { window.told.push(`error: ${event.message}`); };
	const element = document.createElement("canvas");
	element.id = "desktop";
	document.body.replaceChildren(element);
	const offscreen = element.transferControlToOffscreen();
	window.worker.postMessage({ type: "start", canvas: offscreen }, [offscreen]);
}

async function connect(script) {
	await page.evaluate(begin, script);
	socket = 1;
	sequence = 0;
	assert.equal(await hello(), JPEG | H264 | AVC420);
	await send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: pattern });
}

beforeEach(async () => {
	if (!skip)
		await connect("/test.js");
});

afterEach(async () => {
	if (!skip)
		assert.deepEqual((await page.evaluate(() => window.told)).filter((one) => one.startsWith("error")), []);
});

const IDS = { hello: 0x0901, ack: 0x0902, refresh: 0x0908 };

/** The next message of this kind that the viewer sends over the present connection. */
async function message(name) {
	const late = new Promise((_, reject) => setTimeout(reject, PAGE_MS, new Error(`no ${name} from the viewer`)).unref());
	return Buffer.from(await Promise.race([late,
		page.evaluate(([from, id]) => window.message(from, id), [socket, IDS[name]])]));
}

async function hello() {
	return (await message("hello")).readUInt16LE(8);
}

/** Until the viewer acknowledges this frame. */
async function acknowledged(number) {
	assert.equal((await message("ack")).readUInt32LE(2), number);
}

/** Sends a frame; comes back when the viewer has acknowledged it, or at once. */
async function send(frame, { wait = true } = {}) {
	const bytes = Buffer.from(frameMessage({ ...frameOf({ width: WIDTH, height: HEIGHT, ...frame }), sequence: ++sequence }));
	const packets = [];
	for (let at = 0; at < bytes.length; at += PACKET) {
		const more = at + PACKET < bytes.length ? 1 : 0;
		packets.push(Buffer.concat([Buffer.from([more]), bytes.subarray(at, at + PACKET)]).toString("base64"));
	}
	await page.evaluate(({ texts, to }) => {
		for (const text of texts)
			window.channel.postMessage({ to, packet: Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer });
	}, { texts: packets, to: socket });
	if (wait)
		await acknowledged(sequence);
}

const pattern = (x, y) => [(x * 7 + y * 3) & 0xff, (x * 5 + y * 11) & 0xff, (x * 13 + y) & 0xff];
/* Colours that change slowly: what JPEG and H.264 are for. */
const soft = (x, y) => [40 + (x >> 1), 60 + (y >> 1), 180 - (x >> 1)];

/** Every pixel of the canvas is what wanted(x, y) says: [r, g, b], and how far it may be away. */
async function sees(wanted) {
	const { width, height, rgb } = await canvas(page);
	assert.deepEqual([width, height], [WIDTH, HEIGHT]);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const { colour, tolerance = 0 } = wanted(x, y);
			const at = (y * width + x) * 3;
			for (let i = 0; i < 3; i++)
				if (Math.abs(rgb[at + i] - colour[i]) > tolerance)
					assert.fail(`${x}, ${y}: ${[...rgb.subarray(at, at + 3)]} instead of ${colour} ± ${tolerance}`);
		}
	}
	return rgb;
}

const isIn = ([left, top, width, height], x, y) => x >= left && x < left + width && y >= top && y < top + height;
const exact = (x, y) => ({ colour: pattern(x, y) });

/** A JPEG of Chromium's own encoder: pixel(x, y) from 0, 0 on. */
async function jpegOf(width, height, source) {
	const rgba = Buffer.alloc(width * height * 4, 255);
	for (let at = 0; at < width * height; at++)
		rgba.set(source(at % width, Math.floor(at / width)), at * 4);
	return Buffer.from(await page.evaluate(async ({ width, height, text }) => {
		const image = new OffscreenCanvas(width, height);
		const pixels = Uint8ClampedArray.from(atob(text), (c) => c.charCodeAt(0));
		image.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
		const blob = await image.convertToBlob({ type: "image/jpeg", quality: 0.9 });
		return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
	}, { width, height, text: rgba.toString("base64") }), "base64");
}

const ENCODER = "avc1.42001f";

/** A film of Chromium's own encoder (OpenH264): access units of count pictures. */
async function filmOf(width, height, count) {
	return (await page.evaluate(async ({ codec, width, height, count }) => {
		const units = [];
		const encoder = new VideoEncoder({
			output: (chunk) => {
				const data = new Uint8Array(chunk.byteLength);
				chunk.copyTo(data);
				units.push(btoa(String.fromCharCode(...data)));
			},
			error: (error) => { throw error; },
		});
		encoder.configure({ codec, width, height, bitrate: 4e6, latencyMode: "realtime",
			avc: { format: "annexb" } });
		const image = new OffscreenCanvas(width, height);
		const context = image.getContext("2d");
		for (let i = 0; i < count; i++) {
			context.fillStyle = `rgb(${60 + i * 20}, 120, ${200 - i * 20})`;
			context.fillRect(0, 0, width, height);
			const frame = new VideoFrame(image, { timestamp: i * 40000 });
			encoder.encode(frame, { keyFrame: i === 0 });
			frame.close();
		}
		await encoder.flush();
		return units;
	}, { codec: ENCODER, width, height, count })).map((text) => Buffer.from(text, "base64"));
}

const BOX = [41, 33, 101, 67];
const [LEFT, TOP, BOX_WIDTH, BOX_HEIGHT] = BOX;

/** H.264 of known pixels: the picture's number makes it brighter. */
function film(number, options = {}) {
	const samples = (x, y) => toYcc(soft(x, y).map((value) => value + 10 * number));
	return { codec: H264, stream: 1, key: number === 0 ? 1 : 0, rect: BOX, ...options,
		data: accessUnit({ number, width: BOX_WIDTH, height: BOX_HEIGHT, samples }) };
}

const brightened = (number) => (x, y) => soft(x - LEFT, y - TOP).map((value) => value + 10 * number);
/* Half of the colour's samples are not there, and each is rounded. */
const FILM_TOLERANCE = 4;
const JPEG_TOLERANCE = 6;

test("a JPEG is drawn in its place, moved exactly and made sharp again", { skip }, async () => {
	const data = await jpegOf(BOX_WIDTH, BOX_HEIGHT, soft);
	await send(picturesOf({ codec: JPEG, rect: BOX, data }));
	const seen = await sees((x, y) => (isIn(BOX, x, y) ?
		{ colour: soft(x - LEFT, y - TOP), tolerance: JPEG_TOLERANCE } : exact(x, y)));

	/* Together with a rectangle, and only some of it, and a copy of what was drawn before. */
	const clips = [[43, 130, 20, 9], [70, 120, 5, 40]];
	const lower = [41, 110, BOX_WIDTH, BOX_HEIGHT];
	await send({ copies: [[...BOX.slice(0, 2), 200, 100, 101, 67]], rects: [[0, 0, 30, 30], [41, 110, 29, 10]], pixel: soft,
		...picturesOf({ codec: JPEG, rect: lower, clips, data }) });
	await sees((x, y) => {
		if (isIn([200, 100, 101, 67], x, y)) {
			const at = ((y - 100 + TOP) * WIDTH + x - 200 + LEFT) * 3;
			return { colour: [...seen.subarray(at, at + 3)] };
		}
		if (clips.some((clip) => isIn(clip, x, y)))
			return { colour: soft(x - 41, y - 110), tolerance: JPEG_TOLERANCE };
		if (isIn(BOX, x, y))
			return { colour: soft(x - LEFT, y - TOP), tolerance: JPEG_TOLERANCE };
		return isIn([0, 0, 30, 30], x, y) || isIn([41, 110, 29, 10], x, y) ? { colour: soft(x, y) } : exact(x, y);
	});

	await send({ rects: [[0, 0, WIDTH, HEIGHT]], pixel: pattern });
	await sees(exact);
});

for (const script of ["/test.js", "/test.js?plain"]) {
	test(`several JPEGs of one frame are drawn where each belongs, by ${script}`, { skip }, async () => {
		await connect(script);
		const small = await jpegOf(33, 17, soft);
		const large = await jpegOf(BOX_WIDTH, BOX_HEIGHT, (x, y) => soft(y, x));
		await send(picturesOf({ codec: JPEG, rect: BOX, data: large }, { codec: JPEG, rect: [250, 180, 33, 17], data: small }));
		await sees((x, y) => {
			if (isIn(BOX, x, y))
				return { colour: soft(y - TOP, x - LEFT), tolerance: JPEG_TOLERANCE };
			return isIn([250, 180, 33, 17], x, y) ? { colour: soft(x - 250, y - 180), tolerance: JPEG_TOLERANCE } : exact(x, y);
		});
	});
}

test("H.264 is drawn unscaled, cut to its rectangle or its clips, in the order of its frames", { skip }, async () => {
	await send(picturesOf(film(0)));
	await sees((x, y) => (isIn(BOX, x, y) ? { colour: brightened(0)(x, y), tolerance: FILM_TOLERANCE } : exact(x, y)));

	/* Several on their way at once: the frame without pictures behind them must not overtake. */
	await send(picturesOf(film(1)), { wait: false });
	await send(picturesOf(film(2, { clips: [[41, 33, 20, 67], [80, 50, 62, 1]] })), { wait: false });
	await send({ rects: [[60, 40, 8, 8]], pixel: soft }, { wait: false });
	for (const number of [2, 3, 4])
		await acknowledged(number + 1);
	await sees((x, y) => {
		if (isIn([60, 40, 8, 8], x, y))
			return { colour: soft(x, y) };
		if (!isIn(BOX, x, y))
			return exact(x, y);
		const number = isIn([41, 33, 20, 67], x, y) || isIn([80, 50, 62, 1], x, y) ? 2 : 1;
		return { colour: brightened(number)(x, y), tolerance: FILM_TOLERANCE };
	});
});

test("many small rectangles around a film leave it alone, and the last of them make it sharp", { skip }, async () => {
	await send(picturesOf(film(0)));
	/* A chequered desktop: its bounding box has the whole film in it. */
	const around = [];
	const inside = [];
	for (let y = 0; y < HEIGHT; y += 10)
		for (let x = 0; x < WIDTH; x += 10)
			(x > LEFT - 10 && x < LEFT + BOX_WIDTH && y > TOP - 10 && y < TOP + BOX_HEIGHT ? inside : around).push([x, y, 10, 10]);
	await send({ rects: around, pixel: soft });
	const isInside = (x, y) => inside.some((rect) => isIn(rect, x, y));
	await sees((x, y) => {
		if (isIn(BOX, x, y))
			return { colour: brightened(0)(x, y), tolerance: FILM_TOLERANCE };
		return isInside(x, y) ? exact(x, y) : { colour: soft(x, y) };
	});
	await send({ rects: [...inside, ...around], pixel: pattern });
	await sees(exact);
});

test("a film of a real encoder, beside another stream and a JPEG", { skip }, async (context) => {
	const config = { codec: ENCODER, width: 160, height: 96 };
	if (!await page.evaluate(async (one) => (await VideoEncoder.isConfigSupported(one)).supported, config))
		return context.skip("this Chromium has no H.264 encoder");
	const units = await filmOf(160, 96, 6);
	assert.equal(units.length, 6);
	const data = await jpegOf(40, 30, soft);
	for (const [number, unit] of units.entries()) {
		const pictures = [{ codec: H264, stream: 3, key: number === 0 ? 1 : 0, rect: [150, 90, 160, 96], data: unit }, film(number)];
		if (number === 3)
			pictures.push({ codec: JPEG, rect: [0, 0, 40, 30], data });
		await send(picturesOf(...pictures));
	}
	await sees((x, y) => {
		if (isIn([150, 90, 160, 96], x, y))
			return { colour: [160, 120, 100], tolerance: 12 };
		if (isIn(BOX, x, y))
			return { colour: brightened(5)(x, y), tolerance: FILM_TOLERANCE };
		return isIn([0, 0, 40, 30], x, y) ? { colour: soft(x, y), tolerance: JPEG_TOLERANCE } : exact(x, y);
	});
	/* A keyframe ends the streams: they begin again, elsewhere and with another size. */
	await send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: pattern });
	await sees(exact);
	const [again] = await filmOf(64, 48, 1);
	await send(picturesOf({ codec: H264, stream: 3, key: 1, rect: [0, 0, 64, 48], data: again }));
	await sees((x, y) => (isIn([0, 0, 64, 48], x, y) ? { colour: [60, 120, 200], tolerance: 12 } : exact(x, y)));
});

test("the PC's H.264 is as large as its blocks, and what others build on is decoded but not drawn", { skip }, async () => {
	const coded = { width: 112, height: 80, crop: [0, 0, 0, 0] };
	const unit = (number, more) => ({ codec: AVC420, stream: 2, key: number === 0 ? 1 : 0, rect: BOX, ...more,
		data: accessUnit({ ...coded, number, samples: (x, y) => toYcc(soft(x, y).map((value) => value + 10 * number)) }) });
	await send(picturesOf(unit(0, { zero: 1 })));
	await sees(exact);
	await send(picturesOf(unit(1, { clips: [[41, 33, 50, 67]] })));
	await sees((x, y) => (isIn([41, 33, 50, 67], x, y) ? { colour: brightened(1)(x, y), tolerance: FILM_TOLERANCE } :
		exact(x, y)));
});

test("a film that does not decode makes the viewer connect again without H.264", { skip }, async () => {
	/* Right as far as anybody can see from outside, but the slice names parameters that were never sent. */
	const size = { width: BOX_WIDTH, height: BOX_HEIGHT };
	const body = slice(size);
	body[5] = 0x88;
	body[6] = 0x98;
	const data = Buffer.concat([sps(size), pps(), body]);
	await send(picturesOf({ codec: H264, stream: 1, key: 1, rect: BOX, data }), { wait: false });
	socket = 2;
	sequence = 0;
	assert.equal(await hello(), JPEG);
	await send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: soft });
	await send(picturesOf({ codec: JPEG, rect: BOX, data: await jpegOf(BOX_WIDTH, BOX_HEIGHT, soft) }));
	await sees((x, y) => (isIn(BOX, x, y) ? { colour: soft(x - LEFT, y - TOP), tolerance: JPEG_TOLERANCE } :
		{ colour: soft(x, y) }));
	/* What was not announced is not decoded either. */
	await send(picturesOf(film(0)), { wait: false });
	await message("refresh");
});

test("a picture that arrives after the keyframe that replaced it is not drawn", { skip }, async () => {
	const data = await jpegOf(BOX_WIDTH, BOX_HEIGHT, soft);
	await send(picturesOf(film(0), { codec: JPEG, rect: [200, 120, BOX_WIDTH, BOX_HEIGHT], data }), { wait: false });
	await send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: pattern }, { wait: false });
	for (const number of [2, 3])
		await acknowledged(number);
	await send(picturesOf({ codec: JPEG, rect: [0, 0, BOX_WIDTH, BOX_HEIGHT], data }));
	await sees((x, y) => (isIn([0, 0, BOX_WIDTH, BOX_HEIGHT], x, y) ? { colour: soft(x, y), tolerance: JPEG_TOLERANCE } :
		exact(x, y)));
});

test("a JPEG that is none asks for a keyframe", { skip }, async () => {
	const data = await jpegOf(BOX_WIDTH, BOX_HEIGHT, soft);
	/* Its tables are gone, the head is right. */
	const broken = Buffer.from(data);
	for (let at = 2; broken[at + 1] !== 0xda; at += 2 + broken.readUInt16BE(at + 2))
		if (broken[at + 1] === 0xdb)
			broken[at + 1] = 0xfe;
	await send(picturesOf({ codec: JPEG, rect: BOX, data: broken }), { wait: false });
	await message("refresh");
	await acknowledged(2);
	await send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: soft });
	await sees((x, y) => ({ colour: soft(x, y) }));
});
