import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import test from "node:test";
import { load } from "./helpers.js";

const { CheckpointKeeper, isConsistent } = await load("core/checkpoint.js");

const NAME = "gw.example.jp/sekisho-audit";
const sha = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leafOf = (text) => sha(Buffer.of(0), Buffer.from(text));

/* RFC 6962 §2.1, as it stands there. */
function split(n) {
	let k = 1;
	while (2 * k < n)
		k *= 2;
	return k;
}

function rootOf(leaves) {
	if (leaves.length === 0)
		return sha();
	if (leaves.length === 1)
		return leaves[0];
	const k = split(leaves.length);
	return sha(Buffer.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

function subproof(m, leaves, whole) {
	if (m === leaves.length)
		return whole ? [] : [rootOf(leaves)];
	const k = split(leaves.length);
	return m <= k ? [...subproof(m, leaves.slice(0, k), whole), rootOf(leaves.slice(k))] :
		[...subproof(m - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
}

const proofOf = (m, leaves) => (m === 0 || m === leaves.length ? [] : subproof(m, leaves, true));
const bytes = (buffer) => new Uint8Array(buffer);
const leavesTo = (n, other = -1) => Array.from({ length: n }, (_, i) => leafOf(i === other ? "other" : `entry ${i}`));

/** A key with its verifier key, and what it signs. */
function signer() {
	const { publicKey, privateKey } = generateKeyPairSync("ed25519");
	const raw = Buffer.concat([Buffer.of(1), publicKey.export({ type: "spki", format: "der" }).subarray(-32)]);
	const id = sha(Buffer.from(`${NAME}\n`), raw).subarray(0, 4);
	return {
		key: `${NAME}+${id.toString("hex")}+${raw.toString("base64")}`,
		sign: (text) => `${text}\n— ${NAME} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString("base64")}\n`,
	};
}

/** A gateway with a log, and what it was told. */
class Gateway {
	told = [];
	asked = [];
	leaves = leavesTo(5);
	signer = signer();

	note() {
		return this.signer.sign(`${NAME}\n${this.leaves.length}\n${rootOf(this.leaves).toString("base64")}\n`);
	}

	async auditCheckpoint(old) {
		this.asked.push(old);
		const proof = old <= this.leaves.length ? proofOf(old, this.leaves) : [];
		return { checkpoint: this.note(), consistency: proof.map((hash) => hash.toString("base64")), key: this.signer.key };
	}

	async auditAlarm(kind, kept, shown) {
		this.told.push([kind, kept, shown]);
	}
}

class Store extends Map {
	getItem(name) {
		return this.get(name) ?? null;
	}

	setItem(name, value) {
		this.set(name, value);
	}
}

function browser() {
	const gateway = new Gateway();
	const store = new Store();
	return { gateway, store, keeper: new CheckpointKeeper(gateway, store) };
}

test("every proof of a small tree holds, and no other", async () => {
	for (let size = 1; size <= 20; size++) {
		const leaves = leavesTo(size);
		for (let old = 1; old <= size; old++) {
			const proof = proofOf(old, leaves).map(bytes);
			const [oldRoot, root] = [bytes(rootOf(leaves.slice(0, old))), bytes(rootOf(leaves))];
			assert.equal(await isConsistent(old, size, oldRoot, root, proof), true, `${old} to ${size}`);
			assert.equal(await isConsistent(old, size, oldRoot, root, [...proof, root]), false);
			assert.equal(await isConsistent(size + 1, size, oldRoot, root, proof), false);
			if (old === size)
				continue;
			assert.equal(await isConsistent(old, size, root, oldRoot, proof), false);
			assert.equal(await isConsistent(old, size, oldRoot, root, proof.slice(1)), false);
			for (let i = 0; i < proof.length; i++) {
				const wrong = proof.map((hash) => hash.slice());
				wrong[i][i] ^= 1;
				assert.equal(await isConsistent(old, size, oldRoot, root, wrong), false);
			}
		}
	}
	assert.equal(await isConsistent(0, 5, bytes(sha()), bytes(rootOf(leavesTo(5))), []), true);
});

test("a log that grows is believed, and remembered", async () => {
	const { gateway, keeper } = browser();
	assert.deepEqual(await keeper.check(), { state: "first", size: 5, isSigned: true });
	gateway.leaves = leavesTo(19);
	assert.deepEqual(await keeper.check(), { state: "grown", size: 19, isSigned: true });
	assert.deepEqual(await keeper.check(), { state: "grown", size: 19, isSigned: true });
	assert.deepEqual(gateway.asked, [0, 5, 19]);
	assert.deepEqual(gateway.told, []);
});

test("each other past is an alarm, until a person accepts it", async () => {
	const cases = {
		"rolled-back": (gateway) => (gateway.leaves = leavesTo(4)),
		fork: (gateway) => (gateway.leaves = leavesTo(9, 2)),
		key: (gateway) => (gateway.signer = signer()),
		signature: (gateway) => {
			const { note } = gateway;
			gateway.note = () => note.call(gateway).replace("\n5\n", "\n6\n");
		},
	};
	for (const [kind, change] of Object.entries(cases)) {
		const { gateway, keeper, store } = browser();
		await keeper.check();
		const kept = store.getItem("sekisho.audit");
		change(gateway);
		for (let login = 0; login < 2; login++) {
			const finding = await keeper.check();
			assert.deepEqual([finding.state, finding.kind], ["alarm", kind]);
			assert.equal(store.getItem("sekisho.audit"), kept, kind);
		}
		assert.equal(gateway.told.length, 2);
		assert.equal(gateway.told[0][0], kind);
		if (kind === "signature")
			continue;
		await keeper.accept();
		assert.equal(gateway.told.at(-1)[0], "accepted");
		assert.equal((await keeper.check()).state, "grown", kind);
	}
});

test("a fork of the same size is found without a proof", async () => {
	const { gateway, keeper } = browser();
	await keeper.check();
	gateway.leaves = leavesTo(5, 4);
	assert.equal((await keeper.check()).kind, "fork");
});

test("what is not a checkpoint of this key is an alarm, also the first time", async () => {
	const good = new Gateway().note();
	for (const bad of ["no note", good.replace("—", "-"), good.replace(NAME, "other/log"), good.replace("\n5\n", "\n05\n"),
		good.replace(/[A-Za-z0-9+/]=\n\n/, "=\n\n"), good.slice(0, -10)]) {
		const { gateway, keeper, store } = browser();
		gateway.note = () => bad;
		assert.equal((await keeper.check()).kind, "signature", JSON.stringify(bad));
		assert.equal(store.size, 0);
	}
});

test("a browser without Ed25519 says that it could not check, and checks the rest", async () => {
	const { gateway, keeper } = browser();
	const real = crypto.subtle.importKey;
	crypto.subtle.importKey = async () => {
		throw new DOMException("unknown", "NotSupportedError");
	};
	try {
		assert.deepEqual(await keeper.check(), { state: "first", size: 5, isSigned: null });
		gateway.leaves = leavesTo(9, 2);
		assert.equal((await keeper.check()).kind, "fork");
	} finally {
		crypto.subtle.importKey = real;
	}
});

test("no answer is no alarm", async () => {
	const { gateway, keeper } = browser();
	await keeper.check();
	const { auditCheckpoint } = gateway;
	gateway.auditCheckpoint = async () => ({ checkpoint: "", consistency: [], key: "" });
	assert.deepEqual(await keeper.check(), { state: "unknown" });
	gateway.auditCheckpoint = async () => {
		throw new Error("network");
	};
	assert.deepEqual(await keeper.check(), { state: "unknown" });
	gateway.auditCheckpoint = auditCheckpoint;
	gateway.auditAlarm = async () => {
		throw new Error("network");
	};
	gateway.leaves = leavesTo(4);
	assert.equal((await keeper.check()).kind, "rolled-back");
});

test("a gateway that shows nothing for a day is not believed for ever", async (context) => {
	const { gateway, keeper } = browser();
	const { auditCheckpoint } = gateway;
	context.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
	const empty = async () => ({ checkpoint: "", consistency: [], key: "" });
	const day = 24 * 3600 * 1000;
	/* A browser that has never seen one cannot tell. */
	gateway.auditCheckpoint = empty;
	for (let i = 0; i < 5; i++) {
		assert.deepEqual(await keeper.check(), { state: "unknown" });
		context.mock.timers.tick(day);
	}
	gateway.auditCheckpoint = auditCheckpoint;
	await keeper.check();
	/* A locked CA, all of a morning: many logins, or few over the days. */
	gateway.auditCheckpoint = empty;
	for (let i = 0; i < 9; i++)
		assert.deepEqual(await keeper.check(), { state: "unknown" });
	gateway.auditCheckpoint = auditCheckpoint;
	assert.equal((await keeper.check()).state, "grown");
	gateway.auditCheckpoint = empty;
	await keeper.check();
	context.mock.timers.tick(day);
	assert.deepEqual(await keeper.check(), { state: "unknown" });
	gateway.auditCheckpoint = async () => {
		throw new Error("500");
	};
	assert.deepEqual(await keeper.check(), { state: "alarm", kind: "withheld", kept: 5, shown: 0 });
	assert.deepEqual(gateway.told, [["withheld", 5, 0]]);
	await keeper.accept();
	assert.deepEqual(gateway.told.at(-1), ["accepted", 5, 0]);
	assert.deepEqual(await keeper.check(), { state: "unknown" });
	/* What it knew is not forgotten by that. */
	gateway.auditCheckpoint = auditCheckpoint;
	gateway.leaves = leavesTo(4);
	assert.equal((await keeper.check()).kind, "rolled-back");
});

test("a store that is full, or holds rubbish, is a first login", async () => {
	const { gateway } = browser();
	const rubbish = new Store([["sekisho.audit", "{\"key\":1,\"size\":-1}"]]);
	assert.equal((await new CheckpointKeeper(gateway, rubbish).check()).state, "first");
	const full = {
		getItem: () => null,
		setItem: () => {
			throw new Error("full");
		},
	};
	assert.equal((await new CheckpointKeeper(gateway, full).check()).state, "first");
});
