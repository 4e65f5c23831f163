package origin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vault/origin/oidctest"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// employer is an organisation with a sign-in of its own.
type employer struct {
	*house
	o        *Origin
	idp      *oidctest.Provider
	org      id.Organisation
	provider id.Provider
}

func newEmployer(t testing.TB, h *house, o *Origin, name string) *employer {
	t.Helper()
	e := &employer{house: h, o: o, idp: oidctest.Start(t), org: h.organisation(name)}
	e.provider = must(h.v.AddProvider(t.Context(), h.root, vc.NewProvider{Organisation: e.org, Issuer: e.idp.URL, Client: "dosevault", Secret: "a secret", Name: "name", Claim: "groups",
		Rules: []vc.ClaimRule{{Value: "rps", Role: policy.Supervisor}, {Value: "badges", Role: policy.Local}, {Value: "records", Role: policy.RecordsOfficer}}}))
	e.idp.Register("dosevault", "a secret", o.URL+"/openid/"+e.provider.String()+"/callback")
	return e
}

// away begins a sign-in and returns where the browser is sent.
func (e *employer) away(b *browser) string {
	e.Helper()
	w := b.post("/openid", url.Values{"provider": {e.provider.String()}, "return": {nodeOrigin}, "state": {"0123"}})
	if w.Code != http.StatusSeeOther {
		e.Fatalf("not sent to the provider: %d: %s", w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

// back signs in at the provider and returns the address below the origin that the browser is sent back to.
func (e *employer) back(to, who string) string {
	e.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	login := e.follow(must(client.Get(to)), e.idp.URL)
	callback := e.follow(must(client.PostForm(login, url.Values{"who": {who}})), e.idp.URL)
	return strings.TrimPrefix(e.follow(must(client.Get(callback)), e.o.URL), e.o.URL)
}

// follow is where an answer sends to, which has to be below an origin.
func (e *employer) follow(r *http.Response, origin string) string {
	e.Helper()
	r.Body.Close()
	to, err := r.Location()
	if err != nil || !strings.HasPrefix(to.String(), origin+"/") {
		e.Fatalf("%s: %d to %v", r.Request.URL, r.StatusCode, to)
	}
	return to.String()
}

// signIn signs in at the provider with a browser of its own, and returns the user as the web node knows them, or else the page's title.
func (e *employer) signIn(who string) (vc.Session, string) {
	e.Helper()
	b := e.browser(e.o)
	return e.arrive(b.get(e.back(e.away(b), who)))
}

func (e *employer) arrive(w *httptest.ResponseRecorder) (vc.Session, string) {
	e.Helper()
	to, err := w.Result().Location()
	if err != nil {
		return vc.Session{}, regexp.MustCompile(`<h1>([^<]*)</h1>`).FindStringSubmatch(w.Body.String())[1]
	}
	if to.Query().Get("state") != "0123" || to.Host != "localhost:8080" {
		e.Errorf("sent back to %v", to)
	}
	return must(e.v.RedeemCode(e.Context(), vault.Caller{Node: "web"}, to.Query().Get("code"))), ""
}

// TestSignInByProvider: the first sign-in makes a user of that organisation, and each later one does as the claims say then.
func TestSignInByProvider(t *testing.T) {
	h := newHouse(t)
	o := h.origin(true)
	e, other := newEmployer(t, h, o, "Ysbyty A"), newEmployer(t, h, o, "Ysbyty B")
	if page := h.browser(o).get("/signin?return=" + nodeOrigin).Body.String(); !strings.Contains(page, "Sign in with Ysbyty A") || !strings.Contains(page, "Sign in with Ysbyty B") {
		t.Errorf("the providers are not offered: %s", page)
	}
	same := h.users(vc.NewUser{Name: "Nia Bowen", Role: policy.Administrator})[0]
	e.idp.Says("nia", map[string]any{"name": "  Nia   Bowen ", "groups": []any{"badges", 7, "rps"}, "email": "mair.evans@example.org"})
	s, _ := e.signIn("nia")
	if u := s.User; u.Name != "Nia Bowen" || u.Role != policy.Supervisor || len(u.Organisations) != 1 || u.Organisations[0] != e.org || u.Provider != e.provider || u.ID == same {
		t.Fatalf("signed in as %+v", u)
	}
	read := func(s vc.Session) error {
		_, err := h.v.Whoami(t.Context(), vault.Caller{Node: "web", Auth: vc.Auth{Session: s.Token}})
		return err
	}
	// The same person is the same user; another organisation's is another, whatever it calls them.
	again, _ := e.signIn("nia")
	other.idp.Says("nia", map[string]any{"name": "Nia Bowen", "groups": "rps"})
	theirs, _ := other.signIn("nia")
	if again.User.ID != s.User.ID || theirs.User.ID == s.User.ID || theirs.User.Organisations[0] != other.org {
		t.Errorf("again %+v, of another organisation %+v", again.User, theirs.User)
	}
	// Another role: the sessions of the earlier one end.
	e.idp.Says("nia", map[string]any{"name": "Nia Bowen-Rees", "groups": "badges"})
	now, _ := e.signIn("nia")
	if now.User.ID != s.User.ID || now.User.Role != policy.Local || now.User.Name != "Nia Bowen-Rees" || read(s) == nil || read(now) != nil {
		t.Errorf("with another role: %+v, earlier session: %v", now.User, read(s))
	}
	// No role: no access, until there is one again.
	e.idp.Says("nia", map[string]any{"name": "Nia Bowen-Rees", "groups": []any{"RPS", "staff"}})
	if _, title := e.signIn("nia"); title != "You have no role here" || read(now) == nil {
		t.Errorf("without a role: %q, session: %v", title, read(now))
	}
	e.idp.Says("nia", map[string]any{"name": "Nia Bowen-Rees", "groups": "rps"})
	if back, title := e.signIn("nia"); back.User.ID != s.User.ID || back.User.Role != policy.Supervisor {
		t.Errorf("with a role again: %+v %q", back.User, title)
	}
	for who, claims := range map[string]map[string]any{
		"You have no role here": {"name": "Stranger", "groups": []any{}},
		"Your name is missing":  {"groups": "rps"},
	} {
		e.idp.Says(who, claims)
		if _, title := e.signIn(who); title != who {
			t.Errorf("%v: %q", claims, title)
		}
	}
	// What was ended here stays ended, and there is no other way in.
	if err := h.v.EndUser(t.Context(), h.root, s.User.ID); err != nil {
		t.Fatal(err)
	}
	if _, title := e.signIn("nia"); title != "You can&#39;t sign in" {
		t.Errorf("after their access ended: %q", title)
	}
	if _, err := h.v.NewLink(t.Context(), h.root, theirs.User.ID); err == nil {
		t.Error("a user of an organisation's own sign-in is given a link")
	}
	if read(theirs) != nil {
		t.Error("the other's session ended")
	}
	if err := h.v.EndProvider(t.Context(), h.root, other.provider); err != nil {
		t.Fatal(err)
	}
	if read(theirs) == nil {
		t.Error("the provider is ended, and a session by it goes on")
	}
	if w := h.browser(o).post("/openid", url.Values{"provider": {other.provider.String()}, "return": {nodeOrigin}}); w.Code != http.StatusBadRequest {
		t.Errorf("the provider is ended, and still signs in: %d", w.Code)
	}
}

// TestSpoiledTokens: a token that is not this provider's answer to this sign-in signs nobody in.
func TestSpoiledTokens(t *testing.T) {
	h := newHouse(t)
	e := newEmployer(t, h, h.origin(true), "Ysbyty A")
	e.idp.Says("nia", map[string]any{"name": "Nia Bowen", "groups": "rps"})
	claim := func(name string, value any) func(*oidctest.Token) {
		return func(t *oidctest.Token) { t.Claims[name] = value }
	}
	for what, spoil := range map[string]func(*oidctest.Token){
		"wrong audience":       claim("aud", "another"),
		"several audiences":    func(t *oidctest.Token) { t.Claims["aud"] = []string{"dosevault", "another"}; delete(t.Claims, "azp") },
		"another party":        claim("azp", "another"),
		"wrong issuer":         claim("iss", "https://idp.example"),
		"wrong nonce":          claim("nonce", "another"),
		"no nonce":             func(t *oidctest.Token) { delete(t.Claims, "nonce") },
		"no subject":           claim("sub", ""),
		"expired":              claim("exp", time.Now().Add(-time.Second).Unix()),
		"no expiry":            func(t *oidctest.Token) { delete(t.Claims, "exp") },
		"of the future":        claim("iat", time.Now().Add(time.Hour).Unix()),
		"not yet valid":        claim("nbf", time.Now().Add(time.Hour).Unix()),
		"another access token": claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"unsigned":             func(t *oidctest.Token) { t.Unsigned = true },
		"HS256 of the secret":  func(t *oidctest.Token) { t.Algorithm, t.Key = jose.HS256, []byte(strings.Repeat("a secret", 4)) },
		"another key":          func(tok *oidctest.Token) { tok.Algorithm, tok.Key = jose.ES256, newKey(t) },
	} {
		e.idp.Spoil(spoil)
		if s, title := e.signIn("nia"); title != "You were not signed in" && !(what == "no subject" && title == "You can&#39;t sign in") {
			t.Errorf("%s: %q, %+v", what, title, s.User)
		}
	}
	e.idp.Spoil(func(*oidctest.Token) {})
	if _, title := e.signIn("nia"); title != "" {
		t.Errorf("signed anew but unchanged: %q", title)
	}
}

// TestKeysRotate: whatever key the provider signs with, its own list says so; only three kinds of signatures are taken.
func TestKeysRotate(t *testing.T) {
	h := newHouse(t)
	e := newEmployer(t, h, h.origin(true), "Ysbyty A")
	e.idp.Says("nia", map[string]any{"name": "Nia Bowen", "groups": "rps"})
	for _, a := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.PS256, jose.RS256} {
		e.idp.Rotate(a)
		if s, title := e.signIn("nia"); s.User.Role != policy.Supervisor {
			t.Errorf("%s: %q", a, title)
		}
	}
	e.idp.Rotate(jose.RS384)
	if _, title := e.signIn("nia"); title != "You were not signed in" {
		t.Errorf("RS384: %q", title)
	}
}

// TestAnswersFitTheirSignIn: an answer is taken once, from the browser that was sent away, at its provider's own address.
func TestAnswersFitTheirSignIn(t *testing.T) {
	h := newHouse(t)
	o := h.origin(true)
	e, other := newEmployer(t, h, o, "Ysbyty A"), newEmployer(t, h, o, "Ysbyty B")
	e.idp.Says("nia", map[string]any{"name": "Nia Bowen", "groups": "rps"})
	ended := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		if s, title := e.arrive(w); title != "This sign-in has ended" {
			t.Errorf("%s: %q, %+v", what, title, s.User)
		}
	}
	b := h.browser(o)
	to := e.away(b)
	q := must(url.Parse(to)).Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("redirect_uri") != o.URL+"/openid/"+e.provider.String()+"/callback" || q.Get("nonce") == "" || q.Get("response_type") != "code" {
		t.Errorf("asked for %v", q)
	}
	cookie := b.cookies["vault-provider"]
	answer := e.back(to, "nia")
	ended("another browser", h.browser(o).get(answer))
	ended("after that, the right one: the answer is used", b.get(answer))

	b.cookies["vault-provider"] = cookie
	answer = e.back(e.away(b), "nia")
	cookie = b.cookies["vault-provider"]
	ended("another provider's address", b.get(strings.Replace(answer, e.provider.String(), other.provider.String(), 1)))
	b.cookies["vault-provider"] = cookie
	ended("and then its own", b.get(answer))

	answer = e.back(e.away(b), "nia")
	cookie = b.cookies["vault-provider"]
	if s, title := e.arrive(b.get(answer)); s.User.Name != "Nia Bowen" {
		t.Errorf("the right answer: %q", title)
	}
	b.cookies["vault-provider"] = cookie
	ended("replayed", b.get(answer))
	ended("no state", b.get("/openid/"+e.provider.String()+"/callback?code=x"))

	// A code that was used, or is another sign-in's, is worth nothing with a fresh state.
	used := must(url.Parse(answer)).Query().Get("code")
	fresh := must(url.Parse(e.away(b))).Query().Get("state")
	if _, title := e.arrive(b.get("/openid/" + e.provider.String() + "/callback?" + url.Values{"code": {used}, "state": {fresh}}.Encode())); title != "You were not signed in" {
		t.Errorf("a used code: %q", title)
	}
	victim := h.browser(o)
	code := must(url.Parse(e.back(e.away(victim), "nia"))).Query().Get("code")
	fresh = must(url.Parse(e.away(b))).Query().Get("state")
	if _, title := e.arrive(b.get("/openid/" + e.provider.String() + "/callback?" + url.Values{"code": {code}, "state": {fresh}}.Encode())); title != "You were not signed in" {
		t.Errorf("another browser's code: %q", title)
	}
	for what, q := range map[string]url.Values{"refused": {"error": {"access_denied"}}, "nothing": {}, "another issuer": {"code": {"x"}, "iss": {other.idp.URL}}} {
		q.Set("state", must(url.Parse(e.away(b))).Query().Get("state"))
		if _, title := e.arrive(b.get("/openid/" + e.provider.String() + "/callback?" + q.Encode())); title != "You were not signed in" {
			t.Errorf("%s: %q", what, title)
		}
	}
	answer = e.back(e.away(b), "nia")
	o.openID.flows[must(url.Parse(answer)).Query().Get("state")].expires = time.Now()
	ended("after ten minutes", b.get(answer))
}

// TestProvidersThatDoNotAnswer: one that is away, redirects, floods, or names addresses without TLS stops nothing but its own sign-in.
func TestProvidersThatDoNotAnswer(t *testing.T) {
	h := newHouse(t)
	o := h.origin(true)
	org := h.organisation("Ysbyty A")
	var issuer string
	var answer http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer server.Close()
	issuer = server.URL
	says := func(auth string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(`{"issuer":"` + issuer + `","authorization_endpoint":"` + auth + `","token_endpoint":"` + issuer + `/token","jwks_uri":"` + issuer + `/keys"}`))
		}
	}
	n := must(h.v.AddProvider(t.Context(), h.root, vc.NewProvider{Organisation: org, Issuer: issuer, Client: "dosevault", Secret: "x", Name: "name", Claim: "groups", Rules: []vc.ClaimRule{{Value: "rps", Role: policy.Supervisor}}}))
	try := func() *httptest.ResponseRecorder {
		return h.browser(o).post("/openid", url.Values{"provider": {n.String()}, "return": {nodeOrigin}})
	}
	for what, fn := range map[string]http.HandlerFunc{
		"an error":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"elsewhere":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
		"a flood":     func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxAnswer+1)) },
		"without TLS": says("http://idp.example/auth"),
	} {
		answer = fn
		if w := try(); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "Ysbyty A’s own sign-in did not answer") {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	answer = says(issuer + "/auth")
	if w := try(); w.Code != http.StatusSeeOther {
		t.Errorf("a provider that answers: %d", w.Code)
	}
	server.Close()
	o.openID.known = nil
	if w := try(); w.Code != http.StatusBadGateway {
		t.Errorf("a provider that is away: %d", w.Code)
	}
	o.openID.calls.Store(maxProviderCalls)
	if w := try(); w.Code != http.StatusBadGateway || o.openID.calls.Load() != maxProviderCalls {
		t.Errorf("too many at a time: %d", w.Code)
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}
