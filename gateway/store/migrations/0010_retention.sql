-- How long recordings are kept. The days are written into the recording when it begins, so that nobody makes
-- what there is due by shortening its class.
CREATE TABLE retention (
	name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
	days INTEGER NOT NULL CHECK (days BETWEEN 1 AND 36500)
) STRICT, WITHOUT ROWID;

INSERT INTO retention (name, days) VALUES ('standard', 2555);

-- A name of the table above; classes are never removed.
ALTER TABLE host ADD COLUMN retention TEXT NOT NULL DEFAULT 'standard' CHECK (length(retention) BETWEEN 1 AND 64);

ALTER TABLE recording ADD COLUMN retention TEXT NOT NULL DEFAULT 'standard' CHECK (length(retention) BETWEEN 1 AND 64);
ALTER TABLE recording ADD COLUMN keep_days INTEGER NOT NULL DEFAULT 2555 CHECK (keep_days BETWEEN 1 AND 36500);
ALTER TABLE recording ADD COLUMN hold_reason TEXT NOT NULL DEFAULT '' CHECK (length(hold_reason) <= 256);
-- Of a disposal: when, and the number of its entry in the audit log. removed: the file is gone.
ALTER TABLE recording ADD COLUMN disposed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recording ADD COLUMN disposed_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recording ADD COLUMN removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1));

-- state 1 is open, 5 disposed.
CREATE TRIGGER recording_hold BEFORE UPDATE OF state ON recording
WHEN NEW.state = 5 AND (OLD.hold IS NOT 0 OR OLD.state = 1 OR NEW.disposed_seq = 0)
BEGIN
	SELECT RAISE(ABORT, 'recording is kept');
END;

CREATE TRIGGER recording_no_return BEFORE UPDATE ON recording
WHEN OLD.state = 5 AND NEW.state IS NOT 5 OR NEW.keep_days < OLD.keep_days
BEGIN
	SELECT RAISE(ABORT, 'recording is kept');
END;

CREATE TRIGGER recording_no_delete BEFORE DELETE ON recording
BEGIN
	SELECT RAISE(ABORT, 'recording is kept');
END;
