package origin

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

const nodeOrigin = "http://localhost:8080"

// house is a vault on a real database with a co-ordinator signed in on the command line.
type house struct {
	*testing.T
	v    *vault.Vault
	root vault.Caller
	// later is how far the vault's clock is ahead.
	later time.Duration
}

func newHouse(t *testing.T) *house {
	t.Helper()
	keys := vault.KeyDir(filepath.Join(t.TempDir(), "keys"))
	if err := keys.Create([]string{"web", "worker", "cli"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.OpenVault(t.Context(), filepath.Join(t.TempDir(), "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t}
	clock := func() time.Time { return time.Now().Add(h.later) }
	if h.v, err = vault.Open(t.Context(), vault.Config{Store: store, Keys: keys, Now: clock, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
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
	*testing.T
	o       *Origin
	cookies map[string]string
}

func (h *house) browser(o *Origin) *browser { return &browser{h.T, o, map[string]string{}} }

// do sends a request as a page of the origin itself does, or, with a site, one of another.
func (b *browser) do(method, path, site string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, b.o.URL+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", site)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
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

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(http.MethodGet, path, "same-origin", nil)
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	return b.do(http.MethodPost, path, "same-origin", form)
}
