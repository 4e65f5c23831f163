package vault

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// A human being with several employments has several wearers; over what they share, their person, doses are summed.
// Nobody outside the vault learns which wearers are linked but by Linked, and no organisation learns of another.

// apart is a row of the table apart: two wearers that somebody looked at and found to be two human beings. Its id is a
// keyed hash over both.
type apart struct {
	One   id.Wearer `json:"one"`
	Other id.Wearer `json:"other"`
}

func (v *Vault) apartID(a apart) []byte {
	h := v.keyedHash("apart", a.One[:], a.Other[:])
	return h[:16]
}

// pairOf names two wearers in one order.
func pairOf(one, other id.Wearer) apart {
	if bytes.Compare(one[:], other[:]) > 0 {
		one, other = other, one
	}
	return apart{one, other}
}

// maxCandidates is how many candidates an answer of Match has at most: the likeliest.
const maxCandidates = 20

const matchFields = policy.FieldName | policy.FieldBirth

// Match returns the wearers who may be one human being with somebody who is to be taken on, the likeliest first. It
// gives no field; that some agree is entered as seen.
func (v *Vault) Match(ctx context.Context, c Caller, org id.Organisation, identity person.Identity, ni person.Value) ([]vaultclient.Candidate, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if identity, err = person.CheckIdentity(identity, v.today()); err != nil {
		return nil, invalid("%v", err)
	}
	if ni, err = person.CheckNI(ni); err != nil {
		return nil, invalid("%v", err)
	}
	scope := ask{action: policy.Match, purpose: policy.KeepRecords, fields: matchFields, organisation: org, kind: ledger.Search}
	if _, _, err := v.permit(ctx, p, scope); err != nil {
		return nil, err
	}
	var found []vaultclient.Candidate
	known, byNI, today := answers{}, answers{}, v.today()
	numbered := scope
	numbered.fields = policy.FieldNI
	v.mu.RLock()
	add := func(w *wearer, why person.Likeness) {
		found = append(found, vaultclient.Candidate{Wearer: w.id, Organisation: w.facts.Organisation, Why: why})
	}
	seen := map[id.Wearer]bool{}
	if !ni.IsZero() {
		for _, n := range v.state.ni[v.niHash(ni.Expose())] {
			if w := v.state.wearers[n]; v.answer(byNI, p, numbered, w, today).Allow {
				seen[n] = true
				add(w, person.SameNI)
			}
		}
	}
	key := person.NameKey(identity)
	for _, w := range v.state.wearers {
		if seen[w.id] || w.facts.Canary || w.identity.Birth != identity.Birth && person.NameKey(w.identity) != key {
			continue // at a glance
		}
		if why := person.Alike(identity, w.identity); why != person.None && v.answer(known, p, scope, w, today).Allow {
			add(w, why)
		}
	}
	slices.SortFunc(found, func(a, b vaultclient.Candidate) int {
		return cmp.Or(cmp.Compare(slices.Index(person.Likenesses, a.Why), slices.Index(person.Likenesses, b.Why)),
			cmp.Compare(v.state.wearers[a.Wearer].sortKey, v.state.wearers[b.Wearer].sortKey))
	})
	v.mu.RUnlock()
	found = found[:min(len(found), maxCandidates)]
	if err := v.enterMatches(ctx, p, scope, found); err != nil {
		return nil, err
	}
	return found, nil
}

// enterMatches enters what an answer about matches tells, or that there was none.
func (v *Vault) enterMatches(ctx context.Context, p *principal, scope ask, found []vaultclient.Candidate) error {
	if len(found) == 0 {
		nothing := policy.Fields(0)
		scope.shown, scope.guesses = &nothing, 1
		_, err := v.gate(ctx, p, scope)
		return err
	}
	for _, by := range []struct {
		ni     bool
		fields policy.Fields
	}{{false, matchFields}, {true, policy.FieldNI}} {
		one := scope
		one.fields, one.wearers = by.fields, nil
		for _, c := range found {
			if (c.Why == person.SameNI) == by.ni {
				one.wearers = append(one.wearers, c.Wearer)
			}
		}
		if len(one.wearers) == 0 {
			continue
		}
		if _, err := v.gate(ctx, p, one); err != nil {
			return err
		}
	}
	return nil
}

