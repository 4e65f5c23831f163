package vault_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// two is a house where what is proposed takes two people, with a clock of its own.
type two struct {
	*house
	ahead atomic.Int64
	mair  id.User // the first co-ordinator
}

func newTwo(t *testing.T) *two {
	t.Helper()
	h := new(two)
	h.house = newHouseAt(t, func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) })
	h.mair = h.user("Mair Evans").ID
	h.stop() // passkeys have tests of their own
	h.demo = true
	h.start()
	return h
}

// insist ends that one person decides: from then on it takes two.
func (h *two) insist() {
	h.t.Helper()
	if err := h.nodes["cli"].EndSingleAdministrator(h.t.Context(), h.as("cli", h.mair).Auth); err != nil {
		h.t.Fatal(err)
	}
}

func (h *two) pass(d time.Duration) { h.ahead.Add(int64(d)) }

func (h *two) user(name string) vc.User {
	for _, u := range h.v.DemoUsers() {
		if u.Name == name {
			return u
		}
	}
	return vc.User{}
}

// made makes a user, while one person decides.
func (h *two) made(name string, role policy.Role, orgs ...id.Organisation) id.User {
	h.t.Helper()
	return must(h.v.CreateUsers(h.t.Context(), h.as("cli", h.mair), []vc.NewUser{{Name: name, Role: role, Organisations: orgs}}))[0]
}

// as is a session of a user that has just begun.
func (h *two) as(node string, u id.User) vault.Caller {
	c := vault.Caller{Node: node}
	s, err := h.v.RedeemCode(h.t.Context(), c, h.v.NewCode(u, node))
	if err != nil {
		return c
	}
	c.Auth = vc.Auth{Session: s.Token}
	return c
}

// propose makes a proposal by a node, as from the command line.
func (h *two) propose(by id.User, kind vc.ApprovalKind, body any) (id.Approval, error) {
	b, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.v.Propose(h.t.Context(), h.as("cli", by), vc.Proposal{Kind: kind, Body: b})
}

// seen is a proposal as its proposer sees it.
func (h *two) seen(by id.User, n id.Approval) vault.ApprovalView {
	h.t.Helper()
	return must(h.v.ApprovalViewOf(h.t.Context(), h.as("origin", by), n))
}

// sign signs as in a demonstration.
func (h *two) sign(by id.User, n id.Approval, d vault.Digest) error {
	return h.v.SignApproval(h.t.Context(), h.as("origin", by), n, d, nil)
}

var newcomer = vc.NewUser{Name: "Rhys Prosser", Role: policy.RecordsOfficer}

