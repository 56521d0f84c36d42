import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { load } from "./helpers.js";

if (!globalThis.navigator?.languages)
	Object.defineProperty(globalThis, "navigator", { value: { languages: ["en"] }, configurable: true });

const { ApiError, Api } = await load("core/api.js");
const { LONG, Vault } = await load("core/vault.js");
const { corporateCheck, groupedNumber, isNumber, isRight, personalCheck, plainNumber, verdictOf } = await load("vault/numbers.js");
const { hashOf, placeOf } = await load("vault/places.js");
const { sayAtField, sentenceOf, troubleOf } = await load("vault/errors.js");
const { lineOf } = await load("vault/fields.js");
const { dayBefore, nameText } = await load("vault/words.js");
const { families } = await load("vault/record_rows.js");
const { PRESETS, presetOf, sideBody } = await load("vault/grant_words.js");
const { shownFor } = await load("vault/reveal_box.js");
const { commandOf } = await load("vault/shortcuts.js");

test("a Personal Number's check digit is that of the ordinance", () => {
	/* 1×2 + 0×3 + 9×4 + 8×5 + 7×6 + 6×7 + 5×2 + 4×3 + 3×4 + 2×5 + 1×6 = 212, by 11 leaves 3: 8 */
	assert.equal(personalCheck("12345678901"), 8);
	assert.ok(isRight("123456789018"));
	/* A remainder of 0 or 1 gives 0. */
	assert.equal(personalCheck("00000000000"), 0);
	assert.equal(personalCheck("00000010000"), 5);
	assert.equal(personalCheck("00000000006"), 0);
	assert.ok(isRight("000000000060"));
});

test("a Corporate Number's check digit is that of the ordinance", () => {
	/* The National Tax Agency's own example (700110005901), and its own number. */
	assert.equal(corporateCheck("700110005901"), 8);
	assert.ok(isRight("8700110005901"));
	assert.ok(isRight("7000012050002"));
	/* No remainder gives 9. */
	assert.equal(corporateCheck("000000000000"), 9);
});

test("any one digit that is mistyped is found in a Personal Number", () => {
	const right = "123456789018";
	for (let at = 0; at < right.length; at++)
		for (const digit of "0123456789")
			if (digit !== right[at])
				assert.equal(isRight(right.slice(0, at) + digit + right.slice(at + 1)), false, `${at}: ${digit}`);
	for (const wrong of ["", "12345678901", "1234567890180", "x23456789018"])
		assert.equal(isRight(wrong), false, wrong);
});

test("a number is taken as people type it, and told what is wrong with it", () => {
	assert.equal(plainNumber(" １２３４－５６７８ー９０１８ "), "123456789018");
	assert.equal(verdictOf("1234-5678-9018", false), "right");
	assert.equal(verdictOf("", false), "empty");
	assert.equal(verdictOf("  ", true), "empty");
	assert.equal(verdictOf("12345678901", true), "short");
	assert.equal(verdictOf("1234 5678 901O", true), "letters");
	assert.equal(verdictOf("123456789019", true), "check");
	assert.equal(verdictOf("8700110005901", true), "right");
	assert.equal(verdictOf("8700110005901", false), "long");
	assert.equal(verdictOf("12345678901234", true), "long");
	assert.equal(groupedNumber("123456789018"), "1234 5678 9018");
	assert.equal(groupedNumber("8700110005901"), "8 7001 1000 5901");
	assert.ok(isNumber("１２３４ ５６７８ ９０１８") && isNumber("8700110005901"));
	assert.ok(!isNumber("山田") && !isNumber("12345") && !isNumber("12345678901a"));
});

test("the page's address has words and numbers, and nothing else is a place", () => {
	assert.deepEqual(placeOf("#vault"), { name: "clients", id: 0, more: "" });
	assert.deepEqual(placeOf("#vault/record/31"), { name: "record", id: 31, more: "" });
	assert.deepEqual(placeOf("#vault/new/3/payee"), { name: "new", id: 3, more: "payee" });
	assert.deepEqual(placeOf(hashOf("record", 31, "d4")), { name: "record", id: 31, more: "d4" });
	for (const name of ["clients", "record", "client", "inbox", "due"])
		assert.equal(placeOf(hashOf(name, name === "clients" ? 0 : 7)).name, name);
	assert.deepEqual(placeOf(hashOf("new", 0, "client")), { name: "new", id: 0, more: "client" });
	for (const wrong of ["", "#", "#vaults", "#vault/", "#vault/nothing", "#vault/record/x", "#vault/record/1/2", "#vault/clients", "#vault/record/1234567890123456"])
		assert.equal(placeOf(wrong), null, wrong);
});

