/*
 * Desktops in Chromium: exact pixels over VNC and RDP, Japanese keys and text, size, resume, leaving.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { Office, skip, until, view } from "./office.js";

/** @type {Office} */
let office;
let sato;
let page;
const pcs = {};

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	sato = await office.ask("user", { name: "sato" });
	pcs.bare = await office.ask("pc", { name: "bare", kind: "bare", user: "sato" });
	pcs.shadow = await office.ask("pc", { name: "shadow", kind: "shadow", user: "sato" });
	await office.ask("run", { name: "bare", command: ["xsetroot", "-solid", "#37546d"] });
	page = await office.loggedIn(sato);
});

/* A test that failed must not take the next ones with it. */
beforeEach(async () => {
	if (skip)
		return;
	for (const row of (await office.ask("cli", { arguments: ["session", "list"] })).rows)
		await office.ask("cli", { arguments: ["session", "end", "--id", row[0]] });
	await page.setViewportSize({ width: 1280, height: 840 });
	await page.goto(office.url);
	await view(page, "menu");
});

after(async () => office?.stop());

/** Back to the menu, with the session on the PC ended. */
async function leave() {
	await page.click("#tool-logout");
	await page.click("#confirm-logout");
	await view(page, "menu");
}

/** What a file on the PC holds once it is there. */
function written(name) {
	return until(`the file ${name}`, () => {
		const path = join(office.dir, name);
		return existsSync(path) && readFileSync(path, "utf8").endsWith("\n") && readFileSync(path, "utf8");
	});
}

/** A terminal on a PC that puts lines into a file. */
async function terminal(pc, name) {
	rmSync(join(office.dir, name), { force: true });
	await office.ask("terminal", { name: pc, command: `while IFS= read -r line; do echo "$line" >> ${join(office.dir, name)}; done` });
}

/** A key as a Japanese keyboard sends it; playwright's own layout is American. */
async function jisKey(code, key, keyCode = 0) {
	const client = await page.context().newCDPSession(page);
	const text = key.length === 1 ? { text: key } : {};
	await client.send("Input.dispatchKeyEvent", { type: "keyDown", code, key, windowsVirtualKeyCode: keyCode, ...text });
	await client.send("Input.dispatchKeyEvent", { type: "keyUp", code, key, windowsVirtualKeyCode: keyCode });
	await client.detach();
}

test("the office's full desktop over VNC, pixel by pixel", { skip }, async () => {
	const number = await office.ask("pc", { name: "office", kind: "office", user: "sato" });
	await page.reload();
	await view(page, "menu");
	await page.waitForSelector(`[data-host="${number}"]`);
	await office.openDesktop(page, number);
	await office.untilSamePicture(page, "office", 60);
	await leave();
});

test("RDP with NLA, pixel by pixel", { skip }, async () => {
	await terminal("shadow", "rdp-typed");
	await office.openDesktop(page, pcs.shadow);
	await office.untilSamePicture(page, "shadow", 60);
	await page.mouse.move(300, 300);
	await page.keyboard.type("kaze ni fukarete 42");
	await page.keyboard.press("Enter");
	assert.equal(await written("rdp-typed"), "kaze ni fukarete 42\n");
	await office.untilSamePicture(page, "shadow", 60);
	await leave();
});

test("xrdp, pixel by pixel", { skip }, async (context) => {
	const reason = await office.ask("skip_reason", { kind: "xrdp" });
	if (reason)
		return context.skip(reason);
	const number = await office.ask("pc", { name: "xrdp", kind: "xrdp", user: "sato" });
	await page.reload();
	await view(page, "menu");
	await office.openDesktop(page, number);
	await office.untilSamePicture(page, "xrdp", 60);
	await leave();
});

test("typing, Japanese keys and text of an input method", { skip }, async () => {
	await terminal("bare", "typed");
	await office.openDesktop(page, pcs.bare);
	await page.click("canvas#desktop", { position: { x: 200, y: 200 } });
	await page.keyboard.type("Abc 123 #%&");
	await page.keyboard.press("Enter");
	assert.equal(await written("typed"), "Abc 123 #%&\n");

	await jisKey("IntlYen", "¥", 220);
	await jisKey("IntlRo", "_", 226);
	await page.keyboard.press("Enter");
	await until("the Japanese keys", async () => (await written("typed")).endsWith("¥_\n"));

	await page.click("#tool-ime");
	await page.click("#ime-local");
	const client = await page.context().newCDPSession(page);
	await client.send("Input.imeSetComposition", { text: "ねんまつ", selectionStart: 4, selectionEnd: 4 });
	await client.send("Input.insertText", { text: "年末調整" });
	await client.detach();
	await page.click("#tool-ime");
	await page.click("#ime-pc");
	await page.keyboard.press("Enter");
	await until("the composed text", async () => (await written("typed")).endsWith("年末調整\n"));
	await office.untilSamePicture(page, "bare");
	await leave();
});

