package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// BadgeGaps are 30 of the first organisation, one of them an overlap.
func (s *sample) BadgeGaps(_ context.Context, a vaultclient.Auth, o id.Organisation) ([]BadgeGap, error) {
	_, err := s.user(a)
	if o != organisationID(1) {
		return nil, err
	}
	var list []BadgeGap
	for i := range 30 {
		list = append(list, BadgeGap{Wearer: wearerID(i + 1), Position: dose.WholeBody, From: day.Of(2026, 2, 1), To: day.Of(2026, 2, 28), Overlap: i == 1, Before: "C0001", After: "C0002"})
	}
	return list, err
}

// Only the names that are shown are revealed.
func TestGaps(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	w := get(t, pages, "supervisor", gapsPath(organisationID(1)))
	for _, want := range []string{"Showing 1 to 25 of 30", "No badge for 28 days", "Two badges at once", "Bowen, Siân", `href="/badges/C0002"`} {
		if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, no %q", w.Code, want)
		}
	}
	if len(s.reveals) != 1 || len(s.reveals[0].Wearers) != 25 {
		t.Errorf("reveals: %+v", s.reveals)
	}
	if body := get(t, pages, "co-ordinator", gapsPath(organisationID(2))).Body.String(); !strings.Contains(body, "There is nothing to do") || len(s.reveals) != 1 {
		t.Errorf("without any: %s", body)
	}
	if w := get(t, pages, "dpo", gapsPath(organisationID(1))); w.Code != http.StatusNotFound {
		t.Errorf("a data protection officer: status %d", w.Code)
	}
}
