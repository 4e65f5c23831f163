package vault

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// opened is an entry with its opening; the opening is nil when it was erased.
type opened struct {
	org     id.Organisation
	log     string
	seq     int64
	raw     []byte
	leaf    ledger.Leaf
	opening *ledger.Opening
}

// logsOf returns an organisation's logs, newest year first.
func (v *Vault) logsOf(org id.Organisation) []LogState {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if org.IsZero() {
		return []LogState{{Name: ledger.InstallationLog, Size: v.trees[ledger.InstallationLog].Size()}}
	}
	var logs []LogState
	for name, tree := range v.trees {
		if strings.HasPrefix(name, org.String()+"/") {
			logs = append(logs, LogState{Name: name, Size: tree.Size()})
		}
	}
	slices.SortFunc(logs, func(a, b LogState) int { return cmp.Compare(b.Name, a.Name) })
	return logs
}

// read opens the entries [from, to) of a log.
func (v *Vault) read(ctx context.Context, org id.Organisation, log string, from, to int64, fn func(opened) error) error {
	const page = 4096
	for ; from < to; from += page {
		stored, err := v.store.Leaves(ctx, log, from, min(from+page, to))
		if err != nil {
			return err
		}
		for _, s := range stored {
			leaf, err := ledger.DecodeLeaf(s.Leaf)
			if err != nil {
				return err
			}
			e := opened{org: org, log: log, seq: s.Seq, raw: s.Leaf, leaf: leaf}
			if s.Opening != nil {
				if e.opening, err = v.openOpening(org, leaf, s.Opening); err != nil {
					return invalid("log %s, entry %d: its opening does not open: the database was changed; run dosevault verify", log, s.Seq)
				}
			}
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *Vault) openOpening(org id.Organisation, leaf ledger.Leaf, sealed []byte) (*ledger.Opening, error) {
	for _, health := range []bool{false, true} {
		box, err := v.openingBox(org, health)
		if err != nil {
			return nil, err
		}
		b, err := box.Open(openingContext(org, leaf.Opening), sealed)
		if err != nil {
			continue
		}
		o, err := ledger.DecodeOpening(b, leaf.Opening)
		return &o, err
	}
	return nil, ledger.ErrOpening
}

// oversee asks for leave to read a ledger, and enters it.
func (v *Vault) oversee(ctx context.Context, p *principal, org id.Organisation, own id.Wearer, subject string) error {
	a := ask{action: policy.Oversee, purpose: policy.Oversight, organisation: org, kind: ledger.Oversee, subject: subject}
	if p.Role == policy.Wearer {
		a.purpose = policy.OwnRecord
		a.wearers = []id.Wearer{own}
	}
	_, err := v.gate(ctx, p, a)
	return err
}

// Ledger reads a page of an organisation's ledger, newest first.
func (v *Vault) Ledger(ctx context.Context, c Caller, r vaultclient.LedgerRequest) (vaultclient.LedgerPage, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.LedgerPage{}, err
	}
	if r.Limit < 1 || r.Limit > vaultclient.MaxPage || r.Offset < 0 {
		return vaultclient.LedgerPage{}, invalid("a page has 1 to %d entries", vaultclient.MaxPage)
	}
	if err := v.oversee(ctx, p, r.Organisation, r.Wearer, "ledger"); err != nil {
		return vaultclient.LedgerPage{}, err
	}
	page := vaultclient.LedgerPage{Entries: []vaultclient.Entry{}}
	for _, log := range v.logsOf(r.Organisation) {
		if !r.Wearer.IsZero() {
			err = v.readNaming(ctx, p, r, log, &page)
		} else {
			err = v.readPage(ctx, p, r, log, &page)
		}
		if err != nil {
			return vaultclient.LedgerPage{}, err
		}
	}
	return page, nil
}

// readPage adds what of a log lies on the page, counting all of it.
func (v *Vault) readPage(ctx context.Context, p *principal, r vaultclient.LedgerRequest, log LogState, page *vaultclient.LedgerPage) error {
	before := int64(page.Total)
	page.Total += int(log.Size)
	// Newest first: the entry with the number n of the whole stands at before + (size-1-seq).
	first, last := max(int64(r.Offset), before), min(int64(r.Offset+r.Limit), before+log.Size)
	if first >= last {
		return nil
	}
	var part []vaultclient.Entry
	err := v.read(ctx, r.Organisation, log.Name, log.Size-(last-before), log.Size-(first-before), func(e opened) error {
		part = append(part, v.show(p, e))
		return nil
	})
	slices.Reverse(part)
	page.Entries = append(page.Entries, part...)
	return err
}

// readNaming adds the entries of a log that name a wearer.
func (v *Vault) readNaming(ctx context.Context, p *principal, r vaultclient.LedgerRequest, log LogState, page *vaultclient.LedgerPage) error {
	var part []vaultclient.Entry
	err := v.read(ctx, r.Organisation, log.Name, 0, log.Size, func(e opened) error {
		if r.Changes && !e.leaf.Kind.Changes() {
			return nil
		}
		if e.opening != nil && slices.Contains(e.opening.Wearers, r.Wearer) {
			shown := v.show(p, e)
			shown.Wearers = []id.Wearer{r.Wearer} // the others are none of this wearer's business
			part = append(part, shown)
		}
		return nil
	})
	slices.Reverse(part)
	for _, e := range part {
		if page.Total >= r.Offset && len(page.Entries) < r.Limit {
			page.Entries = append(page.Entries, e)
		}
		page.Total++
	}
	return err
}

// show puts an entry into words for its reader: a user's name where the reader's organisation is the user's
// too, or the reader works for the whole service; else the role.
func (v *Vault) show(p *principal, e opened) vaultclient.Entry {
	out := vaultclient.Entry{Log: e.log, Seq: e.seq, Recorded: e.leaf.Recorded, Occurred: e.leaf.Occurred, Kind: e.leaf.Kind.String(),
		Basis: e.leaf.Basis.String(), Count: int(e.leaf.Count), Org: e.org, Erased: e.opening == nil}
	o := e.opening
	if o == nil {
		return out
	}
	out.Role, out.Node, out.Purpose, out.Fields, out.Rule, out.Policy, out.Reason, out.Wearers = string(o.Role), o.Node, policy.Purpose(o.Purpose), o.Fields, o.Rule, o.Policy, o.Reason, o.Wearers
	out.Actor = out.Role
	v.mu.RLock()
	defer v.mu.RUnlock()
	machine := machineIn(o.Recipients)
	if g := v.state.grants[o.Grant]; g != nil && machine == "" && !g.Of.IsZero() && v.state.grants[g.Of] != nil {
		out.Role, out.Actor = "job", "a job of the machine “"+v.state.grants[g.Of].Name+"”"
		return out
	}
	switch u := v.state.users[o.User]; {
	case machine != "" && o.Role == "":
		out.Role, out.Actor = "machine", "the machine “"+machine+"”"
		if u != nil && p.seesName(u) {
			out.Actor += ", given leave by " + u.Name
		}
	case !o.Grant.IsZero() && o.Role == "": // a job; User is who gave it leave
		out.Role, out.Actor = "job", "a job"
		if u != nil && p.seesName(u) {
			out.Actor = "a job given by " + u.Name
		}
	case u != nil && p.seesName(u):
		out.Actor = u.Name
	}
	return out
}

// seesName reports whether the reader of a ledger is shown a user's name.
func (p *principal) seesName(u *vaultclient.User) bool {
	if p.User == u.ID || len(p.Organisations) == 0 && p.Role != policy.Wearer {
		return true
	}
	return slices.ContainsFunc(u.Organisations, func(o id.Organisation) bool { return slices.Contains(p.Organisations, o) })
}

// Exposures answers what became readable to a recipient in a window, from the ledgers alone.
func (v *Vault) Exposures(ctx context.Context, c Caller, r vaultclient.ExposureRequest) (vaultclient.Exposures, error) {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return vaultclient.Exposures{}, err
	}
	var asked []string
	for _, h := range r.Windows() {
		if !h.From.Before(h.To) || h.Medium {
			return vaultclient.Exposures{}, invalid("the window ends before it begins, or it is of a medium, by which nothing became readable")
		}
		asked = append(asked, string(h.Recipient))
	}
	if len(asked) > maxWindows {
		return vaultclient.Exposures{}, invalid("at most %d recipients and windows are united", maxWindows)
	}
	if len(r.Less) > maxDestroyed {
		return vaultclient.Exposures{}, invalid("at most %d destructions are taken off", maxDestroyed)
	}
	subject := "exposures of " + strings.Join(asked, ", ")
	var orgs []id.Organisation
	if len(p.Organisations) > 0 {
		orgs = p.Organisations
	} else {
		v.mu.RLock()
		for org := range v.state.organisations {
			orgs = append(orgs, org)
		}
		v.mu.RUnlock()
		slices.SortFunc(orgs, func(a, b id.Organisation) int { return slices.Compare(a[:], b[:]) })
	}
	if len(p.Organisations) == 0 {
		if err := v.oversee(ctx, p, id.Organisation{}, id.Wearer{}, subject); err != nil {
			return vaultclient.Exposures{}, err
		}
	} else {
		for _, org := range orgs {
			if err := v.oversee(ctx, p, org, id.Wearer{}, subject); err != nil {
				return vaultclient.Exposures{}, err
			}
		}
	}
	s := newScope(v, r)
	for _, org := range orgs {
		for _, log := range v.logsOf(org) {
			if err := s.readLog(ctx, org, log); err != nil {
				return vaultclient.Exposures{}, err
			}
		}
	}
	return s.answer(), nil
}

