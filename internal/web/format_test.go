package web

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/dose"
)

func TestFormat(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct{ got, want string }{
		{mSv(0), "0.00\u00a0mSv"}, {mSv(350), "0.35\u00a0mSv"}, {mSv(75), "0.075\u00a0mSv"}, {mSv(1_234_567), "1,234.567\u00a0mSv"}, {mSv(-40), "−0.04\u00a0mSv"},
		{limitMSv(20_000), "20\u00a0mSv"}, {limitMSv(500_000), "500\u00a0mSv"}, {limitMSv(1_500), "1.50\u00a0mSv"}, {limitMSv(100_000), "100\u00a0mSv"},
		{number(0), "0"}, {number(999), "999"}, {number(4766), "4,766"}, {number(-1000), "-1,000"}, {number(1_000_000), "1,000,000"},
		{people(ctx, 0), "nobody"}, {people(ctx, 1), "one person"}, {people(ctx, 4766), "4,766 people"},
		{capital("ŵyl"), "Ŵyl"}, {capital(""), ""}, {capital("a job"), "A job"},
		{dateOf(ctx, "2026-03-12"), "12 March 2026"}, {dateOf(ctx, ""), ""}, {dateOf(ctx, "unknown"), "unknown"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestMillisievert: no dose is rounded in writing it.
func TestMillisievert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := dose.MicroSv(rapid.Int64Range(0, 1e12).Draw(t, "µSv"))
		whole, places, _ := strings.Cut(strings.ReplaceAll(millisievert(d), ",", ""), ".")
		for len(places) < 3 {
			places += "0"
		}
		if got, err := strconv.ParseInt(whole+places, 10, 64); err != nil || got != int64(d) {
			t.Fatalf("%d µSv is written %s", d, millisievert(d))
		}
	})
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		d, limit dose.MicroSv
		want     string
	}{{0, 20_000, "0%"}, {10, 20_000, "less than 1%"}, {200, 20_000, "1%"}, {19_900, 20_000, "99%"}, {19_999, 20_000, "99%"}, {20_000, 20_000, "100%"}, {20_001, 20_000, "above the limit"}, {5, 0, ""}} {
		if got := (total{Dose: c.d, Counted: 1, Limit: c.limit}).share(t.Context()); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.d, c.limit, got, c.want)
		}
	}
}

func TestPaged(t *testing.T) {
	for _, c := range []struct {
		total, page          int
		want                 pages
		offset, from, to, at int
	}{
		{0, 1, pages{1, 1, 0}, 0, 0, 0, 0},
		{0, 9, pages{1, 1, 0}, 0, 0, 0, 0},
		{25, 1, pages{1, 1, 25}, 0, 1, 25, 0},
		{26, 2, pages{2, 2, 26}, 25, 26, 26, 0},
		{654, 27, pages{27, 27, 654}, 650, 651, 654, 0},
		{654, -3, pages{1, 27, 654}, 0, 1, 25, 0},
		{654, math.MaxInt, pages{27, 27, 654}, 650, 651, 654, 0},
	} {
		p := paged(c.total, c.page)
		if p != c.want || p.Offset() != c.offset || p.From() != c.from || p.To() != c.to {
			t.Errorf("paged(%d, %d) = %+v, rows %d to %d from offset %d", c.total, c.page, p, p.From(), p.To(), p.Offset())
		}
	}
}

// TestPagesItems: the first, last and shown pages are always offered, in order, and a gap hides at least two.
func TestPagesItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := paged(rapid.IntRange(0, 5000).Draw(t, "total"), rapid.IntRange(1, 300).Draw(t, "page"))
		items, before, seen := p.Items(), 0, false
		if items[0] != 1 || items[len(items)-1] != p.Last || len(items) > 9 {
			t.Fatalf("%+v offers %v", p, items)
		}
		for i, n := range items {
			seen = seen || n == p.Page
			if n == 0 {
				if items[i+1]-before < 3 {
					t.Fatalf("%+v offers %v: a gap of one page", p, items)
				}
				continue
			}
			if n <= before || i > 0 && items[i-1] != 0 && n != before+1 {
				t.Fatalf("%+v offers %v", p, items)
			}
			before = n
		}
		if !seen {
			t.Fatalf("%+v offers %v, not the page shown", p, items)
		}
	})
}

