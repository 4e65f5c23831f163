package origin

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestSessionPages: everybody sees and ends their own sessions; who administers sees and ends everybody's.
func TestSessionPages(t *testing.T) {
	h := newHouse(t)
	ids := h.users(vc.NewUser{Name: "Ada", Role: policy.Administrator}, vc.NewUser{Name: "Owain", Role: policy.Operator})
	o := h.origin(true)
	ada, owain, thief := h.browser(o), h.browser(o), h.browser(o)
	ada.signInAs(ids[0])
	owain.signInAs(ids[1])
	thief.signInAs(ids[1])
	end := regexp.MustCompile(`/sessions/(\w+)/end`)
	page := owain.get("/sessions").Body.String()
	if n := len(end.FindAllString(page, -1)); n != 2 || strings.Contains(page, "Ada") || strings.Contains(page, "/sessions/all") || strings.Count(page, `<span class="tag">this one</span>`) != 1 {
		t.Fatalf("%d sessions of one's own: %s", n, page)
	}
	if w := owain.get("/sessions/all"); w.Code != http.StatusForbidden {
		t.Errorf("everybody's, for an operator: %d", w.Code)
	}
	if w := ada.get("/sessions"); !strings.Contains(w.Body.String(), `href="/sessions/all"`) {
		t.Errorf("an administrator finds not everybody's: %s", w.Body)
	}
	all := ada.get("/sessions/all").Body.String()
	if n := len(end.FindAllString(all, -1)); n != 4 || !strings.Contains(all, "Owain") || !strings.Contains(all, "Mair Evans") || !strings.Contains(all, "The command line") {
		t.Errorf("%d sessions of everybody: %s", n, all)
	}
	row := page[strings.LastIndex(page, "<tr>"):]
	if strings.Contains(row, "this one") {
		row = page[strings.Index(page, "<tbody>"):strings.LastIndex(page, "<tr>")]
	}
	w := owain.post(end.FindString(row), nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sessions?done=session-ended" {
		t.Errorf("ending the other one: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := owain.get("/sessions?done=session-ended"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "The session has ended") {
		t.Errorf("afterwards: %d", w.Code)
	}
	if w := thief.get("/account"); w.Code != http.StatusSeeOther {
		t.Errorf("the session that was ended: %d", w.Code)
	}
}
