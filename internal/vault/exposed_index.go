package vault

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// The index of exposures is derived from the organisations' ledgers in the background: for each log, each recipient and anybody,
// what became readable in the whole log and in each month, see exposed. A mark says how many of a log's entries it has; what came
// later is read from the log itself. So a question costs what its answer is long, and an entry waits for no index.
//
// Nothing here is authority: whoever changes a row gets a wrong answer until verify, which makes the index again and compares.
// Were openings erased, the rows and the mark of their log would have to go with them.

const (
	indexEvery = 10 * time.Second // that it is looked whether a log has grown
	indexAfter = 8192             // new entries of a log that are indexed at once; fewer after indexIdle
	indexIdle  = 10 * time.Minute
	indexMost  = 1 << 16 // entries that one commit indexes
	exposedPad = 1024
)

// exposedID is the id of a sum's row. It tells nobody without the vault's key whose it is.
func (v *Vault) exposedID(k exposedKey) []byte {
	h := v.keyedHash("exposed", []byte(k.log), []byte{k.part}, []byte(k.recipient))
	return h[:16]
}

// markID is the id of the row that says how many entries of a log are indexed.
func (v *Vault) markID(log string) []byte {
	h := v.keyedHash("exposed mark", []byte(log))
	return h[:16]
}

const markVersion = 2 // the first byte of a mark, which no sum begins with

func encodeMark(log string, size int64) []byte {
	b := append(binary.AppendUvarint([]byte{markVersion}, uint64(len(log))), log...)
	return binary.AppendUvarint(b, uint64(size))
}

func decodeMark(b []byte) (log string, size int64, err error) {
	r := &reader{b: b}
	version := r.bytes(1)[0]
	log = string(r.bytes(r.uvarint()))
	if size = int64(r.uvarint()); version != markVersion || r.bad || len(r.b) > 0 || size < 0 {
		return "", 0, errExposed
	}
	return log, size, nil
}

// exposedRows reads rows of the index, opened; nil where there is none.
func (v *Vault) exposedRows(ctx context.Context, ids [][]byte) ([][]byte, error) {
	rows, err := v.store.Get(ctx, TableExposed, ids)
	if err != nil {
		return nil, err
	}
	for i, sealed := range rows {
		if sealed != nil {
			if rows[i], err = v.authority.Open(rowContext(TableExposed, ids[i]), sealed); err != nil {
				return nil, fmt.Errorf("table %s, row %x: does not open here: the database was changed; run dosevault verify", TableExposed, ids[i])
			}
		}
	}
	return rows, nil
}

// indexed is how many entries of a log the index has.
func (v *Vault) indexed(ctx context.Context, log string) (int64, error) {
	rows, err := v.exposedRows(ctx, [][]byte{v.markID(log)})
	if err != nil || rows[0] == nil {
		return 0, err
	}
	of, size, err := decodeMark(rows[0])
	if err == nil && of != log {
		err = errExposed
	}
	return size, err
}

// indexer goes on with the index until the vault is closed.
func (v *Vault) indexer() {
	defer v.beside.Done()
	ctx := context.Background()
	last := map[string]time.Time{}
	for {
		select {
		case <-v.quit:
			return
		case <-time.After(indexEvery):
		}
		for _, one := range v.organisationLogs() {
			after := int64(1) // also at the first look after a start
			if time.Since(last[one.log.Name]) < indexIdle {
				after = indexAfter
			}
			if err := v.index(ctx, one.org, one.log, after); err != nil {
				if !errors.Is(err, errStopped) {
					v.log.Error("the index of exposures does not go on; questions read the ledgers instead", "log", one.log.Name, "error", err)
				}
				break
			}
			if after == 1 {
				last[one.log.Name] = time.Now()
			}
		}
	}
}

type organisationLog struct {
	org id.Organisation
	log LogState
}

// organisationLogs are the logs of all organisations.
func (v *Vault) organisationLogs() (out []organisationLog) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for org := range v.state.organisations {
		for name, tree := range v.trees {
			if strings.HasPrefix(name, org.String()+"/") {
				out = append(out, organisationLog{org, LogState{Name: name, Size: tree.Size()}})
			}
		}
	}
	slices.SortFunc(out, func(a, b organisationLog) int { return cmp.Compare(a.log.Name, b.log.Name) })
	return out
}

// IndexExposures brings the index up to the end of every log, as the vault does by itself some time later.
func (v *Vault) IndexExposures(ctx context.Context) error {
	for _, one := range v.organisationLogs() {
		if err := v.index(ctx, one.org, one.log, 1); err != nil {
			return err
		}
	}
	return nil
}

