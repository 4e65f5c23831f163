// Package scan searches files byte by byte for values that must not be readable in them.
//
// An attack test plants improbable values (markers) through the front door of the real program, stops or
// kills it, and scans what it left on disk. Every marker is expanded into the byte patterns in which it could
// lie there: spellings (case, accents folded, ways to write a date) times encodings (UTF-8, UTF-16, Windows-1252,
// hexadecimal, base64 and base32 at every alignment, percent-encoding, JSON escapes, integers).
//
// All patterns are looked for in one pass: the first six bytes at each position are looked up in a bit
// filter and, where that says perhaps, in a table. Time does not depend on the number of markers.
//
// A pattern is used only if it is improbable: at least MinBits bits that chance would have to hit. What is
// left out for that reason is told by Set.Skipped, and a marker of which nothing is left is an error, as
// looking for it would prove nothing.
//
// What the scan can't see: values that are compressed, or cut in two by a page boundary of a database file
// within the first copy and everywhere else as well, or spelled in a way that no pattern has.
package scan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// MinBits is how many bits a pattern must have. At 48, a set of 2,000 patterns of the least length is found
// by chance about once in 140 GB of random bytes.
const MinBits = 48

// prefixLen is how many bytes the filter looks at: a pattern of MinBits has at least as many.
const prefixLen = 6

// pattern is one way in which a marker could lie in a file.
type pattern struct {
	marker   int
	encoding string
	bytes    []byte
	number   bool // all digits: counts only where no digit stands before or after
}

// Set is a compiled set of markers. It is safe for use by several goroutines.
type Set struct {
	names    []string
	patterns []pattern
	table    map[uint64][]int32 // first six bytes → patterns
	filter   []uint64
	longest  int
	chance   float64 // of a finding at one random position
	skipped  []Skipped
	buffers  sync.Pool
}

// Skipped is a pattern that was left out because chance would find it.
type Skipped struct {
	Marker   string
	Encoding string
}

// Finding says that a marker is readable in a file.
type Finding struct {
	File     string // relative to the directory scanned
	Marker   string // the marker's name, not its value
	Encoding string // spelling and encoding in which it was found
	Offset   int64  // of the first occurrence; -1: in the file's own path
	Count    int    // occurrences in this file
}

func (f Finding) String() string {
	return fmt.Sprintf("%s: %s as %s at byte %d (%d times)", f.File, f.Marker, f.Encoding, f.Offset, f.Count)
}

// Report is what a scan of a directory saw.
type Report struct {
	Files    int
	Bytes    int64
	Findings []Finding // in order of file, marker, encoding
}

// Found returns the different names of the markers found, sorted.
func (r Report) Found() []string {
	var names []string
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if !seen[f.Marker] {
			seen[f.Marker] = true
			names = append(names, f.Marker)
		}
	}
	sort.Strings(names)
	return names
}

const filterBits = 24

func slot(prefix uint64) uint64 { return (prefix * 0x9E3779B97F4A7C15) >> (64 - filterBits) }

// Compile makes a set of markers. The error names markers that have no pattern improbable enough.
func Compile(markers ...Marker) (*Set, error) {
	s := &Set{table: map[uint64][]int32{}, filter: make([]uint64, 1<<filterBits/64)}
	var errs []error
	for i, m := range markers {
		s.names = append(s.names, m.Name)
		seen := map[string]bool{}
		used := 0
		for _, f := range m.forms {
			if f.bits < MinBits || len(f.bytes) < prefixLen {
				s.skipped = append(s.skipped, Skipped{m.Name, f.encoding})
				continue
			}
			if seen[string(f.bytes)] {
				continue
			}
			seen[string(f.bytes)] = true
			used++
			s.add(pattern{i, f.encoding, f.bytes, f.number}, f.bits)
		}
		if used == 0 {
			errs = append(errs, fmt.Errorf("scan: marker %q is too short to be looked for: chance would find it", m.Name))
		}
	}
	return s, errors.Join(errs...)
}

