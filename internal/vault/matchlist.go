package vault

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// maxFound is how many people an answer about one row of a list names at most.
const maxFound = 3

// MatchList says of each row of somebody else's list who it may be. It gives no field, and no more than it has to: an NI number is
// looked at only where name and date of birth do not settle it, and of those who fit only the likeliest are named. That the fields of
// whoever is named agree is entered as seen; a row that fits nobody counts as a guess.
func (v *Vault) MatchList(ctx context.Context, c Caller, purpose policy.Purpose, rows []vaultclient.Listed) ([]vaultclient.Found, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(rows) > vaultclient.MaxItems {
		return nil, invalid("a list has 1 to %d rows", vaultclient.MaxItems)
	}
	for i, r := range rows {
		if len(r.Name.Expose()) > vaultclient.MaxFieldLn || len(r.Birth.Expose()) > 10 || len(r.NI.Expose()) > 9 {
			return nil, invalid("row %d has a text that is too long", i+1)
		}
	}
	scope := ask{action: policy.Match, purpose: purpose, fields: matchFields, kind: ledger.Search}
	parties := p.Organisations
	if _, err := v.permitEach(ctx, p, scope, parties); err != nil {
		return nil, err
	}
	v.mu.RLock()
	out := v.list(p, scope).match(rows)
	v.mu.RUnlock()
	return out, v.enterFound(ctx, p, scope, out)
}

// enterFound enters what an answer about a list tells.
func (v *Vault) enterFound(ctx context.Context, p *principal, scope ask, found []vaultclient.Found) error {
	var known, byNI []id.Wearer
	missed := 0
	for _, f := range found {
		if len(f.Wearers) == 0 {
			missed++
		}
		for _, w := range f.Wearers {
			if f.Why == person.SameNI {
				byNI = append(byNI, w.Wearer)
			} else {
				known = append(known, w.Wearer)
			}
		}
	}
	if missed > 0 {
		nothing, one := policy.Fields(0), scope
		one.shown, one.guesses = &nothing, missed
		if err := v.gateEach(ctx, p, one); err != nil {
			return err
		}
	}
	for _, of := range []struct {
		fields  policy.Fields
		wearers []id.Wearer
	}{{matchFields, known}, {policy.FieldNI, byNI}} {
		if len(of.wearers) == 0 {
			continue
		}
		one := scope
		one.fields, one.wearers = of.fields, of.wearers
		if _, err := v.gate(ctx, p, one); err != nil {
			return err
		}
	}
	return nil
}

// listMatch matches a list. The caller holds the lock while it works.
type listMatch struct {
	v             *Vault
	known, byNI   answers
	p             *principal
	scope         ask
	numbered      ask
	births, names map[string][]*wearer
	words         map[staffKey][]*wearer // of an organisation, by a word of the name
}

func (v *Vault) list(p *principal, scope ask) *listMatch {
	m := &listMatch{v: v, known: answers{}, byNI: answers{}, p: p, scope: scope, numbered: scope, births: map[string][]*wearer{}, names: map[string][]*wearer{},
		words: map[staffKey][]*wearer{}}
	m.numbered.fields = policy.FieldNI
	return m
}

// nameWords is the same for a name in any order.
func nameWords(texts ...person.Value) string {
	var all []string
	for _, t := range texts {
		all = append(all, person.Words(t.Expose())...)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// match answers about each row. Wearers are indexed by what the list asks for, and by nothing else.
func (m *listMatch) match(rows []vaultclient.Listed) []vaultclient.Found {
	births, names, words := map[string]bool{}, map[string]bool{}, map[staffKey]bool{}
	for _, r := range rows {
		births[r.Birth.Expose()], names[nameWords(r.Name)] = true, true
		if r.Birth.IsZero() && !r.Organisation.IsZero() {
			for _, w := range person.Words(r.Name.Expose()) {
				words[staffKey{r.Organisation, w}] = true
			}
		}
	}
	delete(births, "")
	for _, w := range m.v.state.wearers {
		if w.facts.Canary {
			continue
		}
		if b := w.identity.Birth.Expose(); births[b] {
			m.births[b] = append(m.births[b], w)
		}
		if n := nameWords(w.identity.Surname, w.identity.Forenames); names[n] {
			m.names[n] = append(m.names[n], w)
		}
		for _, word := range w.words {
			if k := (staffKey{w.facts.Organisation, word}); words[k] {
				m.words[k] = append(m.words[k], w)
			}
		}
	}
	out := make([]vaultclient.Found, len(rows))
	for i, r := range rows {
		out[i] = m.one(r)
	}
	return out
}

// one answers about a row.
func (m *listMatch) one(r vaultclient.Listed) vaultclient.Found {
	today := m.v.today()
	by := map[person.Likeness][]*wearer{}
	seen := map[*wearer]bool{}
	look := func(list []*wearer) {
		for _, w := range list {
			if seen[w] {
				continue
			}
			seen[w] = true
			if why := person.AlikeLabel(r.Name, r.Birth, w.identity); why != person.None && m.v.answer(m.known, m.p, m.scope, w, today).Allow {
				by[why] = append(by[why], w)
			}
		}
	}
	look(m.births[r.Birth.Expose()])
	switch {
	case !r.Birth.IsZero():
		look(m.names[nameWords(r.Name)])
	case !r.Organisation.IsZero():
		for _, word := range person.Words(r.Name.Expose()) {
			look(m.words[staffKey{r.Organisation, word}])
		}
	}
	exact := by[person.SameNameAndBirth]
	if people(exact) == 1 {
		return m.found(person.SameNameAndBirth, exact)
	}
	if !r.NI.IsZero() {
		var numbered []*wearer
		another := false
		for _, n := range m.v.state.ni[m.v.niHash(r.NI.Expose())] {
			if w := m.v.state.wearers[n]; !w.facts.Canary && m.v.answer(m.byNI, m.p, m.numbered, w, today).Allow {
				numbered = append(numbered, w)
				another = another || !r.Name.IsZero() && person.SameName(r.Name, w.identity) == person.Different
			}
		}
		if len(numbered) > 0 {
			f := m.found(person.SameNI, numbered)
			f.Another = another
			return f
		}
	}
	for _, why := range []person.Likeness{person.SameNameAndBirth, person.NearName, person.NearBirth, person.UnknownBirth} {
		if len(by[why]) > 0 {
			return m.found(why, by[why])
		}
	}
	return vaultclient.Found{}
}

// people counts the human beings among wearers.
func people(list []*wearer) int {
	seen := map[id.Person]bool{}
	for _, w := range list {
		seen[w.facts.Person] = true
	}
	return len(seen)
}

// found names the first people of a list, in an order that tells nothing.
func (m *listMatch) found(why person.Likeness, list []*wearer) vaultclient.Found {
	slices.SortFunc(list, func(a, b *wearer) int {
		return cmp.Or(bytes.Compare(a.facts.Person[:], b.facts.Person[:]), bytes.Compare(a.id[:], b.id[:]))
	})
	f := vaultclient.Found{Why: why}
	number := map[id.Person]int{}
	today := m.v.today()
	for _, w := range list {
		if _, ok := number[w.facts.Person]; !ok {
			if len(number) == maxFound {
				f.More = true
				break
			}
			number[w.facts.Person] = len(number)
		}
		f.Wearers = append(f.Wearers, vaultclient.FoundWearer{Wearer: w.id, Organisation: w.facts.Organisation, Person: number[w.facts.Person], Left: !w.facts.To.IsZero() && w.facts.To < today})
	}
	return f
}
