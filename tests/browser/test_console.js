/*
 * The audit console with a real gateway: filters by keyboard, a saved one, what is in a CSV file, the monthly report as Chromium
 * prints it, and who is connected now.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Office, skip, until, view } from "./office.js";

/* Texts that came from people: none of them may become more than text. */
const HOSTILE = "<img src=x onerror=document.title='owned'>\"=1+1";
const MONTH = new Intl.DateTimeFormat("sv", { timeZone: "Asia/Tokyo", year: "numeric", month: "2-digit" }).format(Date.now());
const [YEAR, NUMBER] = MONTH.split("-").map(Number);
/* The first Monday. */
const MONDAY = 1 + (8 - new Date(Date.UTC(YEAR, NUMBER - 1, 1)).getUTCDay()) % 7;
/** Seconds since 1970 of a day and hour of this month in Japan. */
const at = (day, hour) => Date.UTC(YEAR, NUMBER - 1, day, hour - 9) / 1000;

/** @type {Office} */
let office;
let sato;
let kansa;
let page;

async function session(id, account, pc, started, minutes, client) {
	await office.ask("database", { statement: "INSERT INTO session (id, account, device, host, host_name, view_only, state, reason," +
		" started, until, ended, client) VALUES (CAST(printf('%016d', ?) AS BLOB), (SELECT id FROM account WHERE name = ?)," +
		" (SELECT min(id) FROM device WHERE owner = (SELECT id FROM account WHERE name = ?)), 1, ?, 0, 6, 1, ?, 0, ?, ?)",
	values: [id, account, account, pc, started, started + minutes * 60, client] });
}

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	sato = await office.ask("user", { name: "sato" });
	await office.ask("user", { name: "suzuki", device: "タブレット" });
	kansa = await office.ask("user", { name: "kansa", role: "auditor", device: "監査用PC" });
	for (let n = 1; n <= 120; n++)
		await session(n, n % 3 ? "sato" : "suzuki", n % 2 ? "経理PC" : "受付PC", at(MONDAY, 9) + n * 60, n,
			n % 5 ? `山田商店　${n}月分の記帳` : "");
	await session(121, "sato", "経理PC", at(MONDAY, 23), 30, HOSTILE);
	page = await office.loggedIn(kansa, { acceptDownloads: true }, "recordings");
	await page.click("#nav-audit");
	await view(page, "audit");
	await rows(100);
});

after(async () => office?.stop());

async function rows(count) {
	await until(`${count} rows`, async () => await page.locator("#audit-rows tr").count() === count &&
		await page.getAttribute("#audit-main", "aria-busy") === "false");
}

function texts(selector) {
	return page.$$eval(selector, (all) => all.map((one) => one.textContent));
}

