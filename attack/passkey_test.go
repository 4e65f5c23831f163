package attack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// TestPasskeyInBrowser: the first link makes a passkey in a browser, which signs in on the vault's own pages and from there
// on the web node; signed out, the passkey signs in again. With DOSEVAULT_SCREENSHOTS=DIR it leaves a picture of each page there.
func TestPasskeyInBrowser(t *testing.T) {
	h := house.New(t)
	h.Start("serve")
	origin := "http://" + h.Vault
	tab := webtest.Open(t, webtest.Browser(t), 1280, 900, "http://"+h.Listen, origin)
	authenticator(t, tab)
	look := func(name string, want ...string) {
		t.Helper()
		text := tab.Text()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Fatalf("%s: %q is not there: %s", name, w, text)
			}
		}
		tab.Axe()
		if shots := os.Getenv("DOSEVAULT_SCREENSHOTS"); shots != "" {
			if err := os.WriteFile(filepath.Join(shots, "passkey-"+name+".png"), tab.Screenshot(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	tab.Go(origin + "/link?secret=" + h.FirstLink())
	look("link", "This link is for", "Create a passkey")
	tab.Do(chromedp.SendKeys(chromedp.CSS("#name"), "work laptop"))
	tab.Click("main form button")
	look("after-link")
	tab.Go(origin + "/account")
	look("account", "work laptop")
	for _, page := range []string{"users", "sessions", "approvals", "grants", "policies", "alarms", "freeze"} {
		tab.Go(origin + "/" + page)
		look(page)
	}
	tab.Click("nav form button")
	tab.Go(origin + "/account")
	look("signin", "Use the passkey that you created")
	tab.Click("main form button")
	look("signed-in", "work laptop")
}

// authenticator gives a tab a device that makes passkeys and confirms whoever is asked.
func authenticator(t *testing.T, tab *webtest.Tab) {
	t.Helper()
	tab.Do() // the tab is there
	if _, err := chromedp.Call(tab.Ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab.Ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}}); err != nil {
		t.Fatal(err)
	}
}
