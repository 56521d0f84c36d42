/*
 * What a browser keeps of the audit log, with a real gateway: the proof at login, the alarm when it fails, and what
 * administrators see of it.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Office, skip, until, view } from "./office.js";

const NAME = "sekisho.audit";

/** @type {Office} */
let office;
let kanri;
let sato;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	kanri = await office.ask("user", { name: "kanri", role: "admin", device: "事務所のPC" });
	sato = await office.ask("user", { name: "sato", device: "ノートPC" });
});

after(async () => office?.stop());

function kept(page) {
	return page.evaluate((name) => JSON.parse(localStorage.getItem(name)), NAME);
}

/** Until the page that was loaded has asked, and has something to remember. */
async function remembered(page) {
	return await until("a checkpoint in the browser", async () => await kept(page));
}

/** Loads the page again, and waits for what the gateway was asked. */
async function again(page) {
	const answer = page.waitForResponse(/\/api\/audit\/checkpoint/);
	await page.reload();
	await view(page, "menu");
	return await (await answer).json();
}

test("the log is believed as long as it grows; another one is an alarm for all who must know", { skip }, async () => {
	const page = await office.loggedIn(sato);
	const first = await remembered(page);
	assert.match(first.key, /^localhost\/sekisho-audit\+/);
	/* A new signer is asked at once: the log has grown. */
	await office.ask("signal", { role: "signer", name: "SIGTERM" });
	await until("a larger log", async () => {
		await again(page);
		return (await kept(page)).size > first.size;
	});
	assert.equal(await page.isVisible("#audit-alarm"), false);
	assert.equal(await page.isVisible("#audit-unsigned"), false);

	/* As if the gateway had been put back to an older state since. */
	await page.evaluate((name) => {
		const value = JSON.parse(localStorage.getItem(name));
		localStorage.setItem(name, JSON.stringify({ ...value, size: value.size + 1000 }));
	}, NAME);
	await again(page);
	await page.waitForSelector("#audit-alarm:not([hidden])");
	assert.match(await page.textContent("#audit-alarm"), /古い状態[^]*管理者/);
	await page.selectOption("#view-menu select[data-language]", "en");
	assert.match(await page.textContent("#audit-alarm"), /older state[^]*administrator/);

	const desk = await office.loggedIn(kanri);
	await desk.click("#nav-devices");
	await view(desk, "devices");
	await desk.waitForSelector("#audit-alarms:not([hidden])");
	assert.match(await desk.textContent("#audit-alarms"), /sato：以前より古い状態/);
	assert.equal(await desk.isVisible("#audit-alarm"), false);

	/* It stays until somebody has looked into it. */
	await again(page);
	await page.waitForSelector("#audit-alarm:not([hidden])");
	await page.click("#audit-alarm summary");
	await page.click("#audit-accept");
	await page.waitForSelector("#audit-alarm", { state: "hidden" });
	await again(page);
	await until("a log that grows again", async () => (await kept(page)).size < 1000);
	assert.equal(await page.isVisible("#audit-alarm"), false);
	assert.deepEqual(page.problems.filter((p) => !/ 401 /.test(p)), []);
	await page.context().close();
	await desk.context().close();
});

test("a browser that knows no Ed25519 says so", { skip }, async () => {
	const page = await office.page(sato);
	await page.addInitScript(() => {
		const real = crypto.subtle.importKey.bind(crypto.subtle);
		crypto.subtle.importKey = (format, data, algorithm, ...more) => (algorithm.name === "Ed25519" ?
			Promise.reject(new DOMException("unknown", "NotSupportedError")) : real(format, data, algorithm, ...more));
	});
	await page.goto(office.url);
	await office.login(page, sato);
	await remembered(page);
	await page.waitForSelector("#audit-unsigned:not([hidden])");
	assert.equal(await page.isVisible("#audit-alarm"), false);
	await page.context().close();
});
