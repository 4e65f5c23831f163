package incident

import "time"

// Clock is a time within which something has to be done, from the moment when its holder became aware.
type Clock struct {
	Aware  time.Time
	Within time.Duration
}

// reminders are the shares of the time, in percent, after which whoever is late soon is reminded.
var reminders = [...]int64{50, 80, 100}

// Due is the moment by which it has to be done. Hours are hours: a change of the clocks in between neither gives nor takes one.
func (c Clock) Due() time.Time { return c.Aware.Add(c.Within) }

// Left is how much time is left; negative: how late it is.
func (c Clock) Left(now time.Time) time.Duration { return c.Due().Sub(now) }

// Reminders are the moments at which somebody is reminded: after half of the time, after four fifths, and at its end.
func (c Clock) Reminders() []time.Time {
	out := make([]time.Time, len(reminders))
	for i, percent := range reminders {
		out[i] = c.Aware.Add(time.Duration(int64(c.Within) / 100 * percent))
	}
	return out
}

// Reached counts the reminders that are due at a moment: one that was sent before a stop is not sent again by who keeps the count.
func (c Clock) Reached(now time.Time) int {
	n := 0
	for _, at := range c.Reminders() {
		if !now.Before(at) {
			n++
		}
	}
	return n
}
