/*
 * The enrolment page: how to get the device's certificate and how to trust the office's CA. The build puts
 * the few shared files below enrol/, since the enrolment port offers nothing else.
 */
import { byId } from "./portal/dom.js";
import { onLanguage, startLanguage, t } from "./portal/i18n.js";

/** @type {"waiting" | "failed" | readonly string[]} */
let fingerprint = "waiting";

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

async function readFingerprint() {
	try {
		const answer = await fetch("/ca.crt", { cache: "no-store" });
		if (!answer.ok)
			throw new Error(`ca.crt: ${answer.status}`);
		const hash = await crypto.subtle.digest("SHA-256", fromPem(await answer.text()));
		fingerprint = [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
	} catch {
		fingerprint = "failed";
	}
	show();
}

function show() {
	document.title = `${t("enrol.title")} – ${t("app.name")}`;
	byId("fingerprint").textContent = fingerprint === "waiting" ? t("enrol.ca-waiting") :
		fingerprint === "failed" ? t("enrol.ca-failed") :
		`${fingerprint.slice(0, 16).join(":")}:\n${fingerprint.slice(16).join(":")}`;
}

/** Opens the instructions for the system and browser in front of the person. */
function openOwnSystem() {
	const agent = navigator.userAgent;
	const system = /Firefox\//.test(agent) ? "firefox" : /Windows/.test(agent) ? "windows" :
		/Mac OS X/.test(agent) ? "mac" : "linux";
	document.querySelector(`details[data-system="${system}"]`)?.setAttribute("open", "");
}

onLanguage(show);
startLanguage();
openOwnSystem();
void readFingerprint();
