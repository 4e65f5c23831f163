package vault

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Exposures answers what became readable to a recipient in a window, from the ledgers alone.
func (v *Vault) Exposures(ctx context.Context, c Caller, r vaultclient.ExposureRequest) (vaultclient.Exposures, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.Exposures{}, err
	}
	var asked []string
	for _, h := range r.Windows() {
		if !h.From.Before(h.To) || h.Medium {
			return vaultclient.Exposures{}, invalid("the window ends before it begins, or it is of a medium, by which nothing became readable")
		}
		asked = append(asked, string(h.Recipient))
	}
	if len(asked) > maxWindows {
		return vaultclient.Exposures{}, invalid("at most %d recipients and windows are united", maxWindows)
	}
	if len(r.Less) > maxDestroyed {
		return vaultclient.Exposures{}, invalid("at most %d destructions are taken off", maxDestroyed)
	}
	subject := "exposures of " + strings.Join(asked, ", ")
	var orgs []id.Organisation
	if len(p.Organisations) > 0 {
		orgs = p.Organisations
	} else {
		v.mu.RLock()
		for org := range v.state.organisations {
			orgs = append(orgs, org)
		}
		v.mu.RUnlock()
		slices.SortFunc(orgs, compareOrganisations)
	}
	if len(p.Organisations) == 0 {
		if err := v.oversee(ctx, p, id.Organisation{}, id.Wearer{}, subject); err != nil {
			return vaultclient.Exposures{}, err
		}
	} else {
		for _, org := range orgs {
			if err := v.oversee(ctx, p, org, id.Wearer{}, subject); err != nil {
				return vaultclient.Exposures{}, err
			}
		}
	}
	s := &scope{v: v, windows: r.Windows(), less: r.Less, proofs: r.Proofs}
	if err := s.read(ctx, orgs); err != nil {
		return vaultclient.Exposures{}, err
	}
	return s.answer(r.List), nil
}

// maxWindows is how many recipients and windows one question unites.
const maxWindows = 50

// maxDestroyed is how many destructions one question takes off.
const maxDestroyed = 1000

type exposureKey struct {
	wearer id.Wearer
	basis  ledger.Basis
}

// exposedWearers is what became readable, by wearer and basis.
type exposedWearers map[exposureKey]*wearerExposed

// count adds what entries made readable of a wearer.
func (m exposedWearers) count(k exposureKey, w wearerExposed) {
	x := m[k]
	if x == nil {
		x = &wearerExposed{first: w.first, last: w.last}
		m[k] = x
	}
	x.count(w.fields, w.entries, w.first, w.last, w.years)
}

// exposure is what the answer says of a wearer.
func (w *wearerExposed) exposure(org id.Organisation, k exposureKey) vaultclient.Exposure {
	return vaultclient.Exposure{Wearer: k.wearer, Organisation: org, Basis: k.basis.String(), Fields: w.fields, Years: w.years, First: micro(w.first), Last: micro(w.last), Entries: int(w.entries)}
}

// scope sums entries up into exposures, organisation by organisation.
type scope struct {
	v       *Vault
	windows []vaultclient.Hypothesis
	less    []vaultclient.Destruction
	proofs  bool // asked for
	parts   []*scopePart
}

// scopePart is an organisation's part of a scope.
type scopePart struct {
	*scope
	org           id.Organisation
	by, destroyed exposedWearers
	entries       []vaultclient.EntryRef
}

