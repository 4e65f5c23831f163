package vault_test

import (
	"fmt"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// people lists the wearers that are one human being with a wearer.
func (h *house) people(w id.Wearer) int {
	h.t.Helper()
	return len(must(h.nodes["cli"].Linked(h.t.Context(), h.root, policy.AssessDose, []id.Wearer{w}))[0])
}

// change changes people, and returns the vault's answer to staging or to confirming it.
func (h *house) change(changes ...vc.Change) error {
	n := id.New[id.Import]()
	if _, err := h.nodes["cli"].Stage(h.t.Context(), h.root, n, changes); err != nil {
		return err
	}
	return h.nodes["cli"].Confirm(h.t.Context(), h.root, n, nil)
}

// changes lists what an organisation's ledger says was changed of a wearer, newest first.
func (h *house) changes(org id.Organisation, w id.Wearer) (out []string) {
	h.t.Helper()
	page := must(h.nodes["cli"].Ledger(h.t.Context(), h.root, vc.LedgerRequest{Organisation: org, Wearer: w, Changes: true, Limit: 100}))
	for _, e := range page.Entries {
		out = append(out, fmt.Sprintf("%s %v by %s", e.Kind, e.Fields, e.Actor))
	}
	return out
}

// TestAFormChangesWhatItAsksFor: a change of one wearer touches the fields that it gives or replaces, keeps a surname
// that was changed, and the ledger says which fields of whom.
func TestAFormChangesWhatItAsksFor(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	ws := h.join(a, "Rees, Ifan, A1, AB123456C", "Bowen, Siân, A2")
	w := ws[0]
	value := person.NewValue
	keep := vc.Change{Organisation: a, Wearer: w, KeepTo: true, KeepClassified: true}
	with := func(fn func(*vc.Change)) vc.Change { c := keep; fn(&c); return c }
	for what, c := range map[string]vc.Change{
		"a staff number of somebody else": with(func(c *vc.Change) { c.Identity.StaffNumber = value("A2") }),
		"a wearer of another employer":    with(func(c *vc.Change) { c.Organisation = b }),
		"somebody new who is there":       {Organisation: a, New: true, Identity: person.Identity{Surname: value("Rees"), StaffNumber: value("A2")}},
		"nobody":                          with(func(c *vc.Change) { c.Wearer = id.New[id.Wearer]() }),
		"an NI number of nobody":          {Organisation: a, Wearer: ws[1], KeepTo: true, KeepClassified: true, NI: value("AB123456D")},
	} {
		if err := h.change(c); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, c := range []vc.Change{
		with(func(c *vc.Change) { c.Identity.Surname, c.Identity.KnownAs = value("Parry"), value("Ifi") }),
		with(func(c *vc.Change) { c.Identity.StaffNumber = value("A9") }),
		with(func(c *vc.Change) { c.Contact, c.Replace = person.Contact{}, policy.FieldContact }),
		with(func(c *vc.Change) { c.Identity.Forenames, c.Replace = value("Ifan Wyn"), policy.FieldName }), // and no "known as" any more
		with(func(c *vc.Change) { c.Also = policy.FieldEmployment }),
		with(func(c *vc.Change) { c.To, c.KeepTo = "2026-06-30", false }),
	} {
		if err := h.change(c); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		got := must(h.nodes["cli"].Reveal(t.Context(), h.root, vc.RevealRequest{Purpose: policy.KeepRecords, Wearers: []id.Wearer{w},
			Fields: policy.FieldName | policy.FieldSex | policy.FieldStaffNumber | policy.FieldContact}))[0]
		i := got.Identity
		if i.Surname.Expose() != "Parry" || len(i.Former) != 1 || i.Former[0].Expose() != "Rees" || i.Forenames.Expose() != "Ifan Wyn" || !i.KnownAs.IsZero() ||
			i.StaffNumber.Expose() != "A9" || i.Sex.Expose() != "F" || !got.Contact.Email.IsZero() || got.To != "2026-06-30" || !got.Classified {
			t.Errorf("%q %v %q, contact %q, %s", i.Surname.Expose(), i.Former, i.StaffNumber.Expose(), got.Contact.Email.Expose(), got.To)
		}
		keys := []vc.StaffKey{{Organisation: a, StaffNumber: value("A1")}, {Organisation: a, StaffNumber: value("A9")}}
		if found := must(h.nodes["cli"].FindStaff(t.Context(), h.root, policy.IssueBadges, keys)); !found[0].IsZero() || found[1] != w {
			t.Errorf("by staff number %v", found)
		}
	}
	check()
	want := "[write employment by Mair Evans write employment by Mair Evans write name by Mair Evans write contact by Mair Evans write staff number by Mair Evans write name by Mair Evans " +
		"write name + date of birth + sex + staff number + NI number + contact + employment by Mair Evans]"
	if got := fmt.Sprint(h.changes(a, w)); got != want {
		t.Errorf("the ledger says\n%s\nwant\n%s", got, want)
	}
	h.stop()
	h.start()
	check()
	officer := h.signIn("web", vc.NewUser{Name: "R", Role: policy.RecordsOfficer})
	if got := must(h.nodes["web"].FindNI(t.Context(), officer, policy.StatutoryReturn, value("AB123456C"))); len(got) != 1 || got[0] != w {
		t.Errorf("by NI number %v", got)
	}
}

// TestWhoMayBeOnePerson: candidates for somebody new and pairs of those who are there, with what the ledger then says;
// linked, told apart, and kept over a restart.
func TestWhoMayBeOnePerson(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	rees := h.join(a, "Rees, Ifan, A1, AB123456C")[0]
	bowen := h.join(a, "Bowen-Jones, Siân, A2")[0]
	other := h.join(b, "Bowen Jnoes, Siân, B1")[0]
	h.join(b, "Parry, Mair, B2")
	value := person.NewValue
	somebody := func(surname, forenames, birth string) person.Identity {
		return person.Identity{Surname: value(surname), Forenames: value(forenames), Birth: value(birth)}
	}
	match := func(i person.Identity, ni string) (out []string) {
		t.Helper()
		for _, c := range must(h.nodes["cli"].Match(t.Context(), h.root, b, i, value(ni))) {
			out = append(out, string(c.Why))
		}
		return out
	}
	for _, c := range []struct {
		who  person.Identity
		ni   string
		want string
	}{
		{somebody("REES", "Ifan", "1980-02-03"), "", "[same-name-and-birth]"},
		{somebody("Rees", "Ifan", "1980-03-02"), "", "[near-birth]"},
		{somebody("Rees", "Ifan", ""), "", "[unknown-birth]"},
		{somebody("Morgan", "Elin", "1990-01-01"), "AB123456C", "[same-ni]"},
		{somebody("Bowen Jones", "Sian", "1980-02-03"), "AB123456C", "[same-ni same-name-and-birth near-name]"},
		{somebody("Morgan", "Elin", "1980-02-03"), "", "[]"},
	} {
		if got := fmt.Sprint(match(c.who, c.ni)); got != c.want {
			t.Errorf("%s: %s, want %s", c.who.Surname.Expose(), got, c.want)
		}
	}
	page := must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: a, Wearer: rees, Limit: 1}))
	if e := page.Entries[0]; e.Kind != "search" || e.Fields != policy.FieldNI || e.Rule != "match/co-ordinator" {
		t.Errorf("the last answer was entered as %+v", e)
	}
	supervisor := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	local := h.signIn("web", vc.NewUser{Name: "L", Role: policy.Coordinator, Organisations: []id.Organisation{b}})
	if _, err := h.nodes["web"].Match(t.Context(), supervisor, a, somebody("Rees", "Ifan", ""), person.Value{}); code(err) != vc.Refused {
		t.Errorf("a supervisor asks who may be one person: %v", err)
	}
	if got := must(h.nodes["web"].Match(t.Context(), local, b, somebody("Rees", "Ifan", "1980-02-03"), value("AB123456C"))); len(got) != 0 {
		t.Errorf("a co-ordinator of B is told of A's people: %v", got)
	}
	if _, err := h.nodes["web"].Pairs(t.Context(), local, vc.PairsRequest{Limit: 10}); code(err) != vc.Refused {
		t.Errorf("a co-ordinator of B asks for everybody's pairs: %v", err)
	}

	pairs := func() []vc.Pair {
		t.Helper()
		return must(h.nodes["cli"].Pairs(t.Context(), h.root, vc.PairsRequest{Limit: 10})).Pairs
	}
	got := pairs()
	if len(got) != 1 || got[0].One.Why != person.NearName || got[0].One.Wearer != other || got[0].Other.Wearer != bowen || got[0].Other.Organisation != a {
		t.Fatalf("pairs %v", got)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.nodes["web"].LinkPersons(t.Context(), local, other, bowen); code(err) != vc.Refused {
		t.Errorf("a co-ordinator of B links A's wearers: %v", err)
	}
	if err := h.change(vc.Change{Organisation: a, SamePerson: id.New[id.Wearer](), Identity: person.Identity{Surname: value("X"), StaffNumber: value("Z")}}); code(err) != vc.Invalid {
		t.Errorf("the same as nobody: %v", err)
	}
	for range 2 { // the second time nothing changes
		do(h.nodes["cli"].LinkPersons(t.Context(), h.root, bowen, other))
	}
	if n := h.people(other); n != 2 || len(pairs()) != 0 {
		t.Errorf("%d are one person, pairs %v", n, pairs())
	}
	do(h.nodes["cli"].LinkPersons(t.Context(), h.root, bowen, rees))
	h.stop()
	h.start()
	if n := h.people(rees); n != 3 {
		t.Errorf("%d are one person after a restart", n)
	}
	for range 2 {
		do(h.nodes["cli"].TellApart(t.Context(), h.root, other, bowen))
	}
	if n, m := h.people(other), h.people(bowen); n != 1 || m != 2 || len(pairs()) != 0 {
		t.Errorf("told apart, %d and %d are one person; pairs %v", n, m, pairs())
	}
	if got := fmt.Sprint(h.changes(b, other)[:2]); got != "[person nothing by Mair Evans person nothing by Mair Evans]" {
		t.Errorf("the ledger says %s", got)
	}
	h.stop()
	h.start()
	if len(pairs()) != 0 {
		t.Error("that they were told apart is forgotten")
	}
	do(h.nodes["cli"].LinkPersons(t.Context(), h.root, other, bowen))
	if n := h.people(rees); n != 3 {
		t.Errorf("linked again, %d are one person", n)
	}
}

