package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// inWelsh is the flag by which what is said to others is said in Welsh.
type inWelsh struct {
	Welsh bool `help:"In Welsh."`
}

// speak is a context whose texts are said in the language asked for.
func (w inWelsh) speak(ctx context.Context) context.Context {
	if w.Welsh {
		return words.With(ctx, words.Welsh, &words.Catalogue{})
	}
	return ctx
}

// IncidentAdviceCmd says what people concerned are told.
type IncidentAdviceCmd struct {
	inWelsh
	Fields string `arg:"" help:"What became readable of them, as in \"name ni dose\"."`
}

// Run prints consequences, advice and support.
func (c *IncidentAdviceCmd) Run(e *env) error {
	f, err := policy.ParseFields(strings.Fields(c.Fields)...)
	if err != nil {
		return err
	}
	if f == 0 {
		return errors.New("a field is expected, such as name")
	}
	ctx := c.speak(e.ctx)
	a := incident.AdviceFor(f)
	for _, part := range []struct {
		title words.Key
		texts []words.Key
	}{{incident.WhatCanHappen, a.Consequences}, {incident.WhatYouCanDo, a.Steps}} {
		fmt.Fprintf(e.stdout, "%s\n\n", incident.Say(ctx, part.title))
		for _, k := range part.texts {
			fmt.Fprintln(e.stdout, "-", incident.Say(ctx, k))
		}
		fmt.Fprintln(e.stdout)
	}
	fmt.Fprintf(e.stdout, "%s\n\n", incident.Say(ctx, incident.WhatWeOffer))
	for _, s := range a.Support.Say(ctx) {
		fmt.Fprintln(e.stdout, "-", s)
	}
	return nil
}

// IncidentRoutesCmd says who else is told.
type IncidentRoutesCmd struct {
	inWelsh
	Nation string `help:"Where the organisation is: england, wales, scotland or northern-ireland." enum:"england,wales,scotland,northern-ireland" required:"" env:"DOSEVAULT_NATION"`
	Body   string `help:"What it is: nhs, public (another one) or private." enum:"nhs,public,private" required:""`
}

// Run prints the routes.
func (c *IncidentRoutesCmd) Run(e *env) error {
	ctx := c.speak(e.ctx)
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHO\tWHEN\tWITHIN\tHOW\tSOURCE")
	for _, r := range incident.Routes(incident.Nation(c.Nation), incident.Body(c.Body)) {
		within, source := "-", r.Source
		if r.Within > 0 {
			within = fmt.Sprintf("%d hours", int(r.Within.Hours()))
		}
		if r.Checked.IsZero() {
			source += " [to be confirmed]"
		} else {
			source += " [read on " + r.Checked.String() + "]"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.Who(ctx), r.When(ctx), within, r.How, source)
	}
	return t.Flush()
}
