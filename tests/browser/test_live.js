/*
 * An auditor looks on at a person's desktop, takes over when that person agrees, and ends the connection; the person sees
 * who it is, whatever that one's name is, and takes back control with a click.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Office, officeTime, skip, until, view } from "./office.js";

/* A name that would be markup, and turn the text around it. */
const NAME = "<img src=x onerror=\"document.title='owned'\">\u202e監査";
const shots = process.env.SEKISHO_SHOTS;

/** @type {Office} */
let office;
let sato;
let person;
let auditor;
let admin;

const look = async (page, name) => {
	if (shots)
		await page.screenshot({ path: join(shots, `${name}.png`) });
};

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	sato = await office.ask("user", { name: "sato" });
	const kansa = await office.ask("user", { name: "kansa", role: "auditor" });
	const kanri = await office.ask("user", { name: "kanri", role: "admin" });
	await office.ask("cli", { arguments: ["user", "set", "--name", "kansa", "--watch", "control"] });
	await office.ask("database", { statement: "UPDATE account SET full_name = ? WHERE name = 'kansa'", values: [NAME] });
	const number = await office.ask("pc", { name: "office", kind: "office", user: "sato" });
	person = await office.loggedIn(sato);
	auditor = await office.loggedIn(kansa, {}, "recordings");
	admin = await office.loggedIn(kanri);
	await office.openDesktop(person, number);
});

after(async () => office?.stop());

const state = (page, wanted) => page.waitForSelector(`body[data-watch="${wanted}"]`);

async function lookOn() {
	await auditor.click(".live-watch");
	await auditor.fill("#watch-words", "操作の確認のため");
	await auditor.fill("#watch-code", await office.ask("fresh_code", { name: "kansa" }));
	await look(auditor, "live-dialog");
	await auditor.click("#watch-submit");
	await view(auditor, "watch");
	await state(auditor, "looking");
}

test("an administrator without the right sees who is connected, and can end it but not look on", { skip }, async () => {
	await admin.click("#nav-live");
	await view(admin, "live");
	await admin.waitForSelector("#live-rows tr[data-state='active']");
	assert.equal(await admin.textContent("#live-rows .person-account"), "sato");
	const [{ started }] = await admin.evaluate(async () => (await (await fetch("/api/live")).json()).sessions);
	assert.ok((await admin.textContent("#live-rows .cell-started")).endsWith(officeTime(started * 1000).slice(11).replace(/^0/, "")));
	assert.equal(await admin.isVisible(".live-watch"), false);
	assert.equal(await admin.isVisible(".live-end"), true);
	assert.equal(await admin.isVisible("#live-no-right"), true);
	await look(admin, "live-admin");
});

test("the watcher sees what the person sees, who knows by name", { skip }, async () => {
	await auditor.click("#nav-live");
	await view(auditor, "live");
	await look(auditor, "live-list");
	await lookOn();
	assert.match(await auditor.textContent("#watch-person"), /sato 花子.*\(.*sato.*\)/);
	/* Until the person's viewer has moved the pointer, the PC's server paints it into the picture. */
	for (const place of [5, 9])
		await person.hover("canvas#desktop", { position: { x: place, y: place } });
	await office.untilSamePicture(auditor, "office");
	await person.waitForSelector("#watched", { state: "visible" });
	assert.ok((await person.textContent("#watched-text")).includes(NAME), "as text, not as markup");
	assert.ok((await person.textContent("#watched-text")).includes("(\u2068kansa\u2069)"), "whatever the name, the account says who it is");
	assert.equal(await person.title() === "owned", false);
	assert.equal(await person.locator("#watched img").count(), 0);
	await look(person, "watched");
	await look(auditor, "watching");
	/* Its keys and clicks stay here. */
	await auditor.click("#watch-stage canvas", { position: { x: 100, y: 100 } });
	await auditor.keyboard.type("abc");
	assert.equal(await auditor.getAttribute("body", "data-watch"), "looking");
});

test("control is asked for, given, and taken back with a click", { skip }, async () => {
	await auditor.click("#watch-ask");
	await state(auditor, "asking");
	await person.waitForSelector("#control-ask", { state: "visible" });
	/* The question takes no keys: what is being typed is no answer. */
	assert.equal(await person.evaluate(() => document.querySelector("#control-ask").contains(document.activeElement)), false);
	await person.keyboard.press("Enter");
	/* Nor is a click that was meant for what was there before. */
	await person.evaluate(() => document.querySelector("#control-yes").click());
	assert.equal(await person.isVisible("#control-ask"), true);
	assert.ok((await person.textContent("#control-ask-purpose")).includes("操作の確認のため"));
	await look(person, "asked");
	await look(auditor, "asking");
	await until("an answer", async () => {
		if (await person.isVisible("#control-yes"))
			await person.click("#control-yes");
		return await auditor.getAttribute("body", "data-watch") === "controlling";
	});
	await person.waitForSelector("#watched-back", { state: "visible" });
	await look(person, "controlled");
	await look(auditor, "controlling");
	await auditor.hover("#watch-stage canvas", { position: { x: 200, y: 150 } });
	await until("the pointer on the PC", async () =>
		(await office.ask("run", { name: "office", command: ["xdotool", "getmouselocation"] })).includes("x:"));
	await person.click("canvas#desktop", { position: { x: 300, y: 300 } });
	await state(auditor, "looking");
	await person.waitForSelector("#watched-back", { state: "hidden" });
});

test("a refusal is one", { skip }, async () => {
	/* Half a minute after control came back nothing keeps it from asking again: only a refusal does. */
	await auditor.click("#watch-ask");
	await person.waitForSelector("#control-ask", { state: "visible" });
	await until("the refusal", async () => {
		if (await person.isVisible("#control-no"))
			await person.click("#control-no");
		return await auditor.getAttribute("body", "data-watch") === "looking";
	});
	await auditor.waitForSelector("#watch-news", { state: "visible" });
});

test("while the person is away nothing is seen", { skip }, async () => {
	await person.click("#tool-disconnect");
	await view(person, "menu");
	await state(auditor, "away");
	assert.equal(await auditor.isVisible("#watch-card"), true);
	await look(auditor, "away");
	await person.click(".host-open");
	await state(auditor, "looking");
	await person.waitForSelector("#watched", { state: "visible" });
});

test("a right that is taken away ends it at once, and the person sees that", { skip }, async () => {
	await office.ask("cli", { arguments: ["user", "set", "--name", "kansa", "--watch", "view"] });
	await state(auditor, "over");
	await look(auditor, "over");
	await person.waitForSelector("#watched", { state: "hidden" });
	await auditor.click("#watch-card-back");
	await view(auditor, "live");
	await auditor.waitForSelector("#live-rows tr");
	await lookOn();
	assert.equal(await auditor.isVisible("#watch-ask"), false, "may look only");
});

test("a connection is ended with a reason that the person reads", { skip }, async () => {
	await auditor.click("#watch-end");
	await auditor.fill("#ending-words", "退勤時刻を過ぎたため");
	await look(auditor, "ending");
	await auditor.click("#ending-submit");
	await person.waitForSelector('#overlay[data-card="ended-administrator"]');
	await until("the reason", async () =>
		(await person.textContent("#overlay-detail")).includes("からの理由：\u2068退勤時刻を過ぎたため\u2069"));
	await look(person, "ended");
	await state(auditor, "over");
	assert.deepEqual([...person.problems, ...admin.problems].filter((text) => !text.includes("Failed to load resource")), []);
});
