package vault_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

func (h *house) freeze(scope vc.Scope) {
	h.t.Helper()
	if err := h.nodes["cli"].Freeze(h.t.Context(), h.root, vc.FreezeRequest{Scope: scope, Reason: "a stolen laptop", Sure: true}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) thaw(scope vc.Scope) {
	h.t.Helper()
	if err := h.v.ThawOffline(h.t.Context(), scope); err != nil {
		h.t.Fatal(err)
	}
}

// entries counts entries of the newest in a ledger that a function takes.
func (h *house) entriesLike(org id.Organisation, fn func(vc.Entry) bool) (n int) {
	h.t.Helper()
	for _, e := range must(h.nodes["cli"].Ledger(h.t.Context(), h.root, vc.LedgerRequest{Organisation: org, Limit: 1000})).Entries {
		if fn(e) {
			n++
		}
	}
	return n
}

func refusedAsFrozen(e vc.Entry) bool {
	return e.Kind == "refuse" && strings.HasPrefix(e.Rule, "frozen:")
}

// What is frozen opens nothing, also after a restart; what isn't goes on; what is thawed goes on again.
func TestWhatIsFrozenOpensNothing(t *testing.T) {
	now := clockAt(time.Now())
	h := newHouseAt(t, now.now)
	a, b := h.organisation("A"), h.organisation("B")
	ours, theirs := h.join(a, "Jones, Siân, A1"), h.join(b, "Evans, Gwen, B1")
	users := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{
		{Name: "Rhys Prosser", Role: policy.Coordinator}, {Name: "Nia Puw", Role: policy.Supervisor, Organisations: []id.Organisation{a}}}))
	session := func(u id.User) vc.Auth {
		return vc.Auth{Session: must(h.nodes["web"].RedeemCode(t.Context(), h.v.NewCode(u, "web"))).Token}
	}
	rhys, nia := session(users[0]), session(users[1])
	tool, grant := h.outside("Reporting tool", "doses", 10, a)
	export := id.New[id.Export]()
	asExport := rhys
	asExport.Export = export

	read := func(node string, auth vc.Auth, who []id.Wearer) error {
		_, err := h.nodes[node].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: who})
		return err
	}
	asks := []struct {
		name string
		ask  func() error
	}{
		{"a co-ordinator about A", func() error { return read("web", rhys, ours) }},
		{"a co-ordinator about B", func() error { return read("web", rhys, theirs) }},
		{"a supervisor of A", func() error { return read("web", nia, ours) }},
		{"a machine of A", func() error { return read("web", h.admit(tool), ours) }},
		{"an export of B", func() error { return read("web", asExport, theirs) }},
		{"on the command line about B", func() error { return read("cli", h.root, theirs) }},
		{"a change in A", func() error { return h.change(vc.Change{Organisation: a, Wearer: ours[0], From: "2021-01-01"}) }},
	}
	for _, c := range []struct {
		scope vc.Scope
		stops []string
	}{
		{vc.Everything, []string{"a co-ordinator about A", "a co-ordinator about B", "a supervisor of A", "a machine of A", "an export of B", "on the command line about B", "a change in A"}},
		{vc.OrganisationScope(a), []string{"a co-ordinator about A", "a supervisor of A", "a machine of A", "a change in A"}},
		{vc.UserScope(users[0]), []string{"a co-ordinator about A", "a co-ordinator about B", "an export of B"}},
		{vc.UserScope(users[1]), []string{"a supervisor of A"}},
		{vc.NodeScope("web"), []string{"a co-ordinator about A", "a co-ordinator about B", "a supervisor of A", "a machine of A", "an export of B"}},
		{vc.GrantScope(grant), []string{"a machine of A"}},
		{vc.Scope("export:" + export.String()), []string{"an export of B"}},
		{"supplier:Cardiff Dosimetry", nil},
	} {
		h.freeze(c.scope)
		h.freeze(c.scope) // what is frozen stays frozen
		for _, restarted := range []bool{false, true} {
			if restarted {
				h.stop()
				h.start()
				now.set(now.now().Add(5 * time.Second))
			}
			for _, x := range asks {
				want := vc.Code("")
				if slices.Contains(c.stops, x.name) {
					want = vc.IsFrozen
				}
				if err := x.ask(); code(err) != want {
					t.Errorf("%s frozen (restarted: %v): %s: %v", c.scope.Kind(), restarted, x.name, err)
				}
			}
		}
		list := must(h.nodes["cli"].Frozen(t.Context(), h.root))
		if len(list) != 1 || list[0].Scope != c.scope || list[0].By != "Mair Evans" || list[0].Reason != "a stolen laptop" || list[0].Automatic {
			t.Errorf("frozen: %+v", list)
		}
		h.thaw(c.scope)
		for _, x := range asks {
			if err := x.ask(); err != nil {
				t.Errorf("%s thawed: %s: %v", c.scope.Kind(), x.name, err)
			}
		}
	}
	// A's ledger: refusals of co-ordinator, supervisor and machine, twice each, under everything and under A; the change is refused while it is staged.
	if n := h.entriesLike(a, refusedAsFrozen); n != 16 {
		t.Errorf("%d frozen refusals in A's ledger, want 16", n)
	}
	// A's own freeze, its supervisor's and its machine's, each with its thaw.
	if n := h.entriesLike(a, func(e vc.Entry) bool { return e.Kind == "freeze" }); n != 6 {
		t.Errorf("%d entries of freezes in A's ledger, want 6", n)
	}
	if n := h.entriesLike(id.Organisation{}, func(e vc.Entry) bool { return e.Kind == "freeze" }); n != 16 {
		t.Errorf("%d entries of freezes in the installation's log, want 16", n)
	}
}

