-- +goose Up
-- The overview counts the badges of the last months by organisation and state, from this index alone.
CREATE INDEX wear_period_recent ON wear_period (ends, organisation, state);
