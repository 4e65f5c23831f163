package peoplefile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
)

// A spreadsheet reads by the same headings: numbers as they are shown, dates by their number and style.
func TestSpreadsheet(t *testing.T) {
	rows := xlsxtest.Row("Staff No.", "Cyfenw", "First name", "Date of birth", "Start date", "Classified", "Department") +
		`<row><c><v>10042</v></c><c t="inlineStr"><is><t>Ŵyn</t></is></c><c/><c s="1"><v>30741</v></c><c s="3"><v>43709</v></c><c t="b"><v>0</v></c></row>` +
		`<row/><row><c><v>10043</v></c><c/><c/><c><v>30741</v></c></row>` +
		`<row><c><v>10044</v></c><c/><c/><c/><c/><c/><c t="e"><v>#REF!</v></c></row>`
	b := xlsxtest.Book(rows).Zip()
	o := Options{Today: today}
	rep, err := Read(bytes.NewReader(b), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound(rep, b, o); err != nil {
		t.Error(err)
	}
	got := describe(rep)
	for _, want := range []string{"row 2 line 2: 10042 | Ŵyn |  |  | [] | 1984-02-29 |", "2019-09-01 to  | classified false", "row 4 line 4 refused: Date of birth", "row 5 line 5 refused: Department", "ignored [3]"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %q", got, want)
		}
	}
	if rep.Encoding != "XLSX" {
		t.Error(rep.Encoding)
	}
	if _, err := Read(bytes.NewReader(b), Options{Today: today, Sheet: "People"}); err == nil || !strings.Contains(err.Error(), "no sheet of the name") {
		t.Error(err)
	}
}
