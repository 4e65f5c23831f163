package cli

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Machines implements web.Machines.
func (p pagesRegister) Machines(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Machine, error) {
	return p.client.Machines(ctx, auth)
}

// ProposeMachine implements web.Machines.
func (p pagesRegister) ProposeMachine(ctx context.Context, auth vaultclient.Auth, m vaultclient.NewMachine) (id.Approval, error) {
	return p.client.Propose(ctx, auth, vaultclient.ApproveMachine, m)
}

// EndMachine implements web.Machines.
func (p pagesRegister) EndMachine(ctx context.Context, auth vaultclient.Auth, n id.Grant) error {
	return p.client.EndMachine(ctx, auth, n)
}
