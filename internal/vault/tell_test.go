package vault_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// hacked fills a house: a laboratory held names of all and doses of some of A's and B's people, and nothing of C's; an incident says so.
func (h *house) hacked(a, b id.Organisation, drill bool) id.Incident {
	h.t.Helper()
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	ours, theirs := h.join(a, "One, Ann, A1", "Two, Ann, A2", "Three, Ann, A3"), h.join(b, "One, Bob, B1")
	rows := []vc.DeclaredRow{{Wearer: theirs[0], Fields: policy.FieldName | policy.FieldDose, Years: []uint16{2020}}}
	for i, w := range ours {
		rows = append(rows, vc.DeclaredRow{Wearer: w, Fields: policy.FieldName})
		if i == 0 {
			rows[1].Fields |= policy.FieldBirth
		}
	}
	if err := h.nodes["cli"].Declare(h.t.Context(), h.root, vc.Declaration{Import: id.New[id.Import](), Recipient: "supplier:Lab", From: from, To: from.AddDate(1, 0, 0), Rows: rows}); err != nil {
		h.t.Fatal(err)
	}
	return must(h.nodes["cli"].EnterStep(h.t.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "The laboratory was hacked", Drill: drill,
		Hypothesis: &vc.Hypothesis{Recipient: "supplier:Lab", From: from, To: from.AddDate(6, 0, 0)}}))
}

func (h *house) contact(org id.Organisation, n vc.NoticeContact) {
	h.t.Helper()
	n.Name = "Swyddog diogelu data"
	if err := h.nodes["cli"].SetNoticeContact(h.t.Context(), h.root, vc.NewNoticeContact{Organisation: org, Contact: n}); err != nil {
		h.t.Fatal(err)
	}
}

