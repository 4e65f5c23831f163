package attack_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A web node in the wrong hands, with the live sessions of a co-ordinator, an administrator and a supervisor, makes nothing
// of them that outlives them: no user, no link, no passkey, no approval, no second session from a code; and 64 connections
// at once get no more than a budget allows, going over it with an invented reason included.
func TestAStolenWebNodeMakesNothingThatLasts(t *testing.T) {
	h := copyOfFilled(t)
	h.Start("demo")
	from := time.Now()
	users := h.DemoUsers()
	web, s := h.Client("web"), steal(t, h)
	session := func(name string) string {
		t.Helper()
		auth, err := h.SignIn(web, users[name])
		if err != nil {
			t.Fatal(err)
		}
		return auth.Session
	}
	eleri, owain := session("Eleri Vaughan"), session("Owain Rees")
	ask := func(session, method string, body any) []byte {
		t.Helper()
		answer, broken := s.post(method, map[string]any{"auth": map[string]any{"session": session}, "body": body})
		if broken {
			t.Fatalf("%s: no answer", method)
		}
		return answer
	}
	if ask(eleri, "whoami", nil) == nil || ask(owain, "whoami", nil) == nil {
		t.Fatal("the stolen sessions open nothing: nothing is shown")
	}

	accomplice := []map[string]any{{"name": "An Accomplice", "role": "operator"}}
	for _, session := range []string{eleri, owain} {
		for method, body := range map[string]any{
			"users": nil, "create-users": accomplice, "new-link": users["Eleri Vaughan"], "end-user": users["Nia Bowen"], "redeem-link": map[string]any{"secret": "0"},
			"enrol": nil, "begin-passkey": nil, "add-passkey": nil, "begin-enrolment": nil, "sign-approval": nil, "approve": nil,
		} {
			if answer := ask(session, method, body); answer != nil {
				t.Errorf("%s: %q", method, answer)
			}
		}
		// The session of the node is none on the vault's own pages, whatever a browser is made to send there.
		for _, page := range []string{"/account", "/users", "/approvals", "/sessions"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.Vault+page, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.AddCookie(&http.Cookie{Name: "vault-session", Value: session})
			resp, err := (&http.Transport{}).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusSeeOther {
				t.Errorf("%s with a web node's session: status %d", page, resp.StatusCode)
			}
		}
	}
	// What takes two people can be proposed, and waits.
	proposal := map[string]any{"kind": "user", "body": map[string]any{"name": "An Accomplice", "role": "records-officer"}}
	if ask(eleri, "propose", proposal) == nil {
		t.Error("nothing can be proposed: nothing is shown")
	}
	// So does leave for a machine outside. Once the vault takes signatures, as those of a machine that two people gave leave, it
	// takes none of a machine that the node proposed, with whatever sessions it holds.
	wearers, orgs, _ := plain(t, h)
	org, err := id.Parse[id.Organisation](orgs[0])
	if err != nil {
		t.Fatal(err)
	}
	given := newMachine(t, h, web, vaultclient.Auth{Session: eleri}, org)
	for deadline := time.Now().Add(30 * time.Second); given.call(t, web) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the machine's signatures are not taken: nothing is shown")
		}
	}
	intruder := testmachine.New()
	leave := vaultclient.NewMachine{Name: "Backup", Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldDose, MaxWearers: 1000, Node: "web", Ends: time.Now().Add(time.Hour), Key: intruder.Public()}
	var proposed id.Approval
	if answer := ask(eleri, "propose", map[string]any{"kind": "machine", "body": leave}); json.Unmarshal(answer, &proposed) != nil {
		t.Fatalf("leave for a machine can't be proposed: nothing is shown: %q", answer)
	}
	if answer := ask(owain, "propose", map[string]any{"kind": "machine", "body": leave}); answer != nil {
		t.Errorf("an administrator, who gives machines no leave, proposed some: %q", answer)
	}
	for _, session := range []string{eleri, owain} {
		for _, method := range []string{"create-machine", "sign-approval", "approve", "approve-approval", "settle-approval", "settle"} {
			for _, body := range []any{leave, proposed, map[string]any{"id": proposed}, map[string]any{"approval": proposed, "kind": "machine", "body": leave}} {
				if answer := ask(session, method, body); answer != nil {
					t.Errorf("%s: %q", method, answer)
				}
			}
		}
	}
	for _, keyid := range []string{proposed.String(), given.id.String()} {
		intruder.ID = keyid
		if _, err := web.Admit(t.Context(), intruder.Signed("GET", "localhost", "/api/v1/machine", nil, time.Now())); err == nil {
			t.Error("a machine that one person proposed has a session")
		}
	}
	machines, err := web.Machines(t.Context(), vaultclient.Auth{Session: eleri})
	if err != nil || len(machines) != 1 || machines[0].ID != given.id {
		t.Errorf("machines: %+v, %v", machines, err)
	}
	if after := h.DemoUsers(); len(after) != len(users) || after["An Accomplice"] != "" {
		t.Errorf("%d users, before %d", len(after), len(users))
	}

	// A code is redeemed once, and by its own node: of 64 who redeem it at once one gets a session, and afterwards nobody does.
	if out, err := h.SignIn(h.Client("worker"), users["Eleri Vaughan"]); err == nil {
		t.Errorf("another node redeemed a code: %v", out)
	}
	code, err := h.Code(users["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	var redeemed atomic.Int32
	var at sync.WaitGroup
	for range 64 {
		at.Go(func() {
			if answer, _ := s.post("redeem-code", map[string]any{"body": map[string]any{"secret": code}}); answer != nil {
				redeemed.Add(1)
			}
		})
	}
	at.Wait()
	if again := ask(eleri, "redeem-code", map[string]any{"secret": code}); redeemed.Load() != 1 || again != nil {
		t.Errorf("a code made %d sessions, and another one afterwards: %t", redeemed.Load(), again != nil)
	}

	// A session of one organisation opens no other, however the request names it.
	supervisor := ""
	for name := range users {
		auth := session(name)
		u, err := web.Whoami(t.Context(), vaultclient.Auth{Session: auth})
		if err != nil {
			t.Fatal(err)
		}
		if u.Role == policy.Supervisor {
			supervisor = auth
			own := u.Organisations[0].String()
			for _, org := range orgs {
				list := slices.Concat(wearers[org][:1]...)
				for _, body := range []map[string]any{
					{"purpose": policy.IssueBadges, "fields": policy.FieldName, "wearers": list},
					{"purpose": policy.IssueBadges, "fields": policy.FieldName, "wearers": list, "organisation": own},
					{"purpose": policy.IssueBadges, "fields": policy.FieldName, "wearers": list, "organisations": []string{own}},
				} {
					if answer := ask(auth, "reveal", body); answer != nil && org != own {
						t.Errorf("a supervisor obtained %d bytes of another organisation", len(answer))
					}
				}
			}
			break
		}
	}
	if supervisor == "" {
		t.Fatal("no supervisor: nothing is shown")
	}

	// The budget, lowered so that it is reached.
	const limit, connections = 60, 64
	user := vaultclient.Recipient("user:" + users["Eleri Vaughan"])
	office, clerk, err := h.Office(users["Owain Rees"])
	if err != nil {
		t.Fatal(err)
	}
	if err := office.SetBudget(t.Context(), clerk, vaultclient.NewBudget{Who: user, Limits: map[string]int{"identity": limit}}); err != nil {
		t.Fatal(err)
	}
	var everybody [][]byte
	for _, org := range orgs {
		everybody = append(everybody, wearers[org]...)
	}
	all := &loot{fields: map[string]policy.Fields{}}
	outspend := func() {
		var wg sync.WaitGroup
		for i := range connections {
			rnd := rand.New(rand.NewPCG(uint64(i), uint64(len(all.fields))))
			wg.Go(func() {
				for range 20 {
					var list []byte
					for range 1 + rnd.IntN(4) {
						list = append(list, everybody[rnd.IntN(len(everybody))]...)
					}
					answer, _ := s.post("reveal", map[string]any{"auth": map[string]any{"session": eleri}, "body": map[string]any{"purpose": policy.IssueBadges, "fields": policy.FieldName, "wearers": list}})
					if answer != nil {
						all.add(records(t, answer))
					}
				}
			})
		}
		wg.Wait()
	}
	outspend()
	if n := len(all.fields); n > limit || n < limit/2 {
		t.Errorf("%d people obtained with a budget of %d", n, limit)
	}
	for range 3 { // once in 24 hours, whatever the reason
		ask(eleri, "break-glass", "A source is leaking in theatre "+id.New[id.Row]().String())
	}
	outspend()
	if n := len(all.fields); n > 2*limit || n <= limit {
		t.Errorf("%d people obtained with a budget of %d, gone over once", n, limit)
	}
	t.Logf("%d people of %d obtained in %d answers", len(all.fields), len(everybody), all.answers)
	office, clerk, err = h.Office(users["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	x, err := office.Exposures(t.Context(), clerk, vaultclient.ExposureRequest{Recipient: user, From: from, To: time.Now().Add(time.Minute), List: true})
	if err != nil {
		t.Fatal(err)
	}
	entered := map[string]policy.Fields{}
	for _, e := range x.List {
		entered[e.Wearer.String()] |= e.Fields
	}
	within(t, "the user", all.fields, entered)
}
