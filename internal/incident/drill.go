package incident

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// DrillKind is what a rehearsed breach is of.
type DrillKind string

// The kinds of drills, each by the recipient that it supposes.
const (
	SupplierDrill DrillKind = "supplier"
	AccountDrill  DrillKind = "account"
	NodeDrill     DrillKind = "node"
	WorkerDrill   DrillKind = "worker"
	DatabaseDrill DrillKind = "database"
	ExportDrill   DrillKind = "export"
)

// DrillKinds lists them.
var DrillKinds = []DrillKind{SupplierDrill, AccountDrill, NodeDrill, WorkerDrill, DatabaseDrill, ExportDrill}

// KindOf is the kind of breach that a hypothesis is about; empty for one that is none of these.
func KindOf(h *vaultclient.Hypothesis) DrillKind {
	if h == nil {
		return ""
	}
	who, name, _ := strings.Cut(string(h.Recipient), ":")
	switch {
	case h.Medium:
		return DatabaseDrill
	case who == "user":
		return AccountDrill
	case who == "node" && name == "worker":
		return WorkerDrill
	}
	for _, k := range []DrillKind{SupplierDrill, NodeDrill, ExportDrill} {
		if who == string(k) {
			return k
		}
	}
	return ""
}

// LastDrills are the last drills of each kind that were played to their end, and when they were declared. There is none of a kind that was never rehearsed.
func LastDrills(all []vaultclient.Incident) map[DrillKind]time.Time {
	out := map[DrillKind]time.Time{}
	for _, one := range all {
		if !one.Drill || !one.Closed || len(one.Steps) == 0 {
			continue
		}
		if k := KindOf(one.Steps[0].Hypothesis); k != "" && one.Steps[0].At.After(out[k]) {
			out[k] = one.Steps[0].At
		}
	}
	return out
}

// Part is one part of an incident that was played through.
type Part struct {
	Name   string        `json:"name"`
	Took   time.Duration `json:"took_ns"`             // by the machine
	Waited time.Duration `json:"waited_ns,omitempty"` // for a person's decision
	Says   string        `json:"says"`
}

// Player is the vault as playing an incident through needs it.
type Player interface {
	Exposures(context.Context, vaultclient.Auth, vaultclient.ExposureRequest) (vaultclient.Exposures, error)
	EnterStep(context.Context, vaultclient.Auth, vaultclient.NewStep) (id.Incident, error)
	Incidents(context.Context, vaultclient.Auth) ([]vaultclient.Incident, error)
	Tell(context.Context, vaultclient.Auth, vaultclient.TellRequest) ([]vaultclient.TellingResult, error)
	Organisations(context.Context, vaultclient.Auth) ([]vaultclient.Organisation, error)
	Freeze(context.Context, vaultclient.Auth, vaultclient.FreezeRequest) error
}

// Play is an incident that is played through from its declaration to its end. Of a drill nothing is sent, and nothing frozen unless it is said.
type Play struct {
	Vault  Player
	Auth   vaultclient.Auth
	Now    func() time.Time
	Drill  bool
	Freeze bool   // freeze although it is a drill: in an installation of its own
	Text   string // what is suspected
	What   vaultclient.Hypothesis
	Decide func(question string) error // waits for a person; nil: nobody is asked
	// CallBack is the number in the notices.
	CallBack string
	// Between, if set, is played after the organisations were told, before the report.
	Between func(ctx context.Context, one vaultclient.Incident) (says string, err error)
}

// Played is what came of it.
type Played struct {
	Incident  id.Incident           `json:"-"`
	Number    string                `json:"number"`
	Exposures vaultclient.Exposures `json:"-"`
	Table     []Row                 `json:"-"`
	Told      []id.Organisation     `json:"-"`
	Parts     []Part                `json:"parts"`
	Machine   time.Duration         `json:"machine_ns"` // all parts together
	Waited    time.Duration         `json:"waited_ns"`
	UntilTold time.Duration         `json:"until_told_ns"` // from the declaration until the last organisation was told, people's decisions included
}

