package vault

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// An organisation's own sign-in is an OpenID Connect provider that is trusted for that organisation alone. Whom it vouches
// for is a user of their own, known by issuer and subject, never by an address or a name: it makes that user at their first
// sign-in, in a role for that organisation, and says anew at each later one who they are. It can't sign in anybody else.
// What it says reaches this file only after its token was checked; see package origin.

// Limits of what is kept of a provider.
const (
	maxProviderText = 300 // bytes of an address, name or value
	maxRules        = 100
)

// provider is an organisation's own sign-in. The row holds its secret, and is sealed like all rows of authority.
type provider struct {
	vaultclient.NewProvider
	Began int64 `json:"began"`           // µs
	Ended int64 `json:"ended,omitempty"` // µs
}

// tieKey is the id of the row of the table credential that says which user a provider vouches for: their organisation, who says so, and as whom.
func (v *Vault) tieKey(p *provider, subject string) secretHash {
	return v.keyedHash("tie", p.Organisation[:], []byte(p.Issuer), []byte(subject))
}

// roleFor is the role that values of the claim make: the first rule that matches, in the order of the rules.
func (p *provider) roleFor(values []string) (policy.Role, bool) {
	for _, r := range p.Rules {
		if slices.Contains(values, r.Value) {
			return r.Role, true
		}
	}
	return "", false
}

// SafeAddress reports whether secrets and tokens may travel to an address: by TLS, or within this machine.
func SafeAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// checkProvider says what is wrong with a provider, or nothing.
func checkProvider(p vaultclient.NewProvider) error {
	u, err := url.Parse(p.Issuer)
	if err != nil || !SafeAddress(p.Issuer) || u.RawQuery != "" || u.Fragment != "" || len(p.Issuer) > maxProviderText {
		return invalid("an issuer is an address with https, or on this machine with http, and without a query")
	}
	for _, s := range []string{p.Client, p.Secret, p.Name, p.Claim} {
		if s == "" || len(s) > maxProviderText || strings.ContainsFunc(s, unicode.IsControl) {
			return invalid("a provider needs the name and secret that it knows this installation by, and the claims for name and roles, each of at most %d bytes", maxProviderText)
		}
	}
	if len(p.Rules) == 0 || len(p.Rules) > maxRules {
		return invalid("a provider needs 1 to %d rules from a claim's value to a role", maxRules)
	}
	for i, r := range p.Rules {
		if r.Value == "" || len(r.Value) > maxProviderText || !slices.Contains(vaultclient.ProviderRoles, r.Role) {
			return invalid("rule %d needs a value, and a role that holds at one organisation: %s", i+1, joinRoles(vaultclient.ProviderRoles))
		}
	}
	return nil
}

func joinRoles(roles []policy.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// AddProvider adds an organisation's own sign-in. It is entered in that organisation's ledger.
func (v *Vault) AddProvider(ctx context.Context, c Caller, np vaultclient.NewProvider) (id.Provider, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return id.Provider{}, err
	}
	if err := checkProvider(np); err != nil {
		return id.Provider{}, err
	}
	a := ask{action: policy.Administer, purpose: policy.KeepRecords}
	parties, err := v.permitEach(ctx, p, a, []id.Organisation{np.Organisation})
	if err != nil {
		return id.Provider{}, err
	}
	n := id.New[id.Provider]()
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if v.state.organisations[np.Organisation] == nil {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such organisation"}
		}
		for _, other := range v.state.providers {
			if other.Ended == 0 && other.Organisation == np.Organisation && other.Issuer == np.Issuer && other.Client == np.Client {
				return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the organisation signs in by this provider already: end it first"}
			}
		}
		return t.putProvider(p, a, parties, n, &provider{NewProvider: np, Began: t.now.UnixMicro()}, "its own sign-in is added: "+np.Issuer)
	})
	return n, hideCommitError(err)
}

