package vault

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A machine is a grant for something outside this installation: an HR system, a laboratory's, a reporting tool. It is
// addressed by a session that it gets for a request that it signed, never by its id; what it may do stands in the policies under the
// name machine. Whom it touched is kept with it, so that its number of people holds over a restart.

// Bounds of a machine's leave.
const (
	maxMachineLife = 366 * 24 * time.Hour
	maxMachineName = 60
)

// machineIn is the name of the machine among an entry's recipients, or nothing.
func machineIn(recipients []string) string {
	for _, r := range recipients {
		if name, ok := strings.CutPrefix(r, "machine:"); ok {
			return name
		}
	}
	return ""
}

// runs reports whether a grant has neither run out nor been ended, and whether the access of who gave it holds.
func (s *state) runs(g *grant, at time.Time) bool {
	return at.UnixMicro() < g.Expires && g.Ended == 0 && active(s.users[g.User], at)
}

// isMachine reports whether a grant is a machine's.
func (g *grant) isMachine() bool { return g.Key != nil }

// asPrincipal is a grant as the policies see it.
func (g *grant) asPrincipal(n id.Grant) policy.Principal {
	return policy.Principal{Grant: n, GrantPurpose: g.Purpose, GrantFields: g.Fields, Machine: g.isMachine(), Organisations: g.Organisations}
}

// byGrant finds out who calls with a grant: a job by its id, a machine by a session for one request. The caller holds the lock.
func (v *Vault) byGrant(c Caller, n id.Grant, at time.Time) (*principal, error) {
	g := v.state.grants[n]
	if g == nil || g.Node != c.Node || !v.state.runs(g, at) || g.isMachine() != (c.Auth.Machine != "") {
		return nil, errUnauthenticated
	}
	of := v.state.grants[g.Of]
	if !g.Of.IsZero() && (of == nil || !v.state.runs(of, at)) {
		return nil, errUnauthenticated // what a machine passed on ends with it
	}
	p := &principal{
		Principal:  g.asPrincipal(n),
		only:       v.state.users[g.User].Purpose, // of a contractor who gave it
		node:       c.Node,
		grant:      g,
		machine:    g.Of,
		recipients: []string{"grant:" + n.String(), "node:" + c.Node},
		lives: func(st *state) bool {
			return st.grants[n] == g && st.grants[g.Of] == of && active(st.users[g.User], v.now())
		},
	}
	if g.isMachine() {
		p.machine = n
		p.recipients = append(p.recipients, "machine:"+g.Name)
	}
	return p, nil
}

// count counts wearers towards the number that the caller's grant is for. What a machine and its jobs touched is kept with
// the machine. Should the commit fail, they stay counted until the next start.
func (t *tx) count(p *principal, parties []*party) error {
	if p.grant == nil {
		return nil
	}
	added, ok := p.grant.used.fit(parties, p.grant.MaxWearers)
	if !ok {
		return refused("the grant is for %d wearers; this is more", p.grant.MaxWearers)
	}
	kept := p.machine
	if p.grant.isStanding() {
		kept = p.Grant
	}
	if !added || kept.IsZero() {
		return nil
	}
	return t.keepMachine(kept, *t.v.state.grants[kept])
}

// keepMachine writes the row of a machine or standing grant with whom it touched.
func (t *tx) keepMachine(n id.Grant, g grant) error {
	g.Used = g.used.pack()
	sealed, err := t.v.sealRow(TableJobGrant, n[:], g)
	if err != nil {
		return err
	}
	t.put(TableJobGrant, n[:], sealed)
	return nil
}

// scopeOf is what leave for organisations is asked about: each of them, or the installation.
func scopeOf(orgs []id.Organisation) []id.Organisation {
	if len(orgs) == 0 {
		return []id.Organisation{{}}
	}
	return orgs
}

// permitEach asks the same about each organisation, or the installation.
func (v *Vault) permitEach(ctx context.Context, p *principal, a ask, orgs []id.Organisation) ([]*party, error) {
	var all []*party
	for _, org := range scopeOf(orgs) {
		one := a
		one.organisation = org
		_, parties, err := v.permit(ctx, p, one)
		if err != nil {
			return nil, err
		}
		all = append(all, parties...)
	}
	return all, nil
}

// rulesOf are the rules by which something is permitted at several places.
func rulesOf(parties []*party) string {
	all := map[string]bool{}
	for _, of := range parties {
		for r := range of.rules {
			all[r] = true
		}
	}
	return joinRules(all)
}

