-- The vault's records. What people would recognise is sealed (vault/sealing.h); here are numbers, states and
-- times. INTEGER times are seconds since 1970 UTC unless the name ends in _ms, dates are days since 1970.
-- Identifiers are never used twice: the audit log refers to them. account is the broker's number of a person.

-- Rows with a mac are guarded (vault/guard.h): mac, always the last column, is over all others in their order,
-- under a key of the vault. So they say who sees what, and nobody who can write the file can change that.
--
-- One row. counter: rises with each committed change. seq: the highest audit entry that released something.
-- mac: over counter, seq and what all guarded rows sum up to; NULL until the first unseal.
CREATE TABLE meta (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	counter INTEGER NOT NULL CHECK (counter >= 0),
	seq INTEGER NOT NULL CHECK (seq >= 0),
	mac BLOB CHECK (length(mac) = 32)
) STRICT;
INSERT INTO meta (id, counter, seq) VALUES (1, 0, 0);

-- What a record may be used for, in the office's words.
CREATE TABLE purpose (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
	name_en TEXT NOT NULL CHECK (length(name_en) <= 128),
	retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
) STRICT;

-- How long records are kept, from the day that start names in the office's words.
CREATE TABLE class (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
	name_en TEXT NOT NULL CHECK (length(name_en) <= 128),
	start TEXT NOT NULL CHECK (length(start) BETWEEN 1 AND 256),
	start_en TEXT NOT NULL CHECK (length(start_en) <= 256),
	years INTEGER NOT NULL CHECK (years IN (2, 3, 4, 5, 7)),
	retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
) STRICT;

-- The free fields of a kind of record: a JSON array, see docs/protocol.md.
CREATE TABLE template (
	kind INTEGER PRIMARY KEY CHECK (kind BETWEEN 1 AND 4),
	fields TEXT NOT NULL CHECK (length(fields) <= 16384)
) STRICT;

-- kind: enum protected_kind. state: enum protected_state. key: the group key in the key store. purposes: numbers of
-- rows of purpose, rising, 8 bytes each, big-endian; they never change.
CREATE TABLE record (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
	client INTEGER NOT NULL REFERENCES record (id),
	parent INTEGER REFERENCES record (id),
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
	class INTEGER NOT NULL REFERENCES class (id),
	purposes BLOB NOT NULL CHECK (length(purposes) BETWEEN 8 AND 256 AND length(purposes) % 8 = 0),
	key INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0),
	number_version INTEGER NOT NULL DEFAULT 0 CHECK (number_version >= 0),
	created INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	started INTEGER, -- a date
	due INTEGER,     -- a date
	removed INTEGER NOT NULL DEFAULT 0,
	disposed INTEGER NOT NULL DEFAULT 0,
	hold INTEGER NOT NULL DEFAULT 0 CHECK (hold IN (0, 1)), -- not disposed of
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
CREATE INDEX record_client ON record (client, kind, state);
CREATE INDEX record_parent ON record (parent);
CREATE INDEX record_due ON record (due) WHERE due IS NOT NULL AND state = 4;
CREATE INDEX record_removed ON record (removed) WHERE removed > 0 AND disposed = 0;
CREATE INDEX record_key ON record (key);

-- data_key: wrapped under the record's group key. sealed: nonce, ciphertext and tag.
CREATE TABLE record_version (
	record INTEGER NOT NULL REFERENCES record (id),
	version INTEGER NOT NULL CHECK (version >= 1),
	made INTEGER NOT NULL,
	made_by INTEGER NOT NULL,
	data_key BLOB NOT NULL CHECK (length(data_key) = 40),
	sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 29 AND 65536),
	PRIMARY KEY (record, version)
) STRICT, WITHOUT ROWID;

