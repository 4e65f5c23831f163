package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// machine gives a machine leave for a kind of work, and returns its session for one request.
func (h *house) machine(name, work string, most int, orgs ...id.Organisation) (vc.Auth, id.Grant) {
	h.t.Helper()
	m, n := h.outside(name, work, most, orgs...)
	return h.admit(m), n
}

// outside gives a machine leave for a kind of work.
func (h *house) outside(name, work string, most int, orgs ...id.Organisation) (*testmachine.Machine, id.Grant) {
	h.t.Helper()
	w := vc.Works[slices.IndexFunc(vc.Works, func(w vc.Work) bool { return w.Name == work })]
	m := testmachine.New()
	n := must(h.leave(h.nodes["cli"], h.root, vc.NewMachine{Name: name, Purpose: w.Purpose, Fields: w.Fields, Organisations: orgs, MaxWearers: most,
		Node: "web", Ends: h.clock().Add(24 * time.Hour), Key: m.Public()}))
	m.ID = n.String()
	return m, n
}

// leave gives a machine leave where one person decides.
func (h *house) leave(c *vc.Client, auth vc.Auth, m vc.NewMachine) (id.Grant, error) {
	n, err := c.Propose(h.t.Context(), auth, vc.ApproveMachine, m)
	return id.Grant(n), err
}

// signed is a request that a machine signs at a time.
func signed(m *testmachine.Machine, at time.Time) vc.SignedRequest {
	return m.Signed("GET", "badges.example", "/api/v1/machine?x=1", nil, at)
}

// admit begins a machine's session, as soon as the vault takes its signatures.
func (h *house) admit(m *testmachine.Machine) vc.Auth {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		token, err := h.nodes["web"].Admit(h.t.Context(), signed(m, h.clock().Add(2*time.Second)))
		if err == nil {
			return vc.Auth{Machine: token}
		}
		if code(err) != vc.Unauthenticated || time.Now().After(deadline) {
			h.t.Fatal(err)
		}
	}
}

