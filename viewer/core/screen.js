/*
 * One desktop's picture: frames are decoded and drawn in their order. Where they come from, and what becomes of one
 * that cannot be shown, is the owner's affair: the live stream asks for a keyframe, a recording goes on to the next.
 */
import { LEAST } from "./codecs.js";
import { FrameDecoder } from "./decoder.js";
import { JpegDecoder } from "./jpeg.js";
import { Painter } from "./painter.js";
import { JPEG } from "./pictures.js";
import { FrameQueue } from "./queue.js";
import { VideoDecoders } from "./video.js";

/** @typedef {import("./decoder.js").Decoded} Decoded */
/** @typedef {import("./decoder.js").Plan} Plan */
/** @typedef {import("./messages.js").ToViewer["frame"]} Frame */
/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./queue.js").Arrival} Arrival */
/** @typedef {import("./zstd.js").Zstd} Zstd */

/**
 * @typedef {object} ScreenEvents
 * @property {(frame: Frame, picture: FrameDecoder) => void} [before] a frame is about to change the picture
 * @property {(frame: Frame, picture: FrameDecoder, resized: boolean, arrival: Arrival) => void} shown
 * @property {(arrival: Arrival) => void} dropped a frame that is not shown, in its order
 * @property {(error: unknown) => void} failed a frame that was taken cannot be shown: call lose
 * @property {() => void} restored the canvas was lost: what only it had is black now
 */

export class Screen {
	#events;
	#painter;
	#zstd;
	/** @type {FrameDecoder} */
	#decoder;
	#jpeg = new JpegDecoder();
	#video = new VideoDecoders(LEAST.acceleration);
	#queue = new FrameQueue((picture) => this.#decode(picture),
		(plan, decoded, arrival) => this.#show(plan, decoded, arrival), (error) => this.#events.failed(error));
	/* Bits of enum codec that pictures may have. */
	#codecs = 0;
	/* The picture is wrong until the next keyframe. */
	#lost = true;

	/**
	 * @param {OffscreenCanvas} canvas
	 * @param {Zstd} zstd
	 * @param {ScreenEvents} events
	 */
	constructor(canvas, zstd, events) {
		this.#painter = new Painter(canvas, () => events.restored());
		this.#zstd = zstd;
		this.#decoder = new FrameDecoder(zstd);
		this.#events = events;
	}

	/** Frames that build on what was before are let pass until a keyframe comes. */
	get lost() {
		return this.#lost;
	}

	/** So many frames wait for their pictures to be decoded. */
	get waiting() {
		return this.#queue.length;
	}

	/**
	 * What pictures may be from now on.
	 * @param {import("./codecs.js").Support} support
	 */
	support({ codecs, acceleration }) {
		this.#codecs = codecs;
		this.#video.reset();
		this.#video = new VideoDecoders(acceleration);
	}

	/**
	 * Decodes a frame and shows it, at once when nothing of it or before it takes time.
	 * @param {Frame} frame
	 * @param {Arrival} arrival
	 * @param {Picture[]} [chosen] those of its pictures that matter, instead of all
	 */
	take(frame, arrival, chosen) {
		/* A keyframe needs nothing of what was before it. */
		if (frame.keyframe === 1)
			this.#discard();
		if (this.#lost && frame.keyframe !== 1) {
			this.#events.dropped(arrival);
			return;
		}
		const plan = this.#decoder.check(frame, this.#codecs, chosen);
		if (plan.pictures.length > 0 || !this.#queue.empty)
			this.#queue.add(plan, arrival);
		else
			this.#show(plan, [], arrival);
	}

	/** Nothing of what is being decoded is shown any more, nor anything before the next keyframe. */
	lose() {
		this.#discard();
		this.#lost = true;
	}

	/** Several frames follow one another, of which only the last is looked at: release draws it. */
	hold() {
		this.#painter.hold();
	}

	release() {
		this.#painter.release();
	}

	/** Nothing of the picture stays. */
	clear() {
		this.lose();
		this.#painter.clear();
		this.#decoder = new FrameDecoder(this.#zstd);
		this.#jpeg = new JpegDecoder();
	}

	#discard() {
		for (const arrival of this.#queue.clear())
			this.#events.dropped(arrival);
		this.#video.reset();
	}

	/**
	 * @param {Picture} picture
	 * @returns {Promise<Decoded>}
	 */
	#decode(picture) {
		return picture.codec === JPEG ? this.#jpeg.decode(picture.data, picture.width, picture.height) :
			this.#video.decode(picture);
	}

	/**
	 * @param {Plan} plan
	 * @param {Decoded[]} decoded of its pictures
	 * @param {Arrival} arrival
	 */
	#show(plan, decoded, arrival) {
		const decoder = this.#decoder;
		this.#events.before?.(plan.frame, decoder);
		const { resized, changed } = decoder.apply(plan, decoded);
		if (resized)
			this.#painter.resize(decoder.pixels, decoder.width, decoder.height);
		this.#painter.draw(changed);
		for (let i = 0; i < decoded.length; i++) {
			const one = decoded[i];
			if (!(one instanceof Int32Array))
				this.#painter.film(plan.pictures[i], one);
		}
		this.#lost = false;
		this.#events.shown(plan.frame, decoder, resized, arrival);
	}
}
