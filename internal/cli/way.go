package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// BadgesReturnCmd takes badges back.
type BadgesReturnCmd struct {
	signedIn
	Barcodes []string `arg:"" optional:"" help:"Barcodes. Without any, one is read from each line of the input, as a hand scanner types them."`
}

// Run answers each barcode with a line. It fails when one was not returned.
func (c *BadgesReturnCmd) Run(e *env) error {
	svc, auth, done, err := c.service(e)
	if err != nil {
		return err
	}
	defer done()
	n, returned := 0, 0
	take := func(code string) error {
		s, err := svc.Return(e.ctx, auth, code)
		if err != nil {
			return err
		}
		n++
		if s.Answer == register.ReturnedNow {
			returned++
		}
		fmt.Fprintln(e.stdout, scanLine(s, register.CleanBarcode(code)))
		return nil
	}
	for _, code := range c.Barcodes {
		if err := take(code); err != nil {
			return err
		}
	}
	if len(c.Barcodes) == 0 {
		lines := bufio.NewScanner(e.stdin)
		for lines.Scan() {
			if strings.TrimSpace(lines.Text()) == "" {
				continue
			}
			if err := take(lines.Text()); err != nil {
				return err
			}
		}
		if lines.Err() != nil {
			return errors.New("the input can't be read: one barcode is expected on each line")
		}
	}
	fmt.Fprintf(e.stdout, "Returned: %d of %d badges.\n", returned, n)
	if returned < n {
		return fmt.Errorf("%d badges were not returned: see above", n-returned)
	}
	return nil
}

// scanLine is the answer to a scan in a line.
func scanLine(s register.Scan, code string) string {
	before := ""
	if !s.On.IsZero() {
		before = " on " + s.On.String()
	}
	switch s.Answer {
	case register.ReturnedNow:
		return s.Barcode + ": returned"
	case register.ReturnedBefore:
		return s.Barcode + ": was returned before" + before
	case register.SentBefore:
		return s.Barcode + ": was sent to the laboratory before" + before
	case register.ReadBefore:
		return s.Barcode + ": the laboratory has reported it already"
	case register.NotIssued:
		return s.Barcode + ": is not issued yet"
	case register.NotReturned:
		return s.Barcode + ": was taken back by somebody meanwhile: scan it again"
	}
	return code + ": unknown, or of an organisation that you don't work with"
}

// anOrganisation names one of the caller's organisations.
type anOrganisation struct {
	signedIn
	Organisation string `help:"Which organisation." required:""`
}

// find opens the register and finds the organisation.
func (c *anOrganisation) find(e *env) (svc *register.Service, auth vaultclient.Auth, org vaultclient.Organisation, done func() error, err error) {
	svc, auth, done, err = c.service(e)
	if err != nil {
		return
	}
	orgs, err := svc.Vault.Organisations(e.ctx, auth)
	if err == nil {
		var n id.Organisation
		n, err = findOrganisation(orgs, c.Organisation)
		org = vaultclient.Organisation{ID: n, Name: organisationName(orgs, n)}
	}
	if err != nil {
		done()
	}
	return
}

// BadgesMoveCmd moves an organisation's badges on together.
type BadgesMoveCmd struct {
	anOrganisation
	Batch string `help:"Only this batch's."`
}

// BadgesSendCmd sends what is returned to the laboratory.
type BadgesSendCmd struct{ BadgesMoveCmd }

// Run says how many badges went.
func (c *BadgesSendCmd) Run(e *env) error { return c.move(e, register.Sent, "Sent to the laboratory") }

// BadgesIssueCmd hands out what is ordered.
type BadgesIssueCmd struct{ BadgesMoveCmd }

// Run says how many badges were handed out.
func (c *BadgesIssueCmd) Run(e *env) error { return c.move(e, register.Issued, "Issued") }

