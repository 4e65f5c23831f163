// Package snapshot reads the vault's and the register's database for package verify, as they are at one moment: each in
// one read transaction, in SQL that both SQLite and PostgreSQL understand. The stores open it.
package snapshot

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// Walk calls fn for every row of a query for a number and bytes. fn may walk over another query meanwhile, or wait in
// one, and does not keep the bytes.
type Walk func(ctx context.Context, tx *sql.Tx, query string, fn func(int64, []byte) error) error

// Vault reads a vault's database.
type Vault struct {
	db   *sql.DB
	tx   *sql.Tx
	each Walk
	logs map[string]int64 // number of each log
}

var (
	_ verify.Source = (*Vault)(nil)
	_ verify.Rows   = (*Vault)(nil)
)

// sealedTables are the tables of sealed rows.
var sealedTables = []string{"secret", "organisation_key", "wearer_key", "document_key", "organisation", "user", "session", "link", "job_grant",
	"wearer", "import", "field", "staged", "apart", "credential", "provider", "approval", "policy", "frozen", "budget", "alarm", "setting", "incident", "exposed", "tally"}

// Tables returns the tables of sealed rows.
func (s *Vault) Tables() []string { return slices.Clone(sealedTables) }

// Rows walks over one of them, in order of id. It reads in portions, since a connection to PostgreSQL reads one query at a
// time.
func (s *Vault) Rows(ctx context.Context, table string, fn func(id, sealed []byte) error) error {
	if !slices.Contains(sealedTables, table) {
		return fmt.Errorf("no table %q of sealed rows", table)
	}
	for after, beyond := []byte{}, ">="; ; beyond = ">" {
		part, err := s.portion(ctx, `SELECT id, sealed FROM "`+table+`" WHERE id `+beyond+` $1 ORDER BY id LIMIT 500`, after)
		if err != nil || len(part) == 0 {
			return err
		}
		for _, r := range part {
			if err := fn(r[0], r[1]); err != nil {
				return err
			}
			after = r[0]
		}
	}
}

// portion reads ids with what is sealed.
func (s *Vault) portion(ctx context.Context, query string, after []byte) (part [][2][]byte, err error) {
	rows, err := s.tx.QueryContext(ctx, query, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r [2][]byte
		if err := rows.Scan(&r[0], &r[1]); err != nil {
			return nil, err
		}
		part = append(part, r)
	}
	return part, rows.Err()
}

// NewVault reads in a transaction, which takes its snapshot here at the latest. Close ends it and closes the database.
func NewVault(ctx context.Context, db *sql.DB, tx *sql.Tx, each Walk) (*Vault, error) {
	s := &Vault{db: db, tx: tx, each: each, logs: map[string]int64{}}
	if err := s.readLogs(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Vault) readLogs(ctx context.Context) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT id, name FROM log")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var name string
		if err := rows.Scan(&number, &name); err != nil {
			return err
		}
		s.logs[name] = number
	}
	return rows.Err()
}

// Close ends the snapshot.
func (s *Vault) Close() error {
	return errors.Join(s.tx.Rollback(), s.db.Close())
}

// Installation returns the installation's id; an empty one when it is not there.
func (s *Vault) Installation(ctx context.Context) (string, error) {
	var b []byte
	err := s.tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'installation'").Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return string(b), err
}

// Logs returns the logs by name, and rows of a log that is not in table log as "#<number> of <table>".
func (s *Vault) Logs(ctx context.Context) ([]verify.Log, error) {
	var logs []verify.Log
	known := map[int64]bool{}
	rows, err := s.tx.QueryContext(ctx, "SELECT id, name, checkpoint FROM log")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var l verify.Log
		if err := rows.Scan(&number, &l.Name, &l.Checkpoint); err != nil {
			return nil, err
		}
		known[number] = true
		logs = append(logs, l)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(logs, func(a, b verify.Log) int { return cmp.Compare(a.Name, b.Name) })
	for _, table := range []string{"leaf", "node", "opening"} {
		// One look into the index for each log, rather than a scan.
		for at := int64(math.MinInt64); ; {
			var next sql.NullInt64
			if err := s.tx.QueryRowContext(ctx, "SELECT min(log) FROM "+table+" WHERE log >= $1", at).Scan(&next); err != nil {
				return nil, err
			}
			if !next.Valid {
				break
			}
			if !known[next.Int64] {
				logs = append(logs, verify.Log{Name: fmt.Sprintf("#%d of %s", next.Int64, table)})
			}
			if next.Int64 == math.MaxInt64 {
				break
			}
			at = next.Int64 + 1
		}
	}
	return logs, nil
}

// Leaves walks over a log's leaves.
func (s *Vault) Leaves(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return s.walk(ctx, "SELECT seq, data FROM leaf WHERE log = %d ORDER BY seq", log, fn)
}

// Nodes walks over a log's stored nodes.
func (s *Vault) Nodes(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return s.walk(ctx, "SELECT idx, hash FROM node WHERE log = %d ORDER BY idx", log, fn)
}

// Openings walks over a log's sealed openings.
func (s *Vault) Openings(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return s.walk(ctx, "SELECT seq, sealed FROM opening WHERE log = %d ORDER BY seq", log, fn)
}

func (s *Vault) walk(ctx context.Context, query, log string, fn func(int64, []byte) error) error {
	number, ok := s.logs[log]
	if !ok {
		return fmt.Errorf("no log %q", log)
	}
	return s.each(ctx, s.tx, fmt.Sprintf(query, number), fn)
}
