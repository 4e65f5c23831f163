package vault

import (
	"cmp"
	"context"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// maxLikes is how many wearers, and how many others of the same list, an answer about one change names at most.
const maxLikes = 3

// Weigh says of each change of a list what staging it would do, and who somebody new may be already. Nothing of it is
// kept but whom the list is about: from then on, opening the list's documents is entered in those organisations' ledgers.
// It gives no field; that fields were compared, and that those of candidates agree, is entered.
func (v *Vault) Weigh(ctx context.Context, c Caller, n id.Import, changes []vaultclient.Change) ([]vaultclient.Weighed, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if n.IsZero() || len(changes) == 0 || len(changes) > vaultclient.MaxItems {
		return nil, invalid("1 to %d wearers can be weighed at once", vaultclient.MaxItems)
	}
	parties, err := v.permitChanges(ctx, p, changes)
	if err != nil {
		return nil, err
	}
	scope := ask{action: policy.Match, purpose: policy.KeepRecords, fields: matchFields, kind: ledger.Search}
	for _, of := range parties {
		one := scope
		one.organisation = of.org
		if _, _, err := v.permit(ctx, p, one); err != nil {
			return nil, err
		}
	}
	contacts, err := v.contactsOf(ctx, changes)
	if err != nil {
		return nil, err
	}
	out, found := v.weigh(p, scope, changes, contacts)
	if len(found) > 0 {
		if err := v.enterMatches(ctx, p, scope, found); err != nil {
			return nil, err
		}
	}
	held := changing.fields
	known := map[id.Organisation][]id.Wearer{}
	var all []id.Wearer
	for i, w := range out {
		if !changes[i].NI.IsZero() {
			held |= policy.FieldNI
		}
		if !w.Wearer.IsZero() {
			known[changes[i].Organisation] = append(known[changes[i].Organisation], w.Wearer)
			all = append(all, w.Wearer)
		}
	}
	return out, hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		im, err := v.state.stageable(n)
		if err != nil {
			return err
		}
		im.Held |= held
		im.Wearers = packWearers(union(unpackWearers(im.Wearers), all))
		for _, of := range parties {
			im.about([]id.Organisation{of.org})
			o := v.opening(p, changing)
			o.Import, o.Fields, o.Wearers, o.Rule = n, held, known[of.org], joinRules(of.rules)
			e, err := v.seal(entry{org: of.org, kind: ledger.Compare, basis: ledger.Gate, count: len(o.Wearers)}, o)
			if err != nil {
				return err
			}
			t.append(e)
		}
		return t.putImport(n, im)
	}))
}

// weigh resolves changes and looks for people alike. found are all candidates, each as often as it was told.
func (v *Vault) weigh(p *principal, scope ask, changes []vaultclient.Change, contacts map[id.Wearer]string) (out []vaultclient.Weighed, found []vaultclient.Candidate) {
	out = make([]vaultclient.Weighed, len(changes))
	v.mu.RLock()
	defer v.mu.RUnlock()
	resolver := v.resolver(contacts)
	var newcomers []*wearer
	place := map[*wearer]int{}
	for i, ch := range changes {
		row, err := resolver.resolve(ch)
		w := &out[i]
		if !row.New {
			w.Wearer = row.Wearer
		}
		if err != nil {
			w.State, w.Reason = "refused", err.Error()
			continue
		}
		w.State, w.Fields = v.stateOf(row), row.Changed
		if !row.New {
			was := v.state.wearers[row.Wearer].facts.To
			w.Ends = !row.Facts.To.IsZero() && row.Facts.To != was
			continue
		}
		identity, err := person.DecodeIdentity(row.Identity)
		if err != nil {
			continue // it was encoded a moment ago
		}
		x := &wearer{id: row.Wearer, facts: row.Facts, identity: identity}
		newcomers = append(newcomers, x)
		place[x] = i
	}
	if len(newcomers) == 0 {
		return out, nil
	}
	groups := map[string][]*wearer{} // of those who may be alike at a glance
	for _, w := range v.state.wearers {
		if w.facts.Canary {
			continue
		}
		for _, key := range glances(w) {
			groups[key] = append(groups[key], w)
		}
	}
	for _, w := range newcomers {
		for _, key := range glances(w) {
			groups[key] = append(groups[key], w)
		}
	}
	numbered := scope
	numbered.fields = policy.FieldNI
	known, byNI, today := answers{}, answers{}, v.today()
	for _, x := range newcomers {
		to := &out[place[x]]
		seen := map[*wearer]bool{x: true}
		for _, n := range v.state.persons[x.facts.Person] { // by NI number, or because the change says so
			if w := v.state.wearers[n]; v.answer(byNI, p, numbered, w, today).Allow {
				to.Like = append(to.Like, vaultclient.Candidate{Wearer: n, Organisation: w.facts.Organisation, Why: person.SameNI})
			}
			seen[v.state.wearers[n]] = true
		}
		for _, key := range glances(x) {
			for _, w := range groups[key] {
				if seen[w] {
					continue
				}
				seen[w] = true
				why := person.Alike(x.identity, w.identity)
				if why == person.None || why == person.UnknownBirth {
					continue
				}
				if i, newcomer := place[w]; newcomer {
					if i > place[x] { // each pair once
						to.Twins = append(to.Twins, i)
					}
				} else if v.answer(known, p, scope, w, today).Allow {
					to.Like = append(to.Like, vaultclient.Candidate{Wearer: w.id, Organisation: w.facts.Organisation, Why: why})
				}
			}
		}
		slices.SortStableFunc(to.Like, func(a, b vaultclient.Candidate) int {
			return cmp.Compare(slices.Index(person.Likenesses, a.Why), slices.Index(person.Likenesses, b.Why))
		})
		slices.Sort(to.Twins)
		to.Like, to.Twins = to.Like[:min(len(to.Like), maxLikes)], to.Twins[:min(len(to.Twins), maxLikes)]
		found = append(found, to.Like...)
	}
	return out, found
}

// glances are what wearers have in common who may be alike: the day of birth, or the whole name. Whose day of birth is not
// known is like too many.
func glances(w *wearer) []string {
	birth := w.identity.Birth.Expose()
	if birth == "" {
		return nil
	}
	return []string{"birth " + birth, "name " + person.NameKey(w.identity)}
}
