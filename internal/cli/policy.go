package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// PolicyCmd holds what is done with policies.
type PolicyCmd struct {
	Test    PolicyTestCmd    `cmd:"" help:"Hold policies to the schema, and answer the examples beside them."`
	Show    PolicyShowCmd    `cmd:"" help:"Which policies hold where; write them into a directory to be changed."`
	Propose PolicyProposeCmd `cmd:"" help:"Propose the policies of a directory. They hold when a second person approves; an organisation that they open further stays as it is until it agrees."`
	Agree   PolicyAgreeCmd   `cmd:"" help:"Propose to an organisation that the installation's policies hold for it too; its data protection officer approves."`
	Who     PolicyWhoCmd     `cmd:"" help:"Who may see a field of a wearer, and why?"`
	Sees    PolicySeesCmd    `cmd:"" help:"What may a user see?"`
}

// readPolicies reads the files of a directory.
func readPolicies(dir string) (policy.Files, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := policy.Files{}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".cedar" && ext != ".examples" && ext != ".cedarschema" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files[e.Name()] = string(text)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no policies: dosevault policy show %s writes those of today there", dir, dir)
	}
	return files, nil
}

// PolicyTestCmd tests policies.
type PolicyTestCmd struct {
	Dir string `arg:"" optional:"" help:"Directory of files in the place of those that the program carries." type:"path"`
}

// Run says how many examples come out as they say, or which do not; and who may do what by changed policies.
func (c *PolicyTestCmd) Run(e *env) error {
	var changed policy.Files
	if c.Dir != "" {
		var err error
		if changed, err = readPolicies(c.Dir); err != nil {
			return err
		}
	}
	set, err := policy.Parse(changed)
	if err != nil {
		return err
	}
	examples, err := policy.Examples(set.Files())
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Policies %s: %d examples, all answered as they say.\n", set.Version(), len(examples))
	if c.Dir == "" {
		return nil
	}
	carried, err := policy.Load()
	if err != nil {
		return err
	}
	printChanges(e, carried, set, "those that the program carries")
	return nil
}

func printChanges(e *env, from, to *policy.Set, than string) {
	changes := from.Compare(to)
	if len(changes) == 0 {
		fmt.Fprintf(e.stdout, "Nobody may do anything that they may not by %s, nor less.\n", than)
		return
	}
	fmt.Fprintf(e.stdout, "Other than by %s:\n", than)
	for _, change := range changes {
		fmt.Fprintf(e.stdout, "  %s\n", change)
	}
}

// PolicyShowCmd shows the policies that hold.
type PolicyShowCmd struct {
	signedIn
	Out string `arg:"" optional:"" help:"Directory to write the files into; it may not hold files yet." type:"path"`
}

