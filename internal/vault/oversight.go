package vault

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

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
