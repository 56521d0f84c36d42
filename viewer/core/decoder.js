/*
 * Keeps the desktop's pixels and brings them from one frame to the next (docs/protocol.md, "Frames"). Everything
 * in a frame is checked before the first pixel is touched.
 */
import { ProtocolError } from "./codec.js";
import { checkApart, checkContent, JPEG, readPictures } from "./pictures.js";
import { checkInside, readRect, RECT_BYTES } from "./rects.js";

/** @typedef {import("./messages.js").ToViewer["frame"]} Frame */
/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./rects.js").Rect} Rect */
/** @typedef {Rect & {fromX: number, fromY: number}} Copy */
/** @typedef {{decompress(data: Uint8Array, size: number): Uint8Array}} Decompressor */
/**
 * A frame that was found to be right for the desktop as it is.
 * @typedef {{frame: Frame, resized: boolean, copies: Copy[], pictures: Picture[], rects: Rect[]}} Plan
 */
/** What became of a picture: pixels of a JPEG; H.264 is drawn by the painter. @typedef {Int32Array | VideoFrame} Decoded */

export const MAX_WIDTH = 7680;
export const MAX_HEIGHT = 4320;
export const MAX_RECTS = 32768;
/** Copies may overlap and chain, but together they move at most so many times the desktop. */
const MAX_COPY_AREAS = 4;

const COPY_BYTES = 12;
const OPAQUE = 0xff000000 | 0;

/* Pixels are words of ImageData: A, B, G, R from the high end, on the little-endian machines browsers run on. */
export class FrameDecoder {
	#zstd;
	#width = 0;
	#height = 0;
	/** @type {Int32Array<ArrayBuffer>} */
	#pixels = new Int32Array(0);

	/** @param {Decompressor} zstd */
	constructor(zstd) {
		this.#zstd = zstd;
	}

	get width() {
		return this.#width;
	}

	get height() {
		return this.#height;
	}

	/** RGBA bytes of the whole desktop; the same memory until the size changes. */
	get pixels() {
		return new Uint8ClampedArray(this.#pixels.buffer);
	}

	/**
	 * Reads a frame and checks all that it says; only its compressed data is still to be unpacked.
	 * @param {Frame} frame
	 * @param {number} [codecs] bits of enum codec that pictures may have
	 * @param {Picture[]} [chosen] those of its pictures (readPictures) that matter, instead of all
	 * @returns {Plan}
	 */
	check(frame, codecs = 0, chosen = undefined) {
		const { width, height } = frame;
		const resized = width !== this.#width || height !== this.#height;
		this.#checkSize(frame, resized);
		const copies = readCopies(frame);
		const rects = readRects(frame);
		checkData(frame, rects, resized, copies);
		return { frame, resized, copies, rects, pictures: checkPictures(frame, rects, codecs, chosen) };
	}

	/**
	 * Applies a frame and says which parts of the desktop's pixels it has changed.
	 * @param {Plan} plan made since the last keyframe
	 * @param {Decoded[]} [decoded] of its pictures, in their order
	 * @returns {{resized: boolean, changed: Rect[]}}
	 */
	apply({ frame, resized, copies, pictures, rects }, decoded = []) {
		/* Before anything changes: unpacking is the last step that can fail on what the frame says. */
		const planes = frame.data.length > 0 || frame.raw_size > 0 ?
			this.#zstd.decompress(frame.data, frame.raw_size) : frame.data;
		if (resized) {
			this.#pixels = new Int32Array(frame.width * frame.height).fill(OPAQUE);
			this.#width = frame.width;
			this.#height = frame.height;
		}
		for (const copy of copies)
			this.#copy(copy);
		const changed = [...copies, ...rects];
		for (let i = 0; i < pictures.length; i++) {
			const pixels = decoded[i];
			if (pictures[i].codec === JPEG && pixels instanceof Int32Array) {
				this.#put(pictures[i], pixels);
				changed.push(...pictures[i].parts);
			}
		}
		this.#draw(rects, planes);
		return { resized, changed };
	}

	/**
	 * @param {Frame} frame
	 * @param {boolean} resized
	 */
	#checkSize({ width, height, keyframe }, resized) {
		if (width < 1 || height < 1 || width > MAX_WIDTH || height > MAX_HEIGHT)
			throw new ProtocolError(`desktop of ${width} × ${height}, allowed are ${MAX_WIDTH} × ${MAX_HEIGHT}`);
		if (resized && keyframe !== 1)
			throw new ProtocolError("the desktop has another size without a keyframe");
	}

