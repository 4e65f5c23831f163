package labfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
)

// Layout is a profile that was read from a file: docs/laboratory-profiles.md says what each field means. It is JSON,
// and a field, unit, position or meaning that is not known is an error.
type Layout struct {
	Name       string            `json:"name"`
	Laboratory string            `json:"laboratory,omitempty"`
	Version    int               `json:"version,omitempty"` // 1 where nothing else is said
	Encoding   string            `json:"encoding,omitempty"`
	Separators string            `json:"separators,omitempty"`
	Sheet      string            `json:"sheet,omitempty"`
	HeadingRow int               `json:"heading_row,omitempty"`
	Columns    Columns           `json:"columns"`
	Account    string            `json:"account,omitempty"`  // where no column says it
	Position   string            `json:"position,omitempty"` // likewise
	Positions  map[string]string `json:"positions,omitempty"`
	Control    *Control          `json:"control,omitempty"`
	Quantities []*Quantity       `json:"quantities"`
	Codes      map[string]string `json:"codes,omitempty"`
	Notes      map[string]string `json:"notes,omitempty"`
	Dates      []string          `json:"dates,omitempty"`
	Decimal    string            `json:"decimal,omitempty"`
	Round      bool              `json:"round,omitempty"`
	Negative   string            `json:"negative,omitempty"`

	fallback delimited.Fallback
	position dose.Position
	layouts  []string // of package time
}

// Columns say where things stand. Quantity and Value are there where each quantity has a row of its own.
type Columns struct {
	Barcode  Column `json:"barcode,omitzero"`
	Account  Column `json:"account,omitzero"`
	Position Column `json:"position,omitzero"`
	From     Column `json:"from,omitzero"`
	To       Column `json:"to,omitzero"`
	Scanned  Column `json:"scanned,omitzero"`
	Version  Column `json:"version,omitzero"`
	Name     Column `json:"name,omitzero"`
	Birth    Column `json:"birth,omitzero"`
	Notes    Column `json:"notes,omitzero"`
	Quantity Column `json:"quantity,omitzero"`
	Value    Column `json:"value,omitzero"`
}

// Column is one by its heading, or by its number from 1.
type Column struct {
	Heading string
	Number  int
}

// IsZero reports whether no column is named.
func (c Column) IsZero() bool { return c == Column{} }

func (c Column) String() string {
	if c.Number > 0 {
		return "column " + strconv.Itoa(c.Number)
	}
	return c.Heading
}

// MarshalJSON writes what UnmarshalJSON reads.
func (c Column) MarshalJSON() ([]byte, error) {
	if c.Number > 0 {
		return json.Marshal(c.Number)
	}
	return json.Marshal(c.Heading)
}

// UnmarshalJSON reads a heading or a number.
func (c *Column) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &c.Number) == nil && c.Number >= 1 && c.Number <= delimited.MaxColumns {
		return nil
	}
	*c = Column{}
	if json.Unmarshal(b, &c.Heading) == nil && fold(c.Heading) != "" {
		return nil
	}
	return errors.New("a column is its heading in quotation marks, or its number from 1")
}

// Control says how a control badge's row is told beside by its position: by one of these texts in a column, of which
// one that ends in * stands for all that begin so.
type Control struct {
	Column Column   `json:"column"`
	Texts  []string `json:"texts"`
}

// Quantity is a column of doses or, where each quantity has a row of its own, a text that names it.
type Quantity struct {
	Quantity  string            `json:"quantity"`
	Column    Column            `json:"column,omitzero"`
	Text      string            `json:"text,omitempty"`
	Unit      string            `json:"unit"`
	Positions []string          `json:"positions,omitempty"` // where badges are worn that this is read of; all that measure it if nothing is said
	Minimum   string            `json:"minimum,omitempty"`   // recording level in the unit: what is lower is below level
	Optional  bool              `json:"optional,omitempty"`  // a blank is no reading
	Elsewhere string            `json:"elsewhere,omitempty"` // "ignored": what stands here for other positions means nothing
	Codes     map[string]string `json:"codes,omitempty"`     // before those of the profile

	of        dose.Quantity
	unit      unit
	positions []dose.Position
	minimum   dose.MicroSv
}

