package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/vaultcmd"
)

// FreezeCmd freezes something.
type FreezeCmd struct {
	signedIn
	Scope  string `arg:"" help:"everything, organisation:NAME, user:NAME, node:NAME, grant:ID, supplier:NAME or export:ID."`
	Reason string `help:"Why; whoever may thaw it reads this." required:"" placeholder:"TEXT"`
	Notice bool   `help:"It is part of an incident: the purpose entered is breach-notice, not oversight."`
	Sure   bool   `help:"Freeze even if fewer than two people are left who could thaw anything."`
}

// Run freezes at once.
func (c *FreezeCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	scope, err := c.scope(e, client, auth)
	if err != nil {
		return err
	}
	r := vaultclient.FreezeRequest{Scope: scope, Reason: c.Reason, Sure: c.Sure}
	if c.Notice {
		r.Purpose = policy.BreachNotice
	}
	if err := client.Freeze(e.ctx, auth, r); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Frozen: %s. Two people can thaw it on the vault's own pages.\n", scope)
	return nil
}

// scope finds an organisation or user by name where no id is given.
func (c *FreezeCmd) scope(e *env, client *vaultclient.Client, auth vaultclient.Auth) (vaultclient.Scope, error) {
	scope, err := vaultclient.ParseScope(c.Scope)
	if err == nil {
		return scope, nil
	}
	kind, name, _ := strings.Cut(c.Scope, ":")
	switch {
	case name == "":
	case kind == vaultclient.ScopeOrganisation:
		n, err := organisationNamed(e, client, auth, name)
		return vaultclient.OrganisationScope(n), err
	case kind == vaultclient.ScopeUser:
		users, err := client.Users(e.ctx, auth)
		if err != nil {
			return "", err
		}
		var found []vaultclient.Scope
		for _, u := range users {
			if u.Ended.IsZero() && person.Fold(u.Name) == person.Fold(name) {
				found = append(found, vaultclient.UserScope(u.ID))
			}
		}
		if len(found) != 1 {
			return "", errors.New("no user has this name, or more than one: take the id that dosevault users list shows")
		}
		return found[0], nil
	}
	return "", err
}

// FrozenCmd lists what is frozen.
type FrozenCmd struct{ signedIn }

// Run prints what is frozen, newest first.
func (c *FrozenCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	list, err := client.Frozen(e.ctx, auth)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(e.stdout, "Nothing is frozen.")
		return nil
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FROZEN\tSINCE\tBY\tWHY")
	for _, f := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", aboutOf(string(f.Scope), f.Name), minute(f.At), cmp.Or(f.By, "the vault"), f.Reason)
	}
	return t.Flush()
}

// ThawCmd thaws without a second person.
type ThawCmd struct {
	place
	Offline bool   `help:"Say that this is meant: the vault is stopped, and no second person is asked."`
	Scope   string `arg:"" optional:"" help:"What to thaw, as dosevault frozen shows it; without it, what is frozen is listed."`
}

// Run opens the stopped vault with its keys. Otherwise two people thaw, on the vault's own pages.
func (c *ThawCmd) Run(e *env) error {
	if !c.Offline {
		return errors.New("two people thaw, on the vault's own pages. Where there are not two, stop the service and use --offline on its host: that is entered, and alarmed")
	}
	if !c.exists() {
		return errNoInstallation
	}
	ctx, stop := signal.NotifyContext(e.ctx, syscall.SIGTERM)
	defer stop()
	return vaultcmd.Thaw(ctx, vaultcmd.Config{Database: c.vaultDB(), Address: c.VaultDatabase, Keys: c.Keys, Socket: c.socket(), Ready: e.stdout, Log: e.log}, c.Scope)
}
