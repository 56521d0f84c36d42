/*
 * The pictures of a frame (docs/protocol.md §4): what the table says, checked before anything is decoded.
 */
import { ProtocolError } from "./codec.js";
import { blame, checkAccessUnit } from "./h264.js";
import { checkJpeg } from "./jpeg.js";
import { checkInside, overlap, readRect, RECT_BYTES } from "./rects.js";

/** @typedef {import("./messages.js").ToViewer["frame"]} Frame */
/** @typedef {import("./rects.js").Rect} Rect */

/**
 * x, y, width, height: where it goes; parts: what of it is drawn; config: the codec's string of a key picture;
 * hidden: only decoded, because others build on it.
 * @typedef {Rect & {codec: number, stream: number, key: boolean, hidden: boolean, config: string, parts: Rect[],
 *   data: Uint8Array<ArrayBuffer>}} Picture
 */

/* Of enum codec. */
export const JPEG = 1;
export const H264 = 2;
/** H.264 as the PC has sent it, [MS-RDPEGFX] 2.2.4.4. */
export const AVC420 = 8;

/** A PC's H.264 comes in whole blocks of so many pixels, both ways. */
export const MACROBLOCK = 16;
/** Decoders of H.264. */
export const STREAMS = 4;
/** Pictures and clip rectangles of one frame. */
export const MAX_PARTS = 2048;

const ENTRY_BYTES = 20;
/* The largest values of an entry's fields, for each codec. */
const MOST = new Map([
	[JPEG, { stream: 0, key: 0, hidden: 0 }],
	[H264, { stream: STREAMS - 1, key: 1, hidden: 0 }],
	[AVC420, { stream: STREAMS - 1, key: 1, hidden: 1 }],
]);

/**
 * @param {Frame} frame
 * @param {number} codecs bits of enum codec that were announced
 * @returns {Picture[]}
 */
export function readPictures(frame, codecs) {
	const view = new DataView(frame.pictures.buffer, frame.pictures.byteOffset, frame.pictures.byteLength);
	/** @type {Picture[]} */
	const pictures = [];
	let data = 0;
	let parts = 0;
	let area = 0;
	for (let at = 0; at < view.byteLength;) {
		if (view.byteLength - at < ENTRY_BYTES)
			throw new ProtocolError("pictures are cut off");
		const rect = readRect(view, at + 4);
		const clips = view.getUint16(at + 12, true);
		const length = view.getUint32(at + 16, true);
		checkInside(rect, frame);
		if (view.byteLength - at - ENTRY_BYTES < clips * RECT_BYTES)
			throw new ProtocolError("clip rectangles are cut off");
		if (length === 0 || length > frame.picture_data.length - data)
			throw new ProtocolError("picture data is cut off");
		parts += 1 + clips;
		area += rect.width * rect.height;
		const kind = readKind(view, at, codecs);
		if (kind.hidden && clips > 0)
			throw new ProtocolError("picture that is not drawn, with clip rectangles");
		if (parts > MAX_PARTS || area > frame.width * frame.height)
			throw new ProtocolError("more pictures than the desktop has room for");
		pictures.push({
			...rect,
			...kind,
			config: "",
			parts: kind.hidden ? [] : clips ? readClips(view, at + ENTRY_BYTES, clips, rect) : [rect],
			data: /** @type {Uint8Array<ArrayBuffer>} */ (frame.picture_data.subarray(data, data + length)),
		});
		at += ENTRY_BYTES + clips * RECT_BYTES;
		data += length;
	}
	if (data !== frame.picture_data.length)
		throw new ProtocolError("picture data is left over");
	return pictures;
}

/**
 * @param {DataView} view
 * @param {number} at of the entry
 * @param {number} codecs
 */
function readKind(view, at, codecs) {
	const [codec, stream, key, hidden] = [0, 1, 2, 3].map((field) => view.getUint8(at + field));
	const most = MOST.get(codec);
	if (!most || (codecs & codec) === 0)
		throw new ProtocolError(`picture with codec ${codec}, which was not announced`);
	if (stream > most.stream || key > most.key || hidden > most.hidden || view.getUint16(at + 14, true) !== 0)
		throw new ProtocolError("picture with fields that mean nothing");
	return { codec, stream, key: key === 1, hidden: hidden === 1 };
}

/**
 * @param {DataView} view
 * @param {number} at
 * @param {number} count
 * @param {Rect} rect
 * @returns {Rect[]}
 */
function readClips(view, at, count, rect) {
	const clips = [];
	let area = 0;
	for (let end = at + count * RECT_BYTES; at < end; at += RECT_BYTES) {
		const clip = readRect(view, at);
		checkInside({ ...clip, x: clip.x - rect.x, y: clip.y - rect.y }, rect);
		if (clip.x < rect.x || clip.y < rect.y)
			throw new ProtocolError("clip rectangle is not inside its picture");
		area += clip.width * clip.height;
		clips.push(clip);
	}
	if (area > rect.width * rect.height)
		throw new ProtocolError("clip rectangles overlap");
	return clips;
}

/**
 * What pictures draw overlaps neither what others draw nor the rectangles; a stream has one picture in a frame.
 * @param {Picture[]} pictures
 * @param {Rect[]} rects
 */
export function checkApart(pictures, rects) {
	let streams = 0;
	for (const [index, { codec, stream, parts }] of pictures.entries()) {
		if (codec !== JPEG && streams & (1 << stream))
			throw new ProtocolError("two pictures of one stream");
		streams |= codec !== JPEG ? 1 << stream : 0;
		for (let other = index + 1; other < pictures.length; other++)
			checkParts(parts, pictures[other].parts);
		checkParts(parts, rects);
	}
}

/**
 * @param {Rect[]} parts
 * @param {Rect[]} others
 */
function checkParts(parts, others) {
	for (const part of parts)
		for (const other of others)
			if (overlap(part, other))
				throw new ProtocolError("a picture overlaps something else");
}

/**
 * What the pictures' bytes say of themselves. H.264 in error is a VideoError.
 * @param {Picture[]} pictures
 */
export function checkContent(pictures) {
	for (const picture of pictures) {
		const { codec, key, width, height, data } = picture;
		if (codec === JPEG)
			checkJpeg(data, width, height);
		else
			picture.config = checkFilm(data, codec, key, width, height);
	}
}

/**
 * @param {Uint8Array} data
 * @param {number} codec
 * @param {boolean} key
 * @param {number} width
 * @param {number} height
 */
function checkFilm(data, codec, key, width, height) {
	try {
		return checkAccessUnit(data, key, width, height, codec === AVC420 ? MACROBLOCK - 1 : 1);
	} catch (error) {
		throw blame(error, codec);
	}
}
