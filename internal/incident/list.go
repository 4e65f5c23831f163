package incident

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
)

// A list of the people whose data somebody lost, as they send it: CSV or a spreadsheet with headings of any kind, years of badges thrown
// together. Nothing in it is refused, since each row may be somebody: what can't be read of it is said beside it.

// Listed is one row of a list.
type Listed struct {
	Number int // of the record in the file, the header being 1
	Line   int // of the file
	// What says who it is; empty where the row does not say it, or nobody could read it.
	Name  person.Value // "SURNAME, Forenames", or as it stands in one column
	Birth person.Value // YYYY-MM-DD
	NI    person.Value
	Where []string // organisation, account: what the row calls the employer
	// Holds is what the row says of the person, so what its sender held; Years are calendar years of dose.
	Holds policy.Fields
	Years []uint16

	Unreadable []string // fields that say something that can't be read
	Fields     []string // as they stand in the file
	nobody     *rule    // by which the row is, or may be, a dummy
}

// List is a list as it was read.
type List struct {
	Header []string
	Used   []string // headings of the columns that were read
	Rows   []Listed // all records below the header
}

// ListOptions say how to read a list.
type ListOptions struct {
	Today    day.Day            // required: for the plausibility of a date of birth
	Fallback delimited.Fallback // Windows-1252 if nothing else is said
	Sheet    string             // of a spreadsheet
}

type column int

const (
	colName column = iota
	colSurname
	colForenames
	colBirth
	colNI
	colOrganisation
	colAccount
	colSex
	colStaff
	colContact
	colJob
	colDose
	colYears
	colFirst
	colLast
	columns
)

// listHeadings are the headings that are known, folded to letters and digits.
var listHeadings = func() map[string]column {
	m := map[string]column{}
	for c, names := range [columns]string{
		colName:         "name, full name, wearer, wearer name, name of wearer, participant, participant name, person, employee, employee name, enw, enw llawn, enw'r gwisgwr",
		colSurname:      "surname, last name, family name, wearer surname, cyfenw",
		colForenames:    "forename, forenames, first name, first names, given name, given names, initials, wearer forename, enw cyntaf, enwau cyntaf",
		colBirth:        "date of birth, dob, birth date, birthdate, d.o.b., dyddiad geni",
		colNI:           "ni number, ni no, nino, ni, national insurance number, national insurance no, national insurance, nat ins no, rhif yswiriant gwladol",
		colOrganisation: "organisation, organization, employer, hospital, trust, health board, customer, customer name, client, company, site, sefydliad, cyflogwr",
		colAccount:      "account, account number, account no, customer number, customer no, client number, cyfrif",
		colSex:          "sex, gender, rhyw",
		colStaff:        "staff number, staff no, employee number, employee no, payroll number, payroll no, rhif staff",
		colContact:      "address, address line 1, email, e-mail, email address, phone, telephone, postcode, cyfeiriad, e-bost, ffôn",
		colJob:          "department, role, job title, occupation, adran, swydd",
		colDose:         "dose, total dose, cumulative dose, dose (msv), whole body dose, hp10, hp(10), hp007, hp(0.07), hp3, hp(3), deep dose, shallow dose, dos",
		colYears:        "years, year, years held, blwyddyn, blynyddoedd",
		colFirst:        "first year, from year, first badge, first period, from, o",
		colLast:         "last year, to year, last badge, last period, to, hyd",
	} {
		for name := range strings.SplitSeq(names, ",") {
			m[foldHeading(name)] = column(c)
		}
	}
	return m
}()

// foldHeading reduces a heading to its letters and digits, without accents.
func foldHeading(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// ReadList reads a list whole. The error names line and reason, and never holds a text of the file.
func ReadList(r io.Reader, o ListOptions) (*List, error) {
	file, err := table.Open(r, table.Options{Options: delimited.Options{Separators: ",;\t", Fallback: o.Fallback}, Sheet: o.Sheet})
	if err != nil {
		return nil, err
	}
	header := file.Header()
	l := &List{Header: slices.Clone(header.Fields)}
	at := make([]column, len(l.Header))
	named := false
	for i, h := range l.Header {
		c, known := listHeadings[foldHeading(h)]
		if !known {
			at[i] = columns
			continue
		}
		at[i] = c
		l.Used = append(l.Used, strings.TrimSpace(h))
		named = named || c == colName || c == colSurname
	}
	if !named {
		return nil, &delimited.Error{Line: header.Line, Reason: `no column with names: a heading such as "name" or "surname" is expected in the first line`}
	}
	for {
		rec, err := file.Next()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return nil, err
		}
		row := Listed{Number: rec.Number, Line: rec.Line}
		for _, f := range rec.Fields {
			row.Fields = append(row.Fields, strings.Clone(f))
		}
		row.read(at, o.Today)
		l.Rows = append(l.Rows, row)
	}
}

