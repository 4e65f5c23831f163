package vault

import (
	"context"
	"encoding/json"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// What only happens after two people agreed, for tests of what it does.

func (v *Vault) ChangePolicies(ctx context.Context, files policy.Files) error {
	next, err := policy.Parse(files)
	if err != nil {
		return err
	}
	return v.commit(ctx, func(t *tx) error { return t.changePolicies(next, files, id.User{}) })
}

func (v *Vault) AgreeToPolicies(ctx context.Context, org id.Organisation) error {
	return v.commit(ctx, func(t *tx) error { return t.agreeToPolicies(org, id.User{}) })
}

// RewriteApproval changes the stored row of a proposal as somebody can who has the vault's keys, tallies included.
func (v *Vault) RewriteApproval(ctx context.Context, n id.Approval, change func(row string) string) error {
	return v.commit(ctx, func(t *tx) error {
		b, err := json.Marshal(v.state.approvals[n])
		if err != nil {
			return err
		}
		one := new(proposal)
		if err := json.Unmarshal([]byte(change(string(b))), one); err != nil {
			return err
		}
		return t.keepApproval(n, one)
	})
}

// Crash ends the vault as a kill does: nothing is entered any more.
func (v *Vault) Crash() error { return v.end() }
