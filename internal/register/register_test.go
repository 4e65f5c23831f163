package register_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/register"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

func (h *house) accept(n id.Import) {
	h.Helper()
	h.ok(h.web.Accept(h.Context(), h.auth, n))
}

// From a list of people to doses against limits.
func TestFromAFileToDoses(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org), h.joiner(h.org))
	jan, feb, other, control := h.badge(h.org, ws[0], time.January), h.badge(h.org, ws[0], time.February), h.badge(h.org, ws[1], time.January), h.badge(h.org, id.Wearer{}, time.January)
	control.Position = dose.Control
	h.dispatch(jan, feb, other, control)

	im, p := h.imported(file(line{Dispatched: control}, line{Dispatched: jan, deep: "0.35"}, line{}, line{Dispatched: feb, deep: "0.40"}, line{Dispatched: other}))
	if im.State != register.Done || im.Counts != (register.Counts{In: 5, Stored: 4, Ignored: 1}) || p.Accepted != 4 || len(p.Notices) != 0 {
		t.Errorf("the import is %s (%s) with %+v, its preview %+v", im.State, im.Failure, im.Counts, p)
	}
	rec := h.record(ws[0])
	if m, n := total(rec, dose.Effective, 2026); m != 750 || n != 2 {
		t.Errorf("effective dose %d µSv of %d badges, want 750 of 2", m, n)
	}
	if rec.Employment.Department != "Cathlab" || len(rec.Reports) != 2 || rec.Reports[0].From != feb.From || rec.Reports[1].Barcode != jan.Barcode {
		t.Errorf("the record is %+v", rec)
	}
	if m, n := total(h.record(ws[1]), dose.Effective, 2026); m != 0 || n != 1 {
		t.Errorf("the other one's effective dose is %d µSv of %d badges, want 0 of 1", m, n)
	}
	// People, dispatch and results: an entry for each.
	if n := h.entries(h.org, "import"); n != 3 {
		t.Errorf("%d imports are in the ledger, want 3", n)
	}
	if n := h.entries(h.org, "refuse"); n != 0 {
		t.Errorf("%d refusals are in the ledger", n)
	}
}

// Each row that can't be stored is refused with its number, column and reason; the others are stored.
func TestRefusedRows(t *testing.T) {
	h := newHouse(t)
	elsewhere := h.organisation("Ysbyty Glan-y-Nant", "700456")
	ws, them := h.takeOn(h.joiner(h.org)), h.takeOn(h.joiner(elsewhere))
	good, twice, newer, period, control := h.badge(h.org, ws[0], time.January), h.badge(h.org, ws[0], time.February), h.badge(h.org, ws[0], time.March), h.badge(h.org, ws[0], time.April), h.badge(h.org, id.Wearer{}, time.January)
	control.Position = dose.Control
	theirs, theirs2 := h.badge(elsewhere, them[0], time.January), h.badge(elsewhere, them[0], time.February)
	eye, unknown, future := h.badge(h.org, ws[0], time.May), h.badge(h.org, ws[0], time.June), h.badge(h.org, ws[0], time.July)
	eye.Position = dose.Eye
	h.dispatch(good, twice, newer, period, control, theirs, theirs2, eye, future)
	h.imported(file(line{Dispatched: twice, deep: "0.10"}, line{Dispatched: newer, deep: "0.10", version: 2}))

	moved := period
	moved.To++
	bytesIn := file(
		line{Dispatched: good, deep: "0.12"},
		line{Dispatched: unknown},
		line{Dispatched: theirs},                       // another organisation's badge under our account
		line{Dispatched: theirs2, account: "700999"},   // an account of nobody
		line{Dispatched: moved},                        // another period
		line{Dispatched: eye, use: "CHEST"},            // another position
		line{Dispatched: control, use: "CHEST"},        // a control badge that was worn
		line{Dispatched: twice, deep: "0.20"},          // stored already
		line{Dispatched: newer, version: 1},            // a newer version is stored
		line{Dispatched: future, scan: "2026-12-24"},   // not read yet
		line{Dispatched: future, deep: "0,35"},         // not a dose
		line{},                                         // blank
		line{Dispatched: twice, version: 1, deep: "M"}, // a re-issue
	)
	im, p := h.imported(bytesIn)
	got := texts(p.Refused)
	for i, want := range []string{
		"3 Serial Number: ", "4 Serial Number: ", "5 Account Number: ", "6 Period Begin Date: the badge was issued for 2026-04-01 to 2026-04-30", "7 Use: ", "8 Use: ",
		"9 Version: ", "10 Version: version 2 ", "11 Scan Date: ", "12 Current DDE: ",
	} {
		if lines := strings.Split(got, "\n"); i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("refusal %d does not begin with %q in\n%s", i, want, got)
		}
	}
	if im.State != register.Done || im.Counts != (register.Counts{In: 13, Stored: 2, Refused: 10, Ignored: 1}) || p.Reissues != 1 {
		t.Errorf("the import is %s (%s) with %+v and %d re-issues", im.State, im.Failure, im.Counts, p.Reissues)
	}
	if n := im.Counts; n.In != n.Stored+n.Refused+n.Ignored {
		t.Errorf("rows do not add up: %+v", n)
	}
	rec := h.record(ws[0])
	var versions []string
	for _, r := range rec.Reports {
		versions = append(versions, fmt.Sprintf("%s v%d superseded %t", r.From, r.Version, r.Superseded))
	}
	if got := strings.Join(versions, "; "); got != "2026-03-01 v2 superseded false; 2026-02-01 v1 superseded false; 2026-02-01 v0 superseded true; 2026-01-01 v0 superseded false" {
		t.Errorf("reports: %s", got)
	}
	if m, n := total(rec, dose.Effective, 2026); m != 220 || n != 3 {
		t.Errorf("effective dose %d µSv of %d badges, want 220 of 3", m, n)
	}

	// The refused rows come back as they stood, and can be loaded again once they are right.
	var out bytes.Buffer
	h.ok(h.web.WriteRefused(t.Context(), h.auth, im.ID, &out))
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 11 || !bytes.Contains(out.Bytes(), []byte("0,35")) || bytes.Contains(out.Bytes(), []byte(good.Barcode)) {
		t.Errorf("refused rows as written:\n%s", &out)
	}
	corrected := bytes.ReplaceAll(out.Bytes(), []byte(`"0,35"`), []byte("0.35"))
	_, p = h.preview(corrected)
	if p.Accepted != 1 || len(p.Refused) != 9 {
		t.Errorf("the corrected file: %d accepted, refused:\n%s", p.Accepted, texts(p.Refused))
	}
}

