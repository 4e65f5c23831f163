package synth

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile"
)

// The highest totals of a calendar year, in µSv, of anybody who is no [Case]: below every limit and level.
const (
	capEffective = 9_000
	capLens      = 11_000
	capHand      = 110_000
)

// yearTotals are a person's running totals in one calendar year.
type yearTotals struct {
	effective, lens float64 // µSv
	hand            [2]float64
}

// fitter makes badges and results.
type fitter struct {
	*Service
	r      *rand.Rand
	totals []yearTotals // by person and year
}

// lastEnd is the last day of the periods that the latest report is about: the end of a month before Today, with
// three weeks for the badges to be returned and read.
func (s *Service) lastEnd() day.Day {
	y, m, d := s.Today.Time().Date()
	end := day.Of(y, m, 1) - 1
	if d < 21 {
		end = day.Of(y, m-1, 1) - 1
	}
	return end
}

// badges makes the batches, badges and results of all organisations.
func (s *Service) badges(c Config) {
	f := fitter{Service: s, r: c.rng(4), totals: make([]yearTotals, len(s.People)*s.years)}
	s.Badges = make([]Badge, 0, len(s.Wearers)*s.years*6)
	for o := range s.Organisations {
		s.badgesFrom = append(s.badgesFrom, len(s.Badges))
		f.organisation(o)
	}
	s.badgesFrom = append(s.badgesFrom, len(s.Badges))
	f.cases()
}

func (f *fitter) organisation(o int) {
	var by [4][]int // wearers by length of period
	for _, w := range f.Organisations[o].Wearers {
		by[f.Wearers[w].Months] = append(by[f.Wearers[w].Months], w)
	}
	var expecting []int
	for _, w := range f.Organisations[o].Wearers {
		if f.Wearers[w].Health.Declared != 0 {
			expecting = append(expecting, w)
		}
	}
	marked := map[int]bool{}
	last := f.lastEnd()
	for months := 1; months <= 3; months++ {
		if len(by[months]) == 0 && (months > 1 || len(expecting) == 0) {
			continue
		}
		for from := f.begin(); from <= f.Today; from = from.AddMonths(months) {
			to := from.AddMonths(months) - 1
			state := Reported
			if to > last {
				state = Worn
			} else if (to+1).AddMonths(months)-1 > last {
				state = Awaited
			}
			batch := len(f.Batches)
			before := len(f.Badges)
			for _, w := range by[months] {
				if f.wears(w, from, to) {
					f.wearer(w, batch, from, to, state)
					if f.Wearers[w].Marker && state == Reported && !marked[w] && to.AddMonths(2*months) > last {
						marked[w] = true
						f.markerBadge(w, batch, from, to)
					}
				}
			}
			if months == 1 {
				for _, w := range expecting {
					if h := f.Wearers[w].Health; h.Declared <= from && to <= h.Due && f.wears(w, from, to) {
						f.badge(w, batch, dose.Foetal, from, to, state)
					}
				}
			}
			if n := len(f.Badges) - before; n > 0 {
				f.Batches = append(f.Batches, Batch{Name: fmt.Sprintf("B%06d", scattered(batch, 1_000_000)), Organisation: o, From: from, To: to})
				for range 1 + n/60 {
					f.add(Badge{Wearer: -1, Organisation: o, Batch: batch, Position: dose.Control, From: from, To: to, State: state})
				}
			}
		}
	}
}

// wears reports whether a wearer is employed throughout a period.
func (f *fitter) wears(w int, from, to day.Day) bool {
	e := &f.Wearers[w]
	return e.From <= from && (e.To.IsZero() || e.To >= to)
}

// add gives a badge its barcode: letters between the digits, so that no long number shows in it by chance.
func (f *fitter) add(b Badge) int {
	n := scattered(len(f.Badges), 100_000_000)
	b.Barcode = fmt.Sprintf("%c%04d%c%04d", 'A'+n%8, n/10_000, 'K'+n%13, n%10_000)
	f.Badges = append(f.Badges, b)
	return len(f.Badges) - 1
}

