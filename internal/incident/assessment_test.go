package incident

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// The newest assessment counts; of an organisation its own before the service's; of a combination its own override before that of all.
func TestAssessmentOf(t *testing.T) {
	org, other := id.New[id.Organisation](), id.New[id.Organisation]()
	lab := vc.Hypothesis{Recipient: "supplier:lab"}
	one := vc.Incident{Steps: []vc.IncidentStep{{Kind: vc.Declared, Hypothesis: &lab}}}
	assess := func(org id.Organisation, text string, a vc.Assessment) {
		one.Steps = append(one.Steps, vc.IncidentStep{Kind: vc.Assessed, Organisation: org, Text: text, Assessment: &a})
	}
	text := func(org id.Organisation) string {
		if a := AssessmentOf(one, org, 7); a.Step != nil {
			return a.Step.Text
		}
		return "nobody's"
	}
	if a := AssessmentOf(one, org, 7); text(org) != "nobody's" || a.Circumstances != (Circumstances{Confidentiality: Full, Malicious: true, People: 7}) {
		t.Errorf("before anybody assessed it: %+v", a)
	}
	assess(id.Organisation{}, "service 1", vc.Assessment{Confidentiality: 1})
	assess(org, "org 1", vc.Assessment{Unintelligible: true})
	assess(id.Organisation{}, "service 2", vc.Assessment{Confidentiality: 2, Overrides: []vc.Override{
		{Context: new(16), Why: "all"}, {Fields: policy.FieldName, Identification: new(4), Why: "its own"}}})
	assess(id.New[id.Organisation](), "a third one's", vc.Assessment{Unintelligible: true})
	if text(org) != "org 1" || text(other) != "service 2" || text(id.Organisation{}) != "service 2" {
		t.Errorf("%s, %s, %s", text(org), text(other), text(id.Organisation{}))
	}
	a := AssessmentOf(one, other, 7)
	if diff := cmp.Diff(one.Steps[3].Assessment, a.Wire()); diff != "" {
		t.Error(diff)
	}
	for f, want := range map[policy.Fields]string{policy.FieldName: "1.50", policy.FieldDose: "1.50", policy.FieldName | policy.FieldDose: "3.50"} {
		s, err := a.Severity(f)
		if err != nil || s.Score.String() != want {
			t.Errorf("%s: %s, want %s (%v)", f, s.Score, want, err)
		}
	}
	if s, _ := a.Severity(policy.FieldDose); s.Context.Say(t.Context()) != "all" {
		t.Errorf("the officer's reason is said as %q", s.Context.Say(t.Context()))
	}
	if a.Check() != nil || a.With(vc.Override{Context: new(6), Why: "half"}).Check() == nil || len(a.With(vc.Override{Context: new(8), Why: "x"}).Overrides) != 2 {
		t.Error("overrides are checked, and replaced by combination")
	}
	medium := vc.Incident{Steps: []vc.IncidentStep{{Kind: vc.Declared, Hypothesis: &vc.Hypothesis{Medium: true}}}}
	if !AssessmentOf(medium, org, 0).Unintelligible {
		t.Error("a sealed medium is readable")
	}
}

// Combinations are the table over all organisations, the most severe first.
func TestCombinations(t *testing.T) {
	a, b := id.New[id.Organisation](), id.New[id.Organisation]()
	dose := policy.FieldName | policy.FieldBirth | policy.FieldDose
	got, err := Combinations([]Row{{Organisation: a, Fields: policy.FieldName, Wearers: 3}, {Organisation: a, Fields: dose, Wearers: 2}, {Organisation: b, Fields: policy.FieldName, Wearers: 4}}, Assessment{Circumstances: Circumstances{Confidentiality: Full, Malicious: true}})
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	if got[0].Fields != dose || !got[0].TellPeople() || got[1].Wearers != 7 || got[1].TellPeople() || !cmp.Equal(got[1].Organisations, []id.Organisation{a, b}) {
		t.Errorf("%+v", got)
	}
}

func TestParseQuarters(t *testing.T) {
	for q := Quarters(0); q < 20; q++ {
		if got, ok := ParseQuarters(q.String()); !ok || got != q {
			t.Errorf("%s is %v", q, got)
		}
	}
	for _, s := range []string{"", "-1", "1.3", "1,5", "5", "one", "0.125"} {
		if got, ok := ParseQuarters(s); ok {
			t.Errorf("%q is %s", s, got)
		}
	}
	if q, ok := ParseQuarters(" 0.5 "); !ok || q != 2 {
		t.Error("0.5 is two quarters")
	}
}
