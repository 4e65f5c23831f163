package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger/verify"
)

// VerifyRegister reads a register's database for package verify: one read transaction on a read-only connection.
type VerifyRegister struct {
	db *sql.DB
	tx *sql.Tx
}

var _ verify.RegisterSource = (*VerifyRegister)(nil)

// OpenVerifyRegister opens the register's database file for verifying. Close it soon after use.
func OpenVerifyRegister(path string) (*VerifyRegister, error) {
	db, tx, err := openSnapshot(path)
	if err != nil {
		return nil, err
	}
	return &VerifyRegister{db, tx}, nil
}

// Close ends the snapshot.
func (s *VerifyRegister) Close() error { return errors.Join(s.tx.Rollback(), s.db.Close()) }

// The rows of each table with the columns of verify.RegisterRow, in the order that a manifest wants.
var verifyQueries = []struct {
	kind  byte
	query string
}{
	{'w', "SELECT import, organisation, id, version, NULL, 0, 0, NULL, sealed, health FROM wearer ORDER BY id, version"},
	{'p', "SELECT p.import, p.organisation, p.id, 0, p.wearer, p.starts, p.ends, NULL, p.sealed, NULL FROM wear_period p ORDER BY p.wearer, p.id"},
	{'r', "SELECT r.import, p.organisation, r.wear_period, r.version, r.wearer, 0, 0, NULL, r.sealed, NULL FROM reading r LEFT JOIN wear_period p ON p.wearer = r.wearer AND p.id = r.wear_period ORDER BY r.wearer, r.wear_period, r.version"},
	{'i', "SELECT import, organisation, id, 0, NULL, 0, 0, tag, sealed, NULL FROM investigation ORDER BY id"},
}

// Rows implements verify.RegisterSource.
func (s *VerifyRegister) Rows(ctx context.Context, fn func(verify.RegisterRow) error) error {
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
		return fmt.Errorf("reading the register: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		r := verify.RegisterRow{Kind: kind}
		var im, org, tag sql.RawBytes
		var key, wearer, sealed, health sql.RawBytes
		if err := rows.Scan(&im, &org, &key, &r.Version, &wearer, &r.Starts, &r.Ends, &tag, &sealed, &health); err != nil {
			return fmt.Errorf("reading the register: %w", err)
		}
		// An id with more bytes than ids have would be read as the same id here, and not be found by anybody who looks for it.
		if len(im) != len(r.Import) || wearer != nil && len(wearer) != len(id.Wearer{}) {
			return &verify.Difference{Log: "register", Seq: -1, What: fmt.Sprintf("a row of kind %q has an import's or a wearer's id of another length", kind)}
		}
		copy(r.Import[:], im)
		if len(org) == len(r.Organisation) {
			copy(r.Organisation[:], org)
		}
		r.Key, r.Wearer, r.Sealed, r.Health = key, wearer, sealed, health
		if kind == 'i' {
			r.Tag = tag
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
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
		var n id.Import
		copy(n[:], key)
		out[n] = true
	}
	return out, rows.Err()
}
