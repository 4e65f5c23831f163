package cli

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Users implements web.Users.
func (p pagesRegister) Users(ctx context.Context, auth vaultclient.Auth) ([]vaultclient.User, error) {
	return p.client.Users(ctx, auth)
}

// CreateUsers implements web.Users.
func (p pagesRegister) CreateUsers(ctx context.Context, auth vaultclient.Auth, users []vaultclient.NewUser) ([]id.User, error) {
	return p.client.CreateUsers(ctx, auth, users)
}

// NewLink implements web.Users.
func (p pagesRegister) NewLink(ctx context.Context, auth vaultclient.Auth, user id.User) (string, error) {
	return p.client.NewLink(ctx, auth, user)
}

// EndUser implements web.Users.
func (p pagesRegister) EndUser(ctx context.Context, auth vaultclient.Auth, user id.User) error {
	return p.client.EndUser(ctx, auth, user)
}
