package vault_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/store/sqlite"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// newClock is a clock at the beginning of an hour.
func newClock() *clock { return clockAt(time.Now().Truncate(time.Hour)) }

func (c *clock) pass(d time.Duration) { c.set(c.now().Add(d)) }

// crowd takes on n wearers.
func (h *house) crowd(org id.Organisation, n int) []id.Wearer {
	h.t.Helper()
	people := make([]string, n)
	for i := range people {
		people[i] = fmt.Sprintf("Synthetic%c%c, Person, S%d", 'a'+i%26, 'a'+i/26%26, i)
	}
	return h.join(org, people...)
}

// budget lowers what the co-ordinators may read.
func (h *house) budget(who string, l map[string]int) {
	h.t.Helper()
	if err := h.nodes["cli"].SetBudget(h.t.Context(), h.root, vc.NewBudget{Who: vc.Recipient(who), Limits: l}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) names(auth vc.Auth, ws ...id.Wearer) error {
	_, err := h.nodes["web"].Reveal(h.t.Context(), auth, vc.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: ws})
	return err
}

func line(b vc.Budgets, class string) (out vc.BudgetLine) {
	for _, l := range b.Lines {
		if l.Class == class {
			return l
		}
	}
	return out
}

// entries of a kind in an organisation's ledger, or the installation's.
func (h *house) entries(org id.Organisation, kind string) (out []vc.Entry) {
	h.t.Helper()
	h.stays()
	for _, e := range must(h.nodes["cli"].Ledger(h.t.Context(), h.root, vc.LedgerRequest{Organisation: org, Limit: 1000})).Entries {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func TestABudgetIsOfDifferentWearersInADay(t *testing.T) {
	c := newClock()
	h := newHouseAt(t, c.now)
	org := h.organisation("Bwrdd Iechyd Glyndŵr")
	ws := h.crowd(org, 12)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	h.budget("role:supervisor", map[string]int{"identity": 10})

	for range 3 { // again and again counts once
		if err := h.names(auth, ws[:6]...); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(3 * time.Hour)
	auth = h.again("Rhys Prosser")
	if err := h.names(auth, ws[4:10]...); err != nil {
		t.Fatal(err)
	}
	err := h.names(auth, ws[9], ws[10])
	if e := (*vc.Error)(nil); !errors.As(err, &e) || e.Code != vc.OverBudget || !e.Glass || !e.Again.Equal(c.now().Add(22*time.Hour)) || !strings.Contains(e.Message, "10 names in 24 hours") {
		t.Fatalf("the eleventh: %#v", err)
	}
	if err := h.names(auth, ws[:10]...); err != nil {
		t.Errorf("the ten that were read: %v", err)
	}
	// It is kept by the ledger alone, so a restart changes nothing.
	h.stop()
	h.start()
	if err := h.names(auth, ws[11]); code(err) != vc.OverBudget {
		t.Errorf("the eleventh after a restart: %v", err)
	}
	if l := line(must(h.nodes["web"].Budgets(t.Context(), auth)), "identity"); l.Used != 10 || l.Limit != 10 {
		t.Errorf("left: %+v", l)
	}
	if got := h.entries(org, "refuse"); len(got) != 2 || got[0].Rule != "over-budget" {
		t.Errorf("refusals in the ledger: %+v", got)
	}
	if got := slices.DeleteFunc(h.entries(id.Organisation{}, "alarm"), func(e vc.Entry) bool { return e.Rule == "single-mode-changed" }); len(got) != 2 || got[0].Rule != "over-budget" || len(got[0].Wearers) != 0 {
		t.Errorf("alarms: %+v", got)
	}
	// All ten were read again just before.
	c.pass(25 * time.Hour)
	auth = h.again("Rhys Prosser")
	if err := h.names(auth, ws[10:]...); err != nil {
		t.Errorf("a day later: %v", err)
	}
	if l := line(must(h.nodes["web"].Budgets(t.Context(), auth)), "identity"); l.Used != 2 {
		t.Errorf("a day later: %+v", l)
	}
}

// stays signs the co-ordinator in anew, should their session be over.
func (h *house) stays() {
	h.t.Helper()
	if _, err := h.nodes["cli"].Whoami(h.t.Context(), h.root); code(err) == vc.Unauthenticated {
		h.root = vc.Auth{Session: must(h.nodes["cli"].RedeemLink(h.t.Context(), must(h.v.LinkAtStart(h.t.Context(), "Mair Evans")))).Token}
	}
}

// again signs a user in anew on the node web.
func (h *house) again(name string) vc.Auth {
	h.t.Helper()
	h.stays()
	return vc.Auth{Session: must(h.nodes["web"].RedeemCode(h.t.Context(), h.v.NewCode(h.users[name], "web"))).Token}
}

func TestManyConnectionsDoNotOutspendABudget(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.crowd(org, 200)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	h.budget("user:"+h.users["Rhys Prosser"].String(), map[string]int{"identity": 50})
	var group sync.WaitGroup
	var got atomic.Int64
	for i := range 64 {
		group.Go(func() {
			for k := range 9 {
				at := (i*3 + k*17) % (len(ws) - 3)
				if err := h.names(auth, ws[at:at+3]...); err == nil {
					got.Add(1)
				} else if code(err) != vc.OverBudget {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	x := must(h.nodes["cli"].Exposures(t.Context(), h.root, vc.ExposureRequest{Recipient: vc.Recipient("user:" + h.users["Rhys Prosser"].String()), From: time.Unix(0, 0), To: time.Now().Add(time.Hour), List: true}))
	if x.Wearers > 50 || x.Wearers < 48 || got.Load() == 0 {
		t.Errorf("%d wearers were read within a budget of 50, in %d answers", x.Wearers, got.Load())
	}
}

func TestGuessesThatMissCost(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1, AB123456C", "Evans, Gwen, A2")
	auth := h.signIn("web", vc.NewUser{Name: "R", Role: policy.RecordsOfficer})
	other := h.signIn("web", vc.NewUser{Name: "C", Role: policy.Coordinator})
	h.budget("role:records-officer", map[string]int{"guesses": 2, "ni": 1})
	h.budget("role:co-ordinator", map[string]int{"guesses": 3})
	web := h.nodes["web"]
	ni := func(n string) error {
		_, err := web.FindNI(t.Context(), auth, policy.KeepRecords, person.NewValue(n))
		return err
	}
	for range 3 {
		if err := ni("AB123456C"); err != nil {
			t.Fatalf("a hit: %v", err)
		}
	}
	for _, n := range []string{"AB123457C", "AB123458C"} {
		if err := ni(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := ni("AB123459C"); code(err) != vc.OverBudget {
		t.Errorf("a third miss: %v", err)
	}
	// Search, staff numbers and labels: each thing that is not so is one.
	if _, err := web.Search(t.Context(), other, vc.SearchRequest{Purpose: policy.KeepRecords, Query: person.NewValue("zzz"), Limit: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := web.FindStaff(t.Context(), other, policy.KeepRecords, []vc.StaffKey{{Organisation: org, StaffNumber: person.NewValue("A1")}, {Organisation: org, StaffNumber: person.NewValue("A9")}}); err != nil {
		t.Fatal(err)
	}
	verdicts, err := web.Compare(t.Context(), other, policy.KeepRecords, []vc.Comparison{{Wearer: ws[0], Name: person.NewValue("JONES, SIAN")}, {Wearer: ws[1], Name: person.NewValue("REES, IFAN")}})
	if err != nil || verdicts[0] != vc.Same || verdicts[1] != vc.Different {
		t.Fatal(verdicts, err)
	}
	if _, err := web.Search(t.Context(), other, vc.SearchRequest{Purpose: policy.KeepRecords, Query: person.NewValue("zzz"), Limit: 5}); code(err) != vc.OverBudget {
		t.Errorf("a fourth miss: %v", err)
	}
	h.stop()
	h.start()
	if _, err := h.nodes["web"].Search(t.Context(), other, vc.SearchRequest{Purpose: policy.KeepRecords, Query: person.NewValue("zzz"), Limit: 5}); code(err) != vc.OverBudget {
		t.Errorf("a fourth miss after a restart: %v", err)
	}
	if l := line(must(h.nodes["web"].Budgets(t.Context(), other)), "guesses"); l.Used != 3 {
		t.Errorf("guesses: %+v", l)
	}
}

func TestBreakingTheGlassIsBounded(t *testing.T) {
	c := newClock()
	h := newHouseAt(t, c.now)
	org := h.organisation("A")
	ws := h.crowd(org, 12)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	h.budget("role:supervisor", map[string]int{"identity": 5})
	web := h.nodes["web"]
	if err := h.names(auth, ws[:5]...); err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{"", "  too few  "} {
		if _, err := web.BreakGlass(t.Context(), auth, reason); code(err) != vc.Invalid {
			t.Errorf("reason %q: %v", reason, err)
		}
	}
	b, err := web.BreakGlass(t.Context(), auth, "a leaking source in theatre 4")
	if err != nil || line(b, "identity").Limit != 10 || !b.Broken.Equal(c.now().Add(time.Hour)) || b.MayBreak {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := web.BreakGlass(t.Context(), auth, "a leaking source in theatre 4"); code(err) != vc.Conflict {
		t.Errorf("twice: %v", err)
	}
	h.stop()
	h.start()
	web = h.nodes["web"]
	if err := h.names(auth, ws[:10]...); err != nil {
		t.Errorf("as much again, after a restart: %v", err)
	}
	if err := h.names(auth, ws[10]); code(err) != vc.OverBudget {
		t.Errorf("more than as much again: %v", err)
	}
	c.pass(time.Hour)
	auth = h.again("Rhys Prosser")
	if err := h.names(auth, ws[10]); code(err) != vc.OverBudget {
		t.Errorf("after the hour: %v", err)
	}
	if _, err := web.BreakGlass(t.Context(), auth, "a leaking source in theatre 5"); code(err) != vc.Conflict {
		t.Errorf("again within the day: %v", err)
	}
	if got := h.entries(org, "budget"); len(got) != 1 || got[0].Reason != "a leaking source in theatre 4" || got[0].Actor != "Rhys Prosser" {
		t.Errorf("in the ledger: %+v", got)
	}
	if got := h.entries(org, "alarm"); len(got) != 1 || got[0].Rule != "break-glass" {
		t.Errorf("alarms: %+v", got)
	}
	// Who has no work that stops can't.
	own := h.signIn("web", vc.NewUser{Name: "W", Role: policy.Wearer, Wearers: ws[:1]})
	if _, err := web.BreakGlass(t.Context(), own, "a leaking source in theatre 6"); code(err) != vc.Refused {
		t.Errorf("a wearer: %v", err)
	}
}

func TestRaisingABudgetTakesTwoPeople(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.crowd(org, 3)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	who := vc.Recipient("user:" + h.users["Rhys Prosser"].String())
	set := func(l map[string]int) error {
		return h.nodes["cli"].SetBudget(t.Context(), h.root, vc.NewBudget{Who: who, Limits: l})
	}
	for what, l := range map[string]map[string]int{"above the default": {"identity": 20_001}, "another class above": {"identity": 1, "dose": 20_001}} {
		if err := set(l); code(err) != vc.NeedsApproval {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := set(map[string]int{"identity": 2, "contact": 5}); err != nil {
		t.Fatal(err)
	}
	for what, l := range map[string]map[string]int{"above what was set": {"identity": 3, "contact": 5}, "what was set left out": {"identity": 2}, "an unknown class": {"identities": 1}, "nothing": {}} {
		if err := set(l); code(err) != vc.NeedsApproval && code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.stop()
	h.start()
	if err := h.names(auth, ws...); code(err) != vc.OverBudget {
		t.Errorf("three of two after a restart: %v", err)
	}
	sup := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	if err := h.nodes["web"].SetBudget(t.Context(), sup, vc.NewBudget{Who: who, Limits: map[string]int{"identity": 1}}); code(err) != vc.Refused {
		t.Errorf("a supervisor: %v", err)
	}
	found := false
	for _, b := range must(h.nodes["cli"].AllBudgets(t.Context(), h.root)) {
		found = found || b.Who == who && line(b, "identity").Limit == 2
	}
	if !found {
		t.Error("the list of budgets does not have it")
	}
}

// A row of a budget that was written into the database, or put in another's place, keeps the vault from starting.
func TestABudgetInTheDatabaseIsSealed(t *testing.T) {
	h := newHouse(t)
	h.budget("role:supervisor", map[string]int{"identity": 5})
	h.budget("role:co-ordinator", map[string]int{"identity": 6})
	h.stop()
	db := must(sqlite.OpenVault(t.Context(), filepath.Join(h.dir, "vault.db")))
	var rows []vault.Put
	if err := db.Rows(t.Context(), vault.TableBudget, func(n, sealed []byte) error {
		rows = append(rows, vault.Put{Table: vault.TableBudget, ID: n, Sealed: sealed})
		return nil
	}); err != nil || len(rows) != 2 {
		t.Fatal(len(rows), err)
	}
	rows[0].ID, rows[1].ID = rows[1].ID, rows[0].ID
	if err := errors.Join(db.Commit(t.Context(), &vault.Batch{Puts: rows}), db.Close()); err != nil {
		t.Fatal(err)
	}
	db = must(sqlite.OpenVault(t.Context(), filepath.Join(h.dir, "vault.db")))
	defer db.Close()
	if _, err := vault.Open(t.Context(), vault.Config{Store: db, Keys: h.keys, Now: time.Now, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "table budget") {
		t.Errorf("with two budgets swapped: %v", err)
	}
}

// An entry whose opening is gone counts for everybody who may have made it.
func TestAnErasedOpeningCounts(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.crowd(org, 6)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	h.budget("role:co-ordinator", map[string]int{"identity": 6})
	if err := h.names(auth, ws[:5]...); err != nil {
		t.Fatal(err)
	}
	h.stop()
	db := must(sql.Open("sqlite", filepath.Join(h.dir, "vault.db")))
	_, err := db.ExecContext(t.Context(), "DELETE FROM opening WHERE (log, seq) IN (SELECT log, MAX(seq) FROM opening JOIN log ON log.id = opening.log WHERE name LIKE ?)", org.String()+"/%")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	h.start()
	if err := h.names(auth, ws[:2]...); code(err) != vc.OverBudget {
		t.Errorf("five of six are spent, by whom is not known: %v", err)
	}
	if err := h.names(auth, ws[0]); err != nil {
		t.Errorf("a sixth: %v", err)
	}
}
