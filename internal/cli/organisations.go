package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/badgefile"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// OrganisationsCmd holds what is done with organisations.
type OrganisationsCmd struct {
	Add     OrganisationsAddCmd     `cmd:"" help:"Add an employer."`
	List    OrganisationsListCmd    `cmd:"" help:"List the organisations that you work with."`
	Contact OrganisationsContactCmd `cmd:"" help:"Show or set who is told of a breach at an organisation."`
}

// OrganisationsAddCmd adds an organisation.
type OrganisationsAddCmd struct {
	signedIn
	Name    string   `arg:"" help:"The employer's name."`
	Kind    string   `help:"What it is: health-board, nhs-trust, private-hospital, dental-practice, veterinary-practice, airport or other." required:"" placeholder:"KIND" enum:"health-board,nhs-trust,private-hospital,dental-practice,veterinary-practice,airport,other"`
	Account []string `help:"Its account number at a laboratory; may be given several times." sep:"none" placeholder:"ACCOUNT"`
}

// Run adds the organisation with its accounts.
func (c *OrganisationsAddCmd) Run(e *env) error {
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
	c.Name = strings.Join(strings.Fields(c.Name), " ")
	if slices.ContainsFunc(orgs, func(o vaultclient.Organisation) bool { return person.Fold(o.Name) == person.Fold(c.Name) }) {
		return errors.New("an organisation of that name is there already")
	}
	for _, a := range c.Account {
		if !badgefile.IsCode(a) {
			return fmt.Errorf("--account %s: 1 to 32 letters, digits, hyphens or slashes are expected", a)
		}
	}
	if a, by, err := svc.AccountTaken(e.ctx, auth, id.Organisation{}, c.Account); err != nil || !by.IsZero() {
		return cmp.Or(err, fmt.Errorf("--account %s: it is %s's", a, organisationName(orgs, by)))
	}
	ids, err := client.CreateOrganisations(e.ctx, auth, []vaultclient.Organisation{{Name: c.Name, Kind: vaultclient.Kind(c.Kind)}})
	if err != nil {
		return err
	}
	if err := svc.SetSettings(e.ctx, auth, ids[0], register.Settings{Accounts: c.Account}); err != nil {
		return fmt.Errorf("%s was added, but not its accounts: %w", c.Name, err)
	}
	fmt.Fprintf(e.stdout, "Added: %s.\n", c.Name)
	return nil
}

// OrganisationsListCmd lists organisations.
type OrganisationsListCmd struct{ signedIn }

// Run prints the organisations that the user works with.
func (c *OrganisationsListCmd) Run(e *env) error {
	client, _, orgs, err := c.organisations(e)
	if err != nil {
		return err
	}
	defer client.Close()
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORGANISATION\tKIND\tWEARERS\tEMPLOYED")
	for _, o := range orgs {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\n", o.Name, o.Kind, o.Wearers, o.Current)
	}
	return t.Flush()
}

// UsersCmd holds what is done with users.
type UsersCmd struct {
	Add  UsersAddCmd  `cmd:"" help:"Add somebody who signs in, and print their first sign-in link."`
	Link UsersLinkCmd `cmd:"" help:"Print a new one-time sign-in link for a user."`
	List UsersListCmd `cmd:"" help:"List who may sign in."`
}

// UsersAddCmd adds a user.
type UsersAddCmd struct {
	signedIn
	signInPages
	Name         string   `arg:"" help:"The user's name."`
	Role         string   `help:"What they are: co-ordinator, records-officer, supervisor, local-co-ordinator, data-protection-officer, wearer, operator or administrator." required:"" placeholder:"ROLE" enum:"co-ordinator,records-officer,supervisor,local-co-ordinator,data-protection-officer,wearer,operator,administrator"`
	Organisation []string `help:"An organisation that they are tied to; may be given several times. Without one: the whole service." sep:"none" placeholder:"NAME"`
	Wearer       []string `help:"With the role wearer: the id of their own record, as search prints it; may be given several times." sep:"none" placeholder:"ID"`
	Until        string   `help:"Of a contractor: the last day of their access, in London." placeholder:"YYYY-MM-DD"`
	Purpose      string   `help:"Of a contractor: the only purpose that they may ask for: issue-badges, assess-dose, statutory-return, own-record, breach-notice, oversight or keep-records." placeholder:"PURPOSE" enum:",issue-badges,assess-dose,statutory-return,own-record,breach-notice,oversight,keep-records"  default:""`
}

