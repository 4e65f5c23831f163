package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Who is over a budget is told until when, and whether it can't wait; a reason is needed, and stands in no address.
func TestGoingOverABudget(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	if body := get(t, pages, "co-ordinator", budgetPath).Body.String(); !strings.Contains(body, "812 of 20,000") || !strings.Contains(body, "Why do you need to read more?") {
		t.Errorf("the budget's page: %s", body)
	}
	for _, reason := range []string{"", "too short", strings.Repeat("long ", 101)} {
		if w := post(t, pages, "co-ordinator", budgetPath, url.Values{"reason": {reason}}); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest || s.reason != "" {
			t.Errorf("reason %q: %d, %q", reason, w.Code, s.reason)
		}
	}
	if w := post(t, pages, "co-ordinator", budgetPath, url.Values{"reason": {"A source is leaking"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != budgetPath || s.reason != "A source is leaking" {
		t.Errorf("with a reason: %d to %q, %q", w.Code, w.Header().Get("Location"), s.reason)
	}
	if body := get(t, pages, "co-ordinator", budgetPath).Body.String(); !strings.Contains(body, "twice as much as usual") || strings.Contains(body, "Why do you need") {
		t.Errorf("afterwards: %s", body)
	}
}

func TestTheProblemOfABudget(t *testing.T) {
	at := time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC)
	all := func(err error) string {
		p := problemOf(err)
		if !p.Budget || p.Status != http.StatusTooManyRequests {
			t.Errorf("%+v", p)
		}
		var s []string
		for _, text := range p.Paragraphs {
			s = append(s, string(text))
		}
		if !p.Again.IsZero() {
			s = append(s, p.Again.String())
		}
		return strings.Join(s, " ")
	}
	own := all(errors.Join(errors.New("x"), &vaultclient.Error{Code: vaultclient.OverBudget, Message: "this goes over your budget of 5 names in 24 hours", Again: at, Glass: true, Own: true}))
	if !strings.Contains(own, at.String()) || !strings.Contains(own, "go over it for an hour") || strings.Contains(own, "too much at once") || strings.Contains(own, "all users together") {
		t.Errorf("a user's own: %s", own)
	}
	node := all(&vaultclient.Error{Code: vaultclient.OverBudget, Message: "this goes over the budget of all users of this node together of 5 names in 24 hours"})
	if strings.Contains(node, "for an hour") || !strings.Contains(node, "too much at once") || !strings.Contains(node, "all users together") {
		t.Errorf("a node's: %s", node)
	}
}
