package incident

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

var listDay = day.Of(2026, time.November, 29)

func readList(t testing.TB, text string) *List {
	t.Helper()
	l, err := ReadList(strings.NewReader(text), ListOptions{Today: listDay})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A row is read as it is meant, whatever form it has; what stands where nothing is known says nothing.
func TestReadList(t *testing.T) {
	for _, c := range []struct {
		header, row string
		want        string // name | birth | NI | where | holds | years | unreadable | a dummy by
	}{
		{"Surname,Forename,DOB,NI No,Dose (mSv),Hospital", "JONES,Siân,03/02/1980,ab 12 34 57 c,0.3,Ysbyty A", "JONES, Siân|1980-02-03|AB123457C|[Ysbyty A]|name, birth, ni, dose|[]|[]|"},
		{"Name;Date of birth;Account", "Siân Jones;3 Feb 1980;40123", "Siân Jones|1980-02-03||[40123]|name, birth|[]|[]|"},
		{"Name,DOB", "Siân Jones,03-Feb-62", "Siân Jones|1962-02-03|||name, birth|[]|[]|"},
		{"Name,DOB,Years", "Siân Jones,,2011-2013 2016", "Siân Jones||||name|[2011 2012 2013 2016]|[]|"},
		{"Name,First year,Last year", "Siân Jones,2014,31/12/2016", "Siân Jones||||name|[2014 2015 2016]|[]|"},
		{"Name,DOB", "Siân Jones,1900-01-01", "Siân Jones||||name, birth|[]|[]|"},
		{"Name,DOB", "Siân Jones,31/02/1980", "Siân Jones||||name, birth|[]|[date of birth]|"},
		{"Name,NI number", "Siân Jones,12345", "Siân Jones||||name, ni|[]|[NI number]|"},
		{"Name,NI number", "Siân Jones,QQ123456A", "Siân Jones||||name, ni|[]|[]|suspect: an NI number that is an official example"},
		{"Name,NI number", "TEST TEST,QQ123456A", "||||name, ni|[]|[]|dummy: a test"},
		{"Surname,First name", "Control,Badge 7", "||||name|[]|[]|dummy: a control badge"},
		{"Name", "Mr Test Patient", "||||name|[]|[]|dummy: a test"},
		{"Name", "SPARE 14", "||||name|[]|[]|dummy: a badge that nobody wears"},
		{"Name", "UNKNOWN", "||||name|[]|[]|"},
		{"Name", "XXXX", "||||name|[]|[]|"},
		{"Name", "4711", "||||name|[]|[]|"},
		{"Name", "Tom Blank", "Tom Blank||||name|[]|[]|"},
		{"Name", "Mair Test", "Mair Test||||name|[]|[]|"},
		{"Name,Address,Colour", "#N/A,1 Road,red", "||||contact|[]|[]|"},
		{"Name", "\"\"", "|||||[]|[]|"},
	} {
		r := readList(t, c.header+"\n"+c.row+"\n").Rows[0]
		where := ""
		if len(r.Where) > 0 {
			where = fmt.Sprint(r.Where)
		}
		by := ""
		if r.nobody != nil {
			by = r.nobody.means + ": " + r.nobody.reason
		}
		got := fmt.Sprintf("%s|%s|%s|%s|%s|%v|%v|%s", r.Name.Expose(), r.Birth.Expose(), r.NI.Expose(), where, strings.Join(r.Holds.Names(), ", "), r.Years, r.Unreadable, by)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.row, diff)
		}
	}
	for _, text := range []string{"", "Colour,Dose\nred,1\n", "Siân Jones,1980-02-03\n"} {
		if _, err := ReadList(strings.NewReader(text), ListOptions{Today: listDay}); err == nil || strings.Contains(err.Error(), "Jones") {
			t.Errorf("%q: %v", text, err)
		}
	}
	// A rule that says nothing new, or that no reader knows.
	seen := map[string]bool{}
	for _, r := range rules {
		key := r.field + r.how + r.text
		if seen[key] || r.reason == "" || !strings.Contains("dummy nothing suspect", r.means) || !strings.Contains("only filler repeated is starts", r.how) {
			t.Errorf("nobody.csv: %+v", r)
		}
		seen[key] = true
	}
}

