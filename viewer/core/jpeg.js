/*
 * JPEG pictures (ITU-T T.81). The head is read first, so that the browser's decoder is never asked for an image of
 * another size or kind than the frame says.
 */
import { ProtocolError } from "./codec.js";

const SOI = 0xd8;
const EOI = 0xd9;
const SOF0 = 0xc0;
const SOS = 0xda;
/* Tables, restart interval, comment; APP0 to APP15 are let pass as well. */
const HARMLESS = new Set([0xc4, 0xdb, 0xdd, 0xfe]);

/** @param {number} marker */
function isHarmless(marker) {
	return HARMLESS.has(marker) || (marker >= 0xe0 && marker <= 0xef);
}

/**
 * A baseline JPEG of 8 bits with exactly this size, from its first to its last marker.
 * @param {Uint8Array} bytes
 * @param {number} width
 * @param {number} height
 */
export function checkJpeg(bytes, width, height) {
	const end = bytes.length - 2;
	if (end < 4 || bytes[0] !== 0xff || bytes[1] !== SOI || bytes[end] !== 0xff || bytes[end + 1] !== EOI)
		throw new ProtocolError("not a whole JPEG");
	let framed = false;
	for (let at = 2; at + 4 <= end;) {
		const marker = bytes[at + 1];
		const length = (bytes[at + 2] << 8) | bytes[at + 3];
		if (bytes[at] !== 0xff || at + 2 + length > end)
			throw new ProtocolError("JPEG is cut off");
		if (marker === SOS && framed)
			return;
		if (marker === SOF0 && !framed)
			checkFrame(bytes.subarray(at + 4, at + 2 + length), width, height);
		else if (!isHarmless(marker))
			throw new ProtocolError(`JPEG has marker 0x${marker.toString(16)}`);
		framed ||= marker === SOF0;
		at += 2 + length;
	}
	throw new ProtocolError("JPEG without a picture");
}

/**
 * The frame header, §B.2.2.
 * @param {Uint8Array} header
 * @param {number} width
 * @param {number} height
 */
function checkFrame(header, width, height) {
	const components = header[5];
	if (header[0] !== 8 || (components !== 1 && components !== 3) || header.length !== 6 + 3 * components)
		throw new ProtocolError("JPEG is not of 8 bits and one or three components");
	const size = [(header[3] << 8) | header[4], (header[1] << 8) | header[2]];
	if (size[0] !== width || size[1] !== height)
		throw new ProtocolError(`JPEG of ${size[0]} × ${size[1]} for ${width} × ${height}`);
}

const WRONG = "JPEG does not decode";

/**
 * Decodes JPEGs to pixels, as many at once as are asked for. ImageDecoder (WebCodecs) takes a third of the time of
 * createImageBitmap and reading it back, but not every browser has it, or copies it as RGBA.
 */
export class JpegDecoder {
	#codecs = typeof ImageDecoder === "function" && typeof VideoFrame === "function";
	/** @type {OffscreenCanvasRenderingContext2D | null} */
	#context = null;

	/**
	 * @param {Uint8Array<ArrayBuffer>} bytes that checkJpeg let pass; not read after the call
	 * @param {number} width
	 * @param {number} height
	 * @returns {Promise<Int32Array>} its pixels, as the frame decoder keeps them
	 */
	async decode(bytes, width, height) {
		if (this.#codecs) {
			const pixels = await copied(bytes, width, height);
			if (pixels)
				return pixels;
			this.#codecs = false;
		}
		return this.#drawn(bytes, width, height);
	}

	/**
	 * @param {Uint8Array<ArrayBuffer>} bytes
	 * @param {number} width
	 * @param {number} height
	 */
	async #drawn(bytes, width, height) {
		const blob = new Blob([bytes], { type: "image/jpeg" });
		const image = await createImageBitmap(blob, { colorSpaceConversion: "none" }).catch(() => {
			throw new ProtocolError(WRONG);
		});
		try {
			checkSize(image.width, image.height, width, height);
			return this.#read(image);
		} finally {
			image.close();
		}
	}

	/** @param {ImageBitmap} image */
	#read(image) {
		/* Read back at once: this canvas stays in memory. */
		this.#context ??= new OffscreenCanvas(1, 1).getContext("2d", { alpha: false, willReadFrequently: true });
		if (!this.#context)
			throw new Error("the browser gives no 2d context");
		const { canvas } = this.#context;
		if (canvas.width < image.width || canvas.height < image.height) {
			canvas.width = Math.max(canvas.width, image.width);
			canvas.height = Math.max(canvas.height, image.height);
		}
		this.#context.drawImage(image, 0, 0);
		const { data } = this.#context.getImageData(0, 0, image.width, image.height);
		return new Int32Array(data.buffer);
	}
}

/**
 * What became of it may be turned about (EXIF), whatever the head says.
 * @param {number} width
 * @param {number} height
 * @param {number} wantedWidth
 * @param {number} wantedHeight
 */
function checkSize(width, height, wantedWidth, wantedHeight) {
	if (width !== wantedWidth || height !== wantedHeight)
		throw new ProtocolError(`JPEG became ${width} × ${height}, not ${wantedWidth} × ${wantedHeight}`);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Int32Array | null>} null: this browser does not copy RGBA
 */
async function copied(bytes, width, height) {
	const decoder = new ImageDecoder({ data: bytes, type: "image/jpeg", colorSpaceConversion: "none" });
	/** @type {VideoFrame | null} */
	let image = null;
	try {
		({ image } = await decoder.decode());
		const { displayWidth, displayHeight } = image;
		checkSize(displayWidth, displayHeight, width, height);
		const pixels = new Int32Array(width * height);
		/* Who does not know the option says how much the image takes as it is. */
		if (image.allocationSize({ format: "RGBA" }) !== pixels.byteLength)
			return null;
		await image.copyTo(pixels, { format: "RGBA" });
		return pixels;
	} catch (error) {
		if (error instanceof Error && error.name === "NotSupportedError")
			return null;
		throw error instanceof ProtocolError ? error : new ProtocolError(WRONG);
	} finally {
		image?.close();
		decoder.close();
	}
}
