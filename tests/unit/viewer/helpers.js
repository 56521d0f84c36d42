/*
 * What the viewer's tests share: where the built viewer is, frames of Zstandard made by hand, and frames of
 * the protocol made from its text.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const build = process.env.SEKISHO_BUILD;
if (!build)
	throw new Error("set SEKISHO_BUILD to the build folder, or run these tests with ctest");

export const messagesJs = join(build, "bin", "messages-js");
const viewer = join(build, "share", "viewer");

/** A module of the built viewer. */
export function load(path) {
	return import(pathToFileURL(join(viewer, path)).href);
}

const { TO_VIEWER } = await load("core/messages.js");

export async function newZstd() {
	const { Zstd } = await load("core/zstd.js");
	return Zstd.create(readFileSync(join(viewer, "core", "zstd.wasm")));
}

const BLOCK_MAX = 128 * 1024;

function zstdHeader(contentSize) {
	/* RFC 8878 §3.1.1: magic number; single segment, content size in 8 bytes. */
	const head = Buffer.alloc(13);
	head.writeUInt32LE(0xfd2fb528, 0);
	head[4] = 0xe0;
	head.writeBigUInt64LE(BigInt(contentSize), 5);
	return head;
}

function zstdBlock(kind, size, last, content) {
	const head = Buffer.alloc(3);
	head.writeUIntLE((last ? 1 : 0) | (kind << 1) | (size << 3), 0, 3);
	return Buffer.concat([head, content]);
}

/** A Zstandard frame of raw blocks. */
export function zstdRaw(bytes, claimedSize = bytes.length) {
	const parts = [zstdHeader(claimedSize)];
	for (let at = 0; at === 0 || at < bytes.length; at += BLOCK_MAX) {
		const part = bytes.subarray(at, at + BLOCK_MAX);
		parts.push(zstdBlock(0, part.length, at + BLOCK_MAX >= bytes.length, part));
	}
	return Buffer.concat(parts);
}

/** A Zstandard frame of size times the same byte: a few bytes for each 128 KiB. */
export function zstdRun(byte, size) {
	const parts = [zstdHeader(size)];
	for (let at = 0; at < size; at += BLOCK_MAX) {
		const length = Math.min(BLOCK_MAX, size - at);
		parts.push(zstdBlock(1, length, at + length >= size, Buffer.from([byte])));
	}
	return Buffer.concat(parts);
}

/** Numbers as little-endian u16: rectangles and copies. */
export function u16s(...numbers) {
	const bytes = Buffer.alloc(numbers.length * 2);
	numbers.forEach((number, index) => bytes.writeUInt16LE(number, index * 2));
	return new Uint8Array(bytes);
}

/** The planes of docs/protocol.md for rectangles of a picture: pixel(x, y) gives [r, g, b]. */
export function planesOf(rects, pixel) {
	const planes = [[], [], []];
	for (const [left, top, width, height] of rects) {
		for (let y = top; y < top + height; y++) {
			let before = [0, 0, 0];
			for (let x = left; x < left + width; x++) {
				const [r, g, b] = pixel(x, y);
				const now = [g, (r - g) & 0xff, (b - g) & 0xff];
				now.forEach((value, plane) => planes[plane].push((value - before[plane]) & 0xff));
				before = now;
			}
		}
	}
	return Buffer.from(planes.flat());
}

/** A frame message: rects and copies as lists of lists of numbers. */
export function frameOf({ width, height, rects = [], copies = [], keyframe = 0, pixel = () => [0, 0, 0], ...more }) {
	const planes = planesOf(rects, pixel);
	return {
		sequence: 1, time_us: 0n, keyframe, width, height, copies: u16s(...copies.flat()),
		rects: u16s(...rects.flat()), raw_size: planes.length, data: new Uint8Array(zstdRaw(planes)),
		pictures: new Uint8Array(0), picture_data: new Uint8Array(0), ...more,
	};
}

/** A frame through both halves of the decoder. */
export function apply(decoder, frame, codecs = 0, decoded = []) {
	return decoder.apply(decoder.check(frame, codecs), decoded);
}

/**
 * The fields of a frame that carry pictures: each is {codec, stream, key, rect: [x, y, width, height], clips, data}, and
 * length when it is to be another than that of data.
 */
export function picturesOf(...pictures) {
	const entries = pictures.map(({ codec, stream = 0, key = 0, zero = 0, rect, clips = [], zeros = 0, data, length }) => {
		const head = Buffer.alloc(4);
		head.set([codec, stream, key, zero]);
		const tail = Buffer.alloc(8);
		tail.writeUInt16LE(clips.length, 0);
		tail.writeUInt16LE(zeros, 2);
		tail.writeUInt32LE(length ?? data.length, 4);
		return Buffer.concat([head, u16s(...rect), tail, u16s(...clips.flat())]);
	});
	return { pictures: new Uint8Array(Buffer.concat(entries)),
		picture_data: new Uint8Array(Buffer.concat(pictures.map(({ data }) => data))) };
}

/** The bytes of a frame message, as the gateway writes them. */
export function frameMessage({ sequence, keyframe, width, height, copies, rects, raw_size, data, pictures, picture_data }) {
	const head = Buffer.alloc(2 + 4 + 8 + 1 + 2 + 2);
	head.writeUInt16LE(TO_VIEWER.frame.id, 0);
	head.writeUInt32LE(sequence, 2);
	head.writeUInt8(keyframe, 14);
	head.writeUInt16LE(width, 15);
	head.writeUInt16LE(height, 17);
	const u32 = (value) => {
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32LE(value);
		return bytes;
	};
	return new Uint8Array(Buffer.concat([head, u32(copies.length), copies, u32(rects.length), rects, u32(raw_size),
		u32(data.length), data, u32(pictures.length), pictures, u32(picture_data.length), picture_data]));
}
