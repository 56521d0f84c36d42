/*
 * The audit log as this browser has seen it (docs/audit.md): it keeps the last checkpoint, and asks at each login
 * for a proof that the log has grown from that one. Who rewrites the log must fool every browser of the office.
 */

/** @typedef {import("./api.js").Api} Api */
/** @typedef {"rolled-back" | "fork" | "signature" | "key" | "withheld"} AlarmKind */
/** @typedef {{getItem(name: string): string | null, setItem(name: string, value: string): void}} Store */
/**
 * What is remembered. root is base64.
 * @typedef {{key: string, size: number, root: string}} Kept
 */
/**
 * isSigned: null when this browser cannot check signatures of this kind.
 * @typedef {{state: "first" | "grown", size: number, isSigned: true | null}
 *	| {state: "unknown"}
 *	| {state: "alarm", kind: AlarmKind, kept: number, shown: number}} Finding
 */

const NAME = "sekisho.audit";
/* Since when, and at how many logins in a row, a browser that has seen checkpoints got none. While the CA is locked that
 * is so for a while; a gateway that hides what it did to the log would have it so for ever. */
const SILENCE = "sekisho.audit.silence";
const SILENT_LOGINS = 3;
const SILENT_MS = 24 * 3600 * 1000;
const HASH = 32;
const ID = 4;
const SIGNATURE = 64;
const ED25519 = 1;
const PROOF_MAX = 65;
const NOTE_MAX = 2048;

/**
 * @param {string} text base64
 * @param {number} length of the bytes
 */
function decode64(text, length) {
	let bytes;
	try {
		bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
	} catch {
		throw new SyntaxError("no base64");
	}
	if (bytes.length !== length || encode64(bytes) !== text)
		throw new SyntaxError("not the one way to write it");
	return bytes;
}

