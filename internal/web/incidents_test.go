package web

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// declaration is a form as a browser sends it from the last page, all pages before it carried along.
func declaration(change ...string) url.Values {
	f := url.Values{"step": {"check"}, "kind": {"supplier"}, "which": {" Cardiff  Dosimetry "}, "from-day": {"6"}, "from-month": {"10"}, "from-year": {"2020"},
		"to-day": {"11"}, "to-month": {"3"}, "to-year": {"2026"}, "to-time": {"22:40"}, "text": {"It was hacked.\r\nIt says so itself."}, "drill": {"no"}}
	for i := 0; i < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

// An incident is declared page by page; the last one enters what all of them say, and freezes if it is to.
func TestDeclaringAnIncident(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	for step, next := range map[string]string{"kind": `name="which"`, "which": `name="text"`, "what": "Check before you enter it"} {
		w := post(t, pages, "co-ordinator", "/incidents/declare", declaration("step", step))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), next) || len(s.steps) > 0 {
			t.Errorf("after %s: %d, %d steps entered", step, w.Code, len(s.steps))
		}
	}
	for name, c := range map[string]struct{ field, value, step, says string }{
		"nothing suspected":      {"kind", "", "kind", "Select what you suspect"},
		"no supplier":            {"which", " ", "which", "Enter the supplier’s name"},
		"no day":                 {"from-day", "", "which", "must have a day"},
		"turned round":           {"from-year", "2027", "check", "The end must be after the beginning"},
		"no time":                {"to-time", "25:00", "which", "Enter a time of 24 hours"},
		"no text":                {"text", "", "what", "Enter what is suspected"},
		"more than is kept":      {"text", strings.Repeat("ŵ", vaultclient.MaxIncidentText+1), "check", "Enter 2,000 characters or less; there are 2,001"},
		"not said if in earnest": {"drill", "", "check", "Select whether it is a rehearsal"},
	} {
		w := post(t, pages, "co-ordinator", "/incidents/declare", declaration(c.field, c.value, "step", c.step))
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.says) || len(s.steps) > 0 {
			t.Errorf("%s: %d, %d steps entered", name, w.Code, len(s.steps))
		}
	}
	lab := &vaultclient.Hypothesis{Recipient: "supplier:Cardiff Dosimetry", From: time.Date(2020, 10, 5, 23, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 11, 22, 40, 0, 0, time.UTC)} // London was at UTC+1 in October
	want := vaultclient.NewStep{Kind: vaultclient.Declared, Text: "It was hacked.\nIt says so itself.", Hypothesis: lab}
	for _, c := range []struct {
		form      url.Values
		to        string
		freezes   int
		tooFew    bool
		wantDrill bool
	}{
		{declaration(), "?done=declared", 0, false, false},
		{declaration("freeze", "yes"), "?done=frozen", 1, false, false},
		{declaration("freeze", "yes"), "?done=not-frozen", 0, true, false},
		{declaration("freeze", "yes", "drill", "yes"), "?done=declared", 0, false, true},
	} {
		s.steps, s.froze, s.tooFew = nil, nil, c.tooFew
		w := post(t, pages, "co-ordinator", "/incidents/declare", c.form)
		want.Drill = c.wantDrill
		if diff := cmp.Diff([]vaultclient.NewStep{want}, s.steps, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" || w.Header().Get("Location") != incidentPath(incidentID(1))+c.to || len(s.froze) != c.freezes {
			t.Errorf("%d to %q, %d frozen: %s", w.Code, w.Header().Get("Location"), len(s.froze), diff)
		}
		if c.freezes > 0 && (s.froze[0].Scope != "supplier:Cardiff Dosimetry" || s.froze[0].Purpose != policy.BreachNotice) {
			t.Errorf("frozen: %+v", s.froze)
		}
	}
	// A web node that freezes itself says so with what it has; an officer of one organisation can't point out accounts.
	s.tooFew = false
	if w := post(t, pages, "co-ordinator", "/incidents/declare", declaration("kind", "web", "freeze", "yes")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "these pages with it") {
		t.Errorf("freezing itself: %d", w.Code)
	}
	if w := post(t, pages, "dpo", "/incidents/declare", declaration("kind", "account")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an officer suspects an account: %d", w.Code)
	}
	// One hypothesis more belongs to its incident.
	s.steps = nil
	if w := post(t, pages, "dpo", incidentPath(incidentID(1))+"/suppose", declaration("kind", "medium")); w.Header().Get("Location") != incidentPath(incidentID(1))+"?done=supposed" || len(s.steps) != 1 ||
		s.steps[0].Incident != incidentID(1) || s.steps[0].Kind != vaultclient.Supposed || !s.steps[0].Hypothesis.Medium {
		t.Errorf("%d: %+v", w.Code, s.steps)
	}
}

