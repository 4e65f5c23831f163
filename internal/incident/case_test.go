package incident

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// The historic case, as its steps would have been entered: two organisations, of which one was told.
func TestCase(t *testing.T) {
	day := func(month time.Month, d int) time.Time { return time.Date(2017, month, d, 9, 0, 0, 0, time.UTC) }
	told, other := id.New[id.Organisation](), id.New[id.Organisation]()
	lab := vc.Hypothesis{Recipient: "supplier:lab", From: day(1, 1).AddDate(-6, 0, 0), To: day(1, 1).AddDate(0, -3, 5)}
	node := vc.Hypothesis{Recipient: "node:web", From: day(1, 1), To: day(1, 2)}
	disk := vc.Hypothesis{Medium: true, From: day(1, 1), To: day(1, 2)}
	one := vc.Incident{Steps: []vc.IncidentStep{
		{Kind: vc.Declared, At: day(1, 26), Moment: day(1, 26), Hypothesis: &lab},
		{Kind: vc.Knew, At: day(1, 26), Moment: day(1, 1).AddDate(0, -3, 5)},
		{Kind: vc.Aware, At: day(1, 27), Moment: day(1, 17)},
		{Kind: vc.Supposed, At: day(1, 27), Moment: day(1, 27), Hypothesis: &disk},
		{Kind: vc.Supposed, At: day(1, 27), Moment: day(1, 27), Hypothesis: &node},
		{Kind: vc.Told, At: day(2, 22), Moment: day(2, 22), Organisation: told},
		{Kind: vc.Told, At: day(2, 23), Moment: day(2, 23), Organisation: told},
	}}
	got, ok := Scope(one)
	if diff := cmp.Diff(vc.ExposureRequest{Recipient: lab.Recipient, From: lab.From, To: lab.To, List: true, Also: []vc.Hypothesis{node}}, got); diff != "" || !ok {
		t.Errorf("%v %s", ok, diff)
	}
	clocks := Clocks(one)
	want := []OrganisationClock{{Clock: deadline.Clock{Aware: day(1, 17), Within: deadline.Regulator}}, {Clock: deadline.Clock{Aware: day(2, 22), Within: deadline.Regulator}, Organisation: told}}
	if diff := cmp.Diff(want, clocks); diff != "" {
		t.Error(diff)
	}
	table := []Row{{Organisation: other, Fields: policy.FieldName}, {Organisation: told, Fields: policy.FieldName}, {Organisation: other, Fields: policy.FieldDose}}
	if diff := cmp.Diff([]id.Organisation{other}, Untold(one, table)); diff != "" {
		t.Error(diff)
	}
	one.Steps = append(one.Steps, vc.IncidentStep{Kind: vc.Decided, Organisation: told})
	if clocks := Clocks(one); clocks[0].Done || !clocks[1].Done {
		t.Errorf("after one organisation decided: %+v", clocks)
	}
	one.Steps = []vc.IncidentStep{{Kind: vc.Declared, Moment: day(1, 1), Hypothesis: &disk}}
	if got, ok := Scope(one); ok {
		t.Errorf("of a sealed medium %+v is asked", got)
	}
}
