package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// sentForm is a form and where it goes.
type sentForm struct {
	path string
	form url.Values
}

// formsToSend has a form for each route that takes one, as a browser would send it.
var formsToSend = []sentForm{
	{"/signin/confirm", url.Values{"answer": {"cancel"}}},
	{"/signout", nil},
	{budgetPath, url.Values{"reason": {"A source is leaking"}}},
	{findPath, url.Values{"q": {"e"}}},
	{wearersPath(organisationID(1)), url.Values{"q": {"e"}}},
	{"/organisations/new", nil},
	{"/organisations/" + organisationID(1).String() + "/settings/accounts", nil},
	{wearersPath(organisationID(1)) + "/new", nil},
	{partOf(wearerID(1), "change/name"), url.Values{"surname": {"Parry"}, "forenames": {"Siân"}}},
	{partOf(wearerID(1), "person"), url.Values{"other": {wearerID(2).String()}}},
	{"/people/pairs", url.Values{"one": {wearerID(1).String()}, "other": {wearerID(8).String()}, "answer": {"two"}}},
	{"/machines/new", nil},
	{machinePath(fixed2(id.Grant{}, 1), "end"), nil},
	{investigationsPath(organisationID(1)) + "/" + fixed2(id.Row{}, 1).String(), url.Values{"text": {"Looked at."}}},
	{"/return", url.Values{"barcode": {"nothing that is known"}}},
	{"/return/undo", nil},
	{sparePath(wearerID(2)), url.Values{"barcode": {"C0001"}, "position": {"1"}, "period": {"0"}}},
	{"/files/new", nil},
	{"/lists/people", nil},
	{filePath(importID(1)) + "/import", nil},
	{filePath(importID(1)) + "/decline", nil},
	{filePath(importID(1)) + "/refused", nil},
	{wearerPath(wearerID(3)) + "/copy", url.Values{"as": {"csv"}}},
	{dosesPath(organisationID(1)), url.Values{"what": {"list"}, "year": {"2025"}}},
	{"/profiles/new", nil},
	{samplePath, nil},
	{samplePath + "/" + sampleID(1).String() + "/about", url.Values{"name": {"lab"}}},
	{profilePath(profileID(1)) + "/download", nil},
	{profilePath(profileID(1)) + "/retire", nil},
	{"/incidents/declare", url.Values{"step": {"kind"}, "kind": {"supplier"}}},
	{incidentPath(incidentID(1)) + "/suppose", nil},
	{incidentPath(incidentID(1)) + "/freeze", url.Values{"scope": {"supplier:Cardiff Dosimetry"}}},
	{incidentPath(incidentID(1)) + "/enter/ask", nil},
	{incidentPath(incidentID(1)) + "/assess", nil},
	{incidentPath(incidentID(1)) + "/tell", url.Values{"organisation": {organisationID(2).String()}, "channel": {"mail"}, "final": {"no"}, "text": {"It was hacked."}, "call-back": {"029 2000 0000"}}},
	{badgesPath(organisationID(1)) + "/move", url.Values{"to": {"sent"}, "batch": {"all"}}},
	{badgesPath(organisationID(1)) + "/unreturned", url.Values{"on": {"2026-03-12"}}},
	{badgesPath(organisationID(1)) + "/print", url.Values{"from": {"2026-02-01"}, "to": {"2026-02-28"}, "kind": {"sheets"}, "department": {"all"}}},
}

// visited returns an address for each route's pattern: of pagesToLookAt, or of formsToSend.
func visited(t *testing.T) map[string]string {
	t.Helper()
	mux := http.NewServeMux()
	addresses := map[string]string{}
	for _, r := range (&handler{}).routes() {
		mux.HandleFunc(r.pattern, func(http.ResponseWriter, *http.Request) {})
		addresses[r.pattern] = ""
	}
	visit := func(method, path string) {
		_, pattern := mux.Handler(httptest.NewRequest(method, sampleOrigin+path, nil))
		if known, ok := addresses[pattern]; ok && known == "" {
			addresses[pattern] = path
		}
	}
	for _, p := range pagesToLookAt {
		visit(http.MethodGet, p.path)
	}
	visit(http.MethodGet, "/signin")
	for _, path := range []string{"/account", "/users", "/users/new"} { // on the vault's own origin
		visit(http.MethodGet, path)
	}
	visit(http.MethodGet, "/language/cy")
	visit(http.MethodGet, filePath(importID(1))+"/state")
	visit(http.MethodGet, incidentPath(incidentID(1))+"/figures")
	visit(http.MethodGet, incidentPath(incidentID(1))+"/proofs")
	visit(http.MethodGet, incidentPath(incidentID(1))+"/papers/report.json")
	for _, f := range formsToSend {
		visit(http.MethodPost, f.path)
	}
	for pattern, path := range addresses {
		if path == "" {
			t.Errorf("%s: nothing visits it: add it to pagesToLookAt, or to formsToSend", pattern)
			delete(addresses, pattern)
		}
	}
	return addresses
}

// TestEveryRouteByEveryRole: whoever asks for whatever gets a page or is told plainly that there is none for them, never
// a fault; and who may see a page sees it, at a phone's width, without anything that axe-core, the console or the content
// security policy objects to. A route that nothing visits fails.
func TestEveryRouteByEveryRole(t *testing.T) {
	addresses := visited(t)
	ctx, origin := startBrowser(t)
	roles := append(slices.Sorted(maps.Keys(newSample().users)), "")
	pages := map[string][]string{} // by role
	for _, pattern := range slices.Sorted(maps.Keys(addresses)) {
		method, _, _ := strings.Cut(pattern, " ")
		path := addresses[pattern]
		for _, role := range roles {
			all := samplePages(t, newSample(), nil)
			var w *httptest.ResponseRecorder
			if method == http.MethodPost {
				i := slices.IndexFunc(formsToSend, func(f sentForm) bool { return f.path == path })
				w = post(t, all, role, path, formsToSend[i].form)
			} else {
				w = get(t, all, role, path)
			}
			switch w.Code {
			case http.StatusOK:
				if method == http.MethodGet && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
					pages[role] = append(pages[role], path)
				}
			case http.StatusSeeOther, http.StatusFound, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnauthorized, http.StatusConflict, http.StatusUnprocessableEntity:
			default:
				t.Errorf("%s by %q: %d: %s", pattern, role, w.Code, w.Body)
			}
		}
	}
	for _, role := range roles {
		t.Run("as-"+role, func(t *testing.T) {
			tab := webtest.Open(t, ctx, 390, 844, origin)
			if _, err := chromedp.Call(tab.Ctx, network.SetCookie, network.SetCookieParams{Name: "session", Value: role, URL: origin}); err != nil {
				t.Fatal(err)
			}
			for _, path := range pages[role] {
				if status := tab.Go(origin + path); status != http.StatusOK {
					t.Errorf("%s: %d", path, status)
				}
				tab.Axe()
			}
			tab.Quiet(nil)
		})
	}
}
