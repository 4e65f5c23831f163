package labfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/person"
)

func TestFilesThatAreRefusedAsAWhole(t *testing.T) {
	head := string(file())
	good := string(file(record()))
	for _, c := range []struct {
		name, file   string
		line, column int
		reason       string
	}{
		{"a spreadsheet", "PK\x03\x04abc", 0, 0, "XLSX"},
		{"empty", "", 0, 0, "empty"},
		{"another heading", strings.Replace(good, "Period End Date", "QQEnd", 1), 1, 16, `the heading is not "Period End Date"`},
		{"no heading, but data", good[len(head):], 1, 1, `the heading is not "Account Number"`},
		{"headings missing", "Account Number,Account Name\n", 1, 3, `"Series Code" is missing`},
		{"semicolons", strings.ReplaceAll(head, ",", ";"), 1, 1, `the heading is not "Account Number"`},
		{"a 34th heading", strings.Replace(head, "NoteCode", "NoteCode,More", 1), 1, 34, "34 columns"},
		{"a 34th column", good + strings.Replace(good[len(head):], "QQJONES SIÂN", "QQJONES, SIÂN", 1), 3, 34, "row 3 has 34 columns"},
		{"cut in a note", good + strings.TrimSuffix(good[len(head):], "\n") + "\"Unused\nPARTI", 3, 33, "cut off"},
		{"cut in a row", good + good[len(head):][:50], 3, 6, "middle of row 3"},
		{"NUL", good + "\x00", 3, 0, "NUL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep, err := Read(strings.NewReader(c.file), Options{Today: today})
			var e *FileError
			if rep != nil || !errors.As(err, &e) {
				t.Fatalf("report %v, error %v", rep, err)
			}
			if e.Line != c.line || e.Column != c.column || !strings.Contains(e.Reason, c.reason) || strings.Contains(e.Reason, "QQ") {
				t.Errorf("line %d, column %d: %q", e.Line, e.Column, e.Reason)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	b := file(record(), record("Version", "1"))
	if _, err := Read(bytes.NewReader(b), Options{Today: today, MaxRows: 1}); err == nil || !strings.Contains(err.Error(), "more than 1 rows") {
		t.Errorf("rows: %v", err)
	}
	if _, err := Read(bytes.NewReader(b), Options{Today: today, MaxBytes: 100}); err == nil || !strings.Contains(err.Error(), "larger than 100 bytes") {
		t.Errorf("bytes: %v", err)
	}
	if _, err := Read(bytes.NewReader(b), Options{}); err == nil || !strings.Contains(err.Error(), "Today") {
		t.Errorf("no day: %v", err)
	}
	if rep, err := Read(bytes.NewReader(b), Options{Today: today, MaxRows: 2, MaxBytes: int64(len(b))}); err != nil || len(rep.Rows) != 2 {
		t.Errorf("at the limits: %v", err)
	}
}

func TestWriteRefusedInEveryEncoding(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "quirks.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.SplitAfter(string(text), "\r\n") // no refused row but 20 has a line break in it
	for _, name := range []string{"quirks.csv", "quirks-bom.csv", "quirks-utf16le.csv", "quirks-utf16be.csv", "quirks-windows1252.csv"} {
		original, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		rep := read(t, original)
		var b bytes.Buffer
		if err := WriteRefused(&b, original, rep, nil); err != nil {
			t.Fatal(name, err)
		}
		at := slices.IndexFunc(rows, func(s string) bool { return strings.Contains(s, `"0,35"`) })
		want := "\ufeff" + rows[0] + strings.Join(rows[at:], "")
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestRefusedRowsCanBeCorrectedAndLoaded(t *testing.T) {
	original := file(record("Current DDE", "0,35"), record("Serial Number", "OTHER"), record("Use", "NOSE", "Serial Number", "THIRD"))
	original = bytes.TrimSuffix(original, []byte("\n"))
	rep := read(t, original)
	var b bytes.Buffer
	if err := WriteRefused(&b, original, rep, []int{4, 2}); err != nil {
		t.Fatal(err)
	}
	corrected := strings.NewReplacer(`"0,35"`, "0.35", "NOSE", "CHEST").Replace(b.String())
	again := read(t, []byte(corrected))
	if len(again.Rows) != 2 || len(again.Refused) != 0 || again.Rows[0].Barcode != "5000002A" || again.Rows[1].Barcode != "THIRD" {
		t.Errorf("%s", describe(again))
	}
	b.Reset()
	if err := WriteRefused(&b, original, rep, []int{3}); err != nil || !strings.Contains(b.String(), "OTHER") || strings.Contains(b.String(), "THIRD") {
		t.Errorf("row 3: %q %v", b.String(), err)
	}
	b.Reset()
	for _, n := range []int{-1, 0, 1, 5} {
		if err := WriteRefused(&b, original, rep, []int{n}); err == nil || b.Len() > 0 {
			t.Errorf("row %d was written", n)
		}
	}
	for _, other := range [][]byte{file(record()), []byte("a,b\n"), nil} {
		if err := WriteRefused(&b, other, rep, nil); err == nil || b.Len() > 0 {
			t.Errorf("another file was taken for the original")
		}
	}
}

// texts are what the columns of generated rows hold: good, bad and strange.
var texts = map[string][]string{
	"Use": {"CHEST", "LENS", "RFINGER", "LFINGER", "FETAL", "CONTROL", "chest"}, "Serial Number": {"A1", "A2", "A3", ""},
	"Current DDE": {"", "M", "0.35", "12", "-5", "1e9"}, "Current LDE": {"", "M", "0.35", "NaN"}, "Current SDE": {"", "M", "2.37", "0,35"},
	"NoteCode": {"", "Unused", NoteReceivedDamaged, NoteMultipleAccounts + "\n" + NoteUnused, "?"}, "Version": {"0", "1", "x"},
	"Period End Date": {"2026-03-31", "2026-02-28", "2031-01-01"}, "Participant Name": {"QQJONES", "CONTROL", "QQŴ\n"}, "DOB": {"", "QQ", "1970-01-01"},
}

func TestEveryRowHasOneOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var records [][]string
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				records = append(records, make([]string, 33))
				continue
			case 1:
				records = append(records, record()[:rapid.IntRange(1, 32).Draw(t, "width")])
				continue
			}
			var changes []string
			for h, list := range texts {
				if rapid.Bool().Draw(t, h) {
					changes = append(changes, h, rapid.SampledFrom(list).Draw(t, h))
				}
			}
			records = append(records, record(changes...))
		}
		b := file(records...)
		rep, err := Read(bytes.NewReader(b), Options{Today: today})
		if err != nil {
			t.Fatal(err)
		}
		if rep.In != len(records) {
			t.Fatalf("%d in, want %d", rep.In, len(records))
		}
		if err := sound(rep, b); err != nil {
			t.Fatal(err)
		}
		for _, r := range rep.Refused {
			if strings.Contains(r.Reason, "QQ") {
				t.Fatalf("personal text in %q", r.Reason)
			}
		}
	})
}

