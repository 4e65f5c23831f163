package words

import (
	"context"
	"testing"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/dosevault/dosevault/internal/day"
)

var sample = Catalogue{
	Texts: map[Key]string{"%s saw %s": "Gwelodd %[1]s %[2]s", "%d of %d": "%[2]d, a %[1]d ohonynt", "Read##of a badge": "Darllenwyd", "names": "enwau", "contact details": "manylion cyswllt", "addresses": "cyfeiriadau"},
	Nouns: map[Noun]WelshNoun{"dog": {One: "ci", Many: "cŵn"}, "cat": {One: "cath", Many: "cathod", Feminine: true}, "page": {One: "tudalen", Many: "tudalennau", Feminine: true},
		"wearer": {One: "gwisgwr", Many: "gwisgwyr"}, "badge": {One: "bathodyn", Many: "bathodynnau"}, "hand": {One: "llaw", Many: "dwylo", Feminine: true},
		"leave": {One: "caniatâd", Many: "caniatadau"}, "girl": {One: "merch", Many: "merched", Feminine: true}, "change": {One: "newid", Many: "newidiadau"}},
}

func speakers(t *testing.T) (en, cy context.Context) {
	return With(t.Context(), English, &sample), With(t.Context(), Welsh, &sample)
}

// TestCategories compares the categories of Welsh numbers with those of the CLDR.
func TestCategories(t *testing.T) {
	forms := map[int]plural.Form{zero: plural.Zero, one: plural.One, two: plural.Two, few: plural.Few, many: plural.Many, other: plural.Other}
	for n := range 2500 {
		if got, want := forms[category(n)], plural.Cardinal.MatchPlural(language.MustParse("cy"), n, 0, 0, 0, 0); got != want {
			t.Errorf("%d is %v, by the CLDR %v", n, got, want)
		}
	}
}

// TestNumbers: both languages write numbers alike, as the CLDR says.
func TestNumbers(t *testing.T) {
	for _, l := range []language.Tag{language.BritishEnglish, language.MustParse("cy")} {
		p := message.NewPrinter(l)
		for _, n := range []int{0, 7, 999, 1000, 4766, 1_000_000, -1000} {
			if got, want := Number(n), p.Sprintf("%d", n); got != want {
				t.Errorf("%v: %s, want %s", l, got, want)
			}
		}
	}
}

