package cli

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// signedIn is a place with a session on the command line.
type signedIn struct {
	place
	Session string `help:"File that keeps the session." default:"${session}" env:"DOSEVAULT_SESSION" type:"path" group:"place"`
	Grant   string `help:"Act by this job grant, made for the node cli, instead of as a signed-in user." env:"DOSEVAULT_GRANT" placeholder:"GRANT" group:"place"`
}

// open returns the vault's client and for whom it calls: the session's user, or a grant.
func (s signedIn) open() (*vaultclient.Client, vaultclient.Auth, error) {
	if !s.exists() {
		return nil, vaultclient.Auth{}, errNoInstallation
	}
	if s.Grant != "" {
		var auth vaultclient.Auth
		if err := auth.Grant.UnmarshalText([]byte(s.Grant)); err != nil {
			return nil, auth, fmt.Errorf("--grant: %w", err)
		}
		c, err := s.client("cli")
		return c, auth, err
	}
	token, err := os.ReadFile(s.Session)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, vaultclient.Auth{}, errors.New("nobody is signed in: use dosevault signin LINK")
	}
	if err != nil {
		return nil, vaultclient.Auth{}, err
	}
	c, err := s.client("cli")
	return c, vaultclient.Auth{Session: strings.TrimSpace(string(token))}, err
}

// organisations opens the client, which the caller closes, and lists the organisations that the user works with.
func (s signedIn) organisations(e *env) (*vaultclient.Client, vaultclient.Auth, []vaultclient.Organisation, error) {
	client, auth, err := s.open()
	if err != nil {
		return nil, auth, nil, err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		client.Close()
	}
	return client, auth, orgs, err
}

// SignInCmd signs in.
type SignInCmd struct {
	signedIn
	Link string `arg:"" optional:"" help:"The one-time link, or its secret. Without it, it is asked for, so that nobody sees it among the machine's processes."`
}

