package attack_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testpasskey"
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

// TestANodeSwapsNoApproval: whoever has a web node with the sessions of both people, and their cookies of the vault's pages, since
// browsers send those to every port of a host, has neither sign anything but what they were shown: not by what the wire has, not by
// another proposal under the first one's id, and not by their answers for the one sent in for the other.
func TestANodeSwapsNoApproval(t *testing.T) {
	h := house.New(t)
	h.Start("serve")
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	web, office, s := h.Client("web"), h.Client("cli"), steal(t, h)
	first, err := office.RedeemLink(ctx, h.FirstLink())
	ok(err)
	clerk := vaultclient.Auth{Session: first.Token}
	added, err := office.CreateUsers(ctx, clerk, []vaultclient.NewUser{{Name: "Owain Rees", Role: policy.Administrator}}) // the second person
	ok(err)
	join := func(user id.User) (*testpasskey.Device, string) {
		t.Helper()
		link, err := office.NewLink(ctx, clerk, user)
		ok(err)
		d, err := testpasskey.New("http://" + h.Vault)
		ok(err)
		code, err := d.Enrol(ctx, link)
		ok(err)
		session, err := web.RedeemCode(ctx, code)
		ok(err)
		return d, session.Token
	}
	one, eleri := join(first.User.ID)
	other, owain := join(added[0])
	propose := func(name string) (n id.Approval) {
		t.Helper()
		answer, _ := s.post("propose", map[string]any{"auth": map[string]any{"session": eleri}, "body": map[string]any{"kind": "user", "body": map[string]any{"name": name, "role": "co-ordinator"}}})
		ok(json.Unmarshal(answer, &n))
		return n
	}
	good, evil := propose("Rhys Prosser"), propose("An Accomplice")

	// shown is what somebody sees of a proposal.
	type shown struct{ page, digest string }
	look := func(d *testpasskey.Device, n id.Approval) shown {
		t.Helper()
		page, status, err := d.Get(ctx, "/approvals/"+n.String())
		ok(err)
		_, rest, _ := strings.Cut(page, `<code class="digest">`)
		digest, _, found := strings.Cut(rest, "<")
		if status != http.StatusOK || !found {
			t.Fatalf("%d: %s", status, page)
		}
		return shown{page, strings.ReplaceAll(digest, " ", "")}
	}
	answer := func(d *testpasskey.Device, x shown) string {
		t.Helper()
		response, err := d.Answer(x.page)
		ok(err)
		return response
	}
	sign := func(d *testpasskey.Device, n id.Approval, digest, response string) bool {
		t.Helper()
		_, to, err := d.Post(ctx, "/approvals/"+n.String()+"/sign", url.Values{"digest": {digest}, "response": {response}})
		ok(err)
		return to != nil && to.Query().Get("done") != ""
	}
	good1, evilDigest := look(one, good), look(one, evil).digest
	if !strings.Contains(good1.page, "Rhys Prosser") || good1.digest == evilDigest {
		t.Fatal("the two proposals are not told apart: nothing is shown")
	}
	var pages []shown
	for range 4 {
		pages = append(pages, look(one, good))
	}
	if !sign(one, good, good1.digest, answer(one, good1)) {
		t.Fatal("the proposer can't sign")
	}
	// Answers that the first person's passkey gave for what they were shown, and that never arrived.
	var caught []string
	for _, x := range pages {
		caught = append(caught, answer(one, x))
	}
	before := look(other, good)
	if !strings.Contains(before.page, "Rhys Prosser") || strings.Contains(before.page, "An Accomplice") {
		t.Fatalf("the second person is shown: %s", before.page)
	}

	// The wire: nothing changes what is shown or signs it, by whatever name.
	body := map[string]any{"name": "An Accomplice", "role": "co-ordinator"}
	for _, session := range []string{eleri, owain} {
		for _, method := range []string{"sign-approval", "approve", "approval", "change-approval", "decline-approval", "settle-approval", "recovery-link", "begin-assertion"} {
			for _, in := range []any{good, map[string]any{"id": good, "kind": "user", "body": body}, map[string]any{"approval": good, "digest": good1.digest, "response": caught[0]}} {
				if got, _ := s.post(method, map[string]any{"auth": map[string]any{"session": session}, "body": in}); got != nil {
					t.Errorf("%s: %q", method, got)
				}
			}
		}
		if got, _ := s.post("propose", map[string]any{"auth": map[string]any{"session": session}, "body": map[string]any{"id": good, "kind": "user", "body": body}}); got != nil {
			t.Errorf("a proposal under another's id: %q", got)
		}
	}
	if got, _ := s.post("withdraw-approval", map[string]any{"auth": map[string]any{"session": owain}, "body": good}); got != nil {
		t.Errorf("withdrawn by who did not propose it: %q", got)
	}
	// The vault's pages with the cookies: an answer for the one, under the other's id, with the one's digest or the other's.
	for i, x := range []struct {
		by       *testpasskey.Device
		n        id.Approval
		digest   string
		response string
	}{
		{one, evil, good1.digest, caught[0]},
		{one, evil, evilDigest, caught[1]},
		{one, good, good1.digest, caught[2]},
		{other, good, good1.digest, caught[3]},
		{other, evil, evilDigest, answer(other, look(other, good))},
		{other, evil, good1.digest, answer(other, look(other, good))},
		{other, good, evilDigest, answer(other, look(other, good))},
		{other, good, good1.digest, ""},
	} {
		if sign(x.by, x.n, x.digest, x.response) {
			t.Errorf("%d was taken", i)
		}
	}
	if status, _, err := other.Post(ctx, "/approvals/"+good.String()+"/decline", nil); err != nil || status != http.StatusForbidden {
		t.Errorf("declined with the cookie alone: %d, %v", status, err)
	}
	if after := look(other, good); after.digest != before.digest || !strings.Contains(after.page, "Rhys Prosser") || strings.Contains(after.page, "An Accomplice") {
		t.Errorf("the second person is now shown: %s", after.page)
	}
	names := func() (all []string) {
		t.Helper()
		users, err := office.Users(ctx, clerk)
		ok(err)
		for _, u := range users {
			all = append(all, u.Name)
		}
		slices.Sort(all)
		return all
	}
	if got := names(); len(got) != 2 {
		t.Errorf("there are %q", got)
	}

	// What was shown is what takes effect, and the answer that did it does nothing else.
	last := look(other, good)
	approved := answer(other, last)
	if !sign(other, good, last.digest, approved) {
		t.Fatal("the second person can't approve what they were shown: nothing is shown")
	}
	if sign(other, good, last.digest, approved) || sign(other, evil, last.digest, approved) || sign(other, evil, evilDigest, approved) {
		t.Error("the approval's answer was taken once more")
	}
	if got := names(); !slices.Equal(got, []string{"First co-ordinator", "Owain Rees", "Rhys Prosser"}) {
		t.Errorf("there are %q", got)
	}
	if out, err := h.Run("verify"); err != nil || !strings.Contains(out, "Approvals that took effect: 1; every signature holds") {
		t.Errorf("verify: %v\n%s", err, out)
	}
}
