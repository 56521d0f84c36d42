/*
 * For the browser tests: an office (office.py), Chromium with a device certificate, and pages of the portal.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = process.env.SEKISHO_SOURCE ?? join(here, "..", "..");
const build = process.env.SEKISHO_BUILD ?? join(source, "build", "dev");
export const CHROMIUM = "/usr/bin/chromium";
/* As in tests/integration/harness.py: a wait ends with what it waits for, so a long one costs only failures. */
export const PATIENCE = Number(process.env.SEKISHO_PATIENCE ?? 3);
/** The most milliseconds that a page's element or navigation is waited for. */
export const PAGE_MS = 20000 * PATIENCE;

/** Why the tests cannot run here, or false. */
export const skip = existsSync(CHROMIUM) ? false : "chromium is not installed: deploy/deps test";

/** playwright-core from the viewer's lock file, installed below the build folder. */
export function playwright() {
	const modules = join(build, "test-modules");
	execFileSync(join(source, "viewer", "build"), ["--modules", modules], { stdio: ["ignore", "ignore", "inherit"] });
	return createRequire(join(modules, "package.json"))("playwright-core");
}

export class Office {
	#child;
	#lines;

	/**
	 * @param {Record<string, unknown>} [settings] of the gateway
	 * @param {{headed?: boolean}} [options] headed: a window on a screen of its own, for real keys
	 */
	static async start(settings = {}, { headed = false } = {}) {
		const office = new Office();
		Object.assign(office, await office.ask("start", settings));
		office.url = `https://localhost:${office.port}/`;
		office.browser = await playwright().chromium.launch({
			executablePath: CHROMIUM,
			headless: !headed,
			...(headed ? { env: { ...process.env, DISPLAY: await office.ask("laptop") } } : {}),
			args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
				"--disable-component-update", "--disable-sync"],
		});
		return office;
	}

	constructor() {
		this.#child = spawn(join(here, "office.py"), [], {
			env: { ...process.env, SEKISHO_SOURCE: source, SEKISHO_BUILD: build, PYTHONDONTWRITEBYTECODE: "1" },
			stdio: ["pipe", "pipe", "inherit"],
		});
		this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
	}

	/** One request to office.py; one at a time. */
	async ask(name, values = {}) {
		this.#child.stdin.write(JSON.stringify({ do: name, ...values }) + "\n");
		const { value, done } = await this.#lines.next();
		assert.ok(!done, "office.py has ended");
		const answer = JSON.parse(value);
		assert.ok(!answer.error, answer.error);
		return answer.ok;
	}

	/** Stops everything; fails when a process left a sanitizer's report or did not end. */
	async stop() {
		await this.browser?.close();
		const log = await this.ask("log");
		const wrong = await this.ask("stop");
		this.#child.stdin.end();
		if (wrong.length)
			console.error(log);
		assert.deepEqual(wrong, []);
	}

	/**
	 * A page of a browser that has this person's certificate (or none).
	 * @param {{cert: string, key: string} | null} person
	 */
	async page(person, options = {}) {
		const origin = `https://localhost:${this.port}`;
		const context = await this.browser.newContext({
			ignoreHTTPSErrors: true,
			viewport: { width: 1280, height: 840 },
			locale: "ja-JP",
			/* Whatever is shown is the office's time. */
			timezoneId: "America/New_York",
			...(person ? { clientCertificates: [{ origin, certPath: person.cert, keyPath: person.key }] } : {}),
			...options,
		});
		const page = await context.newPage();
		page.setDefaultTimeout(PAGE_MS);
		page.problems = [];
		page.on("pageerror", (error) => page.problems.push(String(error)));
		page.on("console", (message) => {
			if (message.type() === "error")
				page.problems.push(message.text());
		});
		return page;
	}

	/**
	 * Chromium as a person has it at home: a profile of its own, certificates in the system's store (NSS), and a
	 * window on the laptop's screen, where dialogs can be answered by keys. Nothing is trusted beforehand.
	 */
	async ownBrowser(options = {}) {
		const home = join(this.dir, "home");
		const store = join(home, ".pki", "nssdb");
		mkdirSync(store, { recursive: true });
		execFileSync("certutil", ["-d", `sql:${store}`, "-N", "--empty-password"]);
		const context = await playwright().chromium.launchPersistentContext(join(home, "profile"), {
			executablePath: CHROMIUM,
			headless: false,
			viewport: null,
			locale: "ja-JP",
			env: { ...process.env, HOME: home, DISPLAY: await this.ask("laptop") },
			args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
				"--disable-component-update", "--disable-sync", "--password-store=basic"],
			...options,
		});
		const page = context.pages()[0];
		page.setDefaultTimeout(PAGE_MS);
		return { context, page, store };
	}

	/** A page that is logged in and shows the menu. */
	async loggedIn(person, options = {}, landing = "menu") {
		const page = await this.page(person, options);
		await page.goto(this.url);
		await this.login(page, person, landing);
		return page;
	}

	async login(page, person, landing = "menu") {
		await view(page, "login");
		await page.fill("#account", person.name);
		await page.fill("#password", person.password);
		await page.click("#login");
		await view(page, "code");
		await page.fill("#code", await this.ask("code", { name: person.name }));
		await view(page, landing);
	}

	/** Opens a PC from the menu and waits for its picture. */
	async openDesktop(page, number) {
		await page.click(`[data-host="${number}"] .host-open`);
		await view(page, "desktop");
		await page.waitForSelector('body[data-connection="online"]');
	}

	/** An auditor opens the recording of a PC out of the list. */
	async openRecording(page, account, pc) {
		await page.click(`#recordings-rows tr:has(.cell-pc:text-is("${pc}")) .recording-open`);
		await page.fill("#opening-purpose", "11月分の定例確認");
		await page.fill("#opening-code", await this.ask("fresh_code", { name: account }));
		await page.click("#opening-submit");
		await until("the player, or why it does not open", async () => await page.getAttribute("body", "data-view") === "player" ||
			await page.isVisible("#opening-error"));
		assert.equal(await page.textContent("#opening-error"), "");
	}

	/** Until the canvas shows exactly what the PC's screen shows. */
	async untilSamePicture(page, pc, seconds = 30) {
		const end = Date.now() + seconds * 1000 * PATIENCE;
		let last = "";
		/* Until its viewer has moved the pointer, a VNC server paints it into the picture. */
		for (const place of [5, 9])
			await page.hover("canvas#desktop", { position: { x: place, y: place } });
		while (Date.now() < end) {
			const real = await this.ask("picture", { name: pc });
			const shown = await canvas(page);
			last = difference(shown, { ...real, rgb: readFileSync(real.file) });
			if (!last)
				return;
			await new Promise((done) => setTimeout(done, 200));
		}
		assert.fail(`the canvas is not the PC's screen: ${last}`);
	}
}

