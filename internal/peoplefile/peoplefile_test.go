package peoplefile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/person"
)

var update = flag.Bool("update", false, "write the golden files anew")

var today = day.Of(2026, 6, 15)

func expose(vs []person.Value) []string {
	var s []string
	for _, v := range vs {
		s = append(s, v.Expose())
	}
	return s
}

// describe writes a report for people, personal texts included.
func describe(rep *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d in, not used %q, classified column %t, NI numbers not taken %d\n", rep.In, rep.NotUsed, rep.HasClassified, rep.NINotTaken)
	for _, p := range rep.People {
		i, c := p.Identity, p.Contact
		fmt.Fprintf(&b, "row %d line %d: %s | %s | %s | %s | %q | %s | %s | %s | ni %s\n    %s | %s | %q | %s\n    %s | %s | %s | %s to %s | classified %t\n", p.Number, p.Line,
			i.StaffNumber.Expose(), i.Surname.Expose(), i.Forenames.Expose(), i.KnownAs.Expose(), expose(i.Former), i.Birth.Expose(), i.Sex.Expose(), i.Registration.Expose(), p.NI.Expose(),
			c.Email.Expose(), c.Phone.Expose(), expose(c.Address), c.Language.Expose(), p.Organisation, p.Department, p.JobTitle, p.From, p.To, p.Classified)
	}
	for _, r := range rep.Refused {
		fmt.Fprintf(&b, "row %d line %d refused: %s: %s\n", r.Number, r.Line, r.Column, r.Reason)
	}
	fmt.Fprintf(&b, "ignored %v\n", rep.Ignored)
	return b.String()
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		file, golden, encoding string
		Fallback
	}{
		{"employer.csv", "employer.golden", "Windows-1252", Windows1252},
		{"cymraeg.csv", "cymraeg.golden", "UTF-16LE", Windows1252},
		{"cymraeg-celtaidd.csv", "cymraeg.golden", "ISO-8859-14", ISO8859_14},
	} {
		t.Run(c.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", c.file))
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Today: today, Fallback: c.Fallback}
			rep, err := Read(bytes.NewReader(b), o)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Encoding != c.encoding {
				t.Errorf("encoding %s", rep.Encoding)
			}
			golden := filepath.Join("testdata", c.golden)
			if *update {
				if err := os.WriteFile(golden, []byte(describe(rep)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), describe(rep)); d != "" {
				t.Error(d)
			}
			if err := sound(rep, b, o); err != nil {
				t.Error(err)
			}
		})
	}
}

