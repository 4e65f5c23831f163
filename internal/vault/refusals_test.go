package vault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Who is refused over and over fills no ledger: a first entry, and one that sums up the rest of the minute.
func TestRefusalsAreSummedUp(t *testing.T) {
	c := newClock()
	h := newHouseAt(t, c.now)
	a, b := h.organisation("A"), h.organisation("B")
	theirs := h.crowd(b, 5)
	h.join(a, "Jones, Siân, A1")
	sup := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	dpo := h.signIn("web", vc.NewUser{Name: "D", Role: policy.DataProtection, Organisations: []id.Organisation{a}})
	ask := func(auth vc.Auth, n int) {
		t.Helper()
		for i := range n {
			if err := h.names(auth, theirs[i%len(theirs)]); code(err) != vc.Refused {
				t.Fatalf("refusal %d: %v", i, err)
			}
		}
	}
	ask(sup, 200)
	ask(dpo, 1)
	if got := h.entries(b, "refuse"); len(got) != 2 || got[0].Role == got[1].Role {
		t.Fatalf("within the minute: %+v", got)
	}
	// The sum is entered when the minute is over, without anybody's doing.
	c.pass(time.Minute)
	until(t, func() bool { return len(h.entries(b, "refuse")) == 3 })
	sum := h.entries(b, "refuse")[0]
	if sum.Reason != "199 more refusals within a minute (no-rule: 199)" || sum.Count != 5 || sum.Rule != "no-rule" || sum.Role != string(policy.Supervisor) || sum.Fields&policy.FieldName == 0 {
		t.Errorf("the sum: %+v", sum)
	}
	// Then it begins anew; a stop loses nothing.
	ask(sup, 4)
	if got := h.entries(b, "refuse"); len(got) != 4 {
		t.Errorf("in the next minute: %+v", got)
	}
	h.stop()
	h.start()
	if got := h.entries(b, "refuse"); len(got) != 5 || !strings.HasPrefix(got[0].Reason, "3 more refusals") {
		t.Errorf("after a stop: %+v", got)
	}
}

// until waits for something to come true.
func until(t *testing.T, met func() bool) {
	t.Helper()
	for range 1000 {
		if met() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("it did not come true")
}
