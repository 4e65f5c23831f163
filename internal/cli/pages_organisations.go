package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/web"
)

// CreateOrganisation implements web.Organisations.
func (p pagesRegister) CreateOrganisation(ctx context.Context, auth vaultclient.Auth, o vaultclient.Organisation, s web.Settings) (id.Organisation, error) {
	ids, err := p.client.CreateOrganisations(ctx, auth, []vaultclient.Organisation{o})
	if err != nil {
		return id.Organisation{}, err
	}
	if err := cmp.Or(p.SetSettings(ctx, auth, ids[0], s), p.SetNoticeContact(ctx, auth, ids[0], s.Notice)); err != nil {
		return id.Organisation{}, fmt.Errorf("the organisation was added, but not all its settings: %w", err)
	}
	return ids[0], nil
}

// ChangeOrganisation implements web.Organisations.
func (p pagesRegister) ChangeOrganisation(ctx context.Context, auth vaultclient.Auth, o vaultclient.Organisation) error {
	return p.client.ChangeOrganisation(ctx, auth, o)
}

// Settings implements web.Organisations.
func (p pagesRegister) Settings(ctx context.Context, auth vaultclient.Auth, o id.Organisation) (web.Settings, error) {
	set, err := p.SettingsOf(ctx, auth, o)
	if err != nil {
		return web.Settings{}, err
	}
	return web.Settings{Controller: set.Standing == register.Controller, Asked: set.Standing != "", Accounts: set.Accounts, Departments: set.Departments, Levels: set.Levels}, nil
}

// SetNoticeContact implements web.Organisations.
func (p pagesRegister) SetNoticeContact(ctx context.Context, auth vaultclient.Auth, o id.Organisation, n vaultclient.NoticeContact) error {
	return p.client.SetNoticeContact(ctx, auth, vaultclient.NewNoticeContact{Organisation: o, Contact: n})
}

// SetSettings implements web.Organisations.
func (p pagesRegister) SetSettings(ctx context.Context, auth vaultclient.Auth, o id.Organisation, s web.Settings) error {
	set := register.Settings{Accounts: s.Accounts, Departments: s.Departments, Levels: s.Levels}
	switch {
	case s.Controller:
		set.Standing = register.Controller
	case s.Asked:
		set.Standing = register.Processor
	}
	return notAccepted(p.Service.SetSettings(ctx, auth, o, set))
}

// SetLevels implements web.Organisations.
func (p pagesRegister) SetLevels(ctx context.Context, auth vaultclient.Auth, o id.Organisation, doses map[dose.Kind]dose.MicroSv, from day.Day) error {
	set, err := p.SettingsOf(ctx, auth, o)
	if err != nil {
		return err
	}
	return notAccepted(p.Service.SetSettings(ctx, auth, o, set.WithLevels(doses, from)))
}

// AccountTaken implements web.Organisations.
func (p pagesRegister) AccountTaken(ctx context.Context, auth vaultclient.Auth, o id.Organisation, accounts []string) (id.Organisation, error) {
	_, by, err := p.Service.AccountTaken(ctx, auth, o, accounts)
	return by, err
}

// notAccepted turns what the register says of what somebody entered into what the pages show of it.
func notAccepted(err error) error {
	if no, ok := errors.AsType[*register.InputError](err); ok {
		return &web.NotAccepted{Message: no.Message}
	}
	return err
}
