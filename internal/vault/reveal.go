package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// vaultFields are the fields that the vault itself holds; the others are sealed in the register.
const vaultFields = policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldStaffNumber | policy.FieldRegistration | policy.FieldNI | policy.FieldContact

// Reveal reads fields of wearers.
func (v *Vault) Reveal(ctx context.Context, c Caller, r vaultclient.RevealRequest) ([]vaultclient.Record, error) {
	p, err := v.authenticate(c)
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

// records opens fields of wearers. Only what has passed the gate may come here.
func (v *Vault) records(ctx context.Context, ws []*wearer, fields policy.Fields) ([]vaultclient.Record, error) {
	classes := fields.Classes()
	var ids [][]byte
	for _, w := range ws {
		for _, c := range classes {
			ids = append(ids, ownedID(w.id, byte(c), w.facts.Versions[c]))
		}
	}
	rows, err := v.store.Get(ctx, TableField, ids)
	if err != nil {
		return nil, err
	}
	today := v.today()
	out := make([]vaultclient.Record, len(ws))
	for i, w := range ws {
		out[i] = vaultclient.Record{Wearer: w.id, Organisation: w.facts.Organisation, From: w.facts.From.String(), To: w.facts.To.String(),
			Current: w.currentOn(today), Classified: w.facts.Classified}
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
			if err := pick(&out[i], c, value, fields); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// pick puts the fields that were asked for, of an opened class, into a record.
func pick(r *vaultclient.Record, c policy.Class, value []byte, fields policy.Fields) (err error) {
	switch c {
	case policy.ClassNI:
		r.NI = person.NewValue(string(value))
	case policy.ClassContact:
		r.Contact, err = person.DecodeContact(value)
	case policy.ClassIdentity:
		var all person.Identity
		if all, err = person.DecodeIdentity(value); err != nil {
			return err
		}
		if fields&policy.FieldName != 0 {
			r.Identity.Surname, r.Identity.Forenames, r.Identity.KnownAs, r.Identity.Former = all.Surname, all.Forenames, all.KnownAs, all.Former
		}
		if fields&policy.FieldBirth != 0 {
			r.Identity.Birth = all.Birth
		}
		if fields&policy.FieldSex != 0 {
			r.Identity.Sex = all.Sex
		}
		if fields&policy.FieldStaffNumber != 0 {
			r.Identity.StaffNumber = all.StaffNumber
		}
		if fields&policy.FieldRegistration != 0 {
			r.Identity.Registration = all.Registration
		}
	}
	return err
}

// searchShows is what a page of search results reveals.
const searchShows = policy.FieldName | policy.FieldStaffNumber | policy.FieldEmployment

// Search looks for wearers by the beginnings of words of their names, or by staff number, and reveals one page of names.
func (v *Vault) Search(ctx context.Context, c Caller, r vaultclient.SearchRequest) (vaultclient.SearchResult, error) {
	p, err := v.authenticate(c)
	if err != nil {
		return vaultclient.SearchResult{}, err
	}
	if r.Limit < 1 || r.Limit > vaultclient.MaxPage || r.Offset < 0 || len(r.Query.Expose()) > vaultclient.MaxFieldLn {
		return vaultclient.SearchResult{}, invalid("a search page has 1 to %d people", vaultclient.MaxPage)
	}
	// Permission to search here comes first, so that a refused search tells nothing, not even a total.
	scope := ask{action: policy.Search, purpose: r.Purpose, fields: searchShows &^ policy.FieldEmployment, kind: ledger.Search, organisation: r.Organisation}
	if _, parties, denial := v.decide(p, scope); denial != nil {
		if err := v.enterRefusal(ctx, p, scope, parties); err != nil {
			return vaultclient.SearchResult{}, err
		}
		return vaultclient.SearchResult{}, denial
	}
	// Whoever searches finds those whom they may see: a records officer classified people, and nobody else.
	matches := v.matching(p, ask{action: policy.Reveal, purpose: r.Purpose, fields: searchShows}, r)
	result := vaultclient.SearchResult{Total: len(matches)}
	page := matches[min(r.Offset, len(matches)):min(r.Offset+r.Limit, len(matches))]
	if len(page) == 0 {
		// A miss is an answer too: it is entered where it was asked.
		nothing := policy.Fields(0)
		scope.shown = &nothing
		_, err := v.gate(ctx, p, scope)
		return result, err
	}
	scope.action, scope.fields, scope.wearers = policy.Reveal, searchShows, page
	found, err := v.gate(ctx, p, scope)
	if err != nil {
		return vaultclient.SearchResult{}, err
	}
	result.Records, err = v.records(ctx, found, searchShows&vaultFields)
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
	look := func(w *wearer) {
		if (r.Leavers || w.currentOn(today)) && w.hasWords(words) && v.answer(known, p, a, w, today).Allow {
			hits = append(hits, w)
		}
	}
	if r.Organisation.IsZero() {
		for _, w := range v.state.wearers {
			look(w)
		}
	} else if o := v.state.organisations[r.Organisation]; o != nil {
		for _, n := range *o.wearers {
			look(v.state.wearers[n])
		}
	}
	sort.Slice(hits, func(i, j int) bool { return hits[i].sortKey < hits[j].sortKey })
	ids := make([]id.Wearer, len(hits))
	for i, w := range hits {
		ids[i] = w.id
	}
	return ids
}

// hasWords reports whether each word of a query begins a different word of the wearer's.
func (w *wearer) hasWords(query []string) bool {
	used := make([]bool, len(w.words))
next:
	for _, q := range query {
		for i, have := range w.words {
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
	p, err := v.authenticate(c)
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
	if _, parties, denial := v.decide(p, a); denial != nil {
		if err := v.enterRefusal(ctx, p, a, parties); err != nil {
			return nil, err
		}
		return nil, denial
	}
	if len(found) == 0 {
		shown = 0
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
	p, err := v.authenticate(c)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 || len(keys) > vaultclient.MaxItems {
		return nil, invalid("1 to %d staff numbers can be looked for at once", vaultclient.MaxItems)
	}
	out := make([]id.Wearer, len(keys))
	asked := map[id.Organisation]bool{}
	var found []id.Wearer
	v.mu.RLock()
	for i, k := range keys {
		asked[k.Organisation] = true
		if w, ok := v.state.staff[staffKey{k.Organisation, k.StaffNumber.Expose()}]; ok {
			out[i] = w
			found = append(found, w)
		}
	}
	v.mu.RUnlock()
	for org := range asked {
		a := ask{action: policy.Search, purpose: purpose, fields: policy.FieldStaffNumber, organisation: org, kind: ledger.Search}
		if _, parties, denial := v.decide(p, a); denial != nil {
			if err := v.enterRefusal(ctx, p, a, parties); err != nil {
				return nil, err
			}
			return nil, denial
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
	p, err := v.authenticate(c)
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
	found, err := v.gate(ctx, p, ask{action: policy.Compare, purpose: purpose, fields: fields, wearers: wearers, kind: ledger.Compare})
	if err != nil {
		return nil, err
	}
	out := make([]vaultclient.Verdict, len(items))
	for i, it := range items {
		out[i] = compare(it, found[i].identity)
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
	p, err := v.authenticate(c)
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
func (v *Vault) Organisations(_ context.Context, c Caller) ([]vaultclient.Organisation, error) {
	p, err := v.authenticate(c)
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
		one := vaultclient.Organisation{ID: n, Name: o.name, Kind: o.kind}
		if p.Role != policy.Wearer {
			one.Wearers = len(*o.wearers)
			for _, w := range *o.wearers {
				if v.state.wearers[w].currentOn(today) {
					one.Current++
				}
			}
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

// registerContext binds a value of the register to its place.
func registerContext(c vaultclient.Context) seal.Context {
	var n [7]byte
	binary.BigEndian.PutUint32(n[:], c.Version)
	n[4] = byte(c.Class)
	binary.BigEndian.PutUint16(n[5:], c.Year)
	return seal.NewContext("register", []byte(c.Table), c.Row[:], n[:], c.Organisation[:], c.Wearer[:], c.Bind)
}

// A value of the register is the number of its key (2 bytes, big endian; 1 until keys are renewed) and the sealed value.
var registerPrefix = []byte{0, keyVersion}

// place says which key a context uses and what it is asked under.
type place struct {
	wearer id.Wearer
	org    id.Organisation
	doc    id.Row
	class  policy.Class
}

func placeOf(c vaultclient.Context) (place, error) {
	switch {
	case c.Class == policy.ClassDocument && c.Wearer.IsZero():
		return place{doc: c.Row, class: c.Class}, nil
	case c.Class == policy.ClassEmployment && !c.Organisation.IsZero():
		return place{org: c.Organisation, wearer: c.Wearer, class: c.Class}, nil
	case !c.Wearer.IsZero() && (c.Class == policy.ClassDose || c.Class == policy.ClassHealth || c.Class == policy.ClassDocument):
		return place{wearer: c.Wearer, class: c.Class}, nil
	case c.Wearer.IsZero() && !c.Organisation.IsZero() && c.Class == policy.ClassDose:
		return place{org: c.Organisation, class: c.Class}, nil // results of control badges
	}
	return place{}, invalid("nothing is sealed for this class and owner")
}

// bundle is what a batch of items asks of the gate: wearers with their fields, organisations' own blobs, documents.
type bundle struct {
	wearers []id.Wearer
	fields  policy.Fields
	orgs    []id.Organisation // blobs of no wearer
	docs    []id.Row
	years   []uint16
}

func bundleOf(items []vaultclient.Item) (bundle, error) {
	var b bundle
	wearers, orgs, docs, years := map[id.Wearer]bool{}, map[id.Organisation]bool{}, map[id.Row]bool{}, map[uint16]bool{}
	for _, it := range items {
		p, err := placeOf(it.Context)
		if err != nil {
			return b, err
		}
		switch {
		case !p.doc.IsZero():
			if !docs[p.doc] {
				docs[p.doc] = true
				b.docs = append(b.docs, p.doc)
			}
		case p.wearer.IsZero():
			if !orgs[p.org] {
				orgs[p.org] = true
				b.orgs = append(b.orgs, p.org)
			}
		default:
			b.fields |= policy.FieldsOf(p.class)
			if !wearers[p.wearer] {
				wearers[p.wearer] = true
				b.wearers = append(b.wearers, p.wearer)
			}
			if it.Year != 0 && !years[it.Year] {
				years[it.Year] = true
				b.years = append(b.years, it.Year)
			}
		}
	}
	slices.Sort(b.years)
	return b, nil
}

// Open opens values of the register.
func (v *Vault) Open(ctx context.Context, c Caller, r vaultclient.OpenRequest) ([][]byte, error) {
	p, err := v.authenticate(c)
	if err != nil {
		return nil, err
	}
	if len(r.Items) > vaultclient.MaxItems {
		return nil, invalid("at most %d values can be opened at once", vaultclient.MaxItems)
	}
	b, err := bundleOf(r.Items)
	if err != nil {
		return nil, err
	}
	if len(b.wearers) > 0 {
		if _, err := v.gate(ctx, p, ask{action: policy.Reveal, purpose: r.Purpose, fields: b.fields, wearers: b.wearers, years: b.years, kind: ledger.Reveal, reason: r.Reason}); err != nil {
			return nil, err
		}
	}
	for _, org := range b.orgs { // an organisation's blobs that are about no single wearer, such as its settings
		if _, err := v.gate(ctx, p, ask{action: policy.Reveal, purpose: r.Purpose, fields: policy.FieldEmployment, organisation: org, kind: ledger.Reveal, reason: r.Reason}); err != nil {
			return nil, err
		}
	}
	for _, doc := range b.docs {
		if err := v.gateDocument(ctx, p, r, doc); err != nil {
			return nil, err
		}
	}
	boxes := map[place]*seal.Box{}
	out := make([][]byte, len(r.Items))
	for i, it := range r.Items {
		box, err := v.boxFor(boxes, it.Context)
		if err != nil {
			return nil, err
		}
		rest, ok := bytes.CutPrefix(it.Value, registerPrefix)
		if !ok || box == nil {
			return nil, invalid("value %d does not open here: it was changed, moved or destroyed", i)
		}
		if out[i], err = box.Open(registerContext(it.Context), rest); err != nil {
			return nil, invalid("value %d does not open here: it was changed, moved or destroyed", i)
		}
	}
	return out, nil
}

// gateDocument lets a document through. It shows, of everybody that its file names, all that the file holds;
// before the file was read nobody knows whom it names, and the intake that says so follows.
func (v *Vault) gateDocument(ctx context.Context, p *principal, r vaultclient.OpenRequest, doc id.Row) error {
	v.mu.RLock()
	im := v.state.imports[id.Import(doc)]
	v.mu.RUnlock()
	a := ask{action: policy.Reveal, purpose: r.Purpose, fields: policy.FieldDocument, kind: ledger.Reveal, reason: r.Reason, subject: doc.String()}
	if im != nil && len(im.Wearers) > 0 {
		a.wearers = unpackWearers(im.Wearers)
		shown := im.Held | policy.FieldDocument
		a.shown = &shown
	}
	_, err := v.gate(ctx, p, a)
	return err
}

// Seal seals values for the register. What a caller may write it need not be able to read.
func (v *Vault) Seal(ctx context.Context, c Caller, purpose policy.Purpose, items []vaultclient.Item) ([][]byte, error) {
	p, err := v.authenticate(c)
	if err != nil {
		return nil, err
	}
	if len(items) > vaultclient.MaxItems {
		return nil, invalid("at most %d values can be sealed at once", vaultclient.MaxItems)
	}
	b, err := bundleOf(items)
	if err != nil {
		return nil, err
	}
	asks := []ask{}
	if len(b.wearers) > 0 {
		asks = append(asks, ask{action: policy.Write, purpose: purpose, fields: b.fields, wearers: b.wearers})
	}
	for _, org := range b.orgs {
		asks = append(asks, ask{action: policy.Write, purpose: purpose, fields: policy.FieldEmployment, organisation: org})
	}
	if len(b.docs) > 0 {
		asks = append(asks, ask{action: policy.Write, purpose: purpose, fields: policy.FieldDocument})
	}
	for _, a := range asks {
		if _, parties, denial := v.decide(p, a); denial != nil {
			if err := v.enterRefusal(ctx, p, a, parties); err != nil {
				return nil, err
			}
			return nil, denial
		}
	}
	if err := v.makeDocumentKeys(ctx, p, b.docs); err != nil {
		return nil, err
	}
	boxes := map[place]*seal.Box{}
	out := make([][]byte, len(items))
	for i, it := range items {
		box, err := v.boxFor(boxes, it.Context)
		if err != nil {
			return nil, err
		}
		if box == nil {
			return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such owner to seal for"}
		}
		sealed, err := box.Seal(registerContext(it.Context), it.Pad, it.Value)
		if err != nil {
			return nil, invalid("value %d: %v", i, err)
		}
		out[i] = append(append(make([]byte, 0, len(registerPrefix)+len(sealed)), registerPrefix...), sealed...)
	}
	return out, nil
}

// boxFor returns the box of a context's key, kept in boxes for the next item; nil when the owner has none.
func (v *Vault) boxFor(boxes map[place]*seal.Box, c vaultclient.Context) (*seal.Box, error) {
	p, err := placeOf(c)
	if err != nil {
		return nil, err
	}
	if p.class == policy.ClassEmployment {
		p.wearer = id.Wearer{} // one key for all of the organisation's blobs
	}
	if box, ok := boxes[p]; ok {
		return box, nil
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	var box *seal.Box
	switch {
	case !p.doc.IsZero():
		if k, ok := v.state.documents[p.doc]; ok {
			box = k.Box()
		}
	case !p.wearer.IsZero():
		if w := v.wearerOrStaged(p.wearer); w != nil {
			box = w.keys[p.class].Box()
		}
	default:
		if w := v.wearerOrStaged(c.Wearer); !c.Wearer.IsZero() && (w == nil || w.facts.Organisation != p.org) {
			return nil, invalid("the wearer is not of that organisation")
		}
		if o := v.state.organisations[p.org]; o != nil {
			box = o.blobs.Box()
		}
	}
	boxes[p] = box
	return box, nil
}

// wearerOrStaged returns a wearer, or one that is only staged; that anything may be opened for it was decided before.
func (v *Vault) wearerOrStaged(n id.Wearer) *wearer {
	if w := v.state.wearers[n]; w != nil {
		return w
	}
	return v.state.staged[n]
}

// makeDocumentKeys makes a key of its own for each document that has none.
func (v *Vault) makeDocumentKeys(ctx context.Context, p *principal, docs []id.Row) error {
	var missing []id.Row
	v.mu.RLock()
	for _, d := range docs {
		if _, ok := v.state.documents[d]; !ok {
			missing = append(missing, d)
		}
	}
	v.mu.RUnlock()
	if len(missing) == 0 {
		return nil
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if !p.alive(&v.state) {
			return errUnauthenticated
		}
		for _, d := range missing {
			if _, ok := v.state.documents[d]; ok {
				continue
			}
			k := seal.NewKey()
			t.put(TableDocumentKey, d[:], v.epoch.Wrap(keyContext(TableDocumentKey, d[:]), k))
			t.apply(func(s *state) { s.documents[d] = k })
		}
		return nil
	}))
}

// Tags returns, for each item, a keyed hash over the person behind the wearer and the label.
func (v *Vault) Tags(ctx context.Context, c Caller, purpose policy.Purpose, items []vaultclient.TagItem) ([][]byte, error) {
	p, err := v.authenticate(c)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 || len(items) > vaultclient.MaxItems {
		return nil, invalid("1 to %d tags can be asked for at once", vaultclient.MaxItems)
	}
	wearers := make([]id.Wearer, len(items))
	for i, it := range items {
		wearers[i] = it.Wearer
	}
	a := ask{action: policy.Write, purpose: purpose, fields: policy.FieldEmployment, wearers: wearers}
	found, parties, denial := v.decide(p, a)
	if denial != nil {
		if err := v.enterRefusal(ctx, p, a, parties); err != nil {
			return nil, err
		}
		return nil, denial
	}
	out := make([][]byte, len(items))
	for i, it := range items {
		h := v.keyedHash("tag", it.Organisation[:], found[i].facts.Person[:], []byte(it.Label))
		out[i] = h[:16]
	}
	return out, nil
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
