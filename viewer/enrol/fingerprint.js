/*
 * The office's CA as this port offers it: its fingerprint in the groups of the sheet of paper, and its file.
 */
import { offer } from "./download.js";
import { byId } from "./portal/dom.js";
import { onLanguage, t } from "./portal/i18n.js";

const PAIRS_IN_LINE = 8;

/** @type {"waiting" | "failed" | string[]} */
let pairs = "waiting";

/**
 * The DER bytes of a PEM certificate (RFC 7468).
 * @param {string} pem
 */
function fromPem(pem) {
	const match = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem);
	if (!match)
		throw new Error("not a PEM certificate");
	return Uint8Array.from(atob(match[1].replace(/\s/g, "")), (character) => character.charCodeAt(0));
}

async function read() {
	try {
		const answer = await fetch("/ca.crt", { cache: "no-store" });
		if (!answer.ok)
			throw new Error(`ca.crt: ${answer.status}`);
		const pem = await answer.text();
		const hash = await crypto.subtle.digest("SHA-256", fromPem(pem));
		/* What was read here is saved: a download may need a connection of its own, for which Chromium does not
		 * heed that the person went on after the warning. */
		offer(/** @type {HTMLAnchorElement} */ (byId("ca-download")), pem, "application/x-pem-file");
		pairs = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
	} catch {
		pairs = "failed";
	}
	show();
}

function show() {
	let text = "";
	if (pairs === "waiting")
		text = t("enrol.ca-waiting");
	else if (pairs === "failed")
		text = t("enrol.ca-failed");
	else
		for (let at = 0; at < pairs.length; at += PAIRS_IN_LINE)
			text += `${at ? "\n" : ""}${/** @type {string[]} */ (pairs).slice(at, at + PAIRS_IN_LINE).join(" ")}`;
	byId("fingerprint").textContent = text;
}

export function startFingerprint() {
	onLanguage(show);
	void read();
}