func TestAMachineReadsWhatItHasLeaveFor(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	ours := h.join(a, "Jones, Siân, A1", "Evans, Gwen, A2", "Rees, Ifan, A3")
	theirs := h.join(b, "Lloyd, Non, B1")
	tool, n := h.outside("Reporting tool", "doses", 2, a)
	auth := h.admit(tool)
	web := h.nodes["web"]
	read := func(f policy.Fields, p policy.Purpose, who ...id.Wearer) error {
		_, err := web.Reveal(t.Context(), auth, vc.RevealRequest{Purpose: p, Fields: f, Wearers: who})
		return err
	}
	if err := read(policy.FieldName|policy.FieldStaffNumber, policy.AssessDose, ours[0]); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"another organisation": read(policy.FieldName, policy.AssessDose, theirs[0]),
		"another purpose":      read(policy.FieldName, policy.KeepRecords, ours[0]),
		"a date of birth":      read(policy.FieldBirth, policy.AssessDose, ours[0]),
		"contact":              read(policy.FieldContact, policy.AssessDose, ours[0]),
	} {
		if code(err) != vc.Refused {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"by its id":         second(web.Whoami(t.Context(), vc.Auth{Grant: n})),
		"as a session":      second(web.Whoami(t.Context(), vc.Auth{Session: auth.Machine})),
		"with another too":  second(web.Whoami(t.Context(), vc.Auth{Machine: auth.Machine, Session: h.root.Session})),
		"on another node":   second(h.nodes["worker"].Whoami(t.Context(), auth)),
		"a letter off":      second(web.Whoami(t.Context(), vc.Auth{Machine: auth.Machine[:len(auth.Machine)-1] + "g"})),
		"by its id alone":   second(web.Whoami(t.Context(), vc.Auth{Machine: n.String()})),
		"a job by a secret": second(web.Whoami(t.Context(), vc.Auth{Machine: h.root.Session})),
	} {
		if code(err) != vc.Unauthenticated {
			t.Errorf("%s: %v", what, err)
		}
	}

	// Its number of people holds over a restart.
	if err := read(policy.FieldName, policy.AssessDose, ours[1]); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	web = h.nodes["web"]
	if err := read(policy.FieldName, policy.AssessDose, ours[0]); code(err) != vc.Unauthenticated {
		t.Errorf("a session of before the restart: %v", err)
	}
	auth = h.admit(tool)
	if err := read(policy.FieldName, policy.AssessDose, ours[0], ours[1]); err != nil {
		t.Errorf("the same two after a restart: %v", err)
	}
	if err := read(policy.FieldName, policy.AssessDose, ours[2]); code(err) != vc.Refused {
		t.Errorf("a third: %v", err)
	}
	if self := must(web.Self(t.Context(), auth)); self.Name != "Reporting tool" || self.Used != 2 || self.By != "" {
		t.Errorf("self: %+v", self)
	}

	// The ledger names it, and answers by its id and by its name.
	for _, who := range []vc.Recipient{vc.Recipient("grant:" + n.String()), "machine:Reporting tool"} {
		x := must(web.Exposures(t.Context(), h.signIn("web", vc.NewUser{Name: "N " + string(who[:5]), Role: policy.Coordinator}), vc.ExposureRequest{Recipient: who, From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}))
		if x.Wearers != 2 || x.Cells[0].Fields != policy.FieldName|policy.FieldStaffNumber|policy.FieldEmployment && x.Cells[1].Fields == 0 {
			t.Errorf("exposed to %s: %+v", who, x)
		}
	}
	page := must(h.nodes["cli"].Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: a, Limit: 50}))
	if i := slices.IndexFunc(page.Entries, func(e vc.Entry) bool { return e.Kind == "reveal" }); page.Entries[i].Actor != "the machine “Reporting tool”, given leave by Mair Evans" || page.Entries[i].Role != "machine" {
		t.Errorf("entry %+v", page.Entries[i])
	}
	if !slices.ContainsFunc(page.Entries, func(e vc.Entry) bool { return e.Kind == "machine" && strings.Contains(e.Reason, "Reporting tool") }) {
		t.Error("the organisation's ledger does not say that a machine was given leave")
	}

	// With its giver's access its leave ends too.
	other := h.signIn("web", vc.NewUser{Name: "Rhys Tudur", Role: policy.Coordinator})
	theirTool := testmachine.New()
	theirTool.ID = must(h.leave(h.nodes["web"], other, vc.NewMachine{Name: "Rhys's", Purpose: policy.Oversight, Fields: policy.FieldName, MaxWearers: 1, Node: "web", Ends: time.Now().Add(time.Hour), Key: theirTool.Public()})).String()
	given := h.admit(theirTool)
	if err := h.nodes["cli"].EndUser(t.Context(), h.root, must(h.nodes["web"].Whoami(t.Context(), other)).ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.nodes["web"].Self(t.Context(), given); code(err) != vc.Unauthenticated {
		t.Errorf("after the end of who gave it: %v", err)
	}

	// It is ended at once, and once is enough.
	for range 2 {
		if err := h.nodes["cli"].EndMachine(t.Context(), h.root, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := read(policy.FieldName, policy.AssessDose, ours[0]); code(err) != vc.Unauthenticated {
		t.Errorf("after its end: %v", err)
	}
	h.stop()
	h.start()
	for _, m := range []*testmachine.Machine{tool, theirTool} {
		if _, err := h.nodes["web"].Admit(t.Context(), signed(m, h.clock())); code(err) != vc.Unauthenticated {
			t.Errorf("after its end and a restart: %v", err)
		}
	}
	if list := must(h.nodes["cli"].Machines(t.Context(), h.root)); len(list) != 2 || list[0].Ended.IsZero() || list[0].By != "Mair Evans" || list[0].Used != 2 {
		t.Errorf("machines: %+v", list)
	}
	raw := must(os.ReadFile(filepath.Join(h.dir, "vault.db")))
	if bytes.Contains(raw, []byte(auth.Machine)) || bytes.Contains(raw, tool.Key.Seed()) {
		t.Error("what a machine signs with, or its session, lies in the vault's database")
	}
}

func second[T any](_ T, err error) error { return err }

func TestALaboratorysMachineDeliversAndReadsNothingElse(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	ws := h.join(a, "Jones, Siân, A1", "Evans, Gwen, A2")
	auth, n := h.machine("Laboratory", "laboratory", 2, a)
	other, _ := h.machine("Another laboratory", "laboratory", 2, a)
	web, file := h.nodes["web"], id.New[id.Import]()
	doc := vc.Item{Context: vc.Context{Table: "document", Row: id.Row(file), Class: policy.ClassDocument}, Value: []byte("a file")}
	sealAs := func(auth vc.Auth) ([][]byte, error) {
		return web.Seal(t.Context(), auth, policy.AssessDose, []vc.Item{doc})
	}
	if _, err := sealAs(auth); code(err) != vc.Refused {
		t.Errorf("a file that was not delivered: %v", err)
	}
	if err := web.Intake(t.Context(), auth, vc.Intake{Import: file, Source: "laboratory", Sender: "Cardiff Dosimetry"}); err != nil {
		t.Fatal(err)
	}
	if err := web.Intake(t.Context(), other, vc.Intake{Import: file, Source: "laboratory"}); code(err) != vc.Conflict {
		t.Errorf("another's delivery: %v", err)
	}
	sealed := must(sealAs(auth))
	if _, err := sealAs(other); code(err) != vc.Refused {
		t.Errorf("sealed for another's file: %v", err)
	}
	open := func(c *vc.Client, auth vc.Auth) error {
		it := doc
		it.Value = sealed[0]
		return second(c.Open(t.Context(), auth, vc.OpenRequest{Purpose: policy.AssessDose, Items: []vc.Item{it}}))
	}
	if err := open(web, auth); err != nil {
		t.Errorf("its own file: %v", err)
	}
	if err := open(web, other); code(err) != vc.Refused {
		t.Errorf("another's file: %v", err)
	}
	if err := open(h.nodes["cli"], h.root); err != nil {
		t.Errorf("the co-ordinator: %v", err)
	}
	for _, f := range []policy.Fields{policy.FieldName, policy.FieldBirth, policy.FieldSex} {
		if _, err := web.Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.AssessDose, Fields: f, Wearers: ws[:1]}); code(err) != vc.Refused {
			t.Errorf("%v: %v", f, err)
		}
	}

	// It passes a part of itself on to the worker: no more fields, organisations, people or time than its own.
	job := vc.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldDocument | policy.FieldName, MaxWearers: 1000, Import: file, Node: "worker", Lifetime: time.Hour}
	g := must(web.GrantJob(t.Context(), auth, job))
	for what, change := range map[string]func(*vc.JobGrant){
		"the web node":         func(j *vc.JobGrant) { j.Node = "web" },
		"more fields":          func(j *vc.JobGrant) { j.Fields |= policy.FieldContact },
		"another purpose":      func(j *vc.JobGrant) { j.Purpose = policy.KeepRecords },
		"another organisation": func(j *vc.JobGrant) { j.Organisations = []id.Organisation{b} },
	} {
		j := job
		change(&j)
		if _, err := web.GrantJob(t.Context(), auth, j); code(err) != vc.Refused {
			t.Errorf("%s: %v", what, err)
		}
	}
	worker, by := h.nodes["worker"], vc.Auth{Grant: g}
	if err := open(worker, by); err != nil {
		t.Errorf("the job opens the file: %v", err)
	}
	name := func(w id.Wearer) error {
		return second(worker.Reveal(t.Context(), by, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldName, Wearers: []id.Wearer{w}}))
	}
	if _, err := worker.GrantJob(t.Context(), by, job); code(err) != vc.Refused {
		t.Errorf("a job passes itself on: %v", err)
	}
	// The job's entry for a name asks employment too, which it has not: compare instead.
	compare := func(w id.Wearer) error {
		return second(worker.Compare(t.Context(), by, policy.AssessDose, []vc.Comparison{{Wearer: w, Name: person.NewValue("JONES SIAN")}}))
	}
	if err := name(ws[0]); code(err) != vc.Refused {
		t.Errorf("more than was passed on: %v", err)
	}
	if err := compare(ws[0]); err != nil {
		t.Error(err)
	}
	if err := compare(ws[1]); err != nil {
		t.Error(err)
	}
	if self := must(web.Self(t.Context(), auth)); self.Used != 2 {
		t.Errorf("whom the job touched does not count as the machine's: %+v", self)
	}
	third := h.join(a, "Rees, Ifan, A3")
	if err := compare(third[0]); code(err) != vc.Refused {
		t.Errorf("a third by the job: %v", err)
	}
	if err := h.nodes["cli"].EndMachine(t.Context(), h.root, n); err != nil {
		t.Fatal(err)
	}
	if err := compare(ws[0]); code(err) != vc.Unauthenticated {
		t.Errorf("the job after the machine's end: %v", err)
	}
}

