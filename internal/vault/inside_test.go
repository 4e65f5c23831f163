package vault

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

// What only happens after two people agreed, for tests of what it does.

func (v *Vault) ChangePolicies(ctx context.Context, files policy.Files) error {
	return v.commit(ctx, func(t *tx) error {
		_, err := t.changePolicies(files, id.User{})
		return err
	})
}

func (v *Vault) AgreeToPolicies(ctx context.Context, org id.Organisation) error {
	return v.commit(ctx, func(t *tx) error { return t.agreeToPolicies(org, id.User{}) })
}

// CheckApprovalAs checks the signatures of one proposal as if they stood beside another.
func (v *Vault) CheckApprovalAs(n, other id.Approval) error {
	moved := *v.state.approvals[other]
	moved.Signatures = v.state.approvals[n].Signatures
	return v.checkSignatures(other, &moved)
}
