import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

/* As much of a browser as noVNC's keyboard and ours ask for. */
const page = new EventTarget();
globalThis.window = page;
globalThis.document = page;
globalThis.MutationObserver = class {};
globalThis.addEventListener = page.addEventListener.bind(page);
Object.defineProperty(globalThis, "navigator", { value: { platform: "Linux x86_64" }, configurable: true });

const { Keyboard, splitText, belongsToIme } = await load("core/keyboard.js");
const { scancodeOf, COMBINATIONS, JAPANESE_KEYS, WITHOUT_RELEASE } = await load("core/keymap.js");

class Element extends EventTarget {
	value = "";
	focused = 0;

	focus() {
		this.focused++;
	}
}

function keyEvent(type, code, key, more = {}) {
	const event = new Event(type, { cancelable: true, bubbles: true });
	return Object.assign(event, { code, key, keyCode: 0, location: 0, ctrlKey: false, altKey: false,
		shiftKey: false, metaKey: false, isComposing: false, getModifierState: () => false, ...more });
}

function setUp(layout = "ja") {
	const log = [];
	const stage = new Element();
	const input = new Element();
	const keyboard = new Keyboard(stage, input, layout, {
		key: (keysym, scancode, down) => log.push([down ? "down" : "up", keysym, scancode]),
		text: (text) => log.push(["text", text]),
		release: () => log.push(["release"]),
		leave: () => log.push(["leave"]),
	});
	keyboard.grab();
	return { keyboard, stage, input, log };
}

test("scancodes of JIS and US keys", () => {
	const codes = { KeyA: 0x1e, Backquote: 0x29, IntlYen: 0x7d, IntlRo: 0x73, Convert: 0x79, NonConvert: 0x7b,
		KanaMode: 0x70, AltRight: 0xe038, ControlRight: 0xe01d, Delete: 0xe053, NumpadEnter: 0xe01c,
		ArrowUp: 0xe048, PrintScreen: 0xe037, Space: 0x39, BracketLeft: 0x1a, Digit1: 0x02 };
	for (const [code, scancode] of Object.entries(codes)) {
		assert.equal(scancodeOf(code, "ja"), scancode, code);
		assert.equal(scancodeOf(code, "us"), scancode, code);
	}
	assert.equal(scancodeOf("Unidentified", "ja"), 0);
	assert.equal(scancodeOf("constructor", "ja"), 0, "not a property of every object");
	assert.equal(scancodeOf("Lang1", "ja"), 0x70, "かな of an Apple keyboard");
	assert.equal(scancodeOf("Lang2", "ja"), 0x3a, "英数 of an Apple keyboard");
});

test("every combination has keysyms and scancodes that fit the wire", () => {
	for (const [name, keys] of Object.entries({ ...COMBINATIONS, ...JAPANESE_KEYS })) {
		assert.ok(keys.length > 0, name);
		for (const { keysym, scancode } of keys) {
			assert.ok(Number.isInteger(keysym) && keysym > 0, `${name} keysym`);
			assert.ok(Number.isInteger(scancode) && scancode > 0 && scancode <= 0xffff, `${name} scancode`);
		}
	}
});

test("a key goes down, repeats and goes up with keysym and scancode", () => {
	const { stage, log } = setUp();
	const event = keyEvent("keydown", "KeyA", "a");
	stage.dispatchEvent(event);
	stage.dispatchEvent(keyEvent("keydown", "KeyA", "a", { repeat: true }));
	stage.dispatchEvent(keyEvent("keyup", "KeyA", "a"));
	assert.deepEqual(log, [["down", 0x61, 0x1e], ["down", 0x61, 0x1e], ["up", 0x61, 0x1e]]);
	assert.equal(event.defaultPrevented, true);
});

test("￥ and ろ of a JIS keyboard", () => {
	const { stage, log } = setUp();
	stage.dispatchEvent(keyEvent("keydown", "IntlYen", "¥"));
	stage.dispatchEvent(keyEvent("keydown", "IntlRo", "\\"));
	assert.deepEqual(log, [["down", 0xa5, 0x7d], ["down", 0x5c, 0x73]]);
});

test("半角/全角 is let go at once, whether a key-up comes or not", () => {
	const { stage, log } = setUp();
	for (let i = 0; i < 2; i++)
		stage.dispatchEvent(keyEvent("keydown", "Backquote", "ZenkakuHankaku"));
	stage.dispatchEvent(keyEvent("keyup", "Backquote", "ZenkakuHankaku"));
	const once = [["down", 0xff2a, 0x29], ["up", 0xff2a, 0x29]];
	assert.deepEqual(log, [...once, ...once]);
	assert.ok(WITHOUT_RELEASE.has(0xff2a));
});

test("変換 and 無変換 go down and up like other keys", () => {
	const { stage, log } = setUp();
	for (const type of ["keydown", "keyup"]) {
		stage.dispatchEvent(keyEvent(type, "Convert", "Convert"));
		stage.dispatchEvent(keyEvent(type, "NonConvert", "NonConvert"));
	}
	assert.deepEqual(log, [["down", 0xff23, 0x79], ["down", 0xff22, 0x7b], ["up", 0xff23, 0x79],
		["up", 0xff22, 0x7b]]);
});

for (const leave of ["blur", "visibilitychange"]) {
	test(`what is down is let go on ${leave}, and keys work after it`, () => {
		const { stage, log } = setUp();
		stage.dispatchEvent(keyEvent("keydown", "ShiftLeft", "Shift", { location: 1 }));
		page.dispatchEvent(new Event(leave));
		assert.deepEqual(log.slice(0, 2), [["down", 0xffe1, 0x2a], ["up", 0xffe1, 0x2a]]);
		assert.ok(log.slice(2).every(([what]) => what === "release") && log.length > 2);
		log.length = 0;
		stage.dispatchEvent(keyEvent("keydown", "KeyB", "b"));
		assert.deepEqual(log, [["down", 0x62, 0x30]]);
	});
}

