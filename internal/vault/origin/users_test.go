package origin

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// confirm sends a page's form as it stands, with the passkey's answer where it asks for one.
func (b *browser) confirm(d *device, page *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.Helper()
	body := page.Body.String()
	form := url.Values{}
	main := body[strings.Index(body, "<main"):]
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(main, -1) {
		form.Add(m[1], html.UnescapeString(m[2]))
	}
	action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(main)
	if action == nil {
		b.Fatalf("%d: no form on: %s", page.Code, body)
	}
	if d != nil {
		form.Set("response", d.answer(b, page))
	}
	return b.post(html.UnescapeString(action[1]), form)
}

func leadsTo(t *testing.T, w *httptest.ResponseRecorder, to string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		t.Fatalf("%d to %q, want %q: %s", w.Code, w.Header().Get("Location"), to, w.Body)
	}
}

// TestUsers: an administrator adds a user, hands over a link, changes and ends them, each confirmed by the passkey; who only
// holds the session's cookie changes nothing, and other roles find nothing.
func TestUsers(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("Bwrdd Iechyd Glyndŵr")
	admin := h.users(vc.NewUser{Name: "Ann Admin", Role: policy.Administrator})[0]
	o := h.origin(false)
	b, d := h.enrol(o, admin)
	answers := url.Values{"name": {" Siân  Prys "}, "role": {"supervisor"}, "organisation": {org.String()}, "until": {"2099-12-31"}, "purpose": {"issue-badges"}}
	for _, lack := range []string{"name", "role", "organisation"} {
		less := url.Values{}
		for k, v := range answers {
			if k != lack {
				less[k] = v
			}
		}
		if w := b.post("/users/new", less); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `href="#`+lack+`"`) {
			t.Errorf("without %s: %d", lack, w.Code)
		}
	}
	check := b.post("/users/new", answers)
	for _, text := range []string{"Siân Prys", "Radiation protection supervisor", "Bwrdd Iechyd Glyndŵr", "31 December 2099"} {
		if !strings.Contains(check.Body.String(), text) {
			t.Errorf("what is confirmed does not show %q", text)
		}
	}
	if w := b.confirm(nil, check); w.Code != http.StatusForbidden {
		t.Errorf("without the passkey: %d", w.Code)
	}
	w := b.confirm(d, b.post("/users/new", answers))
	m := regexp.MustCompile(`^/users/([^/]*)/link$`).FindStringSubmatch(w.Header().Get("Location"))
	if m == nil {
		t.Fatalf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	link := b.confirm(d, b.get(m[0]))
	secret := regexp.MustCompile(`/link\?secret=([0-9a-f]+)`).FindStringSubmatch(link.Body.String())
	if secret == nil {
		t.Fatalf("%d: no link: %s", link.Code, link.Body)
	}
	if w := h.browser(o).get("/link?secret=" + secret[1]); !strings.Contains(w.Body.String(), "This link is for Siân Prys.") {
		t.Errorf("the link: %d: %s", w.Code, w.Body)
	}
	n := must(id.Parse[id.User](m[1]))
	get := func() vc.User {
		t.Helper()
		for _, u := range must(h.v.Users(t.Context(), h.root)) {
			if u.ID == n {
				return u
			}
		}
		return vc.User{}
	}
	if u := get(); u.Name != "Siân Prys" || u.Role != policy.Supervisor || u.Until.String() != "2099-12-31" || u.Purpose != policy.IssueBadges {
		t.Errorf("added: %+v", u)
	}
	path := "/users/" + n.String()
	if w := b.get(path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `value="supervisor" checked`) {
		t.Errorf("a user: %d", w.Code)
	}
	leadsTo(t, b.confirm(d, b.post(path, url.Values{"name": {"Siân Prys"}, "role": {"operator"}})), "/users?done=user-changed")
	if u := get(); u.Role != policy.Operator || len(u.Organisations) != 0 || !u.Until.IsZero() {
		t.Errorf("changed: %+v", u)
	}
	other, _ := h.enrol(o, n)
	if w := other.get("/users"); w.Code != http.StatusForbidden || strings.Contains(other.get("/account").Body.String(), `href="/users"`) {
		t.Errorf("an operator reads the list: %d", w.Code)
	}
	leadsTo(t, b.confirm(d, b.get(path+"/passkeys")), "/users?done=passkeys-removed")
	leadsTo(t, b.confirm(d, b.get(path+"/end")), "/users?done=user-ended")
	if get().Ended.IsZero() {
		t.Error("access goes on")
	}
	for _, p := range []string{"/users/x", "/users/" + id.New[id.User]().String(), path + "/nothing"} {
		if w := b.get(p); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", p, w.Code)
		}
	}
}

// TestAccount: somebody adds a second passkey with the first, removes the first, and gets a code for the command line.
func TestAccount(t *testing.T) {
	h := newHouse(t)
	o := h.origin(false)
	b, d := h.enrol(o, h.users(vc.NewUser{Name: "Llŷr Prys", Role: policy.Operator})[0])
	first := must(h.v.Passkeys(t.Context(), o.callerOf(b.request(http.MethodGet, "/account", "same-origin", nil))))[0].ID
	if w := b.confirm(d, b.get("/account/passkeys/"+first+"/remove")); w.Code != http.StatusConflict {
		t.Errorf("the last one: %d", w.Code)
	}
	page, e := b.confirm(d, b.get("/account/passkeys/new")), newDevice()
	leadsTo(t, b.post("/account/passkeys", url.Values{"name": {"Security key"}, "response": {e.answer(b, page)}}), "/account?done=passkey-added")
	if w := b.get("/account?done=passkey-added"); !strings.Contains(w.Body.String(), "Security key") || !strings.Contains(w.Body.String(), "Your passkey was added") {
		t.Errorf("%s", w.Body)
	}
	leadsTo(t, b.confirm(e, b.get("/account/passkeys/"+first+"/remove")), "/account?done=passkey-removed")
	code := regexp.MustCompile(`readonly value="([0-9a-f]{64})"`).FindStringSubmatch(b.confirm(e, b.get("/account/command-line")).Body.String())
	if code == nil {
		t.Fatal("no code for the command line")
	}
	must(h.v.RedeemLink(t.Context(), h.root, code[1]))
}
