/*
 * Where an export's bytes go: a file that the person chooses, written as it comes (File System Access), or else the
 * browser's memory and, at the end, its downloads.
 */
import { saveFile } from "../portal/save_file.js";

/**
 * @typedef {object} ExportFile
 * @property {string} name as the person will find it
 * @property {(bytes: Uint8Array) => Promise<void>} write in their order; bytes stay as they are
 * @property {(isRight: (file: Blob) => Promise<boolean>) => Promise<void>} finish it is whole; rejected unless what is in it now is right
 * @property {() => Promise<void>} drop it is not, and goes; never fails
 */
/**
 * What browsers that have it give for a chosen file.
 * @typedef {object} FileHandle
 * @property {string} name
 * @property {() => Promise<{write: (bytes: BufferSource) => Promise<void>, close: () => Promise<void>, abort: () => Promise<void>}>}
 *   createWritable
 * @property {() => Promise<Blob>} getFile
 * @property {() => Promise<void>} [remove]
 */
/** @typedef {{suggestedName: string, types: {description: string, accept: Record<string, string[]>}[]}} PickerOptions */

const TYPE = "application/pkcs7-mime";
/* So much is given to the browser at a time, which may put it on its disk. */
const PIECE = 8 * 1024 * 1024;

/** @param {FileHandle} handle @returns {Promise<ExportFile>} */
async function fileOnDisk(handle) {
	const stream = await handle.createWritable();
	let line = Promise.resolve();
	return {
		name: handle.name,
		write: (bytes) => (line = line.then(() => stream.write(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)))),
		finish: async (isRight) => {
			await line;
			await stream.close();
			if (!await isRight(await handle.getFile()))
				throw new Error("not what was written");
		},
		drop: async () => {
			/* When it is closed already it cannot be given up, but still goes. */
			await stream.abort().catch(() => {});
			/* What the person chose was empty before, and would stay so. */
			await handle.remove?.().catch(() => {});
		},
	};
}

/** @param {string} name @returns {ExportFile} */
function download(name) {
	/** @type {Blob[]} */
	const pieces = [];
	/** @type {BlobPart[]} */
	let parts = [];
	let bytes = 0;
	const gather = () => {
		pieces.push(new Blob(parts));
		parts = [];
		bytes = 0;
	};
	return {
		name,
		write: async (data) => {
			parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (data.slice()));
			bytes += data.length;
			if (bytes >= PIECE)
				gather();
		},
		finish: async (isRight) => {
			gather();
			const file = new Blob(pieces, { type: TYPE });
			if (!await isRight(file))
				throw new Error("not what was written");
			saveFile(name, file);
		},
		drop: async () => {
			pieces.length = 0;
			parts = [];
		},
	};
}

/**
 * Asks where it shall go, which needs a click just before, or takes the downloads.
 * @param {string} name
 * @param {string} description of its kind
 * @returns {Promise<(() => Promise<ExportFile>) | null>} what opens it; null: the person does not want to
 */
export async function chooseFile(name, description) {
	const picker = /** @type {{showSaveFilePicker?: (options: PickerOptions) => Promise<FileHandle>}} */ (
		/** @type {unknown} */ (globalThis)).showSaveFilePicker;
	if (!picker)
		return async () => download(name);
	try {
		const handle = await picker.call(globalThis, { suggestedName: name, types: [{ description, accept: { [TYPE]: [".cms"] } }] });
		return () => fileOnDisk(handle);
	} catch (error) {
		if (error instanceof DOMException && error.name === "AbortError")
			return null;
		/* Where policy or an embedding forbids it. */
		return async () => download(name);
	}
}

/** Of letters and digits of any script, so that it stands in a command as it is. @param {string} text */
export function fileName(text) {
	return text.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "") || "sekisho";
}
