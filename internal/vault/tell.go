package vault

import (
	"cmp"
	"context"
	"encoding/hex"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Organisations are told of a breach by the vault itself: nothing that is frozen stops it, no grant is needed, and a web node in the wrong hands
// neither redirects nor drops a notice that was given out. What a notice says is computed here, from the organisation's own ledger.
//
// A notice is a step of its incident, and what becomes of it are further steps. So there is no state beside them: a notice without an
// outcome is one that has to be delivered, also after a restart, and one with an outcome never is again. Package courier takes it from there.

// noticeAt is where a notice stands: the step of an incident.
type noticeAt struct {
	incident id.Incident
	step     int
	ended    bool // it was told, or given up
}

// noticeSecret is the secret of a notice's link. It is derived, so that a mail that is sent again is the same mail, and lies nowhere.
func (v *Vault) noticeSecret(n id.Notice) string {
	h := v.keyedHash("notice-link", n[:])
	return hex.EncodeToString(h[:])
}

// byItself says who entered a step that no user did.
func byItself(k vaultclient.IncidentStepKind) string {
	if k == vaultclient.Acknowledged || k == vaultclient.Asked {
		return "the contact for notices"
	}
	return "the vault"
}

// follow keeps where a notice stands and whether its way has ended.
func (v *Vault) follow(s *state, at noticeAt, row step) {
	if row.Notice != nil {
		s.notices[row.Notice.ID] = at
		s.noticeLinks[hashSecret(v.noticeSecret(row.Notice.ID))] = row.Notice.ID
	}
	if of, ok := s.notices[row.Of]; ok && (row.Kind == vaultclient.Told || row.Kind == vaultclient.Undelivered) {
		of.ended = true
		s.notices[row.Of] = of
	}
}

// posts reports whether a letter to an organisation waits to be posted.
func (s *state) posts(of id.Incident, n id.Notice, org id.Organisation) bool {
	at, ok := s.notices[n]
	if !ok || at.ended || at.incident != of {
		return false
	}
	row := s.incidents[of].steps[at.step]
	return row.Organisation == org && row.Notice.Channel == vaultclient.ByLetter
}

// given counts the notices that were given out to an organisation; told: it was told in some way, if only by telephone.
func (i *incident) given(org id.Organisation) (phases int, told bool) {
	for _, s := range i.steps {
		if s.Organisation == org && s.Notice != nil {
			phases++
		}
		told = told || s.Organisation == org && s.Kind == vaultclient.Told
	}
	return phases, told
}

func checkTell(r vaultclient.TellRequest) error {
	switch {
	case r.Text != strings.TrimSpace(r.Text) || r.Text == "" || !utf8.ValidString(r.Text) || utf8.RuneCountInString(r.Text) > vaultclient.MaxIncidentText:
		return invalid("a notice says in 1 to %d characters what happened and what is done", vaultclient.MaxIncidentText)
	case !vaultclient.IsCallBack(r.CallBack):
		return invalid("a notice has a telephone number to call back, of digits, spaces and + ( ) -")
	case r.Channel != vaultclient.ByMail && r.Channel != vaultclient.ByLetter:
		return invalid("a notice goes out by mail or letter")
	}
	return nil
}

// Tell gives out notices of a breach, all in one commit.
func (v *Vault) Tell(ctx context.Context, c Caller, r vaultclient.TellRequest) ([]vaultclient.TellingResult, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if p.grant != nil {
		return nil, refused("people have organisations told")
	}
	if err := checkTell(r); err != nil {
		return nil, err
	}
	if err := v.checkOrganisations(r.Organisations); err != nil {
		return nil, err
	}
	a := incidentAsk(ledger.Incident, "incident:"+r.Incident.String())
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return nil, err
	}
	v.mu.RLock()
	one, sends := v.state.incidents[r.Incident], len(v.posts) > 0
	v.mu.RUnlock()
	switch {
	case one == nil:
		return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such incident"}
	case !sends && r.Channel == vaultclient.ByMail && !one.drill:
		return nil, invalid("no mail server is set up (--smtp), so notices go out by letter")
	}
	figures, err := v.figures(ctx, one, r.Organisations)
	if err != nil {
		return nil, err
	}
	var out []vaultclient.TellingResult
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		one := v.state.incidents[r.Incident]
		var rows []step
		if out, rows = t.tellings(p, one, r, figures); len(rows) == 0 {
			return nil
		}
		if len(one.steps)+len(rows) > maxSteps {
			return invalid("an incident has at most %d steps", maxSteps)
		}
		o := v.opening(p, a)
		if err := t.enterSteps(r.Incident, one, rows, o); err != nil {
			return err
		}
		if !one.drill {
			if err := t.raise(vaultclient.AlarmTold, id.Organisation{}, ledger.Opening{User: p.User, Role: p.Role, Node: p.node, Subject: a.subject}); err != nil {
				return err
			}
		}
		t.apply(func(*state) { wake(v.posts) })
		return nil
	})
	if err != nil {
		return nil, hideCommitError(err)
	}
	return out, nil
}