// fieldOf are the fields that a column holds.
var fieldOf = [columns]policy.Fields{colName: policy.FieldName, colSurname: policy.FieldName, colForenames: policy.FieldName, colBirth: policy.FieldBirth, colNI: policy.FieldNI,
	colSex: policy.FieldSex, colStaff: policy.FieldStaffNumber, colContact: policy.FieldContact, colJob: policy.FieldEmployment, colDose: policy.FieldDose}

// read takes the fields of a row as they are meant.
func (r *Listed) read(at []column, today day.Day) {
	var text [columns]string
	for i, f := range r.Fields {
		if f = strings.TrimSpace(f); f == "" || i >= len(at) || at[i] == columns || delimited.IsError(f) {
			continue
		}
		r.Holds |= fieldOf[at[i]]
		if text[at[i]] == "" {
			text[at[i]] = f
		}
	}
	name := text[colName]
	if text[colSurname] != "" {
		name = text[colSurname]
		if text[colForenames] != "" {
			name += ", " + text[colForenames]
		}
	}
	v, err := person.CheckText("name", person.NewValue(name))
	r.unreadable("name", err)
	r.Name = r.unless(nobodyName(v), v)
	if b := person.NewValue(isoDay(text[colBirth])); !b.IsZero() && r.unless(nobodyText("birth", b), b) == b {
		r.Birth, err = person.CheckBirth(b, today)
		r.unreadable("date of birth", err)
	}
	if n := person.NewValue(text[colNI]); !n.IsZero() && r.unless(nobodyText("ni", n), n) == n {
		r.NI, err = person.CheckNI(n)
		r.unreadable("NI number", err)
	}
	for _, c := range []column{colOrganisation, colAccount} {
		if v, err := person.CheckText("organisation", person.NewValue(text[c])); err == nil && !v.IsZero() {
			r.Where = append(r.Where, v.Expose())
		}
	}
	r.Years = yearsOf(text[colYears], text[colFirst], text[colLast], today)
}

func (r *Listed) unreadable(field string, err error) {
	if err != nil {
		r.Unreadable = append(r.Unreadable, field)
	}
}

// unless returns a value that no rule takes away, and notes a rule by which the row may be a dummy: a certain one rather than another.
func (r *Listed) unless(found *rule, v person.Value) person.Value {
	if found == nil {
		return v
	}
	if found.means != "nothing" && (r.nobody == nil || found.means == "dummy") {
		r.nobody = found
	}
	return person.Value{}
}

// layouts are how days are written on lists. Two digits of a year are of one in which somebody at work can have been born.
var layouts = []string{"02/01/2006", "2/1/2006", "02-01-2006", "02.01.2006", "2 Jan 2006", "02 Jan 2006", "2-Jan-2006", "02-Jan-2006", "2 January 2006", "20060102", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "02/01/2006 15:04:05", "02/01/2006 15:04"}

var shortLayouts = []string{"02/01/06", "2/1/06", "02-01-06", "02.01.06", "2-Jan-06", "02-Jan-06", "2 Jan 06"}

// isoDay writes a day as YYYY-MM-DD, where one of the usual forms says it; else the text stays.
func isoDay(s string) string {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	for _, layout := range shortLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			if t.Year() >= 2010 { // Go reads 00 to 68 as 2000 to 2068
				t = t.AddDate(-100, 0, 0)
			}
			return t.Format(time.DateOnly)
		}
	}
	return s
}

// yearsOf reads years such as "2011 2012", "2011-2016", or a first and a last one in columns of their own.
func yearsOf(list, first, last string, today day.Day) (out []uint16) {
	span := func(from, to int) {
		for y := from; y <= to && len(out) < 100; y++ {
			if y >= 1950 && y <= today.Year() && !slices.Contains(out, uint16(y)) {
				out = append(out, uint16(y))
			}
		}
	}
	for part := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		from, to, found := strings.Cut(strings.ReplaceAll(part, "–", "-"), "-")
		if !found {
			to = from
		}
		span(yearIn(from), yearIn(to))
	}
	if a, b := yearIn(first), yearIn(last); a > 0 || b > 0 {
		if a == 0 {
			a = b
		}
		span(a, max(a, b))
	}
	slices.Sort(out)
	return out
}

// yearIn is the year of a text that is one, or a day; 0 for none.
func yearIn(s string) int {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.DateOnly, isoDay(s)); err == nil {
		return t.Year()
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 1950 && n < 2200 {
		return n
	}
	return 0
}

// why says what of a row can't be read, as the end of a sentence.
func (r *Listed) why() string {
	if len(r.Unreadable) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s can't be read", strings.Join(r.Unreadable, " and "))
}
