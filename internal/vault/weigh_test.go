package vault_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestAListIsWeighed: what staging would do is told row by row, nobody is changed by it, and what was compared and found is
// entered where it belongs.
func TestAListIsWeighed(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	value := person.NewValue
	born := func(org id.Organisation, staff, surname, forenames, birth string) vc.Change {
		return vc.Change{Organisation: org, Identity: person.Identity{StaffNumber: value(staff), Surname: value(surname), Forenames: value(forenames), Birth: value(birth)}, KeepTo: true, KeepClassified: true}
	}
	if err := h.change(born(a, "A1", "Rees", "Ifan", "1980-01-02"), born(a, "A2", "Bowen", "Siân", "1981-03-04"), born(a, "A3", "Prys", "Non", "1982-05-06")); err != nil {
		t.Fatal(err)
	}
	classified := born(b, "B9", "Lloyd", "Mair", "1990-01-01")
	classified.Classified, classified.KeepClassified, classified.NI = true, false, value("AB123456C")
	if err := h.change(classified); err != nil {
		t.Fatal(err)
	}
	ws := must(h.nodes["cli"].FindStaff(t.Context(), h.root, policy.IssueBadges, []vc.StaffKey{{Organisation: a, StaffNumber: value("A1")}, {Organisation: a, StaffNumber: value("A2")}, {Organisation: a, StaffNumber: value("A3")}, {Organisation: b, StaffNumber: value("B9")}}))

	leaves, same, nameless := born(a, "A1", "", "", ""), born(a, "A2", "Bowen", "Siân", ""), born(a, "A7", "", "Gwen", "")
	leaves.To, leaves.KeepTo = "2026-01-31", false
	linked := born(a, "A8", "Lloyd", "Mair", "1990-01-01")
	linked.Classified, linked.KeepClassified, linked.NI = true, false, value("AB123456C")
	changes := []vc.Change{leaves, same, born(a, "A3", "Prys-Rees", "Non", ""), nameless, born(b, "B1", "Rees", "Ifan", "1980-01-02"), born(b, "B2", "Puw", "Twm", "1970-01-01"), born(b, "B3", "Puw", "Twm", "1970-01-01"), linked}
	n := id.New[id.Import]()
	got := must(h.nodes["cli"].Weigh(t.Context(), h.root, n, changes))
	want := []vc.Weighed{
		{Wearer: ws[0], State: "changed", Fields: policy.FieldEmployment, Ends: true},
		{Wearer: ws[1], State: "same"},
		{Wearer: ws[2], State: "changed", Fields: policy.FieldName},
		{State: "refused", Reason: "no wearer of that organisation has this staff number: to take somebody on, a surname is needed"},
		{State: "new", Fields: got[4].Fields, Like: []vc.Candidate{{Wearer: ws[0], Organisation: a, Why: person.SameNameAndBirth}}},
		{State: "new", Fields: got[5].Fields, Twins: []int{6}},
		{State: "new", Fields: got[6].Fields},
		{State: "new", Fields: got[7].Fields, Like: []vc.Candidate{{Wearer: ws[3], Organisation: b, Why: person.SameNI}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if found := must(h.nodes["cli"].FindStaff(t.Context(), h.root, policy.IssueBadges, []vc.StaffKey{{Organisation: b, StaffNumber: value("B1")}})); !found[0].IsZero() {
		t.Error("somebody was taken on by weighing")
	}
	if pending := must(h.nodes["worker"].Pending(t.Context())); len(pending) != 0 {
		t.Errorf("%d imports are pending", len(pending))
	}
	// The candidates' fields count as seen by who was told of them; B's list of newcomers is in B's ledger.
	x := must(h.nodes["cli"].Exposures(t.Context(), h.root, vc.ExposureRequest{Recipient: "node:cli", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), List: true}))
	seen := map[id.Wearer]policy.Fields{}
	for _, e := range x.List {
		seen[e.Wearer] |= e.Fields
	}
	if seen[ws[0]]&(policy.FieldName|policy.FieldBirth) != policy.FieldName|policy.FieldBirth || seen[ws[3]]&policy.FieldNI == 0 {
		t.Errorf("%v", seen)
	}
	for _, org := range []id.Organisation{a, b} {
		page := must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: org, Limit: 10}))
		entered := 0
		for _, e := range page.Entries {
			if e.Kind == "compare" {
				entered++
			}
		}
		if entered != 1 {
			t.Errorf("%d entries say that a list was held against the wearers", entered)
		}
	}
	// Whoever may not take people on learns nothing; a machine neither.
	supervisor := h.signIn("cli", vc.NewUser{Name: "Nia Bowen", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	if _, err := h.nodes["cli"].Weigh(t.Context(), supervisor, id.New[id.Import](), changes[:1]); code(err) != vc.Refused {
		t.Errorf("a supervisor: %v", err)
	}
	feed, _ := h.machine("HR", "staff", 100, a)
	if _, err := h.nodes["web"].Weigh(t.Context(), feed, id.New[id.Import](), []vc.Change{same}); code(err) != vc.Refused {
		t.Errorf("a machine: %v", err)
	}
	if _, err := h.nodes["cli"].Weigh(t.Context(), h.root, n, nil); code(err) != vc.Invalid {
		t.Errorf("nothing: %v", err)
	}
}
