// Package incident answers what a suspected breach asks: who is concerned, how bad it is, who has to be told, on what ground
// and by when.
//
// It works on what the vault answers from its ledgers, which is the whole truth about who could read what; nothing here opens
// a field. Assessments follow published methods and say each step, so that an officer can follow them and overrule a
// step with a reason. None of it is legal advice: whoever is responsible decides.
package incident

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Row counts the wearers of one organisation of whom exactly these fields became readable, by whatever way: what passed the
// gate, what came in and what was declared are united for each wearer.
type Row struct {
	Organisation id.Organisation
	Fields       policy.Fields
	Wearers      int
	First, Last  time.Time // of what became readable of them
}

// Table makes the table of organisations and combinations of fields, sorted by organisation and, of each, the most fields
// first. A wearer stands in exactly one row.
func Table(exposures []vaultclient.Exposure) []Row {
	type place struct {
		wearer id.Wearer
		org    id.Organisation
	}
	type combination struct {
		org    id.Organisation
		fields policy.Fields
	}
	of := map[place]*Row{}
	for _, x := range exposures {
		at := place{x.Wearer, x.Organisation}
		if of[at] == nil {
			of[at] = &Row{Organisation: x.Organisation}
		}
		of[at].add(Row{x.Organisation, x.Fields, 0, x.First, x.Last})
	}
	rows := map[combination]*Row{}
	for _, one := range of {
		at := combination{one.Organisation, one.Fields}
		if rows[at] == nil {
			rows[at] = &Row{Organisation: one.Organisation}
		}
		one.Wearers = 1
		rows[at].add(*one)
	}
	out := make([]Row, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(bytes.Compare(a.Organisation[:], b.Organisation[:]), cmp.Compare(bits.OnesCount32(uint32(b.Fields)), bits.OnesCount32(uint32(a.Fields))), cmp.Compare(b.Fields, a.Fields))
	})
	return out
}

// add unites two rows of one organisation.
func (r *Row) add(more Row) {
	r.Fields |= more.Fields
	r.Wearers += more.Wearers
	if r.First.IsZero() || more.First.Before(r.First) {
		r.First = more.First
	}
	if more.Last.After(r.Last) {
		r.Last = more.Last
	}
}
