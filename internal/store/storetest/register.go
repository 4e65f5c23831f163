// Package storetest has the suites that every implementation of a store must
// pass: what the interfaces' comments promise, one test for each promise. It
// knows no database, and only tests import it.
package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
)

// Register runs the suite on a register's store. open opens an empty one; reopen opens the same one once more, beside the first.
func Register(t *testing.T, open func(t *testing.T) (s register.Store, reopen func() register.Store)) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s register.Store, reopen func() register.Store)
	}{
		{"organisations", organisations},
		{"an import is created once", createImport},
		{"imports are listed newest first", listImports},
		{"an import moves only from where it is", move},
		{"an import is claimed by one", claim},
		{"an import is its holder's", held},
		{"what a holder left is taken over by one", takenOver},
		{"documents", documents},
		{"rows come back as they were stored", rowsComeBack},
		{"many rows", manyRows},
		{"a commit is all or nothing", allOrNothing},
		{"a reading is never replaced", neverReplaced},
		{"only stored files count as imported", importOf},
		{"states", states},
		{"a cancelled commit stores nothing", cancelled},
		{"a badge moves once", moveBadges},
		{"a move is taken back by who made it", undoMove},
		{"badges of an organisation", badges},
		{"profiles", profiles},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, reopen := open(t)
			c.run(t, s, reopen)
		})
	}
}

var ctx = context.Background()

// at is a fixed instant, in the microseconds that stores keep.
var at = time.Date(2026, time.March, 12, 10, 4, 5, 678_000, time.UTC)

func anImport(state register.State) register.ImportRow {
	return register.ImportRow{ID: id.New[id.Import](), Kind: register.KindLaboratory, State: state, Grant: id.New[id.Grant](), Node: "web", SHA256: bytes.Repeat([]byte{7}, 32), Created: at}
}

func create(t *testing.T, s register.Store, im register.ImportRow) register.ImportRow {
	t.Helper()
	if err := s.CreateImport(ctx, im, nil); err != nil {
		t.Fatal(err)
	}
	return im
}

