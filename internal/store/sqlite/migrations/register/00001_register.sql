-- +goose Up
-- What stands in the clear here is listed, with what it tells, in docs/security.md; everything else is sealed by
-- the vault. Tables are WITHOUT ROWID under random keys, so that the order of their rows tells nothing either.

-- Settings of an organisation: its accounts at laboratories, its investigation levels.
CREATE TABLE organisation (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- A wearer; a change is a row of a higher version. sealed: department, job title (for the organisation); health: pregnancy, foetal badges.
CREATE TABLE wearer (
	id BLOB NOT NULL,
	version INTEGER NOT NULL,
	organisation BLOB NOT NULL,
	import BLOB NOT NULL,
	sealed BLOB NOT NULL,
	health BLOB NOT NULL,
	PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- A badge in its wear period; a control badge has no wearer: 16 zero bytes. A wearer's rows lie together, since they
-- are read together. state: ordered, issued, returned, sent; that it was read
-- is told by its reading. sealed: position, whether it counts (for the organisation).
CREATE TABLE wear_period (
	wearer BLOB NOT NULL,
	id BLOB NOT NULL,
	barcode TEXT NOT NULL UNIQUE,
	batch TEXT NOT NULL,
	state INTEGER NOT NULL,
	organisation BLOB NOT NULL,
	starts INTEGER NOT NULL,
	ends INTEGER NOT NULL,
	import BLOB NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (wearer, id)
) STRICT, WITHOUT ROWID;

-- One report of one badge, never changed; a re-issue is a row of a higher version. sealed: every quantity it gives.
CREATE TABLE reading (
	wearer BLOB NOT NULL,
	wear_period BLOB NOT NULL,
	version INTEGER NOT NULL,
	import BLOB NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (wearer, wear_period, version),
	FOREIGN KEY (wearer, wear_period) REFERENCES wear_period (wearer, id)
) STRICT, WITHOUT ROWID;

-- tag is a keyed hash over person, quantity, year and bound: it makes an investigation open once.
CREATE TABLE investigation (
	id BLOB PRIMARY KEY,
	organisation BLOB NOT NULL,
	tag BLOB NOT NULL UNIQUE,
	import BLOB NOT NULL,
	sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX investigation_of_organisation ON investigation (organisation);

-- An import and how far it has come; the states are the worker's queue.
CREATE TABLE import (
	id BLOB PRIMARY KEY,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	job_grant BLOB,
	node TEXT NOT NULL,
	sha256 BLOB,
	created INTEGER NOT NULL,
	rows_in INTEGER NOT NULL DEFAULT 0,
	rows_stored INTEGER NOT NULL DEFAULT 0,
	rows_refused INTEGER NOT NULL DEFAULT 0,
	rows_ignored INTEGER NOT NULL DEFAULT 0,
	failure TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- A file as it arrived, or what was found in it, under a key of its own, in parts.
CREATE TABLE document (
	import BLOB NOT NULL REFERENCES import,
	name TEXT NOT NULL,
	part INTEGER NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (import, name, part)
) STRICT, WITHOUT ROWID;
