package vault

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// An incident is the list of its steps: each is a row of its own and an entry of a ledger, made in one commit, and none is ever
// changed. So the timeline writes itself, and nobody can write it otherwise later. Entering and reading go on while everything is frozen.

// maxSteps bounds the steps of one incident.
const maxSteps = 10_000

// incident is what is kept of one in memory.
type incident struct {
	number string
	drill  bool
	steps  []step
}

// step is a row of the table incident, whose id is the incident's and the step's number.
type step struct {
	At           int64                        `json:"at"` // µs
	By           id.User                      `json:"by"`
	Role         policy.Role                  `json:"role"`
	Kind         vaultclient.IncidentStepKind `json:"kind"`
	Text         string                       `json:"text"`
	Organisation id.Organisation              `json:"organisation,omitzero"`
	Hypothesis   *vaultclient.Hypothesis      `json:"hypothesis,omitempty"`
	Moment       int64                        `json:"moment"` // µs
	Decision     *vaultclient.Decision        `json:"decision,omitempty"`
	Assessment   *vaultclient.Assessment      `json:"assessment,omitempty"`
	Notice       *vaultclient.Notice          `json:"notice,omitempty"` // of a Telling
	Of           id.Notice                    `json:"of,omitzero"`      // of what became of one
	Destruction  *vaultclient.Destruction     `json:"destruction,omitempty"`
	// Of the declaration: the incident's number, and whether it is a drill.
	Number string `json:"number,omitempty"`
	Drill  bool   `json:"drill,omitempty"`
}

func stepID(n id.Incident, number int) []byte {
	return binary.BigEndian.AppendUint32(slices.Clone(n[:]), uint32(number))
}

func (v *Vault) loadIncidents(ctx context.Context) error {
	v.state.incidents, v.state.notices, v.state.noticeLinks = map[id.Incident]*incident{}, map[id.Notice]noticeAt{}, map[secretHash]id.Notice{}
	rows := map[string]step{}
	if err := v.rows(ctx, TableIncident, func(key, sealed []byte) error {
		var s step
		if len(key) != 20 {
			return fmt.Errorf("table %s, row %x: its id is no step's: the database was changed; run dosevault verify", TableIncident, key)
		}
		err := v.openRow(TableIncident, key, sealed, &s)
		rows[string(key)] = s
		return err
	}); err != nil {
		return err
	}
	for key, s := range rows {
		if n := id.Incident([]byte(key)[:16]); s.Kind == vaultclient.Declared {
			one := &incident{number: s.Number, drill: s.Drill}
			for ok := true; ok; {
				if s, ok = rows[string(stepID(n, len(one.steps)))]; ok {
					v.follow(&v.state, noticeAt{incident: n, step: len(one.steps)}, s)
					one.steps = append(one.steps, s)
				}
			}
			v.state.incidents[n] = one
		}
	}
	return nil
}

// checkStep refuses a step that says too little, too much, or what can't be.
func (v *Vault) checkStep(s vaultclient.NewStep, now time.Time) error {
	declares := s.Kind == vaultclient.Declared
	supposes := declares || s.Kind == vaultclient.Supposed
	switch {
	case !declares && !slices.Contains(vaultclient.IncidentStepKinds, s.Kind):
		return invalid("no such step of an incident")
	case declares != s.Incident.IsZero() || s.Drill && !declares:
		return invalid("a declaration makes an incident; every other step belongs to one")
	case !said(s.Text, vaultclient.MaxIncidentText):
		return invalid("a step says in 1 to %d characters what was done", vaultclient.MaxIncidentText)
	case supposes != (s.Hypothesis != nil):
		return invalid("what may have happened stands with the declaration, and with each hypothesis more")
	case s.Decision != nil && s.Kind != vaultclient.Decided:
		return invalid("what was decided stands with a decision")
	case (s.Kind == vaultclient.Assessed) != (s.Assessment != nil):
		return invalid("how severe it is stands with an assessment, and with nothing else")
	case s.Assessment != nil && !assessable(s.Assessment):
		return invalid("an assessment has losses of 0 to 2 and at most %d overrides, each with a factor and a reason of 1 to %d characters", vaultclient.MaxOverrides, vaultclient.MaxOverrideText)
	case !s.Of.IsZero() && (s.Kind != vaultclient.Told || s.Organisation.IsZero()):
		return invalid("a notice by letter stands with who was told by it")
	case s.Moment.After(now):
		return invalid("a step is about a moment that has been")
	}
	if d := s.Destruction; (s.Kind == vaultclient.Destroyed) != (d != nil) || d != nil && !destroyable(*d, cmp.Or(s.Moment, now)) {
		return invalid("what was destroyed names a recipient and the window in which it was sent, which had ended by then")
	}
	if h := s.Hypothesis; h != nil && !h.Began.IsZero() && (h.Began.Before(h.From) || h.Began.After(h.To)) {
		return invalid("somebody else had it first within the window of the hypothesis")
	}
	if h := s.Hypothesis; h != nil && (!h.From.Before(h.To) || len(h.Recipient) > 200 || h.Medium && h.Recipient != "") {
		return invalid("a hypothesis names a recipient, nobody, or a stolen medium, and a window that ends after it begins")
	}
	if !s.Organisation.IsZero() {
		return v.checkOrganisations([]id.Organisation{s.Organisation})
	}
	return nil
}