// maxWindows is how many recipients and windows one question unites.
const maxWindows = 50

// maxDestroyed is how many destructions one question takes off.
const maxDestroyed = 1000

type exposureKey struct {
	wearer id.Wearer
	basis  ledger.Basis
}

// exposedWearers is what became readable, by wearer and basis.
type exposedWearers map[exposureKey]*scoped

// scoped is a wearer's part of a scope.
type scoped struct {
	org id.Organisation
	wearerExposed
}

// exposure is what the answer says of a wearer.
func (x *scoped) exposure(k exposureKey) vaultclient.Exposure {
	return vaultclient.Exposure{Wearer: k.wearer, Organisation: x.org, Basis: k.basis.String(), Fields: x.fields, Years: x.years, First: micro(x.first), Last: micro(x.last), Entries: int(x.entries)}
}

// count adds what entries made readable of a wearer.
func (m exposedWearers) count(org id.Organisation, k exposureKey, w wearerExposed) {
	x := m[k]
	if x == nil {
		x = &scoped{org: org, wearerExposed: wearerExposed{first: w.first, last: w.last}}
		m[k] = x
	}
	x.count(w.fields, w.entries, w.first, w.last, w.years)
}

// scope sums entries up into exposures.
type scope struct {
	v         *Vault
	r         vaultclient.ExposureRequest
	windows   []vaultclient.Hypothesis
	by        exposedWearers
	destroyed exposedWearers
	proofs    []vaultclient.EntryRef
}

