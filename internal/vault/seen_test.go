package vault_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestSeen: who has seen what of somebody is summed up by day, party, way and purpose; by the clock of London, newest first.
func TestSeen(t *testing.T) {
	now := time.Date(2026, time.July, 1, 21, 30, 0, 0, time.UTC)
	h := newHouseAt(t, func() time.Time { return now })
	web, ctx := h.nodes["web"], t.Context()
	org, other := h.organisation("A"), h.organisation("B")
	ws := h.join(org, "Bowen, Siân, A1", "Rees, Llŷr, A2")
	elsewhere := h.join(other, "Bowen, Siân, B1")[0]
	supervisor := h.signIn("web", vc.NewUser{Name: "Nia Bowen", Role: policy.Supervisor, Organisations: []id.Organisation{org}})
	officer := h.signIn("web", vc.NewUser{Name: "Eluned Morgan", Role: policy.DataProtection, Organisations: []id.Organisation{org}})
	self := h.signIn("web", vc.NewUser{Name: "Siân Bowen", Role: policy.Wearer, Wearers: ws[:1]})
	look := func(who vc.Auth, purpose policy.Purpose, fields policy.Fields) {
		t.Helper()
		if _, err := web.Reveal(ctx, who, vc.RevealRequest{Purpose: purpose, Fields: fields, Wearers: ws}); err != nil {
			t.Fatal(err)
		}
	}
	look(supervisor, policy.IssueBadges, policy.FieldName)
	for range 4 { // sessions that are used do not end
		now = now.Add(20 * time.Minute)
		for _, who := range []vc.Auth{h.root, supervisor, officer, self} {
			must(h.nodes[map[bool]string{true: "cli", false: "web"}[who == h.root]].Whoami(ctx, who))
		}
	} // 23:50 in London
	look(supervisor, policy.IssueBadges, policy.FieldStaffNumber)
	look(supervisor, policy.AssessDose, policy.FieldName)
	now = now.Add(20 * time.Minute) // the next day in London, though not in UTC
	look(supervisor, policy.IssueBadges, policy.FieldName)
	web.Reveal(ctx, supervisor, vc.RevealRequest{Purpose: policy.AssessDose, Fields: policy.FieldNI, Wearers: ws}) // refused

	seen := func(who vc.Auth, offset, limit int) string {
		t.Helper()
		page, err := web.Seen(ctx, who, vc.SeenRequest{Wearer: ws[0], Offset: offset, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		if page.Organisation != org {
			t.Errorf("the organisation is %s", page.Organisation)
		}
		lines := []string{fmt.Sprint(page.Total)}
		for _, s := range page.Seen {
			lines = append(lines, fmt.Sprintf("%s %s by %s to %s: %v, %d times from %s to %s", s.Day, s.Kind, s.Actor, s.Purpose, s.Fields, s.Times, s.First.Format("15:04"), s.Last.Format("15:04")))
		}
		return strings.Join(lines, "\n")
	}
	now = now.Add(time.Minute)
	want := `7
2026-07-02 oversee by Eluned Morgan to oversight: nothing, 1 times from 23:11 to 23:11
2026-07-02 refuse by Nia Bowen to assess-dose: NI number + employment, 1 times from 23:10 to 23:10
2026-07-02 reveal by Nia Bowen to issue-badges: name + employment, 1 times from 23:10 to 23:10
2026-07-01 reveal by Nia Bowen to assess-dose: name + employment, 1 times from 22:50 to 22:50
2026-07-01 reveal by Nia Bowen to issue-badges: name + staff number + employment, 2 times from 21:30 to 22:50
2026-07-01 stage by co-ordinator to keep-records: nothing, 1 times from 21:30 to 21:30
2026-07-01 write by co-ordinator to keep-records: name + date of birth + sex + staff number + contact + employment, 1 times from 21:30 to 21:30`
	if got := seen(officer, 0, 100); !sameLines(got, want) {
		t.Errorf("the data protection officer sees\n%s\nwant\n%s", got, want)
	}
	// The wearer sees no name of whoever works for the employer, and that the officer looked.
	now = now.Add(time.Minute)
	if got, want := seen(self, 0, 2), `8
2026-07-02 oversee by Siân Bowen to own-record: nothing, 1 times from 23:12 to 23:12
2026-07-02 oversee by data-protection-officer to oversight: nothing, 1 times from 23:11 to 23:11`; got != want {
		t.Errorf("the wearer sees\n%s", got)
	}
	if got := seen(self, 99, 2); got != "8" {
		t.Errorf("past the end: %s", got)
	}
	for who, ask := range map[string]func() error{
		"the officer, of somebody else's organisation": func() error {
			_, err := web.Seen(ctx, officer, vc.SeenRequest{Wearer: elsewhere, Limit: 1})
			return err
		},
		"a wearer, of somebody else": func() error { _, err := web.Seen(ctx, self, vc.SeenRequest{Wearer: ws[1], Limit: 1}); return err },
		"a supervisor":               func() error { _, err := web.Seen(ctx, supervisor, vc.SeenRequest{Wearer: ws[0], Limit: 1}); return err },
	} {
		if err := ask(); code(err) != vc.Refused {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := web.Seen(ctx, self, vc.SeenRequest{Wearer: ws[0]}); code(err) != vc.Invalid {
		t.Errorf("a page of nothing: %v", err)
	}
}

// sameLines reports whether texts have the same lines, in whatever order: what happened at one moment has none.
func sameLines(a, b string) bool {
	lines := map[string]int{}
	for _, l := range strings.Split(a, "\n") {
		lines[l]++
	}
	for _, l := range strings.Split(b, "\n") {
		lines[l]--
	}
	for _, n := range lines {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestADataProtectionOfficerFindsByName: names alone are looked in and shown; a staff number finds nobody.
func TestADataProtectionOfficerFindsByName(t *testing.T) {
	h := newHouse(t)
	org, other := h.organisation("A"), h.organisation("B")
	h.join(org, "Bowen, Siân, A1", "Rees, Llŷr, A2, AB123456C")
	h.join(other, "Bowen, Siân, B1")
	officer := h.signIn("web", vc.NewUser{Name: "Eluned Morgan", Role: policy.DataProtection, Organisations: []id.Organisation{org}})
	search := func(o id.Organisation, query string, names bool) (vc.SearchResult, error) {
		return h.nodes["web"].Search(t.Context(), officer, vc.SearchRequest{Purpose: policy.Oversight, Organisation: o, Query: person.NewValue(query), NamesOnly: names, Limit: 25})
	}
	for query, want := range map[string]int{"": 2, "bow": 1, "sian bowen": 1, "a1": 0, "a": 0, "bowen a1": 0} {
		got, err := search(org, query, true)
		if err != nil || got.Total != want || len(got.Records) != want {
			t.Errorf("%q finds %d, want %d: %v", query, got.Total, want, err)
		}
		for _, r := range got.Records {
			if r.Identity.Surname.IsZero() || !r.Identity.StaffNumber.IsZero() || !r.Identity.Birth.IsZero() || !r.NI.IsZero() {
				t.Errorf("%q shows %+v", query, r)
			}
		}
	}
	for what, err := range map[string]error{"with staff numbers": errOf(search(org, "", false)), "elsewhere": errOf(search(other, "", true)), "everywhere": errOf(search(id.Organisation{}, "", true))} {
		if code(err) != vc.Refused {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }
