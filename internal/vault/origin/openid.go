package origin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Signing in by an organisation's own sign-in: OpenID Connect's authorization code with PKCE. The browser carries a random
// state and a code; everything else goes from here to the provider and back. What is sent back has to be an answer to what
// this browser was sent away with, once, within ten minutes, at an address of that provider's own, so that no provider can
// be played off against another. Which user it is, and in which role, the vault decides.

// Limits of talking to a provider.
const (
	flowLifetime     = 10 * time.Minute
	maxFlows         = 10_000          // sign-ins that have begun; the oldest are forgotten
	providerTimeout  = 8 * time.Second // for all that one request of a browser asks a provider
	maxProviderCalls = 16              // requests of browsers that wait for a provider at the same time
	maxAnswer        = 1 << 20         // bytes of one answer
	metadataLifetime = 5 * time.Minute // so that a key which a provider gives up is not taken for longer
	clockLeeway      = 5 * time.Minute
)

// signing are the signatures that a token may have. Whoever knows the client's secret could make one of HS256.
var signing = []string{oidc.RS256, oidc.ES256, oidc.PS256}

// browserCookie binds a sign-in that has begun to the browser that began it.
const browserCookie = "vault-provider"

// flow is a sign-in that has begun.
type flow struct {
	browser         [sha256.Size]byte // hash of what the cookie holds
	provider        id.Provider
	nonce, verifier string
	form            returnTo
	expires         time.Time
}

// returnTo is where somebody goes who has signed in.
type returnTo struct{ node, back, state, to string }

// metadata is what a provider says of itself, kept for metadataLifetime.
type metadata struct {
	endpoint oauth2.Endpoint
	verifier *oidc.IDTokenVerifier
	until    time.Time
}

// openID is what the origin knows of sign-ins by providers, in memory only: after a restart people begin again.
type openID struct {
	calls atomic.Int32
	mu    sync.Mutex
	flows map[string]*flow // by state
	known map[id.Provider]*metadata
}

func (x *openID) begin(state string, f *flow) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.flows == nil {
		x.flows = map[string]*flow{}
	}
	oldest := ""
	for s, other := range x.flows {
		if !time.Now().Before(other.expires) {
			delete(x.flows, s)
		} else if oldest == "" || other.expires.Before(x.flows[oldest].expires) {
			oldest = s
		}
	}
	if len(x.flows) >= maxFlows {
		delete(x.flows, oldest)
	}
	x.flows[state] = f
}

// take returns the sign-in that an answer belongs to, once.
func (x *openID) take(state string, provider id.Provider, browser string) *flow {
	x.mu.Lock()
	f := x.flows[state]
	delete(x.flows, state)
	x.mu.Unlock()
	hash := sha256.Sum256([]byte(browser))
	if f == nil || f.provider != provider || browser == "" || subtle.ConstantTimeCompare(hash[:], f.browser[:]) != 1 || !time.Now().Before(f.expires) {
		return nil
	}
	return f
}

// providerHTTP is how providers are talked to: nothing is followed elsewhere, and no answer is longer than maxAnswer.
var providerHTTP = &http.Client{
	Timeout:       providerTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a provider may not redirect") },
	Transport: bounded{&http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: providerTimeout, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute}},
}

type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// about asks a provider about itself, unless it said so just now.
func (x *openID) about(ctx context.Context, p vault.SignInProvider) (*metadata, error) {
	x.mu.Lock()
	m := x.known[p.ID]
	x.mu.Unlock()
	if m != nil && time.Now().Before(m.until) {
		return m, nil
	}
	said, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		Keys string `json:"jwks_uri"`
	}
	if err := said.Claims(&more); err != nil {
		return nil, err
	}
	for _, address := range []string{said.Endpoint().AuthURL, said.Endpoint().TokenURL, more.Keys} {
		if !vault.SafeAddress(address) || strings.HasPrefix(p.Issuer, "https:") && !strings.HasPrefix(address, "https:") {
			return nil, fmt.Errorf("the provider names an address without TLS: %q", address)
		}
	}
	m = &metadata{said.Endpoint(), said.Verifier(&oidc.Config{ClientID: p.Client, SupportedSigningAlgs: signing}), time.Now().Add(metadataLifetime)}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known == nil {
		x.known = map[id.Provider]*metadata{}
	}
	x.known[p.ID] = m
	return m, nil
}

func (o *Origin) openIDRoutes() []route {
	return []route{
		{"POST /openid", o.toProvider},
		{"GET /openid/{provider}/callback", o.fromProvider},
	}
}

