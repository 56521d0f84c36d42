/*
 * The events of a recording, for the marks over its time line: the table says in which chunks there are some, and these
 * are fetched one after another while nothing else is wanted.
 */
import { ProtocolError } from "../core/codec.js";
import { EVENT, parseObject } from "./chunk.js";
import { isAudible } from "./sounds.js";
import { SourceClosed } from "./source.js";

/** @typedef {import("./recording.js").Recording} Recording */
/**
 * viewer: the monitor; name: code of the event, "" when it is not readable; details: what else it says, as text.
 * note: of a note that can be taken back, its number.
 * @typedef {{timeUs: number, viewer: number, name: string, details: Record<string, string>, note?: number}} Happening
 */

/* More marks than that nobody reads. */
const EVENTS_MAX = 5000;
const CHUNKS_MAX = 2000;
const TEXT_MAX = 300;
const DETAILS_MAX = 16;

/**
 * @param {Pick<import("./chunk.js").Piece, "payload" | "timeUs" | "viewer">} record
 * @returns {Happening}
 */
export function readHappening({ payload, timeUs, viewer }) {
	try {
		const { event, ...rest } = parseObject(payload);
		const name = typeof event === "string" && /^[a-z0-9-]{1,64}$/.test(event) ? event : "";
		/** @type {Record<string, string>} */
		const details = {};
		for (const [key, value] of Object.entries(rest).slice(0, DETAILS_MAX))
			if (["string", "number", "boolean"].includes(typeof value))
				details[key.slice(0, TEXT_MAX)] = String(value).slice(0, TEXT_MAX);
		return { timeUs, viewer, name, details };
	} catch (error) {
		if (!(error instanceof ProtocolError))
			throw error;
		return { timeUs, viewer, name: "", details: {} };
	}
}

/**
 * @param {Recording} recording
 * @param {number} from the first chunk that is looked at
 * @param {() => boolean} busy somebody waits for other chunks
 * @param {(happenings: Happening[], audible: boolean) => void} found those of one chunk; audible: the PC could be heard
 */
export async function gather(recording, from, busy, found) {
	let chunks = 0;
	let events = 0;
	const { count } = recording;
	for (let index = from; index < count; index++) {
		if (recording.rows[index].events === 0)
			continue;
		if (++chunks > CHUNKS_MAX || events >= EVENTS_MAX)
			return;
		while (busy())
			await new Promise((resolve) => setTimeout(resolve, 100));
		try {
			const records = (await recording.chunk(index))?.records ?? [];
			const happenings = records.filter(({ kind }) => kind === EVENT).slice(0, EVENTS_MAX)
				.map(readHappening);
			events += happenings.length;
			found(happenings, records.some(isAudible));
		} catch (error) {
			if (error instanceof SourceClosed)
				return;
			throw error;
		}
	}
}
