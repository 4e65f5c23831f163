package letter

import (
	"fmt"
	"io"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/code128"
)

// Stock is a kind of label sheets, A4. Measures are in millimetres.
type Stock struct {
	Name          string // as it is asked for: the number of labels on a sheet
	Text          string // as it is bought
	Width, Height float64
	columns, rows int
	left, top     float64
	across, down  float64 // from label to label
	name, small   float64 // points
	bars          float64 // height
}

// Stocks are the kinds of label sheets that are printed on.
var Stocks = []Stock{
	{Name: "21", Text: "63.5 × 38.1 mm, 21 on a sheet (such as L7160)", Width: 63.5, Height: 38.1, columns: 3, rows: 7, left: 7.25, top: 15.15, across: 66.0, down: 38.1, name: 12, small: 9, bars: 10.5},
	{Name: "65", Text: "38.1 × 21.2 mm, 65 on a sheet (such as L7651)", Width: 38.1, Height: 21.2, columns: 5, rows: 13, left: 4.75, top: 10.7, across: 40.6, down: 21.2, name: 7.5, small: 5.75, bars: 5.5},
}

// StockNamed finds a kind of label sheets.
func StockNamed(name string) (Stock, bool) {
	for _, s := range Stocks {
		if s.Name == name {
			return s, true
		}
	}
	return Stock{}, false
}

// Labels writes labels, one for each badge that somebody wears and each control badge. The export's id stands in the
// margin above the labels.
func Labels(w io.Writer, x Print, s Stock) error {
	p := newPaper("Labels, export "+x.Export.String(), x.Day)
	for i := range x.Badges {
		at := i % (s.columns * s.rows)
		if at == 0 {
			p.AddPage()
			p.text(s.left+2, 5, 180, 7, 6, "", x.reference())
		}
		if err := p.label(&x.Badges[i], s, s.left+float64(at%s.columns)*s.across, s.top+float64(at/s.columns)*s.down); err != nil {
			return err
		}
	}
	if len(x.Badges) == 0 {
		p.AddPage()
		p.text(s.left+2, 5, 180, 7, 6, "", x.reference())
	}
	return p.finish(w)
}

// label lays out one label whose corner is at x, y.
func (p paper) label(b *Badge, s Stock, x, y float64) error {
	const inset = 2.0
	width, line := s.Width-2*inset, 0.353*s.small*1.25
	x, y = x+inset, y+s.Height*0.055
	p.text(x, y, width, s.name, s.small, "B", b.name())
	y += 0.353 * s.name * 1.25
	if b.Department != "" {
		p.text(x, y, width, s.small, s.small*0.75, "", b.Department)
	}
	y += line
	p.text(x, y, width, s.small, s.small*0.75, "", b.Position+", "+Period(b.From, b.To))
	y += line + 0.4
	if err := p.bars(b.Barcode, x, y, width, s.bars); err != nil {
		return err
	}
	p.text(x, y+s.bars+0.6, width, s.small, s.small*0.75, "", b.Barcode)
	return nil
}

// narrowest and widest a bar may be, in millimetres: below, hand scanners miss it; above, it only takes up room.
const narrowest, widest = 0.17, 0.33

// bars draws a barcode as Code 128, as rectangles, which no printer blurs. The ten bars' width that must stay white on either
// side is partly the label's own margin.
func (p paper) bars(code string, x, y, width, height float64) error {
	c, err := code128.Encode(code)
	if err != nil {
		return fmt.Errorf("a barcode can't be drawn: it holds something that Code 128 does not have")
	}
	n := c.Bounds().Dx()
	bar := min(widest, width/float64(n))
	if bar < narrowest {
		return nil // too long for this label: its number stands there, and is typed
	}
	p.SetFillColor(0, 0, 0)
	for i := 0; i < n; {
		start := i
		for i < n && black(c, i) {
			i++
		}
		if i > start {
			p.Rect(x+float64(start)*bar, y, float64(i-start)*bar, height, "F")
		}
		for i < n && !black(c, i) {
			i++
		}
	}
	return nil
}

// black reports whether the i-th of a barcode's modules is black.
func black(c barcode.Barcode, i int) bool {
	r, _, _, _ := c.At(i, 0).RGBA()
	return r == 0
}
