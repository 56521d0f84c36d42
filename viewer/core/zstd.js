/*
 * Zstandard decompression by the WebAssembly module that the build takes out of the npm package zstddec.
 * The caller says how large the result is; a result of another size is an error, so a small input cannot
 * make more memory be taken than the caller has checked.
 */
import { ProtocolError } from "./codec.js";

/**
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {(size: number) => number} malloc
 * @property {(pointer: number) => void} free
 * @property {(dst: number, room: number, src: number, size: number) => number} ZSTD_decompress
 */

export class Zstd {
	#exports;
	/* One buffer for input and one for output, kept between frames; grown, never shrunk. */
	#input = { pointer: 0, room: 0 };
	#output = { pointer: 0, room: 0 };

	/** @param {Exports} exports */
	constructor(exports) {
		this.#exports = exports;
	}

	/** @param {BufferSource} module */
	static async create(module) {
		const imports = { env: { emscripten_notify_memory_growth: () => {} } };
		const { instance } = await WebAssembly.instantiate(module, imports);
		return new Zstd(/** @type {Exports} */ (/** @type {unknown} */ (instance.exports)));
	}

	/**
	 * @param {{pointer: number, room: number}} buffer
	 * @param {number} size
	 */
	#reserve(buffer, size) {
		if (buffer.room >= size)
			return;
		if (buffer.pointer)
			this.#exports.free(buffer.pointer);
		buffer.pointer = 0;
		buffer.room = 0;
		const pointer = this.#exports.malloc(size) >>> 0;
		if (!pointer)
			throw new RangeError(`no memory for ${size} bytes`);
		buffer.pointer = pointer;
		buffer.room = size;
	}

	/**
	 * The result lives in the module's memory until the next call.
	 * @param {Uint8Array} data
	 * @param {number} size what it must decompress to
	 * @returns {Uint8Array}
	 */
	decompress(data, size) {
		const { memory, ZSTD_decompress } = this.#exports;
		this.#reserve(this.#input, Math.max(data.length, 1));
		this.#reserve(this.#output, Math.max(size, 1));
		new Uint8Array(memory.buffer).set(data, this.#input.pointer);
		/* Errors are numbers close to 2^32, so they never equal a size. */
		const got = ZSTD_decompress(this.#output.pointer, size, this.#input.pointer, data.length) >>> 0;
		if (got !== size)
			throw new ProtocolError(`compressed data is not ${size} bytes when unpacked`);
		return new Uint8Array(memory.buffer, this.#output.pointer, size);
	}
}
