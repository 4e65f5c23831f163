package dose

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/dosevault/dosevault/internal/day"
)

// Record is one badge's current (not superseded) report for one wear period.
type Record struct {
	Position    Position
	From, To    day.Day // first and last day of the wear period; without a From, or with one after To, To alone
	Readings    []Reading
	NotCounted  bool        // set aside by the caller: worn by another person, replaced, read twice
	Employment  int         // the caller's index of the employment: badges stand in for one another only within it
	Combination Combination // the organisation's choice, on both badges of a pair
}

// Subject is what must be known of a person to choose the limits.
type Subject struct {
	Group                  Group
	FiveYears              bool    // the employer applies IRR17 reg 12(2): 100 mSv in five years instead of 20 in one
	Reproductive           bool    // woman of reproductive capacity: the abdomen's limit applies
	Declared, PregnancyEnd day.Day // the foetus' limit applies from Declared on; zero: none. A zero end: not over yet
}

// Total is the dose of a calendar year; for Foetus that of the pregnancy, under the year of its declaration.
type Total struct {
	Kind        Kind
	Year        int
	Dose        MicroSv
	Neutron     MicroSv // Effective: the part of Dose that is neutron Hp(10)
	Under, Over MicroSv // Effective: Hunder and Hover, the Hp(10) sums of the pairs that a Combination put together
	Counted     int     // results that gave a number; for Skin and Extremity of all sites, of which the highest is Dose
	Missing     int     // results lost, damaged, not returned, or of a pair that could not be combined: the sum is incomplete
	Straddles   int     // counted periods that cross the year's (pregnancy's) start or end
}

// Span is the dose of a window that ends on a day with a reading (ThreeMonths), or of five calendar years.
type Span struct {
	Kind             Kind
	From, To         day.Day // both included
	Dose             MicroSv
	Counted, Missing int
}

// Finding says that a limit or an investigation level was passed. There is one for each kind, window, year and bound.
type Finding struct {
	Kind         Kind
	Window       Window
	Year         int     // of On; for FiveYears the last of the five; for Pregnancy that of the declaration
	Dose         MicroSv // the highest sum of that year so far
	Bound        MicroSv
	Overexposure bool    // a limit was passed, else an investigation level
	Limit        *Limit  // exactly one of Limit and Level is set
	Level        *Level  // of equal levels the statutory one, else the first by name
	On           day.Day // the last day of the period with which it was passed
}

// Assessment is what the records come to. Its slices are sorted.
type Assessment struct {
	Totals   []Total   // by year, then kind; only years with a result or a straddling period
	Rolling3 []Span    // Abdomen, whatever the subject: for each last day of a counted period the longest three months that end on it
	FiveYear []Span    // Effective and Lens: the five years that end with each year of Totals; by last year, then kind
	Findings []Finding // by year, kind, window, limits first, bound
	Unplaced int       // records and readings that could not be counted: no last day, no position, no quantity or no qualifier
}

// Evaluate sums a person's records up to a day (zero: all) and compares the sums with the limits and with the levels,
// the employer's and the statutory ones. It includes records whose period ends on that day. The order of the records
// and levels makes no difference, and neither is changed. Negative doses count as zero.
func Evaluate(s Subject, levels []Level, recs []Record, upTo day.Day) Assessment {
	var a assessor
	a.subject = s
	a.collect(recs, upTo)
	a.bound(levels)

	n := len(a.entries)
	both := make([]MicroSv, 2*n)
	first, second := both[:n:n], both[n:]

	a.effective(first)
	a.years(Effective, first)
	clear(both)
	a.site(Lens, lensSite, first)
	a.years(Lens, first)
	clear(both)
	a.site(Skin, skinOver, first)
	a.site(Skin, skinUnder, second)
	a.years(Skin, first, second)
	clear(both)
	a.site(Extremity, leftHand, first)
	a.site(Extremity, rightHand, second)
	a.years(Extremity, first, second)
	clear(both)
	a.site(Abdomen, trunkSite, first)
	a.rolling(first)
	if !s.Declared.IsZero() && (upTo.IsZero() || s.Declared <= upTo) {
		clear(both)
		a.site(Foetus, foetusSite, first)
		a.pregnancy(first)
	}
	return a.finish()
}

