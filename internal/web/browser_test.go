package web

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// pagesToLookAt are the pages that a browser opens: who, where, what to type into the search box, and at
// which other widths.
var pagesToLookAt = []struct {
	name, user, path, search string
	also                     string // the other widths
}{
	{"welcome", "", "/welcome", "", "phone"},
	{"signed-out", "", "/signed-out", "", ""},
	{"overview", "co-ordinator", "/", "", "phone tablet"},
	{"overview-supervisor", "supervisor", "/", "", ""},
	{"overview-data-protection", "dpo", "/", "", ""},
	{"overview-wearer", "wearer", "/", "", "phone"},
	{"overview-unlinked", "unlinked", "/", "", ""},
	{"overview-operator", "operator", "/", "", ""},
	{"budget", "co-ordinator", budgetPath, "", "phone"},
	{"overview-not-found", "co-ordinator", "/?organisation=nowhere", "", ""},
	{"wearers", "co-ordinator", wearersPath(organisationID(1)), "", ""},
	{"wearers-leavers", "supervisor", wearersPath(organisationID(1)) + "?leavers=yes&page=3", "", "phone"},
	{"wearers-search", "co-ordinator", wearersPath(organisationID(1)), "e", "phone tablet"},
	{"wearers-nobody", "co-ordinator", wearersPath(organisationID(1)), "zzz", "phone"},
	{"wearers-empty", "co-ordinator", wearersPath(organisationID(2)), "", ""},
	{"find", "records", findPath, "", "phone"},
	{"find-found", "co-ordinator", findPath, "e", "phone"},
	{"find-nobody", "co-ordinator", findPath, "zzz", ""},
	{"organisations", "co-ordinator", "/organisations", "", "phone"},
	{"organisations-new", "co-ordinator", "/organisations/new", "", "phone"},
	{"investigations-open", "co-ordinator", allInvestigationsPath, "", "phone"},
	{"investigations", "supervisor", investigationsPath(organisationID(1)), "", ""},
	{"investigation", "co-ordinator", investigationsPath(organisationID(1)) + "/" + fixed2(id.Row{}, 1).String(), "", ""},
	{"person-new", "co-ordinator", wearersPath(organisationID(1)) + "/new", "", ""},
	{"person-change", "co-ordinator", partOf(wearerID(1), "change/leave"), "", ""},
	{"person-history", "co-ordinator", partOf(wearerID(1), "history"), "", ""},
	{"person-linked", "co-ordinator", partOf(wearerID(1), "person"), "", ""},
	{"pairs", "co-ordinator", "/people/pairs", "", ""},
	{"machines", "co-ordinator", "/machines", "", ""},
	{"machines-new", "co-ordinator", "/machines/new", "", ""},
	{"machines-end", "co-ordinator", machinePath(fixed2(id.Grant{}, 1), "end"), "", ""},
	{"organisation-settings", "co-ordinator", settingsPath(organisationID(1)), "", "phone"},
	{"organisation-accounts", "co-ordinator", settingsPath(organisationID(1)) + "/accounts", "", "phone"},
	{"return", "co-ordinator", "/return", "", "phone"},
	{"badge", "supervisor", badgePath("L0002"), "", "phone"},
	{"badge-shown", "supervisor", badgePath("L0002") + "?wearer=show", "", ""},
	{"badges", "supervisor", badgesPath(organisationID(1)), "", "phone"},
	{"badges-sent", "co-ordinator", badgesPath(organisationID(1)) + "?page=2&done=badges-sent", "", ""},
	{"badges-empty", "co-ordinator", badgesPath(organisationID(2)), "", ""},
	{"badges-send", "supervisor", badgesPath(organisationID(1)) + "/move?to=sent", "", "phone"},
	{"badges-send-none", "co-ordinator", badgesPath(organisationID(2)) + "/move?to=sent", "", ""},
	{"badges-unreturned", "supervisor", badgesPath(organisationID(1)) + "/unreturned", "", "phone"},
	{"badges-all-back", "supervisor", badgesPath(organisationID(1)) + "/unreturned?on-day=1&on-month=2&on-year=2026", "", ""},
	{"badges-print", "supervisor", badgesPath(organisationID(1)) + "/print?from=2026-02-01&to=2026-02-28&batch=B004252", "", "phone"},
	{"badges-rates", "supervisor", badgesPath(organisationID(1)) + "/rates", "", "phone"},
	{"spare", "co-ordinator", sparePath(wearerID(2)), "", "phone"},
	{"rates", "co-ordinator", "/rates", "", "phone"},
	{"wearer", "co-ordinator", wearerPath(wearerID(1)), "", "phone"},
	{"wearer-high", "wearer", wearerPath(wearerID(3)), "", "phone tablet zoomed"},
	{"wearer-records", "records", wearerPath(wearerID(3)), "", "phone"},
	{"wearer-empty", "co-ordinator", wearerPath(wearerID(2)), "", ""},
	{"ledger", "dpo", ledgerPath(organisationID(1)), "", "phone zoomed"},
	{"ledger-page", "dpo", ledgerPath(organisationID(1)) + "?page=2", "", ""},
	{"ledger-empty", "co-ordinator", ledgerPath(organisationID(2)), "", ""},
	{"who-may", "co-ordinator", wearerPath(wearerID(3)) + "/who-may", "", "phone"},
	{"who-may-own", "wearer", wearerPath(wearerID(3)) + "/who-may", "", ""},
	{"seen", "wearer", wearerPath(wearerID(3)) + "/ledger", "", "phone zoomed"},
	{"seen-dpo", "dpo", wearerPath(wearerID(3)) + "/ledger?page=2", "", ""},
	{"wearers-dpo", "dpo", wearersPath(organisationID(1)), "", "phone"},
	{"ledger-wearer", "wearer", wearerPath(wearerID(3)) + "/ledger/entries", "", ""},
	{"files", "co-ordinator", "/files", "", ""},
	{"gaps", "co-ordinator", gapsPath(organisationID(1)), "", "phone"},
	{"files-new", "co-ordinator", "/files/new", "", "phone"},
	{"list-new", "co-ordinator", "/lists/people", "", "phone"},
	{"list", "co-ordinator", filePath(peopleList), "", "phone"},
	{"file", "co-ordinator", filePath(importID(1)), "", ""},
	{"profiles", "co-ordinator", "/profiles", "", "phone"},
	{"profiles-new", "co-ordinator", "/profiles/new", "", ""},
	{"profile", "co-ordinator", profilePath(profileID(1)), "", "phone zoomed"},
	{"profile-built-in", "co-ordinator", builtInProfilePath, "", ""},
	{"sample", "co-ordinator", samplePath, "", ""},
	{"sample-columns", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/columns", "", "phone"},
	{"sample-file", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/file", "", ""},
	{"sample-reading", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/reading", "", ""},
	{"sample-positions", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/positions", "", ""},
	{"sample-doses", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/doses", "", "phone"},
	{"sample-codes", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/codes", "", ""},
	{"sample-about", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/about", "", ""},
	{"sample-check-missing", "co-ordinator", samplePath + "/" + sampleID(1).String() + "/check", "", ""},
	{"profile-retire", "co-ordinator", profilePath(profileID(1)) + "/retire", "", ""},
	{"file-decline", "co-ordinator", filePath(importID(1)) + "/decline", "", ""},
	{"incidents", "co-ordinator", incidentsPath, "", "phone"},
	{"incident", "co-ordinator", incidentPath(incidentID(1)), "", "phone zoomed"},
	{"incident-sealed", "co-ordinator", incidentPath(incidentID(2)), "", ""},
	{"incident-drill", "co-ordinator", incidentPath(incidentID(3)), "", ""},
	{"incident-own", "dpo", incidentPath(incidentID(1)), "", "phone"},
	{"incident-papers", "co-ordinator", incidentPath(incidentID(1)) + "/papers?nation=wales", "", "phone"},
	{"incident-declare", "co-ordinator", "/incidents/declare", "", "phone"},
	{"incident-suppose", "dpo", incidentPath(incidentID(1)) + "/suppose", "", ""},
	{"incident-freeze", "co-ordinator", incidentPath(incidentID(1)) + "/freeze", "", ""},
	{"incident-done", "co-ordinator", incidentPath(incidentID(1)) + "/enter/done", "", ""},
	{"incident-tell", "co-ordinator", incidentPath(incidentID(1)) + "/tell", "", ""},
	{"incident-assess", "dpo", incidentPath(incidentID(1)) + "/assess", "", ""},
	{"incident-people", "dpo", incidentPath(incidentID(1)) + "/people", "", "phone"},
	{"incident-told", "co-ordinator", incidentPath(incidentID(1)) + "/enter/told", "", "phone"},
	{"incident-decide", "dpo", incidentPath(incidentID(1)) + "/enter/decide", "", "phone"},
	{"incident-answer", "co-ordinator", incidentPath(incidentID(1)) + "/enter/answer?organisation=" + organisationID(1).String(), "", ""},
	{"doses", "supervisor", dosesPath(organisationID(1)), "", "zoomed"},
	{"doses-years", "co-ordinator", dosesPath(organisationID(1)) + "/years", "", "zoomed"},
	{"not-found", "co-ordinator", "/nothing", "", ""},
	{"confirm", "co-ordinator", "/signin/code?code=dpo", "", "phone"},
	{"used-code", "", "/signin/code?code=used", "", "phone"},
}

// TestPagesInBrowser opens every page in Chromium, wide and, each kind, as narrow as a phone and as a tablet, with axe-core: no violation, no
// message on the console (an offence against the content security policy is one), no request to another host, nothing
// wider than the screen. With DOSEVAULT_SCREENSHOTS=DIR it looks at every page in every size, leaves a picture of each there,
// and of each in Welsh at the width of a phone.
func TestPagesInBrowser(t *testing.T) {
	ctx, origin := startBrowser(t)
	shots := os.Getenv("DOSEVAULT_SCREENSHOTS")
	for _, p := range pagesToLookAt {
		t.Run(p.name, func(t *testing.T) {
			tab, cancel := chromedp.NewContext(ctx)
			defer cancel()
			tab, cancelTime := context.WithTimeout(tab, 2*time.Minute)
			defer cancelTime()
			console := chromedp.Console(tab)
			requests := chromedp.Events(tab, network.RequestWillBeSent)
			for i, size := range sizesToLookAt {
				if i > 0 && shots == "" && !strings.Contains(p.also, size.name) {
					continue
				}
				must(t, chromedp.Do(tab, chromedp.EmulateViewport(size.width, size.height)))
				if i == 0 {
					_, err := chromedp.Call(tab, network.SetCookie, network.SetCookieParams{Name: "session", Value: p.user, URL: origin})
					must(t, err)
					must(t, chromedp.Do(tab, chromedp.Navigate(origin+p.path)))
					if p.search != "" {
						must(t, chromedp.Do(tab, chromedp.SendKeys(chromedp.ID("q"), p.search)))
						_, err := chromedp.RunResponse(tab, chromedp.Submit(chromedp.ID("q")))
						must(t, err)
					}
				}
				for _, x := range webtest.Wide(t, tab) {
					t.Errorf("%s: wider than the screen: %s", size.name, x)
				}
				started, err := chromedp.Run(tab, chromedp.Evaluate[bool](`document.body.classList.contains("nhsuk-frontend-supported")`))
				must(t, err)
				if !started {
					t.Error("start.js did not run")
				}
				if shots != "" {
					b, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
					must(t, err)
					must(t, os.WriteFile(filepath.Join(shots, p.name+"-"+size.name+".png"), b, 0o644))
				}
				// At a phone's width TestEveryRouteByEveryRole has axe look.
				if shots == "" && size.name == "phone" {
					continue
				}
				for _, f := range webtest.Violations(t, tab) {
					t.Errorf("%s: axe: %s", size.name, f)
				}
			}
			if shots != "" && p.search == "" {
				must(t, chromedp.Do(tab, chromedp.EmulateViewport(sizesToLookAt[1].width, sizesToLookAt[1].height)))
				_, err := chromedp.Call(tab, network.SetCookie, network.SetCookieParams{Name: languageCookie, Value: "cy", URL: origin})
				must(t, err)
				must(t, chromedp.Do(tab, chromedp.Navigate(origin+p.path)))
				for _, x := range webtest.Wide(t, tab) {
					t.Errorf("in Welsh: wider than the screen: %s", x)
				}
				b, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
				must(t, err)
				must(t, os.WriteFile(filepath.Join(shots, p.name+"-cy.png"), b, 0o644))
				_, err = chromedp.Call(tab, network.DeleteCookies, network.DeleteCookiesParams{Name: languageCookie, URL: origin})
				must(t, err)
			}
			const end = "the end of this page's messages"
			must(t, chromedp.Do(tab, chromedp.Navigate(origin+"/assets/dosevault.css")))
			_, err := chromedp.Run(tab, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("console.info(%q)", end)))
			must(t, err)
			for m, err := range console {
				must(t, err)
				if strings.Contains(m.Text, end) {
					break
				}
				if wanted := strings.Contains(m.Text, "404") && p.name == "not-found" || strings.Contains(m.Text, "403"); !wanted {
					t.Errorf("console: %s", m)
				}
			}
			for r, err := range requests {
				must(t, err)
				if !strings.HasPrefix(r.Request.URL, origin+"/") {
					t.Errorf("a request to another host: %s", r.Request.URL)
				}
				if strings.HasSuffix(r.Request.URL, "/assets/dosevault.css") && r.Type == network.ResourceTypeDocument {
					break
				}
			}
		})
	}
}

// sizesToLookAt are the sizes of screens, the first of which every page is loaded at; it is looked at in the others as when a window is made smaller.
var sizesToLookAt = []struct {
	name          string
	width, height int64
}{{"wide", 1280, 900}, {"phone", 375, 760}, {"tablet", 790, 1000}, {"zoomed", 320, 256}}

// TestWithoutJavaScript signs in, searches, turns the page and signs out with scripts switched off.
func TestWithoutJavaScript(t *testing.T) {
	ctx, origin := startBrowser(t)
	tab, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := chromedp.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
	see := func(text string) {
		t.Helper()
		got, err := chromedp.Run(tab, chromedp.Text(chromedp.CSS("body")))
		must(t, err)
		if !strings.Contains(got, text) {
			t.Fatalf("%q is not on the page: %s", text, got)
		}
	}
	click := func(selector string) {
		t.Helper()
		_, err := chromedp.RunResponse(tab, chromedp.Click(chromedp.CSS(selector)))
		must(t, err)
	}
	must(t, chromedp.Do(tab, chromedp.Navigate(origin+"/signin/code?code=co-ordinator")))
	click(`button[value=continue]`)
	see("Mair Evans")
	click(`a[href="` + wearersPath(organisationID(1)) + `"]`)
	see("Showing 1 to 25 of 64 wearers")
	must(t, chromedp.Do(tab, chromedp.SendKeys(chromedp.ID("q"), "e")))
	click(`form[role=search] button`)
	see("found for “e”")
	click(`button[name=page][value="2"]`)
	see("Page 2 of 2")
	click(`td a`)
	see("Dose against limits")
	click(`button.nhsuk-header__account-button`)
	see("You are signed out")
	must(t, chromedp.Do(tab, chromedp.Navigate(origin+"/")))
	see("You sign in at the vault")
}

// TestByKeyboard: the first key press offers to skip to the content, and every link and button that is reached shows
// where the reader is.
func TestByKeyboard(t *testing.T) {
	ctx, origin := startBrowser(t)
	tab, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err := chromedp.Call(tab, network.SetCookie, network.SetCookieParams{Name: "session", Value: "co-ordinator", URL: origin})
	must(t, err)
	must(t, chromedp.Do(tab, chromedp.Navigate(origin+wearersPath(organisationID(1)))))
	focus := func() (text string) {
		t.Helper()
		text, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.activeElement.id || document.activeElement.textContent.trim()`))
		must(t, err)
		return text
	}
	press := func(key string) { t.Helper(); must(t, chromedp.Do(tab, chromedp.KeyEvent(key))) }
	press(kb.Tab)
	if got := focus(); got != "Skip to main content" {
		t.Fatalf("the first key press reaches %q", got)
	}
	press(kb.Enter)
	if got := focus(); got != "maincontent" {
		t.Fatalf("skipping to the content reaches %q", got)
	}
	for _, want := range []string{"Wearers", "Badges", "Doses", "Investigations", "Settings", "Ledger", "Take somebody on", "q", "Search", "leavers", "left", "department", "Bowen, Siân"} {
		press(kb.Tab)
		if got := focus(); got != want {
			t.Fatalf("the next key press reaches %q, want %q", got, want)
		}
		visible, err := chromedp.Run(tab, chromedp.Evaluate[bool](`(e => { const s = getComputedStyle(e.type == "checkbox" ? e.nextElementSibling : e, e.type == "checkbox" ? "::before" : null);
			return s.boxShadow != "none" || s.outlineStyle != "none" })(document.activeElement)`))
		must(t, err)
		if !visible {
			t.Errorf("%s has the focus, and it does not show", want)
		}
	}
}

// startBrowser starts Chromium and the sample's pages.
func startBrowser(t *testing.T) (ctx context.Context, origin string) {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	must(t, err)
	origin = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	s := newSample()
	server := Server(samplePages(t, s, func(c *Config) { c.Origin = origin }), discard)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })

	ctx = webtest.Browser(t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(origin+"/assets/favicon.svg")))
	return ctx, origin
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
