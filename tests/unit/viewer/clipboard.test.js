import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);

const { ClipboardWatch } = await load("core/clipboard.js");

function setUp() {
	const stage = new EventTarget();
	const tries = [];
	const watch = new ClipboardWatch(stage, (way) => tries.push(way));
	const press = (key, more = {}) => stage.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), {
		key, code: key.length === 1 ? `Key${key.toUpperCase()}` : key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false,
		repeat: false, ...more }));
	return { stage, tries, watch, press };
}

test("what is pasted or dropped stays here and is told", () => {
	const { stage, tries } = setUp();
	for (const type of ["paste", "drop", "dragover"]) {
		const event = new Event(type, { cancelable: true });
		stage.dispatchEvent(event);
		assert.equal(event.defaultPrevented, true, type);
	}
	assert.deepEqual(tries, ["paste", "drop"]);
});

test("keys for pasting count after another window, and not while the person works on the PC", () => {
	const { tries, press } = setUp();
	press("Control", { ctrlKey: true });
	press("v", { ctrlKey: true });
	press("v", { ctrlKey: true, repeat: true });
	press("c", { ctrlKey: true });
	press("v", { ctrlKey: true });
	assert.deepEqual(tries, ["keys"], "the first one may be of another window, what follows is the PC's own");
	page.dispatchEvent(new Event("blur"));
	press("Meta", { metaKey: true });
	press("v", { metaKey: true });
	page.dispatchEvent(new Event("blur"));
	press("Insert", { shiftKey: true });
	assert.equal(tries.length, 3);
	page.dispatchEvent(new Event("blur"));
	press("a");
	press("v", { ctrlKey: true });
	press("v");
	assert.equal(tries.length, 3, "after other work");
});

test("nothing is heard of a screen that is closed", () => {
	const { stage, tries, watch } = setUp();
	watch.close();
	stage.dispatchEvent(new Event("paste", { cancelable: true }));
	assert.deepEqual(tries, []);
});
