package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// ProviderCmd holds what is done with organisations' own sign-ins.
type ProviderCmd struct {
	Add  ProviderAddCmd  `cmd:"" help:"Let an organisation's staff sign in by its own sign-in, and print the address that it may send them back to."`
	List ProviderListCmd `cmd:"" help:"List organisations' own sign-ins."`
	End  ProviderEndCmd  `cmd:"" help:"End one, and the access of whoever signs in by it, at once."`
}

// ProviderAddCmd adds a provider.
type ProviderAddCmd struct {
	signedIn
	signInPages
	Organisation string   `help:"The organisation whose sign-in it is. Whoever signs in by it has a role there, and nowhere else." required:"" placeholder:"NAME"`
	Issuer       string   `help:"The provider's address, as it calls itself: https://…" required:"" placeholder:"ADDRESS"`
	Client       string   `help:"By what name the provider knows this installation." required:"" placeholder:"ID"`
	SecretFile   string   `help:"File with the client's secret. Without it, it is asked for." type:"existingfile" placeholder:"FILE"`
	Name         string   `help:"The claim with somebody's name." default:"name" placeholder:"CLAIM"`
	Claim        string   `help:"The claim whose values make roles: a text, or a list of texts." default:"groups" placeholder:"CLAIM"`
	Role         []string `help:"A rule, such as radiation-supervisors=supervisor; may be given several times, and the first that matches counts. Roles: supervisor, local-co-ordinator, data-protection-officer, records-officer." required:"" sep:"none" placeholder:"VALUE=ROLE"`
}

// Run adds the provider.
func (c *ProviderAddCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	p := vaultclient.NewProvider{Issuer: c.Issuer, Client: c.Client, Name: c.Name, Claim: c.Claim}
	if p.Organisation, err = organisationNamed(e, client, auth, c.Organisation); err != nil {
		return fmt.Errorf("--organisation: %w", err)
	}
	for _, r := range c.Role {
		at := strings.LastIndex(r, "=")
		if at < 0 {
			return errors.New("--role: a rule such as radiation-supervisors=supervisor is expected")
		}
		p.Rules = append(p.Rules, vaultclient.ClaimRule{Value: r[:at], Role: policy.Role(r[at+1:])})
	}
	if p.Secret, err = c.secret(e); err != nil {
		return err
	}
	n, err := client.AddProvider(e.ctx, auth, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Added: provider:%s.\nAllow it to send people back to this address, and to no other: %s/openid/%s/callback\n", n, c.url(), n)
	return nil
}

// secret reads the client's secret, which belongs neither into a command's arguments nor into its environment.
func (c *ProviderAddCmd) secret(e *env) (string, error) {
	in := e.stdin
	if c.SecretFile != "" {
		f, err := os.Open(c.SecretFile)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	} else {
		fmt.Fprint(e.stdout, "Secret: ")
	}
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// ProviderListCmd lists providers.
type ProviderListCmd struct{ signedIn }

// Run prints the organisations' own sign-ins.
func (c *ProviderListCmd) Run(e *env) error {
	client, auth, orgs, err := c.organisations(e)
	if err != nil {
		return err
	}
	defer client.Close()
	providers, err := client.Providers(e.ctx, auth)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORGANISATION\tISSUER\tCLIENT\tNAME\tROLES BY\tUSERS\tENDED\tPROVIDER")
	for _, p := range providers {
		ended := ""
		if !p.Ended.IsZero() {
			ended = p.Ended.Local().Format(time.DateOnly)
		}
		rules := make([]string, len(p.Rules))
		for i, r := range p.Rules {
			rules[i] = r.Value + "=" + string(r.Role)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s: %s\t%d\t%s\tprovider:%s\n", organisationName(orgs, p.Organisation), p.Issuer, p.Client, p.Name, p.Claim, strings.Join(rules, ", "), p.Users, ended, p.ID)
	}
	return t.Flush()
}

// ProviderEndCmd ends a provider.
type ProviderEndCmd struct {
	signedIn
	Provider string `arg:"" help:"The id that provider list prints."`
}

// Run ends the provider.
func (c *ProviderEndCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	var n id.Provider
	if err := n.UnmarshalText([]byte(strings.TrimPrefix(c.Provider, "provider:"))); err != nil {
		return fmt.Errorf("the provider: %w", err)
	}
	if err := client.EndProvider(e.ctx, auth, n); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Ended: nobody signs in by it any more.")
	return nil
}
