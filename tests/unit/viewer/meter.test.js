import assert from "node:assert/strict";
import test from "node:test";
import { frameOf, load } from "./helpers.js";

const { Meter, codecsOf } = await load("core/meter.js");

/** An entry of pictures (docs/protocol.md §4). */
function picture(codec, clips = 0) {
	const bytes = new Uint8Array(20 + clips * 8);
	bytes[0] = codec;
	bytes[12] = clips;
	return bytes;
}

function joined(...parts) {
	return new Uint8Array(Buffer.concat(parts));
}

test("the codecs of a frame's pictures are read over their clip rectangles", () => {
	assert.deepEqual(codecsOf(joined(picture(1, 3), picture(2), picture(8), picture(1))), ["jpeg", "h264", "avc420", "jpeg"]);
	assert.deepEqual(codecsOf(joined(picture(2), picture(1).subarray(0, 19))), ["h264"], "what is cut off is no entry");
	assert.deepEqual(codecsOf(picture(77)), ["unknown"]);
	assert.deepEqual(codecsOf(new Uint8Array(0)), []);
});

test("nothing is counted or told while nobody looks; then once a second what has happened since", (context) => {
	context.mock.timers.enable({ apis: ["setInterval"] });
	const told = [];
	const meter = new Meter((figures) => told.push(figures));
	meter.received(1000);
	meter.shown(5000);
	context.mock.timers.tick(5000);
	assert.deepEqual(told, []);

	meter.watch(true);
	meter.received(300);
	meter.received(200);
	meter.sent(40);
	meter.frame(frameOf({ width: 2, height: 1, rects: [[0, 0, 2, 1]], pictures: picture(1) }));
	meter.shown(8000);
	meter.shown(4000);
	context.mock.timers.tick(1000);
	assert.equal(told.length, 1);
	const [{ bytesIn, bytesOut, frames, frameMs, codecs, seconds }] = told;
	assert.deepEqual({ bytesIn, bytesOut, frames, frameMs, codecs }, { bytesIn: 500, bytesOut: 40, frames: 1,
		frameMs: 6, codecs: ["lossless", "jpeg"] }, "two frames of one screen refresh are one picture");
	assert.ok(seconds > 0);

	context.mock.timers.tick(1000);
	assert.deepEqual([told[1].bytesIn, told[1].frames, told[1].codecs], [0, 0, []]);
	meter.watch(false);
	context.mock.timers.tick(5000);
	assert.equal(told.length, 2);
});
