package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// VerifySource reads a vault's database for package verify: one read transaction on a read-only connection, so that
// all walks see the same moment, also while a vault writes. It reads tables meta, log, leaf, node and opening alone.
type VerifySource struct {
	db   *sql.DB
	tx   *sql.Tx
	logs map[string]int64 // number of each log
}

var _ verify.Source = (*VerifySource)(nil)

// OpenVerify opens the vault's database file for verifying. The snapshot is taken here; Close it soon after use, since
// the write-ahead log grows meanwhile.
func OpenVerify(path string) (*VerifySource, error) {
	db, tx, err := openSnapshot(path)
	if err != nil {
		return nil, err
	}
	s := &VerifySource{db: db, tx: tx, logs: map[string]int64{}}
	// The first read takes the snapshot.
	if err := s.readLogs(); err != nil {
		s.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return s, nil
}

func (s *VerifySource) readLogs() error {
	rows, err := s.tx.QueryContext(context.Background(), "SELECT id, name FROM log")
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

// Close ends the snapshot.
func (s *VerifySource) Close() error {
	return errors.Join(s.tx.Rollback(), s.db.Close())
}

// Installation returns the installation's id; an empty one when it is not there.
func (s *VerifySource) Installation(ctx context.Context) (string, error) {
	var b []byte
	err := s.tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'installation'").Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return string(b), err
}

// Logs returns the logs by name, and rows of a log that is not in table log as "#<number> of <table>".
func (s *VerifySource) Logs(ctx context.Context) ([]verify.Log, error) {
	var logs []verify.Log
	known := map[int64]bool{}
	rows, err := s.tx.QueryContext(ctx, "SELECT id, name, checkpoint FROM log ORDER BY name")
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
func (s *VerifySource) Leaves(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return s.walk(ctx, "SELECT seq, data FROM leaf WHERE log = $1 ORDER BY seq", log, fn)
}

// Nodes walks over a log's stored nodes.
func (s *VerifySource) Nodes(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return s.walk(ctx, "SELECT idx, hash FROM node WHERE log = $1 ORDER BY idx", log, fn)
}

// Openings walks over a log's sealed openings.
func (s *VerifySource) Openings(ctx context.Context, log string, fn func(int64, []byte) error) error {
	return s.walk(ctx, "SELECT seq, sealed FROM opening WHERE log = $1 ORDER BY seq", log, fn)
}

func (s *VerifySource) walk(ctx context.Context, query, log string, fn func(int64, []byte) error) error {
	number, ok := s.logs[log]
	if !ok {
		return fmt.Errorf("no log %q", log)
	}
	rows, err := s.tx.QueryContext(ctx, query, number)
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
