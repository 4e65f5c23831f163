package vault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// The link of a notice opens its page on the vault's own origin, without an account. Looking changes nothing but that it is entered, since mail
// programs open links; once the contact says that they have read it, the page shows no figures any more.

const (
	noticeViews     = 60 // of a page within an hour
	noticeQuestions = 10 // of a notice
)

// ErrNoticeBusy says that a notice's page was opened too often within an hour, or asks too much.
var ErrNoticeBusy = &vaultclient.Error{Code: vaultclient.Refused, Message: "this page was opened too often; try again in an hour"}

// noticeVisits counts how often pages were opened in the running hour. A restart forgets it.
type noticeVisits struct {
	mu sync.Mutex
	m  map[id.Notice]noticeHour
}

type noticeHour struct {
	began time.Time
	n     int
}

func (c *noticeVisits) full(n id.Notice, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.m[n]
	if now.Sub(h.began) >= time.Hour {
		h = noticeHour{began: now}
	}
	h.n++
	if c.m == nil {
		c.m = map[id.Notice]noticeHour{}
	}
	c.m[n] = h
	return h.n > noticeViews
}

// NoticePage is what the page behind a notice's link shows.
type NoticePage struct {
	Number       string // of the incident
	Drill        bool
	Organisation string
	CallBack     string
	Read         bool         // they said that they have read it: the parts are gone
	Newer        bool         // there is a newer part, with a link of its own
	Until        time.Time    // when the controller's time to report it ends
	Parts        []NoticePart // this one and those before it, newest first
}

// NoticePart is one part of what an organisation was told.
type NoticePart struct {
	At     time.Time
	Text   string
	Notice vaultclient.Notice
}

// noticeBy finds the notice that a link's secret opens. The caller holds the lock, or is the committer.
func (v *Vault) noticeBy(secret string, now time.Time) (n id.Notice, at noticeAt, one *incident, ok bool) {
	n, ok = v.state.noticeLinks[hashSecret(secret)]
	if !ok {
		return n, at, nil, false
	}
	at = v.state.notices[n]
	one = v.state.incidents[at.incident]
	return n, at, one, now.Sub(micro(one.steps[at.step].At)) < vaultclient.NoticeLife
}

// openNotice finds a notice by its link for a visit that changes nothing else, and counts the visit.
func (v *Vault) openNotice(ctx context.Context, secret string) (id.Notice, noticeAt, *incident, error) {
	now := v.now()
	v.mu.RLock()
	n, at, one, ok := v.noticeBy(secret, now)
	v.mu.RUnlock()
	if !ok {
		return n, at, nil, v.refuseCode(ctx, OriginNode)
	}
	if v.visits.full(n, now) {
		return n, at, nil, ErrNoticeBusy
	}
	return n, at, one, nil
}

// NoticePage shows a notice to whoever has its link, once that is entered in the organisation's ledger.
func (v *Vault) NoticePage(ctx context.Context, secret string) (NoticePage, error) {
	n, at, one, err := v.openNotice(ctx, secret)
	if err != nil {
		return NoticePage{}, err
	}
	told := one.steps[at.step]
	p := NoticePage{Number: one.number, Drill: one.drill, Organisation: v.OrganisationName(told.Organisation), CallBack: told.Notice.CallBack, Read: one.read(told), Until: micro(told.At).Add(deadline.Regulator)}
	for i := len(one.steps) - 1; i >= 0; i-- {
		s := one.steps[i]
		switch {
		case s.Organisation != told.Organisation:
		case s.Kind == vaultclient.Told:
			p.Until = micro(s.Moment).Add(deadline.Regulator) // in the end of the first
		case s.Notice != nil && s.Notice.Phase > told.Notice.Phase:
			p.Newer = true
		case s.Notice != nil && !p.Read:
			p.Parts = append(p.Parts, NoticePart{At: micro(s.At), Text: s.Text, Notice: *s.Notice})
		}
	}
	o := ledger.Opening{Node: OriginNode, Purpose: string(policy.BreachNotice), Subject: "incident:" + at.incident.String(), Rule: "opened",
		Reason: fmt.Sprintf("%s: the page of part %d was opened by its link, notice %s", one.number, told.Notice.Phase, n)}
	e, err := v.seal(entry{org: told.Organisation, kind: ledger.Incident, basis: ledger.Gate}, o)
	if err != nil {
		return NoticePage{}, err
	}
	if err := v.commit(ctx, func(t *tx) error { t.append(e); return nil }); err != nil {
		return NoticePage{}, hideCommitError(err)
	}
	return p, nil
}

// read reports whether the organisation of a notice said that it has read it, or a later part, which shows the earlier ones.
func (i *incident) read(told step) bool {
	for _, s := range i.steps {
		if s.Kind != vaultclient.Acknowledged || s.Organisation != told.Organisation {
			continue
		}
		for _, t := range i.steps {
			if t.Notice != nil && t.Notice.ID == s.Of && t.Notice.Phase >= told.Notice.Phase {
				return true
			}
		}
	}
	return false
}

// ReadNotice keeps that an organisation has read a notice. Doing it twice is no error.
func (v *Vault) ReadNotice(ctx context.Context, secret string) error {
	return v.answerNotice(ctx, secret, vaultclient.Acknowledged, "")
}

// AskByNotice keeps a question of an organisation to the service, with an alarm so that somebody answers it.
func (v *Vault) AskByNotice(ctx context.Context, secret, text string) error {
	text = strings.TrimSpace(text)
	if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > vaultclient.MaxIncidentText {
		return invalid("a question has 1 to %d characters", vaultclient.MaxIncidentText)
	}
	return v.answerNotice(ctx, secret, vaultclient.Asked, text)
}

// answerNotice enters what an organisation does on a notice's page.
func (v *Vault) answerNotice(ctx context.Context, secret string, kind vaultclient.IncidentStepKind, text string) error {
	if _, _, _, err := v.openNotice(ctx, secret); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		n, at, one, ok := v.noticeBy(secret, t.now)
		if !ok {
			return errNoCode
		}
		told := one.steps[at.step]
		asked := 0
		for _, s := range one.steps {
			if s.Kind == vaultclient.Asked && s.Of == n {
				asked++
			}
		}
		row := step{At: t.now.UnixMicro(), Kind: kind, Text: text, Organisation: told.Organisation, Moment: t.now.UnixMicro(), Of: n}
		switch {
		case kind == vaultclient.Asked && asked >= noticeQuestions:
			return ErrNoticeBusy
		case kind == vaultclient.Asked:
			if err := t.raise(vaultclient.AlarmAsked, told.Organisation, ledger.Opening{Node: OriginNode, Subject: "incident:" + at.incident.String()}); err != nil {
				return err
			}
		case one.read(told):
			return nil
		default:
			row.Text = fmt.Sprintf("We have read this: part %d.", told.Notice.Phase)
		}
		return t.enterSteps(at.incident, one, []step{row}, ledger.Opening{Node: OriginNode, Subject: "incident:" + at.incident.String()})
	}))
}