func TestNotices(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org))
	wrongName, late := h.badge(h.org, ws[0], time.May), h.badge(h.org, ws[0], time.February)
	h.dispatch(wrongName, late)
	_, p := h.imported(file(line{Dispatched: wrongName, name: "DAVIES ANDRÉ"}, line{Dispatched: late, scan: (late.To + 121).String()}))
	if got := texts(p.Notices); got != "2 Participant Name: label differs: check assignment\n3 Scan Date: read 121 days after the end of its period" {
		t.Errorf("notices:\n%s", got)
	}
	if p.Accepted != 2 {
		t.Errorf("%d rows were accepted, want 2", p.Accepted)
	}
}

func TestTheSameFileAgain(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org))
	b := h.badge(h.org, ws[0], time.May)
	h.dispatch(b)
	f := file(line{Dispatched: b, deep: "0.35"})
	waiting, err := h.web.Receive(t.Context(), h.auth, f, "Cardiff Dosimetry") // received twice before either was imported
	h.ok(err)
	h.ok(func() error { _, err := work(t.Context(), h.worker); return err }())
	h.imported(f)
	h.accept(waiting)
	h.ok(func() error { _, err := work(t.Context(), h.worker); return err }())
	im, err := h.store.Import(t.Context(), waiting)
	h.ok(err)
	if im.State != register.Failed || im.Failure == "" {
		t.Errorf("a file whose rows came in another import meanwhile is %s (%q), want failed with a reason", im.State, im.Failure)
	}
	_, err = h.web.Receive(t.Context(), h.auth, f, "Cardiff Dosimetry")
	var input *register.InputError
	if !errors.As(err, &input) {
		t.Errorf("the same file again: error %v, want an InputError", err)
	}
	if m, n := total(h.record(ws[0]), dose.Effective, 2026); m != 350 || n != 1 {
		t.Errorf("effective dose %d µSv of %d badges, want 350 of 1", m, n)
	}
}

// What can't be read is refused as a whole, with line and column, and nothing is stored.
func TestFilesThatAreWrong(t *testing.T) {
	h := newHouse(t)
	good := file()
	for what, b := range map[string][]byte{
		"an image":        {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0},
		"other headings":  []byte("Surname,Birth\nJones,1980-01-01\n"),
		"10,000 columns":  bytes.Repeat([]byte("a,"), 10_000),
		"cut in a quote":  append(bytes.Clone(good), `700123,"Ysb`...),
		"headings cut":    good[:200],
		"no line at all":  []byte("\n"),
		"bare text":       []byte("Annwyl Siân,"),
		"a missing field": append(bytes.Clone(good), "700123,Ysbyty\n"...),
	} {
		im, p := h.preview(b)
		refused := p != nil && p.Accepted == 0 && len(p.Refused) == 1 && what == "a missing field"
		if !refused && (im.State != register.Failed || im.Failure == "" || p != nil) {
			t.Errorf("%s: the import is %s (%q), with preview %+v", what, im.State, im.Failure, p)
		}
	}
	if _, err := h.web.Receive(t.Context(), h.auth, nil, "Cardiff Dosimetry"); err == nil {
		t.Error("an empty file was received")
	}
}

