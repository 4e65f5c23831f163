package origin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestApprovalPages: two people sign one proposal on the pages, each seeing the same; a form with another digest, and one of
// who may not, changes nothing.
func TestApprovalPages(t *testing.T) {
	h := newDemo(t)
	u := h.users(vc.NewUser{Name: "Eleri Vaughan", Role: policy.Coordinator}, vc.NewUser{Name: "Owain Rees", Role: policy.Administrator}, vc.NewUser{Name: "Gethin Pryce", Role: policy.RecordsOfficer})
	eleri, owain, gethin := u[0], u[1], u[2]
	o := h.origin(true)
	one, other, third := h.browser(o), h.browser(o), h.browser(o)
	one.signInAs(eleri)
	other.signInAs(owain)
	third.signInAs(gethin)
	if w := one.get("/approvals"); !strings.Contains(w.Body.String(), "takes effect at once without a second person") {
		t.Errorf("it does not say who decides: %s", w.Body)
	}
	if w := one.post("/two-people", nil); w.Code != http.StatusSeeOther {
		t.Fatalf("ending it: %d", w.Code)
	}
	body, err := json.Marshal(vc.NewUser{Name: "Rhys Prosser", Role: policy.RecordsOfficer})
	if err != nil {
		t.Fatal(err)
	}
	c := vault.Caller{Node: "web"}
	c.Auth.Session = must(h.v.RedeemCode(t.Context(), c, h.v.NewCode(eleri, "web"))).Token
	n := must(h.v.Propose(t.Context(), c, vc.Proposal{Kind: vc.ApproveUser, Body: body}))
	page := "/approvals/" + n.String()
	digest := func(b *browser) string {
		t.Helper()
		text := b.get(page).Body.String()
		for _, want := range []string{"Rhys Prosser", "Records officer", "the whole service", "Eleri Vaughan"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not show %q", want)
			}
		}
		m := regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`).FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		groups := regexp.MustCompile(`....`).FindAllString(m[1], -1)
		if !strings.Contains(text, strings.Join(groups, " ")) {
			t.Error("the digest is not shown")
		}
		return m[1]
	}
	if digest(other) != "" {
		t.Error("it can be approved before it is signed")
	}
	d := digest(one)
	if w := one.post(page+"/sign", url.Values{"digest": {strings.Repeat("0", 64)}}); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "not what you were shown") {
		t.Errorf("another digest: %d", w.Code)
	}
	if w := one.post(page+"/sign", url.Values{"digest": {d}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != page+"?done=signed" {
		t.Fatalf("signed: %d: %s", w.Code, w.Body)
	}
	if w := one.post(page+"/sign", url.Values{"digest": {d}}); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "Somebody else has to approve it") {
		t.Errorf("approved by who proposed it: %d", w.Code)
	}
	if w := third.get(page); w.Code != http.StatusNotFound {
		t.Errorf("a records officer looks: %d", w.Code)
	}
	if w := third.post(page+"/sign", url.Values{"digest": {d}}); w.Code != http.StatusForbidden && w.Code != http.StatusNotFound {
		t.Errorf("a records officer signs: %d", w.Code)
	}
	if digest(other) != d {
		t.Error("both are not shown the same")
	}
	if w := other.get("/approvals"); !strings.Contains(w.Body.String(), "Waits for you") {
		t.Errorf("the list does not say that it waits: %s", w.Body)
	}
	if w := other.post(page+"/sign", url.Values{"digest": {d}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != page+"?done=approved" {
		t.Fatalf("approved: %d: %s", w.Code, w.Body)
	}
	for _, lang := range []string{"en", "cy"} {
		text := one.get(page + "?done=approved&lang=" + lang).Body.String()
		if want := map[string]string{"en": "It has taken effect.", "cy": "Mae wedi dod i rym."}[lang]; !strings.Contains(text, want) {
			t.Errorf("%s: the page does not say what became of it", lang)
		}
	}
	found := false
	for _, x := range h.v.DemoUsers() {
		found = found || x.Name == "Rhys Prosser"
	}
	if !found {
		t.Error("it did not take effect")
	}
	// Another one is declined, and one withdrawn.
	for _, end := range []struct {
		by   *browser
		what string
	}{{other, "decline"}, {one, "withdraw"}} {
		n := must(h.v.Propose(t.Context(), c, vc.Proposal{Kind: vc.ApproveUser, Body: body}))
		page := "/approvals/" + n.String()
		if w := end.by.post(page+"/"+end.what, nil); w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", end.what, w.Code)
		}
		if w := one.get(page); strings.Contains(w.Body.String(), `name="digest"`) {
			t.Errorf("after %s it can be signed", end.what)
		}
	}
}

// TestGrantPages: a standing grant is listed and ended.
func TestGrantPages(t *testing.T) {
	h := newDemo(t)
	owain := h.users(vc.NewUser{Name: "Owain Rees", Role: policy.Administrator})[0]
	body, err := json.Marshal(vc.NewGrant{Name: "Each night", Work: vc.Evaluation, Node: "worker", MaxWearers: 10, Ends: time.Now().AddDate(0, 1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	must(h.v.Propose(t.Context(), h.root, vc.Proposal{Kind: vc.ApproveGrant, Body: body}))
	b := h.browser(h.origin(true))
	b.signInAs(owain)
	text := b.get("/grants").Body.String()
	end := regexp.MustCompile(`action="(/grants/[a-z2-7]{26}/end)"`).FindStringSubmatch(text)
	if end == nil || !strings.Contains(text, "Each night") || !strings.Contains(text, "0 of 10") {
		t.Fatalf("the grant is not listed: %s", text)
	}
	if w := b.post(end[1], nil); w.Code != http.StatusSeeOther {
		t.Fatalf("ending it: %d", w.Code)
	}
	if text := b.get("/grants").Body.String(); strings.Contains(text, end[1]) || !strings.Contains(text, "Ended") {
		t.Error("it did not end")
	}
}
