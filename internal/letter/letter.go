// Package letter lays out what the service prints itself: issue sheets and labels, as PDF.
//
// It knows no vault and no register: it is given what to print, and the id of the export that the names were revealed
// for, which stands on every sheet. Nothing that it is given is kept, and no error holds any of it.
//
// Letters of Latin, Greek and Cyrillic scripts are printed, ŵ and ŷ among them; what the font does not have is a box.
package letter

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
)

// Print is what is printed: the badges of one organisation, in the order given.
type Print struct {
	Organisation string
	Export       id.Export // stands on every sheet
	Day          day.Day   // of printing
	Badges       []Badge
}

// Badge is one badge of a print.
type Badge struct {
	Barcode    string
	Name       person.Value // as it stands in a list by surname; empty: a control badge
	Department string
	Position   string
	From, To   day.Day
}

// name is what is printed for a name.
func (b *Badge) name() string {
	if b.Name.IsZero() {
		return "Control badge"
	}
	return b.Name.Expose()
}

// DejaVu Sans Condensed, under its own licence beside it: narrow, so that long names fit on a label.
var (
	//go:embed fonts/DejaVuSansCondensed.ttf
	plainFont []byte
	//go:embed fonts/DejaVuSansCondensed-Bold.ttf
	boldFont []byte
)

const font = "DejaVu"

// paper is a PDF being laid out, in millimetres.
type paper struct{ *fpdf.Fpdf }

func newPaper(title string, printed day.Day) paper {
	p := paper{fpdf.New("P", "mm", "A4", "")}
	p.AddUTF8FontFromBytes(font, "", plainFont)
	p.AddUTF8FontFromBytes(font, "B", boldFont)
	p.SetTitle(title, true) // of the window and of lists of files: it names nobody
	p.SetLang("en-GB")
	p.SetCreationDate(printed.Time())
	p.SetModificationDate(printed.Time())
	p.SetCatalogSort(true)
	p.SetAutoPageBreak(false, 0)
	p.SetDrawColor(90, 90, 90)
	p.SetLineWidth(0.2)
	return p
}

// finish writes the PDF. The library's errors may quote what it was given, so they are not passed on.
func (p paper) finish(w io.Writer) error {
	if p.Err() {
		return fmt.Errorf("the PDF could not be laid out")
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("the PDF could not be written")
	}
	return nil
}

// printable leaves out what can't be printed: control characters and marks of direction; a letter that the font's
// format can't name is a box.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		case r > 0xFFFF || r == unicode.ReplacementChar:
			return '□'
		}
		return r
	}, s)
}

// text writes a line that fits a width: smaller where it must be, and cut off with … where that does not help. size and
// least are in points; y is the line's top.
func (p paper) text(x, y, width, size, least float64, style, s string) {
	s = printable(s)
	for p.SetFont(font, style, size); size > least && p.GetStringWidth(s) > width; {
		size = max(least, size-0.25)
		p.SetFontSize(size)
	}
	if p.GetStringWidth(s) > width {
		runes := []rune(s)
		for len(runes) > 0 && p.GetStringWidth(string(runes)+"…") > width {
			runes = runes[:len(runes)-1]
		}
		s = string(runes) + "…"
	}
	p.Text(x, y+size*0.35, s) // Text wants the base line; capitals are about 0.73 of the size high, a point is 0.353 mm
}

// Period writes first and last day, as in "1–31 Oct 2026".
func Period(from, to day.Day) string {
	f, t := from.Time(), to.Time()
	switch {
	case from == to:
		return t.Format("2 Jan 2006")
	case f.Year() == t.Year() && f.Month() == t.Month():
		return f.Format("2") + "–" + t.Format("2 Jan 2006")
	case f.Year() == t.Year():
		return f.Format("2 Jan") + " – " + t.Format("2 Jan 2006")
	}
	return f.Format("2 Jan 2006") + " – " + t.Format("2 Jan 2006")
}

// reference is the line by which a sheet of paper can be answered for.
func (x *Print) reference() string {
	return "Export " + x.Export.String() + ", printed " + x.Day.Time().Format("2 January 2006")
}
