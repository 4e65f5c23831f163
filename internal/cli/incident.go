package cli

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// IncidentCmd holds what is done about a suspected breach.
type IncidentCmd struct {
	Declare   IncidentDeclareCmd   `cmd:"" help:"Declare one, on a suspicion: from then on every step is in the ledger, and the clocks run."`
	List      IncidentListCmd      `cmd:"" help:"List them, newest first."`
	Show      IncidentShowCmd      `cmd:"" help:"Who is concerned, how severe it is, who has to be told and by when, and what was done."`
	Step      IncidentStepCmd      `cmd:"" help:"Enter what was done, or one hypothesis more."`
	Assess    IncidentAssessCmd    `cmd:"" help:"Enter how severe you see it, with the reason; what you don't say stays as it was."`
	Reconcile IncidentReconcileCmd `cmd:"" help:"Take in the list of people whose data a supplier lost: match it inside the vault, and declare what the ledgers did not say."`
	Advice    IncidentAdviceCmd    `cmd:"" help:"What people concerned are told and offered, by what became readable of them."`
	Routes    IncidentRoutesCmd    `cmd:"" help:"Who else is told of a breach, by nation and kind of body."`
	Tell      IncidentTellCmd      `cmd:"" help:"Tell the organisations concerned: each gets its own figures by mail, with a link to a page that needs no account."`
	Report    IncidentReportCmd    `cmd:"" help:"The regulator's form, filled in as far as the incident knows."`
	Register  IncidentRegisterCmd  `cmd:"" help:"The register of breaches: every one, near misses too, with what was decided and why."`
	Statement IncidentStatementCmd `cmd:"" help:"The public statement, with one set of figures."`
	Letter    IncidentLetterCmd    `cmd:"" help:"The notice to an organisation as a letter, as tell gave it out."`
	Letters   IncidentLettersCmd   `cmd:"" help:"Letters to the people of an organisation who are concerned. Each print is an export; it takes a standing grant for breach-notices."`
}

// hypothesisFlags say what may have happened.
type hypothesisFlags struct {
	Recipient string `help:"Who may have read what they should not: user:ID, node:web, node:worker, grant:ID, machine:NAME, supplier:NAME, export:ID, or anybody." placeholder:"WHO"`
	Medium    bool   `help:"A stolen database or backup, without its keys."`
	From      string `help:"From which day or moment on." placeholder:"DAY"`
	To        string `help:"Until which day or moment." placeholder:"DAY"`
	Began     string `help:"When somebody else may have had it first, where that is known: what the recipient had destroyed before is not concerned." placeholder:"MOMENT"`
}

// hypothesis reads the flags; nil when none was given.
func (h hypothesisFlags) hypothesis() (*vaultclient.Hypothesis, error) {
	if h.Recipient == "" && !h.Medium && h.From == "" && h.To == "" {
		return nil, nil
	}
	if (h.Recipient == "") != h.Medium {
		return nil, errors.New("--recipient WHO (or anybody), or --medium: one of the two is expected")
	}
	out := &vaultclient.Hypothesis{Medium: h.Medium}
	if h.Recipient != "anybody" {
		out.Recipient = vaultclient.Recipient(h.Recipient)
	}
	var err error
	if out.From, out.To, err = (window{h.From, h.To}).parse(); err == nil && h.Began != "" {
		if out.Began, _, err = moment(h.Began); err != nil {
			err = fmt.Errorf("--began: %w", err)
		}
	}
	return out, err
}

func inWords(h *vaultclient.Hypothesis) string {
	who := string(h.Recipient)
	switch {
	case h.Medium:
		who = "a stolen medium"
	case who == "":
		who = "anybody"
	}
	s := fmt.Sprintf("%s, %s to %s", who, minute(h.From), minute(h.To))
	if !h.Began.IsZero() {
		s += ", not before " + minute(h.Began)
	}
	return s
}

// IncidentDeclareCmd declares an incident.
type IncidentDeclareCmd struct {
	signedIn
	hypothesisFlags
	Text   string `arg:"" help:"What is suspected, and how it came out. No names of people concerned."`
	Aware  string `help:"When the service became aware, if that was before now." placeholder:"MOMENT"`
	Drill  bool   `help:"A rehearsal."`
	Freeze bool   `help:"Freeze the suspected user, node, grant, supplier or export at once."`
}

