-- How far the audit log has come to the collector (siem.address).
CREATE TABLE siem (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	delivered INTEGER NOT NULL, -- number of the last entry that it has
	delivered_ms INTEGER NOT NULL -- when it had it
) STRICT;
INSERT INTO siem (id, delivered, delivered_ms) VALUES (1, 0, 0);
