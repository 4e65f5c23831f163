package origin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// signInAs signs a browser in as a user of a demonstration, to a page of the origin.
func (b *browser) signInAs(u interface{ String() string }) {
	b.Helper()
	if w := b.post("/signin", url.Values{"user": {u.String()}, "to": {"/account"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/account" {
		b.Fatalf("signing in: %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// TestSignedInPages: who is not signed in is sent to sign in and comes back; the session ends by sign-out, unused after a
// quarter of an hour, and after two hours however much it is used; it works on the origin alone.
func TestSignedInPages(t *testing.T) {
	h := newHouse(t)
	u := h.users(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})[0]
	b := h.browser(h.origin(true))
	out := func(why string) {
		t.Helper()
		if w := b.get("/account?done=x"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/signin?to=%2Faccount%3Fdone%3Dx" {
			t.Errorf("%s: %d to %q", why, w.Code, w.Header().Get("Location"))
		}
	}
	out("nobody")
	b.signInAs(u)
	if w := b.get("/account"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Llŷr Prys") || !strings.Contains(w.Body.String(), "Badge co-ordinator") {
		t.Errorf("signed in: %d: %s", w.Code, w.Body)
	}
	token := b.cookies["vault-session"]
	if _, err := h.v.Whoami(t.Context(), vault.Caller{Node: "web", Auth: vc.Auth{Session: token}}); err == nil {
		t.Error("a session of the origin works on a web node")
	}
	if w := b.do(http.MethodPost, "/signout", "same-site", nil); w.Code != http.StatusForbidden {
		t.Errorf("a form of another page of the host: %d", w.Code)
	}
	b.post("/signout", nil)
	b.cookies["vault-session"] = token
	out("signed out")

	b.signInAs(u)
	for range 8 {
		h.later += 14 * time.Minute
		if w := b.get("/account"); w.Code != http.StatusOK {
			t.Fatalf("in use: %d", w.Code)
		}
	}
	h.later += 14 * time.Minute
	out("after two hours")
	b.signInAs(u)
	h.later += 16 * time.Minute
	out("unused")
}

// TestOriginCookie: a session's cookie is out of reach for scripts and other sites, and over TLS bound to the host.
func TestOriginCookie(t *testing.T) {
	h := newHouse(t)
	u := h.users(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})[0]
	for address, want := range map[string]string{"http://localhost:8081": "vault-session=", "https://vault.example": "__Host-vault-session="} {
		o := h.origin(true)
		o.URL = address
		c := h.browser(o).post("/signin", url.Values{"user": {u.String()}, "to": {"/account"}}).Header().Get("Set-Cookie")
		if !strings.HasPrefix(c, want) || !strings.Contains(c, "Path=/; Max-Age=7200; HttpOnly;") || !strings.HasSuffix(c, "SameSite=Lax") || strings.Contains(c, "Secure") != strings.HasPrefix(address, "https") {
			t.Errorf("%s: %q", address, c)
		}
	}
}

// TestLocal: after signing in nobody is led off the origin.
func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/account": "/account", "/account/x?y=z": "/account/x?y=z", "": "", "/": "", "/signin": "", "//evil.example/account": "", "https://evil.example/account": "",
		"/\\evil.example": "", "/accounts": "", "/account\r\nX: y": "", "account": "",
	} {
		if got := local(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}
