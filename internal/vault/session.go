package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// How long secrets of signing in live.
const (
	LinkLifetime = 10 * time.Minute
	codeLifetime = time.Minute
	maxGrantLife = 7 * 24 * time.Hour
)

// codes are one-time codes on their way from the vault's own origin to a node, in memory only: a restart
// means to sign in again.
type codes struct {
	mu sync.Mutex
	m  map[secretHash]code
}

type code struct {
	user    id.User
	node    string
	expires time.Time
}

// newSecret returns 32 random bytes as digits and letters, since a secret that begins with "-" is a flag on a command
// line. Only its hash is kept.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// NewCode makes a one-time code with which a node begins the user's session.
func (v *Vault) NewCode(user id.User, node string) string {
	secret := newSecret()
	now := v.now()
	v.codes.mu.Lock()
	defer v.codes.mu.Unlock()
	for h, c := range v.codes.m {
		if now.After(c.expires) {
			delete(v.codes.m, h)
		}
	}
	v.codes.m[hashSecret(secret)] = code{user, node, now.Add(codeLifetime)}
	return secret
}

// dropCodes forgets the codes of a user that no node has redeemed yet.
func (v *Vault) dropCodes(of id.User) {
	v.codes.mu.Lock()
	defer v.codes.mu.Unlock()
	maps.DeleteFunc(v.codes.m, func(_ secretHash, c code) bool { return c.user == of })
}

var errNoCode = &vaultclient.Error{Code: vaultclient.Unauthenticated, Message: "this code or link was used, has expired, or is for another place: sign in again"}

// RedeemCode begins a session on the node that the code was made for.
func (v *Vault) RedeemCode(ctx context.Context, c Caller, secret string) (vaultclient.Session, error) {
	h := hashSecret(secret)
	v.codes.mu.Lock()
	got, ok := v.codes.m[h]
	delete(v.codes.m, h)
	v.codes.mu.Unlock()
	if !ok || got.node != c.Node || !v.now().Before(got.expires) {
		return vaultclient.Session{}, v.refuseCode(ctx, c.Node)
	}
	return v.begin(ctx, c, func(*tx) (id.User, error) { return got.user, nil })
}

// RedeemLink begins a session with a one-time link's secret.
func (v *Vault) RedeemLink(ctx context.Context, c Caller, secret string) (vaultclient.Session, error) {
	s, err := v.begin(ctx, c, func(t *tx) (id.User, error) { return v.spendLink(t, secret) })
	if errors.Is(err, errNoCode) {
		err = v.refuseCode(ctx, c.Node)
	}
	return s, err
}

func (v *Vault) spendLink(t *tx, secret string) (id.User, error) {
	h := hashSecret(secret)
	l := v.state.links[h]
	if l == nil {
		return id.User{}, errNoCode
	}
	t.put(TableLink, h[:], nil)
	t.apply(func(s *state) { delete(s.links, h) })
	if t.now.UnixMicro() >= l.Expires {
		return id.User{}, errNoCode
	}
	return l.User, nil
}

// begin starts a session for the user that who finds, on the caller's node.
func (v *Vault) begin(ctx context.Context, c Caller, who func(*tx) (id.User, error)) (vaultclient.Session, error) {
	token := newSecret()
	h := hashSecret(token)
	var out vaultclient.Session
	var p principal
	err := v.commit(ctx, func(t *tx) error {
		n, err := who(t)
		if err != nil {
			return err
		}
		u := v.state.users[n]
		if !active(u, t.now) {
			return errNoCode
		}
		p = principal{Principal: policy.Principal{User: n, Role: u.Role}, node: c.Node, recipients: []string{"user:" + n.String(), "node:" + c.Node}}
		if err := p.alive(&v.state); err != nil {
			return err
		}
		now := t.now.UnixMicro()
		s := newSession(storedSession{ID: newSessionID(), User: n, Node: c.Node, Began: now, Used: now,
			Expires: upTo(u, t.now.Add(v.limits(c.Node).Lifetime)).UnixMicro()})
		e, err := v.seal(entry{kind: ledger.SignIn, basis: ledger.Gate}, ledger.Opening{User: n, Role: u.Role, Node: c.Node})
		if err != nil {
			return err
		}
		t.dropEndedSessions()
		if err := t.keepSession(h, s); err != nil {
			return err
		}
		t.append(e)
		t.apply(func(st *state) { st.sessions[h] = s })
		out = vaultclient.Session{Token: token, User: *u, Expires: time.UnixMicro(s.Expires).UTC()}
		return nil
	})
	if kind, ok := isFrozen(err); ok {
		return out, v.refuseFrozen(ctx, &p, ask{}, []*party{{}}, vaultclient.Scope(kind))
	}
	return out, hideCommitError(err)
}

