-- Whether a PC's sound may leave the office.
ALTER TABLE host ADD COLUMN audio INTEGER NOT NULL DEFAULT 0 CHECK (audio IN (0, 1));
