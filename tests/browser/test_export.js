/*
 * A session that was recorded through the whole gateway, exported by an auditor in the player: the dialog, its progress, and the
 * file on the disk, which its recipient opens with OpenSSL.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Office, officeTime, skip, until, view } from "./office.js";

/** @type {Office} */
let office;
let auditor;
let pem;
let key;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	await office.ask("vault");
	const sato = await office.ask("user", { name: "sato" });
	const kansa = await office.ask("user", { name: "kansa", role: "auditor" });
	const number = await office.ask("pc", { name: "keiri", kind: "bare", user: "sato" });
	const page = await office.loggedIn(sato);
	await office.openDesktop(page, number);
	await office.untilSamePicture(page, "keiri");
	await page.click("#tool-logout");
	await page.click("#confirm-logout");
	await view(page, "menu");
	await page.context().close();
	pem = join(office.dir, "saibansho.pem");
	key = join(office.dir, "saibansho.key");
	execFileSync("openssl", ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=saibansho",
		"-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", pem], { stdio: "ignore" });
	auditor = await office.loggedIn(kansa, { acceptDownloads: true }, "recordings");
	await until("the recording to be complete", async () => {
		await auditor.click("#recordings-refresh");
		return await auditor.locator('#recordings-rows tr[data-state="ended"]').count() === 1;
	});
	await auditor.click("#recordings-rows .recording-open");
	await auditor.fill("#opening-purpose", "11月分の定例確認");
	await auditor.fill("#opening-code", await office.ask("fresh_code", { name: "kansa" }));
	await auditor.click("#opening-submit");
	await auditor.waitForSelector("#view-player[data-took]");
});

after(async () => office?.stop());

const step = async (name) => {
	await until(`${name}, or why not`, async () => await auditor.isVisible(`#export[open][data-step="${name}"]`) ||
		(name !== "form" && await auditor.isVisible("#export-error")));
	assert.equal(await auditor.textContent("#export-error"), "");
};
const refusal = (words) => until(String(words), async () => words.test(await auditor.textContent("#export-error")));

async function submit() {
	await auditor.fill("#export-code", await office.ask("fresh_code", { name: "kansa" }));
	await auditor.click("#export-submit");
}

/** What openssl and ffprobe make of a file. */
function opened(file) {
	const video = join(office.dir, "video.mp4");
	execFileSync("openssl", ["cms", "-decrypt", "-inform", "DER", "-binary", "-in", file, "-recip", pem, "-inkey", key, "-out", video]);
	return JSON.parse(execFileSync("ffprobe", ["-v", "error", "-show_streams", "-of", "json", video])).streams;
}

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("the dialog says what is missing, and what is wrong", { skip }, async () => {
	await auditor.keyboard.press("x");
	await step("form");
	/* Without File System Access, as in Firefox and Safari. */
	await auditor.evaluate(() => delete window.showSaveFilePicker);
	await auditor.check('input[name="export-for"][value="file"]');
	await submit();
	await refusal(/証明書のファイルを選んで/);
	await auditor.setInputFiles("#export-file", key);
	await submit();
	await refusal(/使えません/);
	await auditor.setInputFiles("#export-file", pem);
	await submit();
	await refusal(/何のために/);
	/* What is to be filled in is not behind the message that says so. */
	assert.equal(await auditor.$eval("#export-purpose", (field) => {
		const { left, top, width, height } = field.getBoundingClientRect();
		return [top + 4, top + height - 4].every((y) => document.elementFromPoint(left + width / 2, y) === field);
	}), true);
	await auditor.fill("#export-purpose", "A社への提出");
	await auditor.fill("#export-from", "0:09");
	assert.ok(await auditor.isChecked('input[name="export-part"][value="part"]'), "writing a time chooses the part");
	await auditor.fill("#export-to", "0:05");
	await submit();
	await refusal(/終了位置/);
	await auditor.check('input[name="export-part"][value="whole"]');
	await auditor.fill("#export-code", "");
	await auditor.click("#export-submit");
	await refusal(/6桁/);
});

