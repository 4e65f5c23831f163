package attack_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dosevault/dosevault/attack/house"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/testmachine"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// The first oracle, for rows 3, 3b, 3c and 4: attackers of random kinds, each at work for a moment at full speed or less, while the
// vault is killed, somebody freezes them or lowers their budget. After each run, what was obtained, taken from the bytes of
// the answers, lies within what the ledger says of them, and the ledger says more by at most the requests that were in flight.
// DOSEVAULT_ATTACKS is how many runs there are, DOSEVAULT_SEED repeats those of another time.
func TestRandomAttacks(t *testing.T) {
	attacks(t, copyOfFilled(t), number64(t, "DOSEVAULT_ATTACKS", 25))
}

// number64 is a number of the environment, or another.
func number64(t *testing.T, name string, or uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return or
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// attackers are the kinds of attackers, the commonest twice.
var attackers = []string{"web node", "web node", "session", "worker", "machine"}

// campaign is a house under attack, with two people whom nobody steals from, who freeze, lower budgets and look at the ledger.
type campaign struct {
	t        *testing.T
	h        *house.House
	rnd      *rand.Rand
	web      *vaultclient.Client
	keeper   vaultclient.Auth
	keepers  [2]string // by id
	giver    vaultclient.Auth
	users    []string // who can be stolen from, by id
	reader   string   // the one of them who may read most
	sessions map[string][]vaultclient.Auth
	wearers  map[string][][]byte
	orgs     []string
	readings []sealedReading
	largest  vaultclient.Organisation
	shown    map[string]int // answers that showed anything, by kind of attacker
	lowered  []vaultclient.Recipient
	kills    int
}

func attacks(t *testing.T, h *house.House, runs uint64) {
	t.Helper()
	seed := number64(t, "DOSEVAULT_SEED", uint64(time.Now().UnixNano()))
	t.Logf("seed %d", seed)
	h.Start("demo")
	c := newCampaign(t, h, rand.New(rand.NewPCG(seed, 0)))
	order := slices.Clone(attackers)
	for run := range runs {
		i := int(run) % len(order)
		if i == 0 {
			c.rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		c.rnd = rand.New(rand.NewPCG(seed, 1+run))
		c.run(run, order[i])
		if t.Failed() {
			return
		}
	}
	for _, kind := range attackers {
		if c.shown[kind] == 0 {
			t.Errorf("no answer to a %s showed anything: nothing is shown", kind)
		}
	}
	c.drills()
	t.Logf("%d runs, the vault killed in %d; answers that showed anything: %v", runs, c.kills, c.shown)
	if out, err := h.Run("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

func newCampaign(t *testing.T, h *house.House, rnd *rand.Rand) *campaign {
	t.Helper()
	c := &campaign{t: t, h: h, rnd: rnd, web: h.Client("web"), sessions: map[string][]vaultclient.Auth{}, shown: map[string]int{}}
	users := h.DemoUsers()
	eleri, owain := users["Eleri Vaughan"], users["Owain Rees"]
	for _, n := range users {
		c.users = append(c.users, n)
	}
	slices.Sort(c.users)
	c.reader = eleri
	auth, err := h.SignIn(c.web, eleri)
	c.ok(err)
	for name, role := range map[string]policy.Role{"Keeper One": policy.Coordinator, "Keeper Two": policy.Administrator} {
		_, err := h.Agree(c.web, auth, eleri, owain, vaultclient.ApproveUser, vaultclient.UserChange{NewUser: vaultclient.NewUser{Name: name, Role: role}})
		c.ok(err)
	}
	users = h.DemoUsers()
	c.keepers = [2]string{users["Keeper One"], users["Keeper Two"]}
	c.keeper, err = h.SignIn(c.web, c.keepers[0])
	c.ok(err)
	c.giver = c.keeper
	c.wearers, c.orgs, c.readings = plain(t, h)
	orgs, err := c.web.Organisations(t.Context(), c.keeper)
	c.ok(err)
	c.largest = slices.MaxFunc(orgs, func(a, b vaultclient.Organisation) int { return a.Current - b.Current })
	return c
}

func (c *campaign) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// stolen is a session of a user that works, signed in anew where there is none left.
func (c *campaign) stolen(user string, n int) vaultclient.Auth {
	c.t.Helper()
	list := c.sessions[user]
	if n < len(list) {
		if _, err := c.web.Whoami(c.t.Context(), list[n]); err == nil {
			return list[n]
		}
		list = slices.Delete(list, n, n+1)
	}
	auth, err := c.h.SignIn(c.web, user)
	c.ok(err)
	c.sessions[user] = append(list, auth)
	return auth
}

// party is what a run's attacker is in the ledger, and what was obtained as it.
type party struct {
	recipient string
	loot      *loot
}

// run lets one attacker work for a moment, and holds what it obtained against the ledger.
func (c *campaign) run(run uint64, kind string) {
	t, rnd := c.t, c.rnd
	ctx := t.Context()
	from := time.Now()
	all := &loot{fields: map[string]policy.Fields{}}
	parties := map[string]*party{}
	of := func(recipient string) *loot {
		if parties[recipient] == nil {
			parties[recipient] = &party{recipient, &loot{fields: map[string]policy.Fields{}}}
		}
		return parties[recipient].loot
	}
	var workers []func() bool
	var s *stolen
	var grant id.Grant
	var victims []string
	most, whole := 0, ""
	first := c.shown[kind] == 0 // of its kind that is to show anything: it has a session that can, and the time
	pause := time.Duration(rnd.IntN(3)*rnd.IntN(5)) * time.Millisecond
	work := func(auth vaultclient.Auth, loots ...*loot) {
		a := &asker{t, s, auth, rand.New(rand.NewPCG(rnd.Uint64(), 0)), c.wearers, c.orgs, c.readings, nil}
		workers = append(workers, func() bool {
			a.loot = &loot{fields: map[string]policy.Fields{}}
			going := a.ask()
			for _, l := range loots {
				l.add(a.loot.fields)
			}
			return going
		})
	}
	switch kind {
	case "web node", "session":
		s, whole = steal(t, c.h), "node:web"
		n := 1
		if kind == "web node" {
			n = int(math.Exp2(6 * rnd.Float64())) // 1 to 64
		}
		for i := range n {
			user := c.users[rnd.IntN(len(c.users))]
			connections := 1
			if kind == "session" {
				connections = 1 + rnd.IntN(16)
			}
			var auth vaultclient.Auth
			if first && i == 0 {
				var err error
				user = c.reader
				auth, err = c.h.SignIn(c.web, user)
				c.ok(err)
			} else {
				auth = c.stolen(user, i/len(c.users))
			}
			victims = append(victims, user)
			for range connections {
				work(auth, all, of("user:"+user))
			}
		}
	case "worker":
		s = stealNode(t, c.h, "worker")
		most = 1 + rnd.IntN(40)
		n, err := c.web.GrantJob(ctx, c.giver, vaultclient.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldBirth | policy.FieldDose | policy.FieldEmployment, MaxWearers: most,
			Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour})
		c.ok(err)
		grant, whole = n, "grant:"+n.String()
		for range 1 + rnd.IntN(8) {
			work(vaultclient.Auth{Grant: n}, all)
			work(vaultclient.Auth{}, all) // without any grant
		}
	case "machine":
		most = 5 + rnd.IntN(40)
		tool := testmachine.New()
		n, err := c.h.Agree(c.web, c.keeper, c.keepers[0], c.keepers[1], vaultclient.ApproveMachine, vaultclient.NewMachine{Name: fmt.Sprintf("Tool %d", run), Purpose: policy.AssessDose, MaxWearers: most,
			Organisations: []id.Organisation{c.largest.ID}, Node: "web", Fields: policy.FieldName | policy.FieldStaffNumber | policy.FieldDose | policy.FieldEmployment, Ends: from.Add(24 * time.Hour), Key: tool.Public()})
		c.ok(err)
		tool.ID = n.String()
		grant, whole = id.Grant(n), "grant:"+n.String()
		m := machineOutside{grant, tool}
		m.untilTaken(t, c.h)
		from = time.Now() // whatever it asked for before showed nobody
		for range 1 + rnd.IntN(8) {
			own := rand.New(rand.NewPCG(rnd.Uint64(), 0))
			workers = append(workers, func() bool { m.misuse(t, c.h, own, c.largest, c.orgs, c.wearers, all); return true })
		}
	}

	var over atomic.Bool
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() {
			for !over.Load() && w() {
				time.Sleep(pause)
			}
		})
	}
	moment := func() { time.Sleep(time.Duration(100+rnd.IntN(250)) * time.Millisecond) }
	moment()
	for deadline := time.Now().Add(30 * time.Second); first && all.count() == 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	did := ""
	if rnd.IntN(3) == 0 && len(victims) > 0 { // somebody notices
		user := victims[rnd.IntN(len(victims))]
		if rnd.IntN(2) == 0 {
			did = " freeze"
			c.ok(c.web.Freeze(ctx, c.keeper, vaultclient.FreezeRequest{Scope: vaultclient.Scope("user:" + user), Reason: "seen somewhere else", Sure: true}))
		} else {
			did = " budget"
			c.lower(user)
		}
		moment()
	} else if rnd.IntN(3) == 0 && !grant.IsZero() {
		did = " freeze"
		c.ok(c.web.Freeze(ctx, c.keeper, vaultclient.FreezeRequest{Scope: vaultclient.GrantScope(grant), Reason: "seen somewhere else", Sure: true}))
		moment()
	}
	killed := rnd.IntN(4) == 0
	if killed {
		did += " kill"
		c.kills++
		c.ok(syscall.Kill(c.h.Process("vault"), syscall.SIGKILL))
	}
	over.Store(true)
	wg.Wait()
	inFlight := int64(0)
	if s != nil {
		inFlight = s.inFlight.Load()
		s.http.CloseIdleConnections()
	}
	c.back()

	entered, entries := c.exposed(whole, from)
	within(t, whole, all.fields, entered)
	for _, p := range parties {
		entered, _ := c.exposed(p.recipient, from)
		within(t, p.recipient, p.loot.fields, entered)
	}
	surplus := entries - all.answers
	if kind != "machine" && (surplus < 0 || int64(surplus) > inFlight) { // one request of a machine makes entries of several reveals
		t.Errorf("%d answers, %d entries: a surplus of %d with %d requests in flight", all.answers, entries, surplus, inFlight)
	}
	if most > 0 && len(entered) > most {
		t.Errorf("%d people by leave for %d", len(entered), most)
	}
	c.shown[kind] += all.answers
	line := fmt.Sprintf("run %d, %s:%s %d connections, %d answers with fields of %d people, %d entries, surplus %d of %d in flight", run, kind, did, len(workers), all.answers, len(all.fields), entries, surplus, inFlight)
	if t.Failed() || os.Getenv("DOSEVAULT_ATTACKS") != "" {
		t.Log(line)
	}
	c.restore(grant, kind)
}

// lower lowers what a user may read, to less than a moment's reading.
func (c *campaign) lower(user string) {
	c.t.Helper()
	who := vaultclient.Recipient("user:" + user)
	c.ok(c.web.SetBudget(c.t.Context(), c.keeper, vaultclient.NewBudget{Who: who, Limits: map[string]int{"identity": 1 + c.rnd.IntN(50), "dose": c.rnd.IntN(50)}}))
	c.lowered = append(c.lowered, who)
}

// back waits until the vault answers.
func (c *campaign) back() {
	c.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := c.web.Whoami(c.t.Context(), c.keeper)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the vault did not come back: %v", err)
		}
	}
}

