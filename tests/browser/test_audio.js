/*
 * Sound in Chromium: what the player makes of Opus packets, sample by sample, and a PC's tone through the whole gateway.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Office, skip, until } from "./office.js";

const HERTZ = 1000;

/** @type {Office} */
let office;
let sato;
let page;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	sato = await office.ask("user", { name: "sato" });
	page = await office.page(sato);
	await page.addInitScript(record);
});

after(async () => office?.stop());

/** In the page: keeps what is given to the loudspeaker, the left channel and when it begins. */
function record() {
	window.played = [];
	const start = AudioBufferSourceNode.prototype.start;
	AudioBufferSourceNode.prototype.start = function (when) {
		window.played.push({ when, samples: [...this.buffer.getChannelData(0)] });
		start.call(this, when);
	};
}

/** How much of the samples' power is at this frequency, 0 to 1 (Goertzel). */
function share(samples, hertz) {
	const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / 48000);
	let [a, b, power] = [0, 0, 0];
	for (const sample of samples) {
		[a, b] = [sample + coefficient * a - b, a];
		power += sample * sample;
	}
	return power === 0 ? 0 : (a * a + b * b - coefficient * a * b) / ((power * samples.length) / 2);
}

/** In the page: a tone as Opus packets of Chromium's own encoder, one of which is left out, played into a file. */
async function render({ hertz, packets, missing }) {
	const { RATE, PACKET_FRAMES, SoundPlayer } = await import("/core/audio.js");
	const made = [];
	const encoder = new AudioEncoder({ error: (error) => { throw error; }, output: (chunk) => {
		const packet = new Uint8Array(chunk.byteLength);
		chunk.copyTo(packet);
		made.push(packet);
	} });
	encoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: 2, bitrate: 96000,
		opus: { frameDuration: 20000 } });
	const data = Float32Array.from({ length: packets * PACKET_FRAMES * 2 },
		(_, i) => 0.4 * Math.sin((2 * Math.PI * hertz * (i >> 1)) / RATE));
	encoder.encode(new AudioData({ format: "f32", sampleRate: RATE, numberOfChannels: 2,
		numberOfFrames: packets * PACKET_FRAMES, timestamp: 0, data }));
	await encoder.flush();
	const context = new OfflineAudioContext(2, RATE / 2, RATE);
	let failures = 0;
	const player = new SoundPlayer(context, () => failures++);
	made.slice(0, packets).forEach((packet, number) => {
		if (number !== missing)
			player.take(number, packet);
	});
	await player.flush();
	player.close();
	const rendered = await context.startRendering();
	return { failures, made: made.length, left: [...rendered.getChannelData(0)], right: [...rendered.getChannelData(1)] };
}

test("packets become a tone, at its time, and a missing one is silence of its length", { skip }, async () => {
	await page.goto(office.url);
	const { failures, made, left, right } = await page.evaluate(render, { hertz: HERTZ, packets: 20, missing: 10 });
	assert.equal(failures, 0);
	assert.ok(made >= 20);
	const at = (from, to) => [left.slice(from * 48, to * 48), right.slice(from * 48, to * 48)];
	const loudest = (samples) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
	for (const [from, to] of [[0, 80], [280, 300], [480, 500]])
		for (const channel of at(from, to))
			assert.equal(loudest(channel), 0, `silence from ${from} to ${to} ms`);
	for (const [from, to] of [[120, 280], [340, 480]])
		for (const channel of at(from, to)) {
			assert.ok(share(channel, HERTZ) > 0.98, `a tone from ${from} to ${to} ms: ${share(channel, HERTZ)}`);
			assert.ok(Math.abs(loudest(channel) - 0.4) < 0.05, `${loudest(channel)}`);
		}
});

test("a PC's tone is off until the button is pressed, and then it is heard", { skip }, async () => {
	const number = await office.ask("pc", { name: "loud", kind: "sound", user: "sato" });
	await page.goto(office.url);
	await office.login(page, sato);
	await office.openDesktop(page, number);
	await page.waitForSelector("#tool-sound:visible");
	assert.equal(await page.getAttribute("#tool-sound", "aria-pressed"), "false");
	assert.equal(await page.isVisible("#tool-no-sound"), false);
	await office.ask("play", { name: "loud", milliseconds: 300, hertz: HERTZ });
	/* By the keyboard, as by the mouse. */
	await page.focus("#tool-sound");
	await page.keyboard.press("Enter");
	await page.waitForSelector('#tool-sound[aria-pressed="true"]');
	await office.ask("play", { name: "loud", milliseconds: 2000, hertz: HERTZ });
	const played = await until("a second of it", async () => {
		const all = await page.evaluate(() => window.played);
		return all.length >= 50 && all;
	});
	/* The first ones are the codec's beginning; a busy machine may leave one out, and the next begins with that. */
	const clear = played.filter(({ samples }) => share(samples, HERTZ) > 0.9);
	assert.ok(clear.length >= 40, `${clear.length} of ${played.length}`);
	assert.ok(played.every(({ samples: { length } }) => length === 960));
	/* One after another, but where a busy machine made a gap. */
	assert.ok(played.every(({ when }, i) => i === 0 || when > played[i - 1].when + 0.0199));
	assert.equal(await page.getAttribute("#tool-sound", "title"), "PCの音声を消す");
	await page.click("#tool-sound");
	await page.waitForSelector('#tool-sound[aria-pressed="false"]');
	const count = await page.evaluate(() => window.played.length);
	await office.ask("play", { name: "loud", milliseconds: 200, hertz: HERTZ });
	await office.ask("cli", { arguments: ["host", "set", "--name", "loud", "--audio", "no"] });
	await page.waitForSelector('body[data-session-state="ended"]');
	assert.equal(await page.evaluate(() => window.played.length), count);
	assert.equal(await page.isVisible("#tool-sound"), false);
	assert.deepEqual(page.problems.filter((problem) => !problem.includes("the server responded")), []);
});

test("a browser without WebCodecs says that it cannot play sound", { skip }, async () => {
	const number = await office.ask("pc", { name: "loud too", kind: "sound", user: "sato" });
	await office.ask("new_totp", { name: "sato" });
	const plain = await office.page(sato);
	await plain.addInitScript(() => { delete window.AudioDecoder; });
	await plain.goto(office.url);
	await office.login(plain, sato);
	await office.openDesktop(plain, number);
	await plain.waitForSelector("#tool-no-sound:visible");
	assert.equal(await plain.textContent("#tool-no-sound"), "このブラウザーでは音声を再生できません");
	assert.equal(await plain.isVisible("#tool-sound"), false);
	await plain.context().close();
});
