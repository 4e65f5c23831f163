package register_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// list loads a list and returns its preview.
func (h *house) list(kind, file string) (id.Import, *register.ListPreview) {
	h.Helper()
	n, err := h.web.ReceiveList(h.Context(), h.auth, register.List{Kind: kind, File: []byte(file), Organisation: h.org, Sender: "Personnel"})
	h.ok(err)
	p, err := h.web.ListPreviewOf(h.Context(), h.auth, n)
	h.ok(err)
	return n, p
}

// staff finds a wearer of the organisation by staff number.
func (h *house) staff(number string) id.Wearer {
	h.Helper()
	found, err := h.v.FindStaff(h.Context(), vault.Caller{Node: "web", Auth: h.auth}, policy.IssueBadges, []vc.StaffKey{{Organisation: h.org, StaffNumber: person.NewValue(number)}})
	h.ok(err)
	return found[0]
}

// refusedOf returns a list's refused rows.
func (h *house) refusedOf(n id.Import) string {
	h.Helper()
	var b bytes.Buffer
	h.ok(h.web.WriteRefused(h.Context(), h.auth, n, &b))
	return strings.TrimPrefix(b.String(), "\ufeff")
}

const staffHeading = "Staff number,Surname,Forenames,Date of birth,Sex,Department,Shoe size\n"

func TestAListOfPeople(t *testing.T) {
	h := newHouse(t)
	n, p := h.list(register.KindPeople, staffHeading+
		"L1,Evans,Gwen,1980-01-02,F,Theatr,4\n"+
		"L2,Rees,Ifan,31/12/1999,M,Theatr,9\n"+
		",,,,,,\n"+
		"L3,Lloyd,Non,1980-13-02,F,Theatr,4\n"+
		"L4,,,,,,\n"+
		"L5,Evans,Gwen,1980-01-02,F,Cathlab,4\n")
	if p.New != 3 || p.In != 6 || p.Stored != 3 || len(p.Refused) != 2 || p.Ignored != 1 || p.ByOrg[h.org] != 3 || len(p.NotUsed) != 1 {
		t.Errorf("%+v", p)
	}
	if got := texts(p.Refused); !strings.Contains(got, "5 Date of birth: ") || !strings.Contains(got, "6 : no wearer of that organisation has this staff number") {
		t.Error(got)
	}
	if len(p.Alike) != 1 || p.Alike[0].Row != 2 || !slices.Equal(p.Alike[0].Twins, []int{7}) {
		t.Errorf("people alike: %+v", p.Alike)
	}
	if !h.staff("L1").IsZero() {
		t.Error("somebody was taken on by a preview")
	}
	refused := h.refusedOf(n)
	if refused != staffHeading+"L3,Lloyd,Non,1980-13-02,F,Theatr,4\nL4,,,,,,\n" {
		t.Errorf("%q", refused)
	}
	h.ok(h.web.Accept(t.Context(), h.auth, n))
	h.settled("after a list")
	if err := h.web.Accept(t.Context(), h.auth, n); !errors.Is(err, register.ErrState) {
		t.Errorf("accepted twice: %v", err)
	}
	im, err := h.store.Import(t.Context(), n)
	h.ok(err)
	if im.State != register.Done || im.Counts != (register.Counts{In: 6, Stored: 3, Refused: 2, Ignored: 1}) {
		t.Errorf("%+v", im)
	}
	if _, err := h.store.Document(t.Context(), n, "rows"); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("the list's rows are kept although they are stored: %v", err)
	}

	// What was refused is corrected and loaded again, with somebody moved, somebody the same, somebody leaving.
	n, p = h.list(register.KindPeople, strings.ReplaceAll(staffHeading, "Shoe size", "Leaving date")+
		"L3,Lloyd,Non,1980-12-02,F,Theatr,\n"+
		"L1,Evans-Rees,Gwen,1980-01-02,F,Cathlab,\n"+
		"L2,Rees,Ifan,1999-12-31,M,Theatr,2026-09-30\n"+
		"L5,Evans,Gwen,1980-01-02,F,,\n")
	if p.New != 1 || p.Changed != 1 || p.Ended != 1 || p.Same != 1 || len(p.Refused) != 0 || p.Stored != 3 || p.Ignored != 1 {
		t.Errorf("%+v", p)
	}
	if len(p.Rows) != 2 || p.Rows[0] != (register.ListChange{Row: 3, Fields: policy.FieldName | policy.FieldEmployment}) || p.Rows[1] != (register.ListChange{Row: 4, Ends: true, Fields: policy.FieldEmployment}) {
		t.Errorf("%+v", p.Rows)
	}
	before := h.entries(h.org, "reveal")
	h.ok(h.web.Accept(t.Context(), h.auth, n))
	if h.entries(h.org, "reveal") == before {
		t.Error("the list was opened without an entry in its organisation's ledger")
	}
	jobs, err := h.web.EmploymentsOf(t.Context(), h.auth, h.org)
	h.ok(err)
	if jobs[h.staff("L1")].Department != "Cathlab" || jobs[h.staff("L2")].Department != "Theatr" {
		t.Errorf("%+v", jobs)
	}
}

