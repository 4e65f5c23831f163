// Package testwords finds the texts of a package's source that have to stand in a catalogue, for tests of catalogues.
package testwords

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

	"github.com/dosevault/dosevault/internal/words"
)

// Texts are the constants of types Key and Noun.
type Texts struct {
	Keys  map[words.Key]bool
	Nouns map[words.Noun]bool
}

// Constants finds the texts in the source of the packages in some directories, outside their Welsh (files cy*.go) and tests, as the compiler sees
// them. What they import comes from the build cache.
func Constants(ctx context.Context, dirs ...string) (Texts, error) {
	all := Texts{map[words.Key]bool{}, map[words.Noun]bool{}}
	for _, dir := range dirs {
		if err := all.add(ctx, dir); err != nil {
			return all, err
		}
	}
	delete(all.Keys, "") // no text
	return all, nil
}

func (all Texts) add(ctx context.Context, dir string) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-json=ImportPath,Export", dir).Output()
	if err != nil {
		return fmt.Errorf("listing %s: %w", dir, err)
	}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		exports[p.ImportPath] = p.Export
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	info := types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	check := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	if _, err := check.Check(dir, fset, files, &info); err != nil {
		return err
	}
	for e, v := range info.Types {
		if v.Value == nil || strings.HasPrefix(filepath.Base(fset.Position(e.Pos()).Filename), "cy") {
			continue
		}
		switch v.Type.String() {
		case "github.com/dosevault/dosevault/internal/words.Key":
			all.Keys[words.Key(constant.StringVal(v.Value))] = true
		case "github.com/dosevault/dosevault/internal/words.Noun":
			all.Nouns[words.Noun(constant.StringVal(v.Value))] = true
		}
	}
	return nil
}

// Wrong says what a catalogue lacks, says with other arguments, or has too much.
func (all Texts) Wrong(c words.Catalogue) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, k := range slices.Sorted(maps.Keys(all.Keys)) {
		switch cy := c.Texts[k]; {
		case cy == "":
			say("no Welsh for %q", k)
		case !slices.Equal(Verbs(cy), Verbs(string(k))):
			say("%q says other arguments than %q", cy, k)
		}
	}
	for k := range c.Texts {
		if !all.Keys[k] {
			say("nothing says %q, which has Welsh", k)
		}
	}
	for n := range all.Nouns {
		if w := c.Nouns[n]; w.One == "" || w.Many == "" {
			say("no Welsh for %q", n)
		}
	}
	for n := range c.Nouns {
		if !all.Nouns[n] {
			say("nothing counts %q, which has Welsh", n)
		}
	}
	return wrong
}

var verb = regexp.MustCompile(`%(\[\d\])?[sdvq%]`)

// Verbs are the arguments that a text says, in order of their numbers.
func Verbs(text string) []string {
	var all []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		switch {
		case strings.HasSuffix(m[0], "%"):
		case m[1] != "":
			all = append(all, m[1]+m[0][len(m[0])-1:])
		default:
			all = append(all, "["+strconv.Itoa(next)+"]"+m[0][1:])
			next++
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
