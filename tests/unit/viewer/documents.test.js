import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import test from "node:test";
import { load } from "./helpers.js";

if (!globalThis.navigator?.languages)
	Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });

const { DocumentError, getDocument, putDocument } = await load("core/document_stream.js");
const { decoderOf, encodeAs } = await load("core/codec.js");
const { DOCUMENT_END, FROM_PAGE, TO_PAGE } = await load("core/messages.js");
const { fileName, sizeText } = await load("vault/documents.js");
const { fromBase64, sha256Of, toBase64 } = await load("vault/bytes.js");
const { wrongText } = await load("vault/import_page.js");

const heard = decoderOf(FROM_PAGE);
const WINDOW = 1024 * 1024;
const number = (code) => Number(Object.keys(DOCUMENT_END).find((key) => DOCUMENT_END[key] === code));
const PART = 256 * 1024;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/* As docs/protocol.md has it. */
function sum(bytes) {
	const parts = [];
	for (let at = 0; at < bytes.length; at += PART)
		parts.push(sha256(bytes.subarray(at, at + PART)));
	return new Uint8Array(sha256(Buffer.concat(parts)));
}

/* A file on a disk, of which is never read more than a part at a time. */
class File {
	constructor(bytes) {
		this.bytes = bytes;
		this.size = bytes.length;
	}

	slice(from, to) {
		assert.ok(to - from <= PART, `${to - from} bytes at once`);
		return { arrayBuffer: async () => this.bytes.slice(from, to).buffer };
	}
}

/* The vault's side of a stream: what it hears goes to vault(message, say, hangUp). */
function stream(vault) {
	globalThis.WebSocket = class {
		constructor(url, protocol) {
			this.url = url;
			assert.equal(protocol, "sekisho.1");
			setTimeout(() => this.onopen());
		}

		send(bytes) {
			const say = (name, fields) => setTimeout(() => this.onmessage?.({ data: encodeAs(name, TO_PAGE[name], fields, 70000).slice().buffer }));
			vault(heard(bytes), say, (code) => setTimeout(() => this.onclose?.({ code })));
		}

		close() {
			this.closed = true;
		}
	};
}

function watch() {
	const give = new AbortController();
	const moved = [];
	return { signal: give.signal, give, moved: (bytes) => moved.push(bytes), all: moved };
}

const fails = (code) => (error) => error instanceof DocumentError && error.code === code;

test("a document goes in order, never far beyond what was taken, and with its sum", async () => {
	const bytes = new Uint8Array(randomBytes(3 * WINDOW + 17));
	const parts = [];
	let have = 0, taken = 0;
	stream(({ name, fields }, say) => {
		if (name === "document_put") {
			assert.equal(Number(fields.offset), have);
			have += fields.data.length;
			parts.push(fields.data.slice());
			assert.ok(have - taken <= WINDOW, `${have - taken} under way`);
			if (have - taken >= 256 * 1024 || have === bytes.length) {
				taken = have;
				say("document_taken", { bytes: BigInt(taken) });
			}
		} else {
			assert.equal(Number(fields.bytes), bytes.length);
			assert.deepEqual(fields.sum.slice(), sum(bytes));
			say("document_end", { error: 0, bytes: fields.bytes, sum: fields.sum });
		}
	});
	const looked = watch();
	await putDocument("wss://x", new File(bytes), looked);
	assert.ok(Buffer.concat(parts).equals(Buffer.from(bytes)));
	assert.equal(looked.all.at(-1), bytes.length);
});

test("what the vault did not keep is said with its reason", async () => {
	for (const code of ["infected", "scanner", "disk", "sum"]) {
		stream(({ name }, say) => name === "document_whole" && say("document_end", { error: number(code), bytes: 0n, sum: new Uint8Array(32) }));
		await assert.rejects(putDocument("wss://x", new Blob(["five!"]), watch()), fails(code));
	}
	stream((message, say, hangUp) => hangUp(1006));
	await assert.rejects(putDocument("wss://x", new Blob(["five!"]), watch()), fails("lost"));
	stream((message, say) => say("document_taken", { bytes: 9999n }));
	await assert.rejects(putDocument("wss://x", new Blob(["five!"]), watch()), fails("broken"));
});

