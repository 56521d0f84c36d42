/*
 * Which pixels a small frame has really changed. Its rectangles are cut from a grid (gateway/worker/display), too coarse
 * to see where somebody writes: the pixels before and after tell.
 */

/** @typedef {import("./messages.js").ToViewer["frame"]} Frame */
/** @typedef {import("./decoder.js").Rect} Rect */
/** @typedef {{width: number, height: number, pixels: Uint8ClampedArray<ArrayBuffer>}} Picture */

/* A letter changes a tile or two. What is larger is no typing, and would cost something to compare. */
const MAX_PIXELS = 64 * 64 * 8;
const RECT_BYTES = 8;

/**
 * The rectangles of a small frame without copies and pictures; none of any other. They are not checked yet: what does
 * not lie inside the picture is left out.
 * @param {Frame} frame
 * @param {Picture} picture
 * @returns {Rect[]}
 */
function smallRects(frame, picture) {
	if (frame.keyframe === 1 || frame.raw_size > 3 * MAX_PIXELS || frame.copies.length > 0 || frame.pictures.length > 0)
		return [];
	const { buffer, byteOffset, byteLength } = frame.rects;
	const view = new DataView(buffer, byteOffset, byteLength);
	const rects = [];
	let room = MAX_PIXELS;
	for (let at = 0; at + RECT_BYTES <= byteLength; at += RECT_BYTES) {
		const [x, y, width, height] = [0, 2, 4, 6].map((field) => view.getUint16(at + field, true));
		room -= width * height;
		if (room < 0)
			return [];
		if (width > 0 && height > 0 && x + width <= picture.width && y + height <= picture.height)
			rects.push({ x, y, width, height });
	}
	return rects;
}

/**
 * The pixels that a frame is about to change, so that changesSince can compare.
 * @param {Frame} frame
 * @param {Picture} picture before the frame
 * @returns {{rect: Rect, pixels: Int32Array}[]}
 */
export function keepBefore(frame, picture) {
	const rects = smallRects(frame, picture);
	if (rects.length === 0)
		return [];
	const all = new Int32Array(picture.pixels.buffer);
	return rects.map((rect) => {
		const pixels = new Int32Array(rect.width * rect.height);
		for (let row = 0; row < rect.height; row++) {
			const from = (rect.y + row) * picture.width + rect.x;
			pixels.set(all.subarray(from, from + rect.width), row * rect.width);
		}
		return { rect, pixels };
	});
}

/**
 * For each rectangle the box around the pixels that differ now; none where none do.
 * @param {{rect: Rect, pixels: Int32Array}[]} kept
 * @param {Picture} picture after the frame, of the same size
 * @returns {Rect[]}
 */
export function changesSince(kept, picture) {
	const all = new Int32Array(picture.pixels.buffer);
	const boxes = [];
	for (const { rect, pixels } of kept) {
		let [left, right, top, bottom] = [rect.width, -1, rect.height, -1];
		for (let row = 0; row < rect.height; row++) {
			const from = (rect.y + row) * picture.width + rect.x;
			for (let column = 0; column < rect.width; column++) {
				if (all[from + column] === pixels[row * rect.width + column])
					continue;
				left = Math.min(left, column);
				right = Math.max(right, column);
				top = Math.min(top, row);
				bottom = row;
			}
		}
		if (bottom >= 0)
			boxes.push({ x: rect.x + left, y: rect.y + top, width: right - left + 1, height: bottom - top + 1 });
	}
	return boxes;
}
