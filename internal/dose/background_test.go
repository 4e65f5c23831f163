package dose

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestBackground(t *testing.T) {
	for _, c := range []struct {
		controls []MicroSv
		want     MicroSv
		ok       bool
	}{
		{nil, 0, false}, {[]MicroSv{70}, 70, true}, {[]MicroSv{70, 75}, 73, true}, {[]MicroSv{70, 71, 71}, 71, true}, {[]MicroSv{70, 70, 71}, 70, true},
		{[]MicroSv{-5, 2}, 0, true}, {[]MicroSv{-5, 8}, 2, true},
		{[]MicroSv{math.MaxInt64, math.MaxInt64, math.MaxInt64}, math.MaxInt64, true},
	} {
		if got, ok := ControlMean(c.controls); got != c.want || ok != c.ok {
			t.Errorf("mean of %v = %d, %v, want %d", c.controls, got, ok, c.want)
		}
	}
	for _, c := range []struct {
		rate int64
		days int
		want MicroSv
	}{{2000, 31, 62}, {1300, 31, 40}, {3400, 90, 306}, {500, 1, 1}, {499, 1, 0}, {2000, 0, 0}, {-1, 30, 0}, {math.MaxInt64, 2, math.MaxInt64}} {
		if got := DailyBackground(c.rate, c.days); got != c.want {
			t.Errorf("%d nSv a day over %d days = %d, want %d", c.rate, c.days, got, c.want)
		}
	}
	for _, c := range []struct {
		p                       Position
		q                       Quantity
		gross, background, want MicroSv
	}{
		{WholeBody, Hp10, 100, 62, 38}, {WholeBody, Hp10, 62, 62, 0}, {WholeBody, Hp10, 50, 62, 0}, {Collar, Hp007, 100, 62, 38}, {Eye, Hp3, 100, 62, 38},
		{Foetal, Hp10, 100, 62, 38}, {WholeBody, NeutronHp10, 100, 62, 100}, {LeftFinger, Hp007, 100, 62, 100}, {RightWrist, Hp007, 100, 62, 100},
		{WholeBody, Hp10, -4, 62, 0}, {LeftFinger, Hp007, -4, 0, 0}, {WholeBody, Hp10, 100, -62, 100}, {WholeBody, Hp10, math.MinInt64, math.MaxInt64, 0},
	} {
		if got := Net(c.p, c.q, c.gross, c.background); got != c.want {
			t.Errorf("%v %v: %d less %d = %d, want %d", c.p, c.q, int64(c.gross), int64(c.background), got, c.want)
		}
	}
}

func TestControlMeanIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		controls := rapid.SliceOfN(rapid.Int64(), 1, 9).Draw(t, "controls")
		sum, own := new(big.Int), make([]MicroSv, len(controls))
		for i, c := range controls {
			sum.Add(sum, big.NewInt(c))
			own[i] = MicroSv(c)
		}
		// floor((2·sum + n) / 2n); Div is Euclidean: the floor for a positive divisor.
		n := big.NewInt(int64(len(controls)))
		want := new(big.Int).Div(sum.Add(sum.Lsh(sum, 1), n), new(big.Int).Lsh(n, 1))
		if want.Sign() < 0 {
			want.SetInt64(0)
		}
		if got, ok := ControlMean(own); !ok || int64(got) != want.Int64() {
			t.Fatalf("mean of %v = %d, want %v", controls, got, want)
		}
	})
}

func TestCombinations(t *testing.T) {
	for _, c := range []struct {
		rule                  Combination
		under, over           MicroSv
		wantDeep, wantSurface MicroSv
		name                  string
	}{
		{NoCombination, 500, 4000, 500, 4000, "none"},
		{Swiss2017, 500, 4000, 900, 4500, "Swiss dosimetry ordinance 2017, no thyroid shield"},
		{Swiss2017Thyroid, 500, 4000, 700, 4500, "Swiss dosimetry ordinance 2017, thyroid shield"},
		{NCRP122, 500, 4000, 350, 4000, "NCRP report 122"},
		{NCRP122, 1, 0, 1, 1, "NCRP report 122"},
		{Swiss2017, 0, 4, 0, 4, "Swiss dosimetry ordinance 2017, no thyroid shield"},
		{Combination(200), 500, 4000, 500, 4000, "unknown combination"},
	} {
		if got := c.rule.Effective(c.under, c.over); got != c.wantDeep {
			t.Errorf("%v: effective %d, want %d", c.rule, got, c.wantDeep)
		}
		if got := c.rule.Skin(c.under, c.over); got != c.wantSurface {
			t.Errorf("%v: skin %d, want %d", c.rule, got, c.wantSurface)
		}
		if got := c.rule.String(); got != c.name {
			t.Errorf("%d is %q", c.rule, got)
		}
	}
	if got := NCRP122.Effective(math.MaxInt64, math.MaxInt64); got <= 0 {
		t.Errorf("overflow: %d", got)
	}
}