// read reads a file of one row, given as pairs of heading and text.
func read(t *testing.T, pairs ...string) *Report {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var header, row []string
	for i := 0; i < len(pairs); i += 2 {
		header, row = append(header, pairs[i]), append(row, pairs[i+1])
	}
	w.WriteAll([][]string{header, row})
	rep, err := Read(&b, Options{Today: today})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestHeadingsOfEveryField(t *testing.T) {
	sample := map[field]string{birth: "1980-02-01", sex: "F", registration: "HCPC RA012345", ni: "TS123456C", email: "a@example.org", mobile: "07700 900001", phone: "01248 555001",
		language: "cy", from: "2020-01-01", to: "31/12/2020", classified: "yes", postcode: "ZED"}
	for f, names := range headings {
		for _, name := range names {
			text, ok := sample[field(f)]
			if !ok {
				text = "Zed"
			}
			for _, h := range []string{name, strings.ToUpper(name), " " + strings.ReplaceAll(name, " ", "_") + "."} {
				pairs := []string{h, text}
				if field(f) != staffNumber {
					pairs = append(pairs, "Staff Number", "1")
				}
				if field(f) != classified {
					pairs = append(pairs, "classified", "yes")
				}
				rep := read(t, pairs...)
				if len(rep.NotUsed) > 0 || len(rep.People) != 1 {
					t.Errorf("%q: %s", h, describe(rep))
				} else if p := rep.People[0]; !strings.Contains(describe(rep), text) && field(f) < language {
					t.Errorf("%q: lost: %+v", h, p)
				}
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"no staff number", "Surname,QQ\nJones,2\n", "line 1: no column with the staff number"},
		{"no header", "QQ1,QQJones\n2,Evans\n", "line 1: no column with the staff number"},
		{"twice", "Staff number,Surname,Staff_Number\n1,2,3\n", `line 1, column 3: the heading "staff number" stands in column 1 too`},
		{"XLSX", "PK\x03\x04", "XLSX"},
		{"cut off", "Staff number,Surname\n1,\"Jo", "line 2, column 2: the file ends inside"},
		{"too many columns", "Staff number,Surname\n1,Jones,Mary\n", "line 2, column 3: row 2 has 3 columns"},
	} {
		rep, err := Read(strings.NewReader(c.file), Options{Today: today})
		var e *FileError
		if rep != nil || !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "QQ") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Read(strings.NewReader("staff number\n1\n"), Options{}); err == nil {
		t.Error("read without a day")
	}
}

func TestTheSurerHeadingIsRead(t *testing.T) {
	rep := read(t, "Assignment Number", "123-2", "Employee Number", "123", "Personal email", "b@example.org", "Email", "a@example.org", "", "x", "Tea or\tcoffee", "tea")
	if p := rep.People[0]; p.Identity.StaffNumber.Expose() != "123" || p.Contact.Email.Expose() != "a@example.org" {
		t.Error(describe(rep))
	}
	if d := cmp.Diff([]string{"Assignment Number", "Personal email", "(column 5)", "Tea orcoffee"}, rep.NotUsed); d != "" {
		t.Error(d)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ column, text, reason string }{
		{"staff number", "", "missing"},
		{"staff number", "1.2QQE+07", "spoilt"},
		{"staff number", "#N/A", "formula"}, {"department", "#REF!", "formula"},
		{"staff number", "QQ" + strings.Repeat("1", 40), "at most 40"},
		{"surname", "QQ\x07", "control"},
		{"surname", "1234", "no letter"},
		{"surname", strings.Repeat("QQ", 101), "longer"},
		{"first name", "QQ\u202e", "invisible"},
		{"first name", "Si\ufffdn QQ", "character"},
		{"dob", "QQ/02/1980", "YYYY-MM-DD or DD/MM/YYYY expected"},
		{"dob", "2020-01-01", "not plausible"},
		{"dob", "30/02/1980", "YYYY-MM-DD"},
		{"gender", "QQ", "F, M or X"},
		{"ni number", "QQ123456C", "NI number"},
		{"email", "QQ at example.org", "name@domain"},
		{"mobile", "QQ", "digits"},
		{"address 2", "QQ\x00"[:2] + "\u200b", "invisible"},
		{"language", "QQ", "English, Welsh"},
		{"from", "QQ", "DD/MM/YYYY"},
		{"to", "2019-13-01", "DD/MM/YYYY"},
		{"to", "1/2/2020", "DD/MM/YYYY"},
		{"to", "01/01/1970", "leave it empty"},
		{"classified", "QQ", "yes or no"},
		{"department", "QQ\x01", "control"},
		{"organisation", strings.Repeat("QQ", 101), "longer"},
	} {
		pairs := []string{c.column, c.text}
		if c.column != "staff number" {
			pairs = append(pairs, "staff number", "1")
		} else {
			pairs = append(pairs, "surname", "Jones")
		}
		if c.column != "classified" {
			pairs = append(pairs, "classified", "yes")
		}
		rep := read(t, pairs...)
		if len(rep.Refused) != 1 {
			t.Errorf("%s %q was accepted", c.column, c.text)
			continue
		}
		r := rep.Refused[0]
		column := r.Column == c.column || c.column == "address 2" && strings.HasPrefix(r.Column, "address")
		if !column || r.Number != 2 || r.Line != 2 || (!strings.Contains(r.Reason, c.reason) && c.column != "ni number") {
			t.Errorf("%s %q: %+v", c.column, c.text, r)
		}
		if strings.Contains(r.Reason, "QQ") {
			t.Errorf("%s: the reason holds the text: %s", c.column, r.Reason)
		}
	}
}

func TestNINumbersOfClassifiedPeopleOnly(t *testing.T) {
	for _, c := range []struct {
		pairs    []string
		ni       string
		notTaken int
	}{
		{[]string{"classified", "yes", "ni number", "ts 12 34 56 c"}, "TS123456C", 0},
		{[]string{"classified", "no", "ni number", "TS123456C"}, "", 1},
		{[]string{"classified", "", "ni number", "TS123456C"}, "", 1},
		{[]string{"ni number", "TS123456C"}, "", 1},
		{[]string{"classified", "no", "ni number", ""}, "", 0},
	} {
		rep := read(t, append(c.pairs, "staff number", "1")...)
		if len(rep.People) != 1 || rep.People[0].NI.Expose() != c.ni || rep.NINotTaken != c.notTaken {
			t.Errorf("%q: %s", c.pairs, describe(rep))
		}
	}
}

func TestPrintingGivesNoPersonalText(t *testing.T) {
	rep := read(t, "staff number", "QQ1", "surname", "QQ2", "dob", "1980-12-31", "email", "QQ3@example.org", "address 1", "QQ4", "classified", "y", "ni number", "TS123456C")
	if s := fmt.Sprintf("%v %+v %#v", rep, *rep, rep.People); strings.Contains(s, "QQ") || strings.Contains(s, "1980") || strings.Contains(s, "TS12") || len(rep.People) != 1 {
		t.Error(s)
	}
}

// sound checks what holds of every report.
func sound(rep *Report, original []byte, o Options) error {
	if len(rep.People)+len(rep.Refused)+len(rep.Ignored) != rep.In {
		return fmt.Errorf("%d people + %d refused + %d ignored, %d in", len(rep.People), len(rep.Refused), len(rep.Ignored), rep.In)
	}
	numbers := slices.Clone(rep.Ignored)
	for _, r := range rep.Refused {
		numbers = append(numbers, r.Number)
		if r.Reason == "" {
			return fmt.Errorf("row %d: no reason", r.Number)
		}
	}
	seen := map[string]bool{}
	for _, p := range rep.People {
		numbers = append(numbers, p.Number)
		key := strings.ToLower(p.Organisation) + "\n" + strings.ToUpper(p.Identity.StaffNumber.Expose())
		if p.Identity.StaffNumber.IsZero() || seen[key] || !p.NI.IsZero() && !p.Classified || !p.To.IsZero() && p.To < p.From {
			return fmt.Errorf("row %d: %+v", p.Number, p)
		}
		seen[key] = true
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		if n != i+2 {
			return fmt.Errorf("rows are numbered %v", numbers)
		}
	}
	var b bytes.Buffer
	if err := WriteRefused(&b, original, o, rep, nil); err != nil {
		return err
	}
	again, err := Read(&b, o)
	if err != nil || again.In != len(rep.Refused) || len(again.Ignored) > 0 {
		return fmt.Errorf("the refused rows read again: %w, %+v", err, again)
	}
	return nil
}

func TestEveryRowHasOneOutcome(t *testing.T) {
	texts := map[string][]string{
		"Staff number": {"1", "2", "a3", "A3", "", "#REF!"}, "Organisation": {"", "Ysbyty Tŷ Coch", "ysbyty tŷ coch"}, "Surname": {"Jones", "Ŵyn", "", "7"},
		"DOB": {"", "01/02/1980", "1980-02-01", "x"}, "Classified": {"", "yes", "no", "?"}, "NI number": {"", "TS123456C", "QQ"}, "Tea": {"", "yes"}, "To": {"", "2020-01-01"}, "From": {"", "2021-01-01"},
	}
	var headings []string
	for h := range texts {
		headings = append(headings, h)
	}
	slices.Sort(headings)
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = rapid.SampledFrom([]rune(separators)).Draw(t, "separator")
		w.Write(headings)
		n := rapid.IntRange(0, 15).Draw(t, "rows")
		for range n {
			row := make([]string, len(headings))
			if rapid.IntRange(0, 5).Draw(t, "kind") > 0 {
				for i, h := range headings {
					row[i] = rapid.SampledFrom(texts[h]).Draw(t, h)
				}
			}
			w.Write(row[:rapid.SampledFrom([]int{len(row), len(row), len(row), 3}).Draw(t, "width")])
		}
		w.Flush()
		o := Options{Today: today}
		rep, err := Read(bytes.NewReader(b.Bytes()), o)
		if err != nil {
			t.Fatal(err)
		}
		if rep.In != n || !slices.Equal(rep.NotUsed, []string{"Tea"}) {
			t.Fatalf("%s", describe(rep))
		}
		if err := sound(rep, b.Bytes(), o); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("employee number,surname,first name,dob,classified,ni number\n1,Jones,Mary,01/02/1980,yes,TS123456C\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, append([]byte("staff number,surname,from,to,language,address 1\n"), b...)} {
			o := Options{Today: today, MaxBytes: 1 << 20}
			rep, err := Read(bytes.NewReader(b), o)
			if err == nil {
				err = sound(rep, b, o)
			} else if e := (*FileError)(nil); errors.As(err, &e) && rep == nil {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkRead reads 20,000 people.
func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	file.WriteString("staff number,surname,first name,dob,gender,email,address 1,postcode,department,start date,classified\n")
	for i := range 20_000 {
		fmt.Fprintf(&file, "%d,Jones,Siân,01/02/1980,F,sian%d@example.org,%d Stryd Fawr,LL1 1AA,Radiology,2019-04-01,no\n", i, i, i)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		rep, err := Read(bytes.NewReader(file.Bytes()), Options{Today: today})
		if err != nil || len(rep.People) != 20_000 {
			b.Fatal(err)
		}
	}
}
