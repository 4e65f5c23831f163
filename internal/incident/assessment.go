package incident

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// Assessment is how an incident is seen: its circumstances, and factors that somebody sees otherwise than the method.
type Assessment struct {
	Circumstances
	Overrides []vaultclient.Override
	// Step is the step that says so; nil: nobody has assessed it, and what is not known counts as the worse.
	Step *vaultclient.IncidentStep
}

// AssessmentOf is how an incident is seen for an organisation: by its own newest assessment, else by the service's newest, else at the worst. The zero
// organisation is the service. A scope of sealed media alone is unintelligible. People is how many are concerned in the whole breach.
func AssessmentOf(one vaultclient.Incident, org id.Organisation, people int) Assessment {
	a := Assessment{Circumstances: Circumstances{Confidentiality: Full, Malicious: true, People: people}}
	if _, readable := Scope(one); !readable {
		a.Unintelligible = true
	}
	for i, s := range one.Steps {
		own := s.Organisation == org
		if s.Kind != vaultclient.Assessed || s.Assessment == nil || !own && (!s.Organisation.IsZero() || a.Step != nil && a.Step.Organisation == org) {
			continue
		}
		w := s.Assessment
		a.Confidentiality, a.Integrity, a.Availability, a.Malicious, a.Unintelligible = Loss(w.Confidentiality), Loss(w.Integrity), Loss(w.Availability), w.Malicious, w.Unintelligible
		a.Overrides, a.Step = w.Overrides, &one.Steps[i]
	}
	return a
}

// Wire is the assessment as a step carries it.
func (a Assessment) Wire() *vaultclient.Assessment {
	return &vaultclient.Assessment{Confidentiality: uint8(a.Confidentiality), Integrity: uint8(a.Integrity), Availability: uint8(a.Availability),
		Malicious: a.Malicious, Unintelligible: a.Unintelligible, Overrides: a.Overrides}
}

// With returns the assessment with an override in the place of the one of the same combination.
func (a Assessment) With(o vaultclient.Override) Assessment {
	a.Overrides = append(slices.DeleteFunc(slices.Clone(a.Overrides), func(old vaultclient.Override) bool { return old.Fields == o.Fields }), o)
	return a
}

// Severity assesses a combination of fields: with its own override, else with that of all combinations.
func (a Assessment) Severity(f policy.Fields) (Severity, error) {
	var o Override
	for _, w := range a.Overrides {
		if w.Fields == f {
			return Assess(f, a.Circumstances, override(w))
		}
		if w.Fields == 0 {
			o = override(w)
		}
	}
	return Assess(f, a.Circumstances, o)
}

// override is an override as a step carries it.
func override(w vaultclient.Override) Override {
	factor := func(q *int) *Factor {
		if q == nil {
			return nil
		}
		return &Factor{Quarters(*q), []words.Key{words.Plain(w.Why)}}
	}
	return Override{factor(w.Context), factor(w.Identification), factor(w.Circumstances)}
}

// Check reports an override that the method does not know, before it is entered.
func (a Assessment) Check() error {
	for _, w := range a.Overrides {
		if _, err := Assess(cmp.Or(w.Fields, policy.FieldName), a.Circumstances, override(w)); err != nil {
			return err
		}
	}
	return nil
}

// Combination is what is said of all of whom the same fields became readable.
type Combination struct {
	Fields        policy.Fields
	Wearers       int
	Organisations []id.Organisation // in the table's order
	Severity      Severity
}

// TellPeople reports whether these people have to be told, by the assessment.
func (c Combination) TellPeople() bool {
	return slices.ContainsFunc(Duties(Controller, c.Severity), func(d Duty) bool { return d.Tell == ThePeople && d.Due })
}

// Combinations assesses the combinations of a table, the most severe first.
func Combinations(table []Row, a Assessment) ([]Combination, error) {
	by := map[policy.Fields]*Combination{}
	for _, row := range table {
		c := by[row.Fields]
		if c == nil {
			c = &Combination{Fields: row.Fields}
			by[row.Fields] = c
		}
		c.Wearers += row.Wearers
		c.Organisations = append(c.Organisations, row.Organisation) // one row for each organisation and combination
	}
	out := make([]Combination, 0, len(by))
	for _, c := range by {
		var err error
		if c.Severity, err = a.Severity(c.Fields); err != nil {
			return nil, err
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Combination) int {
		return cmp.Or(cmp.Compare(b.Severity.Score, a.Severity.Score), cmp.Compare(b.Wearers, a.Wearers), cmp.Compare(a.Fields, b.Fields))
	})
	return out, nil
}

// ParseQuarters reads a number in quarters, as String writes it: "0.75", "3".
func ParseQuarters(s string) (Quarters, bool) {
	whole, part, _ := strings.Cut(strings.TrimSpace(s), ".")
	n := slices.Index([]string{"0", "1", "2", "3", "4"}, whole)
	q := slices.Index([]string{"", "25", "5", "75"}, strings.TrimRight(part, "0"))
	if n < 0 || q < 0 {
		return 0, false
	}
	return Quarters(4*n + q), true
}
