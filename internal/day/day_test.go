package day

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAddMonthsKeepsTheMonth(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2024-01-31", 1, "2024-02-29"},
		{"2023-01-31", 1, "2023-02-28"},
		{"2024-03-31", -1, "2024-02-29"},
		{"2023-11-30", 3, "2024-02-29"},
		{"2024-12-15", 1, "2025-01-15"},
		{"2024-05-01", -17, "2022-12-01"},
	} {
		from, err := Parse(c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := from.AddMonths(c.n).String(); got != c.want {
			t.Errorf("%s + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"2024-02-30", "24-01-01", "2024/01/01", "1849-12-31", "2201-01-01", "2024-1-1", " 2024-01-01"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q was read as a day", bad)
		}
	}
	for y := 1851; y < 2199; y += 13 {
		d := Of(y, time.June, 30)
		back, err := Parse(d.String())
		if err != nil || back != d || d.Year() != y {
			t.Errorf("%d: %v became %v, %v", y, d, back, err)
		}
	}
}

// What is a day is what package time takes for one, within the years.
func TestParseAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`(18|19|20|22)\d\d-[01]\d-[0-3]\d`), rapid.StringMatching(`[0-9/+ -]{8,11}`), rapid.String()).Draw(t, "text")
		got, err := Parse(s)
		want, bad := time.Parse(time.DateOnly, s)
		if s != "" && (bad != nil || want.Year() < 1850 || want.Year() > 2200) {
			if err == nil {
				t.Fatalf("%q was read as %v", s, got)
			}
			return
		}
		if err != nil || s != "" && got != At(want) {
			t.Fatalf("%q: %v, %v, want %v", s, got, err, want)
		}
	})
}
