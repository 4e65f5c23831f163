package origin

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vault"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
)

// TestWhoOnlyHoldsTheCookie: browsers send the session's cookie to every port of a host, so a web node may see it. With it and
// no passkey, every form of the vault's pages is refused and changes nothing, but for those that only stop something.
func TestWhoOnlyHoldsTheCookie(t *testing.T) {
	h := newHouse(t)
	u := h.users(vc.NewUser{Name: "Eleri Vaughan", Role: policy.Coordinator}, vc.NewUser{Name: "Owain Rees", Role: policy.Administrator}, vc.NewUser{Name: "Nia Bowen", Role: policy.Supervisor, Organisations: []id.Organisation{h.organisation("Glannau Aeron")}})
	o := h.origin(false)
	eleri, ring := h.enrol(o, u[0])
	owain, key := h.enrol(o, u[1])
	if err := h.v.EndSingleAdministrator(t.Context(), h.root); err != nil {
		t.Fatal(err)
	}
	propose := func(kind vc.ApprovalKind, body any) string {
		t.Helper()
		b := must(json.Marshal(body))
		n := must(h.v.Propose(t.Context(), o.callerOf(eleri.request(http.MethodGet, "/", "same-origin", nil)), vc.Proposal{Kind: kind, Body: b}))
		page := "/approvals/" + n.String()
		leadsTo(t, eleri.confirm(ring, eleri.get(page)), page+"?done=signed")
		return page
	}
	recovery := propose(vc.ApproveRecovery, vc.Recovery{User: u[2]})
	leadsTo(t, owain.confirm(key, owain.get(recovery)), recovery+"?done=approved")
	waits := propose(vc.ApproveUser, vc.NewUser{Name: "Rhys Prosser", Role: policy.RecordsOfficer})
	digest := func(b *browser) string {
		_, rest, _ := strings.Cut(b.get(waits).Body.String(), `name="digest" value="`)
		hex, _, _ := strings.Cut(rest, `"`)
		return hex
	}
	passkey := must(h.v.Passkeys(t.Context(), o.callerOf(owain.request(http.MethodGet, "/", "same-origin", nil))))[0].ID

	// Each with the cookie of whoever could do it by a passkey.
	one := "/users/" + u[2].String()
	changed := url.Values{"name": {"Nia Bowen"}, "role": {"operator"}, "step": {"do"}}
	tries := map[string]func() *http.Response{
		"POST /account/passkeys/new":              func() *http.Response { return owain.post("/account/passkeys/new", nil).Result() },
		"POST /account/passkeys":                  func() *http.Response { return owain.post("/account/passkeys", url.Values{"name": {"x"}}).Result() },
		"POST /account/passkeys/{passkey}/remove": func() *http.Response { return owain.post("/account/passkeys/"+passkey+"/remove", nil).Result() },
		"POST /account/command-line":              func() *http.Response { return owain.post("/account/command-line", nil).Result() },
		"POST /approvals/{id}/sign": func() *http.Response {
			return owain.post(waits+"/sign", url.Values{"digest": {digest(owain)}}).Result()
		},
		"POST /approvals/{id}/decline": func() *http.Response { return owain.post(waits+"/decline", nil).Result() },
		"POST /approvals/{id}/link":    func() *http.Response { return eleri.post(recovery+"/link", nil).Result() },
		"POST /users/new": func() *http.Response {
			return owain.post("/users/new", url.Values{"name": {"An Accomplice"}, "role": {"operator"}, "step": {"do"}}).Result()
		},
		"POST /users/{user}": func() *http.Response { return owain.post(one, changed).Result() },
		"POST /notice/read":  func() *http.Response { return owain.post("/notice/read", url.Values{"secret": {""}}).Result() },
		"POST /notice/ask": func() *http.Response {
			return owain.post("/notice/ask", url.Values{"secret": {"00"}, "question": {"Who?"}}).Result()
		},
		"POST /users/{user}/{what}": func() *http.Response { return owain.post(one+"/end", nil).Result() },
	}
	// What stops something, as a node can with the session of a user who is signed in there; and what needs no session.
	stops := []string{"POST /freeze", "POST /alarms", "POST /grants/{id}/end", "POST /sessions/{session}/end", "POST /approvals/{id}/withdraw", "POST /two-people", "POST /signout"}
	none := []string{"POST /signin", "POST /link", "POST /openid"}
	known := map[string]bool{}
	for _, pattern := range append(stops, none...) {
		known[pattern] = true
	}
	for _, area := range o.routes() {
		for _, r := range area {
			if strings.HasPrefix(r.pattern, "POST ") && tries[r.pattern] == nil && !known[r.pattern] {
				t.Errorf("%s: nobody says what it does with the cookie alone", r.pattern)
			}
		}
	}
	for _, what := range []string{"link", "passkeys"} {
		tries[what] = func() *http.Response { return owain.post(one+"/"+what, nil).Result() }
	}
	for pattern, try := range tries {
		kept := maps.Clone(owain.cookies)
		resp := try()
		if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusForbidden && !strings.HasPrefix(to, "/signin?") {
			t.Errorf("%s with the cookie alone: %d to %q", pattern, resp.StatusCode, to)
		}
		owain.cookies = kept // some ask to sign in again
	}
	if all := must(h.v.Passkeys(t.Context(), o.callerOf(owain.request(http.MethodGet, "/", "same-origin", nil)))); len(all) != 1 || all[0].ID != passkey {
		t.Errorf("passkeys: %+v", all)
	}
	users := must(h.v.Users(t.Context(), h.root))
	if len(users) != 4 {
		t.Errorf("there are %d users", len(users))
	}
	for _, x := range users {
		if x.ID == u[2] && (x.Role != policy.Supervisor || !x.Ended.IsZero()) {
			t.Errorf("somebody was changed: %+v", x)
		}
	}
	for _, one := range must(h.v.Approvals(t.Context(), vault.Caller{Node: "cli", Auth: h.root.Auth})) {
		if one.Kind == vc.ApproveUser && one.State != vc.Waiting {
			t.Errorf("what waited is %s", one.State)
		}
	}

	// With the passkey both are possible.
	if w := eleri.confirm(ring, eleri.get(recovery)); !strings.Contains(w.Body.String(), "/link?secret=") {
		t.Errorf("the recovery's link: %d: %s", w.Code, w.Body)
	}
	leadsTo(t, owain.confirm(key, owain.get(waits+"/decline")), waits+"?done=declined")
}
