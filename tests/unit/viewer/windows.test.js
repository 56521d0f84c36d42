/*
 * Two windows of one session, with a browser's locks and channels made by hand; and what the panel says.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"], locks: undefined }, configurable: true });
globalThis.document ??= new EventTarget();

const { Companion } = await load("portal/companion.js");
const { featuresFor, openSecondWindow } = await load("portal/second_window.js");
const { pointsOf } = await load("portal/sparkline.js");
const { qualityOf, rateText, slowLeg } = await load("portal/figures_panel.js");

const settle = async () => {
	for (let i = 0; i < 20; i++)
		await Promise.resolve();
};

/** As much of a browser as two windows share. */
function browser() {
	const channels = new Set();
	const queues = new Map();
	const next = (name) => {
		const [first] = queues.get(name) ?? [];
		if (!first || first.running)
			return;
		first.running = true;
		void first.run().finally(() => {
			queues.set(name, queues.get(name).filter((one) => one !== first));
			first.done();
			next(name);
		});
	};
	return {
		channel: () => {
			const channel = { postMessage: (data) => {
				for (const other of channels)
					if (other !== channel)
						queueMicrotask(() => channels.has(other) && other.onmessage?.({ data }));
			}, close: () => channels.delete(channel), onmessage: null };
			channels.add(channel);
			return channel;
		},
		locks: {
			request: (name, { signal }, run) => new Promise((done, failed) => {
				const one = { run, done, running: false };
				queues.set(name, [...queues.get(name) ?? [], one]);
				signal.addEventListener("abort", () => {
					if (one.running)
						return;
					queues.set(name, queues.get(name).filter((other) => other !== one));
					failed(new Error("aborted"));
				});
				next(name);
			}),
		},
	};
}

function windowOf(means, monitor) {
	const seen = [];
	const events = Object.fromEntries(["arrived", "left", "gone", "online", "bye"].map((name) => [name, () => seen.push(name)]));
	return { seen, companion: new Companion("id", monitor, events, means) };
}

test("two windows see each other, and what they say reaches only the other", async () => {
	const means = browser();
	const first = windowOf(means, 0);
	await settle();
	assert.deepEqual(first.seen, []);
	const second = windowOf(means, 1);
	await settle();
	assert.deepEqual([first.seen, second.seen], [["arrived"], ["arrived"]]);
	first.companion.tell("online");
	first.companion.tell("bye");
	await settle();
	assert.deepEqual(second.seen, ["arrived", "online", "bye"]);
	assert.deepEqual(first.seen, ["arrived"]);
	assert.equal(first.companion.there, true);
});

test("a window that was closed is gone; one that is only loaded again is not", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const means = browser();
	const first = windowOf(means, 0);
	const second = windowOf(means, 1);
	await settle();
	assert.equal(first.companion.alive, true);
	second.companion.close();
	await settle();
	assert.deepEqual([first.companion.alive, first.companion.there], [false, true], "at once");
	const again = windowOf(means, 1);
	await settle();
	context.mock.timers.tick(60000);
	assert.deepEqual(first.seen, ["arrived", "left"], "loaded again");
	assert.equal(first.companion.alive, true);

	again.companion.close();
	await settle();
	assert.deepEqual(first.seen, ["arrived", "left", "left"], "it may come back");
	context.mock.timers.tick(4000);
	assert.deepEqual(first.seen, ["arrived", "left", "left", "gone"]);
	assert.equal(first.companion.there, false);

	windowOf(means, 1);
	await settle();
	assert.deepEqual(first.seen, ["arrived", "left", "left", "gone", "arrived"]);
});

test("a window that is closed itself hears and does nothing more", async (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const means = browser();
	const first = windowOf(means, 0);
	const second = windowOf(means, 1);
	await settle();
	first.companion.close();
	second.companion.close();
	await settle();
	context.mock.timers.tick(60000);
	assert.deepEqual(first.seen, ["arrived"]);
});

const here = { availLeft: 0, availTop: 0, availWidth: 1920, availHeight: 1040 };
const there = { availLeft: 1920, availTop: 25, availWidth: 2560, availHeight: 1400 };

test("the second window takes all of another screen, or is a usual one", () => {
	assert.equal(featuresFor({ screens: [here, there], currentScreen: here }), "popup,left=1920,top=25,width=2560,height=1400");
	assert.equal(featuresFor({ screens: [here, there], currentScreen: there }), "popup,left=0,top=0,width=1920,height=1040");
	assert.match(featuresFor({ screens: [here], currentScreen: here }), /^popup,width=\d+,height=\d+$/);
	assert.match(featuresFor(null), /^popup,width=\d+,height=\d+$/);
});

test("the permission is asked for only where there are several screens; without it a usual window opens", async () => {
	const opened = [];
	const opener = (more) => ({ open: (...words) => opened.push(words) && {}, screen: { isExtended: true }, ...more });
	const details = { screens: [here, there], currentScreen: here };
	assert.equal(await openSecondWindow("ab", opener({ getScreenDetails: async () => details })), "placed");
	assert.deepEqual(opened.at(-1).slice(0, 2), ["/#screen=ab", "sekisho-screen-ab"]);
	assert.match(opened.at(-1)[2], /left=1920/);

	const refused = opener({ getScreenDetails: () => Promise.reject(new Error("NotAllowedError")) });
	assert.equal(await openSecondWindow("ab", refused), "opened");
	assert.doesNotMatch(opened.at(-1)[2], /left/);

	const single = opener({ screen: { isExtended: false }, getScreenDetails: () => assert.fail("asked") });
	assert.equal(await openSecondWindow("ab", single), "opened");
	assert.equal(await openSecondWindow("ab", opener({ open: () => null })), "blocked");
});

test("the indicator's words come from both legs, and the slow one is named", () => {
	assert.deepEqual([10, 80, 81, 200, 201].map(qualityOf), ["good", "good", "fair", "fair", "bad"]);
	assert.equal(slowLeg(10, 20), "", "nothing is slow");
	assert.equal(slowLeg(150, 10), "gateway");
	assert.equal(slowLeg(10, 150), "pc");
	assert.equal(slowLeg(60, 60), "", "both alike");
	assert.equal(slowLeg(300, 0), "", "the other is not known");
});

test("rates are in the words of a line's contract", () => {
	assert.equal(rateText(0), "0 kbps");
	assert.equal(rateText(50_000), "400 kbps");
	assert.equal(rateText(312_500), "2.5 Mbps");
	assert.equal(rateText(12_500_000), "100 Mbps");
});

test("the line ends at the right, and noise stays flat", () => {
	assert.equal(pointsOf([]), "");
	assert.equal(pointsOf([0, 100_000]), "58,22 59,2");
	assert.deepEqual(pointsOf([30, 0, 30]).split(" ").map((point) => Math.round(Number(point.split(",")[1]))), [22, 22, 22]);
});
