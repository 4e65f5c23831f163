package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// get asks the pages for a path as a user of the sample, "" for nobody.
func get(t testing.TB, pages http.Handler, user, path string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, pages, user, httptest.NewRequest(http.MethodGet, sampleOrigin+path, nil))
}

// post sends a form as a browser does from a page of the same origin.
func post(t testing.TB, pages http.Handler, user, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, sampleOrigin+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return ask(t, pages, user, r)
}

func ask(t testing.TB, pages http.Handler, user string, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	if user != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: user})
	}
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	return w
}

var _ Vault = (*vaultclient.Client)(nil)

func refused(code vaultclient.Code) error {
	return &vaultclient.Error{Code: code, Message: "secret detail"}
}

// TestEveryAnswerIsGuarded: the headers that every page depends on, on pages, errors, redirects and forms alike.
func TestEveryAnswerIsGuarded(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	for _, p := range pagesToLookAt {
		w := get(t, pages, p.user, p.path)
		if p.search != "" {
			w = post(t, pages, p.user, p.path, url.Values{"q": {p.search}})
		}
		rules := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self' http://localhost:8081; base-uri 'none'; frame-ancestors 'none'"
		if p.path == returnPath {
			rules += "; connect-src 'self'" // its script sends the scans
		}
		for name, want := range map[string]string{
			"Content-Security-Policy":      rules,
			"Cache-Control":                "no-store",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", p.name, name, got, want)
			}
		}
		body := w.Body.String()
		if w.Header().Get("Content-Type") == "text/html; charset=utf-8" && !strings.Contains(body, "</html>") {
			t.Errorf("%s: half a page", p.name)
		}
		for what, pattern := range map[string]string{
			"a style attribute": `(?i)<[^>]*\sstyle\s*=`, "a style element": `(?i)<style`, "an event handler": `(?i)<[^>]*\son[a-z]+\s*=`,
			"a script in the page": `(?i)<script[^>]*>\s*[^<\s]`, "something of another host": `(?i)<([b-z]|a[a-z])[^>]*\s(src|href|action)\s*=\s*"?(https?:)?//`,
		} {
			if found := regexp.MustCompile(pattern).FindString(body); found != "" {
				t.Errorf("%s: %s: %s", p.name, what, found)
			}
		}
		// A link that somebody follows leads to the vault's own pages, or to an authority that is told of a breach.
		for _, link := range regexp.MustCompile(`(?i)<a [^>]*href\s*=\s*"?((https?:)?//[^"\s>]*)`).FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(link[1], "http://localhost:8081/") && p.name != "incident-papers" {
				t.Errorf("%s: a link to another host: %s", p.name, link[1])
			}
		}
	}
}

