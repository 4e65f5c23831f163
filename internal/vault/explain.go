package vault

import (
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// WhoMay answers who may read fields of a wearer, and by which rules: users, machines outside, and jobs that run.
func (v *Vault) WhoMay(ctx context.Context, c Caller, r vaultclient.WhoMayRequest) (vaultclient.WhoMay, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.WhoMay{}, err
	}
	if r.Fields == 0 || r.Fields&^policy.AllFields != 0 {
		return vaultclient.WhoMay{}, invalid("who may see which fields? name at least one")
	}
	a := ask{action: policy.Oversee, purpose: policy.Oversight, wearers: []id.Wearer{r.Wearer}, kind: ledger.Oversee, subject: "who may see a wearer's data"}
	if p.Role == policy.Wearer {
		a.purpose = policy.OwnRecord
	}
	found, err := v.gate(ctx, p, a)
	if err != nil {
		return vaultclient.WhoMay{}, err
	}
	w, now := found[0], v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	set := v.state.policies.at(w.facts.Organisation)
	about := policy.Resource{Organisation: w.facts.Organisation, Wearer: w.id, Classified: w.facts.Classified, Current: w.currentOn(v.today())}
	out := vaultclient.WhoMay{Organisation: w.facts.Organisation, Policy: set.Version(), Viewers: []vaultclient.Viewer{}, Rules: map[string]string{}}
	add := func(one vaultclient.Viewer, who policy.Principal, only policy.Purpose) {
		for _, s := range set.SeesOne(who, about, r.Fields) {
			if only != "" && only != s.Purpose {
				continue
			}
			for _, rule := range s.Rules {
				out.Rules[rule] = set.Text(rule)
			}
			one.Purpose, one.Fields, one.Rules = s.Purpose, s.Fields, s.Rules
			i := slices.IndexFunc(out.Viewers, func(o vaultclient.Viewer) bool {
				return !one.Named && !o.Named && o.Role == one.Role && o.Actor == one.Actor && o.Purpose == one.Purpose && o.Fields == one.Fields && slices.Equal(o.Rules, one.Rules)
			})
			if i < 0 {
				out.Viewers = append(out.Viewers, one)
			} else {
				out.Viewers[i].Number++
			}
		}
	}
	for _, u := range v.state.users {
		if active(u, now) {
			one := vaultclient.Viewer{Actor: string(u.Role), Role: string(u.Role), Number: 1}
			if p.seesName(u) {
				one.Actor, one.Named = u.Name, true
			}
			add(one, asPrincipal(u), u.Purpose)
		}
	}
	for n, g := range v.state.grants {
		if v.state.runs(g, now) {
			one := vaultclient.Viewer{Actor: "a job", Role: "job", Number: 1}
			if g.isMachine() {
				one = vaultclient.Viewer{Actor: g.Name, Role: "machine", Named: true, Number: 1}
			}
			add(one, g.asPrincipal(n), "")
		}
	}
	slices.SortFunc(out.Viewers, func(a, b vaultclient.Viewer) int {
		return cmp.Or(cmp.Compare(roleOrder(a.Role), roleOrder(b.Role)), cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Fields, b.Fields))
	})
	return out, nil
}

// roleOrder orders roles as they are listed everywhere, what is no role last.
func roleOrder(r string) int {
	if i := slices.Index(policy.Roles, policy.Role(r)); i >= 0 {
		return i
	}
	return len(policy.Roles)
}

// Sees answers what a user may read, organisation by organisation, and by which rules.
func (v *Vault) Sees(ctx context.Context, c Caller, user id.User) (vaultclient.Sees, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.Sees{}, err
	}
	v.mu.RLock()
	u := v.state.users[user]
	v.mu.RUnlock()
	if user != p.User || user.IsZero() {
		where := []id.Organisation{{}}
		if u != nil && len(u.Organisations) > 0 {
			where = u.Organisations
		}
		for _, org := range where {
			if _, err := v.gate(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords, organisation: org, kind: ledger.Oversee, subject: "what a user may see"}); err != nil {
				return vaultclient.Sees{}, err
			}
		}
	}
	if u == nil {
		return vaultclient.Sees{}, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such user"}
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := vaultclient.Sees{User: *u, Places: []vaultclient.SeesPlace{}, Rules: map[string]string{}}
	if !active(u, v.now()) {
		return out, nil
	}
	who := asPrincipal(u)
	add := func(place vaultclient.SeesPlace, set *policy.Set, org id.Organisation) {
		place.Policy, place.Sights = set.Version(), []policy.Sight{}
		for _, s := range set.Sees(who, org) {
			if u.Purpose != "" && u.Purpose != s.Purpose {
				continue
			}
			for _, rule := range s.Rules {
				out.Rules[rule] = set.Text(rule)
			}
			place.Sights = append(place.Sights, s)
		}
		out.Places = append(out.Places, place)
	}
	where := slices.Clone(u.Organisations)
	if len(where) == 0 {
		// Whoever is tied to none may see the same in all, but for those that have policies of their own.
		add(vaultclient.SeesPlace{}, v.state.policies.service, id.Organisation{1})
		for org := range v.state.policies.of {
			where = append(where, org)
		}
	}
	slices.SortFunc(where, func(a, b id.Organisation) int {
		return cmp.Compare(v.state.organisationName(a), v.state.organisationName(b))
	})
	for _, org := range where {
		add(vaultclient.SeesPlace{Organisation: org, Name: v.state.organisationName(org)}, v.state.policies.at(org), org)
	}
	return out, nil
}

// organisationName returns an organisation's name, or nothing.
func (s *state) organisationName(n id.Organisation) string {
	if o := s.organisations[n]; o != nil {
		return o.Name
	}
	return ""
}
