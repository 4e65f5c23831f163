package incident

import (
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// More fields never mean less advice or support.
func TestMoreFieldsNeverMeanLessAdvice(t *testing.T) {
	lacks := func(less, more []words.Key) bool {
		return slices.ContainsFunc(less, func(k words.Key) bool { return !slices.Contains(more, k) })
	}
	for f := policy.Fields(1); f <= policy.AllFields; f++ {
		a := AdviceFor(f)
		for more := policy.Fields(1); more <= policy.AllFields; more <<= 1 {
			b := AdviceFor(f | more)
			if lacks(a.Consequences, b.Consequences) || lacks(a.Steps, b.Steps) || b.Support.Monitoring < a.Support.Monitoring ||
				b.Support.Watch < a.Support.Watch || a.Support.OccupationalHealth && !b.Support.OccupationalHealth {
				t.Fatalf("%s says more than with %s", f, more)
			}
		}
	}
}

// A case a line: what is said to whom of whom these fields became readable.
func TestAdvice(t *testing.T) {
	for _, c := range cases(t, "advice.csv", 7) {
		f := fields(t, c[0])
		a := AdviceFor(f)
		said := func(all []words.Key, part string) bool {
			return slices.ContainsFunc(all, func(k words.Key) bool { return strings.Contains(string(k), part) })
		}
		got := []string{c[0]}
		for _, yes := range []bool{said(a.Consequences, "pretend to be you"), said(a.Steps, "once a year"), a.Support.Monitoring == 24, a.Support.OccupationalHealth} {
			got = append(got, map[bool]string{false: "no", true: "yes"}[yes])
		}
		got = append(got, [...]string{"1 year", "2 years", "for good"}[a.Support.Watch], c[6])
		if !slices.Equal(got, c) {
			t.Errorf("%q, want %q", got, c)
		}
		if c[6] == "" || !said(a.Steps, "Nobody will ever ask you") || !said(a.Steps, "Information Commissioner") {
			t.Errorf("%s: a source, a warning and the way to complain are for everybody", c[0])
		}
	}
	for _, a := range slices.Concat(consequences, steps) {
		if a.source == "" {
			t.Errorf("%q has no source", a.text)
		}
	}
}

func TestSupportIsSaid(t *testing.T) {
	en := AdviceFor(policy.FieldName | policy.FieldNI | policy.FieldDose).Support.Say(speak(t, words.English))
	cy := AdviceFor(policy.FieldName | policy.FieldNI | policy.FieldDose).Support.Say(speak(t, words.Welsh))
	if len(en) != 4 || !strings.Contains(en[1], "for 24 months") || len(cy) != 4 || !strings.Contains(cy[1], "am 24 mis") {
		t.Errorf("%q %q", en, cy)
	}
}

// Each nation's bodies have the regulator, the police, and NHS bodies their own route; what is not confirmed says so.
func TestRoutes(t *testing.T) {
	if _, err := readRoutes(routesFile); err != nil {
		t.Fatal(err)
	}
	all := func(n Nation, b Body, l words.Lang) string {
		var out []string
		for _, r := range Routes(n, b) {
			out = append(out, r.Who(speak(t, l)))
			if r.When(speak(t, words.Welsh)) == r.When(speak(t, words.English)) {
				t.Errorf("%s: %s is not in Welsh", n, r.How)
			}
		}
		return strings.Join(out, ", ")
	}
	for _, n := range Nations {
		own := map[Nation]string{"england": "Toolkit", "wales": "Welsh Government", "scotland": "Scottish Health Competent Authority", "northern-ireland": "Department of Finance"}[n]
		police := map[bool]string{true: "Police Scotland", false: "Report Fraud"}[n == "scotland"]
		for _, b := range Bodies {
			got := all(n, b, words.English)
			if !strings.HasPrefix(got, "Information Commissioner, ") || !strings.Contains(got, police) || strings.Contains(got, "Insurer") == (b == "nhs") {
				t.Errorf("%s, %s: %s", n, b, got)
			}
			if n != "england" && strings.Contains(got, own) != (b == "nhs") || b == "nhs" && !strings.Contains(got, own) {
				t.Errorf("%s, %s: %s", n, b, got)
			}
		}
	}
	if got := all("wales", "nhs", words.Welsh); !strings.HasPrefix(got, "Comisiynydd Gwybodaeth, Llywodraeth Cymru") {
		t.Error(got)
	}
	for name, file := range map[string]string{
		"a text is missing": "h,h,h,h,h,h,h,h,h,h\nA,,all,all,w,w,h,,s,V\n", "no nation": "h,h,h,h,h,h,h,h,h,h\nA,A,france,all,w,w,h,,s,V\n",
		"no body": "h,h,h,h,h,h,h,h,h,h\nA,A,all,club,w,w,h,,s,V\n", "hours": "h,h,h,h,h,h,h,h,h,h\nA,A,all,all,w,w,h,soon,s,V\n",
		"checked": "h,h,h,h,h,h,h,h,h,h\nA,A,all,all,w,w,h,,s,soon\n", "wrong number of fields": "h\n",
	} {
		if _, err := readRoutes([]byte(file)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if BodyOf(vc.HealthBoard) != "nhs" || BodyOf(vc.VetPractice) != "private" || BodyOf(vc.OtherKind) != "" {
		t.Error("kinds and bodies")
	}
}
