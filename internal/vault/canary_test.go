package vault_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// plant invents canaries of an organisation and makes them real.
func (h *house) plant(org id.Organisation, n int) []id.Wearer {
	h.t.Helper()
	made := must(h.nodes["cli"].Invent(h.t.Context(), h.root, org, n, nil))
	im := id.New[id.Import]()
	var ws []id.Wearer
	for _, s := range must(h.nodes["cli"].Stage(h.t.Context(), h.root, im, made)) {
		ws = append(ws, s.Wearer)
	}
	if err := h.nodes["cli"].Confirm(h.t.Context(), h.root, im, nil); err != nil {
		h.t.Fatal(err)
	}
	return ws
}

// Somebody who opens a canary by accident signs in again and sees a record like any other; whoever opens another one is
// frozen before the answer, over a restart too.
func TestWhoOpensCanariesIsFrozen(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 5)
	birds := h.plant(org, 3)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	// A list of leavers holds them, and looking through it is no hit; nor is reading the list's names.
	left := must(h.nodes["web"].Search(t.Context(), auth, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Left: true, Limit: 100}))
	if left.Total != 3 {
		t.Fatalf("%d have left", left.Total)
	}
	if err := h.names(auth, append(slices.Clone(ours), birds...)...); err != nil {
		t.Fatal(err)
	}
	if err := h.names(auth, birds[0]); code(err) != vc.Unauthenticated {
		t.Fatalf("the first: %v", err)
	}
	if err := h.names(auth, ours[0]); code(err) != vc.Unauthenticated {
		t.Errorf("the session after it: %v", err)
	}
	h.stop()
	h.start()
	auth = h.again("Rhys Prosser")
	for range 2 {
		if err := h.names(auth, birds[0]); err != nil {
			t.Errorf("the same after signing in again: %v", err)
		}
	}
	rec := must(h.nodes["web"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.KeepRecords, Fields: policy.FieldName | policy.FieldStaffNumber | policy.FieldContact, Wearers: birds[:1]}))[0]
	if rec.Identity.Surname.IsZero() || rec.Identity.StaffNumber.IsZero() || rec.Current || rec.To == "" {
		t.Errorf("its record: %+v", rec)
	}
	if err := h.names(auth, birds[1]); code(err) != vc.IsFrozen {
		t.Errorf("another one: %v", err)
	}
	if err := h.names(auth, ours[0]); code(err) != vc.IsFrozen {
		t.Errorf("anybody after it: %v", err)
	}
	if got := h.entries(org, "alarm"); len(got) != 2 || got[0].Rule != "canary-opened" {
		t.Errorf("alarms: %+v", got)
	}
}

func TestAMachineIsFrozenAtTheFirstCanary(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 3)
	birds := h.plant(org, 1)
	auth, _ := h.machine("Reporting tool", "badges", 10, org)
	if err := h.names(auth, ours[0]); err != nil {
		t.Fatal(err)
	}
	if err := h.names(auth, birds[0]); code(err) != vc.IsFrozen {
		t.Errorf("a canary: %v", err)
	}
	if err := h.names(auth, ours[0]); code(err) != vc.IsFrozen {
		t.Errorf("after it: %v", err)
	}
}

