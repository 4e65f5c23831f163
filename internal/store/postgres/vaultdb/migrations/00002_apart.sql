-- +goose Up
-- Two wearers that somebody looked at and found to be two human beings. id: 16 bytes of a keyed hash over both.
CREATE TABLE apart (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