// enterLeave writes the row of a machine or standing grant and enters what was done with it, where it holds. The opening says
// who, why and by which rules already.
func (t *tx) enterLeave(n id.Grant, g *grant, o ledger.Opening, what string) error {
	if err := t.keepMachine(n, *g); err != nil {
		return err
	}
	kind, called, key := ledger.GrantGiven, "standing grant", ""
	if g.isMachine() {
		kind, called, key = ledger.Machine, "machine", ", by the key "+vaultclient.Fingerprint(g.Key)
	}
	o.Grant, o.Fields, o.Subject, o.Purpose = n, g.Fields, n.String(), string(g.Purpose)
	o.Wearers = unpackWearers(g.Only)
	why := o.Reason
	o.Reason = fmt.Sprintf("the %s “%s”: %s; by node %s, at most %d people, until %s%s", called, g.Name, what, g.Node, g.MaxWearers, time.UnixMicro(g.Expires).UTC().Format("2 January 2006"), key)
	if why != "" {
		o.Reason += "; " + why
	}
	for _, org := range scopeOf(g.Organisations) {
		o.Policy = t.v.state.policies.at(org).Version()
		e, err := t.v.seal(entry{org: org, kind: kind, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
	}
	t.apply(func(s *state) { s.grants[n] = g })
	return nil
}

// Machines lists the machines that have leave or had it, by name, newest first, for whoever manages the installation.
func (v *Vault) Machines(ctx context.Context, c Caller) ([]vaultclient.Machine, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := v.gate(ctx, p, ask{action: policy.Manage, purpose: policy.KeepRecords, kind: ledger.Oversee, subject: "machines"}); err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.Machine{}
	for n, g := range v.state.grants {
		if g.isMachine() {
			out = append(out, v.machineOf(n, g))
		}
	}
	slices.SortFunc(out, func(a, b vaultclient.Machine) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), b.Ends.Compare(a.Ends), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out, nil
}

// machineOf is a machine as callers see it. The caller holds the lock.
func (v *Vault) machineOf(n id.Grant, g *grant) vaultclient.Machine {
	m := vaultclient.Machine{ID: n, Name: g.Name, Purpose: g.Purpose, Fields: g.Fields, Organisations: g.Organisations, MaxWearers: g.MaxWearers,
		Used: g.used.len(), Node: g.Node, Ends: time.UnixMicro(g.Expires).UTC()}
	if g.Ended != 0 {
		m.Ended = time.UnixMicro(g.Ended).UTC()
	}
	if u := v.state.users[g.User]; u != nil {
		m.By, m.Ends = u.Name, upTo(u, m.Ends).UTC()
	}
	return m
}

// Self returns the machine that calls.
func (v *Vault) Self(ctx context.Context, c Caller) (vaultclient.Machine, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.Machine{}, err
	}
	if !p.Machine {
		return vaultclient.Machine{}, refused("this is not a machine")
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	m := v.machineOf(p.Grant, p.grant)
	m.By = ""
	return m, nil
}

// Delivered lists the imports that the calling machine delivered, in no order.
func (v *Vault) Delivered(ctx context.Context, c Caller) ([]id.Import, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if !p.Machine {
		return nil, refused("this is not a machine")
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []id.Import{}
	for n, im := range v.state.imports {
		if im.Machine == p.Grant {
			out = append(out, n)
		}
	}
	return out, nil
}

// EndMachine ends a machine's leave at once, and that of the jobs that it passed a part of it on to. Ending it twice is no error.
func (v *Vault) EndMachine(ctx context.Context, c Caller, n id.Grant) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	v.mu.RLock()
	g := v.state.grants[n]
	v.mu.RUnlock()
	if g == nil || !g.isMachine() {
		if _, err := v.manage(ctx, p, id.Organisation{}); err != nil {
			return err
		}
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such machine"}
	}
	a := ask{action: policy.Manage, purpose: policy.KeepRecords, ends: true}
	parties, err := v.permitEach(ctx, p, a, g.Organisations)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		ended := *v.state.grants[n]
		if ended.Ended != 0 {
			return nil
		}
		ended.Ended = t.now.UnixMicro()
		o := v.opening(p, a)
		o.Rule = rulesOf(parties)
		return t.enterLeave(n, &ended, o, "ended")
	}))
}