func TestAStaffFeedWritesAndReadsAlmostNothing(t *testing.T) {
	h := newHouse(t)
	a, b := h.organisation("A"), h.organisation("B")
	ws := h.join(a, "Jones, Siân, A1")
	auth, _ := h.machine("HR feed", "staff", 2, a)
	web := h.nodes["web"]
	stage := func(org id.Organisation, change func(*vc.Change), numbers ...string) error {
		n := id.New[id.Import]()
		var changes []vc.Change
		for _, s := range numbers {
			c := vc.Change{Organisation: org, From: "2020-01-01", Identity: person.Identity{Surname: person.NewValue("Prys"), StaffNumber: person.NewValue(s)}}
			if change != nil {
				change(&c)
			}
			changes = append(changes, c)
		}
		if err := web.Intake(t.Context(), auth, vc.Intake{Import: n, Source: "people"}); err != nil {
			t.Fatal(err)
		}
		if _, err := web.Stage(t.Context(), auth, n, changes); err != nil {
			return err
		}
		return web.Confirm(t.Context(), auth, n, nil)
	}
	if err := stage(b, nil, "B1"); code(err) != vc.Refused {
		t.Errorf("another organisation: %v", err)
	}
	if err := stage(a, func(c *vc.Change) { c.SamePerson = ws[0] }, "A2"); code(err) != vc.Invalid {
		t.Errorf("it says who is one person: %v", err)
	}
	if err := stage(a, func(c *vc.Change) { c.Classified, c.NI = true, person.NewValue("AB123456C") }, "A2"); code(err) != vc.Invalid {
		t.Errorf("it gives an NI number: %v", err)
	}
	if err := stage(a, nil, "A1", "A2", "A3"); code(err) != vc.Refused {
		t.Errorf("three people of two: %v", err)
	}
	if err := stage(a, nil, "A1", "A2"); err != nil {
		t.Error(err)
	}
	if found, err := web.FindStaff(t.Context(), auth, policy.KeepRecords, []vc.StaffKey{{Organisation: a, StaffNumber: person.NewValue("A1")}}); err != nil || found[0] != ws[0] {
		t.Errorf("by staff number: %v, %v", found, err)
	}
	for _, f := range []policy.Fields{policy.FieldName, policy.FieldBirth, policy.FieldContact} {
		if _, err := web.Reveal(t.Context(), auth, vc.RevealRequest{Purpose: policy.KeepRecords, Fields: f, Wearers: ws}); code(err) != vc.Refused {
			t.Errorf("%v: %v", f, err)
		}
	}
}

