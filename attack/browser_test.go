package attack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// signInAs goes from the first page by way of the vault's own origin to the overview, by the mouse.
func signInAs(t *testing.T, h *house.House, tab *webtest.Tab, user string, look func(page string)) {
	t.Helper()
	tab.Go("http://" + h.Listen + "/")
	look("welcome")
	tab.Click(`main a[href="/signin"]`)
	if got := tab.Text(); !strings.Contains(got, "Choose whose eyes to look with") {
		t.Fatalf("signing in shows: %s", got)
	}
	look("signin")
	tab.Click(`li:has(input[value="` + user + `"]) button`)
}

// firstOf returns the address of the first link that a selector finds, or nothing.
func firstOf(tab *webtest.Tab, selector string) string {
	return webtest.Eval[string](tab, fmt.Sprintf(`(document.querySelector(%q) || {}).href || ""`, selector))
}

// TestInBrowser uses the real program as people do, in a real browser.
func TestInBrowser(t *testing.T) {
	h := house.New(t)
	h.Start("demo", "--people", small)
	browser := webtest.Browser(t)
	t.Run("roles", func(t *testing.T) { roles(t, h, browser) })
	t.Run("by keyboard alone", func(t *testing.T) { byKeyboardAlone(t, h, browser) })
	t.Run("without scripts", func(t *testing.T) { withoutScripts(t, h, browser) })
	t.Run("in Welsh", func(t *testing.T) { inWelsh(t, h, browser) })
}

