package labfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
)

// Sample is a laboratory's file that is looked at while a profile is made for it. All of it may be about people.
type Sample struct {
	Encoding string // as Report has it
	Headings []string
	rows     [][]string // as they stand, each as long as the headings; blank ones are left out
	Sheet    bool       // a spreadsheet: its numbers have a point, its dates are YYYY-MM-DD
}

// Texts that a Sample's columns can be read as, beside the quantities' own names. What is not read has none.
const (
	RoleBarcode  = "barcode"
	RoleAccount  = "account"
	RolePosition = "position"
	RoleFrom     = "from"
	RoleTo       = "to"
	RoleScanned  = "scanned"
	RoleVersion  = "version"
	RoleName     = "name"
	RoleBirth    = "birth"
	RoleNotes    = "notes"
	RoleQuantity = "quantity"
	RoleValue    = "value"
)

// Roles are all that a column can be, in the order in which somebody is asked.
var Roles = []string{RoleBarcode, RoleAccount, RolePosition, RoleFrom, RoleTo, RoleScanned, RoleVersion, RoleName, RoleBirth, RoleNotes,
	dose.Hp10.String(), dose.Hp007.String(), dose.Hp3.String(), dose.NeutronHp10.String(), RoleQuantity, RoleValue}

// field is where a layout keeps the column of a role; nil for a quantity's.
func (l *Layout) field(role string) *Column {
	c := &l.Columns
	return map[string]*Column{RoleBarcode: &c.Barcode, RoleAccount: &c.Account, RolePosition: &c.Position, RoleFrom: &c.From, RoleTo: &c.To, RoleScanned: &c.Scanned,
		RoleVersion: &c.Version, RoleName: &c.Name, RoleBirth: &c.Birth, RoleNotes: &c.Notes, RoleQuantity: &c.Quantity, RoleValue: &c.Value}[role]
}

// maxSampleColumns is how many columns a sample may have: each is asked about.
const maxSampleColumns = 200

// OpenSample reads a file's headings and rows as a layout says that they are written, whatever else it says. The error is a [FileError].
func OpenSample(file []byte, l *Layout) (*Sample, error) { return openSample(file, l, math.MaxInt) }

