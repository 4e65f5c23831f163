package web

import (
	"context"
	"fmt"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// samplePeople is what the sample was asked to change.
type samplePeople struct {
	put    []Person
	linked []string
}

func (s *sample) PutPerson(_ context.Context, a vaultclient.Auth, p Person) (id.Wearer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Identity.StaffNumber.Expose() == "TAKEN" {
		return id.Wearer{}, &NotAccepted{"a wearer of that organisation has this staff number already"}
	}
	s.put = append(s.put, p)
	w := p.Wearer
	if w.IsZero() {
		w = wearerID(len(s.people) + 1)
		s.people = append(s.people, vaultclient.Record{Wearer: w, Organisation: p.Organisation, From: p.From.String(), Current: true, Classified: p.Classified, Identity: p.Identity})
	}
	_, err := s.user(a)
	return w, err
}

// Match finds the first two of the sample's people for anybody called Bowen, and whoever has the NI number of all of them.
func (s *sample) Match(_ context.Context, a vaultclient.Auth, _ id.Organisation, i person.Identity, ni person.Value) ([]vaultclient.Candidate, error) {
	var found []vaultclient.Candidate
	if ni.Expose() == "AB123456C" {
		found = append(found, vaultclient.Candidate{Wearer: wearerID(3), Organisation: organisationID(1), Why: person.SameNI})
	}
	if i.Surname.Expose() == "Bowen" {
		found = append(found, vaultclient.Candidate{Wearer: wearerID(1), Organisation: organisationID(1), Why: person.SameNameAndBirth},
			vaultclient.Candidate{Wearer: wearerID(2), Organisation: organisationID(1), Why: person.NearName})
	}
	_, err := s.user(a)
	return found, err
}

func (s *sample) Pairs(_ context.Context, a vaultclient.Auth, r vaultclient.PairsRequest) (vaultclient.PairsPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := vaultclient.PairsPage{}
	if len(s.linked) == 0 && r.Offset == 0 {
		c := func(n int) vaultclient.Candidate {
			return vaultclient.Candidate{Wearer: wearerID(n), Organisation: organisationID(1), Why: person.NearName}
		}
		page = vaultclient.PairsPage{Total: 2, Pairs: []vaultclient.Pair{{One: c(1), Other: c(8)}, {One: c(2), Other: c(14)}}}
	}
	_, err := s.user(a)
	return page, err
}

func (s *sample) LinkPersons(_ context.Context, a vaultclient.Auth, one, other id.Wearer) error {
	return s.decided(a, "one", one, other)
}

func (s *sample) TellApart(_ context.Context, a vaultclient.Auth, one, other id.Wearer) error {
	return s.decided(a, "two", one, other)
}

func (s *sample) decided(a vaultclient.Auth, what string, one, other id.Wearer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.linked = append(s.linked, fmt.Sprint(what, " ", one, " ", other))
	_, err := s.user(a)
	return err
}

// Linked links the first two people.
func (s *sample) Linked(_ context.Context, a vaultclient.Auth, _ policy.Purpose, ws []id.Wearer) ([][]vaultclient.LinkedWearer, error) {
	out := make([][]vaultclient.LinkedWearer, len(ws))
	for i, w := range ws {
		out[i] = []vaultclient.LinkedWearer{{Wearer: w}}
		if w == wearerID(1) {
			out[i] = append(out[i], vaultclient.LinkedWearer{Wearer: wearerID(2)})
		}
	}
	_, err := s.user(a)
	return out, err
}

func (s *sample) Work(_ context.Context, a vaultclient.Auth, ws []id.Wearer) (map[id.Wearer]Work, error) {
	out := map[id.Wearer]Work{}
	for i, w := range ws {
		out[w] = Work{Department: []string{"Cardioleg / Cardiology", "Theatrau / Theatres"}[i%2], JobTitle: "Radiograffydd"}
	}
	_, err := s.user(a)
	return out, err
}

func (s *sample) WorkOf(ctx context.Context, a vaultclient.Auth, o id.Organisation) (map[id.Wearer]Work, error) {
	var ws []id.Wearer
	for _, p := range s.people {
		if p.Organisation == o {
			ws = append(ws, p.Wearer)
		}
	}
	return s.Work(ctx, a, ws)
}

func (s *sample) BadgesOut(_ context.Context, a vaultclient.Auth, _ id.Organisation, w id.Wearer) ([]BadgeOut, error) {
	_, err := s.user(a)
	if w == wearerID(2) {
		return nil, err
	}
	return []BadgeOut{{"A0000123", day.Of(2026, 1, 1), day.Of(2026, 3, 31)}, {"A0000877", day.Of(2026, 3, 1), day.Of(2026, 3, 31)}}, err
}