// entry is a record with its readings resolved.
type entry struct {
	from, to     day.Day
	year         int // of the last day
	fromYear     int
	employment   int
	partner      int // index of the other badge of a combined pair, or -1
	position     Position
	combination  Combination
	number, lost uint8                         // bit 1<<Quantity: gave a number; should have
	counts       uint8                         // bit 1<<Kind: is in a sum
	missing      uint8                         // bit 1<<Kind: should be
	dose         [int(NeutronHp10) + 1]MicroSv // by quantity
}

func (e *entry) has(q Quantity) bool { return e.number&(1<<q) != 0 }

type assessor struct {
	subject   Subject
	entries   []entry // by last day
	longest   int     // days of the longest period, less one
	positions uint16  // bit 1<<Position: is among the entries
	combined  bool    // an entry has a Combination
	bounds    []bound
	lowest    [Foetus + 1]MicroSv // bound of each kind
	out       Assessment
}

// collect makes the entries, sorted by last day.
func (a *assessor) collect(recs []Record, upTo day.Day) {
	order := make([]int64, 0, len(recs)) // last day, then index: sorts faster than records
	for i := range recs {
		r := &recs[i]
		switch {
		case r.NotCounted || r.Position == Control:
		case r.To.IsZero() || r.Position == NoPosition || r.Position > Control:
			a.out.Unplaced++
		case upTo.IsZero() || r.To <= upTo:
			order = append(order, int64(r.To)<<32|int64(i))
		}
	}
	slices.Sort(order)
	a.entries = make([]entry, 0, len(order))
	for _, o := range order {
		r := &recs[uint32(o)]
		a.entries = append(a.entries, entry{from: r.From, to: r.To, employment: r.Employment, position: r.Position, combination: r.Combination, partner: -1})
		e := &a.entries[len(a.entries)-1]
		if e.from.IsZero() || e.from > e.to {
			e.from = e.to
		}
		for _, rd := range r.Readings {
			if !e.take(rd) {
				a.out.Unplaced++
			}
		}
		if e.number|e.lost == 0 {
			a.entries = a.entries[:len(a.entries)-1]
			continue
		}
		a.longest = max(a.longest, int(e.to)-int(e.from))
		a.positions |= 1 << e.position
		a.combined = a.combined || e.combination != NoCombination
	}
	for i := range a.entries {
		e := &a.entries[i]
		if i > 0 && a.entries[i-1].to == e.to {
			e.year = a.entries[i-1].year
		} else {
			e.year = e.to.Year()
		}
		if i > 0 && a.entries[i-1].from == e.from {
			e.fromYear = a.entries[i-1].fromYear
		} else {
			e.fromYear = e.from.Year()
		}
	}
	if a.combined {
		a.pair()
	}
}

// take adds a reading; of two of the same quantity the higher counts. A reading without quantity speaks for
// all that the badge measures, unless it carries a number. False: it could not be understood.
func (e *entry) take(rd Reading) bool {
	var of uint8 // the quantities
	switch {
	case e.position.Measures(rd.Quantity):
		of = 1 << rd.Quantity
	case rd.Quantity != NoQuantity:
		return rd.Quantity <= NeutronHp10 // of no meaning at this position, but understood
	case rd.Qualifier.Accumulates() && rd.Qualifier != BelowLevel:
		return false
	case e.position == WholeBody || e.position == Collar:
		of = 1<<Hp10 | 1<<Hp3 | 1<<Hp007 // few of them measure neutrons
	default:
		for q := Hp10; q <= NeutronHp10; q++ {
			if e.position.Measures(q) {
				of |= 1 << q
			}
		}
	}
	switch rd.Qualifier {
	case Measured, Estimated, Notional, SpecialEntry:
		e.dose[rd.Quantity] = max(e.dose[rd.Quantity], bounded(rd.Dose))
		e.number |= of
	case BelowLevel:
		e.number |= of
	case NotReturned, Lost, Damaged:
		e.lost |= of
	case Unused:
	default:
		return false
	}
	return true
}

