package cli

import (
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// circumstances say what happened. What is not known counts as the worse.
type circumstances struct {
	Malicious       bool `help:"Somebody meant harm, as in a hack." negatable:"" default:"true"`
	KnownRecipients bool `help:"It is known who has it, and how many they are."`
	Unintelligible  bool `help:"What was taken is encrypted, and the key was not taken."`
}

// combination is what is said of one combination of fields, over all organisations.
type combination struct {
	fields        policy.Fields
	wearers       int
	organisations map[id.Organisation]bool
	severity      incident.Severity
}

// told says whether these people have to be told, by this assessment.
func (c combination) told() string {
	for _, d := range incident.Duties(incident.Controller, c.severity) {
		if d.Tell == incident.ThePeople && d.Due {
			return "yes"
		}
	}
	return "no"
}

// combinations assesses what became readable, the most severe first.
func (a circumstances) combinations(x vaultclient.Exposures) ([]combination, error) {
	c := incident.Circumstances{Confidentiality: incident.Full, Malicious: a.Malicious, Unintelligible: a.Unintelligible, People: x.People}
	if a.KnownRecipients {
		c.Confidentiality = incident.Some
	}
	by := map[policy.Fields]*combination{}
	var out []combination
	for _, row := range incident.Table(x.List) {
		if by[row.Fields] == nil {
			by[row.Fields] = &combination{fields: row.Fields, organisations: map[id.Organisation]bool{}}
		}
		by[row.Fields].wearers += row.Wearers
		by[row.Fields].organisations[row.Organisation] = true
	}
	for _, one := range by {
		var err error
		if one.severity, err = incident.Assess(one.fields, c, incident.Override{}); err != nil {
			return nil, err
		}
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b combination) int {
		return cmp.Or(cmp.Compare(b.severity.Score, a.severity.Score), cmp.Compare(b.wearers, a.wearers), cmp.Compare(a.fields, b.fields))
	})
	return out, nil
}

// print writes the assessment and what follows from it.
func (a circumstances) print(e *env, x vaultclient.Exposures) error {
	all, err := a.combinations(x)
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
		fmt.Fprintf(t, "%s\t%s = %s × %s + %s\t%d\t%d\t%s\t%s\n", c.severity.Level, c.severity.Score, c.severity.Context.Value, c.severity.Identification.Value, c.severity.Circumstances.Value, c.wearers, len(c.organisations), c.told(), c.fields)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	worst := all[0].severity
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
