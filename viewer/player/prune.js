/*
 * What of many frames need not be decoded because it cannot be seen after the last of them: so that a jump into the
 * middle of a film costs one picture of it, not all. Goes from the last frame back to the first.
 */
import { ProtocolError } from "../core/codec.js";
import { MAX_HEIGHT, MAX_WIDTH, readCopies, readRects } from "../core/decoder.js";
import { AVC420, H264, JPEG, readPictures } from "../core/pictures.js";
import { checkInside } from "../core/rects.js";
import { Cover } from "./cover.js";

/** @typedef {import("../core/messages.js").ToViewer["frame"]} Frame */
/** @typedef {import("../core/pictures.js").Picture} Picture */
/** @typedef {import("../core/rects.js").Rect} Rect */

/**
 * A frame to be shown, and those of its pictures without which others would not be right: without the parts that
 * nobody would see, of which a picture may have nothing else.
 * @typedef {{frame: Frame, pictures: Picture[]}} Kept
 */

/** All that a recording may have; which of them the browser decodes is known to Films. */
export const CODECS = JPEG | H264 | AVC420;

/** @param {Frame} frame */
function parse(frame) {
	if (frame.width > MAX_WIDTH || frame.height > MAX_HEIGHT)
		throw new ProtocolError(`desktop of ${frame.width} × ${frame.height}`);
	const pictures = readPictures(frame, CODECS);
	const rects = readRects(frame);
	for (const rect of rects)
		checkInside(rect, frame);
	return { frame, copies: readCopies(frame), rects, pictures };
}

/** Which pictures can be decoded: by this browser, and because the film's key picture was seen. */
export class Films {
	/** @type {Set<number>} */
	#begun = new Set();
	#codecs = CODECS;

	/** Bits of enum codec that the browser decodes. */
	get codecs() {
		return this.#codecs;
	}

	set codecs(codecs) {
		this.#codecs = codecs | JPEG;
	}

	/** The screen has shown a keyframe, or was lost. */
	clear() {
		this.#begun.clear();
	}

	/**
	 * Leaves out what cannot be decoded: a keyframe for the recording alone comes in the middle of films.
	 * @param {{frame: Frame, pictures: Picture[]}} parsed in the order of the frames
	 */
	follow(parsed) {
		if (parsed.frame.keyframe === 1)
			this.clear();
		parsed.pictures = parsed.pictures.filter((picture) => this.#decodes(picture));
	}

	/** @param {Picture} picture the next one */
	#decodes({ codec, stream, key }) {
		if (codec === JPEG)
			return true;
		if ((codec & this.#codecs) === 0)
			return false;
		if (key)
			this.#begun.add(stream);
		return this.#begun.has(stream);
	}
}

/**
 * Whether these frames, from the last keyframe among them on, have pictures of a film whose key picture comes before: it
 * would stand still.
 * @param {Frame[]} frames
 * @param {number} codecs that the browser decodes
 */
export function lacksFilm(frames, codecs) {
	const begun = new Set();
	let lacks = false;
	for (const frame of frames) {
		if (frame.keyframe === 1) {
			begun.clear();
			lacks = false;
		}
		for (const { codec, stream, key } of frame.pictures.length > 0 ? readPictures(frame, CODECS) : []) {
			if (codec === JPEG || (codec & codecs) === 0)
				continue;
			if (key)
				begun.add(stream);
			lacks ||= !begun.has(stream);
		}
	}
	return lacks;
}

/**
 * @param {Frame[]} frames that follow one another, all of them right (ProtocolError)
 * @param {Films} films of the screen that will show them
 * @returns {Kept[]} those that must be shown, in their order
 */
export function prune(frames, films) {
	let begin = frames.length - 1;
	while (begin > 0 && frames[begin].keyframe !== 1)
		begin--;
	const parsed = frames.slice(Math.max(0, begin)).map(parse);
	for (const one of parsed)
		films.follow(one);
	/* Another size comes with a keyframe only; what breaks that rule the screen refuses. */
	if (parsed.length > 1 && parsed.every(({ frame: { width, height } }) =>
		width === parsed[0].frame.width && height === parsed[0].frame.height))
		leaveOut(parsed);
	return parsed.filter(({ copies, rects, pictures }, index) => index === parsed.length - 1 || index === 0 ||
		copies.length > 0 || rects.length > 0 || pictures.length > 0);
}

/** @param {ReturnType<typeof parse>[]} parsed of one size */
function leaveOut(parsed) {
	const cover = new Cover(parsed[0].frame);
	/* Streams of which a later picture is wanted, up to their key picture. */
	/** @type {Set<number>} */
	const wanted = new Set();
	for (const one of parsed.slice().reverse()) {
		for (const picture of one.pictures)
			picture.parts = picture.parts.filter((part) => !cover.hides(part));
		one.pictures = one.pictures.filter((picture) => isNeeded(picture, wanted));
		for (const { parts } of one.pictures)
			parts.forEach((part) => cover.add(part));
		if (one.rects.every((rect) => cover.hides(rect)))
			one.rects = [];
		one.rects.forEach((rect) => cover.add(rect));
		one.copies = one.copies.reverse().filter((copy) => isCopied(copy, cover));
	}
}

/**
 * @param {import("../core/decoder.js").Copy} copy
 * @param {Cover} cover
 */
function isCopied(copy, cover) {
	const seen = cover.seen(copy);
	cover.add(copy);
	for (const box of seen)
		cover.open({ ...box, x: box.x - copy.x + copy.fromX, y: box.y - copy.y + copy.fromY });
	return seen.length > 0;
}

/**
 * @param {Picture} picture with the parts that are seen
 * @param {Set<number>} wanted
 */
function isNeeded({ codec, stream, key, parts }, wanted) {
	const seen = parts.length > 0;
	if (codec === JPEG)
		return seen;
	const needed = seen || wanted.has(stream);
	if (key)
		wanted.delete(stream);
	else if (needed)
		wanted.add(stream);
	return needed;
}
