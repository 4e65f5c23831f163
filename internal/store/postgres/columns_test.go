package postgres_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dosevault/dosevault/internal/deptest"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/postgres/vaultdb"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
)

// Both databases have the columns that docs/security.md lists: those of SQLite's, no more and no fewer.
func TestEveryColumnIsListed(t *testing.T) {
	document, err := os.ReadFile("../../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := deptest.ListedColumns(string(document))
	for name, make := range map[string]func(address string) (interface{ Close() error }, error){
		"register": func(address string) (interface{ Close() error }, error) {
			return postgres.OpenRegister(t.Context(), address)
		},
		"vault": func(address string) (interface{ Close() error }, error) { return vaultdb.Open(t.Context(), address) },
	} {
		address := pgtest.Shared(t).Database(t)
		s, err := make(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, v := range deptest.CheckColumns(name, columns(t, address), listed[name]) {
			t.Error(v)
		}
	}
}

// columns returns a database's columns, without the table of the library that changes schemas.
func columns(t *testing.T, address string) deptest.Columns {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE 'schema\\_of\\_%'")
	if err != nil {
		t.Fatal(err)
	}
	have := deptest.Columns{}
	var table, column string
	if _, err := pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		have[table] = append(have[table], column)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(have) == 0 {
		t.Fatal("the database has no table")
	}
	return have
}
