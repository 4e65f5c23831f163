package register_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// cutEverywhere runs a use case again and again, cut off at its first step, its second, and so on until it gets
// through, and has check look at what is there after a restart. Then it does so once more with a single failing step.
func cutEverywhere(h *house, run func(f *fuse) error, check func(where string, err error)) {
	h.Helper()
	failEverywhere(h, false, run, check)
	failEverywhere(h, true, run, check)
}

func failEverywhere(h *house, once bool, run func(f *fuse) error, check func(where string, err error)) {
	h.Helper()
	for at := 1; ; at++ {
		f := &fuse{at: at, once: once}
		err := run(f)
		if !f.burnt() {
			h.ok(err)
			if at < 5 {
				h.Fatalf("only %d steps could be cut", at-1)
			}
			check("never", nil)
			return
		}
		h.ok(h.worker.Reconcile(h.Context()))
		check(fmt.Sprintf("cut %s (step %d, once %t)", f.where, at, once), err)
		if h.Failed() {
			return
		}
	}
}

// settled checks that nothing is left under way in either database.
func (h *house) settled(where string) {
	h.Helper()
	pending, err := h.v.Pending(h.Context(), vault.Caller{Node: "worker"})
	h.ok(err)
	if len(pending) != 0 {
		h.Errorf("%s: the vault has %d imports pending", where, len(pending))
	}
	for _, st := range []register.State{register.Previewing, register.Importing, register.Stored} {
		ims, err := h.store.InState(h.Context(), st)
		h.ok(err)
		if len(ims) != 0 {
			h.Errorf("%s: %d imports are left %s", where, len(ims), st)
		}
	}
}

// done counts the imports of a kind that are done.
func (h *house) done(kind string) (n int) {
	h.Helper()
	ims, err := h.store.InState(h.Context(), register.Done)
	h.ok(err)
	for _, im := range ims {
		if im.Kind == kind {
			n++
		}
	}
	return n
}

func TestTakingOnIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	var js []register.Joiner
	var taken register.Taken
	before := 0
	cutEverywhere(h, func(f *fuse) (err error) {
		js = []register.Joiner{h.joiner(h.org), h.joiner(h.org)}
		before = h.done(register.KindPeople)
		taken, err = h.service("web", f).TakeOn(t.Context(), h.auth, js, nil, "HR")
		return err
	}, func(where string, err error) {
		h.settled(where)
		keys := []vc.StaffKey{{Organisation: h.org, StaffNumber: js[0].Identity.StaffNumber}, {Organisation: h.org, StaffNumber: js[1].Identity.StaffNumber}}
		in, ferr := h.v.FindStaff(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, policy.IssueBadges, keys)
		h.ok(ferr)
		stored := 0
		for _, w := range in {
			if !w.IsZero() {
				stored++
			}
		}
		var rows []register.WearerRow
		if stored > 0 {
			rows, ferr = h.store.Wearers(t.Context(), in)
			h.ok(ferr)
		}
		all := h.done(register.KindPeople) == before+1
		if want := map[bool]int{true: 2}[all]; stored != want || len(rows) != want {
			t.Errorf("%s: the vault has %d of 2 people and the register %d; the import is done: %t", where, stored, len(rows), all)
		}
		if err == nil && !all {
			t.Errorf("%s: nothing was stored, and no error told so", where)
		}
		if !all && len(taken.Wearers) > 0 {
			rows, ferr = h.store.Wearers(t.Context(), taken.Wearers)
			h.ok(ferr)
			if len(rows) != 0 {
				t.Errorf("%s: %d rows of people who were never taken on", where, len(rows))
			}
		}
		if n := h.entries(h.org, "import"); n != h.done(register.KindPeople) {
			t.Errorf("%s: %d imports are in the ledger and %d in the register", where, n, h.done(register.KindPeople))
		}
	})
}

func TestDispatchIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	var ds []register.Dispatched
	before := 0
	cutEverywhere(h, func(f *fuse) error {
		ds = []register.Dispatched{h.badge(h.org, w, time.May), h.badge(h.org, id.Wearer{}, time.May)}
		ds[1].Position = dose.Control
		before = h.done(register.KindDispatch)
		_, err := h.service("web", f).Dispatch(t.Context(), h.auth, ds, "Cardiff Dosimetry")
		return err
	}, func(where string, err error) {
		h.settled(where)
		found, ferr := h.store.Periods(t.Context(), []string{ds[0].Barcode, ds[1].Barcode})
		h.ok(ferr)
		all := h.done(register.KindDispatch) == before+1
		if want := map[bool]int{true: 2}[all]; len(found) != want {
			t.Errorf("%s: %d of 2 badges are there; the import is done: %t", where, len(found), all)
		}
		if err == nil && !all {
			t.Errorf("%s: nothing was stored, and no error told so", where)
		}
		if n := h.entries(h.org, "import"); n != h.done(register.KindPeople)+h.done(register.KindDispatch) {
			t.Errorf("%s: %d imports are in the ledger", where, n)
		}
	})
}

// A file is imported whole, once, wherever the web node or the worker stops on the way.
func TestImportingIsAllOrNothing(t *testing.T) {
	h := newHouse(t)
	var w id.Wearer
	var b []byte
	var n id.Import
	person := func() {
		w = h.takeOn(h.joiner(h.org))[0]
		jan, feb, control := h.badge(h.org, w, time.January), h.badge(h.org, w, time.February), h.badge(h.org, id.Wearer{}, time.January)
		control.Position = dose.Control
		h.dispatch(jan, feb, control)
		b = file(line{Dispatched: jan, deep: "9.00"}, line{Dispatched: control}, line{Dispatched: feb, deep: "8.00"}, line{Dispatched: h.badge(h.org, w, time.March)})
	}
	check := func(where string) {
		t.Helper()
		h.settled(where)
		im, err := h.store.Import(t.Context(), n)
		h.ok(err)
		if im.State != register.Done || im.Counts != (register.Counts{In: 4, Stored: 3, Refused: 1}) {
			t.Errorf("%s: the import is %s (%s) with %+v", where, im.State, im.Failure, im.Counts)
		}
		rec := h.record(w)
		if m, badges := total(rec, dose.Effective, 2026); m != 17_000 || badges != 2 || len(rec.Reports) != 2 {
			t.Errorf("%s: %d µSv of %d badges in %d reports, want 17000 of 2 in 2", where, m, badges, len(rec.Reports))
		}
		effective := 0
		for _, v := range rec.Investigations {
			if v.Kind == dose.Effective {
				effective++
			}
		}
		if effective != 1 {
			t.Errorf("%s: %d investigations of the effective dose, want 1", where, effective)
		}
		if got, want := h.entries(h.org, "import"), h.done(register.KindPeople)+h.done(register.KindDispatch)+h.done(register.KindLaboratory); got != want {
			t.Errorf("%s: %d imports are in the ledger, want %d", where, got, want)
		}
	}
	// finish does what is still to be done, without faults.
	finish := func() {
		t.Helper()
		for {
			im, err := h.store.Import(t.Context(), n)
			h.ok(err)
			if im.State == register.Previewed {
				h.accept(n)
			}
			did, err := work(t.Context(), h.worker)
			h.ok(err)
			if !did {
				return
			}
		}
	}

	t.Run("receiving", func(t *testing.T) {
		cutEverywhere(h, func(f *fuse) (err error) {
			person()
			n, err = h.service("web", f).Receive(t.Context(), h.auth, b, "Cardiff Dosimetry")
			return err
		}, func(where string, err error) {
			if _, look := h.store.Import(t.Context(), n); errors.Is(look, register.ErrNotFound) {
				if err == nil {
					t.Errorf("%s: nothing was received, and no error told so", where)
				}
				n, err = h.web.Receive(t.Context(), h.auth, b, "Cardiff Dosimetry") // it can be sent again
				h.ok(err)
			}
			finish()
			check(where)
		})
	})
	t.Run("previewing", func(t *testing.T) {
		cutEverywhere(h, func(f *fuse) (err error) {
			person()
			n, err = h.web.Receive(t.Context(), h.auth, b, "Cardiff Dosimetry")
			h.ok(err)
			_, err = work(t.Context(), h.service("worker", f))
			return err
		}, func(where string, _ error) {
			finish()
			check(where)
		})
	})
	t.Run("accepting", func(t *testing.T) {
		cutEverywhere(h, func(f *fuse) error {
			person()
			im, _ := h.preview(b)
			n = im.ID
			return h.service("web", f).Accept(t.Context(), h.auth, n)
		}, func(where string, _ error) {
			finish()
			check(where)
		})
	})
	t.Run("importing", func(t *testing.T) {
		cutEverywhere(h, func(f *fuse) error {
			person()
			im, _ := h.preview(b)
			n = im.ID
			h.accept(n)
			_, err := work(t.Context(), h.service("worker", f))
			return err
		}, func(where string, _ error) {
			im, err := h.store.Import(t.Context(), n)
			h.ok(err)
			if reports := len(h.record(w).Reports); reports != map[bool]int{true: 2}[im.State == register.Done] {
				t.Errorf("%s: %d reports of an import that is %s", where, reports, im.State)
			}
			finish()
			check(where)
		})
	})
}

