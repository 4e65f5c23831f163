package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/register"
)

// step is a return of an issued badge.
func step(by id.User, at time.Time) register.Movement {
	return register.Movement{From: register.Issued, To: register.Returned, At: at, By: by}
}

// stored keeps n issued badges without report, B000 on, and returns their barcodes.
func stored(t *testing.T, s register.Store, n int) (codes []string) {
	t.Helper()
	x := newSample()
	x.rows = register.Rows{}
	for i := range n {
		codes = append(codes, fmt.Sprintf("B%03d", i))
		x.rows.Periods = append(x.rows.Periods, register.PeriodRow{ID: id.New[id.Row](), Barcode: codes[i], Batch: "B1", State: register.Issued, Organisation: x.org, Wearer: x.w,
			Starts: day.Of(2026, time.January, 1), Ends: day.Of(2026, time.January, 31), Import: x.im.ID, Sealed: []byte("period")})
	}
	x.store(t, s)
	return codes
}

func moveBadges(t *testing.T, s register.Store, reopen func() register.Store) {
	codes := stored(t, s, 40)
	a, b := id.New[id.User](), id.New[id.User]()
	moved, err := s.MoveBadges(ctx, step(a, at), []string{codes[1], "unknown", codes[0], codes[1]})
	must(t, err)
	check(t, "moved", moved, []string{codes[1], codes[0]})
	moved, err = s.MoveBadges(ctx, register.Movement{From: register.Ordered, To: register.Issued, At: at, By: a}, codes)
	must(t, err)
	check(t, "moved from where they are not", moved, nil)
	x := newSample().store(t, s)
	moved, err = s.MoveBadges(ctx, step(a, at), []string{"A1", "A2"})
	must(t, err)
	check(t, "a badge that was read stays read", moved, []string{"A2"})
	rows, err := s.Periods(ctx, []string{"A2"})
	must(t, err)
	want := x.result("A2")
	want.State = register.Returned
	check(t, "the badge", rows, []register.Result{want})

	// Two people scan the same badges at once: each is returned by one of them.
	var wg sync.WaitGroup
	var mu sync.Mutex
	times := map[string]int{}
	for i, who := range []register.Store{s, reopen(), s, reopen()} {
		wg.Go(func() {
			for _, c := range codes {
				moved, err := who.MoveBadges(ctx, step([]id.User{a, b}[i%2], at.Add(time.Second)), []string{c})
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				times[c] += len(moved)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i, c := range codes {
		if want := min(1, i/2); times[c] != want {
			t.Errorf("badge %s was returned %d times, want %d", c, times[c], want)
		}
		way, err := s.Movements(ctx, c)
		must(t, err)
		if len(way) != 1 || way[0].From != register.Issued || way[0].To != register.Returned {
			t.Errorf("badge %s went %+v", c, way)
		}
	}
	ofA, n, err := s.MovementsBy(ctx, a, register.Returned, at, 100)
	must(t, err)
	ofB, m, err := s.MovementsBy(ctx, b, register.Returned, at, 100)
	must(t, err)
	if n+m != len(codes)+1 || len(ofA) != n || len(ofB) != m {
		t.Errorf("%d and %d movements, %d and %d listed, of %d badges", n, m, len(ofA), len(ofB), len(codes)+1)
	}
}

func undoMove(t *testing.T, s register.Store, reopen func() register.Store) {
	code := stored(t, s, 1)[0]
	a, b := id.New[id.User](), id.New[id.User]()
	undo := func(by id.User, since time.Time) error { return s.UndoMove(ctx, code, by, since, at.Add(time.Hour)) }
	wantErr(t, "nothing to take back", undo(a, at), register.ErrState)
	back := func(want int) {
		t.Helper()
		moved, err := s.MoveBadges(ctx, step(a, at), []string{code})
		must(t, err)
		if len(moved) != want {
			t.Errorf("%d badges moved, want %d", len(moved), want)
		}
	}
	back(1)
	wantErr(t, "somebody else's", undo(b, at), register.ErrState)
	wantErr(t, "of another day", undo(a, at.Add(time.Microsecond)), register.ErrState)
	back(0)
	must(t, undo(a, at))
	wantErr(t, "twice", undo(a, at), register.ErrState)
	_, n, err := s.MovementsBy(ctx, a, register.Returned, at, 10)
	must(t, err)
	if n != 0 {
		t.Errorf("%d returns stand after the only one was taken back", n)
	}
	back(1) // at the same instant
	for _, from := range []register.Store{s, reopen()} {
		way, err := from.Movements(ctx, code)
		must(t, err)
		first := step(a, at)
		first.Barcode = code
		second := first
		first.Undone = at.Add(time.Hour)
		check(t, "the badge's way", way, []register.Movement{first, second})
	}
	_, err = s.MoveBadges(ctx, register.Movement{From: register.Returned, To: register.Sent, At: at, By: b}, []string{code})
	must(t, err)
	wantErr(t, "a return of what was sent since", undo(a, at), register.ErrState)
	for i := range 5 {
		_, err := s.MoveBadges(ctx, step(a, at.Add(time.Duration(i)*time.Second)), stored2(t, s, fmt.Sprintf("N%d", i)))
		must(t, err)
	}
	list, n, err := s.MovementsBy(ctx, a, register.Returned, at.Add(time.Second), 3)
	must(t, err)
	if n != 4 || len(list) != 3 || list[0].Barcode != "N4" || list[2].Barcode != "N2" || !list[0].At.Equal(at.Add(4*time.Second)) {
		t.Errorf("the newest three of four: %d, %+v", n, list)
	}
}

// stored2 keeps one issued badge of a barcode.
func stored2(t *testing.T, s register.Store, code string) []string {
	t.Helper()
	x := newSample()
	x.rows = register.Rows{Periods: x.rows.Periods[:1]}
	x.rows.Periods[0].Barcode = code
	x.store(t, s)
	return []string{code}
}

func badges(t *testing.T, s register.Store, _ func() register.Store) {
	x := newSample()
	jan, feb := day.Of(2026, time.January, 31), day.Of(2026, time.February, 28)
	late := (jan + register.ReturnDays + 1).Time()
	extra := func(code string, state register.BadgeState) {
		p := x.rows.Periods[0]
		p.ID, p.Barcode, p.State = id.New[id.Row](), code, state
		x.rows.Periods = append(x.rows.Periods, p)
	}
	extra("A3", register.Sent)
	extra("A4", register.Returned)
	extra("A5", register.Returned)
	x.rows.Movements = []register.Movement{
		{Barcode: "A3", From: register.Issued, To: register.Returned, At: late.Add(-1)},
		{Barcode: "A3", From: register.Returned, To: register.Sent, At: late},
		{Barcode: "A4", From: register.Issued, To: register.Returned, At: late},
	}
	x.store(t, s)
	badge := func(code string, state register.BadgeState, returned time.Time) register.Badge {
		for _, p := range x.rows.Periods {
			if p.Barcode == code {
				p.State = state
				return register.Badge{PeriodRow: p, Returned: returned}
			}
		}
		t.Fatal(code)
		return register.Badge{}
	}
	all := []register.Badge{badge("A1", register.Read, time.Time{}), badge("A3", register.Sent, late.Add(-1*time.Microsecond).Truncate(time.Microsecond)), badge("A4", register.Returned, late),
		badge("A5", register.Returned, time.Time{}), badge("C1", register.Read, time.Time{}), badge("A2", register.Issued, time.Time{})}
	for _, c := range []struct {
		f    register.BadgeFilter
		want []register.Badge
	}{
		{register.BadgeFilter{Organisation: x.org, From: jan, To: feb}, all},
		{register.BadgeFilter{Organisation: x.org, From: jan, To: jan, Batch: "B1"}, all[:5]},
		{register.BadgeFilter{Organisation: x.org, From: jan + 1, To: feb}, all[5:]},
		{register.BadgeFilter{Organisation: x.org, From: jan, To: feb, Batch: "B2"}, nil},
		{register.BadgeFilter{Organisation: id.New[id.Organisation](), From: jan, To: feb}, nil},
	} {
		got, err := s.Badges(ctx, c.f)
		must(t, err)
		check(t, fmt.Sprintf("badges of %+v", c.f), got, c.want)
	}
	counts := func(org id.Organisation, from, to day.Day, want ...string) {
		t.Helper()
		got, err := s.BadgeCounts(ctx, org, from, to)
		must(t, err)
		slices.SortFunc(got, func(a, b register.BadgeCount) int {
			return cmp.Or(cmp.Compare(a.Organisation.String(), b.Organisation.String()), int(a.Ends-b.Ends), int(a.State-b.State), int(a.Return-b.Return))
		})
		var text []string
		for _, c := range got {
			text = append(text, fmt.Sprintf("%s %s to %s: %d %s, back %d", c.Batch, c.Starts, c.Ends, c.N, c.State, c.Return))
		}
		check(t, "counts", text, want)
	}
	counts(x.org, jan, feb, "B1 2026-01-01 to 2026-01-31: 1 returned, back 2", "B1 2026-01-01 to 2026-01-31: 1 returned, back 3",
		"B1 2026-01-01 to 2026-01-31: 1 sent, back 1", "B1 2026-01-01 to 2026-01-31: 1 read, back 3", "B1 2026-02-01 to 2026-02-28: 1 issued, back 0")
	counts(x.org2, jan, feb, "B1 2026-01-01 to 2026-01-31: 1 read, back 3")
	counts(id.Organisation{}, feb, feb, "B1 2026-02-01 to 2026-02-28: 1 issued, back 0")
}
