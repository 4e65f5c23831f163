package vault_test

import (
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// changedPolicies lets supervisors see dates of birth, and no doses for badges.
func changedPolicies(t *testing.T) policy.Files {
	t.Helper()
	text := policy.Carried()["reveal.cedar"]
	const old = `when { principal in resource.organisation }
when { ["issue-badges", "assess-dose"].contains(context.purpose) }
when { ["name", "staff_number", "dose", "employment"]`
	if !strings.Contains(text, old) {
		t.Fatal("the supervisor's rule is another")
	}
	return policy.Files{"reveal.cedar": strings.Replace(text, old, strings.Replace(old, `"dose"`, `"birth"`, 1), 1), "reveal.examples": ""}
}

// A change holds at once where it opens nothing more, and elsewhere when the organisation agrees; over a restart too. Each
// entry names the version that decided.
func TestAnOrganisationKeepsItsPoliciesUntilItAgrees(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("Bwrdd Iechyd Glyndŵr"), h.organisation("Ysbyty Gwynfa")
	ws := map[id.Organisation][]id.Wearer{a: h.join(a, "Jones, Siân, A1"), b: h.join(b, "Rees, Tomos, B1")}
	auth := map[id.Organisation]vc.Auth{}
	for org, name := range map[id.Organisation]string{a: "Huw Parry", b: "Nest Morgan"} {
		auth[org] = h.signIn("web", vc.NewUser{Name: name, Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	}
	sees := func(org id.Organisation, f policy.Fields) bool {
		_, err := h.nodes["web"].Reveal(t.Context(), auth[org], vc.RevealRequest{Purpose: policy.IssueBadges, Fields: f, Wearers: ws[org]})
		if err != nil && code(err) != vc.Refused {
			t.Fatal(err)
		}
		return err == nil
	}
	version := func(org id.Organisation) string {
		page := must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: org, Limit: 10}))
		for _, e := range page.Entries {
			if e.Kind == "reveal" || e.Kind == "refuse" {
				return e.Policy
			}
		}
		t.Fatal("no entry")
		return ""
	}
	if sees(a, policy.FieldBirth) || sees(b, policy.FieldBirth) {
		t.Fatal("a supervisor sees dates of birth already")
	}
	before := version(a)

	ok(t, h.v.ChangePolicies(t.Context(), changedPolicies(t)))
	for range 2 {
		if sees(a, policy.FieldBirth) || sees(b, policy.FieldBirth) {
			t.Fatal("an organisation is opened further, and did not agree")
		}
		if version(a) != before {
			t.Errorf("decided by %s, entered as %s", before, version(a))
		}
		h.stop()
		h.start()
	}
	ok(t, h.v.AgreeToPolicies(t.Context(), b))
	for range 2 {
		if sees(a, policy.FieldBirth) || !sees(b, policy.FieldBirth) {
			t.Fatal("only the organisation that agreed is opened further")
		}
		if version(a) != before || version(b) == before {
			t.Errorf("versions %s and %s, before %s", version(a), version(b), before)
		}
		h.stop()
		h.start()
	}
	// Back to what the program carries: doses open again, so the organisation that agreed to the change is asked once more.
	ok(t, h.v.ChangePolicies(t.Context(), policy.Files{}))
	if sees(a, policy.FieldBirth) {
		t.Error("a supervisor of who never agreed sees dates of birth")
	}
	if !sees(b, policy.FieldBirth) {
		t.Error("an organisation that would be opened further is changed before it agreed")
	}
	ok(t, h.v.AgreeToPolicies(t.Context(), b))
	if sees(b, policy.FieldBirth) || version(b) != before {
		t.Error("the carried policies do not hold again")
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
