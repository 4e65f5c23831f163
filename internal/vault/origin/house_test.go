package origin

import (
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/testpasskey"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

const nodeOrigin = "http://localhost:8080"

// house is a vault on a real database with a co-ordinator signed in on the command line.
type house struct {
	testing.TB
	v    *vault.Vault
	root vault.Caller
	keys vault.KeyDir
	dir  string // of its database
	// closed: the test has closed the vault.
	closed bool
	// later is how far the vault's clock is ahead.
	later time.Duration
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return newHouseOf(t, false)
}

// newDemo is the house of a demonstration.
func newDemo(t *testing.T) *house {
	t.Helper()
	return newHouseOf(t, true)
}

func newHouseOf(t testing.TB, demo bool) *house {
	t.Helper()
	keys := vault.KeyDir(filepath.Join(t.TempDir(), "keys"))
	if err := keys.Create([]string{"web", "worker", "cli"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, keys: keys, dir: t.TempDir()}
	store, err := sqlite.OpenVault(t.Context(), filepath.Join(h.dir, "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Now().Add(h.later) }
	if h.v, err = vault.Open(t.Context(), vault.Config{Store: store, Keys: keys, Now: clock, Log: slog.New(slog.DiscardHandler), Origin: "http://localhost:8081", Demo: demo}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if h.closed {
			return
		}
		if err := h.v.Close(); err != nil {
			t.Error(err)
		}
	})
	link := must(h.v.FirstUser(t.Context(), "Mair Evans"))
	h.root.Node = "cli"
	h.root.Auth.Session = must(h.v.RedeemLink(t.Context(), h.root, link)).Token
	if err := h.v.SingleAdministrator(t.Context(), 0); err != nil { // until a test is about who approves
		t.Fatal(err)
	}
	return h
}

// origin returns the house's web origin.
func (h *house) origin(demo bool) *Origin {
	return &Origin{Vault: h.v, URL: "http://localhost:8081", Nodes: map[string]string{nodeOrigin: "web"}, Demo: demo, Log: slog.New(slog.DiscardHandler)}
}

func (h *house) users(users ...vc.NewUser) []id.User {
	h.Helper()
	return must(h.v.CreateUsers(h.Context(), h.root, users))
}

func (h *house) organisation(name string) id.Organisation {
	h.Helper()
	return must(h.v.CreateOrganisations(h.Context(), h.root, []vc.Organisation{{Name: name, Kind: vc.HealthBoard}}))[0]
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// browser asks an origin for pages and keeps its cookies.
type browser struct {
	testing.TB
	o       *Origin
	cookies map[string]string
}

func (h *house) browser(o *Origin) *browser { return &browser{h.TB, o, map[string]string{}} }

// do sends a request as a page of the origin itself does, or, with a site, one of another.
func (b *browser) do(method, path, site string, form url.Values) *httptest.ResponseRecorder {
	r := b.request(method, path, site, form)
	w := httptest.NewRecorder()
	b.o.Handler().ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

func (b *browser) request(method, path, site string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, b.o.URL+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", site)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(http.MethodGet, path, "same-origin", nil)
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	return b.do(http.MethodPost, path, "same-origin", form)
}

// device is somebody's authenticator with one passkey.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice() *device {
	return &device{
		rp:   virtualwebauthn.RelyingParty{ID: "localhost", Name: "dosevault", Origin: "http://localhost:8081"},
		auth: virtualwebauthn.NewAuthenticator(),
		key:  testpasskey.Key(),
	}
}

var dataOptions = regexp.MustCompile(`data-passkey="(get|create)" data-options="([^"]*)"`)

// answer answers the challenge of a page as the browser's script does.
func (d *device) answer(b *browser, page *httptest.ResponseRecorder) string {
	b.Helper()
	m := dataOptions.FindStringSubmatch(page.Body.String())
	if m == nil {
		b.Fatalf("%d: no challenge on: %s", page.Code, page.Body)
	}
	options := html.UnescapeString(m[2])
	if m[1] == "create" {
		o := must(virtualwebauthn.ParseAttestationOptions(options))
		d.auth.Options.UserHandle = []byte(o.UserID)
		return virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *o)
	}
	d.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *must(virtualwebauthn.ParseAssertionOptions(options)))
}

// enrol opens a user's enrolment link in a browser of their own.
func (h *house) enrol(o *Origin, u id.User) (*browser, *device) {
	h.Helper()
	b, d := h.browser(o), newDevice()
	link := must(h.v.NewLink(h.Context(), h.root, u))
	page := b.get("/link?secret=" + link)
	if w := b.post("/link", url.Values{"secret": {link}, "name": {"Laptop"}, "response": {d.answer(b, page)}}); w.Code != http.StatusSeeOther {
		h.Fatalf("enrolling: %d: %s", w.Code, w.Body)
	}
	return b, d
}