// Each outcome, with its reason.
func TestReconcile(t *testing.T) {
	l := readList(t, `Name,DOB,NI,Hospital,Dose
"JONES, SIÂN",1980-02-03,,A,1
SIAN JONES,03/02/1980,,A,
"Jones, Sian",1980-02-03,AB123457C,,2
"REES, IFAN",1975-05-05,,,1
"PUW, ELIN",1975-05-05,,,
"PARRY, MAIR",,,A,
"PARRY, MAIR",,,Elsewhere,
TEST TEST,,QQ123456A,,
"MORGAN, ELERI",1990-01-01,QQ123456A,,
"HUGHES, DAFYDD",1960-06-06,,Elsewhere,
"HUGHES, DAFYDD",1961-06-06,,A,
"HUGHES, DAFYDD",31/02/1960,,,
UNKNOWN,,,A,
"BOWEN, GWEN",1970-07-07,,B,
"LEWIS, RHYS",,AB123458C,,
,,,,
"DAVIES, HUW",1955-05-05,,A,
Siân Jones,1980-02-03,,,
Sian JONES,03/02/80,,,
`)
	orgA, orgB := id.Organisation{1}, id.Organisation{2}
	w := func(n byte, org id.Organisation, person int, left bool) vaultclient.FoundWearer {
		return vaultclient.FoundWearer{Wearer: id.Wearer{n}, Organisation: org, Person: person, Left: left}
	}
	sian, ifan := []vaultclient.FoundWearer{w(1, orgA, 0, false), w(2, orgB, 0, true)}, []vaultclient.FoundWearer{w(3, orgA, 0, true), w(4, orgB, 1, true)}
	answers := map[string]vaultclient.Found{
		"JONES, SIÂN 1980-02-03 ":          {Why: person.SameNameAndBirth, Wearers: sian},
		"Jones, Sian 1980-02-03 AB123457C": {Why: person.SameNI, Wearers: sian},
		"Siân Jones 1980-02-03 ":           {Why: person.SameNameAndBirth, Wearers: sian},
		"REES, IFAN 1975-05-05 ":           {Why: person.SameNameAndBirth, Wearers: ifan},
		"PUW, ELIN 1975-05-05 ":            {Why: person.NearName, Wearers: ifan[:1]},
		"PARRY, MAIR  ":                    {Why: person.UnknownBirth, Wearers: []vaultclient.FoundWearer{w(5, orgA, 0, false)}},
		"BOWEN, GWEN 1970-07-07 ":          {Why: person.SameNameAndBirth, Wearers: []vaultclient.FoundWearer{w(6, orgA, 0, false), w(7, orgB, 1, true)}},
		"LEWIS, RHYS  AB123458C":           {Why: person.SameNI, Another: true, Wearers: ifan[1:]},
		"DAVIES, HUW 1955-05-05 ":          {Why: person.SameNameAndBirth, Wearers: []vaultclient.FoundWearer{w(8, orgB, 0, true)}},
	}
	known := Known{
		Organisation: func(text string) id.Organisation {
			return map[string]id.Organisation{"A": orgA, "B": orgB}[text]
		},
		Match: func(rows []vaultclient.Listed) (out []vaultclient.Found, _ error) {
			for _, r := range rows {
				out = append(out, answers[r.Name.Expose()+" "+r.Birth.Expose()+" "+r.NI.Expose()])
			}
			return out, nil
		},
		Deceased: map[id.Wearer]bool{{7}: true},
	}
	r, err := l.Reconcile(known)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range r.Rows {
		var ws []byte
		for _, x := range row.Wearers {
			ws = append(ws, x.Wearer[0])
		}
		got = append(got, strings.TrimRight(fmt.Sprintf("%d %s %d %v %s %s", row.Number, row.Outcome, row.Of, ws, row.Status, row.Reason), " "))
	}
	want := strings.Split(`2 matched 0 [1] current same name and date of birth
3 duplicate 2 []  the same name, date of birth and NI number as in that row
4 matched 0 [1 2] current same NI number
5 for review 0 [3 4]  several people fit: same name and date of birth
6 for review 0 [3]  same date of birth, and nearly the same name
7 matched 0 [5] current same name, without a date of birth to compare
8 for review 0 [5]  same name, without a date of birth to compare
9 dummy 0 []  a test
10 dummy 0 []  an NI number that is an official example, and nobody fits the rest of the row
11 not ours 0 []  nobody fits, and the row names another employer
12 cannot be identified 0 []  nobody fits, at the employer that the row names or another
13 cannot be identified 0 []  nobody fits; date of birth can't be read
14 cannot be identified 0 []  no name and no NI number
15 matched 0 [7] deceased same name and date of birth, at the employer that the row names
16 for review 0 [4]  the NI number is somebody's with another name
17 cannot be identified 0 []  no name and no NI number
18 for review 0 [8]  same name and date of birth, but of another employer than the row names
19 duplicate 2 [1 2]  the same person as in that row, written otherwise
20 duplicate 2 []  the same name, date of birth and NI number as in that row`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	// What the list holds of each, repetitions together, against the ledgers.
	held := r.Held()
	all := map[byte]policy.Fields{}
	for _, h := range held {
		all[h.Wearer[0]] = h.Fields
	}
	if diff := cmp.Diff(map[byte]policy.Fields{1: policy.FieldName | policy.FieldBirth | policy.FieldNI | policy.FieldDose, 2: policy.FieldName | policy.FieldBirth | policy.FieldNI | policy.FieldDose,
		5: policy.FieldName, 7: policy.FieldName | policy.FieldBirth}, all); diff != "" {
		t.Error(diff)
	}
	d := Against(held, []vaultclient.Exposure{{Wearer: id.Wearer{1}, Fields: policy.FieldName | policy.FieldDose}, {Wearer: id.Wearer{5}, Fields: policy.FieldName | policy.FieldContact}, {Wearer: id.Wearer{9}, Fields: policy.FieldName}})
	var more []byte
	for _, m := range d.More {
		more = append(more, m.Wearer[0])
	}
	if d.Both != 2 || d.Newly != 2 || string(more) != "\x01\x02\x07" || len(d.Fewer) != 1 || d.Fewer[0] != (id.Wearer{9}) {
		t.Errorf("%+v", d)
	}

	known.Match = func([]vaultclient.Listed) ([]vaultclient.Found, error) { return nil, errors.New("the vault is away") }
	if _, err := l.Reconcile(known); err == nil {
		t.Error("reconciled without the vault")
	}
}

// Whatever a list says and the vault answers, each row has one outcome, the counts sum to the rows, and a repetition names an earlier row that is none.
func TestEveryRowHasOneOutcome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.SampledFrom([]string{"", "JONES", "Siân Jones", "TEST", "1980-02-03", "03/02/80", "AB123457C", "QQ123456A", "A", "#N/A", "2011-2013"}), rapid.StringN(0, 12, 40))
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 5, 5), 0, 30).Draw(t, "rows")
		text := "Name;DOB;NI;Hospital;Years\n"
		for _, r := range rows {
			for i, c := range r {
				if i > 0 {
					text += ";"
				}
				text += `"` + strings.NewReplacer(`"`, `""`, "\x00", "").Replace(c) + `"`
			}
			text += "\n"
		}
		l, err := ReadList(strings.NewReader(text), ListOptions{Today: listDay})
		if err != nil {
			return // refused as a whole
		}
		if len(l.Rows) != len(rows) {
			t.Fatalf("%d rows of %d", len(l.Rows), len(rows))
		}
		r, err := l.Reconcile(Known{
			Organisation: func(text string) id.Organisation { return id.Organisation{byte(len(text)) % 3} },
			Match: func(asked []vaultclient.Listed) (out []vaultclient.Found, _ error) {
				for range asked {
					var f vaultclient.Found
					for range rapid.IntRange(0, 3).Draw(t, "found") {
						f.Why = rapid.SampledFrom(person.Likenesses).Draw(t, "why")
						f.Wearers = append(f.Wearers, vaultclient.FoundWearer{Wearer: id.Wearer{1 + rapid.Byte().Draw(t, "wearer")%5}, Organisation: id.Organisation{rapid.Byte().Draw(t, "organisation") % 3}, Person: rapid.IntRange(0, 1).Draw(t, "person")})
						f.Another, f.More = rapid.Bool().Draw(t, "another") && f.Why == person.SameNI, rapid.Bool().Draw(t, "more")
					}
					out = append(out, f)
				}
				return out, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, o := range Outcomes() {
			sum += r.Count(o)
		}
		if sum != len(l.Rows) || r.CountStatus(Current)+r.CountStatus(Left)+r.CountStatus(Deceased) != r.Count(Matched) {
			t.Fatalf("the outcomes sum to %d of %d rows", sum, len(l.Rows))
		}
		at := r.byNumber()
		for _, row := range r.Rows {
			if row.Outcome == Duplicate && (row.Of >= row.Number || at[row.Of] == nil || at[row.Of].Outcome == Duplicate) {
				t.Fatalf("row %d repeats row %d", row.Number, row.Of)
			}
			if (row.Outcome == Matched) != (row.Status != "") || row.Outcome == Matched && len(row.Wearers) == 0 || row.Outcome != Matched && row.Reason == "" {
				t.Fatalf("row %d: %+v", row.Number, row)
			}
		}
	})
}
