/*
 * What a worker thread has in a browser and Node has not: sockets whose other end is the test, canvases that can be
 * looked at, and decoders of pictures that answer when the test says so. Load before the viewer's modules.
 */
import { frameMessage } from "./helpers.js";

/** The gateway's end of the viewer's connections, the last one first. */
export class FakeSocket {
	static CONNECTING = 0;
	static OPEN = 1;
	static CLOSED = 3;
	/** @type {FakeSocket[]} */
	static all = [];
	readyState = FakeSocket.CONNECTING;
	bufferedAmount = 0;
	sent = [];

	constructor(url) {
		this.url = url;
		FakeSocket.all.unshift(this);
	}

	send(bytes) {
		this.sent.push(Buffer.from(bytes));
	}

	close(code) {
		this.readyState = FakeSocket.CLOSED;
		this.code = code;
	}

	open() {
		this.readyState = FakeSocket.OPEN;
		this.onopen();
	}

	/** A frame from the worker. */
	frame(frame) {
		this.onmessage({ data: new Uint8Array([0, ...frameMessage(frame)]).buffer });
	}

	/** The messages with this id that the viewer sent, taken out. */
	take(id) {
		const found = this.sent.filter((bytes) => bytes.readUInt16LE(0) === id);
		this.sent = this.sent.filter((bytes) => bytes.readUInt16LE(0) !== id);
		return found;
	}
}

class FakeContext {
	#clip = null;
	#path = [];
	drawn = [];

	constructor(canvas) {
		this.canvas = canvas;
		this.pixels = new Map();
	}

	/* What a pixel shows: a word. */
	at(x, y) {
		return this.pixels.get(y * 65536 + x) ?? 0;
	}

	#set(x, y, word) {
		this.pixels.set(y * 65536 + x, word);
	}

	putImageData(image, dx, dy, x = 0, y = 0, width = image.width, height = image.height) {
		const words = new Int32Array(image.data.buffer);
		this.drawn.push([x, y, width, height]);
		for (let row = y; row < y + height; row++)
			for (let column = x; column < x + width; column++)
				this.#set(column, row, words[row * image.width + column]);
	}

	drawImage(image, ...numbers) {
		if (image.closed)
			throw new Error("a closed picture was drawn");
		const [sx, sy, width, height, x, y] = numbers.length === 8 ? numbers : [0, 0, image.width, image.height, ...numbers];
		const word = image.context ? (left, top) => image.context.at(left, top) : image.word;
		for (let row = 0; row < height; row++)
			for (let column = 0; column < width; column++)
				if (!this.#clip || this.#clip.some(([l, t, w, h]) => x + column >= l && x + column < l + w &&
					y + row >= t && y + row < t + h))
					this.#set(x + column, y + row, word(sx + column, sy + row));
	}

	getImageData(x, y, width, height) {
		const words = new Int32Array(width * height);
		words.forEach((_, i) => { words[i] = this.at(x + i % width, y + Math.floor(i / width)); });
		return { data: new Uint8ClampedArray(words.buffer) };
	}

	fillRect() {
		this.pixels.clear();
	}

	save() {}

	/* What is drawn by lines is not looked at. */
	arc() {}

	lineTo() {}

	closePath() {}

	fill() {}

	stroke() {}

	beginPath() {
		this.#path = [];
	}

	rect(...rect) {
		this.#path.push(rect);
	}

	clip() {
		this.#clip = this.#path;
	}

	restore() {
		this.#clip = null;
	}
}

export class FakeCanvas {
	constructor(width = 1, height = 1) {
		this.width = width;
		this.height = height;
		this.context = new FakeContext(this);
	}

	getContext() {
		return this.context;
	}
}

/** Images that createImageBitmap was asked for, in order; the test answers. */
export const images = [];

export class FakeImage {
	closed = false;

	constructor(width, height, word) {
		Object.assign(this, { width, height, displayWidth: width, displayHeight: height, visibleRect: { width, height } });
		this.word = () => word;
	}

	close() {
		this.closed = true;
	}
}

/** The viewer's decoders of H.264, in order; the test makes them put out pictures. */
export class FakeVideoDecoder {
	/** @type {FakeVideoDecoder[]} */
	static all = [];
	static supported = () => true;
	static isConfigSupported = async (config) => {
		FakeVideoDecoder.asked.push(config);
		return { supported: await this.supported(config) };
	};

	static asked = [];
	state = "unconfigured";
	chunks = [];

	constructor({ output, error }) {
		Object.assign(this, { output, error });
		FakeVideoDecoder.all.push(this);
	}

	configure(config) {
		if (config.codec === "avc1.420000")
			throw new TypeError("no such codec");
		this.config = config;
		this.state = "configured";
	}

	decode(chunk) {
		if (this.state !== "configured")
			throw new Error("not configured");
		this.chunks.push(chunk);
	}

	/** Until the last picture is out. */
	flush() {
		if (this.state !== "configured")
			return Promise.reject(new Error("not configured"));
		return new Promise((resolve) => {
			this.flushed = resolve;
			this.#empty();
		});
	}

	#empty() {
		if (this.chunks.length === 0)
			this.flushed?.();
	}

	close() {
		this.state = "closed";
	}

	/** The next picture. */
	put(width, height, word, more = {}) {
		const frame = new FakeImage(width, height, word);
		Object.assign(frame, { timestamp: this.chunks.shift()?.timestamp, ...more });
		this.output(frame);
		this.#empty();
		return frame;
	}

	fail(name = "EncodingError") {
		this.state = "closed";
		this.error(Object.assign(new Error("it broke"), { name }));
	}
}

Object.assign(globalThis, {
	WebSocket: FakeSocket,
	OffscreenCanvas: FakeCanvas,
	ImageData: class {
		constructor(data, width, height) {
			Object.assign(this, { data, width, height });
		}
	},
	createImageBitmap: (blob) => new Promise((resolve, reject) => images.push({ blob, resolve, reject })),
	VideoDecoder: FakeVideoDecoder,
	EncodedVideoChunk: class {
		constructor(init) {
			Object.assign(this, init);
		}
	},
});
