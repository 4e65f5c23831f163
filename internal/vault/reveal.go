package vault

import (
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// vaultFields are the fields that the vault itself holds; the others are sealed in the register.
const vaultFields = policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldStaffNumber | policy.FieldRegistration | policy.FieldNI | policy.FieldContact

// Reveal reads fields of wearers.
func (v *Vault) Reveal(ctx context.Context, c Caller, r vaultclient.RevealRequest) ([]vaultclient.Record, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(r.Wearers) == 0 || len(r.Wearers) > vaultclient.MaxItems || r.Fields == 0 || r.Fields&^vaultFields != 0 {
		return nil, invalid("a reveal asks for 1 to %d wearers and for fields that the vault holds", vaultclient.MaxItems)
	}
	// The employment facts come with every record, so they are asked for, and entered, with it.
	found, err := v.gate(ctx, p, ask{action: policy.Reveal, purpose: r.Purpose, fields: r.Fields | policy.FieldEmployment, wearers: r.Wearers, kind: ledger.Reveal, reason: r.Reason})
	if err != nil {
		return nil, err
	}
	return v.records(ctx, found, r.Fields)
}

// records opens fields of wearers. Only what has passed the gate may come here. Identities are in memory anyway, as they were
// opened at the start or sealed since; the other classes are read and opened.
func (v *Vault) records(ctx context.Context, ws []*wearer, fields policy.Fields) ([]vaultclient.Record, error) {
	classes := slices.DeleteFunc(fields.Classes(), func(c policy.Class) bool { return c == policy.ClassIdentity })
	var ids [][]byte
	for _, w := range ws {
		for _, c := range classes {
			ids = append(ids, ownedID(w.id, byte(c), w.facts.Versions[c]))
		}
	}
	var rows [][]byte
	if len(ids) > 0 {
		var err error
		if rows, err = v.store.Get(ctx, TableField, ids); err != nil {
			return nil, err
		}
	}
	today := v.today()
	out := make([]vaultclient.Record, len(ws))
	for i, w := range ws {
		out[i] = vaultclient.Record{Wearer: w.id, Organisation: w.facts.Organisation, From: w.facts.From.String(), To: w.facts.To.String(),
			Current: w.currentOn(today), Classified: w.facts.Classified, Identity: only(w.identity, fields)}
		for _, c := range classes {
			key, sealed := ids[0], rows[0]
			ids, rows = ids[1:], rows[1:]
			if w.facts.Versions[c] == 0 {
				continue
			}
			if sealed == nil {
				return nil, &vaultclient.Error{Code: vaultclient.Conflict, Message: "a field changed meanwhile; ask again"}
			}
			value, err := w.keys[c].Box().Open(fieldContext(key), sealed)
			if err != nil {
				return nil, invalid("a stored field does not open: the database was changed; run dosevault verify")
			}
			switch c {
			case policy.ClassNI:
				out[i].NI = person.NewValue(string(value))
			case policy.ClassContact:
				if out[i].Contact, err = person.DecodeContact(value); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// only returns the fields of an identity that were asked for.
func only(all person.Identity, fields policy.Fields) (i person.Identity) {
	if fields&policy.FieldName != 0 {
		i.Surname, i.Forenames, i.KnownAs, i.Former = all.Surname, all.Forenames, all.KnownAs, all.Former
	}
	if fields&policy.FieldBirth != 0 {
		i.Birth = all.Birth
	}
	if fields&policy.FieldSex != 0 {
		i.Sex = all.Sex
	}
	if fields&policy.FieldStaffNumber != 0 {
		i.StaffNumber = all.StaffNumber
	}
	if fields&policy.FieldRegistration != 0 {
		i.Registration = all.Registration
	}
	return i
}

// searchShows is what a page of search results reveals.
const searchShows policy.Fields = policy.FieldName | policy.FieldStaffNumber | policy.FieldEmployment

// Search looks for wearers by the beginnings of words of their names, or by staff number, and reveals one page of names.
func (v *Vault) Search(ctx context.Context, c Caller, r vaultclient.SearchRequest) (vaultclient.SearchResult, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.SearchResult{}, err
	}
	if r.Limit < 1 || r.Limit > vaultclient.MaxPage || r.Offset < 0 || len(r.Query.Expose()) > vaultclient.MaxFieldLn {
		return vaultclient.SearchResult{}, invalid("a search page has 1 to %d people", vaultclient.MaxPage)
	}
	shows := searchShows
	if r.NamesOnly {
		shows &^= policy.FieldStaffNumber
	}
	// Permission to search here comes first, so that a refused search tells nothing, not even a total.
	scope := ask{action: policy.Search, purpose: r.Purpose, fields: shows &^ policy.FieldEmployment, kind: ledger.Search, organisation: r.Organisation}
	if _, _, err := v.permit(ctx, p, scope); err != nil {
		return vaultclient.SearchResult{}, err
	}
	// Whoever searches finds those whom they may see: a records officer classified people, and nobody else.
	matches := v.matching(p, ask{action: policy.Reveal, purpose: r.Purpose, fields: shows}, r)
	result := vaultclient.SearchResult{Total: len(matches)}
	page := matches[min(r.Offset, len(matches)):min(r.Offset+r.Limit, len(matches))]
	if len(page) == 0 {
		// A miss is an answer too: it is entered where it was asked.
		nothing := policy.Fields(0)
		scope.shown, scope.guesses = &nothing, 1
		_, err := v.gate(ctx, p, scope)
		return result, err
	}
	scope.action, scope.fields, scope.wearers = policy.Reveal, shows, page
	found, err := v.gate(ctx, p, scope)
	if err != nil {
		return vaultclient.SearchResult{}, err
	}
	result.Records, err = v.records(ctx, found, shows&vaultFields)
	return result, err
}

// matching returns the wearers that a search finds and whom the caller may see, in order of name.
func (v *Vault) matching(p *principal, a ask, r vaultclient.SearchRequest) []id.Wearer {
	known := answers{}
	words := person.Words(r.Query.Expose())
	today := v.today()
	v.mu.RLock()
	defer v.mu.RUnlock()
	var hits []*wearer
	among := make(map[id.Wearer]bool, len(r.Among))
	for _, n := range r.Among {
		among[n] = true
	}
	look := func(w *wearer) {
		if current := w.currentOn(today); current && r.Left || !current && !r.Left && !r.Leavers || len(among) > 0 && !among[w.id] {
			return
		}
		if !hasWords(w.words, words) || r.NamesOnly && len(words) > 0 && !hasWords(w.nameWords(), words) {
			return
		}
		if v.answer(known, p, a, w, today).Allow {
			hits = append(hits, w)
		}
	}
	in := func(list []id.Wearer) {
		for _, n := range list {
			look(v.state.wearers[n])
		}
	}
	if !r.Organisation.IsZero() {
		if o := v.state.organisations[r.Organisation]; o != nil {
			in(o.roll.wearers)
		}
	} else if list, ok := v.state.candidates(words); ok {
		in(list)
	} else {
		for _, w := range v.state.wearers {
			look(w)
		}
	}
	sort.Slice(hits, func(i, j int) bool { return hits[i].sortKey < hits[j].sortKey })
	ids := make([]id.Wearer, len(hits))
	for i, w := range hits {
		ids[i] = w.id
	}
	return ids
}

// hasWords reports whether each word of a query begins a different one of a wearer's words.
func hasWords(words, query []string) bool {
	used := make([]bool, len(words))
next:
	for _, q := range query {
		for i, have := range words {
			if !used[i] && strings.HasPrefix(have, q) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}

// FindNI looks for classified wearers by their whole NI number, and gives no name.
func (v *Vault) FindNI(ctx context.Context, c Caller, purpose policy.Purpose, ni person.Value) ([]id.Wearer, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	checked, err := person.CheckNI(ni)
	if err != nil {
		return nil, invalid("%v", err)
	}
	h := v.niHash(checked.Expose())
	v.mu.RLock()
	found := slices.Clone(v.state.ni[h])
	v.mu.RUnlock()
	// Finding somebody by the number shows that the number is theirs; a miss is entered too.
	shown := policy.FieldNI
	a := ask{action: policy.Search, purpose: purpose, fields: policy.FieldNI, kind: ledger.Search, shown: &shown}
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		shown, a.guesses = 0, 1
	} else {
		a.action, a.wearers = policy.Reveal, found
	}
	if _, err = v.gate(ctx, p, a); err != nil {
		return nil, err
	}
	return found, nil
}

// FindStaff finds wearers by organisation and staff number; a zero id where there is none.
func (v *Vault) FindStaff(ctx context.Context, c Caller, purpose policy.Purpose, keys []vaultclient.StaffKey) ([]id.Wearer, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 || len(keys) > vaultclient.MaxItems {
		return nil, invalid("1 to %d staff numbers can be looked for at once", vaultclient.MaxItems)
	}
	out := make([]id.Wearer, len(keys))
	missed := map[id.Organisation]int{} // of each one that was asked
	var found []id.Wearer
	v.mu.RLock()
	for i, k := range keys {
		if w, ok := v.state.staff[staffKey{k.Organisation, k.StaffNumber.Expose()}]; ok {
			out[i] = w
			found = append(found, w)
			missed[k.Organisation] += 0
		} else {
			missed[k.Organisation]++
		}
	}
	v.mu.RUnlock()
	nothing := policy.Fields(0)
	scope := ask{action: policy.Search, purpose: purpose, fields: policy.FieldStaffNumber, kind: ledger.Search, shown: &nothing}
	for org := range missed {
		one := scope
		one.organisation = org
		if _, _, err := v.permit(ctx, p, one); err != nil {
			return nil, err
		}
	}
	for org, n := range missed { // that nobody has a number is an answer too
		if n == 0 {
			continue
		}
		one := scope
		one.organisation, one.guesses = org, n
		if _, err := v.gate(ctx, p, one); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return out, nil
	}
	_, err = v.gate(ctx, p, ask{action: policy.Reveal, purpose: purpose, fields: policy.FieldStaffNumber, wearers: found, kind: ledger.Search})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Compare says of labels whether they name their wearers. No name comes back.
func (v *Vault) Compare(ctx context.Context, c Caller, purpose policy.Purpose, items []vaultclient.Comparison) ([]vaultclient.Verdict, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 || len(items) > vaultclient.MaxItems {
		return nil, invalid("1 to %d labels can be compared at once", vaultclient.MaxItems)
	}
	wearers := make([]id.Wearer, len(items))
	fields := policy.FieldName
	for i, it := range items {
		wearers[i] = it.Wearer
		if !it.Birth.IsZero() {
			fields |= policy.FieldBirth
		}
	}
	a := ask{action: policy.Compare, purpose: purpose, fields: fields, wearers: wearers, kind: ledger.Compare}
	found, parties, err := v.permit(ctx, p, a)
	if err != nil {
		return nil, err
	}
	out := make([]vaultclient.Verdict, len(items))
	for i, it := range items {
		if i > 0 && it == items[i-1] { // of one wearer's badges
			out[i] = out[i-1]
			continue
		}
		if out[i] = compare(it, found[i].identity); out[i] == vaultclient.Different {
			a.guesses++
		}
	}
	if err := v.enter(ctx, p, a, parties, a.kind, a.fields); err != nil {
		return nil, err
	}
	return out, nil
}

func compare(it vaultclient.Comparison, known person.Identity) vaultclient.Verdict {
	if it.Name.IsZero() && it.Birth.IsZero() {
		return vaultclient.NotGiven
	}
	if !it.Birth.IsZero() && !known.Birth.IsZero() && it.Birth != known.Birth {
		return vaultclient.Different
	}
	if !it.Name.IsZero() && person.SameName(it.Name, known) == person.Different {
		return vaultclient.Different
	}
	return vaultclient.Same
}

// linkedShows is what the answer of Linked tells of each wearer.
const linkedShows = policy.FieldSex | policy.FieldEmployment

// Linked returns, for each wearer, every wearer of the same human being, over all organisations, with what
// the evaluation of doses must know. It names nobody.
func (v *Vault) Linked(ctx context.Context, c Caller, purpose policy.Purpose, wearers []id.Wearer) ([][]vaultclient.LinkedWearer, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(wearers) == 0 || len(wearers) > vaultclient.MaxItems {
		return nil, invalid("1 to %d wearers can be asked about at once", vaultclient.MaxItems)
	}
	links := make([][]id.Wearer, len(wearers))
	var all []id.Wearer
	v.mu.RLock()
	for i, n := range wearers {
		if w := v.state.wearers[n]; w != nil {
			links[i] = v.state.persons[w.facts.Person]
			all = append(all, links[i]...)
		}
	}
	v.mu.RUnlock()
	if len(all) == 0 {
		return make([][]vaultclient.LinkedWearer, len(wearers)), nil
	}
	found, err := v.gate(ctx, p, ask{action: policy.Reveal, purpose: purpose, fields: linkedShows, wearers: all, kind: ledger.Reveal, reason: "employments of one person"})
	if err != nil {
		return nil, err
	}
	return v.layLinks(found, links), nil
}

// layLinks lays found wearers out as the links that they were found for.
func (v *Vault) layLinks(found []*wearer, links [][]id.Wearer) [][]vaultclient.LinkedWearer {
	out := make([][]vaultclient.LinkedWearer, len(links))
	for i, of := range links {
		for range of {
			w := found[0]
			found = found[1:]
			group := vaultclient.Adult
			if b := w.identity.Birth.Expose(); b != "" && b > v.today().AddMonths(-18*12).String() {
				group = vaultclient.Trainee
			}
			out[i] = append(out[i], vaultclient.LinkedWearer{Wearer: w.id, Organisation: w.facts.Organisation, Group: group,
				Reproductive: w.identity.Sex.Expose() == "F", Classified: w.facts.Classified})
		}
	}
	return out
}

// Organisations lists the organisations that the caller works with. No personal field is in it.
func (v *Vault) Organisations(ctx context.Context, c Caller) ([]vaultclient.Organisation, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	today := v.today()
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []vaultclient.Organisation
	for n, o := range v.state.organisations {
		if !p.mayList(n, v.state.wearers) {
			continue
		}
		one := vaultclient.Organisation{ID: n, Name: o.Name, Kind: o.Kind}
		if p.Role != policy.Wearer {
			one.Wearers, one.Current = len(o.roll.wearers), o.roll.currentOn(today, v.state.wearers)
		}
		if !o.Notice.IsZero() && v.seesContact(p, n) {
			contact := o.Notice
			one.Notice = &contact
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b vaultclient.Organisation) int {
		return strings.Compare(a.Name+a.ID.String(), b.Name+b.ID.String())
	})
	return out, nil
}

// mayList reports whether an organisation's name is in the caller's list.
func (p *principal) mayList(org id.Organisation, wearers map[id.Wearer]*wearer) bool {
	if p.Role == policy.Wearer {
		return slices.ContainsFunc(p.Own, func(n id.Wearer) bool { return wearers[n] != nil && wearers[n].facts.Organisation == org })
	}
	return len(p.Organisations) == 0 || slices.Contains(p.Organisations, org)
}

func unpackWearers(b []byte) []id.Wearer {
	ws := make([]id.Wearer, len(b)/16)
	for i := range ws {
		ws[i] = id.Wearer(b[16*i:])
	}
	return ws
}

func packWearers(ws []id.Wearer) []byte {
	b := make([]byte, 0, 16*len(ws))
	for _, w := range ws {
		b = append(b, w[:]...)
	}
	return b
}
