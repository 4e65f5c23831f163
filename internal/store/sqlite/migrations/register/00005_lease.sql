-- +goose Up
-- Who works on an import, by a random id, and until when it is theirs without their saying so again; NULL and 0: nobody.
ALTER TABLE import ADD COLUMN owner BLOB;
ALTER TABLE import ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
