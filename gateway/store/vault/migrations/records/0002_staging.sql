-- Numbers of records that are being entered out of a file and are not there for anybody yet. The row goes when all of
-- them are there, in the same transaction; what is still under it when the vault is opened came to nothing and goes.
CREATE TABLE staging (
	first INTEGER PRIMARY KEY CHECK (first >= 1),
	last INTEGER NOT NULL CHECK (last >= first),
	mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
