-- +goose Up
-- Every table but the logs' holds sealed rows: an id and a blob that only the vault opens. docs/security.md says what the plain columns tell.

-- What the program must know before it has keys: format version and the installation's random id.
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- The vault's own secrets, wrapped by the root key; id is their name.
CREATE TABLE secret (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Keys, wrapped by an epoch key. id: organisation, use (1 byte), version (4).
CREATE TABLE organisation_key (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- id: wearer, class (1 byte), version (4).
CREATE TABLE wearer_key (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- id: the document's row.
CREATE TABLE document_key (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Authority and facts, sealed by the vault's own key; id is random, or a hash of a secret (session, link, code).
CREATE TABLE organisation (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE user (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE session (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE link (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE job_grant (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE wearer (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE import (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Personal fields, sealed by the wearer's key of the class. id: wearer, class (1 byte), version (4).
CREATE TABLE field (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- What an import would change, sealed likewise, until it is confirmed or dropped. id: import, number (4).
CREATE TABLE staged (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- The ledgers; formats in package ledger.
CREATE TABLE log (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checkpoint BLOB NOT NULL) STRICT;
CREATE TABLE leaf (log INTEGER NOT NULL REFERENCES log, seq INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (log, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE opening (log INTEGER NOT NULL REFERENCES log, seq INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (log, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE node (log INTEGER NOT NULL REFERENCES log, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (log, idx)) STRICT, WITHOUT ROWID;
