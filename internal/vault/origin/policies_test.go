package origin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestPoliciesPage: the page shows which policies hold where, since when and by which approval, with every file; whoever is tied to
// an organisation is told of no other.
func TestPoliciesPage(t *testing.T) {
	h := newDemo(t)
	h.organisation("Glannau Aeron")
	b := h.organisation("Ysbyty Gwynfa")
	u := h.users(vc.NewUser{Name: "Owain Rees", Role: policy.Administrator}, vc.NewUser{Name: "Dilys Parry", Role: policy.DataProtection, Organisations: []id.Organisation{b}})
	o := h.origin(true)
	owain, dilys := h.browser(o), h.browser(o)
	owain.signInAs(u[0])
	dilys.signInAs(u[1])
	before := must(h.v.Policies(t.Context(), h.root))
	if text := owain.get("/policies").Body.String(); !strings.Contains(text, before.Version) || !strings.Contains(text, "as the program carries them") || strings.Count(text, "<details>") != len(before.Files) {
		t.Errorf("unchanged: %s", text)
	}
	const rule = `when { ["issue-badges", "assess-dose"].contains(context.purpose) }
when { ["name", "staff_number", `
	text := policy.Carried()["reveal.cedar"]
	if !strings.Contains(text, rule) {
		t.Fatal("the supervisor's rule is another")
	}
	body := must(json.Marshal(vc.PoliciesChange{Base: before.Version, Files: policy.Files{"reveal.cedar": strings.Replace(text, rule, rule+`"birth", `, 1), "reveal.examples": ""}}))
	change := must(h.v.Propose(t.Context(), h.root, vc.Proposal{Kind: vc.ApprovePolicies, Body: body})).String()
	now := must(h.v.Policies(t.Context(), h.root))
	if len(now.Others) != 2 {
		t.Fatalf("%d organisations have not agreed: nothing is shown", len(now.Others))
	}
	for _, want := range []string{now.Version, "/policies/" + before.Version, "Glannau Aeron", "Ysbyty Gwynfa", "The service, but for those below", "/approvals/" + change, "as the program carries them", "&#34;birth&#34;"} {
		if text := owain.get("/policies").Body.String(); !strings.Contains(text, want) {
			t.Errorf("%q is not shown: %s", want, text)
		}
	}
	if text := owain.get("/policies/" + before.Version + "?lang=cy").Body.String(); !strings.Contains(text, "Ffeiliau fersiwn "+before.Version) || !strings.Contains(text, "fel y mae") {
		t.Errorf("in Welsh: %s", text)
	}
	if text := dilys.get("/policies").Body.String(); strings.Contains(text, "Glannau Aeron") || !strings.Contains(text, "Ysbyty Gwynfa") {
		t.Errorf("an officer is told of another organisation, or not of their own: %s", text)
	}
	if w := owain.get("/policies/000000000000"); w.Code != http.StatusNotFound {
		t.Errorf("policies that hold nowhere: %d", w.Code)
	}
}