// unit is how many µSv one of it is, as a fraction.
type unit struct{ num, den int64 }

var units = map[string]unit{
	"Sv": {1_000_000, 1}, "mSv": {1000, 1}, "µSv": {1, 1}, "uSv": {1, 1}, "nSv": {1, 1000}, "centi-mSv": {10, 1},
	"rem": {10_000, 1}, "mrem": {10, 1}, "µrem": {1, 100}, "urem": {1, 100},
}

// notReported is a code's meaning beside those of package dose: nothing is said of this quantity.
const notReported = "not reported"

// meanings are what a code may mean.
var meanings = func() map[string]dose.Qualifier {
	m := map[string]dose.Qualifier{notReported: dose.NoQualifier}
	for _, q := range []dose.Qualifier{dose.BelowLevel, dose.Unused, dose.NotReturned, dose.Lost, dose.Damaged} {
		m[q.String()] = q
	}
	return m
}()

// noteMeanings are what a note may mean; "nothing" is one that says nothing of the dose.
var noteMeanings = func() map[string]dose.Qualifier {
	m := maps.Clone(meanings)
	delete(m, notReported)
	delete(m, dose.BelowLevel.String())
	m["nothing"] = dose.NoQualifier
	return m
}()

var quantities, positions = func() (map[string]dose.Quantity, map[string]dose.Position) {
	q, p := map[string]dose.Quantity{}, map[string]dose.Position{}
	for x := dose.Hp10; x <= dose.NeutronHp10; x++ {
		q[x.String()] = x
	}
	for x := dose.WholeBody; x <= dose.Control; x++ {
		p[x.String()] = x
	}
	return q, p
}()

// ProfileError says what is wrong in a profile: at which line or in which field.
type ProfileError struct {
	Line   int // of the file, or 0
	Field  string
	Reason string
}

func (e *ProfileError) Error() string {
	switch {
	case e.Line > 0 && e.Field != "":
		return fmt.Sprintf("profile: line %d: %s: %s", e.Line, e.Field, e.Reason)
	case e.Line > 0:
		return fmt.Sprintf("profile: line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("profile: %s: %s", e.Field, e.Reason)
}

// MaxProfile is how long a profile may be, in bytes.
const MaxProfile = 64 << 10

// ParseProfile reads a profile. The error is a [ProfileError].
func ParseProfile(b []byte) (*Profile, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if len(b) > MaxProfile {
		return nil, &ProfileError{Line: 1, Reason: fmt.Sprintf("a profile has at most %d KiB", MaxProfile>>10)}
	}
	if err := unambiguous(b); err != nil {
		return nil, err
	}
	l := &Layout{}
	if err := unmarshal(b, l); err != nil {
		return nil, err
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	return &Profile{name: l.Name + "/" + strconv.Itoa(l.Version), layout: l, fallback: l.fallback}, nil
}

// unmarshal reads a layout's fields, none of which may be unknown.
func unmarshal(b []byte, l *Layout) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(l)
	if err == nil {
		return nil
	}
	line := lineAt(b, d.InputOffset())
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return &ProfileError{lineAt(b, kind.Offset), kind.Field, "a " + kind.Value + " is not expected here"}
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if i := bytes.Index(b, []byte(field)); i >= 0 {
			line = lineAt(b, int64(i))
		}
		return &ProfileError{line, field, "no such field is known"}
	}
	return &ProfileError{Line: line, Reason: err.Error()}
}

// Layout returns what a profile that was read from a file says, with what it leaves out filled in; nil for one that is
// built in. It is to be read only.
func (p *Profile) Layout() *Layout { return p.layout }

// JSON returns the profile's text, for [ParseProfile].
func (l *Layout) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(l)
	return b.Bytes(), err
}

