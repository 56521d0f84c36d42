/*
 * Two windows of the browser as two monitors of an RDP PC: each shows and drives its own, and closing either one leaves
 * the other in a state that makes sense.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { canvas, Office, skip, until } from "./office.js";

/** @type {Office} */
let office;
let first;
let second;
let number;
let reason = skip;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	reason = await office.ask("skip_reason", { kind: "xrdp" });
	if (reason)
		return;
	const sato = await office.ask("user", { name: "sato" });
	number = await office.ask("pc", { name: "xrdp", kind: "xrdp", user: "sato" });
	first = await office.loggedIn(sato, { viewport: { width: 1000, height: 700 } });
	await office.openDesktop(first, number);
});

after(async () => office?.stop());

const online = (page) => page.waitForSelector('body[data-connection="online"]');

/** The size of a window's own part of the PC. */
function sizeOf(page) {
	return page.evaluate(() => [document.querySelector("#desktop").width, document.querySelector("#desktop").height]);
}

/** Until a window shows the PC's screen from this column on. */
async function untilShows(page, left, what) {
	await until(what, async () => {
		const shown = await canvas(page);
		const real = await office.ask("picture", { name: "xrdp" });
		const rgb = readFileSync(real.file);
		if (left + shown.width > real.width || shown.height > real.height)
			return false;
		for (let y = 0; y < shown.height; y++) {
			const from = (y * real.width + left) * 3;
			if (shown.rgb.compare(rgb, from, from + shown.width * 3, y * shown.width * 3, (y + 1) * shown.width * 3) !== 0)
				return false;
		}
		return true;
	}, 30);
}

/** Where the PC's pointer is. */
async function pointer() {
	const words = await office.ask("run", { name: "xrdp", command: ["xdotool", "getmouselocation"] });
	return words.match(/x:(\d+) y:(\d+)/).slice(1).map(Number);
}

async function openSecond() {
	await first.waitForSelector("#tool-second", { state: "visible" });
	const [page] = await Promise.all([first.context().waitForEvent("page"), first.click("#tool-second")]);
	await online(page);
	return page;
}

test("a window that the browser blocks is told of, with what to do", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	await first.evaluate(() => {
		window.realOpen = window.open;
		window.open = () => null;
	});
	await first.click("#tool-second");
	await first.waitForSelector("#notice", { state: "visible" });
	assert.match(await first.textContent("#notice-text"), /ポップアップを許可/);
	await first.click("#notice-close");
	await first.evaluate(() => (window.open = window.realOpen));
});

test("the second window is the PC's second monitor, without another login", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	second = await openSecond();
	assert.match(await second.textContent("#tool-name"), /xrdp（2つ目の画面）/);
	assert.equal(await second.isVisible("#tool-logout"), false);
	assert.equal(await second.isVisible("#tool-second"), false);
	await first.waitForSelector('#tool-second[aria-pressed="true"]');
	const [width, height] = await sizeOf(first);
	const other = await until("the second monitor", async () => {
		const size = await sizeOf(second);
		const [wide] = await office.ask("size", { name: "xrdp" });
		return wide === width + size[0] && size;
	});
	for (const page of [first, second])
		await page.hover("canvas#desktop", { position: { x: 40, y: 40 } });
	await untilShows(first, 0, "the first monitor");
	await untilShows(second, width, "the second monitor");
	assert.ok(height > 300 && other[1] > 300);
});

test("pointer and keys of each window go to its own monitor", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	const [width] = await sizeOf(first);
	await second.mouse.move(200, 200);
	const [, top] = await second.evaluate(() => {
		const { left, top: y } = document.querySelector("#desktop").getBoundingClientRect();
		return [left, y];
	});
	await until("the pointer", async () => String(await pointer()) === String([width + 200, 200 - Math.round(top)]));
	await first.mouse.move(300, 300);
	await until("the pointer", async () => (await pointer())[0] === 300);

	await office.ask("watch_keys", { name: "xrdp" });
	for (const [page, key] of [[second, "k"], [first, "m"]]) {
		await page.click("canvas#desktop", { position: { x: 150, y: 150 } });
		await page.keyboard.press(key);
		await until(`the key ${key}`, async () => String((await office.ask("keys", { name: "xrdp" })).slice(-2)) ===
			String([[true, key], [false, key]]));
	}
});

test("the first window loaded again finds the second, which goes on", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	await first.reload();
	await online(first);
	await online(second);
	await first.waitForSelector('#tool-second[aria-pressed="true"]');
	const [width] = await sizeOf(first);
	await until("two monitors", async () => (await office.ask("size", { name: "xrdp" }))[0] > width);
});

test("the second window closed: the PC has one monitor, and another window can be opened", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	/* The click may be told as failed, because what it was made on is gone. */
	await Promise.all([second.waitForEvent("close"), second.click("#tool-close").catch(() => {})]);
	await first.waitForSelector('#tool-second[aria-pressed="false"]');
	await until("one monitor", async () =>
		(await office.ask("size", { name: "xrdp" }))[0] === (await sizeOf(first))[0]);
	await untilShows(first, 0, "the only monitor");
	second = await openSecond();
	await first.waitForSelector('#tool-second[aria-pressed="true"]');
});

test("the first window closed: the second offers to go on, and leaving ends both", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	await second.evaluate(() => {
		window.cards = new Set();
		const overlay = document.querySelector("#overlay");
		new MutationObserver(() => overlay.hidden || window.cards.add(overlay.dataset.card)).observe(overlay,
			{ attributes: true });
	});
	await first.close();
	await second.waitForSelector('body[data-connection="alone"]');
	assert.match(await second.textContent("#overlay-title"), /最初のウィンドウが閉じられました/);
	assert.deepEqual(await second.evaluate(() => [...window.cards]), ["alone"], "something else was said before");
	await second.click("#overlay-first");
	await online(second);
	assert.equal(await second.textContent("#tool-name"), "xrdp");
	first = second;
	second = await openSecond();
	await Promise.all([second.waitForEvent("close"), first.click("#tool-disconnect")]);
	await first.waitForSelector('body[data-view="menu"]');
});
