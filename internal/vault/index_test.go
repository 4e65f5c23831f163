package vault_test

import (
	"slices"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestSearchEverywhere: people are found by the beginning of any of their words, of whatever length; by a new
// name once they have one and by a former surname, not by a former forename, and after a restart.
func TestSearchEverywhere(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	h.join(org, "Bowen, Siân, 17", "ap Rhys, Llŷr Bo, 23", "Rees, Ŵyn, 3")
	look := func(when string, want map[string]string) {
		t.Helper()
		for query, found := range want {
			got := must(h.nodes["cli"].Search(t.Context(), h.root, vc.SearchRequest{Purpose: policy.IssueBadges, Query: person.NewValue(query), Limit: 25}))
			var names string
			for _, r := range got.Records {
				names += r.Identity.Surname.Expose() + " "
			}
			if names != found {
				t.Errorf("%s: %q: %q, want %q", when, query, names, found)
			}
		}
	}
	look("at first", map[string]string{"bo": "ap Rhys Bowen ", "b": "ap Rhys Bowen ", "rhys ap": "ap Rhys ", "r": "ap Rhys Rees ", "17": "Bowen ", "3": "Rees ", "wyn": "Rees ", "ŵ": "Rees ", "sian bowenx": "", "x": "", "zz": ""})
	h.join(org, "Parry-Ŵyn, Siân, 17", "Rees, Emrys, 3")
	after := map[string]string{"parry": "Parry-Ŵyn ", "bo": "ap Rhys Parry-Ŵyn ", "sia": "Parry-Ŵyn ", "wyn": "Parry-Ŵyn ", "em": "Rees ", "17": "Parry-Ŵyn "}
	look("under a new surname, and a new forename", after)
	h.stop()
	h.start()
	look("after a restart", after)
}

// TestCountOfToday: the number of people who are employed today follows their changes.
func TestCountOfToday(t *testing.T) {
	h := newHouse(t)
	org := h.organisation("A")
	count := func() (wearers, current int) {
		all := must(h.nodes["cli"].Organisations(t.Context(), h.root))
		o := all[slices.IndexFunc(all, func(o vc.Organisation) bool { return o.ID == org })]
		return o.Wearers, o.Current
	}
	expect := func(wearers, current int) {
		t.Helper()
		if w, c := count(); w != wearers || c != current {
			t.Errorf("%d wearers, %d of them today; want %d and %d", w, c, wearers, current)
		}
	}
	expect(0, 0)
	h.join(org, "Bowen, Siân, 1", "Rees, Llŷr, 2")
	expect(2, 2)
	h.join(org, "Parry, Owain, 3")
	expect(3, 3)
	n := id.New[id.Import]()
	must(h.nodes["cli"].Stage(t.Context(), h.root, n, []vc.Change{{Organisation: org, From: "2020-01-01", To: "2021-01-01",
		Identity: person.Identity{Surname: person.NewValue("Rees"), Forenames: person.NewValue("Llŷr"), StaffNumber: person.NewValue("2")}}}))
	expect(3, 3)
	if err := h.nodes["cli"].Confirm(t.Context(), h.root, n, nil); err != nil {
		t.Fatal(err)
	}
	expect(3, 2)
}
