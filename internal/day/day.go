// Package day has the calendar day, which badges, periods and employments are counted in. It knows no clock and no time zone.
package day

import (
	"errors"
	"time"
)

// Day is a calendar day, counted from 1970-01-01. The zero Day stands for "no day" in fields that may be
// empty; 1970-01-01 itself is no day that dosevault needs.
type Day int32

// ErrSyntax says that a text is no day.
var ErrSyntax = errors.New("not a day: YYYY-MM-DD expected")

// Of returns the day of a year, month and day of month, normalised as package time does (31 April is 1 May).
func Of(year int, month time.Month, dayOfMonth int) Day {
	return Day(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// At returns the day of an instant, by the clock of its location.
func At(t time.Time) Day { return Of(t.Date()) }

// Parse reads YYYY-MM-DD between 1850 and 2200; an empty text is no day. The error is ErrSyntax.
func Parse(s string) (Day, error) {
	if s == "" {
		return 0, nil
	}
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return 0, ErrSyntax
	}
	year, month, dayOfMonth := digits(s[:4]), digits(s[5:7]), digits(s[8:])
	if year < 1850 || year > 2200 {
		return 0, ErrSyntax
	}
	t := time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC)
	if y, m, d := t.Date(); y != year || int(m) != month || d != dayOfMonth { // normalised: there is no such day
		return 0, ErrSyntax
	}
	return Day(t.Unix() / 86400), nil
}

// digits reads a number of up to four digits; -1 where one is none.
func digits(s string) (n int) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// Time returns the day's first instant in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Year returns the calendar year.
func (d Day) Year() int { return d.Time().Year() }

// AddMonths returns the same day of the month n months on, or the last day of that month if it is shorter.
func (d Day) AddMonths(n int) Day {
	y, m, dd := d.Time().Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	return Of(last.Year(), last.Month(), min(dd, last.Day()))
}

// IsZero reports whether there is no day.
func (d Day) IsZero() bool { return d == 0 }

// String returns YYYY-MM-DD, or nothing for no day.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalText returns YYYY-MM-DD, or nothing for no day.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText returns; the error is ErrSyntax.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = Parse(string(b))
	return err
}
