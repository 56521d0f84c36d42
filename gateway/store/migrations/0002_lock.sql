-- A login whose session was locked stays locked until the password is given again, whatever becomes of
-- the session.
ALTER TABLE login ADD COLUMN locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1));

-- The login that opened the session or attached last, so that a restarted broker knows whose the viewers
-- are. 0: not known. Logins are deleted, so this is no reference.
ALTER TABLE session ADD COLUMN login INTEGER NOT NULL DEFAULT 0;

-- SHA-256 of the SubjectPublicKeyInfo of the edge's key: no other gets a gateway certificate.
CREATE TABLE gateway_key (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	spki BLOB NOT NULL CHECK (length(spki) = 32),
	created INTEGER NOT NULL
) STRICT;