// openSample reads at most most rows.
func openSample(file []byte, l *Layout, most int) (*Sample, error) {
	o := table.Options{Options: delimited.Options{Separators: l.Separators, Heading: l.HeadingRow}, Sheet: l.Sheet}
	if o.Separators == "" {
		o.Separators = ",;\t"
	}
	if l.Encoding == delimited.ISO8859_14.String() {
		o.Fallback = delimited.ISO8859_14
	}
	source, err := table.Open(bytes.NewReader(file), o)
	if err != nil {
		return nil, err
	}
	s := &Sample{Encoding: source.Encoding(), Headings: source.Header().Fields, Sheet: source.Encoding() == "XLSX"}
	if len(s.Headings) > maxSampleColumns {
		return nil, &FileError{Line: source.Header().Line, Column: maxSampleColumns + 1, Reason: fmt.Sprintf("more than %d columns", maxSampleColumns)}
	}
	for {
		rec, err := source.Next()
		if errors.Is(err, io.EOF) || len(s.rows) == most {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if rec.Blank() {
			continue
		}
		row := make([]string, len(s.Headings))
		for i, f := range rec.Fields[:min(len(rec.Fields), len(row))] {
			row[i] = strings.Clone(f)
		}
		s.rows = append(s.rows, row)
	}
}

// Len is how many rows it has that are not blank.
func (s *Sample) Len() int { return len(s.rows) }

// text is a cell as a profile meets it, with single spaces.
func (s *Sample) text(row []string, column int) string {
	return strings.Join(strings.Fields(row[column]), " ")
}

// Values are the first texts of a column that differ and are not blank, at most most of them.
func (s *Sample) Values(column, most int) (out []string) {
	for _, row := range s.rows {
		if t := s.text(row, column); t != "" && !slices.Contains(out, t) {
			if out = append(out, t); len(out) == most {
				break
			}
		}
	}
	return out
}

// Column names a column as a profile does: by its heading where no other column has it, or by its number.
func (s *Sample) Column(i int) Column {
	same := 0
	for _, h := range s.Headings {
		if fold(h) == fold(s.Headings[i]) {
			same++
		}
	}
	if heading := strings.Join(strings.Fields(s.Headings[i]), " "); same == 1 && heading != "" {
		return Column{Heading: heading}
	}
	return Column{Number: i + 1}
}

// at is where a column stands in the sample, from 0, or -1.
func (s *Sample) at(c Column) int {
	if c.IsZero() {
		return -1
	}
	i, err := locate(c, delimited.Record{Fields: s.Headings})
	if err != nil {
		return -1
	}
	return i
}

// Roles are what a layout says that the sample's columns are; "" for those that it does not read.
func (s *Sample) Roles(l *Layout) []string {
	out := make([]string, len(s.Headings))
	for _, role := range Roles {
		if c := l.field(role); c != nil {
			if i := s.at(*c); i >= 0 {
				out[i] = role
			}
		}
	}
	for _, q := range l.Quantities {
		if i := s.at(q.Column); i >= 0 {
			out[i] = q.Quantity
		}
	}
	return out
}

// SetRoles has a layout read the sample's columns as these. What it says of a column that stays a quantity's stays too. An
// error says which column has the role of another.
func (s *Sample) SetRoles(l *Layout, roles []string) error {
	old := l.Quantities
	was := s.Roles(l)
	l.Columns, l.Quantities = Columns{}, nil
	for i, role := range roles {
		switch c := l.field(role); {
		case role == "":
		case c != nil && !c.IsZero():
			return &RoleError{i, role}
		case c != nil:
			*c = s.Column(i)
		default:
			q := &Quantity{Quantity: role, Column: s.Column(i)}
			if was[i] == role {
				q = old[slices.IndexFunc(old, func(o *Quantity) bool { return s.at(o.Column) == i })]
				q.Column = s.Column(i)
			}
			l.Quantities = append(l.Quantities, q)
		}
	}
	if !l.Columns.Quantity.IsZero() { // a text names each quantity
		l.Quantities = nil
		for _, q := range old {
			if q.Text != "" {
				l.Quantities = append(l.Quantities, q)
			}
		}
	}
	return nil
}

// RoleError says that a column, from 0, has a role that another has.
type RoleError struct {
	Column int
	Role   string
}

func (e *RoleError) Error() string {
	return fmt.Sprintf("column %d: another column is this too", e.Column+1)
}

// Text is a text that a sample's rows have, and in how many.
type Text struct {
	Text string
	Rows int
}

// counted counts texts, the most frequent first.
func counted(n map[string]int) []Text {
	out := make([]Text, 0, len(n))
	for t, rows := range n {
		out = append(out, Text{t, rows})
	}
	slices.SortFunc(out, func(a, b Text) int {
		if a.Rows != b.Rows {
			return b.Rows - a.Rows
		}
		return strings.Compare(a.Text, b.Text)
	})
	return out
}

// Texts are the texts of a column, a blank too.
func (s *Sample) Texts(c Column) []Text {
	n := map[string]int{}
	if i := s.at(c); i >= 0 {
		for _, row := range s.rows {
			n[s.text(row, i)]++
		}
	}
	return counted(n)
}

// Notes are the lines of the column of notes.
func (s *Sample) Notes(l *Layout) []Text {
	n := map[string]int{}
	if i := s.at(l.Columns.Notes); i >= 0 {
		for _, row := range s.rows {
			for line := range strings.Lines(row[i]) {
				if line = strings.Join(strings.Fields(line), " "); line != "" {
					n[line]++
				}
			}
		}
	}
	return counted(n)
}

// Codes are the texts in the columns of doses that are no numbers, and a blank where a dose is expected that no note
// explains. What begins with a digit is no code.
func (s *Sample) Codes(l *Layout) []Text {
	n := map[string]int{}
	position, value, what := s.at(l.Columns.Position), s.at(l.Columns.Value), s.at(l.Columns.Quantity)
	for _, row := range s.rows {
		at := positions[l.Position]
		if position >= 0 {
			at = positions[l.Positions[s.text(row, position)]]
		}
		if at == dose.NoPosition && len(l.Positions) > 0 {
			continue // its row is refused
		}
		noted := s.noted(l, row)
		seen := map[string]bool{}
		for _, q := range l.Quantities {
			i := s.at(q.Column)
			if value >= 0 {
				if i = value; what < 0 || s.text(row, what) != q.Text {
					continue
				}
			}
			if i < 0 {
				continue
			}
			t := s.text(row, i)
			needless := q.Optional || noted || at != dose.NoPosition && !q.reads(at) // to say what a blank means
			if _, own := q.Codes[t]; own || t == "" && needless || isNumber(t) {
				continue
			}
			seen[t] = true
		}
		for t := range seen {
			n[t]++
		}
	}
	return counted(n)
}

// noted reports whether a row's notes say why there is no dose.
func (s *Sample) noted(l *Layout, row []string) bool {
	if i := s.at(l.Columns.Notes); i >= 0 {
		for line := range strings.Lines(row[i]) {
			if noteMeanings[l.Notes[strings.Join(strings.Fields(line), " ")]] != dose.NoQualifier {
				return true
			}
		}
	}
	return false
}

// isNumber reports whether a text can be no code, as a number with either mark can not.
func isNumber(s string) bool {
	s = strings.TrimLeft(s, "-+\u2212")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

// reads reports whether a quantity is read of badges worn somewhere.
func (q *Quantity) reads(at dose.Position) bool {
	switch {
	case at == dose.Control:
		return false
	case len(q.Positions) > 0:
		return slices.Contains(q.Positions, at.String())
	}
	return at.Measures(quantities[q.Quantity])
}

// What a profile may say, for those who ask: units, positions, meanings of codes and of notes.
var (
	UnitNames     = []string{"mSv", "µSv", "Sv", "nSv", "centi-mSv", "mrem", "rem", "µrem"}
	PositionNames = func() (out []string) {
		for p := dose.WholeBody; p <= dose.Control; p++ {
			out = append(out, p.String())
		}
		return out
	}()
	CodeMeanings = []string{dose.BelowLevel.String(), dose.Unused.String(), dose.NotReturned.String(), dose.Lost.String(), dose.Damaged.String(), notReported}
	NoteMeanings = []string{"nothing", dose.Unused.String(), dose.NotReturned.String(), dose.Lost.String(), dose.Damaged.String()}
)

// Measures reports whether badges worn somewhere measure a quantity; both by their names.
func Measures(position, quantity string) bool {
	return position != dose.Control.String() && positions[position].Measures(quantities[quantity])
}

// IsDose reports whether a text is a number, with a point, of a unit.
func IsDose(text, unit string) bool {
	u, known := units[unit]
	_, err := u.parse(text, ".", false)
	return known && err == nil
}

// ParseDraft reads what [Layout.JSON] wrote of a layout that need not be complete.
func ParseDraft(b []byte) (*Layout, error) {
	l := &Layout{}
	if err := unmarshal(b, l); err != nil {
		return nil, err
	}
	l.Quantities = slices.DeleteFunc(l.Quantities, func(q *Quantity) bool { return q == nil })
	return l, nil
}
