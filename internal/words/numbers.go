package words

import (
	"context"
	"strconv"
	"strings"
)

// Number writes a whole number with commas between the thousands, as both languages do.
func Number(n int) string {
	s := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Count writes a number with its noun: "1 wearer", "2,310 wearers"; "1 gwisgwr", "2 wisgwr", "2,310 gwisgwr". Many is the
// English plural.
func Count(ctx context.Context, n int, one Noun, many string) string {
	if v := of(ctx); v.lang == Welsh {
		if w, ok := v.catalogue.Nouns[one]; ok {
			return Number(n) + " " + w.after(n)
		}
	}
	if n == 1 {
		return "1 " + string(one)
	}
	return Number(n) + " " + many
}

// The plural categories of Welsh. They are five numbers and the rest, so they stand here and a test compares them
// with those of the CLDR in x/text, which would otherwise bring a catalogue format and tables of its own into the program.
const (
	zero = iota
	one
	two
	few
	many
	other
)

func category(n int) int {
	switch n {
	case 0:
		return zero
	case 1:
		return one
	case 2:
		return two
	case 3:
		return few
	case 6:
		return many
	}
	return other
}

// after is the noun as it stands after a number: in the singular but for zero (CLDR: "0 cŵn, 1 ci"), its beginning
// changed by the number as it is spoken: soft after dau and dwy ("2 gi"), and for a feminine noun after un ("1 gath");
// aspirate after tri, which is masculine, and chwe ("3 chi", "6 chath").
func (w WelshNoun) after(n int) string {
	switch category(n) {
	case zero:
		return w.Many
	case one:
		if w.Feminine && !hasPrefix(w.One, "ll", "rh") { // after un these two stay
			return soften(w.One)
		}
	case two:
		return soften(w.One)
	case few:
		if !w.Feminine {
			return aspirate(w.One)
		}
	case many:
		return aspirate(w.One)
	}
	return w.One
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// soften is the soft mutation of a word's beginning: p b, t d, c g, b f, d dd, m f, ll l, rh r, and g falls away.
func soften(s string) string { return mutate(s, soft) }

// aspirate is the aspirate mutation: p ph, t th, c ch.
func aspirate(s string) string { return mutate(s, aspirates) }

type change struct{ from, to string }

var (
	soft      = []change{{"ll", "l"}, {"rh", "r"}, {"p", "b"}, {"t", "d"}, {"c", "g"}, {"b", "f"}, {"d", "dd"}, {"m", "f"}, {"g", ""}}
	aspirates = []change{{"p", "ph"}, {"t", "th"}, {"c", "ch"}}
)

// mutate changes the first sound of a word. Letters that are a sound of their own together stay.
func mutate(s string, changes []change) string {
	if hasPrefix(s, "ch", "ph", "th", "dd", "ff", "ng") {
		return s
	}
	for _, c := range changes {
		if rest, ok := strings.CutPrefix(s, c.from); ok {
			return c.to + rest
		}
	}
	return s
}

func startsWithVowel(s string) bool {
	for _, r := range s {
		return strings.ContainsRune("aeiouwyâêîôûŵŷAEIOUWYÂÊÎÔÛŴŶ", r)
	}
	return false
}
