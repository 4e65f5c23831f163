package snapshot

import (
	"context"
	"database/sql"
	"errors"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// Register reads a register's database.
type Register struct {
	db    *sql.DB
	tx    *sql.Tx
	check func(ctx context.Context, tx *sql.Tx) error
}

var _ verify.RegisterSource = (*Register)(nil)

// NewRegister reads in a transaction that has taken its snapshot. check looks at the database itself before its rows are
// read: verify reads whole tables, the register goes by indexes, and a row that is missing from one of them, or hidden,
// would be seen here and not there. What is wrong is a *verify.Difference. Close ends the transaction and closes the database.
func NewRegister(db *sql.DB, tx *sql.Tx, check func(ctx context.Context, tx *sql.Tx) error) *Register {
	return &Register{db, tx, check}
}

// Close ends the snapshot.
func (s *Register) Close() error { return errors.Join(s.tx.Rollback(), s.db.Close()) }

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

// Rows implements verify.RegisterSource.
func (s *Register) Rows(ctx context.Context, fn func(verify.RegisterRow) error) error {
	if err := s.check(ctx, s.tx); err != nil {
		return err
	}
	for _, q := range verifyQueries {
		if err := s.rows(ctx, q.kind, q.query, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Register) rows(ctx context.Context, kind byte, query string, fn func(verify.RegisterRow) error) error {
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

// Awaiting implements verify.RegisterSource.
func (s *Register) Awaiting(ctx context.Context) (map[id.Import]bool, error) {
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
