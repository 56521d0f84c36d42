/*
 * An hour of an office's work for the player's test: minutes that tool-recording made with the gateway's own encoders,
 * one after another, and what must be seen at which time.
 */
import { execFileSync } from "node:child_process";
import { openSync, closeSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { rowOf } from "../unit/viewer/recordings.js";

export const [WIDTH, HEIGHT] = [1920, 1080];
/* Made once: it takes half a minute with sanitizers. */
const MINUTES = 2;
const MINUTE_US = 60000000;
const FRAME = 0x0803;
const [SENT, KEY, EVENT] = [2, 3, 5];
const [HEAD, START_AT, FLAGS_AT, RECORD] = [84, 40, 80, 12];
const MORE = 1;
/* Of a frame: its id, sequence and time, then whether it is a keyframe. */
const KEYFRAME_AT = 2 + 4 + 8;

/** The chunks of the minutes, from a file that is made when the tool is newer. */
function made() {
	const tests = join(process.env.SEKISHO_BUILD, "tests");
	const tool = join(tests, "tool-recording");
	const file = join(tests, "recording.chunks");
	const age = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
	if (age(file) <= age(tool)) {
		const out = openSync(`${file}.new`, "w");
		execFileSync(tool, [WIDTH, HEIGHT, MINUTES].map(String), { stdio: ["ignore", out, "inherit"] });
		closeSync(out);
		renameSync(`${file}.new`, file);
	}
	const bytes = readFileSync(file);
	const chunks = [];
	for (let at = 0; at < bytes.length;) {
		const length = bytes.readUInt32LE(at);
		chunks.push(bytes.subarray(at + 4, at + 4 + length));
		at += 4 + length;
	}
	return chunks;
}

function recordsOf(chunk) {
	const records = [];
	for (let at = HEAD; at < chunk.length;) {
		const length = chunk.readUInt32LE(at + 8);
		records.push({ kind: chunk[at], viewer: chunk[at + 1], more: chunk.readUInt16LE(at + 2) === MORE,
			delta: chunk.readUInt32LE(at + 4), payload: chunk.subarray(at + RECORD, at + RECORD + length) });
		at += RECORD + length;
	}
	return records;
}

function isKeyframe(record) {
	return (record[0] === SENT || record[0] === KEY) && record.length > RECORD + KEYFRAME_AT &&
		record.readUInt16LE(RECORD) === FRAME && record[RECORD + KEYFRAME_AT] === 1;
}

/** A chunk that begins later than this one, with some of its records. */
function partOf(chunk, records, laterUs, flags) {
	const head = Buffer.from(chunk.subarray(0, HEAD));
	head.writeBigUInt64LE(head.readBigUInt64LE(START_AT) + BigInt(laterUs), START_AT);
	head.writeUInt32LE(flags, FLAGS_AT);
	return Buffer.concat([head, ...records.map((record) => {
		const copy = Buffer.from(record);
		copy.writeUInt32LE(Math.max(0, record.readUInt32LE(4) - laterUs), 4);
		return copy;
	})]);
}

/**
 * The same with a second monitor, on which only what the keyframes have is ever seen. Its pictures stand as the gateway
 * writes them: behind the first one's, and since they are large in a chunk of their own, in which no playing starts.
 */
function withSecond(chunks) {
	const parts = [];
	let copies = [];
	for (const chunk of chunks) {
		let [records, laterUs, flags] = [[], 0, chunk.readUInt32LE(FLAGS_AT)];
		const end = () => {
			if (records.length > 0)
				parts.push(partOf(chunk, records, laterUs, flags));
			[records, flags] = [[], 0];
		};
		for (let at = HEAD; at < chunk.length;) {
			const record = chunk.subarray(at, at + RECORD + chunk.readUInt32LE(at + 8));
			at += record.length;
			records.push(record);
			/* The pieces of a message follow one another. */
			if (copies.length === 0 && !isKeyframe(record))
				continue;
			copies.push(Buffer.from(record).fill(1, 1, 2));
			if (record.readUInt16LE(2) === MORE)
				continue;
			end();
			laterUs = record.readUInt32LE(4);
			records = copies;
			copies = [];
			end();
		}
		end();
	}
	return parts;
}

/** A recording of so many minutes. */
export class Hour {
	#chunks;
	#minutes = [];
	/** [time in µs, number of the picture] of every frame */
	frames = [];
	/** Those of the second monitor. */
	seconds = [];
	table;

	/**
	 * @param {number} minutes
	 * @param {boolean} [two] monitors
	 */
	constructor(minutes, two = false) {
		this.#chunks = (two ? withSecond(made()) : made()).map((bytes) => ({ bytes, startUs: Number(bytes.readBigUInt64LE(40)), flags: bytes.readUInt32LE(80),
			records: recordsOf(bytes) }));
		for (let minute = 0; minute < minutes; minute++) {
			const from = (minute % MINUTES) * MINUTE_US;
			for (const chunk of this.#chunks.filter(({ startUs }) => startUs >= from && startUs < from + MINUTE_US))
				this.#minutes.push({ chunk, shift: minute * MINUTE_US - from });
		}
		this.#number();
		this.table = Buffer.concat(this.#minutes.map(({ chunk, shift }) => rowOf({ startUs: chunk.startUs + shift,
			timeMs: this.timeMs(chunk.startUs + shift), flags: chunk.flags,
			activity: chunk.records.reduce((sum, { kind, payload }) => sum + (kind === SENT ? payload.length : 0), 0),
			events: chunk.records.filter(({ kind }) => kind === EVENT).length })));
	}

	get count() {
		return this.#minutes.length;
	}

	get durationUs() {
		const { chunk, shift } = this.#minutes.at(-1);
		return chunk.startUs + shift + chunk.records.at(-1).delta;
	}

	get meta() {
		return JSON.parse(this.#chunks[0].records[0].payload.toString());
	}

	/** The next chunk behind this one in which playing can start. */
	keyAfter(number) {
		return this.#minutes.findIndex(({ chunk }, at) => at > number && (chunk.flags & 1) !== 0);
	}

	timeMs(us) {
		return 1790000000000 + Math.floor(us / 1000);
	}

	/* Frames that nothing changed in are not there; the sequence of a frame is its picture's number. */
	#number() {
		this.#numberOf(0, [SENT], this.frames);
		this.#numberOf(1, [SENT, KEY], this.seconds);
	}

	#numberOf(of, kinds, frames) {
		const other = new Set([0x0801, 0x0808]);
		let first = null;
		for (const { chunk, shift } of this.#minutes) {
			for (const { kind, viewer, more, delta, payload } of chunk.records) {
				if (viewer !== of || !kinds.includes(kind) || (first === null && other.has(payload.readUInt16LE(0))))
					continue;
				if (first === null && payload.readUInt16LE(0) === FRAME)
					first = payload.readUInt32LE(2);
				if (!more) {
					frames.push([chunk.startUs + shift + delta, first]);
					first = null;
				}
			}
		}
	}

	/** The number of the picture that is seen at this time. */
	picture(us, frames = this.frames) {
		return frames.filter(([time]) => time <= us).at(-1)?.[1];
	}

	/** All records of the minutes that were made; isStart: of a chunk in which playing can start. */
	* records() {
		for (const { startUs, flags, records } of this.#chunks)
			for (const [number, record] of records.entries())
				yield { ...record, timeUs: startUs + record.delta, isStart: number === 0 && (flags & 1) !== 0 };
	}

	/** What is needed to answer for the vault (vault_socket.js): the minutes that were made, and where each chunk is from. */
	get minutes() {
		return Buffer.concat(this.#chunks.map(({ bytes }) => bytes));
	}

	get places() {
		let at = 0;
		const begins = new Map(this.#chunks.map((chunk) => {
			at += chunk.bytes.length;
			return [chunk, at - chunk.bytes.length];
		}));
		return this.#minutes.map(({ chunk, shift }) => ({ at: begins.get(chunk), length: chunk.bytes.length,
			startUs: chunk.startUs + shift, timeMs: this.timeMs(chunk.startUs + shift) }));
	}
}
