package origin

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// signInForm posts a form to an origin as its own page does.
func signInForm(o *Origin, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://vault.example"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	return w
}

func originPage(o *Origin, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://vault.example"+path, nil))
	return w
}

// TestOriginEchoesState: a state goes back to the node as it came, by the page's own form; what could be anything else
// than such a value is dropped.
func TestOriginEchoesState(t *testing.T) {
	h := newHouse(t)
	u := h.users(vc.NewUser{Name: "Llŷr", Role: policy.Coordinator})[0]
	o := h.origin(true)
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
		if s := must(h.v.RedeemCode(t.Context(), vault.Caller{Node: "web"}, to.Query().Get("code"))); s.User.ID != u {
			t.Errorf("signed in as %v", s.User.ID)
		}
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
	h.users(vc.NewUser{Name: "Siân Operator", Role: policy.Operator}, vc.NewUser{Name: "Ŵyn Records", Role: policy.RecordsOfficer}, vc.NewUser{Name: "Ann Records", Role: policy.RecordsOfficer})
	o := h.origin(true)
	body := originPage(o, "/signin").Body.String()
	var got []string
	for _, m := range regexp.MustCompile(`<h2[^>]*>([^<]*)|<button>([^<]*)`).FindAllStringSubmatch(body, -1) {
		got = append(got, m[1]+m[2])
	}
	if want := "Badge co-ordinator, Mair Evans, Records officer, Ann Records, Ŵyn Records, Operator, Siân Operator"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, ", "), want)
	}
}

// spoken are a page's texts, one by one, and what it says of its language.
type spoken struct {
	lang, other, href string
	texts             []string
}

func readPage(w *httptest.ResponseRecorder) (s spoken) {
	body := w.Body.String()
	s.lang = regexp.MustCompile(`<html lang="(..)">`).FindStringSubmatch(body)[1]
	m := regexp.MustCompile(`<a href="([^"]*)" lang="(..)" hreflang="(..)">([^<]*)</a>`).FindStringSubmatch(body)
	s.href, s.other = html.UnescapeString(m[1]), m[2]+m[3]+m[4]
	for _, text := range regexp.MustCompile(`<[^>]*>`).Split(strings.ReplaceAll(body, m[0], ""), -1) {
		if text = strings.TrimSpace(text); text != "" {
			s.texts = append(s.texts, text)
		}
	}
	return s
}

