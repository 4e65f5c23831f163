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
}

// Table makes the table of organisations and combinations of fields, sorted by organisation and, of each, the most fields
// first. A wearer stands in exactly one row.
func Table(exposures []vaultclient.Exposure) []Row {
	type place struct {
		wearer id.Wearer
		org    id.Organisation
	}
	of := map[place]policy.Fields{}
	for _, x := range exposures {
		of[place{x.Wearer, x.Organisation}] |= x.Fields
	}
	count := map[Row]int{}
	for at, fields := range of {
		count[Row{Organisation: at.org, Fields: fields}]++
	}
	out := make([]Row, 0, len(count))
	for r, n := range count {
		r.Wearers = n
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(bytes.Compare(a.Organisation[:], b.Organisation[:]), cmp.Compare(bits.OnesCount32(uint32(b.Fields)), bits.OnesCount32(uint32(a.Fields))), cmp.Compare(b.Fields, a.Fields))
	})
	return out
}
