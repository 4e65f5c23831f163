// Package delimited reads CSV files that come from outside, whole or not at all: it settles the encoding, holds
// the limits, and gives records with their number and line.
//
// It is what packages labfile and peoplefile have in common, and stands on the floor below them. Invariants:
//   - memory is bounded by one record (a mebibyte), however long the file is, if the source can be read twice (an
//     [io.Seeker]); otherwise by the file;
//   - an [Error] says where and what to do, and never holds a text of the file;
//   - a file that was cut off in a quoted field or in the middle of its last record is an Error, not a shorter file.
//
// It knows nothing of what the columns mean.
package delimited

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// The limits that no caller needs to change, and the defaults of those in [Options].
const (
	MaxColumns      = 10_000   // of a record
	MaxRecord       = 1 << 20  // bytes of a record, in UTF-8
	DefaultMaxBytes = 64 << 20 // of the file as it came
	DefaultMaxRows  = 500_000  // records below the header
)

// Error says why a file as a whole can't be read.
type Error struct {
	Line   int // of the file, from 1; 0 if it concerns no line
	Column int // number of the field in its record, from 1; 0 if it concerns no field
	Reason string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return e.Reason
	case e.Column == 0:
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Fallback is the encoding of a file that has no byte order mark and is not UTF-8.
type Fallback uint8

// The fallbacks.
const (
	Windows1252 Fallback = iota
	ISO8859_14           // Celtic: has ŵ and ŷ
)

func (f Fallback) String() string {
	if f == ISO8859_14 {
		return "ISO-8859-14"
	}
	return "Windows-1252"
}

func (f Fallback) charmap() *charmap.Charmap {
	if f == ISO8859_14 {
		return charmap.ISO8859_14
	}
	return charmap.Windows1252
}

// Options say how to read. The zero value reads commas, falls back to Windows-1252 and has the default limits.
type Options struct {
	Separators string // the characters that may separate fields; the one most frequent in the header does
	Fallback   Fallback
	MaxBytes   int64
	MaxRows    int
	Heading    int // which record is the header, from 1: titles above it are passed over
}

// Record is one record of a file. Its Fields are valid until the next call of Next.
type Record struct {
	Number     int      // the header being 1; a line break in quotes begins no record, an empty line is none
	Line       int      // of the file, on which the record begins, from 1
	Fields     []string // as many as the header has, or fewer
	Start, End int64    // offsets into what [Text] returns: empty lines before the record and its own line break are within
}

// Blank reports whether every field is empty or white space.
func (r *Record) Blank() bool {
	for _, f := range r.Fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return true
}

// File is a file being read.
type File struct {
	encoding string
	guard    *guard
	csv      *csv.Reader
	header   Record
	number   int // of the last record
	maxRows  int
}

// Open settles the encoding of the whole file and reads the header. The error is an [Error], or that of r.
func Open(r io.Reader, o Options) (*File, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxRows <= 0 {
		o.MaxRows = DefaultMaxRows
	}
	if o.Separators == "" {
		o.Separators = ","
	}
	text, encoding, err := open(r, o)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(text, 64<<10)
	start, _ := buffered.Peek(64 << 10) // an error of the source comes again with the first record
	separator := separatorOf(start, o.Separators, max(o.Heading, 1))
	f := &File{encoding: encoding, maxRows: o.MaxRows, guard: &guard{r: buffered, separator: separator, line: 1}}
	f.csv = csv.NewReader(f.guard)
	f.csv.Comma = rune(separator)
	f.csv.FieldsPerRecord = -1 // counted here, to say more
	f.csv.ReuseRecord = true
	f.header, err = f.next()
	for range o.Heading - 1 {
		if err == nil {
			f.header, err = f.next()
		}
	}
	f.number, f.header.Number = 1, 1
	if errors.Is(err, io.EOF) || err == nil && f.header.Blank() {
		return nil, &Error{Reason: "the file is empty: a first line with column headings is expected"}
	}
	if err != nil {
		return nil, err
	}
	f.header.Fields = append([]string(nil), f.header.Fields...)
	return f, nil
}

// Text returns the whole of a file that [Open] can read, in UTF-8 without byte order mark. The error is an [Error].
func Text(original []byte, o Options) ([]byte, error) {
	o.MaxBytes = int64(len(original))
	text, _, err := open(bytes.NewReader(original), o)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(text)
}

// Encoding names the encoding: UTF-8, UTF-8 with BOM, UTF-16LE, UTF-16BE, Windows-1252, ISO-8859-14.
func (f *File) Encoding() string { return f.encoding }

// Header returns the first record. Its Fields stay valid.
func (f *File) Header() Record { return f.header }

// Next returns the next record, and io.EOF after the last. Any other error is an [Error] or that of the
// source, and ends the file: what was read before is then not to be used.
func (f *File) Next() (Record, error) {
	rec, err := f.next()
	if err != nil {
		return Record{}, err
	}
	if rec.Number-1 > f.maxRows {
		return Record{}, &Error{Line: rec.Line, Reason: fmt.Sprintf("more than %d rows: load the file in parts", f.maxRows)}
	}
	width := len(f.header.Fields)
	if len(rec.Fields) > width {
		return Record{}, &Error{Line: rec.Line, Column: width + 1, Reason: fmt.Sprintf(
			"row %d has %d columns where the heading has %d: a text that holds a separator must stand in quotation marks", rec.Number, len(rec.Fields), width)}
	}
	if len(rec.Fields) < width && f.guard.ended && f.guard.last != '\n' && rec.End == f.guard.offset && !rec.Blank() {
		return Record{}, &Error{Line: rec.Line, Column: len(rec.Fields), Reason: fmt.Sprintf("the file ends in the middle of row %d: it was cut off; ask for it again", rec.Number)}
	}
	return rec, nil
}

func (f *File) next() (Record, error) {
	start := f.csv.InputOffset()
	fields, err := f.csv.Read()
	var syntax *csv.ParseError
	switch {
	case err == nil:
	case errors.As(err, &syntax):
		return Record{}, f.explain(syntax, len(fields)+1)
	default:
		return Record{}, err
	}
	f.number++
	line, _ := f.csv.FieldPos(0)
	return Record{Number: f.number, Line: line, Fields: fields, Start: start, End: f.csv.InputOffset()}, nil
}

// explain says what a syntax error means; column is that of the field in which it was found.
func (f *File) explain(e *csv.ParseError, column int) error {
	switch {
	case errors.Is(e.Err, csv.ErrQuote) && f.guard.ended && f.guard.quoted:
		return &Error{Line: e.StartLine, Column: column, Reason: "the file ends inside a field in quotation marks: it was cut off, or a quotation mark is missing"}
	case errors.Is(e.Err, csv.ErrQuote):
		return &Error{Line: e.Line, Column: column, Reason: "a quotation mark inside a field in quotation marks must be doubled"}
	}
	return &Error{Line: e.Line, Column: column, Reason: "a field with a quotation mark must stand in quotation marks as a whole, and the mark be doubled"}
}

// guard passes on a file's text and stops it at a record that is too long or too wide, before anything is
// allocated for it. It follows quotation marks by their parity, which is right up to the first syntax error.
type guard struct {
	r         io.Reader
	separator byte
	err       error // to return after what was passed on
	ended     bool  // the source is exhausted
	quoted    bool
	last      byte // passed on
	offset    int64
	line      int
	begin     int // line on which the record begins
	size      int // bytes of the record
	columns   int // separators of the record
}

func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(p)
	for i := 0; i < n; i++ {
		if g.size == 0 {
			g.begin = g.line
		}
		if plain := g.plain(p[i:n]); plain > 0 {
			i += plain - 1
			continue
		}
		c := p[i]
		g.size++
		switch c {
		case '"':
			g.quoted = !g.quoted
		case '\n':
			g.line++
			if !g.quoted {
				g.size, g.columns = 0, 0
			}
		case g.separator:
			if !g.quoted {
				g.columns++
			}
		}
		if g.columns >= MaxColumns {
			g.err = &Error{Line: g.begin, Column: MaxColumns + 1, Reason: fmt.Sprintf("more than %d columns", MaxColumns)}
		} else if g.size > MaxRecord {
			g.err = &Error{Line: g.begin, Column: g.columns + 1, Reason: fmt.Sprintf("a row longer than %d KiB: the closing quotation mark or the line break is missing", MaxRecord>>10)}
		}
		if g.err != nil {
			g.offset += int64(i)
			return i, g.err
		}
	}
	if n > 0 {
		g.last = p[n-1]
		g.offset += int64(n)
	}
	if err == io.EOF {
		g.ended = true
	}
	g.err = err
	return n, err
}

