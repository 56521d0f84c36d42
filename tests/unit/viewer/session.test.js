import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

/* A worker thread and a page that do nothing by themselves. */
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);

class FakeWorker {
	static last;
	posted = [];
	terminated = false;

	constructor() {
		FakeWorker.last = this;
	}

	postMessage(message) {
		this.posted.push(message);
	}

	terminate() {
		this.terminated = true;
	}

	say(message) {
		this.onmessage({ data: message });
	}

	opens() {
		return this.posted.filter(({ type }) => type === "open").length;
	}
}
globalThis.Worker = FakeWorker;

const { Session, RETRY_MS } = await load("core/session.js");
const { VERSION } = await load("core/transport.js");
const { ApiError } = await load("core/api.js");

const settle = async () => {
	for (let i = 0; i < 10; i++)
		await Promise.resolve();
};

/** A session with a picture; answers: what GET /api/sessions/ID gives from now on. */
function online(answer = { state: "active", reason: "none" }, monitor = undefined) {
	const gateway = { answer, asked: 0 };
	const api = {
		streamUrl: (id, which) => `wss://x/${id}${which ? `/${which}` : ""}`,
		session: async () => {
			gateway.asked++;
			if (gateway.answer instanceof Error)
				throw gateway.answer;
			return gateway.answer;
		},
	};
	const seen = [];
	const nothing = () => {};
	const session = new Session(api, "id", { transferControlToOffscreen: () => ({}) }, { width: 800, height: 600 }, {
		status: (status) => seen.push(status), hello: nothing, size: nothing, cursor: nothing,
		notice: (...notice) => seen.push(notice), latency: (...legs) => seen.push(legs), bell: nothing,
		figures: (figures) => seen.push(figures), changed: (boxes) => seen.push(boxes) }, monitor);
	const worker = FakeWorker.last;
	worker.say({ type: "ready" });
	worker.say({ type: "hello", version: VERSION, label: "PC", state: 3, canResize: true, viewOnly: false });
	worker.say({ type: "picture" });
	return { session, worker, gateway, seen, last: () => session.status };
}

test("the stream is opened when the worker is ready, and the picture makes it online", () => {
	const { worker, last, session } = online();
	assert.deepEqual(worker.posted.filter(({ type }) => type === "open"),
		[{ type: "open", url: "wss://x/id", width: 800, height: 600, codecs: 0 }]);
	assert.equal(last().connection, "online");
	session.close();
	assert.equal(worker.terminated, true);
});

test("what the page decodes is announced, and the PC's sound is off until it is turned on", () => {
	const heard = [];
	const api = { streamUrl: () => "wss://x/id" };
	const nothing = () => {};
	const session = new Session(api, "id", { transferControlToOffscreen: () => ({}) }, { width: 800, height: 600 },
		{ status: nothing, hello: nothing, sound: (state) => heard.push(state) }, 0, 4);
	const worker = FakeWorker.last;
	worker.say({ type: "ready" });
	assert.equal(worker.posted.find(({ type }) => type === "open").codecs, 4);
	assert.equal(session.sound.state, "none");
	worker.say({ type: "hello", version: VERSION, label: "PC", state: 3, canResize: true, viewOnly: false, audio: true });
	worker.say({ type: "sound", sequence: 1, packet: new Uint8Array(3) });
	assert.deepEqual(heard, ["off"]);
	worker.say({ type: "status", state: 5, reason: 0 });
	assert.deepEqual(heard, ["off", "none"], "a locked session is silent");
	session.close();
	assert.deepEqual(heard, ["off", "none"]);
});

test("a lost connection is tried again after 0.5, 1, 2, 4 and then every 5 seconds", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { worker, last, gateway, session } = online();
	assert.deepEqual([...RETRY_MS], [500, 1000, 2000, 4000, 5000]);
	let opens = worker.opens();
	for (const delay of [500, 1000, 2000, 4000, 5000, 5000, 5000]) {
		worker.say({ type: "closed", code: 1006 });
		assert.equal(last().connection, "reconnecting");
		context.mock.timers.tick(delay - 1);
		await settle();
		assert.equal(worker.opens(), opens, `too early before ${delay}`);
		context.mock.timers.tick(1);
		await settle();
		assert.equal(worker.opens(), ++opens, `after ${delay}`);
	}
	assert.equal(gateway.asked, 7);
	worker.say({ type: "picture" });
	worker.say({ type: "closed", code: 1001 });
	context.mock.timers.tick(500);
	await settle();
	assert.equal(worker.opens(), opens + 1, "after a picture it begins with 0.5 s again");
	session.close();
});

test("it goes on trying while the gateway cannot be reached, and stops when the session is gone", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { worker, last, gateway } = online();
	gateway.answer = new ApiError("network", 0);
	worker.say({ type: "closed", code: 1006 });
	for (let i = 0; i < 5; i++) {
		context.mock.timers.tick(5000);
		await settle();
		assert.equal(last().connection, "reconnecting");
	}
	gateway.answer = new ApiError("not-found", 404);
	context.mock.timers.tick(5000);
	await settle();
	assert.deepEqual([last().connection, last().reason], ["ended", "none"]);
});

test("back on the network it is tried at once", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { worker, session } = online();
	const opens = worker.opens();
	worker.say({ type: "closed", code: 1006 });
	page.dispatchEvent(new Event("online"));
	await settle();
	assert.equal(worker.opens(), opens + 1);
	session.close();
});

