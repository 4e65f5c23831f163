package letter

import (
	"fmt"
	"io"
)

// Measures of an issue sheet, in millimetres.
const (
	sheetLeft, sheetRight = 14.0, 196.0
	sheetTop              = 14.0
	firstRow              = 52.0 // below the headings
	rowHeight             = 8.4
	rowsOnSheet           = 26
)

// columns of an issue sheet: heading and left edge.
var columns = []struct {
	title string
	x     float64
}{{"Barcode", sheetLeft}, {"Name", 46}, {"Position", 106}, {"Received (initials, date)", 134}, {"Back", 182}}

// Sheets writes issue sheets: a new one for each department and period, on which each wearer signs for their badge.
func Sheets(w io.Writer, x Print) error {
	p := newPaper("Issue sheets, export "+x.Export.String(), x.Day)
	p.AliasNbPages("")
	for rest := x.Badges; len(rest) > 0; {
		n := 0
		for n < len(rest) && rest[n].Department == rest[0].Department && rest[n].From == rest[0].From && rest[n].To == rest[0].To {
			n++
		}
		p.group(&x, rest[:n])
		rest = rest[n:]
	}
	if len(x.Badges) == 0 {
		p.group(&x, []Badge{})
	}
	return p.finish(w)
}

// group lays out one department's badges of one period.
func (p paper) group(x *Print, badges []Badge) {
	sheets := max(1, (len(badges)+rowsOnSheet-1)/rowsOnSheet)
	for i := range sheets {
		p.AddPage()
		p.text(sheetLeft, sheetTop, 180, 10, 8, "", x.Organisation)
		p.text(sheetLeft, sheetTop+6.5, 180, 18, 12, "B", "Issue sheet")
		if len(badges) > 0 {
			department := badges[0].Department
			if department == "" {
				department = "No department"
			}
			p.text(sheetLeft, sheetTop+16.5, 120, 13, 9, "B", department)
			p.text(sheetLeft, sheetTop+23.5, 120, 11, 9, "", "Worn "+Period(badges[0].From, badges[0].To))
			count := fmt.Sprintf("%d badges", len(badges))
			if len(badges) == 1 {
				count = "1 badge"
			}
			if sheets > 1 {
				count += fmt.Sprintf(", sheet %d of %d", i+1, sheets)
			}
			p.text(140, sheetTop+23.5, sheetRight-140, 11, 8, "", count)
		}
		for _, c := range columns {
			p.text(c.x, firstRow-6, 60, 9, 9, "B", c.title)
		}
		p.SetLineWidth(0.5)
		p.Line(sheetLeft, firstRow-1, sheetRight, firstRow-1)
		p.SetLineWidth(0.2)
		for r, b := range badges[min(i*rowsOnSheet, len(badges)):min((i+1)*rowsOnSheet, len(badges))] {
			y := firstRow + float64(r)*rowHeight
			p.text(columns[0].x, y+2, 30, 10, 7, "", b.Barcode)
			p.text(columns[1].x, y+2, 58, 10.5, 7, "", b.name())
			p.text(columns[2].x, y+2, 26, 10, 7, "", b.Position)
			p.Rect(columns[4].x, y+1.6, 4.4, 4.4, "D")
			p.Line(sheetLeft, y+rowHeight-0.6, sheetRight, y+rowHeight-0.6)
		}
		p.text(sheetLeft, 277, 182, 8, 6, "", "Names are personal data: keep this sheet where only badge co-ordinators see it, and shred it when the badges are back.")
		p.text(sheetLeft, 282, 140, 8, 6, "", x.reference())
		p.text(176, 282, 20, 8, 6, "", fmt.Sprintf("Page %d of {nb}", p.PageNo()))
	}
}
