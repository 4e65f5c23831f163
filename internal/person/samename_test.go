package person

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestSameNameCases(t *testing.T) {
	b, err := os.ReadFile("testdata/samename.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for i, line := range strings.Split(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		c := strings.Split(line, "|")
		if len(c) != 6 {
			t.Fatalf("line %d: %d columns, want 6", i+1, len(c))
		}
		for j := range c {
			c[j] = strings.TrimSpace(c[j])
		}
		id := Identity{Surname: NewValue(c[1]), Forenames: NewValue(c[2]), KnownAs: NewValue(c[3])}
		for _, f := range strings.Split(c[4], ",") {
			if f = strings.TrimSpace(f); f != "" {
				id.Former = append(id.Former, NewValue(f))
			}
		}
		if got := SameName(NewValue(c[0]), id).String(); got != c[5] {
			t.Errorf("line %d: %s: got %s", i+1, line, got)
		}
		cases++
	}
	if cases < 90 {
		t.Errorf("only %d cases were read", cases)
	}
}

var (
	someSurnames  = []string{"Jones", "Davies", "Llŷr", "ap Rhys", "ab-Owain", "O'Brien", "O’Neill", "Jones-Davies", "Gŵyn", "Featherstonehaugh-Williams", "van der Berg", "D'Souza", "McDonald", "Nguyen", "Müller", "Wójcik", "Ng", "Strauß"}
	someForenames = []string{"Siân", "Llŷr", "Angharad", "Mair", "Ann-Marie", "J", "Eleri", "Gwenllïan", "Siôn", "Jo", "Christopher", "Tŵm", "Zoë", "Máire", "Dafydd", "Al"}
)

func anIdentity(t *rapid.T) Identity {
	// A name that is a title too has its cases in testdata/samename.txt.
	letters := rapid.StringMatching(`[A-ZÂÊÎÔÛŴŶ][a-zâêîôûŵŷï]{1,14}`).Filter(func(s string) bool { return !title(s) })
	surname := rapid.OneOf(rapid.SampledFrom(someSurnames), letters).Draw(t, "surname")
	given := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(someForenames), letters), 1, 3).Draw(t, "forenames")
	id := Identity{Surname: NewValue(surname), Forenames: NewValue(strings.Join(given, " "))}
	if rapid.Bool().Draw(t, "has a former name") {
		id.Former = []Value{NewValue(rapid.SampledFrom(someSurnames).Draw(t, "former"))}
	}
	return id
}

// printed returns the name in one of the ways that a laboratory prints it.
func printed(t *rapid.T, id Identity) string {
	s := id.Surname.Expose()
	if len(id.Former) > 0 && rapid.Bool().Draw(t, "still under the former name") {
		s = id.Former[0].Expose()
	}
	given := strings.Fields(id.Forenames.Expose())
	n := rapid.IntRange(1, len(given)).Draw(t, "forenames printed")
	short := make([]string, n)
	for i, g := range given[:n] {
		short[i] = g
		if i >= rapid.IntRange(0, n).Draw(t, "written out") {
			short[i] = string([]rune(g)[:1])
		}
	}
	g := strings.Join(short, " ")
	label := rapid.SampledFrom([]string{s + ", " + g, s + "," + g, s + " " + g, g + " " + s, "Dr " + g + " " + s, s + ", " + g + "."}).Draw(t, "order")
	if rapid.Bool().Draw(t, "no accents") {
		label = unaccented(label)
	}
	if rapid.Bool().Draw(t, "capitals") {
		label = strings.ToUpper(label)
	}
	if rapid.Bool().Draw(t, "no hyphens") {
		label = strings.ReplaceAll(label, "-", " ")
	}
	return label
}

func unaccented(s string) string {
	return strings.NewReplacer("â", "a", "ê", "e", "î", "i", "ô", "o", "û", "u", "ŵ", "w", "ŷ", "y", "ï", "i", "Â", "A", "Ê", "E", "Î", "I", "Ô", "O", "Û", "U", "Ŵ", "W", "Ŷ", "Y", "á", "a", "ó", "o", "ü", "u", "ë", "e").Replace(s)
}

func TestANameMatchesItselfHoweverPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anIdentity(t)
		label := printed(t, id)
		if v := SameName(NewValue(label), id); v != Same {
			t.Fatalf("%q: %v", label, v)
		}
	})
}

