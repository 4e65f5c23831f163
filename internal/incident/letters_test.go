package incident

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	vc "github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// print writes parts as a PDF, and leaves it where somebody wants to look at it.
func print(t *testing.T, name string, parts []letter.Part) {
	t.Helper()
	var b bytes.Buffer
	d := letter.Document{Title: name, Day: day.Of(2026, time.October, 1), Foot: name, Parts: parts}
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// An organisation is written to in the language of its contact, and in both where that is not known.
func TestOrganisationLetter(t *testing.T) {
	at := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	told := vc.IncidentStep{Kind: vc.Telling, At: at, By: marker, Text: "A laboratory was hacked. We have stopped sending it names.", Notice: &vc.Notice{Phase: 2, CallBack: "029 2000 0000", Maximum: true, Wearers: 39, First: at.AddDate(-6, 0, 0), Last: at,
		Contact: vc.NoticeContact{Name: "Swyddog Diogelu Data", Post: []string{"Ffordd y Môr", "Pwllheli", "LL53 5AA"}},
		Rows:    []vc.NoticeRow{{Fields: policy.FieldName | policy.FieldBirth | policy.FieldDose, Wearers: 37}, {Fields: policy.FieldName, Wearers: 2}}}}
	both, err := OrganisationLetter(t.Context(), "2026-1", "Bwrdd Iechyd Llŷn", told, "https://badges.example/notice")
	if err != nil {
		t.Fatal(err)
	}
	print(t, "organisation", both)
	said := texts(both)
	for _, want := range []string{"Swyddog Diogelu Data", "LL53 5AA", "incident 2026-1, part 2", "digwyddiad 2026-1, rhan 2", "at most 39 people", "ar y mwyaf 39 person", "name, date of birth and radiation doses: 37", "enw, dyddiad geni a dosau ymbelydredd: 37", "72 hours", "72 awr",
		"A laboratory was hacked", "029 2000 0000", "https://badges.example/notice", "1 October 2020", "1 Hydref 2020"} {
		if !strings.Contains(said, want) {
			t.Errorf("the letter lacks %q", want)
		}
	}
	if strings.Contains(said, "Marker") {
		t.Error("the letter names who entered the step")
	}
	told.Notice.Contact.Language, told.Notice.Maximum = vc.InEnglish, false
	english, err := OrganisationLetter(t.Context(), "2026-1", "Bwrdd Iechyd Llŷn", told, "")
	if said := texts(english); err != nil || strings.Contains(said, "digwyddiad") || strings.Contains(said, "at most") || strings.Contains(said, "no account") {
		t.Errorf("%v: %s", err, said)
	}
	told.Notice = &vc.Notice{Sealed: true, Contact: vc.NoticeContact{Language: vc.InWelsh}}
	if welsh, err := OrganisationLetter(t.Context(), "2026-1", "A", told, ""); err != nil || !strings.Contains(texts(welsh), "wedi'i selio") || strings.Contains(texts(welsh), "neb o'ch staff") {
		t.Errorf("%v: %s", err, texts(welsh))
	}
	if _, err := OrganisationLetter(t.Context(), "2026-1", "A", vc.IncidentStep{}, ""); err == nil {
		t.Error("a letter is made of a step that told nobody")
	}
}

func TestConcernedOf(t *testing.T) {
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	org, w, other := id.New[id.Organisation](), id.New[id.Wearer](), id.New[id.Wearer]()
	got := ConcernedOf([]vc.Exposure{
		{Wearer: w, Organisation: org, Fields: policy.FieldName, First: at, Last: at},
		{Wearer: other, Organisation: id.New[id.Organisation](), Fields: policy.FieldName},
		{Wearer: w, Organisation: org, Fields: policy.FieldDose, Years: []uint16{2015, 2014, 2015}, First: at.AddDate(-1, 0, 0), Last: at.AddDate(1, 0, 0)},
	}, org)
	want := []Concerned{{Wearer: w, Fields: policy.FieldName | policy.FieldDose, Years: []uint16{2014, 2015}, First: at.AddDate(-1, 0, 0), Last: at.AddDate(1, 0, 0)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Everybody gets a letter of their own, in their language, with what was held of them and no other; who has left stands at the end.
func TestLettersToPeople(t *testing.T) {
	at := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	one := func(name string, f policy.Fields, left bool, language vc.NoticeLanguage, address ...string) Concerned {
		c := Concerned{Name: person.NewValue(name), Fields: f, Left: left, Language: language, First: at.AddDate(-6, 0, 0), Last: at, Years: []uint16{2014, 2015}}
		for _, l := range address {
			c.Address = append(c.Address, person.NewValue(l))
		}
		return c
	}
	p := Print{Number: "2026-1", Organisation: "Bwrdd Iechyd Llŷn", Day: at, CallBack: "029 2000 0000", Died: 3,
		What: map[words.Lang]string{words.English: "A laboratory was hacked.", words.Welsh: "Cafodd labordy ei hacio."},
		People: []Concerned{one("Gwen Gadawodd", policy.FieldName, true, vc.InEnglish, "1 High Street", "Bangor"),
			one("Siân Ŵyn-Jones", policy.FieldName|policy.FieldBirth|policy.FieldNI|policy.FieldDose, false, "", "Tŷ Gwyn", "Pwllheli", "LL53 5AA"), one("Llŷr Ifans", policy.FieldName|policy.FieldDose, false, vc.InWelsh)}}
	parts := p.Letters(t.Context())
	print(t, "people", parts)
	var letters []string
	for i, at := range sheets(parts) {
		letters = append(letters, texts(parts[at:append(sheets(parts), len(parts))[i+1]]))
	}
	if len(letters) != 5 {
		t.Fatalf("%d letters and cover, want a cover and four letters", len(letters))
	}
	for i, want := range []struct{ has, lacks []string }{
		{[]string{"Letters to people who work there\n2", "at the end\n1", "without an address, to be handed over\n1", "nobody writes to them\n3", "Bwrdd Iechyd Llŷn"}, []string{"Gwen", "Siân", "Ifans"}},
		{[]string{"Siân Ŵyn-Jones\nTŷ Gwyn", "Cafodd labordy ei hacio.", "rhif Yswiriant Gwladol", "2014 a 2015", "24 mis", "1 Hydref 2026"}, []string{"hacked", "Ifans"}},
		{[]string{"Siân Ŵyn-Jones\nTŷ Gwyn", "A laboratory was hacked.", "National Insurance number", "those of 2014 and 2015", "24 months", "held because the law", "Call 029 2000 0000, and say incident 2026-1"}, []string{"hacio", "Gwen"}},
		{[]string{"Llŷr Ifans", "Cafodd labordy ei hacio."}, []string{"rhif Yswiriant Gwladol", "hacked", "Siân"}},
		{[]string{"Gwen Gadawodd\n1 High Street", "A laboratory was hacked."}, []string{"National Insurance", "24 months", "doses are those", "hacio", "Siân"}},
	} {
		for _, s := range want.has {
			if !strings.Contains(letters[i], s) {
				t.Errorf("letter %d lacks %q", i, s)
			}
		}
		for _, s := range want.lacks {
			if strings.Contains(letters[i], s) {
				t.Errorf("letter %d has %q", i, s)
			}
		}
	}
	if got := p.Summary(id.Export{1}); !strings.HasSuffix(got, ": 3; 1 to people who have left; 1 without an address; 3 have died and get none.") || strings.Contains(got, "Siân") {
		t.Error(got)
	}
	if !slices.Equal(LanguagesOf("both"), LanguagesOf("")) {
		t.Error("who is not known is written to in both")
	}
}

// sheets are the places in a document where a letter begins.
func sheets(parts []letter.Part) []int {
	all := []int{0}
	for i, p := range parts {
		if p.Kind == letter.Sheet {
			all = append(all, i)
		}
	}
	return all
}
