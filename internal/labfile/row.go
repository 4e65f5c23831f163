package labfile

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/person"
)

// belowMinimum is the laboratory's text for a dose below the minimum recording level.
const belowMinimum = "M"

// cells are the fields of a record, checked one after the other. The first that can't be used is kept as the
// refusal; what is read after it has no meaning.
type cells struct {
	*Profile
	delimited.Record
	refusal *Refusal
}

func (c *cells) text(column int) string { return strings.TrimSpace(c.Fields[column]) }

// refuse notes why the column can't be used. It repeats nothing of the file: a dose is somebody's, and in a row whose
// cells are shifted any column may hold a name. Row and column say where to look.
func (c *cells) refuse(column int, format string, args ...any) {
	if c.refusal == nil {
		c.refusal = &Refusal{Number: c.Number, Line: c.Line, Column: c.headings[column], Reason: fmt.Sprintf(format, args...)}
	}
}

// code reads a text of letters, digits, hyphens and slashes.
func (c *cells) code(column, longest int) string {
	s := c.text(column)
	for i := range len(s) {
		b := s[i]
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && b != '-' && b != '/' {
			c.refuse(column, "letters, digits, hyphens and slashes expected")
			return ""
		}
	}
	if s == "" || len(s) > longest {
		c.refuse(column, "1 to %d letters or digits expected", longest)
	}
	return s
}

// date reads a day that may be blank, but not later than latest.
func (c *cells) date(column int, latest day.Day) day.Day {
	d, err := day.Parse(c.text(column))
	if err != nil {
		c.refuse(column, "a date as YYYY-MM-DD expected")
	} else if d > latest {
		c.refuse(column, "a date in the future, after %s", latest)
	}
	return d
}

// number reads a version.
func (c *cells) number(column int) int {
	s, n := c.text(column), 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			n = 1000
			break
		}
		n = min(n*10+int(s[i]-'0'), 1000)
	}
	if s == "" || n > 999 {
		c.refuse(column, "a whole number from 0 to 999 expected")
	}
	return n
}

// dose reads a dose in mSv as dose.MicroSv: a blank, M, or up to four digits and up to three decimals. Nothing is rounded.
func (c *cells) dose(column int) (value dose.MicroSv, blank, below bool) {
	s := c.text(column)
	switch s {
	case "":
		return 0, true, false
	case belowMinimum:
		return 0, false, true
	}
	value, ok := parseDose(s)
	if !ok {
		c.refuse(column, "a dose in mSv (as 0.35; at most four digits before the point and three after it), M or nothing expected")
	}
	return value, false, false
}

// parseDose reads digits, and perhaps a point and digits, as thousandths.
func parseDose(s string) (dose.MicroSv, bool) {
	whole, decimals, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 4 || point && decimals == "" || len(decimals) > 3 {
		return 0, false
	}
	value := dose.MicroSv(0)
	for _, digits := range []string{whole, decimals} {
		for i := range len(digits) {
			if digits[i] < '0' || digits[i] > '9' {
				return 0, false
			}
			value = value*10 + dose.MicroSv(digits[i]-'0')
		}
	}
	for range 3 - len(decimals) {
		value *= 10
	}
	return value, true
}

// read reads one record that is not blank.
func (p *Profile) read(rec delimited.Record, today day.Day) (Row, *Refusal) {
	if len(rec.Fields) < len(p.headings) {
		return Row{}, &Refusal{Number: rec.Number, Line: rec.Line, Reason: fmt.Sprintf("%d columns, where %d are expected", len(rec.Fields), len(p.headings))}
	}
	c := cells{Profile: p, Record: rec}
	row := Row{Number: rec.Number, Line: rec.Line}
	row.Account = c.code(accountNumber, 20)
	row.Scanned = c.date(scanDate, today)
	c.date(importDate, today)
	c.name(&row)
	c.date(birthDate, today)
	row.Birth = person.NewValue(strings.Clone(c.text(birthDate))) // not the Day, which has no 1970-01-01
	use, known := p.uses[c.text(useOfBadge)]
	if !known {
		c.refuse(useOfBadge, "%s expected", oneOf(slices.Sorted(maps.Keys(p.uses))))
	}
	row.Position, row.Control = use.position, use.position == dose.Control
	if !slices.Contains(p.qualities, c.text(radQuality)) {
		c.refuse(radQuality, "%s expected", oneOf(p.qualities))
	}
	c.period(&row, today)
	notes := c.notes(&row)
	c.readings(&row, use, notes)
	for column := quarterDDE; column <= lifeSDE; column++ {
		c.dose(column)
	}
	c.month(inception, today)
	row.Barcode = c.code(serialNumber, 32)
	row.Version = c.number(version)
	if row.Control {
		row.Name, row.Birth = person.Value{}, person.Value{}
	}
	return row, c.refusal
}

// name reads the name. It refuses a control badge that goes by another use, for its dose would be somebody's, and
// somebody's badge that goes as a control, for its dose would be nobody's.
func (c *cells) name(row *Row) {
	name, number, isControl := c.text(participantName), c.text(participantNumber), c.text(useOfBadge) == "CONTROL"
	switch likeControl := strings.HasPrefix(name, "CONTROL") || strings.HasPrefix(number, "00DRS-"); {
	case likeControl && !isControl:
		c.refuse(useOfBadge, "CONTROL expected, as name or number are those of a control badge")
	case isControl && !likeControl && name+number != "":
		c.refuse(useOfBadge, "another use expected, as name and number are not those of a control badge")
	}
	if delimited.IsError(name) {
		c.refuse(participantName, "a name expected, or nothing: a formula failed here")
	}
	if strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsRune(name, unicode.ReplacementChar) || len(name) > 200 {
		c.refuse(participantName, "a name of one line and at most 200 bytes expected, or nothing")
	}
	row.Name = person.NewValue(strings.Clone(name))
}

