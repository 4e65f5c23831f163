package vault

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// An alarm is raised in the commit of what caused it, so that neither is there without the other. What leaves the vault of
// it is its kind, times, count and the random id of an organisation; who and why stand on the page of alarms. How far it got
// by each channel stands in its row, so that a restart loses none: package courier takes it from there.

const (
	alarmEqual   = 10 * time.Minute     // equal alarms within this are one, with a count
	alarmTrying  = 24 * time.Hour       // that an alarm is tried to be delivered
	alarmKept    = 365 * 24 * time.Hour // after it was acknowledged
	alarmPause   = 10 * time.Second     // after the first failure; then twice as long …
	alarmPauseTo = time.Hour            // … up to this
)

// alarm is a row of the table alarm.
type alarm struct {
	Kind   vaultclient.AlarmKind `json:"kind"`
	At     int64                 `json:"at"`   // µs
	Last   int64                 `json:"last"` // µs
	Count  int                   `json:"count"`
	Org    id.Organisation       `json:"org,omitzero"`
	About  string                `json:"about,omitempty"`
	By     id.User               `json:"by,omitzero"`
	Reason string                `json:"reason,omitempty"`
	// Canaries are those that a first hit opened; no list of alarms shows them.
	Canaries []id.Wearer `json:"canaries,omitempty"`

	Acked int64   `json:"acked,omitempty"` // µs
	AckBy id.User `json:"ack_by,omitzero"`
	Note  string  `json:"note,omitempty"`

	Sent map[string]sending `json:"sent,omitempty"` // by channel
}

// sending is how far an alarm got by one channel.
type sending struct {
	Tries  int   `json:"tries,omitempty"`
	Next   int64 `json:"next,omitempty"` // µs: not before
	Done   int64 `json:"done,omitempty"` // µs
	GaveUp bool  `json:"gave_up,omitempty"`
}

// raise raises an alarm and enters it where it belongs: the ledger of an organisation, or the installation's log. The opening
// says who caused it, what it is about (Subject, as in "user:…"), and why; none of that leaves the vault with the alarm.
func (t *tx) raise(kind vaultclient.AlarmKind, org id.Organisation, o ledger.Opening) error {
	return t.raiseOf(kind, org, o, nil)
}

