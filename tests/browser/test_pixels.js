/*
 * One pixel of the PC is one pixel of the device, at every density: what the browser paints is the PC's screen bit by
 * bit, also after a zoom and while a part of a larger screen is scrolled.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CHROMIUM, Office, skip, until } from "./office.js";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--force-color-profile=srgb"];

/** @type {Office} */
let office;
let sato;
let usual;
const pcs = {};

before(async () => {
	if (skip)
		return;
	office = await Office.start();
	usual = office.browser;
	sato = await office.ask("user", { name: "sato" });
	pcs.bare = await office.ask("pc", { name: "bare", kind: "bare", user: "sato" });
	pcs.x11vnc = await office.ask("pc", { name: "x11vnc", kind: "x11vnc", user: "sato" });
	for (const name of ["bare", "x11vnc"]) {
		/* Every other pixel is black: half a pixel of scaling turns it grey. */
		await office.ask("run", { name, command: ["xsetroot", "-gray"] });
		await office.ask("terminal", { name, command: "seq -s ' 源泉徴収 ' 400; cat" });
	}
});

after(async () => {
	if (!office)
		return;
	office.browser = usual;
	await office.stop();
});

/** A page in a browser whose screen has this density, with the menu. */
async function pageAt(ratio, { size = "1283,857", ...options } = {}) {
	const browser = await usual.browserType().launch({ executablePath: CHROMIUM,
		args: [...ARGUMENTS, `--force-device-scale-factor=${ratio}`, `--window-size=${size}`], ...options });
	office.browser = browser;
	await office.ask("new_totp", { name: "sato" });
	const page = await office.loggedIn(sato, { viewport: null });
	assert.equal(await page.evaluate(() => devicePixelRatio), ratio);
	return { page, browser };
}

/** What is painted: R, G, B of every device pixel of the page. */
async function painted(page) {
	const client = await page.context().newCDPSession(page);
	const { data } = await client.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: false });
	await client.detach();
	const file = join(office.dir, "page.png");
	writeFileSync(file, Buffer.from(data, "base64"));
	const [width, height] = execFileSync("identify", ["-format", "%w %h", file], { encoding: "utf8" }).split(" ").map(Number);
	const rgb = execFileSync("convert", [file, "-depth", "8", "rgb:-"], { maxBuffer: 1 << 28 });
	return { width, height, rgb };
}

/** Where the canvas lies in device pixels, and the part of it that can be seen; whole numbers or a failure. */
async function placeOf(page) {
	const { ratio, canvas, stage, pixels } = await page.evaluate(() => {
		const box = (element) => {
			const { left, top, right, bottom } = element.getBoundingClientRect();
			return { left, top, right, bottom };
		};
		const stageElement = document.querySelector("#stage");
		const seen = box(stageElement);
		seen.right = seen.left + stageElement.clientWidth;
		seen.bottom = seen.top + stageElement.clientHeight;
		return { ratio: devicePixelRatio, canvas: box(document.querySelector("#desktop")), stage: seen,
			pixels: [document.querySelector("#desktop").width, document.querySelector("#desktop").height] };
	});
	const whole = Object.fromEntries(Object.entries(canvas).map(([edge, value]) => {
		const device = value * ratio;
		/* Layout counts in 64ths of a CSS pixel. */
		assert.ok(Math.abs(device - Math.round(device)) <= ratio / 32, `${edge} at ${device} device pixels`);
		return [edge, Math.round(device)];
	}));
	assert.deepEqual([whole.right - whole.left, whole.bottom - whole.top], pixels);
	return { ...whole, seen: { left: Math.max(whole.left, Math.ceil(stage.left * ratio)),
		top: Math.max(whole.top, Math.ceil(stage.top * ratio)),
		right: Math.min(whole.right, Math.floor(stage.right * ratio)),
		bottom: Math.min(whole.bottom, Math.floor(stage.bottom * ratio)) } };
}

/** The even numbers of device pixels that the browser counts in the frame. */
function roomOf(page) {
	return page.evaluate(() => new Promise((done) => {
		new ResizeObserver(([{ devicePixelContentBoxSize: [box] }]) =>
			done([box.inlineSize, box.blockSize].map((pixels) => Math.floor(pixels / 2) * 2)))
			.observe(document.querySelector("#frame"), { box: "device-pixel-content-box" });
	}));
}

