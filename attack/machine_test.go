package attack_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A machine's private key in somebody else's hands, used from outside at full speed: what comes back lies within what the ledger
// says of the machine, is of its organisation only, and of no more people than its number. Whoever takes the data
// directory or listens to requests finds nothing to sign with, and once the machine's leave is ended the key is worth nothing.
func TestAStolenKeyGetsWhatTheLedgerSays(t *testing.T) {
	const most = 60
	h := copyOfFilled(t)
	h.Start("demo")
	web := h.Client("web")
	users := h.DemoUsers()
	auth, err := h.SignIn(web, users["Eleri Vaughan"])
	if err != nil {
		t.Fatal(err)
	}
	orgs, err := web.Organisations(t.Context(), auth)
	if err != nil {
		t.Fatal(err)
	}
	large := orgs[0]
	for _, o := range orgs {
		if o.Current > large.Current {
			large = o
		}
	}
	if large.Current <= most {
		t.Fatalf("the largest organisation has %d wearers: nothing would be shown", large.Current)
	}
	from := time.Now()
	tool := testmachine.New()
	given, err := h.Agree(web, auth, users["Eleri Vaughan"], users["Owain Rees"], vaultclient.ApproveMachine, vaultclient.NewMachine{Name: "Reporting tool", Purpose: policy.AssessDose, Organisations: []id.Organisation{large.ID}, MaxWearers: most, Node: "web",
		Fields: policy.FieldName | policy.FieldStaffNumber | policy.FieldDose | policy.FieldEmployment, Ends: from.Add(time.Hour), Key: tool.Public()})
	if err != nil {
		t.Fatal(err)
	}
	machine := id.Grant(given)
	tool.ID = machine.String()
	ask := func(method, path, body string) (int, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.Listen+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, nil
		}
		tool.Sign(req, []byte(body))
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0, nil
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, b
	}

	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) { // a vault that has just started takes none
		status, b := ask("GET", "/machine", "")
		if status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the machine: %d %s", status, b)
		}
	}
	// Whoever took the web node over hands a request that it has seen to the vault again, or another in its place.
	seen := tool.Signed("GET", "localhost", "/api/v1/machine", nil, time.Now())
	if _, err := web.Admit(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*vaultclient.SignedRequest){
		"the same again": func(*vaultclient.SignedRequest) {},
		"another path":   func(r *vaultclient.SignedRequest) { r.Target = "/api/v1/organisations" },
		"another time":   func(r *vaultclient.SignedRequest) { r.Input = strings.Replace(r.Input, "created=1", "created=2", 1) },
		"another nonce":  func(r *vaultclient.SignedRequest) { r.Input = strings.Replace(r.Input, `nonce="`, `nonce="0`, 1) },
	} {
		r := seen
		change(&r)
		if _, err := web.Admit(t.Context(), r); err == nil {
			t.Errorf("a node that was taken over got a session for %s", what)
		}
	}

	wearers, all, _ := plain(t, h)
	got := &loot{fields: map[string]policy.Fields{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var workers sync.WaitGroup
	for i := range 8 {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		workers.Go(func() {
			for range 25 {
				org := large.ID.String()
				if rnd.IntN(4) == 0 {
					org = all[rnd.IntN(len(all))] // mostly another's
				}
				if rnd.IntN(2) == 0 {
					status, b := ask("GET", fmt.Sprintf("/organisations/%s/wearers?limit=%d&offset=%d", org, 1+rnd.IntN(8), rnd.IntN(large.Current)), "")
					var page struct{ Wearers []map[string]any }
					if status == 200 && json.Unmarshal(b, &page) == nil {
						for _, w := range page.Wearers {
							got.add(map[string]policy.Fields{w["id"].(string): policy.FieldName | policy.FieldStaffNumber | policy.FieldEmployment})
						}
					}
					continue
				}
				own := wearers[org]
				w, err := id.From[id.Wearer](own[rnd.IntN(len(own))])
				if err != nil {
					t.Error(err)
					return
				}
				status, b := ask("GET", "/wearers/"+w.String()+"/doses", "")
				var doses struct{ Readings []any }
				if status == 200 && json.Unmarshal(b, &doses) == nil && len(doses.Readings) > 0 {
					got.add(map[string]policy.Fields{w.String(): policy.FieldDose | policy.FieldEmployment})
				}
			}
		})
	}
	workers.Wait()
	if got.answers < 10 {
		t.Fatalf("only %d answers showed anything: nothing is shown", got.answers)
	}
	if len(got.fields) > most {
		t.Errorf("fields of %d people came back; the leave is for %d", len(got.fields), most)
	}
	theirs := map[string]bool{}
	for _, w := range wearers[large.ID.String()] {
		one, err := id.From[id.Wearer](w)
		if err != nil {
			t.Fatal(err)
		}
		theirs[one.String()] = true
	}
	for w := range got.fields {
		if !theirs[w] {
			t.Errorf("fields of wearer %s came back, of another organisation", w)
		}
	}
	for _, who := range []string{"grant:" + machine.String(), "machine:Reporting tool"} {
		x, err := web.Exposures(t.Context(), auth, vaultclient.ExposureRequest{Recipient: vaultclient.Recipient(who), From: from.Add(-time.Second), To: time.Now().Add(time.Minute), List: true})
		if err != nil {
			t.Fatal(err)
		}
		entered := map[string]policy.Fields{}
		for _, e := range x.List {
			entered[e.Wearer.String()] |= e.Fields
		}
		within(t, who, got.fields, entered)
	}

	raw := tool.Key.Seed()
	secret := hex.EncodeToString(raw)
	err = filepath.WalkDir(h.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, raw) {
			t.Errorf("%s holds the private key", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(h.Log(), secret) {
		t.Error("the log holds the private key")
	}
	if err := web.EndMachine(t.Context(), auth, machine); err != nil {
		t.Fatal(err)
	}
	if status, b := ask("GET", "/machine", ""); status != http.StatusUnauthorized {
		t.Errorf("after its end: %d %s", status, b)
	}
}
