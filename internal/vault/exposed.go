package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
)

// exposed sums up what a part of a log made readable to one recipient: of each wearer and basis the fields, years, first and
// last moment and number of entries; and which entries those are.
//
//	version     1 byte, 1
//	log         length (uvarint), text
//	part        1 byte: 0 the whole log, 1 to 12 a month in UTC of when entries were recorded
//	recipient   length (uvarint), text; empty: anybody
//	from, to    varint each, µs: the first and last moment of all entries
//	wearers     count (uvarint), then each, in order of id and basis:
//	            id (16 bytes), basis (1 byte), fields, entries, first − from, last − first (uvarint each),
//	            years: count, then each less the one before (uvarint each)
//	entries     count (uvarint), then each number less the one before (uvarint each); none of a whole log
type exposed struct {
	exposedKey
	from, to int64 // µs
	wearers  map[exposureKey]*wearerExposed
	seqs     []int64 // ascending
}

// exposedKey is whose and of what part a sum is.
type exposedKey struct {
	log       string
	part      byte
	recipient string
}

const exposedVersion = 1

type wearerExposed struct {
	fields      policy.Fields
	entries     uint64
	first, last int64 // µs
	years       []uint16
}

// exposing is an entry that made something readable, as far as sums are concerned.
type exposing struct {
	seq        int64
	recorded   time.Time
	basis      ledger.Basis
	from, to   int64 // µs: when it was; of what was declared, the window
	recipients []string
	wearers    []id.Wearer
	fields     policy.Fields
	years      []uint16
}

// exposingOf says what an entry made readable; false: nothing, or its opening was erased.
func exposingOf(seq int64, leaf ledger.Leaf, o *ledger.Opening) (exposing, bool) {
	if !leaf.Kind.Exposes() || o == nil || o.Fields == 0 || len(o.Wearers) == 0 {
		return exposing{}, false
	}
	at := leaf.Occurred.UnixMicro()
	x := exposing{seq: seq, recorded: leaf.Recorded, basis: leaf.Basis, from: at, to: at, recipients: o.Recipients, wearers: o.Wearers, fields: o.Fields}
	if leaf.Basis == ledger.DeclaredBefore {
		x.from, x.to = o.From, o.To
	}
	if o.Fields&policy.FieldDose != 0 {
		x.years = o.Years
	}
	return x, true
}

// keys are the sums that an entry of a log belongs to.
func (x *exposing) keys(log string) []exposedKey {
	month := byte(x.recorded.UTC().Month())
	out := make([]exposedKey, 0, 2*len(x.recipients)+2)
	add := func(recipient string) {
		out = append(out, exposedKey{log, 0, recipient}, exposedKey{log, month, recipient})
	}
	add("")
	for i, r := range x.recipients {
		if r != "" && !slices.Contains(x.recipients[:i], r) {
			add(r)
		}
	}
	return out
}

func newExposed(k exposedKey) *exposed {
	return &exposed{exposedKey: k, wearers: map[exposureKey]*wearerExposed{}}
}

// add counts an entry that comes after all that were counted.
func (s *exposed) add(x *exposing) {
	if len(s.wearers) == 0 {
		s.from, s.to = x.from, x.to
	}
	s.from, s.to = min(s.from, x.from), max(s.to, x.to)
	if s.part > 0 {
		s.seqs = append(s.seqs, x.seq)
	}
	for _, w := range x.wearers {
		k := exposureKey{w, x.basis}
		one := s.wearers[k]
		if one == nil {
			one = &wearerExposed{first: x.from, last: x.to}
			s.wearers[k] = one
		}
		one.count(x.fields, 1, x.from, x.to, x.years)
	}
}

// count adds what more entries made readable.
func (w *wearerExposed) count(fields policy.Fields, entries uint64, first, last int64, years []uint16) {
	w.fields |= fields
	w.entries += entries
	w.first, w.last = min(w.first, first), max(w.last, last)
	for _, y := range years {
		if at, ok := slices.BinarySearch(w.years, y); !ok {
			w.years = slices.Insert(w.years, at, y)
		}
	}
}