// What a list holds of people whom nobody knows yet is in their employer's ledger too when it is opened.
func TestAListOfNewcomersIsInTheirEmployersLedger(t *testing.T) {
	h := newHouse(t)
	n, p := h.list(register.KindPeople, staffHeading+"L1,Evans,Gwen,1980-01-02,F,Theatr,4\nL3,Lloyd,Non,1980-13-02,F,Theatr,4\n")
	if p.New != 1 || len(p.Refused) != 1 {
		t.Fatalf("%+v", p)
	}
	before := h.entries(h.org, "reveal")
	h.refusedOf(n)
	if got := h.entries(h.org, "reveal"); got != before+1 {
		t.Errorf("%d entries about the refused rows", got-before)
	}
}

// Whose row is refused before anybody is looked up is in the ledger all the same when the refused rows are opened: by name
// where they are known, and in their employer's.
func TestWhoseRowsAreRefusedIsInTheLedger(t *testing.T) {
	h := newHouse(t)
	other := h.organisation("Ysbyty Arall", "700456")
	j := h.joiner(h.org)
	w, number := h.takeOn(j)[0], j.Identity.StaffNumber.Expose()
	rest := ",whole body,2026-10-01,2026-13-31\n"
	for kind, file := range map[string]string{
		register.KindPeople:   "Organisation,Staff number,Surname,Date of birth,NI number\n," + number + ",Ŵyn-Jones,1985-13-01,QQ123456C\nYsbyty Arall,N1,Rees,1999-13-31,\n",
		register.KindLeavers:  "Organisation,Staff number,Last day\n," + number + ",2026-13-01\nYsbyty Arall,N1,\n",
		register.KindDispatch: "organisation,barcode,batch,staff_number,position,from,to\n,X1,B1," + number + rest + "Ysbyty Arall,X2,B1,N1" + rest,
	} {
		n, p := h.list(kind, file)
		if len(p.Refused) != 2 || p.In != 2 {
			t.Fatalf("%s: %+v", kind, p)
		}
		about := func() vc.LedgerPage {
			return must(h.v.Ledger(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Organisation: h.org, Wearer: w, Limit: 100}))
		}
		known, elsewhere := about().Total, h.entries(other, "reveal")
		h.refusedOf(n)
		page := about()
		if e := page.Entries[0]; page.Total != known+1 || e.Kind != "reveal" || e.Fields&policy.FieldDocument == 0 || e.Fields&policy.FieldStaffNumber == 0 || kind == register.KindPeople && e.Fields&policy.FieldNI == 0 {
			t.Errorf("%s: %d entries about whose row was opened, the last %+v", kind, page.Total-known, e)
		}
		if got := h.entries(other, "reveal") - elsewhere; got != 1 {
			t.Errorf("%s: %d entries where an employer's newcomer was opened", kind, got)
		}
	}
}

