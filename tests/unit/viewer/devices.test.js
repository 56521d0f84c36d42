import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { Admin } = await load("core/admin.js");
const { Api, ApiError } = await load("core/api.js");
const { fits, nearness, sorted } = await load("portal/inventory_order.js");
const { fingerprintText } = await load("portal/facts.js");
const { qrPath } = await load("portal/qr.js");

const DAY = 86400;

/** An administrator whose gateway gives this answer, and the requests it got. */
function fake(status, body) {
	const requests = [];
	const admin = new Admin(new Api("https://gateway.example", async (url, { method, body: sent }) => {
		requests.push([method, url.slice("https://gateway.example".length), sent && JSON.parse(sent)]);
		return new Response(JSON.stringify(body), { status });
	}));
	return { admin, requests };
}

function code(expected) {
	return (error) => error instanceof ApiError && error.code === expected;
}

test("listings become objects by the names of their columns, in any order", async () => {
	const { admin, requests } = fake(200, { columns: ["name", "id"], rows: [["PC", 3], ["other", 4]] });
	assert.deepEqual(await admin.devices(), [{ name: "PC", id: 3 }, { name: "other", id: 4 }]);
	await admin.invites();
	await admin.accounts();
	assert.deepEqual(requests, [["GET", "/api/admin/device/list", undefined],
		["GET", "/api/admin/device/invites", undefined], ["GET", "/api/admin/user/list", undefined]]);
});

/** An administrator whose gateway has this many devices and gives them in pages. */
function paged(all, size) {
	const requests = [];
	const admin = new Admin(new Api("https://gateway.example", async (url, { method, body }) => {
		const path = url.slice("https://gateway.example".length);
		const after = method === "GET" ? Number(path.split("/")[5] ?? 0) : JSON.parse(body).after ?? 0;
		const ids = Array.from({ length: Math.min(size, all - after) }, (_, at) => after + at + 1);
		const next = after + size < all ? { next: after + size } : {};
		requests.push([method, path, body && JSON.parse(body)]);
		return new Response(JSON.stringify(method === "GET" ? { columns: ["id"], rows: ids.map((id) => [id]), ...next } :
			{ csv: (after ? "" : "head\r\n") + ids.map((id) => `${id}\r\n`).join(""), ...next }));
	}));
	return { admin, requests };
}

test("a listing is all of its pages, and says how far it is", async () => {
	const { admin, requests } = paged(3000, 270);
	const counts = [];
	const devices = await admin.devices((count) => counts.push(count));
	assert.deepEqual(devices.map(({ id }) => id), Array.from({ length: 3000 }, (_, at) => at + 1));
	assert.deepEqual([counts.length, counts[0], counts.at(-1)], [12, 270, 3000]);
	assert.deepEqual(requests.slice(0, 2).map(([, path]) => path), ["/api/admin/device/list", "/api/admin/device/list/270"]);
});

test("a file is all of its pages with one header, in the language asked for", async () => {
	const { admin, requests } = paged(700, 300);
	const lines = (await admin.exportCsv("ja")).join("").split("\r\n");
	assert.equal(lines.length, 702);
	assert.equal(lines.filter((line) => line === "head").length, 1);
	assert.deepEqual(requests.map(([method, , body]) => [method, body]), [["POST", { language: "ja" }],
		["POST", { language: "ja", after: 300 }], ["POST", { language: "ja", after: 600 }]]);
});

test("a gateway that stands still is not asked for ever", async () => {
	for (const next of [0, -1, 1.5, "7", null])
		await assert.rejects(fake(200, { columns: ["id"], rows: [], next }).admin.devices(), code("protocol"));
	await assert.rejects(fake(200, { columns: ["id"], rows: [], next: 7 }).admin.devices(), code("protocol"));
	await assert.rejects(fake(200, { csv: "", next: 7 }).admin.exportCsv("en"), code("protocol"));
});

test("what is no listing is not shown as one", async () => {
	for (const body of [{}, { columns: ["id"] }, { columns: ["id"], rows: [1] }, { columns: "id", rows: [] }])
		await assert.rejects(fake(200, body).admin.devices(), code("protocol"));
	await assert.rejects(fake(200, { csv: 1 }).admin.exportCsv("ja"), code("protocol"));
	await assert.rejects(fake(200, { code: "X" }).admin.invite("sato", "PC", false), code("protocol"));
});

