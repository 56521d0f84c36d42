/*
 * Two windows of the browser as two monitors of an RDP PC: each shows and drives its own, closing either one leaves the
 * other in a state that makes sense, and an auditor can look at what either one has shown.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { canvas, Office, skip, until, view } from "./office.js";

/** @type {Office} */
let office;
let first;
let second;
let number;
let kansa;
/* When both windows were seen, and what they showed. */
let seen;
let reason = skip;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	reason = await office.ask("skip_reason", { kind: "xrdp" });
	if (reason)
		return;
	await office.ask("vault");
	const sato = await office.ask("user", { name: "sato" });
	kansa = await office.ask("user", { name: "kansa", role: "auditor" });
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
	seen = await until("pictures that stay", async () => {
		const before = [await canvas(first), await canvas(second)];
		const at = Date.now() + 1000;
		await new Promise((done) => setTimeout(done, 2000));
		const after = [await canvas(first), await canvas(second)];
		return before.every(({ rgb }, which) => rgb.equals(after[which].rgb)) && { at, pictures: after };
	});
	assert.ok(!seen.pictures[0].rgb.equals(seen.pictures[1].rgb) || seen.pictures[0].width !== seen.pictures[1].width);
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

test("both monitors were recorded, and the player shows either one as it was", { skip }, async (context) => {
	if (reason)
		return context.skip(reason);
	await first.click(`[data-host="${number}"] .host-open`);
	await online(first);
	await first.click("#tool-logout");
	await first.click("#confirm-logout");
	await view(first, "menu");
	const auditor = await office.loggedIn(kansa, {}, "recordings");
	await until("the recording to be complete", async () => {
		await auditor.click("#recordings-refresh");
		return await auditor.locator('#recordings-rows tr[data-state="ended"]').count() === 1;
	});
	await auditor.click("#recordings-rows .recording-open");
	await auditor.fill("#opening-purpose", "2画面の確認");
	await auditor.fill("#opening-code", await office.ask("fresh_code", { name: "kansa" }));
	await auditor.click("#opening-submit");
	await auditor.waitForSelector("#view-player[data-took]");
	await until("both to choose from", async () => await auditor.locator("#player-monitors button").count() === 2);
	await auditor.keyboard.press("p");
	/* A press on the time line is as exact as the line is long. */
	const [{ started, ended }] = await auditor.evaluate(async () => (await (await fetch("/api/recordings")).json()).recordings);
	const { x, y, width } = await auditor.locator("#player-line").boundingBox();
	await auditor.mouse.click(x + width * (seen.at - started) / (ended - started), y + 40);
	for (const which of [1, 0]) {
		await auditor.click(`#player-monitors button >> nth=${which}`);
		assert.equal(await auditor.getAttribute(`#player-monitors button >> nth=${which}`, "aria-pressed"), "true");
		await until(`the monitor ${which + 1}`, async () => (await canvas(auditor, "#player-picture")).rgb.equals(seen.pictures[which].rgb));
	}
	assert.deepEqual(auditor.problems.filter((one) => !one.includes("401")), []);
});
