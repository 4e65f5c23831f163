package deptest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to ask a database for its columns
)

const migrations = root + "/internal/store/sqlite/migrations"

// schema applies a directory's migrations to an empty database and returns its columns.
func schema(t *testing.T, dir string) Columns {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	files, err := filepath.Glob(filepath.Join(dir, "*.sql")) // in order of their numbers
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(b), "-- +goose Down")
		if _, err := db.Exec(up); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
	}
	rows, err := db.Query(`SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY m.name, c.cid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	have := Columns{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		have[table] = append(have[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return have
}

func TestEveryColumnIsListed(t *testing.T) {
	document, err := os.ReadFile(root + "/docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := ListedColumns(string(document))
	databases, err := os.ReadDir(migrations)
	if err != nil {
		t.Fatal(err)
	}
	if len(databases) == 0 {
		t.Fatal("no database has migrations")
	}
	for _, d := range databases {
		have := schema(t, filepath.Join(migrations, d.Name()))
		if len(have) == 0 {
			t.Errorf("%s has no table", d.Name())
		}
		report(t, CheckColumns(d.Name(), have, listed[d.Name()]))
	}
}

// What uses cryptography stands in the inventory, package by package, and nothing else does.
func TestCryptographyIsListed(t *testing.T) {
	document, err := os.ReadFile(root + "/docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	have := Columns{}
	for _, p := range list(t, "./internal/...", "./cmd/...") {
		name, _ := strings.CutPrefix(in(p.ImportPath), "internal/")
		if strings.HasPrefix(name, "test") || strings.HasSuffix(name, "test") {
			continue // for tests alone
		}
		for _, i := range p.Imports {
			if part, ok := strings.CutPrefix(i, "crypto/"); ok {
				have[name] = append(have[name], part)
			}
		}
	}
	if len(have) == 0 {
		t.Fatal("nothing uses cryptography")
	}
	report(t, CheckColumns("inventory", have, ListedCryptography(string(document))))
}

func TestColumns(t *testing.T) {
	listed := ListedColumns("# x\n| a | b | not below a database |\n### vault.db\ntext\n\n| table | columns | what they tell |\n|---|---|---|\n| key | id, sealed | nothing |\n| gone | id | x |\n### Else\n| key | name | x |\n")
	if got := fmt.Sprint(listed); got != "map[vault:map[gone:[id] key:[id sealed]]]" {
		t.Fatalf("listed %s", got)
	}
	for _, c := range []struct {
		have Columns
		want string
	}{
		{Columns{"key": {"id", "sealed"}, "gone": {"id"}}, "[]"},
		{Columns{"key": {"id", "sealed", "name"}, "gone": {"id"}}, "vault.key.name is not listed"},
		{Columns{"key": {"id", "sealed"}}, "vault.gone.id is listed but not there"},
		{Columns{"key": {"id"}, "gone": {"id"}}, "vault.key.sealed is listed but not there"},
		{Columns{"key": {"id", "sealed"}, "gone": {"id"}, "new": {"a"}}, "vault.new.a is not listed"},
	} {
		if got := fmt.Sprint(CheckColumns("vault", c.have, listed["vault"])); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s, want %s", c.have, got, c.want)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	seen := 0
	for _, name := range files(t) {
		if filepath.Ext(name) != ".md" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue // removed, but not yet committed
		}
		for _, link := range Links(string(content)) {
			seen++
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), link)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, link)
			}
		}
	}
	if seen == 0 {
		t.Error("no document has a link")
	}
	got := Links("[a](x.md#part) ![b](pics/y.png) [c](https://example.org) [d](#here) [e](z)")
	if fmt.Sprint(got) != "[x.md pics/y.png z]" {
		t.Errorf("links %v", got)
	}
}
