/*
 * What of many frames need not be decoded because it cannot be seen after the last of them: so that a jump into the
 * middle of a film costs one picture of it, not all. Goes from the last frame back to the first.
 */
import { readCopies, readRects } from "../core/decoder.js";
import { AVC420, H264, JPEG, readPictures } from "../core/pictures.js";
import { checkInside, overlap, without } from "../core/rects.js";

/** @typedef {import("../core/messages.js").ToViewer["frame"]} Frame */
/** @typedef {import("../core/pictures.js").Picture} Picture */
/** @typedef {import("../core/rects.js").Rect} Rect */

/**
 * A frame to be shown, and which of its pictures nobody would see.
 * @typedef {{frame: Frame, unseen: (picture: number) => boolean}} Kept
 */

/* Rectangles that remember what is covered; the smaller ones are forgotten first, which costs time only. */
const MANY = 48;

const nothing = () => false;

/** All that a recording may have; which of them the browser decodes is known to Films. */
export const CODECS = JPEG | H264 | AVC420;

class Cover {
	/** @type {Rect[]} */
	#rects = [];

	/** @param {Rect} rect */
	hides(rect) {
		let left = [rect];
		for (const one of this.#rects) {
			left = left.flatMap((part) => without(part, one));
			if (left.length === 0)
				return true;
			if (left.length > MANY)
				return false;
		}
		return false;
	}

	/** @param {Rect[]} rects */
	add(rects) {
		this.#rects.push(...rects);
		if (this.#rects.length > MANY) {
			this.#rects.sort((a, b) => b.width * b.height - a.width * a.height);
			this.#rects.length = MANY;
		}
	}

	/** What is there is looked at after all. @param {Rect} rect */
	open(rect) {
		if (this.#rects.some((one) => overlap(one, rect)))
			this.#rects = this.#rects.flatMap((one) => without(one, rect)).slice(0, 2 * MANY);
	}
}

/** @param {Frame} frame */
function parse(frame) {
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
	if (parsed.length > 1)
		leaveOut(parsed);
	return parsed.filter((one, index) => index === parsed.length - 1 || index === 0 || one.copies.length > 0 ||
		one.rects.length > 0 || one.pictures.length > one.unseen.size)
		.map(({ frame, unseen }) => ({ frame, unseen: unseen.size ? (index) => unseen.has(index) : nothing }));
}

/** @param {ReturnType<typeof parse>[]} parsed */
function leaveOut(parsed) {
	const cover = new Cover();
	/* Streams of which a later picture is wanted, up to their key picture. */
	/** @type {Set<number>} */
	const wanted = new Set();
	for (const one of parsed.slice().reverse()) {
		for (const [index, picture] of one.pictures.entries()) {
			if (one.unseen.has(index))
				continue;
			const seen = picture.parts.some((part) => !cover.hides(part));
			if (!isNeeded(picture, seen, wanted))
				one.unseen.add(index);
		}
		for (const { parts } of one.pictures.filter((_, index) => !one.unseen.has(index)))
			cover.add(parts);
		if (one.rects.every((rect) => cover.hides(rect)) && one.copies.length === 0)
			one.rects = [];
		else
			cover.add(one.rects);
		for (const copy of one.copies.slice().reverse()) {
			cover.add([copy]);
			cover.open({ ...copy, x: copy.fromX, y: copy.fromY });
		}
	}
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