// A badge that is reported twice in one file counts with its newest version only, in the evaluation of that file too.
func TestVersionsInOneFile(t *testing.T) {
	for name, versions := range map[string][]line{
		"in order":      {{deep: "9.00"}, {deep: "8.00", version: 1}},
		"out of order":  {{deep: "8.00", version: 1}, {deep: "9.00"}},
		"with a gap":    {{deep: "9.00", version: 1}, {deep: "7.00", version: 3}, {deep: "8.00", version: 2}},
		"the older one": {{deep: "19.00"}, {deep: "8.00", version: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			ws := h.takeOn(h.joiner(h.org))
			b := h.badge(h.org, ws[0], time.May)
			h.dispatch(b)
			for i := range versions {
				versions[i].Dispatched = b
			}
			im, _ := h.imported(file(versions...))
			if im.State != register.Done || im.Stored != len(versions) {
				t.Fatalf("the import is %s (%s) with %+v", im.State, im.Failure, im.Counts)
			}
			if found := h.record(ws[0]).Investigations; len(found) != 0 {
				t.Errorf("8 mSv at most opened %+v", found)
			}
		})
	}
}

// One badge can't be reported at two positions under one version: that must not stop the worker.
func TestOneBadgeAtTwoPositions(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org))
	b := h.badge(h.org, ws[0], time.May)
	b.Position = dose.Foetal
	h.dispatch(b)
	im, p := h.imported(file(line{Dispatched: b, deep: "0.01"}, line{Dispatched: b, deep: "0.02", use: "CHEST"}))
	if im.State != register.Done || p.Accepted != 1 || len(p.Refused) != 1 {
		t.Errorf("the import is %s (%s); accepted %d, refused:\n%s", im.State, im.Failure, p.Accepted, texts(p.Refused))
	}
}

func TestInvestigations(t *testing.T) {
	h := newHouse(t)
	second := h.organisation("Ysbyty Glan-y-Nant", "700456")
	one := h.joiner(h.org)
	w := h.takeOn(one)[0]
	again := h.joiner(second)
	again.SamePerson = w
	w2 := h.takeOn(again)[0]
	var mine, theirs []register.Dispatched
	for _, m := range []time.Month{time.January, time.February, time.March, time.April} {
		mine, theirs = append(mine, h.badge(h.org, w, m)), append(theirs, h.badge(second, w2, m))
	}
	h.dispatch(append(mine, theirs...)...)
	opened := func() string {
		var s []string
		for _, org := range []id.Organisation{h.org, second} {
			vs, err := h.web.Investigations(t.Context(), h.auth, org)
			h.ok(err)
			for _, v := range vs {
				s = append(s, fmt.Sprintf("%v %d: %d above %d, overexposure %t", v.Kind, v.Year, v.Dose, v.Bound, v.Overexposure))
			}
		}
		return strings.Join(s, "; ")
	}
	h.imported(file(line{Dispatched: mine[0], deep: "8.00"}))
	if got := opened(); got != "" {
		t.Fatalf("8 mSv opened %s", got)
	}
	// The two employments together pass the level of 15 mSv.
	h.imported(file(line{Dispatched: theirs[0], account: "700456", deep: "8.00"}))
	level := "effective 2026: 16000 above 15000, overexposure false"
	if got := opened(); strings.Count(got, "effective") != 1 || !strings.Contains(got, level) {
		t.Fatalf("16 mSv over two employments opened %s", got)
	}
	// More of the same year opens nothing new, whichever employment it comes from.
	h.imported(file(line{Dispatched: mine[1], deep: "1.00"}))
	h.imported(file(line{Dispatched: theirs[1], account: "700456", deep: "1.00"}))
	if got := opened(); strings.Count(got, "effective") != 1 {
		t.Fatalf("18 mSv, after the level was passed, opened %s", got)
	}
	// Above the limit of 20 mSv: an overexposure, once.
	h.imported(file(line{Dispatched: mine[2], deep: "3.00"}))
	h.imported(file(line{Dispatched: mine[3], deep: "0.10"}))
	if got := opened(); strings.Count(got, "effective 2026: 21000 above 20000, overexposure true") != 1 || strings.Count(got, "effective 2026") != 2 {
		t.Fatalf("21 mSv opened %s", got)
	}
	if rec := h.record(w); rec.Employments != 2 || len(rec.Reports) != 6 {
		t.Errorf("the record has %d reports over %d employments, want 6 over 2", len(rec.Reports), rec.Employments)
	}
}

