-- +goose Up
-- What was declared for the installation by who holds its keys, as that a single administrator decides. id: its name.
CREATE TABLE setting (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