func lineAt(b []byte, offset int64) int {
	return 1 + bytes.Count(b[:min(int(offset), len(b))], []byte("\n"))
}

// unambiguous refuses what is no JSON, more than one value, and a field or code that stands twice.
func unambiguous(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	type object struct {
		names map[string]bool // nil for a list
		texts bool            // its names are texts of files, in which capitals matter
	}
	var open []object
	key, last := false, "" // a name comes next, in an object; the name before
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 && d.InputOffset() > 0 {
			return nil
		}
		if err != nil {
			return &ProfileError{Line: lineAt(b, d.InputOffset()), Reason: "this is no JSON: a comma, bracket or quotation mark is missing here or before"}
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				open = append(open, object{map[string]bool{}, slices.Contains([]string{"codes", "notes", "positions"}, last)})
			case '[':
				open = append(open, object{})
			default:
				open = open[:len(open)-1]
				if len(open) == 0 && d.More() {
					return &ProfileError{Line: lineAt(b, d.InputOffset()), Reason: "nothing is expected after the profile's end"}
				}
			}
		case string:
			if key {
				in := open[len(open)-1]
				name := t
				if !in.texts { // package json takes Name for name
					name = strings.ToLower(t)
				}
				if in.names[name] {
					return &ProfileError{lineAt(b, d.InputOffset()), strconv.Quote(t), "it stands here a second time"}
				}
				in.names[name] = true
				key, last = false, name
				continue
			}
		}
		key = len(open) > 0 && open[len(open)-1].names != nil
	}
}

// check fills in what a profile leaves out, and refuses what can't be meant.
func (l *Layout) check() error {
	bad := func(field, format string, args ...any) error {
		return &ProfileError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if l.Version == 0 {
		l.Version = 1
	}
	c := &l.Columns
	long := !c.Quantity.IsZero()
	switch {
	case !isName(l.Name):
		return bad("name", "1 to 40 small letters, digits and hyphens expected")
	case l.Version < 1 || l.Version > 9999:
		return bad("version", "1 to 9999 expected")
	case len(l.Laboratory) > 200:
		return bad("laboratory", "at most 200 bytes expected")
	case l.Encoding != "" && l.Encoding != delimited.Windows1252.String() && l.Encoding != delimited.ISO8859_14.String():
		return bad("encoding", "%s or %s expected", delimited.Windows1252, delimited.ISO8859_14)
	case strings.Trim(l.Separators, ",;\t|") != "":
		return bad("separators", "comma, semicolon, tab or | expected")
	case l.HeadingRow < 0 || l.HeadingRow > 1000:
		return bad("heading_row", "1 to 1000 expected")
	case c.Barcode.IsZero():
		return bad("columns.barcode", "the column of the badge's serial number is missing")
	case c.From.IsZero() || c.To.IsZero():
		return bad("columns", "the columns from and to, the first and last day of the wear period, are expected")
	case c.Account.IsZero() == (l.Account == ""):
		return bad("account", "either a column of the account or one account for all is expected")
	case c.Position.IsZero() == (l.Position == ""):
		return bad("position", "either a column of the position or one position for all is expected")
	case c.Position.IsZero() != (len(l.Positions) == 0):
		return bad("positions", "what the texts of the column of the position mean is expected, if there is such a column")
	case l.Decimal != "" && l.Decimal != "." && l.Decimal != ",":
		return bad("decimal", ". or , expected")
	case l.Negative != "" && l.Negative != dose.BelowLevel.String():
		return bad("negative", "below level, or nothing, expected")
	case long != !c.Value.IsZero():
		return bad("columns.value", "quantity and value are expected both or not at all")
	case len(l.Quantities) == 0:
		return bad("quantities", "at least one is expected")
	case (len(l.Notes) > 0) == c.Notes.IsZero():
		return bad("notes", "what the notes mean is expected, if there is a column of notes")
	}
	if l.Encoding == delimited.ISO8859_14.String() {
		l.fallback = delimited.ISO8859_14
	}
	if l.Separators == "" {
		l.Separators = ",;\t"
	}
	if l.Decimal == "" {
		l.Decimal = "."
	}
	if l.Position != "" {
		if l.position = positions[l.Position]; l.position == dose.NoPosition {
			return bad("position", "%s expected", oneOf(slices.Sorted(maps.Keys(positions))))
		}
	}
	for text, p := range l.Positions {
		if positions[p] == dose.NoPosition {
			return bad("positions."+text, "%s expected", oneOf(slices.Sorted(maps.Keys(positions))))
		}
	}
	if l.Control != nil && (l.Control.Column.IsZero() || len(l.Control.Texts) == 0 || slices.Contains(l.Control.Texts, "") || slices.Contains(l.Control.Texts, "*")) {
		return bad("control", "a column, and texts that are not empty, are expected")
	}
	if err := checkCodes("notes", l.Notes, noteMeanings); err != nil {
		return err
	}
	if err := checkCodes("codes", l.Codes, meanings); err != nil {
		return err
	}
	var err error
	if l.layouts, err = CheckDates(l.Dates); err != nil {
		return err
	}
	type reads struct {
		of dose.Quantity
		at dose.Position
	}
	taken := map[reads]bool{}
	for i, q := range l.Quantities {
		field := fmt.Sprintf("quantities[%d]", i+1)
		if q == nil {
			return bad(field, "a quantity is expected")
		}
		q.of = quantities[q.Quantity]
		var known bool
		q.unit, known = units[q.Unit]
		switch {
		case q.of == dose.NoQuantity:
			return bad(field+".quantity", "%s expected", oneOf(slices.Sorted(maps.Keys(quantities))))
		case !known:
			return bad(field+".unit", "%s expected", oneOf(slices.Sorted(maps.Keys(units))))
		case long != q.Column.IsZero() || long != (q.Text != ""):
			return bad(field, "a column is expected or, with a column of the quantity, the text that stands there")
		case q.Elsewhere != "" && q.Elsewhere != "ignored":
			return bad(field+".elsewhere", "ignored, or nothing, expected")
		}
		if err := checkCodes(field+".codes", q.Codes, meanings); err != nil {
			return err
		}
		for _, p := range q.Positions {
			at := positions[p]
			if !at.Measures(q.of) || at == dose.Control {
				return bad(field+".positions", "a badge that is worn at one of them does not measure this, or no such position is known")
			}
			q.positions = append(q.positions, at)
		}
		for at := dose.WholeBody; at < dose.Control && len(q.Positions) == 0; at++ {
			if at.Measures(q.of) {
				q.positions = append(q.positions, at)
			}
		}
		for _, at := range q.positions {
			if taken[reads{q.of, at}] {
				return bad(field, "another column reads %s of a badge worn at: %s", q.of, at)
			}
			taken[reads{q.of, at}] = true
		}
		if q.Minimum != "" {
			m, err := q.unit.parse(q.Minimum, ".", false)
			if err != nil {
				return bad(field+".minimum", "%s", err)
			}
			q.minimum = m
		}
	}
	if c.Position.IsZero() && !slices.ContainsFunc(l.Quantities, func(q *Quantity) bool { return slices.Contains(q.positions, l.position) }) {
		return bad("position", "none of the quantities is read of a badge worn there")
	}
	return nil
}

// CheckDates returns formats of dates in the words of package time, after the one as which a spreadsheet's dates read. The
// error is a [ProfileError].
func CheckDates(formats []string) ([]string, error) {
	layouts := []string{time.DateOnly}
	for _, d := range formats {
		layout := goLayout.Replace(d)
		if at, err := time.Parse(layout, time.Date(2031, 10, 21, 0, 0, 0, 0, time.UTC).Format(layout)); err != nil || at.Format(time.DateOnly) != "2031-10-21" || strings.ContainsAny(layout, "YMD") {
			return nil, &ProfileError{Field: "dates", Reason: "each is made of YYYY, MM or MMM, and DD, as DD/MM/YYYY"}
		}
		for _, other := range layouts {
			// Two formats must not read one text as two days.
			if at, err := time.Parse(other, time.Date(2031, 10, 11, 0, 0, 0, 0, time.UTC).Format(layout)); err == nil && at.Format(time.DateOnly) != "2031-10-11" {
				return nil, &ProfileError{Field: "dates", Reason: "two of them read one text as different days: leave one out"}
			}
		}
		layouts = append(layouts, layout)
	}
	return layouts, nil
}

func checkCodes(field string, codes map[string]string, known map[string]dose.Qualifier) error {
	for text, meaning := range codes {
		if _, ok := known[meaning]; !ok {
			return &ProfileError{Field: fmt.Sprintf("%s.%q", field, text), Reason: oneOf(slices.Sorted(maps.Keys(known))) + " expected"}
		}
		if field != "notes" && len(text) > 0 && text[0] >= '0' && text[0] <= '9' {
			return &ProfileError{Field: fmt.Sprintf("%s.%q", field, text), Reason: "a number is no code: a recording level stands in minimum"}
		}
	}
	return nil
}

func isName(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
}

// options say how to read a file by the profile.
func (p *Profile) options() table.Options {
	o := table.Options{Options: delimited.Options{Fallback: p.fallback}}
	if p.layout != nil {
		o.Separators, o.Sheet, o.Heading = p.layout.Separators, p.layout.Sheet, p.layout.HeadingRow
	}
	return o
}

// fold reduces a heading to what matters: not its capitals and white space.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// Errors of a number.
var (
	errNumber   = errors.New("a number expected, as 0.35 with the profile's decimal mark")
	errFraction = errors.New("it is not a whole number of µSv, and the profile does not say to round")
	errTooLarge = errors.New("above 10 Sv")
	errNegative = errors.New("negative; zero or more expected")
)

// parse reads a number of the unit as µSv, exactly: what is no whole number of them is rounded half up or an error.
func (u unit) parse(s, decimal string, round bool) (dose.MicroSv, error) {
	if rest, ok := strings.CutPrefix(strings.Replace(s, "\u2212", "-", 1), "-"); ok && rest != "" && strings.Trim(rest, "0123456789"+decimal) == "" {
		return 0, errNegative
	}
	whole, decimals, point := strings.Cut(s, decimal)
	if whole == "" || point && decimals == "" || strings.Trim(whole+decimals, "0123456789") != "" {
		return 0, errNumber
	}
	whole, decimals = strings.TrimLeft(whole, "0"), strings.TrimRight(decimals, "0")
	if len(whole) > 10 || len(decimals) > 9 {
		if len(whole) > 10 {
			return 0, errTooLarge
		}
		return 0, errFraction
	}
	n, den := int64(0), u.den
	for _, c := range []byte(whole) {
		n = n*10 + int64(c-'0')
	}
	if n > 10_000_000_000 {
		return 0, errTooLarge
	}
	// n is at most 10^10 and the decimals 9 digits: their product with the unit is taken apart to stay in 64 bits.
	micro, rest := n*u.num/den, n*u.num%den*1_000_000_000
	fraction := int64(0)
	for i := range 9 {
		fraction *= 10
		if i < len(decimals) {
			fraction += int64(decimals[i] - '0')
		}
	}
	rest += fraction * u.num // of den × 10⁹
	den *= 1_000_000_000
	micro += rest / den
	if rest %= den; rest != 0 {
		if !round {
			return 0, errFraction
		}
		if 2*rest >= den {
			micro++
		}
	}
	if micro > int64(dose.MaxText) {
		return 0, errTooLarge
	}
	return dose.MicroSv(micro), nil
}