test("what is down is let go when the focus goes to the tool bar", () => {
	const { stage, log } = setUp();
	stage.dispatchEvent(keyEvent("keydown", "ControlLeft", "Control", { location: 1 }));
	stage.dispatchEvent(new Event("focusout"));
	assert.deepEqual(log, [["down", 0xffe3, 0x1d], ["up", 0xffe3, 0x1d], ["release"]]);
});

test("nothing goes to the PC after ungrab", () => {
	const { keyboard, stage, log } = setUp();
	keyboard.ungrab();
	log.length = 0;
	stage.dispatchEvent(keyEvent("keydown", "KeyA", "a"));
	page.dispatchEvent(new Event("blur"));
	assert.deepEqual(log, []);
});

test("Ctrl+Alt+Home leads out of the desktop and does not reach the PC", () => {
	const { stage, log } = setUp();
	stage.dispatchEvent(keyEvent("keydown", "Home", "Home", { ctrlKey: true, altKey: true }));
	assert.deepEqual(log, [["leave"]]);
});

test("combinations are pressed in order and let go in reverse", () => {
	const { keyboard, log } = setUp();
	keyboard.press(COMBINATIONS["ctrl-alt-del"]);
	assert.deepEqual(log.map(([what, , scancode]) => [what, scancode]), [["down", 0x1d], ["down", 0x38],
		["down", 0xe053], ["up", 0xe053], ["up", 0x38], ["up", 0x1d]]);
});

test("with the local input method on, composed text goes as text and its keys stay here", () => {
	const { keyboard, stage, input, log } = setUp();
	keyboard.ime = true;
	assert.equal(input.focused, 1);
	const key = keyEvent("keydown", "KeyK", "Process", { keyCode: 229 });
	stage.dispatchEvent(key);
	assert.equal(key.defaultPrevented, false, "the input method must get it");
	input.dispatchEvent(new Event("compositionstart"));
	input.value = "かん";
	input.dispatchEvent(new Event("input"));
	assert.deepEqual(log, [], "nothing before it is committed");
	stage.dispatchEvent(keyEvent("keydown", "Enter", "Enter", { isComposing: true }));
	input.dispatchEvent(Object.assign(new Event("compositionend"), { data: "漢" }));
	input.dispatchEvent(new Event("input"));
	assert.deepEqual(log, [["text", "漢"]], "once, although the browser reports it twice");
	assert.equal(input.value, "");
	stage.dispatchEvent(keyEvent("keydown", "Enter", "Enter"));
	assert.deepEqual(log[1], ["down", 0xff0d, 0x1c], "other keys go to the PC");
});

test("a composition that is given up sends nothing, and keys inside of it stay here", () => {
	const { keyboard, stage, input, log } = setUp();
	keyboard.ime = true;
	input.dispatchEvent(new Event("compositionstart"));
	for (const key of ["Backspace", "Escape", "ArrowLeft", "Enter"])
		stage.dispatchEvent(keyEvent("keydown", key, key, { isComposing: true }));
	input.dispatchEvent(Object.assign(new Event("compositionend"), { data: "" }));
	stage.dispatchEvent(keyEvent("keyup", "Escape", "Escape"));
	assert.deepEqual(log, []);
	stage.dispatchEvent(keyEvent("keydown", "Escape", "Escape"));
	assert.deepEqual(log, [["down", 0xff1b, 0x01]], "and afterwards they are the PC's again");
});

test("an accent and its letter are one character, made here", () => {
	const { keyboard, stage, input, log } = setUp();
	keyboard.ime = true;
	const dead = keyEvent("keydown", "Quote", "Dead");
	const shift = keyEvent("keydown", "ShiftLeft", "Shift", { location: 1 });
	const letter = keyEvent("keydown", "KeyE", "É");
	for (const event of [dead, shift, letter])
		stage.dispatchEvent(event);
	assert.deepEqual([dead.defaultPrevented, letter.defaultPrevented], [false, false], "the browser must get both");
	input.value = "É";
	input.dispatchEvent(new Event("input"));
	stage.dispatchEvent(keyEvent("keydown", "KeyE", "e"));
	assert.deepEqual(log, [["down", 0xffe1, 0x2a], ["text", "É"], ["down", 0x65, 0x12]]);
});

test("the clipboard does not get into the text", () => {
	const { input } = setUp();
	for (const type of ["paste", "drop"]) {
		const event = new Event(type, { cancelable: true });
		input.dispatchEvent(event);
		assert.equal(event.defaultPrevented, true, type);
	}
});

test("the keys of input methods go to the PC when the local one is off", () => {
	const { stage, log } = setUp();
	stage.dispatchEvent(keyEvent("keydown", "NonConvert", "NonConvert", { keyCode: 29 }));
	assert.deepEqual(log, [["down", 0xff22, 0x7b]]);
	assert.equal(belongsToIme(keyEvent("keydown", "KeyA", "a", { keyCode: 65 })), false);
});

test("long text is cut between characters", () => {
	const parts = splitText("漢字😀a".repeat(500));
	assert.equal(parts.join(""), "漢字😀a".repeat(500));
	for (const part of parts) {
		assert.ok(Buffer.byteLength(part) <= 1024);
		assert.ok(part.isWellFormed?.() ?? true);
	}
	assert.deepEqual(splitText("a\0b"), ["ab"]);
	assert.deepEqual(splitText(""), []);
});
