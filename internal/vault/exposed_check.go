package vault

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/ledger"
)

// ExposedRows is a snapshot of a vault's database.
type ExposedRows interface {
	Rows(ctx context.Context, table string, fn func(id, sealed []byte) error) error
	Leaves(ctx context.Context, log string, fn func(seq int64, leaf []byte) error) error
	Openings(ctx context.Context, log string, fn func(seq int64, sealed []byte) error) error
}

// CheckExposed makes the index of exposures again from the ledgers, as far as it says that it goes, and compares. It returns how many rows hold;
// the error names the log of the first that does not. openRow opens a sealed row, opening a sealed opening. It is what verify does.
func CheckExposed(ctx context.Context, src ExposedRows, openRow func(table string, id, sealed []byte) ([]byte, error), opening func(log string, hash [sha256.Size]byte, sealed []byte) ([]byte, error)) (rows int, err error) {
	marks, stored := map[string]int64{}, map[string]map[exposedKey][sha256.Size]byte{}
	err = src.Rows(ctx, string(TableExposed), func(key, sealed []byte) error {
		b, err := openRow(string(TableExposed), key, sealed)
		if err != nil || len(b) == 0 {
			return fmt.Errorf("table %s, row %x: does not open here", TableExposed, key)
		}
		if b[0] == markVersion {
			log, size, err := decodeMark(b)
			marks[log] = size
			return err
		}
		var s exposed
		r := &reader{b: b}
		if s.head(r); r.bad {
			return fmt.Errorf("table %s, row %x: %w", TableExposed, key, errExposed)
		}
		if stored[s.log] == nil {
			stored[s.log] = map[exposedKey][sha256.Size]byte{}
		}
		stored[s.log][s.exposedKey] = sha256.Sum256(b)
		return nil
	})
	if err != nil {
		return 0, err
	}
	for log, of := range stored {
		if marks[log] == 0 {
			return 0, fmt.Errorf("log %s: the index of exposures has %d rows of it, and no mark", log, len(of))
		}
	}
	for log, mark := range marks {
		made, err := sumsOf(ctx, src, log, mark, opening)
		if err != nil {
			return 0, err
		}
		for k, s := range made {
			if sha256.Sum256(s.encode()) != stored[log][k] {
				return 0, fmt.Errorf("log %s: the index of exposures does not say what the ledger says of %s: drop the rows of table %s, and the vault makes them again", log, s.whose(), TableExposed)
			}
		}
		if len(made) != len(stored[log]) {
			return 0, fmt.Errorf("log %s: the index of exposures has %d rows of it, and the ledger gives %d", log, len(stored[log]), len(made))
		}
		rows += len(made)
	}
	return rows, nil
}

// whose names a sum for who looks into a difference; users and the like are ids.
func (s *exposed) whose() string {
	part, who := "its whole year", s.recipient
	if s.part > 0 {
		part = fmt.Sprintf("month %d", s.part)
	}
	if who == "" {
		who = "anybody"
	}
	if kind, _, ok := strings.Cut(who, ":"); ok && kind != "node" {
		who = "a " + kind
	}
	return part + " and " + who
}

// sumsOf makes the sums of the first entries of a log.
func sumsOf(ctx context.Context, src ExposedRows, log string, size int64, opening func(log string, hash [sha256.Size]byte, sealed []byte) ([]byte, error)) (sums, error) {
	leaves := map[int64]ledger.Leaf{}
	err := src.Leaves(ctx, log, func(seq int64, b []byte) error {
		leaf, err := ledger.DecodeLeaf(b)
		if err == nil && seq < size && leaf.Kind.Exposes() {
			leaves[seq] = leaf
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all := sums{}
	return all, src.Openings(ctx, log, func(seq int64, sealed []byte) error {
		leaf, ok := leaves[seq]
		if !ok || sealed == nil {
			return nil
		}
		b, err := opening(log, leaf.Opening, sealed)
		if err != nil {
			return fmt.Errorf("log %s, entry %d: its opening does not open: %w", log, seq, err)
		}
		o, err := ledger.DecodeOpening(b, leaf.Opening)
		if err != nil {
			return fmt.Errorf("log %s, entry %d: %w", log, seq, err)
		}
		x, ok := exposingOf(seq, leaf, &o)
		if !ok {
			return nil
		}
		all.add(log, &x)
		return nil
	})
}