// sound checks what holds of every report.
func sound(rep *Report, original []byte) error {
	if len(rep.Rows)+len(rep.Refused)+len(rep.Ignored) != rep.In {
		return fmt.Errorf("%d rows + %d refused + %d ignored, %d in", len(rep.Rows), len(rep.Refused), len(rep.Ignored), rep.In)
	}
	numbers := slices.Clone(rep.Ignored)
	for _, r := range rep.Refused {
		numbers = append(numbers, r.Number)
		if r.Reason == "" || strings.IndexFunc(r.Reason, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 || len(r.Reason) > 500 {
			return fmt.Errorf("row %d: reason %q", r.Number, r.Reason)
		}
	}
	for _, r := range rep.Rows {
		numbers = append(numbers, r.Number)
		if r.Control != (len(r.Readings) == 0) || r.Position == dose.NoPosition || r.From > r.To || r.From > today || r.Scanned > today || r.Barcode == "" || r.Account == "" {
			return fmt.Errorf("row %d: %+v", r.Number, r)
		}
		for _, x := range r.Readings {
			if x.Dose < 0 || x.Dose > 9_999_999 || x.Dose != 0 && x.Qualifier != dose.Measured || x.Quantity == dose.NoQuantity || x.Qualifier == dose.NoQualifier {
				return fmt.Errorf("row %d: %+v", r.Number, x)
			}
		}
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != i+2 {
			return fmt.Errorf("rows are numbered %v", numbers)
		}
	}
	var b bytes.Buffer
	if err := WriteRefused(&b, original, rep, nil); err != nil {
		return err
	}
	again, err := Read(&b, Options{Today: today})
	if err != nil || again.In != len(rep.Refused) || len(again.Ignored) > 0 {
		return fmt.Errorf("the refused rows read again: %w, %+v", err, again)
	}
	return nil
}

func FuzzRead(f *testing.F) {
	head := file()
	f.Add(file(record("Current DDE", "0,35", "NoteCode", "Unused\n?")))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, append(bytes.Clone(head), b...)} { // mutation hardly ever keeps a header whole
			rep, err := Read(bytes.NewReader(b), Options{Today: today, MaxBytes: 1 << 20})
			if err == nil {
				err = sound(rep, b)
			} else if e := (*FileError)(nil); errors.As(err, &e) && rep == nil {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzRow puts texts where they are read.
func FuzzRow(f *testing.F) {
	f.Add("CHEST", "0.35", "M", "2026-03-31", "A1", "Unused", "1984-02-29")
	f.Add("RFINGER", "", "2.370", "2026-12-31", "A/1-", NoteReceivedDamaged, "")
	f.Fuzz(func(t *testing.T, use, dde, sde, end, serial, note, birth string) {
		fields := record("Use", use, "Current DDE", dde, "Current SDE", sde, "Period End Date", end, "Serial Number", serial, "NoteCode", note, "DOB", birth)
		b := file(fields)
		rep, err := Read(bytes.NewReader(b), Options{Today: today})
		var e *FileError
		if errors.As(err, &e) {
			return // not UTF-8
		}
		if err == nil {
			err = sound(rep, b)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rep.Rows {
			for _, x := range r.Readings {
				text := map[dose.Quantity]string{dose.Hp10: dde, dose.Hp3: "0.36", dose.Hp007: sde}[x.Quantity]
				if got := fmt.Sprintf("%d.%03d", x.Dose/1000, x.Dose%1000); x.Qualifier == dose.Measured && !sameNumber(got, strings.TrimSpace(text)) {
					t.Fatalf("%s read as %s", text, got)
				}
			}
		}
	})
}

// sameNumber compares decimal texts without arithmetic.
func sameNumber(a, b string) bool {
	plain := func(s string) string {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return strings.TrimLeft(s, "0")
	}
	return plain(a) == plain(b)
}

func big(rows int) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(Landauer().headings)
	for i := range rows {
		rec := record("Serial Number", fmt.Sprintf("5%07dA", i), "Participant Name", fmt.Sprintf("JONES %d", i))
		switch i % 4 {
		case 1:
			rec = record("Serial Number", fmt.Sprintf("5%07dA", i), "Current DDE", "", "Current LDE", "", "Current SDE", "", "NoteCode", "Unused")
		case 2:
			rec = record("Serial Number", fmt.Sprintf("5%07dA", i), "Use", "LENS", "Current DDE", "M", "NoteCode", NoteMultipleAccounts)
		}
		w.Write(rec)
	}
	w.Flush()
	return b.Bytes()
}

// BenchmarkRead reads 100,000 rows.
func BenchmarkRead(b *testing.B) {
	original := big(100_000)
	b.SetBytes(int64(len(original)))
	b.ReportAllocs()
	for b.Loop() {
		rep, err := Read(bytes.NewReader(original), Options{Today: today})
		if err != nil || len(rep.Rows) != 100_000 {
			b.Fatal(err)
		}
	}
}

// What a report keeps must not hold on to the file's text.
func TestRowsAreSmall(t *testing.T) {
	const rows = 5_000
	original := big(rows)
	before := heap()
	rep := read(t, original)
	if each := (heap() - before) / rows; each > 450 {
		t.Errorf("%d bytes for each row kept", each)
	}
	if len(rep.Rows) != rows || rep.Rows[0].Name == (person.Value{}) || rep.Rows[0].From != day.Of(2026, 1, 1) || len(original) == 0 {
		t.Error(len(rep.Rows))
	}
}
