package web

import (
	"context"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func (s *sample) Budgets(_ context.Context, a vaultclient.Auth) (vaultclient.Budgets, error) {
	u, err := s.user(a)
	if err != nil || u.Role == policy.Wearer {
		return vaultclient.Budgets{}, err
	}
	return vaultclient.Budgets{Role: u.Role, Lines: []vaultclient.BudgetLine{{Class: "guesses", Used: 3, Limit: 1000}, {Class: "identity", Used: 812, Limit: 20_000}, {Class: "dose", Used: 4766, Limit: 20_000}},
		MayBreak: s.reason == "", Broken: s.broken}, nil
}

func (s *sample) BreakGlass(ctx context.Context, a vaultclient.Auth, reason string) (vaultclient.Budgets, error) {
	if _, err := s.user(a); err != nil {
		return vaultclient.Budgets{}, err
	}
	s.mu.Lock()
	s.reason, s.broken = reason, sampleNow
	s.mu.Unlock()
	return s.Budgets(ctx, a)
}