// pair finds the badges that a Combination puts together: one whole-body and one collar badge of the same employment, period and
// choice that both gave Hp(10), and no other such badge. A collar badge with a choice that is not paired makes
// the effective dose incomplete.
func (a *assessor) pair() {
	es := a.entries
	for lo, hi := 0, 0; lo < len(es); lo = hi {
		for hi = lo; hi < len(es) && es[hi].to == es[lo].to; hi++ {
		}
		for i := lo; i < hi; i++ {
			if es[i].combination == NoCombination || es[i].position != Collar || (es[i].number|es[i].lost)&(1<<Hp10) == 0 {
				continue
			}
			under, unders, overs := -1, 0, 0
			for j := lo; j < hi; j++ {
				if es[j].employment != es[i].employment || es[j].from != es[i].from || es[j].combination != es[i].combination || !es[j].has(Hp10) {
					continue
				}
				switch es[j].position {
				case WholeBody:
					under = j
					unders++
				case Collar:
					overs++
				}
			}
			if es[i].has(Hp10) && unders == 1 && overs == 1 {
				es[i].partner, es[under].partner = under, i
			} else {
				es[i].missing |= 1 << Effective
			}
		}
	}
}

// effective puts each entry's part in the effective dose into parts.
func (a *assessor) effective(parts []MicroSv) {
	a.site(Effective, trunkSite, parts)
	if !a.combined {
		return
	}
	for i := range a.entries {
		if e := &a.entries[i]; e.position == WholeBody && e.partner >= 0 {
			parts[i] += e.combination.Effective(e.dose[Hp10], a.entries[e.partner].dose[Hp10]) - e.dose[Hp10]
		}
	}
}

// totals of one kind by year.
type totals []Total

// of returns the index of the year's total, which it makes if needed.
func (t *totals) of(kind Kind, year int) int {
	for i := len(*t) - 1; i >= 0; i-- {
		if (*t)[i].Year == year {
			return i
		}
	}
	*t = append(*t, Total{Kind: kind, Year: year})
	return len(*t) - 1
}

// fourYearsBefore returns the sums of the four calendar years before a year.
func (t totals) fourYearsBefore(year int) (s Span) {
	for _, y := range t {
		if y.Year < year && y.Year >= year-4 {
			s.Dose += y.Dose
			s.Counted += y.Counted
			s.Missing += y.Missing
		}
	}
	return s
}

// years sums the sites' parts for each calendar year, takes the highest site, and looks at the bounds after each day.
func (a *assessor) years(kind Kind, sites ...[]MicroSv) {
	var room [12]Total
	t := totals(room[:0])
	bit := uint8(1) << kind
	fiveYears := kind == Effective || kind == Lens
	var sums [2]MicroSv
	var before MicroSv
	var year, at int
	begun := false
	for i := 0; i < len(a.entries); {
		today, counted := a.entries[i].to, false
		for ; i < len(a.entries) && a.entries[i].to == today; i++ {
			e := &a.entries[i]
			if (e.counts|e.missing)&bit == 0 {
				continue
			}
			if !begun || e.year != year {
				begun, year, sums = true, e.year, [2]MicroSv{}
				before = t.fourYearsBefore(year).Dose
			}
			at = t.of(kind, year)
			if e.missing&bit != 0 {
				t[at].Missing++
			}
			if e.counts&bit == 0 {
				continue
			}
			counted = true
			t[at].Counted++
			for s := range sites {
				sums[s] += sites[s][i]
			}
			if kind == Effective {
				t[at].effectiveParts(a.entries, i)
			}
			a.straddle(&t, kind, e)
		}
		if counted {
			at = t.of(kind, year)
			t[at].Dose = max(sums[0], sums[1])
			a.check(kind, CalendarYear, year, today, t[at].Dose)
			if fiveYears {
				a.check(kind, FiveYears, year, today, t[at].Dose+before)
			}
		}
	}
	slices.SortFunc(t, func(x, y Total) int { return cmp.Compare(x.Year, y.Year) })
	if a.out.Totals == nil && len(t) > 0 {
		a.out.Totals = make([]Total, 0, 3*len(t)+1)
		a.out.FiveYear = make([]Span, 0, 2*len(t))
	}
	a.out.Totals = append(a.out.Totals, t...)
	if !fiveYears {
		return
	}
	for _, y := range t {
		s := t.fourYearsBefore(y.Year)
		s.Kind, s.From, s.To = kind, day.Of(y.Year-4, 1, 1), day.Of(y.Year, 12, 31)
		s.Dose += y.Dose
		s.Counted += y.Counted
		s.Missing += y.Missing
		a.out.FiveYear = append(a.out.FiveYear, s)
	}
}

