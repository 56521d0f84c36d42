/*
 * The codes of the audit log that have words in viewer/locale.
 */

/** @typedef {import("../core/audit.js").Entry} Entry */

/* Of a session: what it can be filtered by, and what its row tells. */
export const SESSION_EVENTS = Object.freeze(["clipboard-blocked", "channel-refused", "session-locked", "recording-open",
	"session-watch", "control-given", "recording-export", "session-terminated", "viewer-protocol"]);

/* Workers tell of these; under another name of ours they would make up an entry. */
export const WORKER_EVENTS = Object.freeze(["channel-refused", "clipboard-blocked", "viewer-protocol"]);

/* Of the vault's records: wire/record_ops.def, and what the vault tells of. */
const RECORD_EVENTS = ["client-add", "record-show", "record-change", "record-number", "record-find", "record-reveal", "record-version", "record-remove",
	"record-restore", "record-end", "record-hold", "record-dispose", "record-failed", "request-add", "request-submit",
	"request-approve", "request-refuse", "request-withdraw", "purpose-add", "purpose-retire", "class-add",
	"class-change", "template-set", "grant-set", "grant-copy-ask", "grant-copy-apply", "grant-copy-drop", "group-add",
	"group-change", "group-rename", "group-drop", "document-upload", "document-download", "document-preview",
	"document-remove", "document-restore", "document-discard", "document-closed",
	"import-begin", "import-ask", "import-rows", "import-apply", "import-cancel", "export-make",
	"glass-ask", "glass-confirm", "glass-refuse", "glass-end", "glass-look"];

/* Of the log's lists. */
export const LIST_EVENTS = Object.freeze({
	logins: ["login", "login-password", "login-failed", "login-locked", "logout", "unlock", "session-refused",
		"session-watch-refused", "enrol-refused", "recording-refused", "audit-refused", "record-refused"],
	acts: ["account-add", "account-password", "account-totp", "account-unlock", "account-disable", "account-enable",
		"account-watch", "account-duty", "host-add", "host-set", "host-remove", "host-grant", "host-grant-view", "host-deny",
		"host-credentials", "host-forget-pin", "device-invite", "device-withdraw", "device-approve", "device-refuse",
		"device-enrol", "device-revoke", "device-retire", "device-unlock", "device-share", "device-unshare",
		"device-export", "auditor-certify", "auditor-revoke", "vault-init", "vault-unseal", "vault-seal", "vault-unsealed",
		"vault-sealed", "vault-refused",
		"vault-recover", "vault-rotate", "vault-shares", "vault-check", "vault-passphrase", "vault-machine", "vault-token",
		"vault-renewed", "ca-init", "ca-unlock", "ca-rotate", "ca-take-root", "ca-changed", "ca-refused",
		"gateway-key", "gateway-rekey", "retention-set", "recording-hold", "recording-release", "recording-disposed", "audit-disposed", "session-terminate",
		...RECORD_EVENTS],
	watching: ["recording-open", "recording-closed", "recording-refused", "recording-note", "recording-note-withdrawn", "recording-export",
		"recording-exported", "recording-export-failed", "session-watch", "session-watch-end", "session-watch-refused",
		"session-terminated", "control-asked", "control-given", "control-refused", "control-ended", "audit-report",
		"audit-refused"],
	alarms: ["audit-alarm", "audit-alarm-accepted", "login-locked", "session-refused", "recording-end", "session-end",
		"ca-refused", "vault-refused", "vault-damaged", "vault-rolled-back", "vault-disposed-again",
		"document-quarantined", "glass-ask", "glass-confirm", "glass-refuse", "glass-end"],
});

/* What else stands in a session's entries. */
const OTHERS = ["session-open", "session-attach", "session-active", "session-detached", "session-end", "recording-start",
	"recording-mark", "recording-end", "worker-event", "host-pinned", "host-wake", "device-request", "device-renew",
	"device-key-superseded", "credentials-forgotten"];

/** All that have words. */
export const AUDIT_EVENTS = Object.freeze([...new Set([...SESSION_EVENTS, ...Object.values(LIST_EVENTS).flat(), ...OTHERS])]);

/* What of an entry's detail is worth a word, and in which order. */
export const DETAILS = Object.freeze(["glass", "asked_by", "agreed_by", "purpose", "purpose_name", "client", "record", "document", "table", "row", "version", "found", "reason", "error", "field", "kind", "state", "host", "name", "owner", "user",
	"account", "monitor", "list", "form", "person", "pc", "recipient", "seconds", "verdict", "step", "uid"]);

/* Codes in a detail that have words of their own there. */
export const VALUES = Object.freeze({ error: ["login", "denied", "not-found", "invalid", "state", "locked", "throttled", "expired",
	"unavailable", "full"], kind: ["person", "house", "people", "clients", "client", "record"], form: ["csv", "print"], step: ["password", "code"] });

/**
 * What a worker told of has its own name inside.
 * @param {Entry} entry
 * @returns {string}
 */
export function nameOf({ event, detail }) {
	const inner = event === "worker-event" ? detail.event : undefined;
	return typeof inner === "string" && WORKER_EVENTS.includes(inner) ? inner : event;
}