test("a document that comes is whole, in order, and as it was when it went in", async () => {
	const bytes = new Uint8Array(randomBytes(2 * PART + 150000));
	const got = [];
	const sends = (change = {}) => stream(({ fields }, say) => {
		got.push(Number(fields.bytes));
		if (Number(fields.bytes) > 0)
			return;
		for (let at = 0; at < bytes.length; at += 60000)
			say("document_data", { offset: BigInt(change.offset ?? at), data: bytes.subarray(at, at + 60000) });
		say("document_end", { error: 0, bytes: BigInt(change.bytes ?? bytes.length), sum: change.sum ?? sum(bytes) });
	});
	sends();
	assert.deepEqual(new Uint8Array(await (await getDocument("wss://x", watch())).arrayBuffer()), bytes);
	assert.equal(got[0], 0);
	sends({ sum: new Uint8Array(32) });
	await assert.rejects(getDocument("wss://x", watch()), fails("sum"));
	sends({ bytes: bytes.length - 1 });
	await assert.rejects(getDocument("wss://x", watch()), fails("sum"));
	sends({ offset: 7 });
	await assert.rejects(getDocument("wss://x", watch()), fails("broken"));
});

test("a file that changes while it is read is not kept", async () => {
	const names = [];
	stream(({ name, fields }, say) => {
		names.push(name);
		say("document_taken", { bytes: fields.offset + BigInt(fields.data.length) });
	});
	const file = new File(new Uint8Array(2 * PART));
	const slice = file.slice.bind(file);
	file.slice = (from, to) => from === 0 ? slice(from, to) : { arrayBuffer: async () => {
		throw new DOMException("changed", "NotReadableError");
	} };
	await assert.rejects(putDocument("wss://x", file, watch()), fails("unread"));
	assert.ok(names.length > 0 && !names.includes("document_whole"));
});

test("nothing more is sent after the end", async () => {
	let said = 0, open = () => {};
	const gate = new Promise((resolve) => {
		open = () => resolve(undefined);
	});
	stream((message, say) => {
		if (said++ === 0)
			say("document_end", { error: number("disk"), bytes: 0n, sum: new Uint8Array(32) });
	});
	const file = new File(new Uint8Array(8 * PART));
	const slice = file.slice.bind(file);
	/* A disk that takes its time. */
	file.slice = (from, to) => ({ arrayBuffer: async () => {
		if (from > 0)
			await gate;
		return slice(from, to).arrayBuffer();
	} });
	await assert.rejects(putDocument("wss://x", file, watch()), fails("disk"));
	const until = said;
	open();
	await new Promise(setImmediate);
	assert.equal(said, until);
});

test("one that is given up ends at once", async () => {
	stream(() => {});
	const looked = watch();
	const going = putDocument("wss://x", new Blob(["five!"]), looked);
	looked.give.abort();
	await assert.rejects(going, fails("cancelled"));
});

test("a file's name leads nowhere, and sizes are read easily", () => {
	assert.equal(fileName("../../etc/pass\u0000wd"), "....etcpasswd");
	assert.equal(fileName("請求書\u202efdp.exe"), "請求書fdp.exe");
	assert.equal([...fileName("あ".repeat(300))].length, 255);
	assert.deepEqual([0, 1023, 1536, 482133, 104857600].map(sizeText), ["0 B", "1023 B", "1.5 KB", "471 KB", "100 MB"]);
});

test("bytes go through base64 as they are", async () => {
	const bytes = new Uint8Array(randomBytes(70001));
	assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
	assert.equal(fromBase64("###"), null);
	assert.equal(await sha256Of(new TextEncoder().encode("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("what is wrong with a row names its column, and an error nobody knows is said all the same", () => {
	assert.match(wrongText({ row: 2, column: "番号", error: "check-digit" }), /^番号: .*check digit/);
	assert.match(wrongText({ row: 2, column: "", error: "cells" }), /^There are more values/);
	assert.ok(wrongText({ row: 2, column: "", error: "of the future" }).length > 10);
});
