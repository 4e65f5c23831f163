package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/store/postgres"
	"github.com/dosevault/dosevault/internal/store/postgres/vaultdb"
	"github.com/dosevault/dosevault/internal/store/snapshot"
	"github.com/dosevault/dosevault/internal/store/storetest"
	"github.com/dosevault/dosevault/internal/store/storetest/pgtest"
)

// tampered is a register's database that tests change in transactions that they then roll back.
type tampered struct {
	address string
	db      *sql.DB
	check   func(context.Context, *sql.Tx) error
}

// What the suite's statements use of SQLite's functions; beside the register, not in its schema.
const words = `CREATE SCHEMA words;
CREATE FUNCTION words.greater(bytea, bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN $1 IS NULL OR $2 > $1 THEN $2 ELSE $1 END';
CREATE FUNCTION words.lesser(bytea, bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN $1 IS NULL OR $2 < $1 THEN $2 ELSE $1 END';
CREATE AGGREGATE words.max(bytea) (sfunc = words.greater, stype = bytea);
CREATE AGGREGATE words.min(bytea) (sfunc = words.lesser, stype = bytea);
CREATE FUNCTION words.zeroblob(int) RETURNS bytea LANGUAGE sql AS 'SELECT decode(repeat(''00'', $1), ''hex'')';
CREATE FUNCTION words.randomblob(int) RETURNS bytea LANGUAGE sql AS 'SELECT substr(decode(md5(random()::text), ''hex''), 1, $1)';
CREATE DOMAIN words.blob AS bytea;`

var (
	bytesLiteral = regexp.MustCompile(`\bx'([0-9a-f]*)'`)
	kinds        = map[string]string{"bytea": "BLOB", "bigint": "INTEGER", "text": "TEXT"}
)

func newTampered(t *testing.T) storetest.Tampered {
	t.Helper()
	d := &tampered{address: pgtest.Shared(t).Database(t)}
	pgtest.Exec(t, d.address, words)
	config, err := pgx.ParseConfig(d.address)
	if err != nil {
		t.Fatal(err)
	}
	d.db, d.check = stdlib.OpenDB(*config), postgres.Checked(config)
	t.Cleanup(func() { d.db.Close() })
	return d
}

func (d *tampered) Open(t *testing.T) register.Store {
	t.Helper()
	store, err := postgres.OpenRegister(t.Context(), d.address)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func (d *tampered) Columns(t *testing.T) map[string]map[string]string {
	t.Helper()
	rows, err := d.db.Query("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'schema_of_register'")
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
		tables[table][column] = kinds[kind]
	}
	return tables
}

func (d *tampered) Verify(t *testing.T, manifests []verify.ManifestEntry, statements ...string) (*verify.RegisterReport, error) {
	t.Helper()
	tx, err := d.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	// Who owns the database can do without its keys between tables.
	for _, q := range append([]string{"SET LOCAL session_replication_role = replica", "SET LOCAL search_path = public, words"}, statements...) {
		change(t, tx, strings.ReplaceAll(bytesLiteral.ReplaceAllString(q, `'\x$1'::bytea`), "rowid", "ctid"))
	}
	return verify.Register(context.Background(), snapshot.NewRegister(d.db, tx, d.check), manifests)
}

