package labfile

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
)

// The quirks read from a spreadsheet as from text, but for the numbers of lines and the reasons that speak of a short row.
func TestQuirksInASpreadsheet(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "quirks.csv"))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sheet := xlsxtest.Texts(rows...)
	fromText, fromSheet := read(t, b), read(t, sheet)
	if fromSheet.Encoding != "XLSX" {
		t.Error(fromSheet.Encoding)
	}
	if err := sound(fromSheet, sheet); err != nil {
		t.Error(err)
	}
	for _, rep := range []*Report{fromText, fromSheet} {
		for i := range rep.Rows {
			rep.Rows[i].Line = 0
		}
		for i := range rep.Refused {
			rep.Refused[i].Line = 0
		}
	}
	if d := cmp.Diff(describe(fromText), describe(fromSheet)); d != "" {
		t.Error(d)
	}
}

// Doses and dates that a spreadsheet holds as numbers.
func TestNumbersInASpreadsheet(t *testing.T) {
	cell := map[string]string{"Current DDE": `<c><v>0.34999999999999998</v></c>`, "Current SDE": `<c><v>0.4</v></c>`, "Version": `<c><v>1</v></c>`,
		"Period Begin Date": `<c s="1"><v>46023</v></c>`, "Period End Date": `<c s="3"><v>46112</v></c>`, "Inception Date": `<c s="1"><v>43556</v></c>`}
	row := "<row>"
	for i, text := range record() {
		if c := cell[Landauer().headings[i]]; c != "" {
			row += c
		} else {
			row += strings.TrimSuffix(strings.TrimPrefix(xlsxtest.Row(text), "<row>"), "</row>")
		}
	}
	rep := read(t, xlsxtest.Book(xlsxtest.Row(Landauer().headings...)+row+"</row>").Zip())
	if len(rep.Rows) != 1 {
		t.Fatal(describe(rep))
	}
	want := read(t, file(record("Version", "1")))
	if d := cmp.Diff(describe(want), describe(rep)); d != "" {
		t.Error(d)
	}
}
