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

	"github.com/dosevault/dosevault/attack/house"
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
	outside := machineOutside{machine, tool}
	outside.untilTaken(t, h)
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
				outside.misuse(t, h, rnd, large, all, wearers, got)
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
	if status, b, err := outside.get(t, h, "/machine"); err != nil || status != http.StatusUnauthorized {
		t.Errorf("after its end: %d %s, %v", status, b, err)
	}
}

// get asks for something from outside, as the machine.
func (m machineOutside) get(t *testing.T, h *house.House, path string) (status int, answer []byte, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.Listen+"/api/v1"+path, nil)
	if err != nil {
		return 0, nil, err
	}
	m.tool.Sign(req, nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// untilTaken waits until the vault takes the machine's signatures: one that has just started takes none.
func (m machineOutside) untilTaken(t *testing.T, h *house.House) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, b, err := m.get(t, h, "/machine")
		if err == nil && status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the machine: %d %s, %v", status, b, err)
		}
	}
}

// misuse asks for something at random with the machine's key, mostly of its own organisation.
func (m machineOutside) misuse(t *testing.T, h *house.House, rnd *rand.Rand, own vaultclient.Organisation, all []string, wearers map[string][][]byte, got *loot) {
	org := own.ID.String()
	if rnd.IntN(4) == 0 {
		org = all[rnd.IntN(len(all))]
	}
	if rnd.IntN(2) == 0 {
		status, b, err := m.get(t, h, fmt.Sprintf("/organisations/%s/wearers?limit=%d&offset=%d", org, 1+rnd.IntN(8), rnd.IntN(own.Current)))
		var page struct{ Wearers []map[string]any }
		if err == nil && status == http.StatusOK && json.Unmarshal(b, &page) == nil {
			shown := map[string]policy.Fields{}
			for _, w := range page.Wearers {
				shown[w["id"].(string)] = policy.FieldName | policy.FieldStaffNumber | policy.FieldEmployment
			}
			got.add(shown)
		}
		return
	}
	w := id.Wearer(wearers[org][rnd.IntN(len(wearers[org]))])
	status, b, err := m.get(t, h, "/wearers/"+w.String()+"/doses")
	var doses struct{ Readings []any }
	if err == nil && status == http.StatusOK && json.Unmarshal(b, &doses) == nil && len(doses.Readings) > 0 {
		got.add(map[string]policy.Fields{w.String(): policy.FieldDose | policy.FieldEmployment})
	}
}
