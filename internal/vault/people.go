package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// An import's state on the vault's side.
const (
	importReceived  = "received"
	importStaged    = "staged"
	importConfirmed = "confirmed"
	importDiscarded = "discarded"
)

// stagedChange is a row of the table staged, as JSON under the vault's own key until the import is confirmed.
type stagedChange struct {
	Wearer   id.Wearer `json:"wearer"`
	New      bool      `json:"new,omitempty"`
	Facts    facts     `json:"facts"`
	Identity []byte    `json:"identity,omitempty"` // stored forms; nil: unchanged
	Contact  []byte    `json:"contact,omitempty"`
	NI       []byte    `json:"ni"` // empty: has none; nil: unchanged
	// Changed are the fields that are another than before, for the ledger.
	Changed policy.Fields `json:"changed,omitempty"`
}

// Field values are padded so that their lengths tell nothing.
const (
	identityPad = 512
	contactPad  = 512
	niPad       = 32
)

// Intake enters that personal data arrived.
func (v *Vault) Intake(ctx context.Context, c Caller, in vaultclient.Intake) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if in.Import.IsZero() || len(in.Sender) > 200 || len(in.Source) > 40 || len(in.Wearers)+len(in.About) > vaultclient.MaxItems || len(in.SHA256) > 32 || len(in.Via) > 40 {
		return invalid("an intake names its import, its source, and at most %d wearers", vaultclient.MaxItems)
	}
	a := ask{action: policy.Write, purpose: grantPurpose(p, policy.AssessDose), fields: policy.FieldDocument, wearers: in.Wearers}
	var parties []*party
	if len(in.Wearers)+len(in.About) == 0 {
		parties, err = v.permitEach(ctx, p, a, p.Organisations) // nobody knows yet whom it names; who is tied receives it for their organisations
	} else if len(in.Wearers) > 0 {
		_, parties, err = v.permit(ctx, p, a)
	}
	if err != nil {
		return err
	}
	a.wearers = nil
	for _, org := range in.About {
		if slices.ContainsFunc(parties, func(of *party) bool { return of.org == org }) {
			continue
		}
		a.organisation = org
		_, of, err := v.permit(ctx, p, a)
		if err != nil {
			return err
		}
		parties = append(parties, of...)
	}
	recipients := p.recipients
	if in.Via != "" && in.Via != p.node {
		recipients = append(slices.Clone(recipients), "node:"+in.Via)
	}
	entries := make([]entry, len(parties))
	for i, of := range parties {
		o := v.opening(p, a)
		o.Recipients, o.Via, o.Import, o.File, o.Bytes, o.Sender, o.Subject = recipients, in.Via, in.Import, in.SHA256, in.Bytes, in.Sender, in.Source
		o.Fields, o.Wearers, o.Rule = in.Held, of.wearers, joinRules(of.rules)
		if entries[i], err = v.seal(entry{org: of.org, kind: ledger.Intake, basis: ledger.FromOutside, count: len(of.wearers)}, o); err != nil {
			return err
		}
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		im := importState{State: importReceived, Organisations: p.Organisations}
		if p.Machine {
			im.Machine = p.Grant
		}
		if old := v.state.imports[in.Import]; old != nil {
			if p.Machine && old.Machine != p.Grant {
				return &vaultclient.Error{Code: vaultclient.Conflict, Message: "an import of this id is there already"}
			}
			im = *old
		}
		im.Held |= in.Held
		if len(in.Wearers) > 0 {
			im.Wearers = packWearers(union(unpackWearers(im.Wearers), in.Wearers))
		}
		im.about(in.About)
		t.entries = append(t.entries, entries...)
		return t.putImport(in.Import, im)
	}))
}

// grantPurpose is a grant's purpose, or the one given for a session.
func grantPurpose(p *principal, or policy.Purpose) policy.Purpose {
	if p.grant != nil {
		return p.grant.Purpose
	}
	return or
}

