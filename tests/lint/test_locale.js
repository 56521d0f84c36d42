#!/usr/bin/env node
/*
 * The texts of the portal: both languages complete, nothing unused, nothing missing for any code the gateway
 * can send, and no visible text outside of viewer/locale.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";

const { SEKISHO_BUILD: build, SEKISHO_SOURCE: source } = process.env;
if (!build || !source)
	throw new Error("set SEKISHO_BUILD and SEKISHO_SOURCE, or run this with ctest");

const load = (path) => import(pathToFileURL(join(build, "share", "viewer", path)).href);
const { default: ja } = await load("locale/ja.js");
const { default: en } = await load("locale/en.js");
const { CLIPBOARD_WAY, DOCUMENT_END, END_REASON, EXPORT_ERROR, PLAY_ERROR, VERDICT } = await load("core/messages.js");
const { EVENTS } = await load("player/happening_names.js");
const { AUDIT_EVENTS, DETAILS, VALUES } = await load("portal/audit_names.js");
const { ENROL_STATE, KEY_PLACE } = await load("core/messages.js");
const { DISPOSALS } = await load("core/admin.js");
const { COMBINATIONS, JAPANESE_KEYS } = await load("core/keymap.js");

function sources(ending) {
	const files = {};
	for (const folder of ["core", "portal", "player", "enrol", "vault"]) {
		for (const name of readdirSync(join(source, "viewer", folder))) {
			if (name.endsWith(ending))
				files[`${folder}/${name}`] = readFileSync(join(source, "viewer", folder, name), "utf8");
		}
	}
	return files;
}

const scripts = sources(".js");
const pages = sources(".html");

/* Comments may be in any language; what is in quotes is shown. */
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");

