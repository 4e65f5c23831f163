package dose

import (
	"cmp"
	_ "embed" // the bins
	"fmt"
	"math/bits"
	"sync"

	"github.com/dosevault/dosevault/internal/day"
)

// Bin is a class of a distribution of doses: those above the bin before it, up to and including UpTo.
type Bin struct {
	Name   string // in mSv, as in "above 1 to 6"
	UpTo   MicroSv
	People int
	Sum    MicroSv // man-µSv
	Source string
}

// Collective is a dose of many people in one year: their sum, and how it is distributed over them.
type Collective struct {
	Kind       Kind
	Year       int
	Sum        MicroSv // man-µSv: the sum of the doses of those with a result
	People     int     // with a result
	Incomplete int     // of them, those with results missing: Sum is at least this
	NoResult   int     // people all of whose results are missing; they are in no bin and not in Sum
	Highest    MicroSv // the highest dose of one of them
	Bins       []Bin   // the year's convention, in order
}

// Collect sums the doses of one kind and calendar year over people, each of whom has a slice of totals. Whoever has no total of the
// kind wore no badge for it, and is left out.
func Collect(kind Kind, year int, people [][]Total) Collective {
	c := Collective{Kind: kind, Year: year, Bins: BinsOn(day.Of(year, 12, 31))}
	for _, totals := range people {
		for _, t := range totals {
			if t.Kind == kind && t.Year == year {
				c.add(t)
			}
		}
	}
	return c
}

func (c *Collective) add(t Total) {
	if t.Counted == 0 {
		if t.Missing > 0 {
			c.NoResult++
		}
		return
	}
	c.People++
	c.Sum += t.Dose
	c.Highest = max(c.Highest, t.Dose)
	if t.Missing > 0 {
		c.Incomplete++
	}
	for i := range c.Bins {
		if b := &c.Bins[i]; t.Dose <= b.UpTo {
			b.People++
			b.Sum += t.Dose
			return
		}
	}
}

// Mean is the mean dose of those with a result, to the nearest µSv; nothing for nobody.
func (c Collective) Mean() MicroSv {
	if c.People == 0 {
		return 0
	}
	n := MicroSv(c.People)
	return c.Sum/n + (c.Sum%n+n/2)/n
}

// Share is how much of a legal limit a dose is.
type Share struct {
	Kind        Kind
	Dose, Limit MicroSv // without a limit there is no share
}

// Compare orders shares: negative when s is less of its limit than of is of its own. No share is less than any.
func (s Share) Compare(of Share) int {
	if s.Limit <= 0 || of.Limit <= 0 {
		return cmp.Compare(max(s.Limit, 0), max(of.Limit, 0))
	}
	sHigh, sLow := bits.Mul64(uint64(max(s.Dose, 0)), uint64(of.Limit))
	ofHigh, ofLow := bits.Mul64(uint64(max(of.Dose, 0)), uint64(s.Limit))
	return cmp.Or(cmp.Compare(sHigh, ofHigh), cmp.Compare(sLow, ofLow))
}

// HighestShare returns which of a person's totals of a calendar year is the largest part of its limit, on the year's last day; of
// equal ones the first. A total without a result has no share.
func HighestShare(s Subject, year int, totals []Total) (highest Share) {
	for _, t := range totals {
		if t.Year != year || t.Counted == 0 || t.Kind.LevelWindow() != CalendarYear {
			continue
		}
		one := Share{t.Kind, t.Dose, LimitOn(day.Of(year, 12, 31), s, t.Kind, CalendarYear)}
		if one.Compare(highest) > 0 {
			highest = one
		}
	}
	return highest
}

// LimitOn returns the legal limit that holds for such a worker on a day (zero: those still in force); zero when there is none.
func LimitOn(on day.Day, s Subject, kind Kind, window Window) MicroSv {
	group := s.Group
	if group == NoGroup {
		group = Other
	}
	for i := range allLimits() {
		l := &allLimits()[i]
		switch {
		case l.Kind != kind || l.Window != window || l.Group != NoGroup && l.Group != group || !inForce(l.From, l.To, on):
		case l.Regime == OrdinaryRegime && s.FiveYears || l.Regime == FiveYearsRegime && !s.FiveYears:
		case l.Kind == Abdomen && !s.Reproductive:
		default:
			return l.Dose
		}
	}
	return 0
}

func inForce(from, to, on day.Day) bool {
	return from <= on && (to.IsZero() || on <= to) || on.IsZero() && to.IsZero()
}

//go:embed bins.csv
var binsCSV string

// datedBin is a row of bins.csv.
type datedBin struct {
	Bin
	from, to day.Day
}

var allBins = sync.OnceValue(func() []datedBin { return must(readBins(binsCSV)) })

// BinsOn returns the bins of a distribution that are the convention on a day, empty, in order. The last has no end.
func BinsOn(on day.Day) (bins []Bin) {
	for _, b := range allBins() {
		if inForce(b.from, b.to, on) {
			bins = append(bins, b.Bin)
		}
	}
	return bins
}

func readBins(text string) (bins []datedBin, err error) {
	err = rows("bins.csv", "name,from,to,mSv,source", text, func(get func(string) string) error {
		var r reader
		b := datedBin{Bin{Name: get("name"), UpTo: maxMicroSv, Source: get("source")}, r.day(get("from")), r.day(get("to"))}
		if s := get("mSv"); s != "" {
			b.UpTo = r.dose(s)
		}
		if b.Name == "" || b.from.IsZero() || b.Source == "" {
			r.fail(fmt.Errorf("name, from and source are needed"))
		}
		bins = append(bins, b)
		return r.err
	})
	return bins, err
}