// A frozen user can't sign in, nor use what they gave leave to; others can.
func TestAFrozenUserIsShutOut(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1")
	u := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Rhys Prosser", Role: policy.Coordinator}}))[0]
	auth := vc.Auth{Session: must(h.nodes["cli"].RedeemLink(t.Context(), must(h.nodes["cli"].NewLink(t.Context(), h.root, u)))).Token}
	job := vc.Auth{Grant: must(h.nodes["cli"].GrantJob(t.Context(), auth, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldEmployment, MaxWearers: 5, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour}))}
	link := must(h.nodes["cli"].NewLink(t.Context(), h.root, u))
	h.freeze(vc.UserScope(u))
	for what, err := range map[string]error{
		"signing in":            second(h.nodes["cli"].RedeemLink(t.Context(), link)),
		"by a code":             second(h.nodes["web"].RedeemCode(t.Context(), h.v.NewCode(u, "web"))),
		"a job that they gave":  second(h.nodes["worker"].Reveal(t.Context(), job, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: ws})),
		"making a user":         second(h.nodes["cli"].CreateUsers(t.Context(), auth, []vc.NewUser{{Name: "X", Role: policy.Coordinator}})),
		"freezing others":       h.nodes["cli"].Freeze(t.Context(), auth, vc.FreezeRequest{Scope: vc.Everything, Reason: "revenge", Sure: true}),
		"a notice of a breach":  second(h.nodes["cli"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName, Wearers: ws})),
		"reading a ledger":      second(h.nodes["cli"].Ledger(t.Context(), auth, vc.LedgerRequest{Organisation: org, Limit: 5})),
		"ending somebody":       h.nodes["cli"].EndUser(t.Context(), auth, u),
		"dropping an import":    h.nodes["cli"].Discard(t.Context(), auth, id.New[id.Import]()),
		"what it delivered":     second(h.nodes["cli"].Delivered(t.Context(), auth)),
		"lists of organisation": second(h.nodes["cli"].Organisations(t.Context(), auth)),
	} {
		if code(err) != vc.IsFrozen {
			t.Errorf("%s: %v", what, err)
		}
	}
	// They are told, and can sign out.
	if me := must(h.nodes["cli"].Whoami(t.Context(), auth)); !slices.Equal(me.Frozen, []vc.Scope{vc.UserScope(u)}) {
		t.Errorf("whoami says %v", me.Frozen)
	}
	if err := h.nodes["cli"].SignOut(t.Context(), auth); err != nil {
		t.Error(err)
	}
	h.thaw(vc.UserScope(u))
	if _, err := h.nodes["cli"].RedeemLink(t.Context(), link); err != nil {
		t.Errorf("after the thaw, by the link that was refused: %v", err)
	}
}

