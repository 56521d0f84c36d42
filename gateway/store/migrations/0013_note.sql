-- What auditors note at a time of a recording. Nothing of a note is ever changed or removed: it can be taken
-- back, which is marked, and its text goes with the recording when that is disposed of.
CREATE TABLE note (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	session BLOB NOT NULL REFERENCES recording (session),
	account INTEGER NOT NULL REFERENCES account (id),
	at_us INTEGER NOT NULL CHECK (at_us >= 0),
	text TEXT NOT NULL CHECK (length(text) <= 400),
	created_ms INTEGER NOT NULL,
	withdrawn_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX note_session ON note (session);

CREATE TRIGGER note_no_delete BEFORE DELETE ON note
BEGIN
	SELECT RAISE(ABORT, 'note is kept');
END;

-- state 5 is disposed.
CREATE TRIGGER note_no_change BEFORE UPDATE ON note
WHEN NEW.id IS NOT OLD.id OR NEW.session IS NOT OLD.session OR NEW.account IS NOT OLD.account
	OR NEW.at_us IS NOT OLD.at_us OR NEW.created_ms IS NOT OLD.created_ms
	OR OLD.withdrawn_ms <> 0 AND NEW.withdrawn_ms IS NOT OLD.withdrawn_ms
	OR NEW.text IS NOT OLD.text AND (NEW.text <> ''
		OR (SELECT state FROM recording WHERE recording.session = OLD.session) IS NOT 5)
BEGIN
	SELECT RAISE(ABORT, 'note is kept');
END;
