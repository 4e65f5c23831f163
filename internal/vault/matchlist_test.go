package vault_test

import (
	"fmt"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Who may be on somebody else's list: the likeliest alone, with no field; an NI number decides only where name and date of birth do
// not, and what agreed of whom is entered, as is how many rows fitted nobody.
func TestMatchList(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	rees := h.join(a, "Rees, Ifan, A1, AB123456C")[0]
	h.join(a, "Bowen, Siân, A2, AB123456D", "Bowen, Siân, A3")
	elsewhere := h.join(b, "Rees, Ifan, B1", "Parry, Mair, B2")
	if err := h.nodes["cli"].LinkPersons(t.Context(), h.root, rees, elsewhere[0]); err != nil {
		t.Fatal(err)
	}
	if err := h.change(vc.Change{Organisation: b, Wearer: elsewhere[1], To: "2024-06-30", KeepClassified: true}); err != nil {
		t.Fatal(err)
	}
	h.plant(b, 5)
	row := func(org id.Organisation, name, birth, ni string) vc.Listed {
		return vc.Listed{Organisation: org, Name: person.NewValue(name), Birth: person.NewValue(birth), NI: person.NewValue(ni)}
	}
	none := id.Organisation{}
	for _, c := range []struct {
		row  vc.Listed
		want string // why, and of each wearer the person and whether they left
	}{
		{row(none, "IFAN REES", "1980-02-03", ""), "same-name-and-birth [{0 false} {0 false}] false"},
		{row(none, "Rees, Ifan", "1980-02-03", "AB123456D"), "same-name-and-birth [{0 false} {0 false}] false"}, // settled without the number
		{row(none, "BOWEN, SIAN", "1980-02-03", ""), "same-name-and-birth [{0 false} {1 false}] false"},
		{row(none, "BOWEN, SIAN", "1980-02-03", "AB123456D"), "same-ni [{0 false}] false"},
		{row(none, "Morgan, Elin", "", "AB123456D"), "same-ni [{0 false}] true"},
		{row(none, "Rees, Ifan", "1980-03-02", ""), "near-birth [{0 false} {0 false}] false"},
		{row(none, "Parry, Mair", "1980-02-03", ""), "same-name-and-birth [{0 true}] false"},
		{row(none, "Parri, Mair", "1980-02-03", ""), "near-name [{0 true}] false"},
		{row(b, "MAIR PARRY", "", ""), "unknown-birth [{0 true}] false"},
		{row(a, "Parry, Mair", "", ""), " [] false"},
		{row(none, "Parry, Mair", "", ""), " [] false"},
		{row(none, "Morgan, Elin", "1990-01-01", ""), " [] false"},
		{row(none, "", "", ""), " [] false"},
	} {
		f := must(h.nodes["cli"].MatchList(t.Context(), h.root, []vc.Listed{c.row}))[0]
		type who struct {
			person int
			left   bool
		}
		people := []who{}
		for _, w := range f.Wearers {
			people = append(people, who{w.Person, w.Left})
		}
		if got := fmt.Sprintf("%s %v %v", f.Why, people, f.Another); got != c.want {
			t.Errorf("%s, %s, %s: %s, want %s", c.row.Name.Expose(), c.row.Birth.Expose(), c.row.NI.Expose(), got, c.want)
		}
	}
	page := must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: a, Wearer: rees, Limit: 1}))
	if e := page.Entries[0]; e.Kind != "search" || e.Fields != policy.FieldName|policy.FieldBirth || e.Count != 1 || e.Purpose != policy.BreachNotice {
		t.Errorf("the last answer about somebody of A was entered as %+v", e)
	}
	numbers := h.entriesLike(a, func(e vc.Entry) bool { return e.Kind == "search" && e.Fields == policy.FieldNI })
	if numbers != 2 {
		t.Errorf("%d entries say that an NI number agreed, want 2: it is looked at where nothing else settles it", numbers)
	}
	missed := must(h.nodes["cli"].Budgets(t.Context(), h.root))
	if l := line(missed, "guesses"); l.Used != 4 {
		t.Errorf("%d guesses were counted, want one for each row that fitted nobody", l.Used)
	}

	// Not more than a budget leaves, and nobody who may not.
	h.budget("role:co-ordinator", map[string]int{"guesses": 5})
	strangers := []vc.Listed{row(none, "Morgan, Elin", "1990-01-01", ""), row(none, "Puw, Elin", "1990-01-01", "")}
	if _, err := h.nodes["cli"].MatchList(t.Context(), h.root, strangers); code(err) != vc.OverBudget {
		t.Errorf("guessing on over the budget: %v", err)
	}
	officer := h.signIn("web", vc.NewUser{Name: "Gwen Officer", Role: policy.DataProtection, Organisations: []id.Organisation{a}})
	if _, err := h.nodes["web"].MatchList(t.Context(), officer, strangers); code(err) != vc.Refused {
		t.Errorf("an officer matches a list: %v", err)
	}
	local := h.signIn("web", vc.NewUser{Name: "L", Role: policy.Coordinator, Organisations: []id.Organisation{b}})
	if got := must(h.nodes["web"].MatchList(t.Context(), local, []vc.Listed{row(none, "Rees, Ifan", "1980-02-03", "")})); len(got[0].Wearers) != 1 || got[0].Wearers[0].Wearer != elsewhere[0] {
		t.Errorf("a co-ordinator of one organisation is told %+v", got)
	}
}
