package vault

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// A standing grant is leave for recurring work without a user, as the nightly evaluation. Two people give it, one ends it, and
// it ends by itself with the access of who proposed it. It is used like a job's, by the node that it was given to; whom it
// touched is kept with it, so that its number of people holds over a restart. One that names wearers touches no others.

// maxNamed is how many wearers a standing grant can name.
const maxNamed = 1000

// isStanding reports whether a grant is for recurring work.
func (g *grant) isStanding() bool { return g.Work != "" }

var workWords = map[vaultclient.StandingWork]words.Key{
	vaultclient.Evaluation: "Every night: hold doses against limits and levels, and open investigations",
	vaultclient.Notices:    "Of an incident: tell those who were exposed",
}

// WorkWords is recurring work as pages say it.
func WorkWords(w vaultclient.StandingWork) words.Key {
	if k, ok := workWords[w]; ok {
		return k
	}
	return words.Plain(string(w))
}

// giveStanding gives a standing grant that two people agreed on.
func (t *tx) giveStanding(n vaultclient.NewGrant, p *approved) error {
	work := vaultclient.Standing[n.Work]
	g := &grant{User: p.proposer, Name: n.Name, Work: n.Work, Node: n.Node, Purpose: work.Purpose, Fields: work.Fields, Organisations: n.Organisations,
		Only: slices.Clone(packWearers(n.Wearers)), MaxWearers: n.MaxWearers, Expires: n.Ends.UnixMicro(), used: newWearerSet()}
	g.only = namedWearers(g.Only)
	return t.enterLeave(id.New[id.Grant](), g, p.opening, "given")
}

// namedWearers are the wearers that a grant may touch; nil: any.
func namedWearers(only []byte) map[id.Wearer]bool {
	if len(only) == 0 {
		return nil
	}
	m := map[id.Wearer]bool{}
	for _, w := range unpackWearers(only) {
		m[w] = true
	}
	return m
}

// names reports whether a grant may touch a wearer.
func (g *grant) names(w id.Wearer) bool { return g.only == nil || g.only[w] }

// StandingGrants lists the standing grants that run and are the calling node's: ids and kinds of work, no person.
func (v *Vault) StandingGrants(_ context.Context, c Caller) ([]vaultclient.StandingGrant, error) {
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.StandingGrant{}
	for n, g := range v.state.grants {
		if g.isStanding() && g.Node == c.Node && v.state.runs(g, now) {
			out = append(out, vaultclient.StandingGrant{ID: n, Work: g.Work})
		}
	}
	slices.SortFunc(out, func(a, b vaultclient.StandingGrant) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return out, nil
}

// Grants lists the leave that is given for work without a user, for whoever administers the installation: machines and
// standing grants, ended ones too, and the jobs that run.
func (v *Vault) Grants(ctx context.Context, c Caller) ([]vaultclient.Grant, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := v.gate(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords, kind: ledger.Oversee, subject: "grants"}); err != nil {
		return nil, err
	}
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.Grant{}
	for n, g := range v.state.grants {
		one := vaultclient.Grant{ID: n, Kind: "job", Name: g.Name, Work: g.Work, Purpose: g.Purpose, Fields: g.Fields, Organisations: g.Organisations,
			Wearers: len(g.Only) / 16, MaxWearers: g.MaxWearers, Used: g.used.len(), Node: g.Node, Ends: micro(g.Expires), Ended: micro(g.Ended), Runs: v.state.runs(g, now)}
		switch {
		case g.isMachine():
			one.Kind = "machine"
		case g.isStanding():
			one.Kind = "standing"
		case !v.state.runs(g, now):
			continue
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b vaultclient.Grant) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), b.Ends.Compare(a.Ends), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out, nil
}

// EndGrant ends a standing grant, a machine's or a job's at once, for whoever administers where it holds. Ending it twice is no error.
func (v *Vault) EndGrant(ctx context.Context, c Caller, n id.Grant) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	v.mu.RLock()
	g := v.state.grants[n]
	v.mu.RUnlock()
	if g == nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such grant"}
	}
	a := ask{action: policy.Administer, purpose: policy.KeepRecords, ends: true}
	parties, err := v.permitEach(ctx, p, a, g.Organisations)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		old := v.state.grants[n]
		if old == nil || old.Ended != 0 {
			return nil
		}
		ended := *old
		ended.Ended = t.now.UnixMicro()
		o := v.opening(p, a)
		o.Rule = rulesOf(parties)
		if old.isMachine() || old.isStanding() {
			return t.enterLeave(n, &ended, o, "ended")
		}
		o.Grant, o.Fields, o.Import, o.Subject, o.Purpose, o.Reason = n, g.Fields, g.Import, n.String(), string(g.Purpose), "a job's leave was ended"
		for _, of := range parties {
			e, err := v.seal(entry{org: of.org, kind: ledger.GrantGiven, basis: ledger.Gate}, o)
			if err != nil {
				return err
			}
			t.append(e)
		}
		t.put(TableJobGrant, n[:], nil)
		t.apply(func(s *state) { delete(s.grants, n) })
		return nil
	}))
}
