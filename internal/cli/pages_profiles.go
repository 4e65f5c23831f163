package cli

import (
	"context"
	"errors"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// StoredProfiles implements web.Profiles.
func (p pagesRegister) StoredProfiles(ctx context.Context, auth vaultclient.Auth) ([]web.StoredProfile, error) {
	all, err := p.Profiles(ctx, auth)
	offered := map[id.Import]bool{}
	for _, one := range register.Offered(all) {
		offered[one.Import] = true
	}
	out := make([]web.StoredProfile, len(all))
	for i, one := range all {
		out[i] = storedProfileOf(one, offered[one.Import])
	}
	return out, err
}

func storedProfileOf(p register.ProfileRow, offered bool) web.StoredProfile {
	return web.StoredProfile{ID: p.Import, Name: p.Name, Version: p.Version, SHA256: p.SHA256, Added: p.Added, Used: p.Used, Retired: p.Retired, Offered: offered}
}

// StoredProfile implements web.Profiles.
func (p pagesRegister) StoredProfile(ctx context.Context, auth vaultclient.Auth, n id.Import) (web.StoredProfile, []byte, error) {
	all, err := p.StoredProfiles(ctx, auth)
	if err != nil {
		return web.StoredProfile{}, nil, err
	}
	row, text, err := p.Profile(ctx, auth, n)
	out := storedProfileOf(row, false)
	for _, one := range all {
		if one.ID == n {
			out = one
		}
	}
	return out, text, notAccepted(err)
}

// StoreProfile implements web.Profiles.
func (p pagesRegister) StoreProfile(ctx context.Context, auth vaultclient.Auth, text []byte) (id.Import, error) {
	n, err := p.AddProfile(ctx, auth, text)
	return n, notAccepted(err)
}

// RetireProfile implements web.Profiles.
func (p pagesRegister) RetireProfile(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	err := p.Service.RetireProfile(ctx, auth, n)
	if errors.Is(err, register.ErrState) {
		return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the profile is retired"}
	}
	return err
}

// ReceiveByStored implements web.Profiles.
func (p pagesRegister) ReceiveByStored(ctx context.Context, auth vaultclient.Auth, file []byte, sender string, profile id.Import) (id.Import, error) {
	n, err := p.ReceiveStored(ctx, auth, file, sender, profile)
	return n, notAccepted(err)
}
