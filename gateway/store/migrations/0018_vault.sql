-- The highest generation of a root key that the vault was open with: an older root.json was put back from a copy.
CREATE TABLE vault_floor (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	generation INTEGER NOT NULL CHECK (generation >= 0)
) STRICT;
INSERT INTO vault_floor (id, generation) VALUES (1, 0);

-- What is wrong with the vault is looked for with each page of an administrator or auditor.
CREATE INDEX audit_vault ON audit (event) WHERE event IN ('vault-unsealed', 'vault-rolled-back', 'vault-damaged',
	'vault-disposed-again', 'document-quarantined');
