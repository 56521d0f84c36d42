/*
 * Composing with the laptop's own input method: where the text appears before it is committed, and that it arrives
 * once, whatever ends the composition.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Office, skip, until } from "./office.js";

/** @type {Office} */
let office;
let page;
let client;

function typed() {
	const path = join(office.dir, "typed");
	return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The line that has arrived so far, ended with Enter. */
async function line() {
	const before = typed().split("\n").length;
	await page.keyboard.press("Enter");
	await until("the line", () => typed().split("\n").length > before);
	return typed().split("\n").at(-2);
}

function compose(text) {
	return client.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
}

function boxOf(selector) {
	return page.evaluate((what) => {
		const { left, top, right, bottom } = document.querySelector(what).getBoundingClientRect();
		return { left, top, right, bottom };
	}, selector);
}

/** Where the letters on the PC's first lines end: right of the last black pixel of the terminal's rows, in pixels. */
async function inkEnd(top, bottom) {
	const { width, file } = await office.ask("picture", { name: "bare" });
	const rgb = readFileSync(file);
	let end = 0;
	for (let y = top; y < bottom; y++)
		for (let x = 5; x < 600; x++)
			if (rgb[(y * width + x) * 3] < 100)
				end = Math.max(end, x);
	return end;
}

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	const sato = await office.ask("user", { name: "sato" });
	const number = await office.ask("pc", { name: "bare", kind: "bare", user: "sato" });
	page = await office.loggedIn(sato);
	await office.openDesktop(page, number);
	await office.ask("terminal", { name: "bare", command:
		`while IFS= read -r line; do echo "$line" >> ${join(office.dir, "typed")}; done` });
	client = await page.context().newCDPSession(page);
	await office.untilSamePicture(page, "bare");
});

after(async () => office?.stop());

test("the switch says whose input method writes, is worked by keys, and the choice is kept for the PC", { skip }, async () => {
	assert.equal(await page.textContent("#tool-ime-text"), "PC側の日本語入力");
	await page.keyboard.press("Control+Alt+Home");
	await page.keyboard.press("ArrowRight");
	assert.equal(await page.evaluate(() => document.activeElement.id), "tool-ime");
	await page.keyboard.press("Enter");
	assert.equal(await page.getAttribute("#tool-ime", "aria-expanded"), "true");
	assert.equal(await page.getAttribute("#ime-pc", "aria-checked"), "true");
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	assert.equal(await page.textContent("#tool-ime-text"), "この端末の日本語入力");
	assert.equal(await page.evaluate(() => document.activeElement.id), "ime-input");
	await page.reload();
	await page.waitForSelector('body[data-connection="online"]');
	assert.equal(await page.textContent("#tool-ime-text"), "この端末の日本語入力");
	await page.click("canvas#desktop", { position: { x: 200, y: 200 } });
});

test("what is composed appears below the line that is written in, and follows it", { skip }, async () => {
	await page.keyboard.type("abcdefgh", { delay: 60 });
	await office.untilSamePicture(page, "bare");
	const { left, top } = await boxOf("#desktop");
	for (const more of ["", "ijklmnop"]) {
		if (more)
			await page.keyboard.type(more, { delay: 60 });
		const end = await until("the letters and a place beside them", async () => {
			await compose("");
			const ink = await inkEnd(2, 25);
			const { left: at } = await boxOf("#ime-input");
			return Math.abs(at - left - ink) <= 24 && ink;
		});
		await compose("ねんまつ");
		const box = await boxOf("#ime-input");
		assert.ok(Math.abs(box.left - left - end) <= 24, `${box.left} beside ${end}`);
		assert.ok(box.top >= top + 20 && box.top <= top + 40, `${box.top}: below the line, not on it`);
		assert.ok(box.right - box.left > 4 * 16, "all of it can be read");
		assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("#ime-input")).opacity), "1");
		await compose("");
	}
	assert.equal(await line(), "abcdefghijklmnop", "what was given up did not arrive");
});

test("near the lower edge it appears above the line, and near the right edge inside the window", { skip }, async () => {
	const { right, bottom } = await boxOf("#stage");
	await page.mouse.click(right - 12, bottom - 12);
	await compose("げんせんちょうしゅうひょう");
	const box = await boxOf("#ime-input");
	assert.ok(box.right <= right && box.bottom <= bottom - 20, JSON.stringify(box));
	await compose("");
	await page.click("canvas#desktop", { position: { x: 200, y: 200 } });
});

test("a composition arrives once: committed, or ended by a click or by losing the focus", { skip }, async () => {
	await compose("ねん");
	await client.send("Input.dispatchKeyEvent", { type: "rawKeyDown", code: "Enter", key: "Process", windowsVirtualKeyCode: 229 });
	await client.send("Input.insertText", { text: "年" });
	await client.send("Input.dispatchKeyEvent", { type: "keyUp", code: "Enter", key: "Enter", windowsVirtualKeyCode: 13 });
	assert.equal(await line(), "年");

	await compose("まつ");
	await page.click("canvas#desktop", { position: { x: 240, y: 200 } });
	assert.equal(await line(), "まつ");

	await compose("かな");
	await page.click("#tool-help");
	await page.click("#help-close");
	assert.equal(await line(), "かな");
});

test("an accent is put on its letter", { skip }, async () => {
	await client.send("Input.dispatchKeyEvent", { type: "rawKeyDown", code: "Quote", key: "Dead", windowsVirtualKeyCode: 222 });
	await client.send("Input.dispatchKeyEvent", { type: "keyDown", code: "KeyE", key: "é", text: "é", windowsVirtualKeyCode: 69 });
	await client.send("Input.dispatchKeyEvent", { type: "keyUp", code: "KeyE", key: "é", windowsVirtualKeyCode: 69 });
	assert.equal(await line(), "é");
});
