package labfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
)

// guessed is a guess as JSON, without white space.
func guessed(t *testing.T, file []byte) string {
	t.Helper()
	l, err := Guess(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.JSON()
	if err != nil {
		t.Fatal(err)
	}
	draft, err := ParseDraft(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := draft.JSON()
	if d := cmp.Diff(string(b), string(again)); err != nil || d != "" {
		t.Error("a draft differs once it was written and read:", err, d)
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

// What a file says by itself is guessed; what only somebody can know stays open.
func TestGuess(t *testing.T) {
	wide := exampleHead + "700123;X1;0;Trunk;01/01/2026;31/01/2026;12/02/2026;Ŵyn;03/02/1985;0,35;<0,1;;;Unused\r\n700123;X2;0;Ring right;01/01/2026;31/01/2026;;;;;;;NR;\r\n"
	latin, err := charmap.ISO8859_14.NewEncoder().String(wide)
	if err != nil {
		t.Fatal(err)
	}
	const want = `"heading_row": 2, "columns": { "barcode": "Badge", "account": "Customer", "position": "Worn at", "from": "From", "to": "Until", "scanned": "Read on", "version": "Issue", "name": "Wearer", "birth": "Born", "notes": "Remarks" }, ` +
		`"positions": { "Ring right": "right finger", "Trunk": "whole body" }, "quantities": [ { "quantity": "Hp(10)", "column": "Hp(10)", "unit": "" }, { "quantity": "Hp(0.07)", "column": "Hp(0,07)", "unit": "" }, ` +
		`{ "quantity": "Hp(3)", "column": "Hp(3)", "unit": "" }, { "quantity": "Hp(0.07)", "column": "Ring", "unit": "" } ], "codes": { "<0,1": "below level" }, "notes": { "Unused": "unused" }, "dates": [ "DD/MM/YYYY" ], "decimal": "," }`
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"a row for each badge": {[]byte(wide), `{ "name": "", ` + want},
		"the same in Welsh":    {[]byte(latin), `{ "name": "", "encoding": "ISO-8859-14", ` + want},
		"a spreadsheet, a row for each quantity": {xlsxtest.Texts([]string{"Serial", "Site", "Start", "End", "Quantity", "Result"}, []string{"A1", "Collar", "2026-01-01", "2026-01-31", "deep", "0.35"},
			[]string{"A2", "Left wrist", "2026-01-01", "2026-01-31", "skin", "ND"}),
			`{ "name": "", "heading_row": 1, "columns": { "barcode": "Serial", "position": "Site", "from": "Start", "to": "End", "quantity": "Quantity", "value": "Result" }, "positions": { "Collar": "collar", "Left wrist": "left wrist" }, "quantities": null, "decimal": "." }`},
		"units in headings, two of a name": {[]byte("Badge,Badge,From,To,Hp(10) [µSv],Hp10 YTD\nA,B,13/01/2026,20/01/2026,35,70\n"),
			`{ "name": "", "heading_row": 1, "columns": { "barcode": 1, "from": "From", "to": "To" }, "quantities": [ { "quantity": "Hp(10)", "column": "Hp(10) [µSv]", "unit": "µSv" } ], "dates": [ "DD/MM/YYYY" ], "decimal": "." }`},
		"nothing that is known": {[]byte("a\tb\n1\tx\n"), `{ "name": "", "heading_row": 1, "columns": {}, "quantities": null, "decimal": "." }`},
	} {
		if d := cmp.Diff(c.want, guessed(t, c.file)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	var e *FileError
	for _, b := range []string{"", "1,2\n3,4\n", "\"a"} {
		if l, err := Guess([]byte(b)); !errors.As(err, &e) {
			t.Errorf("%q: %+v, %v", b, l, err)
		}
	}
}

func TestSampleTexts(t *testing.T) {
	l := &Layout{}
	s, err := OpenSample([]byte("Badge,Site,deep,skin,Notes\nA,T,1,QQ,\"x\n\ny\"\nB,R,,ND,x\n,,,,\nC,C,?,?,\nD,T,ND,\n"), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetRoles(l, []string{RoleBarcode, RolePosition, "Hp(10)", "Hp(0.07)", RoleNotes}); err != nil {
		t.Fatal(err)
	}
	var twice *RoleError
	if err := s.SetRoles(&Layout{}, []string{RoleBarcode, "", "", "", RoleBarcode}); !errors.As(err, &twice) || twice.Column != 4 {
		t.Error(err)
	}
	l.Positions = map[string]string{"T": "whole body", "R": "right finger", "C": "control"}
	if d := cmp.Diff([]Text{{"ND", 2}, {"", 1}, {"?", 1}, {"QQ", 1}}, s.Codes(l)); d != "" {
		t.Error("codes:", d) // that a ring has no Hp(10) needs no code, but a text in its column does
	}
	if d := cmp.Diff([]Text{{"x", 2}, {"y", 1}}, s.Notes(l)); d != "" {
		t.Error("notes:", d)
	}
	if d := cmp.Diff([]Text{{"T", 2}, {"C", 1}, {"R", 1}}, s.Texts(l.Columns.Position)); d != "" {
		t.Error("positions:", d)
	}
	// What is said of a quantity stays with its column.
	l.Quantities[1].Unit = "mSv"
	if err := s.SetRoles(l, []string{RoleBarcode, "", "Hp(3)", "Hp(0.07)", ""}); err != nil || l.Quantities[0].Unit != "" || l.Quantities[1].Unit != "mSv" {
		t.Errorf("%+v, %v", l.Quantities, err)
	}
}

func FuzzGuess(f *testing.F) {
	f.Add([]byte(exampleHead+"700123;X1;0;Trunk;01/01/2026;31/01/2026;12/02/2026;Ŵyn;;0,35;<0,1;;;Unused\r\n"), []byte(`{"name": "", "heading_row": 2}`))
	f.Add(xlsxtest.Texts([]string{"Serial", "Hp(10) mSv"}, []string{"A", "1"}), []byte(`{"name": "x", "columns": {}}`))
	f.Fuzz(func(t *testing.T, file, draft []byte) {
		l, err := Guess(file)
		var e *FileError
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		if err == nil {
			b, err := l.JSON()
			if err == nil {
				_, err = ParseDraft(b)
			}
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
		}
		var bad *ProfileError
		other, err := ParseDraft(draft)
		if err != nil && !errors.As(err, &bad) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		if s, err := OpenSample(file, other); err == nil {
			s.GuessDetails(other)
			if err := s.SetRoles(other, s.Roles(other)); err != nil && !errors.As(err, new(*RoleError)) {
				t.Fatal(err)
			}
		}
	})
}
