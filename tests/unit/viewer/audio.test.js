/*
 * When packets of sound are played, on a clock and with a decoder that do what the test says. Whether they sound right
 * is browser/test_audio.js's.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { beforeEach } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "./helpers.js";

const OPUS = 4;
const MS = 48;

class FakeAudioDecoder {
	static all = [];
	static supported = true;
	/* Whether packets are decoded as they come. */
	static eager = true;
	state = "unconfigured";
	waiting = [];

	static async isConfigSupported(config) {
		assert.deepEqual(config, { codec: "opus", sampleRate: 48000, numberOfChannels: 2 });
		return { supported: typeof FakeAudioDecoder.supported === "function" ? FakeAudioDecoder.supported() :
			FakeAudioDecoder.supported };
	}

	constructor({ output, error }) {
		Object.assign(this, { output, error });
		FakeAudioDecoder.all.push(this);
	}

	configure() {
		this.state = "configured";
	}

	decode(chunk) {
		if (chunk.data[0] === 255)
			throw new TypeError("no");
		this.waiting.push(chunk);
		if (FakeAudioDecoder.eager)
			this.step();
	}

	step(more = {}) {
		const chunk = this.waiting.shift();
		if (chunk.data[0] === 254) {
			this.state = "closed";
			this.error(new Error("no"));
			return;
		}
		const data = { numberOfFrames: 960, numberOfChannels: 2, sampleRate: 48000, closed: false, copyTo() {},
			close() { this.closed = true; }, ...more };
		this.output(data);
		assert.ok(data.closed, "memory of the decoder is given back");
	}

	close() {
		this.state = "closed";
	}

	async flush() {}
}

class FakeContext {
	static all = [];
	/* Whether the browser lets it play. */
	static lets = true;
	currentTime = 0;
	destination = {};
	state = "suspended";
	/* Frames at which buffers begin. */
	begun = [];

	constructor(options) {
		this.options = options;
		FakeContext.all.push(this);
	}

	createBuffer(channels, length, rate) {
		assert.deepEqual([channels, rate], [2, 48000]);
		return { length, getChannelData: () => new Float32Array(length) };
	}

	createBufferSource() {
		return { connect: (to) => assert.equal(to, this.destination), start: (when) => {
			assert.ok(when >= this.currentTime, "nothing begins in the past");
			this.begun.push(Math.round(when * 48000));
		} };
	}

	async resume() {
		if (FakeContext.lets)
			this.turn("running");
	}

	async close() {
		this.turn("closed");
	}

	turn(state) {
		this.state = state;
		this.onstatechange?.();
	}
}

globalThis.AudioDecoder = FakeAudioDecoder;
globalThis.EncodedAudioChunk = class {
	constructor(init) {
		assert.equal(init.type, "key");
		Object.assign(this, init);
	}
};
globalThis.AudioContext = FakeContext;

const { Sound, SoundPlayer, soundCodecs } = await load("core/audio.js");

const packet = (first = 1) => Uint8Array.of(first, 2, 3);

beforeEach(() => {
	FakeAudioDecoder.all.length = FakeContext.all.length = 0;
	FakeAudioDecoder.eager = FakeContext.lets = true;
});

/** A player whose packets come when the test says; milliseconds of the clock. */
function playing() {
	const context = new FakeContext();
	const failures = [];
	const player = new SoundPlayer(context, () => failures.push(1));
	return { context, player, failures, begun: context.begun,
		come: (sequence, at, data = packet()) => {
			context.currentTime = at / 1000;
			player.take(sequence, data);
		} };
}

test("packets follow one another without a gap, some time after the first has come", () => {
	const { come, begun } = playing();
	for (let n = 0; n < 10; n++)
		come(n, 100 + n * 20 + (n % 3) * 15);
	assert.deepEqual(begun, Array.from({ length: 10 }, (_, n) => (180 + n * 20) * MS));
});

test("a packet that is missing is silence of its length", () => {
	const { come, begun } = playing();
	come(7, 0);
	come(8, 20);
	come(11, 80);
	assert.deepEqual(begun, [80 * MS, 100 * MS, 160 * MS]);
});

