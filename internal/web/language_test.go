package web

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
	"unicode"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// askIn sends a request with a session, a chosen language and what the browser prefers; each may be empty.
func askIn(pages http.Handler, session, chosen, accept, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, sampleOrigin+path, nil)
	if session != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: session})
	}
	if chosen != "" {
		r.AddCookie(&http.Cookie{Name: languageCookie, Value: chosen})
	}
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	return w
}

func TestLanguageOfAPage(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	for _, c := range []struct{ chosen, accept, want, title string }{
		{"", "", "en", "Overview"}, {"", "cy-GB,en;q=0.5", "cy", "Trosolwg"}, {"", "en-GB,cy;q=0.9", "en", "Overview"},
		{"cy", "en", "cy", "Trosolwg"}, {"en", "cy", "en", "Overview"}, {"xx", "cy", "cy", "Trosolwg"},
	} {
		w := askIn(pages, "co-ordinator", c.chosen, c.accept, "/?page=2")
		body := w.Body.String()
		if !strings.Contains(body, `<html lang="`+c.want+`">`) || !strings.Contains(body, "<title>"+c.title+" – dosevault</title>") || w.Header().Get("Content-Language") != c.want {
			t.Errorf("%q and %q: not in %s: %v", c.chosen, c.accept, c.want, w.Header())
		}
		other := map[string]string{"en": "/language/cy", "cy": "/language/en"}[c.want]
		if !strings.Contains(body, `href="`+other+`?back=%2F%3Fpage%3D2"`) {
			t.Errorf("%q and %q: the page leads not to itself in the other language", c.chosen, c.accept)
		}
		if !strings.Contains(w.Header().Get("Vary"), "Cookie") || !strings.Contains(w.Header().Get("Vary"), "Accept-Language") {
			t.Errorf("Vary: %s", w.Header().Get("Vary"))
		}
	}
}

// TestChoosingALanguage: the link sets a cookie that says nothing else, and leads back to a page of this node alone.
func TestChoosingALanguage(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	for back, want := range map[string]string{
		"/files?page=2": "/files?page=2", "": "/", "https://example.org/": "/", "//example.org/": "/", `/\example.org/`: "/", "/\n/example.org": "/", "/signin/code?code=x": "/", "example": "/",
	} {
		w := askIn(pages, "", "", "", "/language/cy?"+url.Values{"back": {back}}.Encode())
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("back to %q: %d, %q", back, w.Code, got)
		}
		if c := w.Result().Cookies(); len(c) != 1 || c[0].Name != languageCookie || c[0].Value != "cy" || !c[0].HttpOnly || c[0].MaxAge != languageLifetime {
			t.Errorf("cookies %v", c)
		}
	}
	if w := askIn(pages, "", "", "", "/language/fr?back=/"); w.Code != http.StatusNotFound || len(w.Result().Cookies()) != 0 {
		t.Errorf("French: %d, %v", w.Code, w.Result().Cookies())
	}
	// Who sent a form comes back to the page that it stood on.
	r := httptest.NewRequest(http.MethodPost, sampleOrigin+findPath, strings.NewReader("q=e"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Referer", sampleOrigin+findPath)
	r.AddCookie(&http.Cookie{Name: "session", Value: "co-ordinator"})
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `href="/language/cy?back=%2Ffind"`) {
		t.Error("a page of a form leads not back to where the form stood")
	}
}

// TestTheLanguageSurvivesSigningIn: the vault's pages are told of it, and nothing of a sign-in takes the choice away.
func TestTheLanguageSurvivesSigningIn(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	w := askIn(pages, "", "cy", "en", "/signin")
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || to.Query().Get("lang") != "cy" {
		t.Errorf("the vault is asked by %s", to)
	}
	for _, path := range []string{"/signin", "/signin/code?code=dpo", "/signed-out"} {
		w := askIn(pages, "", "cy", "en", path)
		if slices.ContainsFunc(w.Result().Cookies(), func(c *http.Cookie) bool { return c.Name == languageCookie }) {
			t.Errorf("%s touches the choice: %v", path, w.Result().Cookies())
		}
	}
	if body := askIn(pages, "", "cy", "en", "/signin/code?code=dpo").Body.String(); !strings.Contains(body, "Ai chi yw Eluned Morgan?") {
		t.Error("the page in the middle of a sign-in is not in Welsh")
	}
}

// addresses are the attributes that nobody reads.
var addresses = regexp.MustCompile(` (href|action|id|for|name|value|class|list|aria-labelledby|aria-describedby)="[^"]*"`)

