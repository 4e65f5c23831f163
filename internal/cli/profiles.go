package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/labfile"
)

// ProfilesCmd holds what is done with laboratories' profiles.
type ProfilesCmd struct {
	Check ProfilesCheckCmd `cmd:"" help:"Check a profile, and count how a sample file reads by it. Nothing is stored, and no text of the sample is printed."`
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