test("the desktop follows the window's size", { skip }, async () => {
	await office.openDesktop(page, pcs.bare);
	for (const [width, height] of [[1000, 700], [1400, 900]]) {
		await page.setViewportSize({ width, height });
		await until("the PC's new size", async () => {
			const frame = await page.evaluate(() => {
				const box = document.querySelector("#frame").getBoundingClientRect();
				return [Math.floor(box.width), Math.floor(box.height)];
			});
			const size = await office.ask("size", { name: "bare" });
			return Math.abs(size[0] - frame[0]) <= 8 && Math.abs(size[1] - frame[1]) <= 8;
		});
		await office.untilSamePicture(page, "bare");
	}
	await leave();
});

test("disconnecting keeps the session, ending it ends it", { skip }, async () => {
	await office.openDesktop(page, pcs.bare);
	await page.click("#tool-disconnect");
	await view(page, "menu");
	await page.waitForSelector(`[data-host="${pcs.bare}"][data-state="me"]`);
	await office.openDesktop(page, pcs.bare);
	await office.untilSamePicture(page, "bare");
	await page.reload();
	await view(page, "desktop");
	await page.waitForSelector('body[data-connection="online"]');
	await office.untilSamePicture(page, "bare");
	await leave();
	await page.waitForSelector(`[data-host="${pcs.bare}"]:not([data-state="me"])`);
	assert.deepEqual((await office.ask("cli", { arguments: ["session", "list"] })).rows, []);
});

test("another login for the PC replaces the one that is kept", { skip }, async () => {
	const login = await office.ask("pc_login", { name: "shadow" });
	const connect = async (password) => {
		await page.fill("#pc-user", login.user);
		await page.fill("#pc-password", password);
		await page.click("#credentials-submit");
	};
	await office.openDesktop(page, pcs.shadow);
	await page.click("#tool-disconnect");
	await page.waitForSelector(`[data-host="${pcs.shadow}"][data-state="me"]`);
	await page.click(`[data-host="${pcs.shadow}"] .host-other-login`);
	await page.waitForSelector("#credentials-live:not([hidden])");
	await connect("not-the-password");
	await page.waitForSelector('#overlay[data-card="ended-pc-login"]');
	/* It was kept, as the form says, so that opening the PC without asking fails as well. */
	await page.click("#overlay-back");
	await page.click(`[data-host="${pcs.shadow}"] .host-open`);
	await page.waitForSelector('#overlay[data-card="ended-pc-login"]');
	await page.click("#overlay-back");
	/* A kept login that the PC refuses is kept no longer: opening asks again. */
	await page.click(`[data-host="${pcs.shadow}"] .host-open`);
	await page.waitForSelector("#credentials[open]");
	assert.equal(await page.isVisible("#credentials-live"), false);
	await page.check("#pc-keep");
	await connect(login.password);
	await page.waitForSelector('body[data-connection="online"]');
	await leave();
	await office.openDesktop(page, pcs.shadow);
	await leave();
});

test("a connection that is cut resumes by itself", { skip }, async () => {
	await office.openDesktop(page, pcs.bare);
	const [before] = (await office.ask("cli", { arguments: ["session", "list"] })).rows;
	/* The process that holds every connection of the browser dies without a word; the monitor starts a new one. */
	await office.ask("kill", { role: "edge" });
	await page.waitForSelector('body[data-connection="reconnecting"]');
	await office.ask("run", { name: "bare", command: ["xsetroot", "-solid", "#552211"] });
	await page.waitForSelector('body[data-connection="online"]');
	await office.untilSamePicture(page, "bare");
	const rows = (await office.ask("cli", { arguments: ["session", "list"] })).rows;
	assert.deepEqual(rows.map(([id]) => id), [before[0]], "the same session, and only that");
	await leave();
});

test("an ended session says why, in the person's language", { skip }, async () => {
	await office.openDesktop(page, pcs.bare);
	const [row] = (await office.ask("cli", { arguments: ["session", "list"] })).rows;
	await office.ask("cli", { arguments: ["session", "end", "--id", row[0]] });
	await page.waitForSelector('body[data-connection="ended"]');
	assert.match(await page.textContent("#overlay-title"), /管理者/);
	await page.click("#overlay-back");
	await view(page, "menu");
});

test("no error went to the console", { skip }, () => {
	assert.deepEqual(page.problems.filter((p) => !/ERR_CONNECTION_|ERR_EMPTY_RESPONSE|WebSocket|401/.test(p)), []);
});
