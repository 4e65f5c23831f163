// Package peoplefile reads lists of people (CSV or XLSX), as personnel systems and employers send them: bytes in, people out.
//
// Invariants:
//   - every row of a file ends as exactly one of: a person, refused with a reason, ignored (blank);
//   - no reason and no error holds a text of the file below its header: each of them is personal;
//   - a value that is not understood refuses its row; it is never left out;
//   - the NI number is taken of people who are marked as classified, and of nobody else.
//
// The rules of the fields are those of package person. The package knows nobody: whether a person is new, or allowed
// for an organisation, is for the vault to say.
package peoplefile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
	"github.com/dosevault/dosevault/internal/person"
)

// Person is one accepted row. What the file does not say is empty.
type Person struct {
	Number       int // of the record in the file, the header being 1
	Line         int // of the file, on which the record begins, from 1
	Organisation string
	Identity     person.Identity // with a staff number, always
	Contact      person.Contact
	NI           person.Value // of classified people only
	From, To     day.Day      // first and last day of employment
	Classified   bool         // false too where the file has no column for it: see Report.HasClassified
	Department   string
	JobTitle     string
}

// Refusal is one row that can't be used.
type Refusal struct {
	Number int
	Line   int
	Column string // the column's heading, or empty for the row as a whole
	Reason string // without any text of the row
	// Whose row it is, as far as that can be read.
	Organisation string
	StaffNumber  person.Value
	HasNI        bool // something stands where NI numbers do
}

// Report is what a file says.
type Report struct {
	Encoding      string // as package labfile names them
	Header        []string
	NotUsed       []string // headings of columns that were not read
	HasTo         bool     // the file has a column for the last day of employment
	HasClassified bool     // the file has a column that says who is classified
	// What the file calls these two columns; the first is empty where it has none.
	OrganisationColumn, StaffNumberColumn string

	NINotTaken int // rows whose NI number was left behind because the person is not classified
	In         int // records below the header
	People     []Person
	Refused    []Refusal
	Ignored    []int // numbers of blank records
}

// FileError says why a file as a whole can't be read, with line and column where it has them.
type FileError = delimited.Error

// Fallback is the encoding of a file without byte order mark that is not UTF-8.
type Fallback = delimited.Fallback

// The fallbacks.
const (
	Windows1252 = delimited.Windows1252
	ISO8859_14  = delimited.ISO8859_14 // Celtic: has ŵ and ŷ
)

// Options say how to read a file.
type Options struct {
	Today    day.Day  // required: for the plausibility of a date of birth
	Leavers  bool     // a list of leavers: organisation, staff number and last day are read, nothing else
	Fallback Fallback // Windows-1252 if nothing else is said
	Sheet    string   // of a spreadsheet; the first that is not hidden if nothing else is said
	MaxBytes int64    // of the file as it came; 0: 64 MiB
	MaxRows  int      // records below the header; 0: 500,000
}

func (o Options) table() table.Options {
	return table.Options{Options: delimited.Options{Separators: separators, Fallback: o.Fallback, MaxBytes: o.MaxBytes, MaxRows: o.MaxRows}, Sheet: o.Sheet}
}

// separators are what personnel systems and spreadsheets put between fields.
const separators = ",;\t"

// Read reads a list of people. The error is a [FileError] or that of r, and comes without a report: a file is read
// to its end or not at all. A row that can't be used is no error but a [Refusal], one for each row.
//
// The staff number is the key, within an organisation where the file names those: a row without one is refused, and
// so is the second with the same. Dates are YYYY-MM-DD or DD/MM/YYYY.
//
// len(People) + len(Refused) + len(Ignored) == In, always.
func Read(r io.Reader, o Options) (*Report, error) {
	if o.Today.IsZero() {
		return nil, errors.New("peoplefile: Options.Today is required")
	}
	file, err := table.Open(r, o.table())
	if err != nil {
		return nil, err
	}
	header := file.Header()
	columns, err := columnsOf(header, o.Leavers)
	if err != nil {
		return nil, err
	}
	rep := &Report{Encoding: file.Encoding(), Header: header.Fields, NotUsed: columns.notUsed, HasTo: columns.at[to] >= 0, HasClassified: columns.at[classified] >= 0,
		OrganisationColumn: columns.heading(header, organisation), StaffNumberColumn: columns.heading(header, staffNumber)}
	first := map[[2]string]int{}
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
		c := cells{columns: &columns, header: header.Fields, rec: rec}
		p := c.person(o.Today)
		if o.Leavers && p.To.IsZero() {
			c.refuse(to, "the last day of employment is missing")
		}
		if c.refusal == nil {
			key := [2]string{strings.ToLower(p.Organisation), strings.ToUpper(p.Identity.StaffNumber.Expose())}
			if n, ok := first[key]; ok {
				c.refuse(staffNumber, fmt.Sprintf("the same staff number as in row %d", n))
			} else {
				first[key] = rec.Number
			}
		}
		if c.refusal != nil {
			rep.Refused = append(rep.Refused, c.whose(*c.refusal))
			continue
		}
		if c.text(ni) != "" && !p.Classified {
			rep.NINotTaken++
		}
		rep.People = append(rep.People, p)
	}
}

