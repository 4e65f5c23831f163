package verify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/dosevault/dosevault/internal/id"
)

// Rows is a consistent snapshot of a vault's sealed rows, the one that the ledgers are read from.
type Rows interface {
	// Tables returns the names of the tables of sealed rows.
	Tables() []string
	// Rows walks over a table in order of id; the slices are fn's to keep. Walks over different tables may be under way at
	// the same time.
	Rows(ctx context.Context, table string, fn func(id, sealed []byte) error) error
}

// AuthorityOptions are what tallies and facts are read with.
type AuthorityOptions struct {
	// Tallies is what stands in the installation log's checkpoint, see Report.
	Tallies []byte
	// Key is the vault's secret "tallies".
	Key []byte
	// Open opens a row of a table that is sealed with the vault's own key.
	Open func(table string, id, sealed []byte) ([]byte, error)
	// Unwrap unwraps a wearer's key and returns what opens a field that is sealed with it.
	Unwrap func(table string, id, wrapped []byte) (open func(id, sealed []byte) error, err error)
}

// Tables that have no tally. The secrets open or do not; fields, keys and staged rows are told by rows of wearer and import; the index of exposures is
// made from the ledgers again, and compared.
const (
	tableSecret  = "secret"
	tableTally   = "tally"
	tableField   = "field"
	tableKey     = "wearer_key"
	tableStaged  = "staged"
	tableExposed = "exposed"
)

// Authority recomputes the tallies of the vault's tables from their rows:
//
//	row's hash  = HMAC-SHA-256(key, list("dosevault/v1/tally row", table, id, SHA-256(sealed)))
//	table's sum = the exclusive or of its rows' hashes
//	tallies     = HMAC-SHA-256(key, list("dosevault/v1/tallies", table, count, sum, entry, …)), for each row of table tally in order of name
//
// where entry is what that row says, counts have 8 bytes, and list writes each part behind its length in 4 bytes, big endian. It holds each table against the row of table tally
// that bears its name, all of them against the checkpoint, and the tables without a tally against the wearers and imports:
// every wearer has one field of each class under the version that its row says and a key for each class, and so has everybody who is staged;
// an import has as many staged rows as its row says. All of these open. The error is a *Difference that names the table.
func Authority(ctx context.Context, src Rows, opt AuthorityOptions) error {
	a := &authority{ctx: ctx, src: src, opt: opt}
	for _, read := range []func() error{a.tallies, a.waiting, a.wearers} {
		if err := read(); err != nil {
			var d *Difference
			if errors.As(err, &d) {
				return d
			}
			return fmt.Errorf("verify: reading the vault's tables: %w", err)
		}
	}
	return nil
}

type authority struct {
	ctx    context.Context
	src    Rows
	opt    AuthorityOptions
	staged []id.Wearer // who is new in an import that waits, in order
}

func inTable(table, format string, a ...any) *Difference {
	return &Difference{"table " + table, -1, fmt.Sprintf(format, a...)}
}

// mac is the keyed hash over a list.
func (a *authority) mac(parts ...[]byte) [sha256.Size]byte {
	m := hmac.New(sha256.New, a.opt.Key)
	for _, p := range parts {
		m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		m.Write(p)
	}
	return [sha256.Size]byte(m.Sum(nil))
}

// tallies recomputes the tallies.
func (a *authority) tallies() error {
	stored := map[string]struct {
		Count, Entry int64
		Sum          []byte
	}{}
	err := a.src.Rows(a.ctx, tableTally, func(key, sealed []byte) error {
		b, err := a.opt.Open(tableTally, key, sealed)
		row := stored[string(key)]
		if err != nil || json.Unmarshal(b, &row) != nil {
			return inTable(tableTally, "the tally of table %q does not open", key)
		}
		stored[string(key)] = row
		return nil
	})
	if err != nil {
		return err
	}
	all := [][]byte{[]byte("dosevault/v1/tallies")}
	var wrong *Difference
	tables := slices.Sorted(slices.Values(a.src.Tables()))
	for _, table := range tables {
		if slices.Contains([]string{tableSecret, tableTally, tableField, tableKey, tableStaged, tableExposed}, table) {
			continue
		}
		sum, n := make([]byte, sha256.Size), int64(0)
		err := a.src.Rows(a.ctx, table, func(key, sealed []byte) error {
			digest := sha256.Sum256(sealed)
			hash := a.mac([]byte("dosevault/v1/tally row"), []byte(table), key, digest[:])
			for i := range sum {
				sum[i] ^= hash[i]
			}
			n++
			return nil
		})
		if err != nil {
			return err
		}
		was, has := stored[table]
		if !has {
			was.Sum = make([]byte, sha256.Size)
		}
		if n != was.Count || !bytes.Equal(sum, was.Sum) {
			if wrong == nil {
				wrong = inTable(table, "a row was put back, dropped, added or changed since the last commit: it has %d rows, its tally says %d", n, was.Count)
			} else {
				wrong.What += "; likewise table " + table
			}
		}
		delete(stored, table)
		if has {
			all = append(all, []byte(table), binary.BigEndian.AppendUint64(nil, uint64(n)), sum, binary.BigEndian.AppendUint64(nil, uint64(was.Entry)))
		}
	}
	if wrong != nil {
		return wrong
	}
	for table := range stored {
		return inTable(tableTally, "it has a tally of %q, which is no table that has one", table)
	}
	if want := a.mac(all...); !bytes.Equal(want[:], a.opt.Tallies) {
		return inTable(tableTally, "the tallies are not those of the installation log's checkpoint: a table was put back together with its tally, or all of them were")
	}
	return nil
}