// TestOriginSpeaksWelsh: each page, errors included, says all of its texts in the language that was chosen, or else in the one
// that the browser asks for; its link leads to the same page in the other one.
func TestOriginSpeaksWelsh(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("Bwrdd Iechyd Glyndŵr")
	for _, u := range []vc.NewUser{{Name: "Llŷr Prys", Role: policy.Coordinator}, {Name: "Ann Supervisor", Role: policy.Supervisor, Organisations: []id.Organisation{org}}, {Name: "Siân Operator", Role: policy.Operator}} {
		h.users(u)
	}
	link := must(h.v.NewLink(t.Context(), h.root, h.users(vc.NewUser{Name: "Mair", Role: policy.Operator})[0]))
	demo, live, alone := h.origin(true), h.origin(false), h.origin(false)
	alone.Nodes = nil
	same := map[string]bool{"dosevault": true, "Mair": true, "Mair Evans": true, "Llŷr Prys": true, "Ann Supervisor": true, "Siân Operator": true, "Bwrdd Iechyd Glyndŵr": true}
	// ask asks for a page, with the language in the form where there is one.
	ask := func(o *Origin, method, path, site, accept string, values url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://vault.example"+path+"?"+values.Encode(), nil)
		if method == http.MethodPost {
			r = httptest.NewRequest(method, "http://vault.example"+path, strings.NewReader(values.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Accept-Language", accept)
		w := httptest.NewRecorder()
		o.Handler().ServeHTTP(w, r)
		return w
	}
	for _, c := range []struct {
		name         string
		o            *Origin
		method, path string
		values       url.Values
		site         string
		status       int
		title        string
	}{
		{"users", demo, "GET", "/signin", url.Values{"return": {nodeOrigin}, "state": {"0123"}}, "cross-site", 200, "Mewngofnodi – dosevault"},
		{"no users", live, "GET", "/signin", url.Values{"return": {nodeOrigin}, "state": {"0123"}}, "cross-site", 200, "Mewngofnodi – dosevault"},
		{"another node", live, "GET", "/signin", url.Values{"return": {"http://other.example"}}, "cross-site", 400, "Nid yw&#39;r cyfeiriad hwn yn hysbys yma – dosevault"},
		{"nobody", demo, "POST", "/signin", url.Values{"return": {nodeOrigin}, "state": {"0123"}, "user": {"nobody"}}, "same-origin", 403, "Ni allwch fewngofnodi fel hyn – dosevault"},
		{"link", live, "GET", "/link", url.Values{"secret": {link}}, "none", 200, "Creu cyfrin-allwedd – dosevault"},
		{"link without a name", live, "POST", "/link", url.Values{"secret": {link}}, "same-origin", 400, "Gwall: Creu cyfrin-allwedd – dosevault"},
		{"no passkey", live, "POST", "/signin", url.Values{"return": {nodeOrigin}, "state": {"0123"}}, "same-origin", 403, "Gwall: Mewngofnodi – dosevault"},
		{"used link", live, "POST", "/link", url.Values{"secret": {"used"}}, "same-origin", 403, "Nid yw&#39;r ddolen hon yn gweithio mwyach – dosevault"},
		{"no node", alone, "POST", "/signin", nil, "same-origin", 403, "Nid yw&#39;r cyfeiriad hwn yn hysbys yma – dosevault"},
		{"nothing", live, "GET", "/nothing", nil, "none", 404, "Heb ddod o hyd i&#39;r dudalen – dosevault"},
		{"from elsewhere", live, "POST", "/signin", url.Values{"return": {nodeOrigin}}, "cross-site", 403, "Daeth y ffurflen hon o rywle arall – dosevault"},
	} {
		with := func(lang string) url.Values {
			v := url.Values{"lang": {lang}}
			maps.Copy(v, c.values)
			return v
		}
		w := ask(c.o, c.method, c.path, c.site, "en", with("cy"))
		cy, en := readPage(w), readPage(ask(c.o, c.method, c.path, c.site, "cy", with("en")))
		if w.Code != c.status || w.Header().Get("Content-Language") != "cy" || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; script-src 'self'; ") || cy.texts[0] != c.title {
			t.Errorf("%s: %d %v %q", c.name, w.Code, w.Header(), cy.texts[0])
		}
		if cy.lang != "cy" || cy.other != "enenEnglish" || en.lang != "en" || en.other != "cycyCymraeg" {
			t.Errorf("%s: Welsh is %s and offers %s, English %s and %s", c.name, cy.lang, cy.other, en.lang, en.other)
		}
		if len(cy.texts) != len(en.texts) {
			t.Fatalf("%s: %q in Welsh, %q in English", c.name, cy.texts, en.texts)
		}
		for i, text := range cy.texts {
			if (text == en.texts[i]) != same[text] {
				t.Errorf("%s: %q in Welsh, %q in English", c.name, text, en.texts[i])
			}
		}
		if accepted := readPage(ask(c.o, c.method, c.path, c.site, "fr, cy;q=0.9, en;q=0.8", c.values)); !slices.Equal(accepted.texts, cy.texts) {
			t.Errorf("%s: who reads Welsh before English gets %q", c.name, accepted.texts)
		}
		want := with("en")
		want.Del("user") // nothing of a user goes into an address
		if got, err := url.ParseQuery(strings.TrimPrefix(cy.href, "?")); err != nil || got.Encode() != want.Encode() || !strings.HasPrefix(cy.href, "?") {
			t.Errorf("%s: English is at %q, want %q (%v)", c.name, cy.href, want.Encode(), err)
		}
	}
	if w := ask(live, "GET", "/", "none", "cy", nil); w.Header().Get("Location") != "/signin" {
		t.Errorf("the first page leads to %q", w.Header().Get("Location"))
	}
	// Nothing of a user goes from a form into an address.
	if w := ask(demo, "POST", "/signin", "same-origin", "cy", url.Values{"return": {"http://other.example"}, "user": {"somebody"}}); strings.Contains(w.Body.String(), "somebody") {
		t.Errorf("a user's id stands on the page: %s", w.Body)
	}
}
