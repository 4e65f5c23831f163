package peoplefile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/dosevault/dosevault/internal/labfile/delimited"
)

// field is what a column holds.
type field int

const (
	organisation field = iota
	surname
	forenames
	middleNames
	knownAs
	former
	birth
	sex
	staffNumber
	registration
	ni
	email
	mobile
	phone
	address1
	address2
	address3
	address4
	address5
	town
	county
	postcode
	language
	department
	jobTitle
	from
	to
	classified
	fields // how many there are
)

// headings are the texts that name a field, English before Welsh, and the surer before the vaguer: of several
// columns for one field the one with the earlier heading is read. Capitals, accents, spaces and punctuation do not matter.
var headings = [fields][]string{
	organisation: {"organisation", "organisation name", "organization", "employer", "employer name", "trust", "health board", "sefydliad", "enw'r sefydliad", "cyflogwr", "bwrdd iechyd"},
	surname:      {"surname", "last name", "family name", "cyfenw", "enw olaf", "enw teuluol"},
	forenames:    {"forenames", "forename", "forename(s)", "first name", "first names", "first name(s)", "given name", "given names", "enw cyntaf", "enwau cyntaf", "enw bedydd", "enwau"},
	middleNames:  {"middle names", "middle name", "middle name(s)", "second forename", "enw canol", "enwau canol"},
	knownAs:      {"known as", "preferred name", "preferred first name", "known as name", "enw arferol", "adnabyddir fel", "enw adnabyddus"},
	former:       {"former surname", "previous surname", "former name", "previous name", "previous last name", "maiden name", "cyfenw blaenorol", "enw blaenorol"},
	birth:        {"date of birth", "dob", "birth date", "birthdate", "dyddiad geni"},
	sex:          {"sex", "gender", "rhyw", "rhywedd"},
	staffNumber: {"staff number", "staff no", "staff id", "employee number", "employee no", "employee id", "payroll number", "payroll no", "personnel number", "assignment number", "assignment no",
		"rhif staff", "rhif gweithiwr", "rhif cyflogai", "rhif y gyflogres", "rhif aseiniad"},
	registration: {"registration", "registration number", "professional registration", "professional registration number", "rhif cofrestru", "cofrestriad proffesiynol"},
	ni:           {"ni number", "ni no", "nino", "national insurance number", "national insurance no", "national insurance", "nat ins no", "rhif yswiriant gwladol", "rhif yg"},
	email:        {"email", "email address", "e-mail", "e-mail address", "work email", "work email address", "personal email", "e-bost", "cyfeiriad e-bost"},
	mobile:       {"mobile", "mobile phone", "mobile number", "mobile no", "mobile telephone", "ffôn symudol", "rhif ffôn symudol"},
	phone:        {"phone", "phone number", "telephone", "telephone number", "tel", "tel no", "work phone", "home phone", "ffôn", "rhif ffôn"},
	address1:     {"address 1", "address line 1", "address", "home address", "home address 1", "home address line 1", "street", "cyfeiriad 1", "cyfeiriad llinell 1", "llinell cyfeiriad 1", "cyfeiriad"},
	address2:     {"address 2", "address line 2", "home address 2", "home address line 2", "cyfeiriad 2", "cyfeiriad llinell 2", "llinell cyfeiriad 2"},
	address3:     {"address 3", "address line 3", "home address 3", "home address line 3", "cyfeiriad 3", "cyfeiriad llinell 3", "llinell cyfeiriad 3"},
	address4:     {"address 4", "address line 4", "home address 4", "home address line 4", "cyfeiriad 4", "cyfeiriad llinell 4", "llinell cyfeiriad 4"},
	address5:     {"address 5", "address line 5", "home address 5", "home address line 5", "cyfeiriad 5", "cyfeiriad llinell 5", "llinell cyfeiriad 5"},
	town:         {"town", "city", "town/city", "town or city", "post town", "tref", "dinas", "tref/dinas"},
	county:       {"county", "sir"},
	postcode:     {"postcode", "post code", "postal code", "home postcode", "cod post", "côd post"},
	language:     {"language", "preferred language", "language preference", "iaith", "dewis iaith"},
	department:   {"department", "department name", "dept", "adran", "enw'r adran"},
	jobTitle:     {"job title", "role", "job role", "job", "position title", "post title", "swydd", "teitl swydd", "teitl y swydd", "rôl"},
	from:         {"start date", "date started", "from", "employed from", "employment start date", "hire date", "latest start date", "date joined", "dyddiad dechrau"},
	to:           {"end date", "leaving date", "leave date", "date left", "leaver", "leaver date", "termination date", "employment end date", "employed to", "last day", "last day of employment", "last working day", "to", "diwrnod olaf", "dyddiad gorffen", "dyddiad gadael"},
	classified:   {"classified", "classified worker", "classified person", "classified yes/no", "classified (yes/no)", "classified y/n", "dosbarthedig", "gweithiwr dosbarthedig", "person dosbarthedig"},
}