// What opens a canary is decided by what is asked for and of how many, and by nothing that a caller says.
func TestWhatOpensACanary(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 10)
	birds := h.plant(org, 6)
	with := func(few int, birds ...id.Wearer) []id.Wearer { return append(slices.Clone(ours[:few]), birds...) }
	export := func(a vc.Auth) vc.Auth { a.Export = id.New[id.Export](); return a }
	n := 0
	for _, c := range []struct {
		what   string
		fields policy.Fields
		ws     []id.Wearer
		change func(vc.Auth) vc.Auth
		reason policy.Purpose
		want   vc.Code
	}{
		{what: "a name by itself", fields: policy.FieldName, ws: birds[:1], want: vc.Unauthenticated},
		{what: "names beside each other", fields: policy.FieldName | policy.FieldStaffNumber, ws: with(1, birds[0])},
		{what: "many names", fields: policy.FieldName, ws: with(10, birds...)},
		{what: "a contact in a batch of two", fields: policy.FieldContact, ws: with(1, birds[0]), want: vc.Unauthenticated},
		{what: "a contact in a large batch", fields: policy.FieldName | policy.FieldContact, ws: with(10, birds[0]), want: vc.Unauthenticated},
		{what: "a registration", fields: policy.FieldRegistration, ws: with(10, birds[0]), want: vc.Unauthenticated},
		{what: "under another purpose", fields: policy.FieldContact, ws: with(3, birds[0]), reason: policy.BreachNotice, want: vc.Unauthenticated},
		{what: "names into an export", fields: policy.FieldName, ws: with(10, birds[0]), change: export, want: vc.Unauthenticated},
		{what: "more of them at once than one clicks on by accident", fields: policy.FieldContact, ws: birds, want: vc.IsFrozen},
	} {
		n++
		auth := h.signIn("web", vc.NewUser{Name: fmt.Sprintf("C%d", n), Role: policy.Coordinator})
		if c.change != nil {
			auth = c.change(auth)
		}
		_, err := h.nodes["web"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: cmp.Or(c.reason, policy.KeepRecords), Fields: c.fields, Wearers: c.ws})
		if code(err) != c.want {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	// Doses are read a page of an employer at a time; those of a few people are their records.
	auth := h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	doses := func(ws ...id.Wearer) error {
		var items []vc.Item
		for _, w := range ws {
			items = append(items, vc.Item{Context: vc.Context{Table: "reading", Row: id.New[id.Row](), Version: 1, Class: policy.ClassDose, Organisation: org, Wearer: w, Year: 2020}, Value: []byte("x")})
		}
		sealed := must(h.nodes["cli"].Seal(t.Context(), h.root, policy.AssessDose, items))
		for i := range items {
			items[i].Value = sealed[i]
		}
		_, err := h.nodes["web"].Open(t.Context(), auth, vc.OpenRequest{Purpose: policy.AssessDose, Items: items})
		return err
	}
	if err := doses(with(5, birds[0])...); err != nil {
		t.Errorf("a page of doses: %v", err)
	}
	if err := doses(with(1, birds[0])...); code(err) != vc.Unauthenticated {
		t.Errorf("two doses: %v", err)
	}
}

// A first hit ends every session of who made it, and every code that no node has redeemed; it counts for a month.
func TestAFirstHitEndsEverySession(t *testing.T) {
	c := newClock()
	h := newHouseAt(t, c.now)
	org := h.organisation("A")
	ours := h.crowd(org, 3)
	birds := h.plant(org, 3)
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	other := h.again("Rhys Prosser")
	code1 := h.v.NewCode(h.users["Rhys Prosser"], "web")
	if err := h.names(auth, birds[0]); code(err) != vc.Unauthenticated {
		t.Fatalf("the first: %v", err)
	}
	if err := h.names(other, birds[0]); code(err) != vc.Unauthenticated {
		t.Errorf("another session of the same user: %v", err)
	}
	if _, err := h.nodes["web"].RedeemCode(t.Context(), code1); code(err) != vc.Unauthenticated {
		t.Errorf("a code from before: %v", err)
	}
	c.pass(29 * 24 * time.Hour)
	h.stop()
	h.start()
	auth = h.again("Rhys Prosser")
	if err := h.names(auth, birds[0]); err != nil {
		t.Errorf("the same one, four weeks and a restart later: %v", err)
	}
	c.pass(2 * 24 * time.Hour)
	auth = h.again("Rhys Prosser")
	if err := h.names(auth, birds[1]); code(err) != vc.Unauthenticated {
		t.Errorf("another one after a month is a first one again: %v", err)
	}
	auth = h.again("Rhys Prosser")
	if err := h.names(auth, ours[0]); err != nil {
		t.Error(err)
	}
	if err := h.names(auth, birds[2]); code(err) != vc.IsFrozen {
		t.Errorf("the next one: %v", err)
	}
}

