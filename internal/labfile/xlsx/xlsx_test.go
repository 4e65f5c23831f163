package xlsx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/labfile/delimited"
	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
)

// all reads a file as lines of "row: field|field".
func all(b []byte, o Options) (lines []string, err error) {
	f, err := Open(b, o)
	if err != nil {
		return nil, err
	}
	lines = []string{fmt.Sprintf("%d %d: %s", f.Header().Number, f.Header().Line, strings.Join(f.Header().Fields, "|"))}
	for {
		rec, err := f.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%d %d: %s", rec.Number, rec.Line, strings.Join(rec.Fields, "|")))
	}
}

// one reads a sheet whose second row is one cell below the heading "a".
func one(cell string, change func(xlsxtest.Parts)) (string, error) {
	p := xlsxtest.Book(xlsxtest.Row("a") + "<row>" + cell + "</row>" + xlsxtest.Row("end"))
	if change != nil {
		change(p)
	}
	lines, err := all(p.Zip(), Options{})
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(lines[1], "2 2: "), nil
}

func TestCells(t *testing.T) {
	for _, c := range [][2]string{
		{`<c><v>0.35</v></c>`, "0.35"},
		{`<c><v>0.34999999999999998</v></c>`, "0.35"},
		{`<c><v>0.30000000000000004</v></c>`, "0.3"},
		{`<c><v>3.5000000000000003E-2</v></c>`, "0.035"},
		{`<c><v>1.0000000000000001E-5</v></c>`, "0.00001"},
		{`<c><v>-0.02</v></c>`, "-0.02"},
		{`<c><v>-0</v></c>`, "0"},
		{`<c><v>5000001</v></c>`, "5000001"},
		{`<c><v>123456789012345</v></c>`, "123456789012345"},
		{`<c><v>12345678901234567</v></c>`, "1.23456789012346E+16"},
		{`<c t="n"><v>2</v></c>`, "2"},
		{`<c s="1"><v>46023</v></c>`, "2026-01-01"},
		{`<c s="3"><v>46112</v></c>`, "2026-03-31"},
		{`<c s="1"><v>46112.75</v></c>`, "2026-03-31"},
		{`<c s="2"><v>46112.75</v></c>`, "2026-03-31 18:00:00"},
		{`<c s="2"><v>46112</v></c>`, "2026-03-31"},
		{`<c s="1"><v>1</v></c>`, "1900-01-01"},
		{`<c s="1"><v>59</v></c>`, "1900-02-28"},
		{`<c s="1"><v>60</v></c>`, "1900-02-29"},
		{`<c s="1"><v>61</v></c>`, "1900-03-01"},
		{`<c s="1"><v>0</v></c>`, "1900-01-00"},
		{`<c s="1"><v>-3</v></c>`, "-3"},
		{`<c s="1"><v>46023.99999999</v></c>`, "2026-01-02"},
		{`<c t="d"><v>2026-03-31T00:00:00</v></c>`, "2026-03-31"},
		{`<c t="s"><v>0</v></c>`, "shared"},
		{`<c t="s" s="1"><v>1</v></c>`, "rich "},
		{`<c t="str"><f>A1&amp;"x"</f><v>Jones_x000D_&#10;x_x0041_</v></c>`, "Jones\r\nxA"},
		{`<c><f>SUM(B1:B3)</f><v>0.7</v></c>`, "0.7"},
		{`<c t="str"><f>""</f><v></v></c>`, ""},
		{`<c t="inlineStr"><is><t>_x00</t></is></c>`, "_x00"},
		{`<c t="b"><v>1</v></c>`, "TRUE"},
		{`<c t="b"><v>0</v></c>`, "FALSE"},
		{`<c t="e"><v>#N/A</v></c>`, "#N/A"},
		{`<c t="e"><f>1/0</f><v>#DIV/0!</v></c>`, "#DIV/0!"},
		{`<c t="e"><v>strange</v></c>`, "#ERROR!"},
		{`<c s="1"/>`, ""},
		{`<c r="A2" s="7"><v>1</v><extLst><ext><t>no</t></ext></extLst></c>`, "1"},
		{`<c t="inlineStr"><is><r><t>Ŵ</t></r><rPh><t>no</t></rPh></is></c>`, "Ŵ"},
	} {
		if got, err := one(c[0], nil); err != nil || got != c[1] {
			t.Errorf("%s: %q, want %q (%v)", c[0], got, c[1], err)
		}
	}
}