func TestACutLabelIsNeverDifferent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anIdentity(t)
		s, g := id.Surname.Expose(), id.Forenames.Expose()
		surnameFirst := rapid.Bool().Draw(t, "surname first")
		label := g + " " + s
		if surnameFirst {
			label = s + ", " + g
		}
		width := rapid.IntRange(20, 30).Draw(t, "width")
		if r := []rune(label); len(r) > width {
			label = string(r[:width])
		}
		label = strings.ToUpper(unaccented(strings.TrimSpace(label)))
		v := SameName(NewValue(label), id)
		if v == Different || v == NotGiven || surnameFirst && v != Same {
			t.Fatalf("%q: %v", label, v)
		}
	})
}

func TestAnotherNameIsNeverTheSame(t *testing.T) {
	// Words of different letters altogether can't be slips of one another.
	rapid.Check(t, func(t *rapid.T) {
		left, right := rapid.StringMatching(`[A-M][a-m]{1,12}`), rapid.StringMatching(`[N-Z][n-z]{1,12}`)
		s := left.Draw(t, "surname")
		// Of somebody called Aa Aa, "Aa Nn" may be the surname too: that is unclear, not another name.
		g := left.Filter(func(g string) bool { return g != s }).Draw(t, "forename")
		id := Identity{Surname: NewValue(s), Forenames: NewValue(g)}
		for _, label := range []string{
			right.Draw(t, "other") + ", " + right.Draw(t, "other"),
			s + ", " + right.Draw(t, "other"),
			right.Draw(t, "other") + ", " + g,
			g + " " + right.Draw(t, "other"),
		} {
			if v := SameName(NewValue(label), id); v != Different {
				t.Fatalf("%q for %s, %s: %v", label, s, g, v)
			}
		}
	})
}

func TestOneSlipInALongSurnameIsUnclear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[A-Z][a-z]{5,14}`).Draw(t, "surname")
		i := rapid.IntRange(0, len(s)-2).Draw(t, "at")
		b := []byte(strings.ToLower(s))
		if rapid.Bool().Draw(t, "changed over") {
			b[i], b[i+1] = b[i+1], b[i]
		} else {
			b[i] = byte(rapid.IntRange('a', 'z').Draw(t, "letter"))
		}
		want := Unclear
		if string(b) == strings.ToLower(s) {
			want = Same
		}
		id := Identity{Surname: NewValue(s), Forenames: NewValue("Siân")}
		if v := SameName(NewValue(string(b)+", SIAN"), id); v != want {
			t.Fatalf("%q for %q: %v, want %v", b, s, v, want)
		}
	})
}

func FuzzSameName(f *testing.F) {
	f.Add("JONES, SIAN", "Jones", "Siân")
	f.Add("ab Owain,, R.", "ab-Owain", "Rhodri Llŷr")
	f.Add(",", "Ŵ", "")
	f.Add("\xff\u0301, ´", "O'Brien", "\u200b")
	f.Fuzz(func(t *testing.T, label, surname, forenames string) {
		id := Identity{Surname: NewValue(surname), Forenames: NewValue(forenames)}
		v := SameName(NewValue(label), id)
		short := len(label)+len(surname)+len(forenames) <= MaxText && utf8.ValidString(label+surname+forenames)
		if given := Fold(label) != "" && Fold(surname)+Fold(forenames) != ""; short && given == (v == NotGiven) {
			t.Errorf("%q for %q, %q: %v", label, surname, forenames, v)
		}
		if once := Fold(label); Fold(once) != once {
			t.Errorf("Fold(%q) = %q, again %q", label, once, Fold(once))
		}
	})
}

func BenchmarkSameName(b *testing.B) {
	id := Identity{Surname: NewValue("Jones-Davies"), Forenames: NewValue("Siân Eleri")}
	same, other := NewValue("JONES-DAVIES, SIAN"), NewValue("GRIFFITHS, MEGAN")
	for b.Loop() {
		SameName(same, id)
		SameName(other, id)
	}
}

func TestHostileTextsCostNoTime(t *testing.T) {
	id := Identity{}
	for _, unit := range []string{"a", "a ", "abcdefghijkl ", "ab-", "ﷺ", "ap "} {
		long := NewValue(strings.Repeat(unit, 50_000))
		id.Former = append(id.Former, long)
		id.Surname, id.Forenames, id.KnownAs = long, long, long
		for _, label := range []Value{long, NewValue(strings.Repeat(unit, 30) + ", " + strings.Repeat(unit, 50_000)), NewValue("Mr " + strings.Repeat("a ", 1000))} {
			begun := time.Now()
			SameName(label, id)
			if d := time.Since(begun); d > 250*time.Millisecond {
				t.Errorf("%q over and over: %v", unit, d)
			}
		}
	}
}
