package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"reflect"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// registerContext binds a value of the register to its place.
func registerContext(c vaultclient.Context) seal.Context {
	var n [7]byte
	binary.BigEndian.PutUint32(n[:], c.Version)
	n[4] = byte(c.Class)
	if c.Named {
		n[4] |= 0x80 // so that it opens as Named, or not at all
	}
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
	case c.Named && (c.Class != policy.ClassEmployment || c.Organisation.IsZero() || !c.Wearer.IsZero()):
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

// of says whom the items that are Named are about; nobody where such a value stays closed.
func bundleOf(items []vaultclient.Item, of map[int]id.Wearer) (bundle, error) {
	var b bundle
	wearers, orgs, docs, years := map[id.Wearer]bool{}, map[id.Organisation]bool{}, map[id.Row]bool{}, map[uint16]bool{}
	for i, it := range items {
		p, err := placeOf(it.Context)
		if err != nil {
			return b, err
		}
		if it.Named {
			if p = (place{wearer: of[i], class: policy.ClassDose}); p.wearer.IsZero() {
				continue
			}
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
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	named, b, err := v.openable(r)
	if err != nil {
		return nil, err
	}
	return v.open(ctx, p, r, named, b, ask{action: policy.Reveal, purpose: r.Purpose, fields: b.fields, wearers: b.wearers, years: b.years, kind: ledger.Reveal, reason: r.Reason})
}

// Look reads fields of wearers and opens values of the register, in one entry for each organisation. Those whose fields are read are entered with these and with
// what the values are; if some values are others', those are entered apart, with what the values are.
func (v *Vault) Look(ctx context.Context, c Caller, r vaultclient.LookRequest) (vaultclient.Look, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.Look{}, err
	}
	if len(r.Wearers) == 0 || len(r.Wearers) > vaultclient.MaxItems || r.Fields == 0 || r.Fields&^vaultFields != 0 {
		return vaultclient.Look{}, invalid("a look asks for 1 to %d wearers and for fields that the vault holds", vaultclient.MaxItems)
	}
	named, b, err := v.openable(r.OpenRequest)
	if err != nil {
		return vaultclient.Look{}, err
	}
	others := ask{action: policy.Reveal, purpose: r.Purpose, fields: b.fields, years: b.years, kind: ledger.Reveal, reason: r.Reason}
	for _, w := range b.wearers {
		if !slices.Contains(r.Wearers, w) {
			others.wearers = append(others.wearers, w)
		}
	}
	// The employment facts come with every record.
	looked := others
	looked.fields, looked.wearers = b.fields|r.Fields|policy.FieldEmployment, r.Wearers
	found, err := v.gate(ctx, p, looked)
	if err != nil {
		return vaultclient.Look{}, err
	}
	var out vaultclient.Look
	if out.Values, err = v.open(ctx, p, r.OpenRequest, named, b, others); err != nil {
		return vaultclient.Look{}, err
	}
	out.Records, err = v.records(ctx, found, r.Fields)
	return out, err
}

// openable sums up what values that are to be opened ask of the gate, with whom the named ones are about.
func (v *Vault) openable(r vaultclient.OpenRequest) (named map[int]id.Wearer, b bundle, err error) {
	if len(r.Items) > vaultclient.MaxItems {
		return nil, b, invalid("at most %d values can be opened at once", vaultclient.MaxItems)
	}
	boxes := map[place]*seal.Box{}
	named, err = v.named(r.Items, func(i int, it vaultclient.Item) ([]byte, error) {
		box, err := v.boxFor(boxes, it.Context)
		if err != nil {
			return nil, err
		}
		value, err := openValue(box, it)
		if err != nil {
			return nil, errClosed(i)
		}
		return value, nil
	})
	if err != nil {
		return nil, b, err
	}
	for i, w := range named {
		if len(r.About) > 0 && !slices.Contains(r.About, w) {
			delete(named, i)
		}
	}
	if b, err = bundleOf(r.Items, named); err != nil {
		return nil, b, err
	}
	if slices.ContainsFunc(r.Items, func(it vaultclient.Item) bool { return it.Named }) {
		for _, w := range r.About { // that no value is about somebody is an answer about them too
			b.fields |= policy.FieldsOf(policy.ClassDose)
			if !slices.Contains(b.wearers, w) {
				b.wearers = append(b.wearers, w)
			}
		}
	}
	return named, b, nil
}

// named finds whom values are about that begin with a wearer's id. That stays in here, until the entry that names them is durable.
func (v *Vault) named(items []vaultclient.Item, value func(int, vaultclient.Item) ([]byte, error)) (map[int]id.Wearer, error) {
	of := map[int]id.Wearer{}
	for i, it := range items {
		if !it.Named {
			continue
		}
		if _, err := placeOf(it.Context); err != nil {
			return nil, err
		}
		b, err := value(i, it)
		if err != nil {
			return nil, err
		}
		if len(b) < len(id.Wearer{}) {
			return nil, invalid("value %d does not begin with a wearer's id", i)
		}
		n := id.Wearer(b[:len(id.Wearer{})])
		v.mu.RLock()
		w := v.wearerOrStaged(n)
		v.mu.RUnlock()
		if w == nil || w.facts.Organisation != it.Organisation {
			return nil, invalid("value %d is about no wearer of that organisation", i)
		}
		of[i] = n
	}
	return of, nil
}

func errClosed(i int) error {
	return invalid("value %d does not open here: it was changed, moved or destroyed", i)
}

// open opens values: those of wearers when the ask about them passes the gate, if there is still one to be made.
func (v *Vault) open(ctx context.Context, p *principal, r vaultclient.OpenRequest, named map[int]id.Wearer, b bundle, a ask) ([][]byte, error) {
	if len(a.wearers) > 0 {
		if _, err := v.gate(ctx, p, a); err != nil {
			return nil, err
		}
	}
	if err := v.gateOrganisations(ctx, p, r, b.orgs); err != nil {
		return nil, err
	}
	for _, doc := range b.docs {
		if err := v.gateDocument(ctx, p, r, doc); err != nil {
			return nil, err
		}
	}
	boxes := map[place]*seal.Box{}
	out := make([][]byte, len(r.Items))
	for i, it := range r.Items {
		if it.Named && named[i].IsZero() {
			continue
		}
		box, err := v.boxFor(boxes, it.Context)
		if err != nil {
			return nil, err
		}
		if out[i], err = openValue(box, it); err != nil {
			return nil, errClosed(i)
		}
	}
	return out, nil
}

// gateOrganisations lets organisations' blobs through that are about no single wearer, such as their settings: all of
// them in one commit, or none.
func (v *Vault) gateOrganisations(ctx context.Context, p *principal, r vaultclient.OpenRequest, orgs []id.Organisation) error {
	if len(orgs) == 0 {
		return nil
	}
	a := ask{action: policy.Reveal, purpose: r.Purpose, fields: policy.FieldEmployment, kind: ledger.Reveal, reason: r.Reason}
	var parties []*party
	for _, org := range orgs {
		one := a
		one.organisation = org
		_, of, err := v.permit(ctx, p, one)
		if err != nil {
			return err
		}
		parties = append(parties, of...)
	}
	return v.enter(ctx, p, a, parties, a.kind, a.fields)
}

// gateDocument lets a document through. It shows, of everybody that its file names, all that the file holds;
// before the file was read nobody knows whom it names, and the intake that says so follows.
func (v *Vault) gateDocument(ctx context.Context, p *principal, r vaultclient.OpenRequest, doc id.Row) error {
	v.mu.RLock()
	im := v.state.imports[id.Import(doc)]
	v.mu.RUnlock()
	a := ask{action: policy.Reveal, purpose: r.Purpose, fields: policy.FieldDocument, kind: ledger.Reveal, reason: r.Reason, subject: doc.String()}
	if err := v.refuseOthersFile(ctx, p, a, id.Import(doc), im); err != nil {
		return err
	}
	where := scopeOf(p.home(im))
	if im != nil && len(im.Wearers)+len(im.About) > 0 {
		where = im.About
		shown := im.Held | policy.FieldDocument
		a.shown = &shown
	}
	if im != nil && len(im.Wearers) > 0 {
		a.wearers = unpackWearers(im.Wearers)
		if _, err := v.gate(ctx, p, a); err != nil {
			return err
		}
		a.wearers, where = nil, v.without(where, im.Wearers)
	}
	for _, org := range where {
		a.organisation = org
		if _, err := v.gate(ctx, p, a); err != nil {
			return err
		}
	}
	return nil
}

// without returns the organisations that none of the wearers belongs to.
func (v *Vault) without(orgs []id.Organisation, wearers []byte) []id.Organisation {
	has := map[id.Organisation]bool{}
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, n := range unpackWearers(wearers) {
		if w := v.state.wearers[n]; w != nil {
			has[w.facts.Organisation] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(orgs), func(o id.Organisation) bool { return has[o] })
}

// home is where a file is asked about while nobody is known to be named in it: in the installation, or, by who is tied to
// organisations, in those of whoever received it. im is nil while it is being received.
func (p *principal) home(im *importState) []id.Organisation {
	switch {
	case len(p.Organisations) == 0:
		return nil
	case im == nil:
		return p.Organisations
	}
	return im.Organisations
}

// refuseOthersFile refuses, and enters it, that a machine asks for a file that it did not deliver, or a job for another's than
// that of the import which it is for. A standing grant is for none.
func (v *Vault) refuseOthersFile(ctx context.Context, p *principal, a ask, n id.Import, im *importState) error {
	switch {
	case p.grant == nil, !p.Machine && p.grant.Import == n, p.Machine && im != nil && im.Machine == p.Grant:
		return nil
	}
	if err := v.enterRefusal(ctx, p, a, []*party{{rules: map[string]bool{"not-its-own-file": true}}}); err != nil {
		return err
	}
	return refused("a machine reads and writes only the files that it delivered, and a job those of its import")
}

// Seal seals values for the register. What a caller may write it need not be able to read.
func (v *Vault) Seal(ctx context.Context, c Caller, purpose policy.Purpose, items []vaultclient.Item) ([][]byte, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(items) > vaultclient.MaxItems {
		return nil, invalid("at most %d values can be sealed at once", vaultclient.MaxItems)
	}
	named, err := v.named(items, func(_ int, it vaultclient.Item) ([]byte, error) { return it.Value, nil })
	if err != nil {
		return nil, err
	}
	b, err := bundleOf(items, named)
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
	for _, doc := range b.docs {
		v.mu.RLock()
		im := v.state.imports[id.Import(doc)]
		v.mu.RUnlock()
		a := ask{action: policy.Write, purpose: purpose, fields: policy.FieldDocument}
		if err := v.refuseOthersFile(ctx, p, a, id.Import(doc), im); err != nil {
			return nil, err
		}
		for _, org := range scopeOf(p.home(im)) {
			a.organisation = org
			asks = append(asks, a)
		}
	}
	for _, a := range asks {
		if _, _, err := v.permit(ctx, p, a); err != nil {
			return nil, err
		}
	}
	if err := v.makeDocumentKeys(ctx, p, b.docs); err != nil {
		return nil, err
	}
	if err := v.enterSettings(ctx, p, ask{purpose: purpose}, items); err != nil {
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
		if out[i], err = sealValue(box, it); err != nil {
			return nil, invalid("value %d: %v", i, err)
		}
	}
	return out, nil
}

// Reseal seals values for another version of their row and shows nothing of them: what stays as it is when the rest of a
// row changes. to is in the order of items; only version and what is bound may differ.
func (v *Vault) Reseal(ctx context.Context, c Caller, purpose policy.Purpose, items, to []vaultclient.Item) ([][]byte, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(items) > vaultclient.MaxItems || len(items) != len(to) {
		return nil, invalid("at most %d values can be sealed at once, each from one place to another", vaultclient.MaxItems)
	}
	for i := range to {
		from := items[i].Context
		from.Version, from.Bind = to[i].Version, to[i].Bind
		if !reflect.DeepEqual(from, to[i].Context) || from.Wearer.IsZero() {
			return nil, invalid("value %d: a value is sealed again for another version of its own row", i)
		}
	}
	b, err := bundleOf(items, nil)
	if err != nil {
		return nil, err
	}
	if _, _, err := v.permit(ctx, p, ask{action: policy.Write, purpose: purpose, fields: b.fields, wearers: b.wearers}); err != nil {
		return nil, err
	}
	boxes := map[place]*seal.Box{}
	out := make([][]byte, len(items))
	for i, it := range items {
		box, err := v.boxFor(boxes, it.Context)
		if err != nil {
			return nil, err
		}
		value, err := openValue(box, it)
		if err != nil {
			return nil, errClosed(i)
		}
		to[i].Value = value
		if out[i], err = sealValue(box, to[i]); err != nil {
			return nil, invalid("value %d: %v", i, err)
		}
	}
	return out, nil
}

// openValue opens a value of the register; box is nil where there is no key.
func openValue(box *seal.Box, it vaultclient.Item) ([]byte, error) {
	rest, ok := bytes.CutPrefix(it.Value, registerPrefix)
	if !ok || box == nil {
		return nil, seal.ErrOpen
	}
	return box.Open(registerContext(it.Context), rest)
}

// sealValue seals a value for the register.
func sealValue(box *seal.Box, it vaultclient.Item) ([]byte, error) {
	sealed, err := box.Seal(registerContext(it.Context), it.Pad, it.Value)
	if err != nil {
		return nil, err
	}
	return append(append(make([]byte, 0, len(registerPrefix)+len(sealed)), registerPrefix...), sealed...), nil
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
		if err := p.alive(&v.state); err != nil {
			return err
		}
		for _, d := range missing {
			if _, ok := v.state.documents[d]; ok {
				continue
			}
			if im := v.state.imports[id.Import(d)]; im != nil && im.State == importDiscarded {
				return &vaultclient.Error{Code: vaultclient.Conflict, Message: "this import was dropped"}
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
	p, err := v.authenticate(ctx, c)
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
	found, _, err := v.permit(ctx, p, a)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(items))
	for i, it := range items {
		h := v.keyedHash("tag", it.Organisation[:], found[i].facts.Person[:], []byte(it.Label))
		out[i] = h[:16]
	}
	return out, nil
}
