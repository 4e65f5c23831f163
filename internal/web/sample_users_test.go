package web

import (
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func (s *sample) mayManage(a vaultclient.Auth) error {
	u, err := s.user(a)
	if err == nil && u.Role != policy.Coordinator {
		err = &vaultclient.Error{Code: vaultclient.Refused, Message: "not permitted for this purpose"}
	}
	return err
}

func (s *sample) Users(_ context.Context, a vaultclient.Auth) (all []vaultclient.User, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.users {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b vaultclient.User) int { return cmp.Compare(a.Name, b.Name) })
	return all, s.mayManage(a)
}

func (s *sample) CreateUsers(_ context.Context, a vaultclient.Auth, users []vaultclient.NewUser) (ids []id.User, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayManage(a); err != nil {
		return nil, err
	}
	for _, n := range users {
		u := vaultclient.User{ID: fixed2(id.User{}, 100+len(s.users)), Name: n.Name, Role: n.Role, Organisations: n.Organisations, Wearers: n.Wearers}
		s.users[n.Name] = u
		ids = append(ids, u.ID)
	}
	return ids, nil
}

func (s *sample) NewLink(_ context.Context, a vaultclient.Auth, _ id.User) (string, error) {
	return "5ec2e7", s.mayManage(a)
}

func (s *sample) EndUser(_ context.Context, a vaultclient.Auth, user id.User) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.mayManage(a)
	for token, u := range s.users {
		if u.ID == user && err == nil {
			u.Ended = sampleNow
			s.users[token] = u
		}
	}
	return err
}