// putProvider writes a provider's row and enters what was done with it.
func (t *tx) putProvider(p *principal, a ask, parties []*party, n id.Provider, row *provider, what string) error {
	sealed, err := t.v.sealRow(TableProvider, n[:], row)
	if err != nil {
		return err
	}
	o := t.v.opening(p, a)
	o.Subject, o.Reason = n.String(), what
	for _, of := range parties {
		o.Rule = joinRules(of.rules)
	}
	e, err := t.v.seal(entry{org: row.Organisation, kind: ledger.Credential, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.put(TableProvider, n[:], sealed)
	t.append(e)
	t.apply(func(s *state) { s.providers[n] = row })
	return nil
}

// Providers lists the organisations' own sign-ins, those that ended too, without their secrets.
func (v *Vault) Providers(ctx context.Context, c Caller) ([]vaultclient.Provider, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if _, err := v.gate(ctx, p, ask{action: policy.Administer, purpose: policy.KeepRecords, kind: ledger.Oversee, subject: "providers"}); err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.Provider{}
	for n, x := range v.state.providers {
		one := vaultclient.Provider{ID: n, Organisation: x.Organisation, Issuer: x.Issuer, Client: x.Client, Name: x.Name, Claim: x.Claim, Rules: x.Rules, Began: time.UnixMicro(x.Began).UTC()}
		if x.Ended != 0 {
			one.Ended = time.UnixMicro(x.Ended).UTC()
		}
		for _, u := range v.state.users {
			if u.Provider == n && u.Ended.IsZero() && u.Lapsed.IsZero() {
				one.Users++
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b vaultclient.Provider) int {
		return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out, nil
}

// EndProvider ends an organisation's own sign-in: nobody signs in by it any more, and whoever did has no role at once.
// Ending it twice is no error.
func (v *Vault) EndProvider(ctx context.Context, c Caller, n id.Provider) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	v.mu.RLock()
	x := v.state.providers[n]
	v.mu.RUnlock()
	org := id.Organisation{}
	if x != nil {
		org = x.Organisation
	}
	a := ask{action: policy.Administer, purpose: policy.KeepRecords, ends: true}
	parties, err := v.permitEach(ctx, p, a, []id.Organisation{org})
	if err != nil {
		return err
	}
	if x == nil {
		return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such provider"}
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		ended := *v.state.providers[n]
		if ended.Ended != 0 {
			return nil
		}
		ended.Ended, ended.Secret = t.now.UnixMicro(), ""
		for _, u := range v.state.users {
			if u.Provider != n || !u.Ended.IsZero() || !u.Lapsed.IsZero() {
				continue
			}
			if err := t.lapse(u, v.opening(p, a), "their organisation's own sign-in is ended"); err != nil {
				return err
			}
		}
		return t.putProvider(p, a, parties, n, &ended, "its own sign-in is ended: "+ended.Issuer)
	}))
}

// SignInProvider is what the sign-in pages need of an organisation's own sign-in.
type SignInProvider struct {
	ID               id.Provider
	Organisation     string // its name
	Issuer           string
	Client, Secret   string
	Name, RolesClaim string
}

// SignInProviders lists those that have not ended, by their organisations' names.
func (v *Vault) SignInProviders() []SignInProvider {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []SignInProvider
	for n, p := range v.state.providers {
		if org := v.state.organisations[p.Organisation]; p.Ended == 0 && org != nil {
			out = append(out, SignInProvider{ID: n, Organisation: org.Name, Issuer: p.Issuer, Client: p.Client, Secret: p.Secret, Name: p.Name, RolesClaim: p.Claim})
		}
	}
	slices.SortFunc(out, func(a, b SignInProvider) int {
		return cmp.Or(cmp.Compare(a.Organisation, b.Organisation), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out
}

// Vouched is what a provider says of somebody in a token that was checked.
type Vouched struct {
	Subject string
	Name    string
	Values  []string // of the claim that makes roles
}

// Refusals of a sign-in by a provider.
var (
	ErrNoRole     = &vaultclient.Error{Code: vaultclient.Refused, Message: "the organisation's sign-in gives this person no role here"}
	ErrNoName     = &vaultclient.Error{Code: vaultclient.Refused, Message: "the organisation's sign-in does not say this person's name"}
	errUserEnded  = &vaultclient.Error{Code: vaultclient.Refused, Message: "this person's access was ended"}
	errNoProvider = &vaultclient.Error{Code: vaultclient.Refused, Message: "no such provider, or it has ended"}
	errByProvider = &vaultclient.Error{Code: vaultclient.Conflict, Message: "this user signs in by their organisation's own sign-in, and by nothing else"}
	errBadSubject = &vaultclient.Error{Code: vaultclient.Refused, Message: "the provider's name for this person can't be used"}
)

// SignInBy finds or makes the user whom a provider vouches for, and applies what it says of them now.
func (v *Vault) SignInBy(ctx context.Context, n id.Provider, w Vouched) (id.User, error) {
	w.Name = strings.Join(strings.Fields(w.Name), " ")
	if w.Subject == "" || len(w.Subject) > 255 || !utf8.ValidString(w.Subject) {
		return id.User{}, errBadSubject
	}
	var user id.User
	var denied *vaultclient.Error
	err := v.commit(ctx, func(t *tx) (err error) {
		user, denied, err = t.signInBy(n, w)
		return err
	})
	switch {
	case err != nil:
		return id.User{}, hideCommitError(err)
	case denied != nil:
		if err := v.enterRefused(ctx, false, user, ledger.Opening{Node: OriginNode}); err != nil { // it has its entry
			return id.User{}, err
		}
		return id.User{}, denied
	}
	return user, nil
}

// signInBy is SignInBy inside a commit. denied says why nobody is signed in, although what it wrote is to stand.
func (t *tx) signInBy(n id.Provider, w Vouched) (user id.User, denied *vaultclient.Error, err error) {
	p := t.v.state.providers[n]
	if p == nil || p.Ended != 0 {
		return user, nil, errNoProvider
	}
	key := t.v.tieKey(p, w.Subject)
	var u *vaultclient.User
	if tied := t.v.state.credentials[key]; tied != nil {
		u, user = t.v.state.users[tied.User], tied.User
	}
	role, ok := p.roleFor(w.Values)
	switch {
	case !user.IsZero() && (u == nil || !u.Ended.IsZero()):
		denied = errUserEnded
	case !ok:
		denied = ErrNoRole
	case !goodName(w.Name):
		denied = ErrNoName
	}
	o := ledger.Opening{User: user, Subject: user.String()}
	switch {
	case denied == ErrNoRole && u != nil && u.Lapsed.IsZero():
		return user, denied, t.lapse(u, o, denied.Message)
	case denied != nil:
		return user, denied, t.refuseVouched(n, user, denied)
	case u == nil:
		user, err = t.newVouched(n, p, key, w, role)
		return user, nil, err
	}
	now := *u
	now.Name, now.Role, now.Organisations, now.Provider, now.Lapsed = w.Name, role, []id.Organisation{p.Organisation}, n, time.Time{}
	if reflect.DeepEqual(now, *u) {
		return user, nil, nil
	}
	if now.Role != u.Role {
		t.dropSessions(user)
	}
	o.Role, o.Reason = role, "as their organisation's own sign-in says now"
	return user, nil, t.storeUser(&now, o)
}

func goodName(name string) bool {
	return name != "" && len(name) <= 200 && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// newVouched makes the user for somebody whom a provider vouches for the first time, and ties the two.
func (t *tx) newVouched(n id.Provider, p *provider, key secretHash, w Vouched, role policy.Role) (id.User, error) {
	u := &vaultclient.User{ID: id.New[id.User](), Name: w.Name, Role: role, Organisations: []id.Organisation{p.Organisation}, Provider: n}
	if err := t.storeUser(u, ledger.Opening{Subject: u.ID.String(), User: u.ID, Role: role, Reason: "first sign-in by their organisation's own sign-in"}); err != nil {
		return u.ID, err
	}
	e, err := t.v.seal(entry{kind: ledger.Credential, basis: ledger.Gate}, ledger.Opening{User: u.ID, Role: role, Subject: u.ID.String(), Reason: "tied to provider:" + n.String()})
	if err != nil {
		return u.ID, err
	}
	t.append(e)
	return u.ID, t.putCredential(key, &credential{User: u.ID, Name: p.Issuer, Made: t.now.UnixMicro(), Provider: n, Subject: w.Subject})
}

// lapse takes a user's role away until their organisation's own sign-in gives them one again.
func (t *tx) lapse(u *vaultclient.User, o ledger.Opening, why string) error {
	now := *u
	now.Lapsed = t.now
	t.dropSessions(u.ID)
	o.Subject, o.Reason = u.ID.String(), why
	return t.storeUser(&now, o)
}

// refuseVouched enters that somebody whom a provider vouches for was not signed in.
func (t *tx) refuseVouched(n id.Provider, u id.User, why *vaultclient.Error) error {
	e, err := t.v.seal(entry{kind: ledger.Refuse, basis: ledger.Gate}, ledger.Opening{User: u, Subject: "provider:" + n.String(), Reason: "sign-in: " + why.Message})
	if err != nil {
		return err
	}
	t.append(e)
	return nil
}
