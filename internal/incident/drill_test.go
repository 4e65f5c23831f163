package incident

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// The kind of a drill is that of its hypothesis; the last of each kind that was played to its end counts.
func TestLastDrills(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	one := func(at time.Time, drill, closed bool, h vc.Hypothesis) vc.Incident {
		return vc.Incident{Drill: drill, Closed: closed, Steps: []vc.IncidentStep{{Kind: vc.Declared, At: at, Hypothesis: &h}}}
	}
	got := LastDrills([]vc.Incident{
		one(day(9), true, true, vc.Hypothesis{Recipient: "user:x"}),
		one(day(7), true, true, vc.Hypothesis{Recipient: "user:y"}),
		one(day(8), true, false, vc.Hypothesis{Recipient: "supplier:x"}),
		one(day(8), false, true, vc.Hypothesis{Recipient: "export:x"}),
		one(day(1), true, true, vc.Hypothesis{Recipient: "node:worker"}),
		one(day(2), true, true, vc.Hypothesis{Recipient: "node:web2"}),
		one(day(3), true, true, vc.Hypothesis{Medium: true}),
		one(day(4), true, true, vc.Hypothesis{}),
		one(day(4), true, true, vc.Hypothesis{Recipient: "grant:x"}),
	})
	if diff := cmp.Diff(map[DrillKind]time.Time{AccountDrill: day(9), WorkerDrill: day(1), NodeDrill: day(2), DatabaseDrill: day(3)}, got); diff != "" {
		t.Error(diff)
	}
}