// While everything is frozen, what an incident needs goes on.
func TestWhatGoesOnWhileEverythingIsFrozen(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1")
	officer := h.signIn("web", vc.NewUser{Name: "Non Lloyd", Role: policy.DataProtection, Organisations: []id.Organisation{org}})
	other := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Rhys Prosser", Role: policy.Coordinator}}))[0]
	_, machine := h.machine("Reporting tool", "doses", 10, org)
	n := id.New[id.Import]()
	must(h.nodes["cli"].Stage(t.Context(), h.root, n, []vc.Change{{Organisation: org, Wearer: ws[0], From: "2021-01-01"}}))
	h.freeze(vc.Everything)
	for what, err := range map[string]error{
		"the officer's ledger":           second(h.nodes["web"].Ledger(t.Context(), officer, vc.LedgerRequest{Organisation: org, Limit: 5})),
		"who was exposed":                second(h.nodes["cli"].Exposures(t.Context(), h.root, vc.ExposureRequest{From: time.Unix(0, 0), To: time.Now().Add(time.Hour)})),
		"a notice by the officer":        second(h.nodes["web"].Reveal(t.Context(), officer, vc.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName | policy.FieldContact, Wearers: ws})),
		"a notice by the co-ordinator":   second(h.nodes["cli"].Reveal(t.Context(), h.root, vc.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName, Wearers: ws})),
		"the officer freezes their own":  h.nodes["web"].Freeze(t.Context(), officer, vc.FreezeRequest{Scope: vc.OrganisationScope(org), Reason: "a leak"}),
		"what is frozen":                 second(h.nodes["web"].Frozen(t.Context(), officer)),
		"who may sign in":                second(h.nodes["cli"].Users(t.Context(), h.root)),
		"signing in":                     second(h.nodes["web"].RedeemCode(t.Context(), h.v.NewCode(other, "web"))),
		"ending a user":                  h.nodes["cli"].EndUser(t.Context(), h.root, other),
		"ending a machine":               h.nodes["cli"].EndMachine(t.Context(), h.root, machine),
		"entering what was stored":       h.nodes["worker"].Confirm(t.Context(), vc.Auth{}, n, nil),
		"a checkpoint":                   second(h.nodes["web"].Checkpoint(t.Context(), "installation")),
		"dropping what was never stored": h.nodes["worker"].Discard(t.Context(), vc.Auth{}, id.New[id.Import]()),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"a machine":                  second(h.leave(h.nodes["cli"], h.root, vc.NewMachine{Name: "M", Purpose: policy.AssessDose, Fields: policy.FieldName, MaxWearers: 1, Node: "web", Ends: time.Now().Add(time.Hour), Key: make([]byte, 32)})),
		"everything, by the officer": h.nodes["web"].Freeze(t.Context(), officer, vc.FreezeRequest{Scope: vc.NodeScope("web"), Reason: "a leak"}),
	} {
		if code(err) != vc.Refused {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"a user": second(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "X", Role: policy.Operator}})),
		"a link": second(h.nodes["cli"].NewLink(t.Context(), h.root, other)),
	} {
		if code(err) != vc.IsFrozen {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list := must(h.nodes["web"].Frozen(t.Context(), officer)); len(list) != 1 || list[0].Name != "A" {
		t.Errorf("the officer sees %+v", list)
	}
}

// Whoever would leave fewer than two people who can thaw is told so first.
func TestTheLastWhoCouldThaw(t *testing.T) {
	h := newHouse(t)
	users := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "B", Role: policy.Administrator}, {Name: "C", Role: policy.Coordinator}, {Name: "D", Role: policy.Operator}}))
	freeze := func(n id.User, sure bool) error {
		return h.nodes["cli"].Freeze(t.Context(), h.root, vc.FreezeRequest{Scope: vc.UserScope(n), Reason: "why", Sure: sure})
	}
	if err := freeze(users[0], false); err != nil {
		t.Errorf("one of three: %v", err)
	}
	if err := freeze(users[1], false); code(err) != vc.Conflict {
		t.Errorf("one of two: %v", err)
	}
	if err := freeze(users[2], false); err != nil {
		t.Errorf("somebody who could not thaw: %v", err)
	}
	if err := freeze(users[1], true); err != nil {
		t.Errorf("one of two, being sure: %v", err)
	}
}