/** @param {Uint8Array} bytes */
function encode64(bytes) {
	return btoa(String.fromCharCode(...bytes));
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function equal(a, b) {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** @param {...Uint8Array} parts */
async function sha256(...parts) {
	const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
function parent(left, right) {
	return sha256(Uint8Array.of(1), left, right);
}

/** Half of a number that may have more than 32 bits. @param {number} n */
function half(n) {
	return Math.floor(n / 2);
}

/** @param {number} n above 0 */
function isPowerOfTwo(n) {
	while (n % 2 === 0)
		n /= 2;
	return n === 1;
}

/**
 * Whether the log with root has all of the one with oldRoot: RFC 9162 §2.1.4.2.
 * @param {number} old
 * @param {number} size
 * @param {Uint8Array} oldRoot
 * @param {Uint8Array} root
 * @param {Uint8Array[]} proof
 */
export async function isConsistent(old, size, oldRoot, root, proof) {
	if (old > size)
		return false;
	if (old === size)
		return proof.length === 0 && equal(oldRoot, root);
	if (old === 0)
		return proof.length === 0;
	if (proof.length === 0)
		return false;
	let node = old - 1;
	let last = size - 1;
	while (node % 2 === 1) {
		node = half(node);
		last = half(last);
	}
	/* A complete old tree is a node of the new one. */
	const hashes = isPowerOfTwo(old) ? [oldRoot, ...proof] : proof;
	let oldHash = hashes[0];
	let hash = hashes[0];
	for (const next of hashes.slice(1)) {
		if (last === 0)
			return false;
		if (node % 2 === 1 || node === last) {
			oldHash = await parent(next, oldHash);
			hash = await parent(next, hash);
			while (node % 2 === 0 && node > 0) {
				node = half(node);
				last = half(last);
			}
		} else {
			hash = await parent(hash, next);
		}
		node = half(node);
		last = half(last);
	}
	return last === 0 && equal(oldHash, oldRoot) && equal(hash, root);
}

/**
 * A verifier key of c2sp.org/signed-note.
 * @param {string} text
 */
async function readKey(text) {
	const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
	if (!match)
		throw new SyntaxError("no key");
	const [, name, id, encoded] = match;
	const bytes = decode64(encoded, 1 + HASH);
	const hash = await sha256(new TextEncoder().encode(`${name}\n`), bytes);
	const found = [...hash.subarray(0, ID)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
	if (bytes[0] !== ED25519 || found !== id)
		throw new SyntaxError("no key of this kind");
	return { name, id: hash.subarray(0, ID), public: bytes.slice(1) };
}

/**
 * @param {string} note
 * @param {{name: string, id: Uint8Array}} key
 */
function readNote(note, key) {
	const end = note.lastIndexOf("\n\n");
	if (note.length > NOTE_MAX || end < 0)
		throw new SyntaxError("no note");
	const text = note.slice(0, end + 1);
	const lines = text.split("\n");
	const size = Number(lines[1]);
	if (lines[0] !== key.name || !/^(0|[1-9][0-9]*)$/.test(lines[1] ?? "") || !Number.isSafeInteger(size))
		throw new SyntaxError("no checkpoint of this log");
	const root = decode64(lines[2] ?? "", HASH);
	for (const line of note.slice(end + 2).split("\n")) {
		const [dash, name, blob] = line.split(" ");
		if (dash !== "—" || name !== key.name)
			continue;
		const bytes = decode64(blob ?? "", ID + SIGNATURE);
		if (equal(bytes.subarray(0, ID), key.id))
			return { text, size, root, signature: bytes.slice(ID) };
	}
	throw new SyntaxError("not signed by this key");
}

/**
 * Older browsers have no Ed25519: then nothing is said of the signature, and nothing pretended.
 * @param {Uint8Array} key
 * @param {Uint8Array} signature
 * @param {string} text
 * @returns {Promise<boolean | null>}
 */
async function isSigned(key, signature, text) {
	let imported;
	try {
		imported = await crypto.subtle.importKey("raw", /** @type {BufferSource} */ (key), { name: "Ed25519" }, false,
			["verify"]);
	} catch {
		return null;
	}
	return crypto.subtle.verify({ name: "Ed25519" }, imported, /** @type {BufferSource} */ (signature),
		new TextEncoder().encode(text));
}

export class CheckpointKeeper {
	#api;
	#store;
	/** @type {Kept | null} what was shown last, whatever it was worth */
	#shown = null;

	/**
	 * @param {Api} api
	 * @param {Store} store that outlives the login
	 */
	constructor(api, store) {
		this.#api = api;
		this.#store = store;
	}

	/**
	 * Asks, compares, and remembers when all is well. An alarm is told to the gateway too, which writes it down:
	 * also one that lies about its log has to keep that from the others.
	 * @returns {Promise<Finding>}
	 */
	async check() {
		const kept = this.#load();
		let finding;
		try {
			finding = await this.#compare(kept, await this.#api.auditCheckpoint(kept?.size ?? 0));
		} catch (error) {
			if (!(error instanceof SyntaxError))
				finding = this.#nothing(kept);
			else
				finding = this.#alarm("signature", kept);
		}
		if (finding.state === "alarm")
			await this.#tell(finding);
		return finding;
	}

	/** A person has asked, and takes the log as it is from now on. */
	async accept() {
		const kept = this.#load();
		if (!this.#shown && this.#silence().logins === 0)
			return;
		this.#endSilence();
		if (this.#shown)
			this.#save(this.#shown);
		await this.#api.auditAlarm("accepted", kept?.size ?? 0, this.#shown?.size ?? 0);
	}

	/**
	 * @param {Kept | null} kept
	 * @param {import("./api.js").AuditCheckpoint} answer
	 * @returns {Promise<Finding>}
	 */
	async #compare(kept, answer) {
		/* The signer is locked, or has only just started. */
		this.#shown = null;
		if (answer.checkpoint === "")
			return this.#nothing(kept);
		const key = await readKey(answer.key);
		const { text, size, root, signature } = readNote(answer.checkpoint, key);
		this.#shown = { key: answer.key, size, root: encode64(root) };
		const signed = await isSigned(key.public, signature, text);
		if (signed === false)
			return this.#alarm("signature", kept);
		if (kept && kept.key !== answer.key)
			return this.#alarm("key", kept);
		if (kept && size < kept.size)
			return this.#alarm("rolled-back", kept);
		if (answer.consistency.length > PROOF_MAX)
			return this.#alarm("fork", kept);
		const proof = kept ? answer.consistency.map((hash) => decode64(hash, HASH)) : [];
		if (kept && !await isConsistent(kept.size, size, decode64(kept.root, HASH), root, proof))
			return this.#alarm("fork", kept);
		this.#save(this.#shown);
		this.#endSilence();
		return { state: kept ? "grown" : "first", size, isSigned: signed };
	}

	/**
	 * @param {Kept | null} kept
	 * @returns {Finding}
	 */
	#nothing(kept) {
		if (!kept)
			return { state: "unknown" };
		const { since, logins } = this.#silence();
		this.#remember(SILENCE, { since, logins: logins + 1 });
		const long = logins + 1 >= SILENT_LOGINS && Date.now() - since >= SILENT_MS;
		return long ? this.#alarm("withheld", kept) : { state: "unknown" };
	}

	/** @returns {{since: number, logins: number}} */
	#silence() {
		try {
			const { since, logins } = JSON.parse(this.#store.getItem(SILENCE) || "{}");
			if (Number.isSafeInteger(since) && since <= Date.now() && Number.isSafeInteger(logins))
				return { since, logins };
		} catch {
			/* as if it had just begun */
		}
		return { since: Date.now(), logins: 0 };
	}

	#endSilence() {
		if (this.#store.getItem(SILENCE))
			this.#remember(SILENCE, {});
	}

	/**
	 * @param {AlarmKind} kind
	 * @param {Kept | null} kept
	 * @returns {Finding}
	 */
	#alarm(kind, kept) {
		return { state: "alarm", kind, kept: kept?.size ?? 0, shown: this.#shown?.size ?? 0 };
	}

	/** @param {{kind: AlarmKind, kept: number, shown: number}} alarm */
	async #tell({ kind, kept, shown }) {
		try {
			await this.#api.auditAlarm(kind, kept, shown);
		} catch {
			/* The person is told in any case. */
		}
	}

	/** @returns {Kept | null} */
	#load() {
		try {
			const kept = JSON.parse(this.#store.getItem(NAME) ?? "null");
			if (typeof kept.key !== "string" || !Number.isSafeInteger(kept.size) || kept.size < 0)
				return null;
			decode64(kept.root, HASH);
			return { key: kept.key, size: kept.size, root: kept.root };
		} catch {
			return null;
		}
	}

	/** @param {Kept} kept */
	#save(kept) {
		this.#remember(NAME, kept);
	}

	/**
	 * @param {string} name
	 * @param {object} value
	 */
	#remember(name, value) {
		try {
			this.#store.setItem(name, JSON.stringify(value));
		} catch {
			/* storage is switched off or full: the next login is a first one */
		}
	}
}
