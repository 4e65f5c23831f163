package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/words"
)

// TestLimitFor: the limit beside a sum is the one that package dose holds it against, for each kind of worker.
func TestLimitFor(t *testing.T) {
	year := func(k dose.Kind, y int) total {
		return total{Kind: k, Window: dose.CalendarYear, To: day.Of(y, 12, 31)}
	}
	adult := dose.Subject{Group: dose.Adult}
	for _, c := range []struct {
		name string
		s    dose.Subject
		t    total
		want dose.MicroSv
	}{
		{"adult", adult, year(dose.Effective, 2025), 20_000},
		{"adult's lens", adult, year(dose.Lens, 2025), 20_000},
		{"adult's lens under the older law", adult, year(dose.Lens, 2016), 150_000},
		{"adult's hands", adult, year(dose.Extremity, 2025), 500_000},
		{"adult under the five-year limit", dose.Subject{Group: dose.Adult, FiveYears: true}, year(dose.Effective, 2025), 50_000},
		{"trainee", dose.Subject{Group: dose.Trainee}, year(dose.Effective, 2025), 6_000},
		{"other person", dose.Subject{Group: dose.Other}, year(dose.Effective, 2025), 1_000},
		{"a group not known is held to the strictest", dose.Subject{}, year(dose.Effective, 2025), 1_000},
		{"before there was a limit here", adult, year(dose.Effective, 1990), 0},
		{"five years without the regime", adult, total{Kind: dose.Effective, Window: dose.FiveYears, To: day.Of(2025, 12, 31)}, 0},
		{"five years with it", dose.Subject{Group: dose.Adult, FiveYears: true}, total{Kind: dose.Effective, Window: dose.FiveYears, To: day.Of(2025, 12, 31)}, 100_000},
		{"abdomen", dose.Subject{Group: dose.Adult, Reproductive: true}, total{Kind: dose.Abdomen, Window: dose.ThreeMonths, To: day.Of(2025, 3, 31)}, 13_000},
		{"abdomen of somebody else", adult, total{Kind: dose.Abdomen, Window: dose.ThreeMonths, To: day.Of(2025, 3, 31)}, 0},
		{"a pregnancy not over", adult, total{Kind: dose.Foetus, Window: dose.Pregnancy, From: day.Of(2025, 3, 31)}, 1_000},
	} {
		if got := dose.LimitOn(c.t.To, c.s, c.t.Kind, c.t.Window); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestLimitsAreThoseOfFindings: wherever dose finds a limit or level passed, the page's own table says so too.
func TestLimitsAreThoseOfFindings(t *testing.T) {
	r := sampleRecord(true)
	years, rolling := totalsOf(r.Subject, r.Levels, r.Assessment)
	if len(r.Assessment.Findings) == 0 {
		t.Fatal("the sample passes nothing")
	}
	for _, f := range r.Assessment.Findings {
		shown := slices.ContainsFunc(slices.Concat(years, rolling), func(x total) bool {
			return x.Kind == f.Kind && x.Window == f.Window && x.To.Year() == f.Year &&
				(f.Overexposure && x.over() && x.Limit == f.Bound || !f.Overexposure && x.high() && x.Level <= f.Bound)
		})
		if !shown {
			t.Errorf("%v %d in %d, bound %d, is in no table", f.Kind, f.Dose, f.Year, f.Bound)
		}
	}
}

func TestTotalsOf(t *testing.T) {
	reading := func(q dose.Quantity, d dose.MicroSv, k dose.Qualifier) []dose.Reading {
		return []dose.Reading{{Quantity: q, Dose: d, Qualifier: k}}
	}
	a := dose.Evaluate(dose.Subject{Group: dose.Adult}, nil, []dose.Record{
		{Position: dose.WholeBody, From: day.Of(2024, 12, 1), To: day.Of(2025, 1, 31), Readings: reading(dose.Hp10, 1_100, dose.Measured)},
		{Position: dose.WholeBody, From: day.Of(2025, 6, 1), To: day.Of(2025, 6, 30), Readings: reading(dose.NeutronHp10, 120, dose.Measured)},
		{Position: dose.WholeBody, From: day.Of(2025, 8, 1), To: day.Of(2025, 8, 31), Readings: reading(dose.Hp10, 0, dose.Lost)},
		{Position: dose.WholeBody, From: day.Of(2023, 1, 1), To: day.Of(2023, 1, 31), Readings: reading(dose.Hp10, 40, dose.Measured)},
	}, 0)
	years, rolling := totalsOf(dose.Subject{Group: dose.Adult}, nil, a)
	newest := years[0]
	if newest.Kind != dose.Effective || newest.To.Year() != 2025 || newest.sum(t.Context()) != "at least 1.22\u00a0mSv" || newest.share(t.Context()) != "6%" {
		t.Errorf("newest %+v: %s, %s", newest, newest.sum(t.Context()), newest.share(t.Context()))
	}
	if got, want := strings.Join(newest.notes(t.Context()), "; "), "1 result missing; 0.12\u00a0mSv of it neutron; 1 period crosses the year's end"; got != want {
		t.Errorf("notes %q, want %q", got, want)
	}
	// Of the rolling three months the latest and the highest, then the last five years.
	var windows []string
	for _, r := range rolling {
		windows = append(windows, r.windowText(t.Context())+": "+r.sum(t.Context()))
	}
	if got := strings.Join(windows, "\n"); !strings.Contains(got, "3 months, ") || !strings.Contains(got, "to 31 January 2025: 1.10\u00a0mSv") || !strings.Contains(got, "5 years, 2021 to 2025") {
		t.Errorf("rolling:\n%s", got)
	}
	// 2024 has no result, only a part of a period that counts in 2025: no dose, which is not a dose of zero.
	s := sections(t.Context(), years)
	if len(s) == 0 || s[0].Title != "Effective dose" || len(s[0].Chart.Bars) != 3 || s[0].Chart.Bars[1].Label != "–" || s[0].Years[1].sum(t.Context()) != "no result" || s[0].Years[1].share(t.Context()) != "" {
		t.Errorf("sections %+v", s)
	}
	if got := latestYear(years); len(got) == 0 || got[0].To.Year() != 2025 {
		t.Errorf("latest year %+v", got)
	}
}

func TestChartGap(t *testing.T) {
	at := func(y int) total {
		return total{Kind: dose.Effective, Window: dose.CalendarYear, To: day.Of(y, 12, 31), Dose: 500, Counted: 1, Limit: 20_000}
	}
	c := sections(t.Context(), []total{at(2026), at(2024), at(2019)})[0].Chart
	if want := "2021: no result; 2022: no result; 2023: no result; 2024: 0.50 mSv; 2025: no result; 2026: 0.50 mSv."; c.Description != want {
		t.Errorf("%q, want %q", c.Description, want)
	}
}

func TestReadingYears(t *testing.T) {
	r := sampleRecord(false)
	years := readingYears(r.Readings)
	n := 0
	for i, y := range years {
		n += len(y.Readings)
		if i > 0 && y.Year >= years[i-1].Year {
			t.Errorf("%d comes after %d", y.Year, years[i-1].Year)
		}
		if !slices.IsSortedFunc(y.Readings, func(a, b Reading) int { return int(b.To - a.To) }) {
			t.Errorf("the readings of %d are not the newest first", y.Year)
		}
	}
	if n != len(r.Readings) || words.T(t.Context(), years[0].Title()) != "2025" {
		t.Errorf("%d of %d readings, from %s", n, len(r.Readings), words.T(t.Context(), years[0].Title()))
	}
	if y := readingYears([]Reading{{}}); len(y) != 1 || y[0].Title() != "Without a period" {
		t.Errorf("a reading without a period: %+v", y)
	}
}