// provider finds an organisation's own sign-in by its id.
func (o *Origin) provider(name string) (vault.SignInProvider, bool) {
	for _, p := range o.Vault.SignInProviders() {
		if p.ID.String() == name {
			return p, true
		}
	}
	return vault.SignInProvider{}, false
}

// client is this installation as a provider knows it.
func (o *Origin) client(p vault.SignInProvider, m *metadata) *oauth2.Config {
	return &oauth2.Config{ClientID: p.Client, ClientSecret: p.Secret, Endpoint: m.endpoint, RedirectURL: o.URL + "/openid/" + p.ID.String() + "/callback", Scopes: []string{oidc.ScopeOpenID, "profile"}}
}

// ask lets fn talk to a provider for as long as one request may.
func (o *Origin) ask(r *http.Request, fn func(context.Context) error) error {
	if o.openID.calls.Add(1) > maxProviderCalls {
		o.openID.calls.Add(-1)
		return errors.New("too many sign-ins wait for providers")
	}
	defer o.openID.calls.Add(-1)
	ctx, cancel := context.WithTimeout(oidc.ClientContext(r.Context(), providerHTTP), providerTimeout)
	defer cancel()
	return fn(ctx)
}

// providerButton offers an organisation's own sign-in.
type providerButton struct{ ID, Organisation, Host string }

func (o *Origin) providerButtons() []providerButton {
	var list []providerButton
	for _, p := range o.Vault.SignInProviders() {
		host := p.Issuer
		if u, err := url.Parse(p.Issuer); err == nil {
			host = u.Host
		}
		list = append(list, providerButton{p.ID.String(), p.Organisation, host})
	}
	return list
}

// toProvider sends a browser to an organisation's own sign-in.
func (o *Origin) toProvider(w http.ResponseWriter, r *http.Request) {
	name, back, ok := o.node(r.PostFormValue("return"))
	form := returnTo{name, back, stateOf(r.PostFormValue("state")), local(r.PostFormValue("to"))}
	p, known := o.provider(r.PostFormValue("provider"))
	if !known || !ok && form.to == "" {
		o.message(w, r, http.StatusBadRequest, "This sign-in is not known here", "Start again from the address that you were given.")
		return
	}
	var m *metadata
	err := o.ask(r, func(ctx context.Context) (err error) {
		m, err = o.openID.about(ctx, p)
		return err
	})
	if err != nil {
		o.unreachable(w, r, p, err)
		return
	}
	state, browser := rand.Text(), rand.Text()
	f := &flow{browser: sha256.Sum256([]byte(browser)), provider: p.ID, nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), form: form, expires: time.Now().Add(flowLifetime)}
	o.openID.begin(state, f)
	o.setCookie(w, browserCookie, browser, flowLifetime)
	http.Redirect(w, r, o.client(p, m).AuthCodeURL(state, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier)), http.StatusSeeOther)
}

// fromProvider signs in whom a provider sends back.
func (o *Origin) fromProvider(w http.ResponseWriter, r *http.Request) {
	p, known := o.provider(r.PathValue("provider"))
	f := o.openID.take(r.FormValue("state"), p.ID, o.cookie(r, browserCookie))
	o.setCookie(w, browserCookie, "", 0)
	switch {
	case !known || f == nil:
		o.message(w, r, http.StatusForbidden, "This sign-in has ended", "It took longer than ten minutes, or was begun elsewhere, or was used already. Start again from the address that you were given.")
		return
	case r.FormValue("error") != "" || r.FormValue("code") == "":
		o.noUser(w, r, p, errors.New("the provider signed nobody in"))
		return
	case r.FormValue("iss") != "" && r.FormValue("iss") != p.Issuer:
		o.noUser(w, r, p, errors.New("the answer is another issuer's"))
		return
	}
	var said *oidc.IDToken
	err := o.ask(r, func(ctx context.Context) error {
		m, err := o.openID.about(ctx, p)
		if err != nil {
			return err
		}
		said, err = o.redeem(ctx, p, m, f, r.FormValue("code"))
		return err
	})
	var network *url.Error
	switch {
	case errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded):
		o.unreachable(w, r, p, err)
		return
	case err != nil:
		o.noUser(w, r, p, err)
		return
	}
	vouched, err := vouchedIn(p, said)
	if err != nil {
		o.noUser(w, r, p, err)
		return
	}
	o.signInVouched(w, r, p, f.form, vouched)
}

