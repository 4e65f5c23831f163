package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
)

func TestMachinesByPage(t *testing.T) {
	s := newSample()
	pages := samplePages(t, s, nil)
	one := organisationID(1).String()
	form := func(change ...string) url.Values {
		f := url.Values{"name": {"Reporting tool"}, "work": {"doses"}, "organisation": {one}, "people": {"500"}, "days": {"90"}, "key": {machineKey}}
		for i := 0; i+1 < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return f
	}
	step := func(says string, f url.Values) string {
		t.Helper()
		w := post(t, pages, "co-ordinator", "/machines/new", f)
		if !strings.Contains(w.Body.String(), says) {
			t.Fatalf("%d, and no %q: %.3000s", w.Code, says, w.Body)
		}
		return w.Body.String()
	}
	step("Enter the machine&#39;s name", form("name", " "))
	step("The name must be 60 characters or less", form("name", strings.Repeat("x", 61)))
	step("Select what it does", form("work", "everything"))
	step("from 1 to 100,000", form("people", "0"))
	step("from 1 to 365", form("days", "366"))
	step("Enter the machine&#39;s public key", form("key", "dvm_"))
	before := len(s.machines)
	if body := step("Check before you propose leave", form()); !strings.Contains(body, keyFingerprint) || !strings.Contains(body, "Reads doses") || !strings.Contains(body, "Glannau Aeron") || !strings.Contains(body, "10 June 2026") || len(s.machines) != before {
		t.Errorf("the answers: %s", body)
	}
	step("Propose leave for a machine", form("step", "change"))
	step("A machine of this name has leave already", form("name", "HR feed", "step", "propose"))
	proposed := step("Leave for Reporting tool is proposed", form("step", "propose"))
	m := s.machines[len(s.machines)-1]
	if !strings.Contains(proposed, `href="`+sampleVault+"/approvals/"+m.ID.String()+`"`) || !strings.Contains(proposed, keyFingerprint) {
		t.Errorf("where it is signed: %s", proposed)
	}
	if m.Purpose != policy.AssessDose || m.Fields != policy.FieldName|policy.FieldStaffNumber|policy.FieldDose|policy.FieldEmployment || len(m.Organisations) != 1 || m.MaxWearers != 500 || m.Node != "web" || len(s.lastKey) != 32 {
		t.Errorf("given %+v", m)
	}
	w := get(t, pages, "co-ordinator", "/machines")
	if body := w.Body.String(); !strings.Contains(body, "412 of 900") || strings.Index(body, "Reporting tool") > strings.Index(body, "Old report") {
		t.Errorf("the list: %s", body)
	}
	if w := get(t, pages, "co-ordinator", machinePath(m.ID, "end")); !strings.Contains(w.Body.String(), "End the leave of Reporting tool?") || !s.machines[len(s.machines)-1].Ended.IsZero() {
		t.Errorf("asking first: %s", w.Body)
	}
	if w := post(t, pages, "co-ordinator", machinePath(m.ID, "end"), nil); w.Header().Get("Location") != "/machines?done=machine-ended" || s.machines[len(s.machines)-1].Ended.IsZero() {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	for _, path := range []string{"/machines", machinePath(m.ID, "end")} {
		if w := get(t, pages, "supervisor", path); w.Code != http.StatusForbidden {
			t.Errorf("%s by a supervisor: %d", path, w.Code)
		}
	}
	if w := get(t, pages, "co-ordinator", machinePath(fixed2(id.Grant{}, 999), "end")); w.Code != http.StatusNotFound {
		t.Errorf("no machine's leave: %d", w.Code)
	}
}

// machineKey is a machine's public key as OpenSSL writes it.
const machineKey = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"

// keyFingerprint is what "openssl pkey -pubin -outform DER | openssl dgst -sha256" says of it, in groups of four.
const keyFingerprint = "a1e9 1560 54e0 4fac 899a e9f2 7513 2cdc 07a5 dbc4 ea2c 2ad3 a1ff c6e0 d253 681f"
