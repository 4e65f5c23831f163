package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/store/storetest"
)

// file is a register's database file that tests change in copies.
type file struct {
	path  string
	bytes []byte // once it was filled
}

func newFile(t *testing.T) storetest.Tampered {
	return &file{path: filepath.Join(t.TempDir(), "register.db")}
}

func (f *file) Open(t *testing.T) register.Store {
	t.Helper()
	store, err := sqlite.OpenRegister(t.Context(), f.path)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// open opens a database as somebody who may write to it and keeps no rule.
func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=synchronous(OFF)&_pragma=foreign_keys(0)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func (f *file) Columns(t *testing.T) map[string]map[string]string {
	t.Helper()
	db := open(t, f.path)
	defer db.Close()
	rows, err := db.Query("SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := map[string]map[string]string{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		if tables[table] == nil {
			tables[table] = map[string]string{}
		}
		tables[table][column] = kind
	}
	return tables
}

func (f *file) Verify(t *testing.T, manifests []verify.ManifestEntry, statements ...string) (*verify.RegisterReport, error) {
	t.Helper()
	if f.bytes == nil {
		b, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		f.bytes = b
	}
	path := filepath.Join(t.TempDir(), "register.db")
	if err := os.WriteFile(path, f.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, q := range statements {
		db := open(t, path)
		change(t, db, q)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	src, err := sqlite.OpenVerifyRegister(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	return verify.Register(context.Background(), src, manifests)
}

// change executes a statement, which must change something.
func change(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	res, err := db.Exec(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, _ := res.RowsAffected(); n == 0 && (strings.HasPrefix(query, "UPDATE") || strings.HasPrefix(query, "INSERT") || strings.HasPrefix(query, "DELETE")) {
		t.Fatalf("%s: changed nothing", query)
	}
}

func TestVerifyRegister(t *testing.T) { storetest.VerifyRegister(t, newFile) }

// The register goes by indexes, verify by tables: a database in which they are not the same hides rows from the one alone.
func TestVerifyRegisterSchema(t *testing.T) {
	f := storetest.Fill(t, newFile(t))
	for name, c := range map[string]struct {
		changes []string
		what    string
	}{
		"a trigger":      {[]string{"CREATE TRIGGER forget AFTER INSERT ON reading BEGIN DELETE FROM reading WHERE version = NEW.version - 1; END"}, "a trigger forget that the program does not create"},
		"a view":         {[]string{"ALTER TABLE reading RENAME TO readings", "CREATE VIEW reading AS SELECT * FROM readings"}, "reading"},
		"an index less":  {[]string{"DROP INDEX investigation_of_organisation"}, "index investigation_of_organisation of the database is missing"},
		"another index":  {[]string{"DROP INDEX investigation_of_organisation", "CREATE INDEX investigation_of_organisation ON investigation (organisation) WHERE sealed IS NULL"}, "is not the one that the program creates"},
		"a looser table": {[]string{"ALTER TABLE wearer RENAME TO w", "CREATE TABLE wearer (id, version, organisation, import, sealed, health, PRIMARY KEY (id, version)) WITHOUT ROWID", "INSERT INTO wearer SELECT * FROM w", "DROP TABLE w", "CREATE INDEX wearer_of_organisation ON wearer (organisation)"}, "table wearer of the database is not the one"},
		"an index that holds nothing": {[]string{
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = sql || ' WHERE sealed IS NULL' WHERE name = 'investigation_of_organisation'",
			"REINDEX investigation_of_organisation",
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, ' WHERE sealed IS NULL', '') WHERE name = 'investigation_of_organisation'"}, "the database is damaged or was changed from outside"},
		"a text where bytes belong": {[]string{
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'STRICT, ', '') WHERE name = 'wear_period'",
			"UPDATE wear_period SET sealed = CAST(sealed AS TEXT)",
			"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, ') WITHOUT', ') STRICT, WITHOUT') WHERE name = 'wear_period'"}, "the database is damaged or was changed from outside"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Verify(t, f.Manifests, c.changes...)
			storetest.Differs(t, err, "register", -1, c.what)
		})
	}
}

// An absent file or another one is an error, not an empty register; and a canceled verification is no difference.
func TestVerifyRegisterOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := sqlite.OpenVerifyRegister(filepath.Join(dir, "absent.db")); err == nil {
		t.Error("an absent file was opened")
	}
	path := filepath.Join(dir, "other.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.OpenVerifyRegister(path); err == nil {
		t.Error("another file was opened")
	}

	db := &file{path: path}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f := storetest.Fill(t, db)
	src, err := sqlite.OpenVerifyRegister(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	// The register goes on: the snapshot is of the moment when it was opened.
	writer := open(t, path)
	defer writer.Close()
	change(t, writer, "DELETE FROM investigation")
	if _, err := verify.Register(t.Context(), src, f.Manifests); err != nil {
		t.Errorf("the snapshot: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var d *verify.Difference
	if _, err := verify.Register(ctx, src, f.Manifests); err == nil || errors.As(err, &d) {
		t.Errorf("canceled: %v", err)
	}
}
