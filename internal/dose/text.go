package dose

import (
	"math/bits"
	"strconv"
	"strings"
)

// TextError says why a text is no dose. It never holds the text: a dose is personal.
type TextError uint8

// The reasons.
const (
	EmptyText    TextError = iota + 1
	NotANumber             // letters, spaces, signs, exponents, NaN, "5."
	Negative               // a minus sign, also before a zero
	DecimalComma           // "0,35" or "1,000": could be either
	TooPrecise             // more than three decimals of mSv that are not zero
	TooLarge               // above MaxText
)

// MaxText is the highest dose that a text may hold: 10 Sv.
const MaxText MicroSv = 10_000_000

// Error says what is wrong and what is expected.
func (e TextError) Error() string {
	switch e {
	case EmptyText:
		return "dose: empty; a number of mSv expected, such as 0.35"
	case Negative:
		return "dose: negative; zero or more expected"
	case DecimalComma:
		return "dose: comma; a decimal point expected"
	case TooPrecise:
		return "dose: finer than 0.001 mSv; at most three decimals expected"
	case TooLarge:
		return "dose: above 10000 mSv"
	}
	return "dose: not a number; digits with at most one decimal point expected, such as 0.35"
}

// ParseMilliSv reads a dose in mSv, such as "0.35", "12" or ".07", exactly and without rounding. Decimals after
// the third must be zeros. The text must be trimmed. The error is a [TextError].
func ParseMilliSv(s string) (MicroSv, error) {
	if s == "" {
		return 0, EmptyText
	}
	if rest, ok := strings.CutPrefix(strings.Replace(s, "\u2212", "-", 1), "-"); ok && rest != "" && strings.Trim(rest, "0123456789.,") == "" {
		return 0, Negative
	}
	if strings.Contains(s, ",") && strings.Trim(s, "0123456789.,") == "" && strings.ContainsAny(s, "0123456789") {
		return 0, DecimalComma
	}
	whole, decimals, point := strings.Cut(s, ".")
	if !digits(whole) || !digits(decimals) || (point && decimals == "") {
		return 0, NotANumber
	}
	decimals = strings.TrimRight(decimals, "0")
	if len(decimals) > 3 {
		return 0, TooPrecise
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > 5 {
		return 0, TooLarge
	}
	n := 0
	for _, c := range []byte(whole + (decimals + "000")[:3]) {
		n = n*10 + int(c-'0')
	}
	if MicroSv(n) > MaxText {
		return 0, TooLarge
	}
	return MicroSv(n), nil
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// MilliSv returns the dose in mSv without trailing zeros: 350 is "0.35", 20000 is "20".
func (m MicroSv) MilliSv() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", -n
	}
	s := sign + strconv.FormatUint(n/1000, 10)
	if rest := n % 1000; rest != 0 {
		s += "." + strings.TrimRight(strconv.FormatUint(1000+rest, 10)[1:], "0")
	}
	return s
}

// NotionalDose returns the dose that is entered for a period without a result: limit × days / 365, to the nearest µSv
// (IRR17 reg 23: the proportion of the annual limit). A leap year's 366 days are one year, so that a whole year
// never passes its own limit. Nothing for a limit or a number of days that is not positive; the highest MicroSv
// where the result would not fit.
func NotionalDose(limit MicroSv, days int) MicroSv {
	if limit <= 0 || days <= 0 {
		return 0
	}
	if days == 366 {
		days = 365
	}
	hi, lo := bits.Mul64(uint64(limit), uint64(days))
	lo, carry := bits.Add64(lo, 365/2, 0)
	hi += carry
	if hi >= 365 {
		return maxMicroSv
	}
	if q, _ := bits.Div64(hi, lo, 365); q < uint64(maxMicroSv) {
		return MicroSv(q)
	}
	return maxMicroSv
}

const maxMicroSv MicroSv = 1<<63 - 1