// Each page about an incident enters the step that it says, of the organisation that it concerns.
func TestEnteringSteps(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	at := func(what string) string { return incidentPath(incidentID(1)) + "/enter/" + what }
	own, other := organisationID(1), organisationID(2)
	for _, c := range []struct {
		who, path string
		form      url.Values
		want      vaultclient.NewStep
	}{
		{"co-ordinator", at("done"), url.Values{"kind": {"knew"}, "organisation": {""}, "text": {"It knew"}, "at-day": {"2"}, "at-month": {"3"}, "at-year": {"2026"}}, vaultclient.NewStep{Kind: vaultclient.Knew, Text: "It knew", Moment: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}},
		{"dpo", at("done"), url.Values{"kind": {"noted"}, "text": {"Called"}}, vaultclient.NewStep{Kind: vaultclient.Noted, Text: "Called", Organisation: own}},
		{"co-ordinator", at("told"), url.Values{"organisation": {other.String()}, "text": {"By telephone"}}, vaultclient.NewStep{Kind: vaultclient.Told, Text: "By telephone", Organisation: other}},
		{"dpo", at("decide"), url.Values{"report": {"yes"}, "people": {"no"}, "text": {"Why"}}, vaultclient.NewStep{Kind: vaultclient.Decided, Text: "Why", Organisation: own, Decision: &vaultclient.Decision{Report: true}}},
		{"co-ordinator", at("decide"), url.Values{"report": {"no"}, "people": {"yes"}, "text": {"Why"}}, vaultclient.NewStep{Kind: vaultclient.Decided, Text: "Why", Decision: &vaultclient.Decision{TellPeople: true}}},
		{"dpo", at("ask"), url.Values{"text": {"Why?"}}, vaultclient.NewStep{Kind: vaultclient.Asked, Text: "Why?", Organisation: own}},
		{"co-ordinator", at("answer") + "?organisation=" + own.String(), url.Values{"text": {"So"}}, vaultclient.NewStep{Kind: vaultclient.Answered, Text: "So", Organisation: own}},
		{"dpo", at("sign-off"), url.Values{"text": {"Done"}}, vaultclient.NewStep{Kind: vaultclient.SignedOff, Text: "Done", Organisation: own}},
		{"co-ordinator", at("close"), url.Values{"text": {"Over"}}, vaultclient.NewStep{Kind: vaultclient.Closed, Text: "Over"}},
	} {
		s.steps, c.want.Incident = nil, incidentID(1)
		w := post(t, pages, c.who, c.path, c.form)
		if diff := cmp.Diff([]vaultclient.NewStep{c.want}, s.steps, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" || w.Header().Get("Location") != incidentPath(incidentID(1))+"?done=entered" {
			t.Errorf("%s by %s: %d to %q: %s", c.path, c.who, w.Code, w.Header().Get("Location"), diff)
		}
		s.steps = nil
		if w := post(t, pages, c.who, c.path, url.Values{}); w.Code != http.StatusUnprocessableEntity || len(s.steps) > 0 {
			t.Errorf("%s by %s without answers: %d, %d steps entered", c.path, c.who, w.Code, len(s.steps))
		}
	}
	s.steps = nil
	for _, c := range []struct{ who, path string }{{"dpo", at("close")}, {"dpo", at("told")}, {"dpo", at("answer")}, {"co-ordinator", at("ask")}, {"co-ordinator", at("sign-off")}, {"co-ordinator", at("answer")},
		{"co-ordinator", at("nothing")}, {"dpo", incidentPath(incidentID(2)) + "/enter/done"}} {
		if w := post(t, pages, c.who, c.path, url.Values{"text": {"x"}, "kind": {"noted"}}); w.Code != http.StatusNotFound || len(s.steps) > 0 {
			t.Errorf("%s by %s: %d", c.path, c.who, w.Code)
		}
	}
}

