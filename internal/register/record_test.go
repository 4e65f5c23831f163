package register_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// signIn makes a user and signs them in on the web node.
func (h *house) signIn(u vc.NewUser) vc.Auth {
	h.Helper()
	c := vault.Caller{Node: "web", Auth: h.auth}
	ids, err := h.v.CreateUsers(h.Context(), c, []vc.NewUser{u})
	h.ok(err)
	link, err := h.v.NewLink(h.Context(), c, ids[0])
	h.ok(err)
	s, err := h.v.RedeemLink(h.Context(), vault.Caller{Node: "web"}, link)
	h.ok(err)
	return vc.Auth{Session: s.Token}
}

func denied(err error) bool {
	var e *vc.Error
	return errors.As(err, &e) && e.Code == vc.Refused
}

// A record shows each role what is theirs to see, and to the others nothing.
func TestWhoSeesARecord(t *testing.T) {
	h := newHouse(t)
	second := h.organisation("Ysbyty Glan-y-Nant", "700456", dose.Level{Kind: dose.Effective, Dose: 6000, Name: "local level"})
	j := h.joiner(h.org)
	j.Health = register.Health{Declared: day.Of(2025, 1, 1), End: day.Of(2025, 9, 1)}
	w, other := h.takeOn(j)[0], h.takeOn(h.joiner(h.org))[0]
	again := h.joiner(second)
	again.SamePerson = w
	w2 := h.takeOn(again)[0]
	mine, theirs, out := h.badge(h.org, w, time.January), h.badge(second, w2, time.January), h.badge(h.org, w, time.February)
	h.dispatch(mine, theirs, out)
	h.imported(file(line{Dispatched: mine, deep: "4.00"}, line{Dispatched: theirs, account: "700456", deep: "3.00"}))

	supervisor := h.signIn(vc.NewUser{Name: "Nia Bowen", Role: policy.Supervisor, Organisations: []id.Organisation{h.org}})
	self := h.signIn(vc.NewUser{Name: "Siân Ŵyn-Jones", Role: policy.Wearer, Wearers: []id.Wearer{w, w2}})
	for _, c := range []struct {
		who         string
		auth        vc.Auth
		w           id.Wearer
		reports     int
		waiting     int
		employments int
		dose        dose.MicroSv // effective, 2026
	}{
		{"the co-ordinator sees all employments", h.auth, w, 2, 1, 2, 7000},
		{"the co-ordinator, by the other employment", h.auth, w2, 2, 1, 2, 7000},
		{"the supervisor sees their organisation's", supervisor, w, 1, 1, 1, 4000},
		{"the supervisor, of somebody without a result", supervisor, other, 0, 0, 1, 0},
		{"the wearer sees the sum over their employments", self, w, 2, 1, 2, 7000},
		{"the wearer, by the other", self, w2, 2, 1, 2, 7000},
	} {
		rec, err := h.web.WearerRecord(t.Context(), c.auth, c.w, 0)
		if err != nil {
			t.Errorf("%s: %v", c.who, err)
			continue
		}
		if m, _ := total(rec, dose.Effective, 2026); m != c.dose || len(rec.Reports) != c.reports || rec.Employments != c.employments || rec.Employment.Department != "Cathlab" {
			t.Errorf("%s: %d µSv, %d reports, %d employments, %+v; want %d, %d, %d", c.who, m, len(rec.Reports), rec.Employments, rec.Employment, c.dose, c.reports, c.employments)
		}
		if len(rec.Waiting) != c.waiting || c.waiting > 0 && (rec.Waiting[0].Barcode != out.Barcode || rec.Waiting[0].State != register.Issued) {
			t.Errorf("%s: badges without a report: %+v, want %d", c.who, rec.Waiting, c.waiting)
		}
	}
	if rec, err := h.web.WearerRecord(t.Context(), h.auth, w2, 0); err != nil || len(rec.Levels) != 1 || rec.Levels[0].Dose != 6000 {
		t.Errorf("the employer's own levels: %+v, %v", rec, err)
	}

	high := h.badge(h.org, other, time.January)
	h.dispatch(high)
	h.imported(file(line{Dispatched: high, deep: "25.00"})) // opens an investigation
	// One for each question: what else the same one is refused within a minute is summed up in a later entry.
	stranger := func() vc.Auth {
		return h.signIn(vc.NewUser{Name: "Rhys Pugh", Role: policy.Supervisor, Organisations: []id.Organisation{second}})
	}
	for who, ask := range map[string]func() error{
		"another organisation's supervisor": func() error { _, err := h.web.WearerRecord(t.Context(), stranger(), w, 0); return err },
		"another wearer":                    func() error { _, err := h.web.WearerRecord(t.Context(), self, other, 0); return err },
		"an operator": func() error {
			_, err := h.web.WearerRecord(t.Context(), h.signIn(vc.NewUser{Name: "Op", Role: policy.Operator}), w, 0)
			return err
		},
		"a data protection officer": func() error {
			a := h.signIn(vc.NewUser{Name: "DPO", Role: policy.DataProtection, Organisations: []id.Organisation{h.org}})
			_, err := h.web.WearerRecord(t.Context(), a, w, 0)
			return err
		},
		"another organisation's supervisor, investigations": func() error { _, err := h.web.Investigations(t.Context(), stranger(), h.org); return err },
	} {
		before := h.entries(h.org, "refuse")
		if err := ask(); !denied(err) {
			t.Errorf("%s: error %v, want a refusal", who, err)
		}
		if h.entries(h.org, "refuse") != before+1 {
			t.Errorf("%s: the refusal is not in the ledger", who)
		}
	}
	if rec, err := h.web.WearerRecord(t.Context(), h.auth, id.New[id.Wearer](), 0); !errors.Is(err, register.ErrNotFound) {
		t.Errorf("the record of nobody is %+v, %v", rec, err)
	}
}

