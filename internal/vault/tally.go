package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
)

// A sealed row opens in its own place only, but that alone does not tell that it is still there, or is not an earlier copy
// of itself. So each table of authority has a tally: how many rows it has, and the exclusive or of a keyed hash of each.
//
//	row's hash  = HMAC-SHA-256(key, "tally row", table, id, SHA-256(sealed))
//	table's sum = row's hash ⊕ row's hash ⊕ …
//	tallies     = HMAC-SHA-256(key, "tallies", table, count, sum, entry, table, …), tables in order of name, without those that never had a row
//
// where entry is how many entries the installation log has with the commit that changed the table last.
//
// This is incremental multiset hashing, MSet-XOR-Hash of Clarke, Devadas, van Dijk, Gassend and Suh (2003): adding or taking
// away a row costs one hash. A table is a set, since no two rows have one id, and for sets the exclusive or suffices. It has
// to be keyed: without a key, rows can be chosen whose hashes cancel out. The paper's random nonce, which hides the sum from
// whoever sees it, is not needed here: a sum never leaves the vault unsealed.
//
// The commit that changes a table writes its tally, sealed, in the same transaction. The tallies stand in the signed
// checkpoint of the installation log (ledger.CheckpointBody), which every such commit moves on by an entry at least. So
// whoever puts rows back must put the log back too, and the head that is kept outside tells that.
//
// Not tallied are tables of which other rows tell exactly what they hold, and whose rows are written once under their id
// and never changed: see [Vault.checkBound]. They have several rows for each wearer, so that their tallies would cost
// memory without showing more.

// bound are the tables that no tally is kept of, besides the tallies themselves: TableSecret is needed whole to start, and TableExposed
// is derived from the ledgers.
var bound = []Table{TableSecret, TableField, TableWearerKey, TableStaged, TableTally, TableExposed}

func tallied(t Table) bool { return !slices.Contains(bound, t) }

type rowHash [sha256.Size]byte

func (h *rowHash) xor(o rowHash) { subtle.XORBytes(h[:], h[:], o[:]) }

// tally is a table as the last commit left it.
type tally struct {
	sum   rowHash
	rows  map[string]rowHash // by id; a replaced row's is taken out of the sum
	entry int64              // entries of the installation log with the commit that changed it last; 0: never
}

// storedTally is a row of TableTally; its id is the table's name.
type storedTally struct {
	Count int    `json:"count"`
	Sum   []byte `json:"sum"`
	Entry int64  `json:"entry"`
}

// tallies are those of all tables. Only the committer uses them once the vault is open.
type tallies struct {
	key    seal.Key
	tables map[Table]*tally
	last   []byte // line of the tables as they are; nil: not known
}

func (ts *tallies) of(t Table) *tally {
	if ts.tables[t] == nil {
		ts.tables[t] = &tally{rows: map[string]rowHash{}}
	}
	return ts.tables[t]
}

func (ts *tallies) mac(c seal.Context) (h rowHash) {
	m := hmac.New(sha256.New, ts.key[:])
	m.Write(c)
	m.Sum(h[:0])
	return h
}

func (ts *tallies) hash(t Table, key, sealed []byte) rowHash {
	sum := sha256.Sum256(sealed)
	return ts.mac(seal.NewContext("tally row", []byte(t), key, sum[:]))
}

// tallyChange is what a batch does to a table.
type tallyChange struct {
	sum   rowHash
	count int
	rows  map[string]*rowHash // nil: deleted
	entry int64
}

// weigh returns what puts do to the tallies, by table, in the commit with which the installation log has that many entries.
// The tallies stay as they are.
func (ts *tallies) weigh(puts []Put, entries int64) map[Table]*tallyChange {
	changes := map[Table]*tallyChange{}
	for _, p := range puts {
		if !tallied(p.Table) {
			continue
		}
		was := ts.of(p.Table)
		c := changes[p.Table]
		if c == nil {
			c = &tallyChange{was.sum, len(was.rows), map[string]*rowHash{}, entries}
			changes[p.Table] = c
		}
		old, had := was.rows[string(p.ID)]
		if row, again := c.rows[string(p.ID)]; again {
			if had = row != nil; had {
				old = *row
			}
		}
		if had {
			c.sum.xor(old)
			c.count--
		}
		if p.Sealed == nil {
			c.rows[string(p.ID)] = nil
			continue
		}
		h := ts.hash(p.Table, p.ID, p.Sealed)
		c.sum.xor(h)
		c.count++
		c.rows[string(p.ID)] = &h
	}
	return changes
}

// apply makes changes those of the last commit.
func (ts *tallies) apply(changes map[Table]*tallyChange) {
	if len(changes) > 0 {
		ts.last = nil
	}
	for t, c := range changes {
		of := ts.of(t)
		of.sum, of.entry = c.sum, c.entry
		for key, h := range c.rows {
			if h == nil {
				delete(of.rows, key)
			} else {
				of.rows[key] = *h
			}
		}
	}
}

