package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
)

// aNewOrganisation is a form that is filled in right.
func aNewOrganisation(change ...string) url.Values {
	f := url.Values{"name": {"Ysbyty Bryn Derwen"}, "kind": {"private-hospital"}, "standing": {"processor"}, "contact": {"Swyddog diogelu data"},
		"email": {"dpo@brynderwen.example"}, "language": {"both"}, "verified": {"yes"}, "on-day": {"3"}, "on-month": {"3"}, "on-year": {"2026"}, "how": {"telephoned"}}
	for i := 0; i+1 < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

func TestAddingAnOrganisation(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for _, c := range []struct{ field, value, want string }{
		{"name", " ", `<a href="#name">Enter the organisation&#39;s name</a>`},
		{"name", "ynys wen hospital", `<a href="#name">An organisation of this name is there already</a>`},
		{"name", strings.Repeat("x", 201), `<a href="#name">The organisation&#39;s name must be 200 characters or less</a>`},
		{"kind", "castle", `<a href="#kind">Select what kind of organisation it is</a>`},
		{"standing", "", `<a href="#standing">`},
		{"contact", "", `<a href="#contact">Enter who is to be told of a breach</a>`},
		{"email", "", `<a href="#email">Enter an e-mail address or a telephone number</a>`},
		{"email", "Mair <m@example.org>", `<a href="#email">Enter an e-mail address like notices@example.org</a>`},
		{"verified", "", `<a href="#verified">`},
		{"language", "fr", `<a href="#language">`},
		{"post", strings.Repeat("x\n", 8), `<a href="#post">Enter 7 lines or fewer</a>`},
		{"on-year", "2027", `<a href="#on-day">The day of verifying must be today or in the past</a>`},
		{"on-day", "", `<a href="#on-day">The day of verifying must have a day</a>`},
		{"how", "", `<a href="#how">Enter how the contact was verified</a>`},
	} {
		w := post(t, pages, "co-ordinator", "/organisations/new", aNewOrganisation(c.field, c.value, "step", "add"))
		body := w.Body.String()
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, c.want) || !strings.Contains(body, "<title>Error: ") {
			t.Errorf("%s %q: status %d, no %q", c.field, c.value, w.Code, c.want)
		}
		if c.field != "contact" && !strings.Contains(body, `value="Swyddog diogelu data"`) {
			t.Errorf("%s %q: what was typed is gone", c.field, c.value)
		}
	}
	before := len(s.organisations)
	w := post(t, pages, "co-ordinator", "/organisations/new", aNewOrganisation())
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, "Check before you add") || !strings.Contains(body, "3 March 2026: telephoned") || len(s.organisations) != before {
		t.Fatalf("status %d: %s", w.Code, body)
	}
	w = post(t, pages, "co-ordinator", "/organisations/new", aNewOrganisation("step", "change"))
	if body := w.Body.String(); !strings.Contains(body, `value="Ysbyty Bryn Derwen"`) || len(s.organisations) != before {
		t.Fatalf("changing the answers: %s", body)
	}
	w = post(t, pages, "co-ordinator", "/organisations/new", aNewOrganisation("step", "add"))
	n := organisationID(before + 1)
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != settingsPath(n)+"?done=organisation-added" {
		t.Fatalf("%d to %q", w.Code, got)
	}
	if got := s.settings[n]; got.Notice.By != "Mair Evans" || got.Notice.Verified != day.Of(2026, 3, 3) || got.Controller || !got.Asked {
		t.Errorf("its settings are %+v", got)
	}
	w = get(t, pages, "co-ordinator", settingsPath(n)+"?done=organisation-added")
	if body := w.Body.String(); !strings.Contains(body, "The organisation was added") || !strings.Contains(body, "Without an account at a laboratory") || !strings.Contains(body, "3 March 2026 by Mair Evans: telephoned") {
		t.Errorf("its settings' page: %s", body)
	}
}

