package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// matter asks the ledgers for the scope of an incident.
func matter(e *env, client *vaultclient.Client, auth vaultclient.Auth, one vaultclient.Incident, orgs []vaultclient.Organisation) (incident.Matter, error) {
	m := incident.Matter{Incident: one, Organisations: orgs, Now: time.Now()}
	scope, ok := incident.Scope(one)
	if !ok {
		return m, nil
	}
	var err error
	m.Exposures, err = client.Exposures(e.ctx, auth, scope)
	return m, err
}

// ofIncident names an incident and, where it is about one, an organisation.
type ofIncident struct {
	signedIn
	Number       string `arg:"" help:"The incident, as in 2026-1."`
	Organisation string `help:"For this organisation, of its own people alone." placeholder:"NAME"`
}

// find finds both, and what the ledgers answer.
func (c *ofIncident) find(e *env) (m incident.Matter, org id.Organisation, done func(), err error) {
	client, auth, one, orgs, err := c.incident(e, c.Number)
	if err != nil {
		return m, org, nil, err
	}
	defer func() {
		if err != nil {
			client.Close()
		}
	}()
	if org, err = findOrganisation(orgs, c.Organisation); err != nil {
		return m, org, nil, err
	}
	m, err = matter(e, client, auth, one, orgs)
	return m, org, client.Close, err
}

// IncidentReportCmd fills in the regulator's form.
type IncidentReportCmd struct {
	ofIncident
	inWelsh
	Answers string `help:"What only people know: a JSON object or a CSV file of name and answer. docs/breach-report.md has the names." type:"existingfile" placeholder:"FILE"`
	Since   string `help:"The report before, as JSON: this one is then a follow-up, and says what changed." type:"existingfile" placeholder:"FILE"`
	JSON    string `name:"json" help:"Write it as JSON into this file." type:"path" placeholder:"FILE"`
	PDF     string `name:"pdf" help:"Write it as PDF into this file." type:"path" placeholder:"FILE"`
}

// Run writes the form, or prints it.
func (c *IncidentReportCmd) Run(e *env) error {
	given, err := readAnswers(c.Answers)
	if err != nil {
		return err
	}
	var before map[string]any
	if c.Since != "" {
		file, err := os.ReadFile(c.Since)
		if err != nil {
			return err
		}
		if before, err = incident.ReadReport(bytes.NewReader(file)); err != nil {
			return fmt.Errorf("--since %s: %w", c.Since, err)
		}
	}
	m, org, done, err := c.find(e)
	if err != nil {
		return err
	}
	defer done()
	r, err := incident.ReportOf(m, org, given, before)
	if err != nil {
		return err
	}
	d := c.document(e, "Breach report", m, r.Document(c.speak(e.ctx)))
	if c.JSON != "" {
		if err := newFile(c.JSON, r.JSON); err != nil {
			return err
		}
	}
	if c.PDF != "" {
		if err := newFile(c.PDF, d.Write); err != nil {
			return err
		}
	}
	if c.JSON == "" && c.PDF == "" {
		return d.Plain(e.stdout)
	}
	fmt.Fprintf(e.stdout, "Written; %d of the questions are to be filled in by whoever signs.\n", len(r.Open))
	return nil
}

// document is a document about an incident, in the language asked for.
func (w inWelsh) document(e *env, title string, m incident.Matter, parts []letter.Part) *letter.Document {
	d := &letter.Document{Title: title + " " + m.Incident.Number, Day: day.At(m.Now.UTC()), Foot: m.Incident.Number + ", " + words.Moment(w.speak(e.ctx), m.Now), Lang: words.Of(w.speak(e.ctx)), Parts: parts}
	return d
}

// maxAnswers bounds a file of answers.
const maxAnswers = 1 << 20

// readAnswers reads answers: a JSON object, or a table of names and answers.
func readAnswers(path string) (map[string]any, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(file) > maxAnswers {
		return nil, fmt.Errorf("%s: more than 1 MiB", path)
	}
	given := map[string]any{}
	if text := bytes.TrimSpace(file); len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &given); err != nil {
			return nil, fmt.Errorf("%s: no JSON object: %w", path, err)
		}
		return given, nil
	}
	in := csv.NewReader(bytes.NewReader(file))
	in.FieldsPerRecord = 2
	rows, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: two columns are expected, name and answer: %w", path, err)
	}
	for _, row := range rows {
		if row[0] != "name" {
			given[row[0]] = row[1]
		}
	}
	return given, nil
}

// IncidentStatementCmd writes the public statement.
type IncidentStatementCmd struct {
	signedIn
	inWelsh
	Number  string `arg:"" help:"The incident, as in 2026-1."`
	Contact string `help:"Where questions go: a telephone number or address." placeholder:"TEXT"`
	PDF     string `name:"pdf" help:"Write it as PDF into this file." type:"path" placeholder:"FILE"`
}

// Run writes the statement, or prints it.
func (c *IncidentStatementCmd) Run(e *env) error {
	about := ofIncident{signedIn: c.signedIn, Number: c.Number}
	m, _, done, err := about.find(e)
	if err != nil {
		return err
	}
	defer done()
	parts, err := incident.Statement(c.speak(e.ctx), m, c.Contact)
	if err != nil {
		return err
	}
	d := c.document(e, "Statement", m, parts)
	if c.PDF == "" {
		return d.Plain(e.stdout)
	}
	return newFile(c.PDF, d.Write)
}

// IncidentRegisterCmd writes the register of breaches.
type IncidentRegisterCmd struct {
	signedIn
	Organisation string `help:"This organisation's register, of its own people alone; otherwise the service's." placeholder:"NAME"`
	JSON         bool   `name:"json" help:"As JSON instead of CSV."`
	Out          string `help:"Write it into this file instead of printing it." type:"path" placeholder:"FILE"`
}

// Run asks the ledgers anew for each incident, and writes a row of each.
func (c *IncidentRegisterCmd) Run(e *env) error {
	client, auth, orgs, err := c.organisations(e)
	if err != nil {
		return err
	}
	defer client.Close()
	org, err := findOrganisation(orgs, c.Organisation)
	if err != nil {
		return err
	}
	all, err := client.Incidents(e.ctx, auth)
	if err != nil {
		return err
	}
	rows := []incident.Breach{}
	for _, one := range all {
		if one.Drill {
			continue
		}
		m, err := matter(e, client, auth, one, orgs)
		if err != nil {
			return err
		}
		b, err := incident.BreachOf(m, org)
		if err != nil {
			return err
		}
		if !org.IsZero() && b.Records == 0 && b.Aware.IsZero() {
			continue // it never concerned them
		}
		rows = append(rows, b)
	}
	write := func(w io.Writer) error { return writeBreaches(w, rows) }
	if c.JSON {
		write = func(w io.Writer) error {
			out := json.NewEncoder(w)
			out.SetIndent("", "  ")
			return out.Encode(rows)
		}
	}
	if c.Out == "" {
		return write(e.stdout)
	}
	return newFile(c.Out, write)
}

// writeBreaches writes the register as CSV.
func writeBreaches(w io.Writer, rows []incident.Breach) error {
	out := csv.NewWriter(w)
	out.Write(incident.BreachColumns)
	for _, b := range rows {
		cells := b.Cells()
		for i := range cells {
			cells[i] = noFormula(cells[i])
		}
		out.Write(cells)
	}
	out.Flush()
	if out.Error() != nil {
		return errors.New("the register of breaches could not be written")
	}
	return nil
}