// Run declares, and freezes first where that is asked for.
func (c *IncidentDeclareCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	s := vaultclient.NewStep{Kind: vaultclient.Declared, Text: c.Text, Drill: c.Drill}
	if s.Hypothesis, err = c.hypothesis(); err != nil {
		return err
	}
	if s.Hypothesis == nil {
		return errors.New("--recipient WHO or --medium, --from and --to: what may have happened is expected; it can be widened later")
	}
	if c.Aware != "" {
		if s.Moment, _, err = moment(c.Aware); err != nil {
			return fmt.Errorf("--aware: %w", err)
		}
	}
	if c.Freeze {
		if c.Drill {
			return errors.New("a drill freezes nothing")
		}
		if err := client.Freeze(e.ctx, auth, vaultclient.FreezeRequest{Scope: vaultclient.Scope(s.Hypothesis.Recipient), Reason: c.Text, Purpose: policy.BreachNotice}); err != nil {
			return fmt.Errorf("freezing: %w", err)
		}
		fmt.Fprintf(e.stdout, "Frozen: %s.\n", s.Hypothesis.Recipient)
	}
	n, err := client.EnterStep(e.ctx, auth, s)
	if err != nil {
		return err
	}
	one, err := findIncident(e, client, auth, n.String())
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Declared: %s. See who is concerned: dosevault incident show %s\n", one.Number, one.Number)
	return nil
}

// incident opens what a command about one incident works with: the client, which the caller closes, the incident and the organisations.
func (s signedIn) incident(e *env, number string) (client *vaultclient.Client, auth vaultclient.Auth, one vaultclient.Incident, orgs []vaultclient.Organisation, err error) {
	if client, auth, orgs, err = s.organisations(e); err != nil {
		return nil, auth, one, nil, err
	}
	if one, err = findIncident(e, client, auth, number); err != nil {
		client.Close()
	}
	return client, auth, one, orgs, err
}

// findIncident finds an incident by its number or id.
func findIncident(e *env, client *vaultclient.Client, auth vaultclient.Auth, name string) (vaultclient.Incident, error) {
	all, err := client.Incidents(e.ctx, auth)
	if err != nil {
		return vaultclient.Incident{}, err
	}
	for _, one := range all {
		if strings.EqualFold(one.Number, name) || one.ID.String() == name {
			return one, nil
		}
	}
	return vaultclient.Incident{}, errors.New("no such incident: dosevault incident list shows their numbers")
}

// IncidentListCmd lists incidents.
type IncidentListCmd struct{ signedIn }

// Run prints one a line.
func (c *IncidentListCmd) Run(e *env) error {
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	all, err := client.Incidents(e.ctx, auth)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(e.stdout, "There was none.")
		return nil
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INCIDENT\tDECLARED\tSTEPS\tSTATE\tWHAT")
	for _, one := range all {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", one.Number, minute(one.Steps[0].At), len(one.Steps), map[bool]string{false: "open", true: "closed"}[one.Closed], one.Steps[0].Text)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printLastDrills(e, all)
}

// IncidentStepCmd enters a step.
type IncidentStepCmd struct {
	signedIn
	hypothesisFlags
	Number       string `arg:"" help:"The incident, as in 2026-1."`
	Kind         string `arg:"" help:"supposed (one hypothesis more), knew (the supplier, or who lost it), aware, told, asked, answered, decided, noted, destroyed (a recipient confirms to have destroyed what it was sent within a window), signed-off (an organisation has done its part) or closed." enum:"supposed,knew,aware,told,asked,answered,decided,noted,destroyed,signed-off,closed"`
	Text         string `arg:"" help:"What was done, decided and why, or said."`
	Organisation string `help:"The organisation that it concerns; it sees the incident from then on." placeholder:"NAME"`
	Letter       bool   `help:"With told: the notice by letter was posted."`
	File         string `help:"What the step rests on, such as a letter received: its size and SHA-256 are entered, so that it can be shown later to be this one. Keep the file yourself." type:"existingfile" placeholder:"FILE"`
	At           string `help:"When it was so, if that was before now." placeholder:"MOMENT"`
}

// Run enters the step.
func (c *IncidentStepCmd) Run(e *env) error {
	client, auth, one, orgs, err := c.incident(e, c.Number)
	if err != nil {
		return err
	}
	defer client.Close()
	s := vaultclient.NewStep{Incident: one.ID, Kind: vaultclient.IncidentStepKind(c.Kind), Text: c.Text}
	if s.Organisation, err = findOrganisation(orgs, c.Organisation); err != nil {
		return err
	}
	if c.File != "" {
		file, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		s.Text += fmt.Sprintf(" [a file of %d bytes, SHA-256 %x]", len(file), sha256.Sum256(file))
	}
	if s.Hypothesis, err = c.hypothesis(); err != nil {
		return err
	}
	if c.Letter {
		if s.Of = postedLetter(one, s.Organisation); s.Of.IsZero() {
			return errors.New("--letter: no letter to this organisation waits to be posted")
		}
	}
	if h := s.Hypothesis; s.Kind == vaultclient.Destroyed {
		if h == nil || h.Medium || h.Recipient == "" || c.Began != "" {
			return errors.New("destroyed: --recipient WHO, --from and --to, and --at for when: what was destroyed is expected")
		}
		s.Hypothesis, s.Destruction = nil, &vaultclient.Destruction{Recipient: h.Recipient, From: h.From, To: h.To}
	}
	if c.At != "" {
		if s.Moment, _, err = moment(c.At); err != nil {
			return fmt.Errorf("--at: %w", err)
		}
	}
	if _, err := client.EnterStep(e.ctx, auth, s); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, "Entered.")
	return nil
}

