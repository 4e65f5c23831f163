package attack_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Promise 4, and the last bound of promise 3: a stolen session that reads record after record at full speed ends at the first
// canary, and whoever signs in again and goes on is frozen at the second, before its answer. What was obtained stands in the
// ledger, and is of no more people than the canaries let through.
func TestCanariesStopAThief(t *testing.T) {
	h := copyOfFilled(t)
	h.Start("demo")
	users := h.DemoUsers()
	web := h.Client("web")
	signIn := func(user string) vaultclient.Auth {
		t.Helper()
		auth, err := h.SignIn(web, user)
		if err != nil {
			t.Fatal(err)
		}
		return auth
	}
	// A second co-ordinator stays to look into it, and plants the canaries.
	if _, err := h.Agree(web, signIn(users["Eleri Vaughan"]), users["Eleri Vaughan"], users["Owain Rees"], vaultclient.ApproveUser, vaultclient.NewUser{Name: "Rhys Prosser", Role: policy.Coordinator}); err != nil {
		t.Fatal(err)
	}
	users = h.DemoUsers()
	supervisor := "Idris Meyrick"
	idris, err := web.Whoami(t.Context(), signIn(users[supervisor]))
	if err != nil {
		t.Fatal(err)
	}
	before, orgs, _ := plain(t, h)
	own := idris.Organisations[0].String()
	largest := slices.MaxFunc(orgs, func(a, b string) int { return len(before[a]) - len(before[b]) })
	birds := plantCanaries(t, h, users["Rhys Prosser"], own, 4)
	if largest != own {
		maps.Copy(birds, plantCanaries(t, h, users["Rhys Prosser"], largest, 8))
	}
	after, _, _ := plain(t, h)
	var everybody [][]byte
	for _, org := range orgs {
		everybody = append(everybody, after[org]...)
	}
	for _, of := range []struct {
		name   string
		fields policy.Fields
		people [][]byte
	}{{supervisor, policy.FieldName | policy.FieldStaffNumber, after[own]}, {"Eleri Vaughan", policy.FieldName | policy.FieldContact, everybody}} {
		t.Run(of.name, func(t *testing.T) {
			thief := &recordThief{t: t, h: h, web: web, s: steal(t, h), user: users[of.name], fields: of.fields, birds: birds, got: &loot{fields: map[string]policy.Fields{}}}
			thief.rob(of.people)
		})
	}
	// What was planted is vouched for like everything else.
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// plantCanaries plants canaries by the command line on the vault's machine, and finds out who they are as nobody else can: by
// looking at the register before and after.
func plantCanaries(t *testing.T, h *house.House, user, org string, n int) map[id.Wearer]bool {
	t.Helper()
	code, err := h.CommandLine(user)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := h.Run("signin", "http://"+h.Vault+"/link?secret="+code); err != nil {
		t.Fatalf("signin: %v\n%s", err, out)
	}
	office, clerk, err := h.Office(user)
	if err != nil {
		t.Fatal(err)
	}
	orgs, err := office.Organisations(t.Context(), clerk)
	if err != nil {
		t.Fatal(err)
	}
	name := orgs[slices.IndexFunc(orgs, func(o vaultclient.Organisation) bool { return o.ID.String() == org })].Name
	known := map[string]bool{}
	before, _, _ := plain(t, h)
	for _, w := range before[org] {
		known[string(w)] = true
	}
	if out, err := h.Run("canaries", "add", name, "--number", fmt.Sprint(n)); err != nil {
		t.Fatalf("canaries add: %v\n%s", err, out)
	}
	birds := map[id.Wearer]bool{}
	after, _, _ := plain(t, h)
	for _, w := range after[org] {
		if !known[string(w)] {
			birds[id.Wearer(w)] = true
		}
	}
	if len(birds) != n {
		t.Fatalf("%d canaries of %d", len(birds), n)
	}
	return birds
}

// recordThief reads records with a stolen session.
type recordThief struct {
	t      *testing.T
	h      *house.House
	web    *vaultclient.Client
	s      *stolen
	user   string
	fields policy.Fields
	birds  map[id.Wearer]bool
	got    *loot

	hit atomic.Int64 // when a canary's record was last asked for, ns
}

// connections are how many ask at once.
const connections = 16

// read reads records one by one, over many connections at once, until the session is over, and returns what was not read yet.
func (x *recordThief) read(session string, left [][]byte) [][]byte {
	var next, over atomic.Int64
	var mu sync.Mutex
	var again [][]byte
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for over.Load() == 0 {
				at := int(next.Add(1)) - 1
				if at >= len(left) {
					return
				}
				w := left[at]
				if x.birds[id.Wearer(w)] {
					x.hit.Store(time.Now().UnixNano())
				}
				answer, broken := x.s.post("reveal", map[string]any{"auth": map[string]any{"session": session}, "body": map[string]any{"purpose": policy.IssueBadges, "fields": x.fields, "wearers": w}})
				if answer == nil || broken {
					over.Store(1)
					mu.Lock()
					again = append(again, w)
					mu.Unlock()
					return
				}
				x.got.add(records(x.t, answer))
			}
		})
	}
	wg.Wait()
	return append(again, left[min(int(next.Load()), len(left)):]...)
}

