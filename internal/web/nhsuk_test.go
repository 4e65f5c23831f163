package web

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// fixturesFile has cases of nhsuk-frontend 10.6.1's own fixtures.json (MIT): what its components give for an input.
//
//go:embed testdata/nhsuk-fixtures.json
var fixturesFile []byte

// TestComponentsAsDesigned holds our components against the markup that the design system expects of them.
func TestComponentsAsDesigned(t *testing.T) {
	var fixtures []struct{ Component, Name, HTML string }
	must(t, json.Unmarshal(fixturesFile, &fixtures))
	section := func(n int) string { return fmt.Sprintf("#/section/%d", n) }
	at := func(page, last int) templ.Component {
		return pagination(pages{Page: page, Last: last, Total: last * pageSize}, section)
	}
	ours := map[string]templ.Component{
		"pagination numbered":                 at(2, 3),
		"pagination numbered first page":      at(1, 3),
		"pagination numbered last page":       at(3, 3),
		"pagination numbered with many pages": at(10, 40),
		"breadcrumb default":                  breadcrumb([]link{{Text: "Home", Href: "#"}, {Text: "NHS services", Href: "#"}, {Text: "Hospitals", Href: "#"}}),
		"tag default":                         tag("Active", ""),
		"inset-text default": templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
			return inset().Render(templ.WithChildren(ctx, templ.Raw("<p>You can report any suspected side effect using the Yellow Card safety scheme</p>")), w)
		}),
	}
	if len(fixtures) != len(ours) {
		t.Fatalf("%d fixtures for %d components", len(fixtures), len(ours))
	}
	for _, f := range fixtures {
		name := f.Component + " " + f.Name
		var b strings.Builder
		must(t, ours[name].Render(context.Background(), &b))
		if got, want := shape(t, b.String()), shape(t, f.HTML); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// shape writes markup with one form of spaces and of the order of attributes: what is left is what a browser sees.
func shape(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if text := strings.Join(strings.Fields(string(z.Text())), " "); text != "" {
				fmt.Fprintf(&b, "%s\n", html.UnescapeString(text))
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := z.Token()
			if token.Type == html.EndTagToken {
				if token.Data != "path" {
					fmt.Fprintf(&b, "</%s>\n", token.Data)
				}
				continue
			}
			attributes := map[string]string{}
			for _, a := range token.Attr {
				attributes[a.Key] = a.Val
			}
			fmt.Fprintf(&b, "<%s %v>\n", token.Data, attributes)
		}
	}
}
