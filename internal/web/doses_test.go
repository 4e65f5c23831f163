package web

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/policy"
)

var sampleDoses = dosesPath(organisationID(1))

// TestDosesSayWhatTheyAre: the newest year unless another is asked for; names of those alone who are shown.
func TestDosesSayWhatTheyAre(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	w := get(t, pages, "supervisor", sampleDoses)
	body := w.Body.String()
	for _, want := range []string{"Doses in 2026", "people monitored", "man-mSv collective dose", "at least; results are missing of", "Above limit", "Above 20", "No result", "January", "72 people",
		"Work for other employers is not in it", "Download the list with names (CSV)", `href="` + sampleDoses + `?year=2021"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(body, "Work for other employers is not in it") == strings.Contains(get(t, pages, "co-ordinator", sampleDoses).Body.String(), "Work for other employers is not in it") {
		t.Error("a co-ordinator is told what a supervisor is told")
	}
	if len(s.reveals) != 2 || len(s.reveals[0].Wearers) != pageSize || s.reveals[0].Fields != policy.FieldName || s.reveals[0].Purpose != policy.AssessDose || s.reveals[0].Reason == "" {
		t.Errorf("names were asked for with %+v", s.reveals)
	}
	if body := get(t, pages, "supervisor", sampleDoses+"?year=2024&department=2&page=9").Body.String(); !strings.Contains(body, "Doses in 2024") || !strings.Contains(body, "24 people") || strings.Contains(body, "Cardioleg / Cardiology</span>") {
		t.Error("the department of another year is not what is shown")
	}
	for path, want := range map[string]int{"?year=1999": 404, "?year=x": 404, "?department=99": 200, "?department=-1": 200, "?department=Radioleg": 200} {
		if w := get(t, pages, "supervisor", sampleDoses+path); w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
	if body := get(t, pages, "co-ordinator", dosesPath(organisationID(2))).Body.String(); !strings.Contains(body, "There are no doses yet") || !strings.Contains(body, "See its badges") {
		t.Error("an organisation without doses does not say what to do")
	}
	for _, user := range []string{"dpo", "wearer", "records", "operator"} {
		for _, path := range []string{"", "/years"} {
			if w := get(t, pages, user, sampleDoses+path); w.Code != http.StatusNotFound {
				t.Errorf("%s: %s: status %d", user, path, w.Code)
			}
		}
	}
}

// TestTileHasRoom: no sum in a tile is longer than seven characters.
func TestTileHasRoom(t *testing.T) {
	for d, want := range map[dose.MicroSv]string{0: "0.00", 2_450: "2.45", 99_999: "99.999", 921_708: "921.7", 999_949: "999.9", 1_921_708: "1,922", 12_345_678: "12,346"} {
		if got := glance(d); got != want {
			t.Errorf("%d µSv is %q, want %q", d, got, want)
		}
	}
}

// TestDosesAsFiles: a file is an export; its number is the recipient of all that is read for it, in its name and in each row.
func TestDosesAsFiles(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for what, rows := range map[string]int{"list": 24, "sums": 1 + 8 + 12} {
		s.exports, s.revealedTo = nil, nil
		w := post(t, pages, "supervisor", sampleDoses, url.Values{"what": {what}, "year": {"2025"}, "department": {"1"}})
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || len(s.exports) != 1 || s.exports[0].IsZero() {
			t.Fatalf("%s: status %d, exports %v", what, w.Code, s.exports)
		}
		export := s.exports[0]
		if want := `attachment; filename="doses-2025-` + what + "-" + export.String() + `.csv"`; w.Header().Get("Content-Disposition") != want {
			t.Errorf("%s: %s, want %s", what, w.Header().Get("Content-Disposition"), want)
		}
		all, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(all) != rows+1 {
			t.Fatalf("%s: %d rows, want %d: %v", what, len(all), rows+1, err)
		}
		for _, row := range all[1:] {
			if row[0] != export.String() {
				t.Errorf("%s: a row of %s", what, row[0])
			}
		}
		if what == "list" && (len(s.revealedTo) != 1 || s.revealedTo[0] != export || all[1][2] == "" || all[1][5] != "Cardioleg / Cardiology") {
			t.Errorf("names were revealed to %v; the first row is %v", s.revealedTo, all[1])
		}
		if what == "sums" && len(s.revealedTo) != 0 {
			t.Error("names were asked for, for sums")
		}
	}
}

func TestDosePagesInBrowser(t *testing.T) {
	walks(t, "supervisor", func(w *walker) {
		w.open(sampleDoses)
		w.look("doses", "Doses in 2026")
		w.open(sampleDoses + "?year=2025&department=3")
		w.look("doses-department", "Theatre")
		w.open(sampleDoses + "/years")
		w.look("doses-years", "Doses over the years")
	})
	walks(t, "co-ordinator", func(w *walker) {
		w.open(dosesPath(organisationID(2)))
		w.look("doses-empty", "There are no doses yet")
	})
}
