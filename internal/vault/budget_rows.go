package vault

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// storedBudget is a row of the table budget: a party's budget where it is not the default. Its id is a keyed hash of the party.
type storedBudget struct {
	Who    string         `json:"who"`
	Limits map[string]int `json:"limits"`
}

func (v *Vault) budgetID(who string) []byte {
	h := v.keyedHash("budget", []byte(who))
	return h[:16]
}

func (v *Vault) loadBudgets(ctx context.Context) error {
	return v.rows(ctx, TableBudget, func(key, sealed []byte) error {
		var row storedBudget
		if err := v.openRow(TableBudget, key, sealed, &row); err != nil {
			return err
		}
		if !bytes.Equal(key, v.budgetID(row.Who)) || !checkLimits(row.Limits) {
			return fmt.Errorf("table %s, row %x: is not in its place: the database was changed; run dosevault verify", TableBudget, key)
		}
		v.state.budgets[row.Who] = &row
		return nil
	})
}

func checkLimits(l map[string]int) bool {
	for class, n := range l {
		if budgetClass(class) > 7 || n < 0 || n > unlimited {
			return false
		}
	}
	return len(l) > 0
}

// checkBudget reads whom a budget is for, and says which organisation it is about, if one.
func (v *Vault) checkBudget(b vaultclient.NewBudget) (org id.Organisation, err error) {
	wrong := invalid("a budget is for user:ID, role:NAME, node:NAME, grant:ID or organisation:ID, and names classes with a number of wearers: guesses, identity, ni, contact, health, dose, document, employment")
	if !checkLimits(b.Limits) {
		return org, wrong
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	kind, name, _ := strings.Cut(string(b.Who), ":")
	known := false
	switch kind {
	case "user":
		var n id.User
		known = n.UnmarshalText([]byte(name)) == nil && v.state.users[n] != nil
	case "role":
		known = slices.Contains(policy.Roles, policy.Role(name))
	case "node":
		known = name != "" && len(name) <= 40
	case "grant":
		var n id.Grant
		known = n.UnmarshalText([]byte(name)) == nil && v.state.grants[n] != nil && v.state.grants[n].isMachine()
	case "organisation":
		known = org.UnmarshalText([]byte(name)) == nil && v.state.organisations[org] != nil
	}
	if !known {
		return org, wrong
	}
	return org, nil
}

// raises reports whether a budget leaves more than what holds now. The caller is the committer.
func (v *Vault) raises(b vaultclient.NewBudget, now time.Time) bool {
	who := string(b.Who)
	kind, name, _ := strings.Cut(who, ":")
	role := policy.Role(name)
	if kind == "role" {
		// What a role has: that of a user of it for whom nothing is set.
		who = "user:"
	} else if kind == "user" {
		var n id.User
		if n.UnmarshalText([]byte(name)) == nil && v.state.users[n] != nil {
			role = v.state.users[n].Role
		}
	}
	now = now.Add(2 * glassAgain) // a broken glass is not what holds
	l := v.limitsOf(who, role, now)
	for class, n := range b.Limits {
		if n > l[budgetClass(class)] {
			return true
		}
	}
	if old := v.state.budgets[string(b.Who)]; old != nil { // what it leaves out becomes the default again
		was := maps.Clone(old.Limits)
		maps.DeleteFunc(was, func(class string, _ int) bool { _, named := b.Limits[class]; return named })
		return len(was) > 0
	}
	return false
}

// setBudget gives a party another budget, and enters it as o says. Whoever calls has made sure that raising one took two people.
func (t *tx) setBudget(o ledger.Opening, org id.Organisation, b vaultclient.NewBudget) error {
	v := t.v
	row := &storedBudget{string(b.Who), b.Limits}
	key := v.budgetID(row.Who)
	sealed, err := v.sealRow(TableBudget, key, row)
	if err != nil {
		return err
	}
	o.Subject, o.Reason = row.Who, limitsInWords(b.Limits)
	e, err := v.seal(entry{org: org, kind: ledger.Budget, basis: ledger.Gate}, o)
	if err != nil {
		return err
	}
	t.put(TableBudget, key, sealed)
	t.append(e)
	t.apply(func(s *state) { s.budgets[row.Who] = row })
	return nil
}

// limitsInWords says what a budget is, as in "at most 500 contact and 20000 identity in 24 hours".
func limitsInWords(l map[string]int) string {
	var s []string
	for _, class := range slices.Sorted(maps.Keys(l)) {
		s = append(s, fmt.Sprintf("%d %s", l[class], class))
	}
	return "at most " + strings.Join(s, ", ") + " in 24 hours"
}

// SetBudget lowers a party's budget. Raising one takes two people: code NeedsApproval says so.
func (v *Vault) SetBudget(ctx context.Context, c Caller, b vaultclient.NewBudget) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	a := ask{action: policy.Administer, purpose: policy.KeepRecords}
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return err
	}
	org, err := v.checkBudget(b)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if v.raises(b, t.now) {
			return errNeedsTwo // it is above what holds now, or leaves out what was lowered before
		}
		return t.setBudget(v.opening(p, a), org, b)
	}))
}

