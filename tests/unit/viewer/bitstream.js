/*
 * H.264 (ITU-T H.264) for tests, written by hand so that every pixel is known: Baseline, one slice, all macroblocks
 * I_PCM, which carry their samples as they are. Whatever a test wants to be wrong can be said in the options.
 */

class BitWriter {
	#bits = [];

	u(count, value) {
		for (let bit = count - 1; bit >= 0; bit--)
			this.#bits.push((value >>> bit) & 1);
		return this;
	}

	/** §9.1: Exp-Golomb */
	ue(value) {
		const length = 32 - Math.clz32(value + 1);
		return this.u(length - 1, 0).u(length, value + 1);
	}

	align(bit = 0) {
		while (this.#bits.length % 8 !== 0)
			this.#bits.push(bit);
		return this;
	}

	/** @param {Iterable<number>} values on a byte's edge */
	bytes(values) {
		for (const value of values)
			this.u(8, value);
		return this;
	}

	/** §7.3.2.11: the stop bit and the bytes */
	end() {
		this.u(1, 1).align();
		const out = new Uint8Array(this.#bits.length / 8);
		this.#bits.forEach((bit, index) => { out[index >> 3] |= bit << (7 - (index & 7)); });
		return out;
	}
}

/** §7.3.1: start code, header and the payload with emulation prevention. */
export function nal(header, payload) {
	const out = [0, 0, 0, 1, header];
	let zeros = 0;
	for (const byte of payload) {
		if (zeros === 2 && byte <= 3) {
			out.push(3);
			zeros = 0;
		}
		out.push(byte);
		zeros = byte === 0 ? zeros + 1 : 0;
	}
	return Uint8Array.from(out);
}

/** §7.3.2.1.1: sequence parameter set. colour: [primaries, transfer, matrix, full range] of the VUI or null. */
export function sps({ width, height, profile = 66, constraints = 0xc0, level = 40, chroma = 1, depth = 8, progressive = 1,
	crop, colour = [1, 13, 1, 1], aspect = null, references = 1, offset = 0 }) {
	const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)];
	const [left, right, top, bottom] = crop ?? [0, (columns * 16 - width) >> 1, 0, (rows * 16 - height) >> 1];
	const out = new BitWriter();
	out.u(8, profile).u(8, constraints).u(8, level).ue(0);
	if (profile === 100 || profile === 110 || profile === 244) {
		out.ue(chroma);
		if (chroma === 3)
			out.u(1, 0);
		out.ue(depth - 8).ue(depth - 8).u(1, 0).u(1, 0);
	}
	/* Order type 2: pictures come out in the order in which they go in. With an offset it is type 1. */
	out.ue(0).ue(offset ? 1 : 2);
	if (offset)
		out.u(1, 0).ue(offset).ue(0).ue(0);
	out.ue(references).u(1, 0).ue(columns - 1).ue(rows - 1).u(1, progressive);
	if (!progressive)
		out.u(1, 0);
	out.u(1, 1).u(1, 1).ue(left).ue(right).ue(top).ue(bottom);
	out.u(1, colour || aspect ? 1 : 0);
	if (colour || aspect) {
		out.u(1, aspect ? 1 : 0);
		if (aspect)
			out.u(8, 255).u(16, aspect[0]).u(16, aspect[1]);
		out.u(1, 0).u(1, colour ? 1 : 0);
		if (colour)
			out.u(3, 5).u(1, colour[3]).u(1, 1).u(8, colour[0]).u(8, colour[1]).u(8, colour[2]);
		out.u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(1, 0);
	}
	return nal(0x67, out.end());
}

/** §7.3.2.2: picture parameter set. */
export function pps() {
	return nal(0x68, new BitWriter().ue(0).ue(0).u(1, 0).u(1, 0).ue(0).ue(0).ue(0).u(1, 0).u(2, 0).ue(0).ue(0).ue(0)
		.u(1, 1).u(1, 0).u(1, 0).end());
}

/**
 * §7.3.3: the one slice of a picture. number: of the picture since the key picture, which is 0.
 * samples(x, y) gives [Y, Cb, Cr], chroma taken from the upper left of four pixels.
 */
export function slice({ width, height, number = 0, samples = () => [128, 128, 128] }) {
	const out = new BitWriter();
	const key = number === 0;
	out.ue(0).ue(key ? 7 : 5).ue(0).u(4, number & 15);
	if (key)
		out.ue(0).u(1, 0).u(1, 0);
	else
		out.u(1, 0).u(1, 0).u(1, 0);
	out.ue(0).ue(1);
	for (let top = 0; top < height; top += 16) {
		for (let left = 0; left < width; left += 16) {
			if (!key)
				out.ue(0);
			out.ue(key ? 25 : 30).align();
			for (const [plane, step] of [[0, 1], [1, 2], [2, 2]])
				for (let y = 0; y < 16; y += step)
					for (let x = 0; x < 16; x += step)
						out.u(8, samples(left + x, top + y)[plane]);
		}
	}
	return nal(key ? 0x65 : 0x61, out.end());
}

/** An access unit: a key picture with its parameter sets, or one that follows. */
export function accessUnit({ number = 0, ...options }) {
	const parts = number === 0 ? [sps(options), pps(), slice({ number, ...options })] : [slice({ number, ...options })];
	return new Uint8Array(Buffer.concat(parts));
}

/** BT.709, full range, 8 bit: what docs/protocol.md says H.264 is. */
export function toYcc([r, g, b]) {
	const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
	return [y, 128 + (b - y) / 1.8556, 128 + (r - y) / 1.5748].map((value) => Math.max(1, Math.min(254, Math.round(value))));
}

/**
 * The bytes of a JPEG (ITU-T T.81) up to its first scan: enough for everything that does not decode it.
 */
export function jpegHead({ width, height, marker = 0xc0, precision = 8, components = 3, before = [] }) {
	const parts = [0xff, 0xd8, ...before, 0xff, marker, 0, 8 + 3 * components, precision, height >> 8, height & 255, width >> 8,
		width & 255, components];
	for (let i = 1; i <= components; i++)
		parts.push(i, 0x11, 0);
	parts.push(0xff, 0xda, 0, 6 + 2 * components, components);
	for (let i = 1; i <= components; i++)
		parts.push(i, 0);
	return Uint8Array.from([...parts, 0, 63, 0, 0x55, 0xff, 0xd9]);
}
