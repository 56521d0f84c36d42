/*
 * An export's way into a file: the gateway's messages, and whatever may come instead; and what the dialog works out by itself.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, test } from "node:test";
import { FakeSocket } from "./fake_browser.js";
import { load } from "./helpers.js";

Object.assign(globalThis, { HTMLElement: class {} });
if (!globalThis.navigator?.languages)
	Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });

const { ExportRun } = await load("player/export_run.js");
const { ExportPart, endText, parseElapsed } = await load("player/export_part.js");
const { readCertificate } = await load("player/certificate_file.js");
const { fileName } = await load("player/export_file.js");

const [DATA, STATE, END] = [0x0d41, 0x0d42, 0x0d43];

function message(id, ...fields) {
	return new Uint8Array(Buffer.concat([[2, id], ...fields].map((field) => {
		if (field instanceof Uint8Array)
			return Buffer.from(field);
		const bytes = Buffer.alloc(field[0]);
		bytes.writeUIntLE(field[1], 0, Math.min(6, field[0]));
		return bytes;
	})));
}

const data = (offset, text) => message(DATA, [8, offset], [4, text.length], new TextEncoder().encode(text));
const state = (permille) => message(STATE, [4, permille], [8, 5]);
const sumOf = (text) => createHash("sha256").update(text).digest();
const end = (error, bytes = 0) => message(END, [1, error], [8, bytes], sumOf("abcde"));

/** A run that is connected, and what became of its file. */
function runOf({ full = false, kept = (text) => text } = {}) {
	const file = { name: "x", text: "", whole: false, dropped: false,
		write: async (bytes) => {
			if (full)
				throw new Error("no room");
			file.text += new TextDecoder().decode(bytes);
		},
		finish: async (isRight) => {
			if (!await isRight(new Blob([kept(file.text)])))
				throw new Error("not what was written");
			file.whole = true;
		},
		drop: async () => (file.dropped = true) };
	const told = { progress: [], ended: [] };
	const run = new ExportRun("wss://gateway/x", file, { progress: (...values) => told.progress.push(values),
		ended: (ended) => told.ended.push(ended) });
	const [socket] = FakeSocket.all;
	const hear = async (...messages) => {
		messages.forEach((one) => socket.onmessage({ data: one.slice().buffer }));
		await new Promise((done) => setTimeout(done));
	};
	return { run, file, told, socket, hear };
}

beforeEach(() => {
	FakeSocket.all.length = 0;
});

test("what comes is written in its order, and whole at its end", async () => {
	const { file, told, hear, run } = runOf();
	await hear(data(0, "abc"), state(400), data(3, "de"));
	assert.deepEqual(told.progress, [[400, 3]]);
	assert.equal(run.permille, 400);
	assert.equal(file.whole, false);
	await hear(end(0, 5));
	/* The sum is taken by another thread. */
	while (told.ended.length === 0)
		await hear();
	assert.deepEqual([file.text, file.whole, file.dropped], ["abcde", true, false]);
	assert.deepEqual(told.ended, [{ reason: "none", bytes: 5, sha256: sumOf("abcde").toString("hex") }]);
	await hear(data(5, "more"), end(0, 9));
	assert.deepEqual([file.text, told.ended.length], ["abcde", 1], "nothing comes after it");
});

test("nothing stays of a file that is not whole", async () => {
	for (const [messages, reason] of [[[data(0, "abc"), end(16, 3)], "right"], [[data(0, "abc"), end(1, 3)], "source"],
		[[end(99)], "failed"], [[data(1, "abc")], "broken"], [[data(0, "abc"), data(0, "abc")], "broken"],
		[[data(0, "abc"), end(0, 4)], "broken"], [[new Uint8Array([1, 2, 3])], "broken"]]) {
		FakeSocket.all.length = 0;
		const { file, told, hear } = runOf();
		await hear(...messages);
		assert.deepEqual([file.whole, file.dropped, told.ended.length, told.ended[0].reason], [false, true, 1, reason]);
	}
});

test("what is in the file at the end is what the gateway has made, or it goes", async () => {
	for (const kept of [(text) => text.replace("c", "x"), (text) => text.slice(1), () => ""]) {
		FakeSocket.all.length = 0;
		const { file, told, hear } = runOf({ kept });
		await hear(data(0, "abcde"), end(0, 5));
		while (told.ended.length === 0)
			await hear();
		assert.deepEqual([file.whole, file.dropped, told.ended], [false, true, [{ reason: "disk", bytes: 5, sha256: "" }]]);
	}
});

