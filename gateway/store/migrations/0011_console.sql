-- For whom and what for a session was opened, as the person said; '' for nothing.
ALTER TABLE session ADD COLUMN client TEXT NOT NULL DEFAULT '' CHECK (length(client) <= 256);

-- Auditors look through sessions by time, of everybody, of one person, on one PC or from one device.
CREATE INDEX session_started ON session (started);
DROP INDEX session_account;
CREATE INDEX session_account ON session (account, started);
DROP INDEX session_device;
CREATE INDEX session_device ON session (device, started);
CREATE INDEX session_pc ON session (host_name, started);

-- And through the audit log, by time, in one of four lists. The condition of an index is that of its view
-- word by word, else SQLite does not use it.
CREATE INDEX audit_logins ON audit (time_ms) WHERE event IN ('login-password', 'login', 'login-failed', 'login-locked',
	'logout', 'unlock', 'session-refused', 'session-watch-refused', 'enrol-refused', 'recording-refused', 'audit-refused', 'record-refused');
CREATE VIEW audit_list_logins AS SELECT * FROM audit WHERE event IN ('login-password', 'login', 'login-failed', 'login-locked',
	'logout', 'unlock', 'session-refused', 'session-watch-refused', 'enrol-refused', 'recording-refused', 'audit-refused', 'record-refused');

CREATE INDEX audit_watching ON audit (time_ms) WHERE event IN ('recording-open', 'recording-closed', 'recording-refused',
	'recording-note', 'recording-note-withdrawn', 'recording-export', 'recording-exported', 'recording-export-failed', 'session-watch',
	'session-watch-end', 'session-watch-refused', 'session-terminated', 'control-asked', 'control-given', 'control-refused',
	'control-ended', 'audit-report', 'audit-refused');
CREATE VIEW audit_list_watching AS SELECT * FROM audit WHERE event IN ('recording-open', 'recording-closed', 'recording-refused',
	'recording-note', 'recording-note-withdrawn', 'recording-export', 'recording-exported', 'recording-export-failed', 'session-watch',
	'session-watch-end', 'session-watch-refused', 'session-terminated', 'control-asked', 'control-given', 'control-refused',
	'control-ended', 'audit-report', 'audit-refused');

-- What was disposed of says no more how it ended, and leaves this list.
CREATE INDEX audit_alarms ON audit (time_ms) WHERE event IN ('audit-alarm', 'audit-alarm-accepted', 'login-locked',
	'ca-refused', 'vault-refused', 'vault-damaged', 'vault-rolled-back', 'vault-disposed-again',
	'document-quarantined', 'session-refused')
	OR event = 'recording-end' AND (instr(detail, '"state":"cut"') > 0 OR instr(detail, '"state":"lost"') > 0)
	OR event = 'session-end' AND (instr(detail, '"reason":"crashed"') > 0 OR instr(detail, '"reason":"recording"') > 0);
CREATE VIEW audit_list_alarms AS SELECT * FROM audit WHERE event IN ('audit-alarm', 'audit-alarm-accepted', 'login-locked',
	'ca-refused', 'vault-refused', 'vault-damaged', 'vault-rolled-back', 'vault-disposed-again',
	'document-quarantined', 'session-refused')
	OR event = 'recording-end' AND (instr(detail, '"state":"cut"') > 0 OR instr(detail, '"state":"lost"') > 0)
	OR event = 'session-end' AND (instr(detail, '"reason":"crashed"') > 0 OR instr(detail, '"reason":"recording"') > 0);

-- Everything else is an administrator's, so that a new event is not missed because nobody has put it into a list.
CREATE INDEX audit_acts ON audit (time_ms) WHERE event NOT IN ('login-password', 'login', 'login-failed', 'login-locked',
	'logout', 'unlock', 'session-refused', 'enrol-refused', 'audit-refused', 'audit-report', 'recording-open',
	'recording-closed', 'recording-refused', 'recording-note', 'recording-note-withdrawn', 'recording-export', 'recording-exported',
	'recording-export-failed', 'recording-start', 'recording-mark', 'recording-end', 'session-open', 'session-attach',
	'session-active', 'session-detached', 'session-locked', 'session-end', 'session-watch', 'session-watch-end',
	'session-watch-refused', 'control-asked', 'control-given', 'control-refused', 'control-ended', 'worker-event',
	'host-pinned', 'host-wake', 'device-request', 'device-renew', 'device-key-superseded', 'credentials-forgotten',
	'audit-alarm', 'audit-alarm-accepted', 'record-refused');
CREATE VIEW audit_list_acts AS SELECT * FROM audit WHERE event NOT IN ('login-password', 'login', 'login-failed', 'login-locked',
	'logout', 'unlock', 'session-refused', 'enrol-refused', 'audit-refused', 'audit-report', 'recording-open',
	'recording-closed', 'recording-refused', 'recording-note', 'recording-note-withdrawn', 'recording-export', 'recording-exported',
	'recording-export-failed', 'recording-start', 'recording-mark', 'recording-end', 'session-open', 'session-attach',
	'session-active', 'session-detached', 'session-locked', 'session-end', 'session-watch', 'session-watch-end',
	'session-watch-refused', 'control-asked', 'control-given', 'control-refused', 'control-ended', 'worker-event',
	'host-pinned', 'host-wake', 'device-request', 'device-renew', 'device-key-superseded', 'credentials-forgotten',
	'audit-alarm', 'audit-alarm-accepted', 'record-refused');

-- Whether a person was there with a device or at an address before.
CREATE INDEX audit_login_device ON audit (account, device) WHERE event = 'login';
CREATE INDEX audit_login_address ON audit (account, address) WHERE event = 'login';

-- What an auditor looks for again and again: a list and its fields, as the page keeps them in an address.
CREATE TABLE saved_filter (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL REFERENCES account (id),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	query TEXT NOT NULL CHECK (length(query) BETWEEN 1 AND 1024),
	UNIQUE (account, name)
) STRICT;