func newScope(v *Vault, r vaultclient.ExposureRequest) *scope {
	return &scope{v: v, r: r, windows: r.Windows(), by: exposedWearers{}, destroyed: exposedWearers{}}
}

// add adds an entry, if one of the windows holds it.
func (s *scope) add(e opened) error {
	one, ok := exposingOf(e.seq, e.leaf, e.opening)
	if !ok {
		return nil
	}
	found, left := false, false // by any window; by one whose recipient had not destroyed it
	for _, h := range s.windows {
		if one.from < h.To.UnixMicro() && one.to >= h.From.UnixMicro() && (h.Recipient == "" || slices.Contains(one.recipients, string(h.Recipient))) {
			found = true
			left = left || !s.gone(h, e.org, micro(one.from), micro(one.to))
		}
	}
	if !found {
		return nil
	}
	by := s.by
	if !left {
		by = s.destroyed
	}
	for _, w := range one.wearers {
		by.count(e.org, exposureKey{w, one.basis}, wearerExposed{one.fields, 1, one.from, one.to, one.years})
	}
	if s.r.Proofs {
		h := tlog.RecordHash(e.raw)
		s.proofs = append(s.proofs, vaultclient.EntryRef{Log: e.log, Seq: e.seq, Recorded: e.leaf.Recorded, LeafHash: h[:]})
	}
	return nil
}

// gone reports whether a recipient had destroyed what it was sent from one moment to another of an organisation's people, before somebody else may have had it.
func (s *scope) gone(h vaultclient.Hypothesis, org id.Organisation, from, to time.Time) bool {
	return !h.Began.IsZero() && slices.ContainsFunc(s.r.Less, func(d vaultclient.Destruction) bool {
		return d.Recipient == h.Recipient && d.Recipient != "" && !d.At.After(h.Began) && !from.Before(d.From) && from.Before(d.To) && !to.After(d.To) && (d.Organisation.IsZero() || d.Organisation == org)
	})
}

// lessens reports whether something that a recipient destroyed may be taken off a window.
func (s *scope) lessens(h vaultclient.Hypothesis) bool {
	return !h.Began.IsZero() && slices.ContainsFunc(s.r.Less, func(d vaultclient.Destruction) bool { return d.Recipient == h.Recipient })
}

