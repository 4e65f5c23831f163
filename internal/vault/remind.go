package vault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Each controller that was told of a breach, and the service, has 72 hours to decide whether to tell the regulator. Whoever has not decided is
// reminded by an alarm after half of the time, after four fifths, and at its end. Which reminders came is known from the alarms
// themselves, so that each comes once, also over a restart; of several that a stop made late, the last one alone comes.

// remindedFor is for how long after the end of its time somebody is still reminded, when nothing ran meanwhile.
const remindedFor = 7 * 24 * time.Hour

// reminder is one that is due.
type reminder struct {
	incident     id.Incident
	organisation id.Organisation
	share        string // as a reason begins
	text         string
}

// remindersDue are the reminders that have not come. The caller holds the lock, or is the committer.
func (s *state) remindersDue(now time.Time) (out []reminder) {
	for n, one := range s.incidents {
		if one.drill || one.closed() {
			continue
		}
		var steps []deadline.Step
		for _, row := range one.steps {
			steps = append(steps, deadline.Step{What: row.Kind.Clock(row.Organisation), Organisation: row.Organisation, Moment: micro(row.Moment)})
		}
		for _, k := range deadline.Clocks(steps) {
			reached := k.Reached(now)
			if k.Done || reached == 0 || now.Sub(k.Due()) > remindedFor {
				continue
			}
			share := fmt.Sprintf("%d %% of ", deadline.Percent(reached))
			if !s.reminded(n, k.Organisation, share) {
				text := fmt.Sprintf("%s%.0f hours are over, without a decision about incident %s: until %s", share, k.Within.Hours(), one.number, k.Due().UTC().Format(time.RFC3339))
				out = append(out, reminder{n, k.Organisation, share, text})
			}
		}
	}
	return out
}

// reminded reports whether a reminder came.
func (s *state) reminded(n id.Incident, org id.Organisation, share string) bool {
	for _, a := range s.alarms {
		if a.Kind == vaultclient.AlarmDeadline && a.Org == org && a.About == "incident:"+n.String() && strings.HasPrefix(a.Reason, share) {
			return true
		}
	}
	return false
}

// Remind raises the alarms of reminders that are due.
func (v *Vault) Remind(ctx context.Context) error {
	v.mu.RLock()
	due := len(v.state.remindersDue(v.now()))
	v.mu.RUnlock()
	if due == 0 {
		return nil
	}
	return v.commit(ctx, func(t *tx) error {
		for _, r := range v.state.remindersDue(t.now) {
			if err := t.raise(vaultclient.AlarmDeadline, r.organisation, ledger.Opening{Subject: "incident:" + r.incident.String(), Reason: r.text}); err != nil {
				return err
			}
		}
		return nil
	})
}
