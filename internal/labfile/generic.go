package labfile

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
	"github.com/dosevault/dosevault/internal/person"
)

// early is how many days a badge may be read, or its period end, before the period's end.
const early = 209

// locate returns where a column stands in a header, from 0.
func locate(c Column, header delimited.Record) (int, error) {
	if c.Number > 0 {
		if c.Number > len(header.Fields) {
			return 0, &FileError{Line: header.Line, Column: c.Number, Reason: "the file has no such column, which the profile expects"}
		}
		return c.Number - 1, nil
	}
	found := -1
	for i, h := range header.Fields {
		if fold(h) != fold(c.Heading) {
			continue
		}
		if found >= 0 {
			return 0, &FileError{Line: header.Line, Column: i + 1, Reason: fmt.Sprintf("the heading %q stands in column %d too: leave one of them out, or have the profile give the column's number", c.Heading, found+1)}
		}
		found = i
	}
	if found < 0 {
		return 0, &FileError{Line: header.Line, Reason: fmt.Sprintf("the heading %q is missing, which the profile expects", c.Heading)}
	}
	return found, nil
}

// located are a layout's columns in a file; one that the profile does not name is not there.
func (l *Layout) located(header delimited.Record) (map[Column]int, error) {
	at := map[Column]int{}
	c := &l.Columns
	all := []Column{c.Barcode, c.Account, c.Position, c.From, c.To, c.Scanned, c.Version, c.Name, c.Birth, c.Notes, c.Quantity, c.Value}
	for _, q := range l.Quantities {
		all = append(all, q.Column)
	}
	if l.Control != nil {
		all = append(all, l.Control.Column)
	}
	for _, c := range all {
		if c.IsZero() {
			continue
		}
		n, err := locate(c, header)
		if err != nil {
			return nil, err
		}
		at[c] = n
	}
	return at, nil
}

// entry is a row being read by a layout. The first cell that can't be used is kept as the refusal; what is read after it
// has no meaning.
type entry struct {
	*Layout
	delimited.Record
	at      map[Column]int
	sheet   bool
	today   day.Day
	refusal *Refusal
}

// text returns a cell's text with single spaces, and nothing of a column that is not there.
func (r *entry) text(c Column) string {
	if c.IsZero() {
		return ""
	}
	return strings.Join(strings.Fields(r.Fields[r.at[c]]), " ")
}

// refuse notes why a column can't be used. As everywhere, nothing of the file is repeated.
func (r *entry) refuse(c Column, format string, args ...any) {
	if r.refusal == nil {
		r.refusal = &Refusal{Number: r.Number, Line: r.Line, Reason: fmt.Sprintf(format, args...)}
		if !c.IsZero() {
			r.refusal.Column = c.String()
		}
	}
}

func (r *entry) code(c Column, longest int) string {
	s := r.text(c)
	odd := strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '/'
	})
	if s == "" || len(s) > longest || odd {
		r.refuse(c, "1 to %d letters, digits, hyphens or slashes expected", longest)
	}
	return s
}

// date reads a day that may be blank, but not later than latest.
func (r *entry) date(c Column, latest day.Day) day.Day {
	s := r.text(c)
	if s == "" {
		return 0
	}
	for _, layout := range r.layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		d, err := day.Parse(t.Format(time.DateOnly))
		switch {
		case err != nil || d.IsZero():
			r.refuse(c, "a date between 1850 and 2200, other than 1 January 1970, expected")
		case d > latest:
			r.refuse(c, "a date in the future, after %s", latest)
		}
		return d
	}
	r.refuse(c, "a date as %s expected", strings.Join(append([]string{"YYYY-MM-DD"}, r.Dates...), " or "))
	return 0
}

// period reads the wear period: a day to twelve months, begun by today.
func (r *entry) period(row *Row) {
	c := &r.Columns
	row.From, row.To, row.Scanned = r.date(c.From, r.today), r.date(c.To, math.MaxInt32), r.date(c.Scanned, r.today)
	switch {
	case row.From.IsZero():
		r.refuse(c.From, "a date expected")
	case row.To.IsZero():
		r.refuse(c.To, "a date expected")
	case row.To < row.From:
		r.refuse(c.To, "a date not before the period's begin, %s, expected", row.From)
	case row.To > row.From.AddMonths(12):
		r.refuse(c.To, "a period of at most 12 months from %s expected", row.From)
	case row.To > r.today && (row.Scanned.IsZero() || int(row.To-r.today) > early):
		r.refuse(c.To, "a date in the future, after %s", r.today)
	case !row.Scanned.IsZero() && int(row.To-row.Scanned) > early:
		r.refuse(c.Scanned, "read %d days before the period's end; more than %d days are taken for a wrong date", row.To-row.Scanned, early)
	}
}

