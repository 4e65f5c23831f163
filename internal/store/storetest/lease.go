package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
)

// hold is somebody's for an hour.
func hold() register.Hold { return register.Hold{Owner: id.New[id.Owner](), For: time.Hour} }

// ended is the same somebody's, who was silent for too long.
func ended(h register.Hold) register.Hold { return register.Hold{Owner: h.Owner, For: -time.Second} }

func held(t *testing.T, s register.Store, reopen func() register.Store) {
	mine, other := hold(), hold()
	create(t, s, anImport(register.Confirmed))
	im, err := s.Claim(ctx, register.Confirmed, register.Importing, mine)
	must(t, err)
	check(t, "owner", im.Owner, mine.Owner)
	another := reopen()
	_, err = another.Reclaim(ctx, other)
	wantErr(t, "taking what somebody holds", err, register.ErrNotFound)
	wantErr(t, "holding what somebody holds", another.Extend(ctx, im.ID, other), register.ErrState)
	must(t, s.Extend(ctx, im.ID, mine))

	// Another can neither move it nor store anything in its name.
	theirs := im
	theirs.Owner, theirs.State = other.Owner, register.Failed
	wantErr(t, "moving what somebody holds", another.Move(ctx, register.Importing, theirs), register.ErrState)
	theirs.Owner = id.Owner{}
	wantErr(t, "moving it as nobody", another.Move(ctx, register.Importing, theirs), register.ErrState)
	x := newSample()
	theirs.Owner, theirs.State = other.Owner, register.Stored
	wantErr(t, "storing in its name", another.Commit(ctx, register.Importing, theirs, register.Whole(&x.rows)), register.ErrState)

	// Its holder holds it until it is done, and nobody after that.
	im.State = register.Stored
	must(t, s.Commit(ctx, register.Importing, im, register.Whole(&x.rows)))
	_, err = another.Reclaim(ctx, other)
	wantErr(t, "taking what somebody has stored", err, register.ErrNotFound)
	im.State = register.Done
	must(t, s.Move(ctx, register.Stored, im))
	got, err := another.Import(ctx, im.ID)
	must(t, err)
	check(t, "owner of what is done", got.Owner, id.Owner{})
	wantErr(t, "holding what is done", s.Extend(ctx, im.ID, mine), register.ErrState)

	// Who wants one import and no other gets it once.
	create(t, s, anImport(register.Previewed))
	one := anImport(register.Previewed)
	create(t, s, one)
	got, err = s.ClaimOne(ctx, one.ID, register.Previewed, register.Importing, mine)
	must(t, err)
	check(t, "what was claimed", []any{got.ID, got.State, got.Owner}, []any{one.ID, register.Importing, mine.Owner})
	_, err = another.ClaimOne(ctx, one.ID, register.Previewed, register.Importing, other)
	wantErr(t, "claiming what somebody has", err, register.ErrState)
	_, err = another.ClaimOne(ctx, id.New[id.Import](), register.Previewed, register.Importing, other)
	wantErr(t, "claiming what is none", err, register.ErrState)
	got.State = register.Failed
	must(t, s.Move(ctx, register.Importing, got))

	// So it is with what is held from the beginning.
	im = anImport(register.Importing)
	im.Owner = mine.Owner
	create(t, s, im)
	_, err = another.Reclaim(ctx, other)
	wantErr(t, "taking what somebody began with", err, register.ErrNotFound)
	got, err = s.Reclaim(ctx, mine)
	must(t, err)
	check(t, "taking back one's own", got, im)
}

func takenOver(t *testing.T, s register.Store, reopen func() register.Store) {
	silent := hold()
	var all []id.Import
	for _, st := range []register.State{register.Previewing, register.Importing, register.Stored} {
		for range 4 {
			im := create(t, s, anImport(register.Received))
			claimed, err := s.Claim(ctx, register.Received, st, ended(silent))
			must(t, err)
			if claimed.State != st {
				t.Fatalf("%s is not claimed as %s", im.ID, st)
			}
			all = append(all, claimed.ID)
		}
	}
	create(t, s, anImport(register.Received)) // nobody's, and nobody works on it
	mine, err := s.Import(ctx, all[0])
	must(t, err)
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := map[id.Import]int{}
	for _, worker := range []register.Store{s, reopen(), reopen()} {
		wg.Go(func() {
			by := hold()
			for {
				im, err := worker.Reclaim(ctx, by)
				if errors.Is(err, register.ErrNotFound) {
					return
				}
				mu.Lock()
				times[im.ID]++
				if err != nil || im.Owner != by.Owner {
					t.Errorf("took over %v of %v, %v", im.ID, im.Owner, err)
				}
				mu.Unlock()
				// Its own are its own again and again: it moves them on.
				from := im.State
				im.State = register.Failed
				if err := worker.Move(ctx, from, im); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, n := range all {
		if times[n] != 1 {
			t.Errorf("an import was taken over %d times", times[n])
		}
	}
	if len(times) != len(all) {
		t.Errorf("%d imports were taken over, want %d", len(times), len(all))
	}
	// Who was silent can do nothing with it any more.
	from := mine.State
	mine.State = register.Failed
	wantErr(t, "moving what was taken over", s.Move(ctx, from, mine), register.ErrState)
	wantErr(t, "holding it", s.Extend(ctx, mine.ID, silent), register.ErrState)
}
