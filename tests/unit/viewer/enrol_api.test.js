import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { EnrolApi, EnrolError } = await load("enrol/api.js");

const WAITING = { state: "pending", person: "佐藤", account: "sato", device: "laptop", office: "office", expires: 1,
	kind: "file", gateway: "https://gw.example/" };

/** An interface whose gateway gives this answer, and the requests it got. */
function fake(status, body) {
	const requests = [];
	const api = new EnrolApi(async (url, init) => {
		requests.push({ url, init });
		if (status === 0)
			throw new TypeError("Failed to fetch");
		return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
	});
	return { api, requests };
}

function failure(promise) {
	return promise.then(() => assert.fail("no error"), (error) => {
		assert.ok(error instanceof EnrolError, error);
		return error;
	});
}

test("requests are what docs/protocol.md says", async () => {
	const { api, requests } = fake(202, WAITING);
	await api.look("C");
	await api.ask("C", { kind: "file", compatible: true });
	await api.ask("C", { kind: "request", csr: "R", key_place: "tpm" });
	assert.deepEqual(requests.map(({ url, init }) => [url, init.method, JSON.parse(init.body)]), [
		["/enrol/api/look", "POST", { code: "C" }],
		["/enrol/api/file", "POST", { code: "C", compatible: true }],
		["/enrol/api/request", "POST", { code: "C", csr: "R", key_place: "tpm" }],
	]);
	for (const { init } of requests) {
		assert.equal(init.headers["Content-Type"], "application/json");
		assert.equal(init.cache, "no-store");
		assert.equal(init.redirect, "error");
	}
});

test("an invitation that is over is an error, whichever way the gateway says it", async () => {
	for (const [state, code] of [["refused", "denied"], ["withdrawn", "denied"], ["issued", "used"], ["expired", "expired"]]) {
		const error = await failure(fake(200, { ...WAITING, state, reason: "why" }).api.look("C"));
		assert.deepEqual([error.code, error.reason, error.ends], [code, "why", true]);
	}
	const issued = { ...WAITING, state: "issued", file: "AA==", password: "p" };
	assert.equal((await fake(200, issued).api.ask("C", { kind: "file", compatible: false })).file, "AA==");
});

test("errors say whether the code is still good", async () => {
	const cases = [[401, "code", true, false], [410, "expired", true, false], [409, "used", true, false],
		[403, "denied", true, false], [422, "key", false, false], [400, "invalid", false, false],
		[503, "unavailable", false, true], [507, "full", false, true], [429, "throttled", false, true],
		[504, "timeout", false, true], [500, "internal", false, true]];
	for (const [status, code, ends, passes] of cases) {
		const error = await failure(fake(status, { error: code, retry_s: 2.2, field: "csr" }).api.look("C"));
		assert.deepEqual([error.code, error.ends, error.passes, error.retryS, error.field],
			[code, ends, passes, 3, "csr"]);
	}
	assert.equal((await failure(fake(0).api.look("C"))).code, "network");
	assert.equal((await failure(fake(200, "<html>").api.look("C"))).code, "protocol");
	assert.equal((await failure(fake(502, "<html>").api.look("C"))).code, "internal");
	assert.equal((await failure(fake(200, []).api.look("C"))).code, "protocol");
	assert.equal((await failure(fake(200, { state: "open" }).api.look("C"))).code, "protocol");
	assert.equal((await failure(fake(400, { error: 7, reason: 8 }).api.look("C"))).reason, "");
});
