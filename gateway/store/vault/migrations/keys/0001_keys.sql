-- The vault's key store. generation: of the root key that a key is wrapped under (root.json); during a change
-- of the root key there is a row for each of the two.

-- A key for the records of one client, class and year of collection. Without a row nobody can read them.
CREATE TABLE group_key (
	id INTEGER NOT NULL,
	generation INTEGER NOT NULL CHECK (generation >= 1),
	client INTEGER NOT NULL,
	class INTEGER NOT NULL,
	year INTEGER NOT NULL,
	wrapped BLOB NOT NULL CHECK (length(wrapped) = 40),
	made INTEGER NOT NULL,
	PRIMARY KEY (id, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_key_of ON group_key (client, class, year);

-- Keys of the vault itself, by their name.
CREATE TABLE own_key (
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 32),
	generation INTEGER NOT NULL CHECK (generation >= 1),
	wrapped BLOB NOT NULL CHECK (length(wrapped) = 40),
	PRIMARY KEY (name, generation)
) STRICT, WITHOUT ROWID;

-- The highest number that was given to a group key: none is used twice.
CREATE TABLE last_key (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	number INTEGER NOT NULL CHECK (number >= 0)
) STRICT;
INSERT INTO last_key (id, number) VALUES (1, 0);
