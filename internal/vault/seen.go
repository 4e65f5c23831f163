package vault

import (
	"cmp"
	"context"
	"slices"
	"time"
	_ "time/tzdata" // so that Europe/London is known on every machine

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// london is by whose clock a day begins for those who ask who has seen their data.
var london = func() *time.Location {
	l, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic("vault: no time zone Europe/London") // unreachable: the zones are part of the program
	}
	return l
}()

// Seen answers who has seen what of a wearer, from their organisation's ledger alone: what one party did on one day, in one
// way and for one purpose, is summed up, newest first. One look is one entry, which names the wearer.
func (v *Vault) Seen(ctx context.Context, c Caller, r vaultclient.SeenRequest) (vaultclient.SeenPage, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.SeenPage{}, err
	}
	if r.Limit < 1 || r.Limit > vaultclient.MaxPage || r.Offset < 0 {
		return vaultclient.SeenPage{}, invalid("a page has 1 to %d lines", vaultclient.MaxPage)
	}
	a := ask{action: policy.Oversee, purpose: policy.Oversight, wearers: []id.Wearer{r.Wearer}, kind: ledger.Oversee, subject: "who has seen a wearer's data"}
	if p.Role == policy.Wearer {
		a.purpose = policy.OwnRecord
	}
	found, err := v.gate(ctx, p, a)
	if err != nil {
		return vaultclient.SeenPage{}, err
	}
	org := found[0].facts.Organisation
	all, err := v.seenOf(ctx, p, org, r.Wearer)
	if err != nil {
		return vaultclient.SeenPage{}, err
	}
	page := all[min(r.Offset, len(all)):min(r.Offset+r.Limit, len(all))]
	return vaultclient.SeenPage{Organisation: org, Total: len(all), Seen: append([]vaultclient.Seen{}, page...)}, nil
}

// seenOf sums up what an organisation's ledger has about a wearer.
func (v *Vault) seenOf(ctx context.Context, p *principal, org id.Organisation, w id.Wearer) ([]vaultclient.Seen, error) {
	type key struct {
		day, kind, basis, actor, role string
		purpose                       policy.Purpose
	}
	var all []*vaultclient.Seen
	by := map[key]*vaultclient.Seen{}
	for _, log := range v.logsOf(org) {
		err := v.read(ctx, org, log.Name, 0, log.Size, func(e opened) error {
			if e.opening == nil || !slices.Contains(e.opening.Wearers, w) {
				return nil
			}
			s := v.show(p, e)
			k := key{s.Recorded.In(london).Format(time.DateOnly), s.Kind, s.Basis, s.Actor, s.Role, s.Purpose}
			one := by[k]
			if one == nil {
				one = &vaultclient.Seen{Day: k.day, Kind: s.Kind, Basis: s.Basis, Actor: s.Actor, Role: s.Role, Purpose: s.Purpose, First: s.Recorded, Last: s.Recorded}
				by[k] = one
				all = append(all, one)
			}
			one.Times++
			one.Fields |= s.Fields
			if s.Recorded.Before(one.First) {
				one.First = s.Recorded
			}
			if s.Recorded.After(one.Last) {
				one.Last = s.Recorded
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b *vaultclient.Seen) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), b.Last.Compare(a.Last))
	})
	out := make([]vaultclient.Seen, len(all))
	for i, s := range all {
		out[i] = *s
	}
	return out, nil
}