// Pairs returns a page of pairs of wearers who may be one human being, are not linked, and were not told apart.
func (v *Vault) Pairs(ctx context.Context, c Caller, r vaultclient.PairsRequest) (vaultclient.PairsPage, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.PairsPage{}, err
	}
	if r.Limit < 1 || r.Limit > vaultclient.MaxPage || r.Offset < 0 {
		return vaultclient.PairsPage{}, invalid("a page has 1 to %d pairs", vaultclient.MaxPage)
	}
	scope := ask{action: policy.Match, purpose: policy.KeepRecords, fields: matchFields, organisation: r.Organisation, kind: ledger.Search}
	if _, _, err := v.permit(ctx, p, scope); err != nil {
		return vaultclient.PairsPage{}, err
	}
	all := v.pairs(p, scope)
	page := vaultclient.PairsPage{Total: len(all), Pairs: all[min(r.Offset, len(all)):min(r.Offset+r.Limit, len(all))]}
	var told []vaultclient.Candidate
	for _, x := range page.Pairs {
		told = append(told, x.One, x.Other)
	}
	if err := v.enterMatches(ctx, p, scope, told); err != nil {
		return vaultclient.PairsPage{}, err
	}
	return page, nil
}

// pairs finds the pairs that a caller may match, the likeliest first. Pairs whose names agree while a date of birth is
// not known are left out: of those a large employer has too many.
func (v *Vault) pairs(p *principal, scope ask) []vaultclient.Pair {
	numbered := scope
	numbered.fields = policy.FieldNI
	known, byNI, today := answers{}, answers{}, v.today()
	v.mu.RLock()
	defer v.mu.RUnlock()
	seen := map[apart]bool{}
	var out []vaultclient.Pair
	look := func(a, b *wearer, sameNI bool) {
		key := pairOf(a.id, b.id)
		if a.facts.Person == b.facts.Person || seen[key] || v.state.apart[key] {
			return
		}
		if !scope.organisation.IsZero() && a.facts.Organisation != scope.organisation && b.facts.Organisation != scope.organisation {
			return
		}
		why := person.SameNI
		of, q := byNI, numbered
		if !sameNI {
			if why = person.Alike(a.identity, b.identity); why == person.None || why == person.UnknownBirth {
				return
			}
			of, q = known, scope
		}
		if !v.answer(of, p, q, a, today).Allow || !v.answer(of, p, q, b, today).Allow {
			return
		}
		seen[key] = true
		if b.sortKey < a.sortKey {
			a, b = b, a
		}
		out = append(out, vaultclient.Pair{One: vaultclient.Candidate{Wearer: a.id, Organisation: a.facts.Organisation, Why: why},
			Other: vaultclient.Candidate{Wearer: b.id, Organisation: b.facts.Organisation, Why: why}})
	}
	for _, list := range v.state.ni {
		for i := range list {
			for _, other := range list[:i] {
				look(v.state.wearers[list[i]], v.state.wearers[other], true)
			}
		}
	}
	groups := map[string][]*wearer{}
	for _, w := range v.state.wearers {
		if b := w.identity.Birth.Expose(); b != "" && !w.facts.Canary {
			groups["birth "+b] = append(groups["birth "+b], w)
			key := "name " + person.NameKey(w.identity)
			groups[key] = append(groups[key], w)
		}
	}
	for _, list := range groups {
		for i := range list {
			for _, other := range list[:i] {
				look(list[i], other, false)
			}
		}
	}
	sorted := func(x vaultclient.Pair) string {
		return v.state.wearers[x.One.Wearer].sortKey + v.state.wearers[x.Other.Wearer].sortKey
	}
	slices.SortFunc(out, func(a, b vaultclient.Pair) int {
		return cmp.Or(cmp.Compare(slices.Index(person.Likenesses, a.One.Why), slices.Index(person.Likenesses, b.One.Why)), cmp.Compare(sorted(a), sorted(b)))
	})
	return out
}

