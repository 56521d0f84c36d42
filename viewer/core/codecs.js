/*
 * Which codecs of pictures this browser decodes, for viewer_hello, and how H.264 is asked for.
 */
import { AVC420, H264, JPEG } from "./pictures.js";

/** @typedef {{codecs: number, acceleration: HardwareAcceleration}} Support codecs: bits of enum codec */

/* Baseline and High: what follows "avc1." and goes before the level. */
const PROFILES = ["42c0", "6400"];
/* Table A-1: the lowest level that has room for so many macroblocks. */
const LEVELS = [{ blocks: 8192, level: "28" }, { blocks: 36864, level: "33" }, { blocks: Infinity, level: "3c" }];
/* Pictures are parts of the PC's desktop, which may be larger than the window. */
const USUAL = { width: 1920, height: 1080 };

/* Decoders in graphics hardware keep pictures back, refuse small ones, and give pixels that must be fetched. */
/** @type {HardwareAcceleration[]} */
const ACCELERATIONS = ["prefer-software", "no-preference"];

/** @type {Map<string, Promise<Support>>} */
const known = new Map();

/** What is certain without asking. @type {Readonly<Support>} */
export const LEAST = Object.freeze({ codecs: JPEG, acceleration: "no-preference" });

/**
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Support>}
 */
async function ask(width, height) {
	if (typeof VideoDecoder !== "function" || typeof EncodedVideoChunk !== "function")
		return LEAST;
	const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
	const level = LEVELS.find((one) => blocks <= one.blocks)?.level;
	for (const acceleration of ACCELERATIONS) {
		const answers = await Promise.all(PROFILES.map((profile) => VideoDecoder.isConfigSupported({
			codec: `avc1.${profile}${level}`, codedWidth: width, codedHeight: height,
			optimizeForLatency: true, hardwareAcceleration: acceleration,
		})));
		if (answers.every(({ supported }) => supported === true))
			return { codecs: JPEG | H264 | AVC420, acceleration };
	}
	return LEAST;
}

/**
 * The browser is asked once for each size.
 * @param {number} width of the window, device pixels
 * @param {number} height
 * @returns {Promise<Support>}
 */
export function supportOf(width, height) {
	const size = { width: Math.max(width, USUAL.width), height: Math.max(height, USUAL.height) };
	const name = `${size.width}x${size.height}`;
	let answer = known.get(name);
	if (!answer) {
		answer = ask(size.width, size.height).catch(() => LEAST);
		known.set(name, answer);
	}
	return answer;
}
