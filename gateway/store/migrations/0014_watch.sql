-- Who may look on at sessions: 0 no, 1 yes, 2 and may ask to take over. Only administrators and auditors.
ALTER TABLE account ADD COLUMN watch INTEGER NOT NULL DEFAULT 0 CHECK (watch IN (0, 1, 2));

-- Of a session that somebody ended: who, by full name, and the reason, for the person.
ALTER TABLE session ADD COLUMN ended_by TEXT NOT NULL DEFAULT '' CHECK (length(ended_by) <= 128);
ALTER TABLE session ADD COLUMN ended_words TEXT NOT NULL DEFAULT '' CHECK (length(ended_words) <= 256);

-- Those who look on now, so that the audit log gets the end of one that a broker's death has ended.
CREATE TABLE watch (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	session BLOB NOT NULL CHECK (length(session) = 16),
	account INTEGER NOT NULL REFERENCES account (id),
	device INTEGER NOT NULL REFERENCES device (id),
	begun INTEGER NOT NULL
) STRICT;
