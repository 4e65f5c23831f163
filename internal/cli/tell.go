package cli

import (
	"cmp"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// IncidentTellCmd has organisations told.
type IncidentTellCmd struct {
	signedIn
	Number       string   `arg:"" help:"The incident, as in 2026-1."`
	Text         string   `arg:"" help:"What happened and what is done, for the page that each organisation gets a link to. No names of people concerned."`
	CallBack     string   `help:"The telephone number on which you answer." required:"" placeholder:"NUMBER"`
	Organisation []string `help:"An organisation to tell, for the first time or with the next part; may be given several times. Without one: all who are concerned and were not told." sep:"none" placeholder:"NAME"`
	Letter       bool     `help:"By letter, which you print and post; enter that with incident step NUMBER told --organisation NAME --letter."`
	Final        bool     `help:"The figures are final, no maximum any more."`
}

// Run gives out the notices, and says who can't be told like this.
func (c *IncidentTellCmd) Run(e *env) error {
	client, auth, one, orgs, err := c.incident(e, c.Number)
	if err != nil {
		return err
	}
	defer client.Close()
	r := vaultclient.TellRequest{Incident: one.ID, Text: c.Text, CallBack: c.CallBack, Channel: vaultclient.ByMail, Final: c.Final, Request: id.New[id.Row]()}
	if c.Letter {
		r.Channel = vaultclient.ByLetter
	}
	if r.Organisations, err = organisationsNamed(orgs, c.Organisation); err != nil {
		return err
	}
	told, err := client.Tell(e.ctx, auth, r)
	if err != nil {
		return err
	}
	if len(told) == 0 {
		fmt.Fprintln(e.stdout, "Everybody who is concerned was told before.")
		return nil
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORGANISATION\tPART\tPEOPLE\tWHERE")
	failed := 0
	for _, x := range told {
		name := organisationName(orgs, x.Organisation)
		if n := x.Notice; n != nil {
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\n", name, n.Phase, n.Wearers, cmp.Or(map[bool]string{true: n.Contact.Email}[n.Channel == vaultclient.ByMail], "by letter"))
			continue
		}
		failed++
		fmt.Fprintf(t, "%s\t–\t–\tnot told: %s\n", name, x.Problem)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if one.Drill {
		fmt.Fprintln(e.stdout, "A rehearsal: nothing was sent.")
	}
	if failed > 0 {
		return errors.New("not everybody could be told: see above")
	}
	return nil
}

// postedLetter is the notice by letter to an organisation that waits to be posted; zero: there is none.
func postedLetter(one vaultclient.Incident, org id.Organisation) (of id.Notice) {
	for _, s := range one.Steps {
		if s.Organisation == org && s.Notice != nil && s.Notice.Channel == vaultclient.ByLetter {
			of = s.Notice.ID
		}
		if s.Of == of && s.Kind == vaultclient.Told {
			of = id.Notice{}
		}
	}
	return of
}