// Whoever is shown the canaries of many organisations in lists raises an alarm, then has to sign in again; the day's count is
// the ledger's, so that a restart leaves it as it was.
func TestListsOfCanariesScore(t *testing.T) {
	c := newClock()
	h := newHouseAt(t, c.now)
	var orgs []id.Organisation
	for i := range 8 {
		org := h.organisation(fmt.Sprintf("Sefydliad %d", i))
		h.crowd(org, 1)
		h.plant(org, 4)
		orgs = append(orgs, org)
	}
	auth := h.signIn("web", vc.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator})
	left := func(org id.Organisation) error {
		_, err := h.nodes["web"].Search(t.Context(), auth, vc.SearchRequest{Purpose: policy.IssueBadges, Organisation: org, Left: true, Limit: 100})
		return err
	}
	alarms := func() int {
		t.Helper()
		h.stays()
		return len(slices.DeleteFunc(h.entries(id.Organisation{}, "alarm"), func(e vc.Entry) bool { return e.Rule != "canary-seen" }))
	}
	see := func(orgs ...id.Organisation) {
		t.Helper()
		for _, org := range orgs {
			if err := left(org); err != nil {
				t.Fatal(err)
			}
		}
	}
	see(orgs[0], orgs[0], orgs[1], orgs[2])
	if n := alarms(); n != 0 {
		t.Errorf("%d alarms after three organisations", n)
	}
	h.stop()
	h.start()
	see(orgs[3])
	if n := alarms(); n != 1 {
		t.Errorf("%d alarms after four, with a restart between", n)
	}
	see(orgs[4], orgs[5])
	if err := left(orgs[6]); code(err) != vc.Unauthenticated {
		t.Errorf("a seventh: %v", err)
	}
	if n := alarms(); n != 2 {
		t.Errorf("%d alarms after seven", n)
	}
	auth = h.again("Rhys Prosser")
	see(orgs[6], orgs[7]) // asked once a day
	// Who is tied to one employer looks through its leavers as often as they like.
	auth = h.signIn("web", vc.NewUser{Name: "S", Role: policy.Supervisor, Organisations: orgs[:1]})
	see(orgs[0], orgs[0])
	if n := alarms(); n != 2 {
		t.Errorf("%d alarms after a supervisor's", n)
	}
}

// Evaluating doses names nobody and passes all canaries; a job that asks who they are is frozen, in whatever number.
func TestJobsAndCanaries(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 10)
	birds := h.plant(org, 2)
	job := func(node string) (id.Grant, error) {
		return h.nodes["cli"].GrantJob(t.Context(), h.root, vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldSex | policy.FieldEmployment, MaxWearers: 100, Import: id.New[id.Import](), Node: node, Lifetime: time.Hour})
	}
	auth := vc.Auth{Grant: must(job("worker"))}
	for _, ws := range [][]id.Wearer{birds[:1], append(slices.Clone(ours), birds...)} {
		if _, err := h.nodes["worker"].Linked(t.Context(), auth, policy.AssessDose, ws); err != nil {
			t.Errorf("%d people for an evaluation: %v", len(ws), err)
		}
	}
	if _, err := h.nodes["worker"].Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: append(slices.Clone(ours), birds...)}); code(err) != vc.IsFrozen {
		t.Errorf("their names: %v", err)
	}
	// Nor does a session give its own node leave.
	if _, err := job("web"); code(err) != vc.Refused {
		t.Errorf("leave for a web node: %v", err)
	}
}