// wearer gives a wearer the badges of a period.
func (f *fitter) wearer(w, batch int, from, to day.Day, state State) {
	e := &f.Wearers[w]
	f.badge(w, batch, dose.WholeBody, from, to, state)
	// Which further badges somebody wears does not change: it is drawn from the participant number.
	own := func(salt int) float64 { return float64(scattered(w*31+salt*17, 1_000_000)) / 1e6 }
	if own(1) < e.role.eye {
		f.badge(w, batch, dose.Eye, from, to, state)
	}
	if at := own(2); at < e.role.fingers {
		f.badge(w, batch, dose.LeftFinger, from, to, state)
		if at < e.role.fingers*0.6 {
			f.badge(w, batch, dose.RightFinger, from, to, state)
		}
	}
	if own(3) < e.role.collar {
		f.badge(w, batch, dose.Collar, from, to, state)
	}
	if state == Reported && chance(f.r, 0.002) {
		b := f.badge(w, batch, dose.WholeBody, from, to, state)
		f.Badges[b].NotCounted = true
	}
}

// Fates of badges whose period is over.
const (
	lost        = 0.006
	notReturned = 0.014
	damaged     = 0.003
	late        = 0.012 // of the four periods before the latest
	reissued    = 0.012
)

// badge makes one badge and, by its state, its results.
func (f *fitter) badge(w, batch int, p dose.Position, from, to day.Day, state State) int {
	i := f.add(Badge{Wearer: w, Organisation: f.Wearers[w].Organisation, Batch: batch, Position: p, From: from, To: to, State: state})
	b := &f.Badges[i]
	if state == Worn {
		return i
	}
	if state == Reported && int(f.lastEnd()-to) < 200 && chance(f.r, late) {
		b.State = Awaited
	}
	if b.State == Awaited {
		if !chance(f.r, lost+notReturned) { // of those nothing is heard yet
			res := f.result(b)
			res.Scanned = f.Today - day.Day(5+f.r.IntN(18))
			f.Latest = append(f.Latest, Pending{Badge: i, Result: res})
		}
		return i
	}
	switch at := f.r.Float64(); {
	case at < lost+notReturned:
		q := dose.NotReturned
		if at < lost {
			q = dose.Lost
		}
		b.Results = []Result{{Readings: only(p, q)}}
		if e := f.Wearers[w]; q == dose.Lost && p == dose.WholeBody && (e.Classified || chance(f.r, 0.1)) {
			b.Results = append(b.Results, f.investigated(b))
		}
	default:
		res := f.result(b)
		res.Scanned = min(to+f.lag(), f.Today-day.Day(3+f.r.IntN(20)))
		b.Results = []Result{res}
		if chance(f.r, reissued) {
			b.Results = append(b.Results, again(f.r, res))
		}
	}
	return i
}

// only returns the readings of a badge without a number.
func only(p dose.Position, q dose.Qualifier) []dose.Reading {
	var out []dose.Reading
	for _, quantity := range measures(p) {
		out = append(out, dose.Reading{Quantity: quantity, Qualifier: q})
	}
	return out
}

// measures returns what the laboratory reports of a position.
func measures(p dose.Position) []dose.Quantity {
	switch p {
	case dose.WholeBody:
		return []dose.Quantity{dose.Hp10, dose.Hp3, dose.Hp007}
	case dose.Collar:
		return []dose.Quantity{dose.Hp10, dose.Hp007}
	case dose.Eye:
		return []dose.Quantity{dose.Hp3}
	case dose.Foetal:
		return []dose.Quantity{dose.Hp10}
	}
	return []dose.Quantity{dose.Hp007}
}

// investigated is what was entered for a lost badge: an estimate, or the annual limit × days / 365.
func (f *fitter) investigated(b *Badge) Result {
	days := dose.MicroSv(b.To - b.From + 1)
	q, v := dose.Estimated, dose.MicroSv(10*f.r.IntN(12))
	t := f.year(b)
	if n := 20_000 * days / 365; f.Wearers[b.Wearer].Classified && chance(f.r, 0.3) && t.effective+float64(n) < capEffective {
		q, v = dose.Notional, n
	}
	t.effective += float64(v)
	return Result{Version: 1, Readings: []dose.Reading{{Quantity: dose.Hp10, Dose: v, Qualifier: q}}}
}

// again is a re-issued result: the laboratory evaluated it anew.
func again(r *rand.Rand, res Result) Result {
	out := res
	out.Version++
	out.Scanned += day.Day(r.IntN(3))
	out.Readings = append([]dose.Reading(nil), res.Readings...)
	for i := range out.Readings {
		if rd := &out.Readings[i]; rd.Qualifier == dose.Measured && rd.Dose > 20 && chance(r, 0.7) {
			rd.Dose -= 10
		}
	}
	return out
}

