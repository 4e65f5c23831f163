package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// PeopleCmd holds what is done with wearers.
type PeopleCmd struct {
	Import  PeopleImportCmd  `cmd:"" help:"Take on or change wearers from a list (CSV or XLSX); staff numbers are the key."`
	Leavers PeopleLeaversCmd `cmd:"" help:"Enter last days of employment from a list (CSV or XLSX) of staff numbers and dates."`
}

// PeopleImportCmd loads a list of people.
type PeopleImportCmd struct {
	listFlags
	File   string `arg:"" help:"CSV or XLSX list; usual column names are recognised in English and Welsh." type:"existingfile"`
	Sender string `help:"Who sent it." default:"personnel department"`
}

// Run shows what the list would change, asks, and stores all that was accepted, or nothing.
func (c *PeopleImportCmd) Run(e *env) error {
	return c.load(e, register.KindPeople, c.File, c.Sender)
}

// PeopleLeaversCmd loads a list of leavers.
type PeopleLeaversCmd struct {
	listFlags
	File   string `arg:"" help:"CSV or XLSX list with staff numbers and last days; what else it holds is not read." type:"existingfile"`
	Sender string `help:"Who sent it." default:"personnel department"`
}

// Run is PeopleImportCmd.Run for leavers.
func (c *PeopleLeaversCmd) Run(e *env) error {
	return c.load(e, register.KindLeavers, c.File, c.Sender)
}

// BadgesImportCmd loads a dispatch list.
type BadgesImportCmd struct {
	listFlags
	File   string `arg:"" help:"CSV or XLSX with the columns organisation, barcode, batch, staff_number, position, from and to. A control badge has the position control and no staff number." type:"existingfile"`
	Sender string `help:"Who sent it." default:"laboratory"`
}

// Run is PeopleImportCmd.Run for badges.
func (c *BadgesImportCmd) Run(e *env) error {
	return c.load(e, register.KindDispatch, c.File, c.Sender)
}

// listFlags are what all lists are loaded with.
type listFlags struct {
	signedIn
	Organisation string `help:"The employer, where the list has no such column." placeholder:"NAME"`
	Yes          bool   `help:"Store without asking."`
	Refused      string `help:"Write the refused rows to this file, to be corrected and loaded again." type:"path" placeholder:"FILE"`
}

// load takes a list in, shows what it would change, asks, and has it stored.
func (c *listFlags) load(e *env, kind, path, sender string) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	l := register.List{Kind: kind, Sender: sender}
	if l.File, err = os.ReadFile(path); err != nil {
		return err
	}
	orgs, err := svc.Vault.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	if l.Organisation, err = findOrganisation(orgs, c.Organisation); err != nil {
		return err
	}
	n, err := svc.ReceiveList(e.ctx, auth, l)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was stored", filepath.Base(path), err)
	}
	stored, err := c.answer(e, svc, auth, kind, n)
	if !stored { // it waits for nobody
		switch decline := svc.Decline(context.WithoutCancel(e.ctx), auth, n); {
		case errors.Is(decline, register.ErrState): // it has failed by itself
		default:
			err = errors.Join(err, decline)
		}
	}
	return err
}

// answer shows a list's preview and asks whether to store it.
func (c *listFlags) answer(e *env, svc *register.Service, auth vaultclient.Auth, kind string, n id.Import) (stored bool, err error) {
	p, err := svc.ListPreviewOf(e.ctx, auth, n)
	if err != nil {
		return false, err
	}
	printList(e, p)
	if c.Refused != "" && len(p.Refused) > 0 {
		auth.Export = id.New[id.Export]()
		write := func(w io.Writer) error { return svc.WriteRefused(e.ctx, auth, n, w) }
		if err := writeRefused(e, c.Refused, len(p.Refused), write); err != nil {
			return false, err
		}
		auth.Export = id.Export{}
	}
	told := fmt.Sprintf("Stored: %d new, %d changed, %d the same.\n", p.New, p.Changed+p.Ended, p.Same)
	if kind == register.KindDispatch {
		told = fmt.Sprintf("Stored: %d badges, %d of them control badges.\n", p.New, p.Controls)
	}
	switch {
	case p.Stored+p.Same == 0:
		return false, errors.New("no row can be stored; nothing was")
	case p.Stored == 0:
		fmt.Fprint(e.stdout, told)
		return false, nil
	case !c.Yes && !e.agreed(fmt.Sprintf("Store %d rows?", p.Stored)):
		return false, nil
	}
	if err := svc.Accept(e.ctx, auth, n); err != nil {
		return false, err
	}
	fmt.Fprint(e.stdout, told)
	return true, nil
}

// printList prints what storing a list would do.
func printList(e *env, p *register.ListPreview) {
	fmt.Fprintf(e.stdout, "%d rows: %d new, %d changed, %d leaving, %d the same, %d refused, %d blank.\n", p.In, p.New, p.Changed, p.Ended, p.Same, len(p.Refused), len(p.Blank))
	for _, r := range p.Refused {
		column := r.Column
		if column != "" {
			column += ": "
		}
		fmt.Fprintf(e.stdout, "  row %d: %s%s\n", r.Row, column, r.Text)
	}
	for _, a := range p.Alike {
		if len(a.Like) > 0 {
			fmt.Fprintf(e.stdout, "  row %d may be somebody who is known: look at “People who may be one person” afterwards\n", a.Row)
		} else {
			fmt.Fprintf(e.stdout, "  row %d may be the same person as row %d\n", a.Row, a.Twins[0])
		}
	}
	if len(p.NotUsed) > 0 {
		fmt.Fprintf(e.stdout, "Columns not used: %s.\n", strings.Join(p.NotUsed, ", "))
	}
	if p.NINotTaken > 0 {
		fmt.Fprintf(e.stdout, "%d NI numbers are left out: only classified people's are kept.\n", p.NINotTaken)
	}
}