// WriteRefused writes refused rows for a person to correct and load again: the header and the records exactly as
// they stood, of a spreadsheet as CSV, in UTF-8 with a byte order mark. A nil only means those of rep.Refused; otherwise the records with
// these numbers are written, in the file's order. o is what the file was read with, original the file.
func WriteRefused(w io.Writer, original []byte, o Options, rep *Report, only []int) error {
	if only == nil {
		for _, r := range rep.Refused {
			only = append(only, r.Number)
		}
	}
	return table.Excerpt(w, original, o.table(), rep.Header, rep.In, only)
}

// cells are the fields of a record. The first that can't be used is kept as the refusal; what is read after it has no meaning.
type cells struct {
	*columns
	header  []string
	rec     delimited.Record
	refusal *Refusal
}

// text returns a field without white space around it, and nothing where the file does not have it.
func (c *cells) text(f field) string {
	if c.at[f] < 0 || c.at[f] >= len(c.rec.Fields) {
		return ""
	}
	return strings.Clone(strings.TrimSpace(c.rec.Fields[c.at[f]])) // or what is kept would hold on to the whole record
}

func (c *cells) value(f field) person.Value { return person.NewValue(c.text(f)) }

func (c *cells) refuse(f field, reason string) {
	if c.refusal != nil {
		return
	}
	c.refusal = &Refusal{Number: c.rec.Number, Line: c.rec.Line, Reason: reason}
	if f < fields && c.at[f] >= 0 {
		c.refusal.Column = printable(c.header[c.at[f]])
	}
}

// whose adds to a refusal whose row it is.
func (c *cells) whose(r Refusal) Refusal {
	// A text that breaks a rule is nobody's.
	org, _ := person.CheckText("organisation", c.value(organisation))
	r.Organisation = org.Expose()
	r.StaffNumber, _ = person.CheckText("staff number", c.value(staffNumber))
	r.HasNI = c.text(ni) != ""
	return r
}

// columnOf is the field behind the names that package person gives its fields in errors.
var columnOf = map[string]field{
	"surname": surname, "forenames": forenames, "known as": knownAs, "former name": former, "date of birth": birth, "sex": sex, "staff number": staffNumber,
	"registration": registration, "NI number": ni, "email": email, "phone": phone, "address": address1, "language": language,
	"organisation": organisation, "department": department, "job title": jobTitle,
}

// check notes the first of a check's errors.
func (c *cells) check(err error) {
	var e *person.FieldError
	if !errors.As(err, &e) {
		return
	}
	f, known := columnOf[e.Field]
	switch {
	case !known:
		f = fields
	case f == phone && c.text(mobile) != "":
		f = mobile
	case f == address1:
		for f < postcode && c.at[f] < 0 { // which line it is, the check does not say
			f++
		}
	}
	reason := string(e.Problem)
	if e.Expect != "" {
		reason += ": " + e.Expect + " expected"
	}
	c.refuse(f, reason)
}

