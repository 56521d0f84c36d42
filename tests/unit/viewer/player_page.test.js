/*
 * What the player's page works out by itself: keys, names of keys, times, the axis and the strip.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

/* The browser is elsewhere. */
process.env.TZ = "America/New_York";
Object.assign(globalThis, { HTMLElement: class {} });
if (!globalThis.navigator?.languages)
	Object.defineProperty(globalThis, "navigator", { value: { languages: ["ja"] }, configurable: true });

const { KeyNames } = await load("player/key_names.js");
const { commandOf, HELP } = await load("player/shortcuts.js");
const { PlayerSession } = await load("player/session.js");
const { activityOf, clusters } = await load("player/time_line.js");
const { clockText, elapsedText, lengthText, tickText, ticks } = await load("player/times.js");
const { setOfficeZone } = await load("portal/zone.js");

setOfficeZone("Asia/Tokyo");

const SECOND = 1000000;
const press = (key, more = {}) => commandOf({ key, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, target: null, ...more });

test("keys are commands unless they belong to the browser or to what has the focus", () => {
	for (const [key, command] of [[" ", "toggle"], ["k", "toggle"], ["K", "toggle"], ["ArrowLeft", "back"], ["j", "back-more"],
		[",", "frame-back"], [".", "frame-forward"], ["<", "slower"], ["Home", "begin"], ["5", "part-5"], ["９", "part-9"], ["?", "help"],
		["ｌ", "forward-more"], ["0", null], ["y", null], ["x", "export"], ["[", "begin-part"], ["］", "end-part"], ["F5", null], ["Tab", null]])
		assert.equal(press(key), command, key);
	for (const modifier of ["ctrlKey", "altKey", "metaKey", "isComposing"])
		assert.equal(press("l", { [modifier]: true }), null, modifier);
	const element = (selectors) => Object.assign(new HTMLElement(), { matches: (list) => list.split(", ").some((one) => selectors.includes(one)),
		closest: (list) => (list.split(", ").some((one) => selectors.includes(one)) ? {} : null) });
	assert.equal(press("End", { target: element(["select"]) }), null);
	assert.equal(press("j", { target: element(["input"]) }), null);
	assert.equal(press(" ", { target: element(["button"]) }), null, "presses the button");
	assert.equal(press("j", { target: element(["button"]) }), "back-more");
	assert.equal(press("?", { target: element(["dialog"]) }), null);
	assert.ok(HELP.length > 10);
});

test("keys are read as people know them", () => {
	const names = new KeyNames();
	const label = (keysym, down = true, text = "") => names.label({ timeUs: 5, keysym, down, text })?.text ?? null;
	assert.equal(label(0x61), "a");
	assert.equal(label(0x61, false), null);
	assert.equal(label(0x20), "␣");
	assert.equal(label(0xff0d), "Enter");
	assert.equal(label(0xffbe), "F1");
	assert.equal(label(0xffd5), "F24");
	assert.equal(label(0x01003042), "あ");
	assert.equal(label(0x0101f600), "😀");
	assert.equal(label(0xffb5), "5");
	assert.equal(label(0, true, "確定した文"), "確定した文");
	assert.equal(label(0, true), "•", "masked");
	assert.equal(label(0, true, "•"), "•");
	assert.equal(label(0, false), null);
	assert.deepEqual([label(0xffe3), label(0x73), label(0xffe3, false), label(0x73)], [null, "Ctrl+S", null, "s"]);
	assert.deepEqual([label(0xffe1), label(0x41), label(0xff09), label(0xffe1, false)], [null, "A", "Shift+Tab", null]);
	for (const keysym of [1, 0x0100d800, 0x01110000, 0xffffffff, 0xfe50])
		assert.equal(label(keysym), null, keysym.toString(16));
});

test("times", () => {
	assert.deepEqual([0, 59.9, 61, 3600, 36061].map(lengthText), ["0:00", "0:59", "1:01", "1:00:00", "10:01:01"]);
	assert.deepEqual([0, 65, 3599, 3600].map((s) => elapsedText(s * SECOND, 3600 * SECOND)), ["0:00:00", "0:01:05", "0:59:59", "1:00:00"]);
	assert.equal(elapsedText(65 * SECOND, 70 * SECOND), "1:05");
	assert.equal(clockText(1790000000000), "23:13:20");
	assert.equal(tickText(1790000099999, false), "23:15");
	assert.equal(tickText(1790000099999, true), "23:15:00");
});

test("the axis has round times of the day, as many as have room", () => {
	const start = 1790000000000;
	const found = ticks(start, 3600 * SECOND, 12);
	assert.deepEqual(found.map(({ us }) => tickText(start + us / 1000, false)),
		["23:15", "23:20", "23:25", "23:30", "23:35", "23:40", "23:45", "23:50", "23:55", "00:00", "00:05", "00:10"]);
	assert.deepEqual(ticks(start, 30 * SECOND, 6).map(({ us, seconds }) => [us / SECOND, seconds]),
		[[0, true], [5, true], [10, true], [15, true], [20, true], [25, true], [30, true]]);
	for (const hours of [1 / 3600, 0.1, 7, 30, 1000])
		assert.ok(ticks(start, hours * 3600 * SECOND, 10).length <= 11, `${hours} h`);
	/* Hours of the office, which has a half one elsewhere. */
	assert.equal(ticks(start, 10 * 3600 * SECOND, 11)[0].us, (46 * 60 + 40) * SECOND);
	setOfficeZone("Asia/Kolkata");
	assert.equal(ticks(start, 10 * 3600 * SECOND, 11)[0].us, (16 * 60 + 40) * SECOND);
	setOfficeZone("Asia/Tokyo");
});

test("the strip shows how much happened when", () => {
	const session = { duration: 100, whole: { starts: [0, 10, 50, 99, 100], activity: [10, 1000, 0, 5, 5] } };
	const bars = activityOf(session, 10);
	assert.equal(bars[1], 1);
	assert.deepEqual([bars[2], bars[5]], [0, 0]);
	assert.ok(bars[0] > 0.12 && bars[0] < 0.5 && bars[9] > 0.12);
	assert.deepEqual([...activityOf({ duration: 0, whole: null }, 2)], [0, 0]);
});

test("marks that lie close become one", () => {
	const marks = [0, 5, 9, 10, 30].map((timeUs) => ({ timeUs }));
	assert.deepEqual(clusters(marks, 10).map((cluster) => cluster.length), [3, 1, 1]);
	assert.deepEqual(clusters([], 10), []);
});

test("a jump that ends says nothing of one that was asked for since", (context) => {
	const asked = [];
	let worker = null;
	class FakeWorker {
		constructor() {
			worker = this;
		}
		postMessage(message) {
			asked.push(message);
		}
		terminate() {}
	}
	const before = globalThis.Worker;
	context.after(() => (globalThis.Worker = before));
	globalThis.Worker = FakeWorker;
	const session = new PlayerSession("", { transferControlToOffscreen: () => ({}) }, () => {});
	const tell = (data) => worker.onmessage({ data });
	session.duration = 9 * SECOND;
	session.seek(0);
	const [first] = asked.slice(-1);
	session.seek(99 * SECOND);
	tell({ type: "position", us: 0 });
	tell({ type: "arrived", milliseconds: 3, jump: first.jump });
	assert.equal(session.target, 9 * SECOND);
	tell({ type: "position", us: 9 * SECOND });
	tell({ type: "arrived", milliseconds: 3, jump: asked.at(-1).jump });
	tell({ type: "position", us: 8 * SECOND });
	assert.equal(session.target, 8 * SECOND);
});