func (s *Set) add(p pattern, bits float64) {
	key := prefix(p.bytes)
	s.table[key] = append(s.table[key], int32(len(s.patterns)))
	h := slot(key)
	s.filter[h/64] |= 1 << (h % 64)
	s.patterns = append(s.patterns, p)
	s.longest = max(s.longest, len(p.bytes))
	s.chance += math.Exp2(-bits)
}

// Patterns returns how many patterns are looked for.
func (s *Set) Patterns() int { return len(s.patterns) }

// Skipped returns what is not looked for because chance would find it.
func (s *Set) Skipped() []Skipped { return s.skipped }

// Chance returns how many findings to expect in that many random bytes.
func (s *Set) Chance(bytes int64) float64 { return s.chance * float64(bytes) }

func prefix(b []byte) uint64 {
	_ = b[5]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40
}

func digits(b []byte) bool {
	for _, c := range b {
		if !digit(c) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// Dir scans every regular file below a directory, and the files' own paths. It follows no symbolic link. A
// file that can't be read is an error: what was not seen proves nothing.
func (s *Set) Dir(dir string) (Report, error) {
	var r Report
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		r.Findings = append(r.Findings, s.path(rel)...)
		if !d.Type().IsRegular() {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		found, n, err := s.Reader(f)
		r.Files++
		r.Bytes += n
		for _, one := range found {
			one.File = rel
			r.Findings = append(r.Findings, one)
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("scanning %s: %w", dir, err)
	}
	return r, nil
}

func (s *Set) path(rel string) []Finding {
	t := tally{set: s}
	t.block([]byte(rel), 0, len(rel), 0)
	found := t.findings()
	for i := range found {
		found[i].File, found[i].Offset = rel, -1
	}
	return found
}

const blockSize = 1 << 20

// Reader scans one stream and returns what it found, without a file name, and the bytes read.
func (s *Set) Reader(r io.Reader) ([]Finding, int64, error) {
	t := tally{set: s}
	// The buffer starts with one byte already scanned, for the look back at a number's left side.
	kept, _ := s.buffers.Get().(*[]byte)
	if kept == nil {
		b := make([]byte, 0, blockSize+s.longest+2)
		kept = &b
	}
	defer s.buffers.Put(kept)
	buf := *kept
	var base int64 // offset of buf[0] in the stream
	start := 0
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return t.findings(), base + int64(len(buf)), err
		}
		until := len(buf)
		if !end {
			until -= s.longest + 1 // what starts later may go on in the next block
		}
		t.block(buf, start, until, base)
		if end {
			return t.findings(), base + int64(len(buf)), nil
		}
		keep := until - 1
		base += int64(keep)
		buf = buf[:copy(buf, buf[keep:])]
		start = 1
	}
}

// tally counts what is found in one stream.
type tally struct {
	set   *Set
	found map[int32]*Finding
}

// block looks for patterns that start in b[from:until]; base is the offset of b[0].
func (t *tally) block(b []byte, from, until int, base int64) {
	filter := t.set.filter
	until = min(until, len(b)-prefixLen+1)
	for i := from; i < until; i++ {
		key := prefix(b[i:])
		h := slot(key)
		if filter[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, n := range t.set.table[key] {
			p := &t.set.patterns[n]
			end := i + len(p.bytes)
			if end > len(b) || string(b[i:end]) != string(p.bytes) {
				continue
			}
			if p.number && (i > 0 && digit(b[i-1]) || end < len(b) && digit(b[end])) {
				continue
			}
			t.count(n, base+int64(i))
		}
	}
}

func (t *tally) count(n int32, offset int64) {
	if t.found == nil {
		t.found = map[int32]*Finding{}
	}
	if f := t.found[n]; f != nil {
		f.Count++
		return
	}
	p := t.set.patterns[n]
	t.found[n] = &Finding{Marker: t.set.names[p.marker], Encoding: p.encoding, Offset: offset, Count: 1}
}

func (t *tally) findings() []Finding {
	var all []Finding
	for _, f := range t.found {
		all = append(all, *f)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Marker != all[j].Marker {
			return all[i].Marker < all[j].Marker
		}
		return all[i].Encoding < all[j].Encoding
	})
	return all
}
