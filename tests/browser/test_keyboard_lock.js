/*
 * Full screen with real keys: those that the browser and the system keep otherwise go to the PC, and a held Escape
 * gives them back.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Office, skip, until } from "./office.js";

/** @type {Office} */
let office;
let page;

/** What the person does at the laptop's own keyboard. */
function keyboard(...words) {
	return office.ask("run", { name: "laptop", command: ["xdotool", ...words] });
}

/** A combination, and what the PC then has to get of it. */
async function arrives(combination, ...keysyms) {
	const begin = (await office.ask("keys", { name: "bare" })).length;
	const expected = [...keysyms.map((key) => [true, key]), ...keysyms.toReversed().map((key) => [false, key])];
	let got = [];
	await keyboard("key", combination);
	try {
		await until(combination, async () => {
			got = (await office.ask("keys", { name: "bare" })).slice(begin);
			return got.length >= expected.length;
		}, 5);
	} finally {
		/* Which of two keys comes up first does not matter. */
		assert.deepEqual(got.toSorted(), expected.toSorted(), combination);
	}
}

/** Keys that the PC believes to be held. */
async function held() {
	const down = new Set();
	for (const [pressed, keysym] of await office.ask("keys", { name: "bare" }))
		if (pressed)
			down.add(keysym);
		else
			down.delete(keysym);
	return [...down];
}

function full() {
	return page.evaluate(() => document.fullscreenElement !== null);
}

before(async () => {
	if (skip)
		return;
	office = await Office.start({}, { headed: true });
	const sato = await office.ask("user", { name: "sato" });
	const number = await office.ask("pc", { name: "bare", kind: "bare", user: "sato" });
	await office.ask("watch_keys", { name: "bare" });
	page = await office.loggedIn(sato, { viewport: null });
	/* Playwright has every page believe that it always has the focus; losing it is part of this. */
	const client = await page.context().newCDPSession(page);
	await client.send("Emulation.setFocusEmulationEnabled", { enabled: false });
	await office.openDesktop(page, number);
});

after(async () => office?.stop());

test("in a window keys go to the PC as well", { skip }, async () => {
	await page.click("canvas#desktop", { position: { x: 300, y: 300 } });
	await arrives("a", "a");
	await arrives("Escape", "Escape");
});

test("in full screen the PC gets the keys that the browser would keep", { skip }, async () => {
	await page.click("#tool-fullscreen");
	await until("full screen", full);
	await arrives("b", "b");
	await arrives("Escape", "Escape");
	await arrives("F11", "F11");
	await arrives("ctrl+w", "Control_L", "w");
	await arrives("ctrl+t", "Control_L", "t");
	await arrives("ctrl+n", "Control_L", "n");
	await arrives("alt+Tab", "Alt_L", "Tab");
	await arrives("alt+F4", "Alt_L", "F4");
	await arrives("super", "Super_L");
	assert.ok(await full());
	assert.equal(page.isClosed(), false);
	assert.equal(page.context().pages().length, 1);
	assert.deepEqual(await held(), []);
});

test("holding Escape leaves full screen, with no key left down", { skip }, async () => {
	await keyboard("keydown", "Escape");
	await until("the window", async () => !await full());
	await keyboard("keyup", "Escape");
	await until("all keys up", async () => (await held()).length === 0);
	await arrives("c", "c");
	await arrives("shift+d", "Shift_L", "d");
	assert.deepEqual(await held(), []);
	assert.deepEqual(page.problems.filter((problem) => !/401/.test(problem)), []);
});

test("the tool bar's button leaves full screen as well, and the browser has its keys back", { skip }, async () => {
	await page.click("#tool-fullscreen");
	await until("full screen", full);
	await arrives("Escape", "Escape");
	await page.click("#tool-show");
	await page.click("#tool-fullscreen");
	await until("the window", async () => !await full());
	await page.click("canvas#desktop", { position: { x: 300, y: 300 } });
	await keyboard("key", "ctrl+t");
	await until("a new tab", () => page.context().pages().length === 2);
	await until("all keys up", async () => (await held()).length === 0);
});
