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
const [SENT, EVENT] = [2, 5];

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
	for (let at = 84; at < chunk.length;) {
		const length = chunk.readUInt32LE(at + 8);
		records.push({ kind: chunk[at], more: chunk.readUInt16LE(at + 2) === 1, delta: chunk.readUInt32LE(at + 4),
			payload: chunk.subarray(at + 12, at + 12 + length) });
		at += 12 + length;
	}
	return records;
}

/** A recording of so many minutes. */
export class Hour {
	#chunks;
	#minutes = [];
	/** [time in µs, number of the picture] of every frame */
	frames = [];
	table;

	constructor(minutes) {
		this.#chunks = made().map((bytes) => ({ bytes, startUs: Number(bytes.readBigUInt64LE(40)), flags: bytes.readUInt32LE(80),
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
		let first = null;
		for (const { chunk, shift } of this.#minutes) {
			for (const { kind, more, delta, payload } of chunk.records) {
				if (kind !== SENT)
					continue;
				if (first === null && payload.readUInt16LE(0) === FRAME)
					first = payload.readUInt32LE(2);
				if (!more) {
					this.frames.push([chunk.startUs + shift + delta, first]);
					first = null;
				}
			}
		}
	}

	/** The number of the picture that is seen at this time. */
	picture(us) {
		return this.frames.filter(([time]) => time <= us).at(-1)?.[1];
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