// destroyable reports whether a destruction can be one: what is sent later was not destroyed by then.
func destroyable(d vaultclient.Destruction, at time.Time) bool {
	return d.Recipient != "" && len(d.Recipient) <= 200 && d.From.Before(d.To) && !at.Before(d.To) && d.At.IsZero() && d.Organisation.IsZero()
}

// said reports whether something was said, in valid text of at most so many characters.
func said(s string, most int) bool {
	return s != "" && s == strings.TrimSpace(s) && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most
}

// assessable reports whether an assessment can be one. What its factors are worth is not the vault's to judge.
func assessable(a *vaultclient.Assessment) bool {
	return max(a.Confidentiality, a.Integrity, a.Availability) <= 2 && len(a.Overrides) <= vaultclient.MaxOverrides &&
		!slices.ContainsFunc(a.Overrides, func(o vaultclient.Override) bool {
			return o.Context == nil && o.Identification == nil && o.Circumstances == nil || !said(o.Why, vaultclient.MaxOverrideText)
		})
}

// incidentAsk is the leave that entering a step, or reading incidents, needs.
func incidentAsk(kind ledger.Kind, subject string) ask {
	return ask{action: policy.Oversee, purpose: policy.BreachNotice, kind: kind, subject: subject}
}

// EnterStep enters a step of an incident; a declaration makes the incident. It is entered in the ledger of the organisation that it
// concerns, or of the installation. A step by somebody who is tied to one organisation concerns that one.
func (v *Vault) EnterStep(ctx context.Context, c Caller, s vaultclient.NewStep) (id.Incident, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return id.Incident{}, err
	}
	if p.grant != nil {
		return id.Incident{}, refused("people enter what is done about an incident")
	}
	if err := v.checkStep(s, v.now()); err != nil {
		return id.Incident{}, err
	}
	if s.Organisation.IsZero() && len(p.Organisations) > 0 {
		if len(p.Organisations) > 1 {
			return id.Incident{}, invalid("say which of your organisations it concerns")
		}
		s.Organisation = p.Organisations[0]
	}
	switch of := !s.Organisation.IsZero(); {
	case s.Kind == vaultclient.SignedOff && !of:
		return id.Incident{}, invalid("an organisation signs off: say which")
	case s.Kind == vaultclient.Closed && of:
		return id.Incident{}, invalid("an incident is closed for everybody, by the service; an organisation signs off")
	}
	n := s.Incident
	if n.IsZero() {
		n = id.New[id.Incident]()
	}
	a := incidentAsk(ledger.Incident, "incident:"+n.String())
	a.organisation = s.Organisation
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return id.Incident{}, err
	}
	return n, hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		row := step{At: t.now.UnixMicro(), By: p.User, Role: p.Role, Kind: s.Kind, Text: s.Text, Organisation: s.Organisation, Hypothesis: s.Hypothesis, Moment: cmp.Or(s.Moment, t.now).UnixMicro(), Drill: s.Drill, Decision: s.Decision, Assessment: s.Assessment, Destruction: s.Destruction}
		row.Of = s.Of
		old := v.state.incidents[n]
		switch {
		case s.Kind == vaultclient.Declared:
			old = &incident{number: v.state.nextIncident(t.now, s.Drill), drill: s.Drill}
			row.Number = old.number
		case old == nil || !old.seenBy(p):
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such incident"}
		case len(old.steps) >= maxSteps:
			return invalid("an incident has at most %d steps", maxSteps)
		case !s.Of.IsZero() && !v.state.posts(n, s.Of, s.Organisation):
			return invalid("no such letter waits to be posted to this organisation")
		}
		o := v.opening(p, a)
		if h := s.Hypothesis; h != nil {
			o.From, o.To, o.Sender = h.From.UnixMicro(), h.To.UnixMicro(), string(h.Recipient)
		}
		if d := s.Destruction; d != nil {
			o.From, o.To, o.Sender = d.From.UnixMicro(), d.To.UnixMicro(), string(d.Recipient)
		}
		return t.enterSteps(n, old, []step{row}, o)
	}))
}