// TestOneLookIsFewEntries: a page of a wearer, names and doses of all years, enters one reveal of the wearer, and for an employer's side one of the organisation's
// own rows; a co-ordinator's, one more of which employments are one person's.
func TestOneLookIsFewEntries(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	jan, feb := h.badge(h.org, w, time.January), h.badge(h.org, w, time.February)
	h.dispatch(jan, feb)
	h.imported(file(line{Dispatched: jan, deep: "16.00"}, line{Dispatched: feb, deep: "1.00"}))
	for _, c := range []struct {
		who     string
		auth    vc.Auth
		fields  policy.Fields
		entries int
	}{
		{"the co-ordinator", h.auth, policy.FieldName | policy.FieldStaffNumber, 3},
		{"a supervisor", h.user(policy.Supervisor, h.org), policy.FieldName | policy.FieldStaffNumber, 2},
		{"the wearer", h.signIn(vc.NewUser{Name: "Siân Ŵyn-Jones", Role: policy.Wearer, Wearers: []id.Wearer{w}}), policy.FieldName | policy.FieldBirth | policy.FieldStaffNumber, 1},
		{"a supervisor, of doses alone", h.user(policy.Supervisor, h.org), 0, 2},
	} {
		before := h.entries(h.org, "reveal")
		rec, err := h.web.WearerRecord(t.Context(), c.auth, w, c.fields)
		h.ok(err)
		if n := h.entries(h.org, "reveal") - before; n != c.entries {
			t.Errorf("%s: %d entries, want %d", c.who, n, c.entries)
		}
		if len(rec.Reports) != 2 || (c.fields != 0) != (len(rec.Records) == 1 && rec.Records[0].Wearer == w && rec.Records[0].Identity.Surname.Expose() == "Ŵyn-Jones") {
			t.Errorf("%s: the record is %+v", c.who, rec)
		}
		if c.fields&policy.FieldBirth == 0 && len(rec.Records) == 1 && !rec.Records[0].Identity.Birth.IsZero() {
			t.Errorf("%s: a date of birth came that was not asked for", c.who)
		}
		page, err := h.v.Ledger(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, vc.LedgerRequest{Organisation: h.org, Wearer: w, Limit: 2})
		h.ok(err)
		e := page.Entries[0]
		if c.who == "the wearer" && e.Kind != "reveal" {
			e = page.Entries[1]
		}
		if want := c.fields | policy.FieldEmployment | policy.FieldDose; e.Kind != "reveal" || e.Fields != want {
			t.Errorf("%s: the entry is %+v, want the fields %v", c.who, e, want)
		}
	}
	// What is taken along as a file is entered with the file's number.
	taken := h.signIn(vc.NewUser{Name: "Siân Ŵyn-Jones", Role: policy.Wearer, Wearers: []id.Wearer{w}})
	taken.Export = id.New[id.Export]()
	_, err := h.web.WearerRecord(t.Context(), taken, w, policy.FieldName|policy.FieldBirth)
	h.ok(err)
	if got := h.received(taken.Export); len(got) != 1 || got[w] != policy.FieldName|policy.FieldBirth|policy.FieldEmployment|policy.FieldDose {
		t.Errorf("the export received %v", got)
	}
	var refused *vc.Error
	if _, err := h.web.WearerRecord(t.Context(), h.user(policy.Supervisor, h.org), w, policy.FieldName|policy.FieldNI); !errors.As(err, &refused) || refused.Code != vc.Refused {
		t.Errorf("a supervisor who asks for the NI number too: %v", err)
	}
}

