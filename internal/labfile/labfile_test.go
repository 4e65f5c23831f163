package labfile

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/person"
)

var update = flag.Bool("update", false, "write the golden files anew")

var today = day.Of(2026, 6, 15)

// base is the row that cases differ from.
var base = map[string]string{
	"Account Number": "700123", "Account Name": "Ysbyty Glan-y-Nant", "Series Code": "RAD", "Scan Date": "2026-05-26", "Import Date": "2026-05-28",
	"Participant Number": "00001", "UniqueID": "QQUNIQUE", "ID Number": "QQIDENT", "Participant Name": "QQJONES SIÂN", "DOB": "1984-02-29",
	"Dosimeter": "Luxel+ Pa", "Use": "CHEST", "Rad Quality": "P", "Period Begin Date": "2026-01-01", "Period End Date": "2026-03-31",
	"Current DDE": "0.35", "Current LDE": "0.36", "Current SDE": "0.4", "Inception Date": "2019/04", "Serial Number": "5000002A", "Version": "0",
}

// record returns the base row with changes, as pairs of heading and text.
func record(changes ...string) []string {
	fields := make([]string, 33)
	for i, h := range Landauer().headings {
		fields[i] = base[h]
		for j := 0; j < len(changes); j += 2 {
			if changes[j] == h {
				fields[i] = changes[j+1]
			}
		}
	}
	return fields
}

func file(records ...[]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(Landauer().headings)
	w.WriteAll(records)
	return b.Bytes()
}