// common reads what a row says beside its doses.
func (r *entry) common() Row {
	c := &r.Columns
	row := Row{Number: r.Number, Line: r.Line, Account: r.Account, Position: r.position}
	if row.Account == "" {
		row.Account = strings.Clone(r.code(c.Account, 20))
	}
	row.Barcode = strings.Clone(r.code(c.Barcode, 32))
	if !c.Position.IsZero() {
		if row.Position = positions[r.Positions[r.text(c.Position)]]; row.Position == dose.NoPosition {
			r.refuse(c.Position, "a position that the profile does not know: have it say what the text means")
		}
	}
	if r.Control != nil {
		text := r.text(r.Control.Column)
		like := slices.ContainsFunc(r.Control.Texts, func(t string) bool {
			begin, open := strings.CutSuffix(t, "*")
			return t == text || open && strings.HasPrefix(text, begin)
		})
		switch {
		case like && !c.Position.IsZero() && row.Position != dose.Control && slices.Contains(slices.Collect(maps.Values(r.Positions)), dose.Control.String()):
			r.refuse(c.Position, "the position of a control badge expected, as %s says control", r.Control.Column)
		case like:
			row.Position = dose.Control
		case row.Position == dose.Control && text != "":
			r.refuse(c.Position, "another position expected, as %s does not say control", r.Control.Column)
		}
	}
	row.Control = row.Position == dose.Control
	r.period(&row)
	if s := r.text(c.Version); s != "" {
		n := 0
		for _, d := range s {
			if n = min(n*10+int(d-'0'), 1000); d < '0' || d > '9' {
				n = 1000
				break
			}
		}
		if row.Version = n; n > 999 {
			r.refuse(c.Version, "a whole number from 0 to 999, or nothing, expected")
		}
	}
	name, birth := r.text(c.Name), r.date(c.Birth, r.today)
	if delimited.IsError(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsRune(name, unicode.ReplacementChar) || len(name) > 200 {
		r.refuse(c.Name, "a name of at most 200 bytes expected, or nothing")
	}
	if !row.Control {
		row.Name, row.Birth = person.NewValue(strings.Clone(name)), person.NewValue(birth.String())
	}
	return row
}

// said returns what the notes say about the dose.
func (r *entry) said() dose.Qualifier {
	said := dose.NoQualifier
	c := r.Columns.Notes
	if c.IsZero() {
		return said
	}
	n := 0
	for line := range strings.Lines(r.Fields[r.at[c]]) {
		if line = strings.Join(strings.Fields(line), " "); line == "" {
			continue
		}
		n++
		meaning, known := r.Notes[line]
		q := noteMeanings[meaning]
		switch {
		case !known:
			r.refuse(c, "note %d is none that the profile knows", n) // not repeated: a remark may name somebody
		case q != dose.NoQualifier && said != dose.NoQualifier && q != said:
			r.refuse(c, "notes that contradict each other: the badge is %s and %s", said, q)
		case q != dose.NoQualifier:
			said = q
		}
	}
	return said
}

// reading reads one quantity of a badge; false: nothing is said of it.
func (r *entry) reading(q *Quantity, c Column, position dose.Position, said dose.Qualifier) (dose.Reading, bool) {
	s := r.text(c)
	meaning, coded := q.Codes[s]
	if !coded {
		meaning, coded = r.Codes[s]
	}
	qualifier := meanings[meaning]
	applies := slices.Contains(q.positions, position)
	if !coded && s != "" {
		value, negative := r.number(q, c, s)
		switch {
		case !applies && q.Elsewhere == "ignored" && r.refusal == nil:
			return dose.Reading{}, false
		case !applies && position != dose.Control:
			r.refuse(c, "a badge worn at this position does not measure this: a code or nothing expected")
		case said != dose.NoQualifier:
			r.refuse(c, "a note says that the badge was %s: nothing expected", said)
		case negative || value < q.minimum:
			return dose.Reading{Quantity: q.of, Qualifier: dose.BelowLevel}, applies
		}
		return dose.Reading{Quantity: q.of, Dose: value, Qualifier: dose.Measured}, applies
	}
	switch {
	case !applies:
		return dose.Reading{}, false
	case said != dose.NoQualifier && qualifier != dose.NoQualifier && qualifier != said:
		r.refuse(c, "the note says that the badge is %s, this that it is %s", said, qualifier)
	case said != dose.NoQualifier:
		return dose.Reading{Quantity: q.of, Qualifier: said}, q.of != dose.NeutronHp10 // not every badge measures it
	case s == "" && !coded && !q.Optional:
		r.refuse(c, "no dose: a number, or a code that the profile knows, expected")
	}
	return dose.Reading{Quantity: q.of, Qualifier: qualifier}, qualifier != dose.NoQualifier
}

// number reads a number of µSv. A spreadsheet's own numbers have a point, whatever mark the profile names; as they are
// never written with a zero at their end, a text that is taken for one has none either.
func (r *entry) number(q *Quantity, c Column, s string) (value dose.MicroSv, negative bool) {
	decimal := r.Decimal
	if r.sheet && strings.Count(s, ".") == 1 && !strings.Contains(s, ",") && !strings.HasSuffix(s, "0") {
		decimal = "."
	}
	value, err := q.unit.parse(s, decimal, r.Round)
	switch {
	case err == nil:
	case errors.Is(err, errNegative) && r.Negative != "":
		return 0, true
	case errors.Is(err, errNumber):
		r.refuse(c, "neither a number in %s (decimal mark %q) nor a code that the profile knows", q.Unit, decimal)
	default:
		r.refuse(c, "%s", err)
	}
	return value, false
}

// finish holds the readings of a badge together.
func (r *entry) finish(row *Row, c Column) {
	if row.Control {
		row.Readings = nil // the laboratory has taken it off the others
		return
	}
	var whole dose.Qualifier // of the badge as a whole
	for _, x := range row.Readings {
		switch x.Qualifier {
		case dose.Unused, dose.NotReturned, dose.Lost:
			whole = x.Qualifier
		}
	}
	for _, x := range row.Readings {
		if whole != dose.NoQualifier && x.Qualifier != whole {
			r.refuse(c, "one quantity says that the badge is %s, another that it is %s", whole, x.Qualifier)
		}
	}
	if len(row.Readings) == 0 {
		r.refuse(c, "no dose is reported: a badge that was not read needs a code or note that says why")
	}
}

// wide reads a row that holds all of a badge's quantities.
func (r *entry) wide() Row {
	row := r.common()
	said := r.said()
	for _, q := range r.Quantities {
		if r.refusal != nil {
			return row
		}
		if x, ok := r.reading(q, q.Column, row.Position, said); ok {
			row.Readings = append(row.Readings, x)
		}
	}
	r.finish(&row, Column{})
	return row
}

// long reads a row of one of a badge's quantities.
func (r *entry) long() Row {
	row := r.common()
	said := r.said()
	text := r.text(r.Columns.Quantity)
	i := slices.IndexFunc(r.Quantities, func(q *Quantity) bool {
		return q.Text == text && (slices.Contains(q.positions, row.Position) || row.Control)
	})
	if i < 0 {
		i = slices.IndexFunc(r.Quantities, func(q *Quantity) bool { return q.Text == text })
	}
	switch {
	case r.refusal != nil:
	case i < 0:
		r.refuse(r.Columns.Quantity, "a quantity that the profile does not know")
	default:
		if x, ok := r.reading(r.Quantities[i], r.Columns.Value, row.Position, said); ok {
			row.Readings = []dose.Reading{x}
		}
	}
	return row
}

// readBy reads a file's rows by a layout.
func (l *Layout) readBy(file table.Source, rep *Report, today day.Day) error {
	at, err := l.located(file.Header())
	if err != nil {
		return err
	}
	last := 0
	for _, n := range at {
		last = max(last, n)
	}
	long := !l.Columns.Quantity.IsZero()
	var badges badges
	for {
		rec, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		rep.In++
		if rec.Blank() {
			rep.Ignored = append(rep.Ignored, rec.Number)
			continue
		}
		r := &entry{Layout: l, Record: rec, at: at, sheet: file.Encoding() == "XLSX", today: today}
		var row Row
		barcode := ""
		if last >= len(rec.Fields) {
			r.refuse(Column{}, "%d columns, where %d are expected", len(rec.Fields), last+1)
		} else if barcode = r.text(l.Columns.Barcode); long {
			row = r.long()
		} else {
			row = r.wide()
		}
		badges.add(r, row, strings.Clone(barcode), long)
	}
	if long {
		badges.spoil()
	}
	for _, b := range badges.list {
		b.into(l, rep, long)
	}
	slices.SortFunc(rep.Refused, func(a, b Refusal) int { return a.Number - b.Number })
	return nil
}
