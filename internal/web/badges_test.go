package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

func TestBadgeNamesNobodyUnasked(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	body := get(t, pages, "supervisor", badgePath("L0002")).Body.String()
	if len(s.reveals) != 0 || !strings.Contains(body, "Show who wears it") || !strings.Contains(body, "taken back at 10:31") || !strings.Contains(body, "1 February 2026:</span> Sent to the laboratory, as a list says") {
		t.Errorf("%d reveals; %s", len(s.reveals), body)
	}
	body = get(t, pages, "supervisor", badgePath("L0002")+"?wearer=show").Body.String()
	if len(s.reveals) != 1 || s.reveals[0].Purpose != policy.IssueBadges || s.reveals[0].Fields != policy.FieldName || !strings.Contains(body, "Bowen, Llŷr") || !strings.Contains(body, "Collar") {
		t.Errorf("asked with %+v: %s", s.reveals, body)
	}
	if w := get(t, pages, "supervisor", badgePath("L/5-X")); w.Code != http.StatusOK {
		t.Errorf("a barcode with a slash: status %d", w.Code)
	}
	if body := get(t, pages, "supervisor", badgePath("L0003")+"?wearer=show").Body.String(); len(s.reveals) != 1 || !strings.Contains(body, "a control badge") {
		t.Errorf("a control badge: %s", body)
	}
	for _, user := range []string{"dpo", "wearer", "operator", "records"} {
		if w := get(t, pages, user, badgePath("L0002")); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", user, w.Code)
		}
	}
	if w := get(t, pages, "supervisor", badgePath("NONE")); w.Code != http.StatusNotFound {
		t.Errorf("no badge: status %d", w.Code)
	}
}

func TestBatches(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := badgesPath(organisationID(1))
	body := get(t, pages, "supervisor", path).Body.String()
	for _, want := range []string{"Badges", "1 to 28 February 2026", "Batch B004252", "69 badges are not back", "120 badges are returned", "640 badges are ordered", `href="` + path + `/print?batch=B004252&amp;from=2026-02-01&amp;to=2026-02-28"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if body := get(t, pages, "co-ordinator", badgesPath(organisationID(2))).Body.String(); !strings.Contains(body, "Load the laboratory&#39;s list of badges") {
		t.Error("an organisation without badges says not what to do")
	}
	move := func(to, batch string) *httptest.ResponseRecorder {
		return post(t, pages, "supervisor", path+"/move", url.Values{"to": {to}, "batch": {batch}})
	}
	if w := move("sent", ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Select which badges") {
		t.Errorf("no choice: %d", w.Code)
	}
	if w := move("sent", "batch B1"); w.Code != http.StatusBadRequest {
		t.Errorf("a batch that is not offered: %d", w.Code)
	}
	if w := move("returned", "all"); w.Code != http.StatusNotFound {
		t.Errorf("returned together: %d", w.Code)
	}
	if w := move("sent", "all"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path+"?done=badges-sent" {
		t.Errorf("sent: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if w := move("issued", "all"); w.Code != http.StatusSeeOther {
		t.Errorf("issued: %d", w.Code)
	}
	if got := strings.Join(s.moved, " "); got != "sent: issued:" {
		t.Errorf("moved %q", got)
	}
}

func TestUnreturned(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := badgesPath(organisationID(1)) + "/unreturned"
	body := get(t, pages, "supervisor", path).Body.String()
	if !strings.Contains(body, "69 badges were not back on 12 March 2026") || !strings.Contains(body, "Bowen, Siân") || !strings.Contains(body, "Control badge") || !strings.Contains(body, "12 days") || strings.Contains(body, "<title>Bowen") {
		t.Errorf("the list: %s", body)
	}
	if body := get(t, pages, "supervisor", path+"?on-day=12&on-month=3&on-year=2026&page=9").Body.String(); !strings.Contains(body, "Showing 51 to 69") {
		t.Error("past the end is not the last page")
	}
	if w := get(t, pages, "supervisor", path+"?on-day=31&on-month=2&on-year=2026"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "must be a real day") {
		t.Errorf("31 February: %d", w.Code)
	}
	w := post(t, pages, "supervisor", path, url.Values{"on": {"2026-03-12"}})
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="not-returned-`) || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the file: %d, %v", w.Code, w.Header())
	}
	if w := post(t, pages, "supervisor", path, url.Values{"on": {"2026-02-12"}}); w.Code != http.StatusSeeOther {
		t.Errorf("an empty file: %d", w.Code)
	}
	if w := post(t, pages, "supervisor", path, url.Values{"on": {"soon"}}); w.Code != http.StatusBadRequest {
		t.Errorf("no day: %d", w.Code)
	}
}