// New, changed and the same; all of a list or nothing.
func TestTakingOn(t *testing.T) {
	h := newHouse(t)
	a, b := h.joiner(h.org), h.joiner(h.org)
	take := func(js ...register.Joiner) register.Taken {
		t.Helper()
		taken, err := h.web.TakeOn(t.Context(), h.auth, js, nil, "HR")
		h.ok(err)
		return taken
	}
	counts := func(x register.Taken) string {
		return fmt.Sprintf("%d new, %d changed, %d same", x.New, x.Changed, x.Same)
	}
	first := take(a, b)
	if got := counts(first) + "; " + counts(take(a, b)); got != "2 new, 0 changed, 0 same; 0 new, 0 changed, 2 same" {
		t.Errorf("a list, and the same again: %s", got)
	}
	a.Identity.Surname = person.NewValue("Prŷs")
	if got := counts(take(a, b)); got != "0 new, 1 changed, 1 same" {
		t.Errorf("after a wedding: %s", got)
	}
	b.Employment.Department = "Llawdriniaeth"
	x := take(a, b, h.joiner(h.org))
	if got := counts(x); got != "1 new, 1 changed, 1 same" || x.Wearers[0] != first.Wearers[0] || x.Wearers[1] != first.Wearers[1] {
		t.Errorf("after a move: %s, %v then %v", got, first.Wearers, x.Wearers)
	}
	if got := h.record(first.Wearers[1]).Employment; got.Department != "Llawdriniaeth" || got.JobTitle != "Radiographer" {
		t.Errorf("the department is %+v", got)
	}
	leaver := a
	leaver.To = day.Of(2026, 8, 31)
	if got := counts(take(leaver)); got != "0 new, 1 changed, 0 same" {
		t.Errorf("a leaver: %s", got)
	}
	// A list without the column for leaving does not take them back.
	silent := a
	silent.KeepTo, silent.KeepClassified, silent.From = true, true, 0
	if got := counts(take(silent)); got != "0 new, 0 changed, 1 same" {
		t.Errorf("a list that says nothing of leaving: %s", got)
	}

	// One row that is wrong, and nothing of the list is stored.
	good, wrong := h.joiner(h.org), h.joiner(h.org)
	for what, spoil := range map[string]func(j *register.Joiner){
		"no staff number":          func(j *register.Joiner) { j.Identity.StaffNumber = person.Value{} },
		"nobody's name":            func(j *register.Joiner) { j.Identity.Surname = person.Value{} },
		"a day that is none":       func(j *register.Joiner) { j.Identity.Birth = person.NewValue("1985-02-30") },
		"an NI number, unclassed":  func(j *register.Joiner) { j.NI = person.NewValue("AB123456C") },
		"a wrong NI number":        func(j *register.Joiner) { j.NI, j.Classified = person.NewValue("QQ123456C"), true },
		"gone before they came":    func(j *register.Joiner) { j.To = j.From - 1 },
		"the same staff number":    func(j *register.Joiner) { j.Identity.StaffNumber = good.Identity.StaffNumber },
		"an unknown organisation":  func(j *register.Joiner) { j.Organisation = id.New[id.Organisation]() },
		"an unknown same person":   func(j *register.Joiner) { j.SamePerson = id.New[id.Wearer]() },
		"a name of control bytes":  func(j *register.Joiner) { j.Identity.Forenames = person.NewValue("S\x00n") },
		"an address without an at": func(j *register.Joiner) { j.Contact.Email = person.NewValue("nobody") },
	} {
		j := wrong
		spoil(&j)
		_, err := h.web.TakeOn(t.Context(), h.auth, []register.Joiner{good, j}, nil, "HR")
		var e *vc.Error
		if !errors.As(err, &e) || e.Code != vc.Invalid && e.Code != vc.Refused {
			t.Errorf("%s: error %v, want one that says what is wrong", what, err)
		}
		found, err := h.v.FindStaff(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, policy.IssueBadges, []vc.StaffKey{{Organisation: h.org, StaffNumber: good.Identity.StaffNumber}})
		h.ok(err)
		if !found[0].IsZero() {
			t.Fatalf("%s: the other one of the list was taken on", what)
		}
		h.settled(what)
	}
	if got := counts(take(good)); got != "1 new, 0 changed, 0 same" {
		t.Errorf("the good one, alone: %s", got)
	}
}

