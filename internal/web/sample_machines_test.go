package web

import (
	"context"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// sampleMachines are the machines that have leave, or had it.
type sampleMachines []vaultclient.Machine

func newSampleMachines() sampleMachines {
	return sampleMachines{
		{ID: fixed2(id.Grant{}, 1), Name: "HR feed", Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldDocument, Organisations: []id.Organisation{organisationID(1)}, MaxWearers: 900, Used: 412,
			Node: "web", Ends: sampleNow.AddDate(0, 6, 0), By: "Mair Evans"},
		{ID: fixed2(id.Grant{}, 2), Name: "Old report", Purpose: policy.AssessDose, Fields: policy.FieldDose, MaxWearers: 10, Node: "web", Ends: sampleNow.AddDate(0, 1, 0), Ended: sampleNow.Add(-24 * time.Hour)},
	}
}

func (s *sample) Machines(_ context.Context, a vaultclient.Auth) ([]vaultclient.Machine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]vaultclient.Machine{}, s.machines...), s.mayManage(a)
}

// ProposeMachine gives the leave at once: who agrees is the vault's.
func (s *sample) ProposeMachine(_ context.Context, a vaultclient.Auth, m vaultclient.NewMachine) (id.Approval, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayManage(a); err != nil {
		return id.Approval{}, err
	}
	for _, x := range s.machines {
		if x.Name == m.Name {
			return id.Approval{}, &vaultclient.Error{Code: vaultclient.Conflict, Message: "taken"}
		}
	}
	n := fixed2(id.Grant{}, 1+len(s.machines))
	s.lastKey = m.Key
	s.machines = append(s.machines, vaultclient.Machine{ID: n, Name: m.Name, Purpose: m.Purpose, Fields: m.Fields, Organisations: m.Organisations, MaxWearers: m.MaxWearers, Node: m.Node, Ends: m.Ends})
	return id.Approval(n), nil
}

func (s *sample) EndMachine(_ context.Context, a vaultclient.Auth, n id.Grant) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.mayManage(a)
	for i := range s.machines {
		if s.machines[i].ID == n && err == nil {
			s.machines[i].Ended = sampleNow
		}
	}
	return err
}

func (s *sample) mayManage(a vaultclient.Auth) error {
	u, err := s.user(a)
	if err == nil && u.Role != policy.Coordinator {
		err = &vaultclient.Error{Code: vaultclient.Refused, Message: "not permitted for this purpose"}
	}
	return err
}