// byHeading gives field and rank of a folded heading.
var byHeading = func() map[string][2]int {
	m := map[string][2]int{}
	for f, names := range headings {
		for rank, name := range names {
			if at, ok := m[fold(name)]; ok && at[0] != f {
				panic("peoplefile: the heading " + name + " names two fields") // caught by any test
			} else if !ok {
				m[fold(name)] = [2]int{f, rank}
			}
		}
	}
	return m
}()

// fold reduces a heading to its letters and digits, without accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// columns says where each field stands, -1 for nowhere, and lists the headings that name none that is used.
type columns struct {
	at      [fields]int
	notUsed []string
}

// heading is what a header calls a field, or nothing.
func (c *columns) heading(header delimited.Record, f field) string {
	if c.at[f] < 0 {
		return ""
	}
	return printable(header.Fields[c.at[f]])
}

// leaverFields are read of a list of leavers.
var leaverFields = map[field]bool{organisation: true, staffNumber: true, to: true}

func columnsOf(header delimited.Record, leavers bool) (columns, error) {
	var c columns
	var ranks [fields]int
	for f := range c.at {
		c.at[f] = -1
	}
	used := make([]bool, len(header.Fields))
	for i, h := range header.Fields {
		at, known := byHeading[fold(h)]
		f, rank := field(at[0]), at[1]
		if !known || leavers && !leaverFields[f] {
			continue
		}
		if old := c.at[f]; old >= 0 {
			if rank == ranks[f] {
				return c, &FileError{Line: header.Line, Column: i + 1, Reason: fmt.Sprintf("the heading %q stands in column %d too: leave one of them out, or name it otherwise", headings[f][rank], old+1)}
			}
			if rank > ranks[f] {
				continue
			}
			used[old] = false
		}
		c.at[f], ranks[f], used[i] = i, rank, true
	}
	if c.at[staffNumber] < 0 {
		// The headings that there are can't be repeated: where the header is missing, they are somebody's data.
		return c, &FileError{Line: header.Line, Reason: fmt.Sprintf("no column with the staff number: a heading such as %q, %q or %q is expected in the first line",
			"staff number", "employee number", "rhif staff")}
	}
	if leavers && c.at[to] < 0 {
		return c, &FileError{Line: header.Line, Reason: fmt.Sprintf("no column with the last day of employment: a heading such as %q, %q or %q is expected in the first line",
			"last day", "leaving date", "dyddiad gadael")}
	}
	for i, h := range header.Fields {
		if h = printable(h); used[i] {
			continue
		} else if h == "" {
			h = fmt.Sprintf("(column %d)", i+1)
		}
		c.notUsed = append(c.notUsed, h)
	}
	return c, nil
}

// printable returns the first 60 printable characters of a heading.
func printable(s string) string {
	runes := slices.DeleteFunc([]rune(strings.TrimSpace(s)), func(r rune) bool { return !unicode.IsPrint(r) })
	return string(runes[:min(len(runes), 60)])
}
