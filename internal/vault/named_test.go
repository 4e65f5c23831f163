package vault_test

import (
	"slices"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestNamedValuesNameTheirWearers: a value that no row tells the wearer of is entered as that wearer's dose when it is opened; it can't be opened as anything
// else, nor sealed for nobody, and what is about others stays closed.
func TestNamedValuesNameTheirWearers(t *testing.T) {
	h := newHouse(t)
	org, other := h.organisation("A"), h.organisation("B")
	ws, elsewhere := h.join(org, "Jones, Siân, A1", "Evans, Gwen, A2"), h.join(other, "Rees, Ifan, B1")
	about := func(w id.Wearer) vc.Item {
		return vc.Item{Context: vc.Context{Table: "investigation", Row: id.New[id.Row](), Version: 1, Class: policy.ClassEmployment, Organisation: org, Named: true}, Value: append(w[:], "15.4 mSv"...), Pad: 64}
	}
	items := []vc.Item{about(ws[0]), about(ws[1])}
	sealed := must(h.nodes["cli"].Seal(t.Context(), h.root, policy.AssessDose, items))
	for i := range items {
		items[i].Value = sealed[i]
	}
	supervisor := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	open := func(who vc.Auth, about []id.Wearer, items ...vc.Item) ([][]byte, error) {
		return h.nodes["web"].Open(t.Context(), who, vc.OpenRequest{Purpose: policy.AssessDose, About: about, Items: items})
	}
	entered := func(w id.Wearer) (n int) {
		t.Helper()
		for _, e := range must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: org, Wearer: w, Limit: 100})).Entries {
			if e.Kind == "reveal" && e.Fields&policy.FieldDose != 0 {
				n++
			}
		}
		return n
	}
	got, err := open(supervisor, nil, items...)
	if err != nil || string(got[1][16:]) != "15.4 mSv" || entered(ws[0]) != 1 || entered(ws[1]) != 1 {
		t.Fatalf("opened %q, %v; entered %d and %d times", got, err, entered(ws[0]), entered(ws[1]))
	}
	got, err = open(supervisor, ws[:1], items...)
	if err != nil || len(got[0]) == 0 || len(got[1]) != 0 || entered(ws[0]) != 2 || entered(ws[1]) != 1 {
		t.Errorf("about one: opened %q, %v; entered %d and %d times", got, err, entered(ws[0]), entered(ws[1]))
	}
	// That nothing is about somebody is an answer about them: whoever may not see their doses does not get it, and it is entered.
	local := h.signIn("web", vc.NewUser{Name: "M", Role: policy.Local, Organisations: []id.Organisation{org}})
	for who, auth := range map[string]vc.Auth{"who hands out badges": local, "another employer's supervisor": h.signIn("web", vc.NewUser{Name: "U", Role: policy.Supervisor, Organisations: []id.Organisation{other}})} {
		if got, err := open(auth, ws[:1], items[1]); code(err) != vc.Refused {
			t.Errorf("%s was told that none is about somebody: %q, %v", who, got, err)
		}
	}
	if got, err := open(supervisor, elsewhere, items...); code(err) != vc.Refused {
		t.Errorf("about another employer's: opened %q, %v", got, err)
	}
	unworn := h.join(org, "Lloyd, Non, A3")
	if got, err := open(supervisor, unworn, items...); err != nil || len(got[0])+len(got[1]) != 0 || entered(unworn[0]) != 1 || entered(ws[0]) != 2 || entered(ws[1]) != 1 {
		t.Errorf("about somebody of whom there is none: opened %q, %v; entered %d times", got, err, entered(unworn[0]))
	}
	look := must(h.nodes["web"].Look(t.Context(), supervisor, vc.LookRequest{OpenRequest: vc.OpenRequest{Purpose: policy.AssessDose, About: ws[1:], Items: items}, Fields: policy.FieldName, Wearers: ws[1:]}))
	if len(look.Values[0]) != 0 || string(look.Values[1][16:]) != "15.4 mSv" || look.Records[0].Identity.Surname.Expose() != "Evans" || entered(ws[1]) != 2 || entered(ws[0]) != 2 {
		t.Errorf("a look: %+v", look)
	}
	for who, auth := range map[string]vc.Auth{"who hands out badges": h.signIn("web", vc.NewUser{Name: "L", Role: policy.Local, Organisations: []id.Organisation{org}}),
		"another employer's supervisor": h.signIn("web", vc.NewUser{Name: "T", Role: policy.Supervisor, Organisations: []id.Organisation{other}})} {
		if got, err := open(auth, nil, items...); code(err) != vc.Refused {
			t.Errorf("%s opened %q, %v", who, got, err)
		}
	}
	unnamed, owned := items[0], items[0]
	unnamed.Named, owned.Wearer = false, ws[0]
	for what, it := range map[string]vc.Item{"not named": unnamed, "with a wearer": owned} {
		if got, err := open(h.signIn("web", vc.NewUser{Name: "C", Role: policy.Coordinator}), nil, it); code(err) != vc.Invalid {
			t.Errorf("%s: opened %q, %v", what, got, err)
		}
	}
	short := about(ws[0])
	short.Value = short.Value[:15]
	for what, it := range map[string]vc.Item{"about another organisation's wearer": about(elsewhere[0]), "about nobody": about(id.New[id.Wearer]()), "too short": short} {
		if _, err := h.nodes["cli"].Seal(t.Context(), h.root, policy.AssessDose, []vc.Item{it}); code(err) != vc.Invalid {
			t.Errorf("sealed %s: %v", what, err)
		}
	}
	if n := slices.Max([]int{entered(ws[0]), entered(ws[1])}); n != 2 {
		t.Errorf("refusals are entered as reveals: %d", n)
	}
}