-- Personal and Corporate Numbers, apart. found: HMAC of the digits, for an exact search.
CREATE TABLE record_number (
	record INTEGER NOT NULL REFERENCES record (id),
	version INTEGER NOT NULL CHECK (version >= 1),
	entered INTEGER NOT NULL,
	entered_by INTEGER NOT NULL,
	data_key BLOB NOT NULL CHECK (length(data_key) = 40),
	sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 29 AND 64),
	found BLOB NOT NULL CHECK (length(found) = 32),
	PRIMARY KEY (record, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_number_found ON record_number (found);

-- kind: enum request_kind. state: enum request_state. ready: waits for nothing but approval. sealed: why it was asked
-- for and what was answered, as a version is.
CREATE TABLE request (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 9),
	record INTEGER NOT NULL REFERENCES record (id),
	version INTEGER NOT NULL, -- of the number that is to be approved; 0: none
	asked INTEGER NOT NULL,
	asked_by INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
	ready INTEGER NOT NULL CHECK (ready IN (0, 1)),
	decided INTEGER NOT NULL DEFAULT 0,
	decided_by INTEGER NOT NULL DEFAULT 0,
	data_key BLOB CHECK (length(data_key) = 40),
	sealed BLOB CHECK (length(sealed) BETWEEN 29 AND 8192),
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
CREATE INDEX request_state ON request (state, id);
CREATE UNIQUE INDEX request_open ON request (record) WHERE state = 1;
CREATE INDEX request_record ON request (record);

-- What is left of a record that was disposed of: for its certificate.
CREATE TABLE disposal (
	record INTEGER PRIMARY KEY REFERENCES record (id),
	disposed INTEGER NOT NULL,
	asked_by INTEGER NOT NULL,
	approved_by INTEGER NOT NULL,
	early INTEGER NOT NULL CHECK (early IN (0, 1)), -- before its years were over
	versions INTEGER NOT NULL,
	numbers INTEGER NOT NULL,
	documents INTEGER NOT NULL,
	key_destroyed INTEGER NOT NULL, -- the group key that was; its successor has what is left of the group
	counter INTEGER NOT NULL,       -- meta's, of this change
	seq INTEGER NOT NULL,           -- of the audit entry that let it happen
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

-- Groups of people (kind 1: members are accounts) and of clients (kind 2: members are records).
CREATE TABLE grant_group (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
	mac BLOB NOT NULL CHECK (length(mac) = 32),
	UNIQUE (kind, name)
) STRICT;
CREATE TABLE grant_member (
	grp INTEGER NOT NULL REFERENCES grant_group (id) ON DELETE CASCADE,
	member INTEGER NOT NULL,
	mac BLOB NOT NULL CHECK (length(mac) = 32),
	PRIMARY KEY (grp, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_member_member ON grant_member (member);

-- subject_kind: 1 account, 2 group of people. object_kind: 1 record, 2 client, 3 group of clients, 4 everything
-- (object 0).
CREATE TABLE grant_row (
	subject_kind INTEGER NOT NULL CHECK (subject_kind IN (1, 2)),
	subject INTEGER NOT NULL,
	object_kind INTEGER NOT NULL CHECK (object_kind BETWEEN 1 AND 4),
	object INTEGER NOT NULL,
	level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 5),
	number INTEGER NOT NULL CHECK (number IN (0, 1)),
	document INTEGER NOT NULL CHECK (document BETWEEN 0 AND 7),
	given INTEGER NOT NULL,
	given_by INTEGER NOT NULL,
	mac BLOB NOT NULL CHECK (length(mac) = 32),
	PRIMARY KEY (subject_kind, subject, object_kind, object)
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_row_object ON grant_row (object_kind, object);

-- Copies of grants that wait for approval. kind: 1 person, 2 record, 3 client. targets: numbers, rising, 8 bytes each,
-- big-endian. digest: of the changes that were asked for.
CREATE TABLE grant_copy (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	asked INTEGER NOT NULL,
	asked_by INTEGER NOT NULL,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3),
	replaces INTEGER NOT NULL CHECK (replaces IN (0, 1)),
	groups INTEGER NOT NULL CHECK (groups IN (0, 1)),
	source INTEGER NOT NULL,
	targets BLOB NOT NULL CHECK (length(targets) BETWEEN 8 AND 800 AND length(targets) % 8 = 0),
	digest BLOB NOT NULL CHECK (length(digest) = 32),
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

-- version: the newest that may be had, 0: none yet. versions: the highest number that was given; of a transfer that
-- was broken off, or into quarantine, it never becomes version. The bytes are in documents/<id>-<version>, sealed in
-- pieces (vault/document_file.h).
CREATE TABLE document (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	record INTEGER NOT NULL REFERENCES record (id),
	version INTEGER NOT NULL CHECK (version BETWEEN 0 AND versions),
	versions INTEGER NOT NULL CHECK (versions >= 1),
	created INTEGER NOT NULL,
	created_by INTEGER NOT NULL,
	removed INTEGER NOT NULL DEFAULT 0,
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
CREATE INDEX document_record ON document (record);
CREATE TABLE document_version (
	document INTEGER NOT NULL REFERENCES document (id),
	version INTEGER NOT NULL CHECK (version >= 1),
	made INTEGER NOT NULL,
	made_by INTEGER NOT NULL,
	size INTEGER NOT NULL CHECK (size >= 0),
	data_key BLOB NOT NULL CHECK (length(data_key) = 40),
	sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 29 AND 4096), -- vault/document_facts.h
	quarantined INTEGER NOT NULL CHECK (quarantined IN (0, 1)), -- for lists; what counts is sealed
	PRIMARY KEY (document, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_version_quarantined ON document_version (document) WHERE quarantined = 1;
