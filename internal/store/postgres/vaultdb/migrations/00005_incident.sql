-- +goose Up
-- What was done about suspected breaches, step by step. id: the incident's, and the step's number.
CREATE TABLE incident (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