test("what concerns all pages is told apart from what concerns one request", () => {
	const of = (code, field) => troubleOf(new ApiError(code, 400, { field }));
	assert.equal(of("locked", "vault"), "sealed");
	assert.equal(of("locked"), "locked");
	assert.equal(of("state", "vault"), "empty");
	assert.equal(of("unavailable", "rolled-back"), "rolled-back");
	assert.equal(of("unavailable", "damaged"), "damaged");
	assert.equal(of("unavailable"), "down");
	assert.equal(of("auth"), "auth");
	assert.equal(of("network"), "network");
	for (const [code, field] of [["state", "record"], ["denied", ""], ["login", "code"], ["invalid", "damaged"], ["throttled", ""]])
		assert.equal(of(code, field), "", code);
	assert.equal(troubleOf(new TypeError("x")), "");
});

test("who has too much under way is told what of it, and not of connections", () => {
	const of = (field) => sentenceOf(new ApiError("full", 507, { field }));
	assert.match(of("own"), /you have asked|あなたが頼んだ/);
	assert.match(of("all"), /Others have asked|ほかの人が頼んだ/);
	for (const field of ["", "own", "all"])
		assert.doesNotMatch(of(field), /connection|接続/);
});

test("dependants stand below their employee, whatever the order of the answer", () => {
	const rows = [{ id: 3, parent: 2 }, { id: 1, parent: 0 }, { id: 2, parent: 0 }, { id: 4, parent: 2 }, { id: 5, parent: 99 }];
	assert.deepEqual(families(rows).map(({ row, below }) => [row.id, below]), [[1, false], [2, false], [3, true], [4, true], [5, false]]);
});

test("what was disposed of is named as that, and not as something that lacks its name", () => {
	assert.match(nameText({ id: 7, name: "", state: 5 }), /disposed of|廃棄済み/);
	assert.doesNotMatch(nameText({ id: 7, name: "", state: 1 }), /disposed of|廃棄済み/);
	assert.equal(nameText({ id: 7, name: "山田 太郎", state: 3 }), "山田 太郎");
	/* Nobody has forgotten to enter what was approved: it is damaged. */
	for (const state of [3, 4])
		assert.match(nameText({ id: 7, name: "", state }), /cannot be read|読めません/);
});

test("a period's last day is the one before that on which it is over", () => {
	assert.equal(dayBefore("2022-01-11"), "2022-01-10");
	assert.equal(dayBefore("2028-03-01"), "2028-02-29");
	assert.equal(dayBefore("2027-01-01"), "2026-12-31");
	assert.equal(dayBefore(""), "");
});

test("what is pasted comes without line ends and what nobody sees", () => {
	assert.equal(lineOf({ value: " 山田\u3000太郎\t\r\n" }), "山田\u3000太郎");
	assert.equal(lineOf({ value: "\u200e東京都\u202e千代田区\n1-2-3" }), "東京都千代田区 1-2-3");
	assert.equal(lineOf({ value: "\n\t\u2028" }), "");
});

test("an error about what was entered is said where it was", () => {
	const said = [];
	const field = { wrong: (text) => said.push(text()), input: { focus: () => said.push("focus") } };
	assert.ok(sayAtField(new ApiError("login", 401, { field: "code" }), { code: field }));
	assert.equal(said[1], "focus");
	assert.ok(!sayAtField(new ApiError("login", 401, { field: "code" }), { number: field }));
	assert.ok(!sayAtField(new ApiError("denied", 403), { number: field }));
	assert.ok(!sayAtField(new TypeError("x"), { number: field }));
	assert.equal(said.length, 2);
});

test("a number is never shown for more than a minute", () => {
	assert.equal(shownFor(1060, 1000), 60);
	assert.equal(shownFor(1030, 1000), 30);
	/* The device's clock is wrong. */
	for (const until of [0, 900, 1000, 1002, 5000, NaN])
		assert.equal(shownFor(until, 1000), 60);
});

