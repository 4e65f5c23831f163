package vault_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testmachine"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// clock is a clock that tests set.
type clock struct{ at atomic.Pointer[time.Time] }

func clockAt(at time.Time) *clock {
	c := &clock{}
	c.set(at)
	return c
}

func (c *clock) now() time.Time   { return *c.at.Load() }
func (c *clock) set(at time.Time) { c.at.Store(&at) }

// TestAContractEndsByItself: sessions, links, and grants to jobs and machines open nothing once the last day of whoever gave
// or holds them is over in London, where in summer a day ends an hour before it does in UTC; after a restart too.
func TestAContractEndsByItself(t *testing.T) {
	lastDay := day.Of(2027, time.July, 14)
	now := clockAt(time.Date(2027, time.July, 14, 22, 45, 0, 0, time.UTC))
	h := newHouseAt(t, now.now)
	ctx := t.Context()
	org := h.organisation("A")
	who := h.join(org, "Jones, Siân, A1")
	auth := h.signIn("web", vc.NewUser{Name: "Contractor", Role: policy.Coordinator, Until: lastDay})
	stays := h.signIn("web", vc.NewUser{Name: "Employee", Role: policy.Coordinator})
	user := must(h.nodes["web"].Whoami(ctx, auth))
	if user.Until != lastDay {
		t.Errorf("the user is %+v", user)
	}
	link := must(h.nodes["cli"].NewLink(ctx, h.root, user.ID))
	job := vc.Auth{Grant: must(h.nodes["web"].GrantJob(ctx, auth, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldEmployment, Organisations: []id.Organisation{org}, MaxWearers: 5, Import: id.New[id.Import](), Node: "worker", Lifetime: 24 * time.Hour}))}
	tool := testmachine.New()
	tool.ID = must(h.leave(h.nodes["web"], auth, vc.NewMachine{Name: "Reporting tool", Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldStaffNumber | policy.FieldEmployment, Organisations: []id.Organisation{org}, MaxWearers: 5, Node: "web", Ends: now.now().Add(48 * time.Hour), Key: tool.Public()})).String()
	read := func(node string, a vc.Auth) error {
		_, err := h.nodes[node].Reveal(ctx, a, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: who})
		return err
	}
	now.set(time.Date(2027, time.July, 14, 22, 52, 0, 0, time.UTC))
	machine := h.admit(tool)
	for what, err := range map[string]error{"session": read("web", auth), "job": read("worker", job), "machine": read("web", machine)} {
		if err != nil {
			t.Errorf("%s on the last day: %v", what, err)
		}
	}
	if s := must(h.nodes["cli"].Machines(ctx, h.root)); !s[0].Ends.Equal(time.Date(2027, time.July, 14, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("the machine ends %v", s[0].Ends)
	}
	now.set(time.Date(2027, time.July, 14, 23, 0, 0, 0, time.UTC))
	over := func(when string) {
		t.Helper()
		for what, err := range map[string]error{"session": read("web", auth), "job": read("worker", job), "machine": read("web", machine), "link": second(h.nodes["cli"].RedeemLink(ctx, link)), "machine's signature": second(h.nodes["web"].Admit(ctx, signed(tool, now.now()))), "new link": second(h.nodes["cli"].NewLink(ctx, h.root, user.ID))} {
			if want := map[bool]vc.Code{true: vc.NotFound, false: vc.Unauthenticated}[what == "new link"]; code(err) != want {
				t.Errorf("%s, %s: %v", when, what, err)
			}
		}
		if err := read("web", stays); err != nil {
			t.Errorf("%s, an employee: %v", when, err)
		}
	}
	over("after the last day")
	h.stop()
	h.start()
	over("after a restart")

	for what, u := range map[string]vc.NewUser{
		"a day that is over": {Name: "X", Role: policy.Coordinator, Until: lastDay},
		"no purpose":         {Name: "X", Role: policy.Coordinator, Purpose: "curiosity"},
	} {
		if _, err := h.nodes["cli"].CreateUsers(ctx, h.root, []vc.NewUser{u}); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestAContractHasOnePurpose: whatever the role may do, a contractor may for one purpose; the refusals are entered, and what
// they give is for that purpose too.
func TestAContractHasOnePurpose(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	org := h.organisation("A")
	who := h.join(org, "Jones, Siân, A1")
	auth := h.signIn("web", vc.NewUser{Name: "Contractor", Role: policy.Coordinator, Purpose: policy.AssessDose})
	web := h.nodes["web"]
	reveal := func(p policy.Purpose) error {
		_, err := web.Reveal(ctx, auth, vc.RevealRequest{Purpose: p, Fields: policy.FieldName, Wearers: who})
		return err
	}
	if err := reveal(policy.AssessDose); err != nil {
		t.Fatal(err)
	}
	job := vc.JobGrant{Purpose: policy.IssueBadges, Fields: policy.FieldName, Organisations: []id.Organisation{org}, MaxWearers: 5, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour}
	for what, err := range map[string]error{
		"reveal":            reveal(policy.IssueBadges),
		"search":            second(web.Search(ctx, auth, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Limit: 10})),
		"an organisation":   second(web.CreateOrganisations(ctx, auth, []vc.Organisation{{Name: "B", Kind: vc.OtherKind}})),
		"a user":            second(h.nodes["web"].CreateUsers(ctx, auth, []vc.NewUser{{Name: "Y", Role: policy.Coordinator}})),
		"a job of another":  second(web.GrantJob(ctx, auth, job)),
		"the list of users": second(web.Users(ctx, auth)),
	} {
		if code(err) != vc.Refused {
			t.Errorf("%s: %v", what, err)
		}
	}
	entered := false
	for _, e := range must(h.nodes["cli"].Ledger(ctx, h.root, vc.LedgerRequest{Organisation: org, Limit: 100})).Entries {
		entered = entered || e.Kind == "refuse" && e.Rule == "contract"
	}
	if !entered {
		t.Error("no refusal by the contract is entered")
	}
}