// A badge worn for an unborn child looks like another badge that is not counted, and its dose is nobody else's.
func TestAFoetalBadge(t *testing.T) {
	h := newHouse(t)
	j := h.joiner(h.org)
	j.Health = register.Health{Declared: day.Of(2026, 4, 1)}
	w := h.takeOn(j)[0]
	own, foetal := h.badge(h.org, w, time.May), h.badge(h.org, w, time.May)
	foetal.Position = dose.Foetal
	h.dispatch(own, foetal)
	im, p := h.imported(file(line{Dispatched: own, deep: "0.20"}, line{Dispatched: foetal, deep: "0.90"}))
	if im.State != register.Done || p.Accepted != 2 {
		t.Fatalf("the import is %s (%s), refused:\n%s", im.State, im.Failure, texts(p.Refused))
	}
	rec := h.record(w)
	if m, n := total(rec, dose.Effective, 2026); m != 200 || n != 1 {
		t.Errorf("the wearer's own effective dose is %d µSv of %d badges, want 200 of 1", m, n)
	}
	for _, r := range rec.Reports {
		if r.Wear.Position != dose.WholeBody {
			t.Errorf("a badge of the record says %s: only the health row may say that one is foetal", r.Wear.Position)
		}
	}
}

// History is stored whole or not at all, wherever it is cut off.
func TestRowsAreAllOrNothing(t *testing.T) {
	h := newHouse(t)
	desk, auth := h.atDesk()
	var w id.Wearer
	var rows []labfile.Row
	cutEverywhere(h, func(f *fuse) error {
		w = h.takeOn(h.joiner(h.org))[0]
		rows = rows[:0]
		for i, m := range []time.Month{time.January, time.February} {
			b := h.badge(h.org, w, m)
			h.dispatch(b)
			rows = append(rows, labfile.Row{Number: i + 1, Account: "700123", Barcode: b.Barcode, Position: dose.WholeBody, From: b.From, To: b.To, Scanned: b.To + 10,
				Readings: []dose.Reading{{Quantity: dose.Hp10, Dose: 8000, Qualifier: dose.Measured}}})
		}
		_, err := h.service("cli", f).ImportRows(t.Context(), auth, "Cardiff Dosimetry", rows)
		return err
	}, func(where string, err error) {
		h.settled(where)
		if n := len(h.record(w).Reports); n != 0 && n != 2 || err == nil && n != 2 {
			t.Errorf("%s: %d of 2 rows are stored, error %v", where, n, err)
		} else if n == 0 { // they can be given again
			_, err := desk.ImportRows(t.Context(), auth, "Cardiff Dosimetry", rows)
			h.ok(err)
		}
		rec := h.record(w)
		if m, n := total(rec, dose.Effective, 2026); m != 16_000 || n != 2 || len(rec.Investigations) == 0 {
			t.Errorf("%s: %d µSv of %d badges, %d investigations", where, m, n, len(rec.Investigations))
		}
	})
	// One row that does not fit, and none is stored.
	bad := rows[0]
	bad.Barcode = "nobody's"
	_, err := desk.ImportRows(t.Context(), auth, "Cardiff Dosimetry", []labfile.Row{bad})
	var input *register.InputError
	if !errors.As(err, &input) {
		t.Errorf("a row that does not fit: error %v, want an InputError", err)
	}
	h.ok(h.worker.Reconcile(t.Context()))
	h.settled("after a refused row")
}

