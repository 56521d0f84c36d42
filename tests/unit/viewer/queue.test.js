/* The queue of frames: shown in order, whatever showing one of them does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./helpers.js";

const { FrameQueue } = await load("core/queue.js");

test("a frame that cannot be shown, by a mistake that clears nothing, is told once and not tried again", async () => {
	const shown = [];
	const failed = [];
	const queue = new FrameQueue(async (picture) => ({ picture, close() {} }), (plan) => {
		shown.push(plan.number);
		assert.ok(shown.length < 10, "the same frame again and again");
		if (plan.number === 1)
			throw new TypeError("of ours");
	}, (error) => failed.push(error));
	queue.add({ number: 1, pictures: [{}] }, {});
	queue.add({ number: 2, pictures: [{}] }, {});
	await new Promise((done) => setTimeout(done));
	assert.deepEqual(shown, [1, 2]);
	assert.deepEqual(failed.map(({ message }) => message), ["of ours"]);
	assert.ok(queue.empty);
});
