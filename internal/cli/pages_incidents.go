package cli

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Incidents implements web.Incidents.
func (p pagesRegister) Incidents(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Incident, error) {
	return p.client.Incidents(ctx, auth)
}

// EnterStep implements web.Incidents.
func (p pagesRegister) EnterStep(ctx context.Context, auth vaultclient.Auth, s vaultclient.NewStep) (id.Incident, error) {
	return p.client.EnterStep(ctx, auth, s)
}

// Exposures implements web.Incidents.
func (p pagesRegister) Exposures(ctx context.Context, auth vaultclient.Auth, r vaultclient.ExposureRequest) (vaultclient.Exposures, error) {
	return p.client.Exposures(ctx, auth, r)
}

// Users implements web.Incidents.
func (p pagesRegister) Users(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.User, error) {
	return p.client.Users(ctx, auth)
}

// Freeze implements web.Incidents.
func (p pagesRegister) Freeze(ctx context.Context, auth vaultclient.Auth, r vaultclient.FreezeRequest) error {
	return p.client.Freeze(ctx, auth, r)
}

// Frozen implements web.Incidents.
func (p pagesRegister) Frozen(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.Frozen, error) {
	return p.client.Frozen(ctx, auth)
}

// Tell implements web.Incidents.
func (p pagesRegister) Tell(ctx context.Context, auth vaultclient.Auth, r vaultclient.TellRequest) ([]vaultclient.TellingResult, error) {
	return p.client.Tell(ctx, auth, r)
}