func union(a, b []id.Wearer) []id.Wearer {
	seen := make(map[id.Wearer]bool, len(a)+len(b))
	var out []id.Wearer
	for _, w := range append(slices.Clone(a), b...) {
		if !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}

// about notes whose people a list holds.
func (im *importState) about(orgs []id.Organisation) {
	im.About = slices.Clone(im.About) // the state's stays as it is until the commit
	for _, org := range orgs {
		if !slices.Contains(im.About, org) {
			im.About = append(im.About, org)
		}
	}
}

// putImport writes an import's state.
func (t *tx) putImport(n id.Import, im importState) error {
	sealed, err := t.v.sealRow(TableImport, n[:], im)
	if err != nil {
		return err
	}
	t.put(TableImport, n[:], sealed)
	t.apply(func(s *state) { s.imports[n] = &im })
	return nil
}

// changing is what entering and changing people asks of the gate, in each organisation. NI numbers are refused by their own rule.
var changing = ask{purpose: policy.KeepRecords, action: policy.Write, fields: policy.FieldName | policy.FieldBirth | policy.FieldSex | policy.FieldStaffNumber | policy.FieldRegistration | policy.FieldContact | policy.FieldEmployment}

// permitChanges asks whether a caller may make changes, and returns their organisations, without wearers yet.
func (v *Vault) permitChanges(ctx context.Context, p *principal, changes []vaultclient.Change) ([]*party, error) {
	byOrg := map[id.Organisation]bool{}
	var parties []*party
	var same []id.Wearer
	for i, ch := range changes {
		if p.Machine && (!ch.SamePerson.IsZero() || !ch.NI.IsZero()) {
			return nil, invalid("person %d: a machine does not say that two wearers are one person, nor gives an NI number", i+1)
		}
		if byOrg[ch.Organisation] {
			continue
		}
		byOrg[ch.Organisation] = true
		one := changing
		one.organisation = ch.Organisation
		_, asked, err := v.permit(ctx, p, one)
		if err != nil {
			return nil, err
		}
		parties = append(parties, asked...)
	}
	v.mu.RLock()
	for _, ch := range changes {
		if v.state.wearers[ch.SamePerson] != nil { // what is none is refused later, with its place
			same = append(same, ch.SamePerson)
		}
	}
	v.mu.RUnlock()
	if len(same) > 0 {
		if _, _, err := v.permit(ctx, p, ask{action: policy.Manage, purpose: policy.KeepRecords, wearers: same}); err != nil {
			return nil, err
		}
	}
	return parties, nil
}

// stageable returns an import of which nothing was staged yet; one that is not known may begin so.
func (s *state) stageable(n id.Import) (importState, error) {
	im := importState{State: importReceived}
	if old := s.imports[n]; old != nil {
		im = *old
	}
	if im.State != importReceived {
		return im, &vaultclient.Error{Code: vaultclient.Conflict, Message: "this import was staged, confirmed or dropped before"}
	}
	return im, nil
}

// Stage keeps changes of wearers until the import is confirmed or dropped. All of them are kept, or none.
func (v *Vault) Stage(ctx context.Context, c Caller, n id.Import, changes []vaultclient.Change) ([]vaultclient.Staged, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	if n.IsZero() || len(changes) == 0 || len(changes) > vaultclient.MaxItems {
		return nil, invalid("1 to %d wearers can be staged at once", vaultclient.MaxItems)
	}
	parties, err := v.permitChanges(ctx, p, changes)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(changes, func(ch vaultclient.Change) bool { return ch.Invented }) {
		if err := v.permitInvented(ctx, c, p); err != nil {
			return nil, err
		}
	}
	byOrg := map[id.Organisation]*party{}
	for _, of := range parties {
		byOrg[of.org] = of
	}
	contacts, err := v.contactsOf(ctx, changes)
	if err != nil {
		return nil, err
	}
	var staged []vaultclient.Staged
	err = v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		im, err := v.state.stageable(n)
		if err != nil {
			return err
		}
		rows := make([]stagedChange, len(changes))
		resolver := v.resolver(contacts)
		for i, ch := range changes {
			if rows[i], err = resolver.resolve(ch); err != nil {
				return invalid("person %d: %v", i+1, err)
			}
		}
		staged = make([]vaultclient.Staged, len(rows))
		for i, row := range rows {
			staged[i] = vaultclient.Staged{Wearer: row.Wearer, State: v.stateOf(row)}
			if row.New {
				t.newWearer(row)
			}
			byOrg[row.Facts.Organisation].wearers = append(byOrg[row.Facts.Organisation].wearers, row.Wearer)
			key := binary.BigEndian.AppendUint32(slices.Clone(n[:]), uint32(i))
			sealed, err := v.sealRow(TableStaged, key, row)
			if err != nil {
				return err
			}
			t.put(TableStaged, key, sealed)
		}
		if err := t.count(p, parties); err != nil {
			return err
		}
		im.State, im.Staged = importStaged, len(rows)
		for _, of := range parties {
			o := v.opening(p, changing)
			o.Import, o.Wearers, o.Rule = n, of.wearers, joinRules(of.rules)
			e, err := v.seal(entry{org: of.org, kind: ledger.Stage, basis: ledger.Gate, count: len(of.wearers)}, o)
			if err != nil {
				return err
			}
			t.append(e)
		}
		return t.putImport(n, im)
	})
	if err != nil {
		return nil, hideCommitError(err)
	}
	return staged, nil
}