// countLedger counts what was read in the last day, from every log, backwards from its end. The committer does not run yet.
func (v *Vault) countLedger(ctx context.Context) error {
	now := v.recordTime()
	first := time.Unix(int64(hourOf(now)-spanHours+1)*3600, 0)
	for name, tree := range v.trees {
		var org id.Organisation
		if name != ledger.InstallationLog {
			if err := org.UnmarshalText([]byte(name[:min(26, len(name))])); err != nil {
				return fmt.Errorf("log %s: not an organisation's", name)
			}
		}
		const page = 1024
		for end, old := tree.Size(), false; end > 0 && !old; end -= page {
			var entries []opened
			err := v.read(ctx, org, name, max(0, end-page), end, func(e opened) error {
				if old = old || e.leaf.Recorded.Before(first); !e.leaf.Recorded.Before(first) {
					entries = append(entries, e)
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, e := range slices.Backward(entries) {
				v.countEntry(e, hourOf(now))
			}
		}
	}
	return nil
}

// countEntry counts an entry of the last day as it was counted when it was made.
func (v *Vault) countEntry(e opened, now uint32) {
	o := e.opening
	if e.leaf.Basis != ledger.Gate {
		return
	}
	if o == nil {
		v.countErased(e, now)
		return
	}
	if e.leaf.Kind == ledger.Budget && o.Subject == glassSubject {
		if at := time.UnixMicro(o.From); at.After(v.budgets.glass[o.User]) {
			v.budgets.glass[o.User] = at
		}
		return
	}
	v.countSightings(e, now)
	s, hour := spentBy(e.org, e.leaf.Kind, o), hourOf(e.leaf.Recorded)
	for _, who := range s.who {
		c := v.budgets.of(who, now)
		c.count(hour, s.mask, s.wearers)
		c.add(hour, guesses, s.guesses)
	}
	// A job's number of people holds over a restart, too, as far as the day reaches back.
	if g := v.state.grants[o.Grant]; g != nil && len(s.wearers) > 0 {
		g.used.add(s.wearers)
	}
}

// countErased counts an entry whose opening is gone, by the leaf alone: for everybody who may have made it, and for every class.
func (v *Vault) countErased(e opened, now uint32) {
	if k := e.leaf.Kind; k != ledger.Reveal && k != ledger.Search && k != ledger.Compare {
		return
	}
	n := max(int(e.leaf.Count), 1)
	var all []string
	for u, user := range v.state.users {
		if user.Role != policy.Wearer && (len(user.Organisations) == 0 || slices.Contains(user.Organisations, e.org)) {
			all = append(all, "user:"+u.String())
		}
	}
	for g, grant := range v.state.grants {
		if grant.isMachine() {
			all = append(all, "grant:"+g.String())
		}
	}
	for _, node := range v.nodeNames() {
		all = append(all, "node:"+node)
	}
	if !e.org.IsZero() {
		all = append(all, "organisation:"+e.org.String())
	}
	for _, who := range all {
		c := v.budgets.of(who, now)
		for class := range policy.Class(8) {
			c.add(hourOf(e.leaf.Recorded), class, n)
		}
	}
}

// nodeNames are the nodes that may call; none where their certificates can't be read, which whoever serves nodes reports.
func (v *Vault) nodeNames() []string {
	nodes, err := v.keys.Nodes()
	if err != nil {
		v.log.Warn("reading the nodes' certificates", "error", err)
	}
	return slices.Sorted(maps.Keys(nodes))
}
