-- +goose Up
-- Every table but the logs' holds sealed rows: an id and a blob that only the vault opens. docs/security.md says what the plain columns tell.

-- What the program must know before it has keys: format version and the installation's random id.
CREATE TABLE meta (name TEXT PRIMARY KEY, value BYTEA NOT NULL);

-- The vault's own secrets, wrapped by the root key; id is their name.
CREATE TABLE secret (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);

-- Keys, wrapped by an epoch key. id: organisation, use (1 byte), version (4).
CREATE TABLE organisation_key (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- id: wearer, class (1 byte), version (4).
CREATE TABLE wearer_key (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- id: the document's row.
CREATE TABLE document_key (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);

-- Authority and facts, sealed by the vault's own key; id is random, or a hash of a secret (session, link, code).
CREATE TABLE organisation (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
CREATE TABLE "user" (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
CREATE TABLE session (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
CREATE TABLE link (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
CREATE TABLE job_grant (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
CREATE TABLE wearer (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
CREATE TABLE import (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);

-- Personal fields, sealed by the wearer's key of the class. id: wearer, class (1 byte), version (4).
CREATE TABLE field (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- What an import would change, sealed likewise, until it is confirmed or dropped. id: import, number (4).
CREATE TABLE staged (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);

-- The ledgers; formats in package ledger. A log's row changes with each commit, hence the room in its pages.
CREATE TABLE log (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL UNIQUE, checkpoint BYTEA NOT NULL) WITH (fillfactor = 50);
CREATE TABLE leaf (log BIGINT NOT NULL REFERENCES log, seq BIGINT NOT NULL, data BYTEA NOT NULL, PRIMARY KEY (log, seq));
CREATE TABLE opening (log BIGINT NOT NULL REFERENCES log, seq BIGINT NOT NULL, sealed BYTEA NOT NULL, PRIMARY KEY (log, seq));
CREATE TABLE node (log BIGINT NOT NULL REFERENCES log, idx BIGINT NOT NULL, hash BYTEA NOT NULL, PRIMARY KEY (log, idx));