test("numbers wrap", () => {
	const { come, begun } = playing();
	come(0xffffffff, 0);
	come(0, 45);
	come(1, 70);
	assert.deepEqual(begun, [80 * MS, 100 * MS, 120 * MS]);
});

test("after a pause it begins anew, and so it does with numbers that make no sense", () => {
	const { come, begun } = playing();
	come(1, 0);
	come(1000000, 5000);
	come(3, 6000);
	assert.deepEqual(begun, [80 * MS, 5080 * MS, 6080 * MS]);
});

test("what comes too late is played all the same, and from then on there is more room", () => {
	const { come, begun } = playing();
	come(1, 0);
	come(2, 300);
	assert.deepEqual(begun, [80 * MS, (300 + 120) * MS]);
	let last = 300;
	for (let n = 3; n < 13; n++)
		come(n, last += 500);
	assert.equal(begun.at(-1), (last + 240) * MS, "but not without end");
});

test("the silence that the PC makes is no reason for more room", () => {
	const { come, begun } = playing();
	come(1, 0);
	come(5, 300);
	assert.deepEqual(begun, [80 * MS, 380 * MS]);
});

test("what comes all at once is not heard half a second later", () => {
	const { come, begun } = playing();
	for (let n = 0; n < 1000; n++)
		come(n, 0);
	/* From 80 to 500 milliseconds ahead. */
	assert.deepEqual(begun, Array.from({ length: 22 }, (_, n) => (80 + n * 20) * MS));
});

test("what has piled up is caught up with", () => {
	const { come, begun, context } = playing();
	/* Two hundred milliseconds at once, and then in time: the delay would stay for ever. */
	let n = 0;
	for (; n < 10; n++)
		come(n, 0);
	for (let at = 20; at <= 6000; at += 20, n++)
		come(n, at);
	assert.ok(begun.at(-1) / 48000 - context.currentTime < 0.125, `${begun.at(-1) / 48000 - context.currentTime}`);
});

test("a PC that sends a fifth of a second at a time is not cut short", () => {
	const { come, begun } = playing();
	let n = 0;
	for (let at = 0; at < 8000; at += 180)
		for (let i = 0; i < 9; i++)
			come(n++, at);
	assert.equal(begun.length, n);
	assert.ok(begun.every((frame, i) => i === 0 || frame === begun[i - 1] + 960));
});

test("a decoder that does not keep up gets no more, and what it gives late is played", () => {
	FakeAudioDecoder.eager = false;
	const { come, begun } = playing();
	for (let n = 0; n < 200; n++)
		come(n, 0);
	assert.equal(FakeAudioDecoder.all[0].waiting.length, 50);
	FakeAudioDecoder.all[0].step();
	assert.deepEqual(begun, [80 * MS]);
});

test("a packet that does not decode costs itself; three in a row are the end", () => {
	const { come, begun, failures } = playing();
	come(1, 0);
	come(2, 20, packet(254));
	come(3, 40);
	come(4, 60, packet(255));
	come(5, 80);
	assert.deepEqual([begun.length, failures.length], [3, 0]);
	for (let n = 6; n < 20; n++)
		come(n, 100, packet(n % 2 ? 254 : 255));
	assert.equal(failures.length, 1);
	assert.equal(FakeAudioDecoder.all.length, 5, "no decoder is made after that");
	assert.ok(FakeAudioDecoder.all.every(({ state }) => state === "closed"));
});

test("sound of another kind than was agreed on is not played", () => {
	for (const more of [{ sampleRate: 44100 }, { numberOfChannels: 1 }, { numberOfFrames: 48001 }]) {
		FakeAudioDecoder.eager = false;
		const { come, begun } = playing();
		come(1, 0);
		FakeAudioDecoder.all.at(-1).step(more);
		assert.deepEqual(begun, []);
	}
});

test("nothing is played after the end, and an empty packet is none", () => {
	FakeAudioDecoder.eager = false;
	const { come, begun, player } = playing();
	come(1, 0, new Uint8Array(0));
	assert.equal(FakeAudioDecoder.all.length, 0);
	come(1, 0);
	player.close();
	FakeAudioDecoder.all[0].step();
	come(2, 0);
	assert.deepEqual(begun, []);
	assert.equal(FakeAudioDecoder.all.length, 1);
});

