/*
 * The worker thread of a desktop: everything from the WebSocket to the canvas happens here, so that a busy
 * page does not slow the picture and a busy picture does not slow the page.
 */
import { supportOf } from "./codecs.js";
import { Stream } from "./stream.js";
import { Zstd } from "./zstd.js";

/** @typedef {import("./messages.js").FromViewer} FromViewer */
/** @typedef {import("./stream.js").FromWorker} FromWorker */

/**
 * What the page tells the worker. The canvas comes once, first. codecs: bits of enum codec that the page decodes itself.
 * @typedef {{type: "start", canvas: OffscreenCanvas}
 *   | {type: "open", url: string, width: number, height: number, codecs?: number}
 *   | {[K in keyof FromViewer]: {type: "send", name: K, fields: FromViewer[K]}}[keyof FromViewer]
 *   | {type: "watch", figures: boolean, changes: boolean}
 *   | {type: "close"}} ToWorker
 */

/**
 * @typedef {object} WorkerScope
 * @property {(message: FromWorker, transfer: Transferable[]) => void} postMessage
 * @property {((event: MessageEvent<ToWorker>) => void) | null} onmessage
 */
const scope = /** @type {WorkerScope} */ (/** @type {unknown} */ (self));

/** @type {Stream | null} */
let stream = null;

/**
 * @param {FromWorker} message
 * @param {Transferable[]} [transfer]
 */
function post(message, transfer = []) {
	scope.postMessage(message, transfer);
}

/** @param {OffscreenCanvas} canvas */
async function start(canvas) {
	/* The answer is needed with the first connection; asked now, it is there by then. */
	void supportOf(0, 0);
	try {
		const answer = await fetch(new URL("./zstd.wasm", import.meta.url));
		if (!answer.ok)
			throw new Error(`zstd.wasm: ${answer.status}`);
		stream = new Stream(canvas, await Zstd.create(await answer.arrayBuffer()), post);
		post({ type: "ready" });
	} catch {
		post({ type: "failed" });
	}
}

scope.onmessage = (/** @type {MessageEvent<ToWorker>} */ { data }) => {
	switch (data.type) {
	case "start":
		void start(data.canvas);
		break;
	case "open":
		stream?.open(data.url, data.width, data.height, data.codecs);
		break;
	case "send":
		stream?.send(data.name, data.fields);
		break;
	case "watch":
		stream?.watch(data);
		break;
	case "close":
		stream?.close();
		break;
	}
};
