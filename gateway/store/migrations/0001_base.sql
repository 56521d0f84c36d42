-- The gateway's tables. Lengths are checked here once more, so that the database refuses on its own
-- what slipped past the program. INTEGER times are seconds since 1970 UTC unless the name ends in
-- _ms. Identifiers are never used twice: the audit log refers to them.

CREATE TABLE account (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	full_name TEXT NOT NULL CHECK (length(full_name) <= 128),
	role INTEGER NOT NULL CHECK (role IN (1, 2)),
	password TEXT NOT NULL CHECK (length(password) BETWEEN 1 AND 255),
	totp BLOB CHECK (length(totp) BETWEEN 1 AND 256),
	totp_last INTEGER NOT NULL DEFAULT 0,
	failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
	next_try_ms INTEGER NOT NULL DEFAULT 0,
	locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
	disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
	created INTEGER NOT NULL
) STRICT;

-- state: 1 active, 2 revoked, 3 locked. device_key is SHA-256 of the SubjectPublicKeyInfo.
CREATE TABLE device (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	device_key BLOB NOT NULL UNIQUE CHECK (length(device_key) = 32),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
	owner INTEGER NOT NULL REFERENCES account (id),
	serial BLOB NOT NULL CHECK (length(serial) BETWEEN 1 AND 20),
	not_after INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
	failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
	next_try_ms INTEGER NOT NULL DEFAULT 0,
	seen INTEGER NOT NULL DEFAULT 0,
	seen_address TEXT NOT NULL DEFAULT '' CHECK (length(seen_address) <= 64),
	created INTEGER NOT NULL
) STRICT;
CREATE INDEX device_owner ON device (owner);

CREATE TABLE host (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	protocol INTEGER NOT NULL CHECK (protocol IN (1, 2)),
	security INTEGER NOT NULL CHECK (security BETWEEN 0 AND 4),
	address TEXT NOT NULL CHECK (length(address) BETWEEN 1 AND 255),
	port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
	mac BLOB CHECK (length(mac) = 6),
	broadcast TEXT NOT NULL CHECK (length(broadcast) BETWEEN 1 AND 64),
	tls_ca BLOB CHECK (length(tls_ca) BETWEEN 1 AND 16384),
	pin BLOB CHECK (length(pin) = 32),
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE host_grant (
	account INTEGER NOT NULL REFERENCES account (id),
	host INTEGER NOT NULL REFERENCES host (id) ON DELETE CASCADE,
	view_only INTEGER NOT NULL CHECK (view_only IN (0, 1)),
	PRIMARY KEY (account, host)
) STRICT;
CREATE INDEX host_grant_host ON host_grant (host);

-- The three values are sealed (broker/sealed.h).
CREATE TABLE host_credential (
	account INTEGER NOT NULL REFERENCES account (id),
	host INTEGER NOT NULL REFERENCES host (id) ON DELETE CASCADE,
	user_name BLOB NOT NULL CHECK (length(user_name) BETWEEN 1 AND 320),
	domain BLOB NOT NULL CHECK (length(domain) BETWEEN 1 AND 320),
	password BLOB NOT NULL CHECK (length(password) BETWEEN 1 AND 320),
	PRIMARY KEY (account, host)
) STRICT;
CREATE INDEX host_credential_host ON host_credential (host);

-- token is SHA-256 of the cookie's value. state: 1 password was right, 2 logged in.
CREATE TABLE login (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
	account INTEGER NOT NULL REFERENCES account (id),
	device INTEGER NOT NULL REFERENCES device (id),
	state INTEGER NOT NULL CHECK (state IN (1, 2)),
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	used INTEGER NOT NULL
) STRICT;
CREATE INDEX login_account ON login (account);
CREATE INDEX login_device ON login (device);

-- The host may be removed later, the session's row stays. state and reason: wire/enums.def.
CREATE TABLE session (
	id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	account INTEGER NOT NULL REFERENCES account (id),
	device INTEGER NOT NULL REFERENCES device (id),
	host INTEGER NOT NULL,
	host_name TEXT NOT NULL CHECK (length(host_name) BETWEEN 1 AND 64),
	view_only INTEGER NOT NULL CHECK (view_only IN (0, 1)),
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
	reason INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 255),
	started INTEGER NOT NULL,
	until INTEGER NOT NULL,
	ended INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX session_state ON session (state);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_device ON session (device);

-- Append-only. Names and numbers are written out rather than referenced: an entry says what was true
-- then.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY CHECK (seq >= 1),
	time_ms INTEGER NOT NULL,
	event TEXT NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
	account TEXT NOT NULL CHECK (length(account) <= 64),
	device INTEGER NOT NULL,
	address TEXT NOT NULL CHECK (length(address) <= 64),
	host INTEGER NOT NULL,
	session TEXT NOT NULL CHECK (length(session) IN (0, 32)),
	detail TEXT NOT NULL CHECK (length(detail) BETWEEN 2 AND 2048),
	prev BLOB NOT NULL CHECK (length(prev) = 32),
	hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

-- No gaps, no forks, and no REPLACE, which deletes without asking the trigger above.
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)
	OR (NEW.seq > 1 AND NEW.prev IS NOT (SELECT hash FROM audit WHERE seq = NEW.seq - 1))
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
