package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// IncidentReconcileCmd takes in a supplier's list of those concerned.
type IncidentReconcileCmd struct {
	signedIn
	Number    string `arg:"" help:"The incident, as in 2026-1."`
	File      string `arg:"" help:"The list as it came: CSV or XLSX." type:"existingfile"`
	Recipient string `help:"Whose list it is, as in supplier:NAME; the incident's only supplier if left out." placeholder:"WHO"`
	From      string `help:"From which day on it was sent data; as the incident supposes if left out." placeholder:"DAY"`
	To        string `help:"Until which day." placeholder:"DAY"`
	Deceased  string `help:"CSV with the columns organisation and staff_number: who has died, as employers say." type:"existingfile" placeholder:"FILE"`
	Out       string `help:"Write the rows that are no match to this file, each with its outcome and reason, for a person to look at." placeholder:"FILE"`
	Celtic    bool   `help:"The file's encoding is ISO 8859-14, where it is not UTF-8."`
}

// Run reconciles the list, and prints how many rows have which outcome.
func (c *IncidentReconcileCmd) Run(e *env) error {
	client, auth, one, orgs, err := c.incident(e, c.Number)
	if err != nil {
		return err
	}
	defer client.Close()
	in := incident.SupplierList{Incident: one, Recipient: vaultclient.Recipient(c.Recipient)}
	if h := incident.HypothesisFor(one, in.Recipient); h != nil {
		in.Recipient, in.From, in.To = h.Recipient, h.From, h.To
	}
	switch {
	case in.Recipient == "":
		return errors.New("--recipient WHO: whose list it is, since the incident is not about one supplier alone")
	case c.From != "" || c.To != "" || in.From.IsZero():
		if in.From, in.To, err = (window{c.From, c.To}).parse(); err != nil {
			return fmt.Errorf("when %s was sent data: %w", in.Recipient, err)
		}
	}
	if in.File, err = os.ReadFile(c.File); err != nil {
		return err
	}
	o := incident.ListOptions{Today: day.At(time.Now())}
	if c.Celtic {
		o.Fallback = delimited.ISO8859_14
	}
	if in.List, err = incident.ReadList(bytes.NewReader(in.File), o); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.File), err)
	}
	if in.Names, err = c.employers(e, auth, orgs); err != nil {
		return err
	}
	if in.Deceased, err = readDeceased(e, client, auth, c.Deceased, orgs); err != nil {
		return err
	}
	taken, err := incident.Take(e.ctx, client, auth, in)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := writeRows(c.Out, taken, in.List.Header, orgs); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.stdout, "Read as: %s.\n\n", strings.Join(in.List.Used, ", "))
	return printTaken(e, taken)
}

// readDeceased reads who has died, as employers say; no file: nobody that we know of.
func readDeceased(e *env, client *vaultclient.Client, auth vaultclient.Auth, path string, orgs []vaultclient.Organisation) (map[id.Wearer]bool, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := readStaffKeys(raw, orgs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	found, err := client.FindStaff(e.ctx, auth, policy.KeepRecords, keys)
	if err != nil {
		return nil, err
	}
	out := map[id.Wearer]bool{}
	for i, w := range found {
		if w.IsZero() {
			return nil, fmt.Errorf("%s: row %d: column staff_number: no wearer of that organisation has it", filepath.Base(path), i+2)
		}
		out[w] = true
	}
	return out, nil
}

// employers are the names and accounts of the organisations.
func (p place) employers(e *env, auth vaultclient.Auth, orgs []vaultclient.Organisation) (names []incident.EmployerName, err error) {
	for _, o := range orgs {
		names = append(names, incident.EmployerName{Organisation: o.ID, Name: o.Name})
	}
	svc, done, err := p.openRegister(e.ctx, "cli", id.Owner{}, e.log)
	if err != nil {
		return nil, err
	}
	defer done()
	settings, err := svc.Settings(e.ctx, auth)
	if err != nil {
		return nil, err
	}
	for org, set := range settings {
		for _, a := range set.Accounts {
			names = append(names, incident.EmployerName{Organisation: org, Name: a})
		}
	}
	return names, nil
}

// printTaken prints outcomes, and how the list differs from the ledgers.
func printTaken(e *env, taken *incident.Taken) error {
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, o := range incident.Outcomes() {
		fmt.Fprintf(t, "%d\t  %s\n", taken.Count(o), o)
		if o == incident.Matched {
			for _, s := range []incident.Status{incident.Current, incident.Left, incident.Deceased} {
				fmt.Fprintf(t, "\t    %d %s\n", taken.CountStatus(s), s)
			}
			continue
		}
		for _, r := range reasonsOf(taken, o) {
			fmt.Fprintf(t, "\t    %d × %s\n", r.Rows, r.Reason)
		}
	}
	fmt.Fprintf(t, "%d\t  rows\n", len(taken.Rows))
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "\n%s\n", taken.Difference)
	return err
}

// reasonsOf counts why rows have an outcome, the commonest first.
func reasonsOf(taken *incident.Taken, o incident.Outcome) (out []reason) {
	for _, row := range taken.Rows {
		if row.Outcome != o {
			continue
		}
		i := slices.IndexFunc(out, func(r reason) bool { return r.Reason == row.Reason })
		if i < 0 {
			i = len(out)
			out = append(out, reason{Reason: row.Reason})
		}
		out[i].Rows++
	}
	slices.SortStableFunc(out, func(a, b reason) int { return b.Rows - a.Rows })
	return out
}

// writeRows writes the rows that are no match as CSV: what became of each, and the row as it stood.
func writeRows(file string, taken *incident.Taken, header []string, orgs []vaultclient.Organisation) error {
	out := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(out)
	w.UseCRLF = true
	err := w.Write(append([]string{"row", "outcome", "reason", "of row", "may be"}, header...))
	for _, r := range taken.Rows {
		if r.Outcome == incident.Matched || err != nil {
			continue
		}
		of, maybe := "", []string{}
		if r.Of > 0 {
			of = strconv.Itoa(r.Of)
		}
		if r.Outcome == incident.ForReview {
			for _, m := range r.Wearers {
				maybe = append(maybe, m.Wearer.String()+" of "+organisationName(orgs, m.Organisation))
			}
		}
		err = w.Write(append([]string{strconv.Itoa(r.Number), r.Outcome.String(), r.Reason, of, strings.Join(maybe, "; ")}, r.Fields...))
	}
	w.Flush()
	if err = errors.Join(err, w.Error()); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o600)
}

// readStaffKeys reads a list of wearers by organisation and staff number; errors say row and column.
func readStaffKeys(raw []byte, orgs []vaultclient.Organisation) (keys []vaultclient.StaffKey, err error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	r.FieldsPerRecord = 2
	records, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || strings.Join(records[0], ",") != "organisation,staff_number" {
		return nil, errors.New("row 1: the heading must be organisation,staff_number")
	}
	for i, rec := range records[1:] {
		org, err := findOrganisation(orgs, rec[0])
		if err != nil || org.IsZero() {
			return nil, fmt.Errorf("row %d: column organisation: the name of one of your organisations is expected", i+2)
		}
		keys = append(keys, vaultclient.StaffKey{Organisation: org, StaffNumber: person.NewValue(strings.TrimSpace(rec[1]))})
	}
	return keys, nil
}