// TestEndedAccess: a user whose access has ended is signed out at once, and can't come back; their name stays.
func TestEndedAccess(t *testing.T) {
	h := newHouse(t)
	a := h.organisation("A")
	ids := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Owain", Role: policy.Coordinator}}))
	session := vc.Auth{Session: must(h.nodes["web"].RedeemCode(t.Context(), h.v.NewCode(ids[0], "web"))).Token}
	pending := must(h.nodes["cli"].NewLink(t.Context(), h.root, ids[0]))
	grant := vc.Auth{Grant: must(h.nodes["web"].GrantJob(t.Context(), session, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldDose, MaxWearers: 1, Import: id.New[id.Import](), Node: "worker", Lifetime: 1e9 * 60}))}
	me := must(h.nodes["cli"].Whoami(t.Context(), h.root))
	if err := h.nodes["cli"].EndUser(t.Context(), h.root, me.ID); code(err) != vc.Conflict {
		t.Errorf("ending one's own access: %v", err)
	}
	supervisor := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	if err := h.nodes["web"].EndUser(t.Context(), supervisor, me.ID); code(err) != vc.Refused {
		t.Errorf("a supervisor ends somebody's access: %v", err)
	}
	for range 2 {
		if err := h.nodes["cli"].EndUser(t.Context(), h.root, ids[0]); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := h.nodes["web"].Whoami(t.Context(), session); code(err) != vc.Unauthenticated {
			t.Errorf("the session: %v", err)
		}
		if _, err := h.nodes["worker"].Organisations(t.Context(), grant); code(err) != vc.Unauthenticated {
			t.Errorf("the grant: %v", err)
		}
		if _, err := h.nodes["cli"].RedeemLink(t.Context(), pending); code(err) != vc.Unauthenticated {
			t.Errorf("the link: %v", err)
		}
		if _, err := h.nodes["cli"].NewLink(t.Context(), h.root, ids[0]); code(err) != vc.NotFound {
			t.Errorf("a new link: %v", err)
		}
		h.stop()
		h.start()
	}
	if users := must(h.nodes["cli"].Users(t.Context(), h.root)); len(users) != 3 || users[1].Name != "Owain" || users[1].Ended.IsZero() {
		t.Errorf("users %+v", users)
	}
}
