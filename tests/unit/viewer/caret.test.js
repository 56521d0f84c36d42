import assert from "node:assert/strict";
import test from "node:test";
import { frameOf, load } from "./helpers.js";

const { Caret, mergeLine } = await load("core/caret.js");
const { changesSince, keepBefore } = await load("core/changes.js");

const LEFT = 0xff51;
const BACKSPACE = 0xff08;
const ENTER = 0xff0d;

function pictureOf(width, height) {
	return { width, height, pixels: new Uint8ClampedArray(width * height * 4) };
}

test("the box around what a frame has really changed, not the grid's rectangle", () => {
	const picture = pictureOf(256, 128);
	const kept = keepBefore(frameOf({ width: 256, height: 128, rects: [[64, 0, 64, 64], [128, 64, 64, 10]] }), picture);
	for (const [x, y] of [[70, 20], [75, 33], [73, 21]])
		picture.pixels[(y * 256 + x) * 4] = 9;
	assert.deepEqual(changesSince(kept, picture), [{ x: 70, y: 20, width: 6, height: 14 }]);
});

test("what is no typing is not compared: keyframes, copies, pictures, large changes, what is outside", () => {
	const picture = pictureOf(512, 512);
	const small = { width: 512, height: 512, rects: [[0, 0, 64, 64]] };
	assert.equal(keepBefore(frameOf(small), picture).length, 1);
	assert.deepEqual(keepBefore(frameOf({ ...small, keyframe: 1 }), picture), []);
	assert.deepEqual(keepBefore(frameOf({ ...small, copies: [[0, 0, 8, 8, 8, 8]] }), picture), []);
	assert.deepEqual(keepBefore(frameOf({ ...small, pictures: new Uint8Array(20) }), picture), []);
	assert.deepEqual(keepBefore(frameOf({ ...small, rects: [[0, 0, 512, 65]] }), picture), []);
	/* What a frame says is not checked yet. */
	const lie = { ...frameOf(small), rects: new Uint8Array(new Uint16Array([500, 0, 64, 64, 0, 0, 65535, 65535]).buffer) };
	assert.deepEqual(keepBefore(lie, picture), []);
	const cut = { ...frameOf(small), rects: new Uint8Array(7) };
	assert.deepEqual(keepBefore(cut, picture), []);
});

test("the caret is where the person clicked, until something shows better", () => {
	const caret = new Caret();
	assert.equal(caret.place, null);
	caret.clicked(300, 200);
	assert.deepEqual(caret.place, { x: 300, y: 190, height: 20 });
	assert.equal(caret.changed([{ x: 10, y: 10, width: 40, height: 20 }], 5000), false, "nobody has typed");
});

test("it follows what is written: after a letter at its right, after backspace and the left arrow at its left", () => {
	const caret = new Caret();
	caret.clicked(300, 200);
	caret.typed(0x61, 1000);
	assert.equal(caret.changed([{ x: 300, y: 192, width: 9, height: 16 }], 1040), true);
	assert.deepEqual(caret.place, { x: 309, y: 192, height: 16 });
	for (const keysym of [BACKSPACE, LEFT]) {
		caret.typed(keysym, 2000);
		caret.changed([{ x: 300, y: 192, width: 9, height: 16 }], 2040);
		assert.deepEqual(caret.place, { x: 300, y: 192, height: 16 });
	}
	caret.typed(0, 3000);
	caret.changed([{ x: 300, y: 192, width: 60, height: 16 }], 3600);
	assert.equal(caret.place.x, 360, "text of the input method");
	caret.typed(0x61, 4000);
	assert.equal(caret.changed([{ x: 900, y: 192, width: 60, height: 16 }], 4800), false, "that was not the answer");
});

test("Enter takes it to the line below", () => {
	const caret = new Caret();
	caret.clicked(300, 200);
	caret.typed(ENTER, 1000);
	caret.changed([{ x: 100, y: 190, width: 202, height: 42 }], 1040);
	assert.deepEqual(caret.place, { x: 100, y: 212, height: 20 });
});

test("a clock and a line counter that change too are not it; windows and dots are no lines", () => {
	const caret = new Caret();
	caret.clicked(300, 200);
	caret.typed(0x61, 1000);
	caret.changed([{ x: 1800, y: 1050, width: 60, height: 14 }, { x: 20, y: 700, width: 50, height: 12 },
		{ x: 300, y: 192, width: 9, height: 16 }], 1040);
	assert.deepEqual(caret.place, { x: 309, y: 192, height: 16 });
	caret.typed(0x61, 2000);
	assert.equal(caret.changed([{ x: 0, y: 0, width: 900, height: 400 }, { x: 5, y: 5, width: 3, height: 2 }], 2040), false);
});

test("parts of a word in two tiles are one change", () => {
	assert.deepEqual(mergeLine([{ x: 128, y: 20, width: 10, height: 14 }, { x: 100, y: 18, width: 28, height: 12 },
		{ x: 400, y: 20, width: 5, height: 14 }]),
	[{ x: 100, y: 18, width: 38, height: 16 }, { x: 400, y: 20, width: 5, height: 14 }]);
});

test("a bar that blinks is a caret; one that was seen once, or is wide, is not", () => {
	const caret = new Caret();
	const bar = { x: 500, y: 80, width: 2, height: 18 };
	assert.equal(caret.changed([bar], 10000), false);
	assert.equal(caret.changed([bar], 10530), true);
	assert.deepEqual(caret.place, { x: 500, y: 80, height: 18 });
	assert.equal(caret.changed([bar], 11060), false, "still the same");
	for (const at of [12000, 12500])
		assert.equal(caret.changed([{ x: 50, y: 80, width: 40, height: 18 }], at), false, "a blinking button");
	caret.changed([{ ...bar, x: 600 }], 20000);
	assert.equal(caret.changed([{ ...bar, x: 600 }], 23000), false, "too slow for a caret");
});