func TestFreezeRequestsAreChecked(t *testing.T) {
	h := newHouse(t)
	for _, r := range []vc.FreezeRequest{
		{Scope: "", Reason: "why"}, {Scope: "all", Reason: "why"}, {Scope: "everything:", Reason: "why"}, {Scope: "user:", Reason: "why"}, {Scope: "user:x", Reason: "why"},
		{Scope: "node:", Reason: "why"}, {Scope: "node: web", Reason: "why"}, {Scope: "node:origin", Reason: "why"}, {Scope: "supplier:a\nb", Reason: "why"},
		{Scope: vc.UserScope(id.User{}), Reason: "why"}, {Scope: vc.Everything}, {Scope: vc.Everything, Reason: " \t"},
		{Scope: vc.Everything, Reason: strings.Repeat("ŵ", vc.MaxFreezeReason+1)},
	} {
		if err := h.nodes["cli"].Freeze(t.Context(), h.root, r); code(err) != vc.Invalid {
			t.Errorf("%q because of %q: %v", r.Scope, r.Reason, err)
		}
	}
	for _, s := range []vc.Scope{vc.OrganisationScope(id.New[id.Organisation]()), vc.UserScope(id.New[id.User]()), vc.GrantScope(id.New[id.Grant]())} {
		if err := h.nodes["cli"].Freeze(t.Context(), h.root, vc.FreezeRequest{Scope: s, Reason: "why"}); code(err) != vc.NotFound {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// Readers at full speed: whatever was asked for after Freeze returned is refused.
func TestAFreezeHoldsFromTheNextReveal(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1")
	web := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	frozen := make(chan struct{})
	var wg sync.WaitGroup
	started := make(chan struct{}, 8)
	for range 8 {
		wg.Go(func() {
			for first := true; ; first = false {
				late := false
				select {
				case <-frozen:
					late = true
				default:
				}
				_, err := h.nodes["web"].Reveal(t.Context(), web, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: ws})
				if late && code(err) != vc.IsFrozen {
					t.Errorf("read after the freeze: %v", err)
				}
				if err != nil && code(err) != vc.IsFrozen {
					t.Error(err)
				}
				if first {
					started <- struct{}{}
				}
				if late || err != nil && code(err) != vc.IsFrozen {
					return
				}
			}
		})
	}
	for range 8 {
		<-started
	}
	h.freeze(vc.OrganisationScope(org))
	close(frozen)
	wg.Wait()
	// In the ledger no reveal follows the freeze.
	for _, e := range must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: org, Limit: 1000})).Entries {
		switch e.Kind {
		case "reveal":
			t.Errorf("entry %d is a reveal after the freeze", e.Seq)
		case "freeze":
			return
		}
	}
	t.Error("no freeze on the newest page of the ledger")
}