// plain passes over the part of a record that begins b, up to a quotation mark or the record's end, and returns its length:
// 0 where nothing of b is so, or where the part may be one too many.
func (g *guard) plain(b []byte) int {
	if end := bytes.IndexByte(b, '\n'); end >= 0 && !g.quoted {
		b = b[:end]
	}
	if end := bytes.IndexByte(b, '"'); end >= 0 {
		b = b[:end]
	}
	if g.size+len(b) > MaxRecord {
		return 0
	}
	if g.quoted {
		g.line += bytes.Count(b, []byte{'\n'})
	} else {
		columns := g.columns + bytes.Count(b, []byte{g.separator})
		if columns >= MaxColumns {
			return 0
		}
		g.columns = columns
	}
	g.size += len(b)
	return len(b)
}

// separatorOf returns the separator that is most frequent outside quotes in the header, which is that line of those that
// are not empty; a tie goes to the first of separators.
func separatorOf(text []byte, separators string, header int) byte {
	var counts [256]int
	quoted, empty := false, true
scan:
	for _, c := range text {
		switch {
		case c == '"':
			quoted, empty = !quoted, false
		case quoted:
		case c == '\n' && empty:
		case c == '\n' && header == 1:
			break scan
		case c == '\n':
			header--
			counts, empty = [256]int{}, true
		default:
			counts[c]++
			empty = empty && c == '\r'
		}
	}
	best := separators[0]
	for i := 1; i < len(separators); i++ {
		if c := separators[i]; counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// open returns the file's text as a stream of UTF-8 without byte order mark, after a first pass over the whole of it.
func open(r io.Reader, o Options) (io.Reader, string, error) {
	source, start, err := rewindable(r, o.MaxBytes)
	if err != nil {
		return nil, "", err
	}
	kind, err := survey(source, o)
	if err != nil {
		return nil, "", err
	}
	if _, err := source.Seek(start+int64(kind.skip), io.SeekStart); err != nil {
		return nil, "", fmt.Errorf("reading the file a second time: %w", err)
	}
	var text io.Reader = source
	switch kind.name {
	case nameUTF16LE:
		text = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder().Reader(source)
	case nameUTF16BE:
		text = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Reader(source)
	case o.Fallback.String():
		text = o.Fallback.charmap().NewDecoder().Reader(source)
	}
	return text, kind.name, nil
}

// rewindable returns a source that can be read twice, and where it stands now.
func rewindable(r io.Reader, limit int64) (io.ReadSeeker, int64, error) {
	if s, ok := r.(io.ReadSeeker); ok {
		if start, err := s.Seek(0, io.SeekCurrent); err == nil { // a pipe says that it can and then can't
			return s, start, nil
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, 0, fmt.Errorf("reading the file: %w", err)
	}
	return bytes.NewReader(b), 0, nil
}
