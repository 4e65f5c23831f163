// Package deadline knows the clocks of a suspected breach: by when each controller has to tell the regulator, and when
// somebody is reminded of it. It is pure: the caller gives the steps and the time.
package deadline

import (
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
)

// Regulator is within how long a controller tells the regulator (UK GDPR Art 33(1)). The hours run on over nights, weekends and holidays.
const Regulator = 72 * time.Hour

// Clock is a time within which something has to be done, from the moment when its holder became aware.
type Clock struct {
	Aware  time.Time
	Within time.Duration
}

// reminders are the shares of the time, in percent, after which whoever is late soon is reminded.
var reminders = [...]int{50, 80, 100}

// Due is the moment by which it has to be done. Hours are hours: a change of the clocks in between neither gives nor takes one.
func (c Clock) Due() time.Time { return c.Aware.Add(c.Within) }

// Left is how much time is left; negative: how late it is.
func (c Clock) Left(now time.Time) time.Duration { return c.Due().Sub(now) }

// Reminders are the moments at which somebody is reminded: after half of the time, after four fifths, and at its end.
func (c Clock) Reminders() []time.Time {
	out := make([]time.Time, len(reminders))
	for i, percent := range reminders {
		out[i] = c.Aware.Add(time.Duration(int64(c.Within) / 100 * int64(percent)))
	}
	return out
}

// Percent is the share of the time after which the nth reminder comes, from 1.
func Percent(n int) int { return reminders[n-1] }

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

// What a step is to a clock.
const (
	Aware   = iota + 1 // the service became aware
	Told               // an organisation was told
	Decided            // a controller entered its decision
)

// Step is what was done about a breach, as far as a clock is concerned.
type Step struct {
	What         int
	Organisation id.Organisation // zero: the service
	Moment       time.Time
}

// OfOrganisation is the clock of a controller; of no organisation: of the service, which is the controller of its own staff.
type OfOrganisation struct {
	Clock
	Organisation id.Organisation
	Done         bool // the controller entered its decision
}

// Clocks are the controllers' clocks of an incident. The service's runs from when it became aware, the earliest moment that a step says; an
// organisation's from when it was told, since a controller is aware once its processor tells it (EDPB guidelines 9/2022 on
// notification).
func Clocks(steps []Step) []OfOrganisation {
	out := []OfOrganisation{{Clock: Clock{Within: Regulator}}}
	for _, s := range steps {
		switch {
		case s.What == Aware && (out[0].Aware.IsZero() || s.Moment.Before(out[0].Aware)):
			out[0].Aware = s.Moment
		case s.What == Told && !slices.ContainsFunc(out, func(k OfOrganisation) bool { return k.Organisation == s.Organisation }):
			out = append(out, OfOrganisation{Clock: Clock{Aware: s.Moment, Within: Regulator}, Organisation: s.Organisation})
		}
	}
	for i := range out {
		out[i].Done = slices.ContainsFunc(steps, func(s Step) bool { return s.What == Decided && s.Organisation == out[i].Organisation })
	}
	return out
}