test("close codes: ended and locked are asked about, login, protocol and replaced are final", async () => {
	const ended = online({ state: "ended", reason: "pc-closed" });
	ended.worker.say({ type: "closed", code: 4000 });
	await settle();
	assert.deepEqual([ended.last().connection, ended.last().reason], ["ended", "pc-closed"]);

	const locked = online({ state: "locked", reason: "none" });
	locked.worker.say({ type: "closed", code: 4000 });
	await settle();
	assert.equal(locked.last().connection, "locked");
	const opens = locked.worker.opens();
	locked.session.resume();
	assert.equal(locked.worker.opens(), opens + 1);

	for (const [code, connection] of [[4001, "login"], [4002, "broken"], [4003, "replaced"]]) {
		const one = online();
		const before = one.worker.opens();
		one.worker.say({ type: "closed", code });
		await settle();
		assert.equal(one.last().connection, connection);
		assert.equal(one.worker.opens(), before, "and nothing is opened again");
		assert.ok(one.worker.posted.some(({ type }) => type === "close"), "the picture is dropped");
	}
});

test("a login that is over while reconnecting leads to the login", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { worker, gateway, last } = online();
	gateway.answer = new ApiError("auth", 401);
	worker.say({ type: "closed", code: 1006 });
	context.mock.timers.tick(500);
	await settle();
	assert.equal(last().connection, "login");
});

test("what the worker says about the session is final too", () => {
	const ended = online();
	ended.worker.say({ type: "status", state: 6, reason: 11 });
	assert.deepEqual([ended.last().connection, ended.last().reason], ["ended", "pc-login"]);
	ended.worker.say({ type: "closed", code: 1006 });
	assert.equal(ended.last().connection, "ended", "the close that follows changes nothing");

	const replaced = online();
	replaced.worker.say({ type: "status", state: 4, reason: 18 });
	assert.equal(replaced.last().connection, "replaced");

	const unknown = online();
	unknown.worker.say({ type: "status", state: 6, reason: 200 });
	assert.equal(unknown.last().reason, "unknown");
});

test("another version ends it", () => {
	const { worker, last } = online();
	worker.say({ type: "hello", version: VERSION + 1, label: "PC", state: 3, canResize: true, viewOnly: false });
	assert.equal(last().connection, "broken");
});

test("no input goes out when it is over, and a size is wished for once", () => {
	const { session, worker } = online();
	const sent = () => worker.posted.filter(({ type }) => type === "send").map(({ name }) => name);
	session.key(0x61, 0x1e, true);
	session.resize(800, 600);
	session.resize(1000, 700);
	session.resize(1000, 700);
	assert.deepEqual(sent(), ["key", "resize"]);
	worker.say({ type: "status", state: 6, reason: 1 });
	session.key(0x61, 0x1e, true);
	session.stillHere();
	assert.deepEqual(sent(), ["key", "resize"]);
});

test("notices arrive by their codes", () => {
	const { worker, seen } = online();
	worker.say({ type: "notice", kind: 1, seconds: 60 });
	assert.deepEqual(seen.at(-1), ["idle-lock", 60]);
});

test("the window of a second monitor opens that monitor's stream, also after a break", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { worker } = online(undefined, 1);
	worker.say({ type: "closed", code: 1006 });
	context.mock.timers.tick(500);
	await settle();
	assert.deepEqual(worker.posted.filter(({ type }) => type === "open").map(({ url }) => url), ["wss://x/id/1", "wss://x/id/1"]);
});

test("a second window that is closed while the session lives is parted before it is tried again, until it has a picture",
	async (context) => {
		context.mock.timers.enable({ apis: ["setTimeout"] });
		const { worker, last, seen } = online(undefined, 1);
		seen.length = 0;
		worker.say({ type: "status", state: 4, reason: 0 });
		worker.say({ type: "closed", code: 4000 });
		await settle();
		assert.equal(worker.opens(), 1, "not at once");
		assert.deepEqual([last().connection, last().parted], ["reconnecting", true]);
		assert.ok(seen.every(({ connection, parted }) => connection === "online" || parted), "never merely reconnecting");
		context.mock.timers.tick(500);
		await settle();
		assert.equal(worker.opens(), 2);
		worker.say({ type: "closed", code: 1013 });
		assert.equal(last().parted, true);
		context.mock.timers.tick(1000);
		await settle();
		worker.say({ type: "picture" });
		assert.deepEqual([last().connection, last().parted], ["online", false]);
		worker.say({ type: "closed", code: 1006 });
		assert.deepEqual([last().connection, last().parted], ["reconnecting", false]);
		context.mock.timers.reset();
	});

test("figures and changes are asked for, and come with both legs of the way", () => {
	const { session, worker, seen } = online();
	session.watchFigures(true);
	session.watchChanges(true);
	session.watchFigures(false);
	const watches = worker.posted.filter(({ type }) => type === "watch").map(({ figures, changes }) => [figures, changes]);
	assert.deepEqual(watches, [[false, false], [true, false], [true, true], [false, true]]);
	worker.say({ type: "latency", milliseconds: 12, pcMilliseconds: 3 });
	assert.deepEqual(seen.at(-1), [12, 3]);
	worker.say({ type: "changed", boxes: [{ x: 1, y: 2, width: 3, height: 4 }] });
	assert.deepEqual(seen.at(-1), [{ x: 1, y: 2, width: 3, height: 4 }]);
});
