-- Break-glass is a thing for whoever looks at the alarms; the condition of an index is that of its view word by word.
DROP INDEX audit_alarms;
DROP VIEW audit_list_alarms;
CREATE INDEX audit_alarms ON audit (time_ms) WHERE event IN ('audit-alarm', 'audit-alarm-accepted', 'login-locked',
	'ca-refused', 'vault-refused', 'vault-damaged', 'vault-rolled-back', 'vault-disposed-again',
	'document-quarantined', 'session-refused',
	'glass-ask', 'glass-confirm', 'glass-refuse', 'glass-end')
	OR event = 'recording-end' AND (instr(detail, '"state":"cut"') > 0 OR instr(detail, '"state":"lost"') > 0)
	OR event = 'session-end' AND (instr(detail, '"reason":"crashed"') > 0 OR instr(detail, '"reason":"recording"') > 0);
CREATE VIEW audit_list_alarms AS SELECT * FROM audit WHERE event IN ('audit-alarm', 'audit-alarm-accepted', 'login-locked',
	'ca-refused', 'vault-refused', 'vault-damaged', 'vault-rolled-back', 'vault-disposed-again',
	'document-quarantined', 'session-refused',
	'glass-ask', 'glass-confirm', 'glass-refuse', 'glass-end')
	OR event = 'recording-end' AND (instr(detail, '"state":"cut"') > 0 OR instr(detail, '"state":"lost"') > 0)
	OR event = 'session-end' AND (instr(detail, '"reason":"crashed"') > 0 OR instr(detail, '"reason":"recording"') > 0);

-- What an earlier broker had of it.
CREATE INDEX audit_glass ON audit (seq) WHERE event IN ('glass-ask', 'glass-confirm', 'glass-refuse', 'glass-end');
