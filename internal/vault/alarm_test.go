package vault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

func (h *house) alarms(node string, auth vc.Auth) vc.AlarmPage {
	h.t.Helper()
	return must(h.nodes[node].Alarms(h.t.Context(), auth, vc.AlarmsRequest{Limit: 100}))
}

func kinds(p vc.AlarmPage) (out []string) {
	for _, a := range p.Alarms {
		out = append(out, string(a.Kind))
	}
	return out
}

// Alarms are raised with what caused them, listed with who and why to who may see them, acknowledged once, and survive a restart.
func TestAlarmsAreListedAndAcknowledged(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	officer := h.signIn("web", vc.NewUser{Name: "Non Lloyd", Role: policy.DataProtection, Organisations: []id.Organisation{a}})
	wearer := h.signIn("web", vc.NewUser{Name: "Siân Jones", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	h.freeze(vc.OrganisationScope(a))
	h.freeze(vc.OrganisationScope(b))
	h.thaw(vc.OrganisationScope(b))
	h.freeze(vc.NodeScope("worker"))
	page := h.alarms("cli", h.root)
	if got := kinds(page); page.Open != 4 || !slices.Equal(got, []string{"frozen", "thawed-offline", "frozen", "frozen"}) {
		t.Fatalf("alarms: %v, %d open", got, page.Open)
	}
	if x := page.Alarms[3]; x.Name != "A" || x.By != "Mair Evans" || x.Reason != "a stolen laptop" || x.Count != 1 || x.Organisation != a {
		t.Errorf("the first: %+v", x)
	}
	// The officer of A sees and acknowledges A's only.
	if got := h.alarms("web", officer); len(got.Alarms) != 1 || got.Open != 1 || got.Alarms[0].Organisation != a {
		t.Errorf("the officer sees %+v", got)
	}
	if err := h.nodes["web"].AckAlarm(t.Context(), officer, vc.AlarmAck{ID: page.Alarms[2].ID}); code(err) != vc.NotFound {
		t.Errorf("the officer acknowledges B's: %v", err)
	}
	for what, err := range map[string]error{
		"list":        second(h.nodes["web"].Alarms(t.Context(), wearer, vc.AlarmsRequest{Limit: 10})),
		"acknowledge": h.nodes["web"].AckAlarm(t.Context(), wearer, vc.AlarmAck{ID: page.Alarms[3].ID}),
	} {
		if code(err) != vc.Refused {
			t.Errorf("a supervisor may %s: %v", what, err)
		}
	}
	if err := h.nodes["web"].AckAlarm(t.Context(), officer, vc.AlarmAck{ID: page.Alarms[3].ID, Note: strings.Repeat("n", vc.MaxAlarmNote+1)}); code(err) != vc.Invalid {
		t.Errorf("a long note: %v", err)
	}
	for _, note := range []string{"The laptop was found.", "Another note."} {
		if err := h.nodes["web"].AckAlarm(t.Context(), officer, vc.AlarmAck{ID: page.Alarms[3].ID, Note: note}); err != nil {
			t.Fatal(err)
		}
	}
	h.stop()
	h.start()
	page = h.alarms("cli", h.root)
	if last := page.Alarms[3]; page.Open != 3 || last.AckBy != "Non Lloyd" || last.Note != "The laptop was found." || last.Acknowledged.IsZero() {
		t.Errorf("after a restart: %d open, the last %+v", page.Open, last)
	}
	if open := must(h.nodes["cli"].Alarms(t.Context(), h.root, vc.AlarmsRequest{Limit: 1, Offset: 1, Open: true})); open.Total != 3 || len(open.Alarms) != 1 {
		t.Errorf("the second of the open: %+v", open)
	}
	if n := h.entriesLike(a, func(e vc.Entry) bool { return e.Kind == "alarm" }); n != 2 {
		t.Errorf("%d entries of alarms in A's ledger, want the alarm and its acknowledgement", n)
	}
}

// Equal alarms within ten minutes are one; later ones are new, and so are those after an acknowledgement.
func TestEqualAlarmsAreOne(t *testing.T) {
	var later time.Duration
	h := newHouseAt(t, func() time.Time { return time.Now().Add(later) })
	raise := func() {
		h.freeze(vc.NodeScope("worker"))
		h.thaw(vc.NodeScope("worker"))
	}
	want := func(counts ...int) {
		t.Helper()
		var got []int
		for _, a := range h.alarms("cli", h.root).Alarms {
			if a.Kind == vc.AlarmFrozen {
				got = append(got, a.Count)
			}
		}
		if !slices.Equal(got, counts) {
			t.Errorf("counts %v, want %v", got, counts)
		}
	}
	raise()
	raise()
	want(2)
	later += 9 * time.Minute
	raise()
	want(3)
	later += 2 * time.Minute
	raise()
	want(1, 3)
	first := h.alarms("cli", h.root).Alarms
	i := slices.IndexFunc(first, func(a vc.Alarm) bool { return a.Kind == vc.AlarmFrozen })
	if err := h.nodes["cli"].AckAlarm(t.Context(), h.root, vc.AlarmAck{ID: first[i].ID}); err != nil {
		t.Fatal(err)
	}
	raise()
	want(1, 3, 1)
}

// A notice stays due until it was delivered; pauses grow, and after a day it is given up, which is an alarm too.
func TestNoticesAreDueUntilDelivered(t *testing.T) {
	var later time.Duration
	h := newHouseAt(t, func() time.Time { return time.Now().Add(later) })
	raised := h.v.AlarmChannel()
	h.freeze(vc.NodeScope("worker"))
	select {
	case <-raised:
	default:
		t.Error("nobody was woken")
	}
	due, _ := h.v.DueNotices("mail")
	if len(due) != 1 || due[0].Kind != vc.AlarmFrozen || !due[0].Organisation.IsZero() {
		t.Fatalf("due: %+v", due)
	}
	n := due[0].ID
	fail := func() {
		t.Helper()
		if err := h.v.NoticeSent(t.Context(), "mail", n, false); err != nil {
			t.Fatal(err)
		}
	}
	var pauses []time.Duration
	for range 4 {
		fail()
		due, next := h.v.DueNotices("mail")
		if len(due) != 0 {
			t.Fatalf("due at once after a failure: %+v", due)
		}
		pause := time.Until(next) - later
		pauses = append(pauses, pause.Round(5*time.Second))
		later += pause + time.Millisecond
		h.stop()
		h.start()
		if due, _ := h.v.DueNotices("mail"); len(due) != 1 {
			t.Fatalf("after its pause and a restart: %+v", due)
		}
	}
	if !slices.Equal(pauses, []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second}) {
		t.Errorf("pauses %v", pauses)
	}
	// The other channel goes its own way.
	if err := h.v.NoticeSent(t.Context(), "webhook", n, true); err != nil {
		t.Fatal(err)
	}
	if due, next := h.v.DueNotices("webhook"); len(due) != 0 || !next.IsZero() {
		t.Errorf("delivered, and yet due: %+v", due)
	}
	later += 25 * time.Hour
	fail()
	due, _ = h.v.DueNotices("mail")
	if len(due) != 1 || due[0].Kind != vc.AlarmDelivery {
		t.Errorf("after a day: %+v", due)
	}
	n = due[0].ID
	later += 25 * time.Hour
	fail()
	if due, _ := h.v.DueNotices("mail"); len(due) != 0 {
		t.Errorf("an alarm about alarms goes on for ever: %+v", due)
	}
}

// alarmed reports whether an alarm of a kind is on the list.
func (h *house) alarmed(kind vc.AlarmKind) bool {
	h.t.Helper()
	return slices.ContainsFunc(h.alarms("cli", h.root).Alarms, func(a vc.Alarm) bool { return a.Kind == kind })
}
