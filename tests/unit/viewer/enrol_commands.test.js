import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./helpers.js";

const { isFirefox, ownSystem, unixCa, unixEst, windowsInf } = await load("enrol/commands.js");
const { fileName } = await load("enrol/download.js");

test("the system in front of the person", () => {
	const agents = {
		windows: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
		mac: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
		linux: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		ios: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1",
		android: "Mozilla/5.0 (Android 15; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
	};
	for (const [system, agent] of Object.entries(agents))
		assert.equal(ownSystem(agent), system);
	assert.deepEqual(Object.values(agents).map(isFirefox), [false, false, true, false, false]);
});

test("certreq's file: a key that cannot leave, in the TPM or beside it", () => {
	for (const [place, provider] of [["tpm", "Microsoft Platform Crypto Provider"],
		["store", "Microsoft Software Key Storage Provider"]]) {
		const inf = windowsInf(place);
		assert.ok(inf.includes(`ProviderName = "${provider}"\r\n`));
		assert.ok(inf.includes("Exportable = FALSE\r\n"));
		assert.ok(inf.includes("MachineKeySet = FALSE\r\n"));
		assert.ok(inf.split("\r\n").every((line) => !line.includes("\n")));
	}
});

test("the EST command carries address and code, and trusts only the office's CA", () => {
	const command = unixEst("https://gw.example:8443", "ABCD");
	assert.match(command, /--cacert ca\.crt --user file:ABCD \\\n/);
	assert.match(command, /https:\/\/gw\.example:8443\/\.well-known\/est\/simpleenroll/);
	assert.ok(!/--insecure|-k /.test(command));
	/* Only the CA itself is fetched without: its fingerprint is compared. */
	assert.match(unixCa("https://gw.example:8443"),
		/^curl --insecure --output ca\.crt https:\/\/gw\.example:8443\/ca\.crt\nopenssl x509 .*-fingerprint -sha256$/);
});

test("names of devices as names of files", () => {
	assert.equal(fileName("佐藤のノートPC"), "佐藤のノートPC");
	assert.equal(fileName("a/b\\c:d*e?f\"g<h>i|j\u0001"), "a-b-c-d-e-f-g-h-i-j-");
	assert.equal(fileName("..\u0000.. "), "-");
	assert.equal(fileName(" .. "), "sekisho");
});