// tellings are the steps of telling organisations, and what comes of it for each.
func (t *tx) tellings(p *principal, one *incident, r vaultclient.TellRequest, figures map[id.Organisation]*vaultclient.Notice) (out []vaultclient.TellingResult, rows []step) {
	orgs := slices.Compact(slices.SortedFunc(slices.Values(r.Organisations), compareOrganisations))
	if len(orgs) == 0 {
		for _, org := range slices.SortedFunc(maps.Keys(figures), compareOrganisations) {
			if phases, told := one.given(org); phases == 0 && !told {
				orgs = append(orgs, org)
			}
		}
	}
	for _, org := range orgs {
		if s := one.requested(org, r.Request); s != nil {
			out = append(out, vaultclient.TellingResult{Organisation: org, Notice: s.Notice})
			continue
		}
		contact := t.v.state.organisations[org].Notice
		if problem := unreachable(contact, r.Channel); problem != "" {
			out = append(out, vaultclient.TellingResult{Organisation: org, Problem: problem})
			continue
		}
		n := vaultclient.Notice{}
		if f := figures[org]; f != nil {
			n = *f
		}
		n.ID, n.Channel, n.Contact, n.CallBack, n.Maximum, n.Request = id.New[id.Notice](), r.Channel, contact, r.CallBack, !r.Final, r.Request
		phases, _ := one.given(org)
		n.Phase = phases + 1
		row := step{At: t.now.UnixMicro(), By: p.User, Role: p.Role, Kind: vaultclient.Telling, Text: r.Text, Organisation: org, Moment: t.now.UnixMicro(), Notice: &n}
		rows = append(rows, row)
		if one.drill { // nothing is sent
			rows = append(rows, step{At: row.At, Kind: vaultclient.Told, Text: "A rehearsal: nothing was sent.", Organisation: org, Moment: row.At, Of: n.ID})
		}
		out = append(out, vaultclient.TellingResult{Organisation: org, Notice: &n})
	}
	return out, rows
}

// requested is the notice that an earlier sending of the same request gave out to an organisation.
func (i *incident) requested(org id.Organisation, request id.Row) *step {
	for k := range i.steps {
		if s := &i.steps[k]; !request.IsZero() && s.Notice != nil && s.Organisation == org && s.Notice.Request == request {
			return s
		}
	}
	return nil
}

// unreachable says why a contact can't be told by a channel; nothing: it can.
func unreachable(n vaultclient.NoticeContact, by vaultclient.NoticeChannel) string {
	switch {
	case n.IsZero():
		return "nobody is entered who would be told of a breach"
	case by == vaultclient.ByMail && n.Email == "":
		return "its contact has no e-mail address: tell it by letter"
	case by == vaultclient.ByMail && n.Verified.IsZero():
		return "nobody has verified its contact, so no mail goes there: verify it, or tell it by letter"
	case by == vaultclient.ByLetter && len(n.Post) == 0:
		return "its contact has no postal address"
	}
	return ""
}

func compareOrganisations(a, b id.Organisation) int { return slices.Compare(a[:], b[:]) }

