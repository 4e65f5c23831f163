package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func TestSeenInPlainWords(t *testing.T) {
	at := time.Date(2026, 7, 1, 22, 5, 0, 0, time.UTC) // 23:05 in London
	name := policy.FieldName | policy.FieldStaffNumber | policy.FieldDose
	for _, c := range []struct {
		name       string
		s          vaultclient.Seen
		own, other string
		tag        string
	}{
		{"a page", vaultclient.Seen{Kind: "reveal", Actor: "co-ordinator", Role: "co-ordinator", Purpose: policy.AssessDose, Fields: name}, "A co-ordinator saw your name, staff number and doses, to assess doses.", "A co-ordinator saw this person's name, staff number and doses, to assess doses.", ""},
		{"by name", vaultclient.Seen{Kind: "reveal", Actor: "Mair Evans", Role: "co-ordinator", Purpose: policy.IssueBadges, Fields: policy.FieldName}, "Mair Evans (co-ordinator) saw your name, to issue badges.", "Mair Evans (co-ordinator) saw this person's name, to issue badges.", ""},
		{"themselves", vaultclient.Seen{Kind: "reveal", Actor: "Siân Llwyd", Role: "wearer", Purpose: policy.OwnRecord, Fields: policy.FieldDose}, "You read your doses.", "Siân Llwyd (wearer) read their own doses.", ""},
		{"this page", vaultclient.Seen{Kind: "oversee", Actor: "Siân Llwyd", Role: "wearer", Purpose: policy.OwnRecord}, "You looked at this page.", "Siân Llwyd (wearer) looked at this page.", ""},
		{"the officer", vaultclient.Seen{Kind: "oversee", Actor: "data-protection-officer", Role: "data-protection-officer", Purpose: policy.Oversight}, "A data protection officer asked who had seen your data.", "A data protection officer asked who had seen this person's data.", ""},
		{"a list", vaultclient.Seen{Kind: "search", Role: "supervisor", Purpose: policy.IssueBadges, Fields: policy.FieldName}, "A radiation protection supervisor saw your name in a list, to issue badges.", "A radiation protection supervisor saw this person's name in a list, to issue badges.", ""},
		{"refused", vaultclient.Seen{Kind: "refuse", Role: "supervisor", Purpose: policy.AssessDose, Fields: policy.FieldNI}, "A radiation protection supervisor asked for your NI number, to assess doses, and was refused; nothing was shown.", "A radiation protection supervisor asked for this person's NI number, to assess doses, and was refused; nothing was shown.", "Refused"},
		{"refused, no field", vaultclient.Seen{Kind: "refuse", Role: "operator", Purpose: policy.Oversight}, "An operator asked for your data, for oversight, and was refused; nothing was shown.", "An operator asked for this person's data, for oversight, and was refused; nothing was shown.", "Refused"},
		{"a file", vaultclient.Seen{Kind: "intake", Basis: "intake", Actor: "a job", Role: "job", Fields: policy.FieldName | policy.FieldDose}, "Your name and doses arrived from outside, taken in by the program, at work on a file.", "This person's name and doses arrived from outside, taken in by the program, at work on a file.", "From outside"},
		{"a laboratory", vaultclient.Seen{Kind: "declared", Basis: "declared", Role: "co-ordinator", Fields: policy.FieldDose}, "A co-ordinator declared that your doses had gone to somebody outside; this was not seen here, only reported.", "A co-ordinator declared that this person's doses had gone to somebody outside; this was not seen here, only reported.", "Declared"},
		{"a label", vaultclient.Seen{Kind: "compare", Actor: "a job", Role: "job", Fields: policy.FieldName}, "The program, at work on a file, had your name compared with a file's; only “same” or “different” came back.", "The program, at work on a file, had this person's name compared with a file's; only “same” or “different” came back.", ""},
		{"a change", vaultclient.Seen{Kind: "write", Role: "co-ordinator", Purpose: policy.KeepRecords, Fields: policy.FieldContact}, "A co-ordinator wrote your contact details, to keep records.", "A co-ordinator wrote this person's contact details, to keep records.", ""},
		{"a change of facts", vaultclient.Seen{Kind: "write", Role: "co-ordinator"}, "A co-ordinator changed your record.", "A co-ordinator changed this person's record.", ""},
		{"to be changed", vaultclient.Seen{Kind: "stage", Role: "co-ordinator"}, "A co-ordinator prepared a change of your record, not yet in force.", "A co-ordinator prepared a change of this person's record, not yet in force.", ""},
		{"one person", vaultclient.Seen{Kind: "person", Role: "co-ordinator"}, "A co-ordinator said which other records are yours, or are not.", "A co-ordinator said which other records are this person's, or are not.", ""},
		{"a kind of later", vaultclient.Seen{Kind: "weigh", Role: "co-ordinator"}, "An entry of the kind “weigh”, which this page has no words for, made by a co-ordinator.", "An entry of the kind “weigh”, which this page has no words for, made by a co-ordinator.", ""},
	} {
		c.s.Times, c.s.First, c.s.Last = 1, at, at
		own, other := seenLine(t.Context(), c.s, true), seenLine(t.Context(), c.s, false)
		if own.Text != c.own || other.Text != c.other || string(own.Tag) != c.tag {
			t.Errorf("%s: %q and %q (%s), want %q and %q (%s)", c.name, own.Text, other.Text, own.Tag, c.own, c.other, c.tag)
		}
	}
	for want, s := range map[string]vaultclient.Seen{"At 23:05": {Times: 1, First: at, Last: at}, "3 times at 23:05": {Times: 3, First: at, Last: at}, "2 times from 23:05 to 23:40": {Times: 2, First: at, Last: at.Add(35 * time.Minute)}} {
		if got := timesOf(t.Context(), s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSeenByPage: by day, with pages; a wearer's own is read without another look at the record, and a data protection officer's asks for the name alone.
func TestSeenByPage(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := wearerPath(wearerID(3)) + "/ledger"
	body := get(t, pages, "wearer", path).Body.String()
	for _, want := range []string{"Who has seen my data?", "12 March 2026", "You read your name and doses.", "Mair Evans (co-ordinator) saw your name and staff number, to issue badges.", "Showing 1 to 25 of", `href="` + path + `?page=2"`, `href="` + path + `/entries"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if len(s.reveals) != 0 || strings.Contains(body, "Entry 72") {
		t.Errorf("%d reveals for the own page; or entries are on it", len(s.reveals))
	}
	if body := get(t, pages, "wearer", path+"?page=99").Body.String(); !strings.Contains(body, "This is all of it") || strings.Contains(body, "You read") {
		t.Error("past the end there is no last page")
	}
	body = get(t, pages, "dpo", path).Body.String()
	if !strings.Contains(body, "Who has seen this person&#39;s data?") || !strings.Contains(body, "Mair Bowen") || len(s.reveals) != 1 || s.reveals[0].Fields != policy.FieldName || s.reveals[0].Purpose != policy.Oversight {
		t.Errorf("asked with %+v: %s", s.reveals, body)
	}
	for _, user := range []string{"supervisor", "records", "operator"} {
		if w := get(t, pages, user, path); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d", user, w.Code)
		}
	}
	// A data protection officer is led there from a list of names, and of names alone.
	body = get(t, pages, "dpo", wearersPath(organisationID(1))).Body.String()
	if !strings.Contains(body, `href="`+path+`"`) || strings.Contains(body, "Staff number") || strings.Contains(body, "GA4") || !s.searches[len(s.searches)-1].NamesOnly || s.searches[len(s.searches)-1].Purpose != policy.Oversight {
		t.Errorf("searched %+v: %s", s.searches, body)
	}
}
