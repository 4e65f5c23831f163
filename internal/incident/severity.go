package incident

import (
	"context"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// Severity of a breach by ENISA, "Recommendations for a methodology of the assessment of severity of personal data
// breaches", working document 1.0, December 2013:
//
//	SE = DPC × EI + CB
//
// DPC (data processing context, 1 to 4) is the highest of the kinds of data involved; EI (ease of identification) is
// 0.25, 0.5, 0.75 or 1; CB (circumstances of the breach) adds 0 to 0.5 for each of confidentiality, integrity and
// availability, and 0.5 for malicious intent. How many people are concerned, and that data is unintelligible, are flags beside
// the score. All of it is counted in quarters, so that the boundaries of the levels are exact.

// Quarters is a number in quarters: 7 is 1.75.
type Quarters int

// String writes the number with two decimals.
func (q Quarters) String() string { return fmt.Sprintf("%d.%02d", q/4, q%4*25) }

// Level is how severe a breach is.
type Level uint8

// The levels, with the scores from which they are reached: 0, 2, 3 and 4.
const (
	Low Level = iota
	Medium
	High
	VeryHigh
)

func (l Level) String() string { return string(l.Words()) }

// Words is the level as a text.
func (l Level) Words() words.Key {
	return [...]words.Key{"low", "medium", "high", "very high"}[l]
}

// levelOf is the level of a score.
func levelOf(q Quarters) Level {
	switch {
	case q < 2*4:
		return Low
	case q < 3*4:
		return Medium
	case q < 4*4:
		return High
	}
	return VeryHigh
}

// Loss is how far confidentiality, integrity or availability was lost.
type Loss uint8

// None: no sign that the data was used, changed wrongly or can't be recovered. Some: known recipients, changes that can be
// undone, unavailable for a time. Full: unknown recipients, changes that can't be undone, lost for good.
const (
	None Loss = iota
	Some
	Full
)

// Circumstances are what happened, as far as it is known. Unknown is the worse: a first assessment takes the maximum.
type Circumstances struct {
	Confidentiality Loss
	Integrity       Loss
	Availability    Loss
	Malicious       bool // somebody meant harm
	Unintelligible  bool // what was taken is encrypted, and the key was not
	People          int  // concerned in the whole breach
}

// Factor is one of the numbers of a score, and why it is what it is.
type Factor struct {
	Value Quarters
	Why   []words.Key // reasons; of an override its officer's own words, as words.Plain
}

// Say says why, in the language of a context.
func (f Factor) Say(ctx context.Context) string {
	said := make([]string, len(f.Why))
	for i, k := range f.Why {
		said[i] = Say(ctx, k)
	}
	return strings.Join(said, "; ")
}

// Severity is an assessment of one combination of fields.
type Severity struct {
	Context        Factor // DPC
	Identification Factor // EI
	Circumstances  Factor // CB
	Score          Quarters
	Level          Level
	Many           bool // more than 100 people
	Unintelligible bool
}

// Override replaces factors that an officer sees otherwise; nil ones stay. The reason is theirs.
type Override struct {
	Context, Identification, Circumstances *Factor
}

// manyPeople is the number of people above which ENISA flags a breach.
const manyPeople = 100

// Assess gives the severity of a breach of a combination of fields. It is the same for everybody of whom the same fields
// became readable. Fields that are none, or an override out of the method's range, are an error.
func Assess(fields policy.Fields, c Circumstances, o Override) (Severity, error) {
	if fields == 0 || fields&^policy.AllFields != 0 {
		return Severity{}, fmt.Errorf("incident: no such combination of fields: %d", fields)
	}
	s := Severity{Context: contextOf(fields), Identification: identificationOf(fields), Circumstances: c.factor(), Many: c.People > manyPeople, Unintelligible: c.Unintelligible}
	for _, f := range []struct {
		given       *Factor
		used        *Factor
		least, most Quarters
		step        Quarters
		name        string
	}{
		{o.Context, &s.Context, 4, 16, 4, "context: 1, 2, 3 or 4"},
		{o.Identification, &s.Identification, 1, 4, 1, "ease of identification: 0.25, 0.5, 0.75 or 1"},
		{o.Circumstances, &s.Circumstances, 0, 8, 1, "circumstances: 0 to 2 in quarters"},
	} {
		if f.given == nil {
			continue
		}
		if f.given.Value < f.least || f.given.Value > f.most || f.given.Value%f.step != 0 {
			return Severity{}, fmt.Errorf("incident: %s is expected", f.name)
		}
		if len(f.given.Why) == 0 {
			return Severity{}, fmt.Errorf("incident: a reason is expected for another %s", f.name)
		}
		*f.used = *f.given
	}
	s.Score = s.Context.Value*s.Identification.Value/4 + s.Circumstances.Value
	s.Level = levelOf(s.Score)
	return s, nil
}

// contextOf is the context's factor of the data of this service. Where fields of several kinds are involved the highest counts.
func contextOf(f policy.Fields) Factor {
	has := func(any policy.Fields) bool { return f&any != 0 }
	switch {
	case has(policy.FieldHealth | policy.FieldDocument):
		return Factor{4 * 4, []words.Key{"sensitive data: health, or documents that can hold anything"}}
	case has(policy.FieldDose):
		// 4 for sensitive data, less one: what is measured at work says little about somebody's health (annex 1, "nature of data").
		return Factor{3 * 4, []words.Key{"sensitive data, of which most says little about health: doses at work"}}
	case has(policy.FieldNI) && has(policy.FieldName|policy.FieldBirth):
		// 1 for simple data, more by one: together they are what somebody needs to pass for another, and can't be changed.
		return Factor{2 * 4, []words.Key{"simple data, enough to pass for somebody: an NI number with a name or date of birth"}}
	}
	return Factor{1 * 4, []words.Key{"simple data: who somebody is, or where they work"}}
}

// identificationOf is how easily somebody is identified, for who knows the employer, which a breach always tells.
func identificationOf(f policy.Fields) Factor {
	name := f&policy.FieldName != 0
	switch {
	case name && f&(policy.FieldBirth|policy.FieldNI|policy.FieldContact|policy.FieldRegistration|policy.FieldStaffNumber) != 0,
		f&(policy.FieldRegistration|policy.FieldContact|policy.FieldDocument) != 0:
		return Factor{4, []words.Key{"everybody can tell who it is: a name with something of that person alone, or what leads to the name"}}
	case name:
		return Factor{3, []words.Key{"a name, at a known employer"}}
	case f&policy.FieldNI != 0, f&(policy.FieldStaffNumber|policy.FieldBirth) != 0:
		return Factor{2, []words.Key{"a number or date of birth, which the employer or an authority can tie to a name"}}
	}
	return Factor{1, []words.Key{"nothing that tells who it is, without the vault"}}
}

// factor adds the circumstances up.
func (c Circumstances) factor() Factor {
	var f Factor
	add := func(l Loss, some, full words.Key) {
		if l == None {
			return
		}
		f.Value += Quarters(l)
		f.Why = append(f.Why, []words.Key{some, full}[l-1])
	}
	add(c.Confidentiality, "known recipients", "an unknown number of recipients")
	add(c.Integrity, "changed, and it can be undone", "changed, and it can't be undone")
	add(c.Availability, "not available for a time", "lost for good")
	if c.Malicious {
		add(Full, "", "somebody meant harm")
	}
	if f.Why == nil {
		f.Why = []words.Key{"no sign that anything was used, changed or lost"}
	}
	return f
}
