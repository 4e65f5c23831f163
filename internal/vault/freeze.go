package vault

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A freeze stops a user, node, grant, recipient, organisation or everything before the next reveal. One person freezes,
// or the vault by itself; thawing takes two. It is looked at three times: when a caller is known (the own freezes of a
// user, node, grant or export), after the policy's answer (everything, and the organisations asked about), and again for
// both inside the commit that appends the entry, so that none slips through while it is being frozen.
//
// What goes on while everything or an organisation is frozen, see goesOn: reading ledgers and the lists of users, machines
// and the like, freezing, taking leave away, and notices of a breach by who sends them. Imports that the register has stored
// are still entered, so that both databases agree. Whoever is frozen themselves does none of this.

// frozen is a row of the table frozen.
type frozen struct {
	Scope     vaultclient.Scope `json:"scope"`
	By        id.User           `json:"by,omitzero"`
	At        int64             `json:"at"` // µs
	Reason    string            `json:"reason"`
	Automatic bool              `json:"automatic,omitempty"`
}

func errFrozen(s vaultclient.Scope) error {
	return &vaultclient.Error{Code: vaultclient.IsFrozen, Scope: s.Kind(), Message: "access is frozen (" + s.Kind() + "): nothing was revealed or changed. Two people can thaw it on the vault's own pages"}
}

// scopes are what of a caller itself can be frozen.
func (p *principal) scopes() []vaultclient.Scope {
	var all []vaultclient.Scope
	for _, r := range p.recipients {
		all = append(all, vaultclient.Scope(r))
	}
	if p.grant != nil {
		all = append(all, vaultclient.UserScope(p.grant.User))
	}
	if !p.machine.IsZero() {
		all = append(all, vaultclient.GrantScope(p.machine))
	}
	return all
}

// firstFrozen returns the first of the scopes that is frozen, or nothing.
func (s *state) firstFrozen(scopes ...vaultclient.Scope) vaultclient.Scope {
	if len(s.frozen) == 0 {
		return ""
	}
	for _, scope := range scopes {
		if s.frozen[scope] != nil {
			return scope
		}
	}
	return ""
}

// goesOn reports whether an ask goes on while everything, or an organisation that it is about, is frozen.
func (p *principal) goesOn(a ask) bool {
	switch {
	case a.action == policy.Freeze, a.kind == ledger.Oversee, a.kind == ledger.Alarm, a.ends:
		return true
	case a.purpose == policy.BreachNotice:
		return p.Role == policy.DataProtection || p.Role == policy.Coordinator || p.grant != nil && p.grant.isStanding()
	}
	return false
}

// stops returns what freezes an ask, beside the caller's own freezes.
func (s *state) stops(p *principal, a ask, parties []*party) vaultclient.Scope {
	if len(s.frozen) == 0 || p.goesOn(a) {
		return ""
	}
	if s.frozen[vaultclient.Everything] != nil {
		return vaultclient.Everything
	}
	for _, of := range parties {
		if scope := vaultclient.OrganisationScope(of.org); s.frozen[scope] != nil {
			return scope
		}
	}
	return ""
}

// passed is an ask that the policy permitted in the course of a request.
type passed struct {
	ask     ask
	parties []*party
}

// alive checks, inside a commit, that the caller's session or grant has not ended and nothing that the request passed
// by was frozen meanwhile.
func (p *principal) alive(s *state) error {
	if p.lives != nil && !p.lives(s) {
		return errUnauthenticated
	}
	if scope := s.firstFrozen(p.scopes()...); scope != "" {
		return errFrozen(scope)
	}
	for _, one := range p.passed {
		if scope := s.stops(p, one.ask, one.parties); scope != "" {
			return errFrozen(scope)
		}
	}
	return nil
}

// checkFrozen refuses, and enters it, what something frozen asks for.
func (v *Vault) checkFrozen(ctx context.Context, p *principal) error {
	v.mu.RLock()
	scope := v.state.firstFrozen(p.scopes()...)
	v.mu.RUnlock()
	if scope == "" {
		return nil
	}
	return v.refuseFrozen(ctx, p, ask{}, []*party{{}}, scope)
}

// refuseFrozen enters that an ask was refused since something is frozen, and returns the refusal.
func (v *Vault) refuseFrozen(ctx context.Context, p *principal, a ask, parties []*party, scope vaultclient.Scope) error {
	cold := make([]*party, len(parties))
	for i, of := range parties {
		cold[i] = &party{org: of.org, wearers: of.wearers, policy: of.policy, rules: map[string]bool{"frozen:" + scope.Kind(): true}}
	}
	if err := v.enterRefusal(ctx, p, a, cold); err != nil {
		return err
	}
	return errFrozen(scope)
}

// isFrozen returns the scope's kind of an error that says that something is frozen.
func isFrozen(err error) (kind string, ok bool) {
	var known *vaultclient.Error
	if errors.As(err, &known) && known.Code == vaultclient.IsFrozen {
		return known.Scope, true
	}
	return "", false
}

