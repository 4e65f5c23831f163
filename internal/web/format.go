package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that Europe/London is known on every machine

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

var london = mustLocation("Europe/London")

func mustLocation(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic("web: no time zone " + name) // unreachable: the zones are part of the program
	}
	return l
}

// moment writes an instant by the clock of London, as in "12 March 2026, 10:04".
func moment(t time.Time) string { return t.In(london).Format("2 January 2006, 15:04") }

// date writes a day as in "12 March 2026"; no day gives nothing.
func date(d day.Day) string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format("2 January 2006")
}

// dateOf writes a day given as YYYY-MM-DD as in "12 March 2026"; what is no day stays as it is.
func dateOf(s string) string {
	d, err := day.Parse(s)
	if err != nil {
		return s
	}
	return date(d)
}

// period writes first and last day, saying month and year once where they are the same:
// "1 to 31 January 2026", "1 January to 31 March 2026", "1 December 2025 to 31 January 2026".
func period(from, to day.Day) string {
	f, t := from.Time(), to.Time()
	switch {
	case from.IsZero() && to.IsZero():
		return "no period"
	case from.IsZero():
		return "until " + date(to)
	case to.IsZero():
		return "since " + date(from)
	case from == to:
		return date(to)
	case f.Year() == t.Year() && f.Month() == t.Month():
		return f.Format("2") + " to " + date(to)
	case f.Year() == t.Year():
		return f.Format("2 January") + " to " + date(to)
	}
	return date(from) + " to " + date(to)
}

// millisievert writes a dose without its unit: two places, three where the third is not zero.
func millisievert(d dose.MicroSv) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	s := fmt.Sprintf("%s%s.%03d", sign, number(int(d/1000)), d%1000)
	return strings.TrimSuffix(s, "0")
}

// mSv writes a dose with its unit, as in "0.35 mSv".
func mSv(d dose.MicroSv) string { return millisievert(d) + "\u00a0mSv" }

// limitMSv writes a limit with its unit, without places where there are none: "20 mSv".
func limitMSv(d dose.MicroSv) string {
	return strings.TrimSuffix(millisievert(d), ".00") + "\u00a0mSv"
}

// number writes a whole number with commas between the thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes a number with its noun: "1 wearer", "2,310 wearers".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// people writes a number of human beings: "nobody", "one person", "25 people".
func people(n int) string {
	switch n {
	case 0:
		return "nobody"
	case 1:
		return "one person"
	}
	return number(n) + " people"
}

// list joins words: "a", "a and b", "a, b and c".
func list(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// capital makes the first letter a capital one.
func capital(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

var kindWords = map[vaultclient.Kind]string{
	vaultclient.HealthBoard: "Health board", vaultclient.NHSTrust: "NHS trust", vaultclient.PrivateHospital: "Private hospital",
	vaultclient.DentalPractice: "Dental practice", vaultclient.VetPractice: "Veterinary practice", vaultclient.Airport: "Airport",
	vaultclient.OtherKind: "Other",
}

// kindWord says what kind of organisation it is.
func kindWord(k vaultclient.Kind) string {
	if w := kindWords[k]; w != "" {
		return w
	}
	return string(k)
}

// roleWord says a role in words: a role's own name with its hyphens as spaces, but for co-ordinator.
func roleWord(r policy.Role) string {
	switch r {
	case policy.Coordinator:
		return "co-ordinator"
	case policy.Local:
		return "local badge co-ordinator"
	case policy.Supervisor:
		return "radiation protection supervisor"
	}
	return strings.ReplaceAll(string(r), "-", " ")
}

// orDash shows that there is nothing where there is nothing.
func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// statement writes words as a sentence: with a capital and a full stop.
func statement(s string) string {
	if s = capital(s); s != "" && !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}
