package origin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestPasskeySignsIn: a link leads to a passkey and back to the node, once; the passkey signs in on another browser, to the
// node with its state, or to a page of the origin.
func TestPasskeySignsIn(t *testing.T) {
	h := newHouse(t)
	u := h.users(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})[0]
	o := h.origin(false)
	code := func(w interface{ Header() http.Header }) url.Values {
		t.Helper()
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Scheme+"://"+to.Host+to.Path != nodeOrigin+"/signin/code" {
			t.Fatalf("to %q", w.Header().Get("Location"))
		}
		if s := must(h.v.RedeemCode(t.Context(), vault.Caller{Node: "web"}, to.Query().Get("code"))); s.User.ID != u {
			t.Errorf("signed in as %v", s.User.ID)
		}
		return to.Query()
	}
	b, d := h.browser(o), newDevice()
	link := must(h.v.NewLink(t.Context(), h.root, u))
	w := b.post("/link", url.Values{"secret": {link}, "name": {"Laptop"}, "response": {d.answer(b, b.get("/link?secret="+link))}})
	if q := code(w); q.Has("state") {
		t.Errorf("after a link: %v", q)
	}
	if w := b.get("/account"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Llŷr Prys") {
		t.Errorf("after enrolling: %d", w.Code)
	}
	if w := b.post("/account/passkeys", url.Values{"name": {"Phone"}, "response": {"{}"}}); w.Code != http.StatusForbidden || b.get("/account").Code != http.StatusOK {
		t.Errorf("after another passkey that was not made: %d, to %q", w.Code, w.Header().Get("Location"))
	}
	for _, w := range []*http.Response{b.get("/link?secret=" + link).Result(), b.post("/link", url.Values{"secret": {link}, "name": {"x"}}).Result()} {
		if w.StatusCode != http.StatusForbidden {
			t.Errorf("a used link: %d", w.StatusCode)
		}
	}

	b = h.browser(o)
	w = b.post("/signin", url.Values{"return": {nodeOrigin}, "state": {"0123"}, "response": {d.answer(b, b.get("/signin?return="+nodeOrigin))}})
	if q := code(w); q.Get("state") != "0123" {
		t.Errorf("after a passkey: %v", q)
	}
	w = b.post("/signin", url.Values{"to": {"/account"}, "response": {d.answer(b, b.get("/signin?to=/account"))}})
	if w.Header().Get("Location") != "/account" || b.get("/account").Code != http.StatusOK {
		t.Errorf("to a page: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := h.browser(o).post("/signin", url.Values{"to": {"/account"}, "response": {newDevice().answer(b, b.get("/signin"))}}); w.Code != http.StatusForbidden {
		t.Errorf("a stranger: %d", w.Code)
	}
	// A link is opened by programs that look at mail: looking spends nothing.
	link = must(h.v.NewLink(t.Context(), h.root, u))
	for range 2 {
		if w := h.browser(o).get("/link?secret=" + link); w.Code != http.StatusOK {
			t.Errorf("a link was spent by looking: %d", w.Code)
		}
	}
}
