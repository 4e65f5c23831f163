package dose

import (
	_ "embed" // the limits and levels
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dosevault/dosevault/internal/day"
)

// Group is the kind of worker that a limit is for.
type Group uint8

// The groups. Their numbers are stored: they never change.
const (
	NoGroup Group = iota // in a Limit: everybody; in a Subject: not known, held to the limits of Other
	Adult                // employee or trainee of 18 or over
	Trainee              // trainee under 18
	Other                // any other person; also somebody under 18 who is no trainee
)

var groupNames = [...]string{"any", "adult", "trainee", "other"}

func (g Group) String() string { return name(groupNames[:], "group", uint8(g)) }

// Kind is what a total is of. The numbers are stored: they never change.
type Kind uint8

// The kinds.
const (
	NoKind    Kind = iota
	Effective      // whole body
	Lens           // lens of the eye
	Skin           // any 1 cm²
	Extremity      // the higher hand
	Abdomen        // woman of reproductive capacity, three consecutive months
	Foetus         // from the declaration to the end of the pregnancy
)

var kindNames = [...]string{"", "effective", "lens", "skin", "extremity", "abdomen", "foetus"}

func (k Kind) String() string { return name(kindNames[:], "kind", uint8(k)) }

// Window is the time over which a dose is summed.
type Window uint8

// The windows. Their numbers are stored: they never change.
const (
	NoWindow     Window = iota
	CalendarYear        // 1 January to 31 December
	ThreeMonths         // any three consecutive months
	Pregnancy           // from the declaration to the end of the pregnancy, both days included
	FiveYears           // any five consecutive calendar years
)

var windowNames = [...]string{"", "calendar year", "three months", "pregnancy", "five years"}

func (w Window) String() string { return name(windowNames[:], "window", uint8(w)) }

// Regime says whether a limit applies to workers under the five-year limit, to the others, or to both.
type Regime uint8

// The regimes.
const (
	AnyRegime       Regime = iota
	OrdinaryRegime         // not for those whose employer applies IRR17 reg 12(2)
	FiveYearsRegime        // only for those: Subject.FiveYears
)

var regimeNames = [...]string{"any", "ordinary", "five years"}

func (r Regime) String() string { return name(regimeNames[:], "regime", uint8(r)) }

func name(names []string, what string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%s(%d)", what, n)
}

// Limit is a legal dose limit, in force From to To (zero: still), both days included.
type Limit struct {
	Regulation, Paragraph string
	From, To              day.Day
	Group                 Group
	Kind                  Kind
	Window                Window
	Regime                Regime
	Dose                  MicroSv
	Note                  string
	Verify                bool // from general knowledge: read the source before a legal decision
}

// Level is an investigation level, in force From to To (zero: since ever, for ever), both days included. The caller
// picks those of the person's organisation, department and badge position. It is for the kind's own window:
// calendar year, for Abdomen three months (if the subject is Reproductive), for Foetus the pregnancy.
type Level struct {
	Kind     Kind
	Dose     MicroSv
	From, To day.Day
	Name     string // shown: whose level, or the regulation
}

//go:embed limits.csv
var limitsCSV string

//go:embed levels.csv
var levelsCSV string

var (
	allLimits = sync.OnceValue(func() []Limit { return must(readLimits(limitsCSV)) })
	allLevels = sync.OnceValue(func() []Level { return must(readLevels(levelsCSV)) })
)

// must is for the embedded files, which a test reads: an error there is a defect of the program.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Limits returns all limits, past and present. The slice is the caller's own.
func Limits() []Limit { return slices.Clone(allLimits()) }

// StatutoryLevels returns the investigation levels that the law itself sets (IRR17 reg 9(8)), past and present. Evaluate
// adds them to the employer's. The slice is the caller's own.
func StatutoryLevels() []Level { return slices.Clone(allLevels()) }

// Limit returns the limit in force for adults on a kind of dose, over the window of the kind's levels: a level lies below it.
// 0: there is none.
func (k Kind) Limit() MicroSv {
	for _, l := range allLimits() {
		if l.Kind == k && l.Window == k.LevelWindow() && l.To.IsZero() && (l.Group == Adult || l.Group == NoGroup) && l.Regime != FiveYearsRegime {
			return l.Dose
		}
	}
	return 0
}

// rows reads an embedded table and hands each row to f as column → field.
func rows(table, columns, text string, f func(get func(column string) string) error) error {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return fmt.Errorf("dose: reading %s: %w", table, err)
	}
	if len(lines) == 0 || strings.Join(lines[0], ",") != columns {
		return fmt.Errorf("dose: %s: the columns must be %s", table, columns)
	}
	for i, line := range lines[1:] {
		get := func(column string) string { return line[slices.Index(lines[0], column)] }
		if err := f(get); err != nil {
			return fmt.Errorf("dose: %s, row %d: %w", table, i+2, err)
		}
	}
	return nil
}

func readLimits(text string) (limits []Limit, err error) {
	err = rows("limits.csv", "regulation,paragraph,from,to,group,kind,window,regime,mSv,verify,note", text, func(get func(string) string) error {
		var r reader
		l := Limit{
			Regulation: get("regulation"), Paragraph: get("paragraph"), Note: get("note"),
			From: r.day(get("from")), To: r.day(get("to")),
			Group:  Group(r.word(groupNames[:], get("group"))),
			Kind:   Kind(r.word(kindNames[:], get("kind"))),
			Window: Window(r.word(windowNames[:], get("window"))),
			Regime: Regime(r.word(regimeNames[:], get("regime"))),
			Dose:   r.dose(get("mSv")),
			Verify: get("verify") == "verify",
		}
		if v := get("verify"); v != "" && v != "verify" {
			r.fail(fmt.Errorf("column verify is %q, not empty or verify", v))
		}
		if l.Regulation == "" || l.Paragraph == "" || l.From.IsZero() || l.Kind == NoKind || l.Window == NoWindow || (!l.To.IsZero() && l.To < l.From) {
			r.fail(fmt.Errorf("regulation, paragraph, from, kind and window are needed, and to not before from"))
		}
		limits = append(limits, l)
		return r.err
	})
	return limits, err
}

func readLevels(text string) (levels []Level, err error) {
	err = rows("levels.csv", "name,from,to,kind,mSv", text, func(get func(string) string) error {
		var r reader
		l := Level{
			Name: get("name"), From: r.day(get("from")), To: r.day(get("to")),
			Kind: Kind(r.word(kindNames[:], get("kind"))), Dose: r.dose(get("mSv")),
		}
		if l.Name == "" || l.From.IsZero() || l.Kind == NoKind || (!l.To.IsZero() && l.To < l.From) {
			r.fail(fmt.Errorf("name, from and kind are needed, and to not before from"))
		}
		levels = append(levels, l)
		return r.err
	})
	return levels, err
}

// reader keeps the first error of a row.
type reader struct{ err error }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) day(s string) day.Day {
	d, err := day.Parse(s)
	if err != nil {
		r.fail(err)
	}
	return d
}

func (r *reader) dose(s string) MicroSv {
	m, err := ParseMilliSv(s)
	if err != nil {
		r.fail(err)
	}
	return m
}

func (r *reader) word(names []string, s string) int {
	i := slices.Index(names, s)
	if i < 0 {
		r.fail(fmt.Errorf("%q is none of %s", s, strings.Join(names, ", ")))
		return 0
	}
	return i
}
