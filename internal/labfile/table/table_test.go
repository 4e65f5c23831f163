package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
)

// records reads a file to its end: of each record its number and fields.
func records(r io.Reader, o Options) (out []string, encoding string, err error) {
	f, err := Open(r, o)
	if err != nil {
		return nil, "", err
	}
	for rec := f.Header(); err == nil; rec, err = f.Next() {
		out = append(out, fmt.Sprintf("%d %q", rec.Number, rec.Fields))
	}
	if !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	return out, f.Encoding(), nil
}

func asCSV(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.WriteAll(rows)
	return b.Bytes()
}

// The same records read the same from a text and from a spreadsheet, and so do those written to be corrected.
func TestTextAndSpreadsheetReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 5).Draw(t, "width")
		field := rapid.SampledFrom([]string{"", "0.35", "Ŵyn", "two\nlines", `"quoted"`, "a,b", "a;b", "#N/A", "<b>&", " x", "001"})
		rows := [][]string{make([]string, width)}
		for i := range width {
			rows[0][i] = fmt.Sprintf("column %d", i)
		}
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			row := rapid.SliceOfN(field, width, width).Draw(t, "row")
			rows = append(rows, row)
		}
		rows = append(rows, rows[0]) // no blank row at the end, which a sheet does not have
		text, sheet := asCSV(rows), xlsxtest.Texts(rows...)
		fromText, _, err := records(bytes.NewReader(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		fromSheet, encoding, err := records(bytes.NewReader(sheet), Options{})
		if err != nil || encoding != "XLSX" {
			t.Fatal(encoding, err)
		}
		if d := cmp.Diff(fromText, fromSheet); d != "" {
			t.Fatal(d)
		}
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(2, len(rows)), 1, len(rows)-1, rapid.ID).Draw(t, "numbers")
		excerpt := func(original []byte) []string {
			var b bytes.Buffer
			if err := Excerpt(&b, original, Options{}, rows[0], len(rows)-1, numbers); err != nil {
				t.Fatal(err)
			}
			out, encoding, err := records(&b, Options{})
			if err != nil || encoding != "UTF-8 with BOM" {
				t.Fatal(encoding, err)
			}
			return out
		}
		if d := cmp.Diff(excerpt(text), excerpt(sheet)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestEverySource(t *testing.T) {
	rows := [][]string{{"a", "b"}, {"1", "2"}}
	for want, b := range map[string][]byte{"UTF-8": asCSV(rows), "XLSX": xlsxtest.Texts(rows...)} {
		for name, r := range map[string]io.Reader{"seeks": bytes.NewReader(b), "does not": bytes.NewBuffer(b), "gives bytes": iotest.OneByteReader(bytes.NewReader(b))} {
			got, encoding, err := records(r, Options{})
			if err != nil || encoding != want || len(got) != 2 {
				t.Errorf("%s, a source that %s: %q %s %v", want, name, got, encoding, err)
			}
		}
		if _, _, err := records(io.MultiReader(bytes.NewReader(b[:9]), iotest.ErrReader(io.ErrClosedPipe)), Options{}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: a source that fails: %v", want, err)
		}
		var e *delimited.Error
		if _, _, err := records(bytes.NewReader(b), Options{Options: delimited.Options{MaxBytes: 6}}); !errors.As(err, &e) || !strings.Contains(e.Reason, "larger than 6 bytes") {
			t.Errorf("%s: %v", want, err)
		}
	}
	var e *delimited.Error
	if _, _, err := records(strings.NewReader(""), Options{}); !errors.As(err, &e) || !strings.Contains(e.Reason, "empty") {
		t.Error(err)
	}
}

func TestExcerptOfAnotherFile(t *testing.T) {
	var b bytes.Buffer
	sheet := xlsxtest.Texts([]string{"a", "b"}, []string{"1", "2"}, []string{"3", "4"})
	for name, c := range map[string]struct {
		header  []string
		in      int
		numbers []int
	}{
		"another header": {[]string{"a", "c"}, 2, []int{2}},
		"fewer records":  {[]string{"a", "b"}, 1, []int{2}},
		"more records":   {[]string{"a", "b"}, 3, []int{2}},
		"no such record": {[]string{"a", "b"}, 2, []int{4}},
		"the header's":   {[]string{"a", "b"}, 2, []int{1}},
	} {
		if err := Excerpt(&b, sheet, Options{}, c.header, c.in, c.numbers); err == nil || b.Len() > 0 {
			t.Errorf("%s: %q was written", name, b.String())
		}
	}
}