// sums are those of a log's entries, or of some.
type sums map[exposedKey]*exposed

// add counts an entry of a log, which comes after all that were counted, in each sum that it belongs to.
func (m sums) add(log string, x *exposing) {
	for _, k := range x.keys(log) {
		if m[k] == nil {
			m[k] = newExposed(k)
		}
		m[k].add(x)
	}
}

func (s *exposed) encode() []byte {
	b := []byte{exposedVersion}
	text := func(t string) { b = append(binary.AppendUvarint(b, uint64(len(t))), t...) }
	text(s.log)
	b = append(b, s.part)
	text(s.recipient)
	b = binary.AppendVarint(binary.AppendVarint(b, s.from), s.to)
	b = binary.AppendUvarint(b, uint64(len(s.wearers)))
	for _, k := range slices.SortedFunc(maps.Keys(s.wearers), func(x, y exposureKey) int {
		if c := bytes.Compare(x.wearer[:], y.wearer[:]); c != 0 {
			return c
		}
		return int(x.basis) - int(y.basis)
	}) {
		w := s.wearers[k]
		b = append(append(b, k.wearer[:]...), byte(k.basis))
		for _, n := range []uint64{uint64(w.fields), w.entries, uint64(w.first - s.from), uint64(w.last - w.first), uint64(len(w.years))} {
			b = binary.AppendUvarint(b, n)
		}
		before := uint16(0)
		for _, y := range w.years {
			b = binary.AppendUvarint(b, uint64(y-before))
			before = y
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.seqs)))
	before := int64(0)
	for _, n := range s.seqs {
		b = binary.AppendUvarint(b, uint64(n-before))
		before = n
	}
	return b
}

var errExposed = errors.New("a sum of exposures is damaged: the database was changed; run dosevault verify")

// reader takes numbers and bytes off a slice; bad once there are too few.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return make([]byte, min(n, 64))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uvarint() uint64 { return number(r, binary.Uvarint) }
func (r *reader) varint() int64   { return number(r, binary.Varint) }

func number[N int64 | uint64](r *reader, read func([]byte) (N, int)) N {
	x, n := read(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return x
}

// head reads what a sum is of, and when its entries were.
func (s *exposed) head(r *reader) {
	if r.bytes(1)[0] != exposedVersion {
		r.bad = true
	}
	s.log = string(r.bytes(r.uvarint()))
	s.part = r.bytes(1)[0]
	s.recipient = string(r.bytes(r.uvarint()))
	s.from, s.to = r.varint(), r.varint()
}

// eachWearer reads the wearers of a sum; fn does not keep the years.
func (s *exposed) eachWearer(r *reader, fn func(k exposureKey, w wearerExposed)) {
	var years []uint16
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		k := exposureKey{wearer: id.Wearer(r.bytes(16)), basis: ledger.Basis(r.bytes(1)[0])}
		w := wearerExposed{fields: policy.Fields(r.uvarint()), entries: r.uvarint()}
		w.first = s.from + int64(r.uvarint())
		w.last = w.first + int64(r.uvarint())
		years = years[:0]
		year := uint16(0)
		for y := r.uvarint(); y > 0 && !r.bad; y-- {
			year += uint16(r.uvarint())
			years = append(years, year)
		}
		w.years = years
		if !r.bad {
			fn(k, w)
		}
	}
}

// readSeqs reads the numbers of a sum's entries.
func readSeqs(r *reader) (out []int64) {
	at := int64(0)
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		at += int64(r.uvarint())
		out = append(out, at)
	}
	return out
}

func decodeExposed(b []byte) (*exposed, error) {
	s, r := newExposed(exposedKey{}), &reader{b: b}
	s.head(r)
	s.eachWearer(r, func(k exposureKey, w wearerExposed) {
		w.years = slices.Clone(w.years)
		s.wearers[k] = &w
	})
	s.seqs = readSeqs(r)
	if r.bad || len(r.b) > 0 {
		return nil, errExposed
	}
	return s, nil
}
