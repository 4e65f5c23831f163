package attack_test

import (
	"encoding/json"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// everybodyHas are the fields that everybody in a demonstration has, so that who may read one obtains it: of the others a reveal that found nothing there is
// entered all the same.
const everybodyHas = policy.FieldName | policy.FieldSex | policy.FieldStaffNumber | policy.FieldContact | policy.FieldDose | policy.FieldEmployment

// drills rehearses each kind of breach on the command line after one of that kind: the drill's scope is exactly what the attacker obtained, wearer by wearer and
// field by field, for once nobody is killed or frozen while it goes on.
func (c *campaign) drills() {
	c.t.Helper()
	code, err := c.h.CommandLine(c.keepers[0])
	c.ok(err)
	if out, err := c.h.Run("signin", code); err != nil {
		c.t.Fatalf("signing in: %v\n%s", err, out)
	}
	session, err := c.h.SignIn(c.web, c.reader)
	c.ok(err)
	web, worker := steal(c.t, c.h), stealNode(c.t, c.h, "worker")

	// An account, by which the web node was taken over too.
	from := time.Now().Truncate(time.Microsecond)
	got := c.misuse(web, session)
	c.drill(got, from, "account", c.reader)
	c.drill(got, from, "node")

	// A file that was lost, of which an answer was the last thing read.
	from = time.Now().Truncate(time.Microsecond)
	export := session
	export.Export = id.New[id.Export]()
	got = c.misuse(web, export)
	c.drill(got, from, "export", export.Export.String())

	// The worker, by a job's leave.
	from = time.Now().Truncate(time.Microsecond)
	grant, err := c.web.GrantJob(c.t.Context(), c.keeper, vaultclient.JobGrant{Purpose: policy.AssessDose, Fields: policy.FieldName | policy.FieldBirth | policy.FieldDose | policy.FieldEmployment, MaxWearers: 1000,
		Import: id.New[id.Import](), Node: "worker", Lifetime: time.Hour})
	c.ok(err)
	got = c.misuse(worker, vaultclient.Auth{Grant: grant})
	c.drill(got, from, "worker")
	c.ok(c.web.EndGrant(c.t.Context(), c.keeper, grant))

	// A supplier: what it was sent before there was a ledger is what was declared.
	held := map[string]policy.Fields{}
	d := vaultclient.Declaration{Import: id.New[id.Import](), Recipient: "supplier:A Laboratory", From: from.AddDate(-3, 0, 0), To: from.AddDate(-1, 0, 0)}
	for _, org := range c.orgs {
		for _, w := range c.wearers[org] {
			if c.rnd.IntN(2) == 0 {
				row := vaultclient.DeclaredRow{Wearer: id.Wearer(w), Fields: policy.FieldName | everybodyHas&policy.Fields(c.rnd.Uint32())}
				d.Rows = append(d.Rows, row)
				held[row.Wearer.String()] = row.Fields
			}
		}
	}
	c.ok(c.web.Declare(c.t.Context(), c.keeper, d))
	c.drill(held, d.From, "supplier", "A Laboratory")

	// A stolen database opens nothing.
	c.drill(map[string]policy.Fields{}, from, "database")
}

// misuse reads at full speed for a moment, and until something was obtained.
func (c *campaign) misuse(s *stolen, auth vaultclient.Auth) map[string]policy.Fields {
	c.t.Helper()
	got := &loot{fields: map[string]policy.Fields{}}
	var wg sync.WaitGroup
	until := time.Now().Add(100 * time.Millisecond)
	for range 4 {
		own := rand.New(rand.NewPCG(c.rnd.Uint64(), 0))
		a := &asker{c.t, s, auth, own, c.wearers, c.orgs, c.readings, got}
		wg.Go(func() {
			for deadline := time.Now().Add(30 * time.Second); time.Now().Before(until) || got.count() < 5 && time.Now().Before(deadline); {
				if !a.ask() {
					c.t.Error("the vault did not answer")
					return
				}
			}
		})
	}
	wg.Wait()
	if got.count() == 0 {
		c.t.Fatal("nothing was obtained, so nothing is shown")
	}
	return got.fields
}

// drill plays a drill on the command line and holds its scope against what was obtained since a moment.
func (c *campaign) drill(obtained map[string]policy.Fields, from time.Time, args ...string) {
	c.t.Helper()
	out, err := c.h.Command(append(append([]string{"drill"}, args...), "--yes", "--json", "--from", from.UTC().Format(time.RFC3339Nano))...).Output()
	if err != nil {
		c.t.Fatalf("drill %v: %v\n%s", args, err, out)
	}
	var drill struct {
		Number  string
		Wearers []struct {
			Wearer string
			Fields []string
		}
		Parts []struct{ Name string }
	}
	if err := json.Unmarshal(out, &drill); err != nil {
		c.t.Fatalf("drill %v: %v\n%s", args, err, out)
	}
	scope, want := map[string]policy.Fields{}, map[string]policy.Fields{}
	for _, w := range drill.Wearers {
		f, err := policy.ParseFields(w.Fields...)
		c.ok(err)
		scope[w.Wearer] = f
	}
	within(c.t, args[0], obtained, scope)
	for w, f := range scope {
		scope[w] = f & everybodyHas
	}
	for w, f := range obtained {
		want[w] = f & everybodyHas
	}
	if diff := cmp.Diff(want, scope); diff != "" {
		c.t.Errorf("drill %v: its scope is not what was obtained:\n%s", args, diff)
	}
	if len(drill.Parts) != 8 || drill.Number[0] != 'D' {
		c.t.Errorf("drill %v: %s was not played to its end: %v", args, drill.Number, drill.Parts)
	}
}
