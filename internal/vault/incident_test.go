package vault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// An incident is its steps: each is entered where it concerns somebody, stays as it is, also after a restart, and goes on while everything is frozen.
func TestIncident(t *testing.T) {
	now := clockAt(time.Date(2026, 12, 31, 23, 50, 0, 0, time.UTC))
	h := newHouseAt(t, now.now)
	a, b := h.organisation("A"), h.organisation("B")
	cli := h.nodes["cli"]
	officer := h.signIn("web", vc.NewUser{Name: "Gwen Officer", Role: policy.DataProtection, Organisations: []id.Organisation{a}})
	other := h.signIn("web", vc.NewUser{Name: "Rhys Officer", Role: policy.DataProtection, Organisations: []id.Organisation{b}})
	supervisor := h.signIn("web", vc.NewUser{Name: "Nia Puw", Role: policy.Supervisor, Organisations: []id.Organisation{a}})

	knew := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	lab := &vc.Hypothesis{Recipient: "supplier:Cardiff Dosimetry", From: knew.AddDate(-6, 0, 0), To: knew}
	n := must(cli.EnterStep(t.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "The laboratory says that it was hacked", Hypothesis: lab}))
	h.freeze(vc.Everything)
	enter := func(node string, auth vc.Auth, s vc.NewStep) error {
		s.Incident = n
		_, err := h.nodes[node].EnterStep(t.Context(), auth, s)
		return err
	}
	for _, s := range []vc.NewStep{
		{Kind: vc.Knew, Text: "The laboratory knew", Moment: knew},
		{Kind: vc.Supposed, Text: "Its web node too, perhaps", Hypothesis: &vc.Hypothesis{Recipient: "node:web", From: knew, To: knew.AddDate(0, 0, 1)}},
		{Kind: vc.Told, Text: "By telephone", Organisation: a},
	} {
		if err := enter("cli", h.root, s); err != nil {
			t.Fatalf("%s: %v", s.Kind, err)
		}
	}
	if err := enter("web", officer, vc.NewStep{Kind: vc.Decided, Text: "We tell our staff ourselves", Decision: &vc.Decision{Report: true, TellPeople: true}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who  vc.Auth
		want int
	}{{officer, 1}, {other, 0}, {supervisor, 0}} {
		if got := must(h.nodes["web"].Whoami(t.Context(), c.who)); len(got.Incidents) != c.want || c.want > 0 && (got.Incidents[0].ID != n || got.Incidents[0].Number != "2026-1") {
			t.Errorf("%s is told of %v", got.Name, got.Incidents)
		}
	}
	if err := enter("web", officer, vc.NewStep{Kind: vc.Closed, Text: "It is over"}); code(err) != vc.Invalid {
		t.Errorf("an officer of one organisation closes it for everybody: %v", err)
	}
	if err := enter("web", other, vc.NewStep{Kind: vc.Noted, Text: "What is this?"}); code(err) != vc.NotFound {
		t.Errorf("an officer who was not told enters: %v", err)
	}
	if err := enter("web", officer, vc.NewStep{Kind: vc.Noted, Text: "About others", Organisation: b}); code(err) != vc.Refused {
		t.Errorf("an officer enters about others: %v", err)
	}
	if err := enter("web", supervisor, vc.NewStep{Kind: vc.Noted, Text: "Me too"}); code(err) != vc.Refused && code(err) != vc.IsFrozen {
		t.Errorf("a supervisor enters: %v", err)
	}
	if err := enter("cli", h.root, vc.NewStep{Kind: vc.Told, Text: "By telephone", Organisation: b}); err != nil {
		t.Fatal(err)
	}

	kinds := func(node string, auth vc.Auth) string {
		var out []string
		for _, one := range must(h.nodes[node].Incidents(t.Context(), auth)) {
			out = append(out, one.Number)
			for _, s := range one.Steps {
				out = append(out, string(s.Kind)+" by "+s.By)
			}
		}
		return strings.Join(out, ", ")
	}
	whole := "2026-1, declared by Mair Evans, knew by Mair Evans, supposed by Mair Evans, told by Mair Evans, decided by Gwen Officer, told by Mair Evans"
	for range 2 {
		if got := kinds("cli", h.root); got != whole {
			t.Errorf("the service sees %s", got)
		}
		if got := kinds("web", officer); got != "2026-1, declared by co-ordinator, knew by co-ordinator, supposed by co-ordinator, told by co-ordinator, decided by Gwen Officer" {
			t.Errorf("A's officer sees %s", got)
		}
		if got := kinds("web", other); got != "2026-1, declared by co-ordinator, knew by co-ordinator, supposed by co-ordinator, told by co-ordinator" {
			t.Errorf("B's officer sees %s", got)
		}
		h.stop()
		h.start()
	}
	seen := &vc.Assessment{Confidentiality: 2, Malicious: true, Overrides: []vc.Override{{Fields: policy.FieldName, Context: new(8), Why: "They are known people"}}}
	if err := enter("cli", h.root, vc.NewStep{Kind: vc.Assessed, Text: "After the second call", Assessment: seen}); err != nil {
		t.Fatal(err)
	}
	first := must(cli.Incidents(t.Context(), h.root))[0]
	if diff := cmp.Diff(seen, first.Steps[len(first.Steps)-1].Assessment); diff != "" {
		t.Errorf("what was assessed: %s", diff)
	}
	if diff := cmp.Diff(lab, first.Steps[0].Hypothesis); diff != "" || !first.Steps[1].Moment.Equal(knew) || first.ID != n || first.Closed {
		t.Errorf("%+v %s", first, diff)
	}
	if diff := cmp.Diff(&vc.Decision{Report: true, TellPeople: true}, first.Steps[4].Decision); diff != "" {
		t.Errorf("what was decided: %s", diff)
	}
	for org, want := range map[id.Organisation]int{{}: 4, a: 2, b: 1} {
		if got := h.entriesLike(org, func(e vc.Entry) bool { return e.Kind == "incident" && strings.HasPrefix(e.Reason, "2026-1: ") }); got != want {
			t.Errorf("%d entries in a ledger, want %d", got, want)
		}
	}

	// The next year, a drill, and an end.
	now.set(time.Date(2027, 1, 1, 0, 5, 0, 0, time.UTC))
	for _, drill := range []bool{false, true, true} {
		must(h.nodes["cli"].EnterStep(t.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "Again", Hypothesis: lab, Drill: drill}))
	}
	if err := enter("cli", h.root, vc.NewStep{Kind: vc.Closed, Text: "Everybody knows"}); err != nil {
		t.Fatal(err)
	}
	if got := must(h.nodes["cli"].Whoami(t.Context(), h.root)).Incidents; len(got) != 1 || got[0].Number != "2027-1" {
		t.Errorf("open are said to be %v", got)
	}
	numbers := map[string]bool{}
	for _, one := range must(h.nodes["cli"].Incidents(t.Context(), h.root)) {
		numbers[one.Number] = one.Closed
	}
	if diff := cmp.Diff(map[string]bool{"2026-1": true, "2027-1": false, "D2027-1": false, "D2027-2": false}, numbers); diff != "" {
		t.Error(diff)
	}
}

