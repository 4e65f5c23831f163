package delimited

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// The encodings' names; a fallback's is its String.
const (
	nameUTF8    = "UTF-8"
	nameUTF8BOM = "UTF-8 with BOM"
	nameUTF16LE = "UTF-16LE"
	nameUTF16BE = "UTF-16BE"
)

// kinds are files that people choose by mistake, by how they begin.
var kinds = []struct{ start, name, advice string }{
	{"%PDF", "a PDF", "ask the sender for CSV"},
	{"PK\x03\x04", "a ZIP archive or a spreadsheet (XLSX, ODS)", "unpack it, or save the sheet as CSV"},
	{"PK\x05\x06", "an empty ZIP archive", "ask for the file again"},
	{"\xd0\xcf\x11\xe0", "an old Office file (XLS, DOC)", "save the sheet as CSV"},
	{"\x89PNG", "a PNG image", "choose the CSV file"},
	{"GIF8", "a GIF image", "choose the CSV file"},
	{"\xff\xd8\xff", "a JPEG image", "choose the CSV file"},
	{"\x1f\x8b", "a gzip archive", "unpack it"},
	{"Rar!", "a RAR archive", "unpack it"},
	{"7z\xbc\xaf", "a 7-Zip archive", "unpack it"},
	{"{\\rtf", "an RTF document", "ask the sender for CSV"},
	{"<?xml", "XML", "ask the sender for CSV"},
	{"<!DOCTYPE", "a web page", "ask the sender for CSV"},
	{"<html", "a web page", "ask the sender for CSV"},
}

// encodingOf is the outcome of a survey: the encoding and the length of its byte order mark.
type encodingOf struct {
	name string
	skip int
}

// surveyor looks at the bytes of a file once, in pieces.
type surveyor struct {
	fallback  Fallback
	line      int
	column    int   // bytes of the line so far
	content   bool  // something other than white space was seen
	multibyte bool  // a well-formed UTF-8 character beyond ASCII was seen
	broken    place // the first byte that is not UTF-8
	undefined place // the first byte that the fallback does not define
	high      bool  // UTF-16: the last unit was the first half of a pair
}

type place struct{ line, column int }

// survey reads all of r and settles its encoding. It refuses files that are no text, are empty or too large, hold
// NUL, or break the rules of their encoding. The error is an [Error], or that of r.
func survey(r io.Reader, o Options) (encodingOf, error) {
	var (
		s     = surveyor{fallback: o.Fallback, line: 1}
		buf   = make([]byte, 64<<10)
		have  int   // bytes in buf
		total int64 // bytes read
		kind  encodingOf
		known bool
	)
	for {
		n, err := r.Read(buf[have:])
		if err != nil && err != io.EOF {
			return kind, fmt.Errorf("reading the file: %w", err)
		}
		ended := err == io.EOF
		have += n
		if total += int64(n); total > o.MaxBytes {
			return kind, &Error{Reason: fmt.Sprintf("the file is larger than %d bytes: load it in parts", o.MaxBytes)}
		}
		piece := buf[:have]
		if !known {
			if have < 16 && !ended {
				continue
			}
			var err error
			if kind, err = begin(piece); err != nil {
				return kind, err
			}
			piece, known = piece[kind.skip:], true
		}
		var used int
		var bad *Error
		switch kind.name {
		case nameUTF16LE:
			used, bad = s.utf16(piece, 0, 1, ended)
		case nameUTF16BE:
			used, bad = s.utf16(piece, 1, 0, ended)
		default:
			used, bad = s.bytes(piece, ended)
		}
		if bad != nil {
			return kind, bad
		}
		have = copy(buf, piece[used:])
		if ended {
			break
		}
	}
	switch {
	case !s.content:
		return kind, &Error{Reason: "the file is empty"}
	case s.broken == place{} || kind.name != nameUTF8:
		if kind.name == nameUTF8BOM && s.broken != (place{}) {
			return kind, &Error{Line: s.broken.line, Reason: fmt.Sprintf("byte %d of the line is not UTF-8, which the file's byte order mark announces", s.broken.column)}
		}
		return kind, nil
	case s.multibyte:
		// In a text of a single-byte encoding, hardly any two letters look like UTF-8: this is a UTF-8 file that was damaged.
		return kind, &Error{Line: s.broken.line, Reason: fmt.Sprintf("byte %d of the line is not UTF-8, but other letters of the file are: it was damaged or put together of two files", s.broken.column)}
	case s.undefined != place{}:
		return kind, &Error{Line: s.undefined.line, Reason: fmt.Sprintf("byte %d of the line is neither UTF-8 nor %s", s.undefined.column, o.Fallback)}
	}
	return encodingOf{name: o.Fallback.String()}, nil
}

