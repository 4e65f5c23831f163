package origin

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestFreezePage: a co-ordinator freezes by choice and by text, is told what is wrong and who is left to thaw, and finds it in
// the list; a data protection officer sees their own organisation only, and a supervisor nothing.
func TestFreezePage(t *testing.T) {
	h := newHouse(t)
	orgs := must(h.v.CreateOrganisations(t.Context(), h.root, []vc.Organisation{{Name: "Ysbyty A", Kind: vc.PrivateHospital}, {Name: "Ysbyty B", Kind: vc.PrivateHospital}}))
	us := h.users(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator}, vc.NewUser{Name: "Non Lloyd", Role: policy.DataProtection, Organisations: orgs[:1]},
		vc.NewUser{Name: "Nia Puw", Role: policy.Supervisor, Organisations: orgs[:1]})
	b := h.browser(h.origin(true))
	b.signInAs(us[0])
	page := func(path string) string {
		t.Helper()
		w := b.get(path)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d: %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	if p := page("/freeze"); !strings.Contains(p, "Nothing is frozen.") || !strings.Contains(p, "Ysbyty B") || !strings.Contains(p, "Non Lloyd") || strings.Contains(p, "node:origin") {
		t.Errorf("the form: %s", p)
	}
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"nothing":       {url.Values{}, "Choose what is to be frozen"},
		"no reason":     {url.Values{"scope": {"everything"}}, "Enter why"},
		"long reason":   {url.Values{"scope": {"everything"}, "reason": {strings.Repeat("ŵ", 501)}}, "Shorten the reason"},
		"no such text":  {url.Values{"other": {"all of them"}, "reason": {"x"}}, "Enter a supplier"},
		"no such user":  {url.Values{"other": {string(vc.UserScope(id.New[id.User]()))}, "reason": {"x"}}, "There is nothing of this name"},
		"its own pages": {url.Values{"other": {"node:origin"}, "reason": {"x"}}, "Enter a supplier"},
	} {
		if w := b.post("/freeze", c.form); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d: %s", name, w.Code, w.Body)
		}
	}
	freeze := func(form url.Values) {
		t.Helper()
		form.Set("reason", "a stolen laptop")
		if w := b.post("/freeze", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/freeze?done=frozen" {
			t.Fatalf("%v: %d: %s", form, w.Code, w.Body)
		}
	}
	freeze(url.Values{"scope": {string(vc.OrganisationScope(orgs[0]))}})
	freeze(url.Values{"other": {"supplier:Cardiff Dosimetry"}})
	mair := must(h.v.Whoami(t.Context(), h.root)).ID
	if w := b.post("/freeze", url.Values{"scope": {string(vc.UserScope(mair))}, "reason": {"x"}}); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "fewer than two people") || !strings.Contains(w.Body.String(), `name="sure"`) {
		t.Errorf("one of the last two: %d: %s", w.Code, w.Body)
	}
	freeze(url.Values{"scope": {string(vc.UserScope(mair))}, "sure": {"yes"}})
	if p := page("/freeze?done=frozen"); !strings.Contains(p, "It was frozen.") || !strings.Contains(p, "Organisation: Ysbyty A") || !strings.Contains(p, "Supplier: Cardiff Dosimetry") || !strings.Contains(p, "a stolen laptop") {
		t.Errorf("the list: %s", p)
	}
	if p := page("/freeze?lang=cy"); !strings.Contains(p, "Wedi&#39;i rewi nawr") && !strings.Contains(p, "Wedi'i rewi nawr") {
		t.Errorf("in Welsh: %s", p)
	}
	page("/freeze?lang=en")
	// Who is frozen can't come in, nor go on.
	if _, err := h.v.Users(t.Context(), h.root); err == nil {
		t.Error("who is frozen lists users")
	}

	b.signInAs(us[1])
	if p := page("/freeze"); !strings.Contains(p, "Organisation: Ysbyty A") || strings.Contains(p, "Ysbyty B") || strings.Contains(p, "Cardiff") || strings.Contains(p, "Llŷr Prys</option>") {
		t.Errorf("the officer sees: %s", p)
	}
	b.signInAs(us[2])
	if w := b.get("/freeze"); w.Code != http.StatusForbidden {
		t.Errorf("a supervisor: %d", w.Code)
	}
	if p := page("/account"); strings.Contains(p, `href="/freeze"`) || strings.Contains(p, `href="/alarms"`) {
		t.Error("a supervisor is offered the pages")
	}
}

