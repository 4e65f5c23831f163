package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/words"
)

// total is a sum of doses over a window, with the limit and the level that hold for it.
type total struct {
	Kind         dose.Kind
	Window       dose.Window
	From, To     day.Day
	Dose         dose.MicroSv
	Neutron      dose.MicroSv // the part of Dose that is neutron dose
	Counted      int          // results summed; none: there is no dose, which is not a dose of zero
	Missing      int          // results that there should be and are not: the dose is at least this
	Straddles    int          // periods counted that cross the window's start or end
	Limit, Level dose.MicroSv // zero: none
}

var kindTitles = map[dose.Kind]words.Key{dose.Effective: "Effective dose", dose.Lens: "Lens of the eye", dose.Skin: "Skin",
	dose.Extremity: "Hands", dose.Abdomen: "Whole body", dose.Foetus: "Unborn child"}

// kindTitle says what a dose is of.
func kindTitle(k dose.Kind) words.Key {
	if t := kindTitles[k]; t != "" {
		return t
	}
	return words.Plain(capital(k.String()))
}

// totalsOf puts an assessment's sums into the order in which the page shows them: calendar years by kind, newest
// first; then the rolling sums, of the many three-month ones only the latest and the highest.
func totalsOf(s dose.Subject, levels []dose.Level, a dose.Assessment) (years, rolling []total) {
	levels = append(slices.Clone(levels), dose.StatutoryLevels()...)
	bounded := func(t total) total {
		t.Limit = dose.LimitOn(t.To, s, t.Kind, t.Window)
		if t.Window != dose.FiveYears {
			t.Level = levelFor(levels, t)
		}
		return t
	}
	for _, x := range a.Totals {
		t := total{Kind: x.Kind, Window: dose.CalendarYear, From: day.Of(x.Year, 1, 1), To: day.Of(x.Year, 12, 31),
			Dose: x.Dose, Neutron: x.Neutron, Counted: x.Counted, Missing: x.Missing, Straddles: x.Straddles}
		if x.Kind == dose.Foetus {
			t.Window, t.From, t.To = dose.Pregnancy, s.Declared, s.PregnancyEnd
			rolling = append(rolling, bounded(t))
			continue
		}
		years = append(years, bounded(t))
	}
	slices.SortStableFunc(years, func(x, y total) int {
		if x.Kind != y.Kind {
			return int(x.Kind) - int(y.Kind)
		}
		return int(y.From - x.From)
	})
	span := func(x dose.Span, w dose.Window) {
		rolling = append(rolling, bounded(total{Kind: x.Kind, Window: w, From: x.From, To: x.To, Dose: x.Dose, Counted: x.Counted, Missing: x.Missing}))
	}
	if n := len(a.Rolling3); n > 0 {
		latest := a.Rolling3[n-1]
		highest := slices.MaxFunc(a.Rolling3, func(x, y dose.Span) int { return int(x.Dose - y.Dose) })
		span(latest, dose.ThreeMonths)
		if highest.Dose > latest.Dose {
			span(highest, dose.ThreeMonths)
		}
	}
	last := map[dose.Kind]dose.Span{}
	for _, x := range a.FiveYear {
		last[x.Kind] = x
	}
	for _, k := range []dose.Kind{dose.Effective, dose.Lens} {
		if x, ok := last[k]; ok {
			span(x, dose.FiveYears)
		}
	}
	return years, rolling
}

// levelFor finds the lowest investigation level in force on a window's last day; zero when there is none.
func levelFor(levels []dose.Level, t total) (lowest dose.MicroSv) {
	for _, l := range levels {
		if l.Kind == t.Kind && t.Window != dose.ThreeMonths && inForce(l.From, l.To, t.To) && (lowest == 0 || l.Dose < lowest) {
			lowest = l.Dose
		}
	}
	return lowest
}

func inForce(from, to, on day.Day) bool {
	return from <= on && (to.IsZero() || on <= to) || on.IsZero() && to.IsZero()
}