func TestChangingSettings(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	one := organisationID(1)
	path := settingsPath(one)
	change := func(part string, form url.Values, wrong string) {
		t.Helper()
		w := post(t, pages, "co-ordinator", path+"/"+part, form)
		switch {
		case wrong == "" && (w.Code != http.StatusSeeOther || w.Header().Get("Location") != path+"?done=settings-changed"):
			t.Errorf("%s: status %d to %q: %s", part, w.Code, w.Header().Get("Location"), w.Body)
		case wrong != "" && (w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), wrong)):
			t.Errorf("%s: status %d, and no %q in %s", part, w.Code, wrong, w.Body)
		}
	}
	change("name", url.Values{"name": {"Ynys Wen Hospital"}, "kind": {"health-board"}}, "An organisation of this name is there already")
	change("name", url.Values{"name": {"Bwrdd Iechyd Aeron"}, "kind": {"nhs-trust"}}, "")
	change("accounts", url.Values{"accounts": {"not a code\n"}}, "Account 1: 1 to 32 letters")
	change("accounts", url.Values{"accounts": {" 700123\r\n\r\n A-9 \r\n"}}, "")
	change("departments", url.Values{"departments": {"Theatrau\nRadioleg"}}, "")
	s.settings[organisationID(2)] = Settings{Accounts: []string{"700999"}}
	change("accounts", url.Values{"accounts": {"700999"}}, "One of these accounts is that of Cwm Tawe")
	day3 := url.Values{"from-day": {"1"}, "from-month": {"4"}, "from-year": {"2026"}}
	with := func(more ...string) url.Values {
		f := url.Values{}
		for k, v := range day3 {
			f[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return f
	}
	change("levels", with("level-effective", "20"), "Effective dose: enter a number of mSv above 0 and below the legal limit of 20")
	change("levels", with("level-lens", "two"), `<a href="#level-lens">`)
	change("levels", with("level-lens", "12.5", "from-day", ""), `<a href="#from-day">`)
	change("levels", with("level-lens", "12.5"), "")
	got := s.settings[one]
	if len(got.Accounts) != 2 || got.Accounts[1] != "A-9" || len(got.Departments) != 2 || len(got.Levels) != 1 || got.Levels[0].Dose != 12_500 || got.Levels[0].Kind != dose.Lens {
		t.Errorf("%+v", got)
	}
	// A contact that changed is not the one that was verified.
	n := got.Notice
	contact := url.Values{"standing": {"controller"}, "contact": {n.Name}, "email": {"other@aeron.example"}, "phone": {n.Phone}, "language": {"cy"}, "post": {"1 Stryd Fawr\r\nAberaeron"}, "verified": {"yes"}, "on-day": {"15"}, "on-month": {"1"}, "on-year": {"2026"}, "how": {n.How}}
	change("contact", contact, "The contact changed: select No")
	contact.Set("on-day", "20")
	change("contact", contact, "")
	if got := s.settings[one]; !got.Controller || got.Notice.Email != "other@aeron.example" || got.Notice.Verified != day.Of(2026, 1, 20) || got.Notice.Language != "cy" || len(got.Notice.Post) != 2 || len(got.Accounts) != 2 {
		t.Errorf("%+v", got)
	}
	if w := get(t, pages, "co-ordinator", path+"/nothing"); w.Code != http.StatusNotFound {
		t.Errorf("an unknown part: %d", w.Code)
	}
	if w := get(t, pages, "supervisor", settingsPath(organisationID(2))); w.Code != http.StatusNotFound {
		t.Errorf("another's settings: %d", w.Code)
	}
}

func TestOrganisationsAreFiltered(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	for path, want := range map[string]string{
		"/organisations":                         "34 organisations",
		"/organisations?kind=dental-practice":    "30 organisations",
		"/organisations?name=GLANNAU":            "1 organisation<",
		"/organisations?name=nowhere":            "No organisation fits",
		"/organisations?kind=airport&name=aeron": "No organisation fits",
	} {
		if body := get(t, pages, "co-ordinator", path).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s: no %q", path, want)
		}
	}
}
