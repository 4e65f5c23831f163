package words

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // so that Europe/London is known on every machine

	"github.com/dosevault/dosevault/internal/day"
)

var london = mustLocation("Europe/London")

func mustLocation(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic("words: no time zone " + name) // unreachable: the zones are part of the program
	}
	return l
}

var welshMonths = [...]string{"Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"}

var welshShort = [...]string{"Ion", "Chw", "Maw", "Ebr", "Mai", "Meh", "Gor", "Aws", "Med", "Hyd", "Tac", "Rha"}

// Month is a month's name.
func Month(ctx context.Context, m time.Month) string {
	if Of(ctx) == Welsh {
		return welshMonths[m-1]
	}
	return m.String()
}

// ShortMonth is the beginning of a month's name, as it stands below a bar: "Mar", "Maw".
func ShortMonth(ctx context.Context, m time.Month) string {
	if Of(ctx) == Welsh {
		return welshShort[m-1]
	}
	return m.String()[:3]
}

// Date writes a day as in "12 March 2026"; no day gives nothing.
func Date(ctx context.Context, d day.Day) string {
	if d.IsZero() {
		return ""
	}
	return date(ctx, d.Time())
}

func date(ctx context.Context, t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), Month(ctx, t.Month()), t.Year())
}

// Moment writes an instant by the clock of London, as in "12 March 2026, 10:04".
func Moment(ctx context.Context, t time.Time) string {
	return On(ctx, t) + ", " + Clock(t)
}

// periods are the words of periods.
var periods = map[Lang]struct{ none, until, since, to string }{
	English: {"no period", "until ", "since ", " to "},
	Welsh:   {"dim cyfnod", "tan ", "ers ", " i "},
}

// Period writes first and last day, saying month and year once where they are the same:
// "1 to 31 January 2026", "1 January to 31 March 2026", "1 December 2025 to 31 January 2026".
func Period(ctx context.Context, from, to day.Day) string {
	f, t, words := from.Time(), to.Time(), periods[Of(ctx)]
	switch {
	case from.IsZero() && to.IsZero():
		return words.none
	case from.IsZero():
		return words.until + Date(ctx, to)
	case to.IsZero():
		return words.since + Date(ctx, from)
	case from == to:
		return Date(ctx, to)
	case f.Year() == t.Year() && f.Month() == t.Month():
		return fmt.Sprint(f.Day()) + words.to + Date(ctx, to)
	case f.Year() == t.Year():
		return fmt.Sprint(f.Day()) + " " + Month(ctx, f.Month()) + words.to + Date(ctx, to)
	}
	return Date(ctx, from) + words.to + Date(ctx, to)
}

// On writes the day of an instant by the clock of London, as in "12 March 2026".
func On(ctx context.Context, t time.Time) string { return date(ctx, t.In(london)) }

// Clock writes the time of an instant by the clock of London, as in "10:04".
func Clock(t time.Time) string { return t.In(london).Format("15:04") }

// DayOf is the day of an instant by the clock of London.
func DayOf(t time.Time) day.Day { return day.At(t.In(london)) }

// At is the instant of a day and time by the clock of London. A time that the clocks leave out when they go forward is the one an hour later.
func At(d day.Day, hour, minute int) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), hour, minute, 0, 0, london)
}