// Whatever a file is mixed of, each row is stored, refused or ignored, and what is stored is in the record.
func TestRowsAddUp(t *testing.T) {
	h := newHouse(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := h.takeOn(h.joiner(h.org))[0]
		var dispatched []register.Dispatched
		var lines []line
		wantRefused, wantIgnored := 0, 0
		var sum dose.MicroSv
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"good", "good", "blank", "unknown", "account", "text", "twice", "period"}), 0, 8).Draw(rt, "rows")
		kinds = append(kinds, "good") // so that no two files are the same
		for i, kind := range kinds {
			b := h.badge(h.org, w, time.Month(1+i))
			l := line{Dispatched: b, deep: fmt.Sprintf("0.%02d", rapid.IntRange(1, 99).Draw(rt, "dose"))}
			if kind != "unknown" && kind != "blank" {
				dispatched = append(dispatched, b)
			}
			var m dose.MicroSv
			fmt.Sscanf(l.deep, "0.%d", &m)
			m *= 10
			switch kind {
			case "blank":
				l = line{}
				wantIgnored++
			case "unknown":
				wantRefused++
			case "account":
				l.account = "700999"
				wantRefused++
			case "text":
				l.deep = "n/a"
				wantRefused++
			case "period":
				l.To--
				wantRefused++
			case "twice":
				lines = append(lines, l)
				wantRefused++
				sum += m
			case "good":
				sum += m
			}
			lines = append(lines, l)
		}
		if len(dispatched) > 0 {
			h.dispatch(dispatched...)
		}
		im, p := h.preview(file(lines...))
		if p == nil {
			rt.Fatalf("no preview: %s", im.Failure)
		}
		if p.In != len(lines) || p.Stored+p.Counts.Refused+p.Counts.Ignored != p.In || p.Counts.Refused != wantRefused || p.Counts.Ignored != wantIgnored || len(p.Refused) != wantRefused {
			rt.Fatalf("%v: %+v, want %d rows, %d refused, %d ignored\n%s", kinds, p.Counts, len(lines), wantRefused, wantIgnored, texts(p.Refused))
		}
		h.accept(im.ID)
		_, err := work(t.Context(), h.worker)
		h.ok(err)
		im, err = h.store.Import(t.Context(), im.ID)
		h.ok(err)
		rec := h.record(w)
		if m, _ := total(rec, dose.Effective, 2026); im.State != register.Done || m != sum || len(rec.Reports) != p.Stored {
			rt.Fatalf("%v: the import is %s (%s), %d µSv in %d reports, want %d in %d", kinds, im.State, im.Failure, m, len(rec.Reports), sum, p.Stored)
		}
	})
}
