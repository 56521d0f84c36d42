/*
 * Left alone, a desktop locks, and the lock holds the whole login: no PC opens again without the password.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { happenings, Office, PAGE_MS, skip, until, view } from "./office.js";

/** @type {Office} */
let office;
let sato;
let kansa;
let page;
let number;
let other;

before(async () => {
	if (skip)
		return;
	office = await Office.start({ session_idle_warn_minutes: 1, session_idle_lock_minutes: 1 });
	await office.ask("vault");
	sato = await office.ask("user", { name: "sato" });
	kansa = await office.ask("user", { name: "kansa", role: "auditor" });
	number = await office.ask("pc", { name: "bare", kind: "bare", user: "sato" });
	other = await office.ask("pc", { name: "other", kind: "bare", user: "sato" });
	page = await office.loggedIn(sato);
});

after(async () => office?.stop());

test("after the idle lock any PC asks for the password first", { skip }, async () => {
	await office.openDesktop(page, number);
	await page.waitForSelector('body[data-connection="locked"]', { timeout: 60000 + PAGE_MS });
	assert.ok(await page.isVisible("#unlock-password"));

	/* Neither the way round through the menu, nor another PC. */
	await page.goto(office.url);
	await view(page, "menu");
	await page.click(`[data-host="${other}"] .host-open`);
	await page.waitForSelector("#unlock-password", { state: "visible" });
	assert.notEqual(await page.getAttribute("body", "data-connection"), "online");

	/* What there is to read begins at its beginning, however small the window is. */
	await page.setViewportSize({ width: 1000, height: 300 });
	await page.evaluate(() => document.querySelector("#tool-help").click());
	assert.deepEqual(await page.evaluate(() => {
		const help = document.querySelector("#help");
		return [help.scrollTop, help.scrollHeight > help.clientHeight];
	}), [0, true]);
	await page.click("#help-close");

	await page.fill("#unlock-password", "not the password");
	await page.click("#unlock");
	await page.waitForSelector("#unlock-error", { state: "visible" });
	await page.fill("#unlock-password", sato.password);
	await page.click("#unlock");
	await page.waitForSelector('body[data-connection="online"]');
	await office.untilSamePicture(page, "other");
});

test("an auditor sees in the recording when it was locked, and opened again", { skip }, async () => {
	const { columns, rows } = await office.ask("cli", { arguments: ["session", "list"] });
	for (const row of rows)
		await office.ask("cli", { arguments: ["session", "end", "--id", row[columns.indexOf("id")]] });
	const auditor = await office.loggedIn(kansa, {}, "recordings");
	await until("the recording to be complete", async () => {
		await auditor.click("#recordings-refresh");
		return await auditor.locator('#recordings-rows tr[data-state="ended"]:has(.cell-pc:text-is("bare"))').count() === 1;
	});
	await office.openRecording(auditor, "kansa", "bare");
	await until("the end among the events", async () => (await happenings(auditor)).includes("接続の終了"));
	const events = await happenings(auditor);
	const [locked, unlocked] = [events.indexOf("無操作でロック"), events.indexOf("ロックを解除")];
	assert.ok(locked > 0 && unlocked > locked, events.join(", "));
	assert.ok(await auditor.locator(".mark[data-weight=warn]").count() > 0, "on the time line, too");
});