/** A session's sound and the states it told. */
function session(can = true) {
	const told = [];
	return { sound: new Sound(can, (state) => told.push(state)), told };
}

test("it is off until it is turned on, and decodes nothing", async () => {
	const { sound, told } = session();
	sound.allow(true);
	sound.take(1, packet());
	assert.deepEqual([told, FakeContext.all.length, FakeAudioDecoder.all.length], [["off"], 0, 0]);
	await sound.set(true);
	assert.deepEqual(FakeContext.all[0].options, { sampleRate: 48000, latencyHint: "interactive" });
	sound.take(2, packet());
	assert.equal(FakeContext.all[0].begun.length, 1);
	await sound.set(false);
	assert.deepEqual(told, ["off", "on", "off"]);
	assert.equal(FakeContext.all[0].state, "closed");
	sound.take(3, packet());
	assert.equal(FakeContext.all[0].begun.length, 1);
});

test("where policy says no there is nothing to turn on", async () => {
	const { sound, told } = session();
	sound.allow(false);
	await sound.set(true);
	assert.deepEqual([told, FakeContext.all.length, sound.state], [[], 0, "none"]);
	sound.allow(true);
	await sound.set(true);
	sound.allow(false);
	assert.deepEqual(told, ["off", "on", "none"]);
	assert.equal(FakeContext.all[0].state, "closed");
});

test("it stays on over another connection of the session", async () => {
	const { sound, told } = session();
	sound.allow(true);
	await sound.set(true);
	sound.allow(true);
	assert.deepEqual(told, ["off", "on"]);
	assert.equal(FakeContext.all.length, 1);
});

test("a browser that cannot says so", async () => {
	const { sound, told } = session(false);
	sound.allow(true);
	await sound.set(true);
	assert.deepEqual([told, FakeContext.all.length], [["unsupported"], 0]);
});

test("and so does one that finds out later", async () => {
	const { sound, told } = session();
	sound.allow(true);
	await sound.set(true);
	for (let n = 0; n < 3; n++)
		sound.take(n, packet(254));
	assert.deepEqual(told, ["off", "on", "unsupported"]);
	assert.equal(FakeContext.all[0].state, "closed");
	await sound.set(true);
	assert.equal(FakeContext.all.length, 1);
});

test("it shows when the browser does not let it play, or takes the loudspeaker away", async () => {
	FakeContext.lets = false;
	const { sound, told } = session();
	sound.allow(true);
	await sound.set(true);
	assert.deepEqual(told, ["off"]);
	FakeContext.lets = true;
	await sound.set(true);
	FakeContext.all.at(-1).turn("suspended");
	FakeContext.all.at(-1).turn("running");
	assert.deepEqual(told, ["off", "on", "off", "on"]);
});

test("the end is silent", async () => {
	const { sound, told } = session();
	sound.allow(true);
	await sound.set(true);
	sound.close();
	assert.equal(FakeContext.all[0].state, "closed");
	assert.deepEqual(told, ["off", "on"], "nobody is there to be told");
});

test("Opus is announced where the browser decodes it, and the browser is asked once", async (context) => {
	const url = pathToFileURL(join(process.env.SEKISHO_BUILD, "share", "viewer", "core", "audio.js")).href;
	let number = 0;
	/* Each page asks anew. */
	const answer = async () => (await import(`${url}?${number++}`)).soundCodecs();
	context.after(() => {
		FakeAudioDecoder.supported = true;
	});
	assert.equal(await soundCodecs(), OPUS);
	FakeAudioDecoder.supported = false;
	assert.equal(await soundCodecs(), OPUS);
	assert.equal(await answer(), 0);
	FakeAudioDecoder.supported = () => { throw new Error("no"); };
	assert.equal(await answer(), 0);
	FakeAudioDecoder.supported = true;
	assert.equal(await answer(), OPUS);
	const { AudioDecoder } = globalThis;
	delete globalThis.AudioDecoder;
	assert.equal(await answer(), 0);
	globalThis.AudioDecoder = AudioDecoder;
});