func (c *BadgesMoveCmd) move(e *env, to register.BadgeState, done string) error {
	svc, auth, org, end, err := c.find(e)
	if err != nil {
		return err
	}
	defer end()
	n, err := svc.MoveBatch(e.ctx, auth, org.ID, c.Batch, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s: %d badges.\n", done, n)
	return nil
}

// BadgesUnreturnedCmd lists who has not returned their badges.
type BadgesUnreturnedCmd struct {
	anOrganisation
	On  string `help:"As it was at the end of this day; otherwise today." placeholder:"YYYY-MM-DD"`
	CSV string `name:"csv" help:"Write the list to this file, as an export with an id, instead of printing it." type:"path" placeholder:"FILE"`
}

// Run prints the list with names, which are entered.
func (c *BadgesUnreturnedCmd) Run(e *env) error {
	svc, auth, org, done, err := c.find(e)
	if err != nil {
		return err
	}
	defer done()
	on := day.At(svc.Now().UTC())
	if c.On != "" {
		if on, err = day.Parse(c.On); err != nil {
			return fmt.Errorf("--on: %w", err)
		}
	}
	if c.CSV != "" {
		p, err := svc.PrintUnreturned(e.ctx, auth, org.ID, on)
		if err != nil {
			return err
		}
		return c.write(e, c.CSV, p, func(w io.Writer) error { return writeBadges(w, p) })
	}
	badges, err := svc.Unreturned(e.ctx, auth, org.ID, on)
	if err != nil {
		return err
	}
	named, err := svc.Named(e.ctx, auth, "list of badges not returned", badges)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if len(named) > 0 {
		fmt.Fprintln(t, "BARCODE\tNAME\tDEPARTMENT\tPOSITION\tPERIOD")
	}
	for _, b := range named {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s to %s\n", b.Barcode, listName(b.Identity).Expose(), b.Department, b.Position, b.Starts, b.Ends)
	}
	t.Flush()
	fmt.Fprintf(e.stdout, "%d badges of %s were not back on %s.\n", len(named), org.Name, on)
	return nil
}

// write writes a print into a new file that only its owner reads, and says under which id it is entered.
func (anOrganisation) write(e *env, path string, p *register.Print, fill func(io.Writer) error) error {
	if err := newFile(path, fill); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Written: %d badges, export:%s.\n", len(p.Badges), p.Export)
	return nil
}

// newFile writes a file that was not there and that only its owner reads.
func newFile(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(fill(f), f.Close())
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// printCmd says which badges are printed.
type printCmd struct {
	anOrganisation
	From       string  `help:"First day of the wear period." required:"" placeholder:"YYYY-MM-DD"`
	To         string  `help:"Last day of the wear period." required:"" placeholder:"YYYY-MM-DD"`
	Batch      string  `help:"Only this batch's."`
	Department *string `help:"Only this department's; an empty one prints control badges and who has none."`
	File       string  `arg:"" help:"The PDF to write." type:"path"`
}

// run reveals the badges to the print and writes it.
func (c *printCmd) run(e *env, reason string, lay func(io.Writer, letter.Print) error) error {
	p := register.Period{Batch: c.Batch}
	var err error
	for name, d := range map[string]struct {
		text string
		to   *day.Day
	}{"--from": {c.From, &p.From}, "--to": {c.To, &p.To}} {
		if *d.to, err = day.Parse(d.text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := os.Stat(c.File); err == nil {
		return fmt.Errorf("%s exists: nothing was printed, and nobody revealed", c.File)
	}
	svc, auth, org, done, err := c.find(e)
	if err != nil {
		return err
	}
	defer done()
	p.Organisation = org.ID
	printed, err := svc.PrintPeriod(e.ctx, auth, p, c.Department, reason)
	if err != nil {
		return err
	}
	return c.write(e, c.File, printed, func(w io.Writer) error { return lay(w, onPaper(printed, org.Name, day.At(svc.Now().UTC()))) })
}

// BadgesSheetCmd prints issue sheets.
type BadgesSheetCmd struct{ printCmd }

// Run prints a sheet for each department.
func (c *BadgesSheetCmd) Run(e *env) error { return c.run(e, "issue sheet", letter.Sheets) }

// BadgesLabelsCmd prints labels.
type BadgesLabelsCmd struct {
	printCmd
	Stock string `help:"Labels on a sheet: 21 (63.5 × 38.1 mm) or 65 (38.1 × 21.2 mm)." enum:"21,65" default:"21"`
}

// Run prints a label for each badge.
func (c *BadgesLabelsCmd) Run(e *env) error {
	stock, _ := letter.StockNamed(c.Stock)
	return c.run(e, "labels", func(w io.Writer, p letter.Print) error { return letter.Labels(w, p, stock) })
}
