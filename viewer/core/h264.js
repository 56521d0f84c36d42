/*
 * What an H.264 access unit (ITU-T H.264, Annex B) is allowed to be, read before the browser's decoder sees it: one
 * picture, and parameter sets that ask for no more memory than the rectangle it is for.
 */
import { ProtocolError } from "./codec.js";

/** A picture of H.264 went wrong: it is the codec that is to be given up, not the connection. */
export class VideoError extends ProtocolError {
	/** Of enum codec: which one; 0: not known yet. */
	codec = 0;

	/** @param {string} what */
	constructor(what) {
		super(what);
		this.name = "VideoError";
	}
}

/**
 * Says of which codec the error is, if it is one of H.264.
 * @template T
 * @param {T} error
 * @param {number} codec
 */
export function blame(error, codec) {
	if (error instanceof VideoError)
		error.codec = codec;
	return error;
}

const SLICE = 1;
const IDR = 5;
const SEI = 6;
const SPS = 7;
const PPS = 8;
const DELIMITER = 9;
const FILLER = 12;

const HIGH = 100;
const PROFILES = [66, 77, HIGH];
/* Table A-1: macroblocks that the pictures for reference have together at the highest level. */
const MAX_DPB_BLOCKS = 696320;
/* Bytes of a parameter set in which all that is read here must lie. */
const SPS_MAX = 256;
/* Of one picture; a slice for each row of blocks is 270. */
const MAX_UNITS = 512;

/** Bits of a parameter set, §7.2 and §9.1. */
class BitReader {
	#bytes;
	#at = 0;

	/** @param {Uint8Array} bytes */
	constructor(bytes) {
		this.#bytes = bytes;
	}

