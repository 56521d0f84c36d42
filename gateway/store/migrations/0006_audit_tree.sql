-- The audit log as a Merkle tree (docs/audit.md). Each entry is a leaf, made of seq, time_ms, event and
-- commitment. What says who it was about is beside it and can be disposed of: the commitment stays.
-- version 1: from before; commitment is the hash that chained each entry to the one before it.
-- version 2: commitment is SHA-256 of salt and of what stands in account ... detail.
CREATE TABLE audit_tree (
	seq INTEGER PRIMARY KEY CHECK (seq >= 1),
	version INTEGER NOT NULL CHECK (version IN (1, 2)),
	time_ms INTEGER NOT NULL,
	event TEXT NOT NULL CHECK (length(event) BETWEEN 1 AND 64),
	account TEXT NOT NULL CHECK (length(account) <= 64),
	device INTEGER NOT NULL,
	address TEXT NOT NULL CHECK (length(address) <= 64),
	host INTEGER NOT NULL,
	session TEXT NOT NULL CHECK (length(session) IN (0, 32)),
	detail TEXT NOT NULL CHECK (length(detail) BETWEEN 2 AND 2048),
	salt BLOB CHECK (length(salt) = 32),
	commitment BLOB NOT NULL CHECK (length(commitment) = 32),
	disposed INTEGER NOT NULL DEFAULT 0 CHECK (disposed IN (0, 1)),
	CHECK (version = 1 AND salt IS NULL OR version = 2 AND (salt IS NULL) = disposed)
) STRICT;

INSERT INTO audit_tree (seq, version, time_ms, event, account, device, address, host, session, detail, commitment)
SELECT seq, 1, time_ms, event, account, device, address, host, session, detail, hash FROM audit;

DROP TABLE audit;
ALTER TABLE audit_tree RENAME TO audit;

-- Alarms are looked for by name, the rest is read by number.
CREATE INDEX audit_alarm ON audit (seq) WHERE event IN ('audit-alarm', 'audit-alarm-accepted');

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

-- No gaps, no forks, and no REPLACE, which deletes without asking the trigger above.
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit) OR NEW.version IS NOT 2 OR NEW.disposed IS NOT 0
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

-- An entry may lose what it says of people, all of it and once, and nothing else.
CREATE TRIGGER audit_only_disposal BEFORE UPDATE ON audit
WHEN OLD.disposed IS NOT 0 OR NEW.disposed IS NOT 1 OR NEW.seq IS NOT OLD.seq OR NEW.version IS NOT OLD.version
	OR NEW.time_ms IS NOT OLD.time_ms OR NEW.event IS NOT OLD.event OR NEW.commitment IS NOT OLD.commitment
	OR NEW.salt IS NOT NULL OR NEW.account IS NOT '' OR NEW.device IS NOT 0 OR NEW.address IS NOT ''
	OR NEW.host IS NOT 0 OR NEW.session IS NOT '' OR NEW.detail IS NOT '{}'
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

-- The complete subtrees: level 0 are the leaves, idx counts from 0.
CREATE TABLE audit_node (
	level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 62),
	idx INTEGER NOT NULL CHECK (idx >= 0),
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_node_no_update BEFORE UPDATE ON audit_node
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TRIGGER audit_node_no_delete BEFORE DELETE ON audit_node
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TRIGGER audit_node_in_order BEFORE INSERT ON audit_node
WHEN NEW.idx IS NOT (SELECT coalesce(max(idx), -1) + 1 FROM audit_node WHERE level = NEW.level)
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

-- What the signer has signed: a C2SP tlog-checkpoint each.
CREATE TABLE audit_checkpoint (
	size INTEGER PRIMARY KEY CHECK (size >= 0),
	note TEXT NOT NULL CHECK (length(note) BETWEEN 1 AND 2048),
	time_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TRIGGER audit_checkpoint_in_order BEFORE INSERT ON audit_checkpoint
WHEN NEW.size <= (SELECT coalesce(max(size), -1) FROM audit_checkpoint)
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
