/*
 * The PC's cursor as its message carries it (docs/protocol.md §4).
 */
import { ProtocolError } from "./codec.js";

/** @typedef {import("./cursor.js").CursorImage} CursorImage */

/** A cursor larger than this is not one (gateway/worker/remote/remote.h). */
const MAX_CURSOR = 384;

/**
 * @param {import("./messages.js").ToViewer["cursor"]} cursor
 * @param {import("./decoder.js").Decompressor} zstd
 * @returns {CursorImage} an empty one when the PC hides it
 */
export function readCursor({ hot_x, hot_y, width, height, pixels }, zstd) {
	if (width > MAX_CURSOR || height > MAX_CURSOR)
		throw new ProtocolError(`cursor of ${width} × ${height}`);
	const size = width * height * 4;
	const hidden = size === 0 || pixels.length === 0;
	return { hotX: Math.min(hot_x, Math.max(width - 1, 0)), hotY: Math.min(hot_y, Math.max(height - 1, 0)),
		width: hidden ? 0 : width, height: hidden ? 0 : height,
		pixels: new Uint8ClampedArray(hidden ? [] : zstd.decompress(pixels, size)) };
}
