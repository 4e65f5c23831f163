package cli

import (
	"fmt"
	"text/tabwriter"
	"time"
)

// SessionsCmd lists sessions, and ends one.
type SessionsCmd struct {
	signedIn
	All bool   `help:"Everybody's; that you read them is entered."`
	End string `help:"End the session of this id at once." placeholder:"ID"`
}

// Run prints the sessions that go on, the last used first.
func (c *SessionsCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	if c.End != "" {
		if err := client.EndSession(e.ctx, auth, c.End); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Ended: %s.\n", c.End)
		return nil
	}
	sessions, err := client.Sessions(e.ctx, auth, c.All)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SESSION\tNAME\tROLE\tNODE\tBEGAN\tLAST USED\tENDS AT THE LATEST\t")
	for _, s := range sessions {
		this := ""
		if s.This {
			this = "this one"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Name, s.Role, s.Node, minute(s.Began), minute(s.Used), minute(s.Expires), this)
	}
	return t.Flush()
}

// minute is a moment by this machine's clock.
func minute(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