	/** @param {Copy} copy */
	#copy({ fromX, fromY, x, y, width, height }) {
		const pixels = this.#pixels;
		const stride = this.#width;
		/* Rows in the order that never reads what was already written; copyWithin moves like memmove. */
		const down = y > fromY;
		for (let i = 0; i < height; i++) {
			const row = down ? height - 1 - i : i;
			const from = (fromY + row) * stride + fromX;
			pixels.copyWithin((y + row) * stride + x, from, from + width);
		}
	}

	/**
	 * @param {Picture} picture
	 * @param {Int32Array} pixels of all of it
	 */
	#put(picture, pixels) {
		for (const { x, y, width, height } of picture.parts) {
			for (let row = y; row < y + height; row++) {
				const from = (row - picture.y) * picture.width + x - picture.x;
				this.#pixels.set(pixels.subarray(from, from + width), row * this.#width + x);
			}
		}
	}

	/**
	 * @param {Rect[]} rects
	 * @param {Uint8Array} planes G, R−G and B−G of all rectangles, each left-delta within a row
	 */
	#draw(rects, planes) {
		const size = planes.length / 3;
		let at = 0;
		for (const { x, y, width, height } of rects) {
			for (let row = y; row < y + height; row++) {
				drawRow(this.#pixels, row * this.#width + x, width, planes, at, size);
				at += width;
			}
		}
	}
}

/**
 * The loop in which a busy session spends its time: one row, nothing but 32-bit integers. Blue and red are
 * summed side by side in one of them, because the mask takes their carries off in time; a row of 7680 keeps
 * green far below 2^31.
 * @param {Int32Array} pixels
 * @param {number} start of the row in pixels
 * @param {number} width
 * @param {Uint8Array} planes G, R−G, B−G
 * @param {number} at of the row in the first plane
 * @param {number} size of a plane
 */
function drawRow(pixels, start, width, planes, at, size) {
	const redAt = at + size;
	const blueAt = redAt + size;
	let green = 0;
	let others = 0;
	for (let i = 0; i < width; i++) {
		const step = planes[at + i];
		green = (green + step) | 0;
		others = (others + (planes[blueAt + i] << 16) + planes[redAt + i] + (step << 16) + step) & 0x00ff00ff;
		pixels[start + i] = OPAQUE | others | ((green & 0xff) << 8);
	}
}

/** @param {Uint8Array} bytes */
function viewOf(bytes) {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * @param {Frame} frame
 * @returns {Copy[]}
 */
export function readCopies(frame) {
	const view = viewOf(frame.copies);
	if (view.byteLength % COPY_BYTES !== 0)
		throw new ProtocolError("copies are cut off");
	const copies = [];
	for (let at = 0; at < view.byteLength; at += COPY_BYTES) {
		const copy = {
			fromX: view.getUint16(at, true),
			fromY: view.getUint16(at + 2, true),
			x: view.getUint16(at + 4, true),
			y: view.getUint16(at + 6, true),
			width: view.getUint16(at + 8, true),
			height: view.getUint16(at + 10, true),
		};
		checkInside(copy, frame);
		checkInside({ ...copy, x: copy.fromX, y: copy.fromY }, frame);
		copies.push(copy);
	}
	return copies;
}

/**
 * @param {Frame} frame
 * @returns {Rect[]}
 */
export function readRects(frame) {
	const view = viewOf(frame.rects);
	if (view.byteLength % RECT_BYTES !== 0)
		throw new ProtocolError("rectangles are cut off");
	if (view.byteLength > MAX_RECTS * RECT_BYTES)
		throw new ProtocolError(`more than ${MAX_RECTS} rectangles`);
	const rects = [];
	for (let at = 0; at < view.byteLength; at += RECT_BYTES) {
		const rect = readRect(view, at);
		checkInside(rect, frame);
		rects.push(rect);
	}
	return rects;
}

/**
 * The sizes must agree, and the rectangles of one frame have no more pixels than the desktop: a frame
 * never asks for more memory or work than its desktop does.
 * @param {Frame} frame
 * @param {Rect[]} rects
 * @param {boolean} resized
 * @param {Copy[]} copies
 */
function checkData(frame, rects, resized, copies) {
	let area = 0;
	for (const { width, height } of rects)
		area += width * height;
	if (frame.raw_size !== 3 * area)
		throw new ProtocolError(`raw_size ${frame.raw_size} for ${area} pixels`);
	const desktop = frame.width * frame.height;
	if (area > desktop)
		throw new ProtocolError("more pixels than the desktop has");
	if (frame.keyframe === 1 && area !== desktop)
		throw new ProtocolError("a keyframe must cover the desktop");
	if (resized && copies.length > 0)
		throw new ProtocolError("copies on a desktop of another size");
	if (frame.keyframe === 1 && frame.pictures.length > 0)
		throw new ProtocolError("a keyframe with pictures");
	let moved = 0;
	for (const { width, height } of copies)
		moved += width * height;
	if (moved > MAX_COPY_AREAS * desktop)
		throw new ProtocolError("copies move too much");
}

/** @type {Picture[]} */
const NO_PICTURES = [];

/**
 * @param {Frame} frame
 * @param {Rect[]} rects
 * @param {number} codecs
 * @param {Picture[]} [chosen]
 */
function checkPictures(frame, rects, codecs, chosen) {
	/* Nearly every frame is one without, and costs nothing here. */
	if (frame.pictures.length === 0 && frame.picture_data.length === 0)
		return NO_PICTURES;
	const pictures = chosen ?? readPictures(frame, codecs);
	checkApart(pictures, rects);
	checkContent(pictures);
	return pictures;
}
