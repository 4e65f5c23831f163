package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Breach is a row of the register of breaches (UK GDPR Art 33(5)): facts, effects and what was done. Near misses stand there as well.
type Breach struct {
	Number        string    `json:"number"`
	Organisation  string    `json:"organisation,omitempty"` // whose register it is; empty: the service's
	Declared      time.Time `json:"declared"`
	Aware         time.Time `json:"aware,omitzero"`
	HappenedFrom  time.Time `json:"happened_from,omitzero"`
	HappenedTo    time.Time `json:"happened_to,omitzero"`
	State         string    `json:"state"` // open, closed
	NearMiss      bool      `json:"near_miss"`
	Facts         string    `json:"facts"`
	Causes        string    `json:"causes"`
	People        int       `json:"people"`
	Records       int       `json:"records"`
	Organisations int       `json:"organisations"`
	Fields        []string  `json:"fields"`
	Severity      string    `json:"severity,omitempty"`
	Effects       string    `json:"effects"`
	Remedial      string    `json:"remedial_action"`
	Reported      string    `json:"reported"` // yes, no, undecided
	Reasons       string    `json:"reasons"`  // of what was decided
	PeopleTold    string    `json:"people_told"`
}

// BreachOf is the row of an incident in the register of an organisation, or of the service where org is zero. Of a drill there is none.
func BreachOf(m Matter, org id.Organisation) (Breach, error) {
	one := m.Incident
	if one.Drill || len(one.Steps) == 0 {
		return Breach{}, fmt.Errorf("incident %s is a rehearsal: no breach is registered", one.Number)
	}
	people := m.Exposures.People
	m = m.about(org)
	table := Table(m.Exposures.List)
	a := AssessmentOf(one, org, people)
	all, err := Combinations(table, a)
	if err != nil {
		return Breach{}, err
	}
	_, readable := Scope(one)
	b := Breach{Number: one.Number, Organisation: m.name(org), Declared: one.Steps[0].At, Aware: clockOf(one, org).Aware, State: "open", Facts: one.Steps[0].Text,
		People: m.Exposures.People, Records: m.Exposures.Wearers, Reported: "undecided", PeopleTold: "undecided", Fields: []string{}}
	b.HappenedFrom, b.HappenedTo, _ = window(one)
	orgs := map[id.Organisation]bool{}
	for i, c := range all {
		for _, o := range c.Organisations {
			orgs[o] = true
		}
		for _, name := range c.Fields.Names() {
			if !slices.Contains(b.Fields, name) {
				b.Fields = append(b.Fields, name)
			}
		}
		if i == 0 {
			b.Severity = c.Severity.Level.String() + " (" + c.Severity.Score.String() + ")"
		}
	}
	b.Organisations = len(orgs)
	switch {
	case a.Unintelligible:
		b.Effects = "What was taken can't be read, as long as the keys are safe."
	case len(all) == 0 && len(m.Exposures.Destroyed) > 0:
		b.Effects = "Nothing was there any more: what had been sent was confirmed destroyed before."
	case len(all) == 0:
		b.Effects = "Nothing became readable."
	default:
		b.Effects = fmt.Sprintf("Readable of %d people of %d organisations, by combination of fields: %s.", b.People, b.Organisations, strings.Join(sums(all), "; "))
	}
	b.NearMiss = readable && len(all) == 0
	var causes, done, reasons []string
	for _, s := range one.Steps {
		if !s.Organisation.IsZero() && s.Organisation != org {
			continue
		}
		said := s.At.UTC().Format("2006-01-02") + " " + string(s.Kind) + ": " + s.Text
		switch s.Kind {
		case vaultclient.Supposed, vaultclient.Knew, vaultclient.Assessed:
			causes = append(causes, said)
		case vaultclient.Decided:
			reasons = append(reasons, said)
			if s.Decision != nil {
				b.Reported, b.PeopleTold = answer(s.Decision.Report), answer(s.Decision.TellPeople)
			}
		case vaultclient.Closed:
			b.State = "closed"
			done = append(done, said)
		case vaultclient.Declared:
		default:
			done = append(done, said)
		}
	}
	b.Causes, b.Remedial, b.Reasons = strings.Join(causes, "\n"), strings.Join(done, "\n"), strings.Join(reasons, "\n")
	return b, nil
}

func answer(yes bool) string { return map[bool]string{false: "no", true: "yes"}[yes] }

func sums(all []Combination) []string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = fmt.Sprintf("%d × %s", c.Wearers, c.Fields)
	}
	return out
}

// BreachColumns are the headings of the register as a table.
var BreachColumns = []string{"number", "organisation", "declared", "aware", "happened_from", "happened_to", "state", "near_miss", "facts", "causes", "people", "records", "organisations",
	"fields", "severity", "effects", "remedial_action", "reported", "reasons", "people_told"}

// Cells are the row as a table has it.
func (b Breach) Cells() []string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return []string{b.Number, b.Organisation, at(b.Declared), at(b.Aware), at(b.HappenedFrom), at(b.HappenedTo), b.State, answer(b.NearMiss), b.Facts, b.Causes,
		fmt.Sprint(b.People), fmt.Sprint(b.Records), fmt.Sprint(b.Organisations), strings.Join(b.Fields, " "), b.Severity, b.Effects, b.Remedial, b.Reported, b.Reasons, b.PeopleTold}
}
