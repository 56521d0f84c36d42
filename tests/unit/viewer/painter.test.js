/* The painter: what covers H.264, and how long it takes to find that out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./helpers.js";

const { Painter } = await load("core/painter.js");

/** A painter of a desktop of this size on a canvas that only remembers what was put onto it. */
function painterOf(width, height) {
	const put = [];
	const nothing = () => {};
	const context = { putImageData: (...values) => put.push(values.slice(3)), drawImage: nothing, save: nothing,
		restore: nothing, beginPath: nothing, rect: nothing, clip: nothing, fillRect: nothing };
	globalThis.ImageData ??= class {};
	const painter = new Painter({ getContext: () => context, width, height });
	painter.resize(new Uint8ClampedArray(4), width, height);
	return { painter, put };
}

const rect = (x, y, width, height) => ({ x, y, width, height });

test("many rectangles become one, but not over H.264 that is newer than the pixels below it", () => {
	const many = Array.from({ length: 100 }, (_, i) => rect(i * 10, 0, 5, 5));
	const { painter, put } = painterOf(1920, 1080);
	painter.draw(many);
	assert.deepEqual(put, [[0, 0, 995, 5]]);
	put.length = 0;
	painter.film({ ...rect(500, 0, 200, 100), parts: [rect(500, 0, 200, 100)] }, {});
	painter.draw(many);
	assert.equal(put.length, 100);
});

test("what is held back is drawn before H.264 that comes behind it, and not again over it", () => {
	const { painter, put } = painterOf(1920, 1080);
	painter.hold();
	painter.draw([rect(0, 0, 100, 100)]);
	assert.deepEqual(put, []);
	painter.film({ ...rect(50, 50, 200, 100), parts: [rect(50, 50, 200, 100)] }, {});
	assert.deepEqual(put, [[0, 0, 100, 100]]);
	painter.draw([rect(900, 0, 1, 1)]);
	painter.release();
	assert.deepEqual(put, [[0, 0, 100, 100], [900, 0, 1, 1]]);
});

test("thousands of small rectangles inside of H.264 take no longer than as many elsewhere", () => {
	const { painter, put } = painterOf(7680, 4320);
	painter.film({ ...rect(0, 0, 7680, 4320), parts: [rect(0, 0, 7680, 4320)] }, {});
	const small = Array.from({ length: 16000 }, (_, i) => rect(i % 120 * 64 + 1, Math.floor(i / 120) * 7 + 1, 60, 1));
	const begin = performance.now();
	painter.draw(small);
	assert.equal(put.length, small.length);
	/* A third of a second here; 20 when each of them makes the list of what is H.264 longer. */
	assert.ok(performance.now() - begin < 8000);
});
