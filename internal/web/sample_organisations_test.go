package web

import (
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sampleSettings are the sample's settings by organisation, beside what newSample makes.
type sampleSettings map[id.Organisation]Settings

func newSampleSettings() sampleSettings {
	return sampleSettings{organisationID(1): {
		Asked: true, Accounts: []string{"700123", "700124"}, Departments: []string{"Cardioleg / Cardiology", "Theatrau / Theatres"},
		Notice: vaultclient.NoticeContact{Name: "Swyddog diogelu data", Email: "dpo@aeron.example", Phone: "01970 555010", Verified: day.Of(2026, 1, 15), By: "Mair Evans", How: "telephoned on the number of its website"},
		Levels: []dose.Level{{Kind: dose.Lens, Dose: 15_000, Name: "the employer's"}, {Kind: dose.Effective, Dose: 4_000, From: day.Of(2023, 1, 1), To: day.Of(2024, 12, 31), Name: "the employer's"}},
	}}
}

// withContacts are organisations as a co-ordinator sees them.
func (s *sample) withContacts(all []vaultclient.Organisation) []vaultclient.Organisation {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(all)
	for i := range out {
		if n := s.settings[out[i].ID].Notice; !n.IsZero() {
			out[i].Notice = &n
		}
	}
	return out
}

func (s *sample) CreateOrganisation(_ context.Context, a vaultclient.Auth, o vaultclient.Organisation, set Settings) (id.Organisation, error) {
	u, err := s.user(a)
	if err != nil {
		return o.ID, err
	}
	if !set.Notice.Verified.IsZero() {
		set.Notice.By = u.Name
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o.ID = organisationID(len(s.organisations) + 1)
	s.organisations = append(s.organisations, o)
	s.settings[o.ID] = set
	return o.ID, nil
}

func (s *sample) SetNoticeContact(_ context.Context, a vaultclient.Auth, o id.Organisation, n vaultclient.NoticeContact) error {
	u, err := s.user(a)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !n.Verified.IsZero() {
		n.By = u.Name
	}
	set := s.settings[o]
	set.Notice = n
	s.settings[o] = set
	return nil
}

func (s *sample) ChangeOrganisation(_ context.Context, a vaultclient.Auth, o vaultclient.Organisation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.organisations {
		if s.organisations[i].ID == o.ID {
			s.organisations[i].Name, s.organisations[i].Kind = o.Name, o.Kind
		}
	}
	_, err := s.user(a)
	return err
}

func (s *sample) Settings(_ context.Context, a vaultclient.Auth, o id.Organisation) (Settings, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.user(a)
	return s.settings[o], err
}

func (s *sample) SetSettings(_ context.Context, a vaultclient.Auth, o id.Organisation, set Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(set.Accounts, "not a code") {
		return &NotAccepted{"account 1: 1 to 32 letters, digits, hyphens or slashes are expected, and each account once"}
	}
	s.settings[o] = set
	_, err := s.user(a)
	return err
}

func (s *sample) SetLevels(_ context.Context, a vaultclient.Auth, o id.Organisation, doses map[dose.Kind]dose.MicroSv, from day.Day) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.settings[o]
	set.Levels = nil
	for _, k := range levelKinds {
		if doses[k] > 0 {
			set.Levels = append(set.Levels, dose.Level{Kind: k, Dose: doses[k], From: from})
		}
	}
	s.settings[o] = set
	_, err := s.user(a)
	return err
}

func (s *sample) AccountTaken(_ context.Context, a vaultclient.Auth, o id.Organisation, accounts []string) (id.Organisation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.user(a)
	for other, set := range s.settings {
		if other != o && slices.ContainsFunc(accounts, func(x string) bool { return slices.Contains(set.Accounts, x) }) {
			return other, err
		}
	}
	return id.Organisation{}, err
}