// stateOf says what a change makes of its wearer: new, changed or same. The state stands still.
func (v *Vault) stateOf(row stagedChange) string {
	switch {
	case row.New:
		return "new"
	case row.Identity == nil && row.Contact == nil && row.NI == nil && row.Facts == v.state.wearers[row.Wearer].facts:
		return "same"
	}
	return "changed"
}

// newWearer makes the keys of a new wearer, so that values can be sealed for it while its import waits.
func (t *tx) newWearer(row stagedChange) {
	w := &wearer{id: row.Wearer, facts: row.Facts}
	for _, c := range policy.WearerClasses {
		w.keys[c] = seal.NewKey()
		key := ownedID(w.id, byte(c), keyVersion)
		t.put(TableWearerKey, key, t.v.epoch.Wrap(keyContext(TableWearerKey, key), w.keys[c]))
	}
	t.apply(func(s *state) { s.staged[w.id] = w })
}

// contactsOf opens the contacts of those wearers that changes are about, to see whether they change.
func (v *Vault) contactsOf(ctx context.Context, changes []vaultclient.Change) (map[id.Wearer]string, error) {
	var known []*wearer
	v.mu.RLock()
	for _, ch := range changes {
		if w := v.known(ch); w != nil {
			known = append(known, w)
		}
	}
	v.mu.RUnlock()
	recs, err := v.records(ctx, known, policy.FieldContact)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Wearer]string, len(recs))
	for _, r := range recs {
		out[r.Wearer] = string(r.Contact.Encode())
	}
	return out, nil
}

// known returns the wearer whom a change is about, nil for somebody new. The caller holds the lock, or is the committer.
func (v *Vault) known(ch vaultclient.Change) *wearer {
	if !ch.Wearer.IsZero() {
		if w := v.state.wearers[ch.Wearer]; w != nil && w.facts.Organisation == ch.Organisation {
			return w
		}
		return nil
	}
	if n, ok := v.state.staff[staffKey{ch.Organisation, ch.Identity.StaffNumber.Expose()}]; ok {
		return v.state.wearers[n]
	}
	return nil
}

// resolver turns changes into what each wearer is to become, one after the other. The state stands still meanwhile: the
// caller is the committer, or holds the lock.
type resolver struct {
	v        *Vault
	today    day.Day
	contacts map[id.Wearer]string // of the wearers that are known
	staff    map[staffKey]bool    // among the changes so far
	persons  map[string]id.Person // by NI number, likewise
}

func (v *Vault) resolver(contacts map[id.Wearer]string) *resolver {
	return &resolver{v, v.today(), contacts, map[staffKey]bool{}, map[string]id.Person{}}
}