// Run spends a one-time link for a session of the node cli.
func (c *SignInCmd) Run(e *env) error {
	client, err := c.client("cli")
	if err != nil {
		return err
	}
	defer client.Close()
	secret := c.Link
	if secret == "" {
		fmt.Fprint(e.stdout, "Link: ")
		line, err := bufio.NewReader(io.LimitReader(e.stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		secret = strings.TrimSpace(line)
	}
	if _, after, ok := strings.Cut(secret, "secret="); ok {
		secret = after
	}
	s, err := client.RedeemLink(e.ctx, secret)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.Session), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(c.Session, []byte(s.Token+"\n"), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Signed in as %s, %s, until %s.\n", s.User.Name, s.User.Role, s.Expires.Local().Format("15:04"))
	return nil
}

// SignOutCmd ends the session.
type SignOutCmd struct{ signedIn }

// Run ends the session and forgets it.
func (c *SignOutCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	return errors.Join(client.SignOut(e.ctx, auth), os.Remove(c.Session))
}

// SearchCmd looks for wearers.
type SearchCmd struct {
	signedIn
	Query        []string `arg:"" help:"Beginnings of names, or a staff number; order and accents do not matter."`
	Organisation string   `help:"Name of an organisation; without it, all that you may search." placeholder:"NAME"`
	Leavers      bool     `help:"Include those who have left."`
	Limit        int      `help:"How many to show." default:"25"`
}

// Run prints a page of wearers.
func (c *SearchCmd) Run(e *env) error {
	client, auth, orgs, err := c.organisations(e)
	if err != nil {
		return err
	}
	defer client.Close()
	r := vaultclient.SearchRequest{Purpose: policy.IssueBadges, Query: person.NewValue(strings.Join(c.Query, " ")), Leavers: c.Leavers, Limit: c.Limit}
	if r.Organisation, err = findOrganisation(orgs, c.Organisation); err != nil {
		return err
	}
	if r.Organisation.IsZero() && len(orgs) == 1 {
		r.Organisation = orgs[0].ID
	}
	res, err := client.Search(e.ctx, auth, r)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSTAFF NUMBER\tORGANISATION\tWEARER")
	for _, rec := range res.Records {
		fmt.Fprintf(t, "%s, %s\t%s\t%s\t%s\n", rec.Identity.Surname.Expose(), rec.Identity.Forenames.Expose(), rec.Identity.StaffNumber.Expose(), organisationName(orgs, rec.Organisation), rec.Wearer)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d of %d found.\n", len(res.Records), res.Total)
	return nil
}

// findOrganisation finds an organisation by its name, or by a beginning that only one has; the zero id for no name. An
// error does not repeat the name: in a file whose columns are out of place it may be somebody's.
func findOrganisation(orgs []vaultclient.Organisation, name string) (id.Organisation, error) {
	if name == "" {
		return id.Organisation{}, nil
	}
	return register.OrganisationNamed(orgs, name)
}

// organisationNamed finds the organisation of a name, which has to be given.
func organisationNamed(e *env, client *vaultclient.Client, auth vaultclient.Auth, name string) (id.Organisation, error) {
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return id.Organisation{}, err
	}
	n, err := findOrganisation(orgs, name)
	if err == nil && n.IsZero() {
		err = errors.New("an organisation's name is expected")
	}
	return n, err
}

// organisationsNamed finds the organisations that the flags --organisation name.
func organisationsNamed(orgs []vaultclient.Organisation, names []string) (found []id.Organisation, err error) {
	for _, name := range names {
		n, err := findOrganisation(orgs, name)
		if err != nil || n.IsZero() {
			return nil, fmt.Errorf("--organisation: %w", cmp.Or(err, errors.New("an organisation's name is expected")))
		}
		found = append(found, n)
	}
	return found, nil
}

// whereOf names the organisations that a user or machine is tied to; none is the whole service.
func whereOf(orgs []vaultclient.Organisation, tied []id.Organisation) string {
	if len(tied) == 0 {
		return "the whole service"
	}
	names := make([]string, len(tied))
	for i, o := range tied {
		names[i] = organisationName(orgs, o)
	}
	return strings.Join(names, ", ")
}

func organisationName(orgs []vaultclient.Organisation, n id.Organisation) string {
	for _, o := range orgs {
		if o.ID == n {
			return o.Name
		}
	}
	return n.String()
}

// window is a span of time on the command line.
type window struct {
	From string `help:"First day or moment: 2026-10-06 or 2026-10-06T09:00:00Z." required:"" placeholder:"DAY"`
	To   string `help:"Last day, or the moment before which." required:"" placeholder:"DAY"`
}

// parse returns the window as [from, to); a day counts whole, in UTC.
func (w window) parse() (from, to time.Time, err error) {
	if from, _, err = moment(w.From); err != nil {
		return from, to, fmt.Errorf("--from: %w", err)
	}
	to, whole, err := moment(w.To)
	if err != nil {
		return from, to, fmt.Errorf("--to: %w", err)
	}
	if whole {
		to = to.AddDate(0, 0, 1)
	}
	if !from.Before(to) {
		return from, to, errors.New("--to is before --from")
	}
	return from, to, nil
}

func moment(s string) (t time.Time, whole bool, err error) {
	if t, err = time.Parse(time.DateOnly, s); err == nil {
		return t, true, nil
	}
	if t, err = time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), false, nil
	}
	return t, false, errors.New("a day such as 2026-10-06 or a moment such as 2026-10-06T09:00:00Z is expected")
}

// ExposuresCmd answers who was exposed.
type ExposuresCmd struct {
	signedIn
	window
	Recipient string `help:"user:ID, node:web, node:worker, grant:ID, machine:NAME, supplier:NAME, export:ID …; empty: anybody." required:"" placeholder:"WHO"`
	List      bool   `help:"Person by person."`
	Proofs    bool   `help:"The ledger's entries that prove it."`
	Assess    bool   `help:"As if it were a breach: how severe it is for each combination of fields (ENISA 2013), and who has to be told (UK GDPR). What is not known counts as the worse."`
	circumstances
}