// enterSteps adds steps to an incident, each with an entry in the ledger of the organisation that it concerns. The opening says who acted.
func (t *tx) enterSteps(n id.Incident, one *incident, rows []step, o ledger.Opening) error {
	for i, row := range rows {
		key := stepID(n, len(one.steps)+i)
		sealed, err := t.v.sealRow(TableIncident, key, row)
		if err != nil {
			return err
		}
		o.Rule, o.Reason, o.Policy = string(row.Kind), one.number+": "+row.Text, ""
		e, err := t.v.seal(entry{org: row.Organisation, kind: ledger.Incident, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.put(TableIncident, key, sealed)
		t.append(e)
	}
	more := &incident{number: one.number, drill: one.drill, steps: append(slices.Clip(one.steps), rows...)}
	t.apply(func(s *state) {
		s.incidents[n] = more
		for i, row := range rows {
			t.v.follow(s, noticeAt{incident: n, step: len(one.steps) + i}, row)
		}
	})
	return nil
}

// nextIncident is the number of the next incident: the year in London, and a count.
func (s *state) nextIncident(now time.Time, drill bool) string {
	prefix := map[bool]string{true: "D"}[drill] + now.In(london).Format("2006-")
	n := 1
	for _, one := range s.incidents {
		if strings.HasPrefix(one.number, prefix) {
			n++
		}
	}
	return fmt.Sprintf("%s%d", prefix, n)
}

// seenBy reports whether somebody sees an incident: who works for the whole service, and who is tied to an organisation that a step concerns.
func (i *incident) seenBy(p *principal) bool {
	return len(p.Organisations) == 0 || slices.ContainsFunc(i.steps, func(s step) bool { return slices.Contains(p.Organisations, s.Organisation) })
}

// Incidents lists the incidents that the caller may see, newest first.
func (v *Vault) Incidents(ctx context.Context, c Caller) ([]vaultclient.Incident, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	a := incidentAsk(ledger.Oversee, "incidents")
	if err := v.gateEach(ctx, p, a); err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := []vaultclient.Incident{}
	for n, one := range v.state.incidents {
		if one.seenBy(p) {
			out = append(out, v.state.incidentOf(p, n, one))
		}
	}
	slices.SortFunc(out, func(a, b vaultclient.Incident) int {
		return cmp.Or(b.Steps[0].At.Compare(a.Steps[0].At), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out, nil
}

// oversees reports, without an entry, whether somebody may read incidents: their numbers alone tell nobody's data.
func (v *Vault) oversees(p *principal) bool {
	for _, org := range scopeOf(p.Organisations) {
		a := incidentAsk(ledger.Oversee, "incidents")
		a.organisation = org
		if _, _, denial := v.decide(p, a); denial != nil {
			return false
		}
	}
	return true
}

// openIncidents are those that somebody sees and that are neither closed nor drills, newest first.
func (s *state) openIncidents(p *principal) (out []vaultclient.OpenIncident) {
	for n, one := range s.incidents {
		if !one.drill && !one.closed() && one.seenBy(p) {
			out = append(out, vaultclient.OpenIncident{ID: n, Number: one.number})
		}
	}
	slices.SortFunc(out, func(a, b vaultclient.OpenIncident) int {
		return cmp.Compare(s.incidents[b.ID].steps[0].At, s.incidents[a.ID].steps[0].At)
	})
	return out
}

// closed reports whether an incident was closed.
func (i *incident) closed() bool {
	return slices.ContainsFunc(i.steps, func(s step) bool { return s.Kind == vaultclient.Closed })
}

// incidentOf is an incident as its reader may see it: what was declared and supposed, and what concerns everybody or them.
func (s *state) incidentOf(p *principal, n id.Incident, one *incident) vaultclient.Incident {
	out := vaultclient.Incident{ID: n, Number: one.number, Drill: one.drill, Closed: one.closed()}
	for i, row := range one.steps {
		if i > 0 && len(p.Organisations) > 0 && !row.Organisation.IsZero() && !slices.Contains(p.Organisations, row.Organisation) {
			continue
		}
		seen := vaultclient.IncidentStep{At: micro(row.At), By: string(row.Role), Kind: row.Kind, Text: row.Text, Organisation: row.Organisation, Hypothesis: row.Hypothesis, Moment: micro(row.Moment), Decision: row.Decision, Assessment: row.Assessment, Destruction: row.Destruction}
		seen.Notice, seen.Of = row.Notice, row.Of
		if row.By.IsZero() {
			seen.By = byItself(row.Kind)
		}
		if u := s.users[row.By]; u != nil && p.seesName(u) {
			seen.By = u.Name
		}
		out.Steps = append(out.Steps, seen)
	}
	return out
}
