import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { buttonBits } = await load("core/pointer.js");
const { Wheel } = await load("core/wheel.js");
const { canvasSize, deviceBox, margin, wishedSize } = await load("core/viewport.js");
const { boundingBox } = await load("core/painter.js");

test("buttons go from the browser's order to the protocol's", () => {
	assert.equal(buttonBits(0), 0);
	assert.equal(buttonBits(1), 1, "left");
	assert.equal(buttonBits(2), 4, "right");
	assert.equal(buttonBits(4), 2, "middle");
	assert.equal(buttonBits(8), 8, "back");
	assert.equal(buttonBits(16), 16, "forward");
	assert.equal(buttonBits(31), 31);
	assert.equal(buttonBits(32), 0, "a sixth button does not exist");
});

test("a notch of a mouse wheel is 120 however the browser reports it", () => {
	assert.deepEqual(new Wheel().add({ deltaX: 0, deltaY: 100, deltaMode: 0 }), { x: 0, y: 120 });
	assert.deepEqual(new Wheel().add({ deltaX: 0, deltaY: -3, deltaMode: 1 }), { x: 0, y: -120 });
	assert.deepEqual(new Wheel().add({ deltaX: 1, deltaY: 0, deltaMode: 2 }), { x: 120, y: 0 });
	/* Chromium on Linux scrolls 53 pixels, but tells the notch. */
	assert.deepEqual(new Wheel().add({ deltaX: 0, deltaY: 53, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: -120 }),
		{ x: 0, y: 120 });
});

test("small movements of a touchpad add up, and nothing is lost or made up", () => {
	const wheel = new Wheel();
	let sum = 0;
	for (let i = 0; i < 100; i++) {
		const { y } = wheel.add({ deltaX: 0, deltaY: 7, deltaMode: 0 });
		assert.equal(Math.abs(y % 120), 0);
		sum += y;
	}
	assert.equal(sum, 840);
});

test("turning back starts afresh, and a wild wheel is cut", () => {
	const wheel = new Wheel();
	wheel.add({ deltaX: 0, deltaY: 90, deltaMode: 0 });
	assert.deepEqual(wheel.add({ deltaX: 0, deltaY: -90, deltaMode: 0 }), { x: 0, y: 0 });
	assert.deepEqual(new Wheel().add({ deltaX: 0, deltaY: 1e9, deltaMode: 0 }), { x: 0, y: 1200 });
});

test("the wished desktop is even and within limits", () => {
	assert.deepEqual(wishedSize({ width: 1921, height: 1079 }), { width: 1920, height: 1078 });
	assert.deepEqual(wishedSize({ width: 10, height: 10 }), { width: 320, height: 240 });
	assert.deepEqual(wishedSize({ width: 10000, height: 10000 }), { width: 7680, height: 4320 });
});

test("a desktop is never enlarged, and made smaller only when asked", () => {
	const frame = { width: 1000, height: 500 };
	assert.deepEqual(canvasSize({ width: 800, height: 400 }, frame, "fit"), { width: 800, height: 400 });
	assert.deepEqual(canvasSize({ width: 2000, height: 500 }, frame, "fit"), { width: 1000, height: 250 });
	assert.deepEqual(canvasSize({ width: 2000, height: 500 }, frame, "scroll"), { width: 2000, height: 500 });
});

test("the picture has whole device pixels also when it is made smaller", () => {
	assert.deepEqual(canvasSize({ width: 1366, height: 768 }, { width: 1000, height: 999 }, "fit"), { width: 1000, height: 562 });
	assert.deepEqual(canvasSize({ width: 7680, height: 2 }, { width: 10, height: 10 }, "fit"), { width: 10, height: 1 });
});

test("edges lie on the device pixels that the browser paints them on, at every density", () => {
	/* A tool bar of 44.4 px at 110 %: 48.84 device pixels. */
	const frame = { left: 0, top: 44.4, right: 1163.63, bottom: 763.63 };
	assert.deepEqual(deviceBox(frame, 1.1), { left: 0, top: 49, width: 1280, height: 791 });
	for (const ratio of [1, 1.1, 1.25, 1.5, 1.75, 2, 2.625]) {
		for (const begin of [0, 44, 44.4, 47.59]) {
			for (const [room, used] of [[801, 800], [800, 801], [1000, 333]]) {
				const edge = (begin + margin(begin, room, used, ratio)) * ratio;
				assert.ok(Math.abs(edge - Math.round(edge)) < 1e-6, `${begin} at ${ratio}: ${edge}`);
				const inside = Math.round(edge) - Math.round(begin * ratio);
				assert.equal(inside, used > room ? 0 : Math.floor((room - used) / 2));
			}
		}
	}
});

test("the box around rectangles holds them all", () => {
	assert.deepEqual(boundingBox([{ x: 5, y: 9, width: 2, height: 1 }, { x: 1, y: 20, width: 3, height: 4 }]),
		{ x: 1, y: 9, width: 6, height: 15 });
});
