-- +goose Up
-- What was declared for the installation by who holds its keys, as that a single administrator decides. id: its name.
CREATE TABLE setting (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
