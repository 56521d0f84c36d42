-- What a person has to do with the vault's records: 0 nothing, 1 uses them, 2 decides and manages. Only staff.
ALTER TABLE account ADD COLUMN duty INTEGER NOT NULL DEFAULT 0
	CHECK (duty = 0 OR (duty IN (1, 2) AND role = 1));

-- The highest counter of changes that the vault has told of: one that comes with less was put back from a copy.
CREATE TABLE record_floor (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	counter INTEGER NOT NULL CHECK (counter >= 0)
) STRICT;
INSERT INTO record_floor (id, counter) VALUES (1, 0);

-- Records that were disposed of, so that a vault that was put back from a copy loses them again.
CREATE TABLE record_disposed (
	record INTEGER PRIMARY KEY CHECK (record > 0),
	seq INTEGER NOT NULL -- of the entry in the audit log
) STRICT;

-- Which entries of the audit log are about which record.
CREATE TABLE record_entry (
	record INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	PRIMARY KEY (record, seq)
) STRICT, WITHOUT ROWID;