// caught is which canaries were obtained.
func (x *recordThief) caught() (n int) {
	for w := range x.birds {
		if x.got.fields[w.String()] != 0 {
			n++
		}
	}
	return n
}

// rob reads until the session ends, gets another one from whoever signs in again, and goes on until the user is frozen.
func (x *recordThief) rob(all [][]byte) {
	t, from := x.t, time.Now()
	left := slices.Clone(all)
	rand.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	start := func() vaultclient.Auth {
		t.Helper()
		auth, err := x.h.SignIn(x.web, x.user)
		if err != nil {
			t.Fatal(err)
		}
		return auth
	}
	auth := start()
	left = x.read(auth.Session, left)
	first, took := len(x.got.fields), time.Since(time.Unix(0, x.hit.Load()))
	if x.caught() != 0 {
		t.Error("a canary's record was obtained before anybody signed in again")
	}
	if _, err := x.web.Whoami(t.Context(), auth); err == nil {
		t.Error("the session goes on after a canary")
	}
	t.Logf("%d of %d people before the passkey was asked for, %v after the canary was", first, len(all), took.Round(time.Microsecond))
	auth = start()
	left = x.read(auth.Session, left)
	took = time.Since(time.Unix(0, x.hit.Load()))
	for _, w := range left[:min(len(left), 20)] { // nothing at all after it
		if answer, _ := x.s.post("reveal", map[string]any{"auth": map[string]any{"session": auth.Session}, "body": map[string]any{"purpose": policy.IssueBadges, "fields": x.fields, "wearers": w}}); answer != nil {
			t.Error("something was obtained after the freeze")
		}
	}
	me, err := x.web.Whoami(t.Context(), auth)
	if err != nil || len(me.Frozen) == 0 {
		t.Errorf("the user is not frozen: %+v, %v", me, err)
	}
	if n := x.caught(); n > 1 { // the first one, which they may open once they have signed in again
		t.Errorf("%d canaries' records were obtained", n)
	}
	// Of one thief in a million it would be more.
	k := 0
	for _, w := range all {
		if x.birds[id.Wearer(w)] {
			k++
		}
	}
	if most := lastBeforeSecond(len(all), k) + connections; len(x.got.fields) > most {
		t.Errorf("%d of %d people were obtained, at most %d are expected", len(x.got.fields), len(all), most)
	}
	t.Logf("%d of %d people before the freeze, %v after the second canary was asked for", len(x.got.fields), len(all), took.Round(time.Microsecond))

	users := x.h.DemoUsers()
	office, clerk, err := x.h.Office(users["Rhys Prosser"])
	if err != nil {
		t.Fatal(err)
	}
	alarms, err := office.Alarms(t.Context(), clerk, vaultclient.AlarmsRequest{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[vaultclient.AlarmKind]int{}
	for _, a := range alarms.Alarms {
		if a.About == "user:"+x.user {
			kinds[a.Kind] += a.Count
		}
	}
	if kinds[vaultclient.AlarmCanaryOpened] != 2 || kinds[vaultclient.AlarmFrozen] != 1 {
		t.Errorf("alarms: %v", kinds)
	}
	e, err := office.Exposures(t.Context(), clerk, vaultclient.ExposureRequest{Recipient: vaultclient.Recipient("user:" + x.user), From: from, To: time.Now().Add(time.Minute), List: true})
	if err != nil {
		t.Fatal(err)
	}
	entered := map[string]policy.Fields{}
	for _, one := range e.List {
		entered[one.Wearer.String()] |= one.Fields
	}
	within(t, "the thief", x.got.fields, entered)
	if len(entered) > len(x.got.fields)+connections {
		t.Errorf("%d people were obtained, the ledger says %d", len(x.got.fields), len(entered))
	}
}

// lastBeforeSecond is how many records lie before the second of k canaries among n, but for one thief in a million.
func lastBeforeSecond(n, k int) int {
	none, one := 1.0, 0.0
	for r := range n {
		if none+one < 1e-6 {
			return r
		}
		left := float64(n - r)
		one = one*(left-float64(k-1))/left + none*float64(k)/left
		none *= (left - float64(k)) / left
	}
	return n
}