// index brings the index of a log up to its size if it has grown by so many entries.
func (v *Vault) index(ctx context.Context, org id.Organisation, log LogState, after int64) error {
	from, err := v.indexed(ctx, log.Name)
	if err != nil || log.Size-from < after {
		return err
	}
	for from < log.Size {
		to := min(from+indexMost, log.Size)
		if err := v.indexPart(ctx, org, log.Name, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// indexPart adds the entries [from, to) of a log to the index, in one commit.
func (v *Vault) indexPart(ctx context.Context, org id.Organisation, log string, from, to int64) error {
	var all []exposing
	var keys []exposedKey
	seen := map[exposedKey]bool{}
	err := v.read(ctx, org, log, from, to, func(e opened) error {
		x, ok := exposingOf(e.seq, e.leaf, e.opening)
		if !ok {
			return nil
		}
		all = append(all, x)
		for _, k := range x.keys(log) {
			if !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ids := make([][]byte, len(keys))
	for i, k := range keys {
		ids[i] = v.exposedID(k)
	}
	rows, err := v.exposedRows(ctx, ids)
	if err != nil {
		return err
	}
	touched := sums{}
	for i, b := range rows {
		if b == nil {
			continue
		}
		s, err := decodeExposed(b)
		if err != nil || s.exposedKey != keys[i] {
			return fmt.Errorf("table %s, row %x: %w", TableExposed, ids[i], errExposed)
		}
		touched[keys[i]] = s
	}
	for i := range all {
		touched.add(log, &all[i])
	}
	puts := make([]Put, 0, len(keys)+1)
	put := func(key, row []byte) error {
		sealed, err := v.authority.Seal(rowContext(TableExposed, key), exposedPad, row)
		puts = append(puts, Put{TableExposed, key, sealed})
		return err
	}
	for i, k := range keys {
		if err := put(ids[i], touched[k].encode()); err != nil {
			return err
		}
	}
	if err := put(v.markID(log), encodeMark(log, to)); err != nil {
		return err
	}
	v.indexMu.Lock() // a question that is being answered finishes with the mark that it began with
	defer v.indexMu.Unlock()
	return v.commit(ctx, func(t *tx) error {
		t.puts = append(t.puts, puts...)
		return nil
	})
}

// readLog adds what a log says to a scope: by the index as far as that goes, and the rest from the log itself.
func (s *scopePart) readLog(ctx context.Context, log LogState) error {
	s.v.indexMu.RLock()
	defer s.v.indexMu.RUnlock()
	mark, err := s.v.indexed(ctx, log.Name)
	if err != nil {
		return err
	}
	mark = min(mark, log.Size)
	if mark > 0 {
		if err := s.readIndexed(ctx, log.Name); err != nil {
			return err
		}
	}
	return s.v.read(ctx, s.org, log.Name, mark, log.Size, s.add)
}

// lookup is a row of the index that some of the windows ask for.
type lookup struct {
	row    []byte // what stands behind the head
	sum    exposed
	within bool // whether all that it has lies in the window, it was asked for by one alone, and nothing is taken off
}

// readIndexed adds what the index has of a log. The whole log's sums are enough where a window holds all of them; else it goes by month, and
// where a window cuts through a month, two windows may share entries, or some was destroyed, by the entries themselves.
func (s *scopePart) readIndexed(ctx context.Context, log string) error {
	whole, err := s.lookups(ctx, log, []byte{0})
	if err != nil || len(whole) == 0 {
		return err
	}
	if len(whole) == 1 && whole[0].within && !s.proofs {
		return s.merge(whole[0])
	}
	months, err := s.lookups(ctx, log, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	if err != nil {
		return err
	}
	for len(months) > 0 {
		n := 1
		for n < len(months) && months[n].sum.part == months[0].sum.part {
			n++
		}
		if err := s.readMonth(ctx, log, months[:n]); err != nil {
			return err
		}
		months = months[n:]
	}
	return nil
}

// lookups finds the sums of parts of a log that windows touch, in order of the parts.
func (s *scopePart) lookups(ctx context.Context, log string, parts []byte) ([]lookup, error) {
	var keys []exposedKey
	var ids [][]byte
	windows := map[exposedKey][]vaultclient.Hypothesis{}
	for _, part := range parts {
		for _, h := range s.windows {
			k := exposedKey{log, part, string(h.Recipient)}
			if windows[k] == nil {
				keys, ids = append(keys, k), append(ids, s.v.exposedID(k))
			}
			windows[k] = append(windows[k], h)
		}
	}
	rows, err := s.v.exposedRows(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []lookup
	for i, row := range rows {
		if row == nil {
			continue
		}
		r := &reader{b: row}
		var one lookup
		if one.sum.head(r); r.bad || one.sum.exposedKey != keys[i] {
			return nil, fmt.Errorf("table %s, row %x: %w", TableExposed, ids[i], errExposed)
		}
		one.row = r.b
		touching := 0
		for _, h := range windows[keys[i]] {
			from, to := h.From.UnixMicro(), h.To.UnixMicro()
			if one.sum.from < to && one.sum.to >= from {
				touching++
				one.within = one.sum.from >= from && one.sum.to < to && !s.lessens(h)
			}
		}
		if touching > 0 {
			one.within = one.within && touching == 1
			out = append(out, one)
		}
	}
	return out, nil
}

// readMonth adds a month by its sums, or by its entries.
func (s *scopePart) readMonth(ctx context.Context, log string, all []lookup) error {
	if len(all) == 1 && all[0].within && !s.proofs {
		return s.merge(all[0])
	}
	var seqs []int64
	for _, one := range all {
		r := &reader{b: one.row}
		one.sum.eachWearer(r, func(exposureKey, wearerExposed) {})
		seqs = append(seqs, readSeqs(r)...)
		if r.bad {
			return errExposed
		}
	}
	slices.Sort(seqs)
	const apart = 32 // entries between two that are read along with them rather than asked for anew
	for len(seqs) > 0 {
		n := 1
		for n < len(seqs) && seqs[n]-seqs[n-1] <= apart {
			n++
		}
		wanted := seqs[:n]
		err := s.v.read(ctx, s.org, log, wanted[0], wanted[n-1]+1, func(e opened) error {
			if _, ok := slices.BinarySearch(wanted, e.seq); !ok {
				return nil
			}
			return s.add(e)
		})
		if err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

// merge adds a sum.
func (s *scopePart) merge(one lookup) error {
	r := &reader{b: one.row}
	one.sum.eachWearer(r, func(k exposureKey, w wearerExposed) { s.by.count(k, w) })
	if r.bad {
		return errExposed
	}
	return nil
}
