package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// circumstances say what happened, as far as somebody says it.
type circumstances struct {
	Malicious       *bool `help:"Somebody meant harm, as in a hack." negatable:""`
	KnownRecipients *bool `help:"It is known who has it, and how many they are." negatable:""`
	Unintelligible  *bool `help:"What was taken is encrypted, and the key was not taken." negatable:""`
}

// on are the circumstances with what was said.
func (c circumstances) on(a incident.Assessment) incident.Assessment {
	if c.Malicious != nil {
		a.Malicious = *c.Malicious
	}
	if c.Unintelligible != nil {
		a.Unintelligible = *c.Unintelligible
	}
	if c.KnownRecipients != nil {
		a.Confidentiality = incident.Full
		if *c.KnownRecipients {
			a.Confidentiality = incident.Some
		}
	}
	return a
}

// printAssessment writes how severe a breach is and what follows from it.
func printAssessment(e *env, table []incident.Row, a incident.Assessment) error {
	all, err := incident.Combinations(table, a)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(e.stdout, "\nNothing became readable, so nobody has to be told; whoever looked for it keeps this answer.")
		return nil
	}
	fmt.Fprintln(e.stdout, "\nHow severe it is, if it was a breach:")
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nSEVERITY\tSCORE\tWEARERS\tORGANISATIONS\tTELL THEM\tFIELDS")
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%s = %s × %s + %s\t%d\t%d\t%s\t%s\n", c.Severity.Level, c.Severity.Score, c.Severity.Context.Value, c.Severity.Identification.Value, c.Severity.Circumstances.Value,
			c.Wearers, len(c.Organisations), map[bool]string{false: "no", true: "yes"}[c.TellPeople()], c.Fields)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	worst := all[0].Severity
	fmt.Fprintf(e.stdout, "\nThe worst of them: %s (%s); %s (%s); %s (%s).\n", worst.Context.Say(e.ctx), worst.Context.Value, worst.Identification.Say(e.ctx), worst.Identification.Value, worst.Circumstances.Say(e.ctx), worst.Circumstances.Value)
	fmt.Fprintln(e.stdout, "\nWho has to be told, where the service is the organisations' processor:")
	fmt.Fprintln(t, "\nTELL\tUK GDPR\tWITHIN\tWHY")
	for _, d := range incident.Duties(incident.Processor, worst) {
		within := "-"
		switch {
		case d.Due && d.Within > 0:
			within = fmt.Sprintf("%d hours", int(d.Within.Hours()))
		case d.Due:
			within = "without undue delay"
		}
		fmt.Fprintf(t, "%s%s\t%s\t%s\t%s\n", map[bool]string{false: "not " /* by this assessment */}[d.Due], d.Tell, d.Article, within, d.Why)
	}
	return t.Flush()
}

// IncidentAssessCmd enters how somebody sees what happened.
type IncidentAssessCmd struct {
	signedIn
	circumstances
	Number         string  `arg:"" help:"The incident, as in 2026-1."`
	Text           string  `arg:"" help:"Why: what is known now."`
	Organisation   string  `help:"As this organisation sees it, for its own people." placeholder:"NAME"`
	Integrity      *string `help:"Data was changed: none, some (it can be undone) or full." enum:"none,some,full" placeholder:"HOW FAR"`
	Availability   *string `help:"Data was not available: none, some (for a time) or full (lost for good)." enum:"none,some,full" placeholder:"HOW FAR"`
	Fields         string  `help:"The combination that the factors below are about, as in \"name ni\"; without it, each that has none of its own." placeholder:"FIELDS"`
	Context        string  `help:"The method's data processing context, seen otherwise: 1, 2, 3 or 4." placeholder:"NUMBER"`
	Identification string  `help:"Ease of identification: 0.25, 0.5, 0.75 or 1." placeholder:"NUMBER"`
	Aggravation    string  `help:"What the circumstances add: 0 to 2 in quarters." placeholder:"NUMBER"`
}

var losses = map[string]incident.Loss{"none": incident.None, "some": incident.Some, "full": incident.Full}

// Run enters the assessment. What is not given stays as it was assessed last.
func (c *IncidentAssessCmd) Run(e *env) error {
	client, auth, one, orgs, err := c.incident(e, c.Number)
	if err != nil {
		return err
	}
	defer client.Close()
	s := vaultclient.NewStep{Incident: one.ID, Kind: vaultclient.Assessed, Text: c.Text}
	if s.Organisation, err = findOrganisation(orgs, c.Organisation); err != nil {
		return err
	}
	a := c.on(incident.AssessmentOf(one, s.Organisation, 0))
	if c.Integrity != nil {
		a.Integrity = losses[*c.Integrity]
	}
	if c.Availability != nil {
		a.Availability = losses[*c.Availability]
	}
	o := vaultclient.Override{Why: c.Text}
	for name, f := range map[string]struct {
		given string
		to    **int
	}{"--context": {c.Context, &o.Context}, "--identification": {c.Identification, &o.Identification}, "--aggravation": {c.Aggravation, &o.Circumstances}} {
		if f.given == "" {
			continue
		}
		q, ok := incident.ParseQuarters(f.given)
		if !ok {
			return fmt.Errorf("%s: a number in quarters is expected, such as 0.75 or 3", name)
		}
		n := int(q)
		*f.to = &n
	}
	if o.Fields, err = policy.ParseFields(strings.Fields(c.Fields)...); err != nil {
		return fmt.Errorf("--fields: %w", err)
	}
	if o.Context != nil || o.Identification != nil || o.Circumstances != nil {
		a = a.With(o)
	} else if c.Fields != "" {
		return errors.New("--fields is about --context, --identification or --aggravation: one of them is expected")
	}
	if err := a.Check(); err != nil {
		return err
	}
	s.Assessment = a.Wire()
	if _, err := client.EnterStep(e.ctx, auth, s); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Entered. What follows from it: dosevault incident show %s\n", one.Number)
	return nil
}
