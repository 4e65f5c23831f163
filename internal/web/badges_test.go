package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
)

func TestBadgeNamesNobodyUnasked(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	body := get(t, pages, "supervisor", badgePath("L0002")).Body.String()
	if len(s.reveals) != 0 || !strings.Contains(body, "Show who wears it") || !strings.Contains(body, "taken back at 10:31") || !strings.Contains(body, "1 February 2026:</span> Sent to the laboratory, as a list says") {
		t.Errorf("%d reveals; %s", len(s.reveals), body)
	}
	body = get(t, pages, "supervisor", badgePath("L0002")+"?wearer=show").Body.String()
	if len(s.reveals) != 1 || s.reveals[0].Purpose != policy.IssueBadges || s.reveals[0].Fields != policy.FieldName || !strings.Contains(body, "Bowen, Llŷr") || !strings.Contains(body, "Collar") {
		t.Errorf("asked with %+v: %s", s.reveals, body)
	}
	if w := get(t, pages, "supervisor", badgePath("L/5-X")); w.Code != http.StatusOK {
		t.Errorf("a barcode with a slash: status %d", w.Code)
	}
	if body := get(t, pages, "supervisor", badgePath("L0003")+"?wearer=show").Body.String(); len(s.reveals) != 1 || !strings.Contains(body, "a control badge") {
		t.Errorf("a control badge: %s", body)
	}
	for _, user := range []string{"dpo", "wearer", "operator", "records"} {
		if w := get(t, pages, user, badgePath("L0002")); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", user, w.Code)
		}
	}
	if w := get(t, pages, "supervisor", badgePath("NONE")); w.Code != http.StatusNotFound {
		t.Errorf("no badge: status %d", w.Code)
	}
}

func TestBadgePagesInBrowser(t *testing.T) {
	for _, size := range []struct {
		name  string
		width int64
	}{{"wide", 1280}, {"phone", 390}} {
		tab, origin := as(t, "supervisor", size.width)
		for name, path := range badgePages {
			tab.Go(origin + path)
			tab.Axe()
			shot(t, tab, name+"-"+size.name)
		}
		tab.Quiet(nil)
	}
}

// badgePages are the pages about badges, by the name of their picture.
var badgePages = map[string]string{
	"badge":       badgePath("L0002"),
	"badge-shown": badgePath("L0002") + "?wearer=show",
}