// freeze stops a scope from the next op on. By is who did; nobody, when the vault does by itself. It enters that in the
// installation's log, and in the ledgers of the organisations that it concerns. What is frozen stays so as it was.
func (t *tx) freeze(scope vaultclient.Scope, reason string, by id.User) error {
	if t.v.state.frozen[scope] != nil {
		return nil
	}
	row := &frozen{Scope: scope, By: by, At: t.now.UnixMicro(), Reason: reason, Automatic: by.IsZero()}
	key := t.v.frozenKey(scope)
	sealed, err := t.v.sealRow(TableFrozen, key, row)
	if err != nil {
		return err
	}
	o := ledger.Opening{User: by, Purpose: string(policy.Oversight), Rule: "frozen", Reason: reason}
	if u := t.v.state.users[by]; u != nil {
		o.Role = u.Role
	}
	if err := t.enterFreeze(scope, o); err != nil {
		return err
	}
	if err := t.raise(vaultclient.AlarmFrozen, t.v.state.alarmed(scope), ledger.Opening{User: by, Subject: string(scope), Reason: reason}); err != nil {
		return err
	}
	t.put(TableFrozen, key, sealed)
	t.apply(func(s *state) { s.frozen[scope] = row })
	return nil
}

// thaw lets a scope go on. The opening says who decided that, and by which approval; what is not frozen stays so.
func (t *tx) thaw(scope vaultclient.Scope, o ledger.Opening) error {
	return t.thawAs(scope, vaultclient.AlarmThawed, o)
}

func (t *tx) thawAs(scope vaultclient.Scope, as vaultclient.AlarmKind, o ledger.Opening) error {
	if t.v.state.frozen[scope] == nil {
		return nil
	}
	o.Rule = "thawed"
	if err := t.enterFreeze(scope, o); err != nil {
		return err
	}
	if err := t.raise(as, t.v.state.alarmed(scope), ledger.Opening{User: o.User, Subject: string(scope), Reason: o.Reason}); err != nil {
		return err
	}
	t.put(TableFrozen, t.v.frozenKey(scope), nil)
	t.apply(func(s *state) { delete(s.frozen, scope) })
	return nil
}

// enterFreeze enters a freeze or thaw in the installation's log, and in the ledgers of those whom it concerns.
func (t *tx) enterFreeze(scope vaultclient.Scope, o ledger.Opening) error {
	o.Subject = string(scope)
	for _, org := range append(t.v.state.concerned(scope), id.Organisation{}) {
		if !org.IsZero() && t.v.state.organisations[org] == nil {
			continue
		}
		e, err := t.v.seal(entry{org: org, kind: ledger.Freeze, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
	}
	return nil
}

// concerned are the organisations that a freeze is about; none when it is about the whole installation.
func (s *state) concerned(scope vaultclient.Scope) []id.Organisation {
	var orgs []id.Organisation
	switch scope.Kind() {
	case vaultclient.ScopeOrganisation:
		if n, err := id.Parse[id.Organisation](scope.Of()); err == nil {
			orgs = []id.Organisation{n}
		}
	case vaultclient.ScopeUser:
		if n, err := id.Parse[id.User](scope.Of()); err == nil && s.users[n] != nil {
			orgs = s.users[n].Organisations
		}
	case vaultclient.ScopeGrant:
		if n, err := id.Parse[id.Grant](scope.Of()); err == nil && s.grants[n] != nil {
			orgs = s.grants[n].Organisations
		}
	}
	return slices.Clone(orgs)
}

// alarmed is the organisation that an alarm about a scope is for: where it is about just one.
func (s *state) alarmed(scope vaultclient.Scope) id.Organisation {
	if of := s.concerned(scope); len(of) == 1 && s.organisations[of[0]] != nil {
		return of[0]
	}
	return id.Organisation{}
}

func (v *Vault) frozenKey(scope vaultclient.Scope) []byte {
	h := v.keyedHash("frozen", []byte(scope))
	return h[:]
}

// Freeze freezes something at once. What is about organisations alone, their data protection officers may freeze too.
func (v *Vault) Freeze(ctx context.Context, c Caller, r vaultclient.FreezeRequest) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	scope, err := vaultclient.ParseScope(string(r.Scope))
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(r.Reason)
	if reason == "" || !utf8.ValidString(reason) || utf8.RuneCountInString(reason) > vaultclient.MaxFreezeReason {
		return invalid("a freeze has a reason of at most %d characters", vaultclient.MaxFreezeReason)
	}
	v.mu.RLock()
	there, where := v.state.exists(scope), scopeOf(v.state.concerned(scope))
	v.mu.RUnlock()
	a := ask{action: policy.Freeze, purpose: cmp.Or(r.Purpose, policy.Oversight), subject: string(scope)}
	if _, err := v.permitEach(ctx, p, a, where); err != nil {
		return err
	}
	if !there {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "there is no such organisation, user or grant to freeze"}
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if left := v.state.thawers(scope, t.now); left < 2 && left < v.state.thawers("", t.now) && !r.Sure {
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "with this frozen, fewer than two people are left who can thaw anything: say that you are sure, and see “Freeze and thaw” in the handbook for the way without them"}
		}
		return t.freeze(scope, reason, p.User)
	}))
}

