package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/dosevault/dosevault/internal/testwords"
	"github.com/dosevault/dosevault/internal/words"
)

// source is the package's own source with its types.
type source struct {
	fset  *token.FileSet
	files []*ast.File
	info  types.Info
}

// readSource parses and checks the package as the compiler would. What it imports comes from the build cache.
func readSource(t *testing.T) *source {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
	s := &source{fset: token.NewFileSet(), info: types.Info{Types: map[ast.Expr]types.TypeAndValue{}}}
	names, err := filepath.Glob("*.go")
	must(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution)
		must(t, err)
		s.files = append(s.files, f)
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	check := types.Config{Importer: importer.ForCompiler(s.fset, "gc", open)}
	_, err = check.Check("web", s.fset, s.files, &s.info)
	must(t, err)
	return s
}

// name is the file that a piece of source stands in.
func (s *source) name(n ast.Node) string { return filepath.Base(s.fset.Position(n.Pos()).Filename) }

func (s *source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", filepath.Base(p.Filename), p.Line)
}

// isWords reports whether a type is one of package words.
func isWords(t types.Type, name string) bool {
	n, ok := t.(*types.Named)
	return ok && n.Obj().Pkg() != nil && strings.HasSuffix(n.Obj().Pkg().Path(), "/internal/words") && n.Obj().Name() == name
}

// texts returns the constants of a type of package words outside the catalogue, and where each stands.
func (s *source) texts(kind string) map[string]string {
	all := map[string]string{}
	for _, f := range s.files {
		if strings.HasPrefix(s.name(f), "cy") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			v := s.info.Types[e]
			if v.Value == nil || !isWords(v.Type, kind) {
				return true
			}
			if text := constant.StringVal(v.Value); text != "" {
				all[text] = s.at(e)
			}
			return false
		})
	}
	return all
}

// TestEveryTextInWelsh: each text and noun of the pages stands in the catalogue with the same arguments, and nothing else
// stands there.
func TestEveryTextInWelsh(t *testing.T) {
	s := readSource(t)
	texts, nouns := s.texts("Key"), s.texts("Noun")
	for _, k := range slices.Sorted(maps.Keys(texts)) {
		cy := welsh.Texts[words.Key(k)]
		switch {
		case cy == "":
			t.Errorf("%s: no Welsh for %q", texts[k], k)
		case !slices.Equal(testwords.Verbs(k), testwords.Verbs(cy)):
			t.Errorf("%s: %q says other arguments than %q", texts[k], cy, k)
		}
	}
	for k := range welsh.Texts {
		if _, used := texts[string(k)]; !used {
			t.Errorf("nothing says %q, which stands in the catalogue", k)
		}
	}
	for n := range nouns {
		if w := welsh.Nouns[words.Noun(n)]; w.One == "" || w.Many == "" {
			t.Errorf("%s: no Welsh for %q", nouns[n], n)
		}
	}
	for n := range welsh.Nouns {
		if _, used := nouns[string(n)]; !used {
			t.Errorf("nothing counts %q, which stands in the catalogue", n)
		}
	}
}