/** Until body[data-view] is name. */
export function view(page, name) {
	return page.waitForSelector(`body[data-view="${name}"]`);
}

/** From now on what the page has loaded has the focus only while it really has it, not always as in other tests. */
export async function realFocus(page) {
	const session = await page.context().newCDPSession(page);
	await session.send("Emulation.setFocusEmulationEnabled", { enabled: false });
}

/** A time as the office's clocks have it: "2026-11-22 13:05". */
export function officeTime(ms) {
	return new Intl.DateTimeFormat("sv", { timeZone: "Asia/Tokyo", dateStyle: "short", timeStyle: "short" }).format(ms);
}

/** The pixels of the page's canvas as R, G, B bytes. */
export async function canvas(page, selector = "canvas#desktop") {
	const { width, height, base64 } = await page.evaluate(async (where) => {
		const element = document.querySelector(where);
		const bitmap = await createImageBitmap(element);
		const copy = new OffscreenCanvas(bitmap.width, bitmap.height);
		const context = copy.getContext("2d", { willReadFrequently: true });
		context.drawImage(bitmap, 0, 0);
		const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
		const rgb = new Uint8Array(bitmap.width * bitmap.height * 3);
		for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
			rgb[to] = data[from];
			rgb[to + 1] = data[from + 1];
			rgb[to + 2] = data[from + 2];
		}
		let text = "";
		for (let at = 0; at < rgb.length; at += 0x8000)
			text += String.fromCharCode(...rgb.subarray(at, at + 0x8000));
		return { width: bitmap.width, height: bitmap.height, base64: btoa(text) };
	}, selector);
	return { width, height, rgb: Buffer.from(base64, "base64") };
}

/** What has happened, in the order of the player's list. */
export function happenings(page) {
	return page.$$eval("#player-events-list .event-title", (all) => all.map((one) => one.textContent));
}

function difference(shown, real) {
	if (shown.width !== real.width || shown.height !== real.height)
		return `${shown.width}x${shown.height} instead of ${real.width}x${real.height}`;
	if (shown.rgb.equals(real.rgb))
		return "";
	let wrong = 0;
	for (let at = 0; at < real.rgb.length; at += 3)
		if (shown.rgb[at] !== real.rgb[at] || shown.rgb[at + 1] !== real.rgb[at + 1] ||
			shown.rgb[at + 2] !== real.rgb[at + 2])
			wrong++;
	return `${wrong} pixels differ`;
}

/** The first true value of condition(), or a failure; seconds on a machine that does nothing else. */
export async function until(what, condition, seconds = 20) {
	const end = Date.now() + seconds * 1000 * PATIENCE;
	for (;;) {
		const value = await condition();
		if (value)
			return value;
		assert.ok(Date.now() < end, `waited ${seconds * PATIENCE} s for ${what}`);
		await new Promise((done) => setTimeout(done, 100));
	}
}
