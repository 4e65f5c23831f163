package letter

import (
	"fmt"
	"io"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/words"
)

// Document is a letter, form or statement that runs over as many sheets as it needs. Its texts were said already, in the language of each part.
type Document struct {
	Title string  // of the window and of lists of files: it names nobody
	Day   day.Day // of printing
	Foot  string  // stands on every sheet, as the way to answer for it
	Lang  words.Lang
	Parts []Part
}

// PartKind is how a part of a document looks.
type PartKind uint8

// The kinds of parts. An Address stands where the window of an envelope is; a Sheet begins a new one, on which pages are counted anew: another letter, or the same in
// another language.
const (
	Paragraph PartKind = iota
	Heading
	Title
	Bullet
	Row // a label and what stands beside it
	Address
	Sheet
)

// Part is a part of a document.
type Part struct {
	Kind  PartKind
	Text  string
	Value string   // of a Row
	Lines []string // of an Address
}

// Measures of a document, in millimetres and points.
const (
	documentLeft, documentWidth = 22.0, 166.0
	documentTop, documentBottom = 20.0, 270.0
	addressTop                  = 50.0 // the window of a DL envelope, the sheet folded in three
	labelWidth                  = 58.0
	bodySize, bodyLine          = 10.5, 5.0
)

// writer is a document being laid out: y is where the next line's top is, page the page of this letter.
type writer struct {
	paper
	d    *Document
	y    float64
	page int
}

// Write lays the document out as a PDF.
func (d *Document) Write(w io.Writer) error {
	p := newPaper(d.Title, d.Day)
	if d.Lang == words.Welsh {
		p.SetLang("cy")
	}
	at := writer{paper: p, d: d}
	at.sheet()
	for i, part := range d.Parts {
		if part.Kind == Sheet && i == 0 {
			continue
		}
		at.part(part)
	}
	return p.finish(w)
}

// Plain writes the document as text, for a terminal or an e-mail.
func (d *Document) Plain(w io.Writer) error {
	var b strings.Builder
	for i, p := range d.Parts {
		switch {
		case p.Kind == Sheet && i > 0:
			b.WriteString("\n\n")
		case p.Kind == Title || p.Kind == Heading:
			fmt.Fprintf(&b, "\n%s\n\n", p.Text)
		case p.Kind == Bullet:
			fmt.Fprintf(&b, "- %s\n", p.Text)
		case p.Kind == Row:
			fmt.Fprintf(&b, "%s: %s\n", p.Text, strings.ReplaceAll(p.Value, "\n", "\n    "))
		case p.Kind == Address:
			fmt.Fprintf(&b, "%s\n\n", strings.Join(trimmed(p.Lines), "\n"))
		case p.Kind == Paragraph:
			fmt.Fprintf(&b, "%s\n\n", p.Text)
		}
	}
	_, err := io.WriteString(w, strings.TrimSpace(b.String())+"\n")
	return err
}

// sheet begins a new sheet.
func (w *writer) sheet() {
	w.AddPage()
	w.page++
	w.y = documentTop
	w.text(documentLeft, 284, 140, 8, 6, "", w.d.Foot)
	w.text(documentLeft+documentWidth-8, 284, 8, 8, 6, "", fmt.Sprint(w.page))
}

// need begins a new sheet where some height is not left on this one.
func (w *writer) need(height float64) {
	if w.y+height > documentBottom {
		w.sheet()
	}
}

// lines writes lines below each other, over sheets where it must.
func (w *writer) lines(x, size, line float64, style string, lines []string) {
	for _, l := range lines {
		w.need(line)
		w.SetFont(font, style, size)
		w.Text(x, w.y+size*0.35, l)
		w.y += line
	}
}

// split breaks a text into lines of a width. A word that is too long is broken.
func (w *writer) split(s string, width, size float64, style string) []string {
	w.SetFont(font, style, size)
	var all []string
	for _, l := range strings.Split(s, "\n") {
		if l = printable(l); l == "" {
			all = append(all, "")
			continue
		}
		all = append(all, w.SplitText(l, width)...)
	}
	return all
}

func (w *writer) part(p Part) {
	switch p.Kind {
	case Sheet:
		w.page = 0
		w.sheet()
	case Title:
		lines := w.split(p.Text, documentWidth, 16, "B")
		w.need(float64(len(lines))*7 + 15)
		w.lines(documentLeft, 16, 7, "B", lines)
		w.y += 3
	case Heading:
		lines := w.split(p.Text, documentWidth, 12, "B")
		w.need(float64(len(lines))*6 + 18) // not without the beginning of what it is the heading of
		w.y += 3
		w.lines(documentLeft, 12, 6, "B", lines)
		w.y += 1
	case Paragraph:
		w.lines(documentLeft, bodySize, bodyLine, "", w.split(p.Text, documentWidth, bodySize, ""))
		w.y += 2.2
	case Bullet:
		lines := w.split(p.Text, documentWidth-6, bodySize, "")
		w.need(min(2, float64(len(lines))) * bodyLine)
		w.SetFont(font, "", bodySize)
		w.Text(documentLeft+1.5, w.y+bodySize*0.35, "•")
		w.lines(documentLeft+6, bodySize, bodyLine, "", lines)
		w.y += 1.2
	case Row:
		w.row(p)
	case Address:
		w.y = max(w.y, addressTop)
		w.lines(documentLeft, bodySize, bodyLine, "", trimmed(p.Lines))
		w.y = max(w.y, addressTop+40) + 4
	}
}

// row writes a label, and beside it what is said to it. A row that is not longer than a sheet is not torn.
func (w *writer) row(p Part) {
	label := w.split(p.Text, labelWidth-3, 9, "B")
	value := w.split(p.Value, documentWidth-labelWidth, 9.5, "")
	w.need(min(float64(max(len(label), len(value)))*4.5+2, documentBottom-documentTop))
	w.Line(documentLeft, w.y, documentLeft+documentWidth, w.y)
	w.y += 1.4
	top := w.y
	w.lines(documentLeft, 9, 4.5, "B", label)
	below := w.y
	w.y = top
	w.lines(documentLeft+labelWidth, 9.5, 4.5, "", value)
	w.y = max(w.y, below) + 1.6
}

// trimmed are the lines of an address that hold something, no more than a window shows.
func trimmed(lines []string) []string {
	var all []string
	for _, l := range lines {
		if l = printable(l); l != "" && len(all) < 8 {
			all = append(all, l)
		}
	}
	return all
}