func (t *tx) raiseOf(kind vaultclient.AlarmKind, org id.Organisation, o ledger.Opening, canaries []id.Wearer) error {
	o.Rule = string(kind)
	e, err := t.v.seal(entry{org: org, kind: ledger.Alarm, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.append(e)
	n, row := id.New[id.Alarm](), &alarm{Kind: kind, At: t.now.UnixMicro(), Org: org, About: o.Subject, By: o.User, Reason: o.Reason}
	for known, a := range t.v.state.alarms {
		if a.Kind == kind && a.Org == org && a.About == o.Subject && a.By == o.User && a.Acked == 0 && (kind != vaultclient.AlarmDeadline && kind != vaultclient.AlarmNoticeWaits || a.Reason == o.Reason) && t.now.Sub(time.UnixMicro(a.At)) < alarmEqual {
			again := *a
			n, row = known, &again
			break
		}
	}
	row.Count++
	row.Last = t.now.UnixMicro()
	if canaries != nil {
		row.Canaries = canaries
	}
	if err := t.putAlarm(n, row); err != nil {
		return err
	}
	t.apply(func(*state) { t.v.alarmRaised() })
	return nil
}

func (t *tx) putAlarm(n id.Alarm, row *alarm) error {
	sealed, err := t.v.sealRow(TableAlarm, n[:], row)
	if err != nil {
		return err
	}
	t.put(TableAlarm, n[:], sealed)
	t.apply(func(s *state) { s.alarms[n] = row })
	return nil
}

func (v *Vault) loadAlarms(ctx context.Context) error {
	v.state.alarms = map[id.Alarm]*alarm{}
	if err := loadRows(ctx, v, TableAlarm, func(n id.Alarm, row alarm) { v.state.alarms[n] = &row }); err != nil {
		return err
	}
	v.loadTrips()
	return nil
}

// dropOldAlarms forgets alarms that were acknowledged long ago; their entries stay.
func (t *tx) dropOldAlarms() {
	for n, a := range t.v.state.alarms {
		if a.Acked != 0 && t.now.Sub(time.UnixMicro(a.Acked)) > alarmKept {
			t.put(TableAlarm, n[:], nil)
			t.apply(func(s *state) { delete(s.alarms, n) })
		}
	}
}

// alarmRaised wakes those who deliver. The committer calls it, and holds mu.
func (v *Vault) alarmRaised() {
	wake(v.couriers)
}

// AlarmChannel returns what is written to when an alarm was raised, for one who delivers.
func (v *Vault) AlarmChannel() <-chan struct{} {
	ch := make(chan struct{}, 1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.couriers = append(v.couriers, ch)
	return ch
}

// Notice is all that leaves the vault of an alarm.
type Notice struct {
	ID           id.Alarm
	Kind         vaultclient.AlarmKind
	At           time.Time
	Organisation id.Organisation // zero: the installation
}

// Installation is the installation's random id.
func (v *Vault) Installation() string { return v.installation }

// DueNotices returns what is to be delivered by a channel now, oldest first, and when the next is due; zero when none waits.
func (v *Vault) DueNotices(channel string) (due []Notice, next time.Time) {
	now := v.now()
	v.mu.RLock()
	defer v.mu.RUnlock()
	for n, a := range v.state.alarms {
		s := a.Sent[channel]
		at := time.UnixMicro(a.At).UTC()
		switch {
		case s.Done != 0 || s.GaveUp || s.Tries == 0 && now.Sub(at) > alarmTrying:
		case now.UnixMicro() < s.Next:
			if t := time.UnixMicro(s.Next); next.IsZero() || t.Before(next) {
				next = t
			}
		default:
			due = append(due, Notice{ID: n, Kind: a.Kind, At: at, Organisation: a.Org})
		}
	}
	slices.SortFunc(due, func(a, b Notice) int { return cmp.Or(a.At.Compare(b.At), slices.Compare(a.ID[:], b.ID[:])) })
	return due, next
}

// NoticeSent keeps how delivering a notice went. After a day of failures it is given up, and that is an alarm of its own, but
// for one that says so itself.
func (v *Vault) NoticeSent(ctx context.Context, channel string, n id.Alarm, delivered bool) error {
	return v.commit(ctx, func(t *tx) error {
		old := v.state.alarms[n]
		if old == nil {
			return nil
		}
		row := *old
		row.Sent = map[string]sending{}
		for name, s := range old.Sent {
			row.Sent[name] = s
		}
		s := row.Sent[channel]
		switch {
		case delivered:
			s.Done, s.Next = t.now.UnixMicro(), 0
		default:
			s.Tries++
			s.Next = t.now.Add(min(alarmPause<<min(s.Tries-1, 20), alarmPauseTo)).UnixMicro()
			s.GaveUp = t.now.Sub(time.UnixMicro(row.At)) > alarmTrying
		}
		row.Sent[channel] = s
		if s.GaveUp && row.Kind != vaultclient.AlarmDelivery {
			if err := t.raise(vaultclient.AlarmDelivery, id.Organisation{}, ledger.Opening{Subject: "alarm:" + n.String(), Reason: "not delivered by " + channel}); err != nil {
				return err
			}
		}
		return t.putAlarm(n, &row)
	})
}

// watch asks for leave to see alarms, or to acknowledge one: whoever administers the installation sees all, a data
// protection officer those of the own organisations.
func (v *Vault) watch(ctx context.Context, p *principal, kind ledger.Kind, subject string) (a ask, parties []*party, err error) {
	a = ask{action: policy.Administer, purpose: policy.KeepRecords, kind: kind, subject: subject}
	if len(p.Organisations) > 0 {
		a.action, a.purpose = policy.Freeze, policy.Oversight
	}
	parties, err = v.permitEach(ctx, p, a, p.Organisations)
	return a, parties, err
}

func (p *principal) watches(a *alarm) bool {
	return len(p.Organisations) == 0 || slices.Contains(p.Organisations, a.Org)
}

// Alarms lists alarms, open ones first, newest first. They name staff: that somebody read them is entered.
func (v *Vault) Alarms(ctx context.Context, c Caller, r vaultclient.AlarmsRequest) (vaultclient.AlarmPage, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.AlarmPage{}, err
	}
	if r.Limit < 1 || r.Limit > vaultclient.MaxPage || r.Offset < 0 {
		return vaultclient.AlarmPage{}, invalid("a page has 1 to %d alarms", vaultclient.MaxPage)
	}
	a, parties, err := v.watch(ctx, p, ledger.Oversee, "alarms")
	if err != nil {
		return vaultclient.AlarmPage{}, err
	}
	if err := v.enter(ctx, p, a, parties, a.kind, 0); err != nil {
		return vaultclient.AlarmPage{}, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	page := vaultclient.AlarmPage{Alarms: []vaultclient.Alarm{}}
	var all []vaultclient.Alarm
	for n, row := range v.state.alarms {
		if !p.watches(row) || r.Open && row.Acked != 0 {
			continue
		}
		if row.Acked == 0 {
			page.Open++
		}
		all = append(all, v.state.alarmOf(n, row))
	}
	slices.SortFunc(all, func(a, b vaultclient.Alarm) int {
		if a.Acknowledged.IsZero() != b.Acknowledged.IsZero() {
			return map[bool]int{true: -1, false: 1}[a.Acknowledged.IsZero()]
		}
		return cmp.Or(b.Last.Compare(a.Last), slices.Compare(a.ID[:], b.ID[:]))
	})
	page.Total = len(all)
	page.Alarms = append(page.Alarms, all[min(r.Offset, len(all)):min(r.Offset+r.Limit, len(all))]...)
	return page, nil
}

// alarmOf is an alarm as callers see it.
func (s *state) alarmOf(n id.Alarm, row *alarm) vaultclient.Alarm {
	at := func(µs int64) time.Time {
		if µs == 0 {
			return time.Time{}
		}
		return time.UnixMicro(µs).UTC()
	}
	a := vaultclient.Alarm{ID: n, Kind: row.Kind, At: at(row.At), Last: at(row.Last), Count: row.Count, Organisation: row.Org, About: row.About,
		Name: s.nameOf(vaultclient.Scope(row.About)), Reason: row.Reason, Acknowledged: at(row.Acked), Note: row.Note}
	if u := s.users[row.By]; u != nil {
		a.By = u.Name
	}
	if u := s.users[row.AckBy]; u != nil {
		a.AckBy = u.Name
	}
	for channel, x := range row.Sent {
		a.Sent = append(a.Sent, vaultclient.AlarmSent{Channel: channel, Tries: x.Tries, At: at(x.Done), GaveUp: x.GaveUp})
	}
	slices.SortFunc(a.Sent, func(a, b vaultclient.AlarmSent) int { return cmp.Compare(a.Channel, b.Channel) })
	return a
}

// OpenAlarms is how many alarms wait for somebody, for who may see them, and zero for others. It is for a page's navigation:
// it names nobody, and nothing is entered.
func (v *Vault) OpenAlarms(c Caller) (n int) {
	if !v.May(c, policy.Administer, policy.KeepRecords) && !v.May(c, policy.Freeze, policy.Oversight) {
		return 0
	}
	p, err := v.caller(c)
	if err != nil {
		return 0
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, row := range v.state.alarms {
		if row.Acked == 0 && p.watches(row) {
			n++
		}
	}
	return n
}

// AckAlarm acknowledges an alarm with a note.
func (v *Vault) AckAlarm(ctx context.Context, c Caller, ack vaultclient.AlarmAck) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	note := strings.TrimSpace(ack.Note)
	if !utf8.ValidString(note) || utf8.RuneCountInString(note) > vaultclient.MaxAlarmNote {
		return invalid("a note has at most %d characters", vaultclient.MaxAlarmNote)
	}
	a, _, err := v.watch(ctx, p, ledger.Alarm, "alarm:"+ack.ID.String())
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		old := v.state.alarms[ack.ID]
		if old == nil || !p.watches(old) {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such alarm"}
		}
		if old.Acked != 0 {
			return nil
		}
		row := *old
		row.Acked, row.AckBy, row.Note = t.now.UnixMicro(), p.User, note
		o := v.opening(p, a)
		o.Rule, o.Reason = "acknowledged", note
		e, err := v.seal(entry{org: row.Org, kind: ledger.Alarm, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
		return t.putAlarm(ack.ID, &row)
	}))
}