// exists reports whether there is what a scope names, where the vault can know.
func (s *state) exists(scope vaultclient.Scope) bool {
	switch scope.Kind() {
	case vaultclient.ScopeOrganisation:
		n, err := id.Parse[id.Organisation](scope.Of())
		return err == nil && s.organisations[n] != nil
	case vaultclient.ScopeUser:
		n, err := id.Parse[id.User](scope.Of())
		return err == nil && s.users[n] != nil
	case vaultclient.ScopeGrant:
		n, err := id.Parse[id.Grant](scope.Of())
		return err == nil && s.grants[n] != nil
	}
	return true
}

// thawers counts those who can thaw anything, once a scope is frozen too.
func (s *state) thawers(also vaultclient.Scope, now time.Time) int {
	n := 0
	for _, u := range s.users {
		scope := vaultclient.UserScope(u.ID)
		if (u.Role == policy.Administrator || u.Role == policy.Coordinator) && len(u.Organisations) == 0 && active(u, now) && s.frozen[scope] == nil && scope != also {
			n++
		}
	}
	return n
}

// Frozen lists what is frozen, newest first, as far as the caller may freeze it. Whose names come with it are staff: that
// somebody read them is entered.
func (v *Vault) Frozen(ctx context.Context, c Caller) ([]vaultclient.Frozen, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	a := ask{action: policy.Freeze, purpose: policy.Oversight, kind: ledger.Oversee, subject: "frozen"}
	if err := v.gateEach(ctx, p, a); err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.Frozen{}
	for scope, row := range v.state.frozen {
		within := func(org id.Organisation) bool { return slices.Contains(p.Organisations, org) }
		if of := v.state.concerned(scope); len(p.Organisations) > 0 && (len(of) == 0 || !slices.ContainsFunc(of, within)) {
			continue
		}
		f := vaultclient.Frozen{Scope: scope, Name: v.state.nameOf(scope), At: time.UnixMicro(row.At).UTC(), Reason: row.Reason, Automatic: row.Automatic}
		if u := v.state.users[row.By]; u != nil {
			f.By = u.Name
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b vaultclient.Frozen) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Scope, b.Scope)) })
	return out, nil
}

// nameOf is the name of what a scope is about, where it has one beside the scope itself.
func (s *state) nameOf(scope vaultclient.Scope) string {
	switch scope.Kind() {
	case vaultclient.ScopeOrganisation:
		if n, err := id.Parse[id.Organisation](scope.Of()); err == nil && s.organisations[n] != nil {
			return s.organisations[n].Name
		}
	case vaultclient.ScopeUser:
		if n, err := id.Parse[id.User](scope.Of()); err == nil && s.users[n] != nil {
			return s.users[n].Name
		}
	case vaultclient.ScopeGrant:
		if n, err := id.Parse[id.Grant](scope.Of()); err == nil && s.grants[n] != nil {
			return s.grants[n].Name
		}
	}
	return ""
}

// frozenFor is what of a caller's own work is frozen: everything, themselves, the node, or their organisations; for who works
// everywhere, any organisation. The caller holds the lock.
func (s *state) frozenFor(p *principal) []vaultclient.Scope {
	var out []vaultclient.Scope
	for scope := range s.frozen {
		org := scope.Kind() == vaultclient.ScopeOrganisation
		mine := scope == vaultclient.Everything || slices.Contains(p.scopes(), scope)
		for _, n := range p.Organisations {
			mine = mine || scope == vaultclient.OrganisationScope(n)
		}
		if mine || org && len(p.Organisations) == 0 && p.Role != policy.Wearer && p.Role != policy.Operator {
			out = append(out, scope)
		}
	}
	slices.Sort(out)
	return out
}

// ThawOffline thaws a scope without a second person, for whoever opens the vault with its keys while it is stopped: the way of
// a site where fewer than two people can thaw. It is entered with no user as its actor.
func (v *Vault) ThawOffline(ctx context.Context, scope vaultclient.Scope) error {
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if v.state.frozen[scope] == nil {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "this is not frozen; nothing was done"}
		}
		return t.thawAs(scope, vaultclient.AlarmThawedOffline, ledger.Opening{Reason: "thawed offline, by who holds the vault's keys"})
	}))
}

// FrozenOffline lists what is frozen, for whoever opens the vault with its keys while it is stopped.
func (v *Vault) FrozenOffline() []vaultclient.Scope {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []vaultclient.Scope
	for scope := range v.state.frozen {
		out = append(out, scope)
	}
	slices.Sort(out)
	return out
}