func TestDaysFrom1904(t *testing.T) {
	from04 := func(p xlsxtest.Parts) {
		p["xl/workbook.xml"] = strings.Replace(p["xl/workbook.xml"], "<workbookPr/>", `<workbookPr date1904="1"/>`, 1)
	}
	for v, want := range map[string]string{"0": "1904-01-01", "44561": "2026-01-01", "44561.5": "2026-01-01"} {
		if got, err := one(`<c s="1"><v>`+v+`</v></c>`, from04); err != nil || got != want {
			t.Errorf("%s: %q %v", v, got, err)
		}
	}
}

func TestNumberFormats(t *testing.T) {
	date, clock, both := style{date: true}, style{time: true}, style{date: true, time: true}
	for format, want := range map[string]style{
		"dd/mm/yyyy": date, "yyyy-mm-dd;@": date, "[$-809]d mmmm yyyy": date, "mmm-yy": date, "mmmm": date, "[Red]yyyy": date, "DD.MM.YYYY": date,
		"hh:mm": clock, "h:mm AM/PM": clock, "mm:ss.0": clock, "dd/mm/yyyy hh:mm": both,
		"General": {}, "0.00": {}, "#,##0.00;[Red]-#,##0.00": {}, `0.00" mSv day"`: {}, `0\d`: {}, "0_d": {}, "0.00E+00": {}, "@": {}, "[h]:mm": {}, `"unfinished`: {}, "": {},
	} {
		if got := styleOf(format); got != want {
			t.Errorf("%s: %+v", format, got)
		}
	}
}