// exposed is what the ledger says that a recipient has been shown, and by how many entries.
func (c *campaign) exposed(recipient string, from time.Time) (map[string]policy.Fields, int) {
	c.t.Helper()
	x, err := c.web.Exposures(c.t.Context(), c.keeper, vaultclient.ExposureRequest{Recipient: vaultclient.Recipient(recipient), From: from.Truncate(time.Microsecond), To: time.Now().Add(time.Minute), List: true, Proofs: true})
	c.ok(err)
	out := map[string]policy.Fields{}
	for _, e := range x.List {
		out[e.Wearer.String()] |= e.Fields
	}
	return out, len(x.Proofs)
}

// restore lets go on who was frozen or lowered, for the next run, and ends the leave of this one.
func (c *campaign) restore(grant id.Grant, kind string) {
	c.t.Helper()
	ctx := c.t.Context()
	frozen, err := c.web.Frozen(ctx, c.keeper)
	c.ok(err)
	for _, f := range frozen {
		_, err := c.h.Agree(c.web, c.keeper, c.keepers[0], c.keepers[1], vaultclient.ApproveThaw, vaultclient.Thaw{Scope: f.Scope})
		c.ok(err)
	}
	switch kind {
	case "worker":
		c.ok(c.web.EndGrant(ctx, c.keeper, grant))
		s := stealNode(c.t, c.h, "worker")
		a := &asker{c.t, s, vaultclient.Auth{Grant: grant}, c.rnd, c.wearers, c.orgs, c.readings, &loot{fields: map[string]policy.Fields{}}}
		for range 10 {
			a.ask()
		}
		if a.loot.answers > 0 {
			c.t.Error("a grant that was ended opens something")
		}
	case "machine":
		c.ok(c.web.EndMachine(ctx, c.keeper, grant))
	}
	for _, user := range c.lowered {
		_, err := c.h.Agree(c.web, c.keeper, c.keepers[0], c.keepers[1], vaultclient.ApproveBudget, vaultclient.NewBudget{Who: user, Limits: map[string]int{"identity": 20_000, "dose": 20_000}})
		c.ok(err)
	}
	c.lowered = nil
}
