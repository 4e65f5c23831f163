package letter_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/letter/lettertest"
	"github.com/dosevault/dosevault/internal/person"
)

var october = []day.Day{day.Of(2026, time.October, 1), day.Of(2026, time.October, 31)}

func badge(n int, name, department string) letter.Badge {
	return letter.Badge{Barcode: fmt.Sprintf("C%04dK%04d", n, n*7%10_000), Name: person.NewValue(name), Department: department, Position: "collar", From: october[0], To: october[1]}
}

// sample has two departments, the first on more than one sheet, with the longest names that anybody has.
func sample() letter.Print {
	x := letter.Print{Organisation: "Bwrdd Iechyd Prifysgol Glannau Aeron", Export: id.Export{7, 1}, Day: day.Of(2026, time.September, 24)}
	for i := range 31 {
		x.Badges = append(x.Badges, badge(i, fmt.Sprintf("Prys-Davies %d, Llŷr Ŵyn", i), "Cardioleg / Cardiology"))
	}
	x.Badges = append(x.Badges, badge(40, "Featherstonehaugh-Cholmondeley-Majoribanks, Marged Gwenllian Angharad Eluned", "Radioleg"),
		badge(41, "Ó Dubhthaigh (O'Duffy), Éamon \\ Søren", "Radioleg"), badge(42, "", ""))
	return x
}

// keep leaves a PDF where somebody wants to look at it.
func keep(t *testing.T, name string, pdf []byte) {
	if dir := os.Getenv("DOSEVAULT_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(t *testing.T, pdf []byte) [][]string {
	t.Helper()
	pages, err := lettertest.Texts(pdf)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestSheets(t *testing.T) {
	x := sample()
	var b bytes.Buffer
	if err := letter.Sheets(&b, x); err != nil {
		t.Fatal(err)
	}
	keep(t, "sheets", b.Bytes())
	pages := texts(t, b.Bytes())
	if len(pages) != 4 {
		t.Fatalf("%d pages, want 2 for the first department, 1 for each other", len(pages))
	}
	for i, p := range pages {
		all := strings.Join(p, "\n")
		for _, want := range []string{x.Organisation, "Issue sheet", "Export " + x.Export.String() + ", printed 24 September 2026", "Worn 1–31 Oct 2026"} {
			if !strings.Contains(all, want) {
				t.Errorf("page %d lacks %q: %q", i+1, want, p)
			}
		}
	}
	if !slices.Contains(pages[0], "31 badges, sheet 1 of 2") || !slices.Contains(pages[1], "31 badges, sheet 2 of 2") || slices.Contains(pages[1], x.Badges[0].Barcode) {
		t.Errorf("the first department's sheets: %q", pages[:2])
	}
	all := slices.Concat(pages...)
	for _, badge := range x.Badges {
		if n := strings.Count(strings.Join(all, "\n")+"\n", badge.Barcode+"\n"); n != 1 {
			t.Errorf("barcode %s stands there %d times", badge.Barcode, n)
		}
	}
	if !slices.Contains(pages[2], "Ó Dubhthaigh (O'Duffy), Éamon \\ Søren") || !slices.ContainsFunc(pages[2], func(s string) bool {
		return strings.HasPrefix(s, "Featherstonehaugh-Chol") && strings.HasSuffix(s, "…")
	}) {
		t.Errorf("hard names: %q", pages[2])
	}
	if !slices.Contains(pages[3], "Control badge") || !slices.Contains(pages[3], "No department") {
		t.Errorf("a control badge: %q", pages[3])
	}
	var again bytes.Buffer
	if err := letter.Sheets(&again, x); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("the same sheets again differ: %v", err)
	}
}

func TestLabels(t *testing.T) {
	x := sample()
	for _, s := range letter.Stocks {
		var b bytes.Buffer
		if err := letter.Labels(&b, x, s); err != nil {
			t.Fatal(err)
		}
		keep(t, "labels-"+s.Name, b.Bytes())
		pages := texts(t, b.Bytes())
		if want := map[string]int{"21": 2, "65": 1}[s.Name]; len(pages) != want {
			t.Errorf("%s: %d pages, want %d", s.Name, len(pages), want)
		}
		for i, p := range pages {
			if p[0] != "Export "+x.Export.String()+", printed 24 September 2026" {
				t.Errorf("%s: page %d begins with %q", s.Name, i+1, p[0])
			}
		}
		all := slices.Concat(pages...)
		if !slices.Contains(all, "Prys-Davies 3, Llŷr Ŵyn") || !slices.Contains(all, "collar, 1–31 Oct 2026") || !slices.Contains(all, "C0003K0021") {
			t.Errorf("%s: %q", s.Name, all)
		}
	}
	if _, ok := letter.StockNamed("22"); ok {
		t.Error("a stock that is not sold was found")
	}
}

func TestNothingToPrint(t *testing.T) {
	x := letter.Print{Organisation: "Ysbyty", Export: id.Export{1}, Day: october[0]}
	var b bytes.Buffer
	if err := letter.Sheets(&b, x); err != nil || len(texts(t, b.Bytes())) != 1 {
		t.Errorf("no badge: %v", err)
	}
	b.Reset()
	if err := letter.Labels(&b, x, letter.Stocks[0]); err != nil || len(texts(t, b.Bytes())) != 1 {
		t.Errorf("no badge: %v", err)
	}
	x.Badges = []letter.Badge{badge(1, "Secret", "")}
	x.Badges[0].Barcode = "ŵ"
	if err := letter.Labels(&b, x, letter.Stocks[0]); err == nil || strings.Contains(err.Error(), "ŵ") || strings.Contains(err.Error(), "Secret") {
		t.Errorf("a barcode that can't be drawn: %v", err)
	}
}

// Any name can be printed, and a name of letters that the font has comes back as it is.
func TestAnyNameIsPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.String().Draw(t, "any")
		known := rapid.StringMatching(`[A-Za-zÀ-ÖØ-öø-ŷΑ-Ωα-ωА-я'’. -]{1,18}`).Draw(t, "known")
		x := letter.Print{Organisation: any, Export: id.Export{1}, Day: october[0], Badges: []letter.Badge{badge(1, any, any), badge(2, known, any)}}
		var b bytes.Buffer
		if err := letter.Sheets(&b, x); err != nil {
			t.Fatal(err)
		}
		pages, err := lettertest.Texts(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(slices.Concat(pages...), known) {
			t.Fatalf("%q is not among %q", known, pages)
		}
	})
}