func TestWhoGivesAMachineLeave(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	tool, _ := h.outside("Reader", "ledger", 1, org)
	reader := h.admit(tool)
	good := vc.NewMachine{Name: "Another", Purpose: policy.AssessDose, Fields: policy.FieldDose, Organisations: []id.Organisation{org}, MaxWearers: 1, Node: "web", Ends: time.Now().Add(time.Hour), Key: testmachine.New().Public()}
	for what, change := range map[string]func(*vc.NewMachine){
		"no name":       func(m *vc.NewMachine) { m.Name = "" },
		"a long name":   func(m *vc.NewMachine) { m.Name = strings.Repeat("x", 61) },
		"two lines":     func(m *vc.NewMachine) { m.Name = "a\nb" },
		"no fields":     func(m *vc.NewMachine) { m.Fields = 0 },
		"nobody":        func(m *vc.NewMachine) { m.MaxWearers = 0 },
		"everybody":     func(m *vc.NewMachine) { m.MaxWearers = vc.MaxMachineWearers + 1 },
		"no node":       func(m *vc.NewMachine) { m.Node = "" },
		"the past":      func(m *vc.NewMachine) { m.Ends = time.Now().Add(-time.Hour) },
		"over a year":   func(m *vc.NewMachine) { m.Ends = time.Now().Add(400 * 24 * time.Hour) },
		"another's NI":  func(m *vc.NewMachine) { m.Fields |= policy.FieldNI },
		"a name taken":  func(m *vc.NewMachine) { m.Name = "reader" },
		"no key":        func(m *vc.NewMachine) { m.Key = nil },
		"another's key": func(m *vc.NewMachine) { m.Key = tool.Public() },
	} {
		m := good
		change(&m)
		want := vc.Invalid
		switch what {
		case "another's NI", "no fields":
			want = vc.Refused
		case "a name taken", "another's key":
			want = vc.Conflict
		}
		if _, err := h.leave(h.nodes["cli"], h.root, m); code(err) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	officer := h.signIn("web", vc.NewUser{Name: "Tomos Bevan", Role: policy.DataProtection, Organisations: []id.Organisation{org}})
	for who, auth := range map[string]vc.Auth{"a data protection officer": officer, "a machine": reader} {
		if _, err := h.leave(h.nodes["web"], auth, good); code(err) != vc.Refused {
			t.Errorf("%s gives leave: %v", who, err)
		}
		if _, err := h.nodes["web"].Machines(t.Context(), auth); code(err) != vc.Refused {
			t.Errorf("%s lists machines: %v", who, err)
		}
		if err := h.nodes["web"].EndMachine(t.Context(), auth, id.New[id.Grant]()); code(err) != vc.Refused {
			t.Errorf("%s ends one: %v", who, err)
		}
	}
	if page := must(h.nodes["web"].Ledger(t.Context(), reader, vc.LedgerRequest{Organisation: org, Limit: 10})); page.Total == 0 {
		t.Error("a reader of ledgers reads nothing")
	}
	if _, err := h.nodes["web"].Ledger(t.Context(), reader, vc.LedgerRequest{Limit: 10}); code(err) != vc.Refused {
		t.Errorf("the installation's log: %v", err)
	}
	if _, err := h.nodes["web"].Ledger(t.Context(), reader, vc.LedgerRequest{Organisation: h.organisation("B"), Limit: 10}); code(err) != vc.Refused {
		t.Errorf("another's ledger: %v", err)
	}
}

// Leave for a machine takes two people: who gives such leave and somebody who gives it as well, or administers. Until then its
// signature is nobody's; afterwards one person ends it.
func TestAMachinesLeaveTakesTwoPeople(t *testing.T) {
	h := newTwo(t)
	org := h.organisation("Milfeddygon Tŷ Gwyn")
	owain, gethin := h.made("Owain Rees", policy.Administrator), h.made("Gethin Pryce", policy.RecordsOfficer)
	other := h.made("Nia Bowen", policy.Administrator, h.organisation("Ysbyty Bryn"))
	h.insist()
	tool := testmachine.New()
	leave := vc.NewMachine{Name: "Reporting tool", Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldStaffNumber, Organisations: []id.Organisation{org}, MaxWearers: 5, Node: "web",
		Ends: h.clock().AddDate(0, 1, 0), Key: tool.Public()}
	if _, err := h.propose(owain, vc.ApproveMachine, leave); code(err) != vc.Refused {
		t.Errorf("proposed by an administrator, who gives no such leave: %v", err)
	}
	n := must(h.propose(h.mair, vc.ApproveMachine, leave))
	tool.ID = n.String()
	nobody := func(what string) {
		t.Helper()
		if _, err := h.v.Admit(t.Context(), vault.Caller{Node: "web"}, signed(tool, h.clock().Add(2*time.Second))); code(err) != vc.Unauthenticated {
			t.Fatalf("%s: a signature was taken: %v", what, err)
		}
		if all := must(h.v.Machines(t.Context(), h.as("cli", h.mair))); len(all) != 0 {
			t.Fatalf("%s: leave is listed: %+v", what, all)
		}
	}
	nobody("proposed")
	seen := h.seen(h.mair, n)
	if shown := vc.Fingerprint(tool.Public()); len(shown) != 64+15 || seen.Lines[len(seen.Lines)-1].Text != shown {
		t.Errorf("the key is shown as %q", seen.Lines[len(seen.Lines)-1].Text)
	}
	for what, u := range map[string]id.User{"nobody before its proposer": owain, "a records officer": gethin, "an administrator of another organisation": other} {
		if err := h.sign(u, n, seen.Digest); code(err) != vc.Refused {
			t.Errorf("%s signs: %v", what, err)
		}
	}
	for range 2 {
		h.sign(h.mair, n, seen.Digest) // the second time it is her own
		nobody("signed by one person")
	}
	if err := h.sign(owain, n, seen.Digest); err != nil {
		t.Fatal(err)
	}
	auth := h.admit(tool)
	if self := must(h.v.Self(t.Context(), vault.Caller{Node: "web", Auth: auth})); self.ID != id.Grant(n) || self.MaxWearers != 5 || self.Fields != leave.Fields {
		t.Errorf("it has leave for %+v", self)
	}
	page := must(h.v.Ledger(t.Context(), h.as("cli", h.mair), vc.LedgerRequest{Organisation: org, Limit: 50}))
	i := slices.IndexFunc(page.Entries, func(e vc.Entry) bool { return e.Kind == "machine" })
	if i < 0 || page.Entries[i].Actor != "Owain Rees" || page.Entries[i].Rule != "administer/administrator" || !strings.Contains(page.Entries[i].Reason, "approval:"+n.String()) || !strings.Contains(page.Entries[i].Reason, vc.Fingerprint(tool.Public())) {
		t.Errorf("the ledger says %+v", page.Entries[max(i, 0)])
	}
	if err := h.v.EndMachine(t.Context(), h.as("cli", h.mair), id.Grant(n)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.v.Self(t.Context(), vault.Caller{Node: "web", Auth: auth}); code(err) != vc.Unauthenticated {
		t.Errorf("ended by one person: %v", err)
	}
}

// What is sealed again opens at the new version only, and nobody needs leave to read it.
func TestResealing(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	ws := h.join(org, "Jones, Siân, A1", "Evans, Gwen, A2")
	row := vc.Item{Context: vc.Context{Table: "wearer", Row: id.Row(ws[0]), Version: 1, Class: policy.ClassHealth, Organisation: org, Wearer: ws[0], Bind: []byte("one")}, Value: []byte("pregnant"), Pad: 256}
	c := h.nodes["cli"]
	from := row
	from.Value = must(c.Seal(t.Context(), h.root, policy.KeepRecords, []vc.Item{row}))[0]
	to := row
	to.Version, to.Bind, to.Value = 2, []byte("two"), nil
	reseal := func(to vc.Item) ([][]byte, error) {
		return c.Reseal(t.Context(), h.root, policy.KeepRecords, []vc.Item{from}, []vc.Item{to})
	}
	again := must(reseal(to))
	for what, change := range map[string]func(*vc.Item){
		"another wearer's": func(it *vc.Item) { it.Wearer = ws[1] },
		"another row":      func(it *vc.Item) { it.Row = id.Row(ws[1]) },
		"another table":    func(it *vc.Item) { it.Table = "reading" },
		"another class":    func(it *vc.Item) { it.Class = policy.ClassDose },
	} {
		it := to
		change(&it)
		if _, err := reseal(it); code(err) != vc.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	reader := h.signIn("web", vc.NewUser{Name: "Siân", Role: policy.Wearer, Wearers: ws[:1]})
	open := func(it vc.Item) ([][]byte, error) {
		return h.nodes["web"].Open(t.Context(), reader, vc.OpenRequest{Purpose: policy.OwnRecord, Items: []vc.Item{it}})
	}
	to.Value = again[0]
	if got := must(open(to)); string(got[0]) != "pregnant" {
		t.Errorf("opened %q", got)
	}
	to.Version = 1
	if _, err := open(to); code(err) != vc.Invalid {
		t.Errorf("opens at another version: %v", err)
	}
	if _, err := c.Open(t.Context(), h.root, vc.OpenRequest{Purpose: policy.KeepRecords, Items: []vc.Item{from}}); code(err) != vc.Refused {
		t.Errorf("the co-ordinator reads health: %v", err)
	}
}
