package web

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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
	// Who oversees two organisations says which one it is.
	two := s.users["dpo"]
	two.Organisations = append(slices.Clone(two.Organisations), other)
	s.users["dpo of two"] = two
	if w := get(t, pages, "dpo of two", at("sign-off")); !strings.Contains(w.Body.String(), `name="organisation"`) {
		t.Errorf("an officer of two organisations is not asked which: %s", w.Body)
	}
	s.steps = nil
	if w := post(t, pages, "dpo of two", at("sign-off"), url.Values{"organisation": {other.String()}, "text": {"Done"}}); w.Code != http.StatusSeeOther || len(s.steps) != 1 || s.steps[0].Organisation != other {
		t.Errorf("%d: %+v", w.Code, s.steps)
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

	// A long timeline shows its newest steps first.
	for i := range shownSteps {
		s.incidents[2].Steps = append(s.incidents[2].Steps, vaultclient.IncidentStep{Kind: vaultclient.Noted, Text: fmt.Sprintf("Note %d of many", i), At: sampleNow, Moment: sampleNow})
	}
	long := incidentPath(incidentID(3))
	if body := get(t, pages, "co-ordinator", long).Body.String(); strings.Count(body, "of many") != shownSteps || !strings.Contains(body, "Show the 1 step before these too") {
		t.Error("the timeline is not folded")
	}
	if body := get(t, pages, "co-ordinator", long+"?timeline=all").Body.String(); strings.Contains(body, "before these too") || strings.Count(body, "dv-ledger__when") != shownSteps+1 {
		t.Error("the whole timeline is not shown")
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

// Organisations are told once the answers were looked at again; who can't be told is said, and a form that is sent twice is one request.
func TestTellingOrganisations(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := incidentPath(incidentID(1)) + "/tell"
	body := get(t, pages, "co-ordinator", path).Body.String()
	if !strings.Contains(body, `value="`+organisationID(2).String()+`" checked`) || strings.Contains(body, `value="`+organisationID(1).String()+`" checked`) {
		t.Error("not exactly those who were not told are chosen")
	}
	answers := url.Values{"organisation": {organisationID(2).String(), organisationID(3).String()}, "channel": {"mail"}, "final": {"no"}, "text": {"It was hacked."}, "call-back": {"029 2000 0000"}}
	for name, says := range map[string]string{"organisation": "Select which organisations to tell", "channel": "Select how to tell them", "text": "Enter what happened", "call-back": "Enter a telephone number", "final": "Select whether the figures are final"} {
		less := maps.Clone(answers)
		delete(less, name)
		less.Set("step", "tell")
		if w := post(t, pages, "co-ordinator", path, less); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), says) || len(s.told) > 0 {
			t.Errorf("without %s: %d, told %v", name, w.Code, s.told)
		}
	}
	w := post(t, pages, "co-ordinator", path, answers)
	request := regexp.MustCompile(`name="request" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || request == nil || len(s.told) > 0 {
		t.Fatalf("asking again: %d, told %v", w.Code, s.told)
	}
	answers.Set("request", request[1])
	answers.Set("step", "tell")
	for range 2 {
		w = post(t, pages, "co-ordinator", path, answers)
	}
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Part 1, by e-mail, to Swyddog diogelu data: 12 wearers. Number to call back: 029 2000 0000.") || !strings.Contains(w.Body.String(), "Nobody has verified its contact") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if len(s.told) != 2 || s.told[0].Request.String() != request[1] || s.told[1].Request != s.told[0].Request || len(s.told[0].Organisations) != 2 || s.told[0].Incident != incidentID(1) || s.told[0].Final {
		t.Errorf("asked of the vault: %+v", s.told)
	}
	s.noMail = true
	if w := post(t, pages, "co-ordinator", path, answers); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "No mail server is set up") {
		t.Errorf("without a mail server: %d", w.Code)
	}
	if w := get(t, pages, "dpo", path); w.Code != http.StatusNotFound {
		t.Errorf("an organisation's officer: %d", w.Code)
	}
}

// An assessment is entered with what was overruled before, and what is overruled now.
func TestWeighing(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := incidentPath(incidentID(1)) + "/assess"
	answers := url.Values{"confidentiality": {"1"}, "integrity": {"0"}, "availability": {"0"}, "malicious": {"no"}, "unintelligible": {"no"}, "text": {"It came back unopened."}}
	for name, says := range map[string]string{"confidentiality": "Select who may have it", "malicious": "Select whether somebody meant harm", "text": "Enter why you see it so"} {
		less := maps.Clone(answers)
		delete(less, name)
		if w := post(t, pages, "dpo", path, less); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), says) || len(s.steps) > 0 {
			t.Errorf("without %s: %d, %v", name, w.Code, s.steps)
		}
	}
	fields := policy.FieldName | policy.FieldDose
	answers.Set("fields", strconv.Itoa(int(fields)))
	answers.Set("context", "8")
	if w := post(t, pages, "dpo", path, answers); w.Header().Get("Location") != incidentPath(incidentID(1))+"?done=assessed#severity" || len(s.steps) != 1 {
		t.Fatalf("%d, %v", w.Code, s.steps)
	}
	two := 8
	want := vaultclient.NewStep{Incident: incidentID(1), Kind: vaultclient.Assessed, Organisation: organisationID(1), Text: "It came back unopened.",
		Assessment: &vaultclient.Assessment{Confidentiality: 1, Overrides: []vaultclient.Override{{Fields: fields, Context: &two, Why: "It came back unopened."}}}}
	if diff := cmp.Diff(want, s.steps[0]); diff != "" {
		t.Error(diff)
	}
	for name, value := range map[string]string{"context": "5", "fields": "1073741824", "aggravation": "9"} {
		wrong := maps.Clone(answers)
		wrong.Set(name, value)
		if w := post(t, pages, "dpo", path, wrong); w.Code != http.StatusUnprocessableEntity || len(s.steps) != 1 {
			t.Errorf("%s %s: %d", name, value, w.Code)
		}
	}
}

// An officer sees the names of the own people, a page at a time, for telling them of a breach; the proofs name nobody.
func TestPeopleConcerned(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	s.people = slices.Clone(s.people)
	for i := range 259 { // everybody concerned is somebody
		if w := wearerID(1000 + i); i >= 72 {
			one := s.people[i%72]
			one.Wearer = w
			s.people = append(s.people, one)
		}
	}
	w := get(t, pages, "dpo", incidentPath(incidentID(1))+"/people?page=2")
	if w.Code != http.StatusOK || len(s.reveals) != 1 || s.reveals[0].Purpose != policy.BreachNotice || s.reveals[0].Fields != policy.FieldName || len(s.reveals[0].Wearers) != pageSize {
		t.Fatalf("%d: %+v", w.Code, s.reveals)
	}
	if body := w.Body.String(); !strings.Contains(body, "Showing 26 to 50 of") || strings.Count(body, "/ledger\">") < pageSize {
		t.Errorf("the page: %s", body)
	}
	if w := get(t, pages, "co-ordinator", incidentPath(incidentID(1))+"/people"); w.Code != http.StatusNotFound || len(s.reveals) != 1 {
		t.Errorf("somebody of the service: %d", w.Code)
	}
	s.asked = nil
	w = get(t, pages, "dpo", incidentPath(incidentID(1))+"/proofs")
	all, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(all) != 2 || all[1][1] != "812" || len(all[1][3]) != 64 || !s.asked[0].Proofs {
		t.Errorf("%v: %v", err, all)
	}
}

func TestYearsInRuns(t *testing.T) {
	if got := strings.Join(years([]uint16{2016, 2018, 2019, 2020, 2024}), ", "); got != "2016, 2018–2020, 2024" {
		t.Error(got)
	}
}

// tags are those of a page's markup.
var tags = regexp.MustCompile(`<[^>]*>`)
