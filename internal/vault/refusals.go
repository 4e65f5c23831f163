package vault

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A refusal is entered before it is answered. But whoever is refused a thousand times must not fill a ledger with it: after the
// first one, those of the same user, grant or machine in the same organisation's ledger are counted for a minute, and then
// entered as one. The answers are refusals all the same. What a crash loses of it is that minute's.

const refusalMinute = time.Minute

// mostRefused is how many wearers a sum of refusals names; of more it says only how often.
const mostRefused = 1000

// refusals are those that are being summed up.
type refusals struct {
	mu   sync.Mutex
	sums map[refusalKey]*refusalSum
}

func newRefusals() refusals { return refusals{sums: map[refusalKey]*refusalSum{}} }

type refusalKey struct {
	who string // as among the recipients
	org id.Organisation
}

// refusalSum is what followed a first refusal.
type refusalSum struct {
	first   time.Time
	times   int
	opening ledger.Opening // of the latest one, with the fields of all
	rules   map[string]int
	wearers map[id.Wearer]bool
}

// follows counts a refusal to those of the same minute, if there was one.
func (r *refusals) follows(k refusalKey, now time.Time, o ledger.Opening) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sums[k]
	if s == nil || now.Sub(s.first) >= refusalMinute && s.times == 0 {
		r.sums[k] = &refusalSum{first: now, rules: map[string]int{}, wearers: map[id.Wearer]bool{}}
		return false
	}
	s.times++
	s.rules[cmp.Or(o.Rule, policy.NoRule)]++
	o.Fields |= s.opening.Fields
	s.opening = o
	for _, w := range o.Wearers {
		if len(s.wearers) < mostRefused {
			s.wearers[w] = true
		}
	}
	return true
}

// take removes the sums whose minute is over, or all.
func (r *refusals) take(now time.Time, all bool) map[refusalKey]*refusalSum {
	r.mu.Lock()
	defer r.mu.Unlock()
	over := map[refusalKey]*refusalSum{}
	for k, s := range r.sums {
		if all || now.Sub(s.first) >= refusalMinute || now.Before(s.first) {
			delete(r.sums, k)
			if s.times > 0 {
				over[k] = s
			}
		}
	}
	return over
}

// sumRefusals enters sums of refusals when their minutes are over, until the vault is closed.
func (v *Vault) sumRefusals() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			v.enterSums(false)
		case <-v.quit:
			return
		case <-v.stopped:
			return
		}
	}
}

// enterSums enters the sums whose minute is over, or all.
func (v *Vault) enterSums(all bool) {
	sums := v.refusals.take(v.now(), all)
	if len(sums) == 0 {
		return
	}
	var entries []entry
	for k, s := range sums {
		o := s.opening
		o.Times, o.Rule, o.Subject = s.times, strings.Join(slices.Sorted(maps.Keys(s.rules)), ", "), ""
		o.Wearers = slices.SortedFunc(maps.Keys(s.wearers), func(a, b id.Wearer) int { return slices.Compare(a[:], b[:]) })
		o.From, o.To = s.first.UnixMicro(), s.first.Add(refusalMinute).UnixMicro()
		var each []string
		for _, rule := range slices.Sorted(maps.Keys(s.rules)) {
			each = append(each, fmt.Sprintf("%s: %d", rule, s.rules[rule]))
		}
		o.Reason = fmt.Sprintf("%d more refusals within a minute (%s)", s.times, strings.Join(each, ", "))
		e, err := v.seal(entry{org: k.org, kind: ledger.Refuse, basis: ledger.Gate, count: len(o.Wearers)}, o)
		if err != nil {
			v.log.Error("summing up refusals", "error", err)
			continue
		}
		entries = append(entries, e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := v.commit(ctx, func(t *tx) error {
		t.entries = append(t.entries, entries...)
		return nil
	})
	if err != nil {
		v.log.Error("the sums of a minute's refusals were not entered", "error", err)
	}
}

// enterRefusal enters that an ask was refused, in the ledgers of the organisations that it was about.
func (v *Vault) enterRefusal(ctx context.Context, p *principal, a ask, parties []*party) error {
	return v.enterRefusals(ctx, p, a, parties, nil)
}

// enterRefusals enters refusals; also goes into the same commit, unless all of them only add to a sum.
func (v *Vault) enterRefusals(ctx context.Context, p *principal, a ask, parties []*party, also func(*tx) error) error {
	who := p.node
	if len(p.recipients) > 0 {
		who = p.recipients[0]
	}
	var entries []entry
	for _, of := range parties { // none: nothing of anybody was asked for
		if _, err := v.openingBox(of.org, false); err != nil {
			of.org = id.Organisation{} // an organisation that isn't there: the installation's log
		}
		o := v.opening(p, a)
		o.Fields, o.Wearers, o.Rule = a.fields, of.wearers, joinRules(of.rules)
		if of.policy != nil {
			o.Policy = of.policy.Version()
		}
		if v.refusals.follows(refusalKey{who, of.org}, v.now(), o) {
			continue
		}
		e, err := v.seal(entry{org: of.org, kind: ledger.Refuse, basis: ledger.Gate, count: len(of.wearers)}, o)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		t.entries = append(t.entries, entries...)
		if also != nil {
			return also(t)
		}
		return nil
	}))
}

// refuseOver enters that an ask went over a budget, and raises an alarm.
func (v *Vault) refuseOver(ctx context.Context, p *principal, a ask, parties []*party, o *over) error {
	for _, of := range parties {
		of.rules = map[string]bool{"over-budget": true}
	}
	err := v.enterRefusals(ctx, p, a, parties, func(t *tx) error {
		return t.raise(vaultclient.AlarmOverBudget, id.Organisation{}, ledger.Opening{User: p.User, Grant: p.Grant, Role: p.Role, Node: p.node, Subject: o.who, Reason: classWord(o.class)})
	})
	if err != nil {
		return err
	}
	return o.err
}