// TestNoNameInAddress: whatever is typed into the search box comes back in no address and no title.
func TestNoNameInAddress(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := wearersPath(organisationID(1))
	w := post(t, pages, "co-ordinator", path, url.Values{"q": {"  Jones "}, "leavers": {"yes"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "found for “Jones”") || !strings.Contains(w.Body.String(), "Jones, Llŷr") {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	for _, a := range regexp.MustCompile(`(?:href|action)="[^"]*"|<title>[^<]*`).FindAllString(w.Body.String(), -1) {
		if strings.Contains(a, "Jones") {
			t.Errorf("a name in %s", a)
		}
	}
	last := s.searches[len(s.searches)-1]
	if last.Query.Expose() != "Jones" || !last.Leavers || last.Purpose != policy.IssueBadges || last.Organisation != organisationID(1) || last.Limit != pageSize {
		t.Errorf("the vault was asked %+v", last)
	}
	// Typed into the address by hand, a search text is not looked at.
	before := len(s.searches)
	get(t, pages, "co-ordinator", path+"?q=Jones")
	if last := s.searches[before]; !last.Query.IsZero() {
		t.Error("a search text was read from the address")
	}
	// An emptied box goes to the list's own address.
	w = post(t, pages, "co-ordinator", path, url.Values{"q": {" "}, "leavers": {"yes"}})
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != path+"?leavers=yes" {
		t.Errorf("an empty search: %d to %q", w.Code, got)
	}
}

func TestListPages(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := wearersPath(organisationID(1))
	w := get(t, pages, "supervisor", path+"?page=2")
	if s.searches[0].Offset != 25 || !strings.Contains(w.Body.String(), "Showing 26 to 50 of 64 wearers") || !strings.Contains(w.Body.String(), `href="`+path+`?page=3"`) {
		t.Errorf("page 2, offset %d: %s", s.searches[0].Offset, w.Body)
	}
	// Past the end is the last page; nonsense the first.
	if w := get(t, pages, "supervisor", path+"?page=99"); !strings.Contains(w.Body.String(), "Showing 51 to 64 of 64 wearers") {
		t.Errorf("past the end: %s", w.Body)
	}
	if w := get(t, pages, "supervisor", path+"?page=x"); !strings.Contains(w.Body.String(), "Showing 1 to 25 of 64 wearers") {
		t.Errorf("page x: %s", w.Body)
	}
	// The pages of a search are buttons, with the text in the form.
	w = post(t, pages, "supervisor", path, url.Values{"q": {"e"}, "page": {"2"}})
	if body := w.Body.String(); !strings.Contains(body, `name="q" value="e"`) || !strings.Contains(body, `name="page" value="1"`) || !strings.Contains(body, "Page 2 of 2") {
		t.Errorf("page 2 of a search: %s", body)
	}
	w = get(t, pages, "dpo", ledgerPath(organisationID(1))+"?page=3")
	if !strings.Contains(w.Body.String(), "Showing 51 to 72 of 72 entries") {
		t.Errorf("page 3 of the ledger: %s", w.Body)
	}
}

func TestSignInAndOut(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	state := beginSignIn(t, pages)
	w := withCookies(t, pages, http.MethodGet, "/signin/code?code=co-ordinator&state="+state, nil, "signin="+state)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("a code: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if got, want := cookieSet(w, "session"), "session=co-ordinator; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("cookie %q, want %q", got, want)
	}
	if got := cookieSet(w, "signin"); !strings.Contains(got, "Max-Age=0") {
		t.Errorf("the state outlives its sign-in: %q", got)
	}
	for _, path := range []string{"/signin/code", "/signin/code?code=", "/signin/code?code=used", "/signin/code?code=" + strings.Repeat("a", 600)} {
		if w := get(t, pages, "", path); w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" || !strings.Contains(w.Body.String(), "no longer works") {
			t.Errorf("%.40s: %d, cookie %q", path, w.Code, w.Header().Get("Set-Cookie"))
		}
	}
	for _, path := range []string{"/", wearersPath(organisationID(1)), wearerPath(wearerID(1)), ledgerPath(organisationID(1)), "/nothing"} {
		for user, to := range map[string]string{"": "/welcome", "ended": "/signed-out"} {
			if w := get(t, pages, user, path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
				t.Errorf("%s without a session: %d to %q, want %s", path, w.Code, w.Header().Get("Location"), to)
			}
		}
	}
	if w := get(t, pages, "ended", "/"); !strings.Contains(w.Header().Get("Set-Cookie"), "session=; Path=/; Max-Age=0") {
		t.Errorf("an ended session leaves the cookie %q", w.Header().Get("Set-Cookie"))
	}
	w = post(t, pages, "co-ordinator", "/signout", nil)
	if w.Header().Get("Location") != "/signed-out" || !strings.Contains(w.Header().Get("Set-Cookie"), "session=; Path=/; Max-Age=0") || len(s.ended) != 1 || s.ended[0] != "co-ordinator" {
		t.Errorf("signing out: to %q, cookie %q, ended %q", w.Header().Get("Location"), w.Header().Get("Set-Cookie"), s.ended)
	}
	if got := w.Header().Get("Clear-Site-Data"); got != `"cache"` {
		t.Errorf("signing out clears %q in the browser", got)
	}
	if w := get(t, pages, "", "/signout"); w.Code == http.StatusOK || len(s.ended) != 1 {
		t.Errorf("a link signs out: %d", w.Code)
	}
}

// withCookies asks for a path with cookies, as a browser on a page of the same origin does.
func withCookies(t testing.TB, pages http.Handler, method, path string, form url.Values, cookies ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, sampleOrigin+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Cookie", strings.Join(cookies, "; "))
	return ask(t, pages, "", r)
}

// cookieSet returns the line that sets a cookie, or nothing.
func cookieSet(w *httptest.ResponseRecorder, name string) string {
	for _, c := range w.Header().Values("Set-Cookie") {
		if strings.HasPrefix(c, name+"=") {
			return c
		}
	}
	return ""
}

// beginSignIn starts a sign-in and returns its state, which goes to the vault's origin and into a cookie.
func beginSignIn(t testing.TB, pages http.Handler) string {
	t.Helper()
	w := get(t, pages, "", "/signin")
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	state := to.Query().Get("state")
	if to.Host != "localhost:8081" || to.Path != "/signin" || to.Query().Get("return") != sampleOrigin || len(state) != 32 {
		t.Fatalf("sign-in is at %q", to)
	}
	if got, want := cookieSet(w, "signin"), "signin="+state+"; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"; got != want {
		t.Fatalf("cookie %q, want %q", got, want)
	}
	return state
}

// TestSignInOfAnotherBrowser: a code signs in at once only where its sign-in began. Anywhere else the reader is asked,
// and until the answer a session that the browser has stays as it is.
func TestSignInOfAnotherBrowser(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	state, other := beginSignIn(t, pages), beginSignIn(t, pages)
	if state == other {
		t.Fatal("two browsers have one state")
	}
	if w := withCookies(t, pages, http.MethodGet, "/signin", nil, "signin="+state); !strings.Contains(w.Header().Get("Location"), "state="+state) {
		t.Error("a second tab spoils the first one's sign-in")
	}
	name, now := s.users["dpo"].Name, s.users["co-ordinator"].Name
	for _, c := range []struct {
		what, query string
		cookies     []string
		now         bool
	}{
		{"a link, nothing began", "", nil, false},
		{"an empty state", "&state=", []string{"signin="}, false},
		{"no cookie", "&state=" + state, nil, false},
		{"another browser's state", "&state=" + state, []string{"signin=" + other}, false},
		{"no state, in the middle of a sign-in", "", []string{"signin=" + state}, false},
		{"no state, signed in", "", []string{"session=co-ordinator"}, true},
		{"another state, signed in", "&state=" + other, []string{"session=co-ordinator", "signin=" + state}, true},
	} {
		w := withCookies(t, pages, http.MethodGet, "/signin/code?code=dpo"+c.query, nil, c.cookies...)
		if w.Code != http.StatusOK || cookieSet(w, "session") != "" || !strings.Contains(w.Body.String(), "Continue as "+name) {
			t.Errorf("%s: %d, session %q: %s", c.what, w.Code, cookieSet(w, "session"), w.Body)
		}
		if got := strings.Contains(w.Body.String(), "You are signed in as "+now); got != c.now {
			t.Errorf("%s: says who is signed in: %v", c.what, got)
		}
	}
	if len(s.ended) != 0 {
		t.Fatalf("sessions ended without a word: %q", s.ended)
	}
	// Yes: the session before ends, and the new one is the browser's.
	w := withCookies(t, pages, http.MethodPost, "/signin/confirm", url.Values{"answer": {"continue"}}, "pending=dpo", "session=co-ordinator")
	if w.Header().Get("Location") != "/" || !strings.HasPrefix(cookieSet(w, "session"), "session=dpo; ") || !strings.Contains(cookieSet(w, "pending"), "Max-Age=0") || len(s.ended) != 1 || s.ended[0] != "co-ordinator" {
		t.Errorf("yes: to %q, cookies %q, ended %q", w.Header().Get("Location"), w.Header().Values("Set-Cookie"), s.ended)
	}
	// No, or nothing said: the pending session ends, the other stays.
	s.ended = nil
	w = withCookies(t, pages, http.MethodPost, "/signin/confirm", url.Values{"answer": {"no"}}, "pending=dpo", "session=co-ordinator")
	if cookieSet(w, "session") != "" || !strings.Contains(cookieSet(w, "pending"), "Max-Age=0") || len(s.ended) != 1 || s.ended[0] != "dpo" {
		t.Errorf("no: cookies %q, ended %q", w.Header().Values("Set-Cookie"), s.ended)
	}
	// Nothing is pending; and another site's form answers for nobody.
	if w := withCookies(t, pages, http.MethodPost, "/signin/confirm", url.Values{"answer": {"continue"}}); w.Code != http.StatusForbidden || cookieSet(w, "session") != "" {
		t.Errorf("nothing pending: %d, %q", w.Code, w.Header().Values("Set-Cookie"))
	}
	r := httptest.NewRequest(http.MethodPost, sampleOrigin+"/signin/confirm", strings.NewReader("answer=continue"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Cookie", "pending=dpo")
	if w := ask(t, pages, "", r); w.Code != http.StatusForbidden || cookieSet(w, "session") != "" {
		t.Errorf("another site's yes: %d, %q", w.Code, w.Header().Values("Set-Cookie"))
	}
}

// TestSecureOrigin: on https the cookie is bound to the host and never goes in the clear.
func TestSecureOrigin(t *testing.T) {
	pages := samplePages(t, newSample(), func(c *Config) { c.Origin, c.VaultOrigin = "https://web.example", "https://vault.example" })
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "https://web.example/signin/code?code=dpo&state=0123", nil)
	r.Header.Set("Cookie", "__Host-signin=0123")
	pages.ServeHTTP(w, r)
	if got, want := cookieSet(w, "__Host-session"), "__Host-session=dpo; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"; got != want {
		t.Errorf("cookie %q, want %q", got, want)
	}
	if w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
	// The name of the plain cookie opens nothing here.
	r = httptest.NewRequest(http.MethodGet, "https://web.example/", nil)
	if w := ask(t, pages, "dpo", r); w.Header().Get("Location") != "/welcome" {
		t.Errorf("a cookie without the prefix: %d", w.Code)
	}
}

func TestOtherOrigins(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for _, head := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"http://evil.example"}}} {
		for _, path := range []string{"/signout", wearersPath(organisationID(1))} {
			r := httptest.NewRequest(http.MethodPost, sampleOrigin+path, strings.NewReader("q=Jones"))
			r.Header = head.Clone()
			if w := ask(t, pages, "co-ordinator", r); w.Code != http.StatusForbidden {
				t.Errorf("a form of another site, %v to %s: %d", head, path, w.Code)
			}
		}
	}
	if len(s.ended)+len(s.searches) != 0 {
		t.Error("the vault was asked for another site's form")
	}
	// A name that somebody else points at this address.
	r := httptest.NewRequest(http.MethodGet, "http://evil.example"+wearerPath(wearerID(1)), nil)
	if w := ask(t, pages, "co-ordinator", r); w.Code != http.StatusSeeOther || w.Header().Get("Location") != sampleOrigin+"/" {
		t.Errorf("another host: %d to %q", w.Code, w.Header().Get("Location"))
	}
	r = httptest.NewRequest(http.MethodPost, "http://evil.example/signout", nil)
	if w := ask(t, pages, "co-ordinator", r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("a form to another host: %d", w.Code)
	}
}

