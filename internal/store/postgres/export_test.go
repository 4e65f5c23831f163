package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Checked is for tests that verify in a transaction that has changed the register.
var Checked = checked

// ExplainResults is how a server that was told nothing about its tables would find the periods of a wearer: those with results, and all.
func ExplainResults(t *testing.T, address string) string {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, fill := range []string{
		"ALTER TABLE wear_period SET (autovacuum_enabled = off)", "ALTER TABLE reading SET (autovacuum_enabled = off)",
		`INSERT INTO wear_period SELECT sha256(((n / 24)::text)::bytea), sha256(n::text::bytea), n::text, '', 1, '', 0, n, '', repeat('x', 80)::bytea FROM generate_series(1, 20000) n`,
		"INSERT INTO reading SELECT wearer, id, 1, import, repeat('x', 200)::bytea FROM wear_period",
	} {
		if _, err := pool.Exec(t.Context(), fill); err != nil {
			t.Fatal(err)
		}
	}
	var plan strings.Builder
	for query, args := range map[string][]any{resultsOfWearers: {[][]byte{{1}}, int64(0)}, wornByWearers: {[][]byte{{1}}}} {
		rows, err := pool.Query(t.Context(), "EXPLAIN "+resultColumns+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return plan.String()
}
