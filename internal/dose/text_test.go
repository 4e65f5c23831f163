package dose

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMilliSv(t *testing.T) {
	for text, want := range map[string]MicroSv{
		"0.35": 350, "0": 0, "0.000": 0, "12": 12000, ".07": 70, "0.001": 1, "20.000": 20000, "20.0010000": 20001, "0001.5": 1500,
		"10000": 10_000_000, "10000.000": 10_000_000, "9999.999": 9_999_999, "0.0000000000": 0,
	} {
		if got, err := ParseMilliSv(text); err != nil || got != want {
			t.Errorf("%q = %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]TextError{
		"": EmptyText, " ": NotANumber, "NaN": NotANumber, "Inf": NotANumber, "M": NotANumber, "<0.1": NotANumber, "--": NotANumber, "-": NotANumber,
		"1e3": NotANumber, "+1": NotANumber, "5.": NotANumber, ".": NotANumber, "1.2.3": NotANumber, " 1": NotANumber, "1 ": NotANumber, "0x10": NotANumber,
		"1_000": NotANumber, "٣": NotANumber, "1.٣": NotANumber, ",": NotANumber, "1-": NotANumber,
		"-5": Negative, "-0.00": Negative, "\u22125": Negative, "-0,1": Negative,
		"0,35": DecimalComma, "1,000": DecimalComma, "1,000.5": DecimalComma,
		"0.0001": TooPrecise, "0.35049": TooPrecise,
		"10000.001": TooLarge, "1000000000": TooLarge, "99999": TooLarge, strings.Repeat("9", 400): TooLarge,
	} {
		_, err := ParseMilliSv(text)
		if got := TextError(0); !errors.As(err, &got) || got != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// An error is shown to operators: it must not hold the dose.
func TestTextErrorHoldsNoValue(t *testing.T) {
	for _, text := range []string{"-7.77", "7,77", "7.7777", "77777777", "7.77 mSv"} {
		if _, err := ParseMilliSv(text); err == nil || strings.Contains(err.Error(), "7") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMilliSv(t *testing.T) {
	for dose, want := range map[MicroSv]string{
		0: "0", 1: "0.001", 350: "0.35", 20000: "20", 20001: "20.001", 100: "0.1", -350: "-0.35",
		math.MaxInt64: "9223372036854775.807", math.MinInt64: "-9223372036854775.808",
	} {
		if got := dose.MilliSv(); got != want {
			t.Errorf("%d is %q, want %q", int64(dose), got, want)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := MicroSv(rapid.Int64Range(0, int64(MaxText)).Draw(t, "dose"))
		zeros := strings.Repeat("0", rapid.IntRange(0, 4).Draw(t, "zeros"))
		text := m.MilliSv()
		if strings.Contains(text, ".") {
			text += zeros
		}
		if back, err := ParseMilliSv(text); err != nil || back != m {
			t.Fatalf("%d became %q became %d, %v", m, text, back, err)
		}
	})
}

// FuzzParseMilliSv: what is read lies in range, holds nothing but digits and a point, and prints as the same number.
func FuzzParseMilliSv(f *testing.F) {
	for _, s := range []string{"0.35", "0,35", "-1", "NaN", "1e9", "10000.001", "0.0000", "\u2212" + "2", ".5", "5.", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMilliSv(s)
		if err != nil {
			if m != 0 || !errors.As(err, new(TextError)) {
				t.Fatalf("%q: %d, %v", s, m, err)
			}
			return
		}
		if m < 0 || m > MaxText || strings.Trim(s, "0123456789.") != "" {
			t.Fatalf("%q was read as %d", s, m)
		}
		canonical := func(s string) string {
			whole, decimals, _ := strings.Cut(s, ".")
			return strings.TrimLeft(whole, "0") + "." + strings.TrimRight(decimals, "0")
		}
		if canonical(s) != canonical(m.MilliSv()) {
			t.Fatalf("%q was read as %d", s, m)
		}
	})
}

func TestNotionalDose(t *testing.T) {
	for _, c := range []struct {
		limit MicroSv
		days  int
		want  MicroSv
	}{
		{20000, 365, 20000}, {20000, 366, 20000}, {20000, 30, 1644}, {20000, 31, 1699}, {20000, 28, 1534},
		{500000, 31, 42466}, {500000, 1, 1370}, {365, 1, 1}, {182, 1, 0}, {183, 1, 1},
		{20000, 0, 0}, {20000, -3, 0}, {-1, 30, 0}, {20000, 730, 40000},
		{math.MaxInt64, 365, math.MaxInt64}, {math.MaxInt64, math.MaxInt64, math.MaxInt64}, {math.MaxInt64, 1, 25269512429739112},
	} {
		if got := NotionalDose(c.limit, c.days); got != c.want {
			t.Errorf("%d over %d days = %d, want %d", int64(c.limit), c.days, int64(got), int64(c.want))
		}
	}
}
