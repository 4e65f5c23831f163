package postgres

// Checked is for tests that verify in a transaction that has changed the register.
var Checked = checked