// resolve turns one change into what the wearer is to become, or says without personal data why it can't be.
func (r *resolver) resolve(ch vaultclient.Change) (stagedChange, error) {
	v := r.v
	row := stagedChange{}
	fail := func(err error) (stagedChange, error) { return row, err }
	if v.state.organisations[ch.Organisation] == nil {
		return fail(errors.New("no such organisation"))
	}
	identity, err := person.CheckIdentity(ch.Identity, r.today)
	if err != nil {
		return fail(err)
	}
	contact, err := person.CheckContact(ch.Contact)
	if err != nil {
		return fail(err)
	}
	from, err := day.Parse(ch.From)
	if err != nil {
		return fail(fmt.Errorf("first day of employment: %w", err))
	}
	to, err := day.Parse(ch.To)
	if err != nil {
		return fail(fmt.Errorf("last day of employment: %w", err))
	}
	old := v.known(ch)
	if old == nil && !ch.Wearer.IsZero() {
		return fail(errors.New("no such wearer of that organisation"))
	}
	if old != nil && identity.StaffNumber.IsZero() {
		identity.StaffNumber = old.identity.StaffNumber
	}
	number := identity.StaffNumber.Expose()
	if number == "" {
		return fail(errors.New("a staff number is needed"))
	}
	key := staffKey{ch.Organisation, number}
	if r.staff[key] {
		return fail(errors.New("somebody else of the same list and organisation has this staff number"))
	}
	r.staff[key] = true
	if n, ok := v.state.staff[key]; ok && old != nil && n != old.id {
		return fail(errors.New("another wearer of that organisation has this staff number"))
	}
	if ch.New && old != nil {
		return fail(errors.New("a wearer of that organisation has this staff number already"))
	}
	if old != nil {
		row.Wearer, row.Facts = old.id, old.facts
	} else {
		row.Wearer, row.New = id.New[id.Wearer](), true
		row.Facts = facts{Organisation: ch.Organisation}
	}
	if old == nil && identity.Surname.IsZero() {
		return fail(errors.New("no wearer of that organisation has this staff number: to take somebody on, a surname is needed"))
	}
	if old == nil || !from.IsZero() {
		row.Facts.From = from
	}
	if old == nil || !ch.KeepTo {
		row.Facts.To = to
	}
	if old == nil || !ch.KeepClassified {
		row.Facts.Classified = ch.Classified
	}
	if !row.Facts.To.IsZero() && row.Facts.To < row.Facts.From {
		return fail(errors.New("the last day of employment is before the first"))
	}
	if !ch.NI.IsZero() {
		if !row.Facts.Classified {
			return fail(errors.New("an NI number is kept for classified people only: leave it out"))
		}
		ni, err := person.CheckNI(ch.NI)
		if err != nil {
			return fail(err)
		}
		row.NI = []byte(ni.Expose())
	}
	if row.New {
		row.Facts.Person, err = v.personFor(ch, row.NI, r.persons)
		if err != nil {
			return fail(err)
		}
	}
	if len(row.NI) > 0 {
		r.persons[string(row.NI)] = row.Facts.Person
		if old != nil && old.ni == v.niHash(string(row.NI)) {
			row.NI = nil // unchanged
		}
	}
	if row.New || row.Facts.From != old.facts.From || row.Facts.To != old.facts.To || row.Facts.Classified != old.facts.Classified {
		row.Changed |= policy.FieldEmployment
	}
	row.Changed |= ch.Also
	identity = merge(old, identity, ch.Replace)
	row.Changed |= differs(old, identity)
	if b := identity.Encode(); old == nil || string(b) != string(old.identity.Encode()) {
		row.Identity = b
		row.Facts.Versions[policy.ClassIdentity]++
	}
	if b := contact.Encode(); old == nil || (string(b) != "{}" || ch.Replace&policy.FieldContact != 0) && string(b) != r.contacts[old.id] {
		row.Contact = b
		if string(b) != "{}" || !row.New {
			row.Changed |= policy.FieldContact
		}
		row.Facts.Versions[policy.ClassContact]++
	}
	if ch.Invented {
		if err := checkInvented(row, r.today); err != nil {
			return fail(err)
		}
		row.Facts.Canary = true
	}
	if row.NI == nil && row.New {
		row.NI = []byte{} // every wearer has a row of every class, so that none tells who is classified
	}
	if len(row.NI) > 0 {
		row.Changed |= policy.FieldNI
	}
	if row.NI != nil {
		row.Facts.Versions[policy.ClassNI]++
	}
	return row, nil
}

