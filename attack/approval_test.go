package attack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web/webtest"
)

// TestApprovalInBrowser: what a node proposes is read and signed by two people in a browser on the vault's own origin, and takes
// effect then. With DOSEVAULT_SCREENSHOTS=DIR it leaves a picture of each page there.
func TestApprovalInBrowser(t *testing.T) {
	h := house.New(t)
	h.Start("demo", "--people", small)
	users := h.DemoUsers()
	client := h.Client("web")
	auth, err := h.SignIn(client, users["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	n, err := client.Propose(t.Context(), auth, vaultclient.ApproveUser, vaultclient.NewUser{Name: "Rhys Prosser", Role: policy.RecordsOfficer})
	if err != nil {
		t.Fatal(err)
	}
	browser := webtest.Browser(t)
	page := "http://" + h.Vault + "/approvals/" + n.String()
	for i, who := range []struct{ name, button, then string }{
		{"Eleri Vaughan", "Sign", "You have signed this"},
		{"Owain Rees", "Approve", "You have approved this"},
	} {
		tab := webtest.Open(t, browser, []int64{1280, 390}[i], 900, "http://"+h.Listen, "http://"+h.Vault)
		look := func(name string) {
			t.Helper()
			tab.Axe()
			if shots := os.Getenv("DOSEVAULT_SCREENSHOTS"); shots != "" {
				if err := os.WriteFile(filepath.Join(shots, "approval-"+name+"-"+who.button+".png"), tab.Screenshot(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		tab.Go(page)
		tab.Click(`li:has(input[value="` + users[who.name] + `"]) button`)
		if text := tab.Text(); !strings.Contains(text, "Rhys Prosser") || !strings.Contains(text, "the whole service") || !strings.Contains(text, who.button) {
			t.Fatalf("%s is shown: %s", who.name, text)
		}
		look("page")
		tab.Click(`form[action$="/sign"] button`)
		if text := tab.Text(); !strings.Contains(text, who.then) {
			t.Fatalf("after %s: %s", who.button, text)
		}
		look("done")
		tab.Go("http://" + h.Vault + "/approvals")
		look("list")
		tab.Go("http://" + h.Vault + "/grants")
		look("grants")
		tab.Click(`nav form button`)
	}
	if h.DemoUsers()["Rhys Prosser"] == "" {
		t.Error("it did not take effect")
	}
}