// effectiveParts adds what is reported apart of entry i.
func (t *Total) effectiveParts(es []entry, i int) {
	e := &es[i]
	t.Neutron += e.dose[NeutronHp10]
	if e.partner >= 0 {
		t.Under += e.dose[Hp10]
		t.Over += es[e.partner].dose[Hp10]
	}
}

// straddle notes in each year that the period touches that it crosses the year's start or end. Periods are weeks or months; of one
// that claims to be longer than ten years, the last ten are looked at.
func (a *assessor) straddle(t *totals, kind Kind, e *entry) {
	if e.fromYear == e.year {
		return
	}
	for y := max(e.fromYear, e.year-10); y <= e.year; y++ {
		(*t)[t.of(kind, y)].Straddles++
	}
}

// rolling sums the last three months for each day on which a counted period ends.
func (a *assessor) rolling(parts []MicroSv) {
	const bit = 1 << Abdomen
	var run Span
	oldest := 0 // the first entry of the window
	for i := 0; i < len(a.entries); {
		today, counted := a.entries[i].to, false
		for ; i < len(a.entries) && a.entries[i].to == today; i++ {
			counted = counted || a.entries[i].counts&bit != 0
			run.add(&a.entries[i], bit, parts[i], 1)
		}
		if !counted {
			continue
		}
		from := threeMonthsBefore(today)
		for ; a.entries[oldest].to < from; oldest++ {
			run.add(&a.entries[oldest], bit, parts[oldest], -1)
		}
		run.Kind, run.From, run.To = Abdomen, from, today
		if a.out.Rolling3 == nil {
			a.out.Rolling3 = make([]Span, 0, len(a.entries)-i+1)
		}
		a.out.Rolling3 = append(a.out.Rolling3, run)
		if a.subject.Reproductive {
			a.check(Abdomen, ThreeMonths, a.entries[i-1].year, today, run.Dose)
		}
	}
}

// add takes an entry into the window (sign 1) or out of it (-1).
func (s *Span) add(e *entry, bit uint8, part MicroSv, sign int) {
	if e.counts&bit != 0 {
		s.Dose += part * MicroSv(sign)
		s.Counted += sign
	}
	if e.missing&bit != 0 {
		s.Missing += sign
	}
}

// threeMonthsBefore returns the first day of the longest three consecutive months that include last as their last
// day or run past it: the earliest day whose same day three months on is after last.
func threeMonthsBefore(last day.Day) day.Day {
	next := last + 1
	year, month, dayOfMonth := next.Time().Date()
	if dayOfMonth <= 28 {
		return day.Of(year, month-3, dayOfMonth)
	}
	from := next.AddMonths(-3)
	if from.AddMonths(3) <= last { // 31 May: back to 28 February, which would be 28 May
		from++
	}
	return from
}

// pregnancy sums from the declaration to the end of the pregnancy.
func (a *assessor) pregnancy(parts []MicroSv) {
	const bit = 1 << Foetus
	first, last := a.subject.Declared, a.subject.PregnancyEnd
	t := Total{Kind: Foetus, Year: first.Year()}
	for i := 0; i < len(a.entries); {
		today, counted := a.entries[i].to, false
		for ; i < len(a.entries) && a.entries[i].to == today; i++ {
			e := &a.entries[i]
			if e.to < first || (!last.IsZero() && e.from > last) || (e.counts|e.missing)&bit == 0 {
				continue
			}
			inside := last.IsZero() || e.to <= last
			if e.counts&bit != 0 && (e.from < first || !inside) {
				t.Straddles++
			}
			if !inside {
				continue
			}
			if e.missing&bit != 0 {
				t.Missing++
			}
			if e.counts&bit != 0 {
				counted = true
				t.Counted++
				t.Dose += parts[i]
			}
		}
		if counted {
			a.check(Foetus, Pregnancy, t.Year, today, t.Dose)
		}
	}
	a.out.Totals = append(a.out.Totals, t)
}

// bound is a limit or a level.
type bound struct {
	kind     Kind
	window   Window
	dose     MicroSv
	from, to day.Day
	limit    *Limit
	level    *Level
}

// LevelWindow is the window that a level of a kind is for.
func (k Kind) LevelWindow() Window {
	switch k {
	case Abdomen:
		return ThreeMonths
	case Foetus:
		return Pregnancy
	}
	return CalendarYear
}

