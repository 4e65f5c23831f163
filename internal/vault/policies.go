package vault

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// The program carries policies; an installation may put files of its own in their place. A change holds for the
// installation and for every organisation whose fields it opens to nobody more. An organisation that it would open
// further stays with the policies that it had, until somebody of its own agrees: so policies hold organisation by
// organisation, and every entry names the version and rule that let it through.

// policyID names a change: the beginning of a SHA-256 over its files as JSON. The policies that the program carries are
// the change of no file.
type policyID [16]byte

// storedPolicy is a change of the policies, and where it holds.
type storedPolicy struct {
	Files         policy.Files      `json:"files"`
	Made          int64             `json:"made"` // µs
	By            id.User           `json:"by,omitzero"`
	Service       bool              `json:"service,omitempty"` // for the installation, and for organisations that no other names
	Organisations []id.Organisation `json:"organisations,omitempty"`

	set *policy.Set
}

// policies are what holds where, and what held before.
type policies struct {
	carried, service *policy.Set
	of               map[id.Organisation]*policy.Set // where it is not the service's
	stored           map[policyID]*storedPolicy
}

// at returns what holds for an organisation, or for the installation (zero).
func (p *policies) at(org id.Organisation) *policy.Set {
	if s := p.of[org]; s != nil {
		return s
	}
	return p.service
}

// version finds policies that hold or held, or nil.
func (p *policies) version(of string) *policy.Set {
	for _, s := range p.stored {
		if s.set.Version() == of {
			return s.set
		}
	}
	if p.carried.Version() == of {
		return p.carried
	}
	return nil
}

// policyAt returns the policies of an organisation, or of the installation (zero).
func (v *Vault) policyAt(org id.Organisation) *policy.Set {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.state.policies.at(org)
}

func changeID(files policy.Files) policyID {
	b, err := json.Marshal(files) // in order of names
	if err != nil {
		panic(err) // a map of strings
	}
	sum := sha256.Sum256(b)
	return policyID(sum[:16])
}

// loadPolicies reads what was changed. What no longer fits the program, after an upgrade, is an error: to go on with
// other policies than those that two people agreed on is for nobody to decide here.
func (v *Vault) loadPolicies(ctx context.Context) error {
	carried, err := policy.Load()
	if err != nil {
		return fmt.Errorf("loading the policies: %w", err)
	}
	stored := map[policyID]*storedPolicy{}
	err = v.rows(ctx, TablePolicy, func(key, sealed []byte) error {
		var row storedPolicy
		if err := v.openRow(TablePolicy, key, sealed, &row); err != nil {
			return err
		}
		if row.set, err = policy.Parse(row.Files); err != nil {
			return fmt.Errorf("the policies changed on %s do not fit this release: go back to the one before, propose others there, then upgrade again: %w", time.UnixMicro(row.Made).UTC().Format(time.DateOnly), err)
		}
		stored[policyID(key)] = &row
		return nil
	})
	v.state.policies = newPolicies(carried, stored)
	return err
}

// newPolicies finds what holds where.
func newPolicies(carried *policy.Set, stored map[policyID]*storedPolicy) policies {
	p := policies{carried: carried, service: carried, of: map[id.Organisation]*policy.Set{}, stored: stored}
	for _, s := range stored {
		if s.Service {
			p.service = s.set
		}
	}
	for _, s := range stored {
		for _, org := range s.Organisations {
			if s.set.Version() != p.service.Version() {
				p.of[org] = s.set
			}
		}
	}
	return p
}

// comparisons remembers what was compared: it takes a second, and the committer asks too.
type comparisons struct {
	mu sync.Mutex
	m  map[[2]string][]policy.Change
}

// compare returns what the one set of policies lets anybody do more or less than the other.
func (c *comparisons) compare(from, to *policy.Set) []policy.Change {
	key := [2]string{from.Version(), to.Version()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.m[key]; ok {
		return known
	}
	changes := from.Compare(to)
	if c.m == nil || len(c.m) > 100 {
		c.m = map[[2]string][]policy.Change{}
	}
	c.m[key] = changes
	return changes
}

// widened lists the organisations that a change would open further, in order of name.
func (v *Vault) widened(s *state, next *policy.Set) []id.Organisation {
	var orgs []id.Organisation
	for org := range s.organisations {
		if policy.Widens(v.compared.compare(s.policies.at(org), next)) {
			orgs = append(orgs, org)
		}
	}
	slices.SortFunc(orgs, func(a, b id.Organisation) int { return cmp.Compare(s.organisations[a].Name, s.organisations[b].Name) })
	return orgs
}

// changePolicies makes a change, with its files, hold for the installation and for all organisations but those that it would open further.
func (t *tx) changePolicies(next *policy.Set, files policy.Files, by id.User) error {
	s := &t.v.state
	holds := map[id.Organisation]*policy.Set{}
	for _, org := range t.v.widened(s, next) {
		holds[org] = s.policies.at(org)
	}
	return t.keepPolicies(next, files, holds, by)
}

// agreeToPolicies makes the installation's policies hold for an organisation too.
func (t *tx) agreeToPolicies(org id.Organisation, by id.User) error {
	holds := map[id.Organisation]*policy.Set{}
	p := &t.v.state.policies
	for other, set := range p.of {
		if other != org {
			holds[other] = set
		}
	}
	return t.keepPolicies(p.service, p.service.Files().Less(policy.Carried()), holds, by)
}

// keepPolicies writes every change's row with where it holds: the service's, and others for organisations by themselves.
func (t *tx) keepPolicies(service *policy.Set, files policy.Files, holds map[id.Organisation]*policy.Set, by id.User) error {
	p := &t.v.state.policies
	rows := map[policyID]*storedPolicy{}
	row := func(set *policy.Set, files policy.Files) *storedPolicy {
		n := changeID(files)
		if rows[n] == nil {
			r := storedPolicy{Files: files, Made: t.now.UnixMicro(), By: by, set: set}
			if old := p.stored[n]; old != nil {
				r.Made, r.By = old.Made, old.By
			}
			rows[n] = &r
		}
		return rows[n]
	}
	for _, old := range p.stored {
		row(old.set, old.Files)
	}
	row(service, files).Service = true
	for org, set := range holds {
		r := row(set, set.Files().Less(policy.Carried()))
		r.Organisations = append(r.Organisations, org)
	}
	for n, r := range rows {
		slices.SortFunc(r.Organisations, func(a, b id.Organisation) int { return slices.Compare(a[:], b[:]) })
		sealed, err := t.v.sealRow(TablePolicy, n[:], r)
		if err != nil {
			return err
		}
		t.put(TablePolicy, n[:], sealed)
	}
	next := newPolicies(p.carried, rows)
	t.apply(func(s *state) { s.policies = next })
	return nil
}
