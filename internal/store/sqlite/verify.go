package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/dosevault/dosevault/internal/ledger/verify"
	"github.com/dosevault/dosevault/internal/store/snapshot"
)

// OpenVerify opens the vault's database file for verifying. The snapshot is taken here; Close it soon after use, since
// the write-ahead log grows meanwhile.
func OpenVerify(path string) (*snapshot.Vault, error) {
	db, tx, err := openSnapshot(path)
	if err != nil {
		return nil, err
	}
	s, err := snapshot.NewVault(context.Background(), db, tx, walk)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return s, nil
}

// OpenVerifyRegister opens the register's database file for verifying, as OpenVerify does.
func OpenVerifyRegister(path string) (*snapshot.Register, error) {
	db, tx, err := openSnapshot(path)
	if err != nil {
		return nil, err
	}
	s := snapshot.NewRegister(db, tx, check)
	// The first read takes the snapshot.
	var n int
	if err := tx.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_master").Scan(&n); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, errors.Join(err, s.Close()))
	}
	return s, nil
}

// openSnapshot opens a file read-only and begins a read transaction.
func openSnapshot(path string) (*sql.DB, *sql.Tx, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", path, err)
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "busy_timeout(5000)"}, "_dqs": {"0"}, "_txlock": {"deferred"}}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(abs), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return db, tx, nil
}

// walk implements snapshot.Walk.
func walk(ctx context.Context, tx *sql.Tx, query string, fn func(int64, []byte) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var data sql.RawBytes
		if err := rows.Scan(&n, &data); err != nil {
			return err
		}
		if err := fn(n, data); err != nil {
			return err
		}
	}
	return rows.Err()
}

// check compares the database's schema with the one that the program creates, and has SQLite check that tables and
// indexes agree and that every value is of its column's type.
func check(ctx context.Context, tx *sql.Tx) error {
	want, err := registerSchema(ctx)
	if err != nil {
		return err
	}
	have, err := schemaOf(ctx, tx)
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
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
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
