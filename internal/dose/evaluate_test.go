package dose

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"pgregory.net/rapid"
)

var (
	epoch   = day.Of(2019, time.January, 1)
	horizon = 6 * 366
)

func anyReading(t *rapid.T) Reading {
	return Reading{
		Quantity:  Quantity(rapid.IntRange(0, 5).Draw(t, "quantity")),
		Dose:      MicroSv(rapid.OneOf(rapid.Int64Range(-10, 30000), rapid.SampledFrom([]int64{0, 1, math.MaxInt64, math.MinInt64})).Draw(t, "dose")),
		Qualifier: Qualifier(rapid.IntRange(0, 10).Draw(t, "qualifier")),
	}
}

func anyRecord(t *rapid.T) Record {
	from := epoch + day.Day(rapid.IntRange(0, horizon).Draw(t, "from"))
	r := Record{
		Position:    Position(rapid.IntRange(0, 10).Draw(t, "position")),
		From:        from,
		To:          from + day.Day(rapid.SampledFrom([]int{0, 6, 27, 30, 91, 400, -3}).Draw(t, "days")),
		NotCounted:  rapid.IntRange(0, 9).Draw(t, "not counted") == 0,
		Employment:  rapid.IntRange(0, 1).Draw(t, "employment"),
		Combination: Combination(max(0, rapid.IntRange(-4, 4).Draw(t, "combination"))),
	}
	if rapid.Bool().Draw(t, "calendar month") { // pairs and equal periods
		r.From = day.Of(r.From.Year(), r.From.Time().Month(), 1)
		r.To = r.From.AddMonths(1) - 1
	}
	for range rapid.IntRange(0, 4).Draw(t, "readings") {
		r.Readings = append(r.Readings, anyReading(t))
	}
	return r
}

func anyLevels(t *rapid.T) (levels []Level) {
	for range rapid.IntRange(0, 4).Draw(t, "levels") {
		l := Level{
			Kind: Kind(rapid.IntRange(0, 7).Draw(t, "kind")),
			Dose: MicroSv(rapid.SampledFrom([]int64{0, 1000, 6000, 15000}).Draw(t, "level")),
			Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
		}
		if rapid.Bool().Draw(t, "dated") {
			l.From = epoch + day.Day(rapid.IntRange(0, horizon).Draw(t, "from"))
			l.To = l.From + 400
		}
		levels = append(levels, l)
	}
	return levels
}

func anySubject(t *rapid.T) Subject {
	s := Subject{
		Group:        Group(rapid.IntRange(0, 4).Draw(t, "group")),
		FiveYears:    rapid.Bool().Draw(t, "five years"),
		Reproductive: rapid.Bool().Draw(t, "reproductive"),
	}
	if rapid.Bool().Draw(t, "pregnant") {
		s.Declared = epoch + day.Day(rapid.IntRange(0, horizon).Draw(t, "declared"))
		s.PregnancyEnd = s.Declared + 200
	}
	return s
}

// text shows an assessment with what its pointers point at.
func text(a Assessment) string {
	s := fmt.Sprintf("%+v %+v %+v %d", a.Totals, a.Rolling3, a.FiveYear, a.Unplaced)
	for _, f := range a.Findings {
		s += "\n" + findingText(f)
	}
	return s
}

func TestOrderMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, levels := anySubject(t), anyLevels(t)
		recs := rapid.SliceOfN(rapid.Custom(anyRecord), 0, 30).Draw(t, "records")
		before := fmt.Sprint(recs, levels)
		first := text(Evaluate(s, levels, recs, 0))
		if fmt.Sprint(recs, levels) != before {
			t.Fatal("the input was changed")
		}
		other := slices.Clone(rapid.Permutation(recs).Draw(t, "other order"))
		for i := range other {
			other[i].Readings = rapid.Permutation(other[i].Readings).Draw(t, "other order of readings")
		}
		if second := text(Evaluate(s, rapid.Permutation(levels).Draw(t, "other order of levels"), other, 0)); second != first {
			t.Fatalf("another order gives another result:\n%s\n%s", first, second)
		}
	})
}

func TestLaterRecordsMakeNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, levels := anySubject(t), anyLevels(t)
		recs := rapid.SliceOfN(rapid.Custom(anyRecord), 0, 30).Draw(t, "records")
		upTo := epoch + day.Day(rapid.IntRange(0, horizon).Draw(t, "up to"))
		past := slices.DeleteFunc(slices.Clone(recs), func(r Record) bool { return r.To > upTo && r.Position > 0 && r.Position <= Control })
		if a, b := text(Evaluate(s, levels, recs, upTo)), text(Evaluate(s, levels, past, upTo)); a != b {
			t.Fatalf("records after the day change the result:\n%s\n%s", a, b)
		}
	})
}

// The sums stay positive, sorted and bounded whatever the readings are.
func TestSumsNeverOverflow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Evaluate(anySubject(t), anyLevels(t), rapid.SliceOfN(rapid.Custom(anyRecord), 0, 40).Draw(t, "records"), 0)
		for i, x := range a.Totals {
			if x.Dose < 0 || x.Dose > 200*maxReading || x.Neutron > x.Dose || x.Counted < 0 || x.Missing < 0 {
				t.Fatalf("total %+v", x)
			}
			if i > 0 && cmp.Or(cmp.Compare(a.Totals[i-1].Year, x.Year), cmp.Compare(a.Totals[i-1].Kind, x.Kind)) >= 0 {
				t.Fatalf("totals not sorted, or twice: %+v", a.Totals)
			}
		}
		for _, f := range a.Findings {
			if f.Dose <= f.Bound || (f.Limit == nil) == (f.Level == nil) || f.Overexposure != (f.Limit != nil) {
				t.Fatalf("finding %+v", f)
			}
		}
	})
}

// wholeBody makes records of one whole-body badge each, without anything special.
func wholeBody(t *rapid.T) (recs []Record) {
	for range rapid.IntRange(1, 40).Draw(t, "n") {
		to := epoch + day.Day(rapid.IntRange(0, 900).Draw(t, "to"))
		recs = append(recs, Record{Position: WholeBody, From: to - 6, To: to, Readings: []Reading{{Hp10, MicroSv(rapid.Int64Range(0, 3000).Draw(t, "dose")), Measured}}})
	}
	return recs
}

// Years and findings against sums made day by day.
func TestYearsAgainstDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		recs := wholeBody(t)
		byDay := map[day.Day]MicroSv{}
		for _, r := range recs {
			byDay[r.To] += r.Readings[0].Dose
		}
		sum, passed := map[int]MicroSv{}, map[string]bool{}
		for d := epoch; d < epoch+1000; d++ {
			y := d.Year()
			sum[y] += byDay[d]
			for _, bound := range []MicroSv{4000, 15000, 20000} {
				if sum[y] > bound && sum[y]-byDay[d] <= bound {
					passed[fmt.Sprint(y, bound, d)] = true
				}
			}
		}
		a := Evaluate(Subject{Group: Adult}, []Level{{Kind: Effective, Dose: 4000, Name: "own"}}, recs, 0)
		for _, x := range a.Totals {
			if x.Kind == Effective && x.Dose != sum[x.Year] {
				t.Fatalf("%d is %d, want %d", x.Year, x.Dose, sum[x.Year])
			}
		}
		for _, f := range a.Findings {
			key := fmt.Sprint(f.Year, f.Bound, f.On)
			if !passed[key] || f.Dose != sum[f.Year] {
				t.Fatalf("finding %+v not expected", f)
			}
			delete(passed, key)
		}
		if len(passed) > 0 {
			t.Fatalf("not found: %v", passed)
		}
	})
}

// Every three consecutive months, from each day to the day before the same day three months on, are bounded by one of Rolling3, and each
// of Rolling3 is such a period or a part of one.
func TestThreeMonthsAgainstDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		recs := wholeBody(t)
		sum := func(from, to day.Day) (s MicroSv) {
			for _, r := range recs {
				if r.To >= from && r.To <= to {
					s += r.Readings[0].Dose
				}
			}
			return s
		}
		var highest, got MicroSv
		for s := epoch - 100; s < epoch+1000; s++ {
			highest = max(highest, sum(s, s.AddMonths(3)-1))
		}
		a := Evaluate(Subject{Group: Adult, Reproductive: true}, nil, recs, 0)
		for _, x := range a.Rolling3 {
			if x.Dose != sum(x.From, x.To) || x.To > x.From.AddMonths(3)-1 || x.To <= (x.From-1).AddMonths(3)-1 {
				t.Fatalf("%+v: sum is %d", x, sum(x.From, x.To))
			}
			got = max(got, x.Dose)
		}
		if got != highest {
			t.Fatalf("highest three months %d, want %d", got, highest)
		}
		if found := slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.Kind == Abdomen }); found != (highest > 13000) {
			t.Fatalf("highest three months %d, finding %v", highest, found)
		}
	})
}

