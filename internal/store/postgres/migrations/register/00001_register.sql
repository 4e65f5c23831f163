-- +goose Up
-- What stands in the clear here is listed, with what it tells, in docs/security.md; everything else is sealed by
-- the vault. Rows are written in order of random keys, so that the order in which they lie tells nothing within an import.

-- Settings of an organisation: its accounts at laboratories, its investigation levels.
CREATE TABLE organisation (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);

-- A wearer; a change is a row of a higher version. sealed: department, job title (for the organisation); health: pregnancy, foetal badges.
CREATE TABLE wearer (
	id BYTEA NOT NULL,
	version BIGINT NOT NULL,
	organisation BYTEA NOT NULL,
	import BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	health BYTEA NOT NULL,
	PRIMARY KEY (id, version)
);

-- A badge in its wear period; a control badge has no wearer: 16 zero bytes. state: ordered, issued, returned, sent; that
-- it was read is told by its reading. sealed: position, whether it counts (for the organisation).
CREATE TABLE wear_period (
	wearer BYTEA NOT NULL,
	id BYTEA NOT NULL,
	barcode TEXT NOT NULL UNIQUE,
	batch TEXT NOT NULL,
	state BIGINT NOT NULL,
	organisation BYTEA NOT NULL,
	starts BIGINT NOT NULL,
	ends BIGINT NOT NULL,
	import BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (wearer, id)
);

-- One report of one badge, never changed; a re-issue is a row of a higher version. sealed: every quantity it gives.
CREATE TABLE reading (
	wearer BYTEA NOT NULL,
	wear_period BYTEA NOT NULL,
	version BIGINT NOT NULL,
	import BYTEA NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (wearer, wear_period, version),
	FOREIGN KEY (wearer, wear_period) REFERENCES wear_period (wearer, id)
);

-- tag is a keyed hash over person, quantity, year and bound: it makes an investigation open once.
CREATE TABLE investigation (
	id BYTEA PRIMARY KEY,
	organisation BYTEA NOT NULL,
	tag BYTEA NOT NULL UNIQUE,
	import BYTEA NOT NULL,
	sealed BYTEA NOT NULL
);
CREATE INDEX investigation_of_organisation ON investigation (organisation);

-- An import and how far it has come; the states are the worker's queue.
CREATE TABLE import (
	id BYTEA PRIMARY KEY,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	job_grant BYTEA,
	node TEXT NOT NULL,
	sha256 BYTEA,
	created BIGINT NOT NULL,
	rows_in BIGINT NOT NULL DEFAULT 0,
	rows_stored BIGINT NOT NULL DEFAULT 0,
	rows_refused BIGINT NOT NULL DEFAULT 0,
	rows_ignored BIGINT NOT NULL DEFAULT 0,
	failure TEXT NOT NULL DEFAULT ''
);

-- A file as it arrived, or what was found in it, under a key of its own, in parts.
CREATE TABLE document (
	import BYTEA NOT NULL REFERENCES import,
	name TEXT NOT NULL,
	part BIGINT NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (import, name, part)
);
