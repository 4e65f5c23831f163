package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/words"
)

// yearDose is one bar of a chart: the dose of a calendar year.
type yearDose struct {
	Year    int
	Dose    dose.MicroSv
	Missing int  // readings of the year that have no result: the dose is at least this
	None    bool // there is no result of that year: no bar
}

// chart is a picture of calendar years' doses against a limit. All lengths are in units of its view box.
type chart struct {
	ID          string // of the elements that describe it; unique on the page
	Title       string
	Description string // the same in words, for who does not see the picture
	Bars        []bar
	Ticks       []tick
	LimitY      int    // the line of the legal limit
	LimitLabel  string // its dose, to the right of it
	LevelY      int    // the line of the investigation level; 0: none
	LevelLabel  string
	LevelText   int // the height of its label, kept clear of the limit's
}

type bar struct {
	X, Y, Width, Height int
	Middle              int // of the bar, for its labels
	Label, Year         string
	Incomplete, Over    bool // results are missing; above the limit
}

type tick struct {
	Y     int
	Label string
}

// The chart's view box and the area that the bars stand in.
const (
	chartWidth, chartHeight = 448, 260
	chartLeft, chartRight   = 44, 372
	chartTop, chartBottom   = 26, 226
)

// axis returns the top of an axis that shows a dose of max with room above it, and the distance of its ticks:
// 1, 2 or 5 times a power of ten, so that there are three to six ticks. A max of nothing is treated as 1 mSv.
func axis(max dose.MicroSv) (top, step dose.MicroSv) {
	if max <= 0 {
		max = 1000
	}
	for power := dose.MicroSv(1); ; power *= 10 {
		for _, m := range []dose.MicroSv{1, 2, 5} {
			if step = m * power; max <= 5*step {
				return (max + step - 1) / step * step, step
			}
		}
	}
}

// newChart draws years against a limit (above zero) and an investigation level (zero: none). The axis always
// reaches the limit, so that a small dose looks small.
func newChart(ctx context.Context, id string, quantity words.Key, years []yearDose, limit, level dose.MicroSv) chart {
	highest := limit
	for _, y := range years {
		highest = max(highest, y.Dose)
	}
	top, step := axis(highest)
	y := func(d dose.MicroSv) int {
		return chartBottom - int(int64(chartBottom-chartTop)*int64(d)/int64(top))
	}
	c := chart{ID: id, Title: words.T(ctx, "%s by calendar year, in mSv, against the limit of %s a year", quantity, limitMSv(limit))}
	for d := dose.MicroSv(0); d <= top; d += step {
		c.Ticks = append(c.Ticks, tick{Y: y(d), Label: strings.TrimSuffix(millisievert(d), ".00")})
	}
	c.LimitY, c.LimitLabel = y(limit), limitMSv(limit)
	if level > 0 && level < limit {
		c.LevelY, c.LevelLabel = y(level), limitMSv(level)
		c.LevelText = max(c.LevelY, c.LimitY+36)
	}
	var said []string
	for i, yd := range years {
		slot := (chartRight - chartLeft) / len(years)
		width := min(slot*6/10, 48)
		middle := chartLeft + slot*i + slot/2
		top := y(yd.Dose)
		if yd.None {
			c.Bars = append(c.Bars, bar{X: middle, Y: chartBottom, Middle: middle, Label: "–", Year: fmt.Sprint(yd.Year)})
			said = append(said, words.T(ctx, "%d: no result", yd.Year))
			continue
		}
		if yd.Dose > 0 {
			top = min(top, chartBottom-2) // something is never drawn as nothing
		}
		b := bar{X: middle - width/2, Y: top, Width: width, Height: chartBottom - top, Middle: middle,
			Label: millisievert(yd.Dose), Year: fmt.Sprint(yd.Year), Incomplete: yd.Missing > 0, Over: yd.Dose > limit}
		text := fmt.Sprintf("%d: %s", yd.Year, strings.ReplaceAll(mSv(yd.Dose), "\u00a0", " "))
		if b.Incomplete {
			b.Label = "≥ " + b.Label
			text = words.T(ctx, "%d: at least %s", yd.Year, strings.ReplaceAll(mSv(yd.Dose), "\u00a0", " "))
		}
		if b.Over {
			text = words.T(ctx, "%s, above the limit", text)
		}
		c.Bars = append(c.Bars, b)
		said = append(said, text)
	}
	c.Title = strings.ReplaceAll(c.Title, "\u00a0", " ")
	c.Description = strings.Join(said, "; ") + "."
	return c
}
