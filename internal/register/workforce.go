package register

import (
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Employments returns what an organisation knows of wearers at work, revealed to the caller; those that the register
// does not know are left out.
func (s *Service) Employments(ctx context.Context, auth vaultclient.Auth, wearers []id.Wearer) (map[id.Wearer]Employment, error) {
	return s.EmploymentsFor(ctx, auth, policy.IssueBadges, wearers)
}

// EmploymentsFor is Employments for another purpose.
func (s *Service) EmploymentsFor(ctx context.Context, auth vaultclient.Auth, purpose policy.Purpose, wearers []id.Wearer) (map[id.Wearer]Employment, error) {
	rows, err := s.Store.Wearers(ctx, wearers)
	if err != nil {
		return nil, err
	}
	return s.employments(ctx, auth, purpose, "departments", rows)
}

// BadgesOf returns an organisation's badges, by what stands in the clear: nothing that they measured is opened. ErrNotFound: the
// caller does not work with the organisation.
func (s *Service) BadgesOf(ctx context.Context, auth vaultclient.Auth, f BadgeFilter) ([]Badge, error) {
	if err := s.worksWith(ctx, auth, f.Organisation); err != nil {
		return nil, err
	}
	return s.Store.Badges(ctx, f)
}

// EmploymentsOf returns what an organisation knows of all its wearers, those who have left too.
func (s *Service) EmploymentsOf(ctx context.Context, auth vaultclient.Auth, org id.Organisation) (map[id.Wearer]Employment, error) {
	rows, err := s.Store.WearersOf(ctx, org)
	if err != nil {
		return nil, err
	}
	return s.employments(ctx, auth, policy.IssueBadges, "departments", rows)
}

// outMonths is how far back a badge may have been issued that is still looked for, and how far ahead.
const outMonths = 24

// BadgesOut returns the badges that a wearer of an organisation has and has not returned, the earliest period first. What
// they measure is not opened.
func (s *Service) BadgesOut(ctx context.Context, auth vaultclient.Auth, org id.Organisation, w id.Wearer) ([]Badge, error) {
	if err := s.worksWith(ctx, auth, org); err != nil {
		return nil, err
	}
	all, err := s.Store.Badges(ctx, BadgeFilter{Organisation: org, From: s.today().AddMonths(-outMonths), To: s.today().AddMonths(outMonths)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(b Badge) bool { return b.Wearer != w || b.State != Issued && b.State != Ordered }), nil
}

// worksWith is an error unless an organisation is one that the caller works with.
func (s *Service) worksWith(ctx context.Context, auth vaultclient.Auth, org id.Organisation) error {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(orgs, func(o vaultclient.Organisation) bool { return o.ID == org }) {
		return ErrNotFound
	}
	return nil
}