test("a connection that ends without a word", async () => {
	for (const [code, reason] of [[4000, "refused"], [4001, "login"], [1013, "lost"], [1006, "lost"]]) {
		FakeSocket.all.length = 0;
		const { file, told, hear, socket } = runOf();
		await hear(data(0, "abc"));
		socket.onclose({ code });
		await hear();
		assert.deepEqual([file.dropped, told.ended[0].reason], [true, reason]);
	}
});

test("it can be cancelled, once, and a disk can be full", async () => {
	const { run, file, told, hear, socket } = runOf();
	await hear(data(0, "abc"));
	run.cancel();
	run.cancel();
	socket.onclose({ code: 1000 });
	await hear(end(0, 3));
	assert.deepEqual([file.dropped, file.whole, told.ended.map(({ reason }) => reason)], [true, false, ["cancelled"]]);
	FakeSocket.all.length = 0;
	const other = runOf({ full: true });
	await other.hear(data(0, "abc"));
	assert.deepEqual(other.told.ended.map(({ reason }) => reason), ["disk"]);
});

test("a part ends after it begins", () => {
	const part = new ExportPart();
	assert.equal(part.marked, false);
	part.setTo(5.5);
	assert.deepEqual([part.from, part.to], [null, 6]);
	part.setFrom(2.5);
	assert.deepEqual([part.from, part.to], [2, 6]);
	part.setFrom(6);
	assert.deepEqual([part.from, part.to], [6, null]);
	part.setTo(6);
	assert.deepEqual([part.from, part.to], [null, 6]);
	part.clear();
	assert.equal(part.marked, false);
});

test("times as people write them", () => {
	for (const [text, seconds] of [["0:00", 0], ["1:05", 65], ["1:02:03", 3723], ["90:00", 5400], ["０：０７", 7], [" 2:03.5 ", 123.5]])
		assert.equal(parseElapsed(text), seconds * 1000000, text);
	for (const text of ["", "5", "1:5", "1:60", "1:60:00", "a:05", "-1:05", "1:05x", "1:02:03:04"])
		assert.equal(parseElapsed(text), null, text);
});

test("what was marked is in what is written, also where it is shorter than a second", () => {
	for (const [us, begins, ends] of [[0, "0:00", "0:00"], [310000, "0:00.3", "0:00.4"], [999999, "0:00.9", "0:01"],
		[65000000, "1:05", "1:05"], [65000001, "1:05", "1:05.1"]]) {
		assert.equal(endText(us, 70000000, Math.floor), begins);
		assert.equal(endText(us, 70000000, Math.ceil), ends);
		assert.ok(parseElapsed(begins) <= us && parseElapsed(ends) >= us, begins);
	}
	assert.equal(endText(65500000, 3600000000, Math.floor), "0:01:05.5");
});

test("of a file only one certificate leaves the page", async () => {
	const block = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----";
	const key = "-----BEGIN PRIVATE KEY-----\nMAo=\n-----END PRIVATE KEY-----";
	assert.equal(await readCertificate(new Blob([`${key}\nfriendlyName: x\n${block}\n`])), `${block}\n`);
	assert.equal(await readCertificate(new Blob([block, "\n", block])), "");
	for (const text of ["", key, "no certificate", block.slice(0, 40)])
		assert.equal(await readCertificate(new Blob([text])), "", text);
	assert.equal(await readCertificate(new Blob([block, " ".repeat(70000)])), "", "too large");
	const der = Buffer.concat([Buffer.from([0x30, 0x45]), Buffer.alloc(69, 7)]);
	const pem = await readCertificate(new Blob([der]));
	assert.deepEqual(Buffer.from(pem.split("\n").slice(1, -2).join(""), "base64"), der);
	assert.ok(pem.split("\n").every((line) => line.length <= 64));
});

test("names of files stand in a command as they are", () => {
	assert.equal(fileName("sekisho-20261122-経理PC"), "sekisho-20261122-経理PC");
	assert.equal(fileName("../a b;c$(d)"), "a-b-c-d");
	assert.equal(fileName("--"), "sekisho");
});