// figures are what the ledgers say of an incident now, by organisation: of those asked for, or of all whose people it reaches.
func (v *Vault) figures(ctx context.Context, one *incident, orgs []id.Organisation) (map[id.Organisation]*vaultclient.Notice, error) {
	sealed := false
	s := &scope{v: v}
	for _, row := range one.steps {
		if d := row.Destruction; d != nil {
			s.less = append(s.less, vaultclient.Destruction{Recipient: d.Recipient, From: d.From, To: d.To, At: micro(row.Moment), Organisation: row.Organisation})
		}
		if h := row.Hypothesis; h != nil && h.Medium {
			sealed = true
		} else if h != nil {
			s.windows = append(s.windows, *h)
		}
	}
	out := map[id.Organisation]*vaultclient.Notice{}
	v.mu.RLock()
	if len(orgs) == 0 {
		orgs = slices.Collect(maps.Keys(v.state.organisations))
	}
	for _, org := range orgs {
		if sealed && len(v.state.organisations[org].roll.wearers) > 0 {
			out[org] = &vaultclient.Notice{Sealed: true}
		}
	}
	v.mu.RUnlock()
	if len(s.windows) > 0 {
		if err := s.read(ctx, orgs); err != nil {
			return nil, err
		}
	}
	for _, part := range s.parts {
		if len(part.by) == 0 {
			continue
		}
		n := out[part.org]
		if n == nil {
			n = &vaultclient.Notice{}
			out[part.org] = n
		}
		for _, x := range part.by {
			if first := micro(x.first); n.First.IsZero() || first.Before(n.First) {
				n.First = first
			}
			if last := micro(x.last); last.After(n.Last) {
				n.Last = last
			}
		}
		for _, f := range part.fields() {
			n.Wearers++
			at := slices.IndexFunc(n.Rows, func(r vaultclient.NoticeRow) bool { return r.Fields == f })
			if at < 0 {
				at = len(n.Rows)
				n.Rows = append(n.Rows, vaultclient.NoticeRow{Fields: f})
			}
			n.Rows[at].Wearers++
		}
	}
	for _, n := range out {
		slices.SortFunc(n.Rows, func(a, b vaultclient.NoticeRow) int {
			return cmp.Or(cmp.Compare(bits.OnesCount32(uint32(b.Fields)), bits.OnesCount32(uint32(a.Fields))), cmp.Compare(b.Fields, a.Fields))
		})
	}
	return out, nil
}

// wake writes to those who wait for work.
func wake(all []chan struct{}) {
	for _, ch := range all {
		select {
		case ch <- struct{}{}:
		default: // it is awake already
		}
	}
}

// NoticeChannel returns what is written to when a notice was given out, for one who delivers them. From then on notices go out by mail.
func (v *Vault) NoticeChannel() <-chan struct{} {
	ch := make(chan struct{}, 1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.posts = append(v.posts, ch)
	return ch
}

// Mail is what a notice's mail is made of. It is all that leaves the vault by it.
type Mail struct {
	ID           id.Notice
	Number       string // of the incident
	Organisation string
	At           time.Time // when it was given out
	Notice       vaultclient.Notice
	Secret       string // of its link
}

// WaitingMails are the notices that have to be delivered by mail, oldest first.
func (v *Vault) WaitingMails() []Mail {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []Mail
	for n, at := range v.state.notices {
		one := v.state.incidents[at.incident]
		row := one.steps[at.step]
		if row.Notice.Channel != vaultclient.ByMail || at.ended {
			continue
		}
		m := Mail{ID: n, Number: one.number, At: micro(row.At), Notice: *row.Notice, Secret: v.noticeSecret(n)}
		if o := v.state.organisations[row.Organisation]; o != nil {
			m.Organisation = o.Name
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Mail) int { return cmp.Or(a.At.Compare(b.At), slices.Compare(a.ID[:], b.ID[:])) })
	return out
}

// MailSent keeps what became of a notice: the mail server took it, or it is given up for a reason, which is an alarm. Keeping it twice changes nothing.
func (v *Vault) MailSent(ctx context.Context, n id.Notice, delivered bool, reason string) error {
	return v.commit(ctx, func(t *tx) error {
		at, ok := v.state.notices[n]
		if !ok || at.ended {
			return nil
		}
		one := v.state.incidents[at.incident]
		told := one.steps[at.step]
		row := step{At: t.now.UnixMicro(), Kind: vaultclient.Told, Text: "The mail server took the notice.", Organisation: told.Organisation, Moment: t.now.UnixMicro(), Of: n}
		if !delivered {
			row.Kind, row.Text = vaultclient.Undelivered, reason
			o := ledger.Opening{Subject: "incident:" + at.incident.String(), Reason: one.number + ": " + reason}
			if err := t.raise(vaultclient.AlarmUndelivered, told.Organisation, o); err != nil {
				return err
			}
		}
		return t.enterSteps(at.incident, one, []step{row}, ledger.Opening{Subject: "incident:" + at.incident.String()})
	})
}