// roles signs in as one user of each role and opens every kind of page that the role is offered, on a screen
// and on a phone's: nothing is refused, axe-core has nothing to say, nor has the console, and nothing is asked of
// anybody else. With DOSEVAULT_SCREENSHOTS=DIR it leaves a picture of each page there.
func roles(t *testing.T, h *house.House, browser context.Context) {
	shots := os.Getenv("DOSEVAULT_SCREENSHOTS")
	const wearers, ledger, wearer, seen = `main a[href$="/wearers"]`, `a[href^="/organisations/"][href$="/ledger"]`, `main a[href^="/wearers/"]:not([href$="/ledger"])`, `main a[href^="/wearers/"][href$="/ledger"]`
	menu := func(s string) string { return s + ", " + strings.ReplaceAll(s, "main ", "nav ") }
	users := h.DemoUsers()
	covered, looked := map[string]bool{}, map[string]bool{}
	same := []string{"welcome", "signin", "not-found", "signed-out"} // for whoever looks: once on each screen
	for _, u := range demoRoles(t, browser, h) {
		covered[u.role] = true
		for _, screen := range []struct {
			name          string
			width, height int64
		}{{"wide", 1280, 900}, {"phone", 390, 844}} {
			t.Run(u.role+"-"+screen.name, func(t *testing.T) {
				tab := webtest.Open(t, browser, screen.width, screen.height, "http://"+h.Listen, "http://"+h.Vault)
				look := func(page string) {
					t.Helper()
					if slices.Contains(same, page) && looked[page+screen.name] {
						return
					}
					looked[page+screen.name] = true
					tab.Axe()
					if shots != "" {
						if err := os.WriteFile(filepath.Join(shots, u.role+"-"+page+"-"+screen.name+".png"), tab.Screenshot(), 0o644); err != nil {
							t.Fatal(err)
						}
					}
				}
				visit := func(page, selector string) bool {
					t.Helper()
					to := firstOf(tab, selector)
					if to == "" {
						t.Errorf("%s is not offered: %s", page, tab.Text())
						return false
					}
					if status := tab.Go(to); status != 200 {
						t.Errorf("%s: status %d: %s", page, status, tab.Text())
						return false
					}
					look(page)
					return true
				}
				signInAs(t, h, tab, users[u.name], look)
				if text := tab.Text(); !strings.Contains(text, u.name) {
					t.Fatalf("not signed in: %s", text)
				}
				look("overview")
				home := "http://" + h.Listen + "/"
				switch u.role {
				case "co-ordinator", "supervisor":
					if visit("wearers", menu(wearers)) && visit("wearer", wearer) && u.role == "co-ordinator" {
						visit("seen", seen)
					}
				case "records-officer":
					// Few organisations have classified people; the others' lists say that they have none.
					for _, list := range webtest.Eval[[]string](tab, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(a => a.href)`, wearers)) {
						if status := tab.Go(list); status != 200 {
							t.Fatalf("wearers: status %d: %s", status, tab.Text())
						}
						if firstOf(tab, wearer) != "" {
							break
						}
					}
					look("wearers")
					visit("wearer", wearer)
				case "wearer":
					if visit("wearer", wearer) {
						visit("seen", seen)
					}
				case "data-protection-officer":
					if visit("wearers", menu(wearers)) {
						visit("seen", seen)
					}
				}
				if u.role == "co-ordinator" || u.role == "data-protection-officer" {
					tab.Go(home)
					visit("ledger", ledger)
				}
				if status := tab.Go(home + "nothing"); status != 404 {
					t.Errorf("no page: status %d", status)
				}
				look("not-found")
				tab.Click(`button.nhsuk-header__account-button`)
				look("signed-out")
				tab.Quiet(func(m string) bool { return strings.Contains(m, "404") })
			})
		}
	}
	if len(covered) != len(policy.Roles) {
		t.Errorf("not every role has somebody to sign in as: %v", covered)
	}
}

type demoRole struct{ role, name string }

// demoRoles lists one user for each role, as the vault's origin offers them.
func demoRoles(t *testing.T, browser context.Context, h *house.House) []demoRole {
	t.Helper()
	tab := webtest.Open(t, browser, 1280, 900)
	tab.Go("http://" + h.Vault + "/signin")
	var list []demoRole
	for _, x := range webtest.Eval[[][]string](tab, `[...document.querySelectorAll("section")].map(s => [s.getAttribute("aria-labelledby"), s.querySelector("button").textContent])`) {
		list = append(list, demoRole{x[0], x[1]})
	}
	return list
}

// byKeyboardAlone goes from the first page to a wearer's with Tab and Enter, through both origins, and meets no trap.
func byKeyboardAlone(t *testing.T, h *house.House, browser context.Context) {
	tab := webtest.Open(t, browser, 1280, 900, "http://"+h.Listen, "http://"+h.Vault)
	// reach presses Tab until a link or button with a text has the focus, then Enter.
	reach := func(what, expression string) {
		t.Helper()
		for range 60 {
			tab.Do(chromedp.KeyEvent(kb.Tab))
			if webtest.Eval[bool](tab, `(e => `+expression+`)(document.activeElement)`) {
				if !webtest.Eval[bool](tab, `(s => s.boxShadow != "none" || s.outlineStyle != "none")(getComputedStyle(document.activeElement))`) {
					t.Errorf("%s has the focus, and it does not show", what)
				}
				if _, err := chromedp.RunResponse(tab.Ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				return
			}
		}
		t.Fatalf("%s is not reached by keyboard: %s", what, tab.Text())
	}
	tab.Go("http://" + h.Listen + "/")
	reach("sign in", `e.textContent.trim() == "Sign in"`)
	reach("the co-ordinator", `e.tagName == "BUTTON" && e.closest("section").getAttribute("aria-labelledby") == "co-ordinator"`)
	reach("the wearers", `e.tagName == "A" && e.pathname.endsWith("/wearers")`)
	reach("a wearer", `e.tagName == "A" && e.pathname.startsWith("/wearers/")`)
	if text := tab.Text(); !strings.Contains(text, "Dose against limits") {
		t.Errorf("this is not a wearer's page: %s", text)
	}
	tab.Quiet(nil)
}

// withoutScripts goes from the first page to a wearer's, by way of a search, with JavaScript switched off.
func withoutScripts(t *testing.T, h *house.House, browser context.Context) {
	tab := webtest.Open(t, browser, 1280, 900, "http://"+h.Listen, "http://"+h.Vault)
	if _, err := chromedp.Call(tab.Ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	see := func(text string) {
		t.Helper()
		if got := tab.Text(); !strings.Contains(got, text) {
			t.Fatalf("%q is not on the page: %s", text, got)
		}
	}
	tab.Go("http://" + h.Listen + "/")
	tab.Click(`main a[href="/signin"]`)
	tab.Click(`section[aria-labelledby=co-ordinator] button`)
	see("What to do next")
	tab.Click(`main a[href$="/wearers"]`)
	name, err := chromedp.Run(tab.Ctx, chromedp.Text(chromedp.CSS(`td a[href^="/wearers/"]`)))
	if err != nil {
		t.Fatal(err)
	}
	surname, _, _ := strings.Cut(name, ",")
	tab.Do(chromedp.SendKeys(chromedp.ID("q"), surname))
	tab.Click(`form[role=search] button`)
	see("found for “" + surname + "”")
	tab.Click(`td a[href^="/wearers/"]`)
	see("Dose against limits")
	tab.Click(`button.nhsuk-header__account-button`)
	see("You are signed out")
}

// inWelsh chooses Welsh before signing in, on a screen and on a phone's: the vault's own origin keeps it, its errors and
// one-time links included, offers English and takes it back, and the overview is in Welsh still.
func inWelsh(t *testing.T, h *house.House, browser context.Context) {
	for name, width := range map[string]int64{"wide": 1280, "phone": 390} {
		tab := webtest.Open(t, browser, width, 844, "http://"+h.Listen, "http://"+h.Vault)
		// see looks at a page that is in a language and has a heading.
		see := func(page, lang, heading string) {
			t.Helper()
			tab.Axe()
			if got := webtest.Eval[string](tab, `document.documentElement.lang`); got != lang {
				t.Errorf("%s %s: in %q, want %q", page, name, got, lang)
			}
			if got := webtest.Eval[string](tab, `document.querySelector("h1").textContent.trim()`); heading != "" && got != heading {
				t.Errorf("%s %s: %q, want %q", page, name, got, heading)
			}
			if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, "welsh-"+page+"-"+lang+"-"+name+".png"), tab.Screenshot(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		const toEnglish, toWelsh = `header a[hreflang=en]`, `header a[hreflang=cy]`
		for path, headings := range map[string][2]string{
			"/signin?return=http://other.example": {"Nid yw'r cyfeiriad hwn yn hysbys yma", "This address is not known here"},
			"/nothing?x=1":                        {"Heb ddod o hyd i'r dudalen", "Page not found"},
		} {
			tab.Go("http://" + h.Vault + path)
			tab.Click(toWelsh)
			see("error", "cy", headings[0])
			tab.Click(toEnglish)
			see("error", "en", headings[1])
		}
		tab.Go("http://" + h.Vault + "/link?secret=used&lang=cy")
		see("used-link", "cy", "Nid yw'r ddolen hon yn gweithio mwyach")
		tab.Click(toEnglish)
		see("used-link", "en", "This link does not work any more")

		tab.Go("http://" + h.Listen + "/")
		tab.Click(toWelsh)
		see("welcome", "cy", "")
		tab.Click(`main a[href="/signin"]`)
		see("signin", "cy", "Mewngofnodi")
		tab.Click(toEnglish)
		see("signin", "en", "Sign in")
		tab.Click(toWelsh)
		see("signin", "cy", "Mewngofnodi")
		tab.Click(`section[aria-labelledby=co-ordinator] button`)
		see("overview", "cy", "")
		if got := webtest.Eval[string](tab, `location.href`); got != "http://"+h.Listen+"/" {
			t.Errorf("signed in at %s", got)
		}
		tab.Quiet(func(m string) bool { return strings.Contains(m, "status of 40") })
	}
}