// statutoryBounds are the limits of each group and regime, then the statutory levels.
var statutoryBounds = sync.OnceValue(func() (all [Other + 1][FiveYearsRegime + 1][]bound) {
	for g := range all {
		for r := range all[g] {
			for i := range allLimits() {
				if l := &allLimits()[i]; (l.Group == NoGroup || l.Group == Group(g)) && (l.Regime == AnyRegime || l.Regime == Regime(r)) {
					all[g][r] = append(all[g][r], bound{l.Kind, l.Window, l.Dose, l.From, l.To, l, nil})
				}
			}
			for i := range allLevels() {
				l := &allLevels()[i]
				all[g][r] = append(all[g][r], bound{l.Kind, l.Kind.LevelWindow(), l.Dose, l.From, l.To, nil, l})
			}
		}
	}
	return all
})

// bound collects the limits of the subject's group and regime, then the statutory levels, then the employer's by name.
func (a *assessor) bound(levels []Level) {
	group, regime := a.subject.Group, OrdinaryRegime
	if group != Adult && group != Trainee {
		group = Other
	}
	if a.subject.FiveYears {
		regime = FiveYearsRegime
	}
	statutory := statutoryBounds()[group][regime]
	a.bounds = append(make([]bound, 0, len(statutory)+len(levels)), statutory...)
	own := len(a.bounds)
	for i := range levels {
		l := &levels[i]
		a.bounds = append(a.bounds, bound{l.Kind, l.Kind.LevelWindow(), l.Dose, l.From, l.To, nil, l})
	}
	if len(levels) > 1 {
		slices.SortFunc(a.bounds[own:], func(x, y bound) int {
			return cmp.Or(strings.Compare(x.level.Name, y.level.Name), cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to))
		})
	}
	a.lowestBounds()
}

// lowestBounds remembers the lowest bound of each kind: most sums are below it.
func (a *assessor) lowestBounds() {
	for k := range a.lowest {
		a.lowest[k] = maxMicroSv
	}
	for i := range a.bounds {
		if b := &a.bounds[i]; b.kind <= Foetus {
			a.lowest[b.kind] = min(a.lowest[b.kind], b.dose)
		}
	}
}

// check notes which bounds a sum is above on a day. Once found in a year, a bound is not found again: only the highest sum is kept.
func (a *assessor) check(kind Kind, window Window, year int, on day.Day, sum MicroSv) {
	if sum <= a.lowest[kind] {
		return
	}
	for i := range a.bounds {
		b := &a.bounds[i]
		if b.kind != kind || b.window != window || sum <= b.dose || on < b.from && !b.from.IsZero() || on > b.to && !b.to.IsZero() {
			continue
		}
		if !a.found(kind, window, year, b.dose, b.limit != nil) {
			f := Finding{Kind: kind, Window: window, Year: year, Bound: b.dose, Overexposure: b.limit != nil, On: on}
			if b.limit != nil {
				l := *b.limit
				f.Limit = &l
			} else {
				l := *b.level
				f.Level = &l
			}
			a.out.Findings = append(a.out.Findings, f)
		}
	}
	for i := range a.out.Findings {
		if f := &a.out.Findings[i]; f.Kind == kind && f.Window == window && f.Year == year {
			f.Dose = max(f.Dose, sum)
		}
	}
}

func (a *assessor) found(kind Kind, window Window, year int, dose MicroSv, limit bool) bool {
	for i := range a.out.Findings {
		f := &a.out.Findings[i]
		if f.Kind == kind && f.Window == window && f.Year == year && f.Bound == dose && f.Overexposure == limit {
			return true
		}
	}
	return false
}

// finish sorts what was found.
func (a *assessor) finish() Assessment {
	slices.SortFunc(a.out.Totals, func(x, y Total) int { return cmp.Or(cmp.Compare(x.Year, y.Year), cmp.Compare(x.Kind, y.Kind)) })
	slices.SortFunc(a.out.FiveYear, func(x, y Span) int { return cmp.Or(cmp.Compare(x.To, y.To), cmp.Compare(x.Kind, y.Kind)) })
	slices.SortFunc(a.out.Findings, func(x, y Finding) int {
		limitsFirst := 0
		if x.Overexposure != y.Overexposure {
			limitsFirst = 1
			if x.Overexposure {
				limitsFirst = -1
			}
		}
		return cmp.Or(cmp.Compare(x.Year, y.Year), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Window, y.Window), limitsFirst, cmp.Compare(x.Bound, y.Bound))
	})
	return a.out
}
