package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
)

// TestOwnRecordInPlainWords: the year beside the limit, what each result means, and what is not known.
func TestOwnRecordInPlainWords(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	body := get(t, pages, "wearer", wearerPath(wearerID(3))).Body.String()
	for _, want := range []string{"My radiation doses", "Effective dose: 7.00\u00a0mSv, 35% of the legal limit of 20\u00a0mSv a year.", "What these doses and limits are", "Dose against limits",
		"Your badge on the body of 1 January to 31 March 2026 is still being worn.", "Your badge at the eye of 1 October to 31 December 2025 has not come back.",
		"Your ring on the left hand of 1 October to 31 December 2025 came back; the laboratory&#39;s result is not here yet.", "Your badge on the body of 1 July to 30 September 2024 was lost.",
		"Badge at the eye of 1 April to 30 June 2023, eyes:", "There was less than the laboratory can tell", "Replaced", "The laboratory sent this result once more", "Who has seen my data?", "Download as a spreadsheet (CSV)", "As of 12 March 2026"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, not := range []string{"Hp(", "The badge was damaged", "Take somebody on", "QQ123456C"} {
		if strings.Contains(body, not) {
			t.Errorf("%q is on the page", not)
		}
	}
	if len(s.reveals) != 1 {
		t.Errorf("%d looks for one page", len(s.reveals))
	}
	// Every qualifier has its meaning, and every position its badge.
	for q := dose.Measured; q <= dose.SpecialEntry; q++ {
		if len(meanings([]Reading{{Reading: dose.Reading{Qualifier: q}}})) != 1 {
			t.Errorf("%v has no meaning", q)
		}
	}
	for p := dose.WholeBody; p < dose.Control; p++ {
		if badgeWord(p) == "badge" {
			t.Errorf("%v has no words", p)
		}
	}
}

// TestABadgesResultsStandTogether: one report of a badge is one row; a second badge of the same place and time is another, and so is what was replaced.
func TestABadgesResultsStandTogether(t *testing.T) {
	one := Reading{Position: dose.Collar, Reading: dose.Reading{Quantity: dose.Hp10, Dose: 300, Qualifier: dose.Measured}}
	eyes, skin, replaced := one, one, one
	eyes.Reading.Quantity, skin.Reading = dose.Hp3, dose.Reading{Quantity: dose.Hp007, Qualifier: dose.Damaged}
	replaced.Superseded = true
	got := badgesOf([]Reading{one, one, eyes, replaced, skin})
	if len(got) != 3 || len(got[0].All) != 3 || len(got[1].All) != 1 || !got[2].Superseded {
		t.Fatalf("%d badges: %+v", len(got), got)
	}
	if d := got[0].Doses(t.Context()); !slices.Equal(d, []string{"Whole body: 0.30\u00a0mSv", "Eyes: 0.30\u00a0mSv"}) {
		t.Errorf("doses %q", d)
	}
	if r := got[0].Results(t.Context()); !slices.Equal(r, []string{"Whole body: measured", "Eyes: measured", "Skin: damaged"}) {
		t.Errorf("results %q", r)
	}
	if r := got[1].Results(t.Context()); !slices.Equal(r, []string{"Measured"}) {
		t.Errorf("results %q", r)
	}
}

// TestOwnCopy: a wearer takes the own record along; the file's number is the recipient of what is read for it, and stands in it. Nobody takes another's.
func TestOwnCopy(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := wearerPath(wearerID(3)) + "/copy"
	take := func(as string) ([]byte, string) {
		t.Helper()
		s.revealedTo = nil
		w := post(t, pages, "wearer", path, url.Values{"as": {as}})
		if w.Code != http.StatusOK || len(s.revealedTo) != 1 || s.revealedTo[0].IsZero() {
			t.Fatalf("%s: status %d, read for %v", as, w.Code, s.revealedTo)
		}
		export := s.revealedTo[0].String()
		if want := `attachment; filename="my-doses-` + export + "." + as + `"`; w.Header().Get("Content-Disposition") != want {
			t.Errorf("%s, want %s", w.Header().Get("Content-Disposition"), want)
		}
		return w.Body.Bytes(), export
	}
	b, export := take("csv")
	rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil || len(rows) < 40 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	find := func(cells ...string) bool {
		return slices.ContainsFunc(rows, func(row []string) bool {
			return !slices.ContainsFunc(cells, func(c string) bool { return !slices.Contains(row, c) })
		})
	}
	for _, cells := range [][]string{{"year", "2025-01-01", "effective", "7", "20", "complete"}, {"year", "2024-01-01", "effective", "at least: 1 missing"}, {"reading", "2024-07-01", "whole body", "lost"},
		{"badge", "left finger", "no result yet: sent"}, {"reading", "estimated", "eye"}, {"reading", "yes", "2022-10-01"}} {
		if !find(append(cells, export, "Bowen")...) {
			t.Errorf("no row has %v", cells)
		}
	}
	b, export = take("json")
	var c ownRecordCopy
	if err := json.Unmarshal(b, &c); err != nil || c.Export != export || c.Employments[0].Birth != "1984-07-02" || len(c.Readings) < 40 || len(c.NoResult) != 3 || *c.Years[0].MicroSv != 7_000 || c.Years[0].Limit != 20_000 {
		t.Errorf("%v: %+v", err, c)
	}
	i := slices.IndexFunc(c.Readings, func(r copyReading) bool { return r.Result == "lost" })
	if c.Readings[i].MicroSv != nil || strings.Contains(string(b), "QQ123456C") {
		t.Error("a lost badge has a dose, or the NI number is in the file")
	}
	for user, path := range map[string]string{"wearer": wearerPath(wearerID(1)) + "/copy", "co-ordinator": path, "supervisor": path, "dpo": path, "records": path} {
		s.revealedTo = nil
		if w := post(t, pages, user, path, url.Values{"as": {"csv"}}); w.Code != http.StatusNotFound || slices.ContainsFunc(s.revealedTo, func(e id.Export) bool { return !e.IsZero() }) {
			t.Errorf("%s: status %d, read for %v", user, w.Code, s.revealedTo)
		}
	}
}