// TestNoTextBesideTheCatalogue: a page's templ has no letters of its own, Go has no sentence that is no text of the
// catalogue, and nothing becomes one that is not known before.
func TestNoTextBesideTheCatalogue(t *testing.T) {
	s := readSource(t)
	texts := s.texts("Key")
	for _, f := range s.files {
		name := s.name(f)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(name, "_templ.go") {
				for _, text := range bareTexts(written(fn)) {
					t.Errorf("%s: %q stands outside words.T", name, text)
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if v := s.info.Types[n.Fun]; v.IsType() && isWords(v.Type, "Key") && s.info.Types[n].Value == nil {
					t.Errorf("%s: a text that nobody knows before becomes one of the catalogue: use words.Plain", s.at(n))
				}
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "JoinStringErrs" {
					if v := s.info.Types[n.Args[0]]; isWords(v.Type, "Key") || v.Value != nil && texts[constant.StringVal(v.Value)] != "" {
						t.Errorf("%s: a text is written as its key: use words.T", s.at(n))
					}
				}
				return !internal(n)
			case *ast.BasicLit:
				v := s.info.Types[n]
				if n.Kind != token.STRING || strings.HasSuffix(name, "_templ.go") || v.Value == nil || isWords(v.Type, "Key") || isWords(v.Type, "Noun") || strings.HasPrefix(name, "cy") {
					return true
				}
				if text := constant.StringVal(v.Value); sentenceLike.MatchString(text) && !unsaid[text] && texts[text] == "" && !strings.Contains(text, "; charset=") {
					t.Errorf("%s: %q is no text of the catalogue", s.at(n), text)
				}
			}
			return true
		})
	}
}

// sentenceLike are two words in a row.
var sentenceLike = regexp.MustCompile(`\pL{2,}[,;:.]? \pL{2,}`)

// internal are calls whose texts no page shows: errors, panics, logs, and answers to what is no browser.
func internal(c *ast.CallExpr) bool {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name == "panic" || f.Name == "must"
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && (x.Name == "errors" && f.Sel.Name == "New" || x.Name == "fmt" && f.Sel.Name == "Errorf" || x.Name == "http" && f.Sel.Name == "Error") {
			return true
		}
		return slices.Contains([]string{"Error", "Warn", "Info", "MustCompile"}, f.Sel.Name)
	}
	return false
}

// written is the markup that a templ component writes by itself, with a sign where an expression or another component
// stands.
func written(fn *ast.FuncDecl) string {
	var b strings.Builder
	ast.Inspect(fn, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch {
		case f.Sel.Name == "WriteString" && len(c.Args) == 3:
			if lit, ok := c.Args[2].(*ast.BasicLit); ok {
				text, _ := strconv.Unquote(lit.Value)
				b.WriteString(text)
			}
		case f.Sel.Name == "EscapeString":
			b.WriteString("§")
		}
		return true
	})
	return b.String()
}

var saidAttributes = []string{"aria-label", "title", "alt", "placeholder"}

// bareTexts are the texts of markup that hold letters.
func bareTexts(markup string) (all []string) {
	bare := func(s string) bool {
		s = strings.Trim(strings.TrimSpace(html.UnescapeString(s)), ":–§.()1,≥ ")
		return !unsaid[s] && strings.ContainsFunc(s, unicode.IsLetter)
	}
	for z := html.NewTokenizer(strings.NewReader(markup)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return all
		case html.TextToken:
			if s := string(z.Text()); bare(s) {
				all = append(all, strings.TrimSpace(s))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, a := range z.Token().Attr {
				if slices.Contains(saidAttributes, a.Key) && bare(a.Val) {
					all = append(all, a.Val)
				}
			}
		}
	}
}

// unsaid are texts that are the same in both languages, or that no page shows: names of headers, of fields of package
// person, reasons in the ledger's openings, parts of messages that are looked for, cells of files.
var unsaid = map[string]bool{
	"dosevault": true, "mSv": true, "Landauer DoseReport": true, "Authorization: Bearer": true, "/api/v": true, "openapi.json": true,
	"Accept-Language, Cookie": true, "public, max-age=3600": true, "attachment; filename=\"": true,
	"day month": true, "day year": true, "month year": true, "refuse data": true, "names the employer": true,
	"known as": true, "date of birth": true, "staff number": true,
	"who wears a badge": true, "an organisation's doses": true, "gaps and overlaps of wear periods": true, "may be the same person": true,
	"a job of the machine “": true, "the machine “": true, "a job given by ": true,
	"dosevault incident list": true, "at least: ": true, "The file can't be read so: ": true, "no result yet: ": true,
}

func inWelsh(t *testing.T) context.Context { return words.With(t.Context(), words.Welsh, &welsh) }
