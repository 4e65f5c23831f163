package verify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
)

// RegisterRow is one row that an import stored, as it stands in the register: nothing of it is taken for well-formed.
type RegisterRow struct {
	Kind         byte // 'w' wearer, 'p' wear period, 'r' reading, 'i' investigation
	Import       []byte
	Organisation []byte // of a reading: its wear period's, nil when that is missing
	Key          []byte // of a reading: its wear period's
	Version      int64  // wearer and reading
	Wearer       []byte // wear period and reading; zero for a control badge
	Starts, Ends int64  // wear period: days since 1970-01-01
	Tag          []byte // investigation
	Sealed       []byte
	Health       []byte // wearer
}

// RegisterSource is a consistent snapshot of the register. Slices given to fn are valid only during the call.
type RegisterSource interface {
	// Rows walks over all wearers, then wear periods, readings, investigations, each in ascending order of key, then
	// version; wear periods and readings of wearer first. An error of fn ends the walk and is returned. What is wrong with
	// the database itself is returned as a *Difference.
	Rows(ctx context.Context, fn func(RegisterRow) error) error
	// Awaiting returns the imports that are stored and wait for their entry.
	Awaiting(ctx context.Context) (map[id.Import]bool, error)
}

// RegisterReport is what of the register was verified.
type RegisterReport struct {
	Imports  int   // manifests that hold: one for each import and organisation
	Rows     int64 // covered by them
	Awaiting int64 // rows of imports whose entry is still to come
}

// party is an import's part for one organisation.
type party struct {
	im  id.Import
	org id.Organisation
}

// sum is what a party's rows come to.
type sum struct {
	h     hash.Hash
	rows  int64
	kinds string // kinds of rows, in their order
}

// rowsOf says which rows an import of a kind stores; a kind that is not here is not held against its rows.
var rowsOf = map[string]string{"people": "w", "leavers": "w", "person": "w", "dispatch": "p", "laboratory": "ri", "investigation": "i"}

var tables = map[byte]string{'w': "wearer", 'p': "wear_period", 'r': "reading", 'i': "investigation"}

// Register holds the register against the manifests of the ledgers' import entries (format: manifest.go in package
// register). The error is a *Difference, of the first of these that there is:
//   - what is wrong with the database itself, or the first row, in the source's order, that no manifest can hold: a
//     reading without its wear period, an id or a tag of another length, a number out of its range. Its Log is the table's name;
//   - the first entry, in the given order, that does not hold. Its Log and Seq are the entry's;
//   - rows that no entry vouches for, in order of import and organisation. Its Log is "register". Rows of an import that
//     waits for its entries are counted instead; an import is entered in all its organisations' ledgers at once, so one
//     with an entry anywhere waits no longer.
//
// A manifest covers a row's import and organisation, its id and version, the wearer and days of a wear period, the wearer
// of a reading, the tag of an investigation, and every sealed column. It does not cover a wear period's barcode and batch:
// its sealed value is bound to them, and does not open beside others. Nothing covers the state of a badge, and
// the tables organisation, import and document.
func Register(ctx context.Context, src RegisterSource, manifests []ManifestEntry) (*RegisterReport, error) {
	awaiting, err := src.Awaiting(ctx)
	if err != nil {
		return nil, reading(err)
	}
	sums := map[party]*sum{}
	var record []byte // in hand, so that rows cost no memory
	err = src.Rows(ctx, func(r RegisterRow) error {
		if what := r.malformed(); what != "" {
			return &Difference{Log: tables[r.Kind], Seq: -1, What: "a row of import " + name(r.Import) + " " + what}
		}
		p := party{id.Import(r.Import), id.Organisation(r.Organisation)}
		s := sums[p]
		if s == nil {
			s = &sum{h: sha256.New()}
			sums[p] = s
		}
		if n := len(s.kinds); n == 0 || s.kinds[n-1] != r.Kind {
			s.kinds += string(rune(r.Kind))
		}
		s.rows++
		record = r.appendRecord(record[:0])
		s.h.Write(record)
		return nil
	})
	if err != nil {
		return nil, reading(err)
	}

	report := &RegisterReport{}
	entered := map[party]*ManifestEntry{}
	for i := range manifests {
		m := &manifests[i]
		p := party{m.Import, m.Organisation}
		if what := m.differs(sums[p], entered[p]); what != "" {
			return nil, &Difference{m.Log, m.Seq, fmt.Sprintf("import %s of kind %s for organisation %s: %s", m.Import, m.Kind, m.Organisation, what)}
		}
		entered[p] = m
		delete(awaiting, m.Import)
		report.Imports++
		report.Rows += int64(m.Rows)
	}

	var alone []party
	for p, s := range sums {
		switch {
		case entered[p] != nil:
		case awaiting[p.im]:
			report.Awaiting += s.rows
		default:
			alone = append(alone, p)
		}
	}
	if len(alone) > 0 {
		first := slices.MinFunc(alone, func(a, b party) int {
			return cmp.Or(bytes.Compare(a.im[:], b.im[:]), bytes.Compare(a.org[:], b.org[:]))
		})
		return nil, &Difference{"register", -1, fmt.Sprintf("%d rows of import %s and organisation %s stand in no ledger: they were added or moved (%s)",
			sums[first].rows, first.im, first.org, sums[first].names())}
	}
	return report, nil
}

