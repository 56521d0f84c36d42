/*
 * JPEG and H.264 in Chromium: real bytes through the viewer's own worker thread onto a canvas, from a scripted
 * connection. Chromium's encoders make the pictures of a camera's kind; H.264 of known pixels is written by hand.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { accessUnit, nal, pps, slice, sps, toYcc } from "../unit/viewer/bitstream.js";
import { frameMessage, frameOf, picturesOf } from "../unit/viewer/helpers.js";
import { canvas, CHROMIUM, playwright, skip, until } from "./office.js";

const WIDTH = 320;
const HEIGHT = 200;
const JPEG = 1;
const H264 = 2;
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const PACKET = 60000;

const viewer = join(process.env.SEKISHO_BUILD, "share", "viewer");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const extra = {
	"/": "<!doctype html><title>pictures</title><link rel=icon href='data:,'><canvas id=desktop></canvas>",
	"/test.js": 'import "./socket.js";\nimport "./core/worker.js";\n',
	"/socket.js": readFileSync(join(here, "socket.js")),
};

/** What the viewer loads, from the build; a page on this machine may use WebCodecs. */
function serve() {
	const server = createServer((request, response) => {
		const type = TYPES[extname(request.url)] ?? "text/html";
		try {
			const body = extra[request.url] ?? readFileSync(join(viewer, request.url));
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
});

after(async () => {
	await browser?.close();
	server?.close();
});

beforeEach(async () => {
	if (skip)
		return;
	await page?.close();
	page = await browser.newPage();
	page.on("pageerror", (error) => assert.fail(String(error)));
	await page.goto(`http://127.0.0.1:${server.address().port}/`);
	await page.evaluate(() => {
		window.sent = [];
		window.told = [];
		window.channel = new BroadcastChannel("socket");
		window.channel.onmessage = ({ data }) => window.sent.push({ ...data, bytes: [...(data.bytes ?? [])] });
		const worker = new Worker("/test.js", { type: "module" });
		worker.onmessage = ({ data }) => {
			window.told.push(data.type);
			if (data.type === "ready")
				worker.postMessage({ type: "open", url: "wss://pc/", width: 320, height: 200 });
		};
		worker.onerror = (event) => { window.told.push(`error: ${event.message}`); };
		const offscreen = document.querySelector("canvas").transferControlToOffscreen();
		worker.postMessage({ type: "start", canvas: offscreen }, [offscreen]);
	});
	socket = 1;
	sequence = 0;
	await hello();
	await send({ keyframe: 1, rects: [[0, 0, WIDTH, HEIGHT]], pixel: pattern });
});

const IDS = { hello: 0x0901, ack: 0x0902, refresh: 0x0908 };

/** The first message with this id that the viewer sent over the present connection, taken out. */
function message(name) {
	return until(`${name} from the viewer`, () => page.evaluate(({ id, from }) => {
		const at = window.sent.findIndex((one) => one.from === from && (one.bytes[0] | (one.bytes[1] << 8)) === id);
		return at >= 0 && window.sent.splice(at, 1)[0].bytes;
	}, { id: IDS[name], from: socket }));
}

async function hello() {
	const bytes = await message("hello");
	return bytes[8] | (bytes[9] << 8);
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
		assert.equal(Buffer.from(await message("ack")).readUInt32LE(2), sequence);
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
			const shown = [...rgb.subarray(at, at + 3)];
			assert.ok(shown.every((value, i) => Math.abs(value - colour[i]) <= tolerance),
				`${x}, ${y}: ${shown} instead of ${colour} ± ${tolerance}`);
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

/** A film of Chromium's own encoder (OpenH264): access units of count pictures. */
async function filmOf(width, height, count) {
	return (await page.evaluate(async ({ width, height, count }) => {
		const units = [];
		const encoder = new VideoEncoder({
			output: (chunk) => {
				const data = new Uint8Array(chunk.byteLength);
				chunk.copyTo(data);
				units.push(btoa(String.fromCharCode(...data)));
			},
			error: (error) => { throw error; },
		});
		encoder.configure({ codec: "avc1.42001f", width, height, bitrate: 4e6, latencyMode: "realtime",
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
	}, { width, height, count })).map((text) => Buffer.from(text, "base64"));
}

test("a browser with WebCodecs announces JPEG and H.264", { skip }, async () => {
	assert.deepEqual(await page.evaluate(() => window.told), ["ready", "open", "size", "picture"]);
});
