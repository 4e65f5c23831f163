-- +goose Up
-- Who may: sealed by the vault's own key like the other rows of authority.

-- A way to sign in: a passkey's public key and whose it is, or the name by which an organisation's own sign-in knows a user. id: a hash of the credential's own id.
CREATE TABLE credential (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- An organisation's own sign-in (OpenID Connect), with the rules by which its claims make roles. id: random.
CREATE TABLE provider (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- What waits for a second person, and what became of it. id: random.
CREATE TABLE approval (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Policies that were changed, as text, and where they hold. id: their version.
CREATE TABLE policy (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- What is frozen. id: a keyed hash of it.
CREATE TABLE frozen (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Budgets other than those of the role. id: a keyed hash of whose.
CREATE TABLE budget (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Alarms, until they were acknowledged and for a year after. id: random.
CREATE TABLE alarm (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- How many rows a table of authority has, and a keyed sum over them, so that none is dropped, added or put back. id: the table's name.
CREATE TABLE tally (id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
