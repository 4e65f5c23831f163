package vault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Whoever has not decided is reminded at 50, 80 and 100 % of the 72 hours, once each, also over restarts, acknowledged or not; whoever has decided, and a drill, are not.
func TestRemind(t *testing.T) {
	at := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC) // the clocks go forward on the 29th
	now := clockAt(at)
	h := newHouseAt(t, now.now)
	a, b, c := h.organisation("A"), h.organisation("B"), h.organisation("C")
	declared := vc.NewStep{Kind: vc.Declared, Text: "Hacked", Hypothesis: &vc.Hypothesis{Recipient: "supplier:Lab", From: at.AddDate(-1, 0, 0), To: at}}
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	n := must(h.nodes["web"].EnterStep(t.Context(), auth, declared))
	declared.Drill = true
	must(h.nodes["web"].EnterStep(t.Context(), auth, declared))
	enter := func(s vc.NewStep) {
		t.Helper()
		s.Incident, s.Text = n, "As agreed"
		if _, err := h.nodes["web"].EnterStep(t.Context(), auth, s); err != nil {
			t.Fatal(err)
		}
	}
	enter(vc.NewStep{Kind: vc.Told, Organisation: b, Moment: at.Add(-time.Hour)})
	came := func() (out []string) {
		t.Helper()
		for range 2 {
			if err := h.v.Remind(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.stop()
			h.start()
		}
		auth = h.again("Rhys Prosser")
		for _, x := range must(h.nodes["web"].Alarms(t.Context(), auth, vc.AlarmsRequest{Limit: 100})).Alarms {
			if x.Kind == vc.AlarmDeadline {
				share, _, _ := strings.Cut(x.Reason, " of ")
				who := map[id.Organisation]string{a: "A", b: "B", c: "C"}[x.Organisation]
				out = append(out, fmt.Sprintf("%s%s %d", who, share, x.Count))
				if x.Acknowledged.IsZero() {
					if err := h.nodes["web"].AckAlarm(t.Context(), auth, vc.AlarmAck{ID: x.ID, Note: "seen"}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		slices.Sort(out)
		return out
	}
	var want []string
	for _, c := range []struct {
		after time.Duration
		more  []string
		then  func()
	}{
		{35*time.Hour - time.Minute, nil, nil},
		{35 * time.Hour, []string{"B50 % 1"}, nil},
		{36 * time.Hour, []string{"50 % 1"}, func() { enter(vc.NewStep{Kind: vc.Decided}) }},
		{71*time.Hour - time.Minute, []string{"B80 % 1"}, func() {
			enter(vc.NewStep{Kind: vc.Told, Organisation: a, Moment: at.Add(-100 * time.Hour)})
			enter(vc.NewStep{Kind: vc.Told, Organisation: c, Moment: at.Add(-20 * 24 * time.Hour)}) // too long ago for a reminder to help
		}},
		{71 * time.Hour, []string{"B100 % 1", "A100 % 1"}, nil}, // A's first two were late, and came to nothing
		{20 * 24 * time.Hour, nil, nil},
	} {
		now.set(at.Add(c.after))
		want = append(want, c.more...)
		slices.Sort(want)
		if diff := cmp.Diff(want, came()); diff != "" {
			t.Fatalf("after %v: %s", c.after, diff)
		}
		if c.then != nil {
			c.then()
		}
	}
	// A clock that is found to have run for longer reaches the next share within minutes: that is another reminder.
	declared.Drill = false
	n = must(h.nodes["web"].EnterStep(t.Context(), auth, declared))
	for _, ago := range []time.Duration{37 * time.Hour, 60 * time.Hour} {
		enter(vc.NewStep{Kind: vc.Aware, Moment: at.Add(20*24*time.Hour - ago)})
		for range 2 {
			if err := h.v.Remind(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	want = append(want, "50 % 1", "80 % 1")
	slices.Sort(want)
	if diff := cmp.Diff(want, came()); diff != "" {
		t.Error(diff)
	}
}

// A mail that nobody took for an hour, and a letter that nobody posted for a day, alarm once each; what was told does not.
func TestANoticeThatWaits(t *testing.T) {
	at := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	now := clockAt(at)
	h := newHouseAt(t, now.now)
	a, b := h.organisation("A"), h.organisation("B")
	n := h.hacked(a, b, false)
	h.v.NoticeChannel()
	for _, org := range []id.Organisation{a, b} {
		h.contact(org, vc.NoticeContact{Email: "dpo@a.example", Post: []string{"1 Stryd Fawr"}, Verified: day.Of(2026, 3, 1), How: "telephoned"})
	}
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	for _, by := range []vc.NoticeChannel{vc.ByMail, vc.ByLetter} {
		must(h.nodes["web"].Tell(t.Context(), auth, vc.TellRequest{Incident: n, Organisations: []id.Organisation{a, b}, Text: "Hacked", CallBack: "029 2055 5010", Channel: by}))
	}
	for _, m := range h.v.WaitingMails() {
		if m.Organisation == "B" {
			if err := h.v.MailSent(t.Context(), m.ID, true, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{time.Hour - time.Minute, 0}, {time.Hour, 1}, {23 * time.Hour, 1}, {24 * time.Hour, 3}, {25 * time.Hour, 3}} {
		now.set(at.Add(c.after))
		for range 2 {
			if err := h.v.Remind(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		auth = h.again("Rhys Prosser")
		got := 0
		for _, x := range must(h.nodes["web"].Alarms(t.Context(), auth, vc.AlarmsRequest{Limit: 100})).Alarms {
			if x.Kind == vc.AlarmNoticeWaits {
				got += x.Count
			}
		}
		if got != c.want {
			t.Errorf("after %v: %d alarms, want %d", c.after, got, c.want)
		}
	}
}