/** The file that a press on the button saves. */
async function csv() {
	const [download] = await Promise.all([page.waitForEvent("download"), page.click("#audit-csv")]);
	return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

async function picture(name) {
	const folder = process.env.SEKISHO_PICTURES;
	if (!folder)
		return;
	mkdirSync(folder, { recursive: true });
	await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** The report's pages as Chromium prints them, as text. */
async function printed(name) {
	const folder = process.env.SEKISHO_PICTURES ?? office.dir;
	const path = join(folder, `${name}.pdf`);
	await page.pdf({ path, preferCSSPageSize: true });
	const text = execFileSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8" });
	const info = execFileSync("pdfinfo", [path], { encoding: "utf8" });
	return { text, pages: text.split("\f").slice(0, -1), info };
}

test("connections are narrowed down by keyboard, and the filter is kept", { skip }, async () => {
	assert.match(await page.textContent("#audit-count"), /100 件を表示中/);
	assert.equal(await page.textContent("#audit-rows .stamp"), `${MONTH}-0${MONDAY} 23:00`, "in the office's time");
	await page.click("#audit-more");
	await rows(121);
	await picture("sessions");
	await page.focus("#audit-person");
	await page.keyboard.type("suzuki");
	await rows(40);
	await page.keyboard.press("Tab");
	await page.keyboard.press("ArrowDown");
	await rows(20);
	await page.focus("#audit-shortest");
	await page.keyboard.type("30");
	await page.keyboard.press("Enter");
	await rows(16);
	assert.deepEqual((await texts("#audit-rows td:nth-child(6) .stamp")).slice(-6), ["1:00", "0:54", "0:48", "0:42", "0:36", "0:30"]);
	await page.focus("#audit-name");
	await page.keyboard.type("鈴木さんの長い接続");
	await page.keyboard.press("Enter");
	await until("it to be saved", async () => (await texts("#audit-saved option")).includes("鈴木さんの長い接続"));
	await page.click("#audit-reset");
	await rows(100);
	await page.reload();
	await view(page, "audit");
	await rows(100);
	await page.selectOption("#audit-saved", { label: "鈴木さんの長い接続" });
	await rows(16);
	assert.equal(await page.inputValue("#audit-shortest"), "30");
	await page.click("#audit-forget");
	await until("it to be gone", async () => (await texts("#audit-saved option")).length === 1);
	await page.click("#audit-reset");
	await rows(100);
	await page.selectOption("#audit-device", { label: "タブレット (suzuki)" });
	await rows(40);
	assert.deepEqual([...new Set(await texts("#audit-rows td:nth-child(5)"))], ["タブレット"]);
	/* Days are the office's, where it is Monday's morning long before that is here. */
	const day = (number) => new Date(Date.UTC(YEAR, NUMBER - 1, number)).toISOString().slice(0, 10);
	await page.fill("#audit-from", day(MONDAY));
	await page.fill("#audit-to", day(MONDAY));
	await rows(40);
	await page.fill("#audit-from", day(MONDAY + 1));
	await rows(0);
	await page.fill("#audit-from", "");
	await rows(40);
	await page.fill("#audit-to", day(MONDAY - 1));
	await rows(0);
	await page.click("#audit-reset");
	await rows(100);
	await page.fill("#audit-client", "onerror");
	await page.keyboard.press("Enter");
	await rows(1);
	assert.equal(await page.textContent("#audit-rows td:nth-child(4)"), HOSTILE);
	assert.equal(await page.locator("#audit-rows img").count(), 0);
	await page.click("#audit-reset");
	await rows(100);
});

test("it fits a narrow screen, in the dark and in English too", { skip }, async () => {
	await page.setViewportSize({ width: 390, height: 800 });
	await page.emulateMedia({ colorScheme: "dark" });
	await page.selectOption("#view-menu select[data-language]", "en");
	await until("English", async () => /shown, there are more/.test(await page.textContent("#audit-count")));
	const wide = await page.evaluate(() => [...document.querySelectorAll("#view-menu *")].filter((one) =>
		one.getBoundingClientRect().right > 391 && !one.closest(".tabs")).map((one) => one.id || one.className || one.tagName));
	await picture("narrow");
	assert.deepEqual(wide, []);
	/* The list comes first; what it is narrowed down by is a press away. */
	assert.equal(await page.isVisible("#audit-person"), false);
	assert.ok((await page.locator("#audit-rows tr >> nth=0").boundingBox()).y < 800);
	assert.equal(await page.textContent("#audit-fold"), "Filters");
	await page.click("#audit-fold");
	assert.equal(await page.getAttribute("#audit-fold", "aria-expanded"), "true");
	await page.selectOption("#audit-person", "suzuki");
	await rows(40);
	assert.equal(await page.textContent("#audit-fold"), "Filters (1)");
	await picture("narrow-filters");
	await page.click("#audit-reset");
	await rows(100);
	await page.click("#audit-fold");
	assert.equal(await page.isVisible("#audit-person"), false);
	await page.setViewportSize({ width: 1280, height: 840 });
	await picture("wide-dark");
	await page.emulateMedia({ colorScheme: "light" });
	await page.click("#audit-rows .audit-detail >> nth=0");
	await page.waitForSelector("#audit-dialog[open]");
	await picture("history");
	await page.keyboard.press("Escape");
	await page.selectOption("#view-menu select[data-language]", "ja");
	await until("Japanese", async () => /件を表示中/.test(await page.textContent("#audit-count")));
});

test("a list is saved as a spreadsheet takes it", { skip }, async () => {
	const { name, text } = await csv();
	assert.match(name, /^sekisho-sessions-\d{4}-\d\d-\d\d\.csv$/);
	assert.ok(text.startsWith("\ufeff開始,終了,長さ（分）,利用者,"));
	const lines = text.split("\r\n");
	assert.equal(lines.length, 1 + 121 + 1);
	assert.equal(lines.at(-1), "");
	assert.ok(!text.replaceAll("\r\n", "").includes("\n"));
	assert.ok(lines[1].startsWith(`${MONTH}-0${MONDAY} 23:00,${MONTH}-0${MONDAY} 23:30,30,sato,`), lines[1]);
	assert.ok(lines[1].includes('"<img src=x onerror=document.title=\'owned\'>""=1+1"'), lines[1]);
	await page.click("#audit-tab-watching");
	await until("the file in the list of who took what", async () => (await texts("#audit-rows td:nth-child(2)"))
		.includes("監査の保存・印刷"));
	await picture("watching");
});

test("logins have their own list, and tabs follow the arrow keys", { skip }, async () => {
	await page.focus("#audit-tab-watching");
	await page.keyboard.press("Home");
	await page.keyboard.press("ArrowRight");
	await until("logins", async () => (await texts('#audit-rows tr[data-event="login"]')).length === 1);
	assert.match(await page.textContent('#audit-rows tr[data-event="login"]'), /kansa.*監査用PC.*初めての端末/);
	assert.equal(await page.isVisible("#audit-client"), false);
	await picture("logins");
	await page.click("#audit-tab-acts");
	await until("acts", async () => (await texts('#audit-rows tr[data-event="account-add"]')).length === 3);
	await picture("acts");
});

for (const [language, words] of Object.entries({
	ja: { title: "リモート接続 監査報告書", outside: "業務時間外の接続", total: /接続\s+合計時間/, proof: "監査ログとの照合", seal: "所長", form: "印刷" },
	en: { title: "Supervision report on remote access", outside: "Outside office hours", total: /Connections\s+Hours/,
		proof: "Proof by the audit log", seal: "Head of office", form: "on paper" } })) {
	test(`the month's report on paper, in ${language}`, { skip }, async () => {
		await page.click("#audit-tab-report");
		await page.selectOption("#report-month", MONTH);
		await page.selectOption("#report-language", language);
		await picture("report-form");
		await page.click("#report-make");
		await view(page, "report");
		await page.waitForSelector("#report .report-proof");
		await picture(`report-${language}`);
		assert.equal(await page.getAttribute("#report", "lang"), language);
		const { text, pages, info } = await printed(`report-${language}`);
		assert.match(info, /Page size:\s+59\d\S* x 84\d/);
		assert.ok(pages.length >= 3, `${pages.length} pages`);
		for (const word of [words.title, words.outside, words.proof, words.seal, words.form, "121", "onerror", `${MONTH}-01 00:00`])
			assert.ok(text.includes(word), word);
		assert.match(text, words.total);
		/* The table's heading and the number are on each page that goes on with it. */
		pages.forEach((one, index) => assert.match(one, new RegExp(`(^|\\s)${index + 1} ?/ ?${pages.length}\\s*$`)));
		assert.match(text, /localhost\/sekisho-audit/);
		assert.equal(await page.locator("#report img").count(), 0);
		await page.click("#report-done");
		await view(page, "audit");
	});
}

test("the report of one person has only that person", { skip }, async () => {
	await page.click("#audit-tab-report");
	await page.selectOption("#report-one", "suzuki");
	await page.click("#report-make");
	await page.waitForSelector("#report .report-proof");
	const groups = await texts("#report h3");
	assert.equal(groups.length, 1);
	assert.match(groups[0], /suzuki.*40/);
	await page.click("#report-done");
	await view(page, "audit");
});

for (const [language, words] of Object.entries({ ja: { scope: "PC：受付PC", count: /受付PC\s+60 件/ }, en: { scope: "PC: 受付PC", count: /受付PC.*\b60\b/ } })) {
	test(`the report of one PC, in ${language}, says who was connected to it`, { skip }, async () => {
		await page.click("#audit-tab-report");
		await page.selectOption("#report-by", "pc");
		await page.selectOption("#report-one", "受付PC");
		await page.selectOption("#report-language", language);
		await page.click("#report-make");
		await page.waitForSelector("#report .report-proof");
		const groups = await texts("#report h3");
		assert.equal(groups.length, 1);
		assert.match(groups[0], words.count);
		assert.equal(await page.locator("#report .report-sessions tbody tr").count(), 60);
		const people = new Set(await texts("#report .report-sessions tbody td:nth-child(4)"));
		assert.deepEqual([...people].map((one) => /sato|suzuki/.exec(one)?.[0]).sort(), ["sato", "suzuki"]);
		const { text, pages } = await printed(`report-pc-${language}`);
		assert.ok(text.includes(words.scope), words.scope);
		assert.ok(!text.includes("経理PC"), "nothing of another one");
		assert.ok(pages.length >= 2, `${pages.length} pages`);
		await page.click("#report-done");
		await view(page, "audit");
	});
}

test("who is connected now stands above the list, and is in it afterwards", { skip }, async () => {
	const number = await office.ask("pc", { name: "今のPC", kind: "bare", user: "sato" });
	await page.click("#audit-tab-sessions");
	await rows(100);
	assert.equal(await page.isVisible("#audit-live"), false);
	const person = await office.loggedIn(sato);
	await office.openDesktop(person, number);
	/* By itself, as the page asks again and again. */
	await page.waitForSelector('#audit-live-rows tr[data-live="true"]');
	assert.equal(await page.locator("#audit-live-rows tr").count(), 1);
	assert.match(await page.textContent("#audit-live-rows tr"), /sato.*今のPC.*接続中/);
	assert.ok((await page.locator("#audit-live").boundingBox()).y < (await page.locator("#audit-list").boundingBox()).y);
	assert.match(await page.textContent("#audit-live-title"), /1/);
	const id = await page.getAttribute("#audit-live-rows tr", "data-session");
	assert.equal(await page.locator(`#audit-rows [data-session="${id}"]`).count(), 0);
	await picture("live");
	/* Somebody looks on, who before that may not. */
	const watch = (code) => page.evaluate(async ([session, given]) => (await fetch(`/api/live/${session}/watch`, { method: "POST",
		headers: { "Content-Type": "application/json" }, body: JSON.stringify({ purpose: "確認のため", code: given }) })).status, [id, code]);
	assert.equal(await watch("000000"), 403);
	await office.ask("cli", { arguments: ["user", "set", "--name", "kansa", "--watch", "view"] });
	assert.equal(await watch(await office.ask("fresh_code", { name: "kansa" })), 200);
	await person.click("canvas#desktop");
	await person.keyboard.press("Control+v");
	await person.click("#tool-logout");
	await person.click("#confirm-logout");
	await view(person, "menu");
	await page.waitForSelector(`#audit-rows [data-session="${id}"]`);
	assert.equal(await page.isVisible("#audit-live"), false);
	await person.context().close();
	/* Its row says who looked on, and it is found by what happened in it. */
	assert.match(await page.textContent(`#audit-rows [data-session="${id}"]`), /閲覧：.*kansa/);
	for (const [event, count] of [["clipboard-blocked", 1], ["channel-refused", 0], ["session-watch", 1], ["session-locked", 0]]) {
		await page.selectOption("#audit-event", event);
		await rows(count);
		assert.deepEqual(await page.$$eval("#audit-rows tr", (all) => all.map((one) => one.dataset.session)), count ? [id] : []);
	}
	await page.click("#audit-reset");
	await rows(100);
	await page.click("#audit-tab-report");
	await page.selectOption("#report-one", "");
	await page.selectOption("#report-language", "en");
	await page.click("#report-make");
	await page.waitForSelector("#report .report-proof");
	const refused = page.locator("#report section", { has: page.locator("h2", { hasText: "Refused logins and requests" }) });
	assert.match(await refused.textContent(), /Watching refused.*kansa.*not allowed/s);
	await page.click("#report-done");
	await view(page, "audit");
});

test("before the last auditor's own certificate ends, administrators and auditors are told so", { skip }, async () => {
	const shown = async (days) => {
		await office.ask("database", { statement: "UPDATE auditor SET not_after = unixepoch() + ? WHERE kind = 1", values: [days * 86400] });
		await page.reload();
		await view(page, "audit");
		return page.isVisible("#auditors-end");
	};
	assert.equal(await shown(31), false);
	assert.equal(await shown(29), true);
	const day = new Intl.DateTimeFormat("ja", { timeZone: "Asia/Tokyo", dateStyle: "long" }).format(Date.now() + 29 * 86400000);
	assert.ok((await page.textContent("#auditors-end-text")).includes(day), "the day in the office");
	await picture("auditors-end");
	/* Nobody else can do something about it. */
	const person = await office.loggedIn(await office.ask("user", { name: "ito" }));
	assert.equal(await person.isVisible("#auditors-end"), false);
	await person.context().close();
	assert.equal(await shown(-1), true);
	assert.deepEqual(page.problems.filter((one) => !/401|403/.test(one)), []);
	assert.notEqual(await page.title(), "owned");
});
