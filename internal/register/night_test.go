package register_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// A night's run opens what is due by a level that was set after the results came in: with a standing grant, once, by whichever
// worker gets there first, and again after a stop. Without a grant, or when it was ended, it does nothing.
func TestNight(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	b := h.badge(h.org, w, time.January)
	h.dispatch(b)
	h.imported(file(line{Dispatched: b, deep: "0.90"}))
	open := func() []register.Investigation {
		t.Helper()
		vs, err := h.web.Investigations(t.Context(), h.auth, h.org)
		h.ok(err)
		return vs
	}
	h.ok(h.web.SetSettings(t.Context(), h.auth, h.org, register.Settings{Accounts: []string{"700123"}, Levels: []dose.Level{{Kind: dose.Effective, Dose: 500, Name: "local level"}}}))
	night := func(s *register.Service) (ran int) {
		t.Helper()
		h.ok(s.StartNight(t.Context()))
		for {
			im, err := s.Claim(t.Context(), register.Confirmed, register.Importing)
			if err != nil {
				return ran
			}
			h.ok(s.WorkOn(t.Context(), im))
			ran++
		}
	}
	if night(h.worker) != 0 || len(open()) != 0 {
		t.Fatal("it ran without a grant")
	}
	body, err := json.Marshal(vc.NewGrant{Name: "Each night", Work: vc.Evaluation, Node: "worker", MaxWearers: 10, Ends: time.Now().AddDate(0, 1, 0)})
	h.ok(err)
	by := vault.Caller{Node: "web", Auth: h.auth}
	_, err = h.v.Propose(t.Context(), by, vc.Proposal{Kind: vc.ApproveGrant, Body: body}) // one person decides in these tests
	h.ok(err)
	if night(h.web) != 0 {
		t.Fatal("it ran on a node that has no grant")
	}
	// Stopped in the middle: it is begun again.
	h.ok(h.worker.StartNight(t.Context()))
	_, err = h.worker.Claim(t.Context(), register.Confirmed, register.Importing)
	h.ok(err)
	h.ok(h.worker.Reconcile(t.Context()))
	if n := night(h.worker); n != 1 {
		t.Fatalf("it ran %d times", n)
	}
	vs := open()
	if len(vs) != 1 || vs[0].Wearer != w || vs[0].Name != "local level" || vs[0].Dose != 900 {
		t.Fatalf("it opened %+v", vs)
	}
	if night(h.worker) != 0 || len(open()) != 1 {
		t.Error("it ran twice in a night")
	}
	list, _, err := h.store.Imports(t.Context(), 0, 10)
	h.ok(err)
	for _, im := range list {
		if im.Kind == register.KindEvaluation {
			t.Error("a night's run is listed as a file")
		}
	}
	grants, err := h.v.StandingGrants(t.Context(), vault.Caller{Node: "worker"})
	h.ok(err)
	h.ok(h.v.EndGrant(t.Context(), by, grants[0].ID))
	h.ok(h.worker.StartNight(t.Context()))
	if left, err := h.v.StandingGrants(t.Context(), vault.Caller{Node: "worker"}); err != nil || len(left) != 0 {
		t.Errorf("after it was ended there are %v, %v", left, err)
	}
}