// change executes a statement, which must change something.
func change(t *testing.T, tx *sql.Tx, query string) {
	t.Helper()
	res, err := tx.Exec(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, _ := res.RowsAffected(); n == 0 && (strings.HasPrefix(query, "UPDATE") || strings.HasPrefix(query, "INSERT") || strings.HasPrefix(query, "DELETE")) {
		t.Fatalf("%s: changed nothing", query)
	}
}

func TestVerifyRegister(t *testing.T) { storetest.VerifyRegister(t, newTampered) }

// A database whose rows the register and verify would not see alike is not the program's.
func TestVerifyRegisterSchema(t *testing.T) {
	f := storetest.Fill(t, newTampered(t))
	const forget = "CREATE FUNCTION words.forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
	for name, c := range map[string]struct {
		changes []string
		what    string
	}{
		"a trigger":               {[]string{forget, "CREATE TRIGGER forget BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION words.forget()"}, "a trigger forget that the program does not create"},
		"a function":              {[]string{"CREATE FUNCTION public.forget() RETURNS int LANGUAGE sql AS 'SELECT 1'"}, "a function forget that the program does not create"},
		"keys that do not hold":   {[]string{"ALTER TABLE reading DISABLE TRIGGER ALL"}, "keys of table reading of the database is not the one"},
		"a key less":              {[]string{"ALTER TABLE wear_period DROP CONSTRAINT wear_period_barcode_key CASCADE"}, "constraint movement.movement_barcode_fkey of the database is missing"},
		"a view":                  {[]string{"ALTER TABLE reading RENAME TO readings", "CREATE VIEW reading AS SELECT * FROM readings"}, "reading"},
		"a rule":                  {[]string{"CREATE RULE forget AS ON DELETE TO reading DO INSTEAD NOTHING"}, "table reading of the database is not the one"},
		"hidden rows":             {[]string{"ALTER TABLE reading ENABLE ROW LEVEL SECURITY"}, "table reading of the database is not the one"},
		"not written ahead":       {[]string{"ALTER TABLE document SET UNLOGGED"}, "table document of the database is not the one"},
		"an index less":           {[]string{"DROP INDEX investigation_of_organisation"}, "index investigation_of_organisation of the database is missing"},
		"another index":           {[]string{"DROP INDEX investigation_of_organisation", "CREATE INDEX investigation_of_organisation ON investigation (organisation) WHERE sealed IS NULL"}, "index investigation_of_organisation of the database is not the one"},
		"an index that is not up": {[]string{"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'investigation_of_organisation'::regclass"}, "index investigation_of_organisation of the database is not the one"},
		"a looser column":         {[]string{"ALTER TABLE wearer ALTER COLUMN sealed DROP NOT NULL"}, "column wearer.sealed of the database is not the one"},
		"an invented value":       {[]string{"ALTER TABLE wearer ALTER COLUMN sealed SET DEFAULT 'x'"}, "column wearer.sealed of the database is not the one"},
		"a table in the way":      {[]string{"CREATE TEMPORARY TABLE reading AS SELECT * FROM public.reading"}, "table reading of the database is not the one"},
		"another schema":          {[]string{"CREATE SCHEMA other", "CREATE TABLE other.reading AS SELECT * FROM reading", "SET LOCAL search_path = other, public, words"}, "of the database is missing"},
		"an index with fewer rows": {[]string{
			"UPDATE pg_index SET indisready = false WHERE indexrelid = 'investigation_of_organisation'::regclass",
			"INSERT INTO investigation SELECT randomblob(16), organisation, randomblob(16), import, sealed FROM investigation LIMIT 1",
			"UPDATE pg_index SET indisready = true WHERE indexrelid = 'investigation_of_organisation'::regclass"}, "index investigation_of_organisation leads to 12 rows of investigation, which has 13"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.Verify(t, f.Manifests, c.changes...)
			storetest.Differs(t, err, "register", -1, c.what)
		})
	}
}

// Another database or none is an error, not an empty register; and what changes meanwhile is not seen.
func TestVerifyRegisterOpen(t *testing.T) {
	server := pgtest.Shared(t)
	if _, err := postgres.OpenVerifyRegister(t.Context(), server.URL("absent")); err == nil {
		t.Error("an absent database was opened")
	}
	empty, err := postgres.OpenVerifyRegister(t.Context(), server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if _, err := verify.Register(t.Context(), empty, nil); err == nil {
		t.Error("an empty database holds what the ledger says")
	}

	d := newTampered(t).(*tampered)
	f := storetest.Fill(t, d)
	src, err := postgres.OpenVerifyRegister(t.Context(), d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	pgtest.Exec(t, d.address, "DELETE FROM investigation")
	if _, err := verify.Register(t.Context(), src, f.Manifests); err != nil {
		t.Errorf("the snapshot: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var difference *verify.Difference
	if _, err := verify.Register(ctx, src, f.Manifests); err == nil || errors.As(err, &difference) {
		t.Errorf("canceled: %v", err)
	}
}

func TestVerifyVault(t *testing.T) {
	address := pgtest.Shared(t).Database(t)
	store, err := vaultdb.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	storetest.VerifyVault(t, store, func() (*snapshot.Vault, error) { return postgres.OpenVerify(t.Context(), address) }, func(query string) { pgtest.Exec(t, address, query) })
}