// period reads the wear period: a day to twelve months, begun by today. Its end may lie ahead for a badge that
// was read early, but not farther than the profile has seen.
func (c *cells) period(row *Row, today day.Day) {
	row.From = c.date(periodBegin, today)
	row.To = c.date(periodEnd, math.MaxInt32)
	switch {
	case row.From.IsZero():
		c.refuse(periodBegin, "a date as YYYY-MM-DD expected")
	case row.To.IsZero():
		c.refuse(periodEnd, "a date as YYYY-MM-DD expected")
	case row.To < row.From:
		c.refuse(periodEnd, "a date not before the period's begin, %s, expected", row.From)
	case int(row.To-today) > c.early:
		c.refuse(periodEnd, "a date in the future, more than %d days after %s", c.early, today)
	case row.To > row.From.AddMonths(12):
		c.refuse(periodEnd, "a period of at most 12 months from %s expected", row.From)
	case row.Scanned.IsZero() && row.To > today:
		c.refuse(periodEnd, "a date in the future, after %s, and no scan date", today)
	case !row.Scanned.IsZero() && int(row.To-row.Scanned) > c.early:
		c.refuse(scanDate, "read %d days before the period's end, %s; more than %d days are taken for a wrong date", row.To-row.Scanned, row.To, c.early)
	}
}

// month reads YYYY/MM or nothing, not in the future; a day of the month is what a spreadsheet makes of it.
func (c *cells) month(column int, today day.Day) {
	s := c.text(column)
	if s == "" {
		return
	}
	d, err := day.Parse(s)
	if len(s) == 7 && s[4] == '/' {
		d, err = day.Parse(s[:4] + "-" + s[5:] + "-01")
	}
	if err != nil {
		c.refuse(column, "a month as YYYY/MM expected")
	} else if d > today {
		c.refuse(column, "a month in the future, after %s", today)
	}
}

// notes reads the notes, one on each line, and returns what they say about the dose.
func (c *cells) notes(row *Row) dose.Qualifier {
	said := dose.NoQualifier
	for line := range strings.Lines(c.Fields[noteCode]) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			continue
		}
		note, qualifier, known := c.note(line)
		if !known {
			// Not repeated: a laboratory's remark may name somebody.
			c.refuse(noteCode, "note %d is none that profile %s knows: %q expected", len(row.Notes)+1, c.Profile.name, slices.Sorted(maps.Keys(c.Profile.notes)))
			return said
		}
		if qualifier != dose.NoQualifier && said != dose.NoQualifier && qualifier != said {
			c.refuse(noteCode, "notes that contradict each other: the badge is %s and %s", said, qualifier)
		}
		if qualifier != dose.NoQualifier {
			said = qualifier
		}
		if !slices.Contains(row.Notes, note) {
			row.Notes = append(row.Notes, note)
		}
	}
	return said
}

// note returns the profile's own text of a note, which does not hold on to the record's.
func (p *Profile) note(text string) (string, dose.Qualifier, bool) {
	for known, qualifier := range p.notes {
		if known == text {
			return known, qualifier, true
		}
	}
	return "", 0, false
}

// readings reads what the position measures, and nothing else. said is what the notes say about the dose.
func (c *cells) readings(row *Row, use use, said dose.Qualifier) {
	if c.refusal != nil {
		return
	}
	read := make([]dose.Reading, 0, len(use.reads))
	for column := currentDDE; column <= currentNeutron; column++ {
		value, blank, below := c.dose(column)
		i := slices.IndexFunc(use.reads, func(s source) bool { return s.column == column })
		switch {
		case c.refusal != nil:
			return
		case i < 0:
			if row.Control && !blank {
				c.refuse(column, "a control badge has no dose of its own: nothing expected")
			} else if !blank && !below && !slices.Contains(use.unread, column) {
				c.refuse(column, "a badge with the use %s does not measure this: M or nothing expected", c.text(useOfBadge))
			}
		case said != dose.NoQualifier && !blank:
			c.refuse(column, "a note says that the badge was %s: nothing expected", said)
		case said != dose.NoQualifier:
			if use.reads[i].quantity != dose.NeutronHp10 { // not every badge measures it
				read = append(read, dose.Reading{Quantity: use.reads[i].quantity, Qualifier: said})
			}
		case blank && use.reads[i].required:
			c.refuse(column, "no dose, and no note that says why: a dose in mSv, M, or a note expected")
		case below:
			read = append(read, dose.Reading{Quantity: use.reads[i].quantity, Qualifier: dose.BelowLevel})
		case !blank:
			read = append(read, dose.Reading{Quantity: use.reads[i].quantity, Dose: value, Qualifier: dose.Measured})
		}
	}
	if row.Scanned.IsZero() && !row.Control && said == dose.NoQualifier {
		c.refuse(scanDate, "a date as YYYY-MM-DD expected, as the badge was read")
	}
	if len(read) > 0 {
		row.Readings = read
	}
}

// oneOf lists what is expected, a blank as "nothing".
func oneOf(texts []string) string {
	var list []string
	blank := false
	for _, t := range texts {
		if t == "" {
			blank = true
		} else {
			list = append(list, t)
		}
	}
	if blank {
		list = append(list, "nothing")
	}
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
