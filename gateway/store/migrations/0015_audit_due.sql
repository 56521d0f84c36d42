-- What the log still says of people, by age: looked for every ten minutes, for entries that are over.
CREATE INDEX audit_due ON audit (time_ms) WHERE disposed = 0 AND event != 'audit-disposed';
