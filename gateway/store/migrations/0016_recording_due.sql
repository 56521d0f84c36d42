-- What retention looks for every ten minutes: recordings whose time is over, and those of them whose file is still there.
CREATE INDEX recording_due ON recording (ended_ms + keep_days * 86400000) WHERE state NOT IN (1, 5) AND hold = 0;
CREATE INDEX recording_unremoved ON recording (id) WHERE state = 5 AND removed = 0;
