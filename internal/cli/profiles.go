package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// ProfilesCmd holds what is done with laboratories' profiles.
type ProfilesCmd struct {
	Check  ProfilesCheckCmd  `cmd:"" help:"Check a profile, and count how a sample file reads by it. Nothing is stored, and no text of the sample is printed."`
	List   ProfilesListCmd   `cmd:"" help:"List the profiles that files can be read by, and those that are retired."`
	Add    ProfilesAddCmd    `cmd:"" help:"Store a profile, or a new version of one."`
	Show   ProfilesShowCmd   `cmd:"" help:"Print a stored profile's text."`
	Remove ProfilesRemoveCmd `cmd:"" help:"Retire a profile: it is offered no more. What was read by it stays as it is."`
}

// ProfilesCheckCmd checks a profile.
type ProfilesCheckCmd struct {
	Profile string `arg:"" help:"The profile: see docs/laboratory-profiles.md." type:"existingfile"`
	With    string `help:"A file of the laboratory." type:"existingfile" placeholder:"FILE"`
}

// Run says what is wrong in a profile or, with a sample, which rows it refuses and why.
func (c *ProfilesCheckCmd) Run(e *env) error {
	b, err := os.ReadFile(c.Profile)
	if err != nil {
		return err
	}
	p, err := labfile.ParseProfile(b)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.Profile), err)
	}
	fmt.Fprintf(e.stdout, "Profile %s is well formed.\n", p.Name())
	if c.With == "" {
		return nil
	}
	sample, err := os.ReadFile(c.With)
	if err != nil {
		return err
	}
	rep, err := labfile.Read(bytes.NewReader(sample), labfile.Options{Profile: p, Today: day.At(time.Now().UTC())})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.With), err)
	}
	fmt.Fprintf(e.stdout, "%s, %d rows: %d badges, %d refused, %d blank.\n", rep.Encoding, rep.In, len(rep.Rows), len(rep.Refused), len(rep.Ignored))
	for _, r := range rep.Refused {
		column := r.Column
		if column != "" {
			column += ": "
		}
		fmt.Fprintf(e.stdout, "  row %d: %s%s\n", r.Number, column, r.Reason)
	}
	return nil
}

// ProfilesListCmd lists stored profiles.
type ProfilesListCmd struct{ signedIn }

// Run prints the profiles.
func (c *ProfilesListCmd) Run(e *env) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	all, err := svc.Profiles(e.ctx, auth)
	if err != nil {
		return err
	}
	on := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format(time.DateOnly)
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROFILE\tADDED\tLAST USED\tRETIRED\tSHA-256")
	for _, p := range labfile.Profiles() {
		fmt.Fprintf(t, "%s\tbuilt in\t-\t-\t-\n", p.Name())
	}
	for _, p := range all {
		fmt.Fprintf(t, "%s/%d\t%s\t%s\t%s\t%x\n", p.Name, p.Version, on(p.Added), on(p.Used), on(p.Retired), p.SHA256[:6])
	}
	return t.Flush()
}

// findProfile finds a stored profile by its name, which means the newest version, or its name and version.
func findProfile(all []register.ProfileRow, name string) (register.ProfileRow, error) {
	for _, p := range all {
		if name == p.Name || name == fmt.Sprintf("%s/%d", p.Name, p.Version) {
			return p, nil
		}
	}
	return register.ProfileRow{}, fmt.Errorf("no profile %q is stored: see dosevault profiles list", name)
}

// ProfilesAddCmd stores a profile.
type ProfilesAddCmd struct {
	signedIn
	Profile string `arg:"" help:"The profile: see docs/laboratory-profiles.md." type:"existingfile"`
}

// Run stores the profile.
func (c *ProfilesAddCmd) Run(e *env) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	b, err := os.ReadFile(c.Profile)
	if err != nil {
		return err
	}
	if _, err := svc.AddProfile(e.ctx, auth, b); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.Profile), err)
	}
	p, err := labfile.ParseProfile(b)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Stored: profile %s.\n", p.Name())
	return nil
}

// storedProfile is a stored profile that a command names.
type storedProfile struct {
	signedIn
	Name string `arg:"" help:"The profile's name, or its name and version, as cardiff/2."`
}

// ProfilesShowCmd prints a stored profile.
type ProfilesShowCmd struct{ storedProfile }

// Run prints the text, as it was stored.
func (c *ProfilesShowCmd) Run(e *env) error {
	return c.with(e, func(svc *register.Service, auth vaultclient.Auth, p register.ProfileRow) error {
		_, text, err := svc.Profile(e.ctx, auth, p.Import)
		if err != nil {
			return err
		}
		_, err = e.stdout.Write(append(bytes.TrimRight(text, "\n"), '\n'))
		return err
	})
}

// with finds the profile and calls fn with it.
func (c *storedProfile) with(e *env, fn func(*register.Service, vaultclient.Auth, register.ProfileRow) error) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	all, err := svc.Profiles(e.ctx, auth)
	if err != nil {
		return err
	}
	p, err := findProfile(all, c.Name)
	if err != nil {
		return err
	}
	return fn(svc, auth, p)
}

// ProfilesRemoveCmd retires a profile.
type ProfilesRemoveCmd struct{ storedProfile }

// Run retires the profile.
func (c *ProfilesRemoveCmd) Run(e *env) error {
	return c.with(e, func(svc *register.Service, auth vaultclient.Auth, p register.ProfileRow) error {
		if err := svc.RetireProfile(e.ctx, auth, p.Import); errors.Is(err, register.ErrState) {
			return fmt.Errorf("%s/%d is retired already", p.Name, p.Version)
		} else if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "Retired: profile %s/%d. What was read by it stays as it is.\n", p.Name, p.Version)
		return nil
	})
}
