package letter_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/words"
)

// A document runs over sheets without losing a line, counts the pages of each letter, and says the same as text.
func TestDocument(t *testing.T) {
	d := letter.Document{Title: "Notice", Day: october[0], Foot: "Export 0701", Lang: words.Welsh, Parts: []letter.Part{
		{Kind: letter.Sheet}, {Kind: letter.Address, Lines: []string{"Bwrdd Iechyd Llŷn", "", "Pwllheli"}}, {Kind: letter.Title, Text: "A breach"},
		{Text: strings.Repeat("A paragraph that goes on and on over the lines. ", 10)},
		{Kind: letter.Row, Text: "What happened", Value: "first\nsecond"},
	}}
	for i := range 80 {
		d.Parts = append(d.Parts, letter.Part{Kind: letter.Bullet, Text: fmt.Sprintf("item %d of the list", i)})
	}
	d.Parts = append(d.Parts, letter.Part{Kind: letter.Row, Text: "Long", Value: strings.Repeat("line\n", 70) + "the last line"}, letter.Part{Kind: letter.Sheet}, letter.Part{Kind: letter.Heading, Text: "Ŵyn ŷ"})
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	keep(t, "document", b.Bytes())
	pages := texts(t, b.Bytes())
	all := slices.Concat(pages...)
	for i := range 80 {
		if n := strings.Count(strings.Join(all, "\n")+"\n", fmt.Sprintf("item %d of the list\n", i)); n != 1 {
			t.Errorf("item %d stands there %d times", i, n)
		}
	}
	last := pages[len(pages)-1]
	if len(pages) != 6 || !slices.Contains(all, "the last line") || !slices.Contains(last, "Ŵyn ŷ") || last[1] != "1" || pages[4][1] != "5" || !slices.Contains(pages[0], "Pwllheli") {
		t.Errorf("%d pages, the last %q", len(pages), last)
	}
	for i, p := range pages {
		if p[0] != d.Foot {
			t.Errorf("page %d begins with %q", i+1, p[0])
		}
	}
	var plain strings.Builder
	if err := d.Plain(&plain); err != nil {
		t.Fatal(err)
	}
	if got := plain.String(); !strings.HasPrefix(got, "Bwrdd Iechyd Llŷn\nPwllheli\n\n") || !strings.Contains(got, "- item 79 of the list\n") || !strings.Contains(got, "What happened: first\n    second\n") || !strings.HasSuffix(got, "\n\nŴyn ŷ\n") {
		t.Error(got)
	}
}
