package incident

import (
	"bytes"
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // Europe/London on machines without time zones

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// cases reads a file of cases, which an officer can add to.
func cases(t *testing.T, name string, columns int) [][]string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment, r.FieldsPerRecord = '#', columns
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func fields(t *testing.T, s string) policy.Fields {
	t.Helper()
	f, err := policy.ParseFields(strings.Fields(s)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func loss(t *testing.T, s string) Loss {
	t.Helper()
	i := slices.Index([]string{"none", "some", "full"}, s)
	if i < 0 {
		t.Fatalf("no loss %q", s)
	}
	return Loss(i)
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// given is a factor that a case gives itself.
func given(t *testing.T, s string) *Factor {
	t.Helper()
	if s == "" {
		return nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &Factor{Quarters(x * 4), []words.Key{"##the case says so"}}
}

func TestSeverity(t *testing.T) {
	for _, c := range cases(t, "severity.csv", 12) {
		t.Run(c[0], func(t *testing.T) {
			got, err := Assess(fields(t, c[1]), Circumstances{Confidentiality: loss(t, c[2]), Integrity: loss(t, c[3]), Availability: loss(t, c[4]), Malicious: c[5] == "yes", People: number(t, c[6])},
				Override{Context: given(t, c[7]), Identification: given(t, c[8])})
			if err != nil {
				t.Fatal(err)
			}
			if got.Score.String() != c[9] || got.Level.String() != c[10] {
				t.Errorf("%s (%s): %s × %s + %s; want %s (%s)", got.Score, got.Level, got.Context.Value, got.Identification.Value, got.Circumstances.Value, c[9], c[10])
			}
			if c[11] == "" {
				t.Error("a case names its source")
			}
		})
	}
}

func TestDuties(t *testing.T) {
	for _, c := range cases(t, "duties.csv", 11) {
		t.Run(c[0], func(t *testing.T) {
			as := Controller
			if c[1] == "processor" {
				as = Processor
			}
			s, err := Assess(fields(t, c[2]), Circumstances{Confidentiality: loss(t, c[3]), Malicious: c[4] == "yes", Unintelligible: c[5] == "yes", People: number(t, c[6])}, Override{})
			if err != nil {
				t.Fatal(err)
			}
			got := map[Addressee]string{}
			for _, d := range Duties(as, s) {
				got[d.Tell] = map[bool]string{true: "yes", false: "no"}[d.Due]
				if d.Why == "" || d.Article == "" {
					t.Errorf("%s: no article or no reason", d.Tell)
				}
			}
			want := map[Addressee]string{TheRegulator: c[8], ThePeople: c[9], TheRegister: "yes"}
			if c[7] != "" {
				want[TheControllers] = c[7]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", s.Score, diff)
			}
		})
	}
}

// More fields, or worse circumstances, never make a breach less severe; and a score is what its factors give.
func TestMoreIsNeverLessSevere(t *testing.T) {
	score := func(f policy.Fields, c Circumstances) Quarters {
		s, err := Assess(f, c, Override{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Score*4 != s.Context.Value*s.Identification.Value+4*s.Circumstances.Value {
			t.Fatalf("%s is %s", f, s.Score)
		}
		return s.Score
	}
	worse := func(c Circumstances) []Circumstances {
		var out []Circumstances
		for _, l := range []func(*Circumstances) *Loss{func(c *Circumstances) *Loss { return &c.Confidentiality }, func(c *Circumstances) *Loss { return &c.Integrity }, func(c *Circumstances) *Loss { return &c.Availability }} {
			if *l(&c) < Full {
				d := c
				*l(&d)++
				out = append(out, d)
			}
		}
		d := c
		d.Malicious = true
		return append(out, d)
	}
	for f := policy.Fields(1); f <= policy.AllFields; f++ {
		plain := score(f, Circumstances{})
		for more := policy.Fields(1); more <= policy.AllFields; more <<= 1 {
			if score(f|more, Circumstances{}) < plain {
				t.Fatalf("%s is less severe with %s", f, more)
			}
		}
	}
	for a := None; a <= Full; a++ {
		for b := None; b <= Full; b++ {
			for c := None; c <= Full; c++ {
				from := Circumstances{Confidentiality: a, Integrity: b, Availability: c}
				for _, d := range worse(from) {
					if score(policy.FieldName, d) <= score(policy.FieldName, from) {
						t.Fatalf("%+v is not worse than %+v", d, from)
					}
				}
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	why := []words.Key{words.Plain("as the officer sees it")}
	for name, c := range map[string]struct {
		fields   policy.Fields
		override Override
	}{
		"no field":           {},
		"an unknown field":   {fields: policy.AllFields + 1},
		"context of 5":       {policy.FieldName, Override{Context: &Factor{20, why}}},
		"context of 0":       {policy.FieldName, Override{Context: &Factor{0, why}}},
		"half a context":     {policy.FieldName, Override{Context: &Factor{6, why}}},
		"identified twice":   {policy.FieldName, Override{Identification: &Factor{8, why}}},
		"too much happened":  {policy.FieldName, Override{Circumstances: &Factor{9, why}}},
		"less than nothing":  {policy.FieldName, Override{Circumstances: &Factor{-1, why}}},
		"no reason is given": {policy.FieldName, Override{Context: &Factor{8, nil}}},
	} {
		if _, err := Assess(c.fields, Circumstances{}, c.override); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Each wearer stands in one row, with all that became readable of them by any way.
func TestTable(t *testing.T) {
	a, b := id.New[id.Organisation](), id.New[id.Organisation]()
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	one, two, three := id.New[id.Wearer](), id.New[id.Wearer](), id.New[id.Wearer]()
	on := func(day int) time.Time { return time.Date(2026, 10, day, 9, 0, 0, 0, time.UTC) }
	got := Table([]vaultclient.Exposure{
		{Wearer: one, Organisation: a, Basis: "gate", Fields: policy.FieldName, First: on(6), Last: on(7)},
		{Wearer: one, Organisation: a, Basis: "declared", Fields: policy.FieldDose, First: on(1), Last: on(2)},
		{Wearer: two, Organisation: a, Basis: "gate", Fields: policy.FieldName | policy.FieldDose, First: on(3), Last: on(9)},
		{Wearer: three, Organisation: a, Basis: "intake", Fields: policy.FieldName, First: on(4), Last: on(4)},
		{Wearer: three, Organisation: b, Basis: "gate", Fields: policy.FieldNI, First: on(5), Last: on(8)},
	})
	want := []Row{{a, policy.FieldName | policy.FieldDose, 2, on(1), on(9)}, {a, policy.FieldName, 1, on(4), on(4)}, {b, policy.FieldNI, 1, on(5), on(8)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := Table(nil); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

// 72 hours are 72 hours: over the night when clocks go forward they end an hour later by the clock on the wall.
func TestClock(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ aware, due string }{
		{"2016-10-06 09:00", "2016-10-09 09:00"},
		{"2026-03-27 12:30", "2026-03-30 13:30"}, // clocks go forward on the 29th
		{"2026-10-23 12:30", "2026-10-26 11:30"}, // and back on the 25th
		{"2026-12-24 18:00", "2026-12-27 18:00"}, // holidays count
	} {
		aware, err := time.ParseInLocation("2006-01-02 15:04", c.aware, london)
		if err != nil {
			t.Fatal(err)
		}
		k := deadline.Clock{Aware: aware, Within: deadline.Regulator}
		if got := k.Due().In(london).Format("2006-01-02 15:04"); got != c.due {
			t.Errorf("aware on %s: due on %s, want %s", c.aware, got, c.due)
		}
		for _, r := range []struct {
			after time.Duration
			want  int
		}{{0, 0}, {36*time.Hour - 1, 0}, {36 * time.Hour, 1}, {57*time.Hour + 36*time.Minute - 1, 1}, {57*time.Hour + 36*time.Minute, 2}, {72*time.Hour - 1, 2}, {72 * time.Hour, 3}, {900 * time.Hour, 3}} {
			if got := k.Reached(aware.Add(r.after)); got != r.want {
				t.Errorf("%v after becoming aware: %d reminders, want %d", r.after, got, r.want)
			}
		}
		if got := k.Left(aware.Add(73 * time.Hour)); got != -time.Hour {
			t.Errorf("an hour late: %v left", got)
		}
	}
}
