-- +goose Up
-- The wearers of an organisation, for lists by department.
CREATE INDEX wearer_of_organisation ON wearer (organisation);
