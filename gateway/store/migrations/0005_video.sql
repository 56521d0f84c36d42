-- Whether a PC is asked for the H.264 that it makes itself.
ALTER TABLE host ADD COLUMN video INTEGER NOT NULL DEFAULT 0 CHECK (video IN (0, 1));
