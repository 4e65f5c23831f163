package web

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/vaultclient"
)

// The papers of a breach: files of one's own figures, what people are told, and who else is by nation.
func TestPapers(t *testing.T) {
	s := newSample()
	one := &s.incidents[0]
	one.Steps = append(one.Steps, vaultclient.IncidentStep{Kind: vaultclient.Telling, At: time.Date(2026, 3, 11, 14, 0, 0, 0, time.UTC), Organisation: organisationID(1), Text: "A laboratory was hacked.",
		Notice: &vaultclient.Notice{Phase: 1, CallBack: "029 2000 0000", Contact: vaultclient.NoticeContact{Name: "Swyddog", Post: []string{"Caerdydd"}}}})
	pages := samplePages(t, s, nil)
	path := incidentPath(incidentID(1)) + "/papers"
	body := get(t, pages, "co-ordinator", path+"?nation=scotland").Body.String()
	for _, want := range []string{"/papers/report.pdf", "/papers/statement.pdf", "/papers/register.csv", "/papers/notice.pdf?organisation=" + organisationID(1).String(), "Identity monitoring for 24 months", "Police Scotland", "To be confirmed"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if body := get(t, pages, "co-ordinator", path+"?nation=atlantis").Body.String(); strings.Contains(body, "Police") {
		t.Error("routes of no nation")
	}
	own := get(t, pages, "dpo", path).Body.String()
	if strings.Contains(own, "statement.pdf") || !strings.Contains(own, "notice.pdf") {
		t.Error("an organisation's officer makes no public statement, and has the own notice")
	}
	notice := "notice.pdf?organisation=" + organisationID(1).String()
	for _, c := range []struct {
		who, file, begins string
		code              int
	}{
		{"co-ordinator", "report.pdf", "%PDF-", http.StatusOK}, {"dpo", "report.pdf", "%PDF-", http.StatusOK}, {"dpo", "report.json", "{\n  \"schema\": \"dosevault/breach-report/1\"", http.StatusOK},
		{"co-ordinator", "statement.pdf", "%PDF-", http.StatusOK}, {"dpo", "statement.pdf", "", http.StatusNotFound}, {"dpo", "register.csv", "number,organisation,", http.StatusOK},
		{"dpo", notice, "%PDF-", http.StatusOK}, {"co-ordinator", "notice.pdf?organisation=" + organisationID(2).String(), "", http.StatusNotFound}, {"co-ordinator", "notice.pdf", "", http.StatusNotFound}, {"co-ordinator", "another", "", http.StatusNotFound},
		{"supervisor", "report.json", "", http.StatusNotFound},
	} {
		w := get(t, pages, c.who, path+"/"+c.file)
		if w.Code != c.code && (c.who != "supervisor" || w.Code == http.StatusOK) || !bytes.HasPrefix(w.Body.Bytes(), []byte(c.begins)) {
			t.Errorf("%s by %s: %d", c.file, c.who, w.Code)
		}
		if slices.Contains([]string{"report.json", "register.csv"}, c.file) && (strings.Contains(w.Body.String(), "Mair Evans") || strings.Contains(w.Body.String(), "Eluned")) {
			t.Errorf("%s names somebody", c.file)
		}
	}
	drill := incidentPath(incidentID(3)) + "/papers"
	if body := get(t, pages, "co-ordinator", drill).Body.String(); strings.Contains(body, "register.csv") || get(t, pages, "co-ordinator", drill+"/register.csv").Code != http.StatusNotFound {
		t.Error("a rehearsal is registered")
	}
}