// A list that says nothing of somebody's health or department leaves them as they are.
func TestAListChangesOnlyWhatItSays(t *testing.T) {
	h := newHouse(t)
	j := h.joiner(h.org)
	j.Health = register.Health{Declared: day.Of(2026, 1, 1)}
	w := h.takeOn(j)[0]
	b := h.badge(h.org, w, time.May)
	h.dispatch(b)

	plain := register.Joiner{Organisation: h.org, From: j.From, Identity: person.Identity{Surname: j.Identity.Surname, StaffNumber: j.Identity.StaffNumber}}
	taken, err := h.web.TakeOn(t.Context(), h.auth, []register.Joiner{plain}, nil, "HR")
	h.ok(err)
	if taken.New != 0 || taken.Wearers[0] != w {
		t.Fatalf("the same staff number was taken on as %+v", taken)
	}
	if got := h.record(w).Employment; got != j.Employment {
		t.Errorf("employment became %+v, want %+v as before", got, j.Employment)
	}
	// The limit for the unborn child is 1 mSv: it still holds.
	h.imported(file(line{Dispatched: b, deep: "1.50"}))
	vs, err := h.web.Investigations(t.Context(), h.auth, h.org)
	h.ok(err)
	if len(vs) != 1 || vs[0].Kind != dose.Foetus || !vs[0].Overexposure {
		t.Errorf("1.5 mSv after a declared pregnancy opened %+v, want the foetus' limit", vs)
	}
}

// A list with one wrong badge stores none, and leaves nothing behind.
func TestDispatchListsThatAreWrong(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org))
	known := h.badge(h.org, ws[0], time.May)
	h.dispatch(known)
	for what, spoil := range map[string]func(*register.Dispatched){
		"no barcode":             func(d *register.Dispatched) { d.Barcode = "" },
		"a barcode with a break": func(d *register.Dispatched) { d.Barcode = "B1\x00B" },
		"a long batch":           func(d *register.Dispatched) { d.Batch = strings.Repeat("B", 41) },
		"an end before":          func(d *register.Dispatched) { d.To = d.From - 1 },
		"a known barcode":        func(d *register.Dispatched) { d.Barcode = known.Barcode },
		"somebody else's wearer": func(d *register.Dispatched) { d.Organisation = h.organisation("Ysbyty Glan-y-Nant", "700456") },
	} {
		good, bad := h.badge(h.org, ws[0], time.June), h.badge(h.org, ws[0], time.June)
		spoil(&bad)
		if _, err := h.web.Dispatch(t.Context(), h.auth, []register.Dispatched{good, bad}, "x"); err == nil {
			t.Errorf("%s was stored", what)
		}
		found, err := h.store.Periods(t.Context(), []string{good.Barcode})
		h.ok(err)
		if len(found) != 0 {
			t.Errorf("%s: the other badge was stored", what)
		}
		h.settled(what)
	}
}

// A person's leave is needed for each step, and an ended session gives none.
func TestStepsNeedLeave(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org))
	b := h.badge(h.org, ws[0], time.May)
	h.dispatch(b)
	nobody := vc.Auth{Session: strings.Repeat("a", 43)}
	refused := func(what string, err error) {
		t.Helper()
		var e *vc.Error
		if !errors.As(err, &e) {
			t.Errorf("%s without a session: error %v, want the vault's", what, err)
		}
	}
	_, err := h.web.Receive(t.Context(), nobody, file(line{Dispatched: b}), "x")
	refused("receiving", err)
	_, err = h.web.Dispatch(t.Context(), nobody, []register.Dispatched{h.badge(h.org, ws[0], time.June)}, "x")
	refused("dispatching", err)
	_, err = h.web.TakeOn(t.Context(), nobody, []register.Joiner{h.joiner(h.org)}, nil, "x")
	refused("taking on", err)
	_, err = h.web.ImportRows(t.Context(), nobody, "x", []labfile.Row{})
	refused("importing rows", err)
	_, err = h.web.WearerRecord(t.Context(), nobody, ws[0], 0)
	refused("reading", err)
	_, _, err = h.web.Overview(t.Context(), nobody)
	refused("an overview", err)
	refused("settings", h.web.SetSettings(t.Context(), nobody, h.org, register.Settings{}))
	im, _ := h.preview(file(line{Dispatched: b}))
	_, _, err = h.web.PreviewOf(t.Context(), nobody, im.ID)
	refused("a preview", err)
	refused("accepting", h.web.Accept(t.Context(), nobody, im.ID))
	refused("refused rows", h.web.WriteRefused(t.Context(), nobody, im.ID, &bytes.Buffer{}))
}