	/** @param {number} count at most 32 */
	u(count) {
		let value = 0;
		if (this.#at + count > this.#bytes.length * 8)
			throw new VideoError("parameter set is cut off");
		for (let end = this.#at + count; this.#at < end; this.#at++)
			value = value * 2 + ((this.#bytes[this.#at >> 3] >> (7 - (this.#at & 7))) & 1);
		return value;
	}

	/** @param {number} [max] */
	ue(max = 0xffffffff) {
		let zeros = 0;
		while (this.u(1) === 0)
			if (++zeros > 31)
				throw new VideoError("number is too long");
		const value = 2 ** zeros - 1 + this.u(zeros);
		if (value > max)
			throw new VideoError(`${value} in a parameter set, allowed are ${max}`);
		return value;
	}

	se() {
		const code = this.ue();
		return code % 2 ? (code + 1) / 2 : -code / 2;
	}
}

/**
 * Where each NAL unit begins and ends, without its start code.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array[]}
 */
function split(bytes) {
	/** @type {Uint8Array[]} */
	const units = [];
	let start = -1;
	let end = 0;
	for (let at = bytes.indexOf(1); at >= 0; at = bytes.indexOf(1, at + 1)) {
		if (at < 2 || bytes[at - 1] !== 0 || bytes[at - 2] !== 0)
			continue;
		if (units.length === MAX_UNITS)
			throw new VideoError("too many NAL units");
		if (start >= 0)
			units.push(bytes.subarray(start, at - 2));
		else
			end = at - 2;
		start = at + 1;
	}
	if (start < 0 || bytes.subarray(0, end).some((byte) => byte !== 0))
		throw new VideoError("H.264 without start codes");
	units.push(bytes.subarray(start));
	return units;
}

/**
 * §7.4.1: the payload without emulation prevention.
 * @param {Uint8Array} unit
 */
function payload(unit) {
	const out = [];
	for (let at = 1; at < unit.length; at++)
		if (!(unit[at] === 3 && at > 2 && unit[at - 1] === 0 && unit[at - 2] === 0))
			out.push(unit[at]);
	return Uint8Array.from(out);
}

/**
 * §7.3.2.1.1.1
 * @param {BitReader} bits
 * @param {number} size
 */
function skipScalingList(bits, size) {
	let next = 8;
	for (let i = 0; i < size && next !== 0; i++)
		next = (next + bits.se() + 256) % 256;
}

/**
 * What only High has: the chroma format, which must be 4:2:0, and scaling lists.
 * @param {BitReader} bits
 */
function readHigh(bits) {
	if (bits.ue() !== 1 || bits.ue() !== 0 || bits.ue() !== 0 || bits.u(1) !== 0)
		throw new VideoError("H.264 is not 4:2:0 with 8 bits");
	if (bits.u(1) === 0)
		return;
	for (let list = 0; list < 8; list++)
		if (bits.u(1) === 1)
			skipScalingList(bits, list < 6 ? 16 : 64);
}

/**
 * §7.3.2.1.1, picture order count
 * @param {BitReader} bits
 */
function skipOrder(bits) {
	const type = bits.ue(2);
	if (type === 0) {
		bits.ue(12);
	} else if (type === 1) {
		bits.u(1);
		bits.se();
		bits.se();
		for (let count = bits.ue(255); count > 0; count--)
			bits.se();
	}
}

/**
 * The sequence parameter set: its codec string (RFC 6381), or a fault.
 * @param {Uint8Array} unit
 * @param {number} width of the rectangle
 * @param {number} height
 * @param {number} more pixels that the picture may have, each way
 */
function readSps(unit, width, height, more) {
	const bits = new BitReader(payload(unit.subarray(0, SPS_MAX)));
	const profile = bits.u(8);
	const [constraints, level] = [bits.u(8), bits.u(8)];
	bits.ue(31);
	if (!PROFILES.includes(profile))
		throw new VideoError(`H.264 of profile ${profile}`);
	if (profile === HIGH)
		readHigh(bits);
	bits.ue(12);
	skipOrder(bits);
	const references = bits.ue(16);
	bits.u(1);
	const columns = bits.ue(1023) + 1;
	const rows = bits.ue(1023) + 1;
	if (bits.u(1) !== 1)
		throw new VideoError("H.264 is interlaced");
	if (references * columns * rows > MAX_DPB_BLOCKS)
		throw new VideoError("H.264 keeps too many pictures");
	bits.u(1);
	const cropped = bits.u(1) === 1;
	const crop = () => (cropped ? 2 * (bits.ue(1023) + bits.ue(1023)) : 0);
	checkLength(columns * 16, crop(), width, more);
	checkLength(rows * 16, crop(), height, more);
	return "avc1." + [profile, constraints, level].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A picture may be a little larger than its rectangle, because its sides are even, or whole blocks.
 * @param {number} coded
 * @param {number} cropped
 * @param {number} wanted
 * @param {number} more
 */
function checkLength(coded, cropped, wanted, more) {
	const shown = coded - cropped;
	if (shown < wanted || shown > wanted + more || cropped >= 32)
		throw new VideoError(`H.264 of ${coded} − ${cropped} pixels for ${wanted}`);
}

/**
 * An access unit with the bytes of one picture for a rectangle of this size.
 * @param {Uint8Array} bytes
 * @param {boolean} key it is an IDR with its parameter sets
 * @param {number} width
 * @param {number} height
 * @param {number} [more] pixels that the picture may have beyond it, each way
 * @returns {string} what the browser calls the codec; empty when it is no key picture
 */
export function checkAccessUnit(bytes, key, width, height, more = 1) {
	let codec = "";
	let parameters = false;
	let pictures = 0;
	for (const unit of split(bytes)) {
		if (unit.length < 2 || unit[0] & 0x80)
			throw new VideoError("NAL unit without a header");
		const type = unit[0] & 0x1f;
		if (type === SPS && key)
			codec = readSps(unit, width, height, more);
		else if (type === PPS)
			parameters = true;
		else if (type === (key ? IDR : SLICE))
			pictures += unit[1] & 0x80 ? 1 : 0; /* first_mb_in_slice is 0 */
		else if (type !== SEI && type !== DELIMITER && type !== FILLER)
			throw new VideoError(`NAL unit of type ${type} in ${key ? "a" : "no"} key picture`);
	}
	if (pictures !== 1)
		throw new VideoError(`${pictures} pictures in an access unit`);
	if (key && !(codec && parameters))
		throw new VideoError("key picture without its parameter sets");
	return codec;
}
