package web

import (
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
)

// amount is one bar of a chart of amounts.
type amount struct {
	Label string // below the bar
	Words string // the same in words, with what it is
	Value int64
	Text  string // above the bar; empty: nothing, the table says it
	None  bool   // there is no result: no bar
}

// barChart is a picture of amounts. All lengths are in units of its view box.
type barChart struct {
	ID                       string // of the elements that describe it; unique on the page
	Title, Description, Unit string
	Bars                     []bar
	Ticks                    []tick
}

// barRight is where the bars end: there is no limit to be named beside them.
const barRight = chartWidth - 4

// Whole numbers, and µSv as mSv, beside the axis.
func whole(n int64) string  { return number(int(n)) }
func millis(n int64) string { return strings.TrimSuffix(millisievert(dose.MicroSv(n)), ".00") }

// plain has ordinary spaces: a description is read aloud.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// newBarChart draws amounts; scale writes the axis.
func newBarChart(id, title, unit string, scale func(int64) string, amounts []amount) barChart {
	c := barChart{ID: id, Title: plain(title), Unit: unit}
	highest := int64(0)
	for _, a := range amounts {
		highest = max(highest, a.Value)
	}
	if highest == 0 {
		highest = 5 // an axis of whole steps
	}
	top, step := axis(dose.MicroSv(highest))
	y := func(n int64) int { return chartBottom - int(int64(chartBottom-chartTop)*n/int64(top)) }
	for n := dose.MicroSv(0); n <= top; n += step {
		c.Ticks = append(c.Ticks, tick{Y: y(int64(n)), Label: scale(int64(n))})
	}
	var said []string
	for i, a := range amounts {
		slot := (barRight - chartLeft) / len(amounts)
		b := bar{Width: min(slot*7/10, 48), Middle: chartLeft + slot*i + slot/2, Label: a.Text, Year: a.Label, Y: y(a.Value)}
		if a.Value > 0 {
			b.Y = min(b.Y, chartBottom-2) // something is never drawn as nothing
		}
		if a.None {
			b.Label = "–"
		}
		b.X, b.Height = b.Middle-b.Width/2, chartBottom-b.Y
		c.Bars = append(c.Bars, b)
		said = append(said, a.Words)
	}
	c.Description = strings.Join(said, "; ") + "."
	return c
}
