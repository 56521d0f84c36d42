/*
 * The PC's own H.264 (freerdp-shadow's) in Chromium: passed on by the gateway, decoded by the page, in the PC's
 * colours. What stands still is made exact by the gateway's decoder, so the whole screen changes all the time.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { canvas, Office, skip, until } from "./office.js";

const SIZE = [640, 480];
/* Of those that another matrix or range of colours would show otherwise, by 12 at least. */
const COLOURS = [[30, 200, 40], [200, 60, 220], [220, 180, 60], [60, 60, 60]];
/* That the PC's colour trembles, so that every tile is sent again and again. */
const TREMBLE = 3;
/* For that, for halves of colour samples that are rounded, and for what the PC's encoder takes away. */
const TOLERANCE = TREMBLE + 6;
const LOOKS = 5;

/** @type {Office} */
let office;
let page;

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	const sato = await office.ask("user", { name: "sato" });
	const number = await office.ask("pc", { name: "film", kind: "film", user: "sato", size: SIZE });
	page = await office.loggedIn(sato, { locale: "en-GB" });
	await office.openDesktop(page, number);
	await page.click("#tool-figures");
});

after(async () => office?.stop());

const hex = (colour) => `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;

/** The farthest that a value of the picture is from the one of the same place in the other. */
function distance(one, other) {
	assert.deepEqual([one.width, one.height], [other.width, other.height]);
	return one.rgb.reduce((most, value, at) => Math.max(most, Math.abs(value - other.rgb[at])), 0);
}

async function pcPicture() {
	const picture = await office.ask("picture", { name: "film" });
	return { ...picture, rgb: readFileSync(picture.file) };
}

test("the PC's own H.264 is shown in the PC's colours", { skip }, async () => {
	for (const colour of COLOURS) {
		const other = colour.map((value) => value + TREMBLE);
		const tremble = await office.ask("begin", { name: "film", command: ["sh", "-c",
			`while :; do xsetroot -solid '${hex(colour)}'; sleep 0.02; xsetroot -solid '${hex(other)}'; sleep 0.02; done`] });
		const far = async () => distance(await canvas(page), await pcPicture());
		await until(`the colour ${colour}`, async () => await far() <= TOLERANCE);
		for (let look = 0; look < LOOKS; look++)
			assert.ok(await far() <= TOLERANCE, `${colour} stays what it is`);
		await until("the figures to name it", async () =>
			await page.textContent("#figures-codec") === "as video that the PC makes");
		await office.ask("end", { program: tremble });
	}
});