// begin looks at how a file begins.
func begin(b []byte) (encodingOf, error) {
	for _, k := range kinds {
		if len(b) >= len(k.start) && bytes.EqualFold(b[:len(k.start)], []byte(k.start)) {
			return encodingOf{}, &Error{Reason: fmt.Sprintf("the file is %s, not CSV: %s", k.name, k.advice)}
		}
	}
	switch {
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		return encodingOf{nameUTF8BOM, 3}, nil
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return encodingOf{nameUTF16LE, 2}, nil
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return encodingOf{nameUTF16BE, 2}, nil
	}
	return encodingOf{nameUTF8, 0}, nil
}

// step moves on by one character of n bytes.
func (s *surveyor) step(r rune, n int) {
	s.column += n
	switch r {
	case '\n':
		s.line++
		s.column = 0
	case '\r', '\t', ' ':
	default:
		s.content = true
	}
}

// bytes surveys a piece of single bytes or UTF-8 and returns how much of it: a character that the piece cuts is left.
func (s *surveyor) bytes(b []byte, ended bool) (int, *Error) {
	for i := 0; i < len(b); {
		c := b[i]
		if c == 0 {
			return i, &Error{Line: s.line, Reason: fmt.Sprintf("byte %d of the line is NUL: the file is no text, or UTF-16 without a byte order mark; save it as UTF-8", s.column+1)}
		}
		if c < utf8.RuneSelf {
			s.step(rune(c), 1)
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			if !ended && !utf8.FullRune(b[i:]) {
				return i, nil
			}
			if s.broken == (place{}) {
				s.broken = place{s.line, s.column + 1}
			}
		} else {
			s.multibyte = true
		}
		for _, c := range b[i : i+n] {
			if d := s.fallback.charmap().DecodeByte(c); s.undefined == (place{}) && (d == utf8.RuneError || d < 0xa0) {
				s.undefined = place{s.line, s.column + 1}
			}
		}
		s.step(r, n)
		i += n
	}
	return len(b), nil
}

// utf16 surveys a piece of UTF-16, whose low and high bytes stand at those places of a unit.
func (s *surveyor) utf16(b []byte, low, high int, ended bool) (int, *Error) {
	i := 0
	for ; i+1 < len(b); i += 2 {
		unit := rune(b[i+low]) | rune(b[i+high])<<8
		first, second := unit>>10 == 0xd800>>10, unit>>10 == 0xdc00>>10
		switch {
		case unit == 0:
			return i, &Error{Line: s.line, Reason: fmt.Sprintf("character %d of the line is NUL: the file is no text", s.column+1)}
		case second != s.high:
			return i, &Error{Line: s.line, Reason: fmt.Sprintf("character %d of the line is half a character: the file is damaged", s.column+1)}
		}
		s.high = first
		s.step(unit, 1)
	}
	if ended && (i < len(b) || s.high) {
		return i, &Error{Line: s.line, Reason: "the file ends in the middle of a character: it was cut off; ask for it again"}
	}
	return i, nil
}