// windowText says what a sum is over.
func (t total) windowText(ctx context.Context) string {
	switch t.Window {
	case dose.ThreeMonths:
		return words.T(ctx, "3 months, %s", words.Period(ctx, t.From, t.To))
	case dose.FiveYears:
		return words.T(ctx, "5 years, %d to %d", t.From.Year(), t.To.Year())
	case dose.Pregnancy:
		return words.T(ctx, "Pregnancy, %s", words.Period(ctx, t.From, t.To))
	}
	return words.T(ctx, "Calendar year %d", t.To.Year())
}

// sum writes a total: "0.35 mSv", "at least 0.35 mSv" where results are missing, "no result" where all are.
func (t total) sum(ctx context.Context) string {
	switch {
	case t.Counted == 0:
		return words.T(ctx, "no result")
	case t.Missing > 0:
		return words.T(ctx, "at least %s", mSv(t.Dose))
	}
	return mSv(t.Dose)
}

// notes say what must be known beside a sum; each is a few words.
func (t total) notes(ctx context.Context) (list []string) {
	if t.Missing > 0 {
		list = append(list, words.T(ctx, "%s missing", words.Count(ctx, t.Missing, "result", "results")))
	}
	if t.Neutron > 0 {
		list = append(list, words.T(ctx, "%s of it neutron", mSv(t.Neutron)))
	}
	if t.Straddles > 0 {
		text := words.Key("%s cross the year's end")
		if t.Straddles == 1 {
			text = "%s crosses the year's end"
		}
		list = append(list, words.T(ctx, text, words.Count(ctx, t.Straddles, "period", "periods")))
	}
	return list
}

// share says how much of the limit a total is, rounded down: "2%", "less than 1%", "above the limit".
func (t total) share(ctx context.Context) string {
	switch {
	case t.Limit <= 0 || t.Counted == 0:
		return ""
	case t.over():
		return words.T(ctx, "above the limit")
	case t.Dose == 0:
		return "0%"
	case t.Dose*100 < t.Limit:
		return words.T(ctx, "less than 1%")
	}
	return strconv.FormatInt(int64(t.Dose*100/t.Limit), 10) + "%"
}

// over and high tell a total above the limit, and one above the investigation level.
func (t total) over() bool { return t.Limit > 0 && t.Dose > t.Limit }
func (t total) high() bool { return t.Level > 0 && t.Dose > t.Level }

// doseSection is one kind of dose over the calendar years: a picture and its table.
type doseSection struct {
	ID    string // on the page
	Title words.Key
	Chart chart   // no bars where there is no limit
	Years []total // newest first
}

// chartYears is the number of years that a chart shows.
const chartYears = 6

// sections divides the calendar years' totals by kind, in the order in which they come.
func sections(ctx context.Context, all []total) (list []doseSection) {
	for _, t := range all {
		if len(list) == 0 || list[len(list)-1].Title != kindTitle(t.Kind) {
			list = append(list, doseSection{ID: fmt.Sprintf("dose-%d", t.Kind), Title: kindTitle(t.Kind)})
		}
		s := &list[len(list)-1]
		s.Years = append(s.Years, t)
	}
	for i := range list {
		s := &list[i]
		newest := s.Years[0]
		if newest.Limit <= 0 {
			continue
		}
		// Every year of the picture has its place, one without a result too: a gap is not a zero.
		var years []yearDose
		for y := max(s.Years[len(s.Years)-1].To.Year(), newest.To.Year()-chartYears+1); y <= newest.To.Year(); y++ {
			yd := yearDose{Year: y, None: true}
			for _, t := range s.Years {
				if t.To.Year() == y && t.Counted > 0 {
					yd = yearDose{Year: y, Dose: t.Dose, Missing: t.Missing}
				}
			}
			years = append(years, yd)
		}
		s.Chart = newChart(ctx, s.ID+"-chart", s.Title, years, newest.Limit, newest.Level)
	}
	return list
}

// latestYear picks the totals of the latest calendar year.
func latestYear(years []total) (list []total) {
	var last day.Day
	for _, t := range years {
		last = max(last, t.To)
	}
	for _, t := range years {
		if t.To == last {
			list = append(list, t)
		}
	}
	return list
}