// personFor finds the human being behind a new wearer.
func (v *Vault) personFor(ch vaultclient.Change, ni []byte, seen map[string]id.Person) (id.Person, error) {
	if !ch.SamePerson.IsZero() {
		w := v.state.wearers[ch.SamePerson]
		if w == nil {
			return id.Person{}, errors.New("the other wearer of the same person does not exist")
		}
		return w.facts.Person, nil
	}
	if len(ni) > 0 {
		if known := v.state.ni[v.niHash(string(ni))]; len(known) > 0 {
			return v.state.wearers[known[0]].facts.Person, nil
		}
		if n, ok := seen[string(ni)]; ok {
			return n, nil
		}
	}
	return id.New[id.Person](), nil
}

// merge leaves what a change does not mention as it is, and keeps a surname that was changed.
func merge(old *wearer, new person.Identity, replace policy.Fields) person.Identity {
	if old == nil {
		return new
	}
	was := old.identity
	if new.Surname.IsZero() {
		new.Surname = was.Surname
	}
	keep := func(n *person.Value, w person.Value, f policy.Fields) {
		if n.IsZero() && replace&f == 0 {
			*n = w
		}
	}
	if new.Former == nil {
		new.Former = was.Former
		if new.Surname != was.Surname && !slices.Contains(new.Former, was.Surname) {
			new.Former = append([]person.Value{was.Surname}, was.Former...)
		}
	}
	keep(&new.Forenames, was.Forenames, policy.FieldName)
	keep(&new.KnownAs, was.KnownAs, policy.FieldName)
	keep(&new.Birth, was.Birth, policy.FieldBirth)
	keep(&new.Sex, was.Sex, policy.FieldSex)
	keep(&new.Registration, was.Registration, policy.FieldRegistration)
	return new
}

// differs returns the fields of an identity that are another than a wearer's; of somebody new, those that are there.
func differs(old *wearer, new person.Identity) (f policy.Fields) {
	var was person.Identity
	if old != nil {
		was = old.identity
	}
	for _, x := range []struct {
		field    policy.Fields
		was, new []person.Value
	}{
		{policy.FieldName, append([]person.Value{was.Surname, was.Forenames, was.KnownAs}, was.Former...), append([]person.Value{new.Surname, new.Forenames, new.KnownAs}, new.Former...)},
		{policy.FieldBirth, []person.Value{was.Birth}, []person.Value{new.Birth}},
		{policy.FieldSex, []person.Value{was.Sex}, []person.Value{new.Sex}},
		{policy.FieldStaffNumber, []person.Value{was.StaffNumber}, []person.Value{new.StaffNumber}},
		{policy.FieldRegistration, []person.Value{was.Registration}, []person.Value{new.Registration}},
	} {
		if !slices.Equal(x.was, x.new) {
			f |= x.field
		}
	}
	return f
}

// Confirm makes an import's staged changes real and enters its manifests. Confirming twice is no error.
// A worker that reconciles after a restart calls it by its node alone.
func (v *Vault) Confirm(ctx context.Context, c Caller, n id.Import, manifests []vaultclient.Manifest) error {
	p, err := v.importCaller(ctx, c, n)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if len(m.Hash) != 32 || m.Kind == "" || len(m.Kind) > 40 {
			return invalid("a manifest has a kind and a SHA-256")
		}
	}
	rows, err := v.stagedRows(ctx, n)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		im := v.state.imports[n]
		switch {
		case im == nil:
			return &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such import"}
		case im.State == importConfirmed:
			return nil
		case im.State == importDiscarded:
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "this import was dropped"}
		case im.Staged != len(rows):
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the import's staged rows changed meanwhile; ask again"}
		}
		for _, row := range rows {
			if err := t.makeReal(row); err != nil {
				return err
			}
		}
		if err := t.enterChanges(p, n, rows); err != nil {
			return err
		}
		for _, m := range manifests {
			o := v.opening(p, ask{purpose: grantPurpose(p, policy.KeepRecords)})
			o.Import, o.Manifest = n, &ledger.Manifest{Kind: m.Kind, Rows: m.Rows, Hash: m.Hash}
			e, err := v.seal(entry{org: m.Organisation, kind: ledger.Import, basis: ledger.Gate}, o)
			if err != nil {
				return invalid("a manifest names an organisation that does not exist")
			}
			t.append(e)
		}
		return t.finish(n, *im, rows, importConfirmed)
	}))
}

