package dose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
)

// expectation is one line of what a case expects.
type expectation struct {
	line   int
	kind   string
	fields []string
}

type doseCase struct {
	name, source string
	line         int
	subject      Subject
	levels       []Level
	upTo         day.Day
	records      []Record
	want         []expectation
}

func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := readCases(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			t.Run(filepath.Base(file)+":"+strconv.Itoa(c.line), func(t *testing.T) {
				got := Evaluate(c.subject, c.levels, c.records, c.upTo)
				for _, problem := range c.compare(got) {
					t.Errorf("%s (%s): %s", c.name, c.source, problem)
				}
			})
		}
	}
}

func readCases(text string) ([]doseCase, error) {
	var cases []doseCase
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, ":")
		rest = strings.TrimSpace(rest)
		if word == "case" {
			cases = append(cases, doseCase{name: rest, line: i + 1})
			continue
		}
		if len(cases) == 0 {
			return nil, fmt.Errorf("line %d: no case yet", i+1)
		}
		if err := cases[len(cases)-1].read(i+1, word, rest); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	for _, c := range cases {
		if c.source == "" || len(c.records) == 0 {
			return nil, fmt.Errorf("line %d: a case needs a source and a badge", c.line)
		}
	}
	return cases, nil
}

func (c *doseCase) read(n int, word, rest string) (err error) {
	fields := strings.Split(rest, "|")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	r := &reader{}
	switch word {
	case "source":
		c.source = rest
	case "subject":
		c.subject.Group = Group(r.word(groupNames[:], fields[0]))
		for _, f := range fields[1:] {
			if d, ok := strings.CutPrefix(f, "declared "); ok {
				c.subject.Declared = r.day(d)
			} else if d, ok := strings.CutPrefix(f, "end "); ok {
				c.subject.PregnancyEnd = r.day(d)
			} else if f == "reproductive" {
				c.subject.Reproductive = true
			} else if f == "five years" {
				c.subject.FiveYears = true
			} else {
				return fmt.Errorf("subject: %q is not known", f)
			}
		}
	case "level":
		l := Level{Kind: Kind(r.word(kindNames[:], fields[0])), Dose: r.dose(fields[1]), Name: fields[2]}
		for _, f := range fields[3:] {
			if d, ok := strings.CutPrefix(f, "from "); ok {
				l.From = r.day(d)
			} else if d, ok := strings.CutPrefix(f, "to "); ok {
				l.To = r.day(d)
			} else {
				return fmt.Errorf("level: %q is not known", f)
			}
		}
		c.levels = append(c.levels, l)
	case "up to":
		c.upTo = r.day(rest)
	case "badge":
		return c.badge(fields)
	case "total", "three months", "five years", "finding", "unplaced":
		c.want = append(c.want, expectation{n, word, fields})
	default:
		return fmt.Errorf("%q is not known", word)
	}
	return r.err
}

func (c *doseCase) badge(fields []string) error {
	if len(fields) < 4 {
		return fmt.Errorf("badge: position, first day, last day and a result expected")
	}
	r := &reader{}
	rec := Record{Position: Position(r.word(positionNames[:], fields[0]))}
	for _, f := range fields[3:] {
		if n, ok := strings.CutPrefix(f, "employment "); ok {
			rec.Employment, r.err = strconv.Atoi(n)
			continue
		}
		if n, ok := strings.CutPrefix(f, "combination "); ok {
			rec.Combination = Combination(r.word([]string{"0", "1", "2", "3"}, n))
			continue
		}
		if f == "not counted" {
			rec.NotCounted = true
			continue
		}
		quantity, result, _ := strings.Cut(f, " ")
		rd := Reading{Qualifier: Measured}
		switch quantity {
		case "neutron":
			rd.Quantity = NeutronHp10
		case "all":
		default:
			rd.Quantity = Quantity(r.word(quantityNames[:], quantity))
		}
		if q := slices.Index(qualifierNames[:], result); q > 0 {
			rd.Qualifier = Qualifier(q)
		} else {
			number, how, qualified := strings.Cut(result, " ")
			rd.Dose = r.dose(number)
			if qualified {
				rd.Qualifier = Qualifier(r.word(qualifierNames[:], how))
			}
		}
		rec.Readings = append(rec.Readings, rd)
	}
	if monthly, ok := strings.CutPrefix(fields[1], "monthly "); ok {
		month, count, _ := strings.Cut(monthly, " ")
		first := r.day(month + "-01")
		n, err := strconv.Atoi(count)
		if err != nil {
			return err
		}
		for i := range n {
			rec.From, rec.To = first.AddMonths(i), first.AddMonths(i+1)-1
			c.records = append(c.records, rec)
		}
		return r.err
	}
	rec.From, rec.To = r.day(fields[1]), r.day(fields[2])
	c.records = append(c.records, rec)
	return r.err
}

