package vaultclient

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// PoliciesChange puts files in the place of those that the program carries; no file puts those back.
type PoliciesChange struct {
	Base  string       `json:"base"` // version that it changes: that of today, or it is refused
	Files policy.Files `json:"files"`
}

// PoliciesAgreement makes the installation's policies, of a version, hold for an organisation that they open further.
type PoliciesAgreement struct {
	Organisation id.Organisation `json:"organisation"`
	Base         string          `json:"base"` // version that holds for it
	Version      string          `json:"version"`
}

// Policies are those that hold for the installation, and where others hold.
type Policies struct {
	Version string              `json:"version"`
	Carried string              `json:"carried"` // version of those that the program carries
	Files   policy.Files        `json:"files"`
	Others  []PoliciesElsewhere `json:"others,omitempty"`
}

// PoliciesElsewhere is an organisation that has not agreed yet to what the installation's policies would open.
type PoliciesElsewhere struct {
	Organisation id.Organisation `json:"organisation"`
	Name         string          `json:"name"`
	Version      string          `json:"version"`
}

// Policies returns the policies that hold.
func (c *Client) Policies(ctx context.Context, auth Auth) (p Policies, err error) {
	err = call(ctx, c, "policies", auth, struct{}{}, &p)
	return p, err
}
