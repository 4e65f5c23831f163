package web

import (
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sampleIncidents are suspected breaches of the sample's laboratory, a lost disk and a rehearsal.
type sampleIncidents struct {
	incidents []vaultclient.Incident
	steps     []vaultclient.NewStep // that were entered
	asked     []vaultclient.ExposureRequest
	froze     []vaultclient.FreezeRequest
	told      []vaultclient.TellRequest
	noMail    bool // no mail server is set up
	tooFew    bool // who could thaw
}

func incidentID(n int) (i id.Incident) { return fixed2(i, n) }

func newSampleIncidents() (s sampleIncidents) {
	day := func(y, m, d, h int) time.Time { return time.Date(y, time.Month(m), d, h, 0, 0, 0, time.UTC) }
	lab := &vaultclient.Hypothesis{Recipient: "supplier:Cardiff Dosimetry", From: day(2020, 3, 1, 0), To: day(2026, 3, 11, 0)}
	step := func(at time.Time, by string, k vaultclient.IncidentStepKind, text string) vaultclient.IncidentStep {
		return vaultclient.IncidentStep{At: at, Moment: at, By: by, Kind: k, Text: text}
	}
	of := func(n int, s vaultclient.IncidentStep) vaultclient.IncidentStep {
		s.Organisation = organisationID(n)
		return s
	}
	declared := step(day(2026, 3, 10, 21), "Mair Evans", vaultclient.Declared, "The laboratory telephoned: somebody copied files from one of its servers.")
	declared.Hypothesis = lab
	knew := step(day(2026, 3, 10, 22), "Mair Evans", vaultclient.Knew, "The laboratory says that it found out on the 2nd.")
	knew.Moment = day(2026, 3, 2, 9)
	supposed := step(day(2026, 3, 11, 9), "Mair Evans", vaultclient.Supposed, "The account that its files were loaded with may be in the same hands.")
	supposed.Hypothesis = &vaultclient.Hypothesis{Recipient: vaultclient.Recipient(vaultclient.UserScope(fixed2(id.User{}, 2))), From: day(2026, 3, 1, 0), To: day(2026, 3, 11, 9)}
	decided := of(1, step(day(2026, 3, 11, 12), "Eluned Morgan", vaultclient.Decided, "An NI number can’t be changed."))
	decided.Decision = &vaultclient.Decision{Report: true, TellPeople: true}
	first := vaultclient.Incident{ID: incidentID(1), Number: "2026-3", Steps: []vaultclient.IncidentStep{declared, knew,
		of(1, step(day(2026, 3, 10, 22), "Mair Evans", vaultclient.Told, "By telephone, and by e-mail to its officer.")),
		of(3, step(day(2026, 3, 9, 9), "Mair Evans", vaultclient.Told, "By telephone.")),
		supposed, decided, of(1, step(day(2026, 3, 11, 13), "Eluned Morgan", vaultclient.Asked, "Why did the laboratory hold NI numbers at all?"))}}
	stolen := step(day(2026, 2, 1, 9), "Mair Evans", vaultclient.Declared, "A backup disk is missing from the safe.")
	stolen.Hypothesis = &vaultclient.Hypothesis{Medium: true, From: day(2025, 12, 1, 0), To: day(2026, 2, 1, 0)}
	drilled := step(day(2026, 1, 5, 9), "Mair Evans", vaultclient.Declared, "What if the web node is taken over?")
	drilled.Hypothesis = &vaultclient.Hypothesis{Recipient: "node:web", From: day(2026, 1, 1, 0), To: day(2026, 1, 5, 0)}
	s.incidents = []vaultclient.Incident{first,
		{ID: incidentID(2), Number: "2026-2", Closed: true, Steps: []vaultclient.IncidentStep{stolen, step(day(2026, 2, 3, 9), "Mair Evans", vaultclient.Closed, "It was found behind the safe. The keys never left the vault’s host.")}},
		{ID: incidentID(3), Number: "D2026-1", Drill: true, Steps: []vaultclient.IncidentStep{drilled}}}
	return s
}

// Incidents are those that an officer of the first organisation sees, or all of them.
func (s *sample) Incidents(_ context.Context, a vaultclient.Auth) ([]vaultclient.Incident, error) {
	u, err := s.user(a)
	switch {
	case err != nil:
		return nil, err
	case !overseesIncidents(u.Role):
		return nil, &vaultclient.Error{Code: vaultclient.Refused, Message: "not permitted for this purpose"}
	case ofService(u):
		return s.incidents, nil
	}
	own := s.incidents[0]
	own.Steps = slices.DeleteFunc(slices.Clone(own.Steps), func(one vaultclient.IncidentStep) bool {
		return !one.Organisation.IsZero() && one.Organisation != organisationID(1)
	})
	for i := range own.Steps {
		if own.Steps[i].By == "Mair Evans" {
			own.Steps[i].By = string(policy.Coordinator)
		}
	}
	return []vaultclient.Incident{own}, nil
}

func (s *sample) EnterStep(_ context.Context, a vaultclient.Auth, one vaultclient.NewStep) (id.Incident, error) {
	if _, err := s.user(a); err != nil {
		return id.Incident{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, one)
	if one.Incident.IsZero() {
		return incidentID(1), nil
	}
	return one.Incident, nil
}

// Exposures are of the laboratory: many people of one organisation, some of others; nobody of the node of the rehearsal.
func (s *sample) Exposures(_ context.Context, a vaultclient.Auth, r vaultclient.ExposureRequest) (x vaultclient.Exposures, err error) {
	u, err := s.user(a)
	s.mu.Lock()
	s.asked = append(s.asked, r)
	s.mu.Unlock()
	if err != nil || r.Recipient == "node:web" {
		return x, err
	}
	add := func(o, n int, basis string, f policy.Fields) {
		if len(u.Organisations) > 0 && o != 1 {
			return
		}
		for i := range n {
			one := vaultclient.Exposure{Wearer: wearerID(o*1000 + i), Organisation: organisationID(o), Basis: basis, Fields: f, First: r.From.AddDate(0, 0, i), Last: r.From.AddDate(3, 0, i), Entries: 1 + i%3}
			if o == 1 && i < len(s.people) {
				one.Wearer = wearerID(i + 1)
			}
			x.List = append(x.List, one)
		}
		x.Cells = append(x.Cells, vaultclient.ExposureCell{Organisation: organisationID(o), Basis: basis, Fields: f, Wearers: n})
		x.Wearers += n
	}
	add(1, 259, "declared", policy.FieldName|policy.FieldDose)
	add(1, 37, "gate", policy.FieldName|policy.FieldDose|policy.FieldBirth)
	add(2, 12, "declared", policy.FieldName|policy.FieldNI|policy.FieldBirth|policy.FieldDose)
	add(3, 4, "intake", policy.FieldName)
	x.Wearers -= 37 // they are among the others
	x.People = x.Wearers - 2
	x.Proofs = []vaultclient.EntryRef{{Log: organisationID(1).String() + "/2024", Seq: 812, Recorded: r.From, LeafHash: make([]byte, 32)}}
	return x, nil
}

func (s *sample) Users(_ context.Context, a vaultclient.Auth) (all []vaultclient.User, err error) {
	if _, err := s.user(a); err != nil {
		return nil, err
	}
	for _, u := range s.users {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b vaultclient.User) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return all, nil
}

func (s *sample) Freeze(_ context.Context, a vaultclient.Auth, r vaultclient.FreezeRequest) error {
	if _, err := s.user(a); err != nil {
		return err
	}
	if s.tooFew && !r.Sure {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "fewer than two people would be left"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.froze = append(s.froze, r)
	return nil
}

func (s *sample) Frozen(_ context.Context, a vaultclient.Auth) ([]vaultclient.Frozen, error) {
	_, err := s.user(a)
	return []vaultclient.Frozen{{Scope: "supplier:Cardiff Dosimetry", At: sampleNow}}, err
}

// Tell gives out a notice to each but the third organisation, whose contact nobody verified.
func (s *sample) Tell(_ context.Context, a vaultclient.Auth, r vaultclient.TellRequest) (out []vaultclient.TellingResult, err error) {
	if _, err := s.user(a); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noMail && r.Channel == vaultclient.ByMail {
		return nil, &vaultclient.Error{Code: vaultclient.Invalid, Message: "no mail server is set up"}
	}
	s.told = append(s.told, r)
	for _, o := range r.Organisations {
		one := vaultclient.TellingResult{Organisation: o, Problem: "nobody has verified its contact, so no mail goes there: verify it, or tell it by letter"}
		if o != organisationID(3) {
			one = vaultclient.TellingResult{Organisation: o, Notice: &vaultclient.Notice{Phase: 1, Channel: r.Channel, CallBack: r.CallBack, Wearers: 12, Contact: vaultclient.NoticeContact{Name: "Swyddog diogelu data"}}}
		}
		out = append(out, one)
	}
	return out, nil
}
