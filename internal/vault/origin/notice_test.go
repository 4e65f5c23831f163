package origin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// notice has an organisation told of a breach of one of its people, and returns the secret of the link.
func (h *house) notice(org id.Organisation) string {
	h.Helper()
	file := id.New[id.Import]()
	staged := must(h.v.Stage(h.Context(), h.root, file, []vc.Change{{Organisation: org, Identity: person.Identity{Surname: person.NewValue("Qwyddfarch-Anna"), StaffNumber: person.NewValue("QA-7702")}}}))
	at := time.Now().Add(h.later)
	from, to := at.Add(-48*time.Hour), at.Add(-time.Hour)
	for _, err := range []error{
		h.v.Confirm(h.Context(), h.root, file, nil),
		h.v.Declare(h.Context(), h.root, vc.Declaration{Import: id.New[id.Import](), Recipient: "supplier:Lab", From: from, To: to, Rows: []vc.DeclaredRow{{Wearer: staged[0].Wearer, Fields: policy.FieldName | policy.FieldDose}}}),
		h.v.SetNoticeContact(h.Context(), h.root, vc.NewNoticeContact{Organisation: org, Contact: vc.NoticeContact{Name: "Swyddog diogelu data", Email: "dpo@llyn.example", Verified: day.At(at.UTC()), How: "telephoned"}}),
	} {
		if err != nil {
			h.Fatal(err)
		}
	}
	h.v.NoticeChannel()
	n := must(h.v.EnterStep(h.Context(), h.root, vc.NewStep{Kind: vc.Declared, Text: "Hacked", Hypothesis: &vc.Hypothesis{Recipient: "supplier:Lab", From: from, To: at}}))
	return h.tell(n, org, "A laboratory was <hacked>")
}

// tell has an organisation told, and returns the secret of its newest link.
func (h *house) tell(n id.Incident, org id.Organisation, text string) string {
	h.Helper()
	told := must(h.v.Tell(h.Context(), h.root, vc.TellRequest{Incident: n, Organisations: []id.Organisation{org}, Text: text, CallBack: "029 2055 5010", Channel: vc.ByMail}))
	for _, m := range h.v.WaitingMails() {
		if m.ID == told[0].Notice.ID {
			return m.Secret
		}
	}
	h.Fatalf("%+v waits nowhere", told)
	return ""
}

// The page behind a notice's link needs no account, changes nothing by being looked at, is entered each time, and shows no figures once it was read; a later
// part's shows both.
func TestNoticePage(t *testing.T) {
	h := newHouse(t)
	o := h.origin(false)
	org := h.organisation("Bwrdd Iechyd Llŷn")
	first := h.notice(org)
	b := h.browser(o)
	steps := func() (out string) {
		for _, s := range must(h.v.Incidents(t.Context(), h.root))[0].Steps[1:] {
			out += string(s.Kind) + " by " + s.By + ", "
		}
		return out
	}
	opened := func() (n int) {
		for _, e := range must(h.v.Ledger(t.Context(), h.root, vc.LedgerRequest{Organisation: org, Limit: 200})).Entries {
			if e.Kind == "incident" && e.Rule == "opened" {
				n++
			}
		}
		return n
	}
	see := func(secret string, status int, want ...string) string {
		t.Helper()
		w := b.get("/notice?secret=" + secret)
		body := w.Body.String()
		if w.Code != status {
			t.Errorf("status %d: %s", w.Code, body)
		}
		for _, x := range want {
			if !strings.Contains(body, x) {
				t.Errorf("no %q in %s", x, body)
			}
		}
		if strings.Contains(body, "Qwyddfarch") || strings.Contains(body, "QA-77") {
			t.Errorf("somebody's name: %s", body)
		}
		return body
	}
	figures := "name and dose"
	for range 2 {
		see(first, http.StatusOK, "Bwrdd Iechyd Llŷn", "2026-1", figures, "A laboratory was &lt;hacked&gt;", "029 2055 5010", "at most: 1 person", "We have read this")
	}
	if got := steps(); got != "telling by Mair Evans, " || opened() != 2 {
		t.Errorf("looking changed something, or was not entered: %s, %d entries", got, opened())
	}
	if body := see(first+"&lang=cy", http.StatusOK, "enw a dos", "Rydym wedi darllen hwn"); strings.Contains(body, "We have read this") {
		t.Error("English stands on a Welsh page")
	}
	see(first+"&lang=en", http.StatusOK)

	if w := b.post("/notice/ask", url.Values{"secret": {first}, "question": {" "}}); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Enter your question") || !strings.Contains(w.Body.String(), figures) {
		t.Errorf("no question: %d: %s", w.Code, w.Body)
	}
	if w := b.post("/notice/ask", url.Values{"secret": {first}, "question": {"Who has it?\r\nSince when?"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/notice?done=asked&secret="+first {
		t.Errorf("asking: %d to %q", w.Code, w.Header().Get("Location"))
	}
	for range 2 {
		if w := b.post("/notice/read", url.Values{"secret": {first}}); w.Code != http.StatusSeeOther {
			t.Errorf("reading: %d: %s", w.Code, w.Body)
		}
	}
	if got := steps(); got != "telling by Mair Evans, asked by the contact for notices, acknowledged by the contact for notices, " {
		t.Errorf("%s", got)
	}
	if body := see(first, http.StatusOK, "shows no figures any more", "029 2055 5010"); strings.Contains(body, figures) || strings.Contains(body, "hacked") {
		t.Errorf("what was read is shown: %s", body)
	}
	if kind := must(h.v.Alarms(t.Context(), h.root, vc.AlarmsRequest{Limit: 1})).Alarms[0].Kind; kind != vc.AlarmAsked {
		t.Errorf("an alarm %s", kind)
	}

	// The next part shows both; the first one's link says that there is a newer one.
	second := h.tell(must(h.v.Incidents(t.Context(), h.root))[0].ID, org, "It was a mistake")
	see(second, http.StatusOK, figures, "It was a mistake", "A laboratory was &lt;hacked&gt;", "Part 2, of ", "Part 1, of ")
	see(first, http.StatusOK, "There is a newer part")

	// Who guesses finds nothing, and that is entered; who has the link can't open it for ever.
	for _, secret := range []string{"", "0123", strings.ToUpper(second), second[:63] + "g"} {
		see(secret, http.StatusForbidden, "does not work any more")
	}
	for range 60 {
		b.get("/notice?secret=" + second)
	}
	see(second, http.StatusTooManyRequests, "opened too often")
	h.later = vc.NoticeLife - time.Minute
	see(second, http.StatusOK, figures)
	h.later = vc.NoticeLife + time.Minute
	see(second, http.StatusForbidden, "does not work any more")
	if w := b.post("/notice/read", url.Values{"secret": {second}}); w.Code != http.StatusForbidden {
		t.Errorf("an old link is acknowledged: %d", w.Code)
	}
}
