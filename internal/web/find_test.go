package web

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func (s *sample) FindNI(_ context.Context, a vaultclient.Auth, _ policy.Purpose, ni person.Value) ([]id.Wearer, error) {
	if _, err := s.user(a); err != nil {
		return nil, err
	}
	for _, p := range s.people {
		if p.NI == ni {
			return []id.Wearer{p.Wearer}, nil
		}
	}
	return nil, nil
}

// TestFind: whoever works for the whole service finds people wherever they are, by POST alone; others have no such page.
func TestFind(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for _, user := range []string{"supervisor", "dpo", "wearer", "operator"} {
		if w := get(t, pages, user, findPath); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", user, w.Code)
		}
	}
	if w := get(t, pages, "co-ordinator", findPath+"?q=Jones"); w.Code != http.StatusOK || len(s.searches) != 0 {
		t.Errorf("%d, and a search text was read from the address: %+v", w.Code, s.searches)
	}
	w := post(t, pages, "co-ordinator", findPath, url.Values{"q": {" Jones "}, "leavers": {"yes"}, "page": {"2"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Jones, ") {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	want := vaultclient.SearchRequest{Purpose: policy.IssueBadges, Query: person.NewValue("Jones"), Leavers: true, Offset: pageSize, Limit: pageSize}
	if !reflect.DeepEqual(s.searches[0], want) {
		t.Errorf("asked first %+v, want %+v", s.searches[0], want)
	}
	if got := s.searches[len(s.searches)-1].Offset; got != 0 {
		t.Errorf("past the end the last page is shown: asked from %d on", got)
	}
	for _, a := range regexp.MustCompile(`(?:href|action)="[^"]*"|<title>[^<]*`).FindAllString(w.Body.String(), -1) {
		if strings.Contains(a, "Jones") {
			t.Errorf("a name in %s", a)
		}
	}
	if w := post(t, pages, "co-ordinator", findPath, url.Values{"q": {"zzz"}}); !strings.Contains(w.Body.String(), "Nobody was found") {
		t.Errorf("a miss: %s", w.Body)
	}
	if w := post(t, pages, "co-ordinator", findPath, url.Values{"q": {strings.Repeat("x", maxSearch+1)}}); w.Code != http.StatusBadRequest {
		t.Errorf("a long text: %d", w.Code)
	}
}

// TestFindByNI: a whole NI number is looked up for the records officer; from anybody else it is a text like any other.
func TestFindByNI(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	s.people[0].NI = person.NewValue("AB123456C")
	w := post(t, pages, "records", findPath, url.Values{"q": {"ab 12 34 56 c"}})
	if w.Code != http.StatusOK || len(s.searches) != 0 || len(s.reveals) != 1 || s.reveals[0].Purpose != policy.KeepRecords || !strings.Contains(w.Body.String(), listName(s.people[0].Identity).Expose()) {
		t.Errorf("%d: searched %+v, revealed %+v: %s", w.Code, s.searches, s.reveals, w.Body)
	}
	if w = post(t, pages, "co-ordinator", findPath, url.Values{"q": {"AB123456C"}}); w.Code != http.StatusOK || len(s.searches) != 1 {
		t.Errorf("the co-ordinator's search: %+v", s.searches)
	}
}
