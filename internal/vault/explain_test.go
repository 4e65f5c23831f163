package vault_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Who is said to be able to see an NI number is exactly who gets it, and the answer has the rule's text.
func TestWhoMaySeeAnNINumber(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("Bwrdd Iechyd Glyndŵr"), h.organisation("Ysbyty Gwynfa")
	w := h.join(a, "Jones, Siân, A1, AB123456C")[0]
	users := map[string]vc.NewUser{
		"Gethin Pryce": {Role: policy.RecordsOfficer},
		"Huw Parry":    {Role: policy.Supervisor, Organisations: []id.Organisation{a}},
		"Nest Morgan":  {Role: policy.RecordsOfficer, Organisations: []id.Organisation{b}},
		"Nia Bowen":    {Role: policy.RecordsOfficer, Purpose: policy.StatutoryReturn},
		"Siân Jones":   {Role: policy.Wearer, Wearers: []id.Wearer{w}},
		"Dilys Hughes": {Role: policy.DataProtection, Organisations: []id.Organisation{a}},
	}
	auth := map[string]vc.Auth{}
	for name, u := range users {
		u.Name = name
		auth[name] = h.signIn("web", u)
	}
	answer := must(h.nodes["web"].WhoMay(t.Context(), h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator}), vc.WhoMayRequest{Wearer: w, Fields: policy.FieldNI}))
	for name := range users {
		for _, purpose := range policy.Purposes {
			_, err := h.nodes["web"].Reveal(t.Context(), auth[name], vc.RevealRequest{Purpose: purpose, Fields: policy.FieldNI, Wearers: []id.Wearer{w}})
			said := slices.ContainsFunc(answer.Viewers, func(v vc.Viewer) bool { return v.Actor == name && v.Purpose == purpose })
			if said != (err == nil) {
				t.Errorf("%s for %s: said %v, was %v", name, purpose, said, err)
			}
		}
	}
	if text := answer.Rules["reveal/records-officer"]; !strings.Contains(text, "resource.classified") {
		t.Errorf("the rule reads %q", text)
	}
	// A wearer learns roles and numbers, no names; staff of others learn nothing.
	own := must(h.nodes["web"].WhoMay(t.Context(), auth["Siân Jones"], vc.WhoMayRequest{Wearer: w, Fields: policy.FieldNI}))
	officers := 0
	for _, v := range own.Viewers {
		if v.Named && v.Actor != "Siân Jones" {
			t.Errorf("a wearer learns that %q may see it", v.Actor)
		}
		if v.Role == string(policy.RecordsOfficer) && v.Purpose == policy.StatutoryReturn {
			officers += v.Number
		}
	}
	if officers != 2 {
		t.Errorf("%d records officers, want 2: %+v", officers, own.Viewers)
	}
	for _, name := range []string{"Huw Parry", "Nest Morgan"} {
		if _, err := h.nodes["web"].WhoMay(t.Context(), auth[name], vc.WhoMayRequest{Wearer: w, Fields: policy.FieldNI}); code(err) != vc.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.nodes["web"].WhoMay(t.Context(), auth["Dilys Hughes"], vc.WhoMayRequest{Wearer: w, Fields: policy.AllFields}); err != nil {
		t.Error(err)
	}
}

func TestWhatAUserSees(t *testing.T) {
	h := newHouse(t)
	a := h.organisation("Bwrdd Iechyd Glyndŵr")
	h.signIn("web", vc.NewUser{Name: "Huw Parry", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	other := h.signIn("web", vc.NewUser{Name: "Nest Morgan", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	var huw id.User
	for _, u := range must(h.nodes["cli"].Users(t.Context(), h.root)) {
		if u.Name == "Huw Parry" {
			huw = u.ID
		}
	}
	s := must(h.nodes["cli"].Sees(t.Context(), h.root, huw))
	if len(s.Places) != 1 || s.Places[0].Organisation != a || len(s.Places[0].Sights) == 0 {
		t.Fatalf("%+v", s)
	}
	for _, x := range s.Places[0].Sights {
		if x.Fields&(policy.FieldBirth|policy.FieldNI|policy.FieldContact|policy.FieldHealth) != 0 || x.Purpose != policy.IssueBadges && x.Purpose != policy.AssessDose {
			t.Errorf("a supervisor sees %s for %s", x.Fields, x.Purpose)
		}
	}
	if _, err := h.nodes["web"].Sees(t.Context(), other, huw); code(err) != vc.Refused {
		t.Errorf("a colleague asks: %v", err)
	}
	me := must(h.nodes["web"].Whoami(t.Context(), other))
	if s := must(h.nodes["web"].Sees(t.Context(), other, me.ID)); len(s.Places) != 1 {
		t.Errorf("of oneself: %+v", s)
	}
	// The ended see nothing.
	ok(t, h.nodes["cli"].EndUser(t.Context(), h.root, huw))
	if s := must(h.nodes["cli"].Sees(t.Context(), h.root, huw)); len(s.Places) != 0 {
		t.Errorf("after the end: %+v", s)
	}
}