// A link for somebody who has had a passkey takes two people, also once their passkeys were removed.
func TestALinkForWhoHasAPasskey(t *testing.T) {
	h := newHouse(t)
	rhys, _, _ := h.enrol(vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	nia := must(h.nodes["cli"].CreateUsers(t.Context(), h.root, []vc.NewUser{{Name: "Nia Bowen", Role: policy.Administrator}}))[0]
	cli := vault.Caller{Node: "cli", Auth: h.root}
	if err := h.v.EndSingleAdministrator(t.Context(), cli); err != nil {
		t.Fatal(err)
	}
	if _, err := h.v.NewLink(t.Context(), cli, nia); err != nil {
		t.Errorf("for somebody new: %v", err)
	}
	if _, err := h.v.NewLink(t.Context(), cli, rhys); code(err) != vc.NeedsApproval {
		t.Errorf("for who has a passkey: %v", err)
	}
	if err := h.v.RemovePasskeys(t.Context(), cli, rhys); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	if _, err := h.v.NewLink(t.Context(), cli, rhys); code(err) != vc.NeedsApproval {
		t.Errorf("for whose passkeys were removed: %v", err)
	}
}

// A proposal takes effect with the second signature, together with its entries, and it stays done over a restart.
func TestTwoPeople(t *testing.T) {
	h := newTwo(t)
	owain := h.made("Owain Rees", policy.Administrator)
	h.insist()
	if _, err := h.v.CreateUsers(t.Context(), h.as("cli", h.mair), []vc.NewUser{newcomer}); code(err) != vc.NeedsApproval {
		t.Fatalf("one person made a records officer: %v", err)
	}
	n := must(h.propose(h.mair, vc.ApproveUser, newcomer))
	d := h.seen(h.mair, n).Digest
	if err := h.sign(owain, n, d); code(err) != vc.Refused {
		t.Errorf("approved before its proposer signed: %v", err)
	}
	if err := h.sign(h.mair, n, d); err != nil {
		t.Fatal(err)
	}
	if err := h.sign(h.mair, n, d); code(err) != vc.Refused {
		t.Errorf("approved by its proposer: %v", err)
	}
	if h.user(newcomer.Name).ID != (id.User{}) {
		t.Fatal("it took effect with one signature")
	}
	h.stop()
	h.start()
	if err := h.sign(owain, n, d); err != nil {
		t.Fatal(err)
	}
	if u := h.user(newcomer.Name); u.Role != newcomer.Role {
		t.Fatalf("it did not take effect: %+v", u)
	}
	if err := h.sign(owain, n, d); code(err) != vc.Conflict {
		t.Errorf("approved again: %v", err)
	}
	h.stop()
	h.start()
	x := h.seen(owain, n)
	if x.State != vc.Done || len(x.Signers) != 2 || x.Signers[0].Name != "Mair Evans" || x.Signers[1].Name != "Owain Rees" || x.By != "Owain Rees" {
		t.Errorf("it reads %+v", x)
	}
	if done, err := h.approvalsHold(); done != 1 || err != nil {
		t.Errorf("%d approvals hold, %v", done, err)
	}
	var said []string
	page := must(h.nodes["cli"].Ledger(t.Context(), h.as("cli", h.mair).Auth, vc.LedgerRequest{Limit: 200}))
	for _, e := range page.Entries {
		if e.Kind == "approval" && strings.Contains(e.Reason, fmt.Sprintf("%x", d[:])) {
			said = append(said, e.Reason)
		}
		if strings.Contains(e.Reason, newcomer.Name) {
			t.Errorf("an entry names somebody: %q", e.Reason)
		}
	}
	slices.Reverse(said)
	digest := fmt.Sprintf(", digest %x", d[:])
	want := []string{"user: proposed" + digest, "user: signed by who proposed it" + digest, "user: approved" + digest}
	if !slices.Equal(said, want) {
		t.Errorf("entered %q, want %q", said, want)
	}
}

// What is approved is what was shown; and whoever may not, or no longer, approves nothing.
func TestWhoApprovesNothing(t *testing.T) {
	h := newTwo(t)
	org := h.organisation("Milfeddygon Tŷ Gwyn")
	owain, gethin := h.made("Owain Rees", policy.Administrator), h.made("Gethin Pryce", policy.RecordsOfficer)
	tied := h.made("Nia Bowen", policy.Administrator, org)
	h.insist()
	ready := func(by id.User) (id.Approval, vault.Digest) {
		n := must(h.propose(by, vc.ApproveUser, newcomer))
		d := h.seen(by, n).Digest
		if err := h.sign(by, n, d); err != nil {
			t.Fatal(err)
		}
		return n, d
	}
	refuses := func(what string, err error, want vc.Code) {
		t.Helper()
		if code(err) != want {
			t.Errorf("%s: %v", what, err)
		}
		if h.user(newcomer.Name).ID != (id.User{}) {
			t.Fatalf("%s: it took effect", what)
		}
	}
	n, d := ready(h.mair)
	_, other := ready(h.mair)
	refuses("signed with the digest of another proposal", h.sign(owain, n, other), vc.Refused)
	refuses("a records officer", h.sign(gethin, n, d), vc.Refused)
	refuses("an administrator of one organisation", h.sign(tied, n, d), vc.Refused)
	refuses("on a node", h.v.SignApproval(t.Context(), h.as("web", owain), n, d, nil), vc.Unauthenticated)
	refuses("declined by who proposed it", h.v.DeclineApproval(t.Context(), h.as("origin", h.mair), n), vc.Refused)
	refuses("withdrawn by somebody else", h.v.WithdrawApproval(t.Context(), h.as("origin", owain), n), vc.Refused)
	if _, err := h.v.ApprovalViewOf(t.Context(), h.as("origin", gethin), n); code(err) != vc.NotFound {
		t.Errorf("a records officer reads it: %v", err)
	}
	if _, err := h.propose(gethin, vc.ApproveUser, newcomer); code(err) != vc.Refused {
		t.Errorf("a records officer proposed: %v", err)
	}
	for what, in := range map[string]vc.Proposal{
		"an unknown kind":   {Kind: "everything", Body: json.RawMessage(`{}`)},
		"an unknown member": {Kind: vc.ApproveUser, Body: json.RawMessage(`{"name":"X","role":"administrator","also":1}`)},
		"no JSON":           {Kind: vc.ApproveUser, Body: json.RawMessage(`"`)},
		"an unknown role":   {Kind: vc.ApproveUser, Body: json.RawMessage(`{"name":"X","role":"queen"}`)},
	} {
		if _, err := h.v.Propose(t.Context(), h.as("cli", h.mair), in); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := h.v.DeclineApproval(t.Context(), h.as("origin", owain), n); err != nil {
		t.Fatal(err)
	}
	refuses("declined", h.sign(owain, n, d), vc.Conflict)

	n, d = ready(h.mair)
	if err := h.v.WithdrawApproval(t.Context(), h.as("cli", h.mair), n); err != nil {
		t.Fatal(err)
	}
	refuses("withdrawn", h.sign(owain, n, d), vc.Conflict)

	n, d = ready(h.mair)
	h.pass(7*24*time.Hour + time.Minute)
	refuses("a week later", h.sign(owain, n, d), vc.Conflict)
	if err := h.v.SettleApprovals(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x := h.seen(h.mair, n); x.State != vc.Expired {
		t.Errorf("a week later it is %s", x.State)
	}

	n, d = ready(owain)
	if err := h.v.EndUser(t.Context(), h.as("cli", h.mair), owain); err != nil {
		t.Fatal(err)
	}
	refuses("its proposer's access has ended", h.sign(h.mair, n, d), vc.Refused)
}

// Where a single administrator decides, a proposal takes effect once the delay is over, unless somebody turns it down; and
// no longer once that has ended.
func TestSingleAdministrator(t *testing.T) {
	h := newTwo(t)
	owain := h.made("Owain Rees", policy.Administrator)
	if err := h.v.SingleAdministrator(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	settle := func() {
		t.Helper()
		if err := h.v.SettleApprovals(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	proposed := func(name string) id.Approval {
		u := newcomer
		u.Name = name
		n := must(h.propose(h.mair, vc.ApproveUser, u))
		if err := h.sign(h.mair, n, h.seen(h.mair, n).Digest); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := h.v.CreateUsers(t.Context(), h.as("cli", h.mair), []vc.NewUser{newcomer}); code(err) != vc.NeedsApproval {
		t.Errorf("without delay: %v", err)
	}
	unsigned := must(h.propose(h.mair, vc.ApproveUser, newcomer))
	turned := proposed("Turned down")
	if err := h.v.DeclineApproval(t.Context(), h.as("origin", owain), turned); err != nil {
		t.Fatal(err)
	}
	proposed("Rhian Puw")
	h.pass(23 * time.Hour)
	settle()
	if h.user("Rhian Puw").ID != (id.User{}) {
		t.Error("it took effect before the delay was over")
	}
	h.stop()
	h.start()
	h.pass(2 * time.Hour)
	settle()
	if h.user("Rhian Puw").ID == (id.User{}) {
		t.Error("it did not take effect after the delay")
	}
	if h.user("Turned down").ID != (id.User{}) || h.user(newcomer.Name).ID != (id.User{}) {
		t.Error("what was declined or never signed took effect")
	}
	if x := h.seen(h.mair, unsigned); x.State != vc.Waiting {
		t.Errorf("what was never signed is %s", x.State)
	}
	proposed("Too late")
	h.insist()
	h.pass(48 * time.Hour)
	settle()
	if h.user("Too late").ID != (id.User{}) {
		t.Error("it took effect after it was ended that a single administrator decides")
	}
	if _, ok := h.v.Single(); ok {
		t.Error("a single administrator still decides")
	}
}

// An installation begins with one person, who makes the second alone; from then on it takes both.
func TestTheSecondPerson(t *testing.T) {
	h := newTwo(t)
	h.insist()
	make := func(role policy.Role) error {
		_, err := h.v.CreateUsers(t.Context(), h.as("cli", h.mair), []vc.NewUser{{Name: "A " + string(role), Role: role}})
		return err
	}
	if err := make(policy.RecordsOfficer); code(err) != vc.NeedsApproval {
		t.Errorf("a records officer: %v", err)
	}
	two := []vc.NewUser{{Name: "One", Role: policy.Administrator}, {Name: "Other", Role: policy.Administrator}}
	if _, err := h.v.CreateUsers(t.Context(), h.as("cli", h.mair), two); code(err) != vc.NeedsApproval {
		t.Errorf("two at once: %v", err)
	}
	if err := make(policy.Administrator); err != nil {
		t.Errorf("the second person: %v", err)
	}
	if err := make(policy.Coordinator); code(err) != vc.NeedsApproval {
		t.Errorf("a third: %v", err)
	}
	if err := make(policy.Operator); err != nil {
		t.Errorf("an operator, who sees nothing personal: %v", err)
	}
}

// Whatever people do in whatever order: something takes effect exactly when two different people who may have signed it.
func TestApprovalsInAnyOrder(t *testing.T) {
	h := newTwo(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		if err := h.v.SingleAdministrator(t.Context(), 0); err != nil {
			rt.Fatal(err)
		}
		type who struct {
			id    id.User
			may   bool
			ended bool
		}
		var people []*who
		for i, role := range []policy.Role{policy.Coordinator, policy.Administrator, policy.RecordsOfficer, policy.Administrator} {
			people = append(people, &who{id: h.made(fmt.Sprintf("%d of round %d", i, round), role), may: role != policy.RecordsOfficer})
		}
		h.insist()
		type made struct {
			n       id.Approval
			d       vault.Digest
			by      *who
			name    string
			signed  bool
			over    bool // settled, one way or the other
			done    bool
			expires time.Time
		}
		var all []*made
		someone := func() *who { return rapid.SampledFrom(people).Draw(rt, "who") }
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			var one *made
			if len(all) > 0 {
				one = rapid.SampledFrom(all).Draw(rt, "which")
			}
			by := someone()
			waits := one != nil && !one.over && h.clock().Before(one.expires)
			switch step := rapid.SampledFrom([]string{"propose", "sign", "sign", "sign", "sign", "other", "decline", "withdraw", "expire", "end"}).Draw(rt, "step"); {
			case step == "propose":
				m := &made{by: by, name: fmt.Sprintf("New %d of round %d", len(all), round)}
				var err error
				m.n, err = h.propose(by.id, vc.ApproveUser, vc.NewUser{Name: m.name, Role: policy.Coordinator})
				if ok := by.may && !by.ended; (err == nil) != ok {
					rt.Fatalf("proposed: %v, want %v", err, ok)
				}
				if err == nil {
					x := h.seen(by.id, m.n)
					m.d, m.expires = x.Digest, x.Expires
					all = append(all, m)
				}
			case one == nil:
			case step == "sign":
				err := h.sign(by.id, one.n, one.d)
				own := by == one.by
				ok := waits && by.may && !by.ended && !one.by.ended && own != one.signed
				if (err == nil) != ok {
					rt.Fatalf("signed: %v, want %v (%+v by %+v)", err, ok, one, by)
				}
				if ok && own {
					one.signed = true
				} else if ok {
					one.over, one.done = true, true
				}
			case step == "other":
				d := one.d
				d[0] ^= 1
				if err := h.sign(by.id, one.n, d); err == nil {
					rt.Fatal("signed with another digest")
				}
			case step == "decline":
				err := h.v.DeclineApproval(t.Context(), h.as("origin", by.id), one.n)
				if ok := waits && by.may && !by.ended && by != one.by; (err == nil) != ok {
					rt.Fatalf("declined: %v, want %v", err, ok)
				}
				one.over = one.over || err == nil
			case step == "withdraw":
				err := h.v.WithdrawApproval(t.Context(), h.as("origin", by.id), one.n)
				if ok := waits && !by.ended && by == one.by; (err == nil) != ok {
					rt.Fatalf("withdrawn: %v, want %v", err, ok)
				}
				one.over = one.over || err == nil
			case step == "expire":
				h.pass(time.Duration(rapid.IntRange(1, 5).Draw(rt, "days")) * 24 * time.Hour)
				if err := h.v.SettleApprovals(t.Context()); err != nil {
					rt.Fatal(err)
				}
			case step == "end" && !by.ended:
				if err := h.v.EndUser(t.Context(), h.as("cli", h.mair), by.id); err != nil {
					rt.Fatal(err)
				}
				by.ended = true
			}
			for _, m := range all {
				if there := h.user(m.name).ID != (id.User{}); there != m.done {
					rt.Fatalf("%s is there: %v, want %v", m.name, there, m.done)
				}
			}
		}
	})
}

// agree has two people agree on a proposal.
func (h *two) agree(by, other id.User, kind vc.ApprovalKind, body any) id.Approval {
	h.t.Helper()
	n := must(h.propose(by, kind, body))
	d := h.seen(by, n).Digest
	for _, u := range []id.User{by, other} {
		if err := h.sign(u, n, d); err != nil {
			h.t.Fatalf("%s: %v", kind, err)
		}
	}
	return n
}

// Each kind of proposal does what it says, once two people agreed, and not before.
func TestWhatProposalsDo(t *testing.T) {
	h := newTwo(t)
	org := h.organisation("Milfeddygon Tŷ Gwyn")
	owain, nia := h.made("Owain Rees", policy.Administrator), h.made("Nia Bowen", policy.Supervisor, org)
	h.insist()

	t.Run("thaw", func(t *testing.T) {
		scope := vc.UserScope(nia)
		if _, err := h.propose(h.mair, vc.ApproveThaw, vc.Thaw{Scope: scope}); code(err) != vc.Conflict {
			t.Errorf("what is not frozen: %v", err)
		}
		if err := h.v.Freeze(t.Context(), h.as("cli", owain), vc.FreezeRequest{Scope: scope, Reason: "lost laptop"}); err != nil {
			t.Fatal(err)
		}
		h.agree(h.mair, owain, vc.ApproveThaw, vc.Thaw{Scope: scope})
		if left := must(h.v.Frozen(t.Context(), h.as("cli", owain))); len(left) != 0 {
			t.Errorf("still frozen: %v", left)
		}
		// Everything frozen stops other proposals, but not its own thaw.
		n := must(h.propose(h.mair, vc.ApproveUser, newcomer))
		if err := h.v.Freeze(t.Context(), h.as("cli", owain), vc.FreezeRequest{Scope: vc.Everything, Reason: "looking into it"}); err != nil {
			t.Fatal(err)
		}
		if err := h.sign(h.mair, n, h.seen(h.mair, n).Digest); err == nil {
			t.Error("signed while everything is frozen")
		}
		h.agree(owain, h.mair, vc.ApproveThaw, vc.Thaw{Scope: vc.Everything})
	})
	t.Run("budget", func(t *testing.T) {
		who := vc.Recipient("user:" + nia.String())
		h.agree(h.mair, owain, vc.ApproveBudget, vc.NewBudget{Who: who, Limits: map[string]int{"identity": 77_777}})
		limit := 0
		for _, line := range must(h.v.Budgets(t.Context(), h.as("web", nia))).Lines {
			if line.Class == "identity" {
				limit = line.Limit
			}
		}
		if limit != 77_777 {
			t.Errorf("the budget is %d", limit)
		}
	})
	t.Run("change", func(t *testing.T) {
		rhys := func() vc.User { return h.user("Rhys Prosser") }
		h.agree(h.mair, owain, vc.ApproveUser, vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator, Organisations: []id.Organisation{org}, Until: 30000})
		for what, to := range map[string]vc.NewUser{
			"the whole service": {Name: "Rhys Prosser", Role: policy.Coordinator, Until: 30000},
			"a longer contract": {Name: "Rhys Prosser", Role: policy.Coordinator, Organisations: []id.Organisation{org}},
			"another role":      {Name: "Rhys Prosser", Role: policy.Administrator, Organisations: []id.Organisation{org}, Until: 30000},
		} {
			if err := h.v.ChangeUser(t.Context(), h.as("cli", owain), rhys().ID, to); code(err) != vc.NeedsApproval {
				t.Errorf("%s: %v", what, err)
			}
		}
		whole := vc.UserChange{User: rhys().ID, NewUser: vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator}}
		h.agree(h.mair, owain, vc.ApproveUser, whole)
		if u := rhys(); len(u.Organisations) != 0 || !u.Until.IsZero() {
			t.Errorf("it was not changed: %+v", u)
		}
		// Nobody takes part in a change of what they may.
		n := must(h.propose(owain, vc.ApproveUser, vc.UserChange{User: h.mair, NewUser: vc.NewUser{Name: "Mair Evans", Role: policy.Administrator}}))
		d := h.seen(owain, n).Digest
		if err := h.sign(owain, n, d); err != nil {
			t.Fatal(err)
		}
		if err := h.sign(h.mair, n, d); code(err) != vc.Refused {
			t.Errorf("approved by whom it changes: %v", err)
		}
		if err := h.v.ChangeUser(t.Context(), h.as("cli", owain), rhys().ID, vc.NewUser{Name: "Rhys Prosser", Role: policy.Operator}); err != nil {
			t.Errorf("a narrower role: %v", err)
		}
	})
	t.Run("recovery", func(t *testing.T) {
		n := h.agree(h.mair, owain, vc.ApproveRecovery, vc.Recovery{User: nia})
		if _, err := h.v.RecoveryLink(t.Context(), h.as("origin", owain), n); code(err) != vc.NotFound {
			t.Errorf("the link was made by who approved: %v", err)
		}
		link := must(h.v.RecoveryLink(t.Context(), h.as("origin", h.mair), n))
		if u, _, err := h.v.BeginEnrolment(link); err != nil || u.ID != nia {
			t.Errorf("the link is for %v, %v", u.ID, err)
		}
		if _, err := h.v.RecoveryLink(t.Context(), h.as("origin", h.mair), n); code(err) != vc.Conflict {
			t.Errorf("the link was made twice: %v", err)
		}
		late := h.agree(h.mair, owain, vc.ApproveRecovery, vc.Recovery{User: nia})
		h.pass(25 * time.Hour)
		if _, err := h.v.RecoveryLink(t.Context(), h.as("origin", h.mair), late); code(err) != vc.Conflict {
			t.Errorf("the link was made a day later: %v", err)
		}
	})
}

// A standing grant is the node's to use, for its purpose, on the wearers that it names and no more than its number; it is kept
// over a restart, and one person ends it.
func TestStandingGrant(t *testing.T) {
	h := newTwo(t)
	org := h.organisation("Milfeddygon Tŷ Gwyn")
	ws := h.join(org, "Jones, Siân, A1", "Prys-Davies, Llŷr, A2", "O’Brien, Tomos, A3")
	owain := h.made("Owain Rees", policy.Administrator)
	h.insist()
	give := func(g vc.NewGrant) vc.Auth {
		t.Helper()
		g.Name, g.Work, g.Node, g.Ends = "Each night", vc.Evaluation, "worker", h.clock().AddDate(0, 6, 0)
		before := must(h.nodes["worker"].StandingGrants(t.Context()))
		h.agree(h.mair, owain, vc.ApproveGrant, g)
		for _, one := range must(h.nodes["worker"].StandingGrants(t.Context())) {
			if !slices.Contains(before, one) {
				return vc.Auth{Grant: one.ID}
			}
		}
		t.Fatal("no grant was given")
		return vc.Auth{}
	}
	look := func(node string, a vc.Auth, who ...id.Wearer) error {
		_, err := h.nodes[node].Linked(t.Context(), a, policy.AssessDose, who)
		return err
	}
	named := give(vc.NewGrant{Organisations: []id.Organisation{org}, Wearers: ws[:1], MaxWearers: 1})
	if err := look("worker", named, ws[0]); err != nil {
		t.Error(err)
	}
	if err := look("worker", named, ws[1]); code(err) != vc.Refused {
		t.Errorf("a wearer whom it does not name: %v", err)
	}
	counted := give(vc.NewGrant{MaxWearers: 2})
	if err := look("worker", counted, ws[:2]...); err != nil {
		t.Error(err)
	}
	h.stop()
	h.start()
	if err := look("worker", counted, ws[2]); code(err) != vc.Refused {
		t.Errorf("a third person after a restart: %v", err)
	}
	if err := look("web", counted, ws[0]); code(err) != vc.Unauthenticated {
		t.Errorf("on another node: %v", err)
	}
	if _, err := h.nodes["worker"].Reveal(t.Context(), counted, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: ws[:1]}); code(err) != vc.Refused {
		t.Errorf("a field that it is not for: %v", err)
	}
	if all := must(h.nodes["web"].StandingGrants(t.Context())); len(all) != 0 {
		t.Errorf("another node is told of %v", all)
	}
	if err := h.v.EndGrant(t.Context(), h.as("cli", owain), counted.Grant); err != nil {
		t.Fatal(err)
	}
	if err := look("worker", counted, ws[0]); code(err) != vc.Unauthenticated {
		t.Errorf("ended: %v", err)
	}
	list := must(h.v.Grants(t.Context(), h.as("cli", owain)))
	if len(list) != 2 || list[0].Kind != "standing" || list[0].Ended.IsZero() == list[1].Ended.IsZero() {
		t.Errorf("the list has %+v", list)
	}
	for what, g := range map[string]vc.NewGrant{
		"too long":         {Name: "X", Work: vc.Evaluation, Node: "worker", MaxWearers: 1, Ends: h.clock().AddDate(2, 0, 0)},
		"the command line": {Name: "X", Work: vc.Evaluation, Node: "cli", MaxWearers: 1, Ends: h.clock().Add(time.Hour)},
		"another node":     {Name: "X", Work: vc.Evaluation, Node: "web", MaxWearers: 1, Ends: h.clock().Add(time.Hour)},
		"more than it may": {Name: "X", Work: vc.Evaluation, Node: "worker", MaxWearers: 1, Wearers: ws, Ends: h.clock().Add(time.Hour)},
	} {
		if _, err := h.propose(h.mair, vc.ApproveGrant, g); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}
