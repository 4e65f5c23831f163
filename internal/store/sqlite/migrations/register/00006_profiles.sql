-- +goose Up
-- A laboratory's profile that files are read by. Its text is a sealed document of its import, which has its hash and day.
-- used, retired: when a file was last read by it, and when it was retired; 0: not.
CREATE TABLE profile (
	import BLOB PRIMARY KEY REFERENCES import,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	used INTEGER NOT NULL DEFAULT 0,
	retired INTEGER NOT NULL DEFAULT 0,
	UNIQUE (name, version)
) STRICT, WITHOUT ROWID;
