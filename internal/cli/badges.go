package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/table"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// BadgesCmd holds what is done with badges.
type BadgesCmd struct {
	Import     BadgesImportCmd     `cmd:"" help:"Load a list of dispatched badges: who wears which badge, and from when to when."`
	Sheet      BadgesSheetCmd      `cmd:"" help:"Print issue sheets of a period as PDF, one for each department. The print is entered as a recipient before the first name is read."`
	Labels     BadgesLabelsCmd     `cmd:"" help:"Print labels with names and barcodes, likewise."`
	Issue      BadgesIssueCmd      `cmd:"" help:"Hand out the badges that are ordered."`
	Return     BadgesReturnCmd     `cmd:"" help:"Take badges back by their barcodes."`
	Unreturned BadgesUnreturnedCmd `cmd:"" help:"Who has not returned their badges. The names are entered in the ledger."`
	Send       BadgesSendCmd       `cmd:"" help:"Send the badges that are returned to the laboratory."`
}

// BadgesImportCmd loads a dispatch list.
type BadgesImportCmd struct {
	signedIn
	File   string `arg:"" help:"CSV or XLSX with the columns organisation, barcode, batch, staff_number, position, from and to. A control badge has the position control and no staff number." type:"existingfile"`
	Sender string `help:"Who sent it." default:"laboratory"`
}

// Run stores all badges of the list or, with an error that says row and column, none.
func (c *BadgesImportCmd) Run(e *env) error {
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
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	orgs, err := client.Organisations(e.ctx, auth)
	if err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("%s: %w; nothing was stored", filepath.Base(c.File), err) }
	list, err := readDispatched(raw, orgs)
	if err != nil {
		return fail(err)
	}
	var keys []vaultclient.StaffKey
	var worn []int
	barcodes := make([]string, len(list))
	for i := range list {
		barcodes[i] = list[i].Barcode
		if list[i].Position != dose.Control {
			keys, worn = append(keys, list[i].key), append(worn, i)
		}
	}
	found, err := client.FindStaff(e.ctx, auth, policy.IssueBadges, keys)
	if err != nil {
		return err
	}
	for k, w := range found {
		if list[worn[k]].Wearer = w; w.IsZero() {
			return fail(list[worn[k]].wrong("staff_number", errors.New("no wearer of that organisation has it: take them on first with dosevault people import")))
		}
	}
	there, err := svc.Store.Periods(e.ctx, barcodes)
	if err != nil {
		return err
	}
	badges := make([]register.Dispatched, len(list))
	for i := range list {
		badges[i] = list[i].Dispatched
		if slices.ContainsFunc(there, func(r register.Result) bool { return r.Barcode == badges[i].Barcode }) {
			return fail(list[i].wrong("barcode", errors.New("a badge with it is there already")))
		}
	}
	if _, err := svc.Dispatch(e.ctx, auth, badges, c.Sender); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Stored: %d badges, %d of them control badges.\n", len(badges), len(badges)-len(worn))
	return nil
}

// dispatchColumns are the headings of a dispatch list, in any order.
var dispatchColumns = []string{"organisation", "barcode", "batch", "staff_number", "position", "from", "to"}

// positions are where a badge may be worn, as a dispatch list says it: their own names.
var positions = []dose.Position{dose.WholeBody, dose.Collar, dose.Eye, dose.LeftFinger, dose.RightFinger, dose.LeftWrist, dose.RightWrist, dose.Foetal, dose.Control}

// listed is a badge of a dispatch list whose wearer is not looked up yet.
type listed struct {
	register.Dispatched
	row int
	key vaultclient.StaffKey
}

// wrong says in which row and column something is wrong. It repeats no text of the row.
func (l *listed) wrong(column string, err error) error {
	return fmt.Errorf("row %d: column %s: %w", l.row, column, err)
}

// readDispatched reads a dispatch list. An error says row and column, and holds no text of the file.
func readDispatched(raw []byte, orgs []vaultclient.Organisation) ([]listed, error) {
	file, err := table.Open(bytes.NewReader(raw), table.Options{Options: delimited.Options{Separators: ",;\t"}})
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, h := range file.Header().Fields {
		at[strings.ToLower(strings.TrimSpace(h))] = i
	}
	for _, c := range dispatchColumns {
		if _, ok := at[c]; !ok || len(at) != len(dispatchColumns) {
			return nil, fmt.Errorf("row 1: the headings must be %s", strings.Join(dispatchColumns, ", "))
		}
	}
	var out []listed
	first := map[string]int{}
	for {
		rec, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if rec.Blank() {
			continue
		}
		if len(rec.Fields) < len(dispatchColumns) {
			return nil, fmt.Errorf("row %d: %d columns, where %d are expected", rec.Number, len(rec.Fields), len(dispatchColumns))
		}
		l := listed{row: rec.Number}
		column, err := l.read(func(column string) string { return strings.TrimSpace(rec.Fields[at[column]]) }, orgs)
		if err != nil {
			return nil, l.wrong(column, err)
		}
		if n := first[l.Barcode]; n != 0 {
			return nil, l.wrong("barcode", fmt.Errorf("it is in row %d too", n))
		}
		first[l.Barcode] = l.row
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no row below the headings")
	}
	return out, nil
}

// read reads one row; with an error comes its column.
func (l *listed) read(text func(column string) string, orgs []vaultclient.Organisation) (column string, err error) {
	if l.Organisation, err = findOrganisation(orgs, text("organisation")); err != nil || l.Organisation.IsZero() {
		return "organisation", cmp.Or(err, errors.New("the name of one of your organisations is expected"))
	}
	for column, to := range map[string]*string{"barcode": &l.Barcode, "batch": &l.Batch} {
		if *to = strings.Clone(text(column)); !register.IsCode(*to) {
			return column, errors.New("1 to 32 letters, digits, hyphens or slashes are expected")
		}
	}
	names := make([]string, len(positions))
	for i, p := range positions {
		if names[i] = p.String(); strings.EqualFold(strings.NewReplacer("-", " ", "_", " ").Replace(text("position")), names[i]) {
			l.Position = p
		}
	}
	if l.Position == dose.NoPosition {
		return "position", fmt.Errorf("one of these is expected: %s", strings.Join(names, ", "))
	}
	staff := strings.Clone(text("staff_number"))
	switch control := l.Position == dose.Control; {
	case control && staff != "":
		return "staff_number", errors.New("a control badge is worn by nobody: nothing is expected")
	case !control && staff == "":
		return "staff_number", errors.New("the wearer's staff number is expected: only a control badge has none")
	}
	l.key = vaultclient.StaffKey{Organisation: l.Organisation, StaffNumber: person.NewValue(staff)}
	for _, c := range []struct {
		column string
		to     *day.Day
	}{{"from", &l.From}, {"to", &l.To}} {
		if *c.to, err = day.Parse(text(c.column)); err != nil || c.to.IsZero() {
			return c.column, errors.New("a date such as 2026-10-06 is expected")
		}
	}
	switch {
	case l.To < l.From:
		return "to", errors.New("a date not before the first day is expected")
	case l.To > l.From.AddMonths(12):
		return "to", errors.New("a wear period of at most 12 months is expected")
	}
	l.State = register.Issued
	return "", nil
}
