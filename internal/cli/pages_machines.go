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

// CreateMachine implements web.Machines.
func (p pagesRegister) CreateMachine(ctx context.Context, auth vaultclient.Auth, m vaultclient.NewMachine) (id.Grant, error) {
	return p.client.CreateMachine(ctx, auth, m)
}

// EndMachine implements web.Machines.
func (p pagesRegister) EndMachine(ctx context.Context, auth vaultclient.Auth, n id.Grant) error {
	return p.client.EndMachine(ctx, auth, n)
}