// read reads organisations' ledgers, some beside each other.
func (s *scope) read(ctx context.Context, orgs []id.Organisation) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, org := range orgs {
		part := &scopePart{scope: s, org: org, by: exposedWearers{}, destroyed: exposedWearers{}}
		s.parts = append(s.parts, part)
		group.Go(func() error {
			for _, log := range s.v.logsOf(org) {
				if err := part.readLog(ctx, log); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// add adds an entry, if one of the windows holds it.
func (s *scopePart) add(e opened) error {
	one, ok := exposingOf(e.seq, e.leaf, e.opening)
	if !ok {
		return nil
	}
	found, left := false, false // by any window; by one whose recipient had not destroyed it
	for _, h := range s.windows {
		if one.from < h.To.UnixMicro() && one.to >= h.From.UnixMicro() && (h.Recipient == "" || slices.Contains(one.recipients, string(h.Recipient))) {
			found = true
			left = left || !s.gone(h, micro(one.from), micro(one.to))
		}
	}
	if !found {
		return nil
	}
	by := s.by
	if !left {
		by = s.destroyed
	}
	for _, w := range one.wearers {
		by.count(exposureKey{w, one.basis}, wearerExposed{one.fields, 1, one.from, one.to, one.years})
	}
	if s.proofs {
		h := tlog.RecordHash(e.raw)
		s.entries = append(s.entries, vaultclient.EntryRef{Log: e.log, Seq: e.seq, Recorded: e.leaf.Recorded, LeafHash: h[:]})
	}
	return nil
}

// gone reports whether a recipient had destroyed what it was sent from one moment to another of the organisation's people, before somebody else may have had it.
func (s *scopePart) gone(h vaultclient.Hypothesis, from, to time.Time) bool {
	return !h.Began.IsZero() && slices.ContainsFunc(s.less, func(d vaultclient.Destruction) bool {
		return d.Recipient == h.Recipient && d.Recipient != "" && !d.At.After(h.Began) && !from.Before(d.From) && from.Before(d.To) && !to.After(d.To) && (d.Organisation.IsZero() || d.Organisation == s.org)
	})
}

// lessens reports whether something that a recipient destroyed may be taken off a window.
func (s *scope) lessens(h vaultclient.Hypothesis) bool {
	return !h.Began.IsZero() && slices.ContainsFunc(s.less, func(d vaultclient.Destruction) bool { return d.Recipient == h.Recipient })
}

// answer is what all of it comes to, person by person if a list is wanted.
func (s *scope) answer(list bool) vaultclient.Exposures {
	type cell struct {
		org    id.Organisation
		basis  string
		fields policy.Fields
	}
	cells := map[cell]int{}
	people := map[id.Person]bool{}
	out := vaultclient.Exposures{Cells: []vaultclient.ExposureCell{}}
	s.v.mu.RLock()
	defer s.v.mu.RUnlock()
	for _, part := range s.parts {
		out.Proofs = append(out.Proofs, part.entries...)
		out.Wearers += len(part.fields())
		for k, x := range part.by {
			if w := s.v.state.wearers[k.wearer]; w != nil {
				people[w.facts.Person] = true
			}
			cells[cell{part.org, k.basis.String(), x.fields}]++
			if list {
				out.List = append(out.List, x.exposure(part.org, k))
			}
		}
		if list {
			for k, x := range part.destroyed {
				out.Destroyed = append(out.Destroyed, x.exposure(part.org, k))
			}
		}
	}
	for c, n := range cells {
		out.Cells = append(out.Cells, vaultclient.ExposureCell{Organisation: c.org, Basis: c.basis, Fields: c.fields, Wearers: n})
	}
	name := func(org id.Organisation) string {
		if o := s.v.state.organisations[org]; o != nil {
			return o.Name + org.String()
		}
		return org.String()
	}
	slices.SortFunc(out.Cells, func(a, b vaultclient.ExposureCell) int {
		return cmp.Or(cmp.Compare(name(a.Organisation), name(b.Organisation)), cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Fields, b.Fields))
	})
	for _, list := range [][]vaultclient.Exposure{out.List, out.Destroyed} {
		slices.SortFunc(list, func(a, b vaultclient.Exposure) int {
			return cmp.Or(cmp.Compare(name(a.Organisation), name(b.Organisation)), slices.Compare(a.Wearer[:], b.Wearer[:]), cmp.Compare(a.Basis, b.Basis))
		})
	}
	out.People = len(people)
	return out
}

// fields are those of each wearer, by whatever basis.
func (s *scopePart) fields() map[id.Wearer]policy.Fields {
	out := make(map[id.Wearer]policy.Fields, len(s.by))
	for k, x := range s.by {
		out[k.wearer] |= x.fields
	}
	return out
}
