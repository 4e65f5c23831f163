-- +goose Up
-- Who works on an import, by a random id, and until when it is theirs without their saying so again; NULL and 0: nobody.
ALTER TABLE import ADD COLUMN owner BYTEA;
ALTER TABLE import ADD COLUMN lease BIGINT NOT NULL DEFAULT 0;