// TestProblems: each kind of error has its page, which says nothing of the error itself, and the log says nothing of
// the request but its route.
func TestProblems(t *testing.T) {
	path := wearerPath(wearerID(1))
	for _, c := range []struct {
		err    error
		status int
		text   string
		logged bool
	}{
		{refused(vaultclient.Refused), 403, "You may not see this", false},
		{refused(vaultclient.OverBudget), 429, "You have read as much as you may for now", false},
		{refused(vaultclient.NotFound), 404, "Page not found", false},
		{refused(vaultclient.Invalid), 400, "That could not be read", false},
		{refused(vaultclient.Conflict), 409, "Somebody else was faster", false},
		{refused(vaultclient.Internal), 500, "Something went wrong here", true},
		{fmt.Errorf("reading the overview: %w", refused(vaultclient.Refused)), 403, "You may not see this", false},
		{fmt.Errorf("%w: dial unix: secret detail", vaultclient.ErrUnavailable), 503, "The service is not available", true},
		{errors.New("disk: secret detail"), 500, "Something went wrong here", true},
		{context.DeadlineExceeded, 503, "The service is not available", true},
	} {
		s, log := newSample(), &bytes.Buffer{}
		s.err = c.err
		pages := samplePages(t, s, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
		w := get(t, pages, "co-ordinator", path)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) || strings.Contains(w.Body.String(), "secret detail") {
			t.Errorf("%v: %d: %s", c.err, w.Code, w.Body)
		}
		if got := log.String(); c.logged != (got != "") || strings.Contains(got, wearerID(1).String()) {
			t.Errorf("%v: logged %q", c.err, got)
		}
	}
	pages := samplePages(t, newSample(), nil)
	for _, path := range []string{"/nothing", "/wearers/short", "/wearers/" + strings.Repeat("a", 26), wearerPath(wearerID(999)), "/organisations/x/ledger", ledgerPath(organisationID(999)), wearersPath(organisationID(999))} {
		if w := get(t, pages, "co-ordinator", path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, q := range []string{strings.Repeat("a", maxSearch+1), strings.Repeat("a", maxBody+1)} {
		if w := post(t, pages, "co-ordinator", wearersPath(organisationID(1)), url.Values{"q": {q}}); w.Code != http.StatusBadRequest {
			t.Errorf("a search of %d bytes: %d", len(q), w.Code)
		}
	}
}

// panicky is a vault whose ledger panics.
type panicky struct{ *sample }

func (panicky) Ledger(context.Context, vaultclient.Auth, vaultclient.LedgerRequest) (vaultclient.LedgerPage, error) {
	panic("Siân Jones") // a panic may say anything
}

func TestPanic(t *testing.T) {
	log := &bytes.Buffer{}
	pages := samplePages(t, newSample(), func(c *Config) {
		c.Vault, c.Log = panicky{newSample()}, slog.New(slog.NewTextHandler(log, nil))
	})
	w := get(t, pages, "dpo", ledgerPath(organisationID(1)))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "Something went wrong here") || log.Len() == 0 {
		t.Errorf("%d: %s; log %q", w.Code, w.Body, log)
	}
	if strings.Contains(w.Body.String()+log.String(), "Jones") {
		t.Error("the panic's text came out")
	}
}

// TestSignOutWithoutVault: the browser forgets the session even when the vault can't be told.
func TestSignOutWithoutVault(t *testing.T) {
	s := newSample()
	s.err = vaultclient.ErrUnavailable
	w := post(t, samplePages(t, s, nil), "co-ordinator", "/signout", nil)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("%d, cookie %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}

// TestWhatRolesAskFor: a page asks the vault for what its role needs and not for more.
func TestWhatRolesAskFor(t *testing.T) {
	for _, c := range []struct {
		user    string
		purpose policy.Purpose
		fields  policy.Fields
		shows   []string
		hides   []string
	}{
		{"co-ordinator", policy.AssessDose, policy.FieldName | policy.FieldStaffNumber, []string{"Mair Bowen", "Dose against limits", "Cardioleg / Cardiology", "20.58\u00a0mSv when it was opened, above the legal limit (IRR17 Schedule 3 paragraph 2(a)) of 20\u00a0mSv", "Who has seen this person"}, []string{"QQ123456C", "1984"}},
		{"supervisor", policy.AssessDose, policy.FieldName | policy.FieldStaffNumber, []string{"Mair Bowen", "Dose against limits"}, []string{"QQ123456C", "1984", "Who has seen"}},
		{"records", policy.KeepRecords, policy.FieldName | policy.FieldBirth | policy.FieldStaffNumber | policy.FieldNI, []string{"QQ123456C", "2 July 1984", "Doses are not part of your role"}, []string{"Dose against limits", "Cardioleg"}},
		{"dpo", policy.Oversight, policy.FieldName, []string{"Mair Bowen", "Who has seen this person"}, []string{"Dose against limits", "GA40095"}},
		{"wearer", policy.OwnRecord, policy.FieldName | policy.FieldBirth | policy.FieldStaffNumber, []string{"Mair Bowen", "2 July 1984", "Dose against limits"}, []string{"QQ123456C"}},
	} {
		s := newSample()
		w := get(t, samplePages(t, s, nil), c.user, wearerPath(wearerID(3)))
		if w.Code != http.StatusOK || len(s.reveals) != 1 || s.reveals[0].Purpose != c.purpose || s.reveals[0].Fields != c.fields {
			t.Errorf("%s: %d, asked %+v", c.user, w.Code, s.reveals)
		}
		for _, text := range c.shows {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %q is not on the page", c.user, text)
			}
		}
		for _, text := range c.hides {
			if strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %q is on the page", c.user, text)
			}
		}
	}
}

// TestPregnancyIsTheWearers: what tells a pregnancy or a sex is on the page of nobody whose role may not read it.
func TestPregnancyIsTheWearers(t *testing.T) {
	for user, sees := range map[string][2]bool{"co-ordinator": {false, true}, "supervisor": {false, false}, "wearer": {true, true}} {
		s := newSample()
		r := s.records[wearerID(3)]
		r.Subject.Declared = day.Of(2025, 2, 1)
		r.Assessment = dose.Evaluate(r.Subject, nil, []dose.Record{{Position: dose.Foetal, From: day.Of(2025, 3, 1), To: day.Of(2025, 3, 31),
			Readings: []dose.Reading{{Quantity: dose.Hp10, Dose: 1_200, Qualifier: dose.Measured}}},
			{Position: dose.WholeBody, From: day.Of(2025, 3, 1), To: day.Of(2025, 3, 31), Readings: []dose.Reading{{Quantity: dose.Hp10, Dose: 1_300, Qualifier: dose.Measured}}}}, 0)
		r.Investigations = nil
		for _, f := range r.Assessment.Findings {
			r.Investigations = append(r.Investigations, sampleInvestigation(f, sampleNow))
		}
		r.Readings = []Reading{{From: day.Of(2025, 3, 1), To: day.Of(2025, 3, 31), Position: dose.Foetal, Version: 1, Reading: dose.Reading{Quantity: dose.Hp10, Dose: 1_200, Qualifier: dose.Measured}}}
		body := get(t, samplePages(t, s, nil), user, wearerPath(wearerID(3))).Body.String()
		if got := strings.Contains(strings.ToLower(body), "unborn") && strings.Contains(strings.ToLower(body), "pregnancy"); got != sees[0] || got != strings.Contains(strings.ToLower(body), "pregnan") || got != (strings.Contains(body, "Foetal") || strings.Contains(body, "Badge for your unborn child")) {
			t.Errorf("%s: the pregnancy is on the page: %v, want %v", user, got, sees[0])
		}
		if got := strings.Contains(body, "13\u00a0mSv"); got != sees[1] {
			t.Errorf("%s: the limit of the abdomen is on the page: %v, want %v", user, got, sees[1])
		}
	}
}

func TestOverview(t *testing.T) {
	for _, c := range []struct {
		user  string
		shows []string
		hides []string
	}{
		{"co-ordinator", []string{"Keys and databases are on one machine", "A single administrator decides, after 24h0m0s.", "Investigations at 2 organisations", `href="/investigations"`, "Showing 1 to 25 of 34 organisations", "312 badges are back", "A file of 12 March 2026, 10:30 (Laboratory&#39;s results) waits", "To be confirmed", "the column Serial Number is missing"}, nil},
		{"supervisor", []string{"Bwrdd Iechyd", "1 organisation", "Investigations at Bwrdd Iechyd Prifysgol Glannau Aeron"}, []string{"Cwm Tawe", "Ledger</a>", "Last files"}},
		{"dpo", []string{"Open the ledger", "who asks who has seen their data"}, []string{"Badges out"}},
		{"wearer", []string{"Your radiation doses", "Effective dose in 2025", "7.00\u00a0mSv", "of the legal limit of 20\u00a0mSv"}, []string{"Organisations"}},
		{"unlinked", []string{"No record is linked to you yet"}, nil},
		{"operator", []string{"Your role sees nothing personal", "There is no organisation that your role sees"}, []string{"Badges out"}},
	} {
		w := get(t, samplePages(t, newSample(), nil), c.user, "/")
		for _, text := range c.shows {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %q is not on the page", c.user, text)
			}
		}
		for _, text := range c.hides {
			if strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %q is on the page", c.user, text)
			}
		}
	}
	pages := samplePages(t, newSample(), nil)
	if w := get(t, pages, "co-ordinator", "/?organisation=heol+d%C5%B4r&page=2"); !strings.Contains(w.Body.String(), "Showing 26 to 30 of 30 organisations") || !strings.Contains(w.Body.String(), `href="/?organisation=heol+d%C5%B4r"`) {
		t.Errorf("a filtered page: %s", w.Body)
	}
	// An installation with nothing in it says what to do first.
	s := newSample()
	s.organisations, s.states = nil, nil
	if w := get(t, samplePages(t, s, nil), "co-ordinator", "/"); !strings.Contains(w.Body.String(), `href="/organisations/new"`) {
		t.Errorf("an empty installation: %s", w.Body)
	}
}

