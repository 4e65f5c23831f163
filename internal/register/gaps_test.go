package register_test

import (
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/register"
)

// Gaps and overlaps are those of one wearer and position; opening them is entered.
func TestGapsAndOverlaps(t *testing.T) {
	h := newHouse(t)
	ws := h.takeOn(h.joiner(h.org), h.joiner(h.org))
	jan, feb, apr, long := h.badge(h.org, ws[0], time.January), h.badge(h.org, ws[0], time.February), h.badge(h.org, ws[0], time.April), h.badge(h.org, ws[0], time.June)
	long.To = day.Of(2026, time.August, 31)
	within, eye, extra, theirs, control := h.badge(h.org, ws[0], time.July), h.badge(h.org, ws[0], time.March), h.badge(h.org, ws[0], time.July), h.badge(h.org, ws[1], time.January), h.badge(h.org, id.Wearer{}, time.October)
	eye.Position, extra.NotCounted, control.Position = dose.Eye, true, dose.Control
	sep := h.badge(h.org, ws[0], time.September) // follows the long one, not the one within it
	h.dispatch(jan, feb, apr, long, within, eye, extra, theirs, control, sep)

	before := h.entries(h.org, "reveal")
	got, err := h.web.Gaps(t.Context(), h.auth, h.org)
	h.ok(err)
	want := []register.Gap{
		{Wearer: ws[0], Position: dose.WholeBody, From: within.From, To: within.To, Overlap: true, Before: long.Barcode, After: within.Barcode},
		{Wearer: ws[0], Position: dose.WholeBody, From: day.Of(2026, time.May, 1), To: day.Of(2026, time.May, 31), Before: apr.Barcode, After: long.Barcode},
		{Wearer: ws[0], Position: dose.WholeBody, From: day.Of(2026, time.March, 1), To: day.Of(2026, time.March, 31), Before: feb.Barcode, After: apr.Barcode},
	}
	if len(got) != len(want) {
		t.Fatalf("%d gaps and overlaps: %+v", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	if n := h.entries(h.org, "reveal") - before; n != 1 {
		t.Errorf("%d reveals are in the ledger, want 1", n)
	}
	if _, err := h.web.Gaps(t.Context(), h.user(policy.Supervisor, h.organisation("Ysbyty Arall", "700124")), h.org); err == nil {
		t.Error("another organisation's supervisor was answered")
	}
}
