package vault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Ten refused sign-ins of a user within ten minutes are an alarm that names the user, and so are thirty codes on a node that
// open nothing; fewer, or the same over a longer time, are none.
func TestRefusedSignIns(t *testing.T) {
	now := clockAt(time.Now())
	h := newHouseAt(t, now.now)
	llyr, d, _ := h.enrol(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator})
	wrong := func() error {
		thief := *d
		thief.key.Key = newDevice().key.Key
		_, err := h.v.SignIn(t.Context(), thief.get(must(h.v.BeginSignIn())))
		return err
	}
	unconfirmed := func() error {
		_, err := h.v.FinishAssertion(t.Context(), llyr, vault.Digest{}, nil)
		return err
	}
	stale := func() error {
		_, err := h.v.RedeemCode(t.Context(), vault.Caller{Node: "web"}, "of yesterday")
		return err
	}
	for _, x := range []struct {
		about string
		most  int
		fail  func(i int) error
	}{
		{"user:" + llyr.String(), 10, func(i int) error {
			if i%2 == 0 {
				return unconfirmed()
			}
			return wrong()
		}},
		{"node:web", 30, func(int) error { return stale() }},
	} {
		raised := func() int {
			n := 0
			for _, a := range h.alarms("cli", h.root).Alarms {
				if a.Kind == vc.AlarmRefusedSignIns && a.About == x.about {
					n += a.Count
				}
			}
			return n
		}
		try := func(from, to int) {
			for i := from; i < to; i++ {
				if err := x.fail(i); err == nil {
					t.Fatalf("%s: signed in", x.about)
				}
			}
		}
		try(0, x.most-1)
		now.set(now.now().Add(10 * time.Minute))
		try(0, x.most-1)
		if got := raised(); got != 0 {
			t.Errorf("%s: %d alarms for fewer than %d at a time", x.about, got, x.most)
		}
		try(x.most-1, x.most)
		if got := raised(); got != 1 {
			t.Errorf("%s: %d alarms for %d", x.about, got, x.most)
		}
		try(0, x.most-1)
		if got := raised(); got != 1 {
			t.Errorf("%s: %d alarms for nearly twice as many", x.about, got)
		}
	}
	if n := h.entered("refuse", "sign-in: a code or link"); n != 2 {
		t.Errorf("%d entries of codes that open nothing, in two minutes that had some", n)
	}
	// The alarm names the user to who may see it.
	if i := slices.IndexFunc(h.alarms("cli", h.root).Alarms, func(a vc.Alarm) bool { return a.Name == "Llŷr Prys" }); i < 0 {
		t.Error("the alarm does not name the user")
	}
}

// A start after a stop that was no shutdown is an alarm, once; after a shutdown there is none.
func TestAnUncleanStopIsAnAlarm(t *testing.T) {
	h := newHouse(t)
	raised := func() (n int) {
		for _, a := range h.alarms("cli", h.root).Alarms {
			if a.Kind == vc.AlarmUncleanStop {
				n += a.Count
			}
		}
		return n
	}
	for want, stop := range []func(){
		h.stop,
		func() {
			if err := h.v.Crash(); err != nil {
				t.Error(err)
			}
			h.stop()
		},
	} {
		stop()
		h.start()
		if got := raised(); got != want {
			t.Errorf("%d alarms, want %d", got, want)
		}
	}
	h.stop()
	h.start()
	if got := raised(); got != 1 {
		t.Errorf("%d alarms after a shutdown that followed", got)
	}
}
