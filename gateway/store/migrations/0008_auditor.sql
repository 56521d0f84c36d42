-- One more role: 4, an auditor. A CHECK cannot be changed, so the table is made anew, in its place and under
-- its name; what refers to it is checked again at the end of the transaction (SQLite, "DROP TABLE" and
-- "PRAGMA defer_foreign_keys").
PRAGMA defer_foreign_keys = ON;

CREATE TABLE account_before AS SELECT * FROM account;
CREATE TABLE account_sequence AS SELECT seq FROM sqlite_sequence WHERE name = 'account';
DROP TABLE account;

CREATE TABLE account (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	full_name TEXT NOT NULL CHECK (length(full_name) <= 128),
	role INTEGER NOT NULL CHECK (role IN (1, 2, 4)),
	password TEXT NOT NULL CHECK (length(password) BETWEEN 1 AND 255),
	totp BLOB CHECK (length(totp) BETWEEN 1 AND 256),
	totp_last INTEGER NOT NULL DEFAULT 0,
	failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
	next_try_ms INTEGER NOT NULL DEFAULT 0,
	locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1)),
	disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
	created INTEGER NOT NULL
) STRICT;

INSERT INTO account (id, name, full_name, role, password, totp, totp_last, failures, next_try_ms, locked,
	disabled, created)
SELECT id, name, full_name, role, password, totp, totp_last, failures, next_try_ms, locked, disabled, created
FROM account_before;

-- No number is used twice, whatever rows there are now.
DELETE FROM sqlite_sequence WHERE name = 'account';
INSERT INTO sqlite_sequence (name, seq) SELECT 'account', seq FROM account_sequence;

DROP TABLE account_before;
DROP TABLE account_sequence;