// SignOut ends the caller's session, also while it is frozen.
func (v *Vault) SignOut(ctx context.Context, c Caller) error {
	p, err := v.caller(c)
	if err != nil {
		return err
	}
	h := hashSecret(c.Auth.Session)
	e, err := v.seal(entry{kind: ledger.SignOut, basis: ledger.Gate}, ledger.Opening{User: p.User, Role: p.Role, Node: c.Node})
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		t.dropSession(h)
		t.append(e)
		return nil
	}))
}

// Whoami returns the signed-in user, with what of theirs is frozen, also when it is themselves; of a machine, its name and
// organisations, without id or role.
func (v *Vault) Whoami(_ context.Context, c Caller) (vaultclient.User, error) {
	p, err := v.caller(c)
	if err != nil {
		return vaultclient.User{}, err
	}
	oversees := v.oversees(p)
	v.mu.RLock()
	defer v.mu.RUnlock()
	frozen := v.state.frozenFor(p)
	if p.Machine {
		return vaultclient.User{Name: p.grant.Name, Organisations: p.Organisations, Frozen: frozen}, nil
	}
	if u := v.state.users[p.User]; u != nil {
		me := *u
		me.Frozen = frozen
		if oversees {
			me.Incidents = v.state.openIncidents(p)
		}
		return me, nil
	}
	return vaultclient.User{}, errUnauthenticated
}

// FirstUser creates an installation's first user, a co-ordinator, and returns a link for them; it does nothing
// but make a new link when that user is there already, and nothing at all once somebody is signed in, or there is
// another user or an organisation.
func (v *Vault) FirstUser(ctx context.Context, name string) (secret string, err error) {
	err = v.commit(ctx, func(t *tx) error {
		switch {
		case len(v.state.users) > 1, len(v.state.sessions) > 0, len(v.state.organisations) > 0:
			return nil
		case len(v.state.users) == 1:
			for n := range v.state.users {
				secret, err = t.putLink(link{User: n})
			}
			return err
		}
		u, err := t.putUser(vaultclient.NewUser{Name: name, Role: policy.Coordinator}, ledger.Opening{})
		if err != nil {
			return err
		}
		secret, err = t.putLink(link{User: u})
		return err
	})
	return secret, hideCommitError(err)
}

func (t *tx) putLink(of link) (secret string, err error) {
	secret = newSecret()
	h := hashSecret(secret)
	l := &of
	l.Expires = t.now.Add(LinkLifetime).UnixMicro()
	sealed, err := t.v.sealRow(TableLink, h[:], l)
	if err != nil {
		return "", err
	}
	t.put(TableLink, h[:], sealed)
	t.apply(func(s *state) { s.links[h] = l })
	return secret, nil
}

func (t *tx) putUser(n vaultclient.NewUser, o ledger.Opening) (id.User, error) {
	u := &vaultclient.User{ID: id.New[id.User](), Name: n.Name, Role: n.Role, Organisations: n.Organisations, Wearers: n.Wearers, Until: n.Until, Purpose: n.Purpose}
	sealed, err := t.v.sealRow(TableUser, u.ID[:], u)
	if err != nil {
		return u.ID, err
	}
	o.Subject = u.ID.String()
	e, err := t.v.seal(entry{kind: ledger.User, basis: ledger.Gate}, o)
	if err != nil {
		return u.ID, err
	}
	t.put(TableUser, u.ID[:], sealed)
	t.append(e)
	t.apply(func(s *state) { s.users[u.ID] = u })
	return u.ID, nil
}

// manage asks for leave to manage an organisation, or the installation.
func (v *Vault) manage(ctx context.Context, p *principal, org id.Organisation) (ask, error) {
	a := ask{action: policy.Manage, purpose: policy.KeepRecords, organisation: org}
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return a, err
	}
	return a, nil
}

// CreateOrganisations creates organisations with their keys.
func (v *Vault) CreateOrganisations(ctx context.Context, c Caller, orgs []vaultclient.Organisation) ([]id.Organisation, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	a, err := v.manage(ctx, p, id.Organisation{})
	if err != nil {
		return nil, err
	}
	for i, o := range orgs {
		if !checkOrganisation(o) {
			return nil, invalid("organisation %d needs a name of at most 200 bytes and a kind", i+1)
		}
	}
	ids := make([]id.Organisation, len(orgs))
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		for i, o := range orgs {
			n := id.New[id.Organisation]()
			ids[i] = n
			row := storedOrganisation{Name: o.Name, Kind: o.Kind}
			sealed, err := v.sealRow(TableOrganisation, n[:], row)
			if err != nil {
				return err
			}
			t.put(TableOrganisation, n[:], sealed)
			made := newOrganisation(row, t.newOrganisationKey(n, useBlobs), t.newOrganisationKey(n, useOpening), t.newOrganisationKey(n, useHealthOpening))
			op := v.opening(p, a)
			op.Subject = n.String()
			e, err := v.seal(entry{kind: ledger.Organisation, basis: ledger.Gate}, op)
			if err != nil {
				return err
			}
			t.append(e)
			t.apply(func(s *state) { s.organisations[n] = made })
		}
		return nil
	})
	if err != nil {
		return nil, hideCommitError(err)
	}
	return ids, nil
}