/** Codes of gateway/base/err.h, and those the protocol and the page add. */
function errorCodes() {
	const table = readFileSync(join(source, "gateway", "base", "err.h"), "utf8");
	const codes = [...table.matchAll(/X\(ERR_\w+, "([a-z-]+)"/g)].map((match) => match[1]);
	assert.ok(codes.length >= 20, "err.h is read");
	return [...codes, "credentials", "network", "unknown"];
}

/** Keys that are put together from a code when the page runs. */
function madeUp() {
	const reasons = [...Object.values(END_REASON), "unknown"];
	return [
		...errorCodes().map((code) => `error.${code}`),
		...reasons.flatMap((code) => [`reason.${code}`, `reason.${code}.help`]),
		/* host.state and session.state of docs/protocol.md §1 */
		...["reachable", "asleep", "unreachable", "unknown", "waking"].map((code) => `host.${code}`),
		...["starting", "connecting", "active"].map((code) => `connecting.${code}`),
		...[...Object.keys(COMBINATIONS), ...Object.keys(JAPANESE_KEYS)].map((name) => `keys.${name}`),
		/* docs/protocol.md §2 */
		...["code", "expired", "used", "denied", "refused", "key", "csr", "challenge", "unavailable", "full",
			"timeout"].map((code) => `enrol.error.${code}`),
		...["refused", "denied", "devices", "expired", "used", "code"].flatMap((name) =>
			[`enrol.end.${name}.title`, `enrol.end.${name}.next`]),
		...["file", "request"].map((kind) => `enrol.wait-close-${kind}`),
		/* docs/protocol.md §6 */
		...["starting", "connecting", "active", "detached", "locked", "unknown"].map((code) => `live-state.${code}`),
		...["looking", "asking", "controlling", "connecting", "away", "locked", "over", "broken", "failed"].map((code) =>
			`watch-state.${code}`),
		...["none", "gateway", "ended", "replaced", "logout", "revoked-account", "revoked-device", "terminated"].map((code) =>
			`watch-over.${code}`),
		...["watch", "ending"].flatMap((name) => [`live.${name}-what`, `live.need-${name}`]),
		...["connecting", "away", "locked", "over"].map((name) => `watch.${name}`),
		...["connecting", "away", "locked"].map((name) => `watch.${name}-text`),
		/* docs/protocol.md §3 */
		...[...Object.values(ENROL_STATE), "unknown"].map((code) => `invitation.${code}`),
		...Object.values(KEY_PLACE).map((code) => `key-place.${code}`),
		...["active", "locked", "revoked", "expired", "retired", "unknown"].map((code) => `device-state.${code}`),
		...DISPOSALS.map((code) => `disposal.${code}`),
		...["revoke", "retire", "unlock", "share", "unshare"].flatMap((name) => [`device.${name}`, `device.${name}-text`]),
		...["unsealed", "sealed", "empty", "silent", "by-passphrase", "by-sheets", "by-machine", "by-token"].map((name) =>
			`vault.${name}`),
		...["refuse", "withdraw", "revoke", "retire", "unlock", "share", "unshare", "seal"].flatMap((name) =>
			[`order.${name}.title`, `order.${name}.text`, `order.${name}.confirm`]),
		/* docs/audit.md */
		...AUDIT_EVENTS.map((code) => `audit-event.${code}`),
		...DETAILS.map((name) => `audit-detail.${name}`),
		...["hours", "row", "device", "address", "blocked"].map((rule) => `report.finding-${rule}`),
		/* docs/protocol.md §1 and §5, docs/recording.md */
		...["open", "ended", "cut", "lost", "disposed", "unknown"].map((code) => `recording-state.${code}`),
		...Object.values(VERDICT).flatMap((code) => [`verdict.${code}`, `verdict-means.${code}`]),
		...["no-end", "part-of-chunk", "live", "no-marks", "changed", "missing", "added", "damaged", "marks", "too-long",
			"unknown"].map((code) => `fault.${code}`),
		...[...Object.values(PLAY_ERROR).filter((code) => code !== "damaged"), "lost", "broken", "failed"].flatMap((code) =>
			[`player-end.${code}`, `player-end-help.${code}`]),
		/* docs/protocol.md §6, viewer/player/export_run.js */
		...[...Object.values(EXPORT_ERROR).filter((code) => code !== "none"), "cancelled", "disk", "lost", "refused",
			"broken"].map((code) => `export-end.${code}`),
		/* docs/audit.md */
		...["rolled-back", "fork", "signature", "key", "withheld"].map((code) => `audit.alarm.${code}`),
		...["rolled-back", "fork", "signature", "key", "contradiction", "accepted", "withheld", "unknown"].map((code) => `audit.kind.${code}`),
		...Object.entries(VALUES).flatMap(([name, codes]) => codes.map((code) => name === "kind" ? `audit.kind.${code}` : `audit-${name}.${code}`)),
		...Object.keys(EVENTS).map((name) => `event.${name}`),
		...["state", "full", "too-big", "not-found"].map((code) => `note-error.${code}`),
		...Object.values(CLIPBOARD_WAY).map((code) => `clipboard.${code}`),
		...["broken", "failed"].flatMap((name) => [`${name}.title`, `${name}.text`]),
		/* docs/protocol.md §9 */
		...["missing", "too-long", "invalid", "digits", "check-digit", "unknown-kind", "unknown-client", "unknown-parent", "unknown-purpose",
			"unknown-class", "unknown-field", "double-file", "double-vault", "cells", "quotes", "encoding", "too-big", "rows", "unknown-column",
			"double-column"].map((code) => `import-error.${code}`),
		...[...Object.values(DOCUMENT_END).filter((code) => code !== "none"), "lost", "broken", "cancelled", "unread"].map((code) => `document-end.${code}`),
		/* docs/protocol.md §1, GET /api/me */
		...["vault-sealed", "vault-rolled-back", "vault-damaged", "vault-disposed-again", "document-quarantined"].map((code) => `vault-trouble.${code}`),
	];
}

function used() {
	const keys = new Set(madeUp());
	for (const text of Object.values(scripts)) {
		for (const match of withoutComments(text).matchAll(/"([a-z]+(?:[.-][a-z0-9-]+)+)"/g)) {
			if (match[1] in ja)
				keys.add(match[1]);
		}
	}
	for (const text of Object.values(pages)) {
		for (const match of text.matchAll(/data-t(?:-label|-title|-placeholder|-in)?="([^"]*)"/g))
			keys.add(match[1]);
	}
	return keys;
}

test("both languages have the same keys, none of them empty", () => {
	assert.deepEqual(Object.keys(en).filter((key) => !(key in ja)), [], "not in ja.js");
	assert.deepEqual(Object.keys(ja).filter((key) => !(key in en)), [], "not in en.js");
	for (const texts of [ja, en])
		assert.deepEqual(Object.keys(texts).filter((key) => !texts[key].trim()), []);
});

test("a translation has the same values to fill in", () => {
	/* "Log in" / "to {office}" and the like: the names must agree, their order not. */
	const names = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
	for (const key of Object.keys(ja))
		assert.deepEqual(names(en[key]), names(ja[key]), key);
});

test("every key that is used exists", () => {
	const missing = [...used()].filter((key) => !(key in ja));
	for (const [file, text] of Object.entries(scripts)) {
		for (const match of withoutComments(text).matchAll(/\bt\("([^"]+)"/g)) {
			if (!(match[1] in ja))
				missing.push(`${file}: ${match[1]}`);
		}
	}
	assert.deepEqual(missing, []);
});

test("every key is used", () => {
	const keys = used();
	assert.deepEqual(Object.keys(ja).filter((key) => !keys.has(key)), []);
});

test("pages have no text of their own", () => {
	for (const [file, text] of Object.entries(pages)) {
		const visible = text.replace(/<!--[\s\S]*?-->/g, "")
			/* Names of languages and systems, commands, and the line for browsers without scripts. */
			.replace(/<(noscript|option|title|code|dt|symbol)\b[\s\S]*?<\/\1>/g, "")
			.replace(/<span class="tool-glyph"[^>]*>あ<\/span>/g, "")
			.replace(/<[^>]*>/g, "").replace(/[\s×]+/g, " ").trim();
		assert.equal(visible, "", file);
		for (const attribute of ["title", "aria-label", "placeholder", "alt"]) {
			for (const match of text.matchAll(new RegExp(`\\s${attribute}="([^"]+)"`, "g")))
				assert.fail(`${file}: ${attribute}="${match[1]}"`);
		}
	}
});

test("scripts have no text of their own", () => {
	for (const [file, text] of Object.entries(scripts)) {
		const japanese = withoutComments(text).match(/[\u3040-\u30ff\u4e00-\u9fff\uff01-\uff5e].*/);
		assert.equal(japanese, null, `${file}: ${japanese?.[0]}`);
		const shown = withoutComments(text).match(/(textContent|title|innerText) = "[^"]/);
		assert.equal(shown, null, `${file}: ${shown?.[0]}`);
		assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(text), `${file} writes HTML`);
	}
});

test("ids are unique in a page, and what points at them exists", () => {
	for (const [file, text] of Object.entries(pages)) {
		const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
		assert.deepEqual(ids.filter((id, at) => ids.indexOf(id) !== at), [], file);
		for (const match of text.matchAll(/\s(?:for|aria-labelledby|aria-describedby|aria-controls|data-reveal)="([^"]+)"/g))
			assert.ok(ids.includes(match[1]), `${file}: #${match[1]}`);
	}
});