// For each day of eight years, leap years among them: the earliest day from which three months run to it or past it.
func TestThreeMonthsBeforeEachDay(t *testing.T) {
	for last := epoch; last < epoch+8*366; last++ {
		want := last - 95
		for want.AddMonths(3) <= last {
			want++
		}
		if got := threeMonthsBefore(last); got != want {
			t.Errorf("three months to %v begin %v, want %v", last, got, want)
		}
		if end := last + 1; end.Time().Day() == 1 { // last day of a month: three whole calendar months
			if got := threeMonthsBefore(last); got != end.AddMonths(-3) || got.Time().Day() != 1 {
				t.Errorf("three calendar months to %v begin %v", last, got)
			}
		}
	}
}

// The lens against a table of days: who covers what.
func TestLensAgainstDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var recs []Record
		for range rapid.IntRange(1, 12).Draw(t, "n") {
			from := epoch + 20 + day.Day(rapid.IntRange(0, 60).Draw(t, "from"))
			recs = append(recs, Record{
				Position: rapid.SampledFrom([]Position{Eye, Collar}).Draw(t, "position"), From: from, To: from + day.Day(rapid.IntRange(0, 30).Draw(t, "days")),
				Employment: rapid.IntRange(0, 1).Draw(t, "employment"),
				Readings:   []Reading{{Hp3, MicroSv(rapid.Int64Range(0, 9).Draw(t, "dose")), Measured}},
			})
		}
		var want MicroSv
		counted := 0
		for _, r := range recs {
			v, covered := r.Readings[0].Dose, map[day.Day]bool{}
			for _, eye := range recs {
				if r.Position == Collar && eye.Position == Eye && eye.Employment == r.Employment {
					for d := eye.From; d <= eye.To; d++ {
						covered[d] = true
					}
					if eye.From >= r.From && eye.To <= r.To {
						v -= eye.Readings[0].Dose
					}
				}
			}
			all := true
			for d := r.From; d <= r.To; d++ {
				all = all && covered[d]
			}
			if !all {
				want += max(v, 0)
				counted++
			}
		}
		for _, x := range Evaluate(Subject{Group: Adult}, nil, recs, 0).Totals {
			if x.Kind == Lens && (x.Dose != want || x.Counted != counted) {
				t.Fatalf("lens %+v, want %d of %d", x, want, counted)
			}
		}
	})
}

func TestNothing(t *testing.T) {
	a := Evaluate(Subject{}, nil, nil, 0)
	if len(a.Totals)+len(a.Rolling3)+len(a.FiveYear)+len(a.Findings)+a.Unplaced != 0 {
		t.Errorf("of nothing: %+v", a)
	}
}

// What an assessment points at is the caller's: changing it changes no limit.
func TestFindingsAreCopies(t *testing.T) {
	recs := []Record{{Position: WholeBody, From: epoch, To: epoch + 30, Readings: []Reading{{Hp10, 50000, Measured}}}}
	first := Evaluate(Subject{Group: Adult}, nil, recs, 0)
	for _, f := range first.Findings {
		if f.Limit != nil {
			f.Limit.Dose = 1
		}
		if f.Level != nil {
			f.Level.Dose = 1
		}
	}
	Limits()[0].Dose = 1
	StatutoryLevels()[0].Dose = 1
	second := Evaluate(Subject{Group: Adult}, nil, recs, 0)
	if len(second.Findings) != 2 || second.Findings[0].Limit.Dose != 20000 || second.Findings[1].Level.Dose != 15000 {
		t.Errorf("limits were changed: %+v", second.Findings)
	}
}