func check[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func organisations(t *testing.T, s register.Store, reopen func() register.Store) {
	a, b := id.New[id.Organisation](), id.New[id.Organisation]()
	must(t, s.SetOrganisation(ctx, a, []byte("one")))
	must(t, s.SetOrganisation(ctx, b, []byte("two")))
	must(t, s.SetOrganisation(ctx, a, []byte("three")))
	for _, from := range []register.Store{s, reopen()} {
		got, err := from.Organisations(ctx)
		must(t, err)
		check(t, "settings", got, map[id.Organisation][]byte{a: []byte("three"), b: []byte("two")})
	}
}

func createImport(t *testing.T, s register.Store, reopen func() register.Store) {
	im := anImport(register.Received)
	im.Counts = register.Counts{In: 9, Stored: 5, Refused: 3, Ignored: 1}
	im.Failure = "row 3, column 2"
	create(t, s, im)
	wantErr(t, "the same id again", s.CreateImport(ctx, im, nil), register.ErrExists)
	for _, from := range []register.Store{s, reopen()} {
		got, err := from.Import(ctx, im.ID)
		must(t, err)
		check(t, "import", got, im)
	}
	_, err := s.Import(ctx, id.New[id.Import]())
	wantErr(t, "an unknown import", err, register.ErrNotFound)

	bare := create(t, s, register.ImportRow{ID: id.New[id.Import](), Kind: register.KindPeople, State: register.Received, Node: "cli", Created: at})
	got, err := s.Import(ctx, bare.ID)
	must(t, err)
	if !got.Grant.IsZero() || len(got.SHA256) != 0 {
		t.Errorf("an import without grant and file got %v, %x", got.Grant, got.SHA256)
	}
}

func listImports(t *testing.T, s register.Store, _ func() register.Store) {
	none, total, err := s.Imports(ctx, 0, 10)
	must(t, err)
	if len(none) != 0 || total != 0 {
		t.Errorf("%d of %d imports in an empty store", len(none), total)
	}
	var want []id.Import
	for i := range 5 {
		im := anImport(register.Received)
		im.Created = at.Add(time.Duration(i) * time.Minute)
		create(t, s, im)
		want = append([]id.Import{im.ID}, want...)
	}
	got, total, err := s.Imports(ctx, 0, 3)
	must(t, err)
	check(t, "newest three", ids(got), want[:3])
	check(t, "all of them", total, 5)
	got, _, err = s.Imports(ctx, 3, 3)
	must(t, err)
	check(t, "the others", ids(got), want[3:])
	got, err = s.InState(ctx, register.Received)
	must(t, err)
	if len(got) != 5 {
		t.Errorf("%d imports are received, want 5", len(got))
	}
	got, err = s.InState(ctx, register.Done)
	must(t, err)
	if len(got) != 0 {
		t.Errorf("%d imports are done, want none", len(got))
	}
}

func ids(ims []register.ImportRow) (out []id.Import) {
	for _, im := range ims {
		out = append(out, im.ID)
	}
	return out
}

func move(t *testing.T, s register.Store, reopen func() register.Store) {
	im, other := create(t, s, anImport(register.Previewing)), create(t, s, anImport(register.Previewing))
	im.State, im.Counts, im.Failure = register.Previewed, register.Counts{In: 4, Stored: 2, Refused: 1, Ignored: 1}, "x"
	must(t, s.Move(ctx, register.Previewing, im))
	got, err := reopen().Import(ctx, im.ID)
	must(t, err)
	check(t, "after moving", got, im)
	got, err = s.Import(ctx, other.ID)
	must(t, err)
	check(t, "the other one", got, other)

	again := im
	again.State = register.Failed
	wantErr(t, "moving from where it was", s.Move(ctx, register.Previewing, again), register.ErrState)
	unknown := anImport(register.Failed)
	wantErr(t, "moving an unknown import", s.Move(ctx, register.Previewing, unknown), register.ErrState)
	got, err = s.Import(ctx, im.ID)
	must(t, err)
	check(t, "after refused moves", got, im)
}

func claim(t *testing.T, s register.Store, reopen func() register.Store) {
	_, err := s.Claim(ctx, register.Received, register.Previewing, hold())
	wantErr(t, "claiming where nothing waits", err, register.ErrNotFound)
	var order []id.Import
	for i := range 6 {
		im := anImport(register.Received)
		im.Created = at.Add(time.Duration(i) * time.Second)
		order = append(order, create(t, s, im).ID)
	}
	create(t, s, anImport(register.Confirmed))
	first, err := s.Claim(ctx, register.Received, register.Previewing, hold())
	must(t, err)
	if first.ID != order[0] || first.State != register.Previewing || first.Node != "web" || !first.Created.Equal(at) {
		t.Errorf("claimed %+v, want the oldest, %v, as %s", first, order[0], register.Previewing)
	}
	// Two workers at once: each import goes to one of them.
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := map[id.Import]int{}
	for _, worker := range []register.Store{s, reopen()} {
		wg.Go(func() {
			for {
				im, err := worker.Claim(ctx, register.Received, register.Previewing, hold())
				if errors.Is(err, register.ErrNotFound) {
					return
				}
				mu.Lock()
				if err != nil {
					t.Error(err)
					mu.Unlock()
					return
				}
				times[im.ID]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, n := range order[1:] {
		if times[n] != 1 {
			t.Errorf("an import was claimed %d times", times[n])
		}
	}
	left, err := s.InState(ctx, register.Confirmed)
	must(t, err)
	if len(left) != 1 {
		t.Errorf("%d imports of another state are left, want 1", len(left))
	}
}

func documents(t *testing.T, s register.Store, reopen func() register.Store) {
	im := anImport(register.Received)
	must(t, s.CreateImport(ctx, im, map[string][][]byte{"file": {[]byte("a"), []byte("b"), []byte("c")}, "other": {[]byte("o")}}))
	got, err := reopen().Document(ctx, im.ID, "file")
	must(t, err)
	check(t, "file", got, [][]byte{[]byte("a"), []byte("b"), []byte("c")})
	must(t, s.SetDocument(ctx, im.ID, "file", [][]byte{[]byte("d")}))
	got, err = s.Document(ctx, im.ID, "file")
	must(t, err)
	check(t, "file, shorter", got, [][]byte{[]byte("d")})
	got, err = s.Document(ctx, im.ID, "other")
	must(t, err)
	check(t, "the other document", got, [][]byte{[]byte("o")})
	_, err = s.Document(ctx, im.ID, "preview")
	wantErr(t, "a document that is not there", err, register.ErrNotFound)
	_, err = s.Document(ctx, id.New[id.Import](), "file")
	wantErr(t, "a document of an unknown import", err, register.ErrNotFound)
	if err := s.SetDocument(ctx, id.New[id.Import](), "file", [][]byte{[]byte("x")}); err == nil {
		t.Error("a document of an unknown import was kept")
	}
	wantErr(t, "an import with documents twice", s.CreateImport(ctx, im, map[string][][]byte{"file": {[]byte("e")}}), register.ErrExists)
	got, err = s.Document(ctx, im.ID, "file")
	must(t, err)
	check(t, "file, after the refused import", got, [][]byte{[]byte("d")})

	other := anImport(register.Received)
	must(t, s.CreateImport(ctx, other, map[string][][]byte{"file": {[]byte("f")}}))
	for _, end := range []register.State{register.Previewed, register.Declined, register.Failed} {
		from := im.State
		im.State = end
		must(t, s.Move(ctx, from, im))
		_, err = s.Document(ctx, im.ID, "file")
		if end.KeepsFile() {
			must(t, err)
			continue
		}
		wantErr(t, "the file of an import that is "+string(end), err, register.ErrNotFound)
		must(t, s.SetDocument(ctx, im.ID, "file", [][]byte{[]byte("g")}))
	}
	got, err = s.Document(ctx, other.ID, "file")
	must(t, err)
	check(t, "another import's file", got, [][]byte{[]byte("f")})
}

// sample is a small register: two organisations, two wearers, three badges, of which two were reported.
type sample struct {
	org, org2 id.Organisation
	w, w2     id.Wearer
	rows      register.Rows
	im        register.ImportRow
}

func newSample() *sample {
	x := &sample{org: id.New[id.Organisation](), org2: id.New[id.Organisation](), w: id.New[id.Wearer](), w2: id.New[id.Wearer](), im: anImport(register.Importing)}
	n := x.im.ID
	period := func(barcode string, org id.Organisation, w id.Wearer, month time.Month) register.PeriodRow {
		return register.PeriodRow{ID: id.New[id.Row](), Barcode: barcode, Batch: "B1", State: register.Issued, Organisation: org, Wearer: w,
			Starts: day.Of(2026, month, 1), Ends: day.Of(2026, month+1, 1) - 1, Import: n, Sealed: []byte("period " + barcode)}
	}
	x.rows = register.Rows{
		Wearers: []register.WearerRow{
			{ID: x.w, Organisation: x.org, Version: 1, Import: n, Sealed: []byte("employment"), Health: []byte("health")},
			{ID: x.w2, Organisation: x.org2, Version: 1, Import: n, Sealed: []byte("employment 2"), Health: []byte("health 2")},
		},
		Periods: []register.PeriodRow{
			period("A1", x.org, x.w, time.January),
			period("A2", x.org, x.w, time.February),
			period("C1", x.org, id.Wearer{}, time.January),
			period("B1", x.org2, x.w2, time.January),
		},
		Investigations: []register.InvestigationRow{{ID: id.New[id.Row](), Organisation: x.org, Tag: bytes.Repeat([]byte{9}, 16), Import: n, Sealed: []byte("investigation")}},
	}
	for i, p := range x.rows.Periods {
		if p.Barcode == "A2" {
			continue
		}
		x.rows.Readings = append(x.rows.Readings, register.ReadingRow{Period: p.ID, Wearer: p.Wearer, Version: 1, Import: n, Sealed: []byte("reading " + p.Barcode)})
		if i == 0 {
			x.rows.Readings = append(x.rows.Readings, register.ReadingRow{Period: p.ID, Wearer: p.Wearer, Version: 3, Import: n, Sealed: []byte("re-issue")})
		}
		x.rows.ReadingPeriods = append(x.rows.ReadingPeriods, p)
	}
	return x
}

// as returns the import in another state.
func (x *sample) as(s register.State) register.ImportRow {
	im := x.im
	im.State, im.In, im.Stored = s, 4, 4
	return im
}

func (x *sample) store(t *testing.T, s register.Store) *sample {
	t.Helper()
	create(t, s, x.im)
	must(t, s.Commit(ctx, register.Importing, x.as(register.Stored), register.Whole(&x.rows)))
	return x
}

// result is what the store should return of a wear period.
func (x *sample) result(barcode string) register.Result {
	for _, p := range x.rows.Periods {
		if p.Barcode != barcode {
			continue
		}
		r := register.Result{PeriodRow: p}
		for _, rd := range x.rows.Readings {
			if rd.Period == p.ID {
				r.Reports = append(r.Reports, rd)
				r.State = register.Read
			}
		}
		return r
	}
	return register.Result{}
}

func sorted(rs []register.Result) []register.Result {
	slices.SortFunc(rs, func(a, b register.Result) int { return cmp.Compare(a.Barcode, b.Barcode) })
	return rs
}

func byID(ws []register.WearerRow) []register.WearerRow {
	slices.SortFunc(ws, func(a, b register.WearerRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return ws
}

func rowsComeBack(t *testing.T, s register.Store, reopen func() register.Store) {
	x := newSample().store(t, s)
	for _, from := range []register.Store{s, reopen()} {
		got, err := from.Periods(ctx, []string{"B1", "nobody's", "a zero \x00 byte", "bytes \xff\xfe", "A1", "C1", "A2"})
		must(t, err)
		check(t, "by barcode", sorted(got), []register.Result{x.result("A1"), x.result("A2"), x.result("B1"), x.result("C1")})

		got, err = from.Worn(ctx, []id.Wearer{x.w, id.New[id.Wearer]()})
		must(t, err)
		check(t, "worn", sorted(got), []register.Result{x.result("A1"), x.result("A2")})
		got, err = from.Results(ctx, []id.Wearer{x.w, id.New[id.Wearer]()}, day.Of(2026, time.January, 31))
		must(t, err)
		check(t, "by wearer: A2 has no report", got, []register.Result{x.result("A1")})
		got, err = from.Results(ctx, []id.Wearer{x.w}, day.Of(2026, time.February, 1))
		must(t, err)
		check(t, "by wearer, since February", got, []register.Result(nil))

		got, err = from.ResultsOf(ctx, x.org, day.Of(2026, time.January, 1), day.Of(2026, time.February, 28))
		must(t, err)
		check(t, "by organisation: no control badge", sorted(got), []register.Result{x.result("A1"), x.result("A2")})
		got, err = from.ResultsOf(ctx, x.org, day.Of(2026, time.January, 31), day.Of(2026, time.January, 31))
		must(t, err)
		check(t, "by organisation, in January", got, []register.Result{x.result("A1")})

		ws, err := from.Wearers(ctx, []id.Wearer{id.New[id.Wearer](), x.w2, x.w})
		must(t, err)
		check(t, "wearers", byID(ws), byID(slices.Clone(x.rows.Wearers)))
		ws, err = from.WearersOf(ctx, x.org)
		must(t, err)
		check(t, "wearers of an organisation", byID(ws), byID(slices.DeleteFunc(slices.Clone(x.rows.Wearers), func(w register.WearerRow) bool { return w.Organisation != x.org })))

		vs, err := from.Investigations(ctx, x.org)
		must(t, err)
		check(t, "investigations", vs, x.rows.Investigations)
		vs, err = from.Investigations(ctx, x.org2)
		must(t, err)
		if len(vs) != 0 {
			t.Errorf("%d investigations of the other organisation", len(vs))
		}
		has, err := from.HasTags(ctx, [][]byte{bytes.Repeat([]byte{8}, 16), bytes.Repeat([]byte{9}, 16)})
		must(t, err)
		check(t, "tags", has, []bool{false, true})

		im, err := from.Import(ctx, x.im.ID)
		must(t, err)
		check(t, "import", im, x.as(register.Stored))

		rows, err := from.ImportRows(ctx, x.im.ID)
		must(t, err)
		check(t, "manifests of what is stored", register.Manifests(x.im.Kind, rows), register.Manifests(x.im.Kind, &x.rows))
	}
	for what, ask := range map[string]func() (int, error){
		"barcodes": func() (int, error) { r, err := s.Periods(ctx, nil); return len(r), err },
		"wearers":  func() (int, error) { r, err := s.Results(ctx, nil, 0); return len(r), err },
		"rows":     func() (int, error) { r, err := s.Wearers(ctx, nil); return len(r), err },
		"tags":     func() (int, error) { r, err := s.HasTags(ctx, nil); return len(r), err },
	} {
		if n, err := ask(); n != 0 || err != nil {
			t.Errorf("asking for no %s gave %d, %v", what, n, err)
		}
	}

	// A later import: a changed wearer, and a report of a badge that was dispatched before.
	later := create(t, s, anImport(register.Importing))
	next := register.Rows{
		Wearers:        []register.WearerRow{{ID: x.w, Organisation: x.org, Version: 2, Import: later.ID, Sealed: []byte("changed"), Health: []byte("too")}},
		Readings:       []register.ReadingRow{{Period: x.result("A2").ID, Wearer: x.w, Version: 1, Import: later.ID, Sealed: []byte("late reading")}},
		ReadingPeriods: []register.PeriodRow{x.result("A2").PeriodRow},
	}
	later.State = register.Stored
	must(t, s.Commit(ctx, register.Importing, later, register.Whole(&next)))
	ws, err := s.Wearers(ctx, []id.Wearer{x.w})
	must(t, err)
	check(t, "newest row of a wearer", ws, next.Wearers)
	ws, err = s.WearersOf(ctx, x.org)
	must(t, err)
	if i := slices.IndexFunc(ws, func(w register.WearerRow) bool { return w.ID == x.w }); i < 0 || ws[i].Version != 2 {
		t.Errorf("an organisation's newest rows are %v", ws)
	}
	for _, c := range []struct {
		im   id.Import
		rows *register.Rows
	}{{x.im.ID, &x.rows}, {later.ID, &next}} {
		rows, err := s.ImportRows(ctx, c.im)
		must(t, err)
		check(t, "manifests after the later import", register.Manifests("k", rows), register.Manifests("k", c.rows))
	}
}

func manyRows(t *testing.T, s register.Store, _ func() register.Store) {
	const n = 1203 // more than fits into one statement's list
	org := id.New[id.Organisation]()
	im := create(t, s, anImport(register.Importing))
	var rows register.Rows
	var wearers []id.Wearer
	var barcodes []string
	var tags [][]byte
	for i := range n {
		w, p := id.New[id.Wearer](), id.New[id.Row]()
		wearers, barcodes, tags = append(wearers, w), append(barcodes, fmt.Sprintf("B%05d", i)), append(tags, bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 8))
		rows.Wearers = append(rows.Wearers, register.WearerRow{ID: w, Organisation: org, Version: 1, Import: im.ID, Sealed: []byte("s"), Health: []byte("h")})
		rows.Periods = append(rows.Periods, register.PeriodRow{ID: p, Barcode: barcodes[i], Batch: "B", State: register.Issued, Organisation: org, Wearer: w, Starts: 20_000, Ends: 20_030, Import: im.ID, Sealed: []byte("p")})
		rows.Readings = append(rows.Readings, register.ReadingRow{Period: p, Wearer: w, Version: 1, Import: im.ID, Sealed: []byte("r")})
		rows.Investigations = append(rows.Investigations, register.InvestigationRow{ID: id.New[id.Row](), Organisation: org, Tag: tags[i], Import: im.ID, Sealed: []byte("i")})
	}
	rows.ReadingPeriods = rows.Periods
	im.State = register.Stored
	must(t, s.Commit(ctx, register.Importing, im, register.Whole(&rows)))
	for what, ask := range map[string]func() (int, error){
		"barcodes":       func() (int, error) { r, err := s.Periods(ctx, barcodes); return len(r), err },
		"wearers":        func() (int, error) { r, err := s.Results(ctx, wearers, 0); return len(r), err },
		"wearers' rows":  func() (int, error) { r, err := s.Wearers(ctx, wearers); return len(r), err },
		"investigations": func() (int, error) { r, err := s.Investigations(ctx, org); return len(r), err },
		"tags": func() (found int, err error) {
			has, err := s.HasTags(ctx, tags)
			for _, h := range has {
				if h {
					found++
				}
			}
			return found, err
		},
	} {
		if got, err := ask(); got != n || err != nil {
			t.Errorf("%s: %d of %d, %v", what, got, n, err)
		}
	}
}

// nothing checks that no row of the sample is there and that its import is where it was.
func (x *sample) nothing(t *testing.T, s register.Store, want register.State) {
	t.Helper()
	var barcodes []string
	for _, p := range x.rows.Periods {
		barcodes = append(barcodes, p.Barcode)
	}
	ps, err := s.Periods(ctx, barcodes)
	must(t, err)
	ws, err := s.Wearers(ctx, []id.Wearer{x.w, x.w2})
	must(t, err)
	vs, err := s.Investigations(ctx, x.org)
	must(t, err)
	rows, err := s.ImportRows(ctx, x.im.ID)
	must(t, err)
	if n := len(ps) + len(ws) + len(vs) + len(rows.Wearers) + len(rows.Periods) + len(rows.Readings) + len(rows.Investigations); n != 0 {
		t.Errorf("%d rows of a failed commit are there", n)
	}
	im, err := s.Import(ctx, x.im.ID)
	must(t, err)
	if im.State != want || im.Stored != 0 {
		t.Errorf("after a failed commit the import is %s with %d rows, want %s with none", im.State, im.Stored, want)
	}
}

func allOrNothing(t *testing.T, s register.Store, _ func() register.Store) {
	for _, c := range []struct {
		what  string
		spoil func(*sample)
		want  error // nil: any
	}{
		{"from another state", func(x *sample) { x.im.State = register.Confirmed }, register.ErrState},
		{"a wearer's version twice", func(x *sample) { x.rows.Wearers = append(x.rows.Wearers, x.rows.Wearers[1]) }, register.ErrExists},
		{"a barcode twice", func(x *sample) {
			p := x.rows.Periods[0]
			p.ID = id.New[id.Row]()
			x.rows.Periods = append(x.rows.Periods, p)
		}, register.ErrExists},
		{"a wear period twice", func(x *sample) { p := x.rows.Periods[0]; p.Barcode = "Z9"; x.rows.Periods = append(x.rows.Periods, p) }, register.ErrExists},
		{"a report twice", func(x *sample) { x.rows.Readings = append(x.rows.Readings, x.rows.Readings[2]) }, register.ErrExists},
		{"a tag twice", func(x *sample) {
			v := x.rows.Investigations[0]
			v.ID = id.New[id.Row]()
			x.rows.Investigations = append(x.rows.Investigations, v)
		}, register.ErrExists},
		{"a reading of no wear period", func(x *sample) { x.rows.Readings[2].Period = id.New[id.Row]() }, nil},
	} {
		x := newSample()
		c.spoil(x)
		create(t, s, x.im)
		err := s.Commit(ctx, register.Importing, x.as(register.Stored), register.Whole(&x.rows))
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.what, err, c.want)
		}
		x.nothing(t, s, x.im.State)
	}
	newSample().store(t, s) // the store works on
}

func neverReplaced(t *testing.T, s register.Store, _ func() register.Store) {
	x := newSample().store(t, s)
	wantErr(t, "the same rows again", s.Commit(ctx, register.Importing, x.as(register.Stored), register.Whole(&x.rows)), register.ErrState)
	im := create(t, s, anImport(register.Importing))
	again := x.rows.Readings[:1:1]
	im.State = register.Stored
	err := s.Commit(ctx, register.Importing, im, register.Whole(&register.Rows{Readings: []register.ReadingRow{{Period: again[0].Period, Wearer: again[0].Wearer, Version: again[0].Version, Import: im.ID, Sealed: []byte("other")}}}))
	wantErr(t, "another report of the same version", err, register.ErrExists)
	got, err := s.Periods(ctx, []string{"A1"})
	must(t, err)
	check(t, "the first report", got, []register.Result{x.result("A1")})
}

func importOf(t *testing.T, s register.Store, _ func() register.Store) {
	hash := bytes.Repeat([]byte{1}, 32)
	for _, st := range []register.State{register.Received, register.Previewing, register.Previewed, register.Confirmed, register.Importing, register.Failed} {
		im := anImport(st)
		im.SHA256 = hash
		create(t, s, im)
	}
	_, err := s.ImportOf(ctx, hash)
	wantErr(t, "a file that was not stored yet", err, register.ErrNotFound)
	for _, st := range []register.State{register.Stored, register.Done} {
		im := anImport(st)
		im.SHA256 = bytes.Repeat([]byte(st[:1]), 32)
		create(t, s, im)
		got, err := s.ImportOf(ctx, im.SHA256)
		must(t, err)
		check(t, "file that is "+string(st), got, im)
	}
}

func states(t *testing.T, s register.Store, _ func() register.Store) {
	x := newSample().store(t, s)
	got, err := s.States(ctx, day.Of(2026, time.January, 1))
	must(t, err)
	slices.SortFunc(got, func(a, b register.OrganisationState) int { return cmp.Compare(a.Investigations, b.Investigations) })
	check(t, "states", got, []register.OrganisationState{
		{Organisation: x.org2, Badges: map[register.BadgeState]int{register.Read: 1}},
		{Organisation: x.org, Badges: map[register.BadgeState]int{register.Read: 1, register.Issued: 1}, Investigations: 1},
	})
	got, err = s.States(ctx, day.Of(2026, time.February, 1))
	must(t, err)
	check(t, "states since February", got, []register.OrganisationState{{Organisation: x.org, Badges: map[register.BadgeState]int{register.Issued: 1}, Investigations: 1}})
}

func cancelled(t *testing.T, s register.Store, _ func() register.Store) {
	x := newSample()
	create(t, s, x.im)
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Commit(done, register.Importing, x.as(register.Stored), register.Whole(&x.rows)); err == nil {
		t.Error("a commit without time succeeded")
	}
	x.nothing(t, s, register.Importing)
}
