-- +goose Up
-- Sums of what became readable, derived from the ledgers. id: a keyed hash of log, part and recipient, or of a log.
CREATE TABLE exposed (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
