/*
 * Bytes that nobody meant, the same in each run.
 */

const EDGES = [0, 1, 2, 3, 8, 12, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/* xorshift32: the same bytes on every machine, so that a failure can be seen again. */
export class Random {
	#state;

	constructor(seed) {
		this.#state = seed;
	}

	/** 0 to limit - 1 */
	below(limit) {
		this.#state ^= this.#state << 13;
		this.#state ^= this.#state >>> 17;
		this.#state ^= this.#state << 5;
		return (this.#state >>> 0) % limit;
	}

	bytes(length) {
		return Uint8Array.from({ length }, () => this.below(256));
	}

	of(list) {
		return list[this.below(list.length)];
	}

	/** A few changes to a copy: bits, bytes, numbers at the edges, cuts, repetitions. */
	mutated(bytes) {
		let copy = bytes.slice();
		for (let changes = 1 + this.below(3); changes > 0 && copy.length > 0; changes--) {
			const at = this.below(copy.length);
			const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
			switch (this.below(6)) {
			case 0:
				copy[at] ^= 1 << this.below(8);
				break;
			case 1:
				copy[at] = this.below(256);
				break;
			case 2:
				if (at + 2 <= copy.length)
					view.setUint16(at, this.of(EDGES) & 0xffff, true);
				break;
			case 3:
				if (at + 4 <= copy.length)
					view.setUint32(at, this.of(EDGES), true);
				break;
			case 4:
				copy = copy.slice(0, at);
				break;
			case 5:
				copy = new Uint8Array([...copy.subarray(0, at), ...copy.subarray(at, at + 16), ...copy.subarray(at)]);
				break;
			}
		}
		return copy;
	}
}