func TestStepsThatAreNone(t *testing.T) {
	h := newHouse(t)
	at := h.clock()
	good := vc.Hypothesis{Recipient: "node:web", From: at.Add(-time.Hour), To: at}
	n := must(h.nodes["cli"].EnterStep(t.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "Something", Hypothesis: &good}))
	turned, both := good, good
	turned.From, turned.To = good.To, good.From
	both.Medium = true
	for name, s := range map[string]vc.NewStep{
		"no kind":                       {Incident: n, Text: "x"},
		"an unknown kind":               {Incident: n, Kind: "erased", Text: "x"},
		"no text":                       {Incident: n, Kind: vc.Noted, Text: " "},
		"too much text":                 {Incident: n, Kind: vc.Noted, Text: strings.Repeat("ŵ", vc.MaxIncidentText+1)},
		"a declaration of one":          {Incident: n, Kind: vc.Declared, Text: "x", Hypothesis: &good},
		"a note of none":                {Kind: vc.Noted, Text: "x"},
		"a declaration about nothing":   {Kind: vc.Declared, Text: "x"},
		"a note with a hypothesis":      {Incident: n, Kind: vc.Noted, Text: "x", Hypothesis: &good},
		"a window that ends first":      {Incident: n, Kind: vc.Supposed, Text: "x", Hypothesis: &turned},
		"a medium that somebody reads":  {Incident: n, Kind: vc.Supposed, Text: "x", Hypothesis: &both},
		"what will be":                  {Incident: n, Kind: vc.Aware, Text: "x", Moment: at.Add(time.Hour)},
		"a drill that began otherwise":  {Incident: n, Kind: vc.Noted, Text: "x", Drill: true},
		"a decision in a note":          {Incident: n, Kind: vc.Noted, Text: "x", Decision: &vc.Decision{}},
		"an assessment that says none":  {Incident: n, Kind: vc.Assessed, Text: "x"},
		"an assessment in a note":       {Incident: n, Kind: vc.Noted, Text: "x", Assessment: &vc.Assessment{}},
		"more than a full loss":         {Incident: n, Kind: vc.Assessed, Text: "x", Assessment: &vc.Assessment{Integrity: 3}},
		"an override of nothing":        {Incident: n, Kind: vc.Assessed, Text: "x", Assessment: &vc.Assessment{Overrides: []vc.Override{{Why: "x"}}}},
		"an override without a reason":  {Incident: n, Kind: vc.Assessed, Text: "x", Assessment: &vc.Assessment{Overrides: []vc.Override{{Context: new(4)}}}},
		"nobody's signing off":          {Incident: n, Kind: vc.SignedOff, Text: "x"},
		"an organisation that is none":  {Incident: n, Kind: vc.Told, Text: "x", Organisation: id.New[id.Organisation]()},
		"an incident that there is not": {Incident: id.New[id.Incident](), Kind: vc.Noted, Text: "x"},
	} {
		if _, err := h.nodes["cli"].EnterStep(t.Context(), h.root, s); code(err) != vc.Invalid && code(err) != vc.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := must(h.nodes["cli"].Incidents(t.Context(), h.root)); len(got) != 1 || len(got[0].Steps) != 1 {
		t.Errorf("%d incidents are there", len(got))
	}
}