// line is what stands in the checkpoint once the changes are made.
func (ts *tallies) line(changes map[Table]*tallyChange) []byte {
	if len(changes) == 0 && ts.last != nil {
		return ts.last
	}
	var parts [][]byte
	for _, t := range slices.Sorted(slices.Values(Tables)) {
		if !tallied(t) {
			continue
		}
		of := ts.of(t)
		sum, count, entry := of.sum, len(of.rows), of.entry
		if c := changes[t]; c != nil {
			sum, count, entry = c.sum, c.count, c.entry
		}
		if entry > 0 {
			parts = append(parts, []byte(t), binary.BigEndian.AppendUint64(nil, uint64(count)), sum[:], binary.BigEndian.AppendUint64(nil, uint64(entry)))
		}
	}
	h := ts.mac(seal.NewContext("tallies", parts...))
	if len(changes) == 0 {
		ts.last = h[:]
	}
	return h[:]
}

// putTallies adds the tallies of the changed tables to a batch.
func (v *Vault) putTallies(b *Batch, changes map[Table]*tallyChange) error {
	for _, t := range Tables {
		c := changes[t]
		if c == nil {
			continue
		}
		sealed, err := v.sealRow(TableTally, []byte(t), storedTally{c.count, c.sum[:], c.entry})
		if err != nil {
			return err
		}
		b.Puts = append(b.Puts, Put{TableTally, []byte(t), sealed})
	}
	return nil
}

// rows reads a table at the start and tallies what it reads. Every table that is kept in memory is read by it, once, so
// that what is tallied is what the vault goes by.
func (v *Vault) rows(ctx context.Context, t Table, fn func(key, sealed []byte) error) error {
	if !tallied(t) {
		return v.store.Rows(ctx, t, fn)
	}
	if v.tallies.tables[t] != nil {
		return fmt.Errorf("table %s is read twice", t)
	}
	of := v.tallies.of(t)
	return v.store.Rows(ctx, t, func(key, sealed []byte) error {
		h := v.tallies.hash(t, key, sealed)
		of.sum.xor(h)
		of.rows[string(key)] = h
		return fn(key, sealed)
	})
}

// checkTallies holds every table against its tally, and all tallies against the installation log's checkpoint.
func (v *Vault) checkTallies(ctx context.Context) error {
	for _, t := range Tables {
		if tallied(t) && v.tallies.tables[t] == nil {
			if err := v.rows(ctx, t, func([]byte, []byte) error { return nil }); err != nil {
				return err
			}
		}
	}
	stored := map[Table]storedTally{}
	err := v.store.Rows(ctx, TableTally, func(key, sealed []byte) error {
		var row storedTally
		if err := v.openRow(TableTally, key, sealed, &row); err != nil {
			return err
		}
		stored[Table(key)] = row
		return nil
	})
	if err != nil {
		return err
	}
	const advice = "somebody else wrote to the database; keep a copy of it to look into, run dosevault verify on it, and restore the newest backup"
	var newest int64
	for _, t := range Tables {
		if !tallied(t) {
			continue
		}
		of, was := v.tallies.of(t), stored[t]
		if was.Sum == nil {
			was.Sum = make([]byte, len(of.sum))
		}
		if len(of.rows) != was.Count || !hmac.Equal(of.sum[:], was.Sum) {
			return fmt.Errorf("table %s: a row was put back, dropped, added or changed since the last commit: it has %d rows, and had %d: %s", t, len(of.rows), was.Count, advice)
		}
		of.entry = was.Entry
		newest = max(newest, was.Entry)
	}
	if checkpoint := v.checkpoints[ledger.InstallationLog]; checkpoint != nil {
		head, line, err := v.signer.Open(ledger.InstallationLog, checkpoint)
		if err != nil {
			return err
		}
		if !hmac.Equal(line, v.tallies.line(nil)) {
			return fmt.Errorf("table %s: it does not hold the tallies of the last commit: a table was put back together with its tally, or all of them were; the newest is of entry %d of the installation log, which has %d: %s", TableTally, newest, head.Size, advice)
		}
	}
	return nil
}

// checkBound holds the tables that are not tallied against the rows that tell what they hold: field against the versions in
// the wearers' rows, wearer_key against the wearers and those that are staged, staged against the imports. found is how many
// rows each has; that each of them belongs was checked as it was read, so equal numbers say that none is missing.
func (v *Vault) checkBound(found map[Table]int) error {
	want := map[Table]int{TableField: 0, TableWearerKey: len(policy.WearerClasses) * (len(v.state.wearers) + len(v.state.staged)), TableStaged: 0}
	for _, w := range v.state.wearers {
		for _, version := range w.facts.Versions {
			if version > 0 {
				want[TableField]++
			}
		}
	}
	for _, im := range v.state.imports {
		want[TableStaged] += im.Staged
	}
	for _, t := range bound {
		if n, ok := want[t]; ok && found[t] != n {
			return fmt.Errorf("table %s: it has %d rows, and should have %d: the database was changed; run dosevault verify", t, found[t], n)
		}
	}
	return nil
}
