package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/pressly/goose/v3"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// VerifyRegister reads a register's database for package verify: one read transaction on a read-only connection, so that
// all tables are seen at the same moment, also while the register is written to.
type VerifyRegister struct {
	db *sql.DB
	tx *sql.Tx
}

var _ verify.RegisterSource = (*VerifyRegister)(nil)

// OpenVerifyRegister opens the register's database file for verifying. The snapshot is taken here; Close it soon after
// use, since the write-ahead log grows meanwhile.
func OpenVerifyRegister(path string) (*VerifyRegister, error) {
	db, tx, err := openSnapshot(path)
	if err != nil {
		return nil, err
	}
	s := &VerifyRegister{db, tx}
	// The first read takes the snapshot.
	var n int
	if err := tx.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_master").Scan(&n); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, errors.Join(err, s.Close()))
	}
	return s, nil
}

// Close ends the snapshot.
func (s *VerifyRegister) Close() error { return errors.Join(s.tx.Rollback(), s.db.Close()) }

// The rows of each table with the columns of verify.RegisterRow, in the order that a manifest wants.
var verifyQueries = []struct {
	kind  byte
	query string
}{
	{'w', "SELECT import, organisation, id, version, NULL, 0, 0, NULL, sealed, health FROM wearer ORDER BY id, version"},
	{'p', "SELECT import, organisation, id, 0, wearer, starts, ends, NULL, sealed, NULL FROM wear_period ORDER BY wearer, id"},
	{'r', "SELECT r.import, p.organisation, r.wear_period, r.version, r.wearer, 0, 0, NULL, r.sealed, NULL FROM reading r LEFT JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period ORDER BY r.wearer, r.wear_period, r.version"},
	{'i', "SELECT import, organisation, id, 0, NULL, 0, 0, tag, sealed, NULL FROM investigation ORDER BY id"},
}

// Rows implements verify.RegisterSource. It checks the database first: verify reads whole tables, the register goes by
// indexes, and a row that is missing from one of them, or stands there as a text, would be seen here and not there.
func (s *VerifyRegister) Rows(ctx context.Context, fn func(verify.RegisterRow) error) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	for _, q := range verifyQueries {
		if err := s.rows(ctx, q.kind, q.query, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *VerifyRegister) rows(ctx context.Context, kind byte, query string, fn func(verify.RegisterRow) error) error {
	rows, err := s.tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var im, org, key, wearer, tag, sealed, health sql.RawBytes
		r := verify.RegisterRow{Kind: kind}
		if err := rows.Scan(&im, &org, &key, &r.Version, &wearer, &r.Starts, &r.Ends, &tag, &sealed, &health); err != nil {
			return err
		}
		r.Import, r.Organisation, r.Key, r.Wearer, r.Tag, r.Sealed, r.Health = im, org, key, wearer, tag, sealed, health
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// check compares the database's schema with the one that the program creates, and has SQLite check that tables and
// indexes agree and that every value is of its column's type.
func (s *VerifyRegister) check(ctx context.Context) error {
	want, err := registerSchema(ctx)
	if err != nil {
		return err
	}
	have, err := schemaOf(ctx, s.tx)
	if err != nil {
		return err
	}
	names := slices.Concat(slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(have)))
	slices.Sort(names)
	for _, name := range names {
		switch {
		case have[name] == "":
			return &verify.Difference{Log: "register", Seq: -1, What: name + " of the database is missing"}
		case want[name] == "":
			return &verify.Difference{Log: "register", Seq: -1, What: "the database has a " + name + " that the program does not create"}
		case have[name] != want[name]:
			return &verify.Difference{Log: "register", Seq: -1, What: name + " of the database is not the one that the program creates"}
		}
	}
	var result string
	if err := s.tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return &verify.Difference{Log: "register", Seq: -1, What: "the database is damaged or was changed from outside: " + result}
	}
	return nil
}

// registerSchema is the schema that the migrations make.
func registerSchema(ctx context.Context) (_ map[string]string, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	sub, err := fs.Sub(registerMigrations, "migrations/register")
	if err != nil {
		return nil, err
	}
	migrations, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err == nil {
		_, err = migrations.Up(ctx)
	}
	if err != nil {
		return nil, err
	}
	return schemaOf(ctx, db)
}

// schemaOf returns the statements that create what a database has, by type and name; without SQLite's own tables and
// indexes, and the table of migrations, whose form is another library's.
func schemaOf(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT type || ' ' || name, coalesce(sql, '-') FROM sqlite_master WHERE NOT (type IN ('table', 'index') AND (name LIKE 'sqlite\_%' ESCAPE '\' OR name = 'goose_db_version'))`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		out[name] = text
	}
	return out, rows.Err()
}

// Awaiting implements verify.RegisterSource.
func (s *VerifyRegister) Awaiting(ctx context.Context) (map[id.Import]bool, error) {
	rows, err := s.tx.QueryContext(ctx, "SELECT id FROM import WHERE state = 'stored'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[id.Import]bool{}
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		if len(key) == len(id.Import{}) { // no row can be of another
			out[id.Import(key)] = true
		}
	}
	return out, rows.Err()
}