// redeem exchanges a code for a token, and checks the token.
func (o *Origin) redeem(ctx context.Context, p vault.SignInProvider, m *metadata, f *flow, code string) (*oidc.IDToken, error) {
	tokens, err := o.client(p, m).Exchange(ctx, code, oauth2.VerifierOption(f.verifier))
	if err != nil {
		if answer := new(oauth2.RetrieveError); errors.As(err, &answer) {
			return nil, fmt.Errorf("the provider refused the code with status %d", answer.Response.StatusCode) // not what else it says: that is for nobody's log
		}
		return nil, err
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider sent no ID token")
	}
	said, err := m.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	var more struct {
		Party string `json:"azp"`
	}
	switch err := said.Claims(&more); {
	case err != nil:
		return nil, errors.New("the ID token can't be read")
	case said.Issuer != p.Issuer:
		return nil, errors.New("the ID token is another issuer's")
	case subtle.ConstantTimeCompare([]byte(said.Nonce), []byte(f.nonce)) != 1:
		return nil, errors.New("the ID token answers another sign-in: its nonce differs")
	case more.Party != "" && more.Party != p.Client, more.Party == "" && len(said.Audience) > 1:
		return nil, errors.New("the ID token was given to another party")
	case said.IssuedAt.After(time.Now().Add(clockLeeway)):
		return nil, errors.New("the ID token is of the future: do the clocks agree?")
	case said.AccessTokenHash != "" && said.VerifyAccessToken(tokens.AccessToken) != nil:
		return nil, errors.New("the ID token belongs to another access token")
	}
	return said, nil
}

// vouchedIn takes from a token who somebody is. A claim that makes roles is a text, or a list of texts; others make none.
func vouchedIn(p vault.SignInProvider, said *oidc.IDToken) (vault.Vouched, error) {
	claims := map[string]any{}
	if err := said.Claims(&claims); err != nil {
		return vault.Vouched{}, errors.New("the ID token can't be read")
	}
	v := vault.Vouched{Subject: said.Subject}
	v.Name, _ = claims[p.Name].(string)
	switch values := claims[p.RolesClaim].(type) {
	case string:
		v.Values = []string{values}
	case []any:
		for _, x := range values {
			if text, ok := x.(string); ok {
				v.Values = append(v.Values, text)
			}
		}
	}
	return v, nil
}

// signInVouched signs in whom a provider vouches for, if the vault takes them.
func (o *Origin) signInVouched(w http.ResponseWriter, r *http.Request, p vault.SignInProvider, form returnTo, v vault.Vouched) {
	user, err := o.Vault.SignInBy(r.Context(), p.ID, v)
	var known *vaultclient.Error
	switch {
	case errors.Is(err, vault.ErrNoRole):
		o.messageFor(w, r, "You have no role here", "%s’s own sign-in knows you, but gives you no role here. Ask whoever runs it.", p)
		return
	case errors.Is(err, vault.ErrNoName):
		o.messageFor(w, r, "Your name is missing", "%s’s own sign-in did not say your name. Ask whoever runs it.", p)
		return
	case errors.As(err, &known) && known.Code == vaultclient.Refused:
		o.messageFor(w, r, "You can't sign in", "%s’s own sign-in knows you, but your access here has ended. Ask an administrator.", p)
		return
	case err != nil:
		o.fail(w, r, err)
		return
	}
	s, err := o.Vault.BeginOrigin(r.Context(), user)
	if err != nil {
		o.fail(w, r, err)
		return
	}
	o.begin(w, s)
	if form.to != "" {
		http.Redirect(w, r, form.to, http.StatusSeeOther)
		return
	}
	o.sendBack(w, r, form.back, o.Vault.NewCode(user, form.node), form.state)
}

// messageFor shows a page of one sentence about a provider's organisation.
func (o *Origin) messageFor(w http.ResponseWriter, r *http.Request, title, text words.Key, p vault.SignInProvider) {
	o.message(w, r, http.StatusForbidden, title, words.Plain(words.T(r.Context(), text, p.Organisation)))
}

func (o *Origin) unreachable(w http.ResponseWriter, r *http.Request, p vault.SignInProvider, err error) {
	o.Log.Warn("an organisation's own sign-in can't be reached", "provider", p.ID, "error", err)
	o.message(w, r, http.StatusBadGateway, "Your organisation’s sign-in can't be reached", words.Plain(words.T(r.Context(), "%s’s own sign-in did not answer. Nobody was signed in. Try again in a few minutes.", p.Organisation)))
}

func (o *Origin) noUser(w http.ResponseWriter, r *http.Request, p vault.SignInProvider, err error) {
	o.Log.Warn("a sign-in by an organisation's own sign-in failed", "provider", p.ID, "error", err)
	o.messageFor(w, r, "You were not signed in", "%s’s own sign-in did not say who you are, or what it said can't be trusted. Start again from the address that you were given.", p)
}
