package vault

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// HeldPolicies are policies that hold now, and where.
type HeldPolicies struct {
	Organisation id.Organisation // zero: the installation, and every organisation that is not listed by itself
	Name         string          // the organisation's
	Version      string
	Since        time.Time   // zero: since the installation was made, as the program carries them
	Approval     id.Approval // by which they came to hold; zero likewise
	Files        policy.Files
}

// Policies lists what holds where. It says nothing of anybody, so whoever is signed in may read it.
func (v *Vault) Policies(ctx context.Context, c Caller) (vaultclient.Policies, error) {
	held, err := v.PoliciesHeld(ctx, c)
	if err != nil {
		return vaultclient.Policies{}, err
	}
	out := vaultclient.Policies{Version: held[0].Version, Carried: v.carriedPolicies(), Files: held[0].Files}
	for _, h := range held[1:] {
		out.Others = append(out.Others, vaultclient.PoliciesElsewhere{Organisation: h.Organisation, Name: h.Name, Version: h.Version})
	}
	return out, nil
}

func (v *Vault) carriedPolicies() string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.state.policies.carried.Version()
}

// PoliciesHeld lists the policies that hold with how they came to: the installation's, and then those of organisations that have
// not agreed to them, in order of name. Whoever is tied to organisations is told of those, and of others only who administers.
func (v *Vault) PoliciesHeld(ctx context.Context, c Caller) ([]HeldPolicies, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	all := len(p.Organisations) == 0 && v.May(c, policy.Administer, policy.KeepRecords)
	v.mu.RLock()
	defer v.mu.RUnlock()
	s := &v.state
	out := []HeldPolicies{s.heldPolicies(id.Organisation{})}
	for org := range s.policies.of {
		if all || slices.Contains(p.Organisations, org) {
			out = append(out, s.heldPolicies(org))
		}
	}
	slices.SortFunc(out[1:], func(a, b HeldPolicies) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// heldPolicies are what holds for an organisation, or the installation (zero), by the latest proposal that made it so.
func (s *state) heldPolicies(org id.Organisation) HeldPolicies {
	set := s.policies.at(org)
	h := HeldPolicies{Organisation: org, Version: set.Version(), Files: set.Files()}
	if !org.IsZero() {
		h.Name = s.organisationName(org)
	}
	carried := policy.Carried()
	change := h.Files.Less(carried)
	for n, one := range s.approvals {
		if one.State != vaultclient.Done || !micro(one.Settled).After(h.Since) {
			continue
		}
		made := false
		switch one.Kind {
		case vaultclient.ApprovePolicies:
			var b vaultclient.PoliciesChange
			made = json.Unmarshal(one.Body, &b) == nil && maps.Equal(b.Files.Less(carried), change)
		case vaultclient.ApproveAgreement:
			var b vaultclient.PoliciesAgreement
			made = json.Unmarshal(one.Body, &b) == nil && b.Organisation == org && b.Version == h.Version
		}
		if made {
			h.Since, h.Approval = micro(one.Settled), n
		}
	}
	return h
}