func TestRowsKeepTheirNumbers(t *testing.T) {
	p := xlsxtest.Book(`<row r="2">` + `<c r="A2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c></row>` +
		`<row r="3"><c r="C3"><v>1</v></c></row><row r="4"/><row r="6"><c r="A6"><v>2</v></c><c r="H6" s="1"/><c r="I6" t="inlineStr"><is><t> </t></is></c></row><row r="900000" s="1"/>`)
	got, err := all(p.Zip(), Options{})
	want := []string{"1 2: shared||rich ", "2 3: ||1", "3 4: ||", "4 5: ||", "5 6: 2||"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestSheets(t *testing.T) {
	p := xlsxtest.Book(xlsxtest.Row("hidden"))
	p["xl/worksheets/other.xml"] = strings.Replace(p["xl/worksheets/sheet1.xml"], "hidden", "seen", 1)
	p["xl/worksheets/third.xml"] = strings.Replace(p["xl/worksheets/sheet1.xml"], "hidden", "third", 1)
	p["xl/workbook.xml"] = strings.Replace(p["xl/workbook.xml"], `<sheet name="Doses" sheetId="1" r:id="r1"/>`,
		`<sheet name="Doses" state="hidden" r:id="r1"/><sheet name="Chart" r:id="r4"/><sheet name="A" r:id="r5"/><sheet name="B" r:id="r6"/>`, 1)
	p["xl/_rels/workbook.xml.rels"] = strings.Replace(p["xl/_rels/workbook.xml.rels"], "</Relationships>",
		`<Relationship Id="r4" Type="x/chartsheet" Target="chart.xml"/><Relationship Id="r5" Type="x/worksheet" Target="worksheets/../worksheets/other.xml"/><Relationship Id="r6" Type="x/worksheet" Target="worksheets/third.xml"/></Relationships>`, 1)
	for name, want := range map[string]string{"": "1 1: seen", "a": "1 1: seen", "B": "1 1: third"} {
		if got, err := all(p.Zip(), Options{Sheet: name}); err != nil || got[0] != want {
			t.Errorf("%q: %q %v", name, got, err)
		}
	}
	if _, err := all(p.Zip(), Options{Sheet: "Doses"}); err == nil || !strings.Contains(err.Error(), "no sheet of the name") {
		t.Errorf("a hidden sheet: %v", err)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	good := xlsxtest.Texts([]string{"a", "b"}, []string{"1", "2"})
	with := func(part, text string) []byte {
		p := xlsxtest.Book(xlsxtest.Row("a"))
		if p[part] = text; text == "" {
			delete(p, part)
		}
		return p.Zip()
	}
	cells := func(xml string) []byte { return xlsxtest.Book(xlsxtest.Row("a", "b") + xml).Zip() }
	sheet := "xl/worksheets/sheet1.xml"
	for _, c := range []struct {
		name, reason string
		file         []byte
		line, column int
	}{
		{"cut off", "damaged or was cut off", good[:len(good)-30], 0, 0},
		{"nothing but the beginning", "damaged or was cut off", []byte(archive), 0, 0},
		{"an old file", "old Office file", []byte(compound + "Workbook"), 0, 0},
		{"encrypted", "encrypted", append([]byte(compound), utf16("EncryptedPackage")...), 0, 0},
		{"OpenDocument", "ODS", xlsxtest.Parts{"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}.Zip(), 0, 0},
		{"a ZIP archive", "unpack it", xlsxtest.Parts{"doses.csv": "a,b"}.Zip(), 0, 0},
		{"a letter", "another kind", with("xl/workbook.xml", "<document/>"), 0, 0},
		{"binary", "XLSB", xlsxtest.Parts{"_rels/.rels": `<Relationships><Relationship Id="1" Type="x/officeDocument" Target="xl/workbook.bin"/></Relationships>`}.Zip(), 0, 0},
		{"no workbook", "lacks one of its parts", with("xl/workbook.xml", ""), 0, 0},
		{"no sheet", "lacks one of its parts", with(sheet, ""), 0, 0},
		{"no relations", "no sheet", with("xl/_rels/workbook.xml.rels", ""), 0, 0},
		{"an empty sheet", "empty", xlsxtest.Book(`<row r="1"><c/></row>`).Zip(), 0, 0},
		{"a sheet cut off", "damaged", with(sheet, "<worksheet><sheetData><row><c><v>1"), 0, 0},
		{"a row cut off", "damaged", with(sheet, "<worksheet><sheetData><row>"), 0, 0},
		{"a sheet cut after its rows", "damaged", with(sheet, "<worksheet><sheetData>"+xlsxtest.Row("a")+"</sheetData>"), 0, 0},
		{"another encoding", "damaged", with(sheet, `<?xml version="1.0" encoding="utf-16"?><worksheet/>`), 0, 0},
		{"an entity", "damaged", with(sheet, `<!DOCTYPE x [<!ENTITY e "eee">]><worksheet><sheetData><row><c t="str"><v>&e;</v></c></row></sheetData></worksheet>`), 0, 0},
		{"a formula without result", "not saved", cells(`<row><c/><c><f>A1</f></c></row>`), 2, 2},
		{"no number", "damaged here", cells(`<row><c><v>QQ</v></c></row>`), 2, 1},
		{"too large a number", "damaged here", cells(`<row><c><v>1e999</v></c></row>`), 2, 1},
		{"a shared text that is not there", "damaged here", cells(`<row><c t="s"><v>2</v></c></row>`), 2, 1},
		{"an unknown kind", "damaged here", cells(`<row><c t="QQ"><v>2</v></c></row>`), 2, 1},
		{"no style", "damaged here", cells(`<row><c s="QQ"><v>2</v></c></row>`), 2, 1},
		{"cells in disorder", "damaged here", cells(`<row><c r="B2"><v>2</v></c><c r="A2"><v>2</v></c></row>`), 2, 2},
		{"a cell of another row", "damaged here", cells(`<row><c r="B3"><v>2</v></c></row>`), 2, 0},
		{"rows in disorder", "no proper number", cells(`<row r="1"/>`), 1, 0},
		{"no heading", "without a heading", cells(`<row r="4"><c r="D4"><v>2</v></c></row>`), 4, 4},
		{"too many columns", "10000 columns", cells(`<row><c r="ZZZ2"><v>2</v></c></row>`), 2, 10001},
		{"too many rows", "more than 9 rows", cells(`<row r="1048576"><c><v>2</v></c></row>`), 1048576, 0},
		{"a row too long", "longer than 1024 KiB", cells(xlsxtest.Row(strings.Repeat("x", 1<<20), "x")), 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := all(c.file, Options{MaxRows: 9})
			var e *delimited.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.Line != c.line && c.line > 0 || e.Column != c.column || !strings.Contains(e.Reason, c.reason) || strings.Contains(e.Reason, "QQ") {
				t.Errorf("line %d, column %d: %q", e.Line, e.Column, e.Reason)
			}
		})
	}
	if _, err := all(good, Options{MaxBytes: int64(len(good)) - 1}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
}

// A small archive may unpack to very much, and list very many parts.
func TestBombs(t *testing.T) {
	p := xlsxtest.Book("")
	p["xl/styles.xml"] = "<styleSheet>" + strings.Repeat(" ", maxSmall) + "</styleSheet>"
	b := p.Zip()
	if len(b) > 100<<10 {
		t.Fatal(len(b))
	}
	if _, err := all(b, Options{}); err == nil || !strings.Contains(err.Error(), "unpacks to more than 16 MiB") {
		t.Error(err)
	}
	p = xlsxtest.Parts{}
	for i := range 60_000 {
		p["many/parts/with/names/that/are/rather/long"+strconv.Itoa(i)] = ""
	}
	if _, err := all(p.Zip(), Options{}); err == nil || !strings.Contains(err.Error(), "too many parts") {
		t.Error(err)
	}
}

// A changed byte in a part is found, even behind the last row.
func TestDamageIsFound(t *testing.T) {
	p := xlsxtest.Book(xlsxtest.Row("a") + xlsxtest.Row("1"))
	b := p.Zip()
	at := bytes.Index(b, []byte("xl/worksheets/sheet1.xml")) + len("xl/worksheets/sheet1.xml")
	found := 0
	for i := range 200 {
		c := bytes.Clone(b)
		c[at+i] ^= 0x10
		got, err := all(c, Options{})
		if err == nil && !slices.Equal(got, []string{"1 1: a", "2 2: 1"}) {
			t.Fatalf("byte %d changed reads as %q", i, got)
		}
		if err != nil {
			found++
		}
	}
	if found < 150 {
		t.Errorf("only %d changes of 200 were found", found)
	}
}

// A file that another program wrote (excelize 2.11.1).
func TestAnotherProgramsFile(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "excelize.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := all(b, Options{Sheet: "Canlyniadau"})
	want := []string{
		"1 1: Serial|Name|Hp(10)|From|Read|Sum|Note",
		"2 2: 5000001|Ŵyn Jones|0.35|2026-01-01|2026-04-13 09:30:00|0.7|",
		"3 3: 5000002A|Siân <b>|1.005|2026-01-31|||two\nlines",
		"4 4: ||||||",
		"5 5: 5000003||0.1|2026-02-28||0.2|TRUE",
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

// What a spreadsheet keeps of a decimal number is the number as it was typed, up to 15 digits.
func TestNumbersAsTyped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.Int64Range(0, 999_999_999_999_999).Draw(t, "digits")
		places := rapid.IntRange(0, 15).Draw(t, "places")
		typed := fmt.Sprintf("%0*d", places+1, digits)
		if places > 0 {
			typed = strings.TrimRight(strings.TrimRight(typed[:len(typed)-places]+"."+typed[len(typed)-places:], "0"), ".")
		}
		v, _ := strconv.ParseFloat(typed, 64)
		if got := number(v); got != typed {
			t.Fatalf("%s reads as %s", typed, got)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="3"><c s="1"><v>46023.5</v></c></row>`, `<si><t>x</t></si>`, `<cellXfs><xf numFmtId="14"/></cellXfs>`)
	f.Add(xlsxtest.Row("a", "b")+`<row><c t="e"><v>#N/A</v></c><c><f>A1</f><v>1E-3</v></c></row>`, ``, `<numFmt numFmtId="170" formatCode="[h]:mm;@"/>`)
	f.Fuzz(func(t *testing.T, rows, shared, styles string) {
		p := xlsxtest.Book(rows)
		p["xl/sharedStrings.xml"] = "<sst>" + shared + "</sst>"
		p["xl/styles.xml"] = "<styleSheet>" + styles + "</styleSheet>"
		file, err := Open(p.Zip(), Options{MaxRows: 1000})
		width := 0
		for n := 2; err == nil; n++ {
			width = len(file.Header().Fields)
			var rec delimited.Record
			rec, err = file.Next()
			if err == nil && (len(rec.Fields) != width || rec.Number != n || rec.Line != file.Header().Line+n-1) {
				t.Fatalf("%+v", rec)
			}
		}
		var e *delimited.Error
		if !errors.Is(err, io.EOF) && !errors.As(err, &e) {
			t.Fatal(err)
		}
	})
}
