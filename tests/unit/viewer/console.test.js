import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

if (!globalThis.navigator?.languages)
	Object.defineProperty(globalThis, "navigator", { value: { languages: ["ja"] }, configurable: true });

const { allPages, Audit } = await load("core/audit.js");
const { Api, ApiError } = await load("core/api.js");
const { csvField, CsvFile } = await load("portal/csv.js");
const { blockedIn, checkpointOf, findings, grouped, isOutside, wasOutside } = await load("portal/report.js");
const { nameOf } = await load("portal/audit_names.js");
const { detailText } = await load("portal/audit_words.js");
const { dayIn, isSameDay, isZone, lastMonths, monthIn, officeZone, setOfficeZone, stampIn } = await load("portal/zone.js");

const TOKYO = "Asia/Tokyo";
const HOURS = { from_hour: 7, to_hour: 22, weekends: false };
/** Of November 2026 in Japan; the 2nd is a Monday. */
const at = (day, hour, minute = 0) => Date.UTC(2026, 10, day, hour - 9, minute);

test("what a spreadsheet would calculate stays a text", () => {
	for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", "|calc", "\r=1"])
		assert.match(csvField(text), /^"?'/, JSON.stringify(text));
	assert.equal(csvField("山田商店"), "山田商店");
	assert.equal(csvField(-5), "-5");
	assert.equal(csvField('a"b'), '"a""b"');
	assert.equal(csvField("a,b"), '"a,b"');
	assert.equal(csvField("a\nb"), '"a\nb"');
	assert.equal(csvField("a\0b"), "ab");
	assert.equal(csvField("=HYPERLINK(\"x\",\"y\")"), '"\'=HYPERLINK(""x"",""y"")"');
});

test("a file begins with the mark that Excel wants, and its lines end as RFC 4180 says", async () => {
	const file = new CsvFile(["名前", "分"]);
	file.add([["佐藤", 1], ["鈴木", 2]]);
	file.add([]);
	assert.equal(file.rows, 2);
	const bytes = new Uint8Array(await file.blob().arrayBuffer());
	assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
	assert.equal(new TextDecoder().decode(bytes), "名前,分\r\n佐藤,1\r\n鈴木,2\r\n");
});

test("days and months are the office's, wherever the browser is", () => {
	assert.deepEqual(monthIn("2026-11", TOKYO), { from: at(1, 0), to: Date.UTC(2026, 10, 30, 15) });
	assert.deepEqual(monthIn("2026-12", TOKYO), { from: Date.UTC(2026, 10, 30, 15), to: Date.UTC(2026, 11, 31, 15) });
	/* Clocks are changed within this month. */
	assert.deepEqual(monthIn("2026-03", "America/New_York"), { from: Date.UTC(2026, 2, 1, 5), to: Date.UTC(2026, 3, 1, 4) });
	assert.equal(dayIn("2026-11-22", TOKYO), at(22, 0));
	assert.equal(dayIn("2026-11-30", TOKYO, 1), Date.UTC(2026, 10, 30, 15));
	assert.equal(dayIn("", TOKYO), 0);
	assert.equal(stampIn(at(22, 0, 5), TOKYO), "2026-11-22 00:05");
	assert.deepEqual(lastMonths(at(1, 0), 3, TOKYO), ["2026-11", "2026-10", "2026-09"]);
	assert.equal(isZone("Mars/Olympus"), false);
	assert.equal(isZone(TOKYO), true);
});

function session(day, hour, minutes, more = {}) {
	return { person: "sato", pc: "経理PC", started: at(day, hour), ended: at(day, hour, minutes), events: {}, ...more };
}

test("times are shown in the office's zone, and in the browser's where there is none", () => {
	const own = officeZone();
	setOfficeZone("Pacific/Auckland");
	assert.equal(officeZone(), "Pacific/Auckland");
	setOfficeZone("Not/AZone");
	assert.equal(officeZone(), own);
	assert.equal(isSameDay(at(2, 0), at(2, 23, 59), TOKYO), true);
	assert.equal(isSameDay(at(1, 23, 59), at(2, 0), TOKYO), false);
	assert.equal(isSameDay(at(2, 0), at(2, 23, 59), "America/New_York"), false);
	assert.equal(isSameDay(Date.UTC(2025, 10, 2), Date.UTC(2026, 10, 2), TOKYO), false);
});

test("outside office hours is what the rule on the paper says", () => {
	assert.equal(isOutside(at(2, 6, 59), HOURS, TOKYO), true);
	assert.equal(isOutside(at(2, 7), HOURS, TOKYO), false);
	assert.equal(isOutside(at(2, 22), HOURS, TOKYO), true);
	assert.equal(isOutside(at(1, 12), HOURS, TOKYO), true);
	assert.equal(isOutside(at(1, 12), { ...HOURS, weekends: true }, TOKYO), false);
	assert.equal(wasOutside(session(2, 21, 60), HOURS, TOKYO, 0), false);
	assert.equal(wasOutside(session(2, 21, 61), HOURS, TOKYO, 0), true);
	assert.equal(wasOutside(session(2, 12, 24 * 60), HOURS, TOKYO, 0), true);
	assert.equal(wasOutside({ ...session(2, 12, 0), ended: null }, HOURS, TOKYO, at(2, 13)), false);
});

function login(event, day, hour, more = {}) {
	return { event, person: "sato", time: at(day, hour), seq: day * 100 + hour, address: "192.0.2.1", device: "laptop",
		first_device: false, first_address: false, ...more };
}

test("failures count only one after the other, and blocked attempts and first uses are found", () => {
	const failed = (hour) => login("login-failed", 2, hour);
	const rules = (entries) => findings([], entries, HOURS, TOKYO, 0).map(({ rule, count }) => [rule, count]);
	assert.deepEqual(rules([failed(9), failed(8), failed(10)]), [["row", 3]]);
	assert.deepEqual(rules([failed(8), failed(9), login("login", 2, 10), failed(11)]), []);
	assert.deepEqual(rules([failed(8), login("login-failed", 2, 9, { person: "suzuki" }), failed(10)]), []);
	assert.deepEqual(rules([login("login", 2, 8, { first_device: true, first_address: true })]), [["device", 1], ["address", 1]]);
	const blocked = session(3, 10, 5, { events: { "clipboard-blocked": 2, "channel-refused": 1, "session-locked": 4 } });
	assert.equal(blockedIn(blocked), 3);
	assert.deepEqual(findings([blocked], [], HOURS, TOKYO, 0).map(({ rule, count }) => [rule, count]), [["blocked", 3]]);
});

test("what the log says in codes is in words, in the paper's language and not the page's", () => {
	const entry = (detail) => ({ detail });
	assert.equal(detailText(entry({ reason: "logout" }), "en"), "reason: The connection has ended");
	for (const which of ["ja", "en"])
		for (const detail of [{ reason: "logout" }, { error: "denied" }, { state: "cut" }, { kind: "fork" }, { verdict: "amber" },
			{ list: "acts" }, { form: "print" }])
			assert.doesNotMatch(detailText(entry(detail), which), new RegExp(Object.values(detail)[0] + "$"), which);
	assert.equal(detailText(entry({ purpose: 3, client: 1, record: 7 }), "en"), "number of the purpose: 3, client's record: 1, record: 7");
	assert.equal(detailText(entry({ purpose: 3, purpose_name: "Withholding", version: 1 }), "en"), "purpose of use: Withholding, version: 1");
	assert.equal(detailText({ ...entry({ client: 1, kind: 3 }), event: "request-add" }, "en"), "client's record: 1, kind: disposal");
	/* Where the vault is damaged: the notice of it says that it stands there. */
	assert.equal(detailText(entry({ table: "record_number", row: 9, version: 1 }), "en"), "table of the vault: record_number, row: 9, version: 1");
	assert.equal(detailText(entry({ purpose: "a question", client: "Yamada" }), "en"), "purpose: a question, client: Yamada");
	assert.match(detailText(entry({ step: "code" }), "ja"), /[^\x00-\x7f]$/);
	assert.equal(detailText(entry({ reason: "idle.help", name: "logout", error: "of-tomorrow" }), "en"),
		"reason: idle.help, error: of-tomorrow, name: logout", "somebody's words, and what this page does not know, stay as they are");
});

test("a report is grouped by who or by what, the oldest first", () => {
	const all = [session(3, 9, 1), session(2, 9, 1), session(2, 10, 1, { person: "abe", pc: "受付PC" })];
	assert.deepEqual(grouped(all, "person").map(([name, own]) => [name, own.length]), [["abe", 1], ["sato", 2]]);
	assert.equal(grouped(all, "person")[1][1][0].started, at(2, 9));
	assert.deepEqual(grouped(all, "pc").map(([name]) => name), ["受付PC", "経理PC"]);
	assert.deepEqual(checkpointOf("gw/sekisho-audit\n17\nAAAA=\n\n— gw sig\n"), { size: 17, root: "AAAA=" });
	assert.equal(checkpointOf(""), null);
});

test("a whole list is asked for page by page, patiently", async () => {
	const answers = [{ rows: [1], next: { time: 5, number: 2 } }, new ApiError("throttled", 429, { retry_s: 3 }),
		{ rows: [], next: { time: 4, number: 1 } }, { rows: [2], next: null }];
	const places = [];
	const waited = [];
	const rows = [];
	for await (const page of allPages(async (place) => {
		places.push(place);
		const answer = answers.shift();
		if (answer instanceof Error)
			throw answer;
		return answer;
	}, async (ms) => void waited.push(ms)))
		rows.push(...page);
	assert.deepEqual(rows, [1, 2]);
	assert.deepEqual(waited, [3000]);
	assert.deepEqual(places, [null, { time: 5, number: 2 }, { time: 5, number: 2 }, { time: 4, number: 1 }]);
	await assert.rejects(allPages(async () => {
		throw new ApiError("denied", 403);
	}).next(), { code: "denied" });
});

test("only what was chosen is asked for, and never in an address", async () => {
	const requests = [];
	const audit = new Audit(new Api("https://gateway.example", async (url, { method, body }) => {
		requests.push([method, url.slice("https://gateway.example".length), body && JSON.parse(body)]);
		return new Response(JSON.stringify({ rows: [], next: null }));
	}));
	const filter = { person: "sato", pc: "", device: 0, client: "山田", event: "", from: 0, to: 7, shortest: 0, longest: 0 };
	await audit.sessions(filter, { time: 3, number: 1 });
	await audit.entries("logins", filter, null);
	assert.deepEqual(requests, [["POST", "/api/audit/sessions", { person: "sato", client: "山田", to: 7, time: 3, number: 1 }],
		["POST", "/api/audit/entries", { list: "logins", person: "sato", to: 7 }]]);
});

test("a worker's word does not pass for an entry of the gateway's", () => {
	assert.equal(nameOf({ event: "worker-event", detail: { event: "channel-refused" } }), "channel-refused");
	assert.equal(nameOf({ event: "worker-event", detail: { event: "session-watch" } }), "worker-event");
	assert.equal(nameOf({ event: "worker-event", detail: { cut: true } }), "worker-event");
	assert.equal(nameOf({ event: "session-watch", detail: {} }), "session-watch");
});