func TestCount(t *testing.T) {
	en, cy := speakers(t)
	for _, c := range []struct {
		n               int
		one             Noun
		many            string
		inEnglish, want string
	}{
		{0, "dog", "dogs", "0 dogs", "0 cŵn"}, {1, "dog", "dogs", "1 dog", "1 ci"}, {2, "dog", "dogs", "2 dogs", "2 gi"}, {3, "dog", "dogs", "3 dogs", "3 chi"},
		{4, "dog", "dogs", "4 dogs", "4 ci"}, {5, "dog", "dogs", "5 dogs", "5 ci"}, {6, "dog", "dogs", "6 dogs", "6 chi"}, {7, "dog", "dogs", "7 dogs", "7 ci"}, {25, "dog", "dogs", "25 dogs", "25 ci"},
		{0, "cat", "cats", "0 cats", "0 cathod"}, {1, "cat", "cats", "1 cat", "1 gath"}, {2, "cat", "cats", "2 cats", "2 gath"}, {3, "cat", "cats", "3 cats", "3 cath"}, {6, "cat", "cats", "6 cats", "6 chath"},
		{1, "page", "pages", "1 page", "1 dudalen"}, {3, "page", "pages", "3 pages", "3 tudalen"}, {6, "page", "pages", "6 pages", "6 thudalen"},
		{1, "wearer", "wearers", "1 wearer", "1 gwisgwr"}, {2, "wearer", "wearers", "2 wearers", "2 wisgwr"}, {3, "wearer", "wearers", "3 wearers", "3 gwisgwr"}, {2310, "wearer", "wearers", "2,310 wearers", "2,310 gwisgwr"},
		{2, "badge", "badges", "2 badges", "2 fathodyn"}, {1, "hand", "hands", "1 hand", "1 llaw"}, {2, "hand", "hands", "2 hands", "2 law"}, {1, "girl", "girls", "1 girl", "1 ferch"},
		{2, "change", "changes", "2 changes", "2 newid"}, {2, "unknown", "unknowns", "2 unknowns", "2 unknowns"},
	} {
		if got := Count(en, c.n, c.one, c.many); got != c.inEnglish {
			t.Errorf("%q, want %q", got, c.inEnglish)
		}
		if got := Count(cy, c.n, c.one, c.many); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestMutations(t *testing.T) {
	for word, want := range map[string][2]string{
		"pobl": {"bobl", "phobl"}, "tŷ": {"dŷ", "thŷ"}, "ci": {"gi", "chi"}, "bys": {"fys", "bys"}, "dos": {"ddos", "dos"}, "gair": {"air", "gair"}, "mis": {"fis", "mis"},
		"llaw": {"law", "llaw"}, "rhes": {"res", "rhes"}, "chwarter": {"chwarter", "chwarter"}, "ffeil": {"ffeil", "ffeil"}, "adran": {"adran", "adran"}, "": {"", ""},
	} {
		if got := [2]string{soften(word), aspirate(word)}; got != want {
			t.Errorf("%s: %v, want %v", word, got, want)
		}
	}
}

func TestDays(t *testing.T) {
	en, cy := speakers(t)
	d := func(s string) day.Day {
		v, err := day.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	winter, summer := time.Date(2026, 3, 12, 10, 4, 0, 0, time.UTC), time.Date(2026, 6, 30, 23, 4, 0, 0, time.UTC)
	for _, c := range []struct {
		say      func(context.Context) string
		en, want string
	}{
		{func(c context.Context) string { return Date(c, d("2026-03-12")) }, "12 March 2026", "12 Mawrth 2026"},
		{func(c context.Context) string { return Date(c, 0) }, "", ""},
		{func(c context.Context) string { return Moment(c, winter) }, "12 March 2026, 10:04", "12 Mawrth 2026, 10:04"},
		{func(c context.Context) string { return Moment(c, summer) }, "1 July 2026, 00:04", "1 Gorffennaf 2026, 00:04"},
		{func(c context.Context) string { return On(c, summer) }, "1 July 2026", "1 Gorffennaf 2026"},
		{func(c context.Context) string { return Period(c, d("2026-01-01"), d("2026-01-31")) }, "1 to 31 January 2026", "1 i 31 Ionawr 2026"},
		{func(c context.Context) string { return Period(c, d("2026-01-01"), d("2026-03-31")) }, "1 January to 31 March 2026", "1 Ionawr i 31 Mawrth 2026"},
		{func(c context.Context) string { return Period(c, d("2025-12-01"), d("2026-01-31")) }, "1 December 2025 to 31 January 2026", "1 Rhagfyr 2025 i 31 Ionawr 2026"},
		{func(c context.Context) string { return Period(c, d("2026-02-01"), d("2026-02-01")) }, "1 February 2026", "1 Chwefror 2026"},
		{func(c context.Context) string { return Period(c, 0, d("2026-05-01")) }, "until 1 May 2026", "tan 1 Mai 2026"},
		{func(c context.Context) string { return Period(c, d("2026-08-01"), 0) }, "since 1 August 2026", "ers 1 Awst 2026"},
		{func(c context.Context) string { return Period(c, 0, 0) }, "no period", "dim cyfnod"},
		{func(c context.Context) string { return Month(c, time.October) }, "October", "Hydref"},
		{func(c context.Context) string { return List(c, nil) }, "", ""},
		{func(c context.Context) string { return List(c, []string{"a"}) }, "a", "a"},
		{func(c context.Context) string { return List(c, []string{"Radioleg", "Owain"}) }, "Radioleg and Owain", "Radioleg ac Owain"},
		{func(c context.Context) string { return List(c, []string{"a", "b", "paediatrics"}) }, "a, b and paediatrics", "a, b a paediatrics"},
		{func(c context.Context) string { return ListOf(c, []Key{"names", "addresses"}) }, "names and addresses", "enwau a chyfeiriadau"},
		{func(c context.Context) string { return ListOf(c, []Key{"addresses", "contact details", "names"}) }, "addresses, contact details and names", "cyfeiriadau, manylion cyswllt ac enwau"},
		{func(c context.Context) string { return T(c, "%s saw %s", "Mair", Key("names")) }, "Mair saw names", "Gwelodd Mair enwau"},
		{func(c context.Context) string { return T(c, "%d of %d", 2, 7) }, "2 of 7", "7, a 2 ohonynt"},
		{func(c context.Context) string { return T(c, "%s saw %s", d("2026-03-12"), winter) }, "12 March 2026 saw 12 March 2026, 10:04", "Gwelodd 12 Mawrth 2026 12 Mawrth 2026, 10:04"},
		{func(c context.Context) string { return T(c, "Read##of a badge") }, "Read", "Darllenwyd"},
		{func(c context.Context) string { return T(c, "100% of it") }, "100% of it", "100% of it"},
		{func(c context.Context) string { return T(c, Plain("names")) }, "names", "names"}, // a person or place of that name
		{func(c context.Context) string { return T(c, Plain("100%d"), 1) }, "100%d", "100%d"},
	} {
		if got := c.say(en); got != c.en {
			t.Errorf("%q, want %q", got, c.en)
		}
		if got := c.say(cy); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if got := c.say(t.Context()); got != c.en {
			t.Errorf("without a language: %q, want %q", got, c.en)
		}
	}
	if got := Clock(summer); got != "00:04" {
		t.Errorf("the clock of London says %s", got)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		chosen, accept string
		want           Lang
	}{
		{"", "", English}, {"", "cy", Welsh}, {"", "cy-GB,en;q=0.8", Welsh}, {"", "en-GB,en;q=0.9,cy;q=0.8", English}, {"", "fr,cy;q=0.5,en;q=0.3", Welsh}, {"", "fr", English},
		{"", "en;q=0.2,cy;q=0.9", Welsh}, {"", "not a header ,,;q=x", English}, {"", "cy;q=0", English},
		{"cy", "en", Welsh}, {"en", "cy", English}, {"fr", "cy", Welsh}, {"<script>", "", English},
	} {
		if got := Choose(c.chosen, c.accept); got != c.want {
			t.Errorf("%q and %q: %s, want %s", c.chosen, c.accept, got, c.want)
		}
	}
}
