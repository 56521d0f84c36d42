-- What the audit log says of a session: marks of its recording, where it was opened from.
CREATE INDEX audit_session ON audit (session, event) WHERE session <> '';
