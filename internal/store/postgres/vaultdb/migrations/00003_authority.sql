-- +goose Up
-- Who may: sealed by the vault's own key like the other rows of authority.

-- A way to sign in: a passkey's public key and whose it is, or the name by which an organisation's own sign-in knows a user. id: a hash of the credential's own id.
CREATE TABLE credential (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- An organisation's own sign-in (OpenID Connect), with the rules by which its claims make roles. id: random.
CREATE TABLE provider (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- What waits for a second person, and what became of it. id: random.
CREATE TABLE approval (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- Policies that were changed, as text, and where they hold. id: their version.
CREATE TABLE policy (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- What is frozen. id: a keyed hash of it.
CREATE TABLE frozen (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- Budgets other than those of the role. id: a keyed hash of whose.
CREATE TABLE budget (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- Alarms, until they were acknowledged and for a year after. id: random.
CREATE TABLE alarm (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
-- How many rows a table of authority has, and a keyed sum over them, so that none is dropped, added or put back. id: the table's name.
CREATE TABLE tally (id BYTEA PRIMARY KEY, sealed BYTEA NOT NULL);
