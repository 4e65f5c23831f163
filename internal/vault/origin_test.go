package vault_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

const nodeOrigin = "http://localhost:8080"

// signInForm posts a form to an origin as its own page does.
func signInForm(o *vault.Origin, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://vault.example"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	return w
}

func originPage(o *vault.Origin, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://vault.example"+path, nil))
	return w
}

// TestOriginEchoesState: a state goes back to the node as it came, by the page's own form; what could be anything else
// than such a value is dropped, and a one-time link brings none.
func TestOriginEchoesState(t *testing.T) {
	h := newHouse(t)
	u := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Llŷr", Role: policy.Coordinator}}))[0]
	o := &vault.Origin{Vault: h.v, Nodes: map[string]string{nodeOrigin: "web"}, Demo: true}
	for state, want := range map[string]string{"": "", "0123abcXYZ-_": "0123abcXYZ-_", `"><b>`: "", "a&code=b": "", strings.Repeat("a", 128): strings.Repeat("a", 128), strings.Repeat("a", 129): ""} {
		page := originPage(o, "/signin?"+url.Values{"return": {nodeOrigin}, "state": {state}}.Encode())
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `name="state" value="`+want+`"`) {
			t.Errorf("state %q: %d: %s", state, page.Code, page.Body)
		}
		w := signInForm(o, "/signin", url.Values{"return": {nodeOrigin}, "user": {u.String()}, "state": {state}})
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != http.StatusSeeOther || to.Scheme+"://"+to.Host+to.Path != nodeOrigin+"/signin/code" || to.Query().Get("state") != want || len(to.Query()["code"]) != 1 {
			t.Fatalf("state %q: %d to %q", state, w.Code, to)
		}
		if s := must(h.nodes["web"].RedeemCode(t.Context(), to.Query().Get("code"))); s.User.ID != u {
			t.Errorf("signed in as %v", s.User.ID)
		}
	}
	link := must(h.nodes["cli"].NewLink(t.Context(), h.root, u))
	w := signInForm(o, "/link", url.Values{"secret": {link}, "state": {"0123"}})
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || strings.Contains(to, "state") {
		t.Errorf("a link: %d to %q", w.Code, to)
	}
	if w := signInForm(o, "/link", url.Values{"secret": {link}}); w.Code != http.StatusForbidden {
		t.Errorf("a link worked twice: %d", w.Code)
	}
	// Nobody is sent elsewhere, and without a demonstration nobody is signed in by their name.
	if w := originPage(o, "/signin?return=http://evil.example"); w.Code != http.StatusBadRequest {
		t.Errorf("another place to go back to: %d", w.Code)
	}
	if w := signInForm(o, "/signin", url.Values{"return": {"http://evil.example"}, "user": {u.String()}}); w.Code != http.StatusForbidden {
		t.Errorf("sent elsewhere: %d to %q", w.Code, w.Header().Get("Location"))
	}
	o.Demo = false
	if w := signInForm(o, "/signin", url.Values{"return": {nodeOrigin}, "user": {u.String()}}); w.Code != http.StatusForbidden {
		t.Errorf("signed in by name outside a demonstration: %d", w.Code)
	}
	if w := originPage(o, "/signin?return="+nodeOrigin); strings.Contains(w.Body.String(), "Llŷr") {
		t.Error("users are listed outside a demonstration")
	}
}

// TestOriginGroupsByRole: each role once, with what it sees, in the order in which people are likely to try them.
func TestOriginGroupsByRole(t *testing.T) {
	h := newHouse(t)
	must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{
		{Name: "Siân Operator", Role: policy.Operator}, {Name: "Ŵyn Records", Role: policy.RecordsOfficer}, {Name: "Ann Records", Role: policy.RecordsOfficer}}))
	o := &vault.Origin{Vault: h.v, Nodes: map[string]string{nodeOrigin: "web"}, Demo: true}
	body := originPage(o, "/signin").Body.String()
	var got []string
	for _, m := range regexp.MustCompile(`<h2[^>]*>([^<]*)|<button>([^<]*)`).FindAllStringSubmatch(body, -1) {
		got = append(got, m[1]+m[2])
	}
	if want := "Badge co-ordinator, Mair Evans, Records officer, Ann Records, Ŵyn Records, Operator, Siân Operator"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, ", "), want)
	}
}
