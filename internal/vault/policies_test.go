package vault_test

import (
	"fmt"
	"slices"
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

// A change of policies takes two people; an organisation that it opens further stays as it was until its own data protection
// officer agrees, and nobody else can for it.
func TestPoliciesTakeTwoPeopleAndTheOrganisation(t *testing.T) {
	h := newTwo(t)
	a, b := h.organisation("Bwrdd Iechyd Glyndŵr"), h.organisation("Ysbyty Gwynfa")
	w := h.join(a, "Jones, Siân, A1")
	owain := h.made("Owain Rees", policy.Administrator)
	huw := h.made("Huw Parry", policy.Supervisor, a)
	dilys, others := h.made("Dilys Hughes", policy.DataProtection, a), h.made("Nest Morgan", policy.DataProtection, b)
	h.insist()
	sees := func() bool {
		_, err := h.v.Reveal(t.Context(), h.as("web", huw), vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldBirth, Wearers: w})
		if err != nil && code(err) != vc.Refused {
			t.Fatal(err)
		}
		return err == nil
	}
	base := must(h.v.Policies(t.Context(), h.as("cli", h.mair))).Version
	if _, err := h.propose(h.mair, vc.ApprovePolicies, vc.PoliciesChange{Base: "000000000000", Files: changedPolicies(t)}); code(err) != vc.Conflict {
		t.Errorf("a change of other policies: %v", err)
	}
	if _, err := h.propose(h.mair, vc.ApprovePolicies, vc.PoliciesChange{Base: base, Files: policy.Files{"every.cedar": ""}}); code(err) != vc.Invalid {
		t.Errorf("a change of what can't be changed: %v", err)
	}
	if _, err := h.propose(huw, vc.ApprovePolicies, vc.PoliciesChange{Base: base, Files: changedPolicies(t)}); code(err) != vc.Refused {
		t.Errorf("a supervisor proposes: %v", err)
	}
	approve := func(n id.Approval, proposer, approver id.User) {
		t.Helper()
		d := h.seen(proposer, n).Digest
		ok(t, h.sign(proposer, n, d))
		ok(t, h.sign(approver, n, d))
	}
	n := must(h.propose(h.mair, vc.ApprovePolicies, vc.PoliciesChange{Base: base, Files: changedPolicies(t)}))
	said := fmt.Sprint(h.seen(h.mair, n).Lines)
	for _, want := range []string{"supervisor of A may reveal for issue-badges, wearer: now also date of birth; no longer dose", `+ when { ["name", "staff_number", "birth", "employment"]`, "Bwrdd Iechyd Glyndŵr"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	approve(n, h.mair, owain)
	now := must(h.v.Policies(t.Context(), h.as("cli", h.mair)))
	if now.Version == base || len(now.Others) != 2 {
		t.Fatalf("after the change: %+v", now)
	}
	if sees() {
		t.Fatal("an organisation is opened further without its agreement")
	}
	n = must(h.propose(h.mair, vc.ApproveAgreement, vc.PoliciesAgreement{Organisation: a, Base: base, Version: now.Version}))
	d := h.seen(h.mair, n).Digest
	ok(t, h.sign(h.mair, n, d))
	for who, u := range map[string]id.User{"an administrator": owain, "another organisation's officer": others, "a supervisor": huw} {
		if err := h.sign(u, n, d); code(err) != vc.Refused {
			t.Errorf("%s agreed for it: %v", who, err)
		}
	}
	if sees() {
		t.Fatal("opened without its own officer")
	}
	ok(t, h.sign(dilys, n, d))
	for range 2 {
		if !sees() {
			t.Fatal("agreed, and nothing changed")
		}
		h.stop()
		h.start()
	}
	// Back to what the program carries, which opens doses again: who agreed stays with the change, by the agreement.
	last := must(h.propose(h.mair, vc.ApprovePolicies, vc.PoliciesChange{Base: now.Version}))
	approve(last, h.mair, owain)
	held := map[id.Organisation]id.Approval{}
	for _, x := range must(h.v.PoliciesHeld(t.Context(), h.as("cli", h.mair))) {
		if held[x.Organisation] = x.Approval; x.Since.IsZero() {
			t.Errorf("%q holds since nobody knows when", x.Name)
		}
	}
	if len(held) != 2 || held[id.Organisation{}] != last || held[a] != n {
		t.Errorf("held by %v; the change back is %v, the agreement %v", held, last, n)
	}
	found := 0
	for _, e := range must(h.v.Ledger(t.Context(), h.as("cli", h.mair), vc.LedgerRequest{Organisation: a, Limit: 100})).Entries {
		if e.Kind == "policy" {
			found++
		}
	}
	page := must(h.v.Alarms(t.Context(), h.as("cli", h.mair), vc.AlarmsRequest{Limit: 100}))
	if !slices.ContainsFunc(page.Alarms, func(a vc.Alarm) bool { return a.Kind == vc.AlarmPolicyChanged }) {
		t.Error("changed policies raised no alarm")
	}
	if found != 1 {
		t.Errorf("%d entries of policies in the organisation's ledger, want 1", found)
	}
}
