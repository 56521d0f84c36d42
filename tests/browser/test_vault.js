/*
 * The vault on the administrator's page in Chromium with a real gateway: how it is, what opens it, and closing it at
 * once, which is asked about first. And a recovery sheet as it is printed.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Office, skip, until, view } from "./office.js";

/** @type {Office} */
let office;
let desk;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	const kanri = await office.ask("user", { name: "kanri", role: "admin", device: "事務所のPC" });
	desk = await office.loggedIn(kanri);
	desk.setDefaultTimeout(15000);
	await desk.click("#nav-devices");
	await view(desk, "devices");
	await desk.waitForSelector("#devices-parts:not([hidden])");
});

after(async () => office?.stop());

async function rows() {
	const { columns, rows: all } = await office.ask("cli", { arguments: ["vault", "status"] });
	return Object.fromEntries(all.map((row) => [row[0], row[columns.indexOf("state")]]));
}

/** Asks for a fresh look at once, as coming back to the tab does. */
function refresh() {
	return desk.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
}

async function says(words) {
	await refresh();
	await desk.waitForFunction((text) => document.querySelector("#vault-state").textContent.includes(text), words);
}

test("an administrator closes the vault at once, after a question", { skip }, async () => {
	await says("保管庫がまだありません");
	assert.equal(await desk.isVisible("#vault-seal"), false);
	await office.ask("vault", {});
	await says("保管庫は開いています");
	assert.match(await desk.textContent("#vault-openers"), /パスフレーズ.+から.*回復シート.+から.*マシン.+なし.*トークン.*なし/s);
	await desk.click("#vault-seal");
	await desk.waitForSelector("#order[open]");
	assert.match(await desk.textContent("#order-text"), /sekisho vault unseal/);
	/* Enter alone does not do it. */
	await desk.keyboard.press("Enter");
	await desk.waitForSelector("#order:not([open])", { state: "attached" });
	assert.equal((await rows())["house-key"], "unsealed");
	await desk.click("#vault-seal");
	await desk.click("#order-confirm");
	await desk.waitForSelector("#order:not([open])", { state: "attached" });
	await until("the vault to be closed", async () => (await rows())["house-key"] === "sealed");
	await says("保管庫は閉じています");
	assert.equal(await desk.isVisible("#vault-seal"), false);
	const log = await office.ask("cli", { arguments: ["audit", "list", "--last", "20"] });
	const at = log.columns.indexOf("event"), who = log.columns.indexOf("account");
	assert.equal(log.rows.find((row) => row[at] === "vault-seal")[who], "kanri");
});

test("a recovery sheet is one page of paper, for each of three", { skip }, async () => {
	const folder = join(office.dir, "sheets");
	await office.ask("cli", { arguments: ["vault", "shares", "--out", folder], password: "iwato-no-kagi-58-suzu" });
	const paper = await office.page(null);
	for (const [at, keeper] of ["所長", "監査人", "システム管理者"].entries()) {
		await paper.goto(`file://${join(folder, `sheet-${at + 1}.html`)}`);
		assert.ok((await paper.textContent("body")).includes(keeper));
		assert.equal(await paper.locator("td").count(), 8);
		const pdf = await paper.pdf({ format: "A4" });
		assert.equal(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length, 1);
	}
	await paper.context().close();
});

test("what opens it cannot be ordered in the portal", { skip }, async () => {
	for (const order of ["unseal", "init", "rotate", "recover", "shares", "passphrase", "machine", "token", "check"]) {
		const status = await desk.evaluate(async (name) => (await fetch(`/api/admin/vault/${name}`,
			{ method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })).status, order);
		assert.ok(status === 403 || status === 404, `${order}: ${status}`);
	}
});

test("administrators are told what is wrong with the vault, and nobody else", { skip }, async () => {
	const password = "iwato-no-kagi-58-suzu";
	const file = join(office.dir, "state", "vault", "root.json");
	const told = async () => {
		await desk.reload();
		await view(desk, "devices");
		return await desk.isVisible("#vault-trouble") ? desk.textContent("#vault-trouble") : "";
	};
	/* The vault dies, and its successor finds this file. */
	const find = async (text) => {
		const pid = await office.ask("pid", { role: "vault" });
		writeFileSync(file, text);
		await office.ask("kill", { role: "vault" });
		await until("another vault", async () => await office.ask("pid", { role: "vault" }) !== pid && (await rows())["house-key"] === "sealed");
	};
	await office.ask("vault", { order: "seal" });
	assert.match(await told(), /保管庫が閉じています/);
	const person = await office.loggedIn(await office.ask("user", { name: "ito" }));
	assert.equal(await person.isVisible("#vault-trouble"), false);
	await person.context().close();
	await office.ask("vault", { order: "unseal" });
	assert.equal(await told(), "");
	const old = readFileSync(file);
	await office.ask("cli", { arguments: ["vault", "rotate"], password });
	const now = readFileSync(file);
	await find(old);
	await until("the banner", async () => (await told()).includes("以前より古い状態"));
	await desk.selectOption("#view-menu select[data-language]", "en");
	assert.match(await desk.textContent("#vault-trouble"), /put back to an older state/);
	await desk.selectOption("#view-menu select[data-language]", "ja");
	await find(now);
	await office.ask("vault", { order: "unseal" });
	assert.equal(await told(), "");
});