// LinkPersons makes two wearers, with all that are linked to either, one human being.
func (v *Vault) LinkPersons(ctx context.Context, c Caller, one, other id.Wearer) error {
	return v.changePersons(ctx, c, one, other, "linked as one person", func(t *tx, a, b *wearer) error {
		if a.facts.Person == b.facts.Person {
			return errNothing
		}
		for _, n := range v.state.persons[b.facts.Person] {
			if err := t.setPerson(n, a.facts.Person); err != nil {
				return err
			}
		}
		return t.putApart(pairOf(one, other), false)
	})
}

// TellApart remembers that two wearers are two human beings. Where they were linked, the first leaves the link, and is
// told apart from all who stay in it.
func (v *Vault) TellApart(ctx context.Context, c Caller, one, other id.Wearer) error {
	return v.changePersons(ctx, c, one, other, "told apart as two people", func(t *tx, a, b *wearer) error {
		from := []id.Wearer{other}
		if a.facts.Person == b.facts.Person {
			from = v.state.persons[a.facts.Person]
			if err := t.setPerson(one, id.New[id.Person]()); err != nil {
				return err
			}
		} else if v.state.apart[pairOf(one, other)] {
			return errNothing
		}
		for _, n := range from {
			if n != one {
				if err := t.putApart(pairOf(one, n), true); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// errNothing says that nothing has to be changed.
var errNothing = &vaultclient.Error{Message: "nothing to do"}

// changePersons changes how two wearers belong together, and enters it in the ledgers of both organisations, of which
// neither is told of the other.
func (v *Vault) changePersons(ctx context.Context, c Caller, one, other id.Wearer, what string, change func(t *tx, a, b *wearer) error) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if one == other {
		return invalid("one wearer is one person: two are needed")
	}
	a := ask{action: policy.Manage, purpose: policy.KeepRecords, wearers: []id.Wearer{one, other}, subject: what}
	_, parties, err := v.permit(ctx, p, a)
	if err != nil {
		return err
	}
	entries := make([]entry, len(parties))
	for i, of := range parties {
		o := v.opening(p, a)
		o.Wearers, o.Rule = of.wearers, joinRules(of.rules)
		if entries[i], err = v.seal(entry{org: of.org, kind: ledger.Person, basis: ledger.Gate, count: len(of.wearers)}, o); err != nil {
			return err
		}
	}
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		w, x := v.state.wearers[one], v.state.wearers[other]
		if w == nil || x == nil {
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such wearer"}
		}
		if err := change(t, w, x); err != nil {
			return err
		}
		t.entries = append(t.entries, entries...)
		return nil
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return hideCommitError(err)
}

// setPerson gives a wearer another person.
func (t *tx) setPerson(n id.Wearer, to id.Person) error {
	old := t.v.state.wearers[n]
	w := *old
	w.facts.Person = to
	sealed, err := t.v.sealRow(TableWearer, n[:], w.facts)
	if err != nil {
		return err
	}
	t.put(TableWearer, n[:], sealed)
	t.apply(func(s *state) {
		s.wearers[n] = &w
		from := old.facts.Person
		s.persons[from] = slices.DeleteFunc(slices.Clone(s.persons[from]), func(x id.Wearer) bool { return x == n })
		if len(s.persons[from]) == 0 {
			delete(s.persons, from)
		}
		s.persons[to] = append(slices.Clone(s.persons[to]), n)
	})
	return nil
}

// putApart remembers, or forgets, that two wearers are two human beings.
func (t *tx) putApart(a apart, remember bool) error {
	key := t.v.apartID(a)
	if !remember {
		if t.v.state.apart[a] {
			t.put(TableApart, key, nil)
			t.apply(func(s *state) { delete(s.apart, a) })
		}
		return nil
	}
	sealed, err := t.v.sealRow(TableApart, key, a)
	if err != nil {
		return err
	}
	t.put(TableApart, key, sealed)
	t.apply(func(s *state) { s.apart[a] = true })
	return nil
}
