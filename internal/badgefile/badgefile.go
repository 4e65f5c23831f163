// Package badgefile reads lists of dispatched badges (CSV or XLSX): who is to wear which badge, and from when to when.
//
// Invariants:
//   - every row of a file ends as exactly one of: a badge, refused with a reason, ignored (blank);
//   - no reason and no error holds a text of the file below its header;
//   - a value that is not understood refuses its row; it is never left out.
//
// The package knows nobody: whose a staff number is, and whether a badge is there already, is for others to say.
package badgefile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
	"github.com/dosevault/dosevault/internal/person"
)

// Badge is one accepted row.
type Badge struct {
	Number, Line int    // of the record in the file, the header being 1, and the line on which it begins
	Organisation string // empty where the file does not say
	Barcode      string
	Batch        string
	StaffNumber  person.Value // of the wearer; of a control badge, and of no other, none
	Position     dose.Position
	From, To     day.Day
}

// Refusal is one row that can't be used.
type Refusal struct {
	Number, Line int
	Column       string // the column's heading, or empty for the row as a whole
	Reason       string // without any text of the row
	// Whose row it is, as far as that can be read.
	Organisation string
	StaffNumber  person.Value
}

// Column is what a column holds.
type Column int

// The columns.
const (
	Organisation Column = iota
	Barcode
	Batch
	StaffNumber
	Position
	From
	To
	columns // how many there are
)

// headings are the texts that name a column. Capitals, accents, spaces and punctuation do not matter.
var headings = [columns][]string{
	Organisation: {"organisation", "organization", "employer", "trust", "health board", "sefydliad", "cyflogwr", "bwrdd iechyd"},
	Barcode:      {"barcode", "serial number", "badge number", "badge", "dosimeter number", "cod bar", "rhif bathodyn"},
	Batch:        {"batch", "batch number", "swp", "rhif swp"},
	StaffNumber:  {"staff number", "staff no", "employee number", "employee no", "payroll number", "assignment number", "rhif staff", "rhif gweithiwr"},
	Position:     {"position", "worn at", "body position", "safle", "lleoliad"},
	From:         {"from", "start date", "first day", "wear from", "dyddiad dechrau"},
	To:           {"to", "end date", "last day", "wear to", "dyddiad gorffen"},
}

// Report is what a file says.
type Report struct {
	Header  []string
	NotUsed []string // headings of columns that were not read
	In      int      // records below the header; len(Badges) + len(Refused) + len(Ignored) == In
	Badges  []Badge
	Refused []Refusal
	Ignored []int // numbers of blank records

	at [columns]int
}

// Has reports whether the file has a column.
func (r *Report) Has(c Column) bool { return r.at[c] >= 0 }

// Heading is what the file calls a column, or nothing where it has none.
func (r *Report) Heading(c Column) string {
	if !r.Has(c) {
		return ""
	}
	return printable(r.Header[r.at[c]])
}

func options() table.Options {
	return table.Options{Options: delimited.Options{Separators: ",;\t"}}
}

// Read reads a list of badges. The error is a [delimited.Error] or that of r, and comes without a report.
func Read(r io.Reader) (*Report, error) {
	file, err := table.Open(r, options())
	if err != nil {
		return nil, err
	}
	rep := &Report{Header: file.Header().Fields}
	if err := rep.columns(file.Header().Line); err != nil {
		return nil, err
	}
	first := map[string]int{} // by barcode
	for {
		rec, err := file.Next()
		if errors.Is(err, io.EOF) {
			return rep, nil
		}
		if err != nil {
			return nil, err
		}
		rep.In++
		if rec.Blank() {
			rep.Ignored = append(rep.Ignored, rec.Number)
			continue
		}
		b, column, reason := rep.badge(rec)
		if n := first[b.Barcode]; reason == "" && n != 0 {
			column, reason = Barcode, fmt.Sprintf("the same badge as in row %d", n)
		}
		if reason != "" {
			rep.Refused = append(rep.Refused, Refusal{rec.Number, rec.Line, rep.heading(column), reason, rep.text(rec, Organisation), person.NewValue(rep.text(rec, StaffNumber))})
			continue
		}
		first[b.Barcode] = b.Number
		rep.Badges = append(rep.Badges, b)
	}
}

// WriteRefused writes the records with these numbers for a person to correct and load again: the header and the records as
// they stood, of a spreadsheet as CSV. original is the file that rep is of.
func WriteRefused(w io.Writer, original []byte, rep *Report, only []int) error {
	return table.Excerpt(w, original, options(), rep.Header, rep.In, only)
}

// heading is Heading, and nothing for the row as a whole.
func (r *Report) heading(c Column) string {
	if c < 0 || c >= columns {
		return ""
	}
	return r.Heading(c)
}