// TestAlarmsPage: alarms are listed in words, counted in the navigation, and acknowledged with a note.
func TestAlarmsPage(t *testing.T) {
	h := newHouse(t)
	u := h.users(vc.NewUser{Name: "Llŷr Prys", Role: policy.Coordinator}, vc.NewUser{Name: "Gwen Rees", Role: policy.Administrator})[0]
	for _, s := range []vc.Scope{vc.NodeScope("worker"), vc.Everything} {
		if err := h.v.Freeze(t.Context(), h.root, vc.FreezeRequest{Scope: s, Reason: "a stolen laptop"}); err != nil {
			t.Fatal(err)
		}
	}
	b := h.browser(h.origin(true))
	b.signInAs(u)
	w := b.get("/alarms")
	p := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(p, "Something was frozen") || !strings.Contains(p, "By Mair Evans") || !strings.Contains(p, "Part of the program: worker") || !strings.Contains(p, "a stolen laptop") {
		t.Fatalf("%d: %s", w.Code, p)
	}
	if link := nodeOrigin + `/incidents/declare?kind=worker"`; strings.Count(p, "/incidents/declare") != 1 || !strings.Contains(p, `href="`+link) {
		t.Errorf("a breach can't be declared from the alarm about the worker: %s", p)
	}
	for scope, want := range map[vc.Scope]string{"user:aa": "kind=account&which=user%3Aaa", "grant:bb": "kind=machine&which=grant%3Abb", "export:cc": "kind=export&which=cc", vc.Everything: "", "organisation:dd": "", "node:cli": ""} {
		if want != "" {
			want = nodeOrigin + "/incidents/declare?" + want
		}
		if got := h.origin(true).declareAt(scope); got != want {
			t.Errorf("from an alarm about %s: %s, want %s", scope, got, want)
		}
	}
	waiting := strings.Count(p, `name="alarm"`)
	open := regexp.MustCompile(`href="/alarms"[^>]*>[^<]*<span class="tag">(\d+)</span>`)
	if m := open.FindStringSubmatch(b.get("/account").Body.String()); m == nil || m[1] != strconv.Itoa(waiting) {
		t.Errorf("the navigation counts %v", m)
	}
	n := regexp.MustCompile(`name="alarm" value="([a-z2-7]{26})"`).FindStringSubmatch(p)[1]
	if w := b.post("/alarms", url.Values{"alarm": {n}, "note": {strings.Repeat("n", 501)}}); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Shorten the note") {
		t.Errorf("a long note: %d", w.Code)
	}
	for _, bad := range []string{"", "x", id.New[id.Alarm]().String()} {
		if w := b.post("/alarms", url.Values{"alarm": {bad}}); w.Code != http.StatusNotFound {
			t.Errorf("no alarm %q: %d", bad, w.Code)
		}
	}
	if w := b.post("/alarms", url.Values{"alarm": {n}, "note": {"It was found <b>again</b>."}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/alarms?done=acknowledged" {
		t.Fatalf("acknowledging: %d: %s", w.Code, w.Body)
	}
	p = b.get("/alarms?done=acknowledged").Body.String()
	if !strings.Contains(p, "Acknowledged by Llŷr Prys") || !strings.Contains(p, "It was found &lt;b&gt;again&lt;/b&gt;.") || !strings.Contains(p, "The alarm was acknowledged.") {
		t.Errorf("acknowledged: %s", p)
	}
	if m := open.FindStringSubmatch(p); m == nil || m[1] != strconv.Itoa(waiting-1) {
		t.Errorf("the navigation counts %v", m)
	}
	for _, from := range []string{"1", "-1", "x", "99999999999999999999"} {
		if w := b.get("/alarms?from=" + from); w.Code != http.StatusOK {
			t.Errorf("from %s: %d", from, w.Code)
		}
	}
	if got := h.v.OpenAlarms(vault.Caller{}); got != 0 {
		t.Errorf("nobody is told of %d alarms", got)
	}
}