// TestAxis: the axis reaches the highest dose, with few ticks at 1, 2 or 5 times a power of ten.
func TestAxis(t *testing.T) {
	for _, c := range []struct{ max, top, step dose.MicroSv }{{20_000, 20_000, 5000}, {20_001, 25_000, 5000}, {500_000, 500_000, 100_000}, {6000, 6000, 2000}, {1, 1, 1}, {0, 1000, 200}} {
		if top, step := axis(c.max); top != c.top || step != c.step {
			t.Errorf("axis(%d) = %d, %d, want %d, %d", c.max, top, step, c.top, c.step)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		max := dose.MicroSv(rapid.Int64Range(1, int64(dose.MaxText)*100).Draw(t, "max"))
		top, step := axis(max)
		if top < max || top%step != 0 || top/step > 5 || top-max >= step {
			t.Fatalf("axis(%d) = %d in steps of %d", max, top, step)
		}
	})
}

func TestChart(t *testing.T) {
	years := []yearDose{{Year: 2023}, {Year: 2024, Dose: 1}, {Year: 2025, Dose: 10_000, Missing: 2}, {Year: 2026, Dose: 21_000}}
	c := newChart(t.Context(), "a", "Effective dose", years, 20_000, 15_000)
	if want := "2023: 0.00 mSv; 2024: 0.001 mSv; 2025: at least 10.00 mSv; 2026: 21.00 mSv, above the limit."; c.Description != want {
		t.Errorf("description %q, want %q", c.Description, want)
	}
	if want := "Effective dose by calendar year, in mSv, against the limit of 20 mSv a year"; c.Title != want {
		t.Errorf("title %q, want %q", c.Title, want)
	}
	if h := []int{c.Bars[0].Height, c.Bars[1].Height}; h[0] != 0 || h[1] < 2 {
		t.Errorf("no dose is %d high, 1 µSv is %d: nothing must look like nothing, and something like something", h[0], h[1])
	}
	if b := c.Bars[2]; !b.Incomplete || b.Label != "≥ 10.00" || b.Over {
		t.Errorf("an incomplete year: %+v", b)
	}
	if b := c.Bars[3]; !b.Over || b.Y >= c.LimitY {
		t.Errorf("a bar above the limit must pass its line at %d: %+v", c.LimitY, b)
	}
	if c.LevelY <= c.LimitY || c.LevelText < c.LimitY+30 {
		t.Errorf("level at %d, its label at %d, limit at %d", c.LevelY, c.LevelText, c.LimitY)
	}
	if c := newChart(t.Context(), "a", "Skin", years[:1], 500_000, 0); c.LevelLabel != "" || c.LevelY != 0 {
		t.Errorf("a level that is not there: %+v", c)
	}
	rapid.Check(t, func(t *rapid.T) {
		var years []yearDose
		for i := range rapid.IntRange(1, 6).Draw(t, "years") {
			years = append(years, yearDose{Year: 2020 + i, Dose: dose.MicroSv(rapid.Int64Range(0, int64(dose.MaxText)*6).Draw(t, "dose"))})
		}
		limit := dose.MicroSv(rapid.Int64Range(1000, 500_000).Draw(t, "limit"))
		c := newChart(t.Context(), "a", "q", years, limit, 0)
		for i, b := range c.Bars {
			if b.Y < chartTop || b.Y+b.Height != chartBottom || b.X < chartLeft || b.X+b.Width > chartRight ||
				b.Over != (years[i].Dose > limit) || b.Over && b.Y > c.LimitY {
				t.Fatalf("bar %+v of %+v against %d at %d", b, years[i], limit, c.LimitY)
			}
		}
	})
}