func read(t *testing.T, b []byte) *Report {
	t.Helper()
	rep, err := Read(bytes.NewReader(b), Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// describe writes a report for people, personal texts included.
func describe(rep *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d rows in\n", rep.Profile, rep.In)
	for _, r := range rep.Rows {
		fmt.Fprintf(&b, "row %d line %d: account %s badge %s version %d, %s to %s, scanned %s, %q born %q, notes %q\n    %s\n",
			r.Number, r.Line, r.Account, r.Barcode, r.Version, r.From, r.To, r.Scanned, r.Name.Expose(), r.Birth.Expose(), r.Notes, readings(r))
	}
	for _, r := range rep.Refused {
		fmt.Fprintf(&b, "row %d line %d refused: %s: %s\n", r.Number, r.Line, r.Column, r.Reason)
	}
	fmt.Fprintf(&b, "ignored %v\n", rep.Ignored)
	return b.String()
}

func readings(r Row) string {
	var list []string
	for _, x := range r.Readings {
		text := x.Quantity.String() + " "
		if x.Qualifier.String() == "measured" {
			text += fmt.Sprint(int64(x.Dose), " ")
		}
		list = append(list, text+x.Qualifier.String())
	}
	return strings.TrimSpace(r.Position.String() + ": " + strings.Join(list, ", "))
}

func TestQuirksInEveryEncoding(t *testing.T) {
	golden := filepath.Join("testdata", "quirks.golden")
	for _, c := range [][2]string{
		{"quirks.csv", "UTF-8"}, {"quirks-bom.csv", "UTF-8 with BOM"}, {"quirks-utf16le.csv", "UTF-16LE"},
		{"quirks-utf16be.csv", "UTF-16BE"}, {"quirks-windows1252.csv", "Windows-1252"},
	} {
		name, encoding := c[0], c[1]
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			rep := read(t, b)
			if rep.Encoding != encoding {
				t.Errorf("encoding %s, want %s", rep.Encoding, encoding)
			}
			got := describe(rep)
			if *update && name == "quirks.csv" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRows(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "rows.txt"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(b)), "\n\n")[1:] // the first is the explanation
	if len(blocks) < 60 {
		t.Fatalf("only %d cases", len(blocks))
	}
	for _, block := range blocks {
		lines := strings.Split(block, "\n")
		t.Run(lines[0], func(t *testing.T) {
			want, ok := strings.CutPrefix(lines[len(lines)-1], "-> ")
			if !ok {
				t.Fatal("the last line of a case must begin with ->")
			}
			var changes []string
			for _, l := range lines[1 : len(lines)-1] {
				heading, text, ok := strings.Cut(l, "=")
				if !ok || !strings.Contains(strings.Join(Landauer().headings, ","), heading) {
					t.Fatalf("no change of a column: %s", l)
				}
				changes = append(changes, heading, strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text))
			}
			rep := read(t, file(record(changes...)))
			if want, ok := strings.CutPrefix(want, "refused "); ok {
				column, reason, _ := strings.Cut(want, ": ")
				if len(rep.Refused) != 1 || rep.Refused[0].Column != column || !strings.Contains(rep.Refused[0].Reason, reason) {
					t.Fatalf("got %s", describe(rep))
				}
				if r := rep.Refused[0]; r.Number != 2 || r.Line != 2 {
					t.Errorf("row %d, line %d", r.Number, r.Line)
				}
				return
			}
			if len(rep.Rows) != 1 || readings(rep.Rows[0]) != want {
				t.Fatalf("got %s", describe(rep))
			}
		})
	}
}

func TestRefusalsRepeatNoPersonalText(t *testing.T) {
	for _, c := range []struct{ heading, text string }{
		{"DOB", "QQ1984"}, {"DOB", "29/02/1984"}, {"Participant Name", "QQJONES\nQQSIÂN"}, {"NoteCode", "QQNOTE of QQJONES"},
		{"Participant Name", strings.Repeat("QQ", 150)}, {"DOB", "2984-02-28"},
	} {
		rep := read(t, file(record(c.heading, c.text)))
		if len(rep.Refused) != 1 || rep.Refused[0].Column != c.heading {
			t.Errorf("%s: %s", c.heading, describe(rep))
			continue
		}
		for _, secret := range []string{"QQ", "1984", "2984"} {
			if strings.Contains(rep.Refused[0].Reason, secret) {
				t.Errorf("%s: the reason holds the text: %s", c.heading, rep.Refused[0].Reason)
			}
		}
	}
	if s := fmt.Sprintf("%v %+v %#v", read(t, file(record())).Rows, read(t, file(record())).Rows, read(t, file(record())).Rows); strings.Contains(s, "QQ") || strings.Contains(s, "1984-02-29") {
		t.Errorf("printing rows gives personal texts: %s", s)
	}
}

func TestRowKeepsNameAndBirth(t *testing.T) {
	rep := read(t, file(record(), record("Serial Number", "X1", "DOB", "1970-01-01"), record("Serial Number", "X2", "DOB", "", "Participant Name", "")))
	for i, want := range []struct{ name, birth string }{{"QQJONES SIÂN", "1984-02-29"}, {"QQJONES SIÂN", "1970-01-01"}, {"", ""}} {
		if r := rep.Rows[i]; r.Name != person.NewValue(want.name) || r.Birth != person.NewValue(want.birth) {
			t.Errorf("row %d: %q %q, want %v", r.Number, r.Name.Expose(), r.Birth.Expose(), want)
		}
	}
}

func TestDuplicatesNameTheFirst(t *testing.T) {
	rep := read(t, file(
		record("Current DDE", "0,1"),     // 2 refused: no first
		record(),                         // 3 the first
		record("Current DDE", "9"),       // 4 duplicate of 3
		record("Version", "1"),           // 5 re-issue
		record("Version", "1"),           // 6 duplicate of 5
		record("Use", "FETAL"),           // 7 another position
		record("Serial Number", "OTHER"), // 8 another badge
		record("Period End Date", "2026-03-30"),
	))
	var got []string
	for _, r := range rep.Refused {
		got = append(got, fmt.Sprintf("%d %s %s", r.Number, r.Column, r.Reason))
	}
	want := []string{
		"2 Current DDE a dose in mSv (as 0.35; at most four digits before the point and three after it), M or nothing expected",
		"4 Serial Number the same badge, period, position and version as in row 3",
		"6 Serial Number the same badge, period, position and version as in row 5",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(rep.Rows) != 5 {
		t.Errorf("%d rows", len(rep.Rows))
	}
}

func TestShortAndBlankRecords(t *testing.T) {
	b := append(file(), "\r\n700123,x,y\r\n,,,\r\n  \r\n"...)
	b = append(b, strings.Repeat(",", 32)...) // the last line of a file may lack its break
	rep := read(t, b)
	if rep.In != 4 || len(rep.Refused) != 1 || len(rep.Ignored) != 3 {
		t.Fatalf("%s", describe(rep))
	}
	if r := rep.Refused[0]; r.Number != 2 || r.Line != 3 || r.Column != "" || r.Reason != "3 columns, where 33 are expected" {
		t.Errorf("%+v", r)
	}
}
