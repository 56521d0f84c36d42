-- A device keeps its row for life; certificates come and go with each renewal.
-- state: 1 active, 2 superseded by a newer one, 3 revoked. issuer: the number of the issuing CA. reason:
-- CRLReason of RFC 5280 §5.3.1.
CREATE TABLE certificate (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	device INTEGER NOT NULL REFERENCES device (id),
	device_key BLOB NOT NULL CHECK (length(device_key) = 32),
	serial BLOB NOT NULL UNIQUE CHECK (length(serial) = 16),
	issuer INTEGER NOT NULL CHECK (issuer >= 1),
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	key_type TEXT NOT NULL CHECK (length(key_type) <= 32),
	key_place INTEGER NOT NULL CHECK (key_place BETWEEN 0 AND 4),
	state INTEGER NOT NULL CHECK (state IN (1, 2, 3)),
	revoked INTEGER NOT NULL DEFAULT 0,
	reason INTEGER NOT NULL DEFAULT 0 CHECK (reason BETWEEN 0 AND 10),
	issued INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_device ON certificate (device);
CREATE INDEX certificate_key ON certificate (device_key);

INSERT INTO certificate (device, device_key, serial, issuer, not_before, not_after, key_type, key_place, state,
	revoked, reason, issued)
SELECT id, device_key, serial, 1, created, not_after, '', 0, iif(state = 2, 3, 1), 0, 0, created FROM device;

-- device_key stays in the row as the key of the first enrolment: no other device ever gets in with it.
ALTER TABLE device DROP COLUMN serial;
ALTER TABLE device DROP COLUMN not_after;
ALTER TABLE device ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN revoked_why TEXT NOT NULL DEFAULT '' CHECK (length(revoked_why) <= 200);
-- Disposal: when, how (enum disposal), by whom, and a remark.
ALTER TABLE device ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN disposal INTEGER NOT NULL DEFAULT 0 CHECK (disposal BETWEEN 0 AND 4);
ALTER TABLE device ADD COLUMN retired_by TEXT NOT NULL DEFAULT '' CHECK (length(retired_by) <= 64);
ALTER TABLE device ADD COLUMN remark TEXT NOT NULL DEFAULT '' CHECK (length(remark) <= 200);

-- Names of tables and indexes must differ.
DROP INDEX device_owner;
CREATE INDEX device_first_owner ON device (owner);

-- Who may log in with a device besides its first owner, who has a row here too.
CREATE TABLE device_owner (
	device INTEGER NOT NULL REFERENCES device (id),
	account INTEGER NOT NULL REFERENCES account (id),
	PRIMARY KEY (device, account)
) STRICT;
CREATE INDEX device_owner_account ON device_owner (account);
INSERT INTO device_owner (device, account) SELECT id, owner FROM device;

-- code is SHA-256 of the invitation's code; the code itself is never stored. state: enum enrol_state.
-- kind: 0 nothing asked for yet, 1 a certificate for csr, 2 a PKCS#12 file. The row is also the queue of
-- what waits for an administrator.
CREATE TABLE invite (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	code BLOB NOT NULL UNIQUE CHECK (length(code) = 32),
	account INTEGER NOT NULL REFERENCES account (id),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
	preapproved INTEGER NOT NULL CHECK (preapproved IN (0, 1)),
	invited_by TEXT NOT NULL CHECK (length(invited_by) <= 64),
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	kind INTEGER NOT NULL DEFAULT 0 CHECK (kind IN (0, 1, 2)),
	csr BLOB CHECK (length(csr) BETWEEN 1 AND 12288),
	device_key BLOB CHECK (length(device_key) = 32),
	key_type TEXT NOT NULL DEFAULT '' CHECK (length(key_type) <= 32),
	key_place INTEGER NOT NULL DEFAULT 0 CHECK (key_place BETWEEN 0 AND 4),
	asked INTEGER NOT NULL DEFAULT 0,
	asked_address TEXT NOT NULL DEFAULT '' CHECK (length(asked_address) <= 64),
	decided INTEGER NOT NULL DEFAULT 0,
	decided_by TEXT NOT NULL DEFAULT '' CHECK (length(decided_by) <= 64),
	reason TEXT NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
	device INTEGER REFERENCES device (id)
) STRICT;
CREATE INDEX invite_state ON invite (state);
