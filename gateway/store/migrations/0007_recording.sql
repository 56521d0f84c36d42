-- Certificates that recordings are sealed to. kind: enum auditor_kind. fingerprint: SHA-256 of the DER.
-- state: 1 in use, 2 revoked. A row stays for life: recordings of its time can be opened with it.
CREATE TABLE auditor (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
	certificate BLOB NOT NULL CHECK (length(certificate) BETWEEN 1 AND 8192),
	fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
	not_after INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state IN (1, 2)),
	created INTEGER NOT NULL,
	revoked INTEGER NOT NULL DEFAULT 0
) STRICT;

-- state: enum recording_state. chunks, size and hash: as the worker reported them last, and the size of the
-- file when it was closed. hold: disposal must not touch it.
CREATE TABLE recording (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	session BLOB NOT NULL UNIQUE REFERENCES session (id),
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
	keys INTEGER NOT NULL CHECK (keys IN (0, 1)),
	started_ms INTEGER NOT NULL,
	ended_ms INTEGER NOT NULL DEFAULT 0,
	size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
	chunks INTEGER NOT NULL DEFAULT 0 CHECK (chunks >= 0),
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	hold INTEGER NOT NULL DEFAULT 0 CHECK (hold IN (0, 1))
) STRICT;
CREATE INDEX recording_state ON recording (state);
