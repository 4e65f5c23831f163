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

// Somebody is reminded, by an alarm, of what nobody has done.
//
// Each controller that was told of a breach, and the service, has 72 hours to decide whether to tell the regulator. Whoever has not decided is
// reminded by an alarm after half of the time, after four fifths, and at its end. Which reminders came is known from the alarms
// themselves, so that each comes once, also over a restart; of several that a stop made late, the last one alone comes.
//
// A notice that no mail server has taken for an hour, or a letter that nobody has posted for a day, is one more, once.

// remindedFor is for how long after the end of its time somebody is still reminded, when nothing ran meanwhile.
const remindedFor = 7 * 24 * time.Hour

// waits is for how long a notice may wait, by its channel.
var waits = map[vaultclient.NoticeChannel]time.Duration{vaultclient.ByMail: time.Hour, vaultclient.ByLetter: 24 * time.Hour}

// reminder is one that is due.
type reminder struct {
	kind         vaultclient.AlarmKind
	organisation id.Organisation
	about, text  string
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
			r := reminder{vaultclient.AlarmDeadline, k.Organisation, "incident:" + n.String(), share}
			if !s.reminded(r) {
				r.text += fmt.Sprintf("%.0f hours are over, without a decision about incident %s: until %s", k.Within.Hours(), one.number, k.Due().UTC().Format(time.RFC3339))
				out = append(out, r)
			}
		}
	}
	for _, at := range s.notices {
		one := s.incidents[at.incident]
		row := one.steps[at.step]
		waited := now.Sub(micro(row.At))
		r := reminder{vaultclient.AlarmNoticeWaits, row.Organisation, "incident:" + at.incident.String(), fmt.Sprintf("%s: part %d, by %s", one.number, row.Notice.Phase, row.Notice.Channel)}
		if !at.ended && waited >= waits[row.Notice.Channel] && waited < remindedFor && !s.reminded(r) {
			out = append(out, r)
		}
	}
	return out
}

// reminded reports whether a reminder came whose text begins like this.
func (s *state) reminded(r reminder) bool {
	for _, a := range s.alarms {
		if a.Kind == r.kind && a.Org == r.organisation && a.About == r.about && strings.HasPrefix(a.Reason, r.text) {
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
			if err := t.raise(r.kind, r.organisation, ledger.Opening{Subject: r.about, Reason: r.text}); err != nil {
				return err
			}
		}
		return nil
	})
}
