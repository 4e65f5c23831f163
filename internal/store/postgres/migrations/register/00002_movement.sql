-- +goose Up
-- A step of a badge on its way: the badge, from which state into which, when, and the random id of the user who said
-- so (16 zero bytes: a list did). undone: when the user took it back, 0 while it stands. A badge's own column state is
-- where its steps have led; steps are logistics, and no manifest covers them.
CREATE TABLE movement (
	barcode TEXT NOT NULL REFERENCES wear_period (barcode),
	seq BIGINT NOT NULL,
	was BIGINT NOT NULL,
	state BIGINT NOT NULL,
	at BIGINT NOT NULL,
	by_user BYTEA NOT NULL,
	undone BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (barcode, seq)
);
CREATE INDEX movement_of_user ON movement (by_user, at);
CREATE INDEX wear_period_of_organisation ON wear_period (organisation, ends);