// Run prints the versions, and writes the files.
func (c *PolicyShowCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	p, err := client.Policies(e.ctx, auth)
	if err != nil {
		return err
	}
	kind := "as the program carries them"
	if p.Version != p.Carried {
		kind = "changed by this installation"
	}
	fmt.Fprintf(e.stdout, "Policies %s hold, %s.\n", p.Version, kind)
	for _, o := range p.Others {
		fmt.Fprintf(e.stdout, "For %s still %s: it has not agreed.\n", o.Name, o.Version)
	}
	if c.Out == "" {
		return nil
	}
	if there, err := os.ReadDir(c.Out); err == nil && len(there) > 0 {
		return fmt.Errorf("%s is not empty", c.Out)
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	for name, text := range p.Files {
		if err := os.WriteFile(filepath.Join(c.Out, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.stdout, "%d files written to %s.\n", len(p.Files), c.Out)
	return nil
}

// PolicyProposeCmd proposes a change.
type PolicyProposeCmd struct {
	signedIn
	signInPages
	Dir string `arg:"" help:"Directory with the files." type:"path"`
}

// Run tests the files, says what they change, and proposes them.
func (c *PolicyProposeCmd) Run(e *env) error {
	files, err := readPolicies(c.Dir)
	if err != nil {
		return err
	}
	next, err := policy.Parse(files)
	if err != nil {
		return err
	}
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	now, err := client.Policies(e.ctx, auth)
	if err != nil {
		return err
	}
	set, err := policy.Parse(now.Files)
	if err != nil {
		return err
	}
	_, err = propose(e, client, auth, c.signInPages, vaultclient.ApprovePolicies, vaultclient.PoliciesChange{Base: now.Version, Files: files.Less(policy.Carried())})
	if err != nil {
		return err
	}
	printChanges(e, set, next, "those of today")
	return nil
}

// PolicyAgreeCmd proposes to an organisation that it agrees.
type PolicyAgreeCmd struct {
	signedIn
	signInPages
	Organisation string `arg:"" help:"Its name."`
}

// Run proposes it.
func (c *PolicyAgreeCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	org, err := organisationNamed(e, client, auth, c.Organisation)
	if err != nil {
		return err
	}
	now, err := client.Policies(e.ctx, auth)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(now.Others, func(o vaultclient.PoliciesElsewhere) bool { return o.Organisation == org })
	if i < 0 {
		return fmt.Errorf("the installation's policies, %s, hold for it already", now.Version)
	}
	_, err = propose(e, client, auth, c.signInPages, vaultclient.ApproveAgreement, vaultclient.PoliciesAgreement{Organisation: org, Base: now.Others[i].Version, Version: now.Version})
	return err
}

// PolicyWhoCmd answers who may see a field of a wearer.
type PolicyWhoCmd struct {
	signedIn
	Organisation string   `help:"Name of the wearer's organisation." required:"" placeholder:"NAME"`
	StaffNumber  string   `help:"The wearer's staff number there." required:"" placeholder:"NUMBER"`
	Field        []string `help:"A field: name, birth, sex, staff_number, registration, ni, contact, health, dose, document or employment; may be given several times." required:"" placeholder:"FIELD"`
}

// Run prints who may, for which purpose, and by which rules.
func (c *PolicyWhoCmd) Run(e *env) error {
	fields, err := policy.ParseFields(c.Field...)
	if err != nil {
		return fmt.Errorf("--field: %w", err)
	}
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	org, err := organisationNamed(e, client, auth, c.Organisation)
	if err != nil {
		return fmt.Errorf("--organisation: %w", err)
	}
	found, err := client.FindStaff(e.ctx, auth, policy.KeepRecords, []vaultclient.StaffKey{{Organisation: org, StaffNumber: person.NewValue(strings.TrimSpace(c.StaffNumber))}})
	if err != nil {
		return err
	}
	if found[0].IsZero() {
		return errors.New("--staff-number: no wearer of that organisation has it")
	}
	who, err := client.WhoMay(e.ctx, auth, vaultclient.WhoMayRequest{Wearer: found[0], Fields: fields})
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHO\tROLE\tPURPOSE\tFIELDS\tRULE")
	for _, v := range who.Viewers {
		name := v.Actor
		if !v.Named {
			name = fmt.Sprintf("%d without a name here", v.Number)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, v.Role, v.Purpose, v.Fields, strings.Join(v.Rules, ", "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	printRules(e, who.Policy, who.Rules)
	return nil
}

// printRules prints rules as they stand in the policies.
func printRules(e *env, version string, rules map[string]string) {
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		fmt.Fprintf(e.stdout, "\n%s\n", rules[rule])
	}
	fmt.Fprintf(e.stdout, "\nBy policies %s.\n", version)
}

// PolicySeesCmd answers what a user may see.
type PolicySeesCmd struct {
	signedIn
	Name string `arg:"" help:"The user's name."`
}

// Run prints it organisation by organisation.
func (c *PolicySeesCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	users, err := client.Users(e.ctx, auth)
	if err != nil {
		return err
	}
	var user id.User
	for _, u := range users {
		if u.Ended.IsZero() && person.Fold(u.Name) == person.Fold(c.Name) {
			if !user.IsZero() {
				return errors.New("two users have that name")
			}
			user = u.ID
		}
	}
	if user.IsZero() {
		return errors.New("no user has that name")
	}
	s, err := client.Sees(e.ctx, auth, user)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHERE\tWHOM\tPURPOSE\tFIELDS\tRULE")
	version := ""
	for _, p := range s.Places {
		version = p.Policy
		for _, x := range p.Sights {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", cmp.Or(p.Name, "every organisation"), x.Whom, x.Purpose, x.Fields, strings.Join(x.Rules, ", "))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if version == "" {
		fmt.Fprintln(e.stdout, "Nothing.")
		return nil
	}
	printRules(e, version, s.Rules)
	return nil
}