func TestPrint(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := badgesPath(organisationID(1)) + "/print"
	form := func(kind, department string) url.Values {
		return url.Values{"from": {"2026-02-01"}, "to": {"2026-02-28"}, "batch": {"B1"}, "kind": {kind}, "department": {department}}
	}
	for _, c := range []struct {
		kind, department, want string
		status                 int
	}{
		{"", "all", "Select what you want to print", 400},
		{"sheets", "of Kitchen", "Select a department", 400},
		{"sheets", "of ", "wears no badge in the period", 400},
		{"sheets", "all", "%PDF-", 200},
		{"labels-65", "of Radioleg", "%PDF-", 200},
	} {
		w := post(t, pages, "supervisor", path, form(c.kind, c.department))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d", c.kind, c.department, w.Code)
		}
		if c.status == 200 && (w.Header().Get("Content-Type") != "application/pdf" || !strings.Contains(w.Header().Get("Content-Disposition"), fixed2(id.Export{}, 8).String()+".pdf")) {
			t.Errorf("%s: %v", c.kind, w.Header())
		}
	}
	if got := strings.Join(s.printed, ", "); got != "sheets 2026-02-01 to 2026-02-28 B1 of , sheets 2026-02-01 to 2026-02-28 B1 of all, labels-65 2026-02-01 to 2026-02-28 B1 of Radioleg" {
		t.Errorf("printed %s", got)
	}
	for _, q := range []string{"", "?from=2026-02-01", "?from=x&to=2026-02-28"} {
		if w := get(t, pages, "supervisor", path+q); w.Code != http.StatusNotFound {
			t.Errorf("no period (%s): %d", q, w.Code)
		}
	}
	for _, user := range []string{"dpo", "records", "operator", "wearer"} {
		for _, path := range []string{"", "/print?from=2026-02-01&to=2026-02-28", "/unreturned", "/rates", "/move?to=sent"} {
			if w := get(t, pages, user, badgesPath(organisationID(1))+path); w.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d", user, path, w.Code)
			}
		}
		if w := post(t, pages, user, path, form("sheets", "all")); w.Code != http.StatusNotFound {
			t.Errorf("%s prints: %d", user, w.Code)
		}
	}
	if len(s.printed) != 3 {
		t.Errorf("printed %q", s.printed)
	}
}

func TestRates(t *testing.T) {
	pages := samplePages(t, newSample(), nil)
	if body := get(t, pages, "co-ordinator", "/rates").Body.String(); !strings.Contains(body, "Cwm Tawe") || !strings.Contains(body, "within 14 days") {
		t.Errorf("rates of all: %s", body)
	}
	if body := get(t, pages, "supervisor", "/rates").Body.String(); strings.Contains(body, "Cwm Tawe") {
		t.Error("a supervisor sees another organisation's rate")
	}
	body := get(t, pages, "supervisor", badgesPath(organisationID(1))+"/rates").Body.String()
	if !strings.Contains(body, "87\u00a0%") || !strings.Contains(body, "98\u00a0%") || strings.Index(body, "Cardioleg") > strings.Index(body, "Radioleg") {
		t.Errorf("rates by department: %s", body)
	}
}

func TestIssueSpare(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	path := sparePath(wearerID(2))
	body := get(t, pages, "co-ordinator", path).Body.String()
	if !strings.Contains(body, "Llŷr Bowen") || !strings.Contains(body, "Worn 1 to 31 March 2026") || strings.Contains(body, "February 2026") || strings.Contains(body, "Foetal") || strings.Contains(body, "<title>Llŷr") {
		t.Errorf("the form: %s", body)
	}
	collar := fmt.Sprint(int(dose.Collar))
	for _, c := range []struct{ barcode, position, period, want string }{
		{"", collar, "0", "Scan the badge"},
		{"S1", "99", "0", "Select where it is worn"},
		{"S1", collar, "9", "Select the batch"},
		{"C0001", collar, "0", "or a badge that was issued already"},
	} {
		w := post(t, pages, "co-ordinator", path, url.Values{"barcode": {c.barcode}, "position": {c.position}, "period": {c.period}})
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.want) || !strings.Contains(w.Body.String(), "<title>Error: ") {
			t.Errorf("%v: %d", c, w.Code)
		}
	}
	w := post(t, pages, "co-ordinator", path, url.Values{"barcode": {" S1 "}, "position": {collar}, "period": {"1"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/badges/S1?done=spare-issued" || s.badges["S1"].Batch != "B004253" {
		t.Errorf("issued: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if body := get(t, pages, "co-ordinator", "/badges/S1?done=spare-issued").Body.String(); !strings.Contains(body, "The spare badge was issued") {
		t.Error("the badge's page does not say that it was issued")
	}
	for _, user := range []string{"supervisor", "dpo", "wearer", "operator"} {
		if w := get(t, pages, user, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", user, w.Code)
		}
	}
}
