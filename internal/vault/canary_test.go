package vault_test

import (
	"slices"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// plant invents canaries of an organisation and makes them real.
func (h *house) plant(org id.Organisation, n int) []id.Wearer {
	h.t.Helper()
	made := must(h.nodes["cli"].Invent(h.t.Context(), h.root, org, n))
	im := id.New[id.Import]()
	var ws []id.Wearer
	for _, s := range must(h.nodes["cli"].Stage(h.t.Context(), h.root, im, made)) {
		ws = append(ws, s.Wearer)
	}
	if err := h.nodes["cli"].Confirm(h.t.Context(), h.root, im, nil); err != nil {
		h.t.Fatal(err)
	}
	return ws
}

// Somebody who opens a canary by accident signs in again and sees a record like any other; whoever opens another one is
// frozen before the answer, over a restart too.
func TestWhoOpensCanariesIsFrozen(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 5)
	birds := h.plant(org, 3)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	// A list of leavers holds them, and looking through it is no hit; nor is reading the list's names.
	left := must(h.nodes["web"].Search(t.Context(), auth, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Left: true, Limit: 100}))
	if left.Total != 3 {
		t.Fatalf("%d have left", left.Total)
	}
	if err := h.names(auth, append(slices.Clone(ours), birds...)...); err != nil {
		t.Fatal(err)
	}
	if err := h.names(auth, birds[0]); code(err) != vc.Unauthenticated {
		t.Fatalf("the first: %v", err)
	}
	if err := h.names(auth, ours[0]); code(err) != vc.Unauthenticated {
		t.Errorf("the session after it: %v", err)
	}
	h.stop()
	h.start()
	auth = h.again("Rhys Prosser")
	for range 2 {
		if err := h.names(auth, birds[0]); err != nil {
			t.Errorf("the same after signing in again: %v", err)
		}
	}
	rec := must(h.nodes["web"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldStaffNumber | policy.FieldContact, Wearers: birds[:1]}))[0]
	if rec.Identity.Surname.IsZero() || rec.Identity.StaffNumber.IsZero() || rec.Current || rec.To == "" {
		t.Errorf("its record: %+v", rec)
	}
	if err := h.names(auth, birds[1]); code(err) != vc.IsFrozen {
		t.Errorf("another one: %v", err)
	}
	if err := h.names(auth, ours[0]); code(err) != vc.IsFrozen {
		t.Errorf("anybody after it: %v", err)
	}
	if got := h.entries(org, "alarm"); len(got) != 2 || got[0].Rule != "canary-opened" {
		t.Errorf("alarms: %+v", got)
	}
}

func TestAMachineIsFrozenAtTheFirstCanary(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 3)
	birds := h.plant(org, 1)
	auth, _ := h.machine("Reporting tool", "badges", 10, org)
	if err := h.names(auth, ours[0]); err != nil {
		t.Fatal(err)
	}
	if err := h.names(auth, birds[0]); code(err) != vc.IsFrozen {
		t.Errorf("a canary: %v", err)
	}
	if err := h.names(auth, ours[0]); code(err) != vc.IsFrozen {
		t.Errorf("after it: %v", err)
	}
}

// What goes into an export is held against the canaries whole; a notice of a breach goes to whom it concerns.
func TestAnExportOfACanaryIsAHit(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 3)
	birds := h.plant(org, 1)
	dpo := h.signIn("web", vc.NewUser{Name: "D", Role: policy.DataProtection, Organisations: []id.Organisation{org}})
	if _, err := h.nodes["web"].Reveal(t.Context(), dpo, vc.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName | policy.FieldContact, Wearers: birds}); err != nil {
		t.Errorf("a notice: %v", err)
	}
	auth := h.signIn("web", vc.NewUser{Name: "C", Role: policy.Coordinator})
	auth.Export = id.New[id.Export]()
	if err := h.names(auth, append(slices.Clone(ours), birds...)...); code(err) != vc.Unauthenticated {
		t.Errorf("an export with a canary: %v", err)
	}
}

// Nobody plants canaries, or learns whom, but the command line of who administers the installation; they look like anybody
// to whom joins, and are nobody's double.
func TestWhoPlantsCanaries(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	h.crowd(org, 3)
	web := h.signIn("web", vc.NewUser{Name: "C", Role: policy.Coordinator})
	if _, err := h.nodes["web"].Invent(t.Context(), web, org, 1); code(err) != vc.Refused {
		t.Errorf("by a node: %v", err)
	}
	made := must(h.nodes["cli"].Invent(t.Context(), h.root, org, 1))
	if _, err := h.nodes["web"].Stage(t.Context(), web, id.New[id.Import](), made); code(err) != vc.Refused {
		t.Errorf("staged by a node: %v", err)
	}
	stays := made[0]
	stays.To = ""
	if _, err := h.nodes["cli"].Stage(t.Context(), h.root, id.New[id.Import](), []vc.Change{stays}); code(err) != vc.Invalid {
		t.Errorf("one who has not left: %v", err)
	}
	im := id.New[id.Import]()
	must(h.nodes["cli"].Stage(t.Context(), h.root, im, made))
	if err := h.nodes["cli"].Confirm(t.Context(), h.root, im, nil); err != nil {
		t.Fatal(err)
	}
	if found := must(h.nodes["cli"].Match(t.Context(), h.root, org, made[0].Identity, person.Value{})); len(found) != 0 {
		t.Errorf("somebody new of a canary's name may be the canary: %+v", found)
	}
}