test("orders carry the arguments of the table of commands", async () => {
	const { admin, requests } = fake(200, {});
	await admin.approve(1);
	await admin.refuse(2, "why");
	await admin.withdraw(3);
	await admin.revoke(4, "lost", true);
	await admin.retire(5, "wiped", "");
	await admin.unlock(6);
	await admin.share(7, "sato");
	await admin.unshare(8, "sato");
	assert.deepEqual(requests, [
		["POST", "/api/admin/device/approve", { id: 1 }],
		["POST", "/api/admin/device/refuse", { id: 2, reason: "why" }],
		["POST", "/api/admin/device/withdraw", { id: 3 }],
		["POST", "/api/admin/device/revoke", { id: 4, reason: "lost", lost: true }],
		["POST", "/api/admin/device/retire", { id: 5, disposal: "wiped", remark: "" }],
		["POST", "/api/admin/device/unlock", { id: 6 }],
		["POST", "/api/admin/device/share", { id: 7, user: "sato" }],
		["POST", "/api/admin/device/unshare", { id: 8, user: "sato" }],
	]);
});

test("errors bring the gateway's words in both languages", async () => {
	const { admin } = fake(409, { error: "state", field: "id", message: "it is", message_ja: "です" });
	await assert.rejects(admin.approve(1), (error) => {
		assert.deepEqual([error.code, error.field, error.words], ["state", "id", { en: "it is", ja: "です" }]);
		return true;
	});
	await assert.rejects(fake(403, { error: "denied", message: 1 }).admin.devices(),
		(error) => error.words.en === "" && error.words.ja === "");
});

test("the end of a certificate comes near in steps", () => {
	const now = 1e9;
	const steps = [[15 * DAY, ""], [14 * DAY + 1, ""], [14 * DAY, "soon"], [3 * DAY + 1, "soon"], [3 * DAY, "urgent"],
		[1, "urgent"], [0, "over"], [-DAY, "over"]];
	for (const [left, expected] of steps)
		assert.equal(nearness(now + left, now), expected, `${left} s`);
});

test("a search finds all of its words, in any case and width", () => {
	const texts = ["営業ノートPC 3", "佐藤 花子 (sato)", "EC P-256"];
	for (const search of ["", "  ", "sato", "ＳＡＴＯ", "ﾉｰﾄ", "p-256 花子", "pc　3"])
		assert.ok(fits(texts, search), search);
	for (const search of ["suzuki", "sato rsa"])
		assert.ok(!fits(texts, search), search);
});

test("the inventory is sorted by a column, and equals by name and number", () => {
	const device = (id, name, state, until) => ({ id, name, state, until, key: "EC", place: "tpm", owners: "a" });
	const list = [device(4, "PC 10", "active", 5), device(2, "PC 9", "retired", 7), device(3, "PC 9", "locked", 5)];
	const ids = (order) => sorted(list, order, "ja").map(({ id }) => id);
	assert.deepEqual(ids({ column: "name", down: false }), [2, 3, 4]);
	assert.deepEqual(ids({ column: "name", down: true }), [4, 2, 3]);
	assert.deepEqual(ids({ column: "until", down: false }), [3, 4, 2]);
	assert.deepEqual(ids({ column: "until", down: true }), [2, 3, 4]);
	assert.deepEqual(ids({ column: "state", down: false }), [3, 4, 2]);
	assert.deepEqual(list.map(({ id }) => id), [4, 2, 3], "the list itself is not changed");
});

test("fingerprints are pairs, eight in a line", () => {
	assert.equal(fingerprintText("00112233445566778899aabbccddeeff"), "00 11 22 33 44 55 66 77\n88 99 AA BB CC DD EE FF");
	assert.equal(fingerprintText(""), "");
});

test("a QR code is drawn run by run", () => {
	assert.equal(qrPath(["1101", "0000", "0111"]), "M0 0h2v1h-2zM3 0h1v1h-1zM1 2h3v1h-3z");
});