// enterChanges enters which fields of whom an import changed: one entry for each organisation and set of fields.
func (t *tx) enterChanges(p *principal, n id.Import, rows []stagedChange) error {
	type group struct {
		org    id.Organisation
		fields policy.Fields
	}
	var groups []group
	of := map[group][]id.Wearer{}
	for _, row := range rows {
		g := group{row.Facts.Organisation, row.Changed & policy.AllFields}
		if g.fields == 0 {
			continue
		}
		if of[g] == nil {
			groups = append(groups, g)
		}
		of[g] = append(of[g], row.Wearer)
	}
	for _, g := range groups {
		o := t.v.opening(p, ask{purpose: grantPurpose(p, policy.KeepRecords)})
		o.Import, o.Fields, o.Wearers = n, g.fields, of[g]
		e, err := t.v.seal(entry{org: g.org, kind: ledger.Write, basis: ledger.Gate, count: len(of[g])}, o)
		if err != nil {
			return err
		}
		t.append(e)
	}
	return nil
}

// Discard drops an import's staged changes and the key of its documents. Dropping twice is no error.
func (v *Vault) Discard(ctx context.Context, c Caller, n id.Import) error {
	p, err := v.importCaller(ctx, c, n)
	if err != nil {
		return err
	}
	rows, err := v.stagedRows(ctx, n)
	if err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		im := v.state.imports[n]
		switch {
		case im == nil || im.State == importDiscarded:
			return nil
		case im.Staged != len(rows):
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "the import's staged rows changed meanwhile; ask again"}
		case im.State == importConfirmed:
			return &vaultclient.Error{Code: vaultclient.Conflict, Message: "this import was confirmed: it can't be dropped"}
		}
		o := v.opening(p, ask{})
		o.Import = n
		e, err := v.seal(entry{kind: ledger.Discard, basis: ledger.Gate}, o)
		if err != nil {
			return err
		}
		t.append(e)
		return t.finish(n, *im, rows, importDiscarded)
	}))
}

// finish ends an import and clears what was staged for it. What was dropped loses the key of its documents too.
func (t *tx) finish(n id.Import, im importState, rows []stagedChange, as string) error {
	for i, row := range rows {
		t.put(TableStaged, binary.BigEndian.AppendUint32(slices.Clone(n[:]), uint32(i)), nil)
		if row.New {
			t.apply(func(s *state) { delete(s.staged, row.Wearer) })
		}
		if row.New && as == importDiscarded {
			for _, c := range policy.WearerClasses {
				t.put(TableWearerKey, ownedID(row.Wearer, byte(c), keyVersion), nil)
			}
		}
	}
	if as == importDiscarded {
		doc := id.Row(n)
		t.put(TableDocumentKey, doc[:], nil)
		t.apply(func(s *state) { delete(s.documents, doc) })
	}
	t.endJobs(n)
	im.State, im.Staged = as, 0
	return t.putImport(n, im)
}

// endJobs ends the leave of jobs with the import that it was for; the import's entry says so.
func (t *tx) endJobs(n id.Import) {
	for of, g := range t.v.state.grants {
		if g.Import == n && !g.isMachine() && !g.isStanding() {
			t.put(TableJobGrant, of[:], nil)
			t.apply(func(s *state) { delete(s.grants, of) })
		}
	}
}

// importCaller is who may confirm or drop: a signed-in user, a grant, a machine what it delivered, or the worker's node by
// itself.
func (v *Vault) importCaller(ctx context.Context, c Caller, n id.Import) (*principal, error) {
	if c.Auth == (vaultclient.Auth{}) && c.Node == "worker" {
		p := &principal{node: c.Node, recipients: []string{"node:" + c.Node}}
		return p, v.checkFrozen(ctx, p)
	}
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return nil, err
	}
	v.mu.RLock()
	im := v.state.imports[n]
	v.mu.RUnlock()
	if p.grant != nil && p.grant.isStanding() {
		return p, nil // the run of a night
	}
	return p, v.refuseOthersFile(ctx, p, ask{action: policy.Write, purpose: grantPurpose(p, policy.KeepRecords)}, n, im)
}

