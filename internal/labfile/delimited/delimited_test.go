package delimited

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

// all reads a file to its end.
func all(r io.Reader, o Options) (records [][]string, encoding string, err error) {
	f, err := Open(r, o)
	if err != nil {
		return nil, "", err
	}
	records = append(records, f.Header().Fields)
	for {
		rec, err := f.Next()
		if err == io.EOF {
			return records, f.Encoding(), nil
		}
		if err != nil {
			return nil, "", err
		}
		records = append(records, append([]string(nil), rec.Fields...))
	}
}

func TestWholeFileErrors(t *testing.T) {
	many := strings.Repeat
	for _, c := range []struct {
		name, file   string
		line, column int
		reason       string
	}{
		{"empty", "", 0, 0, "empty"},
		{"only white space", "\r\n \t\n", 0, 0, "empty"},
		{"only a byte order mark", "\xef\xbb\xbf", 0, 0, "empty"},
		{"a blank first line", ",,\na,b,c\n", 0, 0, "column headings"},
		{"PDF", "%PDF-1.7\n", 0, 0, "a PDF"},
		{"XLSX", "PK\x03\x04\x14\x00", 0, 0, "XLSX"},
		{"XLS", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, 0, "XLS"},
		{"PNG", "\x89PNG\r\n\x1a\n", 0, 0, "PNG"},
		{"web page", "<!doctype html>", 0, 0, "web page"},
		{"cut in quotes", "a,b\n1,2\n3,\"x\ny\nz", 3, 2, "ends inside a field"},
		{"cut in a row", "a,b,c\n1,2,3\n4,5", 3, 2, "middle of row 3"},
		{"quotation mark not doubled", "a,b\n1,\"x\"y\"\n", 2, 2, "must be doubled"},
		{"bare quotation mark", "a,b\n1,x\"y\n", 2, 2, "in quotation marks as a whole"},
		{"too many columns for the heading", "a,b\n1,2\n1,2,3\n", 3, 3, "row 3 has 3 columns where the heading has 2"},
		{"10,001 columns", "a\n1\n" + many(",", 10_000) + "\n", 3, 10_001, "more than 10000 columns"},
		{"10,001 columns in the heading", many(",", 10_000), 1, 10_001, "more than 10000 columns"},
		{"a row of a mebibyte", "a,b\n1,\"" + many("x", 1<<20), 2, 2, "longer than 1024 KiB"},
		{"NUL", "a,b\n1,\x00\n", 2, 0, "byte 3 of the line is NUL"},
		{"UTF-16 without a mark", "a\x00,\x00b\x00", 1, 0, "byte order mark"},
		{"UTF-32", "\xff\xfe\x00\x00a\x00\x00\x00", 1, 0, "NUL"},
		{"UTF-16 cut in a unit", "\xff\xfea\x00\n\x00b", 2, 0, "cut off"},
		{"UTF-16 cut in a pair", "\xfe\xff\x00a\xd8\x3d", 1, 0, "cut off"},
		{"UTF-16 second half alone", "\xff\xfea\x00\n\x00b\x00\x00\xdc", 2, 0, "character 2 of the line is half"},
		{"UTF-16 first half alone", "\xff\xfe\x00\xd8a\x00", 1, 0, "character 2 of the line is half"},
		{"mark of UTF-8, but not UTF-8", "\xef\xbb\xbfa\nSi\xe2n\n", 2, 0, "byte 3 of the line is not UTF-8"},
		{"damaged UTF-8", "a\nSi\xc3\xa2n\nSi\xc3", 3, 0, "damaged"},
		{"not in Windows-1252", "a\nx\x81\n", 2, 0, "neither UTF-8 nor Windows-1252"},
		{"too many rows", "a\n" + many("1\n", 6), 7, 0, "more than 5 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.file), iotest.OneByteReader(bytes.NewBufferString(c.file))} {
				_, _, err := all(r, Options{MaxRows: 5})
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("error %v", err)
				}
				if e.Line != c.line || e.Column != c.column || !strings.Contains(e.Reason, c.reason) {
					t.Errorf("line %d, column %d: %q", e.Line, e.Column, e.Reason)
				}
			}
		})
	}
}

func TestSizeLimit(t *testing.T) {
	file := "a,b\n1,2\n"
	for _, r := range []io.Reader{strings.NewReader(file), iotest.HalfReader(bytes.NewBufferString(file))} {
		var e *Error
		if _, _, err := all(r, Options{MaxBytes: 7}); !errors.As(err, &e) || !strings.Contains(e.Reason, "larger than 7 bytes") {
			t.Errorf("got %v", err)
		}
	}
	if _, _, err := all(strings.NewReader(file), Options{MaxBytes: 8}); err != nil {
		t.Error(err)
	}
}