// Run prints the table organisation × field combination.
func (c *ExposuresCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	from, to, err := c.parse()
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	x, err := client.Exposures(e.ctx, auth, vaultclient.ExposureRequest{Recipient: vaultclient.Recipient(c.Recipient), From: from, To: to, List: c.List || c.Assess, Proofs: c.Proofs})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Readable to %s from %s until %s: %d people (%d wearers) of %d organisations.\n\n", c.Recipient, from.Format(time.RFC3339), to.Format(time.RFC3339), x.People, x.Wearers, countOrganisations(x.Cells))
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORGANISATION\tKNOWN BY\tWEARERS\tFIELDS")
	for _, cell := range x.Cells {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", organisationName(orgs, cell.Organisation), cell.Basis, cell.Wearers, cell.Fields)
	}
	if c.List {
		fmt.Fprintln(t, "\nWEARER\tORGANISATION\tKNOWN BY\tFIELDS\tYEARS OF DOSE\tFIRST\tLAST\tENTRIES")
		for _, r := range x.List {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", r.Wearer, organisationName(orgs, r.Organisation), r.Basis, r.Fields, strings.Trim(fmt.Sprint(r.Years), "[]"), r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339), r.Entries)
		}
	}
	if c.Proofs {
		fmt.Fprintln(t, "\nLOG\tENTRY\tRECORDED\tLEAF HASH")
		for _, p := range x.Proofs {
			fmt.Fprintf(t, "%s\t%d\t%s\t%x\n", p.Log, p.Seq, p.Recorded.Format(time.RFC3339Nano), p.LeafHash)
		}
	}
	if err := t.Flush(); err != nil || !c.Assess {
		return err
	}
	return printAssessment(e, incident.Table(x.List), c.on(incident.Assessment{Circumstances: incident.Circumstances{Confidentiality: incident.Full, Malicious: true, People: x.People}}))
}

func countOrganisations(cells []vaultclient.ExposureCell) int {
	seen := map[id.Organisation]bool{}
	for _, c := range cells {
		seen[c.Organisation] = true
	}
	return len(seen)
}

// DisclosuresCmd holds what is declared.
type DisclosuresCmd struct {
	Import DeclareCmd `cmd:"" help:"Enter what a recipient held of wearers before, or outside, dosevault."`
}

// DeclareCmd declares from a file.
type DeclareCmd struct {
	signedIn
	window
	Recipient string `help:"As in supplier:NAME." required:"" placeholder:"WHO"`
	File      string `arg:"" help:"CSV with the columns organisation, staff_number, fields (as in \"name birth dose\") and years (may be empty)." type:"existingfile"`
}

// Run reads the file, finds its wearers, and enters them; all rows or none.
func (c *DeclareCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	from, to, err := c.parse()
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	d := vaultclient.Declaration{Import: declarationID(raw, c.Recipient, from, to), Recipient: vaultclient.Recipient(c.Recipient), From: from, To: to, SHA256: sum(raw)}
	keys, rows, err := readDeclared(raw, orgs)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.File), err)
	}
	found, err := client.FindStaff(e.ctx, auth, policy.KeepRecords, keys)
	if err != nil {
		return err
	}
	for i, w := range found {
		if w.IsZero() {
			return fmt.Errorf("%s: row %d: column staff_number: no wearer of that organisation has it; nothing was entered", filepath.Base(c.File), i+2)
		}
		rows[i].Wearer = w
	}
	d.Rows = rows
	if err := client.Declare(e.ctx, auth, d); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Entered: %d wearers were readable to %s.\n", len(rows), c.Recipient)
	return nil
}

// readDeclared reads a file of disclosures; errors say row and column.
func readDeclared(raw []byte, orgs []vaultclient.Organisation) ([]vaultclient.StaffKey, []vaultclient.DeclaredRow, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	r.FieldsPerRecord = 4
	records, err := r.ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(records) < 2 || strings.Join(records[0], ",") != "organisation,staff_number,fields,years" {
		return nil, nil, errors.New("row 1: the heading must be organisation,staff_number,fields,years, with rows below it")
	}
	var keys []vaultclient.StaffKey
	var rows []vaultclient.DeclaredRow
	for i, rec := range records[1:] {
		bad := func(column string, err error) error { return fmt.Errorf("row %d: column %s: %w", i+2, column, err) }
		org, err := findOrganisation(orgs, rec[0])
		if err != nil || org.IsZero() {
			return nil, nil, bad("organisation", cmp.Or(err, errors.New("the name of one of your organisations is expected")))
		}
		fields, err := policy.ParseFields(strings.Fields(rec[2])...)
		if err != nil || fields == 0 {
			return nil, nil, bad("fields", fmt.Errorf("one or more of these are expected: %s", strings.Join(policy.AllFields.Names(), " ")))
		}
		row := vaultclient.DeclaredRow{Fields: fields}
		for _, y := range strings.Fields(rec[3]) {
			t, err := time.Parse("2006", y)
			if err != nil {
				return nil, nil, bad("years", errors.New("years such as 2014 2015 are expected"))
			}
			row.Years = append(row.Years, uint16(t.Year()))
		}
		keys = append(keys, vaultclient.StaffKey{Organisation: org, StaffNumber: person.NewValue(strings.TrimSpace(rec[1]))})
		rows = append(rows, row)
	}
	return keys, rows, nil
}