// Pending lists the imports that are neither confirmed nor dropped.
func (v *Vault) Pending(context.Context, Caller) ([]id.Import, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var out []id.Import
	for n, im := range v.state.imports {
		if im.State == importStaged {
			out = append(out, n)
		}
	}
	return out, nil
}

// stagedRows opens what is staged for an import.
func (v *Vault) stagedRows(ctx context.Context, n id.Import) ([]stagedChange, error) {
	v.mu.RLock()
	im := v.state.imports[n]
	v.mu.RUnlock()
	if im == nil || im.Staged == 0 {
		return nil, nil
	}
	ids := make([][]byte, im.Staged)
	for i := range ids {
		ids[i] = binary.BigEndian.AppendUint32(slices.Clone(n[:]), uint32(i))
	}
	sealed, err := v.store.Get(ctx, TableStaged, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]stagedChange, len(ids))
	for i := range rows {
		if sealed[i] == nil {
			return nil, nil // confirmed or dropped meanwhile; the commit looks again
		}
		if err := v.openRow(TableStaged, ids[i], sealed[i], &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// makeReal writes one staged change.
func (t *tx) makeReal(row stagedChange) error {
	v := t.v
	w := &wearer{id: row.Wearer, facts: row.Facts}
	old := v.state.wearers[row.Wearer]
	// Versions count from what stands now, not from what stood when this was staged, so that none is given twice.
	w.facts.Versions = [8]uint32{}
	if old != nil {
		w.facts.Person, w.facts.Versions = old.facts.Person, old.facts.Versions
		w.keys, w.identity, w.words, w.sortKey, w.ni = old.keys, old.identity, old.words, old.sortKey, old.ni
	} else {
		w.keys = v.state.staged[row.Wearer].keys
	}
	for _, f := range []struct {
		class policy.Class
		value []byte
		pad   int
	}{{policy.ClassIdentity, row.Identity, identityPad}, {policy.ClassContact, row.Contact, contactPad}, {policy.ClassNI, row.NI, niPad}} {
		if f.value == nil {
			continue
		}
		w.facts.Versions[f.class]++
		key := ownedID(w.id, byte(f.class), w.facts.Versions[f.class])
		sealed, err := w.keys[f.class].Box().Seal(fieldContext(key), f.pad, f.value)
		if err != nil {
			return err
		}
		t.put(TableField, key, sealed)
		if w.facts.Versions[f.class] > 1 {
			t.put(TableField, ownedID(w.id, byte(f.class), w.facts.Versions[f.class]-1), nil)
		}
	}
	sealed, err := v.sealRow(TableWearer, w.id[:], w.facts)
	if err != nil {
		return err
	}
	t.put(TableWearer, w.id[:], sealed)
	if row.Identity != nil {
		if w.identity, err = person.DecodeIdentity(row.Identity); err != nil {
			return err
		}
		w.index()
	}
	if len(row.NI) > 0 {
		w.ni = v.niHash(string(row.NI))
	}
	t.apply(func(s *state) {
		if old == nil {
			s.add(w)
		}
		s.wearers[w.id] = w
		if old != nil && old.identity.StaffNumber != w.identity.StaffNumber {
			delete(s.staff, staffKey{w.facts.Organisation, old.identity.StaffNumber.Expose()})
			s.staff[staffKey{w.facts.Organisation, w.identity.StaffNumber.Expose()}] = w.id
		}
		s.indexStarts(w, old)
		if o := s.organisations[w.facts.Organisation]; o != nil {
			o.roll.counted.Store(nil)
		}
		if old != nil && old.ni != w.ni {
			s.ni[old.ni] = slices.DeleteFunc(slices.Clone(s.ni[old.ni]), func(n id.Wearer) bool { return n == w.id })
		}
		if len(row.NI) > 0 {
			s.ni[w.ni] = append(slices.Clone(s.ni[w.ni]), w.id)
		}
	})
	return nil
}