func TestSourceErrorsAreNotTheFiles(t *testing.T) {
	broken := errors.New("disk on fire")
	_, _, err := all(io.MultiReader(strings.NewReader("a,b\n1,2\n"), iotest.ErrReader(broken)), Options{})
	var e *Error
	if !errors.Is(err, broken) || errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

func TestPipesAndFilesFromTheirPosition(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	io.WriteString(w, "a,b\n1,ŵ\n")
	w.Close()
	if got, _, err := all(r, Options{}); err != nil || got[1][1] != "ŵ" {
		t.Errorf("pipe: %q %v", got, err)
	}
	s := strings.NewReader("front matter\xef\xbb\xbfa,b\n1,ŵ\n")
	s.Seek(int64(len("front matter")), io.SeekStart)
	if got, encoding, err := all(s, Options{}); err != nil || got[0][0] != "a" || got[1][1] != "ŵ" || encoding != nameUTF8BOM {
		t.Errorf("from the middle: %q %s %v", got, encoding, err)
	}
}

func TestNumbersAndLines(t *testing.T) {
	const text = "a,b\r\n\r\n1,\"x\r\ny\"\r\n\n2,z"
	f, err := Open(strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		rec, err := f.Next()
		if err != nil {
			break
		}
		got = append(got, fmt.Sprintf("%d %d %q %q", rec.Number, rec.Line, rec.Fields, strings.TrimSpace(text[rec.Start:rec.End])))
	}
	want := []string{`2 3 ["1" "x\ny"] "1,\"x\r\ny\""`, `3 6 ["2" "z"] "2,z"`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSeparators(t *testing.T) {
	for file, want := range map[string]string{
		"a,b;c\n1,2;3\n":           `["1" "2;3"]`,
		"a;\"b,c,d\";e\n1;2,5;3\n": `["1" "2,5" "3"]`,
		"a\tb\n1,2\t3\n":           `["1,2" "3"]`,
		"a\n1\n":                   `["1"]`,
	} {
		got, _, err := all(strings.NewReader(file), Options{Separators: ",;\t"})
		if err != nil || fmt.Sprintf("%q", got[1]) != want {
			t.Errorf("%q: %q %v, want %s", file, got, err, want)
		}
	}
}

// Whatever the text, its encoding and how the source delivers it, the same records come out.
func TestEncodingsAgree(t *testing.T) {
	celtic := func(r rune) bool { _, ok := charmap.ISO8859_14.EncodeRune(r); return ok }
	western := func(r rune) bool { _, ok := charmap.Windows1252.EncodeRune(r); return ok }
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.StringOfN(rapid.RuneFrom([]rune("abcŵŷâéïŴÔ€’ 😀,\"\n")), 0, 12, -1)
		var b strings.Builder
		var want [][]string
		for range rapid.IntRange(1, 6).Draw(t, "records") {
			rec := []string{"x" + field.Draw(t, "first"), field.Draw(t, "second")}
			want = append(want, rec)
			fmt.Fprintf(&b, "\"%s\",\"%s\"\r\n", strings.ReplaceAll(rec[0], `"`, `""`), strings.ReplaceAll(rec[1], `"`, `""`))
		}
		text := b.String()
		ascii := strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
		try := func(name string, encoded string, err error, o Options) {
			if err != nil {
				t.Fatal(name, err)
			}
			if ascii && name[0] != 'U' {
				name = nameUTF8
			}
			for _, r := range []io.Reader{strings.NewReader(encoded), iotest.OneByteReader(strings.NewReader(encoded))} {
				got, encoding, err := all(r, o)
				if err != nil || !reflect.DeepEqual(got, want) || encoding != name {
					t.Fatalf("%s: %q %s %v, want %q", name, got, encoding, err, want)
				}
			}
			if got, err := Text([]byte(encoded), o); err != nil || string(got) != text {
				t.Fatalf("%s: text %q %v", name, got, err)
			}
		}
		try("UTF-8", text, nil, Options{})
		try("UTF-8 with BOM", "\ufeff"+text, nil, Options{})
		le, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
		try("UTF-16LE", le, err, Options{})
		be, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
		try("UTF-16BE", be, err, Options{})
		for _, f := range []struct {
			Fallback
			has func(rune) bool
		}{{Windows1252, western}, {ISO8859_14, celtic}} {
			if strings.IndexFunc(text, func(r rune) bool { return !f.has(r) }) >= 0 {
				continue
			}
			s, err := f.charmap().NewEncoder().String(text)
			if !readsAsUTF8(s) {
				try(f.String(), s, err, Options{Fallback: f.Fallback})
			}
		}
	})
}

// readsAsUTF8 reports whether any letters of s, in a single-byte encoding, could be one of UTF-8: such a file is taken
// for UTF-8 or refused, and asks for the encoding ("Ô€â" in Windows-1252).
func readsAsUTF8(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf && r != utf8.RuneError {
			return true
		}
	}
	return false
}

func TestRunesAcrossPieces(t *testing.T) {
	for pad := range 8 { // the survey reads 64 KiB at a time
		text := "a\n" + strings.Repeat("x", 64<<10-8+pad) + "ŵ😀\n"
		if _, encoding, err := all(strings.NewReader(text), Options{}); err != nil || encoding != nameUTF8 {
			t.Errorf("%d: %s %v", pad, encoding, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\ny\"\n"))
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\n\x00"))
	f.Add([]byte("\xef\xbb\xbfa;b\r\n1;2"))
	f.Add([]byte("a\tb\nSi\xe2n\t\"\"\"\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := Options{Separators: ",;\t", MaxBytes: 1 << 20, MaxRows: 1000}
		seeking, name, err := all(bytes.NewReader(b), o)
		streaming, name2, err2 := all(iotest.OneByteReader(bytes.NewReader(b)), o)
		if !reflect.DeepEqual(seeking, streaming) || name != name2 || (err == nil) != (err2 == nil) {
			t.Fatalf("read at once: %q %s %v; byte by byte: %q %s %v", seeking, name, err, streaming, name2, err2)
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("no Error: %v", err)
			}
			return
		}
		for _, rec := range seeking {
			for _, field := range rec {
				if !utf8.ValidString(field) || strings.ContainsRune(field, 0) {
					t.Fatalf("field %q", field)
				}
			}
		}
	})
}
