package web

import (
	"context"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sampleNotes are what was written about the sample's investigations.
type sampleNotes struct{ notes map[id.Row][]Note }

// Investigations has three of the first organisation: a level, a limit, and one that tells of a pregnancy.
func (s *sample) Investigations(_ context.Context, a vaultclient.Auth, o id.Organisation) ([]Investigation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.user(a)
	if o != organisationID(1) || err != nil {
		return nil, err
	}
	all := []Investigation{
		{ID: fixed2(id.Row{}, 1), Wearer: wearerID(3), Kind: dose.Lens, Window: dose.CalendarYear, Year: 2026, Dose: 15_400, Bound: 15_000, Name: "the employer's", On: day.Of(2026, 2, 28), Opened: sampleNow.AddDate(0, 0, -3)},
		{ID: fixed2(id.Row{}, 2), Wearer: wearerID(1), Kind: dose.Effective, Window: dose.CalendarYear, Year: 2025, Dose: 21_000, Bound: 20_000, Overexposure: true, Name: "IRR17 Schedule 3 paragraph 1", On: day.Of(2025, 11, 30), Opened: sampleNow.AddDate(0, -3, 0)},
		{ID: fixed2(id.Row{}, 3), Wearer: wearerID(2), Kind: dose.Foetus, Window: dose.Pregnancy, Year: 2026, Dose: 1_100, Bound: 1_000, Overexposure: true, On: day.Of(2026, 1, 31), Opened: sampleNow.AddDate(0, -1, 0)},
	}
	for i := range all {
		all[i].Notes = slices.Clone(s.notes[all[i].ID])
		for _, n := range all[i].Notes {
			switch {
			case n.Close:
				all[i].Closed, all[i].Reason = n.At, n.Text
			case n.Open:
				all[i].Closed, all[i].Reason = time.Time{}, ""
			}
		}
	}
	return all, nil
}

// OpenInvestigations has them at two organisations, and none open at the second.
func (s *sample) OpenInvestigations(_ context.Context, a vaultclient.Auth) (map[id.Organisation]int, error) {
	_, err := s.user(a)
	return map[id.Organisation]int{organisationID(1): 2, organisationID(2): 0}, err
}

func (s *sample) Note(_ context.Context, a vaultclient.Auth, _ id.Organisation, of id.Row, what, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.user(a)
	if len(text) > 1500 {
		return &NotAccepted{"a note has at most 1500 characters"}
	}
	if s.notes == nil {
		s.notes = map[id.Row][]Note{}
	}
	s.notes[of] = append(s.notes[of], Note{At: sampleNow, By: u.Name, Text: text, Close: what == "close", Open: what == "open"})
	return err
}