// columns finds where each column stands.
func (r *Report) columns(line int) error {
	for c := range r.at {
		r.at[c] = -1
	}
	for i, h := range r.Header {
		c := slices.IndexFunc(headings[:], func(names []string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return fold(name) == fold(h) })
		})
		switch {
		case c < 0 && fold(h) == "":
			r.NotUsed = append(r.NotUsed, fmt.Sprintf("(column %d)", i+1))
		case c < 0:
			r.NotUsed = append(r.NotUsed, printable(h))
		case r.at[c] >= 0:
			return &delimited.Error{Line: line, Column: i + 1, Reason: fmt.Sprintf("column %d says the same already: leave one of them out, or name it otherwise", r.at[c]+1)}
		default:
			r.at[c] = i
		}
	}
	for c := Barcode; c < columns; c++ {
		if !r.Has(c) {
			// The headings that there are can't be repeated: where the header is missing, they are somebody's data.
			return &delimited.Error{Line: line, Reason: "the headings must be organisation, barcode, batch, staff_number, position, from and to; the organisation may be left out where the list is of one"}
		}
	}
	return nil
}

// badge reads one row; a reason refuses it.
func (r *Report) badge(rec delimited.Record) (b Badge, column Column, reason string) {
	b = Badge{Number: rec.Number, Line: rec.Line}
	if len(rec.Fields) < len(r.Header) {
		return b, -1, fmt.Sprintf("%d columns, where the heading has %d", len(rec.Fields), len(r.Header))
	}
	text := func(c Column) string { return r.text(rec, c) }
	for c := Organisation; c < columns; c++ {
		if delimited.IsError(text(c)) {
			return b, c, "a formula of the spreadsheet failed here: put in its place what is meant"
		}
	}
	b.Organisation = text(Organisation)
	if b.Barcode = text(Barcode); !IsCode(b.Barcode) {
		return b, Barcode, codeExpected
	}
	if b.Batch = text(Batch); !IsCode(b.Batch) {
		return b, Batch, codeExpected
	}
	if b.Position = position(text(Position)); b.Position == dose.NoPosition {
		return b, Position, "one of these is expected: " + positionNames
	}
	staff := text(StaffNumber)
	switch control := b.Position == dose.Control; {
	case control && staff != "":
		return b, StaffNumber, "a control badge is worn by nobody: nothing is expected"
	case !control && staff == "":
		return b, StaffNumber, "the wearer's staff number is expected: only a control badge has none"
	case len(staff) > 40:
		return b, StaffNumber, "at most 40 bytes expected"
	}
	b.StaffNumber = person.NewValue(staff)
	var ok bool
	if b.From, ok = date(text(From)); !ok {
		return b, From, "a date such as 2026-10-06 or 06/10/2026 is expected"
	}
	if b.To, ok = date(text(To)); !ok {
		return b, To, "a date such as 2026-10-06 or 06/10/2026 is expected"
	}
	switch {
	case b.To < b.From:
		return b, To, "a date not before the first day is expected"
	case b.To > b.From.AddMonths(12):
		return b, To, "a wear period of at most 12 months is expected"
	}
	return b, 0, ""
}

// text returns a field without white space around it, and nothing where the record does not have it.
func (r *Report) text(rec delimited.Record, c Column) string {
	if !r.Has(c) || r.at[c] >= len(rec.Fields) {
		return ""
	}
	return strings.Clone(strings.TrimSpace(rec.Fields[r.at[c]])) // or what is kept would hold on to the whole record
}

const codeExpected = "1 to 32 letters, digits, hyphens or slashes are expected"

// positions are where a badge may be worn, as a list says it: their own names.
var positions = []dose.Position{dose.WholeBody, dose.Collar, dose.Eye, dose.LeftFinger, dose.RightFinger, dose.LeftWrist, dose.RightWrist, dose.Foetal, dose.Control}

var positionNames = func() string {
	names := make([]string, len(positions))
	for i, p := range positions {
		names[i] = p.String()
	}
	return strings.Join(names, ", ")
}()

func position(s string) dose.Position {
	for _, p := range positions {
		if fold(s) == fold(p.String()) {
			return p
		}
	}
	return dose.NoPosition
}

// date reads YYYY-MM-DD or DD/MM/YYYY.
func date(s string) (day.Day, bool) {
	if len(s) == 10 && s[2] == '/' && s[5] == '/' {
		s = s[6:] + "-" + s[3:5] + "-" + s[:2]
	}
	d, err := day.Parse(s)
	return d, err == nil && !d.IsZero()
}

// IsCode reports whether a text can be a barcode, the name of a batch or an account, as laboratories' files spell them.
func IsCode(s string) bool {
	return s != "" && len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '/'
	})
}

// fold reduces a heading to its letters and digits, without accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// printable returns the first 60 printable characters of a heading.
func printable(s string) string {
	runes := slices.DeleteFunc([]rune(strings.TrimSpace(s)), func(r rune) bool { return !unicode.IsPrint(r) })
	return string(runes[:min(len(runes), 60)])
}
