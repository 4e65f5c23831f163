package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Caller is who calls: the node as its certificate says, and for whom.
type Caller struct {
	Node string
	Auth vaultclient.Auth
	// Passkey is what a change on the vault's own origin is confirmed with: the browser's answer to BeginAssertion.
	Passkey []byte
}

// principal is a caller after authentication.
type principal struct {
	policy.Principal
	only       policy.Purpose // a contractor's only purpose; empty: any
	node       string
	session    *session // when the caller is signed in; token is its row's id
	token      secretHash
	grant      *grant   // when the caller holds a grant
	machine    id.Grant // the machine that calls, or that passed the caller's grant on
	recipients []string
	// lives reports whether the session or grant is still there; alive asks it again inside the commit.
	lives  func(*state) bool
	passed []passed // what the policy permitted so far: freezes of it are looked at again inside the commit
}

func refused(format string, args ...any) error {
	return &vaultclient.Error{Code: vaultclient.Refused, Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &vaultclient.Error{Code: vaultclient.Invalid, Message: fmt.Sprintf(format, args...)}
}

var errUnauthenticated = &vaultclient.Error{Code: vaultclient.Unauthenticated, Message: "signed out, or the session or grant has ended"}

// authenticate finds out who calls, and what else receives what is read. Whoever is frozen is refused, and that is entered.
func (v *Vault) authenticate(ctx context.Context, c Caller) (*principal, error) {
	p, err := v.caller(c)
	if err != nil {
		return nil, err
	}
	if !c.Auth.Export.IsZero() {
		p.recipients = append(p.recipients, "export:"+c.Auth.Export.String())
	}
	if err := v.checkFrozen(ctx, p); err != nil {
		return nil, err
	}
	return p, nil
}

// caller finds out who calls. A session or grant works on the node that it was given to, and nowhere else.
func (v *Vault) caller(c Caller) (*principal, error) {
	at := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	a := c.Auth
	a.Export = id.Export{}
	switch a {
	case vaultclient.Auth{}:
	case vaultclient.Auth{Session: a.Session}:
		h := hashSecret(c.Auth.Session)
		s := v.state.sessions[h]
		if s == nil || s.Node != c.Node || !v.sessionRuns(s, at) {
			return nil, errUnauthenticated
		}
		u := v.state.users[s.User]
		if !active(u, at) {
			return nil, errUnauthenticated
		}
		s.use(at)
		return &principal{
			Principal:  asPrincipal(u),
			only:       u.Purpose,
			node:       c.Node,
			session:    s,
			token:      h,
			recipients: []string{"user:" + u.ID.String(), "node:" + c.Node},
			lives: func(st *state) bool {
				return st.sessions[h] == s && st.users[s.User] == u && active(u, v.now())
			},
		}, nil
	case vaultclient.Auth{Grant: a.Grant}:
		return v.byGrant(c, a.Grant, at)
	case vaultclient.Auth{Machine: a.Machine}:
		return v.byGrant(c, v.admitted(a.Machine, c.Node, at), at)
	}
	return nil, errUnauthenticated
}

// asPrincipal is a user as the policies see them.
func asPrincipal(u *vaultclient.User) policy.Principal {
	return policy.Principal{User: u.ID, Role: u.Role, Organisations: u.Organisations, Own: u.Wearers}
}

// ask is one passage through the gate.
type ask struct {
	action  policy.Action
	purpose policy.Purpose
	fields  policy.Fields
	wearers []id.Wearer // whom it is about; may repeat
	years   []uint16    // calendar years of dose
	kind    ledger.Kind
	reason  string
	// where: an action that is about an organisation, or about the installation, and not about wearers.
	organisation id.Organisation
	subject      string
	// shown, when set, is what the entry says became readable, where that differs from what was asked for.
	shown *policy.Fields
	// guesses that missed: the answer says of so many things that they are not so.
	guesses int
	// ends: it takes leave away, as when somebody's access ends. That goes on while everything is frozen.
	ends bool
}

// party is an organisation's part of an ask.
type party struct {
	org     id.Organisation
	wearers []id.Wearer
	policy  *policy.Set // that decided; nil: the vault itself refused
	rules   map[string]bool
}

// gate lets an ask through: policy, then the entries, durable. After it returns nil the caller may use keys.
// The wearers it found come back in the ask's order. A refusal is entered too.
func (v *Vault) gate(ctx context.Context, p *principal, a ask) ([]*wearer, error) {
	found, parties, err := v.permit(ctx, p, a)
	if err != nil {
		return nil, err
	}
	fields := a.fields
	if a.shown != nil {
		fields = *a.shown
	}
	if err := v.enter(ctx, p, a, parties, a.kind, fields); err != nil {
		return nil, err
	}
	return found, nil
}

// gateEach is gate at each organisation that the caller is tied to, or at the installation, for what names no wearer.
func (v *Vault) gateEach(ctx context.Context, p *principal, a ask) error {
	parties, err := v.permitEach(ctx, p, a, p.Organisations)
	if err != nil {
		return err
	}
	return v.enter(ctx, p, a, parties, a.kind, 0)
}

// permit asks the policy and whether something is frozen, and enters a refusal. What it permits is not entered: that is for
// gate, or for whoever writes.
func (v *Vault) permit(ctx context.Context, p *principal, a ask) ([]*wearer, []*party, error) {
	found, parties, denial := v.decide(p, a)
	if denial != nil {
		if err := v.enterRefusal(ctx, p, a, parties); err != nil {
			return nil, nil, err
		}
		return nil, nil, denial
	}
	v.mu.RLock()
	scope := v.state.stops(p, a, parties)
	v.mu.RUnlock()
	if scope != "" {
		return nil, nil, v.refuseFrozen(ctx, p, a, parties, scope)
	}
	p.passed = append(p.passed, passed{a, parties})
	return found, parties, nil
}

// decide finds the wearers and asks the policy about each; equal questions are asked once. The denial is not nil when any is refused.
func (v *Vault) decide(p *principal, a ask) (found []*wearer, parties []*party, denial error) {
	if len(a.wearers) == 0 {
		set := v.policyAt(a.organisation)
		d := p.rule(set, policy.Request{Action: a.action, Purpose: a.purpose, Fields: a.fields, Principal: p.Principal, Resource: policy.Resource{Organisation: a.organisation}})
		parties = []*party{{org: a.organisation, policy: set, rules: map[string]bool{d.Rule: true}}}
		if !d.Allow {
			return nil, parties, refused("not permitted for this purpose")
		}
		return nil, parties, nil
	}
	answers := answers{}
	byOrg := map[id.Organisation]*party{}
	seen := make(map[id.Wearer]bool, len(a.wearers))
	today := v.today()
	found = make([]*wearer, len(a.wearers))
	v.mu.RLock()
	defer v.mu.RUnlock()
	for i, n := range a.wearers {
		w := v.state.wearers[n]
		if w == nil && a.action == policy.Write {
			w = v.state.staged[n]
		}
		if w == nil {
			return nil, nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such wearer"}
		}
		found[i] = w
		if seen[n] {
			continue
		}
		seen[n] = true
		if p.grant != nil && !p.grant.names(n) {
			denial = refused("the grant names other wearers")
		}
		d := v.answer(answers, p, a, w, today)
		of := byOrg[w.facts.Organisation]
		if of == nil {
			of = &party{org: w.facts.Organisation, policy: v.state.policies.at(w.facts.Organisation), rules: map[string]bool{}}
			byOrg[w.facts.Organisation] = of
			parties = append(parties, of)
		}
		of.wearers = append(of.wearers, n)
		of.rules[d.Rule] = true
		if !d.Allow {
			denial = refused("not permitted for this purpose")
		}
	}
	return found, parties, denial
}

// question is all that an answer about a wearer can depend on, for one principal, action, purpose and set of fields.
type question struct {
	org                      id.Organisation
	own, classified, current bool
}

type answers map[question]policy.Decision

// answer asks the policy about a wearer, unless the same was asked before. The caller holds the lock.
func (v *Vault) answer(known answers, p *principal, a ask, w *wearer, today day.Day) policy.Decision {
	q := question{w.facts.Organisation, slices.Contains(p.Own, w.id), w.facts.Classified, w.currentOn(today)}
	d, ok := known[q]
	if !ok {
		d = p.rule(v.state.policies.at(q.org), policy.Request{Action: a.action, Purpose: a.purpose, Fields: a.fields, Principal: p.Principal,
			Resource: policy.Resource{Organisation: q.org, Wearer: w.id, Classified: q.classified, Current: q.current}})
		known[q] = d
	}
	return d
}

// enter makes the entries of an ask durable, one for each organisation.
func (v *Vault) enter(ctx context.Context, p *principal, a ask, parties []*party, kind ledger.Kind, fields policy.Fields) error {
	entries, counts := make([]entry, len(parties)), make([]spent, len(parties))
	for i, of := range parties {
		o := v.opening(p, a)
		o.Fields, o.Wearers, o.Rule, o.Policy = fields, of.wearers, joinRules(of.rules), of.policy.Version()
		if i == 0 {
			o.Guesses = a.guesses
		}
		var err error
		entries[i], err = v.seal(entry{org: of.org, kind: kind, basis: ledger.Gate, count: len(of.wearers)}, o)
		if err != nil {
			return err
		}
		counts[i] = spentBy(of.org, kind, &o)
	}
	var caught error
	err := v.commit(ctx, func(t *tx) (err error) {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		for _, of := range parties {
			if v.state.policies.at(of.org) != of.policy {
				return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the policies changed meanwhile; ask again"}
			}
		}
		if caught, err = t.canary(p, a, parties, kind, fields); caught != nil || err != nil {
			return err
		}
		if err := t.count(p, parties); err != nil {
			return err
		}
		if err := t.spend(p.Role, counts); err != nil {
			return err
		}
		if err := t.keepUse(p); err != nil {
			return err
		}
		t.entries = append(t.entries, entries...)
		return nil
	})
	if err == nil && caught != nil {
		return caught
	}
	if o := (*over)(nil); errors.As(err, &o) {
		return v.refuseOver(ctx, p, a, parties, o)
	}
	if kind, ok := isFrozen(err); ok { // it was frozen while this waited
		return v.refuseFrozen(ctx, p, a, parties, vaultclient.Scope(kind))
	}
	return hideCommitError(err)
}

// opening fills in what every opening of an ask says, but for the version of the policies: that is the entry's organisation's.
func (v *Vault) opening(p *principal, a ask) ledger.Opening {
	user := p.User
	if p.grant != nil {
		user = p.grant.User
	}
	return ledger.Opening{
		User: user, Role: p.Role, Grant: p.Grant, Node: p.node, Recipients: p.recipients,
		Purpose: string(a.purpose), Years: a.years, Reason: a.reason, Subject: a.subject,
	}
}

// hideCommitError turns a failure of the ledger into a refusal; what exactly failed is in the vault's log.
func hideCommitError(err error) error {
	var known *vaultclient.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return refused("the ledger can't be written, so nothing is revealed; see the vault's log")
}

func joinRules(rules map[string]bool) string {
	names := make([]string, 0, len(rules))
	for r := range rules {
		names = append(names, r)
	}
	slices.Sort(names)
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}

// wearerSet counts the different wearers that a grant touched: a machine's ever, a job's since the vault started.
type wearerSet struct {
	mu sync.Mutex
	m  map[id.Wearer]bool
}

func newWearerSet(of ...id.Wearer) *wearerSet {
	s := &wearerSet{m: make(map[id.Wearer]bool, len(of))}
	for _, w := range of {
		s.m[w] = true
	}
	return s
}

func (s *wearerSet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.m)
}

// pack returns the wearers one after the other, in order.
func (s *wearerSet) pack() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return packWearers(slices.SortedFunc(maps.Keys(s.m), func(a, b id.Wearer) int { return bytes.Compare(a[:], b[:]) }))
}

// fit adds the parties' wearers if the set then has no more than most; grown: it did not have all of them.
func (s *wearerSet) fit(parties []*party, most int) (grown, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var added []id.Wearer
	for _, of := range parties {
		for _, w := range of.wearers {
			if !s.m[w] {
				s.m[w] = true
				added = append(added, w)
			}
		}
	}
	if len(s.m) <= most {
		return len(added) > 0, true
	}
	for _, w := range added {
		delete(s.m, w)
	}
	return false, false
}

// add adds wearers without a bound.
func (s *wearerSet) add(ws []id.Wearer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range ws {
		s.m[w] = true
	}
}

func hashSecret(s string) secretHash { return sha256.Sum256([]byte(s)) }