// The page of an incident asks the ledgers about all hypotheses, and says what follows. Each reader sees what is theirs.
func TestIncidentPage(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	body := get(t, pages, "co-ordinator", incidentPath(incidentID(1))).Body.String()
	if len(s.asked) != 1 || s.asked[0].Recipient != "supplier:Cardiff Dosimetry" || len(s.asked[0].Also) != 1 || !s.asked[0].List {
		t.Fatalf("asked %+v", s.asked)
	}
	text := strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
	for _, want := range []string{"The laboratory telephoned", "273 people", "2 of 3 told", "Cwm Tawe University Health Board What became readable Names, dates of birth, NI numbers and doses", "Very high", "Late by 1 hour 30 minutes",
		"1 day 10 hours left", "Reported to the regulator, and the people are told.", "The account of Tomos Parry", "Not told yet Cwm Tawe", "Why did the laboratory hold NI numbers at all?"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if !strings.Contains(body, "/enter/answer?organisation="+organisationID(1).String()) {
		t.Error("the question has no way to answer it")
	}
	own := get(t, pages, "dpo", incidentPath(incidentID(1))).Body.String()
	for _, no := range []string{"Cwm Tawe", "Ynys Wen", "/enter/told", "/enter/close", "Tomos Parry"} {
		if strings.Contains(own, no) {
			t.Errorf("an organisation's officer sees %q", no)
		}
	}
	if w := get(t, pages, "dpo", incidentPath(incidentID(2))); w.Code != http.StatusNotFound {
		t.Errorf("an incident of others: %d", w.Code)
	}
	s.asked = nil
	if body := get(t, pages, "co-ordinator", incidentPath(incidentID(2))).Body.String(); !strings.Contains(body, "34(3)(a)") || len(s.asked) > 0 {
		t.Errorf("a sealed medium is asked about: %v", s.asked)
	}
	if body := get(t, pages, "co-ordinator", "/").Body.String(); !strings.Contains(body, `href="`+incidentPath(incidentID(1))+`"`) {
		t.Error("the overview does not lead to what is open")
	}

	w := get(t, pages, "co-ordinator", incidentPath(incidentID(1))+"/figures")
	all, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(all) != 5 || all[1][1] != "Bwrdd Iechyd Prifysgol Glannau Aeron" || all[2][1] != all[1][1] || all[1][3] != "37" {
		t.Errorf("%v: %v", err, all)
	}
}

// Freezing asks again when it would leave nobody who can let go; a rehearsal freezes nothing.
func TestFreezingASuspect(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path, account := incidentPath(incidentID(1))+"/freeze", url.Values{"scope": {string(vaultclient.UserScope(fixed2(id.User{}, 2)))}}
	s.tooFew = true
	if w := post(t, pages, "co-ordinator", path, account); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `name="sure"`) {
		t.Errorf("too few: %d", w.Code)
	}
	account.Set("sure", "yes")
	if w := post(t, pages, "co-ordinator", path, account); w.Header().Get("Location") != incidentPath(incidentID(1))+"?done=frozen" || len(s.froze) != 1 || !s.froze[0].Sure || !strings.HasPrefix(s.froze[0].Reason, "2026-3: ") {
		t.Errorf("%d: %+v", w.Code, s.froze)
	}
	for _, c := range []struct{ path, scope string }{{path, "everything"}, {incidentPath(incidentID(3)) + "/freeze", "node:web"}} {
		if w := post(t, pages, "co-ordinator", c.path, url.Values{"scope": {c.scope}}); w.Code != http.StatusBadRequest || len(s.froze) != 1 {
			t.Errorf("%s: %d, %+v", c.scope, w.Code, s.froze)
		}
	}
}

// tags are those of a page's markup.
var tags = regexp.MustCompile(`<[^>]*>`)