// Notices of a breach go on under a grant of their own that two people gave; to name the purpose is not enough.
func TestNoticesOfABreachReachCanariesToo(t *testing.T) {
	h := newTwo(t)
	org := h.organisation("A")
	ours := h.crowd(org, 3)
	birds := h.plant(org, 3)
	owain := h.made("Owain Rees", policy.Administrator)
	h.insist()
	if _, err := h.nodes["cli"].GrantJob(t.Context(), h.root, vc.JobGrant{Purpose: policy.BreachNotice, Fields: policy.FieldName | policy.FieldEmployment, MaxWearers: 9, Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour}); code(err) != vc.Refused {
		t.Errorf("by one session: %v", err)
	}
	h.agree(h.mair, owain, vc.ApproveGrant, vc.NewGrant{Name: "Notices", Work: vc.Notices, Node: "cli", MaxWearers: 10, Ends: h.clock().Add(24 * time.Hour)})
	auth := vc.Auth{Grant: must(h.nodes["cli"].StandingGrants(t.Context()))[0].ID}
	notice := vc.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName | policy.FieldContact, Wearers: append(slices.Clone(ours), birds...)}
	if _, err := h.nodes["cli"].Reveal(t.Context(), auth, notice); err != nil {
		t.Errorf("all at once: %v", err)
	}
	if err := h.v.Freeze(t.Context(), h.as("cli", owain), vc.FreezeRequest{Scope: vc.Everything, Reason: "an incident", Sure: true}); err != nil {
		t.Fatal(err)
	}
	for _, w := range birds {
		notice.Wearers = []id.Wearer{w}
		if _, err := h.nodes["cli"].Reveal(t.Context(), auth, notice); err != nil {
			t.Errorf("one by one, while everything is frozen: %v", err)
		}
	}
}

// The vault's own rows of a canary are as long as anybody's, in every table.
func TestCanariesAreAsLongAsOthers(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ours := h.crowd(org, 20)
	birds := h.plant(org, 10)
	db := must(sql.Open("sqlite", "file:"+filepath.Join(h.dir, "vault.db")+"?mode=ro"))
	t.Cleanup(func() { db.Close() })
	length := func(table string, w id.Wearer) (n string) {
		t.Helper()
		if err := db.QueryRow("SELECT group_concat(length(id) || ':' || length(sealed)) FROM (SELECT id, sealed FROM "+table+" WHERE substr(id, 1, 16) = $1 ORDER BY id)", w[:]).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, table := range []string{"wearer", "wearer_key", "field"} {
		want := length(table, ours[0])
		for _, w := range append(ours[1:], birds...) {
			if got := length(table, w); got != want {
				t.Errorf("%s: %s, others %s", table, got, want)
			}
		}
	}
}

// Nobody plants canaries, or learns whom, but the command line of who administers the installation; they look like anybody
// to whom joins, and are nobody's double.
func TestWhoPlantsCanaries(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	h.crowd(org, 3)
	web := h.signIn("web", vc.NewUser{Name: "C", Role: policy.Coordinator})
	if _, err := h.nodes["web"].Invent(t.Context(), web, org, 1, nil); code(err) != vc.Refused {
		t.Errorf("by a node: %v", err)
	}
	made := must(h.nodes["cli"].Invent(t.Context(), h.root, org, 1, nil))
	if _, err := h.nodes["web"].Stage(t.Context(), web, id.New[id.Import](), made); code(err) != vc.Refused {
		t.Errorf("staged by a node: %v", err)
	}
	stays := made[0]
	stays.To = ""
	if _, err := h.nodes["cli"].Stage(t.Context(), h.root, id.New[id.Import](), []vc.Change{stays}); code(err) != vc.Invalid {
		t.Errorf("one who has not left: %v", err)
	}
	im := id.New[id.Import]()
	must(h.nodes["cli"].Stage(t.Context(), h.root, im, made))
	if err := h.nodes["cli"].Confirm(t.Context(), h.root, im, nil); err != nil {
		t.Fatal(err)
	}
	if found := must(h.nodes["cli"].Match(t.Context(), h.root, org, made[0].Identity, person.Value{})); len(found) != 0 {
		t.Errorf("somebody new of a canary's name may be the canary: %+v", found)
	}
}
