package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// CanariesCmd holds what is done with canaries.
type CanariesCmd struct {
	Add CanariesAddCmd `cmd:"" help:"Invent people who have left an organisation, whose records nobody has a reason to open."`
}

// CanariesAddCmd plants canaries.
type CanariesAddCmd struct {
	signedIn
	Organisation string `arg:"" optional:"" help:"Name of the organisation; without it, each one."`
	Number       int    `help:"How many; without it, as many as are missing to one for each twenty who have left."`
}

// Run invents people and takes them on.
func (c *CanariesAddCmd) Run(e *env) error {
	if c.Number < 0 {
		return errors.New("--number is how many canaries to add")
	}
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
	if c.Organisation != "" {
		one, err := findOrganisation(orgs, c.Organisation)
		if err != nil {
			return err
		}
		orgs = slices.DeleteFunc(orgs, func(o vaultclient.Organisation) bool { return o.ID != one })
	}
	made := 0
	for _, o := range orgs {
		n, err := svc.Plant(e.ctx, auth, o.ID, func(ctx context.Context, worn []vaultclient.Span) ([]vaultclient.Change, error) {
			return client.Invent(ctx, auth, o.ID, c.Number, worn)
		})
		if made += n; err != nil {
			return fmt.Errorf("%s: %w; %d people were invented", o.Name, err, made)
		}
	}
	fmt.Fprintf(e.stdout, "Invented: %d people who have left. Nobody is told who they are, and nothing lists them.\n", made)
	return nil
}