// wearerClasses are the classes of fields that have a key for each wearer.
var wearerClasses = []byte{1, 2, 3, 4, 5, 6}

// sealedRow is a row of a table of sealed rows.
type sealedRow struct{ id, sealed []byte }

// inOrder walks over a table row by row, in step with others.
type inOrder struct {
	table string
	next  func() (sealedRow, bool)
	stop  func()
	err   error
	row   sealedRow
	ok    bool
}

func (a *authority) inOrder(table string) *inOrder {
	r := &inOrder{table: table}
	r.next, r.stop = iter.Pull(iter.Seq[sealedRow](func(yield func(sealedRow) bool) {
		err := a.src.Rows(a.ctx, table, func(key, sealed []byte) error {
			if !yield(sealedRow{key, sealed}) {
				return errStop
			}
			return nil
		})
		if !errors.Is(err, errStop) {
			r.err = err
		}
	}))
	r.advance()
	return r
}

func (r *inOrder) advance() { r.row, r.ok = r.next() }

// take returns the row of an id, which must be the next one.
func (r *inOrder) take(key []byte) ([]byte, error) {
	switch {
	case r.err != nil:
		return nil, r.err
	case r.ok && bytes.Equal(r.row.id, key):
		sealed := r.row.sealed
		r.advance()
		return sealed, nil
	case r.ok && bytes.Compare(r.row.id, key) < 0:
		return nil, inTable(r.table, "row %x belongs to nothing that is there: it was put back or added", r.row.id)
	}
	return nil, inTable(r.table, "row %x was dropped", key)
}

// end says whether no row is left.
func (r *inOrder) end() error {
	if r.err == nil && r.ok {
		return inTable(r.table, "row %x belongs to nothing that is there: it was put back or added", r.row.id)
	}
	return r.err
}

// waiting holds table staged against the imports, and notes who is new in it.
func (a *authority) waiting() error {
	staged := a.inOrder(tableStaged)
	defer staged.stop()
	err := a.src.Rows(a.ctx, "import", func(key, sealed []byte) error {
		var row struct{ Staged uint32 }
		if b, err := a.opt.Open("import", key, sealed); err != nil || json.Unmarshal(b, &row) != nil {
			return inTable("import", "row %x does not open", key)
		}
		for i := range row.Staged {
			at := binary.BigEndian.AppendUint32(bytes.Clone(key), i)
			sealed, err := staged.take(at)
			if err != nil {
				return err
			}
			var change struct {
				Wearer id.Wearer
				New    bool
			}
			if b, err := a.opt.Open(tableStaged, at, sealed); err != nil || json.Unmarshal(b, &change) != nil {
				return inTable(tableStaged, "row %x does not open", at)
			}
			if change.New {
				a.staged = append(a.staged, change.Wearer)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(a.staged, func(x, y id.Wearer) int { return bytes.Compare(x[:], y[:]) })
	return staged.end()
}

// wearers holds tables wearer_key and field against the wearers and those who are staged.
func (a *authority) wearers() error {
	keys, fields := a.inOrder(tableKey), a.inOrder(tableField)
	defer keys.stop()
	defer fields.stop()
	// keysOf takes a wearer's keys, of each class one.
	keysOf := func(wearer []byte) (open [8]func(id, sealed []byte) error, err error) {
		for _, class := range wearerClasses {
			at := binary.BigEndian.AppendUint32(append(bytes.Clone(wearer), class), 1)
			wrapped, err := keys.take(at)
			if err != nil {
				return open, err
			}
			if open[class], err = a.opt.Unwrap(tableKey, at, wrapped); err != nil {
				return open, inTable(tableKey, "row %x does not open", at)
			}
		}
		return open, nil
	}
	stagedBefore := func(wearer []byte) error {
		for len(a.staged) > 0 && (wearer == nil || bytes.Compare(a.staged[0][:], wearer) < 0) {
			if _, err := keysOf(a.staged[0][:]); err != nil {
				return err
			}
			a.staged = a.staged[1:]
		}
		return nil
	}
	err := a.src.Rows(a.ctx, "wearer", func(key, sealed []byte) error {
		if err := stagedBefore(key); err != nil {
			return err
		}
		var row struct{ Versions [8]uint32 }
		if b, err := a.opt.Open("wearer", key, sealed); err != nil || json.Unmarshal(b, &row) != nil {
			return inTable("wearer", "row %x does not open", key)
		}
		open, err := keysOf(key)
		if err != nil {
			return err
		}
		for class, version := range row.Versions {
			if version == 0 {
				continue
			}
			at := binary.BigEndian.AppendUint32(append(bytes.Clone(key), byte(class)), version)
			sealed, err := fields.take(at)
			if err != nil {
				return err
			}
			if open[class] == nil || open[class](at, sealed) != nil {
				return inTable(tableField, "row %x does not open", at)
			}
		}
		return nil
	})
	for _, rest := range []func() error{func() error { return stagedBefore(nil) }, keys.end, fields.end} {
		if err == nil {
			err = rest()
		}
	}
	return err
}