// Run plays the incident through. What was done before an error stays entered.
func (p *Play) Run(ctx context.Context) (*Played, error) {
	out := &Played{}
	began := p.Now()
	part := func(name, question string, do func() (string, error)) error {
		x := Part{Name: name}
		at := p.Now()
		if question != "" && p.Decide != nil {
			if err := p.Decide(question); err != nil {
				return err
			}
			x.Waited = p.Now().Sub(at)
			at = p.Now()
		}
		says, err := do()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		x.Took, x.Says = p.Now().Sub(at), says
		out.Parts = append(out.Parts, x)
		out.Machine += x.Took
		out.Waited += x.Waited
		return nil
	}
	enter := func(s vaultclient.NewStep) error {
		s.Incident = out.Incident
		_, err := p.Vault.EnterStep(ctx, p.Auth, s)
		return err
	}
	var one vaultclient.Incident
	again := func() error {
		all, err := p.Vault.Incidents(ctx, p.Auth)
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.ID == out.Incident {
				one = x
			}
		}
		out.Number = one.Number
		return nil
	}
	scope, readable := Scope(vaultclient.Incident{Steps: []vaultclient.IncidentStep{{Kind: vaultclient.Declared, Hypothesis: &p.What}}})
	var severity string
	for _, step := range []struct {
		name, question string
		do             func() (string, error)
	}{
		{"declare", "", func() (string, error) {
			n, err := p.Vault.EnterStep(ctx, p.Auth, vaultclient.NewStep{Kind: vaultclient.Declared, Text: p.Text, Hypothesis: &p.What, Drill: p.Drill})
			if err != nil {
				return "", err
			}
			out.Incident = n
			return "from now on every step is an entry", again()
		}},
		{"scope", "", func() (string, error) {
			if !readable {
				return "sealed: nobody became readable, as long as the keys are safe", nil
			}
			scope.Proofs = true
			x, err := p.Vault.Exposures(ctx, p.Auth, scope)
			if err != nil {
				return "", err
			}
			out.Exposures, out.Table = x, Table(x.List)
			return fmt.Sprintf("%d people (%d wearers) of %d organisations, proved by %d entries", x.People, x.Wearers, len(Untold(vaultclient.Incident{}, out.Table)), len(x.Proofs)), nil
		}},
		{"freeze", "Freeze it now?", func() (string, error) {
			switch who := vaultclient.Scope(p.What.Recipient); {
			case who == "":
				return "nothing to freeze", nil
			case p.Drill && !p.Freeze:
				return fmt.Sprintf("%s would be frozen; a drill freezes nothing", who), nil
			default:
				return fmt.Sprintf("%s is frozen", who), p.Vault.Freeze(ctx, p.Auth, vaultclient.FreezeRequest{Scope: who, Reason: p.Text, Purpose: policy.BreachNotice, Sure: true})
			}
		}},
		{"assess", "Is what is not known the worse?", func() (string, error) {
			a := AssessmentOf(one, id.Organisation{}, out.Exposures.People)
			all, err := Combinations(out.Table, a)
			if err != nil {
				return "", err
			}
			severity = "nothing became readable"
			people := 0
			for i, c := range all {
				if i == 0 {
					severity = fmt.Sprintf("at most %s (%s)", c.Severity.Level, c.Severity.Score)
				}
				if c.TellPeople() {
					people += c.Wearers
				}
			}
			if len(all) > 0 {
				severity = fmt.Sprintf("%s; %d combinations of fields; %d wearers to be told themselves", severity, len(all), people)
			}
			return severity, enter(vaultclient.NewStep{Kind: vaultclient.Assessed, Text: "What is not known counts as the worse: " + severity, Assessment: a.Wire()})
		}},
		{"tell", "Tell each organisation now?", func() (string, error) {
			results, err := p.Vault.Tell(ctx, p.Auth, vaultclient.TellRequest{Incident: out.Incident, Text: p.Text, CallBack: p.CallBack, Channel: vaultclient.ByMail, Request: id.New[id.Row]()})
			if err != nil {
				return "", err
			}
			problems := map[string]int{}
			for _, r := range results {
				if r.Notice != nil {
					out.Told = append(out.Told, r.Organisation)
				} else {
					problems[r.Problem]++
				}
			}
			says := fmt.Sprintf("%d of %d organisations told, of their own people", len(out.Told), len(results))
			if p.Drill {
				says = fmt.Sprintf("%d of %d organisations would be told; nothing was sent", len(out.Told), len(results))
			}
			for _, problem := range slices.Sorted(maps.Keys(problems)) {
				says += fmt.Sprintf("; %d can't be: %s", problems[problem], problem)
			}
			return says, nil
		}},
		{"clocks", "", func() (string, error) {
			out.UntilTold = p.Now().Sub(began)
			if err := again(); err != nil {
				return "", err
			}
			return fmt.Sprintf("%d clocks of %d hours run", len(Clocks(one)), int(deadline.Regulator.Hours())), nil
		}},
		{"list", "", func() (string, error) {
			if p.Between == nil {
				return "", nil
			}
			return p.Between(ctx, one)
		}},
		{"report", "", func() (string, error) {
			orgs, err := p.Vault.Organisations(ctx, p.Auth)
			if err != nil {
				return "", err
			}
			open := 0
			for _, org := range append([]id.Organisation{{}}, out.Told...) {
				r, err := ReportOf(Matter{Incident: one, Exposures: out.Exposures, Organisations: orgs, Now: p.Now()}, org, nil, nil)
				if err != nil {
					return "", err
				}
				open = max(open, len(r.Open))
			}
			says := fmt.Sprintf("the regulator's form filled in for %d controllers; at most %d questions left to whoever signs", 1+len(out.Told), open)
			return says, enter(vaultclient.NewStep{Kind: vaultclient.Noted, Text: fmt.Sprintf("%d people (%d wearers); %s; %s", out.Exposures.People, out.Exposures.Wearers, severity, says)})
		}},
		{"close", "Close it?", func() (string, error) {
			return "kept with its steps", enter(vaultclient.NewStep{Kind: vaultclient.Closed, Text: out.Timings()})
		}},
	} {
		if step.name == "list" && p.Between == nil {
			continue
		}
		if err := part(step.name, step.question, step.do); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Timings says how long each part took.
func (p *Played) Timings() string {
	parts := make([]string, 0, len(p.Parts))
	for _, x := range p.Parts {
		s := x.Name + " " + Short(x.Took)
		if x.Waited > 0 {
			s += " (waited " + Short(x.Waited) + " for a person)"
		}
		parts = append(parts, s)
	}
	return fmt.Sprintf("Played through: %s. Machine %s, people %s.", strings.Join(parts, ", "), Short(p.Machine), Short(p.Waited))
}

// Short writes a duration with the digits that matter.
func Short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