// TestNoEnglishOnWelshPages: what every role sees in Welsh holds no English text of the catalogue that is long enough to
// be no name or part of another word.
func TestNoEnglishOnWelshPages(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	var english []string
	for k, cy := range welsh.Texts {
		text, _, _ := strings.Cut(string(k), "##")
		text = html.EscapeString(text)
		n := 0
		for _, r := range text {
			if unicode.IsLetter(r) {
				n++
			}
		}
		if n >= 12 && !strings.Contains(text, "%") && !strings.Contains(html.EscapeString(cy), text) {
			english = append(english, text)
		}
	}
	for _, role := range append(slices.Sorted(maps.Keys(newSample().users)), "") {
		for _, p := range pagesToLookAt {
			body := addresses.ReplaceAllString(askIn(pages, role, "cy", "", p.path).Body.String(), "")
			if i := strings.Index(body, "</svg>"); strings.Contains(body, `<html lang="en"`) && i >= 0 {
				t.Errorf("%s by %q is not Welsh", p.path, role)
			}
			for _, text := range english {
				if strings.Contains(body, text) {
					t.Errorf("%s by %q: %q", p.path, role, text)
				}
			}
		}
	}
}

// TestWelshInBrowser looks at a page of each area in Welsh, wide and as narrow as a phone: no violation, nothing wider than
// the screen although Welsh words are long. The choice works without JavaScript.
func TestWelshInBrowser(t *testing.T) {
	ctx, origin := startBrowser(t)
	visits := []struct{ user, path string }{
		{"", "/welcome"}, {"co-ordinator", "/"}, {"wearer", wearerPath(wearerID(3))}, {"wearer", wearerPath(wearerID(3)) + "/ledger"}, {"co-ordinator", wearersPath(organisationID(1)) + "/new"},
		{"supervisor", badgesPath(organisationID(1))}, {"co-ordinator", "/files/new"}, {"co-ordinator", settingsPath(organisationID(1))}, {"dpo", ledgerPath(organisationID(1))}, {"co-ordinator", dosesPath(organisationID(1))},
	}
	for _, width := range []int64{1280, 390} {
		tab := webtest.Open(t, ctx, width, 844, origin)
		tab.Go(origin + "/language/cy?back=/welcome")
		for _, p := range visits {
			if _, err := chromedp.Call(tab.Ctx, network.SetCookie, network.SetCookieParams{Name: "session", Value: p.user, URL: origin}); err != nil {
				t.Fatal(err)
			}
			if status := tab.Go(origin + p.path); status != http.StatusOK {
				t.Errorf("%s: %d", p.path, status)
			}
			lang, err := chromedp.Run(tab.Ctx, chromedp.Evaluate[string](`document.documentElement.lang`))
			must(t, err)
			if lang != "cy" {
				t.Errorf("%s at %d is in %q", p.path, width, lang)
			}
			wide, err := chromedp.Run(tab.Ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
			must(t, err)
			if wide {
				t.Errorf("%s is wider than %d", p.path, width)
			}
			tab.Axe()
		}
		tab.Quiet(nil)
	}
}

// TestSentenceInWelsh: an entry is a whole sentence in Welsh, whoever acted.
func TestSentenceInWelsh(t *testing.T) {
	ctx := inWelsh(t)
	for _, c := range []struct {
		e    vaultclient.Entry
		want string
	}{
		{vaultclient.Entry{Kind: "reveal", Actor: "Mair Evans", Role: "co-ordinator", Purpose: "issue-badges", Fields: 1, Count: 25}, "Gwelodd Mair Evans (cydlynydd) y canlynol: enwau 25 o bobl er mwyn rhoi bathodynnau."},
		{vaultclient.Entry{Kind: "sign-in", Role: "operator"}, "Mewngofnododd gweithredwr."},
		{vaultclient.Entry{Kind: "write", Actor: "a job given by Mair Evans", Role: "job", Count: 1}, "Newidiodd tasg a roddwyd gan Mair Evans gofnodion un person."},
		{vaultclient.Entry{Kind: "sign-out", Actor: "the machine “HR feed”", Role: "machine", Node: "web"}, "Allgofnododd y peiriant “HR feed”, drwy nod gwe."},
		{vaultclient.Entry{Kind: "import", Actor: "a job", Role: "job"}, "Cadarnhaodd tasg ffeil, a storiwyd yr hyn sydd ynddi."},
	} {
		if got := sentence(ctx, c.e).Text; got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
