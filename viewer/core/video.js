/*
 * H.264 by the browser's decoder (WebCodecs): one decoder for each stream, one picture out for each one in.
 */
import { ProtocolError } from "./codec.js";
import { blame, VideoError } from "./h264.js";
import { AVC420, MACROBLOCK, STREAMS } from "./pictures.js";

/** @typedef {import("./pictures.js").Picture} Picture */

/**
 * The picture that waits for a decoder's output.
 * @typedef {{number: number, resolve: (frame: VideoFrame) => void, reject: (error: Error) => void}} Waiting
 */

class VideoStream {
	#decoder;
	#codec;
	#width;
	#height;
	/** @type {Waiting[]} */
	#waiting = [];
	#number = 0;
	/** @type {Error | null} */
	#fault = null;

	/**
	 * @param {Picture} picture a key picture
	 * @param {HardwareAcceleration} acceleration
	 */
	constructor({ codec, config, width, height }, acceleration) {
		this.#codec = codec;
		this.#width = width;
		this.#height = height;
		this.#decoder = new VideoDecoder({
			output: (frame) => this.#output(frame),
			error: (error) => this.#fail(faultOf(error)),
		});
		try {
			this.#decoder.configure({ codec: config, codedWidth: width, codedHeight: height,
				optimizeForLatency: true, hardwareAcceleration: acceleration });
		} catch (error) {
			this.#fail(faultOf(error));
		}
	}

	/** @param {Picture} picture */
	fits({ codec, width, height }) {
		return codec === this.#codec && width === this.#width && height === this.#height;
	}

	/** What ended it, or null. */
	get fault() {
		return this.#fault;
	}

	/**
	 * @param {Picture} picture
	 * @returns {Promise<VideoFrame>}
	 */
	decode({ data, key }) {
		return new Promise((resolve, reject) => {
			if (this.#fault) {
				reject(this.#fault);
				return;
			}
			const number = this.#number++;
			this.#waiting.push({ number, resolve, reject });
			try {
				this.#decoder.decode(new EncodedVideoChunk({ type: key ? "key" : "delta", timestamp: number, data }));
			} catch (error) {
				this.#fail(faultOf(error));
			}
		});
	}

	/** Nothing comes out of it any more. */
	close() {
		this.#fail(new VideoError("the stream was closed"));
	}

	/** Gives what it was given, and ends. */
	async retire() {
		try {
			await this.#decoder.flush();
		} catch {
			/* What it still had is told as failed where it is waited for. */
		}
		this.close();
	}

	/** @param {VideoFrame} frame */
	#output(frame) {
		const first = this.#fault ? undefined : this.#waiting.shift();
		if (first && first.number === frame.timestamp && this.#isRight(frame)) {
			first.resolve(frame);
			return;
		}
		frame.close();
		this.#fail(new VideoError("a picture that was not expected"));
		first?.reject(this.#fault ?? new VideoError("a picture that was not expected"));
	}

	/* As checkAccessUnit has read it, and unscaled: an aspect ratio would stretch it. */
	/** @param {VideoFrame} frame */
	#isRight({ displayWidth, displayHeight, visibleRect }) {
		const more = this.#codec === AVC420 ? MACROBLOCK - 1 : 1;
		return visibleRect?.width === displayWidth && visibleRect.height === displayHeight &&
			displayWidth >= this.#width && displayWidth <= this.#width + more &&
			displayHeight >= this.#height && displayHeight <= this.#height + more;
	}

	/** @param {Error} error */
	#fail(error) {
		this.#fault ??= blame(error, this.#codec);
		for (const { reject } of this.#waiting.splice(0))
			reject(this.#fault);
		if (this.#decoder.state !== "closed")
			this.#decoder.close();
	}
}

/**
 * A browser takes decoders from pages that nobody sees: that says nothing about the codec.
 * @param {unknown} error
 */
function faultOf(error) {
	const what = error instanceof Error ? error : new Error("unknown");
	if (what.name === "QuotaExceededError")
		return new ProtocolError("the browser took the decoder away");
	return new VideoError(`H.264 does not decode: ${what.message}`);
}

export class VideoDecoders {
	/** @type {(VideoStream | undefined)[]} */
	#streams = Array(STREAMS);
	/* Those that were replaced, while pictures are inside. */
	/** @type {Set<VideoStream>} */
	#retired = new Set();
	#acceleration;

	/** @param {HardwareAcceleration} acceleration */
	constructor(acceleration) {
		this.#acceleration = acceleration;
	}

	/**
	 * In the order of their frames.
	 * @param {Picture} picture
	 * @returns {Promise<VideoFrame>} to be closed by the caller
	 */
	async decode(picture) {
		const index = picture.stream;
		let stream = this.#streams[index];
		/* What the codec could not do it will not do again; a decoder that was taken away is begun anew. */
		const dead = stream?.fault && !(stream.fault instanceof VideoError);
		if (picture.key && (!stream || dead || !stream.fits(picture))) {
			if (stream)
				this.#retire(stream);
			stream = new VideoStream(picture, this.#acceleration);
			this.#streams[index] = stream;
		}
		if (!stream?.fits(picture))
			throw new ProtocolError("a stream does not begin with a key picture");
		return stream.decode(picture);
	}

	/** @param {VideoStream} stream */
	#retire(stream) {
		this.#retired.add(stream);
		void stream.retire().then(() => this.#retired.delete(stream));
	}

	/** All streams end; what they were decoding is dropped. */
	reset() {
		for (const stream of [...this.#streams, ...this.#retired])
			stream?.close();
		this.#streams.fill(undefined);
	}
}
