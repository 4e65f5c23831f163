package dose

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
)

func TestCollectiveCases(t *testing.T) {
	files, err := filepath.Glob("testdata/collective/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var year int
		var people [][]Total
		var name string
		var r reader
		for i, line := range strings.Split(string(text), "\n") {
			word, rest, _ := strings.Cut(line, ":")
			fields := strings.Split(rest, "|")
			for j := range fields {
				fields[j] = strings.TrimSpace(fields[j])
			}
			wrong := func(err error) {
				if err != nil {
					t.Errorf("%s, line %d (%s): %v", file, i+1, name, err)
				}
			}
			c := Collect(Effective, year, people)
			switch word {
			case "case":
				name, people = fields[0], nil
			case "year":
				year, err = strconv.Atoi(fields[0])
				wrong(err)
			case "person":
				people = append(people, personOf(&r, year, fields))
			case "collective":
				wrong(same(fields, c.Sum, func(word string) string {
					return map[string]string{"people": fmt.Sprint(c.People), "incomplete": fmt.Sprint(c.Incomplete), "no": "result " + fmt.Sprint(c.NoResult),
						"mean": c.Mean().MilliSv(), "highest": c.Highest.MilliSv()}[word]
				}))
			case "bin":
				at := slices.IndexFunc(c.Bins, func(b Bin) bool { return b.Name == fields[0] })
				if at < 0 || fmt.Sprint(c.Bins[at].People) != fields[1] {
					wrong(fmt.Errorf("bins are %+v", c.Bins))
				}
			case "source":
			default:
				if line != "" && line[0] != '#' {
					t.Fatalf("%s, line %d: %q is not known", file, i+1, word)
				}
			}
			wrong(r.err)
		}
	}
}

// personOf reads a person's totals; an effective dose of another year and a dose of the lens are beside it and must not count.
func personOf(r *reader, year int, fields []string) []Total {
	all := []Total{{Kind: Effective, Year: year - 1, Dose: 7, Counted: 1}, {Kind: Lens, Year: year, Dose: 9, Counted: 1}}
	t := Total{Kind: Effective, Year: year, Counted: 1}
	switch fields[0] {
	case "no badge":
		return all
	case "lost":
		t.Counted, t.Missing = 0, 1
	default:
		t.Dose = r.dose(fields[0])
	}
	for _, f := range fields[1:] {
		t.Missing, r.err = strconv.Atoi(strings.TrimPrefix(f, "missing "))
	}
	return append(all, t)
}

// TestBinsHoldEverybody: whatever the doses, everybody with a result stands in one bin, and the bins' sums are the whole.
func TestBinsHoldEverybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var people [][]Total
		for _, d := range rapid.SliceOf(rapid.Int64Range(0, int64(MaxText))).Draw(t, "doses") {
			people = append(people, []Total{{Kind: Lens, Year: 2024, Dose: MicroSv(d), Counted: 1}})
		}
		c := Collect(Lens, 2024, people)
		n, sum := 0, MicroSv(0)
		for _, b := range c.Bins {
			n, sum = n+b.People, sum+b.Sum
		}
		if n != len(people) || n != c.People || sum != c.Sum {
			t.Fatalf("%d people and %d man-µSv in bins of %+v", n, sum, c)
		}
	})
}

func TestBinsAreInOrder(t *testing.T) {
	bins := BinsOn(day.Of(2025, 12, 31))
	if len(bins) != 8 || !slices.IsSortedFunc(bins, func(a, b Bin) int { return int(a.UpTo/2 - b.UpTo/2) }) || bins[7].UpTo != maxMicroSv {
		t.Errorf("the bins are %+v", bins)
	}
}

func TestShares(t *testing.T) {
	adult := Subject{Group: Adult}
	total := func(k Kind, d MicroSv) Total { return Total{Kind: k, Year: 2025, Dose: d, Counted: 1} }
	for _, c := range []struct {
		s      Subject
		totals []Total
		want   Share
	}{
		{adult, []Total{total(Effective, 2_000), total(Lens, 3_000), total(Skin, 60_000)}, Share{Lens, 3_000, 20_000}},
		{adult, []Total{total(Effective, 2_000), total(Lens, 2_000)}, Share{Effective, 2_000, 20_000}},
		{Subject{}, []Total{total(Effective, 100), total(Extremity, 4_000)}, Share{Effective, 100, 1_000}},
		{Subject{Group: Trainee}, []Total{total(Effective, 0)}, Share{Effective, 0, 6_000}},
		{adult, []Total{{Kind: Effective, Year: 2025, Missing: 1}, {Kind: Lens, Year: 2024, Dose: 9, Counted: 1}, total(Foetus, 900)}, Share{}},
	} {
		if got := HighestShare(c.s, 2025, c.totals); got != c.want {
			t.Errorf("of %+v the highest is %+v, want %+v", c.totals, got, c.want)
		}
	}
	if got := LimitOn(day.Of(2017, 12, 31), adult, Lens, CalendarYear); got != 150_000 {
		t.Errorf("the lens's limit of 2017 is %d", got)
	}
	if got := LimitOn(day.Of(2025, 3, 1), adult, Abdomen, ThreeMonths); got != 0 {
		t.Errorf("everybody has an abdomen's limit of %d", got)
	}
}
