/*
 * Which codecs of pictures this browser decodes, for viewer_hello.
 */
import { H264, JPEG } from "./pictures.js";

/* Baseline and High: what follows "avc1." and goes before the level. */
const PROFILES = ["42c0", "6400"];
/* Table A-1: the lowest level that has room for so many macroblocks. */
const LEVELS = [{ blocks: 8192, level: "28" }, { blocks: 36864, level: "33" }, { blocks: Infinity, level: "3c" }];
/* Pictures are parts of the PC's desktop, which may be larger than the window. */
const USUAL = { width: 1920, height: 1080 };

/** @type {Map<string, Promise<boolean>>} */
const known = new Map();

/**
 * @param {number} width
 * @param {number} height
 */
async function askH264(width, height) {
	if (typeof VideoDecoder !== "function" || typeof EncodedVideoChunk !== "function")
		return false;
	const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
	const level = LEVELS.find((one) => blocks <= one.blocks)?.level;
	const answers = await Promise.all(PROFILES.map((profile) => VideoDecoder.isConfigSupported({
		codec: `avc1.${profile}${level}`, codedWidth: width, codedHeight: height, optimizeForLatency: true,
	})));
	return answers.every(({ supported }) => supported === true);
}

/**
 * Bits of enum codec. The browser is asked once for each size.
 * @param {number} width of the window, device pixels
 * @param {number} height
 * @returns {Promise<number>}
 */
export async function supportedCodecs(width, height) {
	const size = { width: Math.max(width, USUAL.width), height: Math.max(height, USUAL.height) };
	const name = `${size.width}x${size.height}`;
	let answer = known.get(name);
	if (!answer) {
		answer = askH264(size.width, size.height).catch(() => false);
		known.set(name, answer);
	}
	return (await answer) ? JPEG | H264 : JPEG;
}
