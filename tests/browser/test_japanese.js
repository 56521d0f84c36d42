/*
 * Japanese on a PC that takes no composed text: the viewer says so, and the PC's own input method does it.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Office, skip, until } from "./office.js";

/** @type {Office} */
let office;
let page;
let reason = skip;

function typed() {
	const path = join(office.dir, "typed");
	return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** 半角/全角 as Windows' browsers report it: never a release, and a name that tells the state it leaves. */
async function zenkaku() {
	const client = await page.context().newCDPSession(page);
	await client.send("Input.dispatchKeyEvent",
		{ type: "rawKeyDown", code: "Backquote", key: "Zenkaku", windowsVirtualKeyCode: 244 });
	await client.detach();
}

/** What the laptop's own input method commits. */
async function commit(text) {
	const client = await page.context().newCDPSession(page);
	await client.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
	await client.send("Input.insertText", { text });
	await client.detach();
}

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	reason = await office.ask("skip_reason", { kind: "japanese xrdp" });
	if (reason)
		return;
	const sato = await office.ask("user", { name: "sato" });
	const number = await office.ask("pc", { name: "xrdp", kind: "xrdp", user: "sato" });
	page = await office.loggedIn(sato);
	await office.openDesktop(page, number);
	await office.untilSamePicture(page, "xrdp", 60);
	await office.ask("japanese_terminal", { name: "xrdp", command: `cat >${join(office.dir, "typed")}` });
});

after(async () => office?.stop());

test("the PC's own input method: 半角/全角, romaji, Space, Enter", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	await zenkaku();
	await page.keyboard.type("gensen");
	await page.keyboard.press("Space");
	await page.keyboard.press("Enter");
	await zenkaku();
	await page.keyboard.type(" 2026");
	await page.keyboard.press("Enter");
	await until("the line", () => typed().endsWith("\n"));
	assert.match(typed(), /^[一-龠]{2,} 2026\n$/);
});

test("text of the laptop's input method: the viewer says that this PC does not take it", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	assert.equal(await page.isVisible("#notice"), false);
	await page.click("#tool-ime");
	await page.click("#ime-local");
	await commit("2026");
	await commit("源泉徴収票");
	await page.waitForSelector("#notice", { state: "visible" });
	assert.match(await page.textContent("#notice-text"), /受け取れない.*半角\/全角/);
	await page.click("#notice-close");
	await commit("源泉徴収票");
	await page.click("#tool-ime");
	await page.click("#ime-pc");
	await page.keyboard.press("Enter");
	await until("the second line", () => typed().split("\n").length === 3);
	assert.equal(await page.isVisible("#notice"), false, "told once");
	assert.equal(typed().split("\n")[1], "2026");
});