// Each organisation is told its own figures once for each phase, whatever is frozen; what became of a notice is kept once, and nothing waits then.
func TestTell(t *testing.T) {
	now := clockAt(time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC))
	h := newHouseAt(t, now.now)
	a, b, c := h.organisation("A"), h.organisation("B"), h.organisation("C")
	n := h.hacked(a, b, false)
	officer := h.signIn("web", vc.NewUser{Name: "Gwen Officer", Role: policy.DataProtection, Organisations: []id.Organisation{a}})
	h.contact(a, vc.NoticeContact{Email: "dpo@a.example", Post: []string{"1 Stryd Fawr"}, Verified: day.Of(2026, 3, 1), How: "telephoned", Language: vc.InWelsh})
	h.contact(b, vc.NoticeContact{Email: "dpo@b.example"})
	r := vc.TellRequest{Incident: n, Text: "A laboratory was hacked", CallBack: "029 2055 5010", Channel: vc.ByMail}
	tell := func(node string, auth vc.Auth, r vc.TellRequest) ([]vc.TellingResult, error) {
		return h.nodes[node].Tell(t.Context(), auth, r)
	}
	if _, err := tell("cli", h.root, r); code(err) != vc.Invalid {
		t.Fatalf("mail without a mail server: %v", err)
	}
	h.v.NoticeChannel()
	for name, change := range map[string]func(*vc.TellRequest){
		"no text":          func(r *vc.TellRequest) { r.Text = "" },
		"a name as number": func(r *vc.TellRequest) { r.CallBack = "www.forger.example 12345" },
		"no number":        func(r *vc.TellRequest) { r.CallBack = "" },
		"no channel":       func(r *vc.TellRequest) { r.Channel = "pigeon" },
		"no incident":      func(r *vc.TellRequest) { r.Incident = id.New[id.Incident]() },
		"no organisation":  func(r *vc.TellRequest) { r.Organisations = []id.Organisation{id.New[id.Organisation]()} },
	} {
		bad := r
		change(&bad)
		if _, err := tell("cli", h.root, bad); code(err) != vc.Invalid && code(err) != vc.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tell("web", officer, r); code(err) != vc.Refused {
		t.Errorf("an organisation's officer has others told: %v", err)
	}

	h.freeze(vc.Everything)
	r.Request = id.New[id.Row]()
	first := must(tell("cli", h.root, r))
	if len(first) != 2 || len(h.v.WaitingMails()) != 1 || !h.alarmed(vc.AlarmTold) {
		t.Fatalf("%+v, %d mails wait", first, len(h.v.WaitingMails()))
	}
	var mailed vc.Notice
	for _, x := range first {
		switch x.Organisation {
		case a:
			mailed = *x.Notice
			got := mailed
			want := vc.Notice{ID: got.ID, Phase: 1, Channel: vc.ByMail, Contact: got.Contact, CallBack: r.CallBack, Wearers: 3, Maximum: true, Request: r.Request,
				Rows:  []vc.NoticeRow{{Fields: policy.FieldName | policy.FieldBirth, Wearers: 1}, {Fields: policy.FieldName, Wearers: 2}},
				First: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		case b:
			if x.Notice != nil || x.Problem == "" {
				t.Errorf("a contact that nobody verified: %+v", x)
			}
		}
	}
	// The same request again, in whatever state, tells nobody twice; without a name of its own it is about those who were not told.
	for range 2 {
		if again := must(tell("cli", h.root, vc.TellRequest{Incident: n, Organisations: []id.Organisation{a}, Text: r.Text, CallBack: r.CallBack, Channel: r.Channel, Request: r.Request})); len(again) != 1 || again[0].Notice == nil || again[0].Notice.Phase != 1 {
			t.Errorf("again: %+v", again)
		}
		if again := must(tell("cli", h.root, vc.TellRequest{Incident: n, Text: r.Text, CallBack: r.CallBack, Channel: r.Channel})); len(again) != 1 || again[0].Notice != nil {
			t.Errorf("the rest: %+v", again)
		}
		mails := h.v.WaitingMails()
		if len(mails) != 1 || mails[0].Organisation != "A" || mails[0].Number != "2026-1" || len(mails[0].Secret) != 64 {
			t.Fatalf("%+v", mails)
		}
		h.stop()
		h.start()
		h.v.NoticeChannel()
		if after := h.v.WaitingMails(); cmp.Diff(mails, after) != "" {
			t.Error("a restart changed what waits: " + cmp.Diff(mails, after))
		}
	}
	// Somebody who can't be mailed is told by a letter, which a person posts.
	letter := r
	letter.Channel, letter.Organisations, letter.Request = vc.ByLetter, []id.Organisation{a, c}, id.Row{}
	posted := must(tell("cli", h.root, letter))
	post := func(org id.Organisation, of id.Notice) error {
		_, err := h.nodes["cli"].EnterStep(t.Context(), h.root, vc.NewStep{Incident: n, Kind: vc.Told, Text: "Posted, first class", Organisation: org, Of: of})
		return err
	}
	var of id.Notice
	for _, x := range posted {
		if x.Organisation == a && x.Notice != nil && x.Notice.Phase == 2 {
			of = x.Notice.ID
		} else if x.Organisation != c || x.Problem == "" {
			t.Errorf("%+v", x)
		}
	}
	for what, err := range map[string]error{"a letter to another": post(b, of), "a mail": post(a, mailed.ID), "no letter": post(a, id.New[id.Notice]())} {
		if code(err) != vc.Invalid {
			t.Errorf("posted: %s: %v", what, err)
		}
	}
	if err := post(a, of); err != nil {
		t.Fatal(err)
	}
	if err := post(a, of); code(err) != vc.Invalid {
		t.Errorf("posted twice: %v", err)
	}
	mail := h.v.WaitingMails()[0].ID
	for range 2 {
		if err := h.v.MailSent(t.Context(), mail, true, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.v.WaitingMails()) != 0 {
		t.Error("something waits still")
	}
	kinds := ""
	for _, s := range must(h.nodes["web"].Incidents(t.Context(), officer))[0].Steps {
		kinds += string(s.Kind) + " by " + s.By + ", "
	}
	if kinds != "declared by co-ordinator, telling by co-ordinator, telling by co-ordinator, told by co-ordinator, told by the vault, " {
		t.Errorf("the officer sees %s", kinds)
	}
	if got := h.entriesLike(a, func(e vc.Entry) bool { return e.Kind == "incident" }); got != 4 {
		t.Errorf("%d entries in A's ledger", got)
	}

	// The next phase goes out, and is given up with an alarm.
	second := must(tell("cli", h.root, vc.TellRequest{Incident: n, Organisations: []id.Organisation{a}, Text: "More is known", CallBack: r.CallBack, Channel: vc.ByMail, Final: true}))
	if x := second[0].Notice; x == nil || x.Phase != 3 || x.Maximum {
		t.Fatalf("%+v", second)
	}
	if err := h.v.MailSent(t.Context(), second[0].Notice.ID, false, "refused"); err != nil {
		t.Fatal(err)
	}
	if len(h.v.WaitingMails()) != 0 || !h.alarmed(vc.AlarmUndelivered) {
		t.Error("what was given up waits, or nobody is alarmed")
	}
}

// A drill's notices are steps like any, and nothing is sent; what was taken sealed reaches everybody who has people here.
func TestTellInADrill(t *testing.T) {
	h := newHouse(t)
	a, b, c := h.organisation("A"), h.organisation("B"), h.organisation("C")
	n := h.hacked(a, b, true)
	at := h.clock()
	must(h.nodes["cli"].EnterStep(t.Context(), h.root, vc.NewStep{Incident: n, Kind: vc.Supposed, Text: "A backup too", Hypothesis: &vc.Hypothesis{Medium: true, From: at.Add(-time.Hour), To: at}}))
	for _, org := range []id.Organisation{a, b, c} {
		h.contact(org, vc.NoticeContact{Email: "dpo@x.example", Verified: day.At(at.UTC()), How: "telephoned"})
	}
	got := must(h.nodes["cli"].Tell(t.Context(), h.root, vc.TellRequest{Incident: n, Text: "A rehearsal", CallBack: "029 2055 5010", Channel: vc.ByMail}))
	if len(got) != 2 || got[0].Notice == nil || !got[0].Notice.Sealed || len(h.v.WaitingMails()) != 0 || h.alarmed(vc.AlarmTold) {
		t.Fatalf("%+v", got)
	}
	told := 0
	for _, s := range must(h.nodes["cli"].Incidents(t.Context(), h.root))[0].Steps {
		if s.Kind == vc.Told && !s.Of.IsZero() {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d were told", told)
	}
}