func (c *cells) person(today day.Day) Person {
	p := Person{Number: c.rec.Number, Line: c.rec.Line}
	if len(c.rec.Fields) < len(c.header) {
		c.refusal = &Refusal{Number: p.Number, Line: p.Line, Reason: fmt.Sprintf("%d columns, where the heading has %d", len(c.rec.Fields), len(c.header))}
		return p
	}
	for f := range fields {
		if delimited.IsError(c.text(f)) {
			c.refuse(f, "a formula of the spreadsheet failed here: put in its place what is meant")
		}
	}
	c.staffNumber()
	p.Organisation = c.plain(organisation, "organisation")
	var err error
	p.Identity, err = person.CheckIdentity(person.Identity{
		Surname:   c.value(surname),
		Forenames: person.NewValue(strings.TrimSpace(c.text(forenames) + " " + c.text(middleNames))),
		KnownAs:   c.value(knownAs), Former: c.former(), Birth: c.value(birth), Sex: c.value(sex), StaffNumber: c.value(staffNumber), Registration: c.value(registration),
	}, today)
	c.check(err)
	number := c.text(mobile)
	if number == "" {
		number = c.text(phone)
	}
	p.Contact, err = person.CheckContact(person.Contact{Email: c.value(email), Phone: person.NewValue(number), Address: c.address(), Language: c.language()})
	c.check(err)
	p.From, p.To = c.date(from), c.date(to)
	if !p.From.IsZero() && !p.To.IsZero() && p.To < p.From {
		c.refuse(to, "a date before the first day of employment")
	}
	if p.Classified = c.yes(classified); p.Classified {
		p.NI, err = person.CheckNI(c.value(ni))
		c.check(err)
	}
	p.Department, p.JobTitle = c.plain(department, "department"), c.plain(jobTitle, "job title")
	return p
}

// staffNumber refuses what a spreadsheet makes of a long number or a failed formula.
func (c *cells) staffNumber() {
	s := c.text(staffNumber)
	odd := strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-/._ ", r)
	})
	switch {
	case s == "":
		c.refuse(staffNumber, "the staff number is missing")
	case odd || !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		c.refuse(staffNumber, "letters, digits and - / . _ expected; a spreadsheet may have spoilt the number")
	case len(s) > 40:
		c.refuse(staffNumber, "at most 40 bytes expected")
	}
}

// plain reads a text that is not a person's.
func (c *cells) plain(f field, name string) string {
	v, err := person.CheckText(name, c.value(f))
	c.check(err)
	return v.Expose()
}

// former reads earlier surnames, separated by semicolons.
func (c *cells) former() []person.Value {
	var names []person.Value
	for name := range strings.SplitSeq(c.text(former), ";") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, person.NewValue(name))
		}
	}
	return names
}

// address reads the lines; a field of several lines is as many. The postcode comes last.
func (c *cells) address() []person.Value {
	var lines []person.Value
	for f := address1; f < postcode; f++ {
		for line := range strings.Lines(c.text(f)) {
			if line = strings.Trim(strings.TrimSpace(line), ","); line != "" {
				lines = append(lines, person.NewValue(line))
			}
		}
	}
	if code := strings.ToUpper(c.text(postcode)); code != "" {
		lines = append(lines, person.NewValue(code))
	}
	return lines
}

// language reads the language of letters in its own or the other's words.
func (c *cells) language() person.Value {
	switch strings.ToLower(c.text(language)) {
	case "", "both", "bilingual", "dwyieithog", "y ddwy":
		return person.Value{}
	case "en", "eng", "english", "saesneg":
		return person.NewValue("en")
	case "cy", "cym", "wel", "welsh", "cymraeg":
		return person.NewValue("cy")
	}
	c.refuse(language, "English, Welsh, both or nothing expected")
	return person.Value{}
}

// date reads YYYY-MM-DD, DD/MM/YYYY or nothing.
func (c *cells) date(f field) day.Day {
	s := c.text(f)
	if len(s) == 10 && s[2] == '/' && s[5] == '/' {
		s = s[6:] + "-" + s[3:5] + "-" + s[:2]
	}
	d, err := day.Parse(s)
	switch {
	case err != nil:
		c.refuse(f, "a date as YYYY-MM-DD or DD/MM/YYYY expected")
	case s != "" && d.IsZero():
		c.refuse(f, "1 January 1970 is what systems write where they have no date: leave it empty")
	}
	return d
}

// yes reads yes or no; nothing is no.
func (c *cells) yes(f field) bool {
	switch strings.ToLower(c.text(f)) {
	case "yes", "y", "true", "1", "classified", "ie", "ydy", "dosbarthedig":
		return true
	case "", "no", "n", "false", "0", "not classified", "na", "nac ydy", "nage":
		return false
	}
	c.refuse(f, "yes or no expected")
	return false
}
