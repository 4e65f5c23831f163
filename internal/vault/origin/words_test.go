package origin

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dosevault/dosevault/internal/words"
)

// constants adds the constants of types Key and Noun in a package's own source, outside its Welsh, as the compiler sees
// them. What the package imports comes from the build cache.
func constants(t *testing.T, dir string, keys map[words.Key]bool, nouns map[words.Noun]bool) {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", dir).Output()
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
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	check := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	if _, err := check.Check(dir, fset, files, &info); err != nil {
		t.Fatal(err)
	}
	for e, v := range info.Types {
		if v.Value == nil || strings.HasPrefix(filepath.Base(fset.Position(e.Pos()).Filename), "cy") {
			continue
		}
		switch v.Type.String() {
		case "github.com/dosevault/dosevault/internal/words.Key":
			keys[words.Key(constant.StringVal(v.Value))] = true
		case "github.com/dosevault/dosevault/internal/words.Noun":
			nouns[words.Noun(constant.StringVal(v.Value))] = true
		}
	}
}

// TestEveryTextInWelsh: each text and noun of the origin's pages has its Welsh, with as many arguments, and nothing else
// has; and the templates have no text of their own beside the program's name.
func TestEveryTextInWelsh(t *testing.T) {
	keys, nouns := map[words.Key]bool{}, map[words.Noun]bool{}
	constants(t, ".", keys, nouns)
	constants(t, "..", keys, nouns) // the vault says itself what is proposed
	files, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source += string(b)
	}
	for _, m := range regexp.MustCompile(`\.T ("[^"]*")`).FindAllStringSubmatch(source, -1) {
		text, err := strconv.Unquote(m[1])
		if err != nil {
			t.Fatal(err)
		}
		keys[words.Key(text)] = true
	}
	delete(keys, "") // no text
	if len(keys) < 30 || len(nouns) == 0 {
		t.Fatalf("only %d texts and %d nouns: is this the origin?", len(keys), len(nouns))
	}
	for k := range keys {
		switch cy := welsh.Texts[k]; {
		case cy == "":
			t.Errorf("no Welsh for %q", k)
		case strings.Count(cy, "%") != strings.Count(string(k), "%"):
			t.Errorf("%q says other arguments than %q", cy, k)
		}
	}
	for k := range welsh.Texts {
		if !keys[k] {
			t.Errorf("nothing says %q, which has Welsh", k)
		}
	}
	for n := range nouns {
		if w := welsh.Nouns[n]; w.One == "" || w.Many == "" {
			t.Errorf("no Welsh for %q", n)
		}
	}
	for n := range welsh.Nouns {
		if !nouns[n] {
			t.Errorf("nothing counts %q, which has Welsh", n)
		}
	}
	bare := regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(source, " ")
	bare = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(bare, " ")
	for _, word := range regexp.MustCompile(`\pL+`).FindAllString(bare, -1) {
		if word != "dosevault" {
			t.Errorf("%q stands in a template outside T", word)
		}
	}
}