// lag is the time from the end of a period to the scan in days: median 56, 5 to 95 % 36 to 157.
func (f *fitter) lag() day.Day {
	z := f.r.NormFloat64()
	sigma := 0.627
	if z < 0 {
		sigma = 0.269
	}
	return day.Day(56 * math.Exp(sigma*z))
}

func (f *fitter) year(b *Badge) *yearTotals {
	return &f.totals[f.Wearers[b.Wearer].Person*f.years+b.To.Year()-f.begin().Year()]
}

// result draws what the laboratory finds, by role and position. Doses are multiples of 10 µSv, as Landauer reports
// them, and stay below the caps.
func (f *fitter) result(b *Badge) Result {
	r, e := f.r, &f.Wearers[b.Wearer]
	if chance(r, damaged) {
		return Result{Readings: only(b.Position, dose.Damaged), Notes: []string{oneOf(r, []string{labfile.NoteReceivedDamaged, labfile.NoteDamagedInProcessing})}}
	}
	if chance(r, e.role.unused) {
		return Result{Readings: only(b.Position, dose.Unused), Notes: []string{labfile.NoteUnused}}
	}
	t := f.year(b)
	var v float64 // mSv
	switch b.Position {
	case dose.Eye: // half have a number, median 0.72 mSv, nine in ten below 4.35
		if chance(r, 0.52) {
			v = f.below(lognormal(r, 0.72, 1.40), &t.lens, capLens)
		}
	case dose.LeftFinger, dose.RightFinger: // median 2.37 mSv, hardly any above 20
		if chance(r, 0.82) {
			v = f.below(min(lognormal(r, 2.37, 0.9), 20.6), &t.hand[b.Position-dose.LeftFinger], capHand)
		}
	case dose.Collar:
		if e.exposure > 0 && chance(r, 0.7) {
			v = f.below(lognormal(r, 0.25, 1.1), &t.lens, capLens)
		}
	case dose.Foetal:
		if chance(r, 0.04) {
			v = 0.01 * float64(1+r.IntN(3))
		}
	default:
		if e.exposure > 0 && chance(r, e.role.numeric) {
			v = lognormal(r, e.role.median*e.exposure, 1.0)
			if b.NotCounted {
				break
			}
			v = f.below(v, &t.effective, capEffective)
			t.lens += v * 1000
		}
	}
	return Result{Readings: f.readings(b, e, dose.MicroSv(math.Round(v*100))*10)}
}

// below keeps a year's total below its cap: what would pass it becomes half of what is left.
func (f *fitter) below(mSv float64, total *float64, most float64) float64 {
	if *total+mSv*1000 > most {
		mSv = max(most-*total, 0) / 2000
	}
	*total += mSv * 1000
	return mSv
}

// readings spreads a dose over the quantities of a badge.
func (f *fitter) readings(b *Badge, e *Wearer, v dose.MicroSv) []dose.Reading {
	quantities := measures(b.Position)
	out := make([]dose.Reading, 0, len(quantities)+1)
	for _, q := range quantities {
		rd := dose.Reading{Quantity: q, Dose: v, Qualifier: dose.Measured}
		if v > 0 && len(quantities) > 1 && q != dose.Hp10 {
			rd.Dose += v * dose.MicroSv(f.r.IntN(12)) / 1000 * 10 // shallow doses are a little higher
		}
		if v == 0 {
			rd.Qualifier = dose.BelowLevel
		}
		out = append(out, rd)
	}
	if b.Position == dose.WholeBody && float64(scattered(b.Wearer*13, 1000))/1000 < e.role.neutron {
		n := dose.Reading{Quantity: dose.NeutronHp10, Qualifier: dose.BelowLevel}
		if chance(f.r, 0.1) {
			n.Dose, n.Qualifier = dose.MicroSv(10*(1+f.r.IntN(15))), dose.Measured
		}
		out = append(out, n)
	}
	return out
}

// markerBadge gives a marker person a second badge, not counted, with the marker dose.
func (f *fitter) markerBadge(w, batch int, from, to day.Day) {
	i := f.add(Badge{Wearer: w, Organisation: f.Wearers[w].Organisation, Batch: batch, Position: dose.WholeBody, From: from, To: to, State: Reported, NotCounted: true})
	f.Badges[i].Results = []Result{{Scanned: min(to+30, f.Today-3), Readings: []dose.Reading{
		{Quantity: dose.Hp10, Dose: dose.MicroSv(f.markerDose(w)), Qualifier: dose.Measured},
	}}}
}