// IncidentShowCmd shows an incident.
type IncidentShowCmd struct {
	signedIn
	Number string `arg:"" help:"The incident, as in 2026-1."`
}

// Run recomputes who is concerned from the ledgers, and prints all that is known.
func (c *IncidentShowCmd) Run(e *env) error {
	client, auth, one, orgs, err := c.incident(e, c.Number)
	if err != nil {
		return err
	}
	defer client.Close()
	fmt.Fprintf(e.stdout, "Incident %s%s\n", one.Number, map[bool]string{true: ", a drill"}[one.Drill])
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if scope, ok := incident.Scope(one); ok {
		x, err := client.Exposures(e.ctx, auth, scope)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "\nWho is concerned: %d people (%d wearers) of %d organisations.\n\n", x.People, x.Wearers, countOrganisations(x.Cells))
		fmt.Fprintln(t, "ORGANISATION\tWEARERS\tFIELDS")
		table := incident.Table(x.List)
		for _, row := range table {
			fmt.Fprintf(t, "%s\t%d\t%s\n", organisationName(orgs, row.Organisation), row.Wearers, row.Fields)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if n := incident.Spared(x); n > 0 || len(x.Destroyed) > 0 {
			fmt.Fprintf(e.stdout, "\nConfirmed destroyed before: something of %d wearers, of whom %d are not concerned at all and are not counted above.\n", incident.Wearers(x.Destroyed), n)
		}
		a := incident.AssessmentOf(one, id.Organisation{}, x.People)
		if a.Step == nil {
			fmt.Fprintf(e.stdout, "\nNobody has assessed it yet, so what is not known counts as the worse: dosevault incident assess %s\n", one.Number)
		} else {
			fmt.Fprintf(e.stdout, "\nAs assessed at %s by %s: %s\n", minute(a.Step.At), a.Step.By, a.Step.Text)
		}
		if err := printAssessment(e, table, a); err != nil {
			return err
		}
		if untold := incident.Untold(one, table); len(untold) > 0 {
			fmt.Fprintf(e.stdout, "\nNot told yet: %s.\n", whereOf(orgs, untold))
		}
	} else {
		fmt.Fprintln(e.stdout, "\nWhat was taken is sealed: nobody became readable by it, as long as the keys are safe. It is a breach all the same, and registered (UK GDPR Arts 33(5) and 34(3)(a)).")
	}
	fmt.Fprintln(t, "\nCLOCK\tAWARE\tDUE\tLEFT")
	for _, k := range incident.Clocks(one) {
		who := "the service, as controller of its own staff"
		if !k.Organisation.IsZero() {
			who = organisationName(orgs, k.Organisation)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", who, minute(k.Aware), minute(k.Due()), left(k, time.Now()))
	}
	fmt.Fprintln(t, "\nENTERED\tWAS SO\tBY\tWHAT\tTEXT")
	for _, s := range one.Steps {
		what := string(s.Kind)
		if !s.Organisation.IsZero() {
			what += " (" + organisationName(orgs, s.Organisation) + ")"
		}
		text := s.Text
		if s.Hypothesis != nil {
			text += " [" + inWords(s.Hypothesis) + "]"
		}
		if d := s.Destruction; d != nil {
			text += fmt.Sprintf(" [what %s was sent, %s to %s]", d.Recipient, minute(d.From), minute(d.To))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", minute(s.At), minute(s.Moment), s.By, what, strings.ReplaceAll(text, "\n", " "))
	}
	return t.Flush()
}

func left(k incident.OrganisationClock, now time.Time) string {
	switch d := k.Left(now); {
	case k.Done:
		return "a decision was entered"
	case d < 0:
		return "late by " + hours(-d) + ": the regulator wants the reason"
	default:
		return hours(d)
	}
}

// hours says a length of time in days and hours, of less than a day in hours and minutes.
func hours(d time.Duration) string {
	h := int(d.Hours())
	if h < 24 {
		return fmt.Sprintf("%d h %d min", h, int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days %d h", h/24, h%24)
}