func (s *scope) answer() vaultclient.Exposures {
	type cell struct {
		org    id.Organisation
		basis  string
		fields policy.Fields
	}
	cells := map[cell]int{}
	wearers, people := map[id.Wearer]bool{}, map[id.Person]bool{}
	out := vaultclient.Exposures{Cells: []vaultclient.ExposureCell{}, Proofs: s.proofs}
	s.v.mu.RLock()
	defer s.v.mu.RUnlock()
	for k, x := range s.by {
		wearers[k.wearer] = true
		if w := s.v.state.wearers[k.wearer]; w != nil {
			people[w.facts.Person] = true
		}
		cells[cell{x.org, k.basis.String(), x.fields}]++
		if s.r.List {
			out.List = append(out.List, x.exposure(k))
		}
	}
	if s.r.List {
		for k, x := range s.destroyed {
			out.Destroyed = append(out.Destroyed, x.exposure(k))
		}
	}
	for c, n := range cells {
		out.Cells = append(out.Cells, vaultclient.ExposureCell{Organisation: c.org, Basis: c.basis, Fields: c.fields, Wearers: n})
	}
	name := func(org id.Organisation) string {
		if o := s.v.state.organisations[org]; o != nil {
			return o.Name + org.String()
		}
		return org.String()
	}
	slices.SortFunc(out.Cells, func(a, b vaultclient.ExposureCell) int {
		return cmp.Or(cmp.Compare(name(a.Organisation), name(b.Organisation)), cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Fields, b.Fields))
	})
	for _, list := range [][]vaultclient.Exposure{out.List, out.Destroyed} {
		slices.SortFunc(list, func(a, b vaultclient.Exposure) int {
			return cmp.Or(cmp.Compare(name(a.Organisation), name(b.Organisation)), slices.Compare(a.Wearer[:], b.Wearer[:]), cmp.Compare(a.Basis, b.Basis))
		})
	}
	out.Wearers, out.People = len(wearers), len(people)
	return out
}

// Declare enters what a recipient held of wearers outside dosevault.
func (v *Vault) Declare(ctx context.Context, c Caller, d vaultclient.Declaration) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if len(d.Rows) == 0 || len(d.Rows) > vaultclient.MaxItems || d.Recipient == "" || len(d.Recipient) > 200 || !d.From.Before(d.To) || d.Import.IsZero() {
		return invalid("a declaration names a recipient, a window, and 1 to %d wearers", vaultclient.MaxItems)
	}
	if err := v.oversee(ctx, p, id.Organisation{}, id.Wearer{}, "declaration about "+string(d.Recipient)); err != nil {
		return err
	}
	// One entry for each organisation and combination of fields and years.
	type group struct {
		org    id.Organisation
		fields policy.Fields
		years  string
	}
	groups := map[group]*vaultclient.DeclaredRow{}
	wearers := map[group][]id.Wearer{}
	v.mu.RLock()
	for i, row := range d.Rows {
		w := v.state.wearers[row.Wearer]
		if w == nil || row.Fields == 0 || row.Fields&^policy.AllFields != 0 {
			v.mu.RUnlock()
			return invalid("row %d names no wearer, or no fields", i+1)
		}
		g := group{w.facts.Organisation, row.Fields, yearsKey(row.Years)}
		groups[g] = &d.Rows[i]
		wearers[g] = append(wearers[g], row.Wearer)
	}
	v.mu.RUnlock()
	var entries []entry
	for g, row := range groups {
		o := v.opening(p, ask{purpose: policy.Oversight, years: row.Years})
		o.Recipients, o.Fields, o.Wearers = []string{string(d.Recipient)}, row.Fields, wearers[g]
		o.From, o.To, o.File, o.Import = d.From.UnixMicro(), d.To.UnixMicro(), d.SHA256, d.Import
		e, err := v.seal(entry{org: g.org, kind: ledger.Declared, basis: ledger.DeclaredBefore, count: len(wearers[g]), occurred: d.To.UTC().Truncate(time.Microsecond)}, o)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		if v.state.imports[d.Import] != nil {
			return nil // entered before
		}
		t.entries = append(t.entries, entries...)
		return t.putImport(d.Import, importState{State: importConfirmed})
	}))
}

func yearsKey(years []uint16) string {
	sorted := slices.Sorted(slices.Values(years))
	b := make([]byte, 0, 2*len(sorted))
	for _, y := range sorted {
		b = append(b, byte(y>>8), byte(y))
	}
	return string(b)
}

// Checkpoint returns a log's latest checkpoint, for whoever wants to keep it.
func (v *Vault) Checkpoint(_ context.Context, _ Caller, log string) ([]byte, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if cp := v.checkpoints[log]; cp != nil {
		return cp, nil
	}
	return nil, &vaultclient.Error{Code: vaultclient.NotFound, Message: "no such log"}
}
