package register

import (
	"context"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// errNoFile says that there is no such import, or that the caller's role loads no files.
var errNoFile = &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such file"}

// loads reports, as an error, that the caller's role loads no files.
func (s *Service) loads(ctx context.Context, auth vaultclient.Auth) error {
	_, err := s.loader(ctx, auth)
	return err
}

// loader returns who the caller is, whose role loads files.
func (s *Service) loader(ctx context.Context, auth vaultclient.Auth) (vaultclient.User, error) {
	user, err := s.Vault.Whoami(ctx, auth)
	if err == nil && user.Role != policy.Coordinator {
		err = errNoFile
	}
	return user, err
}

// Files returns most imports, newest first, after the newest skip, and how many there are. All of it stands in the
// clear in the register and names nobody.
func (s *Service) Files(ctx context.Context, auth vaultclient.Auth, skip, most int) ([]ImportRow, int, error) {
	if err := s.loads(ctx, auth); err != nil {
		return nil, 0, err
	}
	return s.Store.Imports(ctx, skip, most)
}

// File returns an import likewise. Code NotFound: there is none, or the caller's role loads no files.
func (s *Service) File(ctx context.Context, auth vaultclient.Auth, n id.Import) (ImportRow, error) {
	if err := s.loads(ctx, auth); err != nil {
		return ImportRow{}, err
	}
	im, err := s.Store.Import(ctx, n)
	if errors.Is(err, ErrNotFound) || im.Kind == KindProfile || im.Kind == KindSample {
		err = errNoFile
	}
	return im, err
}

// Decline ends an import that nobody wants stored. Its file and what was found in it are deleted, and the vault destroys
// their key and enters it. ErrState: it waits for nobody's answer.
func (s *Service) Decline(ctx context.Context, auth vaultclient.Auth, n id.Import) error {
	im, err := s.File(ctx, auth, n)
	if err != nil {
		return err
	}
	return s.DeclineOwn(ctx, auth, im)
}

// DeclineOwn is Decline by a machine that delivered the file: whoever calls it has made sure of that.
func (s *Service) DeclineOwn(ctx context.Context, auth vaultclient.Auth, im ImportRow) error {
	im.State = Declined
	if err := s.Store.Move(ctx, Previewed, im); err != nil {
		return err
	}
	if err := s.Vault.Discard(ctx, auth, im.ID); err != nil {
		return fmt.Errorf("entering that the file was dropped: %w", err)
	}
	return nil
}

// OpenedBy counts the investigations that an import opened, by organisation.
func (s *Service) OpenedBy(ctx context.Context, auth vaultclient.Auth, n id.Import) (map[id.Organisation]int, error) {
	if err := s.loads(ctx, auth); err != nil {
		return nil, err
	}
	rows, err := s.Store.ImportRows(ctx, n)
	if err != nil {
		return nil, err
	}
	out := map[id.Organisation]int{}
	for _, v := range rows.Investigations {
		out[v.Organisation]++
	}
	return out, nil
}