func TestAListMeetsWhoIsKnownElsewhere(t *testing.T) {
	h := newHouse(t)
	other := h.organisation("Ysbyty Arall", "700456")
	j := h.joiner(other)
	w := h.takeOn(j)[0]
	_, p := h.list(register.KindPeople, staffHeading+"L1,Ŵyn-Jones,Siân,1985-03-01,F,Theatr,4\n")
	if len(p.Alike) != 1 || len(p.Alike[0].Like) != 1 || p.Alike[0].Like[0] != (vc.Candidate{Wearer: w, Organisation: other, Why: person.SameNameAndBirth}) {
		t.Errorf("%+v", p.Alike)
	}
}

func TestAListOfLeavers(t *testing.T) {
	h := newHouse(t)
	h.list(register.KindPeople, staffHeading)
	n, _ := h.list(register.KindPeople, staffHeading+"L1,Evans,Gwen,1980-01-02,F,Theatr,4\nL2,Rees,Ifan,1999-12-31,M,Theatr,9\n")
	h.ok(h.web.Accept(t.Context(), h.auth, n))
	n, p := h.list(register.KindLeavers, "Staff number,Surname,Last day\nL1,Evans,2026-10-15\nL2,Rees,\nL9,Neb,2026-10-15\n")
	if p.Ended != 1 || p.Stored != 1 || len(p.NotUsed) != 1 || p.NotUsed[0] != "Surname" {
		t.Errorf("%+v", p)
	}
	if got := texts(p.Refused); got != "3 Last day: the last day of employment is missing\n4 : no wearer of that organisation has this staff number" {
		t.Error(got)
	}
	h.ok(h.web.Accept(t.Context(), h.auth, n))
	recs, err := h.v.Reveal(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.RevealRequest{Purpose: policy.KeepRecords, Fields: policy.FieldName, Wearers: []id.Wearer{h.staff("L1")}})
	h.ok(err)
	if recs[0].To != "2026-10-15" || recs[0].Identity.Surname.Expose() != "Evans" {
		t.Errorf("until %q", recs[0].To)
	}
	if _, p := h.list(register.KindLeavers, "Staff number,Last day\nL1,2026-10-15\n"); p.Same != 1 || p.Stored != 0 {
		t.Errorf("a list that changes nothing: %+v", p)
	}
}

const badgeHeading = "barcode,batch,staff_number,position,from,to\n"

func TestAListOfBadges(t *testing.T) {
	h := newHouse(t)
	n, _ := h.list(register.KindPeople, staffHeading+"L1,Evans,Gwen,1980-01-02,F,Theatr,4\n")
	h.ok(h.web.Accept(t.Context(), h.auth, n))
	row := func(barcode, staff, position string) string {
		return fmt.Sprintf("%s,B1,%s,%s,2026-10-01,2026-10-31\n", barcode, staff, position)
	}
	n, p := h.list(register.KindDispatch, badgeHeading+row("X1", "L1", "whole body")+row("X2", "", "control")+row("X3", "L9", "eye")+row("X1", "L1", "eye"))
	if p.New != 2 || p.Controls != 1 || p.Stored != 2 || p.ByOrg[h.org] != 2 {
		t.Errorf("%+v", p)
	}
	if got := texts(p.Refused); !strings.Contains(got, "4 staff_number: no wearer of that organisation has it") || !strings.Contains(got, "5 barcode: the same badge as in row 2") {
		t.Error(got)
	}
	if got := h.refusedOf(n); got != badgeHeading+row("X3", "L9", "eye")+row("X1", "L1", "eye") {
		t.Errorf("%q", got)
	}
	m, _ := h.list(register.KindDispatch, badgeHeading+row("X2", "", "control")+row("X4", "L1", "eye"))
	h.ok(h.web.Accept(t.Context(), h.auth, n))
	there, err := h.store.Periods(t.Context(), []string{"X1", "X2", "X3", "X4"})
	h.ok(err)
	if len(there) != 2 {
		t.Errorf("%d badges", len(there))
	}
	// Two lists of the same badge wait at once: the second to be confirmed is stored not at all.
	err = h.web.Accept(t.Context(), h.auth, m)
	if im, _ := h.store.Import(t.Context(), m); err == nil || im.State != register.Failed || !strings.Contains(im.Failure, "changed since the preview") {
		t.Errorf("%v, %+v", err, im)
	}
	if there, err = h.store.Periods(t.Context(), []string{"X4"}); err != nil || len(there) != 0 {
		t.Errorf("%d badges of a list that failed, %v", len(there), err)
	}
	if _, p := h.list(register.KindDispatch, badgeHeading+row("X2", "", "control")); len(p.Refused) != 1 || p.Refused[0].Text != "a badge with it is there already" {
		t.Errorf("%+v", p.Refused)
	}
}

