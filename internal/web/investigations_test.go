package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
)

func TestInvestigationsByPage(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	list := investigationsPath(organisationID(1))
	one := list + "/" + fixed2(id.Row{}, 1).String()
	body := get(t, pages, "co-ordinator", list).Body.String()
	for _, want := range []string{"Effective dose in 2025", "Above limit", "Dose when opened", "15.40", "Not shown to your role"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list does not say %q: %s", want, body)
		}
	}
	if strings.Contains(body, "Bowen, Llŷr") || strings.Contains(body, "Unborn") || strings.Contains(body, fixed2(id.Row{}, 3).String()) {
		t.Errorf("the list tells of a pregnancy: %s", body)
	}
	if w := get(t, pages, "co-ordinator", list+"/"+fixed2(id.Row{}, 3).String()); w.Code != http.StatusNotFound {
		t.Errorf("its page: %d", w.Code)
	}
	send := func(says string, form url.Values) {
		t.Helper()
		w := post(t, pages, "co-ordinator", one, form)
		if says == "" {
			if w.Code != http.StatusSeeOther {
				t.Errorf("%v: %d %s", form, w.Code, w.Body)
			}
			return
		}
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%v: %d, and no %q", form, w.Code, says)
		}
	}
	send("Write what was found", url.Values{})
	send("Write why it is closed", url.Values{"what": {"close"}})
	send("A note has at most 1500 characters", url.Values{"text": {strings.Repeat("x", 1501)}})
	send("", url.Values{"text": {"The badge lay\nin the beam."}})
	send("", url.Values{"what": {"close"}, "text": {"No dose to the person."}})
	body = get(t, pages, "co-ordinator", one+"?done=closed").Body.String()
	for _, want := range []string{"The investigation was closed", "in the beam.", "No dose to the person.", "Mair Evans", "Open again", "Dose when it was opened"} {
		if !strings.Contains(body, want) {
			t.Errorf("its page does not say %q: %s", want, body)
		}
	}
	if body := get(t, pages, "co-ordinator", list).Body.String(); !strings.Contains(body, `id="closed"`) {
		t.Errorf("the list: %s", body)
	}
	send("Write why it is opened again", url.Values{"what": {"open"}})
	send("", url.Values{"what": {"open"}, "text": {"The supervisor was not asked."}})
	if w := post(t, pages, "co-ordinator", one, url.Values{"what": {"burn"}, "text": {"x"}}); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown deed: %d", w.Code)
	}
	if body := get(t, pages, "supervisor", one).Body.String(); strings.Contains(body, "<textarea") || !strings.Contains(body, "in the beam.") {
		t.Errorf("the supervisor's view: %s", body)
	}
}