func (s signInPages) print(e *env, secret string) {
	fmt.Fprintf(e.stdout, "Sign-in, once, within ten minutes: %s/link?secret=%s\n", s.url(), secret)
}

// Run adds the user and prints their first link.
func (c *UsersAddCmd) Run(e *env) error {
	client, auth, orgs, err := c.organisations(e)
	if err != nil {
		return err
	}
	defer client.Close()
	u := vaultclient.NewUser{Name: strings.Join(strings.Fields(c.Name), " "), Role: policy.Role(c.Role), Purpose: policy.Purpose(c.Purpose)}
	if u.Until, err = day.Parse(c.Until); err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	if u.Organisations, err = organisationsNamed(orgs, c.Organisation); err != nil {
		return err
	}
	for _, text := range c.Wearer {
		var w id.Wearer
		if err := w.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("--wearer: %w", err)
		}
		u.Wearers = append(u.Wearers, w)
	}
	tied := slices.Contains(policy.Tied, u.Role)
	switch {
	case tied && len(u.Organisations) == 0:
		return fmt.Errorf("a %s is one of an organisation: give --organisation", c.Role)
	case u.Role == policy.Wearer && len(u.Wearers) == 0:
		return errors.New("a wearer sees their own record: say which with --wearer")
	case u.Role != policy.Wearer && len(u.Wearers) > 0:
		return errors.New("--wearer goes with the role wearer")
	}
	users, err := client.Users(e.ctx, auth)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(users, func(o vaultclient.User) bool { return person.Fold(o.Name) == person.Fold(u.Name) }) {
		return errors.New("a user of that name is there already: add something that tells them apart")
	}
	ids, err := client.CreateUsers(e.ctx, auth, []vaultclient.NewUser{u})
	var known *vaultclient.Error
	if errors.As(err, &known) && known.Code == vaultclient.NeedsApproval {
		_, err = propose(e, client, auth, c.signInPages, vaultclient.ApproveUser, u)
		return err
	}
	if err != nil {
		return err
	}
	secret, err := client.NewLink(e.ctx, auth, ids[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Added: user:%s, %s.\n", ids[0], c.Role)
	c.print(e, secret)
	return nil
}

// UsersLinkCmd makes a link.
type UsersLinkCmd struct {
	signedIn
	signInPages
	Name string `arg:"" help:"The user's name, or the id that users list prints."`
}

// Run prints a one-time link for a user.
func (c *UsersLinkCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	users, err := client.Users(e.ctx, auth)
	if err != nil {
		return err
	}
	for _, u := range users {
		if person.Fold(u.Name) == person.Fold(c.Name) || "user:"+u.ID.String() == c.Name {
			secret, err := client.NewLink(e.ctx, auth, u.ID)
			var known *vaultclient.Error
			if errors.As(err, &known) && known.Code == vaultclient.NeedsApproval {
				_, err = propose(e, client, auth, c.signInPages, vaultclient.ApproveRecovery, vaultclient.Recovery{User: u.ID})
				return err
			}
			if err != nil {
				return err
			}
			c.print(e, secret)
			return nil
		}
	}
	return errors.New("there is no such user: see dosevault users list")
}

// UsersListCmd lists users.
type UsersListCmd struct{ signedIn }

// Run prints who may sign in.
func (c *UsersListCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	users, err := client.Users(e.ctx, auth)
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tROLE\tORGANISATIONS\tUNTIL\tPURPOSE\tUSER")
	for _, u := range users {
		where := whereOf(orgs, u.Organisations)
		if len(u.Organisations) == 0 && len(u.Wearers) > 0 {
			where = "their own record"
		}
		until := u.Until.String()
		if !u.Ended.IsZero() {
			until = "ended " + u.Ended.Local().Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\tuser:%s\n", u.Name, u.Role, where, until, u.Purpose, u.ID)
	}
	return t.Flush()
}
