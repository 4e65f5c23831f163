package web

import (
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Every kind of entry that the vault makes has words.
func TestEveryKindHasWords(t *testing.T) {
	kinds := 0
	for k := ledger.NoKind + 1; !strings.HasPrefix(k.String(), "kind("); k++ {
		kinds++
		if got := sentence(t.Context(), vaultclient.Entry{Kind: k.String(), Actor: "Mair Evans", Role: "co-ordinator"}); strings.Contains(got.Text, "no words for") {
			t.Errorf("%s: %s", k, got.Text)
		}
	}
	if kinds < 29 {
		t.Errorf("only %d kinds", kinds)
	}
}

func TestSentence(t *testing.T) {
	at := time.Date(2026, 3, 12, 10, 4, 0, 0, time.UTC)
	const evans, coordinator = "Mair Evans", "co-ordinator"
	for _, c := range []struct {
		name      string
		e         vaultclient.Entry
		text, tag string
	}{
		{"names to issue badges", vaultclient.Entry{Kind: "reveal", Basis: "gate", Actor: evans, Role: coordinator, Purpose: policy.IssueBadges, Fields: policy.FieldName, Count: 25},
			"Mair Evans (co-ordinator) saw the names of 25 people to issue badges.", ""},
		{"one person, several fields", vaultclient.Entry{Kind: "reveal", Actor: evans, Role: coordinator, Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldStaffNumber | policy.FieldDose, Count: 1},
			"Mair Evans (co-ordinator) saw the name, staff number and doses of one person to assess doses.", ""},
		{"a list of newcomers", vaultclient.Entry{Kind: "reveal", Actor: evans, Role: coordinator, Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldBirth | policy.FieldDocument},
			"Mair Evans (co-ordinator) opened a list of people whom nobody here knew yet, with names and dates of birth to keep records.", ""},
		{"a list held against nobody", vaultclient.Entry{Kind: "compare", Actor: evans, Role: coordinator, Fields: policy.FieldName}, "Mair Evans (co-ordinator) had the vault hold a list of people against the wearers; it named nobody who is known.", ""},
		{"a name that is not the reader's to see", vaultclient.Entry{Kind: "reveal", Actor: coordinator, Role: coordinator, Purpose: policy.AssessDose, Fields: policy.FieldDose, Count: 1310},
			"A co-ordinator saw the doses of 1,310 people to assess doses.", ""},
		{"an operator", vaultclient.Entry{Kind: "sign-in", Role: "operator"}, "An operator signed in.", ""},
		{"the own record", vaultclient.Entry{Kind: "reveal", Actor: "Siân Llwyd", Role: "wearer", Purpose: policy.OwnRecord, Fields: policy.FieldName | policy.FieldDose, Count: 1},
			"Siân Llwyd (wearer) read their own name and doses.", ""},
		{"a job", vaultclient.Entry{Kind: "reveal", Actor: "a job given by Mair Evans", Role: "job", Node: "worker", Purpose: policy.AssessDose, Fields: policy.FieldDose, Count: 640},
			"A job given by Mair Evans saw the doses of 640 people to assess doses.", ""},
		{"a breach", vaultclient.Entry{Kind: "reveal", Actor: evans, Role: coordinator, Purpose: policy.BreachNotice, Fields: policy.FieldContact, Count: 2},
			"Mair Evans (co-ordinator) saw the contact details of 2 people to tell people of a breach.", ""},
		{"a purpose of later", vaultclient.Entry{Kind: "reveal", Actor: evans, Role: coordinator, Purpose: "audit", Fields: policy.FieldNI, Count: 2},
			"Mair Evans (co-ordinator) saw the NI numbers of 2 people for the purpose “audit”.", ""},
		{"a field of later", vaultclient.Entry{Kind: "reveal", Actor: evans, Role: coordinator, Fields: 1<<30 | policy.FieldSex, Count: 2},
			"Mair Evans (co-ordinator) saw the sex and other fields of 2 people.", ""},
		{"refused", vaultclient.Entry{Kind: "refuse", Actor: "Llŷr Hughes", Role: "supervisor", Purpose: policy.AssessDose, Fields: policy.FieldDose, Count: 3},
			"Llŷr Hughes (radiation protection supervisor) asked for the doses of 3 people to assess doses and was refused; nothing was shown.", "Refused"},
		{"refused, nobody named", vaultclient.Entry{Kind: "refuse", Role: "operator", Fields: policy.FieldName, Purpose: policy.IssueBadges},
			"An operator asked for names to issue badges and was refused; nothing was shown.", "Refused"},
		{"refused, no field", vaultclient.Entry{Kind: "refuse", Role: "operator", Purpose: policy.Oversight},
			"An operator asked for something for oversight and was refused; nothing was shown.", "Refused"},
		{"search", vaultclient.Entry{Kind: "search", Actor: evans, Role: coordinator, Purpose: policy.IssueBadges, Fields: policy.FieldName | policy.FieldStaffNumber, Count: 12},
			"Mair Evans (co-ordinator) looked through the wearers and saw the names and staff numbers of 12 people to issue badges.", ""},
		{"search, a miss", vaultclient.Entry{Kind: "search", Actor: evans, Role: coordinator, Purpose: policy.IssueBadges},
			"Mair Evans (co-ordinator) searched for a wearer to issue badges and found nobody.", ""},
		{"compare", vaultclient.Entry{Kind: "compare", Node: "worker", Fields: policy.FieldName, Count: 640},
			"The program's worker node had the vault compare the names of 640 people with a file's; only “same” or “different” came back.", ""},
		{"intake", vaultclient.Entry{Kind: "intake", Basis: "intake", Actor: evans, Role: coordinator, Node: "worker", Fields: policy.FieldName | policy.FieldDose, Count: 640},
			"Personal data arrived from outside: the names and doses of 640 people, taken in by Mair Evans (co-ordinator), by way of the worker node.", "From outside"},
		{"intake, not yet counted", vaultclient.Entry{Kind: "intake", Basis: "intake", Actor: evans, Role: coordinator},
			"Personal data arrived from outside, taken in by Mair Evans (co-ordinator).", "From outside"},
		{"declared", vaultclient.Entry{Kind: "declared", Basis: "declared", Actor: "Eluned Morgan", Role: "data-protection-officer", Fields: policy.FieldName | policy.FieldBirth | policy.FieldDose, Count: 312},
			"Eluned Morgan (data protection officer) declared that the names, dates of birth and doses of 312 people had gone to somebody outside; this was not seen here, only reported.", "Declared"},
		{"import", vaultclient.Entry{Kind: "import", Actor: evans, Role: coordinator, Count: 612}, "Mair Evans (co-ordinator) confirmed a file: the records of 612 people were stored.", ""},
		{"stage", vaultclient.Entry{Kind: "stage", Actor: evans, Role: coordinator, Count: 1}, "Mair Evans (co-ordinator) prepared new or changed records of one person, not yet in force.", ""},
		{"discard", vaultclient.Entry{Kind: "discard", Actor: evans, Role: coordinator}, "Mair Evans (co-ordinator) dropped a file that was on its way in; nothing of it was kept.", ""},
		{"write", vaultclient.Entry{Kind: "write", Actor: "a job", Role: "job", Fields: policy.FieldDose, Count: 7, Purpose: policy.AssessDose}, "A job wrote the doses of 7 people to assess doses.", ""},
		{"by a machine", vaultclient.Entry{Kind: "reveal", Actor: "the machine “Reporting tool”", Role: "machine", Fields: policy.FieldDose, Count: 7, Purpose: policy.AssessDose}, "The machine “Reporting tool” saw the doses of 7 people to assess doses.", ""},
		{"a machine's leave", vaultclient.Entry{Kind: "machine", Actor: "Mair Evans", Role: "co-ordinator", Fields: policy.FieldName | policy.FieldDose, Purpose: policy.AssessDose}, "Mair Evans (co-ordinator) gave a machine outside leave, or ended it: names and doses to assess doses.", ""},
		{"write, no field", vaultclient.Entry{Kind: "write", Actor: "a job", Role: "job", Count: 7}, "A job changed the records of 7 people.", ""},
		{"grant", vaultclient.Entry{Kind: "grant", Actor: evans, Role: coordinator, Fields: policy.FieldDose, Count: 700, Purpose: policy.AssessDose},
			"Mair Evans (co-ordinator) gave leave for a job to use doses of up to 700 people to assess doses.", ""},
		{"organisation's own", vaultclient.Entry{Kind: "reveal", Actor: evans, Role: coordinator, Fields: policy.FieldEmployment, Purpose: policy.AssessDose},
			"Mair Evans (co-ordinator) read the organisation's own rows (departments, badge types, dates) to assess doses; nobody's record was opened.", ""},
		{"import of nobody's", vaultclient.Entry{Kind: "import", Actor: evans, Role: coordinator, Node: "cli"},
			"Mair Evans (co-ordinator) confirmed a file, and what it holds was stored, on the command line.", ""},
		{"sign-in", vaultclient.Entry{Kind: "sign-in", Actor: evans, Role: coordinator, Node: "web"}, "Mair Evans (co-ordinator) signed in, by way of the web node.", ""},
		{"sign-out", vaultclient.Entry{Kind: "sign-out", Actor: evans, Role: coordinator}, "Mair Evans (co-ordinator) signed out.", ""},
		{"organisation", vaultclient.Entry{Kind: "organisation", Actor: evans, Role: coordinator}, "Mair Evans (co-ordinator) added or changed an organisation.", ""},
		{"user", vaultclient.Entry{Kind: "user", Actor: evans, Role: coordinator}, "Mair Evans (co-ordinator) added or changed somebody who may sign in.", ""},
		{"link", vaultclient.Entry{Kind: "link", Actor: evans, Role: coordinator}, "Mair Evans (co-ordinator) made a one-time link to sign in with.", ""},
		{"oversee", vaultclient.Entry{Kind: "oversee", Actor: evans, Role: coordinator, Purpose: policy.Oversight}, "Mair Evans (co-ordinator) looked at the ledger, or asked who had seen what.", ""},
		{"open-log", vaultclient.Entry{Kind: "open-log"}, "This ledger was opened.", "Upkeep"},
		{"heads", vaultclient.Entry{Kind: "heads", Count: 9}, "The newest heads of the ledgers were fixed in the installation's log.", "Upkeep"},
		{"start", vaultclient.Entry{Kind: "start"}, "The vault was started.", "Upkeep"},
		{"an unknown kind", vaultclient.Entry{Kind: "weigh", Actor: evans, Role: coordinator, Count: 2, Fields: policy.FieldName},
			"An entry of the kind “weigh”, which this page has no words for, made by Mair Evans (co-ordinator), about the names of 2 people.", ""},
		{"an unknown kind of nobody", vaultclient.Entry{Kind: "weigh"}, "An entry of the kind “weigh”, which this page has no words for, made by the program itself.", ""},
		{"erased", vaultclient.Entry{Kind: "reveal", Basis: "gate", Count: 12, Erased: true},
			"Personal data of 12 people was shown. The details were erased; that it happened, and when, can still be proved.", ""},
		{"erased, declared", vaultclient.Entry{Kind: "declared", Basis: "declared", Count: 1, Erased: true},
			"A disclosure of personal data of one person was declared. The details were erased; that it happened, and when, can still be proved.", "Declared"},
		{"erased, unknown", vaultclient.Entry{Kind: "weigh", Erased: true},
			"An entry of the kind “weigh” was made. The details were erased; that it happened, and when, can still be proved.", ""},
	} {
		c.e.Recorded, c.e.Occurred, c.e.Log, c.e.Seq = at, at, "abc/2026", 7
		got := sentence(t.Context(), c.e)
		if got.Text != c.text || string(got.Tag) != c.tag {
			t.Errorf("%s:\n got %q, tag %q\nwant %q, tag %q", c.name, got.Text, got.Tag, c.text, c.tag)
		}
		if got.When != "12 March 2026, 10:04" || got.Note != "" || got.Proof != "Entry 7 of the ledger of 2026" {
			t.Errorf("%s: when %q, note %q, proof %q", c.name, got.When, got.Note, got.Proof)
		}
		if strings.Contains(got.Text, "  ") || strings.Contains(got.Text, " .") {
			t.Errorf("%s: bad spaces in %q", c.name, got.Text)
		}
	}
}

// TestSentenceNote: what happened long before it was entered says so, in London's time; so does a reason.
func TestSentenceNote(t *testing.T) {
	e := vaultclient.Entry{Kind: "declared", Basis: "declared", Log: "installation", Recorded: time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC),
		Occurred: time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC), Reason: "held until the contract ended"}
	got := sentence(t.Context(), e)
	if want := "It happened on 31 December 2025, 23:30. Reason: held until the contract ended."; got.Note != want {
		t.Errorf("note %q, want %q", got.Note, want)
	}
	if want := "1 July 2026, 10:00"; got.When != want { // summer time
		t.Errorf("when %q, want %q", got.When, want)
	}
	if want := "Entry 0 of the installation's log"; got.Proof != want {
		t.Errorf("proof %q, want %q", got.Proof, want)
	}
}

// TestSentenceSaysEveryField: a field that a page does not name would be an exposure that nobody reads of.
func TestSentenceSaysEveryField(t *testing.T) {
	seen := map[string]bool{}
	for f := policy.Fields(1); f <= policy.AllFields; f <<= 1 {
		for _, n := range []int{1, 2} {
			w := fieldWords(t.Context(), f, n)
			if w == "" || w == "record" || w == "records" || w == "other fields" {
				t.Errorf("field %s of %d people has no words: %q", f, n, w)
			}
			if n == 2 && seen[w] {
				t.Errorf("field %s is called %q, as another is", f, w)
			}
			seen[w] = n == 2
		}
	}
	for _, p := range policy.Purposes {
		if strings.Contains(purpose(t.Context(), p), "purpose") {
			t.Errorf("purpose %q has no words", p)
		}
	}
}
