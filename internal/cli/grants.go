package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// GrantsCmd holds what is done with leave for work without a user.
type GrantsCmd struct {
	List    GrantsListCmd    `cmd:"" default:"1" help:"List standing grants, machines and running jobs."`
	Propose GrantsProposeCmd `cmd:"" help:"Propose a standing grant: leave for recurring work. It takes two people."`
	End     GrantsEndCmd     `cmd:"" help:"End a grant at once."`
}

// GrantsListCmd lists grants.
type GrantsListCmd struct {
	signedIn
}

// Run prints the grants.
func (c *GrantsListCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	grants, err := client.Grants(e.ctx, auth)
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tNAME\tPURPOSE\tORGANISATIONS\tPEOPLE\tNODE\tENDS\tGRANT")
	for _, g := range grants {
		ends := g.Ends.Format(time.DateOnly)
		if !g.Runs {
			ends = "ended"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d of %d\t%s\t%s\tgrant:%s\n", g.Kind, g.Name, g.Purpose, whereOf(orgs, g.Organisations), g.Used, g.MaxWearers, g.Node, ends, g.ID)
	}
	return t.Flush()
}

// GrantsProposeCmd proposes a standing grant.
type GrantsProposeCmd struct {
	signedIn
	signInPages
	Name         string   `arg:"" help:"What the work is called in ledgers; no person's name."`
	For          string   `help:"The recurring work: evaluation (each night, doses against limits and levels) or breach-notices (letters to people concerned, printed on this machine)." required:"" placeholder:"WORK" enum:"evaluation,breach-notices"`
	Organisation []string `help:"An organisation that it is for; may be given several times. Without one: the whole service, as where people work for several." sep:"none" placeholder:"NAME"`
	Wearer       []string `help:"A wearer whom it may touch, and then no other; may be given several times." sep:"none" placeholder:"ID"`
	People       int      `help:"How many different people it may touch, ever." required:"" placeholder:"N"`
	Days         int      `help:"After how many days it ends; at most 365." default:"365"`
}

// Run proposes the grant.
func (c *GrantsProposeCmd) Run(e *env) error {
	if c.Days < 1 || c.Days > 365 {
		return errors.New("--days: 1 to 365 are expected")
	}
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	g := vaultclient.NewGrant{Name: strings.Join(strings.Fields(c.Name), " "), Work: vaultclient.StandingWork(c.For), Node: "worker", MaxWearers: c.People, Ends: time.Now().AddDate(0, 0, c.Days).UTC().Truncate(time.Second)}
	if g.Work == vaultclient.Notices {
		g.Node = "cli" // which prints the letters
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	if g.Organisations, err = organisationsNamed(orgs, c.Organisation); err != nil {
		return err
	}
	for _, text := range c.Wearer {
		w, err := id.Parse[id.Wearer](text)
		if err != nil {
			return fmt.Errorf("--wearer: %w", err)
		}
		g.Wearers = append(g.Wearers, w)
	}
	_, err = propose(e, client, auth, c.signInPages, vaultclient.ApproveGrant, g)
	return err
}

// GrantsEndCmd ends a grant.
type GrantsEndCmd struct {
	signedIn
	ID string `arg:"" help:"The grant, as grants list prints it."`
}

// Run ends the grant.
func (c *GrantsEndCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	text, ok := strings.CutPrefix(c.ID, "grant:")
	n, err := id.Parse[id.Grant](text)
	if !ok || err != nil {
		return errors.New("a grant is given as grant:…, as grants list prints it")
	}
	if err := client.EndGrant(e.ctx, auth, n); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Ended.")
	return nil
}
