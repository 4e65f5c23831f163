package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// CanariesCmd holds what is done with canaries.
type CanariesCmd struct {
	Add CanariesAddCmd `cmd:"" help:"Invent people who have left an organisation, whose records nobody has a reason to open."`
}

// CanariesAddCmd plants canaries.
type CanariesAddCmd struct {
	signedIn
	Organisation string `arg:"" help:"Name of the organisation."`
	Number       int    `help:"How many." default:"20"`
}

// planting is a vault that is told of all who are taken on that they are invented. The rows in the register are made by
// whatever makes those of other people, so that nothing in them differs.
type planting struct{ register.Vault }

// Stage stages invented people.
func (p planting) Stage(ctx context.Context, auth vaultclient.Auth, n id.Import, changes []vaultclient.Change) ([]vaultclient.Staged, error) {
	for i := range changes {
		changes[i].Invented = true
	}
	return p.Vault.Stage(ctx, auth, n, changes)
}

// Run invents people and takes them on.
func (c *CanariesAddCmd) Run(e *env) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	client, _, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	org, err := findOrganisation(orgs, c.Organisation)
	if err != nil || org.IsZero() {
		return cmp.Or(err, errors.New("the name of an organisation is expected"))
	}
	made, err := client.Invent(e.ctx, auth, org, c.Number)
	if err != nil {
		return err
	}
	joiners := make([]register.Joiner, len(made))
	for i, m := range made {
		from, errFrom := day.Parse(m.From)
		to, errTo := day.Parse(m.To)
		if err := errors.Join(errFrom, errTo); err != nil {
			return err
		}
		joiners[i] = register.Joiner{Organisation: org, Identity: m.Identity, From: from, To: to, New: true}
	}
	svc.Vault = planting{svc.Vault}
	if _, err := svc.TakeOn(e.ctx, auth, joiners, nil, "HR"); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Invented: %d people who have left. Nobody is told who they are, and nothing lists them.\n", len(made))
	return nil
}
