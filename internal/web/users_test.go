package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

func TestUsersByPage(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	one := organisationID(1).String()
	step := func(says string, form url.Values) string {
		t.Helper()
		w := post(t, pages, "co-ordinator", "/users/new", form)
		if !strings.Contains(w.Body.String(), says) {
			t.Fatalf("%d, and no %q: %.3000s", w.Code, says, w.Body)
		}
		return w.Body.String()
	}
	step("Enter their name", url.Values{"role": {"operator"}})
	step("Select what they are", url.Values{"name": {"Rhys"}, "role": {"wearer"}})
	step("A user of this name is there already", url.Values{"name": {"mair EVANS"}, "role": {"operator"}})
	for _, r := range policy.Tied {
		step("Select the organisation that they are one of", url.Values{"name": {"Rhys"}, "role": {string(r)}})
	}
	form := url.Values{"name": {" Rhys  Tudur "}, "role": {"local-co-ordinator"}, "organisation": {one}}
	before := len(s.users)
	if body := step("Check before you add the user", form); !strings.Contains(body, "Local badge co-ordinator") || !strings.Contains(body, "Glannau Aeron") || len(s.users) != before {
		t.Errorf("the answers: %s", body)
	}
	form.Set("step", "add")
	body := step("A sign-in link for Rhys Tudur", form)
	if !strings.Contains(body, `value="`+sampleVault+`/link?secret=5ec2e7"`) || strings.Contains(body, `href="`+sampleVault) {
		t.Errorf("the link: %s", body)
	}
	if u := s.users["Rhys Tudur"]; u.Role != policy.Local || len(u.Organisations) != 1 {
		t.Errorf("added %+v", u)
	}
	w := get(t, pages, "co-ordinator", "/users/new?wearer="+wearerID(1).String())
	if body := w.Body.String(); !strings.Contains(body, `value="Siân Bowen"`) || !strings.Contains(body, "and nothing else") {
		t.Errorf("a wearer's own access: %s", body)
	}
	step("A sign-in link for Siân Bowen", url.Values{"name": {"Siân Bowen"}, "wearer": {wearerID(1).String()}, "role": {"co-ordinator"}, "step": {"add"}})
	if u := s.users["Siân Bowen"]; u.Role != policy.Wearer || len(u.Wearers) != 1 || len(u.Organisations) != 0 {
		t.Errorf("added %+v", u)
	}
	u := s.users["supervisor"]
	if w := post(t, pages, "co-ordinator", usersPath(u.ID, "link"), nil); !strings.Contains(w.Body.String(), "A sign-in link for Llŷr Hughes") {
		t.Errorf("a new link: %s", w.Body)
	}
	if w := get(t, pages, "co-ordinator", usersPath(u.ID, "end")); !strings.Contains(w.Body.String(), "End the access of Llŷr Hughes?") || !s.users["supervisor"].Ended.IsZero() {
		t.Errorf("asking first: %s", w.Body)
	}
	if w := post(t, pages, "co-ordinator", usersPath(u.ID, "end"), nil); w.Header().Get("Location") != "/users?done=user-ended" || s.users["supervisor"].Ended.IsZero() {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := get(t, pages, "co-ordinator", "/users?done=user-ended"); !strings.Contains(w.Body.String(), "Their access has ended") || !strings.Contains(w.Body.String(), "12 March 2026") {
		t.Errorf("the list: %s", w.Body)
	}
	for _, path := range []string{"/users", usersPath(u.ID, "end")} {
		if w := get(t, pages, "local", path); w.Code != http.StatusForbidden {
			t.Errorf("%s by a local co-ordinator: %d", path, w.Code)
		}
	}
	if w := get(t, pages, "co-ordinator", usersPath(fixed2(id.User{}, 999), "end")); w.Code != http.StatusNotFound {
		t.Errorf("nobody's access: %d", w.Code)
	}
}

// TestLocalCoordinatorSeesNoDoses: names and badges, and nothing that the register would have to open doses for.
func TestLocalCoordinatorSeesNoDoses(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for path, says := range map[string]string{"/": "Doses are not part of your role", wearersPath(organisationID(1)): "Bowen, Siân", wearerPath(wearerID(1)): "Doses are not part of your role"} {
		w := get(t, pages, "local", path)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), says) || strings.Contains(w.Body.String(), "mSv") || strings.Contains(w.Body.String(), "Take somebody on") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, r := range s.reveals {
		if r.Purpose != policy.IssueBadges || r.Fields&^(policy.FieldName|policy.FieldStaffNumber) != 0 {
			t.Errorf("asked for %v for %s", r.Fields, r.Purpose)
		}
	}
}
