package dose

// Measures reports whether a badge at this position measures the quantity. What a laboratory writes for other
// quantities means nothing and never counts: a lens badge's deep dose, a finger badge's lens dose.
func (p Position) Measures(q Quantity) bool {
	switch p {
	case WholeBody, Collar, Control:
		return q >= Hp10 && q <= NeutronHp10
	case Eye:
		return q == Hp3
	case LeftFinger, RightFinger, LeftWrist, RightWrist:
		return q == Hp007
	case Foetal:
		return q == Hp10
	}
	return false
}

// BackgroundCorrected reports whether natural background is taken off such a reading: not off extremity and
// neutron readings. Electronic badges are not corrected either, but that the caller knows.
func BackgroundCorrected(p Position, q Quantity) bool {
	switch p {
	case WholeBody, Collar, Eye, Foetal:
		return p.Measures(q) && q != NeutronHp10
	}
	return false
}

// ControlMean returns the mean of a batch's control badges, to the nearest µSv, and false if there is none.
// Negative control readings count as they are; a mean below zero is zero.
func ControlMean(controls []MicroSv) (MicroSv, bool) {
	n := int64(len(controls))
	if n == 0 {
		return 0, false
	}
	var mean, rest int64 // the sum is n·mean + rest, so that it never overflows
	for _, c := range controls {
		mean += int64(c) / n
		rest += int64(c) % n
	}
	// |rest| < n², far from overflow for any slice that fits in memory.
	mean += floorDiv(rest+n/2, n)
	return MicroSv(max(mean, 0)), true
}

// DailyBackground returns a daily background rate, in nanosievert a day, over days, to the nearest µSv. Rates
// measured at British sites are 1300 to 3400 nSv a day. Nothing for a rate or a number of days that is not
// positive.
func DailyBackground(nanoSvPerDay int64, days int) MicroSv {
	if nanoSvPerDay <= 0 || days <= 0 {
		return 0
	}
	d := int64(days)
	if nanoSvPerDay > (1<<63-1-500)/d {
		return maxMicroSv
	}
	return MicroSv((nanoSvPerDay*d + 500) / 1000)
}

// Net returns a reading's occupational dose: gross less background where this position and quantity are
// corrected, zero if that is negative.
func Net(p Position, q Quantity, gross, background MicroSv) MicroSv {
	if gross <= 0 {
		return 0
	}
	if !BackgroundCorrected(p, q) || background <= 0 {
		return gross
	}
	return max(gross-background, 0)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Combination is an organisation's choice of how the badge under the apron (whole body) and the one over it (collar)
// are combined: double dosimetry. A new version of a rule is a new Combination. The numbers are stored: they never change.
type Combination uint8

// The combinations.
const (
	NoCombination    Combination = iota // the whole-body badge alone; the default
	Swiss2017                           // Swiss dosimetry ordinance: H(10) = Hunder + 0.1·Hover, H(0.07) = Hunder + Hover
	Swiss2017Thyroid                    // the same with a thyroid shield: H(10) = Hunder + 0.05·Hover
	NCRP122                             // NCRP report 122: 0.5·Hunder + 0.025·Hover; to be verified; skin not combined
)

type combination struct {
	name        string
	under, over int64 // of H(10), in thousandths
	skin        bool  // H(0.07) is the sum of both
}

var combinations = [...]combination{
	NoCombination:    {name: "none", under: 1000},
	Swiss2017:        {name: "Swiss dosimetry ordinance 2017, no thyroid shield", under: 1000, over: 100, skin: true},
	Swiss2017Thyroid: {name: "Swiss dosimetry ordinance 2017, thyroid shield", under: 1000, over: 50, skin: true},
	NCRP122:          {name: "NCRP report 122", under: 500, over: 25},
}

// rule returns the combination's rule; an unknown one combines nothing.
func (c Combination) rule() combination {
	if int(c) < len(combinations) {
		return combinations[c]
	}
	return combination{name: "unknown combination", under: 1000}
}

// String returns the rule's name and version.
func (c Combination) String() string { return c.rule().name }

// Effective returns the effective dose of a pair of badges from their Hp(10), to the nearest µSv.
func (c Combination) Effective(under, over MicroSv) MicroSv {
	r := c.rule()
	return MicroSv((int64(bounded(under))*r.under + int64(bounded(over))*r.over + 500) / 1000)
}

// Skin returns the skin dose of a pair of badges from their Hp(0.07): the sum where the rule says so, else the
// higher.
func (c Combination) Skin(under, over MicroSv) MicroSv {
	under, over = bounded(under), bounded(over)
	if c.rule().skin {
		return under + over
	}
	return max(under, over)
}

// maxReading bounds what one reading counts, so that no sum of readings that fit in memory overflows.
const maxReading MicroSv = 1_000_000_000_000

func bounded(m MicroSv) MicroSv { return min(max(m, 0), maxReading) }
