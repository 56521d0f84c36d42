import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import { load } from "./helpers.js";

const { DocumentError } = await load("core/document_stream.js");
const { PreviewStream } = await load("core/preview_stream.js");
const { decoderOf, encodeAs } = await load("core/codec.js");
const { DOCUMENT_END, FROM_PAGE, TO_PAGE } = await load("core/messages.js");

const heard = decoderOf(FROM_PAGE);
const number = (code) => Number(Object.keys(DOCUMENT_END).find((key) => DOCUMENT_END[key] === code));
const fails = (code) => (error) => error instanceof DocumentError && error.code === code;

/** The vault's side: what it hears goes to vault(message, say). Streams that there were, with how to end them. */
function streams(vault) {
	const all = [];
	globalThis.WebSocket = class {
		constructor() {
			all.push(this);
			setTimeout(() => this.onopen());
		}

		say(name, fields) {
			setTimeout(() => this.onmessage?.({ data: encodeAs(name, TO_PAGE[name], fields, 70000).slice().buffer }));
		}

		send(bytes) {
			vault(heard(bytes), (name, fields) => this.say(name, fields));
		}

		end(code) {
			this.say("document_end", { error: number(code), bytes: 0n, sum: new Uint8Array(32) });
		}

		close() {
			this.closed = true;
		}
	};
	return all;
}

function begin() {
	const give = new AbortController();
	const ended = [];
	return { stream: new PreviewStream("wss://x", give.signal, (error) => ended.push(error.code)), give, ended };
}

const tick = () => new Promise((done) => setTimeout(done, 5));

test("pages come one after another over one stream, and no page that was not asked for", async () => {
	const pictures = [1, 2, 3].map((page) => new Uint8Array(randomBytes(page * 150000)));
	const shown = [], got = [];
	const all = streams(({ name, fields }, say) => {
		if (name === "document_got") {
			got.push(Number(fields.bytes));
			return;
		}
		assert.equal(name, "document_show");
		shown.push(fields.page);
		const picture = pictures[fields.page - 1];
		say("document_page", { page: fields.page, pages: 3, bytes: picture.length });
		for (let at = 0; at < picture.length; at += 60000)
			say("document_data", { offset: BigInt(at), data: picture.subarray(at, at + 60000) });
	});
	const { stream, ended } = begin();
	await tick();
	assert.deepEqual(shown, []);
	for (const page of [1, 3, 2, 1])
		assert.deepEqual(await stream.page(page), { picture: pictures[page - 1], pages: 3 });
	await tick();
	assert.deepEqual(shown, [1, 3, 2, 1]);
	assert.equal(all.length, 1);
	assert.ok(!all[0].closed);
	assert.deepEqual(ended, []);
	/* What is taken is said now and then, so that the vault goes on, and not once the page is there. */
	assert.deepEqual(got, [300000]);
});

test("what is no page is not shown", async () => {
	const png = new Uint8Array(100);
	const page = (change) => (say) => say("document_page", { page: 2, pages: 3, bytes: 100, ...change });
	const data = (change) => (say) => say("document_data", { offset: 0n, data: png, ...change });
	for (const said of [[data({})], [page({ page: 1 })], [page({ bytes: 0 })], [page({ bytes: 17 * 1024 * 1024 })], [page({}), page({})],
		[page({}), data({ offset: 1n })], [page({}), data({ data: new Uint8Array(101) })]]) {
		const all = streams((message, say) => said.forEach((one) => one(say)));
		await assert.rejects(begin().stream.page(2), fails("broken"));
		assert.ok(all[0].closed);
	}
});

test("who waits for a page hears what ended it, and later nobody is bothered but by a word", async () => {
	let all = streams(() => all[0].end("password"));
	await assert.rejects(begin().stream.page(1), fails("password"));
	/* Nobody has asked yet, or any more. */
	all = streams(() => {});
	const { stream, ended } = begin();
	await tick();
	all[0].end("time");
	await tick();
	assert.deepEqual(ended, ["time"]);
	await assert.rejects(stream.page(1), fails("time"));
	all = streams(() => {});
	const other = begin();
	const page = other.stream.page(1);
	other.give.abort();
	await assert.rejects(page, fails("cancelled"));
	assert.deepEqual(other.ended, []);
	assert.ok(all[0].closed);
	/* A preview has no end of its own. */
	all = streams(() => all[0].end("none"));
	await assert.rejects(begin().stream.page(1), fails("broken"));
});
