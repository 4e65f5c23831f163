package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"iter"
	"time"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// A stored node's number. The writer numbers nodes in the order in which they become complete: appending leaf m
// stores the leaf's hash, then each complete subtree that ends with it, from the lowest up. Before leaf m there are
// m leaf hashes, ⌊m/2⌋ pairs, ⌊m/4⌋ subtrees of four …, in sum 2m − (number of one bits of m); so that is the number of
// leaf m's hash. A node of level k and place i ends with leaf m = (i+1)·2^k − 1 and follows k places after that leaf's
// hash. The compact range reports nodes in this very order, so that numbering them is counting: a log of n leaves
// has the numbers 0 to 2n − ones(n) − 1, none left out, and walk compares as it counts.

var hasher = rfc6962.DefaultHasher

// row is one row of a table of the source.
type row struct {
	n    int64 // seq or idx
	data []byte
}

// rows walks over a table row by row, in step with the others.
type rows struct {
	next func() (row, bool)
	stop func()
	err  error
	row  row // the row in hand
	ok   bool
}

var errStop = errors.New("stopped")

// step starts a walk and takes its first row in hand.
func step(walk func(fn func(int64, []byte) error) error) *rows {
	r := &rows{}
	r.next, r.stop = iter.Pull(iter.Seq[row](func(yield func(row) bool) {
		err := walk(func(n int64, data []byte) error {
			if !yield(row{n, data}) {
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

func (r *rows) advance() { r.row, r.ok = r.next() }

// walk is the verification of one log.
type walk struct {
	v          *verifier
	name       string
	checkpoint Head
	kept       []Head
	named      *headReader
	report     LogReport

	tree  *compact.Range
	nodes *rows
	count int64 // nodes compared
	// The first stored node that is not as recomputed: reported at the end, when it is known whether the leaf or the node is wrong.
	badNode, badSeq, badLevel int64
	badWhat                   string
	whole                     int64 // entries that a matching head covers; -1: none known
}

// at returns a difference at an entry, unless an earlier entry's node already differs.
func (w *walk) at(seq int64, format string, a ...any) error {
	if w.badWhat != "" && w.badSeq < seq {
		return w.badLeaf(false)
	}
	return &Difference{w.name, seq, fmt.Sprintf(format, a...)}
}

// badLeaf returns the difference for the first node that is not as recomputed.
func (w *walk) badLeaf(rootRight bool) error {
	switch {
	case rootRight:
		return &Difference{w.name, w.badSeq, fmt.Sprintf("stored node %d (level %d) %s", w.badNode, w.badLevel, w.badWhat)}
	case w.badLevel == 0 && w.badWhat == nodeDiffers:
		return &Difference{w.name, w.badSeq, "the leaf is not the one that was entered: its hash is not the stored one"}
	}
	return &Difference{w.name, w.badSeq, fmt.Sprintf("leaf or tree is not as it was entered: stored node %d (level %d) %s", w.badNode, w.badLevel, w.badWhat)}
}

const (
	nodeDiffers = "is not the recomputed one"
	nodeMissing = "is missing"
	nodeExtra   = "belongs to no subtree"
)

// compare takes the recomputed nodes in their order and compares the stored ones.
func (w *walk) compare(id compact.NodeID, hash []byte) {
	want := w.count
	w.count++
	what := ""
	for w.nodes.ok && w.nodes.row.n < want {
		what = nodeExtra
		w.nodes.advance()
	}
	if !w.nodes.ok || w.nodes.row.n > want {
		what = nodeMissing
	} else {
		if !bytes.Equal(w.nodes.row.data, hash) {
			what = nodeDiffers
		}
		w.nodes.advance()
	}
	if what != "" && w.badWhat == "" {
		w.badNode, w.badSeq, w.badLevel, w.badWhat = want, int64(w.tree.End()), int64(id.Level), what
	}
}

func (w *walk) root() [sha256.Size]byte {
	if w.tree.End() == 0 {
		return [sha256.Size]byte(hasher.EmptyRoot())
	}
	root, err := w.tree.GetRootHash(nil)
	if err != nil {
		panic("verify: a range from 0 has a root: " + err.Error())
	}
	return [sha256.Size]byte(root)
}

// run verifies the log and fills the report.
func (w *walk) run() error {
	ctx, src := w.v.ctx, w.v.src
	w.tree = (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	w.whole = -1
	w.nodes = step(func(fn func(int64, []byte) error) error { return src.Nodes(ctx, w.name, fn) })
	defer w.nodes.stop()
	openings := step(func(fn func(int64, []byte) error) error { return src.Openings(ctx, w.name, fn) })
	defer openings.stop()

	var last entry
	n := int64(0)
	err := src.Leaves(ctx, w.name, func(seq int64, leaf []byte) error {
		if seq > n {
			return w.at(n, "the entry is missing; the next one is %d", seq)
		} else if seq < n {
			return w.at(n, "an entry stands out of order: %d", seq)
		}
		if err := w.tree.Append(hasher.HashLeaf(leaf), w.compare); err != nil {
			return fmt.Errorf("verify: log %s, entry %d: %w", w.name, seq, err)
		}
		e, err := decodeLeaf(leaf)
		if err != nil {
			return w.at(seq, "%v", err)
		}
		switch {
		case (e.kind == kindOpenLog) != (seq == 0):
			return w.at(seq, "an entry that opens a log must be its first, and the first must be one; this one is of kind %d", e.kind)
		case e.kind == kindHeads && w.name != installationLog:
			return w.at(seq, "an entry of heads stands in an organisation's log")
		case seq > 0 && e.recorded < last.recorded:
			return w.at(seq, "the entry was recorded before the one that it follows")
		}
		last = e
		if openings.ok && openings.row.n < seq {
			return w.at(openings.row.n, "an opening without a leaf")
		}
		if openings.ok && openings.row.n == seq {
			if err := w.opening(seq, e, openings.row.data); err != nil {
				return err
			}
			openings.advance()
		} else {
			if e.kind == kindHeads || e.kind == kindOpenLog {
				return w.at(seq, "the opening is missing, and an entry of kind %d is never erased: it names nobody", e.kind)
			}
			w.report.Erased++
		}
		n++
		return w.heads(n)
	})
	if e := errors.Join(w.nodes.err, openings.err); e != nil { // rather than take what could not be read for missing
		err = e
	}
	if err != nil {
		var d *Difference
		if errors.As(err, &d) {
			return d
		}
		return fmt.Errorf("verify: reading log %s: %w", w.name, err)
	}
	w.report.Leaves, w.report.Root = n, w.root()
	if n > 0 {
		w.report.Newest = time.UnixMicro(last.recorded).UTC()
	}
	return w.end(n, openings)
}

// opening checks one opening and notes what later logs are checked against. An opening that does not open, or is not
// the leaf's, is a difference.
func (w *walk) opening(seq int64, e entry, sealed []byte) error {
	v := w.v
	if v.opt.Open == nil {
		w.report.Unchecked++
		return nil
	}
	b, err := v.opt.Open(w.name, e.opening, sealed)
	if err != nil {
		return w.at(seq, "the opening does not open: %v", err)
	}
	o, err := decodeOpening(b, e)
	if err != nil {
		return w.at(seq, "%v", err)
	}
	w.report.Opened++
	if e.kind == kindOpenLog {
		if what := v.link(w.name, o.Previous); what != "" {
			return w.at(seq, "%s", what)
		}
	}
	if e.kind == kindHeads {
		for _, h := range o.Heads {
			if _, ok := organisationOf(h.Log); !ok {
				return w.at(seq, "a head is not of an organisation's log")
			}
			named := v.named[h.Log]
			if named == nil {
				named = &namedHeads{digest: sha256.New()}
				v.named[h.Log] = named
			}
			if h.Size < named.size {
				return w.at(seq, "the head of %s goes back from %d entries to %d", h.Log, named.size, h.Size)
			}
			named.add(seq, h)
		}
	}
	if e.kind == kindImport && o.Manifest != nil {
		org, _ := organisationOf(w.name)
		v.report.Manifests = append(v.report.Manifests, ManifestEntry{
			Log: w.name, Seq: seq, Import: o.Import, Organisation: org,
			Kind: o.Manifest.Kind, Rows: o.Manifest.Rows, Hash: o.Manifest.Hash,
		})
	}
	return nil
}

// link checks the head of the year before in the first entry of a log and returns what is wrong with it.
func (v *verifier) link(log string, previous *head) string {
	// Logs are verified by name, so that an organisation's year before is the one verified last.
	var before *head
	org, _ := organisationOf(log)
	if h, ok := v.done[v.before]; ok && log != installationLog {
		if o, ok := organisationOf(h.Log); ok && o == org {
			before = &h
		}
	}
	switch {
	case previous == nil && before == nil:
		return ""
	case previous == nil:
		return fmt.Sprintf("the head of the year before, %s, is not in the log's first entry", before.Log)
	case before == nil || before.Log != previous.Log:
		return fmt.Sprintf("the log of the year before, %q with %d entries, is missing", previous.Log, previous.Size)
	case before.Size != previous.Size || !bytes.Equal(before.Root, previous.Root):
		return fmt.Sprintf("%s ended with %d entries and another root than it has now, with %d", before.Log, previous.Size, before.Size)
	}
	return ""
}

// heads compares the root at size n with every head that states one.
func (w *walk) heads(n int64) error {
	for len(w.kept) > 0 && w.kept[0].Size <= n {
		h := w.kept[0]
		w.kept = w.kept[1:]
		if h.Size < n { // a head of an empty log says nothing
			continue
		}
		if w.root() != h.Root {
			if w.badWhat != "" { // the stored nodes, which the head vouches for too, say which
				return w.badLeaf(false)
			}
			return w.at(max(w.whole, 0), "entries from here to %d are not those of the kept head with %d entries", n-1, n)
		}
		w.whole = n
	}
	for w.named != nil && w.named.ok && w.named.size == n {
		root := w.root()
		w.named.digest.Write(root[:])
		w.named.advance()
	}
	return nil
}

// end checks what must hold when all n leaves were read.
func (w *walk) end(n int64, openings *rows) error {
	right := w.report.Root == w.checkpoint.Root && n == w.checkpoint.Size
	if w.badWhat != "" {
		return w.badLeaf(right)
	}
	for _, h := range w.kept {
		if h.Size > n {
			return w.at(n, "the log was cut or rolled back: %d entries, kept head has %d", n, h.Size)
		}
	}
	if w.named != nil && (w.named.ok || !bytes.Equal(w.named.digest.Sum(nil), w.named.want)) {
		return w.locate(n)
	}
	cp := w.checkpoint
	switch {
	case n == 0 && cp.Size == 0:
		return w.at(-1, "the log has no entry")
	case n < cp.Size:
		return w.at(n, "the log was cut or rolled back: %d entries, checkpoint has %d", n, cp.Size)
	case n > cp.Size:
		return w.at(cp.Size, "%d entries follow that the checkpoint with %d does not cover", n-cp.Size, cp.Size)
	case !right:
		return w.at(w.whole, "the recomputed root is not the checkpoint's: entries were changed together with the stored nodes")
	case w.named != nil && w.named.last < n:
		return w.at(w.named.last, "the entry and those after it are covered by no head in the installation log")
	case w.named == nil && w.name != installationLog && w.v.opt.Open != nil:
		return w.at(-1, "no entry of the installation log names the log")
	case w.nodes.ok:
		return w.at(n, "the log was cut, or nodes were added: node %d is stored, %d entries have %d", w.nodes.row.n, n, w.count)
	case openings.ok:
		return w.at(openings.row.n, "an opening without a leaf")
	}
	return nil
}

// namedHeads are the heads of one log that the installation log names, in a few bytes each: the steps in size and in
// the naming entry, and one digest over all roots.
type namedHeads struct {
	steps     []byte // uvarints: step in size, step in seq
	digest    hash.Hash
	size, seq int64 // of the last one
}

func (n *namedHeads) add(seq int64, h head) {
	n.steps = binary.AppendUvarint(n.steps, uint64(h.Size-n.size))
	n.steps = binary.AppendUvarint(n.steps, uint64(seq-n.seq))
	n.digest.Write(h.Root)
	n.size, n.seq = h.Size, seq
}

// reader returns the heads in order; nil when there are none.
func (n *namedHeads) reader() *headReader {
	if n == nil {
		return nil
	}
	r := &headReader{steps: n.steps, want: n.digest.Sum(nil), last: n.size, digest: sha256.New()}
	r.advance()
	return r
}

// headReader reads namedHeads back; digest collects the recomputed roots.
type headReader struct {
	steps     []byte
	ok        bool
	size, seq int64
	last      int64
	want      []byte
	digest    hash.Hash
}

func (r *headReader) advance() {
	if r.ok = len(r.steps) > 0; r.ok {
		r.size += r.uvarint()
		r.seq += r.uvarint()
	}
}

func (r *headReader) uvarint() int64 {
	v, n := binary.Uvarint(r.steps)
	r.steps = r.steps[n:]
	return int64(v)
}

// locate walks over the log a second time to find the first head of the installation log that it does not agree
// with; n is the log's size.
func (w *walk) locate(n int64) error {
	v := w.v
	type stated struct {
		head
		seq int64
	}
	var heads []stated
	openings := step(func(fn func(int64, []byte) error) error { return v.src.Openings(v.ctx, installationLog, fn) })
	defer openings.stop()
	err := v.src.Leaves(v.ctx, installationLog, func(seq int64, leaf []byte) error {
		for openings.ok && openings.row.n < seq {
			openings.advance()
		}
		e, err := decodeLeaf(leaf)
		if err != nil || e.kind != kindHeads || !openings.ok || openings.row.n != seq {
			return err
		}
		b, err := v.opt.Open(installationLog, e.opening, openings.row.data)
		if err != nil {
			return err
		}
		o, err := decodeOpening(b, e)
		for _, h := range o.Heads {
			if h.Log == w.name {
				heads = append(heads, stated{h, seq})
			}
		}
		return err
	})
	if err := errors.Join(err, openings.err); err != nil {
		return fmt.Errorf("verify: reading the installation log again: %w", err)
	}

	tree := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	covered := int64(0)
	err = v.src.Leaves(v.ctx, w.name, func(seq int64, leaf []byte) error {
		if err := tree.Append(hasher.HashLeaf(leaf), nil); err != nil {
			return err
		}
		for len(heads) > 0 && heads[0].Size == seq+1 {
			root, err := tree.GetRootHash(nil)
			if err != nil {
				return err
			}
			if h := heads[0]; !bytes.Equal(root, h.Root) {
				return w.at(covered, "entries from here to %d are not those of the head in entry %d of the installation log", seq, h.seq)
			}
			covered, heads = seq+1, heads[1:]
		}
		return nil
	})
	var d *Difference
	switch {
	case errors.As(err, &d):
		return d
	case err != nil:
		return fmt.Errorf("verify: reading log %s again: %w", w.name, err)
	case len(heads) > 0:
		h := heads[len(heads)-1]
		return w.at(n, "the log was cut or rolled back: %d entries, entry %d of the installation log has %d", n, h.seq, h.Size)
	}
	return fmt.Errorf("verify: log %s changed while it was read", w.name)
}