func TestAssets(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	for path, kind := range map[string]string{
		"/assets/nhsuk-frontend.css": "text/css; charset=utf-8", "/assets/dosevault.css": "text/css; charset=utf-8",
		"/assets/nhsuk-frontend.js": "text/javascript; charset=utf-8", "/assets/start.js": "text/javascript; charset=utf-8",
		"/assets/favicon.svg": "image/svg+xml", "/assets/images/nhsuk-icon-cross.svg": "image/svg+xml",
		"/assets/nhsuk-frontend.LICENCE": "text/plain; charset=utf-8",
	} {
		w := get(t, pages, "", path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Header().Get("Cache-Control") != "public, max-age=3600" {
			t.Errorf("%s: %d, %q, %q", path, w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
		}
		r := httptest.NewRequest(http.MethodGet, sampleOrigin+path, nil)
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
		if again := ask(t, pages, "", r); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
		if found := regexp.MustCompile(`(?i)@import|@font-face|(url\(|from )\s*["']?(https?:)?//`).FindString(w.Body.String()); found != "" {
			t.Errorf("%s loads from elsewhere: %s", path, found)
		}
		// What the style sheet refers to is there.
		for _, ref := range regexp.MustCompile(`url\((/[^)]*)\)`).FindAllStringSubmatch(w.Body.String(), -1) {
			if got := get(t, pages, "", ref[1]); got.Code != http.StatusOK {
				t.Errorf("%s refers to %s: %d", path, ref[1], got.Code)
			}
		}
	}
	for _, path := range []string{"/assets/", "/assets/images", "/assets/none.css", "/assets/../web.go"} {
		if w := get(t, pages, "", path); w.Code == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"plain http elsewhere": func(c *Config) { c.Origin = "http://web.example" }, "no origin": func(c *Config) { c.Origin = "" },
		"no vault": func(c *Config) { c.Vault = nil }, "no vault's origin": func(c *Config) { c.VaultOrigin = "localhost" },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			samplePages(t, newSample(), change)
		}()
	}
}

func TestServerLimits(t *testing.T) {
	s := Server(http.NotFoundHandler(), discard)
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= requestTimeout || s.IdleTimeout <= 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("a server without limits: %+v", s)
	}
}
