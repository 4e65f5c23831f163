package vault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// Who is told of a breach is kept in the vault, for the service and the organisation's own officer to see and to change, with an entry
// each time, and an alarm where a verified contact gives way.
func TestNoticeContact(t *testing.T) {
	now := clockAt(time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC))
	h := newHouseAt(t, now.now)
	a, b := h.organisation("A"), h.organisation("B")
	officer := h.signIn("web", vc.NewUser{Name: "Gwen Officer", Role: policy.DataProtection, Organisations: []id.Organisation{a}})
	supervisor := h.signIn("web", vc.NewUser{Name: "Nia Puw", Role: policy.Supervisor, Organisations: []id.Organisation{a}})
	set := func(node string, auth vc.Auth, org id.Organisation, n vc.NoticeContact) error {
		return h.nodes[node].SetNoticeContact(t.Context(), auth, vc.NewNoticeContact{Organisation: org, Contact: n})
	}
	seen := func(node string, auth vc.Auth) *vc.NoticeContact {
		for _, o := range must(h.nodes[node].Organisations(t.Context(), auth)) {
			if o.ID == a {
				return o.Notice
			}
		}
		return nil
	}
	alarms := func() int {
		n := 0
		for _, x := range must(h.nodes["cli"].Alarms(t.Context(), h.root, vc.AlarmsRequest{Limit: 100})).Alarms {
			if x.Kind == vc.AlarmNoticeContact && x.Organisation == a {
				n++
			}
		}
		return n
	}
	one := vc.NoticeContact{Name: "Swyddog diogelu data", Email: "dpo@a.example", Phone: "01970 555010", Post: []string{"1 Stryd Fawr", "Aberystwyth"}, Language: vc.InWelsh, Verified: day.Of(2026, 3, 4), How: "telephoned", By: "somebody else"}
	for name, n := range map[string]func(*vc.NoticeContact){
		"no address":       func(n *vc.NoticeContact) { n.Email = "dpo at a" },
		"two lines in one": func(n *vc.NoticeContact) { n.Name = "x\r\nBcc: y@z.example" },
		"too long":         func(n *vc.NoticeContact) { n.How = strings.Repeat("x", 101) },
		"too many lines":   func(n *vc.NoticeContact) { n.Post = strings.Split("12345678", "") },
		"no language":      func(n *vc.NoticeContact) { n.Language = "fr" },
		"tomorrow":         func(n *vc.NoticeContact) { n.Verified++ },
		"verified somehow": func(n *vc.NoticeContact) { n.How = "" },
		"nothing to reach": func(n *vc.NoticeContact) { n.Email, n.Phone, n.Post = "", "", nil },
	} {
		bad := one
		n(&bad)
		if err := set("cli", h.root, a, bad); code(err) != vc.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := set("web", officer, b, one); code(err) != vc.Refused {
		t.Errorf("another organisation's officer: %v", err)
	}
	if err := set("web", supervisor, a, one); code(err) != vc.Refused {
		t.Errorf("a supervisor: %v", err)
	}
	h.freeze(vc.Everything)
	for range 2 { // the second time nothing changes
		if err := set("cli", h.root, a, one); err != nil {
			t.Fatal(err)
		}
	}
	h.stop()
	h.start()
	h.thaw(vc.Everything)
	if err := h.nodes["cli"].ChangeOrganisation(t.Context(), h.root, vc.Organisation{ID: a, Name: "A, renamed", Kind: vc.NHSTrust}); err != nil {
		t.Fatal(err)
	}
	if got := seen("cli", h.root); got == nil || !got.Reaches(one) || got.By != "Mair Evans" || got.Language != vc.InWelsh || got.Due(day.Of(2027, 3, 4)) || !got.Due(day.Of(2027, 3, 5)) {
		t.Errorf("the service sees %+v", got)
	}
	if got := seen("web", officer); got == nil || got.Email != one.Email {
		t.Errorf("the officer sees %+v", got)
	}
	if got := seen("web", supervisor); got != nil {
		t.Errorf("a supervisor sees %+v", got)
	}
	// Reached otherwise, it is verified anew or not at all, and whoever is alarmed can ask why.
	two := one
	two.Email = "other@a.example"
	if err := set("web", officer, a, two); code(err) != vc.Invalid || alarms() != 0 {
		t.Errorf("a contact that changed under its verification: %v, %d alarms", err, alarms())
	}
	two.How = "met in person"
	if err := set("web", officer, a, two); err != nil {
		t.Fatal(err)
	}
	if got := seen("cli", h.root); got == nil || got.Email != two.Email || got.By != "Gwen Officer" || alarms() != 1 {
		t.Errorf("%+v, %d alarms", got, alarms())
	}
	if n := h.entriesLike(a, func(e vc.Entry) bool {
		return e.Kind == "organisation" && e.Reason == "contact for notices of a breach"
	}); n != 2 {
		t.Errorf("%d entries of two changes", n)
	}
}
