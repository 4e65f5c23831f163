package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/dosevault/dosevault/internal/id"
)

// RegisterRow is one row that an import stored, with the columns that its manifest covers.
type RegisterRow struct {
	Kind         byte // 'w' wearer, 'p' wear period, 'r' reading, 'i' investigation
	Import       id.Import
	Organisation id.Organisation // of a reading: its wear period's
	Key          []byte          // 16 bytes; of a reading: its wear period's
	Version      uint32          // wearer and reading
	Wearer       []byte          // 16 bytes, or nil: wear period's, also for a reading
	Starts, Ends int64           // wear period: days since 1970-01-01
	Tag          []byte          // investigation
	Sealed       []byte
	Health       []byte // wearer
}

// RegisterSource is a consistent snapshot of the register. Slices given to fn are valid only during the call.
type RegisterSource interface {
	// Rows walks over all wearers, then wear periods, readings, investigations, each in ascending order of key, then
	// version; wear periods and readings of wearer first. A reading whose wear period is missing comes with a zero Organisation.
	Rows(ctx context.Context, fn func(RegisterRow) error) error
	// Awaiting returns the imports that are stored and wait for their entry.
	Awaiting(ctx context.Context) (map[id.Import]bool, error)
}

// RegisterReport is what of the register was verified.
type RegisterReport struct {
	Imports  int   // with a manifest that holds
	Rows     int64 // covered by them
	Awaiting int64 // rows of imports whose entry is still to come
}

// party is an import's part for one organisation.
type party struct {
	im  id.Import
	org id.Organisation
}

// Register holds the register against the manifests of the ledgers' import entries (format: manifest.go in package
// register). The error is a *Difference, of the first entry in the ledgers' order that does not hold, or else for rows
// that no entry vouches for. A manifest covers a row's keys, a wear period's wearer and days, an investigation's tag, and
// every sealed column; what else stands in a row is bound by its sealed value, which does not open beside anything else.
func Register(ctx context.Context, src RegisterSource, manifests []ManifestEntry) (*RegisterReport, error) {
	awaiting, err := src.Awaiting(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: reading the register's imports: %w", err)
	}
	type sum struct {
		h    hash.Hash
		rows int64
	}
	sums := map[party]*sum{}
	err = src.Rows(ctx, func(r RegisterRow) error {
		if r.Organisation.IsZero() {
			return &Difference{Log: tableOf(r.Kind), Seq: -1, What: fmt.Sprintf("a row of import %s belongs to no organisation: what it refers to was deleted", r.Import)}
		}
		p := party{r.Import, r.Organisation}
		s := sums[p]
		if s == nil {
			s = &sum{h: sha256.New()}
			sums[p] = s
		}
		s.rows++
		r.write(s.h)
		return nil
	})
	if err != nil {
		return nil, err
	}
	report := &RegisterReport{}
	for _, m := range manifests {
		p := party{m.Import, m.Organisation}
		differs := func(format string, args ...any) error {
			return &Difference{Log: m.Log, Seq: m.Seq, What: fmt.Sprintf("import %s of kind %s: ", m.Import, m.Kind) + fmt.Sprintf(format, args...)}
		}
		s := sums[p]
		switch {
		case s == nil:
			return nil, differs("the ledger says %d rows, the register holds none of them (or the import was entered twice)", m.Rows)
		case s.rows != int64(m.Rows):
			return nil, differs("the ledger says %d rows, the register holds %d: rows were deleted, added, or moved to or from another organisation or import", m.Rows, s.rows)
		case !bytes.Equal(s.h.Sum(nil), m.Hash):
			return nil, differs("its %d rows are not those that were entered: a row was changed, rolled back or re-assigned", m.Rows)
		}
		report.Imports++
		report.Rows += s.rows
		delete(sums, p)
	}
	var bad *Difference
	var first party
	for p, s := range sums {
		switch {
		case awaiting[p.im]:
			report.Awaiting += s.rows
		case bad == nil || bytes.Compare(append(p.im[:], p.org[:]...), append(first.im[:], first.org[:]...)) < 0:
			first = p
			bad = &Difference{Log: "register", Seq: -1, What: fmt.Sprintf("%d rows of import %s and organisation %s stand in no ledger: they were added or moved", s.rows, p.im, p.org)}
		}
	}
	if bad != nil {
		return nil, bad
	}
	return report, nil
}

func tableOf(kind byte) string {
	switch kind {
	case 'w':
		return "wearer"
	case 'p':
		return "wear_period"
	case 'r':
		return "reading"
	}
	return "investigation"
}

// write adds the row's record to its import's hash.
func (r *RegisterRow) write(h hash.Hash) {
	wearer := make([]byte, 16)
	copy(wearer, r.Wearer)
	b := append([]byte{r.Kind}, r.Key...)
	digest := func(v []byte) {
		s := sha256.Sum256(v)
		b = append(b, s[:]...)
	}
	switch r.Kind {
	case 'w':
		b = binary.BigEndian.AppendUint32(b, r.Version)
		digest(r.Sealed)
		digest(r.Health)
	case 'p':
		b = append(b, wearer...)
		b = binary.BigEndian.AppendUint32(b, uint32(r.Starts))
		b = binary.BigEndian.AppendUint32(b, uint32(r.Ends))
		digest(r.Sealed)
	case 'r':
		b = binary.BigEndian.AppendUint32(b, r.Version)
		b = append(b, wearer...)
		digest(r.Sealed)
	case 'i':
		b = append(b, r.Tag...)
		digest(r.Sealed)
	}
	h.Write(b)
}