// Who was taken on meanwhile is not changed by a list that took them for new.
func TestAListThatChangedSinceItsPreview(t *testing.T) {
	h := newHouse(t)
	file := staffHeading + "L1,Evans,Gwen,1980-01-02,F,Theatr,4\nL2,Rees,Ifan,1999-12-31,M,Theatr,9\n"
	one, _ := h.list(register.KindPeople, file)
	other, _ := h.list(register.KindPeople, file[:strings.Index(file, "L2")])
	h.ok(h.web.Accept(t.Context(), h.auth, other))
	err := h.web.Accept(t.Context(), h.auth, one)
	im, look := h.store.Import(t.Context(), one)
	h.ok(look)
	if err == nil || im.State != register.Failed || !strings.HasPrefix(im.Failure, "row 2: a wearer of that organisation has this staff number already. ") || !h.staff("L2").IsZero() {
		t.Errorf("%v, %+v", err, im)
	}
	h.settled("after a list that failed")
}

func TestListsThatAreNone(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		kind, file, want string
	}{
		{"laboratory", "x", "no such kind"},
		{register.KindPeople, "", "the file is empty"},
		{register.KindPeople, "Enw\nGwen\n", "no column with the staff number"},
		{register.KindLeavers, "Staff number\nL1\n", "no column with the last day"},
		{register.KindDispatch, "barcode\nX1\n", "the headings must be"},
	} {
		_, err := h.web.ReceiveList(t.Context(), h.auth, register.List{Kind: c.kind, File: []byte(c.file), Organisation: h.org})
		if _, ok := errors.AsType[*register.InputError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.kind, err)
		}
	}
	_, err := h.web.ReceiveList(t.Context(), h.auth, register.List{Kind: register.KindPeople, File: []byte("Staff number\nL1\n")})
	if err == nil || !strings.Contains(err.Error(), "no column that names the employer") {
		t.Error(err)
	}
	if ims := must(h.store.InState(t.Context(), register.Previewed)); len(ims) != 0 {
		t.Errorf("%d lists wait that are none", len(ims))
	}
}

func TestAcceptingAListIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	var numbers []string
	var n id.Import
	round := 0
	cutEverywhere(h, func(f *fuse) error {
		round++
		numbers = []string{fmt.Sprintf("A%d", round), fmt.Sprintf("B%d", round)}
		n, _ = h.list(register.KindPeople, staffHeading+numbers[0]+",Evans,Gwen,,F,Theatr,\n"+numbers[1]+",Rees,Ifan,,M,Theatr,\n")
		return h.service("web", f).Accept(t.Context(), h.auth, n)
	}, func(where string, err error) {
		h.settled(where)
		im, look := h.store.Import(t.Context(), n)
		h.ok(look)
		one, other := h.staff(numbers[0]), h.staff(numbers[1])
		rows, look := h.store.Wearers(t.Context(), []id.Wearer{one, other})
		h.ok(look)
		if all := im.State == register.Done; one.IsZero() == all || other.IsZero() == all || (len(rows) == 2) != all {
			t.Errorf("%s: the list is %s, the vault has %t and %t, the register %d rows", where, im.State, !one.IsZero(), !other.IsZero(), len(rows))
		}
		if err == nil && im.State != register.Done {
			t.Errorf("%s: nothing was stored, and no error told so", where)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
