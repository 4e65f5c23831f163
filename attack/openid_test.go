package attack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault/origin/oidctest"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// TestOpenIDInBrowser: somebody signs in by their employer's own sign-in, a real provider, in a browser, with a role at that
// employer alone; who has no role there gets in nowhere. With DOSEVAULT_SCREENSHOTS=DIR it leaves pictures there.
func TestOpenIDInBrowser(t *testing.T) {
	h := house.New(t)
	h.Start("demo", "--people", small)
	office, clerk, err := h.Office(h.DemoUsers()["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	orgs, err := office.Organisations(t.Context(), clerk)
	if err != nil {
		t.Fatal(err)
	}
	idp := oidctest.Start(t)
	n, err := office.AddProvider(t.Context(), clerk, vaultclient.NewProvider{Organisation: orgs[0].ID, Issuer: idp.URL, Client: "dosevault", Secret: "a secret", Name: "name", Claim: "groups",
		Rules: []vaultclient.ClaimRule{{Value: "rps", Role: policy.Supervisor}}})
	if err != nil {
		t.Fatal(err)
	}
	idp.Register("dosevault", "a secret", "http://"+h.Vault+"/openid/"+n.String()+"/callback")
	idp.Says("gwenno", map[string]any{"name": "Gwenno Mathias", "groups": []any{"rps"}})
	idp.Says("idris", map[string]any{"name": "Idris Lloyd", "groups": []any{"gardeners"}})

	browser := webtest.Browser(t)
	shoot := func(tab *webtest.Tab, name string) {
		t.Helper()
		if shots := os.Getenv("DOSEVAULT_SCREENSHOTS"); shots != "" {
			if err := os.WriteFile(filepath.Join(shots, "openid-"+name+".png"), tab.Screenshot(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	signIn := func(who string) *webtest.Tab {
		t.Helper()
		tab := webtest.Open(t, browser, 1280, 900, "http://"+h.Listen, "http://"+h.Vault, idp.URL)
		tab.Go("http://" + h.Vault + "/account")
		if text := tab.Text(); !strings.Contains(text, "Sign in with "+orgs[0].Name) {
			t.Fatalf("no way to the employer's sign-in: %s", text)
		}
		tab.Axe()
		shoot(tab, "signin")
		tab.Click(".providers button")
		tab.Do(chromedp.SendKeys(chromedp.CSS("input[name=who]"), who))
		tab.Click("button")
		tab.Axe()
		shoot(tab, who)
		return tab
	}
	tab := signIn("gwenno")
	if text := tab.Text(); !strings.Contains(text, "Gwenno Mathias") || !strings.Contains(text, orgs[0].Name) {
		t.Fatalf("signed in on the vault's pages: %s", text)
	}
	if text := signIn("idris").Text(); strings.Contains(text, "Sign out") {
		t.Errorf("somebody without a role is signed in: %s", text)
	}
	users, err := office.Users(t.Context(), clerk)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, u := range users {
		switch u.Name {
		case "Gwenno Mathias":
			found++
			if u.Role != policy.Supervisor || len(u.Organisations) != 1 || u.Organisations[0] != orgs[0].ID {
				t.Errorf("the sign-in made %s of %v", u.Role, u.Organisations)
			}
		case "Idris Lloyd":
			t.Error("somebody without a role became a user")
		}
	}
	if found != 1 {
		t.Errorf("%d users of the name", found)
	}
}
