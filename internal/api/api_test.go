package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testmachine"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

func TestTheDocumentIsCurrent(t *testing.T) {
	const file = "../../docs/openapi.json"
	if *update {
		if err := os.WriteFile(file, Document(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(kept, Document()) {
		t.Errorf("docs/openapi.json is not what this package describes; run go test ./internal/api -update (%v)", err)
	}
}

func TestReadingDoses(t *testing.T) {
	h := newHouse(t)
	lab, _ := h.machine("laboratory", 10)
	file := want[Import](h, http.StatusAccepted, lab, "POST", "/laboratory-files", h.report("700123"))
	if file.State != "received" || want[Preview](h, 200, lab, "GET", "/imports/"+file.ID.String(), nil).State != "received" {
		t.Errorf("delivered: %+v", file)
	}
	h.work()
	p := want[Preview](h, 200, lab, "GET", "/imports/"+file.ID.String(), nil)
	if p.State != "previewed" || p.In != 1 || p.Stored != 1 || len(p.RefusedRows) != 0 {
		t.Errorf("preview: %+v %+v", p, p.RefusedRows)
	}
	want[Import](h, http.StatusAccepted, lab, "POST", "/imports/"+file.ID.String()+"/accept", nil)
	h.work()
	if list := want[[]Import](h, 200, lab, "GET", "/imports", nil); len(list) != 1 || list[0].State != "done" {
		t.Errorf("imports: %+v", list)
	}
	want[Problem](h, http.StatusConflict, lab, "POST", "/imports/"+file.ID.String()+"/accept", nil)
	want[Problem](h, http.StatusUnprocessableEntity, lab, "POST", "/laboratory-files", h.report("700123")) // again

	token, n := h.machine("doses", 2)
	if m := want[Machine](h, 200, token, "GET", "/machine", nil); m.Work != "doses" || m.MaxPeople != 2 {
		t.Errorf("machine: %+v", m)
	}
	if orgs := want[[]Organisation](h, 200, token, "GET", "/organisations", nil); len(orgs) != 1 || orgs[0].ID != h.a || orgs[0].Wearers != 2 {
		t.Errorf("organisations: %+v", orgs)
	}
	in := "/organisations/" + h.a.String()
	list := want[Wearers](h, 200, token, "GET", in+"/wearers?limit=1&offset=1", nil)
	if list.Total != 2 || len(list.Wearers) != 1 || list.Wearers[0].Forenames != "Siân" || list.Wearers[0].Department != "Cathlab" || list.Wearers[0].StaffNumber != "A1" {
		t.Errorf("wearers: %+v", list)
	}
	found := want[Found](h, 200, token, "POST", in+"/wearers/find", map[string]any{"staff_numbers": []string{"Z9", "A1"}})
	if len(found.Wearers) != 2 || found.Wearers[0] != nil || *found.Wearers[1] != h.ours[0] {
		t.Errorf("found: %+v", found)
	}
	doses := want[Doses](h, 200, token, "GET", "/wearers/"+h.ours[0].String()+"/doses", nil)
	if !slices.ContainsFunc(doses.Totals, func(x Total) bool { return x.Kind == "effective" && x.Microsv == 350 && x.Limit == 20_000 }) || len(doses.Readings) == 0 {
		t.Errorf("doses: %+v", doses)
	}
	window := fmt.Sprintf("?from=%s&to=%s", h.badge.From, h.badge.To)
	if b := want[Badges](h, 200, token, "GET", in+"/badges"+window, nil); b.Total != 1 || b.Badges[0].State != "read" || *b.Badges[0].Wearer != h.ours[0] {
		t.Errorf("badges: %+v", b)
	}
	want[[]Investigation](h, 200, token, "GET", in+"/investigations", nil)

	// What is not this machine's.
	for _, path := range []string{"/organisations/" + h.b.String() + "/wearers", "/organisations/" + h.b.String() + "/investigations", "/wearers/" + h.theirs.String() + "/doses"} {
		if w := h.call(token, "GET", path, nil); w.Code == 200 && !strings.HasPrefix(w.Body.String(), "[]") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := h.call(token, "GET", "/organisations/"+h.b.String()+"/badges"+window, nil); w.Code != 404 {
		t.Errorf("another's badges: %d", w.Code)
	}
	for _, path := range []string{in + "/ledger", "/imports", "/imports/" + file.ID.String()} {
		want[Problem](h, http.StatusForbidden, token, "GET", path, nil)
	}
	want[Problem](h, http.StatusForbidden, token, "POST", "/laboratory-files", h.report("700123"))
	want[Problem](h, http.StatusForbidden, token, "POST", "/staff", List{People: []Person{{Organisation: h.a.String(), StaffNumber: "A1"}}}, "Idempotency-Key", "k")

	// What it got stands in the ledger, and its end is its end.
	exposed, err := h.cli.Exposures(t.Context(), h.root, vc.ExposureRequest{Recipient: vc.Recipient("grant:" + n.String()), From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), List: true})
	h.ok(err)
	i := slices.IndexFunc(exposed.List, func(x vc.Exposure) bool { return x.Wearer == h.ours[0] })
	if i < 0 || exposed.List[i].Fields != policy.FieldName|policy.FieldStaffNumber|policy.FieldEmployment|policy.FieldDose {
		t.Errorf("exposed: %+v", exposed.List)
	}
	reader, _ := h.machine("ledger", 1)
	if e := want[Entries](h, 200, reader, "GET", in+"/ledger?limit=5", nil); e.Total < 5 || len(e.Entries) != 5 {
		t.Errorf("ledger: %+v", e)
	}
	want[Problem](h, http.StatusForbidden, reader, "GET", in+"/wearers", nil)
	h.ok(h.cli.EndMachine(t.Context(), h.root, n))
	want[Problem](h, http.StatusUnauthorized, token, "GET", "/machine", nil)
	want[Problem](h, http.StatusUnauthorized, nil, "GET", "/machine", nil)
}

func TestAnothersDeliveryIsNotThere(t *testing.T) {
	h := newHouse(t)
	lab, _ := h.machine("laboratory", 10)
	file := want[Import](h, http.StatusAccepted, lab, "POST", "/laboratory-files", h.report("700123"))
	staff, _ := h.machine("staff", 10)
	h.work()
	want[Problem](h, http.StatusForbidden, staff, "POST", "/imports/"+file.ID.String()+"/decline", nil)
	session, err := h.admit(staff)
	h.ok(err)
	if err := h.web.Vault.Discard(t.Context(), session, file.ID); err == nil {
		t.Error("a machine drops what another delivered")
	}
	if got := want[Import](h, 200, lab, "POST", "/imports/"+file.ID.String()+"/decline", nil); got.State != "declined" {
		t.Errorf("declined: %+v", got)
	}
	want[Problem](h, http.StatusConflict, lab, "POST", "/imports/"+file.ID.String()+"/accept", nil)
	want[Problem](h, http.StatusNotFound, staff, "GET", "/imports/"+file.ID.String(), nil)
	if list := want[[]Import](h, 200, staff, "GET", "/imports", nil); len(list) != 0 {
		t.Errorf("another's imports: %+v", list)
	}
	want[Problem](h, http.StatusForbidden, lab, "GET", "/organisations/"+h.a.String()+"/wearers", nil)
}

func TestMoreThanItsNumber(t *testing.T) {
	h := newHouse(t)
	token, _ := h.machine("doses", 1)
	in := "/organisations/" + h.a.String() + "/wearers"
	want[Wearers](h, 200, token, "GET", in+"?limit=1", nil)
	if p := want[Problem](h, http.StatusForbidden, token, "GET", in+"?limit=1&offset=1", nil); p.Code != "refused" {
		t.Errorf("%+v", p)
	}
}

func TestTheStaffFeed(t *testing.T) {
	h := newHouse(t)
	token, _ := h.machine("staff", 10)
	a := h.a.String()
	list := List{People: []Person{
		{Organisation: a, StaffNumber: "A1", To: "2026-03-31"},
		{Organisation: a, StaffNumber: "A2", Department: "Theatre"},
		{Organisation: a, StaffNumber: "A3", Surname: "Rees", Forenames: "Ifan", Birth: "1990-05-17", From: "2026-01-05", Department: "Cathlab"},
	}}
	dry := list
	dry.DryRun = true
	if got := want[Taken](h, 200, token, "POST", "/staff", dry); got.Import != nil || got.Stored != 3 || got.People != 3 {
		t.Errorf("dry run: %+v", got)
	}
	if orgs, err := h.cli.Organisations(t.Context(), h.root); err != nil || orgs[0].Wearers != 2 {
		t.Errorf("a dry run took somebody on: %+v, %v", orgs, err)
	}
	first := want[Taken](h, 200, token, "POST", "/staff", list, "Idempotency-Key", "2026-03-01")
	if first.Import == nil || first.Stored != 3 || first.Unchanged != 0 {
		t.Errorf("taken: %+v", first)
	}
	if again := want[Taken](h, 200, token, "POST", "/staff", list, "Idempotency-Key", "2026-03-01"); *again.Import != *first.Import || again.Stored != first.Stored {
		t.Errorf("again: %+v, first %+v", again, first)
	}
	if p := want[Problem](h, http.StatusConflict, token, "POST", "/staff", List{People: list.People[:1]}, "Idempotency-Key", "2026-03-01"); p.Code != "conflict" {
		t.Errorf("another list: %+v", p)
	}
	if next := want[Taken](h, 200, token, "POST", "/staff", list, "Idempotency-Key", "2026-03-02"); next.Unchanged != 3 || next.Stored != 0 {
		t.Errorf("the same people under another key: %+v", next)
	}
	if orgs, err := h.cli.Organisations(t.Context(), h.root); err != nil || orgs[0].Wearers != 3 {
		t.Errorf("organisations: %+v, %v", orgs, err)
	}

	// All that is wrong is said at once, by place and without values; nothing is stored.
	bad := List{People: []Person{
		{Organisation: "nowhere", StaffNumber: "A1"},
		{Organisation: a, StaffNumber: "A4", Surname: "Qwerty99", Birth: "31/31/1990", Sex: "Zyxw", Email: "mark.er", From: "2026-02-30"},
		{Organisation: a, StaffNumber: "A4", Surname: "Rees"},
	}}
	p := want[Problem](h, http.StatusUnprocessableEntity, token, "POST", "/staff", bad, "Idempotency-Key", "x")
	var places []string
	for _, e := range p.Errors {
		places = append(places, e.Where)
	}
	for _, at := range []string{"people[0].organisation", "people[1].birth", "people[1].sex", "people[1].email", "people[1].from"} {
		if !slices.Contains(places, at) {
			t.Errorf("%s is not said to be wrong: %v", at, places)
		}
	}
	want[Problem](h, http.StatusUnprocessableEntity, token, "POST", "/staff", List{People: []Person{{Organisation: a, StaffNumber: "A1"}}}) // no key
	// Somebody new without a surname: the vault says so, and the key may be used again.
	nobody := List{People: []Person{{Organisation: a, StaffNumber: "A9"}}}
	want[Problem](h, http.StatusBadRequest, token, "POST", "/staff", nobody, "Idempotency-Key", "later")
	nobody.People[0].Surname = "Prys"
	want[Taken](h, 200, token, "POST", "/staff", nobody, "Idempotency-Key", "later")
	want[Problem](h, http.StatusForbidden, token, "POST", "/staff", List{People: []Person{{Organisation: h.b.String(), StaffNumber: "B7", Surname: "Prys"}}}, "Idempotency-Key", "b")
	want[Problem](h, http.StatusForbidden, token, "GET", "/organisations/"+a+"/wearers", nil)
}

// Nothing that was sent comes back in an error or stands in a log, wherever it was sent.
func TestErrorsDoNotRepeatWhatWasSent(t *testing.T) {
	h := newHouse(t)
	const marker = "Mwrciwr"
	staff, _ := h.machine("staff", 10)
	doses, _ := h.machine("doses", 10)
	lab, _ := h.machine("laboratory", 10)
	a := h.a.String()
	for i, w := range []struct {
		by           *testmachine.Machine
		method, path string
		body         any
		header       []string
	}{
		{doses, "GET", "/organisations/" + marker + "/wearers", nil, nil},
		{doses, "GET", "/organisations/" + a + "/wearers?limit=" + marker, nil, nil},
		{doses, "GET", "/organisations/" + a + "/wearers?" + marker + "=1", nil, nil},
		{doses, "GET", "/organisations/" + a + "/wearers?leavers=" + marker, nil, nil},
		{doses, "GET", "/organisations/" + a + "/badges?from=" + marker + "&to=" + marker, nil, nil},
		{doses, "GET", "/wearers/" + marker + "/doses", nil, nil},
		{doses, "GET", "/" + marker, nil, nil},
		{doses, marker, "/machine", nil, nil},
		{doses, "POST", "/organisations/" + a + "/wearers/find", `{"staff_numbers":"` + marker + `"}`, nil},
		{doses, "POST", "/organisations/" + a + "/wearers/find", `{"staff_numbers":["` + marker, nil},
		{doses, "POST", "/organisations/" + a + "/wearers/find", `{"` + marker + `":[1],"staff_numbers":["1"]}`, nil},
		{doses, "POST", "/organisations/" + a + "/wearers/find", `{"staff_numbers":[{"` + marker + `":1}]}`, nil},
		{staff, "POST", "/staff", `{"people":[{"organisation":"` + marker + `","staff_number":"` + marker + `","birth":"` + marker + `","sex":"` + marker + `","registration":"` + marker + `","email":"` + marker + `","from":"` + marker + `","to":"` + marker + `"}]}`, []string{"Idempotency-Key", "k"}},
		{staff, "POST", "/staff", `{"people":[{"organisation":"` + a + `","staff_number":"` + strings.Repeat(marker, 50) + `"}]}`, []string{"Idempotency-Key", "k"}},
		{staff, "POST", "/staff", `{"people":[{"organisation":"` + a + `","staff_number":"` + marker + `"}]}`, []string{"Idempotency-Key", marker}},
		{staff, "POST", "/staff", `{"people":[{"organisation":"` + a + `","staff_number":"` + marker + `"}],"` + marker + `":1}`, []string{"Idempotency-Key", strings.Repeat(marker, 50)}},
		{staff, "POST", "/staff", `{"people":"` + marker + `"}`, []string{"Idempotency-Key", marker, "Content-Type", "text/" + marker}},
		{staff, "POST", "/staff", marker, []string{"Accept", marker}},
		{lab, "POST", "/laboratory-files", []byte{}, []string{"Content-Type", marker}},
		{lab, "GET", "/imports/" + marker, nil, nil},
		{nil, "GET", "/machine", nil, []string{"Signature-Input", marker, "Signature", marker, "Content-Digest", marker}},
		{nil, "GET", "/machine", nil, []string{"Cookie", "session=" + marker, "Authorization", "Bearer " + marker}},
	} {
		got := h.call(w.by, w.method, w.path, w.body, w.header...)
		if got.Code < 400 || got.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d: %s %s: status %d, %s", i, w.method, w.path, got.Code, got.Header().Get("Content-Type"))
		}
		if all := got.Body.String() + fmt.Sprint(got.Header()); strings.Contains(strings.ToLower(all), strings.ToLower(marker)) {
			t.Errorf("%d: %s %s repeats what was sent: %s", i, w.method, w.path, all)
		}
	}
	if strings.Contains(h.log.String(), marker) {
		t.Errorf("the log repeats what was sent:\n%s", h.log.String())
	}
}

func TestUnknownMachinesAreHeldUpAndKnownOnesAreNot(t *testing.T) {
	h := newHouse(t)
	m, _ := h.machine("doses", 1)
	want[Machine](h, 200, m, "GET", "/machine", nil)
	held := 0
	for range 50 {
		stranger := testmachine.New()
		stranger.ID = id.New[id.Grant]().String()
		if w := h.call(stranger, "GET", "/machine", nil); w.Code == http.StatusTooManyRequests {
			held++
		}
	}
	if held == 0 {
		t.Error("fifty unknown machines were asked about at once")
	}
	want[Machine](h, 200, m, "GET", "/machine", nil)
}

// What is not the request that was signed, or is it once more, is nobody's.
func TestARequestIsTheOneThatWasSigned(t *testing.T) {
	h := newHouse(t)
	m, _ := h.machine("doses", 2)
	path, body := Prefix+"/organisations/"+h.a.String()+"/wearers/find", []byte(`{"staff_numbers":["A1"]}`)
	send := func(method, path, host string, body []byte, change func(http.Header)) int {
		signed := httptest.NewRequestWithContext(t.Context(), "POST", Prefix+"/organisations/"+h.a.String()+"/wearers/find", nil)
		m.Sign(signed, []byte(`{"staff_numbers":["A1"]}`))
		req := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
		req.Host, req.Header = host, signed.Header
		req.Header.Set("Content-Type", "application/json")
		if change != nil {
			change(req.Header)
		}
		w := httptest.NewRecorder()
		h.api.ServeHTTP(w, req)
		if w.Code == 200 { // once more, as it is
			again := req.Clone(t.Context())
			again.Body = io.NopCloser(bytes.NewReader(body))
			w := httptest.NewRecorder()
			if h.api.ServeHTTP(w, again); w.Code != http.StatusUnauthorized {
				t.Errorf("once more: status %d", w.Code)
			}
		}
		return w.Code
	}
	const host = "example.com"
	if got := send("POST", path, host, body, nil); got != 200 {
		t.Fatalf("the signed request: status %d", got)
	}
	for what, got := range map[string]int{
		"another body":        send("POST", path, host, []byte(`{"staff_numbers":["A2"]}`), nil),
		"a longer body":       send("POST", path, host, append(slices.Clone(body), ' '), nil),
		"no body":             send("POST", path, host, nil, nil),
		"another host":        send("POST", path, "example.org", body, nil),
		"another path":        send("POST", Prefix+"/organisations/"+h.b.String()+"/wearers/find", host, body, nil),
		"another query":       send("POST", path+"?x=1", host, body, nil),
		"another method":      send("GET", Prefix+"/machine", host, nil, nil),
		"without a digest":    send("POST", path, host, body, func(x http.Header) { x.Del("Content-Digest") }),
		"without a signature": send("POST", path, host, body, func(x http.Header) { x.Del("Signature") }),
		"with two":            send("POST", path, host, body, func(x http.Header) { x.Add("Signature", x.Get("Signature")) }),
		"with another's digest": send("POST", path, host, []byte("x"), func(x http.Header) {
			sum := sha256.Sum256([]byte("x"))
			x.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":")
		}),
	} {
		if got != http.StatusUnauthorized {
			t.Errorf("%s: status %d", what, got)
		}
	}
}

// admit begins a machine's session as the node does.
func (h *house) admit(m *testmachine.Machine) (vc.Auth, error) {
	token, err := h.node.Admit(h.Context(), m.Signed("GET", "example.com", "/", nil, time.Now()))
	return vc.Auth{Machine: token}, err
}

func FuzzStaff(f *testing.F) {
	f.Add("A1", "Rees", "1990-05-17", "F", "a@b.example", "2026-01-01", "")
	f.Add("", "Ŵ", "31/12/1990", "benyw", "@", "2026-02-30", "2025-01-01")
	f.Fuzz(func(t *testing.T, number, surname, birth, sex, email, from, to string) {
		p := Person{Organisation: "x", StaffNumber: number, Surname: surname, Birth: birth, Sex: sex, Email: email, From: from, To: to}
		_, err := joinersOf([]Person{p, p}, 20_000)
		bad, ok := err.(errInput)
		if !ok {
			t.Fatalf("somebody of no organisation was accepted: %v", err)
		}
		for _, w := range bad {
			if !place.MatchString("body."+w.Where) || w.What == "" {
				t.Errorf("%+v", w)
			}
		}
	})
}