test("the file is in the downloads, and its recipient opens it", { skip }, async () => {
	const [download] = await Promise.all([auditor.waitForEvent("download"), submit()]);
	await step("over");
	assert.match(await auditor.textContent("#export-title"), /書き出しました/);
	const file = await download.path();
	const name = download.suggestedFilename();
	const [{ started }] = await auditor.evaluate(async () => (await (await fetch("/api/recordings")).json()).recordings);
	assert.equal(name, `sekisho-${officeTime(started).replaceAll(/[-:]/g, "").replace(" ", "-")}-keiri.mp4.cms`);
	assert.equal(await auditor.textContent("#export-name"), name);
	assert.equal(await auditor.textContent("#export-sha256"), digest(file));
	const commands = await auditor.textContent("#export-commands");
	await auditor.click("#export-copy");
	await auditor.waitForSelector('#export-copy:has-text("コピーしました")');
	assert.match(commands, new RegExp(`-in ${name} -recip saibansho.pem -inkey saibansho.key -out ${name.replace(".cms", "")}$`));
	const [stream] = opened(file);
	assert.equal(stream.codec_name, "h264");
	/* The next one begins anew. */
	await auditor.click("#export-close");
	assert.equal(await auditor.isVisible("#export"), false);
	await auditor.click("#player-export");
	await step("form");
	assert.equal(await auditor.inputValue("#export-code"), "");
	await auditor.click("#export-cancel");
});

test("auditors who come late do not take the place of a file that was chosen", { skip }, async () => {
	let answer;
	const asked = new Promise((resolve) => (answer = resolve));
	const auditors = (route) => answer(() => route.fulfill({ json: { auditors: [{ id: 1, name: "ato kara",
		until: 1799990000, fingerprint: "0".repeat(64) }] } }));
	await auditor.route("**/api/auditors", auditors);
	await auditor.keyboard.press("x");
	const come = await asked;
	await step("form");
	await auditor.check('input[name="export-for"][value="file"]');
	await come();
	await auditor.waitForSelector('#export-auditor option:has-text("ato kara")', { state: "attached" });
	assert.ok(await auditor.isChecked('input[name="export-for"][value="file"]'));
	await auditor.click("#export-cancel");
	await auditor.unroute("**/api/auditors", auditors);
});

test("it is written to the chosen file as it comes, and a part of it", { skip }, async () => {
	await auditor.keyboard.press("Home");
	await auditor.keyboard.press("[");
	await auditor.keyboard.press("End");
	await auditor.keyboard.press("]");
	assert.ok(await auditor.isVisible("#player-part"), "marked on the time line");
	/* A file as the picker gives it, in the browser's own file system: nobody can press the picker's buttons here. */
	await auditor.evaluate(() => {
		window.showSaveFilePicker = async ({ suggestedName }) =>
			(window.chosen = await (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true }));
	});
	await auditor.keyboard.press("x");
	await step("form");
	assert.ok(await auditor.isChecked('input[name="export-part"][value="part"]'));
	await auditor.check('input[name="export-for"][value="file"]');
	await submit();
	await step("over");
	const sha256 = await auditor.evaluate(async () => {
		const bytes = await (await window.chosen.getFile()).arrayBuffer();
		const hash = await crypto.subtle.digest("SHA-256", bytes);
		return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
	});
	assert.equal(await auditor.textContent("#export-sha256"), sha256);
	await auditor.click("#export-close");
});

test("it can be hidden and cancelled, and says why it was ended", { skip }, async () => {
	const waiting = async () => {
		await auditor.evaluate(() => delete window.showSaveFilePicker);
		await auditor.click("#player-export");
		await step("form");
		await auditor.check('input[name="export-for"][value="file"]');
		/* The vault stands still, so that the export cannot be quicker than the test. */
		await office.ask("signal", { role: "vault", name: "SIGSTOP" });
		const streams = async () => (await office.ask("log")).split("event=stream-open").length;
		const before = await streams();
		await submit();
		await step("running");
		await until("its stream", async () => await streams() > before);
	};
	await waiting();
	await auditor.click("#export-hide");
	assert.equal(await auditor.isVisible("#export"), false);
	assert.match(await auditor.textContent("#export-chip"), /書き出し \d+％/);
	await auditor.click("#export-chip");
	await auditor.click("#export-stop");
	await step("over");
	assert.match(await auditor.textContent("#export-title"), /中止しました/);
	assert.equal(await auditor.isVisible("#export-whole"), false);
	await office.ask("signal", { role: "vault", name: "SIGCONT" });
	await auditor.click("#export-close");
	await auditor.click("#player-export");
	await office.ask("vault", { order: "seal" });
	await submit();
	await refusal(/vault unseal/);
	await office.ask("vault", { order: "unseal" });
	await auditor.click("#export-cancel");
	await waiting();
	await office.ask("cli", { arguments: ["user", "disable", "--name", "kansa"] });
	await step("over");
	assert.match(await auditor.textContent("#export-over-text"), /権限が取り消された/);
	await office.ask("signal", { role: "vault", name: "SIGCONT" });
	await auditor.click("#export-close");
	await view(auditor, "login");
	/* Before the login, the page asks who is there; refusals were wanted. */
	assert.deepEqual(auditor.problems.filter((one) => !/\b(401|423)\b/.test(one)), []);
});
