import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { Api, ApiError } = await load("core/api.js");

const ID = "0123456789abcdef0123456789abcdef";

/** An Api whose gateway gives this answer, and the requests it got. */
function fake(status, body) {
	const requests = [];
	const api = new Api("https://gateway.example:8443", async (url, init) => {
		requests.push({ url, init });
		if (status === 0)
			throw new TypeError("Failed to fetch");
		return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
	});
	return { api, requests };
}

async function failure(promise) {
	try {
		await promise;
	} catch (error) {
		assert.ok(error instanceof ApiError);
		return error;
	}
	return assert.fail("no error");
}

test("requests that change something are JSON, those that read carry no body", async () => {
	const { api, requests } = fake(200, { hosts: [] });
	await api.hosts();
	await api.end(ID);
	await api.login("suzuki", "secret");
	assert.equal(requests[0].init.method, "GET");
	assert.equal(requests[0].init.body, undefined);
	assert.equal(requests[1].init.method, "DELETE");
	assert.equal(requests[1].url, `https://gateway.example:8443/api/sessions/${ID}`);
	assert.deepEqual(requests[2].init.headers, { "Content-Type": "application/json" });
	assert.deepEqual(JSON.parse(requests[2].init.body), { account: "suzuki", password: "secret" });
	for (const { init } of requests) {
		assert.equal(init.cache, "no-store");
		assert.equal(init.redirect, "error");
	}
});

test("a login is unlocked without a session", async () => {
	const { api, requests } = fake(200, {});
	await api.unlockLogin("secret");
	assert.equal(requests[0].url, "https://gateway.example:8443/api/unlock");
	assert.deepEqual(JSON.parse(requests[0].init.body), { password: "secret" });
});

test("errors carry code, status and what belongs to them", async () => {
	const throttled = await failure(fake(429, { error: "throttled", retry_s: 11.2 }).api.login("a", "b"));
	assert.deepEqual([throttled.code, throttled.status, throttled.retryS], ["throttled", 429, 12]);
	const invalid = await failure(fake(400, { error: "invalid", field: "width" }).api.hosts());
	assert.deepEqual([invalid.code, invalid.field], ["invalid", "width"]);
});

test("no answer, and answers that are none", async () => {
	assert.equal((await failure(fake(0).api.me())).code, "network");
	assert.equal((await failure(fake(200, "<html>").api.me())).code, "protocol");
	assert.equal((await failure(fake(502, "<html>").api.me())).code, "internal");
	assert.equal((await failure(fake(200, []).api.me())).code, "protocol");
	assert.equal((await failure(fake(200, { hosts: 1 }).api.hosts())).code, "protocol");
	assert.equal((await failure(fake(500, { error: 5 }).api.me())).code, "internal");
});

test("a session id is checked before it gets into an address", async () => {
	const { api, requests } = fake(200, {});
	for (const id of ["", "../logout", ID.toUpperCase(), `${ID}0`])
		assert.equal((await failure(api.session(id))).code, "not-found");
	assert.deepEqual(requests, []);
	assert.equal(api.streamUrl(ID), `wss://gateway.example:8443/api/sessions/${ID}/stream`);
});