// Somebody who can write to the register can't have an import stored that nobody accepted.
func TestAnImportThatNobodyAccepted(t *testing.T) {
	h := newHouse(t)
	w := h.takeOn(h.joiner(h.org))[0]
	one, two := h.badge(h.org, w, time.January), h.badge(h.org, w, time.February)
	h.dispatch(one, two)
	accepted, _ := h.preview(file(line{Dispatched: one, deep: "0.10"}))
	forged, _ := h.preview(file(line{Dispatched: two, deep: "0.20"}))
	h.accept(accepted.ID)
	parts, err := h.store.Document(t.Context(), accepted.ID, "accept")
	h.ok(err)
	for _, what := range []string{"without a document", "with another import's"} {
		im := forged
		im.State = register.Confirmed
		h.ok(h.store.Move(t.Context(), register.Previewed, im))
		for range 2 { // the accepted one, and this
			if _, err := work(t.Context(), h.worker); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		im, err := h.store.Import(t.Context(), forged.ID)
		h.ok(err)
		if im.State != register.Failed || len(h.record(w).Reports) != 1 {
			t.Errorf("%s: the import is %s, with %d reports", what, im.State, len(h.record(w).Reports))
		}
		im.State = register.Previewed
		h.ok(h.store.Move(t.Context(), register.Failed, im))
		h.ok(h.store.SetDocument(t.Context(), forged.ID, "accept", parts))
	}
}

// A number of rows that somebody changed in the register fails its import, and does not stop the worker.
func TestACountThatWasChangedStopsNoWorker(t *testing.T) {
	h := newHouse(t)
	d := h.badge(h.org, h.takeOn(h.joiner(h.org))[0], time.May)
	h.dispatch(d)
	for i, rows := range []int{-1 << 40, 1 << 60} {
		im, _ := h.preview(file(line{Dispatched: d, deep: fmt.Sprintf("0.%d0", i+1)}))
		h.accept(im.ID)
		im.State, im.Stored = register.Confirmed, rows
		h.ok(h.store.Move(t.Context(), register.Confirmed, im))
		if _, err := work(t.Context(), h.worker); err != nil {
			t.Errorf("%d rows: %v", rows, err)
		}
		if now := must(h.store.Import(t.Context(), im.ID)); now.State != register.Failed {
			t.Errorf("%d rows: the import is %s", rows, now.State)
		}
	}
}

// What is declined loses the key of its documents, wherever that stops on the way.
func TestDecliningDestroysTheKey(t *testing.T) {
	h := newHouse(t)
	var n id.Import
	cutEverywhere(h, func(f *fuse) error {
		n, _ = h.list(register.KindPeople, staffHeading+"A1,Evans,Gwen,,F,Theatr,\n")
		return h.service("web", f).Decline(t.Context(), h.auth, n)
	}, func(where string, err error) {
		im, look := h.store.Import(t.Context(), n)
		h.ok(look)
		if err == nil && im.State != register.Declined {
			t.Errorf("%s: the list is %s, and no error told so", where, im.State)
		}
		// A key that is there, or can be made, seals.
		_, err = h.v.Seal(t.Context(), vault.Caller{Node: "web", Auth: h.auth}, policy.KeepRecords, []vc.Item{{Context: vc.Context{Table: "document/x", Row: id.Row(n), Class: policy.ClassDocument}, Value: []byte("x")}})
		if gone := err != nil; gone != (im.State == register.Declined) {
			t.Errorf("%s: the list is %s; its key is gone: %t (%v)", where, im.State, gone, err)
		}
	})
}