test("keys belong to fields first, and full-width letters count", () => {
	const key = (pressed, target = { closest: () => null, matches: () => false }, more = {}) =>
		commandOf({ key: pressed, target, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, ...more });
	const input = { closest: () => null, matches: () => true };
	assert.equal(key("r"), "reveal");
	assert.equal(key("Ｒ"), "reveal");
	assert.equal(key("?"), "help");
	assert.equal(key("r", input), null);
	assert.equal(key("Escape", input), "hide");
	assert.equal(key("Escape", { closest: () => ({}), matches: () => false }), null);
	assert.equal(key("r", undefined, { ctrlKey: true }), null);
	assert.equal(key("r", undefined, { isComposing: true }), null);
	assert.equal(key("toString"), null);
});

function fake(status, body) {
	const requests = [];
	const vault = new Vault(new Api("https://gateway.example", async (url, { method, body: sent }) => {
		requests.push([method, url.slice("https://gateway.example".length), JSON.parse(sent)]);
		return new Response(JSON.stringify(body), { status });
	}));
	return { vault, requests };
}

test("what is looked for stands in the body alone, and what is not given is not sent", async () => {
	const { vault, requests } = fake(200, { rows: [], total: 0, next: 0 });
	await vault.page("record list", { text: "", number: "123456789018", kind: 0, client: 3, after: 0 });
	await vault.page("record list", { text: "山田", number: "", kind: 0, client: 3, after: 0 });
	assert.deepEqual(requests, [["POST", "/api/vault/record-find", { number: "123456789018", client: 3 }],
		["POST", "/api/vault/record-list", { text: "山田", client: 3 }]]);
});

test("what may take minutes is what the gateway's table says", () => {
	const table = readFileSync(new URL("../../../gateway/wire/record_ops.def", import.meta.url), "utf8");
	const long = [...table.matchAll(/^RECORD_OP\(\d+, \w+, "([a-z ]+)",.*OP_LONG/gm)].map(([, words]) => words);
	assert.ok(long.length > 0);
	assert.deepEqual([...LONG].sort(), long.sort());
});

test("what is no list is not shown as one, and one that stands still ends", async () => {
	for (const body of [{}, { rows: 1, total: 1 }, { rows: [] }])
		await assert.rejects(fake(200, body).vault.page("record list", {}), (error) => error.code === "protocol");
	await assert.rejects(fake(200, { rows: {} }).vault.rows("purpose list"), (error) => error.code === "protocol");
	assert.equal((await fake(200, { rows: [], total: 9, next: 7 }).vault.page("record list", { after: 7 })).next, 0);
	assert.equal((await fake(200, { rows: [], total: 9, next: null }).vault.page("record list", {})).next, 0);
	assert.equal((await fake(200, { rows: [], total: 9, next: 0, damaged: 3 }).vault.page("due list", {})).damaged, 3);
	assert.equal((await fake(200, { rows: [], total: 9, next: 0 }).vault.page("due list", {})).damaged, 0);
});

test("the five presets are those of the vault, and each right is said in three cells", () => {
	const source = readFileSync(join(process.env.SEKISHO_SOURCE, "gateway", "vault", "grants_decide.c"), "utf8");
	const roles = ["DOCUMENT_NO_ROLE", "DOCUMENT_CO_OWNER", "DOCUMENT_EDITOR", "DOCUMENT_VIEWER_UPLOADER", "DOCUMENT_PREVIEWER_UPLOADER"];
	const levels = ["GRANT_NONE", "GRANT_VIEW", "GRANT_EDIT", "GRANT_EXPORT", "GRANT_PERMISSIONS"];
	const known = [...source.matchAll(/\{ \.level = (\w+)(?:, \.document = (\w+))? \}/g)].map(([, level, role]) =>
		({ level: levels.indexOf(level), document: role ? roles.indexOf(role) : 0 }));
	assert.equal(known.length, 5);
	assert.deepEqual(PRESETS.map(({ level, document }) => ({ level, document })), known);
	known.forEach((rights, at) => assert.equal(presetOf({ ...rights, number: true }), at + 1));
	assert.equal(presetOf({ level: 1, number: false, document: 5 }), 0);
	assert.equal(presetOf({ level: 0, number: false, document: 0 }), 0);
});

test("a right is asked for by whom it is for and what of, and nothing else", () => {
	assert.deepEqual(sideBody({ account: 1, record: 2, name: "x", level: 4, number: true, document: 1, given: 1, given_by: 2 }), { account: 1, record: 2 });
	assert.deepEqual(sideBody({ people: 3, people_name: "x", everything: true }), { people: 3, everything: true });
	assert.deepEqual(sideBody({ account: 1, clients: 3, clients_name: "x" }), { account: 1, clients: 3 });
});