// TestLimitsTable: for each group and each day one limit in force of each kind and window, and none without a source.
func TestLimitsTable(t *testing.T) {
	for _, d := range []string{"2000-01-01", "2017-12-31", "2018-01-01", "2026-06-30"} {
		on, err := day.Parse(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []Group{Adult, Trainee, Other} {
			for _, regime := range []Regime{OrdinaryRegime, FiveYearsRegime} {
				for _, k := range []Kind{Effective, Lens, Skin, Extremity, Abdomen, Foetus} {
					n := 0
					for _, l := range Limits() {
						if (l.Group == g || l.Group == NoGroup) && (l.Regime == regime || l.Regime == AnyRegime) && l.Kind == k && l.Window == k.LevelWindow() &&
							l.From <= on && (l.To.IsZero() || l.To >= on) {
							n++
						}
					}
					if n != 1 {
						t.Errorf("%s, %v, %v: %d limits on %v", d, g, regime, n, k)
					}
				}
			}
		}
	}
}

func TestLimitsFileErrors(t *testing.T) {
	const head = "regulation,paragraph,from,to,group,kind,window,regime,mSv,verify,note\n"
	for _, bad := range []string{
		"", "regulation\nIRR17\n",
		head + "IRR17,p,2018-01-01,,adult,effective,calendar year,ordinary,twenty,,\n",
		head + "IRR17,p,2018-13-01,,adult,effective,calendar year,ordinary,20,,\n",
		head + "IRR17,p,2018-01-01,,child,effective,calendar year,ordinary,20,,\n",
		head + "IRR17,p,2018-01-01,,adult,,calendar year,ordinary,20,,\n",
		head + "IRR17,p,2018-01-01,2017-01-01,adult,effective,calendar year,ordinary,20,,\n",
		head + "IRR17,p,2018-01-01,,adult,effective,calendar year,ordinary,20,perhaps,\n",
		head + ",p,2018-01-01,,adult,effective,calendar year,ordinary,20,,\n",
		head + "IRR17,p,2018-01-01,,adult\n",
	} {
		if l, err := readLimits(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, l)
		}
	}
	for _, bad := range []string{"", "name,from,to,kind,mSv\n,2018-01-01,,effective,15\n", "name,from,to,kind,mSv\nx,2018-01-01,,effective,-15\n"} {
		if l, err := readLevels(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, l)
		}
	}
}

// people makes records such as a hospital has: 40 for each of n people, monthly whole-body badges, some with collar and finger badges.
func people(n int) [][]Record {
	all := make([][]Record, n)
	for p := range all {
		for i := range 40 {
			position := WholeBody
			switch {
			case p%4 == 0 && i%4 == 1:
				position = Collar
			case p%4 == 0 && i%4 == 2:
				position = LeftFinger
			case p%16 == 0 && i%4 == 3:
				position = Eye
			}
			month := i
			if p%4 == 0 {
				month = i / 4
			}
			from := epoch.AddMonths(month)
			dose := MicroSv((p*31 + i*17) % 400)
			all[p] = append(all[p], Record{Position: position, From: from, To: from.AddMonths(1) - 1, Readings: []Reading{
				{Hp10, dose, Measured}, {Hp3, dose, Measured}, {Hp007, dose * 2, Measured},
			}})
		}
	}
	return all
}

// BenchmarkEvaluate evaluates 20,000 people with 40 records each, as they come from a store that does not sort.
func BenchmarkEvaluate(b *testing.B) {
	all := people(20000)
	shuffle := rand.New(rand.NewPCG(1, 2))
	for _, recs := range all {
		shuffle.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	}
	levels := []Level{{Kind: Effective, Dose: 1000, Name: "own"}, {Kind: Lens, Dose: 3000, Name: "own"}, {Kind: Extremity, Dose: 30000, Name: "own"}}
	b.ReportAllocs()
	for b.Loop() {
		for _, recs := range all {
			Evaluate(Subject{Group: Adult}, levels, recs, 0)
		}
	}
}

// BenchmarkOneLongLife evaluates one person with 4,000 records, which must not take the square of the time of 40.
func BenchmarkOneLongLife(b *testing.B) {
	var recs []Record
	for i := range 4000 {
		from := epoch + day.Day(7*(i/2))
		recs = append(recs, Record{Position: []Position{Eye, Collar}[i%2], From: from, To: from + 6, Readings: []Reading{{Hp3, 5, Measured}}})
	}
	for b.Loop() {
		Evaluate(Subject{Group: Adult}, nil, recs, 0)
	}
}