// reading says what could not be read; a *Difference is returned as it is.
func reading(err error) error {
	var d *Difference
	if errors.As(err, &d) {
		return d
	}
	return fmt.Errorf("verify: reading the register: %w", err)
}

// differs holds an entry against the rows of its party, nil if there are none, and returns what is wrong with it.
func (m *ManifestEntry) differs(s *sum, before *ManifestEntry) string {
	if before != nil {
		return fmt.Sprintf("it was entered twice: entry %d of log %s is its first", before.Seq, before.Log)
	}
	if s == nil {
		s = &sum{h: sha256.New()}
	}
	allowed, known := rowsOf[m.Kind]
	switch {
	case s.rows == 0 && m.Rows > 0:
		return fmt.Sprintf("the register stores no row of it, the ledger says %d: they were deleted, or moved to another organisation or import", m.Rows)
	case s.rows != int64(m.Rows):
		return fmt.Sprintf("the register stores %d rows, the ledger says %d: rows were deleted, added, or moved to or from another organisation or import (%s)", s.rows, m.Rows, s.names())
	case !bytes.Equal(s.h.Sum(nil), m.Hash):
		return fmt.Sprintf("its %d rows are not those that were entered: a row was changed, exchanged or re-assigned (%s)", m.Rows, s.names())
	}
	for i := range len(s.kinds) {
		if known && !bytes.Contains([]byte(allowed), []byte{s.kinds[i]}) {
			return "an import of this kind stores no rows of table " + tables[s.kinds[i]]
		}
	}
	return ""
}

// names are the tables that a party has rows in.
func (s *sum) names() string {
	text := "tables"
	for i := range len(s.kinds) {
		text += " " + tables[s.kinds[i]]
	}
	return text
}

// name is an import's id as a person reads it.
func name(b []byte) string {
	if len(b) != len(id.Import{}) {
		return fmt.Sprintf("%x, which is no import's id,", b)
	}
	return id.Import(b).String()
}

// malformed returns why a row is none that an import stores. Records in a manifest's hash have no lengths, so that each
// part must have its own: else a byte could go from the end of one column to the start of the next. Numbers are cut to
// 32 bits there, and those beyond would hash as others do.
func (r *RegisterRow) malformed() string {
	const size = 16
	ofWearer := r.Kind == 'p' || r.Kind == 'r'
	switch {
	case tables[r.Kind] == "":
		return fmt.Sprintf("is of the unknown kind %q", r.Kind)
	case len(r.Import) != size:
		return "has an import's id of another length"
	case r.Organisation == nil && r.Kind == 'r':
		return "belongs to no wear period: that was deleted, or is another wearer's now"
	case len(r.Organisation) != size:
		return "has an organisation's id of another length"
	case len(r.Key) != size:
		return "has an id of another length"
	case ofWearer && len(r.Wearer) != size:
		return "has a wearer's id of another length"
	case r.Kind == 'i' && len(r.Tag) != size:
		return "has a tag of another length"
	case r.Version < 0 || r.Version > math.MaxUint32:
		return "has a version out of range"
	case int64(int32(r.Starts)) != r.Starts || int64(int32(r.Ends)) != r.Ends:
		return "has a day out of range"
	}
	return ""
}

// appendRecord appends the row's record in its import's hash.
func (r *RegisterRow) appendRecord(b []byte) []byte {
	digest := func(v []byte) {
		s := sha256.Sum256(v)
		b = append(b, s[:]...)
	}
	b = append(b, r.Kind)
	b = append(b, r.Key...)
	switch r.Kind {
	case 'w':
		b = binary.BigEndian.AppendUint32(b, uint32(r.Version))
		digest(r.Sealed)
		digest(r.Health)
	case 'p':
		b = append(b, r.Wearer...)
		b = binary.BigEndian.AppendUint32(b, uint32(r.Starts))
		b = binary.BigEndian.AppendUint32(b, uint32(r.Ends))
		digest(r.Sealed)
	case 'r':
		b = binary.BigEndian.AppendUint32(b, uint32(r.Version))
		b = append(b, r.Wearer...)
		digest(r.Sealed)
	case 'i':
		b = append(b, r.Tag...)
		digest(r.Sealed)
	}
	return b
}