// compare returns what differs from the expectations.
func (c *doseCase) compare(got Assessment) (problems []string) {
	var findings []expectation
	unplaced := "0"
	for _, w := range c.want {
		var err error
		switch w.kind {
		case "total":
			err = compareTotal(got.Totals, w.fields)
		case "three months":
			err = fmt.Errorf("no three months end on that day")
			for _, s := range got.Rolling3 {
				if s.To.String() == w.fields[0] {
					err = same(w.fields[1:], s.Dose, func(word string) string {
						return map[string]string{"from": s.From.String(), "counted": fmt.Sprint(s.Counted), "missing": fmt.Sprint(s.Missing)}[word]
					})
				}
			}
		case "five years":
			err = fmt.Errorf("no such five years")
			for _, s := range got.FiveYear {
				if fmt.Sprint(s.To.Year()) == w.fields[0] && s.Kind.String() == w.fields[1] && s.From == day.Of(s.To.Year()-4, time.January, 1) {
					err = same(w.fields[2:], s.Dose, func(string) string { return "" })
				}
			}
		case "finding":
			findings = append(findings, w)
		case "unplaced":
			unplaced = w.fields[0]
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("line %d: %v", w.line, err))
		}
	}
	if n := fmt.Sprint(got.Unplaced); n != unplaced {
		problems = append(problems, "unplaced is "+n)
	}
	var unexpected []string
	for _, f := range got.Findings {
		text := findingText(f)
		i := slices.IndexFunc(findings, func(w expectation) bool {
			last := len(w.fields) - 1
			head, source, _ := strings.Cut(text, " | from ")
			return strings.Join(w.fields[:last], " | ") == head && strings.Contains(source, w.fields[last])
		})
		if i < 0 {
			unexpected = append(unexpected, text)
			continue
		}
		findings = slices.Delete(findings, i, i+1)
	}
	for _, w := range findings {
		problems = append(problems, fmt.Sprintf("line %d: finding not made", w.line))
	}
	for _, u := range unexpected {
		problems = append(problems, "finding not expected: "+u)
	}
	return problems
}

func findingText(f Finding) string {
	word, source := "level", ""
	if f.Overexposure {
		word, source = "limit", f.Limit.Regulation+" "+f.Limit.Paragraph
	} else {
		source = f.Level.Name
	}
	return fmt.Sprintf("%d | %v | %s %s | sum %s | on %v | from %s", f.Year, f.Kind, word, f.Bound.MilliSv(), f.Dose.MilliSv(), f.On, source)
}

func compareTotal(totals []Total, fields []string) error {
	i := slices.IndexFunc(totals, func(t Total) bool { return fmt.Sprint(t.Year) == fields[0] && t.Kind.String() == fields[1] })
	if fields[2] == "none" {
		if i >= 0 {
			return fmt.Errorf("there is a total: %+v", totals[i])
		}
		return nil
	}
	if i < 0 {
		return fmt.Errorf("no such total")
	}
	t := totals[i]
	return same(fields[2:], t.Dose, func(word string) string {
		return map[string]string{
			"counted": fmt.Sprint(t.Counted), "missing": fmt.Sprint(t.Missing), "straddles": fmt.Sprint(t.Straddles),
			"neutron": t.Neutron.MilliSv(), "under": t.Under.MilliSv(), "over": t.Over.MilliSv(),
		}[word]
	})
}

// same compares a dose, then "word value" fields.
func same(fields []string, dose MicroSv, of func(word string) string) error {
	if got := dose.MilliSv(); got != fields[0] {
		return fmt.Errorf("dose is %s", got)
	}
	for _, f := range fields[1:] {
		word, value, _ := strings.Cut(f, " ")
		if got := of(word); got != value {
			return fmt.Errorf("%s is %q", word, got)
		}
	}
	return nil
}