// DemoUsers lists every user, for the sign-in page of a demonstration.
func (v *Vault) DemoUsers() []vaultclient.User {
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []vaultclient.User
	for _, u := range v.state.users {
		if active(u, now) {
			out = append(out, *u)
		}
	}
	slices.SortFunc(out, func(a, b vaultclient.User) int { return strings.Compare(string(a.Role)+a.Name, string(b.Role)+b.Name) })
	return out
}

// OrganisationNames lists the organisations, by name, for a form of the origin. That they are customers is no secret there.
func (v *Vault) OrganisationNames() []vaultclient.Organisation {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var list []vaultclient.Organisation
	for n, o := range v.state.organisations {
		list = append(list, vaultclient.Organisation{ID: n, Name: o.Name, Kind: o.Kind})
	}
	slices.SortFunc(list, func(a, b vaultclient.Organisation) int {
		return strings.Compare(a.Name+a.ID.String(), b.Name+b.ID.String())
	})
	return list
}

// OrganisationName is the name of an organisation; nothing for one that is not there.
func (v *Vault) OrganisationName(n id.Organisation) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if o := v.state.organisations[n]; o != nil {
		return o.Name
	}
	return ""
}

// GrantJob gives a node leave for one file or run. A machine gives a part of its own, to the worker.
func (v *Vault) GrantJob(ctx context.Context, c Caller, j vaultclient.JobGrant) (id.Grant, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return id.Grant{}, err
	}
	if p.grant != nil && !p.Machine {
		return id.Grant{}, refused("only a signed-in user, or a machine of its own part, gives a grant")
	}
	if p.Machine && j.Node != "worker" {
		return id.Grant{}, refused("a machine passes a part of its leave on to the worker, and to nobody else")
	}
	// A web node that holds a session would else give itself leave, beyond what the session reads and for longer.
	if j.Node != "worker" && (j.Node != c.Node || kindOf(c.Node) != "cli") {
		return id.Grant{}, refused("a job is the worker's, or of the command line that asks")
	}
	if j.Purpose == policy.BreachNotice {
		return id.Grant{}, refused("notices of a breach go on under a standing grant, which takes two people")
	}
	if j.Lifetime <= 0 || j.Lifetime > maxGrantLife || j.MaxWearers < 1 || j.Fields == 0 || j.Node == "" || j.Import.IsZero() {
		return id.Grant{}, invalid("a grant names its node, fields, file or run, a number of wearers, and a time of at most %v", maxGrantLife)
	}
	where := j.Organisations
	if len(where) == 0 {
		where = p.Organisations
	}
	a := ask{action: policy.Grant, purpose: j.Purpose, fields: j.Fields}
	parties, err := v.permitEach(ctx, p, a, where)
	if err != nil {
		return id.Grant{}, err
	}
	var rules []string
	for _, of := range parties {
		rules = append(rules, joinRules(of.rules))
	}
	n := id.New[id.Grant]()
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		g := &grant{User: p.User, Node: j.Node, Purpose: j.Purpose, Fields: j.Fields, Organisations: where, MaxWearers: j.MaxWearers, Import: j.Import,
			Expires: t.now.Add(j.Lifetime).UnixMicro(), used: newWearerSet()}
		if p.Machine { // of no more people, and for no longer, than the machine itself
			g.User, g.Of, g.used = p.grant.User, p.Grant, p.grant.used
			g.MaxWearers, g.Expires = min(g.MaxWearers, p.grant.MaxWearers), min(g.Expires, p.grant.Expires)
		}
		sealed, err := v.sealRow(TableJobGrant, n[:], g)
		if err != nil {
			return err
		}
		o := v.opening(p, a)
		slices.Sort(rules)
		o.Grant, o.Fields, o.Import, o.Subject, o.Rule = n, j.Fields, j.Import, n.String(), strings.Join(slices.Compact(rules), ", ")
		o.Reason = fmt.Sprintf("for node %s, at most %d wearers", g.Node, g.MaxWearers)
		e, err := v.seal(entry{kind: ledger.GrantGiven, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.put(TableJobGrant, n[:], sealed)
		t.append(e)
		t.apply(func(s *state) { s.grants[n] = g })
		return nil
	})
	return n, hideCommitError(err)
}

// dropExpired forgets sessions, links and grants that have ended.
func (t *tx) dropExpired() {
	now := t.now.UnixMicro()
	t.dropEndedSessions()
	t.dropOldAlarms()
	for h, l := range t.v.state.links {
		if now >= l.Expires {
			t.put(TableLink, h[:], nil)
			t.apply(func(st *state) { delete(st.links, h) })
		}
	}
	for n, g := range t.v.state.grants {
		if now >= g.Expires && !g.isMachine() && !g.isStanding() { // that a machine had leave stays on its list
			t.put(TableJobGrant, n[:], nil)
			t.apply(func(st *state) { delete(st.grants, n) })
		}
	}
}
