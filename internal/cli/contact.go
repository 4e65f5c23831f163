package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// OrganisationsContactCmd shows or sets who is told of a breach at an organisation.
type OrganisationsContactCmd struct {
	signedIn
	Organisation string   `arg:"" optional:"" help:"The organisation; without one, the contacts of all are listed."`
	Name         string   `help:"Name or office, such as the data protection officer; sets the contact." placeholder:"NAME"`
	Email        string   `help:"E-mail address." placeholder:"ADDRESS"`
	Phone        string   `help:"Telephone number." placeholder:"NUMBER"`
	Post         []string `help:"A line of the postal address; may be given up to seven times." sep:"none" placeholder:"LINE"`
	Language     string   `help:"The language to write in: cy, en or both." enum:"cy,en,both" default:"both"`
	Verified     string   `help:"The day on which somebody made sure that this reaches them; today for today." placeholder:"DAY"`
	How          string   `help:"How that was made sure of, such as: telephoned on the number of its website." placeholder:"TEXT"`
}

// Run lists the contacts, or sets one.
func (c *OrganisationsContactCmd) Run(e *env) error {
	client, auth, orgs, err := c.organisations(e)
	if err != nil {
		return err
	}
	defer client.Close()
	org, err := findOrganisation(orgs, c.Organisation)
	if err != nil {
		return err
	}
	today := day.At(time.Now())
	if c.Name != "" {
		if org.IsZero() {
			return errors.New("say whose contact it is: dosevault organisations contact ORGANISATION --name NAME …")
		}
		n := vaultclient.NoticeContact{Name: c.Name, Email: c.Email, Phone: c.Phone, Post: c.Post, Language: vaultclient.NoticeLanguage(c.Language), How: c.How}
		if n.Verified = today; c.Verified != "today" {
			if n.Verified, err = day.Parse(c.Verified); err != nil {
				return fmt.Errorf("--verified: %w", err)
			}
		}
		if err := client.SetNoticeContact(e.ctx, auth, vaultclient.NewNoticeContact{Organisation: org, Contact: n}); err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, "Kept.")
		return nil
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORGANISATION\tCONTACT\tE-MAIL\tTELEPHONE\tPOST\tLANGUAGE\tVERIFIED")
	for _, o := range orgs {
		if !org.IsZero() && o.ID != org {
			continue
		}
		n := vaultclient.NoticeContact{}
		if o.Notice != nil {
			n = *o.Notice
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.Name, n.Name, n.Email, n.Phone, strings.Join(n.Post, ", "), n.Language, verified(n, today))
	}
	return t.Flush()
}

// verified says whether somebody made sure of a contact, and whether it is time again.
func verified(n vaultclient.NoticeContact, today day.Day) string {
	switch {
	case n.IsZero():
		return "nobody is entered"
	case n.Verified.IsZero():
		return "not yet"
	case n.Due(today):
		return fmt.Sprintf("%s by %s, more than a year ago", n.Verified, n.By)
	}
	return fmt.Sprintf("%s by %s: %s", n.Verified, n.By, n.How)
}
