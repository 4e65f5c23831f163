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

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/xlsx/xlsxtest"
)

// example returns the complete example of docs/laboratory-profiles.md.
func example(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "laboratory-profiles.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "```json\n")
	text, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("no example in the documentation")
	}
	return text
}

// long is the documented example's laboratory, with a row for each quantity.
const long = `{"name": "long", "columns": {"barcode": 1, "account": 2, "position": "Where", "from": "From", "to": "To", "scanned": "Read", "quantity": "What", "value": "µSv", "name": "Name"},
	"positions": {"B": "whole body", "R": "right finger", "L": "eye", "C": "control"}, "dates": ["YYYYMMDD"],
	"quantities": [{"quantity": "Hp(10)", "text": "deep", "unit": "µSv"}, {"quantity": "Hp(0.07)", "text": "skin", "unit": "µSv"}, {"quantity": "Hp(3)", "text": "lens", "unit": "µSv", "positions": ["eye"]}],
	"codes": {"<": "below level", "U": "unused", "D": "damaged", "-": "not reported"}}`

func profile(t testing.TB, text string) *Profile {
	t.Helper()
	p, err := ParseProfile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func readBy(t testing.TB, p *Profile, b []byte) *Report {
	t.Helper()
	rep, err := Read(bytes.NewReader(b), Options{Profile: p, Today: today})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

const exampleHead = "Monthly results;;;;;;;;;;;\r\n\r\nCustomer;Badge;Issue;Worn at;From;Until;Read on;Wearer;Born;Hp(10);Hp(0,07);Hp(3);Ring;Remarks\r\n"

func TestDocumentedExample(t *testing.T) {
	p := profile(t, example(t))
	text := exampleHead +
		"700123;C1;0;Trunk;01/01/2026;31/01/2026;12/02/2026;\xd0yn Jones;29/02/1984;0,35;0,4;;;\r\n" +
		"700123;C2;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;<0,1;0,05;;;\r\n" +
		"700123;C3;0;Ring right;01/01/2026;31/01/2026;12/02/2026;;;;;;2,37;\r\n" +
		"700123;C4;1;Eye;01/01/2026;31/01/2026;12/02/2026;;;0,00;;0,72;;Late\r\n" +
		"700123;C5;0;Trunk;01/01/2026;31/01/2026;;;;NR;NR;;;\r\n" +
		"700123;C6;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;;;;;Unused\r\n" +
		"700123;C7;0;Control;01/01/2026;31/01/2026;12/02/2026;;;0,07;0,07;;;\r\n" +
		";;;;;;;;;;;;;\r\n" +
		"700123;D1;0;Nose;01/01/2026;31/01/2026;12/02/2026;;;0,35;0,4;;;\r\n" +
		"700123;D2;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;0.35;0,4;;;\r\n" +
		"700123;D3;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;;0,4;;;\r\n" +
		"700123;D4;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;??;0,4;;;\r\n" +
		"700123;D5;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;0,3555;0,4;;;\r\n" +
		"700123;D6;0;Ring right;01/01/2026;31/01/2026;12/02/2026;;;;0,4;;2,37;\r\n" +
		"700123;D7;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;0,3;NR;;;\r\n" +
		"700123;D8;0;Trunk;01/13/2026;31/01/2026;12/02/2026;;;0,3;0,3;;;\r\n" +
		"700123;D9;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;-0,3;0,3;;;Secret\r\n" +
		"700123;C1;0;Trunk;01/01/2026;31/01/2026;12/02/2026;;;0,3;0,3;;;\r\n" +
		"700123;E1\r\n"
	rep := readBy(t, p, []byte(text))
	var got []string
	for _, r := range rep.Rows {
		got = append(got, fmt.Sprintf("%d %s v%d %s %s", r.Number, r.Barcode, r.Version, r.Name.Expose(), readings(r)))
	}
	want := []string{
		"2 C1 v0 Ŵyn Jones whole body: Hp(10) 350 measured, Hp(0.07) 400 measured",
		"3 C2 v0  whole body: Hp(10) below level, Hp(0.07) below level",
		"4 C3 v0  right finger: Hp(0.07) 2370 measured",
		"5 C4 v1  eye: Hp(3) 720 measured",
		"6 C5 v0  whole body: Hp(10) not returned, Hp(0.07) not returned",
		"7 C6 v0  whole body: Hp(10) unused, Hp(0.07) unused",
		"8 C7 v0  control:",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = nil
	for _, r := range rep.Refused {
		got = append(got, fmt.Sprintf("%d %s: %s", r.Number, r.Column, r.Reason))
	}
	want = []string{
		"10 Worn at: a position that the profile does not know: have it say what the text means",
		`11 Hp(10): neither a number in mSv (decimal mark ",") nor a code that the profile knows`,
		"12 Hp(10): no dose: a number, or a code that the profile knows, expected",
		`13 Hp(10): neither a number in mSv (decimal mark ",") nor a code that the profile knows`,
		"14 Hp(10): it is not a whole number of µSv, and the profile does not say to round",
		"15 Hp(0,07): a badge worn at this position does not measure this: a code or nothing expected",
		": one quantity says that the badge is not returned, another that it is measured",
		"17 From: a date as YYYY-MM-DD or DD/MM/YYYY expected",
		"18 Remarks: note 1 is none that the profile knows",
		"19 Badge: the same badge, period, position and version as in row 2",
		": 2 columns, where 14 are expected",
	}
	want[6], want[10] = "16 "+want[6], "20 "+want[10]
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if rep.Encoding != "ISO-8859-14" || len(rep.Ignored) != 1 || rep.Profile != "cardiff-monthly/1" {
		t.Error(rep.Encoding, rep.Ignored, rep.Profile)
	}
	soundBy(t, p, rep, []byte(text))
}

// soundBy checks what holds of every report.
func soundBy(t interface{ Fatalf(string, ...any) }, p *Profile, rep *Report, original []byte) {
	numbers := slices.Concat(rep.Ignored, rep.Merged)
	refused := 0
	for _, r := range rep.Refused {
		numbers = append(numbers, r.Number)
		refused++
	}
	for _, r := range rep.Rows {
		numbers = append(numbers, r.Number)
		if r.Control != (len(r.Readings) == 0) {
			t.Fatalf("row %d: %+v", r.Number, r)
		}
		for _, x := range r.Readings {
			if x.Dose < 0 || x.Dose > dose.MaxText || x.Dose != 0 && x.Qualifier != dose.Measured || !r.Position.Measures(x.Quantity) || x.Qualifier == dose.NoQualifier {
				t.Fatalf("row %d: %+v", r.Number, x)
			}
		}
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != i+2 {
			t.Fatalf("rows are numbered %v", numbers)
		}
	}
	if len(numbers) != rep.In {
		t.Fatalf("%d rows, %d in", len(numbers), rep.In)
	}
	var b bytes.Buffer
	if err := WriteRefused(&b, original, rep, nil); err != nil {
		t.Fatalf("%v", err)
	}
	again, err := Read(&b, Options{Profile: p, Today: today})
	if err != nil || again.In != refused {
		t.Fatalf("the refused rows read again: %v, %+v", err, again)
	}
}

func TestARowForEachQuantity(t *testing.T) {
	p := profile(t, long)
	head := "Serial,Customer,Where,From,To,Read,Name,What,µSv\n"
	rep := readBy(t, p, []byte(head+
		"A,700123,B,20260101,20260131,20260210,Jones,deep,350\n"+
		"B,700123,R,20260101,20260131,20260210,,skin,<\n"+
		"A,700123,B,20260101,20260131,20260210,Jones,skin,400\n"+
		"C,700123,B,20260101,20260131,20260210,,deep,1\n"+ // one quantity is missing
		"D,700123,B,20260101,20260131,20260210,,deep,1\n"+
		"D,700123,B,20260101,20260131,20260210,,skin,?\n"+ // spoils the row before
		"E,700123,B,20260101,20260131,20260210,,deep,1\n"+
		"E,700123,B,20260101,20260131,20260210,,deep,1\n"+ // twice
		"F,700123,B,20260101,20260131,20260210,,what,1\n"+
		"G,700123,B,20260101,20260131,20260210,,deep,U\n"+
		"G,700123,B,20260101,20260131,20260210,,skin,5\n"+
		"H,700123,L,20260101,20260131,20260210,,lens,720\n"+
		"I,700123,C,20260101,20260131,20260210,,deep,20\n"))
	var got []string
	for _, r := range rep.Rows {
		got = append(got, fmt.Sprintf("%d+%v %s %s", r.Number, r.More, r.Barcode, readings(r)))
	}
	for _, r := range rep.Refused {
		got = append(got, fmt.Sprintf("%d %s: %s", r.Number, r.Column, r.Reason))
	}
	want := []string{
		"2+[4] A whole body: Hp(10) 350 measured, Hp(0.07) 400 measured",
		"3+[] B right finger: Hp(0.07) below level",
		"13+[] H eye: Hp(3) 720 measured",
		"14+[] I control:",
		"5 What: the badge has no row of: Hp(0.07)",
		"6 : row 7 of the same badge is refused",
		"7 µSv: neither a number in µSv (decimal mark \".\") nor a code that the profile knows",
		"8 : row 9 of the same badge is refused",
		"9 What: the same quantity of this badge as in a row before",
		"10 What: a quantity that the profile does not know",
		"11 What: one quantity says that the badge is unused, another that it is measured",
		"12 What: one quantity says that the badge is unused, another that it is measured",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		unit, text, decimal string
		round               bool
		want                string
	}{
		{"mSv", "0.35", ".", false, "350"}, {"mSv", "0,35", ",", false, "350"}, {"mSv", "12", ".", false, "12000"}, {"mSv", "0.3500", ".", false, "350"},
		{"µSv", "350", ".", false, "350"}, {"µSv", "350.5", ".", true, "351"}, {"µSv", "350.4999", ".", true, "350"}, {"µSv", "350.5", ".", false, errFraction.Error()},
		{"mrem", "35", ".", false, "350"}, {"mrem", "0.1", ".", false, "1"}, {"rem", "0.035", ".", false, "350"}, {"centi-mSv", "35", ".", false, "350"},
		{"Sv", "0.00035", ".", false, "350"}, {"nSv", "350000", ".", false, "350"}, {"nSv", "1500", ".", true, "2"}, {"nSv", "499", ".", true, "0"}, {"µrem", "150", ".", true, "2"},
		{"Sv", "10", ".", false, "10000000"}, {"Sv", "10.000001", ".", false, errTooLarge.Error()}, {"mSv", "99999999999", ".", false, errTooLarge.Error()},
		{"mSv", "0.0000000001", ".", true, errFraction.Error()},
		{"mSv", "-0.1", ".", false, errNegative.Error()}, {"mSv", "\u22120.1", ".", false, errNegative.Error()}, {"mSv", "1.000,5", ",", false, errNumber.Error()}, {"mSv", "1e3", ".", false, errNumber.Error()},
		{"mSv", "", ".", false, errNumber.Error()}, {"mSv", ".5", ".", false, errNumber.Error()}, {"mSv", "5.", ".", false, errNumber.Error()}, {"mSv", "-", ".", false, errNumber.Error()}, {"mSv", "٣", ".", false, errNumber.Error()},
	} {
		v, err := units[c.unit].parse(c.text, c.decimal, c.round)
		got := fmt.Sprint(int64(v))
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.text, c.unit, got, c.want)
		}
	}
}

func TestWrongProfiles(t *testing.T) {
	good := long
	for _, c := range []struct{ from, to, want string }{
		{`"name": "long"`, `"name": "Long One"`, "name: 1 to 40 small letters"},
		{`"name": "long"`, `"name": "long", "nmae": 1`, `line 1: "nmae": no such field`},
		{`"name": "long"`, "\"name\": \"long\",\n\"name\": \"b\"", `line 2: "name": it stands here a second time`},
		{`"name": "long"`, `"name": "long", "Name": "b"`, "second time"},
		{`"<": "below level"`, `"<": "below level", "<": "unused"`, "second time"},
		{`"<": "below level"`, `"<": "zero"`, `codes."<": below level, damaged`},
		{`"<": "below level"`, `"0": "below level"`, "a number is no code"},
		{`"unit": "µSv"}, {"quantity": "Hp(0.07)"`, `"unit": "Gy"}, {"quantity": "Hp(0.07)"`, "quantities[1].unit"},
		{`"Hp(10)"`, `"Hp10"`, "quantities[1].quantity"},
		{`"positions": ["eye"]`, `"positions": ["right finger"]`, "quantities[3].positions"},
		{`"text": "lens"`, `"column": "lens"`, "quantities[3]: a column is expected or"},
		{`"dates": ["YYYYMMDD"]`, `"dates": ["DD/MM/YYYY", "MM/DD/YYYY"]`, "different days"},
		{`"dates": ["YYYYMMDD"]`, `"dates": ["DD/MM/YY"]`, "dates: each is made of"},
		{`"barcode": 1`, `"barcode": 0`, "a column is its heading"},
		{`"barcode": 1, `, ``, "columns.barcode"},
		{`"account": 2, `, ``, "account: either"},
		{`"B": "whole body"`, `"B": "body"`, "positions.B"},
		{`"value": "µSv", `, ``, "columns.value"},
		{`"codes": {`, `"round": "yes", "codes": {`, "round: a string is not expected"},
		{`"codes": {`, `"codes": `, "this is no JSON"},
		{`"quantities": [`, `"quantities": [null, `, "quantities[1]"},
		{`"not reported"}}`, `"not reported"}} {}`, "nothing is expected after"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Fatalf("%s is not there", c.from)
		}
		_, err := ParseProfile([]byte(text))
		var e *ProfileError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
}

func TestRecognise(t *testing.T) {
	all := append(Profiles(), profile(t, example(t)), profile(t, long))
	for want, b := range map[string][]byte{
		"landauer-dosereport/1": file(record()), "cardiff-monthly/1": []byte(exampleHead), "long/1": []byte("a,b,Where,From,To,Read,Name,What,µSv\n"),
	} {
		if p, err := Recognise(b, all); err != nil || p.Name() != want {
			t.Errorf("%s: %v %v", want, p, err)
		}
	}
	var e *FileError
	if _, err := Recognise([]byte("a,b\n"), all); !errors.As(err, &e) || !strings.Contains(e.Reason, "no profile") {
		t.Error(err)
	}
	if _, err := Recognise(file(record()), append(all, Landauer())); !errors.As(err, &e) || !strings.Contains(e.Reason, "more than one") {
		t.Error(err)
	}
}

// A report reads the same however a laboratory writes it: as text or spreadsheet, a row for each badge or for each quantity.
func TestOneReportThroughManyProfiles(t *testing.T) {
	wide, narrow := profile(t, example(t)), profile(t, long)
	rapid.Check(t, func(t *rapid.T) {
		var a, b [][]string
		for i := range rapid.IntRange(0, 8).Draw(t, "badges") {
			barcode := fmt.Sprintf("X%d", i)
			at := rapid.SampledFrom([][2]string{{"Trunk", "B"}, {"Eye", "L"}, {"Ring right", "R"}}).Draw(t, "position")
			value := func(name string) [2]string {
				if k := rapid.SampledFrom([]string{"", "<0,1 <", "NU U", "DD D"}).Draw(t, name+" code"); k != "" && name == "all" {
					w, n, _ := strings.Cut(k, " ")
					return [2]string{w, n}
				}
				v := rapid.IntRange(100, 20_000).Draw(t, name)
				return [2]string{fmt.Sprintf("%d,%03d", v/1000, v%1000), fmt.Sprint(v)}
			}
			first := value("all")
			second := first
			if strings.Contains(first[0], ",") && first[0][0] != '<' {
				second = value("skin")
			}
			doses := map[string][4]string{"Trunk": {first[0], second[0]}, "Eye": {"", "", first[0]}, "Ring right": {"", "", "", first[0]}}[at[0]]
			a = append(a, append([]string{"700123", barcode, "0", at[0], "01/01/2026", "31/01/2026", "12/02/2026", "Ŵyn", ""}, doses[0], doses[1], doses[2], doses[3], ""))
			row := []string{barcode, "700123", at[1], "20260101", "20260131", "20260212", "Ŵyn"}
			what := map[string]string{"Trunk": "deep", "Eye": "lens", "Ring right": "skin"}[at[0]]
			b = append(b, append(slices.Clone(row), what, first[1]))
			if at[0] == "Trunk" {
				b = append(b, append(slices.Clone(row), "skin", second[1]))
			}
		}
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		w.Comma = ';'
		w.WriteAll(a)
		sheet := [][]string{{"Serial", "Customer", "Where", "From", "To", "Read", "Name", "What", "µSv"}}
		if len(b) > 0 && rapid.Bool().Draw(t, "apart") { // the rows of a badge need not stand together
			b = append(b[1:], b[0])
		}
		original := [2][]byte{append([]byte(exampleHead), text.Bytes()...), xlsxtest.Texts(append(sheet, b...)...)}
		var got [2][]string
		for i, p := range []*Profile{wide, narrow} {
			rep, err := Read(bytes.NewReader(original[i]), Options{Profile: p, Today: today})
			if err != nil || len(rep.Refused) > 0 {
				t.Fatal(err, describe(rep))
			}
			soundBy(t, p, rep, original[i])
			for _, r := range rep.Rows {
				slices.SortFunc(r.Readings, func(x, y dose.Reading) int { return int(x.Quantity) - int(y.Quantity) })
				got[i] = append(got[i], fmt.Sprint(r.Barcode, r.Account, r.From, r.To, r.Scanned, r.Version, r.Name.Expose(), readings(r)))
			}
			slices.Sort(got[i])
		}
		if d := cmp.Diff(got[0], got[1]); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzProfile(f *testing.F) {
	f.Add(long)
	f.Add(example(f))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseProfile([]byte(text))
		var e *ProfileError
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		b := []byte("a;b;c\n1;2;3\n")
		if rep, err := Read(bytes.NewReader(b), Options{Profile: p, Today: today}); err == nil {
			soundBy(t, p, rep, b)
		}
	})
}

func FuzzReadByProfile(f *testing.F) {
	wide, narrow := profile(f, example(f)), profile(f, long)
	f.Add("Trunk", "0,35", "<0,1", "", "", "31/01/2026", "Unused")
	f.Add("B", "350", "deep", "-", "", "20260131", "")
	f.Fuzz(func(t *testing.T, at, a, b, c, d, to, note string) {
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		w.Comma = ';'
		w.Write([]string{"700123", "X1", "0", at, "01/01/2026", to, "12/02/2026", "", "", a, b, c, d, note})
		w.Flush()
		var other bytes.Buffer
		w = csv.NewWriter(&other)
		w.WriteAll([][]string{{"Serial", "Customer", "Where", "From", "To", "Read", "Name", "What", "µSv"}, {"X", "700123", at, "20260101", to, "20260210", "", b, a}, {"X", "700123", at, "20260101", to, "20260210", "", d, c}})
		for p, original := range map[*Profile][]byte{wide: append([]byte(exampleHead), text.Bytes()...), narrow: other.Bytes()} {
			rep, err := Read(bytes.NewReader(original), Options{Profile: p, Today: today})
			var e *FileError
			if err != nil && !errors.As(err, &e) {
				t.Fatal(err)
			}
			if err == nil {
				soundBy(t, p, rep, original)
			}
		}
	})
}