/** Until what is painted is what the PC's X server shows, in all of the canvas that can be seen. */
async function untilPainted(page, pc) {
	let wrong = "";
	await until("the PC's pixels", async () => {
		const real = await office.ask("picture", { name: pc });
		const rgb = readFileSync(real.file);
		const place = await placeOf(page);
		const page_ = await painted(page);
		const { left, top, right, bottom } = place.seen;
		assert.ok(right - left > 300 && bottom - top > 200, "something can be seen");
		if (place.right - place.left !== real.width || place.bottom - place.top !== real.height)
			return false;
		wrong = "";
		for (let y = top; y < bottom; y++) {
			const from = (y * page_.width + left) * 3;
			const to = ((y - place.top) * real.width + left - place.left) * 3;
			const length = (right - left) * 3;
			if (page_.rgb.compare(rgb, to, to + length, from, from + length) !== 0) {
				wrong = `row ${y}`;
				return false;
			}
		}
		return true;
	}, 20).catch((error) => assert.fail(`${error.message}: ${wrong}`));
}

/** Away from what is compared, and so that the VNC server leaves the pointer to the viewer. */
async function pointAt(page, x, y) {
	await page.hover("canvas#desktop", { position: { x, y } });
	await page.hover("canvas#desktop", { position: { x: x + 4, y } });
}

for (const ratio of [1, 1.25, 1.5, 2]) {
	test(`a screen of ${ratio} device pixels to a CSS pixel`, { skip }, async () => {
		const { page, browser } = await pageAt(ratio);
		try {
			await office.openDesktop(page, pcs.bare);
			await pointAt(page, 300, 300);
			await untilPainted(page, "bare");
			assert.deepEqual(await office.ask("size", { name: "bare" }), await roomOf(page), "all of the window's device pixels");
			assert.equal(await page.isVisible("#tool-scale"), false);
		} finally {
			await browser.close();
		}
	});
}

test("the browser's zoom is changed while it runs", { skip }, async () => {
	const DISPLAY = await office.ask("laptop");
	const { page, browser } = await pageAt(1, { size: "1283,857", headless: false, env: { ...process.env, DISPLAY } });
	try {
		await office.openDesktop(page, pcs.bare);
		let before = 1;
		for (const key of ["ctrl+plus", "ctrl+minus", "ctrl+minus"]) {
			/* In the tool bar, where keys are the browser's. */
			await page.focus("#tool-view");
			await office.ask("run", { name: "laptop", command: ["xdotool", "key", key] });
			const ratio = await until("another zoom", async () => {
				const now = await page.evaluate(() => devicePixelRatio);
				return now !== before && now;
			});
			before = ratio;
			await until("the PC's new size", async () =>
				String(await office.ask("size", { name: "bare" })) === String(await roomOf(page)));
			await pointAt(page, 200, 200);
			await untilPainted(page, "bare");
		}
		assert.ok(before < 1);
	} finally {
		await browser.close();
	}
});

test("a PC that keeps its size: made smaller as a whole and said so, or exact and scrolled", { skip }, async () => {
	const { page, browser } = await pageAt(1.25, { size: "801,520" });
	try {
		await office.openDesktop(page, pcs.x11vnc);
		await page.waitForSelector("#tool-scale", { state: "visible" });
		assert.match(await page.textContent("#tool-scale-text"), /^縮小 \d\d%$/);
		assert.equal(await page.getAttribute("#tool-scale", "aria-pressed"), "false");
		await page.waitForSelector("#notice", { state: "visible" });
		assert.match(await page.textContent("#notice-text"), /大きさを変えられません/);
		await page.click("#notice-close");

		await page.click("#tool-scale");
		assert.equal(await page.textContent("#tool-scale-text"), "実寸");
		assert.equal(await page.getAttribute("#tool-scale", "aria-pressed"), "true");
		await pointAt(page, 300, 300);
		await untilPainted(page, "x11vnc");
		await page.evaluate(() => document.querySelector("#stage").scrollTo(53, 39));
		assert.ok(await page.evaluate(() => document.querySelector("#stage").scrollTop) > 0);
		await untilPainted(page, "x11vnc");
	} finally {
		await browser.close();
	}
});
