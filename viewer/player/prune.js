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
 * A frame to be shown, and which of its pictures nobody would see.
 * @typedef {{frame: Frame, unseen: (picture: number) => boolean}} Kept
 */

const nothing = () => false;

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
	return { frame, copies: readCopies(frame), rects, pictures, unseen: new Set() };
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
	 * @param {{frame: Frame, pictures: Picture[], unseen: Set<unknown>}} parsed in the order of the frames
	 */
	follow({ frame, pictures, unseen }) {
		if (frame.keyframe === 1)
			this.clear();
		for (const [index, { codec, stream, key }] of pictures.entries()) {
			if (codec === JPEG)
				continue;
			if ((codec & this.#codecs) === 0)
				unseen.add(index);
			else if (key)
				this.#begun.add(stream);
			else if (!this.#begun.has(stream))
				unseen.add(index);
		}
	}
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
	return parsed.filter((one, index) => index === parsed.length - 1 || index === 0 || one.copies.length > 0 ||
		one.rects.length > 0 || one.pictures.length > one.unseen.size)
		.map(({ frame, unseen }) => ({ frame, unseen: unseen.size ? (index) => unseen.has(index) : nothing }));
}

/** @param {ReturnType<typeof parse>[]} parsed of one size */
function leaveOut(parsed) {
	const cover = new Cover(parsed[0].frame);
	/* Streams of which a later picture is wanted, up to their key picture. */
	/** @type {Set<number>} */
	const wanted = new Set();
	for (const one of parsed.slice().reverse()) {
		for (const [index, picture] of one.pictures.entries()) {
			const seen = !one.unseen.has(index) && picture.parts.some((part) => !cover.hides(part));
			if (!one.unseen.has(index) && !isNeeded(picture, seen, wanted))
				one.unseen.add(index);
		}
		for (const [index, { parts }] of one.pictures.entries())
			if (!one.unseen.has(index))
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
 * @param {Picture} picture
 * @param {boolean} seen
 * @param {Set<number>} wanted
 */
function isNeeded({ codec, stream, key }, seen, wanted) {
	if (codec === JPEG)
		return seen;
	const needed = seen || wanted.has(stream);
	if (key)
		wanted.delete(stream);
	else if (needed)
		wanted.add(stream);
	return needed;
}
