package web

import (
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/words"
)

// TestDaysOfForms: what somebody may type into the three fields of a day, what it is taken for, and what is said otherwise.
func TestDaysOfForms(t *testing.T) {
	for _, c := range []struct {
		day, month, year string
		want             day.Day
		wrong            string // field, then what is said
	}{
		{"27", "3", "2026", day.Of(2026, 3, 27), ""},
		{" 01", "02 ", "1984", day.Of(1984, 2, 1), ""},
		{"29", "2", "2024", day.Of(2024, 2, 29), ""},
		{"", " ", "", 0, ""},
		{"", "3", "2026", 0, "x-day: First day must have a day"},
		{"27", "", "", 0, "x-month: First day must have a month and a year"},
		{"29", "2", "2023", 0, "x-day: First day must be a real day, such as 27 3 2026"},
		{"32", "1", "2026", 0, "x-day: First day must be a real day, such as 27 3 2026"},
		{"1", "13", "2026", 0, "x-day: First day must be a real day, such as 27 3 2026"},
		{"1", "March", "2026", 0, "x-day: First day must be a real day, such as 27 3 2026"},
		{"1", "3", "26", 0, "x-day: First day must be a real day, such as 27 3 2026"},
		{"-1", "3", "2026", 0, "x-day: First day must be a real day, such as 27 3 2026"},
		{"1", "3", "999999999999", 0, "x-day: First day must be a real day, such as 27 3 2026"},
	} {
		f := formOf("x-day", c.day, "x-month", c.month, "x-year", c.year)
		got, wrong := f.Day("x", "First day"), ""
		for _, e := range f.Errors {
			wrong += e.Field + ": " + words.T(t.Context(), e.Text, e.Args...)
		}
		if got != c.want || wrong != c.wrong {
			t.Errorf("%q %q %q: %v and %q, want %v and %q", c.day, c.month, c.year, got, wrong, c.want, c.wrong)
		}
	}
}

// TestFormsAreEscaped: what was typed comes back as text, whatever it is.
func TestFormsAreEscaped(t *testing.T) {
	f := formOf("x", `"><script>alert(1)</script>`)
	var b strings.Builder
	must(t, textField(f, field{Name: "x", Label: "X"}).Render(t.Context(), &b))
	must(t, textArea(f, field{Name: "x", Label: "X"}, "3").Render(t.Context(), &b))
	must(t, carried(f).Render(t.Context(), &b))
	if s := b.String(); strings.Contains(s, "<script") || strings.Count(s, "&lt;script&gt;") != 3 {
		t.Error(s)
	}
}
