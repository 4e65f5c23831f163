package synth

import (
	"github.com/dosevault/dosevault/internal/dose"
)

// planned are the people above a level or limit: the yearly totals in µSv that they reach with the latest report.
var planned = []struct {
	what     string
	position dose.Position
	quantity dose.Quantity
	total    dose.MicroSv
}{
	{"level", dose.WholeBody, dose.Hp10, 15_620},
	{"level", dose.WholeBody, dose.Hp10, 16_840},
	{"level", dose.WholeBody, dose.Hp10, 18_310},
	{"limit", dose.WholeBody, dose.Hp10, 21_450},
	{"limit", dose.Eye, dose.Hp3, 22_730},
	{"limit", dose.LeftFinger, dose.Hp007, 531_200},
}

// Yearly totals of the two employments of the person who is above a limit only when they are added.
const (
	firstOfTwo  = 12_140
	secondOfTwo = 10_420
)

// cases raises the doses of the latest year of a few people, each by results that are there and by one that only the
// latest report has: it is that report which takes them over the level or limit.
func (f *fitter) cases() {
	year := f.Today.Year()
	badges := map[int][]int{} // of the latest year, by wearer
	for i := range f.Badges {
		if b := &f.Badges[i]; b.Wearer >= 0 && b.To.Year() == year && !b.NotCounted {
			badges[b.Wearer] = append(badges[b.Wearer], i)
		}
	}
	pending := map[int]int{}
	for i, p := range f.Latest {
		pending[p.Badge] = i
	}
	// ready returns a wearer's badges at a position that have results, and the latest pending one.
	ready := func(w int, p dose.Position) (old []int, last int) {
		last = -1
		for _, i := range badges[w] {
			if f.Badges[i].Position != p {
				continue
			}
			if n, ok := pending[i]; ok {
				last = n
			} else if len(f.Badges[i].Results) > 0 {
				old = append(old, i)
			}
		}
		return old, last
	}
	raise := func(w int, p dose.Position, total dose.MicroSv) {
		old, last := ready(w, p)
		each := total * 78 / 100 / dose.MicroSv(len(old)) / 10 * 10
		for k, i := range old {
			v := each
			if k%2 == 1 {
				v -= each / 7 / 10 * 10
			}
			b := &f.Badges[i]
			scanned := min(b.To+56, f.Today-5)
			b.Results = []Result{{Scanned: scanned, Readings: high(p, v)}}
			total -= v
		}
		f.Latest[last].Result.Readings = high(p, total)
		f.Latest[last].Result.Notes = nil
	}
	fits := func(w int, p dose.Position) bool {
		old, last := ready(w, p)
		return !f.Wearers[w].Marker && f.Wearers[w].To.IsZero() && f.Wearers[w].Health.Declared == 0 && len(old) >= 2 && last >= 0
	}

	order := f.r.Perm(len(f.Wearers))
	taken := map[int]bool{}
	for _, plan := range planned {
		for _, w := range order {
			e := &f.Wearers[w]
			if taken[e.Person] || len(f.People[e.Person].Wearers) > 1 || !f.Organisations[e.Organisation].Kind.NHS() || e.role.exposed < 0.5 || !fits(w, plan.position) {
				continue
			}
			taken[e.Person] = true
			raise(w, plan.position, plan.total)
			f.Cases = append(f.Cases, Case{Person: e.Person, What: plan.what, Quantity: plan.quantity, Position: plan.position, Total: plan.total})
			break
		}
	}
	for p := range f.People {
		if ws := f.People[p].Wearers; len(ws) == 2 && fits(ws[0], dose.WholeBody) && fits(ws[1], dose.WholeBody) {
			raise(ws[0], dose.WholeBody, firstOfTwo)
			raise(ws[1], dose.WholeBody, secondOfTwo)
			f.Cases = append(f.Cases, Case{Person: p, What: "limit of two employments", Quantity: dose.Hp10, Position: dose.WholeBody, Total: firstOfTwo + secondOfTwo})
			break
		}
	}
}

// high returns the readings of a badge with a high dose.
func high(p dose.Position, v dose.MicroSv) []dose.Reading {
	var out []dose.Reading
	for _, q := range measures(p) {
		rd := dose.Reading{Quantity: q, Dose: v, Qualifier: dose.Measured}
		if p == dose.WholeBody && q == dose.Hp3 {
			rd.Dose = v * 8 / 100 * 10 // glasses
		}
		out = append(out, rd)
	}
	return out
}
